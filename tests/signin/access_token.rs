//! `method: access_token`: a ready token from a file, a variable or Vault.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use exorun::emulator::Options;
use serde_json::{Value, json};

use super::program::{Tenant, ended, fault};
use super::responder::serve;
use super::{run, run_with, small, token};

const FILE: &str = "  method: access_token\n  credential: {file: token}\n";

/// The token with other claims. Its signature is wrong then; it must be refused before that is seen.
fn changed(token: &str, change: impl Fn(&mut Value)) -> String {
    let parts: Vec<&str> = token.split('.').collect();
    let mut claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
    change(&mut claims);
    format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode(claims.to_string()), parts[2])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ready_token_signs_in_and_says_when_it_ends() {
    let tenant = Tenant::start(small()).await;
    std::fs::write(tenant.path("token"), format!("{}\n", token(&tenant, None))).unwrap();
    let good = run(&tenant, FILE, &[]).await;
    good.assert_code(0);
    assert!(good.stderr.contains("it is not renewed and ends in 59m"), "{}", good.stderr);
    let variable = "  method: access_token\n  credential: {env: READY}\n";
    let own = token(&tenant, Some("anna@contoso.onmicrosoft.com"));
    run_with(&tenant, variable, &[("READY", &own)]).await.assert_code(0);
    tenant.assert_all_closed();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_for_something_else_is_refused_before_any_call() {
    let tenant = Tenant::start(small()).await;
    let own = token(&tenant, None);
    let anna = token(&tenant, Some("anna@contoso.onmicrosoft.com"));
    let expects = format!("{FILE}  user_principal_name: bert@contoso.onmicrosoft.com\n");
    for (auth, text, code, words) in [
        (
            FILE,
            changed(&own, |claims| claims["aud"] = json!("https://graph.microsoft.com")),
            77,
            "the token is for `https://graph.microsoft.com`",
        ),
        (
            FILE,
            changed(&own, |claims| claims["tid"] = json!("00000000-0000-0000-0000-000000000009")),
            77,
            "tenant",
        ),
        (
            FILE,
            changed(&own, |claims| claims["exp"] = json!(1_700_000_000)),
            77,
            "ended at 2023-11-14T22:13:20Z: `access_token` is not renewed",
        ),
        (FILE, changed(&own, |claims| claims["roles"] = json!([])), 77, "the token has no role"),
        (
            FILE,
            changed(&own, |claims| claims["roles"] = json!(["full_access_as_app"])),
            77,
            "the token has roles full_access_as_app, and none of them is known to let it call cmdlets",
        ),
        (
            FILE,
            changed(&anna, |claims| claims["scp"] = json!("EWS.AccessAsUser.All User.Read")),
            77,
            "consent to `Exchange.Manage` for this client",
        ),
        (
            &expects,
            anna,
            77,
            "anna@contoso.onmicrosoft.com signed in, the job expects bert@contoso.onmicrosoft.com",
        ),
        (
            FILE,
            "canary-that-is-no-token".to_owned(),
            64,
            "credential file:token: holds no access token (a JWT with `exp`)",
        ),
        (FILE, "\n".to_owned(), 64, "credential file:token: is empty"),
    ] {
        std::fs::write(tenant.path("token"), text).unwrap();
        let refused = run(&tenant, auth, &[]).await;
        assert_eq!(refused.code, Some(code), "{words}\n{}", refused.stdout);
        assert!(refused.stdout.contains(words), "{words}\n{}", refused.stdout);
        assert!(!refused.stdout.contains("canary") && !refused.stderr.contains("canary"));
    }
    assert_eq!(tenant.emulator.counters().sessions.opened, 0);
    // Told to, it leaves a right of another name to the service, which finds that this signature is wrong.
    std::fs::write(tenant.path("token"), changed(&own, |claims| claims["roles"] = json!(["Other.Right"])))
        .unwrap();
    let left = run_with(&tenant, FILE, &[("EXORUN_EXPECTED_RIGHTS", "any")]).await;
    left.assert_code(77);
    assert!(left.stdout.contains("unauthorized (HTTP 401)"), "{}", left.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_knows_the_tenants_guid_a_ready_token_is_not_taken() {
    let tenant = Tenant::start(small()).await;
    std::fs::write(tenant.path("token"), token(&tenant, None)).unwrap();
    let (gateway, _) = serve(vec![(404, "a gateway's page".to_owned())]).await;
    let blind: [(&str, &str); 3] = [
        ("EXORUN_DISCOVERY", "off"),
        ("EXORUN_LOGIN_ENDPOINT", &gateway),
        ("EXORUN_LOGIN_ENDPOINT", "https://127.0.0.1:9"),
    ];
    for variable in blind {
        let refused = run_with(&tenant, FILE, &[variable, ("EXORUN_RETRY_ATTEMPTS", "1")]).await;
        refused.assert_code(77);
        let words = "the GUID of contoso.onmicrosoft.com is not known";
        assert!(refused.stdout.contains(words), "{variable:?}\n{}", refused.stdout);
        assert!(
            refused.stdout.contains("write `tenant` as the GUID, or let discovery"),
            "{}",
            refused.stdout
        );
    }
    assert_eq!(tenant.emulator.counters().sessions.opened, 0);
    // Written as a GUID it is compared, and the sign-in service need not be there.
    let run = async |id: &str, variable: (&str, &str)| {
        let text = super::job(FILE).replace("tenant: contoso.onmicrosoft.com", &format!("tenant: {id}"));
        std::fs::write(tenant.path("by-id.yaml"), text).unwrap();
        let mut command = tenant.exorun(&["run", "by-id.yaml", "--retry-attempts", "1"]);
        ended(command.envs([variable]).spawn().unwrap()).await
    };
    let id = tenant.emulator.tenant_id().to_string();
    for variable in blind {
        run(&id, variable).await.assert_code(0);
        let other = run("00000000-0000-0000-0000-000000000009", variable).await;
        other.assert_code(77);
        assert!(other.stdout.contains("the job is for 00000000"), "{}", other.stdout);
    }
    tenant.assert_all_closed();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_ends_within_the_run_fails_it_in_words() {
    let tenant = Tenant::start(Options {
        token_life: Duration::from_secs(2),
        faults: vec![fault("slow:ms=400")],
        ..small()
    })
    .await;
    std::fs::write(tenant.path("token"), token(&tenant, None)).unwrap();
    let reads: String =
        (0..8).map(|number| format!("  - name: n{number}\n    cmdlet: Get-Mailbox\n")).collect();
    let text =
        format!("version: 1\nname: long\ntenant: contoso.onmicrosoft.com\nauth:\n{FILE}steps:\n{reads}");
    std::fs::write(tenant.path("long.yaml"), text).unwrap();
    let run = tenant.run(&tenant.path("long.yaml"), &[]).await;
    run.assert_code(77);
    assert!(run.stdout.contains("`access_token` is not renewed"), "{}", run.stdout);
    tenant.assert_all_closed();
}
