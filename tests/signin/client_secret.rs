//! `method: client_secret`.

use super::program::{CLIENT_SECRET, Tenant};
use super::{CLIENT_ID, run, small};

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_signs_in_with_a_word_for_certificates_and_a_wrong_one_is_refused() {
    let tenant = Tenant::start(small()).await;
    let auth = |file: &str| {
        format!("  method: client_secret\n  client_id: {CLIENT_ID}\n  credential: {{file: {file}}}\n")
    };
    std::fs::write(tenant.path("secret"), format!("{CLIENT_SECRET}\r\n")).unwrap();
    std::fs::write(tenant.path("wrong"), "canary-of-a-wrong-secret").unwrap();
    let good = run(&tenant, &auth("secret"), &[]).await;
    good.assert_code(0);
    assert_eq!(good.stderr.matches("certificates are the supported way").count(), 1, "{}", good.stderr);
    let refused = run(&tenant, &auth("wrong"), &[]).await;
    refused.assert_code(77);
    let said = &refused.stdout;
    assert!(said.contains("AADSTS7000215") && said.contains("use the secret's value, not its id"), "{said}");
    assert!(said.contains("(correlation id ") && said.contains(", trace id "), "{said}");
    assert!(!said.contains("canary") && !refused.stderr.contains("canary"));
}
