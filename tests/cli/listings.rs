//! Listings over many pages: complete, or not at all.

use std::collections::BTreeSet;

use super::HARDENING;
use super::program::{Tenant, requests, shipped};

const LISTING: &str = "  - name: all
    cmdlet: Get-EXOMailbox
    parameters:
      ResultSize: Unlimited
    select: [ExternalDirectoryObjectId, PrimarySmtpAddress]
    output:
      path: all.csv
";

fn addresses(csv: &str) -> BTreeSet<String> {
    csv.lines().skip(1).map(|line| line.split(',').nth(1).unwrap().trim().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_of_many_pages_is_complete_and_in_order() {
    let tenant = Tenant::with(33, &[]).await;
    let (run, report) = tenant.reported(&tenant.job("", LISTING), &["--page-size", "5"]).await;
    run.assert_code(0);
    assert_eq!((&report["steps"][0]["items"], &report["steps"][0]["requests"]), (&33.into(), &7.into()));
    let csv = std::fs::read_to_string(tenant.path("all.csv")).unwrap();
    assert_eq!((csv.lines().count(), addresses(&csv).len()), (34, 33));
    let pages = tenant.recorded("Get-Mailbox");
    assert_eq!(pages.len(), 7);
    assert!(pages.iter().all(|page| page["headers"]["prefer"] == "odata.maxpagesize=5"), "{pages:?}");
    tenant.assert_all_closed();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_link_restarts_the_listing_once_and_nothing_is_twice() {
    let tenant = Tenant::with(33, &["badpage:cmdlet=Get-Mailbox:nth=4"]).await;
    let (run, report) = tenant.reported(&tenant.job("", LISTING), &["--page-size", "5"]).await;
    run.assert_code(0);
    assert_eq!((&report["steps"][0]["items"], &report["steps"][0]["requests"]), (&33.into(), &11.into()));
    let csv = std::fs::read_to_string(tenant.path("all.csv")).unwrap();
    assert_eq!(
        (csv.lines().count(), addresses(&csv).len()),
        (34, 33),
        "no mailbox is missing or there twice"
    );
    assert!(run.stderr.contains("listing again from the start"), "{}", run.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn links_that_keep_expiring_fail_the_run_and_nothing_partial_is_used() {
    let faults = ["badpage:cmdlet=Get-Mailbox:nth=4", "badpage:cmdlet=Get-Mailbox:nth=7"];
    let tenant = Tenant::with(33, &faults).await;
    std::fs::write(tenant.path("all.csv"), "of yesterday").unwrap();
    let run = tenant.run(&tenant.job("", LISTING), &["--page-size", "5"]).await;
    run.assert_code(1);
    assert!(run.stdout.contains("pagination request"), "{}", run.stdout);
    assert_eq!(std::fs::read_to_string(tenant.path("all.csv")).unwrap(), "of yesterday");
    tenant.assert_all_closed();

    // A loop over such a listing does not begin.
    let tenant =
        Tenant::with(60, &["badpage:cmdlet=Get-Mailbox:nth=2", "badpage:cmdlet=Get-Mailbox:nth=4"]).await;
    let run = tenant.run(&shipped(HARDENING), &["--page-size", "5"]).await;
    run.assert_code(1);
    assert_eq!(requests(&tenant.emulator.counters(), "Get-CASMailbox"), 0);
}
