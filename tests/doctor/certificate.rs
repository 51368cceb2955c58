//! Broken in the application's certificate. The key is made by `openssl`, as people make theirs.

use std::path::PathBuf;
use std::process::Command;

use exorun::emulator::Options;

use super::program::Tenant;
use super::{APPLICATION, broken, climbed, components, rung, tenant};

/// A key with a certificate that is good for `days`, and a job that signs in with it.
fn job(tenant: &Tenant, days: &str) -> Option<(String, PathBuf)> {
    if !components::has("openssl", "certificate") {
        return None;
    }
    let (key, certificate) = (tenant.path("own.key"), tenant.path("own.crt"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=own", "-days", days, "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let both = format!(
        "{}{}",
        std::fs::read_to_string(&key).unwrap(),
        std::fs::read_to_string(&certificate).unwrap()
    );
    std::fs::write(tenant.path("own.pem"), both).unwrap();
    let job = APPLICATION
        .replace("method: client_secret", "method: certificate")
        .replace("env: EXORUN_CLIENT_SECRET", &format!("file: {}", tenant.path("own.pem").display()));
    Some((job, certificate))
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_ends_soon_is_a_warning_and_one_that_entra_does_not_know_breaks_the_sign_in() {
    let tenant = tenant(Options::default()).await;
    let Some((job, _)) = job(&tenant, "10") else { return };
    // The emulator has not been told of it.
    let climb = climbed(&tenant, &job, &[], &[("EXORUN_CREDENTIAL_SETTLE_WAIT", "0s")]).await;
    climb.assert_code(77);
    let line = rung(&climb, "certificate");
    assert!(
        line.starts_with("warning") && line.contains("in 9 days") && line.contains("upload it"),
        "{line}"
    );
    assert!(
        climb.stdout.contains("first broken rung: token") && climb.stdout.contains("AADSTS700027"),
        "{}",
        climb.stdout
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_belongs_to_another_certificate() {
    let tenant = tenant(Options::default()).await;
    let Some((job, _)) = job(&tenant, "100") else { return };
    let other = super::tenant(Options::default()).await;
    let Some((_, foreign)) = self::job(&other, "100") else { return };
    let both = format!(
        "{}{}",
        std::fs::read_to_string(tenant.path("own.key")).unwrap(),
        std::fs::read_to_string(foreign).unwrap()
    );
    std::fs::write(tenant.path("own.pem"), both).unwrap();
    let climb = climbed(&tenant, &job, &[], &[]).await;
    broken(&climb, 64, "certificate", "a_key_that_belongs_to_another_certificate");
}
