//! `method: certificate`: every form of key and certificate, and what is wrong with others.

use std::path::Path;

use exorun::emulator::Options;

use super::openssl::{openssl, pair, pair_for, text};
use super::program::{Tenant, requests};
use super::{CLIENT_ID, components, run, small};

/// `auth` of a certificate, with further keys as one flow mapping a line.
fn auth(more: &[&str]) -> String {
    let lines: String = more.iter().map(|line| format!("  {line}\n")).collect();
    format!("  method: certificate\n  client_id: {CLIENT_ID}\n{lines}")
}

/// A tenant that knows the certificate of `own.key`, `own.crt`.
async fn tenant() -> Tenant {
    let made = tempfile::tempdir().unwrap();
    pair(made.path(), "own");
    let tenant = Tenant::start(Options { certificates: vec![text(made.path(), "own.crt")], ..small() }).await;
    for name in ["own.key", "own.crt"] {
        std::fs::copy(made.path().join(name), tenant.path(name)).unwrap();
    }
    tenant
}

/// How often a token was asked for.
fn asked(tenant: &Tenant) -> u64 {
    requests(&tenant.emulator.counters(), "token")
}

fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_form_of_key_and_certificate_signs_in() {
    if !components::has("openssl", "every_form_of_key_and_certificate_signs_in") {
        return;
    }
    let tenant = tenant().await;
    let folder = tenant.folder.path();
    let (key, certificate) = (text(folder, "own.key"), text(folder, "own.crt"));
    pair(folder, "other");
    openssl(folder, "rsa -in own.key -traditional -out pkcs1.key");
    openssl(folder, "x509 -in own.crt -outform DER -out own.cer");
    openssl(folder, "pkcs12 -export -inkey own.key -in own.crt -passout pass:made-up -out aes.pfx");
    openssl(folder, "pkcs12 -export -inkey own.key -in own.crt -passout pass:made-up -legacy -out old.pfx");
    openssl(folder, "pkcs12 -export -inkey own.key -in own.crt -passout pass: -out bare.pfx");
    openssl(folder, "base64 -in aes.pfx -out aes.base64");
    write(folder, "password", "made-up\n");
    write(folder, "both.pem", &format!("{key}{certificate}"));
    write(folder, "turned.pem", &format!("{}{certificate}{key}", text(folder, "other.crt")));
    write(folder, "crlf.pem", &format!("{key}{certificate}").replace('\n', "\r\n"));
    write(folder, "mark.pem", &format!("\u{feff}{key}{certificate}"));
    write(folder, "pkcs1.pem", &format!("{}{certificate}", text(folder, "pkcs1.key")));
    let password = "certificate_password: {file: password}";
    let forms: [&[&str]; 12] = [
        &["credential: {file: both.pem}"],
        &["credential: {file: both.pem}", "signature: RS256"],
        &["credential: {file: turned.pem}"],
        &["credential: {file: crlf.pem}"],
        &["credential: {file: mark.pem}"],
        &["credential: {file: pkcs1.pem}"],
        &["credential: {file: own.key}", "certificate: {file: own.crt}"],
        &["credential: {file: own.key}", "certificate: {file: own.cer}"],
        &["credential: {file: aes.pfx}", password],
        &["credential: {file: old.pfx}", password],
        &["credential: {file: bare.pfx}"],
        &["credential: {file: aes.base64}", password],
    ];
    for form in forms {
        let signed_in = run(&tenant, &auth(form), &[]).await;
        assert_eq!(signed_in.code, Some(0), "{form:?}\n{}{}", signed_in.stdout, signed_in.stderr);
    }
    tenant.assert_all_closed();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_key_is_said_with_its_mend() {
    if !components::has("openssl", "what_is_wrong_with_a_key_is_said_with_its_mend") {
        return;
    }
    let tenant = tenant().await;
    let folder = tenant.folder.path();
    let (key, certificate) = (text(folder, "own.key"), text(folder, "own.crt"));
    pair(folder, "other");
    openssl(folder, "ecparam -name prime256v1 -genkey -noout -out sec1.key");
    openssl(folder, "pkcs8 -topk8 -nocrypt -in sec1.key -out ec.key");
    openssl(folder, "req -x509 -key ec.key -out ec.crt -days 9 -subj /CN=ec");
    openssl(folder, "genrsa -out short.key 1024");
    openssl(folder, "pkcs8 -topk8 -in own.key -passout pass:made-up -out locked.key");
    openssl(folder, "rsa -in own.key -traditional -aes128 -passout pass:made-up -out locked1.key");
    openssl(folder, "pkcs12 -export -inkey own.key -in own.crt -passout pass:made-up -out own.pfx");
    openssl(folder, "pkcs12 -export -nokeys -in own.crt -passout pass:made-up -out nokey.pfx");
    openssl(folder, "pkcs12 -export -inkey ec.key -in ec.crt -passout pass:made-up -out ec.pfx");
    write(folder, "password", "made-up");
    write(folder, "wrong", "canary-of-a-wrong-password");
    write(folder, "two.pem", &format!("{key}{}{certificate}", text(folder, "other.key")));
    write(folder, "line.pem", &format!("{key}{certificate}").replace('\n', "\\n"));
    write(folder, "utf16.pem", "");
    let utf16: Vec<u8> =
        [0xff, 0xfe].into_iter().chain(key.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    std::fs::write(folder.join("utf16.pem"), utf16).unwrap();
    write(folder, "empty", "\n");
    write(folder, "text", "canary-that-is-no-key");
    let pfx = std::fs::read(folder.join("own.pfx")).unwrap();
    std::fs::write(folder.join("cut.pfx"), &pfx[..pfx.len() / 2]).unwrap();
    two_keys(folder);
    let (own, password) = ("certificate: {file: own.crt}", "certificate_password: {file: password}");
    let wrong: [(&[&str], &str); 19] = [
        (
            &["credential: {file: own.pfx}", "certificate_password: {file: wrong}"],
            "the password of the PFX file is wrong",
        ),
        (&["credential: {file: own.pfx}"], "the PFX file has a password: name where it is kept"),
        (&["credential: {file: nokey.pfx}", password], "the PFX file holds no private key"),
        (&["credential: {file: two.pfx}", password], "the PFX file holds 2 private keys"),
        (&["credential: {file: ec.pfx}", password], "the private key is not RSA"),
        (&["credential: {file: cut.pfx}", password], "is neither PEM nor a whole PFX file"),
        (&["credential: {file: ec.key}", own], "the private key is not RSA"),
        (&["credential: {file: sec1.key}", own], "the private key is not RSA but EC"),
        (&["credential: {file: short.key}", own], "RSA of less than 2048 bits"),
        (&["credential: {file: locked.key}", own], "the private key is encrypted"),
        (&["credential: {file: locked1.key}", own], "the private key is encrypted"),
        (
            &["credential: {file: other.key}", own],
            "the private key does not belong to the certificate (CN=own)",
        ),
        (&["credential: {file: own.key}"], "holds a private key and no certificate"),
        (&["credential: {file: own.crt}"], "holds no private key"),
        (&["credential: {file: two.pem}"], "holds 2 private keys"),
        (&["credential: {file: line.pem}"], "has lost its line ends"),
        (&["credential: {file: utf16.pem}", own], "is UTF-16"),
        (&["credential: {file: empty}"], "is empty"),
        (&["credential: {file: text}"], "is neither PEM nor a PFX file"),
    ];
    for (form, words) in wrong {
        let refused = run(&tenant, &auth(form), &[]).await;
        let said = format!("{}{}", refused.stdout, refused.stderr);
        assert_eq!(refused.code, Some(64), "{form:?}\n{said}");
        assert!(
            said.contains(words) && said.contains("credential file:"),
            "{form:?} wants {words:?}\n{said}"
        );
        assert!(!said.contains("canary"), "{form:?}\n{said}");
    }
    assert_eq!(tenant.emulator.counters().sessions.opened, 0);
    assert_eq!(asked(&tenant), 0, "nothing was sent");
}

/// `two.pfx`: OpenSSL's command puts only one key into a file.
fn two_keys(folder: &Path) {
    use p12_keystore::{Certificate, KeyStore, KeyStoreEntry, PrivateKey, PrivateKeyChain};
    let mut store = KeyStore::new();
    for name in ["own", "other"] {
        openssl(folder, &format!("pkcs8 -topk8 -nocrypt -in {name}.key -outform DER -out {name}.p8"));
        openssl(folder, &format!("x509 -in {name}.crt -outform DER -out {name}.der"));
        let key = PrivateKey::from_der(&std::fs::read(folder.join(format!("{name}.p8"))).unwrap()).unwrap();
        let certificate = std::fs::read(folder.join(format!("{name}.der"))).unwrap();
        let certificate = Certificate::from_der(&certificate).unwrap();
        let chain = PrivateKeyChain::new(name, key, [certificate]);
        store.add_entry(name, KeyStoreEntry::PrivateKeyChain(chain));
    }
    std::fs::write(folder.join("two.pfx"), store.writer("made-up").write().unwrap()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_certificate_is_a_warning_a_metric_and_at_last_a_refusal() {
    if !components::has("openssl", "the_end_of_a_certificate_is_a_warning_a_metric_and_at_last_a_refusal") {
        return;
    }
    let tenant = tenant().await;
    let folder = tenant.folder.path();
    let both = auth(&["credential: {file: own.key}", "certificate: {file: own.crt}"]);
    let good = run(&tenant, &both, &["--metrics-file", "metrics.prom"]).await;
    good.assert_code(0);
    assert!(!good.stderr.contains("the certificate ends"), "{}", good.stderr);
    let metrics = text(folder, "metrics.prom");
    let expiry = format!(
        "exorun_certificate_expiry_timestamp_seconds{{client_id=\"{CLIENT_ID}\",target=\"contoso.onmicrosoft.com\""
    );
    assert!(metrics.lines().any(|line| line.starts_with(&expiry)), "{metrics}");

    // The same key under a certificate for 9 days, and under one that is over.
    openssl(folder, "req -x509 -key own.key -out soon.crt -days 9 -subj /CN=soon");
    register(&tenant, "soon.crt");
    let soon =
        run(&tenant, &auth(&["credential: {file: own.key}", "certificate: {file: soon.crt}"]), &[]).await;
    soon.assert_code(0);
    assert!(soon.stderr.contains("the certificate ends in 8 days"), "{}", soon.stderr);

    for (name, from, to, words) in [
        ("over", 2019, 2020, "ended at 2020-01-01T00:00:00Z: make a new one"),
        ("early", 2090, 2091, "is not valid before 2090-01-01T00:00:00Z: is this host's clock right?"),
    ] {
        dated(folder, name, from, to);
        let file = format!("certificate: {{file: {name}.crt}}");
        let refused = run(&tenant, &auth(&["credential: {file: own.key}", &file]), &[]).await;
        refused.assert_code(64);
        assert!(refused.stdout.contains(words) && !refused.stdout.contains("AADSTS"), "{}", refused.stdout);
    }
}

/// A certificate of `own.key` from one new year to another.
fn dated(folder: &Path, name: &str, from: i32, to: i32) {
    let key = rcgen::KeyPair::from_pem(&text(folder, "own.key")).unwrap();
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.not_before = rcgen::date_time_ymd(from, 1, 1);
    params.not_after = rcgen::date_time_ymd(to, 1, 1);
    write(folder, &format!("{name}.crt"), &params.self_signed(&key).unwrap().pem());
}

/// Makes the certificates of a file known to the tenant.
pub(crate) fn register(tenant: &Tenant, file: &str) {
    let url = format!("{}/certificates", tenant.emulator.control_url());
    let output = std::process::Command::new("curl")
        .args([
            "--silent",
            "--show-error",
            "--fail",
            "--noproxy",
            "*",
            "--max-time",
            "20",
            "--cacert",
            "ca.pem",
        ])
        .args(["--data-binary", &format!("@{file}"), &url])
        .current_dir(tenant.folder.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_is_not_known_yet_is_waited_for_and_one_that_stays_unknown_is_refused() {
    let test = "a_certificate_that_is_not_known_yet_is_waited_for_and_one_that_stays_unknown_is_refused";
    if !components::has("openssl", test) || !components::has("curl", test) {
        return;
    }
    let tenant = Tenant::start(small()).await;
    let folder = tenant.folder.path();
    pair_for(folder, "new", 365);
    let auth = auth(&["credential: {file: new.key}", "certificate: {file: new.crt}"]);
    let unknown = run(&tenant, &auth, &[]).await;
    unknown.assert_code(77);
    assert!(
        unknown.stdout.contains("AADSTS700027") && unknown.stdout.contains("upload the certificate"),
        "{}",
        unknown.stdout
    );
    assert_eq!(asked(&tenant), 1);

    let waits = ["--credential-settle-wait", "6s"];
    std::fs::write(tenant.path("job.yaml"), super::job(&auth)).unwrap();
    let child = tenant.exorun(&["run", "job.yaml", waits[0], waits[1]]).spawn().unwrap();
    tenant.calls("token", 2).await;
    register(&tenant, "new.crt");
    let settled = super::program::ended(child).await;
    settled.assert_code(0);
    assert!(settled.stderr.contains("may be too new, trying again in 2s"), "{}", settled.stderr);
    assert_eq!(asked(&tenant), 3, "an unknown one, one more that was, one that was good");
}
