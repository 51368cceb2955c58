//! Recipients and groups: section 6.2 of the protocol reference, row by row.

use super::*;

fn exception(failure: &(u16, String)) -> (u16, String) {
    let kind = failure.1.split('|').nth(1).unwrap_or_default();
    (failure.0, kind.rsplit('.').next().unwrap_or_default().to_owned())
}

async fn mailboxes(bench: &Bench, count: usize) -> Vec<Value> {
    let listing = bench.call("Get-Mailbox", json!({"ResultSize": count})).await;
    listing["value"].as_array().unwrap().clone()
}

async fn names(bench: &Bench, cmdlet: &str, parameters: Value) -> Vec<String> {
    let answer = bench.call(cmdlet, parameters).await;
    answer["value"].as_array().unwrap().iter().map(|row| row["Name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn recipients_are_listed_by_type_and_the_groups_of_a_member_by_filter() {
    let bench = start(Options::default()).await;
    let all = bench.call("Get-Recipient", json!({"ResultSize": "Unlimited"})).await["value"].clone();
    let count =
        |kind: &str| all.as_array().unwrap().iter().filter(|row| row["RecipientTypeDetails"] == kind).count();
    assert_eq!(all.as_array().unwrap().len(), 54);
    for kind in [
        "UserMailbox",
        "MailUniversalDistributionGroup",
        "MailUniversalSecurityGroup",
        "GroupMailbox",
        "MailContact",
    ] {
        let some = bench.call("Get-Recipient", json!({"RecipientTypeDetails": kind})).await["value"].clone();
        assert_eq!(some.as_array().unwrap().len(), count(kind), "{kind}");
        assert!(count(kind) > 0, "{kind}");
    }
    let member = mailboxes(&bench, 1).await[0].clone();
    let dn = member["DistinguishedName"].as_str().unwrap().replace('\'', "''");
    let groups = json!({"Filter": format!("Members -eq '{dn}'")});
    assert_eq!(names(&bench, "Get-Recipient", groups.clone()).await, ["All Staff"]);
    let add = json!({"Identity": "finance.approvers", "Member": member["Guid"], "BypassSecurityGroupManagerCheck": true});
    bench.call("Add-DistributionGroupMember", add).await;
    assert_eq!(names(&bench, "Get-Recipient", groups).await, ["All Staff", "経理 承認者"]);
    let more = json!({"Filter": format!("Members -eq '{dn}' -and Alias -eq 'x'")});
    let failure = bench.fails("Get-Recipient", more).await;
    assert!(failure.0 == 400 && failure.1.contains("only the filter Members"), "{failure:?}");
    let paged = bench.request(&bench.url(), "Get-Recipient", &json!({"ResultSize": "Unlimited"}));
    let paged = paged.header("prefer", "odata.maxpagesize=51").send().await.unwrap();
    let paged: Value = paged.json().await.unwrap();
    assert_eq!(paged["value"].as_array().unwrap().len(), 51);
    assert!(paged["@odata.nextLink"].is_string());
}

#[tokio::test]
async fn a_group_shows_its_type_in_other_words_and_its_managers_by_name() {
    let bench = start(Options::default()).await;
    let two = mailboxes(&bench, 2).await;
    let new = json!({"Name": "Board", "Type": "Security", "ManagedBy": [two[0]["PrimarySmtpAddress"]], "Members": [two[1]["Guid"]]});
    let made = bench.call("New-DistributionGroup", new.clone()).await["value"][0].clone();
    assert_eq!(made["GroupType"], "Universal, SecurityEnabled");
    assert_eq!(made["RecipientTypeDetails"], "MailUniversalSecurityGroup");
    assert_eq!(made["ManagedBy"], json!([two[0]["Name"]]));
    assert_eq!(
        exception(&bench.fails("New-DistributionGroup", new).await),
        (400, "ADObjectAlreadyExistsException".to_owned())
    );
    let failure = bench.fails("New-DistributionGroup", json!({"Name": "X", "Type": "Secret"})).await;
    assert!(failure.1.contains("Distribution, Security"), "{failure:?}");

    let set = json!({"Identity": "Board", "DisplayName": "The Board", "MemberJoinRestriction": "ApprovalRequired",
        "EmailAddresses": {"@odata.type": "#Exchange.GenericHashTable", "add": ["smtp:directors@contoso.example"]}});
    let failure = bench.fails("Set-DistributionGroup", set.clone()).await;
    assert!(failure.0 == 400 && failure.1.contains("manager of the group"), "not the owner: {failure:?}");
    let mut bypass = set;
    bypass["BypassSecurityGroupManagerCheck"] = json!(true);
    bench.call("Set-DistributionGroup", bypass.clone()).await;
    let read =
        bench.call("Get-DistributionGroup", json!({"Identity": "directors@contoso.example"})).await["value"]
            [0]
        .clone();
    assert_eq!(
        (&read["DisplayName"], &read["MemberJoinRestriction"]),
        (&json!("The Board"), &json!("ApprovalRequired"))
    );
    let again = bench.call("Set-DistributionGroup", bypass).await;
    assert!(again["@adminapi.warnings"][0].as_str().unwrap().contains("no settings of"));
    let taken = json!({"Identity": "Board", "PrimarySmtpAddress": two[0]["PrimarySmtpAddress"], "BypassSecurityGroupManagerCheck": true});
    assert_eq!(
        exception(&bench.fails("Set-DistributionGroup", taken).await),
        (400, "ProxyAddressExistsException".to_owned())
    );
    let managed = json!({"ManagedBy": two[0]["Guid"], "ResultSize": "Unlimited"});
    assert!(names(&bench, "Get-DistributionGroup", managed).await.contains(&"Board".to_owned()));
    let gone = json!({"Identity": "Board", "BypassSecurityGroupManagerCheck": true, "Confirm": false});
    bench.call("Remove-DistributionGroup", gone.clone()).await;
    assert_eq!(bench.fails("Remove-DistributionGroup", gone).await.0, 404);
}

#[tokio::test]
async fn members_are_added_once_removed_once_and_replaced_as_a_whole() {
    let bench = start(Options::default()).await;
    let three = mailboxes(&bench, 3).await;
    bench.call("New-DistributionGroup", json!({"Name": "Team"})).await;
    let one = |member: &Value| json!({"Identity": "Team", "Member": member["PrimarySmtpAddress"], "BypassSecurityGroupManagerCheck": true, "Confirm": false});
    bench.call("Add-DistributionGroupMember", one(&three[0])).await;
    let again = bench.fails("Add-DistributionGroupMember", one(&three[0])).await;
    assert_eq!(exception(&again), (400, "MemberAlreadyExistsException".to_owned()));
    let stranger = bench.fails("Remove-DistributionGroupMember", one(&three[1])).await;
    assert_eq!(exception(&stranger), (400, "MemberNotFoundException".to_owned()));
    let contact = json!({"PrimarySmtpAddress": "fabrikam.desk"});
    bench.call("Add-DistributionGroupMember", one(&contact)).await;
    let rows = bench.call("Get-DistributionGroupMember", json!({"Identity": "Team"})).await["value"].clone();
    assert_eq!(
        (&rows[0]["Guid"], &rows[1]["RecipientTypeDetails"]),
        (&three[0]["Guid"], &json!("MailContact"))
    );
    let update = json!({"Identity": "Team", "Members": [three[1]["Guid"], three[2]["Name"]], "BypassSecurityGroupManagerCheck": true, "Confirm": false});
    bench.call("Update-DistributionGroupMember", update).await;
    let expected =
        [three[1]["Name"].as_str().unwrap().to_owned(), three[2]["Name"].as_str().unwrap().to_owned()];
    assert_eq!(names(&bench, "Get-DistributionGroupMember", json!({"Identity": "Team"})).await, expected);
    bench.call("Remove-DistributionGroupMember", one(&three[1])).await;
    assert_eq!(
        names(&bench, "Get-DistributionGroupMember", json!({"Identity": "Team"})).await,
        expected[1..]
    );
}

#[tokio::test]
async fn a_dynamic_groups_filter_is_never_read_as_it_was_written() {
    let bench = start(Options::default()).await;
    let filter = "Department -eq 'Sales'";
    let made =
        bench.call("New-DynamicDistributionGroup", json!({"Name": "Sales", "RecipientFilter": filter})).await;
    let shown = made["value"][0]["RecipientFilter"].as_str().unwrap().to_owned();
    assert!(shown.contains(filter) && shown.contains("SystemMailbox{*") && shown != filter, "{shown}");
    let read = || async {
        bench.call("Get-DynamicDistributionGroup", json!({"Identity": "Sales"})).await["value"][0].clone()
    };
    let precanned = json!({"Identity": "Sales", "IncludedRecipients": "MailboxUsers, MailContacts", "ConditionalDepartment": ["IT"]});
    bench.call("Set-DynamicDistributionGroup", precanned).await;
    let group = read().await;
    assert!(group["RecipientFilter"].as_str().unwrap().contains("(Department -eq 'IT')"), "{group}");
    assert_eq!(
        (&group["RecipientFilterType"], &group["IncludedRecipients"]),
        (&json!("Precanned"), &json!("MailboxUsers, MailContacts"))
    );
    let both = json!({"Identity": "Sales", "RecipientFilter": filter, "IncludedRecipients": "MailUsers"});
    assert_eq!(
        exception(&bench.fails("Set-DynamicDistributionGroup", both).await),
        (400, "AmbiguousParameterSetException".to_owned())
    );
    assert_eq!(
        bench
            .fails(
                "Set-DynamicDistributionGroup",
                json!({"Identity": "Sales", "RecipientFilter": "Department -eq"})
            )
            .await
            .0,
        400
    );
    bench.call("Remove-DynamicDistributionGroup", json!({"Identity": "Sales"})).await;
    assert_eq!(bench.call("Get-DynamicDistributionGroup", json!({})).await["value"], json!([]));
}

#[tokio::test]
async fn a_unified_group_is_set_by_switches_and_made_by_people_only() {
    let bench = start(Options::default()).await;
    let set = json!({"Identity": "falcon", "AccessType": "Public", "AutoSubscribeNewMembers": true, "HiddenFromExchangeClientsEnabled": true,
        "ConnectorsEnabled": false, "Language": "de-DE", "PrimarySmtpAddress": "eagle@contoso.example"});
    bench.call("Set-UnifiedGroup", set).await;
    let read = bench.call("Get-UnifiedGroup", json!({"Identity": "eagle@contoso.example"})).await["value"][0]
        .clone();
    for (name, value) in [
        ("AutoSubscribeNewMembers", true),
        ("HiddenFromExchangeClientsEnabled", true),
        ("ConnectorsEnabled", false),
    ] {
        assert_eq!(read[name], value, "{name}");
    }
    assert_eq!((&read["AccessType"], &read["Language"]), (&json!("Public"), &json!("de-DE")));
    assert!(read["EmailAddresses"].as_array().unwrap().contains(&json!("smtp:falcon@contoso.example")));
    for (cmdlet, parameters) in [
        ("New-UnifiedGroup", json!({"DisplayName": "New"})),
        ("Remove-UnifiedGroup", json!({"Identity": "falcon"})),
        ("Add-UnifiedGroupLinks", json!({"Identity": "falcon", "LinkType": "Members", "Links": ["x"]})),
        ("Remove-UnifiedGroupLinks", json!({"Identity": "falcon", "LinkType": "Members", "Links": ["x"]})),
    ] {
        let failure = bench.fails(cmdlet, parameters).await;
        assert!(
            failure.0 == 403 && failure.1.contains("isn't supported"),
            "an application may not: {failure:?}"
        );
    }
}

#[tokio::test]
async fn an_external_address_is_read_with_its_prefix() {
    let bench = start(Options::default()).await;
    for (noun, address) in [("MailContact", "a@fabrikam.example"), ("MailUser", "b@fabrikam.example")] {
        let call = |verb: &str| format!("{verb}-{noun}");
        let new = json!({"Name": format!("{noun} One"), "ExternalEmailAddress": address});
        let made = bench.call(&call("New"), new.clone()).await["value"][0].clone();
        assert_eq!(made["ExternalEmailAddress"], format!("SMTP:{address}"));
        assert_eq!(
            exception(&bench.fails(&call("New"), new).await),
            (400, "ProxyAddressExistsException".to_owned())
        );
        assert_eq!(
            bench.fails(&call("New"), json!({"Name": "X", "ExternalEmailAddress": "nowhere"})).await.0,
            400
        );
        let set = json!({"Identity": made["Guid"], "ExternalEmailAddress": format!("smtp:new.{address}"), "MacAttachmentFormat": "AppleSingle", "CustomAttribute1": "x"});
        bench.call(&call("Set"), set).await;
        let read = bench.call(&call("Get"), json!({"Identity": made["Alias"]})).await["value"][0].clone();
        assert_eq!(read["ExternalEmailAddress"], format!("SMTP:new.{address}"));
        assert_eq!(
            (&read["MacAttachmentFormat"], &read["CustomAttribute1"]),
            (&json!("AppleSingle"), &json!("x"))
        );
        bench.call(&call("Remove"), json!({"Identity": made["Guid"], "Confirm": false})).await;
        assert_eq!(bench.fails(&call("Get"), json!({"Identity": made["Guid"]})).await.0, 404);
    }
}

#[tokio::test]
async fn role_groups_have_members() {
    let bench = start(Options::default()).await;
    let two = mailboxes(&bench, 2).await;
    let one = |member: &Value| json!({"Identity": "Help Desk", "Member": member["PrimarySmtpAddress"], "Confirm": false});
    bench.call("Add-RoleGroupMember", one(&two[0])).await;
    let again = bench.fails("Add-RoleGroupMember", one(&two[0])).await;
    assert_eq!(exception(&again), (400, "MemberAlreadyExistsException".to_owned()));
    let update = json!({"Identity": "help desk", "Members": [two[1]["Guid"]], "Confirm": false});
    bench.call("Update-RoleGroupMember", update).await;
    let rows = bench.call("Get-RoleGroupMember", json!({"Identity": "Help Desk"})).await["value"].clone();
    assert_eq!((&rows[0]["Guid"], rows.as_array().unwrap().len()), (&two[1]["Guid"], 1));
    bench.call("Remove-RoleGroupMember", one(&two[1])).await;
    assert_eq!(names(&bench, "Get-RoleGroupMember", json!({"Identity": "Help Desk"})).await.len(), 0);
}

#[tokio::test]
async fn new_groups_and_members_are_seen_late() {
    let bench = faulty(&["stale:seconds=2"]).await;
    bench.call("New-DistributionGroup", json!({"Name": "Late"})).await;
    let member = mailboxes(&bench, 7).await[6].clone();
    let add =
        json!({"Identity": "All Staff", "Member": member["Guid"], "BypassSecurityGroupManagerCheck": true});
    bench.call("Add-DistributionGroupMember", add).await;
    assert_eq!(bench.fails("Get-DistributionGroup", json!({"Identity": "Late"})).await.0, 404);
    assert_eq!(names(&bench, "Get-DistributionGroupMember", json!({"Identity": "All Staff"})).await.len(), 5);
    Options::default().clocks.sleep(Duration::from_millis(2100)).await;
    bench.call("Get-DistributionGroup", json!({"Identity": "Late"})).await;
    assert_eq!(names(&bench, "Get-DistributionGroupMember", json!({"Identity": "All Staff"})).await.len(), 6);
}
