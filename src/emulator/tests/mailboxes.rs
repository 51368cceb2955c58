//! Mailboxes: section 6.1 of the protocol reference, row by row.

use super::*;

/// A number of mailboxes of a type.
async fn some(bench: &Bench, kind: &str, count: usize) -> Vec<Value> {
    let parameters = json!({"RecipientTypeDetails": kind, "ResultSize": "Unlimited"});
    let listing = bench.call("Get-Mailbox", parameters).await;
    let all = listing["value"].as_array().unwrap().clone();
    assert!(all.len() >= count, "too few of {kind}");
    all.into_iter().take(count).collect()
}

fn exception(failure: &(u16, String)) -> (u16, String) {
    let kind = failure.1.split('|').nth(1).unwrap_or_default();
    (failure.0, kind.rsplit('.').next().unwrap_or_default().to_owned())
}

fn warned(answer: &Value) -> bool {
    !answer["@adminapi.warnings"].as_array().unwrap().is_empty()
}

#[tokio::test]
async fn a_new_type_is_shown_late_and_the_old_one_until_then() {
    let bench = start(Options { type_flip: Duration::from_secs(2), ..Options::default() }).await;
    let id = some(&bench, "UserMailbox", 1).await[0]["Guid"].clone();
    bench.call("Set-Mailbox", json!({"Identity": id, "Type": "Shared", "Office": "Here"})).await;
    let read = || async { bench.call("Get-Mailbox", json!({"Identity": id})).await["value"][0].clone() };
    let early = read().await;
    assert_eq!((&early["RecipientTypeDetails"], &early["Office"]), (&json!("UserMailbox"), &json!("Here")));
    assert_eq!(early["IsShared"], false);
    Options::default().clocks.sleep(Duration::from_millis(2100)).await;
    let late = read().await;
    assert_eq!((&late["RecipientTypeDetails"], &late["IsShared"]), (&json!("SharedMailbox"), &json!(true)));
}

#[tokio::test]
async fn a_mailbox_refers_to_recipients_by_name_and_shows_what_it_was_told() {
    let bench = start(Options::default()).await;
    let two = some(&bench, "SharedMailbox", 2).await;
    let (id, other) = (two[0]["Guid"].clone(), &two[1]);
    let set = json!({
        "Identity": id,
        "ForwardingAddress": other["PrimarySmtpAddress"],
        "GrantSendOnBehalfTo": [other["PrimarySmtpAddress"], "all.staff@contoso.example"],
        "AuditOwner": {"@odata.type": "#Exchange.GenericHashTable", "Add": "MailboxLogin"},
        "LitigationHoldEnabled": true,
        "LitigationHoldDuration": "3650.00:00:00",
        "RetentionPolicy": "Seven Years",
        "MaxSendSize": "100MB",
        "CustomAttribute15": "x",
        "Password": bench.encrypted("whatever-it-is").await,
        "RemoveDelayHoldApplied": true,
        "MessageCopyForSentAsEnabled": true,
        "Confirm": false,
    });
    bench.call("Set-Mailbox", set).await;
    let read = bench.call("Get-Mailbox", json!({"Identity": id})).await["value"][0].clone();
    assert_eq!(read["ForwardingAddress"], other["Name"], "a name, not an address");
    assert_eq!(read["GrantSendOnBehalfTo"], json!([other["Name"], "All Staff"]));
    assert!(read["AuditOwner"].as_array().unwrap().contains(&json!("MailboxLogin")));
    assert_eq!(read["LitigationHoldDuration"], "3650.00:00:00");
    assert!(read["LitigationHoldDate"].is_string());
    assert_eq!(
        (&read["RetentionPolicy"], &read["MaxSendSize"]),
        (&json!("Seven Years"), &json!("100 MB (104,857,600 bytes)"))
    );
    assert!(!read.to_string().contains("whatever-it-is"), "nobody reads a password");
    let failure = bench.fails("Set-Mailbox", json!({"Identity": id, "AuditOwner": ["Singing"]})).await;
    assert!(failure.0 == 400 && failure.1.contains("MailboxLogin"), "{failure:?}");
}

#[tokio::test]
async fn quotas_change_only_where_the_databases_defaults_do_not_hold() {
    let bench = start(Options::default()).await;
    let id = some(&bench, "UserMailbox", 1).await[0]["Guid"].clone();
    bench.call("Set-Mailbox", json!({"Identity": id, "UseDatabaseQuotaDefaults": true})).await;
    let quota = json!({"Identity": id, "ProhibitSendReceiveQuota": "200GB"});
    assert_eq!(exception(&bench.fails("Set-Mailbox", quota).await).0, 400);
    let both =
        json!({"Identity": id, "ProhibitSendReceiveQuota": "200GB", "UseDatabaseQuotaDefaults": false});
    bench.call("Set-Mailbox", both).await;
    let read = bench.call("Get-Mailbox", json!({"Identity": id})).await["value"][0].clone();
    assert_eq!(read["ProhibitSendReceiveQuota"], "200 GB (214,748,364,800 bytes)");
}

#[tokio::test]
async fn every_documented_parameter_is_known_and_the_rest_is_refused() {
    let bench = start(Options::default()).await;
    let failure = bench.fails("Set-Mailbox", json!({"Identity": "x", "DataEncryptionPolicy": "y"})).await;
    assert_eq!(failure.0, 501, "documented, and not emulated");
    let failure = bench.fails("Set-Mailbox", json!({"Identity": "x", "DataEncryptionPolice": "y"})).await;
    assert_eq!(exception(&failure), (400, "AmbiguousParameterSetException".to_owned()));
}

#[tokio::test]
async fn mailboxes_are_made_in_one_set_of_parameters_and_removed() {
    let bench = start(Options::default()).await;
    let shared = json!({"Name": "New Team", "Shared": true, "Alias": "new.team", "PrimarySmtpAddress": "new.team@contoso.example"});
    let made = bench.call("New-Mailbox", shared.clone()).await["value"][0].clone();
    assert_eq!(
        (&made["RecipientTypeDetails"], &made["Identity"]),
        (&json!("SharedMailbox"), &json!("New Team"))
    );
    for identity in ["New Team", "new.team", "new.team@contoso.example", made["Guid"].as_str().unwrap()] {
        for cmdlet in ["Get-Mailbox", "Get-CASMailbox", "Get-User", "Get-Recipient"] {
            let read = bench.call(cmdlet, json!({"Identity": identity})).await["value"][0].clone();
            assert_eq!(
                (&read["Guid"], &read["Name"]),
                (&made["Guid"], &json!("New Team")),
                "{cmdlet} {identity}"
            );
        }
    }
    let all = bench.call("Get-Mailbox", json!({"ResultSize": "Unlimited"})).await;
    assert_eq!(all["value"].as_array().unwrap().len(), 51);
    let again = bench.fails("New-Mailbox", shared).await;
    assert_eq!(exception(&again), (400, "ADObjectAlreadyExistsException".to_owned()));
    for (bad, why) in [
        (
            json!({"Name": "A", "Shared": true, "MicrosoftOnlineServicesID": "a@contoso.example"}),
            "MicrosoftOnlineServicesID",
        ),
        (json!({"Name": "A", "Shared": true, "Room": true}), "cannot be used together"),
        (json!({"Name": "A"}), "mandatory"),
    ] {
        let failure = bench.fails("New-Mailbox", bad).await;
        assert_eq!(exception(&failure), (400, "AmbiguousParameterSetException".to_owned()));
        assert!(failure.1.contains(why), "{failure:?}");
    }
    let derived =
        bench.call("New-Mailbox", json!({"Name": "Room 9 Süd", "Room": true})).await["value"][0].clone();
    assert_eq!((&derived["Alias"], &derived["ResourceType"]), (&json!("Room9Sd"), &json!("Room")));

    bench.call("Remove-Mailbox", json!({"Identity": "New Team", "Confirm": false})).await;
    for cmdlet in ["Get-Mailbox", "Get-CASMailbox", "Set-Mailbox", "Remove-Mailbox"] {
        assert_eq!(bench.fails(cmdlet, json!({"Identity": "New Team"})).await.0, 404, "{cmdlet}");
    }
    let soft = bench.call("Get-Mailbox", json!({"SoftDeletedMailbox": true})).await;
    assert_eq!(soft["value"][0]["Guid"], made["Guid"]);
    bench.call("Remove-Mailbox", json!({"Identity": made["Guid"], "PermanentlyDelete": true})).await;
    let soft = bench.call("Get-Mailbox", json!({"SoftDeletedMailbox": true})).await;
    assert_eq!(soft["value"], json!([]));
    let again = json!({"Name": "New Team", "Shared": true, "Alias": "new.team"});
    bench.call("New-Mailbox", again).await;
}

#[tokio::test]
async fn a_new_mailbox_is_not_found_before_it_is_replicated() {
    let bench = start(Options { replication: Duration::from_secs(2), ..Options::default() }).await;
    bench.call("New-Mailbox", json!({"Name": "Late", "Shared": true})).await;
    assert_eq!(bench.fails("Get-Mailbox", json!({"Identity": "Late"})).await.0, 404);
    let all = || async {
        bench.call("Get-Mailbox", json!({"ResultSize": "Unlimited"})).await["value"].as_array().unwrap().len()
    };
    assert_eq!(all().await, 50);
    Options::default().clocks.sleep(Duration::from_millis(2100)).await;
    assert_eq!(bench.call("Get-Mailbox", json!({"Identity": "Late"})).await["value"][0]["Name"], "Late");
    assert_eq!(all().await, 51);
}

#[tokio::test]
async fn archives_are_switched_on_by_sets_of_their_own() {
    let bench = start(Options::default()).await;
    let id = some(&bench, "UserMailbox", 1).await[0]["Guid"].clone();
    let both = bench
        .fails("Enable-Mailbox", json!({"Identity": id, "Archive": true, "AutoExpandingArchive": true}))
        .await;
    assert_eq!(exception(&both), (400, "AmbiguousParameterSetException".to_owned()));
    assert_eq!(
        bench.fails("Enable-Mailbox", json!({"Identity": id, "AutoExpandingArchive": true})).await.0,
        400
    );
    assert_eq!(bench.fails("Get-MailboxStatistics", json!({"Identity": id, "Archive": true})).await.0, 400);
    bench.call("Enable-Mailbox", json!({"Identity": id, "Archive": true})).await;
    bench.call("Enable-Mailbox", json!({"Identity": id, "AutoExpandingArchive": true})).await;
    let with = bench.call("Get-Mailbox", json!({"Archive": true})).await;
    assert_eq!((&with["value"][0]["Guid"], with["value"].as_array().unwrap().len()), (&id, 1));
    assert_eq!(
        (&with["value"][0]["ArchiveStatus"], &with["value"][0]["AutoExpandingArchiveEnabled"]),
        (&json!("Active"), &json!(true))
    );
    bench.call("Get-MailboxStatistics", json!({"Identity": id, "Archive": true})).await;
    bench.call("Disable-Mailbox", json!({"Identity": id, "Archive": true, "Confirm": false})).await;
    let read = bench.call("Get-Mailbox", json!({"Identity": id})).await["value"][0].clone();
    assert_eq!(
        (&read["ArchiveStatus"], &read["AutoExpandingArchiveEnabled"]),
        (&json!("None"), &json!(true)),
        "it cannot be undone"
    );
}

#[tokio::test]
async fn protocols_that_inherit_are_null_and_can_be_null_again() {
    let bench = start(Options::default()).await;
    let id = some(&bench, "UserMailbox", 1).await[0]["Guid"].clone();
    for value in [json!(true), json!(null)] {
        let set = json!({"Identity": id, "SmtpClientAuthenticationDisabled": value, "EwsEnabled": value});
        bench.call("Set-CASMailbox", set).await;
        let read = bench.call("Get-CASMailbox", json!({"Identity": id})).await["value"][0].clone();
        assert_eq!((&read["SmtpClientAuthenticationDisabled"], &read["EwsEnabled"]), (&value, &value));
    }
    assert_eq!(
        bench.fails("Set-CASMailbox", json!({"Identity": id, "PopEnabled": null})).await.0,
        400,
        "not nullable"
    );
}

#[tokio::test]
async fn the_rows_of_an_access_list_are_own_inherited_and_added_ones() {
    let bench = start(Options::default()).await;
    let two = some(&bench, "SharedMailbox", 2).await;
    let id = two[0]["Guid"].clone();
    let add = |right: &str, deny: bool| json!({"Identity": id, "User": two[1]["Guid"], "AccessRights": right, "Deny": deny, "AutoMapping": false});
    bench.call("Add-MailboxPermission", add("FullAccess", false)).await;
    assert!(warned(&bench.call("Add-MailboxPermission", add("FullAccess", false)).await));
    bench.call("Add-MailboxPermission", add("ReadPermission", true)).await;
    let rows = bench.call("Get-MailboxPermission", json!({"Identity": id})).await["value"].clone();
    let row = |number: usize| {
        (rows[number]["User"].clone(), rows[number]["IsInherited"].clone(), rows[number]["Deny"].clone())
    };
    assert_eq!(row(0), (json!("NT AUTHORITY\\SELF"), json!(false), json!(false)));
    assert!(rows[1]["User"].as_str().unwrap().starts_with("S-1-5-") && rows[1]["IsInherited"] == true);
    assert_eq!(row(2), (two[1]["UserPrincipalName"].clone(), json!(false), json!(false)));
    assert_eq!(row(3), (two[1]["UserPrincipalName"].clone(), json!(false), json!(true)));
    assert!(rows[2].get("AutoMapping").is_none(), "it cannot be read");
    bench
        .call("Remove-MailboxPermission", json!({"Identity": id, "ResetDefault": true, "Confirm": false}))
        .await;
    let rows = bench.call("Get-MailboxPermission", json!({"Identity": id})).await["value"].clone();
    assert_eq!(rows.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn who_may_send_as_whom_is_asked_both_ways() {
    let bench = start(Options::default()).await;
    let two = some(&bench, "SharedMailbox", 2).await;
    let grant = json!({"Identity": two[0]["Guid"], "Trustee": two[1]["PrimarySmtpAddress"], "AccessRights": ["SendAs"], "Confirm": false});
    bench.call("Add-RecipientPermission", grant.clone()).await;
    assert!(warned(&bench.call("Add-RecipientPermission", grant.clone()).await));
    let rows =
        bench.call("Get-RecipientPermission", json!({"Identity": two[0]["Guid"]})).await["value"].clone();
    assert_eq!(rows[0]["Trustee"], "NT AUTHORITY\\SELF");
    assert_eq!(
        (&rows[1]["Trustee"], &rows[1]["AccessRights"]),
        (&two[1]["UserPrincipalName"], &json!(["SendAs"]))
    );
    assert_eq!(rows[1]["AccessControlType"], "Allow");
    let back =
        bench.call("Get-RecipientPermission", json!({"Trustee": two[1]["Guid"]})).await["value"].clone();
    assert_eq!((&back[0]["Identity"], back.as_array().unwrap().len()), (&two[0]["Identity"], 1));
    bench.call("Remove-RecipientPermission", grant).await;
    let back =
        bench.call("Get-RecipientPermission", json!({"Trustee": two[1]["Guid"]})).await["value"].clone();
    assert_eq!(back, json!([]));
    let everybody = bench.call("Get-RecipientPermission", json!({"ResultSize": "Unlimited"})).await;
    assert_eq!(everybody["value"].as_array().unwrap().len(), 54, "their own rows");
    let few = bench.call("Get-RecipientPermission", json!({"ResultSize": 3})).await;
    assert!(few["value"].as_array().unwrap().len() == 3 && warned(&few));
    let group = json!({"Identity": "all.staff", "Trustee": two[1]["Guid"], "AccessRights": "SendAs"});
    bench.call("Add-RecipientPermission", group).await;
    let bad = json!({"Identity": "all.staff", "Trustee": two[1]["Guid"], "AccessRights": "FullAccess"});
    assert_eq!(bench.fails("Add-RecipientPermission", bad).await.0, 400);
}

/// The name of a mailbox's calendar, by its language, and whether it is the English one.
async fn calendar(bench: &Bench, id: &Value) -> String {
    let rows =
        bench.call("Get-MailboxFolderStatistics", json!({"Identity": id, "FolderScope": "Calendar"})).await;
    rows["value"][0]["Name"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn folder_permissions_show_display_names_and_folders_their_own_language() {
    let bench = start(Options::default()).await;
    let all = bench.call("Get-Mailbox", json!({"ResultSize": "Unlimited"})).await["value"].clone();
    let mut localised = 0;
    for mailbox in all.as_array().unwrap() {
        let id = mailbox["Guid"].as_str().unwrap();
        let name = calendar(&bench, &json!(id)).await;
        let folder = format!("{id}:\\{name}");
        let rows =
            bench.call("Get-MailboxFolderPermission", json!({"Identity": folder})).await["value"].clone();
        assert_eq!(
            (&rows[0]["User"], &rows[0]["AccessRights"]),
            (&json!("Default"), &json!(["AvailabilityOnly"]))
        );
        assert_eq!((&rows[1]["User"], &rows[1]["AccessRights"]), (&json!("Anonymous"), &json!(["None"])));
        if name != "Calendar" {
            localised += 1;
            let english = json!({"Identity": format!("{id}:\\Calendar")});
            assert_eq!(bench.fails("Get-MailboxFolderPermission", english).await.0, 404);
        }
    }
    assert!(localised > 0, "every calendar is called Calendar");

    let (id, user) = (all[0]["Guid"].as_str().unwrap(), &all[1]);
    let folder = format!("{id}:\\{}", calendar(&bench, &json!(id)).await);
    let entry =
        |right: &str| json!({"Identity": folder, "User": user["PrimarySmtpAddress"], "AccessRights": right});
    bench.call("Add-MailboxFolderPermission", entry("Reviewer")).await;
    let again = bench.fails("Add-MailboxFolderPermission", entry("Editor")).await;
    assert_eq!(exception(&again), (400, "UserAlreadyExistsInPermissionEntryException".to_owned()));
    let mut delegate = entry("Editor");
    delegate["SharingPermissionFlags"] = json!("Delegate");
    bench.call("Set-MailboxFolderPermission", delegate.clone()).await;
    assert!(warned(&bench.call("Set-MailboxFolderPermission", delegate).await), "nothing changed");
    let rows = bench.call("Get-MailboxFolderPermission", json!({"Identity": folder})).await["value"].clone();
    assert_eq!((&rows[2]["User"], &rows[2]["AccessRights"]), (&user["DisplayName"], &json!(["Editor"])));
    assert_eq!(rows[2]["SharingPermissionFlags"], "Delegate");
    let everybody = json!({"Identity": folder, "User": "Default", "AccessRights": ["LimitedDetails"]});
    bench.call("Set-MailboxFolderPermission", everybody).await;
    let gone = json!({"Identity": folder, "User": user["Guid"], "Confirm": false});
    bench.call("Remove-MailboxFolderPermission", gone.clone()).await;
    let failure = bench.fails("Remove-MailboxFolderPermission", gone).await;
    assert_eq!(exception(&failure), (400, "UserNotFoundInPermissionEntryException".to_owned()));
    let rows = bench.call("Get-MailboxFolderPermission", json!({"Identity": folder})).await["value"].clone();
    assert_eq!((&rows[0]["AccessRights"], rows.as_array().unwrap().len()), (&json!(["LimitedDetails"]), 2));
}

#[tokio::test]
async fn statistics_have_sizes_as_text_and_say_where_there_is_nothing() {
    let bench = start(Options::default()).await;
    let all = bench.call("Get-Mailbox", json!({"ResultSize": "Unlimited"})).await["value"].clone();
    let mut never = 0;
    for mailbox in all.as_array().unwrap() {
        let row = bench.call("Get-MailboxStatistics", json!({"Identity": mailbox["Guid"]})).await["value"][0]
            .clone();
        assert!(row["TotalItemSize"].as_str().unwrap().ends_with(" bytes)"), "{row}");
        assert!(row["ItemCount"].is_i64());
        never += usize::from(row["LastLogonTime"].is_null());
    }
    assert!(never > 0, "everybody logged on once");
    bench.call("New-Mailbox", json!({"Name": "Empty", "Shared": true})).await;
    let empty = bench.call("Get-MailboxStatistics", json!({"Identity": "Empty"})).await;
    assert!(empty["value"] == json!([]) && warned(&empty), "{empty}");
}

#[tokio::test]
async fn automatic_replies_are_html_and_their_dates_utc() {
    let bench = start(Options::default()).await;
    let id = some(&bench, "UserMailbox", 1).await[0]["Guid"].clone();
    let set = json!({"Identity": id, "AutoReplyState": "Scheduled", "InternalMessage": "Away", "StartTime": "2026-01-31T08:00:00", "EndTime": "2026-02-07T08:00:00"});
    bench.call("Set-MailboxAutoReplyConfiguration", set).await;
    let read =
        bench.call("Get-MailboxAutoReplyConfiguration", json!({"Identity": id})).await["value"][0].clone();
    assert_eq!(read["StartTime"], "2026-01-31T08:00:00.0000000+00:00");
    assert!(read["InternalMessage"].as_str().unwrap().starts_with("<html>"));
    let backwards = json!({"Identity": id, "EndTime": "2026-01-30T08:00:00"});
    assert_eq!(bench.fails("Set-MailboxAutoReplyConfiguration", backwards).await.0, 400);
    let failure = bench
        .fails("Set-MailboxAutoReplyConfiguration", json!({"Identity": id, "ExternalAudience": "Some"}))
        .await;
    assert!(failure.1.contains("None, Known, All"), "{failure:?}");
}

#[tokio::test]
async fn a_date_format_must_fit_the_language_and_folders_follow_when_told() {
    let bench = start(Options::default()).await;
    let id = some(&bench, "UserMailbox", 1).await[0]["Guid"].clone();
    let english = json!({"Identity": id, "Language": "en-US", "DateFormat": "M/d/yyyy", "TimeFormat": "h:mm tt", "TimeZone": "UTC"});
    bench.call("Set-MailboxRegionalConfiguration", english).await;
    let german = json!({"Identity": id, "Language": "de-DE"});
    let failure = bench.fails("Set-MailboxRegionalConfiguration", german).await;
    assert!(failure.0 == 400 && failure.1.contains("dd.MM.yyyy"), "{failure:?}");
    let german = json!({"Identity": id, "Language": "de-DE", "DateFormat": null, "TimeFormat": "HH:mm", "LocalizeDefaultFolderName": true});
    bench.call("Set-MailboxRegionalConfiguration", german).await;
    let read =
        bench.call("Get-MailboxRegionalConfiguration", json!({"Identity": id})).await["value"][0].clone();
    assert_eq!((&read["Language"], &read["DateFormat"]), (&json!("de-DE"), &json!("dd.MM.yyyy")));
    assert_eq!(calendar(&bench, &id).await, "Kalender");
}

#[tokio::test]
async fn delegates_come_back_as_names_and_bookers_as_legacy_names() {
    let bench = start(Options::default()).await;
    let room = some(&bench, "RoomMailbox", 1).await[0]["Guid"].clone();
    let user = some(&bench, "UserMailbox", 1).await[0].clone();
    let set = json!({"Identity": room, "AutomateProcessing": "AutoAccept", "AllBookInPolicy": false, "BookingWindowInDays": 90,
        "ResourceDelegates": [user["PrimarySmtpAddress"]], "BookInPolicy": [user["PrimarySmtpAddress"]]});
    bench.call("Set-CalendarProcessing", set).await;
    let read = bench.call("Get-CalendarProcessing", json!({"Identity": room})).await["value"][0].clone();
    assert_eq!(
        (&read["ResourceDelegates"], &read["BookInPolicy"]),
        (&json!([user["Name"]]), &json!([user["LegacyExchangeDN"]]))
    );
    assert_eq!((&read["AllBookInPolicy"], &read["BookingWindowInDays"]), (&json!(false), &json!(90)));
    let by_legacy = bench.call("Get-Mailbox", json!({"Identity": read["BookInPolicy"][0]})).await;
    assert_eq!(by_legacy["value"][0]["Guid"], user["Guid"]);
}

#[tokio::test]
async fn inbox_rules_are_kept_by_cmdlets_and_show_references() {
    let bench = start(Options::default()).await;
    let two = some(&bench, "UserMailbox", 2).await;
    let (id, other) = (two[0]["Guid"].clone(), &two[1]);
    let rule = json!({"Mailbox": id, "Name": "To a colleague", "ForwardTo": [other["PrimarySmtpAddress"], "x@fabrikam.example"],
        "SubjectContainsWords": ["invoice"], "StopProcessingRules": true});
    let made = bench.call("New-InboxRule", rule.clone()).await["value"][0].clone();
    let legacy = format!(
        "\"{}\" [EX:{}]",
        other["DisplayName"].as_str().unwrap(),
        other["LegacyExchangeDN"].as_str().unwrap()
    );
    assert_eq!(made["ForwardTo"], json!([legacy, "\"x@fabrikam.example\" [SMTP:x@fabrikam.example]"]));
    assert!(made["Enabled"] == true && made["Priority"].as_i64().unwrap() >= 1, "{made}");
    assert_eq!(bench.fails("New-InboxRule", rule).await.0, 400, "the name is taken");
    let idle =
        bench.fails("New-InboxRule", json!({"Mailbox": id, "Name": "Idle", "From": [other["Guid"]]})).await;
    assert_eq!(idle.0, 400, "a rule without an action");
    bench.call("Disable-InboxRule", json!({"Identity": made["Identity"], "Confirm": false})).await;
    bench
        .call(
            "Set-InboxRule",
            json!({"Mailbox": id, "Identity": "To a colleague", "ForwardTo": null, "DeleteMessage": true}),
        )
        .await;
    let read =
        bench.call("Get-InboxRule", json!({"Mailbox": id, "Identity": made["RuleIdentity"]})).await["value"]
            [0]
        .clone();
    assert_eq!(
        (&read["Enabled"], &read["ForwardTo"], &read["DeleteMessage"]),
        (&json!(false), &json!(null), &json!(true))
    );
    bench
        .call("Remove-InboxRule", json!({"Mailbox": id, "Identity": "To a colleague", "Confirm": false}))
        .await;
    assert_eq!(
        bench.fails("Get-InboxRule", json!({"Mailbox": id, "Identity": "To a colleague"})).await.0,
        404
    );
}

#[tokio::test]
async fn the_first_change_of_a_rule_may_cost_those_that_only_outlook_knows() {
    let bench = start(Options { mailboxes: 100, ..Options::default() }).await;
    let all = bench.call("Get-Mailbox", json!({"ResultSize": "Unlimited"})).await["value"].clone();
    let (mut warnings, mut silent) = (0, 0);
    for mailbox in all.as_array().unwrap() {
        let rules = bench.call("Get-InboxRule", json!({"Mailbox": mailbox["Guid"]})).await["value"].clone();
        let Some(rule) = rules.get(0) else { continue };
        let change =
            |name: &str| json!({"Mailbox": mailbox["Guid"], "Identity": rule["RuleIdentity"], "Name": name});
        match warned(&bench.call("Set-InboxRule", change("first")).await) {
            true => warnings += 1,
            false => silent += 1,
        }
        assert!(!warned(&bench.call("Set-InboxRule", change("second")).await), "only the first");
    }
    assert!(warnings > 0 && silent > 0, "{warnings} warned, {silent} silent");
}

#[tokio::test]
async fn junk_settings_need_somebody_who_logged_on_once() {
    let bench = start(Options::default()).await;
    let all = bench.call("Get-Mailbox", json!({"ResultSize": "Unlimited"})).await["value"].clone();
    let (mut set, mut refused) = (0, 0);
    for mailbox in all.as_array().unwrap() {
        let statistics = bench.call("Get-MailboxStatistics", json!({"Identity": mailbox["Guid"]})).await;
        let never = statistics["value"][0]["LastLogonTime"].is_null();
        let change = json!({"Identity": mailbox["Guid"], "TrustedSendersAndDomains": ["fabrikam.example"]});
        if never {
            assert_eq!(bench.fails("Set-MailboxJunkEmailConfiguration", change).await.0, 400);
            refused += 1;
        } else {
            bench.call("Set-MailboxJunkEmailConfiguration", change).await;
            let read =
                bench.call("Get-MailboxJunkEmailConfiguration", json!({"Identity": mailbox["Guid"]})).await;
            assert_eq!(read["value"][0]["TrustedSendersAndDomains"], json!(["fabrikam.example"]));
            set += 1;
        }
    }
    assert!(set > 0 && refused > 0);
}

#[tokio::test]
async fn synced_users_are_read_only_but_for_what_is_the_services() {
    let bench = start(Options::default()).await;
    let synced =
        bench.call("Get-Mailbox", json!({"Filter": "IsDirSynced -eq 'True'"})).await["value"][0].clone();
    let id = synced["Guid"].clone();
    assert!(id.is_string(), "nobody is synced");
    for (cmdlet, change) in [("Set-User", "Title"), ("Set-Mailbox", "DisplayName")] {
        let failure = bench.fails(cmdlet, json!({"Identity": id, change: "other"})).await;
        assert!(
            failure.0 == 400 && failure.1.contains("out of the current user's write scope"),
            "{failure:?}"
        );
    }
    let own = json!({"Identity": id, "AuthenticationPolicy": "No Basic", "StsRefreshTokensValidFrom": "2026-01-31T08:00:00"});
    bench.call("Set-User", own).await;
    let read = bench.call("Get-User", json!({"Identity": id})).await["value"][0].clone();
    assert_eq!(read["StsRefreshTokensValidFrom"], "2026-01-31T08:00:00.0000000+00:00");
    let free = some(&bench, "SharedMailbox", 1).await[0]["Guid"].clone();
    let card = json!({"Identity": free, "Title": "Chief", "Manager": id, "City": "Kyoto"});
    bench.call("Set-User", card).await;
    let read = bench.call("Get-User", json!({"Identity": free})).await["value"][0].clone();
    assert_eq!((&read["Manager"], &read["City"]), (&synced["Name"], &json!("Kyoto")));
}

#[tokio::test]
async fn reads_are_stale_after_every_kind_of_write() {
    let bench = faulty(&["stale:seconds=2"]).await;
    let two = some(&bench, "SharedMailbox", 2).await;
    let (id, user) = (two[0]["Guid"].clone(), two[1]["Guid"].clone());
    let folder = format!("{}:\\{}", id.as_str().unwrap(), calendar(&bench, &id).await);
    let writes = [
        ("Add-MailboxPermission", json!({"Identity": id, "User": user, "AccessRights": "FullAccess"})),
        ("Add-RecipientPermission", json!({"Identity": id, "Trustee": user, "AccessRights": "SendAs"})),
        ("Add-MailboxFolderPermission", json!({"Identity": folder, "User": user, "AccessRights": "Editor"})),
        ("New-InboxRule", json!({"Mailbox": id, "Name": "x", "DeleteMessage": true})),
        ("New-Mailbox", json!({"Name": "Stale", "Shared": true})),
    ];
    let reads = [
        ("Get-MailboxPermission", json!({"Identity": id})),
        ("Get-RecipientPermission", json!({"Identity": id})),
        ("Get-MailboxFolderPermission", json!({"Identity": folder})),
        ("Get-InboxRule", json!({"Mailbox": id})),
        ("Get-Mailbox", json!({"ResultSize": "Unlimited"})),
    ];
    let mut before = Vec::new();
    for (cmdlet, parameters) in &reads {
        before.push(bench.call(cmdlet, parameters.clone()).await["value"].clone());
    }
    for (cmdlet, parameters) in writes {
        bench.call(cmdlet, parameters).await;
    }
    for ((cmdlet, parameters), before) in reads.iter().zip(&before) {
        assert_eq!(bench.call(cmdlet, parameters.clone()).await["value"], *before, "{cmdlet}");
    }
    Options::default().clocks.sleep(Duration::from_millis(2100)).await;
    for ((cmdlet, parameters), before) in reads.iter().zip(&before) {
        assert_ne!(bench.call(cmdlet, parameters.clone()).await["value"], *before, "{cmdlet}");
    }
}
