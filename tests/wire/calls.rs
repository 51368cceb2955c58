//! The calls whose requests are snapshots: each row of the protocol reference's 3.4, each anchor of 3.3, each cmdlet of
//! 4.1, and the confirmations of 3.5.

use exorun::catalog::Service;
use exorun::exchange::anchor::{Caller, routed};
use serde_json::{Value, json};

use super::wire::{Asking, DOMAIN, TENANT_ID};

fn call(name: &'static str, cmdlet: &'static str, parameters: Value) -> (&'static str, Asking) {
    (name, Asking::new(cmdlet, parameters))
}

pub(crate) fn values() -> Vec<(&'static str, Asking)> {
    vec![
        call("no parameters", "Get-OrganizationConfig", json!({})),
        call(
            "null clears",
            "Set-Mailbox",
            json!({"Identity": "a@contoso.example", "ForwardingSmtpAddress": null}),
        ),
        call("a switch", "New-Mailbox", json!({"Name": "Shared One", "Shared": true})),
        call("a boolean", "Set-CASMailbox", json!({"Identity": "a@contoso.example", "PopEnabled": false})),
        call("a boolean of an expression", "Set-CASMailbox", json!({"Identity": "a", "PopEnabled": "True"})),
        call("an int", "Set-HostedContentFilterPolicy", json!({"Identity": "Default", "BulkThreshold": 6})),
        call(
            "an int of an expression",
            "Set-HostedContentFilterPolicy",
            json!({"Identity": "Default", "BulkThreshold": "6"}),
        ),
        call(
            "a uint",
            "Set-HostedOutboundSpamFilterPolicy",
            json!({"Identity": "Default", "RecipientLimitPerDay": 1000}),
        ),
        call(
            "a string",
            "Set-Mailbox",
            json!({"Identity": "a", "DisplayName": "Zo\u{eb} \"Z\" \u{1f600}\n"}),
        ),
        call("a number where text belongs", "Set-Mailbox", json!({"Identity": "a", "CustomAttribute1": 12})),
        call("a word of a set", "Set-Mailbox", json!({"Identity": "a", "Type": "Shared"})),
        call("an identity", "Get-Recipient", json!({"Identity": "8cc370d3-822a-4ab8-a926-bb94bd0641a9"})),
        call("a count", "Get-Recipient", json!({"ResultSize": 500})),
        call("an unlimited count", "Get-Recipient", json!({"ResultSize": "Unlimited"})),
        call(
            "a size",
            "Set-Mailbox",
            json!({"Identity": "a", "ProhibitSendQuota": "50GB", "MaxSendSize": "Unlimited"}),
        ),
        call(
            "a list of texts",
            "Set-TransportRule",
            json!({"Identity": "r", "SubjectContainsWords": ["one", "two"]}),
        ),
        call(
            "a list that replaces",
            "Set-Mailbox",
            json!({"Identity": "a", "EmailAddresses": ["SMTP:a@contoso.example", "smtp:b@contoso.example"]}),
        ),
        call(
            "a list that is edited",
            "Set-Mailbox",
            json!({"Identity": "a", "EmailAddresses": {"add": ["smtp:b@contoso.example"], "remove": ["smtp:c@contoso.example"]}}),
        ),
        call(
            "one entry, keys in other case",
            "Set-Mailbox",
            json!({"Identity": "a", "EmailAddresses": {"Add": "smtp:b@contoso.example"}}),
        ),
        call(
            "another delta type",
            "Set-Mailbox",
            json!({"Identity": "a", "EmailAddresses": {"@odata.type": "#Exchange.StringFieldDeltaUpdateData", "Add": ["smtp:b@contoso.example"], "Remove": []}}),
        ),
        call(
            "an emptied list",
            "Set-HostedContentFilterPolicy",
            json!({"Identity": "Default", "AllowedSenderDomains": []}),
        ),
        call("an emptied condition", "Set-TransportRule", json!({"Identity": "r", "From": []})),
        call(
            "an empty list of a new object",
            "New-SafeLinksPolicy",
            json!({"Name": "p", "DoNotRewriteUrls": []}),
        ),
        call(
            "a hash table in another",
            "New-AdaptiveScope",
            json!({"Name": "s", "LocationType": "User", "FilterConditions": {"Conjunction": "And", "Conditions": {"Value": "Oslo", "Operator": "Equals", "Name": "City"}}}),
        ),
        call(
            "a list of hash tables",
            "New-DlpComplianceRule",
            json!({"Name": "r", "Policy": "p", "ContentContainsSensitiveInformation": [{"operator": "And", "groups": [{"name": "g", "sensitivetypes": [{"name": "IBAN", "mincount": "1"}]}], "more": {"a": true}}]}),
        ),
        call("bytes", "New-ClassificationRuleCollection", json!({"FileData": {"@bytes": "AAH/Lw=="}})),
        call(
            "a list of bytes",
            "Set-Mailbox",
            json!({"Identity": "a", "NewerThanTheCatalog": [{"@bytes": "AAE="}, {"@bytes": "/w=="}]}),
        ),
        call(
            "a date with an offset",
            "Set-Mailbox",
            json!({"Identity": "a", "EndDateForRetentionHold": "2026-01-31T08:00:00+09:00"}),
        ),
        call(
            "a date of the service",
            "Set-Mailbox",
            json!({"Identity": "a", "EndDateForRetentionHold": "2026-01-31T08:00:00.1234567Z"}),
        ),
        call("a time span", "Set-Mailbox", json!({"Identity": "a", "RetainDeletedItemsFor": "30.00:00:00"})),
        call(
            "a culture",
            "Set-MailboxRegionalConfiguration",
            json!({"Identity": "a@contoso.example", "Language": "de-DE"}),
        ),
        call(
            "addresses of hosts",
            "Set-HostedConnectionFilterPolicy",
            json!({"Identity": "Default", "IPAllowList": ["192.0.2.10", "192.0.2.0/24"]}),
        ),
        call(
            "common parameters",
            "Set-Mailbox",
            json!({"Identity": "a", "ErrorAction": "Stop", "Verbose": true, "OutBuffer": 5}),
        ),
        call("a filter", "Get-Mailbox", json!({"Filter": "HiddenFromAddressListsEnabled -eq $true"})),
        call(
            "a recipient filter",
            "New-DynamicDistributionGroup",
            json!({"Name": "g", "RecipientFilter": "A -eq $False -and B -eq $TRUE"}),
        ),
        call("a preview filter", "Get-Recipient", json!({"RecipientPreviewFilter": "A -eq $true"})),
        call("a selection", "Get-Mailbox", json!({"Identity": "a"}))
            .selecting(&["Guid", "PrimarySmtpAddress"]),
    ]
}

trait Selecting {
    fn selecting(self, names: &[&str]) -> Self;
}

impl Selecting for (&'static str, Asking) {
    fn selecting(self, names: &[&str]) -> Self {
        (self.0, self.1.select(names))
    }
}

pub(crate) fn anchors() -> Vec<(&'static str, Asking)> {
    let read = || Asking::new("Get-AcceptedDomain", json!({}));
    let by = |service: Service, caller: Caller<'_>| Some(routed(service, caller, TENANT_ID, DOMAIN).unwrap());
    let (exchange, compliance) = (Service::ExchangeOnline, Service::SecurityCompliance);
    let mailbox = "anna@contoso.example";
    vec![
        ("a person", read().anchored(by(exchange, Caller::Person("admin@contoso.example")))),
        ("a person of a partner", read().anchored(by(exchange, Caller::Partner))),
        ("an application", read().anchored(by(exchange, Caller::Application))),
        ("an application as a user", read().anchored(by(exchange, Caller::OAuthUser))),
        ("only the tenant", read().anchored(by(exchange, Caller::Tenant))),
        ("no hint", read().anchored(None)),
        (
            "an application in Security & Compliance",
            Asking::new("Get-ComplianceSearch", json!({})).anchored(by(compliance, Caller::Application)),
        ),
        (
            "a partner in Security & Compliance",
            Asking::new("Get-ComplianceSearch", json!({})).anchored(by(compliance, Caller::Partner)),
        ),
        (
            "a person in Security & Compliance",
            Asking::new("Get-ComplianceSearch", json!({}))
                .anchored(by(compliance, Caller::Person("admin@contoso.example"))),
        ),
        call("audit settings", "Set-AdminAuditLogConfig", json!({"UnifiedAuditLogIngestionEnabled": true})),
        call(
            "routed by address",
            "Get-MailboxStatistics",
            json!({"Identity": mailbox, "UseCustomRouting": true}),
        ),
        call(
            "routed by id",
            "Get-MailboxPermission",
            json!({"Identity": "8cc370d3-822a-4ab8-a926-bb94bd0641a9", "UseCustomRouting": true}),
        ),
        call(
            "routed by the mailbox of a rule",
            "Get-InboxRule",
            json!({"Identity": "rule 7", "Mailbox": mailbox, "UseCustomRouting": true}),
        ),
        call(
            "routed by the mailbox of a folder",
            "Get-MailboxFolderPermission",
            json!({"Identity": "anna@contoso.example:\\Calendar", "UseCustomRouting": true}),
        ),
        call(
            "a write that is routed",
            "Set-Clutter",
            json!({"Identity": mailbox, "Enable": false, "UseCustomRouting": true}),
        ),
        call("not routed", "Get-MailboxStatistics", json!({"Identity": mailbox, "UseCustomRouting": false})),
    ]
}

pub(crate) fn confirm() -> Vec<(&'static str, Asking)> {
    vec![
        call("high impact", "Remove-Mailbox", json!({"Identity": "a"})),
        call(
            "medium impact",
            "Set-AcceptedDomain",
            json!({"Identity": "contoso.example", "DomainType": "Authoritative"}),
        ),
        call("high impact without Remove", "Disable-TransportRule", json!({"Identity": "r"})),
        call(
            "nothing to confirm",
            "Start-HistoricalSearch",
            json!({"ReportTitle": "t", "ReportType": "MessageTrace", "StartDate": "2026-01-01", "EndDate": "2026-01-02"}),
        ),
        call("what if", "Remove-Mailbox", json!({"Identity": "a", "WhatIf": true})),
        call("a confirmation that is asked for", "Remove-Mailbox", json!({"Identity": "a", "Confirm": true})),
        call("newer than the catalog", "Set-NewerThing", json!({"Identity": "a", "Enabled": true})),
    ]
}

pub(crate) fn exo() -> Vec<(&'static str, Asking)> {
    let of = |cmdlet| call(cmdlet, cmdlet, json!({"Identity": "anna@contoso.example"}));
    vec![
        call(
            "Get-EXOMailbox",
            "Get-EXOMailbox",
            json!({"ResultSize": "Unlimited", "PropertySets": "Quota", "Properties": ["ForwardingAddress"]}),
        )
        .selecting(&["Alias"]),
        of("Get-EXOCasMailbox"),
        of("Get-EXORecipient"),
        of("Get-EXORecipientPermission"),
        of("Get-EXOMailboxPermission"),
        of("Get-EXOMailboxStatistics"),
        of("Get-EXOMailboxFolderStatistics"),
        of("Get-EXOMailboxFolderPermission"),
        of("Get-EXOMobileDeviceStatistics"),
    ]
}

/// Reads of several objects, made together.
pub(crate) fn together() -> Vec<Asking> {
    let of = |identity: &str| json!({ "Identity": identity });
    vec![
        Asking::new("Get-CASMailbox", of("anna@contoso.example")).select(&["Identity", "PopEnabled"]),
        Asking::new("Get-CASMailbox", of("ben@contoso.example")).select(&["Identity", "PopEnabled"]),
        Asking::new("Get-EXOMailbox", json!({"Identity": "carl@contoso.example"})),
        Asking::new("Get-Recipient", json!({"ResultSize": "5"})),
    ]
}
