//! The form of what says where a job runs and as whom: connections, `auth`, `credential`.

use super::{Form, Key, Names, Object};
use crate::spec::limits::MAP_KEYS_MAX;
use crate::spec::target::Environment;

/// The names of the clouds.
pub(in crate::spec) const ENVIRONMENTS: &[&str] = &[
    Environment::O365Default.as_str(),
    Environment::O365USGovGCCHigh.as_str(),
    Environment::O365USGovDoD.as_str(),
    Environment::O365China.as_str(),
    Environment::O365GermanyCloud.as_str(),
];

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
    doc: "A tenant, an environment and a way to sign in.",
    keys: &[
        Key::new("tenant", Form::Tenant, "The tenant's initial domain, or its GUID.").needed(),
        Key::new("environment", Form::Word(ENVIRONMENTS), "The cloud the tenant lives in.")
            .default("O365Default"),
        Key::new("auth", Form::One(&AUTH), "How to sign in.").needed(),
    ],
};

/// `auth`.
pub(in crate::spec) static AUTH: Object = Object {
    name: "Auth",
    what: "`auth`",
    doc: "A secret is never written into a file: `credential` says where it is kept.",
    keys: &[
        Key::new(
            "method",
            Form::Word(&["client_secret", "device", "device_code"]),
            "An application with a client secret, or a person who confirms a code (`device_code` is the same as \
             `device`).",
        )
        .needed(),
        Key::new(
            "client_id",
            Form::Guid,
            "The application (client) ID of the app registration. With `device` the module's own public client if \
             left out.",
        )
        .needed_when("with `client_secret`"),
        Key::new(
            "user_principal_name",
            Form::Text,
            "With `device`: who is expected to sign in. A token for somebody else is refused.",
        ),
        Key::new("credential", Form::One(&CREDENTIAL), "Where the secret is kept.")
            .needed_when("with `client_secret`"),
    ],
};

/// `credential` of `auth`.
pub(in crate::spec) static CREDENTIAL: Object = Object {
    name: "Credential",
    what: "`credential`",
    doc: "One of the two. The line ends of its text are not part of a secret.",
    keys: &[
        Key::new("env", Form::Text, "The name of an environment variable.").needed_when("without `file`"),
        Key::new("file", Form::Text, "The path of a file.").needed_when("without `env`"),
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
        Key::new("password", Form::One(&CREDENTIAL), "Where the password is kept.").needed(),
    ],
};
