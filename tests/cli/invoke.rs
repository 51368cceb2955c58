//! `exorun invoke`: one cmdlet by hand.

use super::program::{Tenant, requests, shipped};
use super::{HARDENING, write_log};

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_is_shown_as_json_or_as_a_table() {
    let tenant = Tenant::with(12, &[]).await;
    let items =
        tenant.invoked(&["get-mailbox", "resultsize=5", "--select", "DisplayName,PrimarySmtpAddress"]).await;
    assert_eq!(items.len(), 5);
    for item in &items {
        let names: Vec<&String> = item.as_object().unwrap().keys().collect();
        assert_eq!(names, ["DisplayName", "PrimarySmtpAddress"], "{item}");
    }
    let request = &tenant.recorded("Get-Mailbox")[0];
    assert!(
        request["target"].as_str().unwrap().ends_with("?$select=DisplayName,PrimarySmtpAddress"),
        "{request}"
    );
    assert_eq!(request["body"]["CmdletInput"]["Parameters"]["ResultSize"], "5");

    let job = shipped(HARDENING);
    let table = ["invoke", "Get-Mailbox", "ResultSize=5", "--job", job.to_str().unwrap()];
    let run = tenant.said(&table, &[]).await;
    run.assert_code(0);
    insta::assert_snapshot!("table", run.stdout);
    assert!(run.stderr.lines().next().unwrap().contains("EMULATED"), "{}", run.stderr);

    let nothing = ["invoke", "Get-Mailbox", "Filter=Alias -eq 'nobody'", "--job", job.to_str().unwrap()];
    let run = tenant.said(&nothing, &[]).await;
    run.assert_code(0);
    assert_eq!(run.stdout, "nothing found\n");
    tenant.assert_all_closed();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writing_cmdlet_wants_to_be_allowed() {
    let tenant = Tenant::with(5, &[]).await;
    let job = shipped(HARDENING);
    let items = tenant.invoked(&["Get-Mailbox", "ResultSize=1", "--select", "PrimarySmtpAddress"]).await;
    let address = items[0]["PrimarySmtpAddress"].as_str().unwrap().to_owned();
    let identity = format!("Identity={address}");
    let before = tenant.emulator.counters().requests;
    let set = ["invoke", "set-mailbox", &identity, "CustomAttribute1=x", "--job", job.to_str().unwrap()];
    let run = tenant.said(&set, &[]).await;
    run.assert_code(78);
    assert!(run.stderr.contains("say --allow-write if that is meant"), "{}", run.stderr);
    assert_eq!(tenant.emulator.counters().requests, before, "not even a sign-in");

    let mut allowed = set.to_vec();
    allowed.push("--allow-write");
    let run = tenant.said(&allowed, &[]).await;
    run.assert_code(0);
    let log = write_log(&run.stderr);
    assert_eq!(log.len(), 1, "{}", run.stderr);
    for part in
        ["cmdlet=Set-Mailbox", &format!("object={address}"), "parameters=CustomAttribute1", "outcome=done"]
    {
        assert!(log[0].contains(part), "{}", log[0]);
    }
    assert_eq!(requests(&tenant.emulator.counters(), "Set-Mailbox"), 1);
    assert_eq!(tenant.recorded("Set-Mailbox")[0]["body"]["CmdletInput"]["Parameters"]["Confirm"], false);
    let items = tenant.invoked(&["Get-Mailbox", &identity, "--select", "CustomAttribute1"]).await;
    assert_eq!(items[0]["CustomAttribute1"], "x");
    tenant.assert_all_closed();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_cmdlet_says_why() {
    let tenant = Tenant::with(5, &[]).await;
    let job = shipped(HARDENING);
    let run =
        tenant.said(&["invoke", "Get-Mailbox", "Identity=nobody", "--job", job.to_str().unwrap()], &[]).await;
    run.assert_code(1);
    assert!(
        run.stderr.contains("error: not_found (HTTP 404): ManagementObjectNotFoundException"),
        "{}",
        run.stderr
    );
    assert_eq!(run.stdout, "");
    tenant.assert_all_closed();
}
