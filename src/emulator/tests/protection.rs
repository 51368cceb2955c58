//! Protection, quarantine and retention. Source: protocol reference, 6.4.

use super::*;

#[tokio::test]
async fn each_policy_has_a_default_and_each_rule_needs_a_policy() {
    let bench = start(Options::default()).await;
    for kind in [
        "AntiPhish",
        "SafeLinks",
        "SafeAttachment",
        "HostedContentFilter",
        "HostedOutboundSpamFilter",
        "MalwareFilter",
    ] {
        let (policy, rule) = (format!("{kind}Policy"), format!("{kind}Rule"));
        let defaults = bench.call(&format!("Get-{policy}"), json!({})).await;
        let default = defaults["value"][0]["Identity"].clone();
        assert_eq!(
            bench.fails(&format!("Remove-{policy}"), json!({"Identity": default})).await.0,
            400,
            "{policy}"
        );
        let new_rule = |of: &Value| {
            let mut new = json!({"Name": "Strict rule", "Enabled": false, "Comments": "c"});
            new[policy.as_str()] = of.clone();
            new[if kind == "HostedOutboundSpamFilter" { "SenderDomainIs" } else { "RecipientDomainIs" }] =
                json!(["contoso.example"]);
            new
        };
        let new = format!("New-{rule}");
        assert_eq!(
            bench.fails(&new, new_rule(&json!("Strict"))).await.0,
            404,
            "the policy must be there first"
        );
        assert_eq!(bench.fails(&new, new_rule(&default)).await.0, 400, "a default policy has no rule");
        bench.call(&format!("New-{policy}"), json!({"Name": "Strict"})).await;
        let made = bench.call(&new, new_rule(&json!("strict"))).await["value"][0].clone();
        assert_eq!(
            (&made["State"], &made[policy.as_str()]),
            (&json!("Disabled"), &json!("Strict")),
            "{rule}"
        );
        bench.call(&format!("Enable-{rule}"), json!({"Identity": "Strict rule", "Confirm": false})).await;
        let read = bench.call(&format!("Get-{rule}"), json!({"State": "Enabled"})).await;
        assert_eq!(read["value"][0]["Name"], "Strict rule");
        let again = bench.call(&format!("Enable-{rule}"), json!({"Identity": "Strict rule"})).await;
        assert!(again["@adminapi.warnings"][0].as_str().unwrap().contains("no settings of"));
        let failure =
            bench.fails(&format!("Set-{rule}"), json!({"Identity": "Strict rule", "Enabled": false})).await;
        assert!(failure.0 == 400 && failure.1.contains("'Enabled'"), "{rule}: {failure:?}");
        bench.call(&format!("Remove-{rule}"), json!({"Identity": "Strict rule", "Confirm": false})).await;
        assert_eq!(bench.call(&format!("Get-{rule}"), json!({})).await["value"], json!([]));
    }
}

#[tokio::test]
async fn values_of_policies_come_back_in_their_own_forms() {
    let bench = start(Options::default()).await;
    let add = |items: Value| json!({"@odata.type": "#Exchange.GenericHashTable", "add": items});
    let policy = json!({"Identity": "Default", "AllowedSenders": add(json!(["A@fabrikam.example", "b@fabrikam.example"]))});
    bench.call("Set-HostedContentFilterPolicy", policy).await;
    let read = bench.call("Get-HostedContentFilterPolicy", json!({"Identity": "Default"})).await;
    assert_eq!(read["value"][0]["AllowedSenders"][1]["Sender"]["Address"], "b@fabrikam.example");
    let remove = json!({"@odata.type": "#Exchange.GenericHashTable", "remove": "a@fabrikam.example"});
    bench
        .call("Set-HostedContentFilterPolicy", json!({"Identity": "Default", "AllowedSenders": remove}))
        .await;
    let read =
        bench.call("Get-HostedContentFilterPolicy", json!({})).await["value"][0]["AllowedSenders"].clone();
    assert_eq!(read, json!([{"Sender": {"Address": "b@fabrikam.example"}}]));
    let failure = bench
        .fails("Set-HostedContentFilterPolicy", json!({"Identity": "Default", "SpamAction": "Eat"}))
        .await;
    assert!(failure.0 == 400 && failure.1.contains("MoveToJmf"), "{failure:?}");

    bench
        .call("New-SafeAttachmentPolicy", json!({"Name": "P", "Enable": true, "Action": "DynamicDelivery"}))
        .await;
    let failure = bench.fails("Set-SafeAttachmentPolicy", json!({"Identity": "P", "Enabled": false})).await;
    assert!(failure.0 == 400 && failure.1.contains("'Enabled'"), "it is Enable: {failure:?}");
    let new = json!({"Name": "Q", "EndUserQuarantinePermissionsValue": 27, "ESNEnabled": true});
    let made =
        bench.call("New-QuarantinePolicy", new).await["value"][0]["EndUserQuarantinePermissions"].clone();
    let text = made.as_str().unwrap();
    assert!(
        text.contains("PermissionToRequestRelease: True") && text.contains("PermissionToRelease: False"),
        "{text}"
    );
    let failure = bench.fails("Remove-QuarantinePolicy", json!({"Identity": "Q", "Confirm": false})).await;
    assert!(failure.1.contains("'Confirm'"), "it does not ask: {failure:?}");
    bench.call("Remove-QuarantinePolicy", json!({"Identity": "Q"})).await;

    let users = json!({"Identity": "Office365 AntiPhish Default", "TargetedUsersToProtect": ["Chief;chief@contoso.example"]});
    bench.call("Set-AntiPhishPolicy", users).await;
    let users = json!({"Identity": "Office365 AntiPhish Default", "TargetedUsersToProtect": ["chief@contoso.example"]});
    assert_eq!(bench.fails("Set-AntiPhishPolicy", users).await.0, 400, "a name goes before the address");
    bench.call("Set-AtpPolicyForO365", json!({"EnableSafeDocs": true})).await;
    assert_eq!(bench.call("Get-AtpPolicyForO365", json!({})).await["value"][0]["EnableSafeDocs"], true);
    let list = json!({"Identity": "Default", "IPAllowList": ["192.0.2.1"]});
    bench.call("Set-HostedConnectionFilterPolicy", list).await;
    let read = bench.call("Get-HostedConnectionFilterPolicy", json!({})).await;
    assert_eq!(read["value"][0]["IPAllowList"], json!(["192.0.2.1"]));
}

#[tokio::test]
async fn impersonation_needs_a_licence() {
    let set = |level| json!({"Identity": "Office365 AntiPhish Default", "PhishThresholdLevel": level});
    let bench = start(Options::default()).await;
    bench.call("Set-AntiPhishPolicy", set(4)).await;
    assert_eq!(bench.fails("Set-AntiPhishPolicy", set(5)).await.0, 400);
    let bench = start(Options { defender: false, ..Options::default() }).await;
    let failure = bench.fails("Set-AntiPhishPolicy", set(4)).await;
    assert!(failure.0 == 400 && failure.1.contains("'PhishThresholdLevel'"), "{failure:?}");
    bench
        .call(
            "Set-AntiPhishPolicy",
            json!({"Identity": "Office365 AntiPhish Default", "HonorDmarcPolicy": false}),
        )
        .await;
}

#[tokio::test]
async fn retention_ages_are_time_spans_and_links_are_names() {
    let bench = start(Options::default()).await;
    let tag = json!({"Name": "Old", "Type": "Inbox", "AgeLimitForRetention": 730, "RetentionAction": "DeleteAndAllowRecovery"});
    let made = bench.call("New-RetentionPolicyTag", tag).await["value"][0].clone();
    assert_eq!(made["AgeLimitForRetention"], "730.00:00:00");
    bench
        .call("Set-RetentionPolicyTag", json!({"Identity": "Old", "AgeLimitForRetention": "90.00:00:00"}))
        .await;
    let failure = bench.fails("Set-RetentionPolicyTag", json!({"Identity": "Old", "Type": "All"})).await;
    assert!(failure.0 == 400 && failure.1.contains("'Type'"), "a tag keeps its type: {failure:?}");
    let moves = json!({"Identity": "Old", "RetentionAction": "MoveToArchive"});
    assert_eq!(bench.fails("Set-RetentionPolicyTag", moves).await.0, 400, "an inbox is not moved");
    let links = json!({"Name": "Policy", "RetentionPolicyTagLinks": [made["Guid"], "deleted items"]});
    let made = bench.call("New-RetentionPolicy", links).await["value"][0].clone();
    assert_eq!(made["RetentionPolicyTagLinks"], json!(["Old", "Deleted Items"]));
    let unknown = json!({"Identity": "Policy", "RetentionPolicyTagLinks": ["No such tag"]});
    assert_eq!(bench.fails("Set-RetentionPolicy", unknown).await.0, 404);
}

#[tokio::test]
async fn signing_is_turned_on_only_with_keys_in_dns() {
    let bench = start(Options::default()).await;
    let on = |domain: &str| json!({"Identity": domain, "Enabled": true, "Confirm": false});
    let failure = bench.fails("Set-DkimSigningConfig", on("contoso.example")).await;
    assert!(
        failure.0 == 400
            && failure.1.contains("selector1-contoso-example._domainkey.contoso.onmicrosoft.com"),
        "{failure:?}"
    );
    let failure = bench
        .fails("New-DkimSigningConfig", json!({"DomainName": "sub.contoso.example", "Enabled": true}))
        .await;
    assert!(failure.0 == 400 && failure.1.contains("CNAME"), "{failure:?}");
    bench
        .call(
            "New-DkimSigningConfig",
            json!({"DomainName": "sub.contoso.example", "Enabled": false, "KeySize": 1024}),
        )
        .await;
    let read = bench.call("Get-DkimSigningConfig", json!({"Identity": "sub.contoso.example"})).await["value"]
        [0]
    .clone();
    assert_eq!((&read["Status"], &read["KeySize"]), (&json!("CnameMissing"), &json!(1024)));
    let initial = bench.call("Get-DkimSigningConfig", json!({"Identity": "contoso.onmicrosoft.com"})).await;
    assert_eq!(
        (&initial["value"][0]["Status"], &initial["value"][0]["Enabled"]),
        (&json!("Valid"), &json!(true))
    );
}

#[tokio::test]
async fn blocked_entries_are_normalised_and_found_by_value_or_id() {
    let bench = start(Options::default()).await;
    let new = json!({"ListType": "sender", "Entries": ["Bad@Bücher.Example", "spam.example"], "Block": true, "NoExpiration": true});
    let made = bench.call("New-TenantAllowBlockListItems", new.clone()).await["value"].clone();
    assert_eq!(made[0]["Value"], "bad@xn--bcher-kva.example");
    assert_eq!((&made[0]["Action"], &made[0]["ExpirationDate"]), (&json!("Block"), &Value::Null));
    assert_eq!(bench.fails("New-TenantAllowBlockListItems", new).await.0, 400, "once in a list");
    let set = json!({"ListType": "Sender", "Ids": [made[1]["Identity"]], "Notes": "n", "ExpirationDate": "2027-01-01T00:00:00"});
    bench.call("Set-TenantAllowBlockListItems", set).await;
    let read = bench
        .call("Get-TenantAllowBlockListItems", json!({"ListType": "Sender", "Entry": "SPAM.example"}))
        .await;
    assert_eq!(read["value"][0]["Notes"], "n");
    assert_eq!(read["value"][0]["ExpirationDate"], "2027-01-01T00:00:00.0000000+00:00");
    let urls = bench.call("Get-TenantAllowBlockListItems", json!({"ListType": "Url"})).await;
    assert_eq!(urls["value"], json!([]), "each list is its own");
    bench
        .call(
            "Remove-TenantAllowBlockListItems",
            json!({"ListType": "Sender", "Entries": ["bad@BÜCHER.example"]}),
        )
        .await;
    let rest =
        bench.call("Get-TenantAllowBlockListItems", json!({"ListType": "Sender", "Block": true})).await;
    assert_eq!(rest["value"].as_array().map(Vec::len), Some(1));
    for bad in [json!({}), json!({"ListType": "Phone"})] {
        assert_eq!(bench.fails("Get-TenantAllowBlockListItems", bad.clone()).await.0, 400, "{bad}");
    }
}

#[tokio::test]
async fn the_quarantine_is_paged_by_numbers_and_released_for_each_recipient() {
    let bench = start(Options::default()).await;
    let count = |answer: &Value| answer["value"].as_array().unwrap().len();
    let recent = bench.call("Get-QuarantineMessage", json!({})).await;
    assert_eq!(count(&recent), 16, "without dates the last 16 days");
    let since = json!({"StartReceivedDate": "2000-01-01T00:00:00"});
    assert_eq!(count(&bench.call("Get-QuarantineMessage", since.clone()).await), 25);
    let (mut seen, mut page) = (Vec::new(), 1);
    loop {
        assert!(page < 10, "it ends");
        let mut wanted = since.clone();
        (wanted["PageSize"], wanted["Page"]) = (json!(10), json!(page));
        let part = bench.call("Get-QuarantineMessage", wanted).await["value"].as_array().unwrap().clone();
        if part.is_empty() {
            break;
        }
        seen.extend(part);
        page += 1;
    }
    assert_eq!((seen.len(), page), (25, 4));
    assert_eq!(
        count(&bench.call("Get-QuarantineMessage", json!({"PageSize": 0})).await),
        0,
        "nothing, and no error"
    );
    for bad in [json!({"PageSize": 1001}), json!({"Page": 0}), json!({"ReleaseStatus": "Gone"})] {
        assert_eq!(bench.fails("Get-QuarantineMessage", bad.clone()).await.0, 400, "{bad}");
    }

    let two = seen.iter().find(|message| message["RecipientAddress"].as_array().unwrap().len() == 2).unwrap();
    let (id, users) = (two["Identity"].clone(), two["RecipientAddress"].clone());
    let status = || async {
        let read = bench.call("Get-QuarantineMessage", json!({"Identity": id})).await["value"][0].clone();
        (read["ReleaseStatus"].clone(), read["ReleasedUser"].as_array().unwrap().len())
    };
    let failure = bench.fails("Release-QuarantineMessage", json!({"Identity": id})).await;
    assert!(failure.0 == 400 && failure.1.contains("ReleaseToAll"), "{failure:?}");
    bench.call("Release-QuarantineMessage", json!({"Identity": id, "User": [users[0]]})).await;
    assert_eq!(status().await, (json!("NotReleased"), 1));
    bench.call("Release-QuarantineMessage", json!({"Identity": id, "ReleaseToAll": true})).await;
    assert_eq!(status().await, (json!("Released"), 2));
    bench
        .call(
            "Delete-QuarantineMessage",
            json!({"Identity": id, "RecipientAddress": [users[0]], "Confirm": false}),
        )
        .await;
    assert_eq!(status().await.0, "Released", "the other recipient has it still");
    bench.call("Delete-QuarantineMessage", json!({"Identities": [id], "Confirm": false})).await;
    assert_eq!(bench.fails("Get-QuarantineMessage", json!({"Identity": id})).await.0, 404);
}
