//! The form of what says where a job runs and as whom: connections, `auth`, `credential`.

use super::job::SERVICES;
use super::{Form, Key, Names, Object};
use crate::spec::limits::{LABELS_MAX, MAP_KEYS_MAX, PERMITS_MAX};
use crate::spec::target::Environment;

/// The names of the clouds.
pub(in crate::spec) const ENVIRONMENTS: &[&str] = &Environment::NAMES;

/// What a job spells out if it names no connection.
pub(in crate::spec) const TARGET_KEYS: [&str; 3] = ["tenant", "environment", "auth"];

/// A document of connections.
pub(in crate::spec) static CONNECTIONS: Object = Object {
    name: "Connections",
    what: "a document of connections",
    doc: "The platform team's file: targets under names that jobs give as `connection: NAME`.",
    keys: &[
        Key::new("version", Form::Version, "The version of the form.").needed(),
        Key::new("kind", Form::Word(&["Connections"]), "What the document is.").needed(),
        Key::new(
            "connections",
            Form::ByName { of: &CONNECTION, names: Names::DnsLabels, max: MAP_KEYS_MAX },
            "The connections, each under its name.",
        )
        .needed(),
    ],
};

/// An entry of `connections`.
pub(in crate::spec) static CONNECTION: Object = Object {
    name: "Connection",
    what: "a connection",
    doc: "A tenant, an environment and a way to sign in, and what they may be used for. In patterns `*` stands for any characters, `/` \
          included, and `?` for one.",
    keys: &[
        Key::new("tenant", Form::Tenant, "The tenant's initial domain, or its GUID.").needed(),
        Key::new("environment", Form::WordOrName(ENVIRONMENTS), "The cloud the tenant lives in.")
            .default("O365Default"),
        Key::new("auth", Form::One(&AUTH), "How to sign in.").needed(),
        Key::new(
            "jobs",
            Form::List { of: &PERMITTED_JOBS, max: PERMITS_MAX },
            "The jobs that may use the connection: those that fit an entry. Left out, every job may, but with the setting \
             `require_connections` none.",
        ),
        Key::new(
            "services",
            Form::Words(SERVICES),
            "The services it may be used for. Left out, all of them.",
        ),
        Key::new(
            "delegated_organizations",
            Form::Texts { max: PERMITS_MAX },
            "The customers that a job may name as `delegated_organization`: domains and GUIDs as the jobs write them, or patterns. \
             Left out, none. Not for applications.",
        ),
        Key::new(
            "secrets",
            Form::Texts { max: PERMITS_MAX },
            "What a job may read besides the connection's own credential, for parameters that take a secret or the bytes of a file: \
             patterns of `vault:MOUNT/PATH`, `vault:MOUNT/PATH#FIELD`, `file:PATH` and `env:NAME`. Left out, everything, but with the \
             setting `require_connections` nothing.",
        ),
    ],
};

/// An entry of a connection's `jobs`.
pub(in crate::spec) static PERMITTED_JOBS: Object = Object {
    name: "PermittedJobs",
    what: "an entry of `jobs`",
    doc: "Jobs that may use a connection. A job fits if its name fits and it has all of the labels.",
    keys: &[
        Key::new(
            "name",
            Form::Text,
            "A job's name, or a pattern of names. `exorun invoke` goes by the name `invoke`.",
        )
        .needed_when("without `labels`"),
        Key::new(
            "labels",
            Form::TextsByName { max: LABELS_MAX },
            "Labels that the job must have, with their values or patterns of them.",
        )
        .needed_when("without `name`"),
    ],
};

/// A way to sign in, and the keys of `auth` that it takes.
#[derive(Debug)]
pub(in crate::spec) struct MethodForm {
    /// As a job spells it.
    pub(in crate::spec) name: &'static str,
    pub(in crate::spec) needed: &'static [&'static str],
    pub(in crate::spec) may: &'static [&'static str],
}

const fn method(
    name: &'static str,
    needed: &'static [&'static str],
    may: &'static [&'static str],
) -> MethodForm {
    MethodForm { name, needed, may }
}

/// The ways to sign in: the checker's table and the schema's.
pub(in crate::spec) static METHODS: [MethodForm; 12] = [
    method(
        "certificate",
        &["client_id", "credential"],
        &["certificate", "certificate_password", "signature"],
    ),
    method("client_secret", &["client_id", "credential"], &[]),
    method("transit", &["client_id", "transit", "certificate"], &["signature"]),
    method("workload_identity", &[], &["client_id", "token_file", "audience"]),
    method("managed_identity", &[], &["client_id", "object_id", "resource_id"]),
    method("device", &[], &["client_id", "user_principal_name", "credential"]),
    method("device_code", &[], &["client_id", "user_principal_name", "credential"]),
    method("browser", &[], &["client_id", "user_principal_name", "credential"]),
    method("password", &["credential"], &["client_id", "user_principal_name"]),
    method("inline_credential", &[], &["client_id", "user_principal_name"]),
    method("access_token", &["credential"], &["user_principal_name"]),
    // One of `credential` and `path`; the checker and the schema say so themselves.
    method("vault", &[], &["credential", "path", "mount", "client_id", "user_principal_name"]),
];

/// Their names.
const METHOD_NAMES: &[&str] = &{
    let mut names = [""; METHODS.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = METHODS[at].name;
        at += 1;
    }
    names
};

/// `auth`.
pub(in crate::spec) static AUTH: Object = Object {
    name: "Auth",
    what: "`auth`",
    doc: "A secret is never written into a file: `credential` says where it is kept. Which keys a method takes stands in \
          [signin.md](signin.md).",
    keys: &[
        Key::new(
            "method",
            Form::Word(METHOD_NAMES),
            "An application: `certificate`, `client_secret`, `transit` (a key that stays in Vault), `workload_identity`, \
             `managed_identity`. A person: `device` (`device_code` is the same), `browser`, `password`, \
             `inline_credential` (asked for on the terminal). `access_token`: a ready token. `vault`: whatever the \
             secret's fields declare.",
        )
        .needed(),
        Key::new(
            "client_id",
            Form::Guid,
            "The application (client) ID of the app registration. For people the module's own public client if left out.",
        )
        .needed_when("with `certificate`, `client_secret` and `transit`"),
        Key::new(
            "user_principal_name",
            Form::Text,
            "Who is expected to sign in. A token for somebody else is refused. Not for applications.",
        )
        .needed_when("with `password`, unless the Vault secret has it"),
        Key::new(
            "credential",
            Form::One(&CREDENTIAL),
            "Where the secret is kept: client secret, private key (PEM or PFX), password, token. With `device` and \
             `browser`: where in Vault the refresh token is kept between runs.",
        )
        .needed_when("with `certificate`, `client_secret`, `password`, `access_token` and `vault`"),
        Key::new(
            "certificate",
            Form::One(&CREDENTIAL),
            "Where the certificate is kept, if not beside its private key.",
        )
        .needed_when("with `transit`"),
        Key::new(
            "certificate_password",
            Form::One(&CREDENTIAL),
            "With `certificate`: where the password of a PFX file is kept.",
        ),
        Key::new(
            "signature",
            Form::Word(&["PS256", "RS256"]),
            "With `certificate` and `transit`: how assertions are signed. `RS256`, with a SHA-1 thumbprint, is the older way.",
        )
        .default("PS256"),
        Key::new("transit", Form::One(&TRANSIT), "With `transit`: which key signs.").needed_when("with `transit`"),
        Key::new(
            "token_file",
            Form::Text,
            "With `workload_identity`: the file that holds the other issuer's token. Left out, `AZURE_FEDERATED_TOKEN_FILE` \
             or GitHub Actions' variables say where one is to be had.",
        ),
        Key::new(
            "audience",
            Form::Text,
            "With `workload_identity` in GitHub Actions: for whom the token is asked for.",
        )
        .default("api://AzureADTokenExchange"),
        Key::new(
            "object_id",
            Form::Guid,
            "With `managed_identity`: the object id of the identity, if the machine has several.",
        ),
        Key::new(
            "resource_id",
            Form::Text,
            "With `managed_identity`: the resource id of the identity, if the machine has several.",
        ),
        Key::new("path", Form::Text, "With `vault`: short for `credential: {vault: {path: …}}`."),
        Key::new("mount", Form::Text, "With `path`: the mount of the KV engine.").default("secret"),
    ],
};

/// `transit` of `auth`.
pub(in crate::spec) static TRANSIT: Object = Object {
    name: "Transit",
    what: "`transit`",
    doc: "A key of Vault's transit engine, of type `rsa-2048` or larger.",
    keys: &[
        Key::new("mount", Form::Text, "The mount of the engine.").default("transit"),
        Key::new("key", Form::Text, "The key's name.").needed(),
        Key::new("version", Form::Integer { from: 1, to: i64::MAX }, "A pinned version of the key."),
    ],
};

/// `credential` of `auth`.
pub(in crate::spec) static CREDENTIAL: Object = Object {
    name: "Credential",
    what: "`credential`",
    doc: "One of the three. The line ends of its text are not part of a secret.",
    keys: &[
        Key::new("env", Form::Text, "The name of an environment variable.")
            .needed_when("without `file` and `vault`"),
        Key::new("file", Form::Text, "The path of a file.").needed_when("without `env` and `vault`"),
        Key::new("vault", Form::One(&VAULT), "A secret in Vault.").needed_when("without `env` and `file`"),
    ],
};

/// `vault` of a credential.
pub(in crate::spec) static VAULT: Object = Object {
    name: "Vault",
    what: "`vault`",
    doc: "A secret of Vault's KV engine, of version 1 or 2. Which Vault, and who reads it, say the settings `vault_…`.",
    keys: &[
        Key::new("mount", Form::Text, "The mount of the KV engine.").default("secret"),
        Key::new("path", Form::Text, "The path below the mount, without `data/`.").needed(),
        Key::new(
            "field",
            Form::Text,
            "The field that holds the secret. Left out: the one that the use names (`client_secret`, `password`, …), \
             or the only one.",
        ),
        Key::new(
            "version",
            Form::Integer { from: 1, to: i64::MAX },
            "A pinned version, with KV version 2. Left out: the newest.",
        ),
    ],
};

/// The value of a parameter of type `PSCredential`.
pub(in crate::spec) static PS_CREDENTIAL: Object = Object {
    name: "PSCredential",
    what: "a user name with a password",
    doc: "What parameters take that want a user name with a password. A parameter that wants a password alone takes a \
          [Credential](#credential).",
    keys: &[
        Key::new("user_name", Form::Template, "The user name.").needed(),
        Key::new("password", Form::Kept, "Where the password is kept.").needed(),
    ],
};
