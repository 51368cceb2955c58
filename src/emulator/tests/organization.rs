//! The tenant's settings and its mail flow. Source: protocol reference, 6.3.

use super::*;

/// The one object that a read shows.
async fn one(bench: &Bench, cmdlet: &str, identity: &str) -> Value {
    let read = bench.call(cmdlet, json!({"Identity": identity})).await;
    assert_eq!(read["value"].as_array().map(Vec::len), Some(1), "{cmdlet} {identity}: {read}");
    read["value"][0].clone()
}

#[tokio::test]
async fn a_transport_rule_is_made_toggled_and_removed() {
    let bench = start(Options::default()).await;
    let mailbox = bench.call("Get-Mailbox", json!({"ResultSize": 1})).await["value"][0].clone();
    let new = json!({
        "Name": "Block invoices", "FromScope": "notinorganization", "SubjectContainsWords": ["invoice"],
        "ExceptIfSentTo": [mailbox["Guid"]], "RejectMessageReasonText": "No.", "Enabled": false, "Confirm": false,
    });
    let made = bench.call("New-TransportRule", new.clone()).await["value"][0].clone();
    assert_eq!(
        (&made["State"], &made["Priority"], &made["Mode"]),
        (&json!("Disabled"), &json!(0), &json!("Enforce"))
    );
    let class = |name: &str| format!("Microsoft.Exchange.MessagingPolicies.Rules.Tasks.{name}");
    assert_eq!(
        made["Conditions"],
        json!([class("FromScopePredicate"), class("SubjectContainsWordsPredicate")])
    );
    assert_eq!(made["Exceptions"], json!([class("SentToPredicate")]));
    assert_eq!(made["Actions"], json!([class("RejectMessageReasonTextAction")]));
    assert_eq!(
        (&made["FromScope"], &made["SubjectContainsWords"]),
        (&json!("NotInOrganization"), &json!(["invoice"]))
    );
    assert_eq!(
        made["ExceptIfSentTo"],
        json!([mailbox["PrimarySmtpAddress"]]),
        "recipients come back as addresses"
    );
    assert!(made.get("Enabled").is_none(), "a rule has a State");

    bench.call("Enable-TransportRule", json!({"Identity": made["Guid"], "Confirm": false})).await;
    assert_eq!(one(&bench, "Get-TransportRule", "block INVOICES").await["State"], "Enabled");
    let failure =
        bench.fails("Set-TransportRule", json!({"Identity": "Block invoices", "Enabled": false})).await;
    assert!(failure.0 == 400 && failure.1.contains("'Enabled'"), "Set cannot toggle: {failure:?}");
    bench
        .call("Set-TransportRule", json!({"Identity": "Block invoices", "Comments": "x", "FromScope": null}))
        .await;
    let read = one(&bench, "Get-TransportRule", "Block invoices").await;
    assert_eq!(read["Conditions"], json!([class("SubjectContainsWordsPredicate")]));
    assert_ne!(read["WhenChangedUTC"], Value::Null);

    let failure = bench.fails("New-TransportRule", new).await;
    assert!(failure.0 == 400 && failure.1.contains("ADObjectAlreadyExistsException"), "{failure:?}");
    let failure = bench.fails("New-TransportRule", json!({"Name": "Two", "FromScope": "Nowhere"})).await;
    assert!(failure.0 == 400 && failure.1.contains("NotInOrganization"), "{failure:?}");
    bench.call("Disable-TransportRule", json!({"Identity": "Block invoices", "Confirm": false})).await;
    bench.call("Remove-TransportRule", json!({"Identity": "Block invoices", "Confirm": false})).await;
    assert_eq!(bench.fails("Get-TransportRule", json!({"Identity": "Block invoices"})).await.0, 404);
}

#[tokio::test]
async fn rules_keep_their_order_when_one_is_put_between_them() {
    let bench = start(Options::default()).await;
    for (name, priority) in [("a", None), ("b", None), ("c", Some(0)), ("d", Some(1))] {
        let mut new = json!({"Name": name, "PrependSubject": "x"});
        if let Some(priority) = priority {
            new["Priority"] = json!(priority);
        }
        bench.call("New-TransportRule", new).await;
    }
    let order = || async {
        let rules = bench.call("Get-TransportRule", json!({})).await;
        let rules = rules["value"].as_array().unwrap().clone();
        let mut order: Vec<(u64, String)> = rules
            .iter()
            .map(|rule| (rule["Priority"].as_u64().unwrap(), rule["Name"].as_str().unwrap().to_owned()))
            .collect();
        order.sort();
        assert!(order.iter().map(|(priority, _)| *priority).eq(0..order.len() as u64), "{order:?}");
        order.into_iter().map(|(_, name)| name).collect::<String>()
    };
    assert_eq!(order().await, "cdab");
    bench.call("Set-TransportRule", json!({"Identity": "b", "Priority": 0})).await;
    assert_eq!(order().await, "bcda");
    bench.call("Remove-TransportRule", json!({"Identity": "c"})).await;
    assert_eq!(order().await, "bda");
}

#[tokio::test]
async fn connectors_and_remote_domains_look_as_the_service_shows_them() {
    let bench = start(Options::default()).await;
    let new =
        json!({"Name": "In", "SenderDomains": ["*", "smtp:fabrikam.example;5"], "ConnectorType": "partner"});
    let made = bench.call("New-InboundConnector", new).await["value"][0].clone();
    assert_eq!(made["SenderDomains"], json!(["smtp:*;1", "smtp:fabrikam.example;5"]));
    assert_eq!((&made["ConnectorType"], &made["Enabled"]), (&json!("Partner"), &json!(true)));
    let add = json!({"@odata.type": "#Exchange.GenericHashTable", "add": ["contoso.example"]});
    bench
        .call("Set-InboundConnector", json!({"Identity": "In", "SenderDomains": add, "RequireTls": true}))
        .await;
    let read = one(&bench, "Get-InboundConnector", "In").await;
    assert_eq!(read["SenderDomains"].as_array().map(Vec::len), Some(3));
    assert_eq!(
        (&read["SenderDomains"][2], &read["RequireTls"]),
        (&json!("smtp:contoso.example;1"), &json!(true))
    );
    let failure =
        bench.fails("Set-InboundConnector", json!({"Identity": "In", "ConnectorType": "Friend"})).await;
    assert!(failure.0 == 400 && failure.1.contains("OnPremises"), "{failure:?}");

    bench.call("New-OutboundConnector", json!({"Name": "Out"})).await;
    bench.call("New-OutboundConnector", json!({"Name": "Test", "TestMode": true})).await;
    let shown = bench.call("Get-OutboundConnector", json!({})).await;
    assert_eq!(shown["value"].as_array().map(Vec::len), Some(1), "the one of the test mode is hidden");
    let shown = bench.call("Get-OutboundConnector", json!({"IncludeTestModeConnectors": true})).await;
    assert_eq!(shown["value"].as_array().map(Vec::len), Some(2));

    assert_eq!(one(&bench, "Get-RemoteDomain", "default").await["DomainName"], "*");
    let failure = bench.fails("New-RemoteDomain", json!({"Name": "Fabrikam"})).await;
    assert!(failure.0 == 400 && failure.1.contains("DomainName"), "{failure:?}");
    bench.call("New-RemoteDomain", json!({"Name": "Fabrikam", "DomainName": "fabrikam.example"})).await;
    let failure = bench.fails("New-RemoteDomain", json!({"Name": "Other", "AllowedOOFType": "None"})).await;
    assert!(failure.0 == 400, "what only Set has, New has not: {failure:?}");
    bench
        .call(
            "Set-RemoteDomain",
            json!({"Identity": "fabrikam.example", "AllowedOOFType": "none", "TNEFEnabled": false}),
        )
        .await;
    let read = one(&bench, "Get-RemoteDomain", "Fabrikam").await;
    assert_eq!((&read["AllowedOOFType"], &read["TNEFEnabled"]), (&json!("None"), &json!(false)));
    assert_eq!(bench.fails("Remove-RemoteDomain", json!({"Identity": "Default"})).await.0, 400);
}

#[tokio::test]
async fn settings_that_need_no_name_are_one_object() {
    let bench = start(Options::default()).await;
    bench
        .call(
            "Set-OrganizationConfig",
            json!({"AutoExpandingArchive": true, "EwsEnabled": false, "FocusedInboxOn": true}),
        )
        .await;
    bench.call("Set-OrganizationConfig", json!({"AutoExpandingArchive": false, "EwsEnabled": null})).await;
    let read = bench.call("Get-OrganizationConfig", json!({})).await["value"][0].clone();
    assert_eq!(read["AutoExpandingArchiveEnabled"], true, "a switch that cannot be taken back");
    assert_eq!((&read["EwsEnabled"], &read["FocusedInboxOn"]), (&Value::Null, &json!(true)));
    assert_eq!(read["Identity"], "contoso.onmicrosoft.com");
    assert!(read.get("AutoExpandingArchive").is_none());
    bench
        .call(
            "Set-TransportConfig",
            json!({"MessageExpiration": "2.00:00:00", "HeaderPromotionModeSetting": "maycreate"}),
        )
        .await;
    let read = bench.call("Get-TransportConfig", json!({})).await["value"][0].clone();
    assert_eq!(read["MessageExpiration"], "2.00:00:00");
    assert_eq!(read["HeaderPromotionModeSetting"], "MayCreate");

    let allowed =
        || async { bench.call("Get-ExternalInOutlook", json!({})).await["value"][0]["AllowList"].clone() };
    assert_eq!(allowed().await, json!([""]));
    bench.call("Set-ExternalInOutlook", json!({"Enabled": true, "AllowList": ["fabrikam.example"]})).await;
    assert_eq!(allowed().await, json!(["fabrikam.example"]));
    bench.call("Set-ExternalInOutlook", json!({"AllowList": null})).await;
    assert_eq!(allowed().await, json!([""]), "an empty list has one empty item");
}

#[tokio::test]
async fn an_authentication_policy_is_set_by_switches_and_read_as_booleans() {
    let bench = start(Options::default()).await;
    bench.call("New-AuthenticationPolicy", json!({"Name": "No basic", "AllowBasicAuthPop": true})).await;
    bench
        .call(
            "Set-AuthenticationPolicy",
            json!({"Identity": "No basic", "AllowBasicAuthImap": true, "AllowBasicAuthPop": false}),
        )
        .await;
    let read = one(&bench, "Get-AuthenticationPolicy", "No basic").await;
    assert_eq!((&read["AllowBasicAuthImap"], &read["AllowBasicAuthPop"]), (&json!(true), &json!(false)));
}

#[tokio::test]
async fn a_tenant_that_was_not_customized_refuses_policies_until_it_is() {
    let bench = start(Options { dehydrated: true, ..Options::default() }).await;
    let calls = [
        (
            "Set-OwaMailboxPolicy",
            json!({"Identity": "OwaMailboxPolicy-Default", "ConditionalAccessPolicy": "ReadOnly"}),
        ),
        (
            "New-SharingPolicy",
            json!({"Name": "Partners", "Domains": ["fabrikam.example:CalendarSharingFreeBusySimple"]}),
        ),
        ("New-RoleAssignmentPolicy", json!({"Name": "Few", "Roles": ["MyBaseOptions"]})),
    ];
    for (cmdlet, parameters) in &calls {
        let failure = bench.fails(cmdlet, parameters.clone()).await;
        assert!(
            failure.0 == 400 && failure.1.contains("Enable-OrganizationCustomization"),
            "{cmdlet}: {failure:?}"
        );
    }
    // This one wants an anchor of its own. Source: protocol reference, 3.3.
    let audit = || async {
        let set = json!({"CmdletName": "Set-AdminAuditLogConfig", "Parameters": {"UnifiedAuditLogIngestionEnabled": false}});
        let anchor = "UPN:SystemMailbox{8cc370d3-822a-4ab8-a926-bb94bd0641a9}@contoso.onmicrosoft.com";
        let request =
            bench.client.post(bench.url()).bearer_auth(&bench.token).header("X-AnchorMailbox", anchor);
        request.json(&json!({"CmdletInput": set})).send().await.unwrap().status()
    };
    assert_eq!(audit().await, 400);
    bench.call("Enable-OrganizationCustomization", json!({"Confirm": false})).await;
    assert_eq!(audit().await, 200);
    for (cmdlet, parameters) in calls {
        bench.call(cmdlet, parameters).await;
    }
    assert_eq!(bench.fails("Enable-OrganizationCustomization", json!({})).await.0, 400, "once");
    let audit = bench.call("Get-AdminAuditLogConfig", json!({})).await["value"][0].clone();
    assert_eq!(audit["UnifiedAuditLogIngestionEnabled"], false);
    assert_eq!(
        one(&bench, "Get-RoleAssignmentPolicy", "Few").await["AssignedRoles"],
        json!(["MyBaseOptions"])
    );
    let domains = json!({"Identity": "Partners", "Domains": ["fabrikam.example"]});
    assert_eq!(bench.fails("Set-SharingPolicy", domains).await.0, 400, "a domain without actions");
}

#[tokio::test]
async fn journal_rules_and_phones_are_read() {
    let bench = start(Options::default()).await;
    let new = json!({"Name": "All", "JournalEmailAddress": "journal@fabrikam.example", "Scope": "Global", "Enabled": true});
    bench.call("New-JournalRule", new).await;
    bench.call("Disable-JournalRule", json!({"Identity": "All"})).await;
    assert_eq!(one(&bench, "Get-JournalRule", "All").await["Enabled"], false);
    let phones = bench.call("Get-MobileDevice", json!({})).await;
    assert_eq!(phones["value"].as_array().map(Vec::len), Some(17), "every third of fifty");
    let first = bench.call("Get-Mailbox", json!({"ResultSize": 1})).await["value"][0]["Guid"].clone();
    let own = bench.call("Get-MobileDevice", json!({"Mailbox": first})).await;
    assert_eq!(own["value"].as_array().map(Vec::len), Some(1));
    let system = own["value"][0]["DeviceOS"].clone();
    let filtered = bench
        .call("Get-MobileDevice", json!({"Filter": format!("DeviceOS -ne '{}'", system.as_str().unwrap())}))
        .await;
    assert!(filtered["value"].as_array().unwrap().iter().all(|phone| phone["DeviceOS"] != system));
}

#[tokio::test]
async fn shelves_are_shown_page_by_page_and_only_to_their_size() {
    let bench = start(Options::default()).await;
    for number in 0..7 {
        bench
            .call(
                "New-JournalRule",
                json!({"Name": format!("r{number}"), "JournalEmailAddress": "j@fabrikam.example"}),
            )
            .await;
    }
    bench.call("Remove-JournalRule", json!({"Identity": "r2"})).await;
    let everything = json!({});
    let page = |url: String| {
        let request =
            bench.request(&url, "Get-JournalRule", &everything).header("Prefer", "odata.maxpagesize=4");
        async move { request.send().await.unwrap() }
    };
    let first = page(bench.url()).await;
    let cookie = first.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let first: Value = first.json().await.unwrap();
    assert_eq!(first["value"].as_array().map(Vec::len), Some(4));
    let link = first["@odata.nextLink"].as_str().unwrap().to_owned();
    let second = bench.request(&link, "Get-JournalRule", &everything).header("Cookie", cookie);
    let second: Value =
        second.header("Prefer", "odata.maxpagesize=4").send().await.unwrap().json().await.unwrap();
    let names: Vec<&Value> = first["value"]
        .as_array()
        .unwrap()
        .iter()
        .chain(second["value"].as_array().unwrap())
        .map(|r| &r["Name"])
        .collect();
    assert_eq!(json!(names), json!(["r0", "r1", "r3", "r4", "r5", "r6"]));
    assert!(second.get("@odata.nextLink").is_none());
    let failure = bench.fails("Get-JournalRule", json!({"Filter": "x"})).await;
    assert_eq!(failure.0, 400, "Get-JournalRule has no Filter");
}

#[tokio::test]
async fn new_objects_are_not_found_until_they_are_replicated() {
    let bench = start(Options { replication: Duration::from_secs(2), ..Options::default() }).await;
    bench.call("New-JournalRule", json!({"Name": "Late", "JournalEmailAddress": "j@fabrikam.example"})).await;
    assert_eq!(bench.fails("Get-JournalRule", json!({"Identity": "Late"})).await.0, 404);
    Options::default().clocks.sleep(Duration::from_millis(2050)).await;
    let read = bench.call("Get-JournalRule", json!({"Identity": "Late"})).await;
    assert_eq!(read["value"][0]["Name"], "Late");
}
