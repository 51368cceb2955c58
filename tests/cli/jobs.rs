//! The shipped jobs do what they say.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use super::HARDENING;
use super::program::{Tenant, shipped};

fn text<'a>(item: &'a Value, name: &str) -> &'a str {
    item[name].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_shipped_job_passes_the_check() {
    let tenant = Tenant::with(1, &[]).await;
    let folder = shipped("");
    let run = tenant.said(&["check", folder.to_str().unwrap()], &[]).await;
    run.assert_code(0);
    assert_eq!(run.stdout.lines().count(), 14, "{}", run.stdout);
    // The one warning is that of the example in a cloud that was closed.
    assert!(run.stdout.ends_with("checked 13 files: 13 jobs, 0 errors, 1 warning\n"), "{}", run.stdout);
    assert!(run.stderr.contains("closed on 2021-10-29"), "{}", run.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn hardening_leaves_no_shared_mailbox_with_pop_or_imap_and_touches_no_other() {
    let tenant = Tenant::with(60, &[]).await;
    let protocols = ["Get-CASMailbox", "ResultSize=Unlimited", "--select", "Guid,PopEnabled,ImapEnabled"];
    let of = |items: Vec<Value>| -> BTreeMap<String, (bool, bool)> {
        let state = |item: &Value| (item["PopEnabled"] == true, item["ImapEnabled"] == true);
        items.iter().map(|item| (text(item, "Guid").to_owned(), state(item))).collect()
    };
    let before = of(tenant.invoked(&protocols).await);
    tenant.run(&shipped(HARDENING), &[]).await.assert_code(0);
    let after = of(tenant.invoked(&protocols).await);
    let shared = ["Get-Mailbox", "RecipientTypeDetails=SharedMailbox", "--select", "Guid"];
    let shared: BTreeSet<String> =
        tenant.invoked(&shared).await.iter().map(|item| text(item, "Guid").to_owned()).collect();
    assert!(shared.len() > 10 && before.len() == 60);
    for (guid, state) in &after {
        let expected = if shared.contains(guid) { (false, false) } else { before[guid] };
        assert_eq!(*state, expected, "{guid}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_forwarding_report_has_external_forwarders_only_and_no_formulas() {
    let tenant = Tenant::with(1500, &[]).await;
    let (run, report) =
        tenant.reported(&shipped("external-forwarding-report.yaml"), &["--page-size", "500"]).await;
    run.assert_code(0);
    assert_eq!(report["steps"][2]["output"], "external-forwarding.csv");
    assert_eq!(tenant.writes_seen(), [""; 0]);
    let path = tenant.path("external-forwarding.csv");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let csv = std::fs::read_to_string(&path).unwrap();
    assert!(csv.ends_with("\r\n") && csv.matches('\n').count() == csv.matches("\r\n").count());
    let mut lines = csv.split("\r\n");
    assert_eq!(
        lines.next(),
        Some("DisplayName,PrimarySmtpAddress,ForwardingSmtpAddress,DeliverToMailboxAndForward")
    );

    // The same question asked another way: all mailboxes, looked through here.
    let select =
        ["--select", "DisplayName,PrimarySmtpAddress,ForwardingSmtpAddress,DeliverToMailboxAndForward"];
    let all = tenant.invoked(&["Get-Mailbox", "ResultSize=Unlimited", select[0], select[1]]).await;
    assert_eq!(all.len(), 1500);
    let forwards: Vec<&Value> = all.iter().filter(|item| item["ForwardingSmtpAddress"].is_string()).collect();
    let inside = |address: &str| {
        address.ends_with("@contoso.example") || address.ends_with("@contoso.onmicrosoft.com")
    };
    let external: Vec<&&Value> =
        forwards.iter().filter(|item| !inside(text(item, "ForwardingSmtpAddress"))).collect();
    assert!(
        external.len() > 5 && external.len() < forwards.len(),
        "{} of {}",
        external.len(),
        forwards.len()
    );
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.unwrap()).collect();
    let found: BTreeSet<&str> = rows.iter().map(|row| &row[1]).collect();
    let expected: BTreeSet<&str> = external.iter().map(|item| text(item, "PrimarySmtpAddress")).collect();
    assert_eq!((found, rows.len()), (expected, external.len()));
    let mut formulas = 0;
    for item in external {
        let row = rows.iter().find(|row| row[1] == *text(item, "PrimarySmtpAddress")).unwrap();
        let name = text(item, "DisplayName");
        let shown = if name.starts_with(['=', '+']) {
            formulas += 1;
            format!("'{name}")
        } else {
            name.to_owned()
        };
        assert_eq!(row[0], shown, "what a spreadsheet would calculate is marked as text");
        assert_eq!(&row[2], text(item, "ForwardingSmtpAddress"));
        assert_eq!(&row[3], item["DeliverToMailboxAndForward"].to_string());
    }
    assert!(formulas > 0, "no forwarder's name begins with = or +: take more mailboxes");
}

#[tokio::test(flavor = "multi_thread")]
async fn smtp_auth_is_off_for_all_but_those_that_are_allowed() {
    let tenant = Tenant::with(40, &[]).await;
    let listing = ["Get-Mailbox", "ResultSize=Unlimited", "--select", "Guid,PrimarySmtpAddress"];
    let listed = tenant.invoked(&listing).await;
    let allowed = [&listed[3], &listed[17]];
    let input = allowed.map(|item| text(item, "PrimarySmtpAddress").to_lowercase()).join(",");
    let job = shipped("smtp-auth-off-except.yaml");
    let (run, report) = tenant.reported(&job, &["--input", &format!("allowed={input}")]).await;
    run.assert_code(0);
    assert_eq!((&report["steps"][1]["skipped"], &report["steps"][2]["skipped"]), (&2.into(), &38.into()));
    let state =
        ["Get-CASMailbox", "ResultSize=Unlimited", "--select", "Guid,SmtpClientAuthenticationDisabled"];
    let state = tenant.invoked(&state).await;
    assert_eq!(state.len(), 40);
    for item in &state {
        let is_allowed = allowed.iter().any(|allowed| allowed["Guid"] == item["Guid"]);
        assert_eq!(item["SmtpClientAuthenticationDisabled"], !is_allowed, "{item}");
    }
    // Who leaves the list loses it the next night.
    let last = text(allowed[0], "PrimarySmtpAddress").to_lowercase();
    let (run, report) = tenant.reported(&job, &["--input", &format!("allowed={last}")]).await;
    run.assert_code(0);
    assert_eq!((&report["steps"][1]["changed"], &report["steps"][2]["changed"]), (&1.into(), &0.into()));
    tenant.assert_all_closed();
}
