//! Credentials that live in a real OpenBao: `method: vault` of each kind, and `transit`.

use std::path::PathBuf;

use exorun::emulator::Options;
use serde_json::{Value, json};

use super::openbao::OpenBao;
use super::openssl::{openssl, pair, text};
use super::program::{CLIENT_SECRET, Ended, Tenant};
use super::{CLIENT_ID, components, run_with, small, token};

const DECLARED: &str = "  method: vault\n  path: exorun/contoso\n";

/// An OpenBao, and a token of it that may read and sign.
pub(crate) struct Kept {
    pub(crate) bao: OpenBao,
    token: PathBuf,
}

impl Kept {
    /// `None`: it is not installed, and `test` is skipped visibly.
    pub(crate) async fn start(test: &str) -> Option<Kept> {
        let bao = OpenBao::start(test).await?;
        let may = "path \"secret/data/exorun/*\" { capabilities = [\"read\"] }\n\
                   path \"sys/internal/ui/mounts/*\" { capabilities = [\"read\"] }\n\
                   path \"transit/sign/app\" { capabilities = [\"update\"] }";
        bao.policy("runner", may).await;
        let token = bao.token_file(&["runner"]).await;
        Some(Kept { bao, token })
    }

    /// Writes the fields of `exorun/contoso`.
    pub(crate) async fn keep(&self, fields: Value) {
        self.bao.write("secret/data/exorun/contoso", json!({ "data": fields })).await;
    }

    /// Makes the key `app` of the transit engine.
    pub(crate) async fn transit(&self) {
        self.bao.mount("transit", "transit", json!({})).await;
        self.bao.write("transit/keys/app", json!({"type": "rsa-2048"})).await;
    }

    /// What the program's environment needs.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        let mut variables = self.bao.environment();
        variables.push(("EXORUN_VAULT_AUTH", "token".to_owned()));
        variables.push(("EXORUN_VAULT_TOKEN_FILE", self.token.display().to_string()));
        variables
    }

    async fn run(&self, tenant: &Tenant, auth: &str) -> Ended {
        self.run_where(tenant, auth, &[]).await
    }

    /// As `run`, with further variables.
    async fn run_where(&self, tenant: &Tenant, auth: &str, more: &[(&str, &str)]) -> Ended {
        let variables = self.variables();
        let variables = variables.iter().map(|(name, value)| (*name, value.as_str()));
        let variables: Vec<(&str, &str)> = variables.chain(more.iter().copied()).collect();
        run_with(tenant, auth, &variables).await
    }
}

/// A certificate `NAME.crt` for a version of the transit key, which the tenant knows.
pub(crate) async fn certify(tenant: &Tenant, kept: &Kept, name: &str, version: &str) {
    let folder = tenant.folder.path();
    let key = kept.bao.read("transit/keys/app").await;
    let public = key["keys"][version]["public_key"].as_str().unwrap().to_owned();
    std::fs::write(folder.join(format!("{name}.pub")), public).unwrap();
    pair(folder, "issuer");
    openssl(folder, "req -new -key issuer.key -subj /CN=in-transit -out request.csr");
    let signed = format!(
        "x509 -req -in request.csr -CA issuer.crt -CAkey issuer.key -CAcreateserial -days 90 -force_pubkey {name}.pub -out {name}.crt"
    );
    openssl(folder, &signed);
    super::certificate::register(tenant, &format!("{name}.crt"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_fields_of_a_secret_declare_how_it_signs_in() {
    let test = "the_fields_of_a_secret_declare_how_it_signs_in";
    let Some(kept) = Kept::start(test).await else { return };
    if !components::has("openssl", test) {
        return;
    }
    let made = tempfile::tempdir().unwrap();
    pair(made.path(), "own");
    openssl(made.path(), "pkcs12 -export -inkey own.key -in own.crt -passout pass:made-up -out own.pfx");
    openssl(made.path(), "base64 -in own.pfx -out own.base64");
    let (key, certificate) = (text(made.path(), "own.key"), text(made.path(), "own.crt"));
    let tenant = Tenant::start(Options { certificates: vec![certificate.clone()], ..small() }).await;
    for fields in [
        json!({"client_id": CLIENT_ID, "client_secret": format!("{CLIENT_SECRET}\n")}),
        json!({"client_id": CLIENT_ID, "private_key": key, "certificate": certificate}),
        json!({"client_id": CLIENT_ID, "certificate": format!("{certificate}{key}")}),
        json!({"client_id": CLIENT_ID, "pfx": text(made.path(), "own.base64"), "pfx_password": "made-up\n"}),
        json!({"access_token": token(&tenant, None)}),
    ] {
        let names: Vec<&String> = fields.as_object().unwrap().keys().collect();
        let told = format!("{names:?}");
        kept.keep(fields.clone()).await;
        let good = kept.run(&tenant, DECLARED).await;
        assert_eq!(good.code, Some(0), "{told}\n{}{}", good.stdout, good.stderr);
    }
    let other = "22222222-2222-3333-4444-555555555555";
    for (fields, more, words) in [
        (
            json!({"client_id": CLIENT_ID, "client_secret": "canary", "password": "canary"}),
            String::new(),
            "declares several ways to sign in (it has client_id, client_secret, password)",
        ),
        (
            json!({"client_id": CLIENT_ID, "note": "canary"}),
            String::new(),
            "declares no way to sign in (it has client_id, note)",
        ),
        (
            json!({"client_id": CLIENT_ID, "client_secret": "canary"}),
            format!("  client_id: {other}\n"),
            "its `client_id` is another than the job's",
        ),
        (json!({"client_secret": "canary"}), String::new(), "`auth` has no `client_id`"),
        (
            json!({"client_id": CLIENT_ID, "pfx": text(made.path(), "own.base64"), "pfx_password": "canary"}),
            String::new(),
            "the password of the PFX file is wrong",
        ),
    ] {
        kept.keep(fields).await;
        let refused = kept.run(&tenant, &format!("{DECLARED}{more}")).await;
        assert_eq!(refused.code, Some(64), "{words}\n{}", refused.stdout);
        assert!(refused.stdout.contains(words), "{words}\n{}", refused.stdout);
        assert!(!refused.stdout.contains("canary") && !refused.stderr.contains("canary"));
    }
    tenant.assert_all_closed();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_secret_declares_decides_whether_the_tenants_guid_must_be_known() {
    let test = "what_a_secret_declares_decides_whether_the_tenants_guid_must_be_known";
    let Some(kept) = Kept::start(test).await else { return };
    let tenant = Tenant::start(small()).await;
    let off = [("EXORUN_DISCOVERY", "off")];
    kept.keep(json!({"access_token": token(&tenant, None)})).await;
    let refused = kept.run_where(&tenant, DECLARED, &off).await;
    refused.assert_code(77);
    assert!(refused.stdout.contains("write `tenant` as the GUID"), "{}", refused.stdout);
    assert_eq!(tenant.emulator.counters().sessions.opened, 0);
    kept.keep(json!({"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET})).await;
    kept.run_where(&tenant, DECLARED, &off).await.assert_code(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_never_leaves_openbao_signs_in() {
    let test = "a_key_that_never_leaves_openbao_signs_in";
    let Some(kept) = Kept::start(test).await else { return };
    if !components::has("openssl", test) {
        return;
    }
    kept.transit().await;
    let tenant = Tenant::start(small()).await;
    let folder = tenant.folder.path();
    certify(&tenant, &kept, "first", "1").await;
    let auth = |file: &str, more: &str| {
        format!(
            "  method: transit\n  client_id: {CLIENT_ID}\n  transit: {{key: app{more}}}\n  certificate: {{file: {file}.crt}}\n"
        )
    };
    for signature in ["", "  signature: RS256\n"] {
        let good = kept.run(&tenant, &format!("{}{signature}", auth("first", ""))).await;
        assert_eq!(good.code, Some(0), "{signature}\n{}{}", good.stdout, good.stderr);
    }

    // A new version of the key has no certificate yet.
    kept.bao.write("transit/keys/app/rotate", json!({})).await;
    let refused = kept.run(&tenant, &auth("first", "")).await;
    refused.assert_code(64);
    assert!(
        refused.stdout.contains("does not fit the certificate at file:first.crt: was the key rotated?"),
        "{}",
        refused.stdout
    );
    kept.run(&tenant, &auth("first", ", version: 1")).await.assert_code(0);
    certify(&tenant, &kept, "second", "2").await;
    kept.run(&tenant, &auth("second", "")).await.assert_code(0);

    // The fields of a secret declare it too.
    let certificate = text(folder, "second.crt");
    kept.keep(json!({"client_id": CLIENT_ID, "transit_key": "app", "certificate": certificate})).await;
    kept.run(&tenant, DECLARED).await.assert_code(0);

    // A policy without the right to sign.
    let reader = Kept { token: kept.bao.token_file(&["default"]).await, bao: kept.bao };
    let refused = reader.run(&tenant, &auth("second", "")).await;
    assert_eq!(refused.code, Some(64), "{}", refused.stdout);
    assert!(refused.stdout.contains("vault:transit/keys/app"), "{}", refused.stdout);
    tenant.assert_all_closed();
}
