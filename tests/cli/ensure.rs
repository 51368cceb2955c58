//! `ensure` of what has several spellings, and of entries in a list.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::program::{Tenant, requests};

/// The properties of the first mailbox, and the job that ensures `properties` of it.
async fn first(tenant: &Tenant, properties: &str) -> (Value, PathBuf) {
    let select = "--select";
    let names = "Guid,PrimarySmtpAddress,EmailAddresses,ProhibitSendQuota,AuditOwner";
    let item = tenant.invoked(&["Get-Mailbox", "ResultSize=1", select, names]).await.remove(0);
    let lines: String = properties.lines().map(|line| format!("      {line}\n")).collect();
    let steps = format!(
        "  - name: held\n    ensure: Mailbox\n    identity: {}\n    properties:\n{lines}",
        item["Guid"].as_str().unwrap()
    );
    (item, tenant.job("", &steps))
}

/// A dry run that finds something, a run that mends it, and a dry run that finds nothing. Gives what the first one
/// printed and the parameters of the one write.
async fn mended(tenant: &Tenant, job: &std::path::Path, changes: u64) -> (String, Value) {
    let pending = tenant.run(job, &["--dry-run"]).await;
    pending.assert_code(2);
    assert_eq!(tenant.writes_seen(), [""; 0]);
    let (run, report) = tenant.reported(job, &[]).await;
    run.assert_code(0);
    assert_eq!(report["steps"][0]["changes"], changes, "{report}");
    assert_eq!(pending.stdout.matches("\n  ~ ").count() as u64, changes, "{}", pending.stdout);
    tenant.run(job, &["--dry-run"]).await.assert_code(0);
    tenant.run(job, &[]).await.assert_code(0);
    assert_eq!(requests(&tenant.emulator.counters(), "Set-Mailbox"), 1, "what holds is not written again");
    tenant.assert_all_closed();
    let sent = tenant.recorded("Set-Mailbox")[0]["body"]["CmdletInput"]["Parameters"].clone();
    (pending.stdout, sent)
}

#[tokio::test(flavor = "multi_thread")]
async fn sizes_and_time_spans_hold_in_any_spelling() {
    let tenant = Tenant::with(3, &[]).await;
    let properties = "IssueWarningQuota: 9.5GB\nProhibitSendQuota: 10 GB\nMaxSendSize: 35MB\n\
                      RetainDeletedItemsFor: 30\nLitigationHoldDuration: Unlimited\nAuditLogAgeLimit: 90.00:00:00";
    let (_, job) = first(&tenant, properties).await;
    let (printed, sent) = mended(&tenant, &job, 3).await;
    assert!(printed.contains("  ~ RetainDeletedItemsFor: 14.00:00:00 -> 30\n"), "{printed}");
    assert!(!printed.contains("MaxSendSize") && !printed.contains("AuditLogAgeLimit"), "{printed}");
    assert_eq!((&sent["ProhibitSendQuota"], &sent["RetainDeletedItemsFor"]), (&json!("10 GB"), &json!("30")));
    assert_eq!(sent.get("MaxSendSize"), None, "{sent}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_list_only_what_differs_is_added_and_removed() {
    let tenant = Tenant::with(3, &[]).await;
    let properties = "EmailAddresses:\n  add:\n    - smtp:sales@contoso.example\n    - ${{ 'office@contoso.example' }}\n\
                      AuditOwner:\n  Add: update\n  Remove:\n    - harddelete\n    - NotThere";
    let (item, job) = first(&tenant, properties).await;
    let (printed, sent) = mended(&tenant, &job, 2).await;
    assert!(
        printed.contains(
            "\n  ~ EmailAddresses:\n      +smtp:sales@contoso.example\n      +office@contoso.example\n  ~ AuditOwner:\n      -HardDelete\n"
        ),
        "{printed}"
    );
    assert_eq!(
        sent["EmailAddresses"],
        json!({"@odata.type": "#Exchange.GenericHashTable", "add": ["smtp:sales@contoso.example", "office@contoso.example"]})
    );
    assert_eq!(
        sent["AuditOwner"],
        json!({"@odata.type": "#Exchange.GenericHashTable", "remove": ["HardDelete"]})
    );
    let identity = format!("Identity={}", item["Guid"].as_str().unwrap());
    let after = tenant.invoked(&["Get-Mailbox", &identity, "--select", "EmailAddresses,AuditOwner"]).await;
    let texts = |list: &Value| -> Vec<String> {
        list.as_array().unwrap().iter().map(|entry| entry.as_str().unwrap().to_owned()).collect()
    };
    let (old, new) = (texts(&item["EmailAddresses"]), texts(&after[0]["EmailAddresses"]));
    assert_eq!(new[..old.len()], old, "what nobody named has stayed");
    assert_eq!(new[old.len()..], ["smtp:sales@contoso.example", "smtp:office@contoso.example"]);
    assert_eq!(texts(&after[0]["AuditOwner"]), ["Update", "SoftDelete"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_list_empties() {
    let tenant = Tenant::with(3, &[]).await;
    let (_, job) = first(&tenant, "AuditOwner: []").await;
    let (printed, sent) = mended(&tenant, &job, 1).await;
    assert!(printed.contains("  ~ AuditOwner: [Update, SoftDelete, HardDelete] -> []"), "{printed}");
    assert_eq!(sent["AuditOwner"], json!({"@odata.type": "#Exchange.GenericHashTable"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_map_that_is_no_edit_is_no_state_that_holds() {
    let tenant = Tenant::with(3, &[]).await;
    for (properties, said) in [
        (
            "AuditOwner:\n  add: ${{ ['Create'] }}\n  remove: create",
            "Create is both in `add` and in `remove`",
        ),
        ("CustomAttribute1: \"${{ {'a': 1} }}\"", "the value of CustomAttribute1 is a map"),
    ] {
        let (_, job) = first(&tenant, properties).await;
        let run = tenant.run(&job, &[]).await;
        run.assert_code(1);
        assert!(run.stderr.contains(said), "{}", run.stderr);
    }
    assert_eq!(tenant.writes_seen(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_where_the_service_shows_a_name_is_told() {
    let tenant = Tenant::with(3, &[]).await;
    let other = tenant.invoked(&["Get-Mailbox", "ResultSize=2", "--select", "PrimarySmtpAddress,Name"]).await;
    let (address, name) = (other[1]["PrimarySmtpAddress"].as_str().unwrap(), &other[1]["Name"]);
    let (_, job) = first(&tenant, &format!("GrantSendOnBehalfTo:\n  add: {address}")).await;
    let run = tenant.run(&job, &[]).await;
    run.assert_code(1);
    assert!(run.stderr.contains("declare the name it shows, not the address"), "{}", run.stderr);
    let (_, job) = first(&tenant, &format!("GrantSendOnBehalfTo:\n  add: {name}")).await;
    tenant.run(&job, &["--dry-run"]).await.assert_code(0);
}
