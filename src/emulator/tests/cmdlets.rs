//! Cmdlets: what they show, change and refuse.

use super::*;

#[tokio::test]
async fn a_shared_mailbox_is_hardened_and_read_back() {
    let bench = start(Options::default()).await;
    let listing = bench.call("Get-Mailbox", json!({"RecipientTypeDetails": "SharedMailbox"})).await;
    let shared = listing["value"].as_array().unwrap();
    assert!(!shared.is_empty());
    assert!(shared.iter().all(|mailbox| mailbox["RecipientTypeDetails"] == "SharedMailbox"));
    let id = shared[0]["ExternalDirectoryObjectId"].clone();
    let set = json!({"Identity": id, "PopEnabled": false, "SmtpClientAuthenticationDisabled": true});
    let done = bench.call("Set-CASMailbox", set.clone()).await;
    assert_eq!((done["value"].clone(), done["@adminapi.warnings"].clone()), (json!([]), json!([])));
    let read = bench.call("Get-CASMailbox", json!({"Identity": id})).await;
    assert_eq!(read["value"][0]["PopEnabled"], false);
    assert_eq!(read["value"][0]["SmtpClientAuthenticationDisabled"], true);
    let again = bench.call("Set-CASMailbox", set).await;
    assert!(again["@adminapi.warnings"][0].as_str().unwrap().contains("no settings of"));
    let bare = bench.client.post(bench.url()).bearer_auth(&bench.token).body("{}").send().await.unwrap();
    assert_eq!(bare.headers()["x-exorun-emulator"], "1");
    let counters = bench.emulator.stop().await;
    assert_eq!((counters.sessions.opened, counters.sessions.live), (2, 0), "c1, and the one without an id");
}

/// The useful text of a failure: ids, exception and sentence with `|` between.
fn exception(failure: &(u16, String)) -> (u16, &str) {
    let kind = failure.1.split('|').nth(1).unwrap_or_default();
    (failure.0, kind.rsplit('.').next().unwrap_or_default())
}

#[tokio::test]
async fn refusals_have_the_services_shapes() {
    let bench = start(Options::default()).await;
    let failure = bench.fails("Get-Mailbox", json!({"Identity": "nobody"})).await;
    assert_eq!(exception(&failure), (404, "ManagementObjectNotFoundException"));
    assert!(failure.1.starts_with("Ex6F9304|") && failure.1.contains("'nobody'"), "{}", failure.1);
    let failure = bench.fails("Get-Mailbox", json!({"Idendity": "x"})).await;
    assert_eq!(exception(&failure), (400, "AmbiguousParameterSetException"));
    assert!(failure.1.contains("'Idendity'"), "{}", failure.1);
    let failure = bench.fails("Get-Mailbox", json!({"Confirm": false})).await;
    assert_eq!(exception(&failure), (400, "AmbiguousParameterSetException"), "a read has no Confirm");
    let failure = bench.fails("Get-Mailbox", json!({"RecipientTypeDetails": "SharedMailbux"})).await;
    assert!(failure.0 == 400 && failure.1.contains("SharedMailbox, "), "{failure:?}");
    let failure = bench.fails("Get-Mailbox", json!({"Filter": "Alias -match 'x'"})).await;
    assert!(failure.0 == 400 && failure.1.contains("-match is not supported"), "{failure:?}");
    let failure = bench.fails("Get-Mailbox", json!({"Filter": "Allias -eq 'x'"})).await;
    assert!(failure.0 == 400 && failure.1.contains("'Allias' is not a recognized"), "{failure:?}");
    for nothing in [json!(null), json!("")] {
        let failure = bench.fails("Get-Mailbox", json!({"Identity": nothing})).await;
        assert_eq!(failure.0, 400, "an empty identity is not \"all\"");
    }
    let failure = bench.fails("Set-CASMailbox", json!({"PopEnabled": false})).await;
    assert!(failure.0 == 400 && failure.1.contains("Identity"), "{failure:?}");
    let failure = bench.fails("Get-Mailbox", json!({"SortBy": "Name"})).await;
    assert_eq!(failure.0, 501, "what is not emulated says so");
    assert_eq!(bench.send("Get-Mailbox", Value::Null).await.status(), 400, "Parameters must not be null");
    let url = bench.url();
    for junk in ["", "{", "[]", "null", "{\"CmdletInput\":7}", "\u{1F600}"] {
        let answer = bench.client.post(&url).bearer_auth(&bench.token).body(junk).send().await.unwrap();
        assert_eq!(answer.status(), 400, "{junk}");
    }
    let unknown = bench.client.post(&url).bearer_auth(&bench.token);
    let unknown = unknown.json(&json!({"CmdletInput": {"CmdletName": "Get-Wonder", "Parameters": {}}}));
    let unknown = unknown.send().await.unwrap();
    assert_eq!(unknown.status(), 403);
    assert!(unknown.headers().contains_key("x-ms-diagnostics"));
    assert!(unknown.bytes().await.is_err(), "NUL bytes are no gzip");
}

#[tokio::test]
async fn a_write_without_an_anchor_is_a_bare_403() {
    let bench = start(Options::default()).await;
    let body = json!({"CmdletInput": {"CmdletName": "Set-TransportConfig", "Parameters": {"ClearCategories": false}}});
    let answer = bench.client.post(bench.url()).bearer_auth(&bench.token).json(&body).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.text().await.unwrap()), (403, String::new()));
    assert_eq!(bench.call("Get-TransportConfig", json!({})).await["value"][0]["ClearCategories"], true);
}

#[tokio::test]
async fn a_mailbox_is_changed_in_every_way() {
    let bench = start(Options::default()).await;
    let first = bench.call("Get-Mailbox", json!({"ResultSize": 1})).await["value"][0].clone();
    let (id, alias) = (first["Guid"].clone(), first["Alias"].as_str().unwrap().to_owned());
    bench
        .call(
            "Set-Mailbox",
            json!({
                "Identity": id,
                "DisplayName": "新しい 名前 🌸",
                "Type": "Room",
                "HiddenFromAddressListsEnabled": true,
                "ForwardingSmtpAddress": "someone@fabrikam.example",
                "ProhibitSendReceiveQuota": "200GB",
                "CustomAttribute7": "seven",
                "EmailAddresses": {"@odata.type": "#Exchange.GenericHashTable", "add": ["second@contoso.example"]},
                "Confirm": false,
            }),
        )
        .await;
    let read =
        bench.call("Get-Mailbox", json!({"Identity": "second@contoso.example"})).await["value"][0].clone();
    assert_eq!((&read["Guid"], read["Alias"].as_str()), (&id, Some(alias.as_str())));
    assert_eq!(read["DisplayName"], "新しい 名前 🌸");
    assert_eq!(read["RecipientTypeDetails"], "RoomMailbox");
    assert_eq!(read["ForwardingSmtpAddress"], "smtp:someone@fabrikam.example");
    assert_eq!(read["ProhibitSendReceiveQuota"], "200 GB (214,748,364,800 bytes)");
    assert_eq!((&read["CustomAttribute7"], &read["CustomAttribute8"]), (&json!("seven"), &json!("")));
    assert_ne!(read["WhenChangedUTC"], first["WhenChangedUTC"]);
    assert_eq!(
        bench.call("Get-User", json!({"Identity": id})).await["value"][0]["DisplayName"],
        "新しい 名前 🌸"
    );
    let rooms = bench.call("Get-Mailbox", json!({"Filter": "RecipientTypeDetails -eq 'RoomMailbox'"})).await;
    assert!(rooms["value"].as_array().unwrap().iter().any(|room| room["Guid"] == id));

    let new_primary = json!({"Identity": id, "EmailAddresses": ["SMTP:only@contoso.example"]});
    bench.call("Set-Mailbox", new_primary).await;
    let read = bench.call("Get-CASMailbox", json!({"Identity": id})).await["value"][0].clone();
    assert_eq!(read["PrimarySmtpAddress"], "only@contoso.example");
    for (bad, kind) in [
        (json!(["smtp:a@contoso.example"]), "RecipientTaskException"),
        (json!(["SMTP:a@elsewhere.example"]), "NotAcceptedDomainException"),
    ] {
        let failure = bench.fails("Set-Mailbox", json!({"Identity": id, "EmailAddresses": bad})).await;
        assert_eq!(exception(&failure), (400, kind));
    }
    let other = bench.call("Get-Mailbox", json!({"ResultSize": 2})).await["value"][1].clone();
    let taken = format!("smtp:{}", other["PrimarySmtpAddress"].as_str().unwrap());
    let add = json!({"@odata.type": "#Exchange.GenericHashTable", "add": taken});
    let failure = bench.fails("Set-Mailbox", json!({"Identity": id, "EmailAddresses": add})).await;
    assert_eq!(exception(&failure), (400, "ProxyAddressExistsException"));
    let null = json!({"Identity": id, "ForwardingSmtpAddress": null});
    bench.call("Set-Mailbox", null).await;
    let read = bench.call("Get-Mailbox", json!({"Identity": id})).await["value"][0].clone();
    assert_eq!(read["ForwardingSmtpAddress"], Value::Null);
}

#[tokio::test]
async fn what_if_and_confirm_change_nothing() {
    let bench = start(Options::default()).await;
    for ask in ["WhatIf", "Confirm"] {
        let asked = bench.call("Set-TransportConfig", json!({"ClearCategories": false, ask: true})).await;
        assert!(asked["@adminapi.confirmationmessage"].as_str().unwrap().contains("Set-TransportConfig"));
        assert_eq!(bench.call("Get-TransportConfig", json!({})).await["value"][0]["ClearCategories"], true);
    }
    bench.call("Set-TransportConfig", json!({"ClearCategories": false, "Confirm": false})).await;
    assert_eq!(bench.call("Get-TransportConfig", json!({})).await["value"][0]["ClearCategories"], false);
}

#[tokio::test]
async fn permissions_are_added_once_and_removed_once() {
    let bench = start(Options::default()).await;
    let two = bench.call("Get-Mailbox", json!({"ResultSize": 2})).await;
    let (mailbox, user) = (two["value"][0]["Guid"].clone(), two["value"][1]["UserPrincipalName"].clone());
    let entry = json!({"Identity": mailbox, "User": user, "AccessRights": ["FullAccess"], "Confirm": false});
    let warned = |answer: &Value| !answer["@adminapi.warnings"].as_array().unwrap().is_empty();
    assert!(!warned(&bench.call("Add-MailboxPermission", entry.clone()).await));
    assert!(warned(&bench.call("Add-MailboxPermission", entry.clone()).await));
    let read = bench.call("Get-MailboxPermission", json!({"Identity": mailbox, "User": user})).await;
    assert_eq!(read["value"][0]["AccessRights"], json!(["FullAccess"]));
    assert!(!warned(&bench.call("Remove-MailboxPermission", entry.clone()).await));
    assert!(warned(&bench.call("Remove-MailboxPermission", entry).await));
    let rest = bench.call("Get-MailboxPermission", json!({"Identity": mailbox})).await;
    assert_eq!(rest["value"][0]["User"], "NT AUTHORITY\\SELF");
}

#[tokio::test]
async fn every_read_has_something_to_show_and_select_trims_it() {
    let bench = start(Options::default()).await;
    let first = bench.call("Get-Mailbox", json!({"ResultSize": 1})).await["value"][0].clone();
    let (id, start) = (first["Guid"].clone(), &first["Alias"].as_str().unwrap()[..3]);
    for (cmdlet, parameters) in [
        ("Get-OrganizationConfig", json!({})),
        ("Get-AcceptedDomain", json!({})),
        ("Get-RemoteDomain", json!({"Identity": "Default"})),
        ("Get-MailboxStatistics", json!({"Identity": id})),
        ("Get-Recipient", json!({"ResultSize": "3"})),
        ("Get-User", json!({"ResultSize": 2})),
        ("Get-Mailbox", json!({"Anr": start})),
        ("Get-CASMailbox", json!({"Filter": "MAPIEnabled -eq 'True'", "ResultSize": "Unlimited"})),
    ] {
        let shown = bench.call(cmdlet, parameters).await;
        assert!(!shown["value"].as_array().unwrap().is_empty(), "{cmdlet}");
        let context = shown["@odata.context"].as_str().unwrap();
        assert!(context.ends_with("/$metadata#Collection(Exchange.GenericHashTable)"), "{context}");
    }
    let mailboxes = bench.call("Get-Mailbox", json!({"ResultSize": "Unlimited"})).await;
    let mut rules = 0;
    for mailbox in mailboxes["value"].as_array().unwrap() {
        let shown = bench.call("Get-InboxRule", json!({"Mailbox": mailbox["PrimarySmtpAddress"]})).await;
        rules += shown["value"].as_array().unwrap().len();
    }
    assert!(rules > 0, "a few mailboxes have rules");
    let url = format!("{}?$select=identity,Guid,NoSuchThing", bench.url());
    let trimmed = bench.request(&url, "Get-Mailbox", &json!({"Identity": id})).send().await.unwrap();
    let trimmed: Value = trimmed.json().await.unwrap();
    let names: Vec<&String> = trimmed["value"][0].as_object().unwrap().keys().collect();
    assert_eq!(names, ["Identity", "Guid@data.type", "Guid@odata.type", "Guid"]);
}

#[tokio::test]
async fn headers_are_the_services() {
    let bench = start(Options::default()).await;
    let request = bench.request(&bench.url(), "Get-OrganizationConfig", &json!({}));
    let id = "5b8f0a86-6c0e-4b35-9a38-0d6d3f2c1b11";
    let request = request.header("client-request-id", id).header("prefer", "odata.maxpagesize=7");
    let answer = request.send().await.unwrap();
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(
        header("content-type"),
        "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
    );
    assert_eq!((header("client-request-id"), header("odata-version")), (id.to_owned(), "4.0".to_owned()));
    assert_eq!(header("preference-applied"), "odata.maxpagesize=7");
    assert_eq!(header("x-exorun-emulator"), "1");
    assert!(header("set-cookie").starts_with("exchangecookie="));
    for name in ["request-id", "x-calculatedbetarget", "x-feserver"] {
        assert!(!header(name).is_empty());
    }
}

#[tokio::test]
async fn the_default_tenant_has_something_for_every_job() {
    let bench = start(Options::default()).await;
    let all = bench.call("Get-Mailbox", json!({"ResultSize": "Unlimited"})).await;
    let forwards = |to: &str| {
        let ends =
            |mailbox: &&Value| mailbox["ForwardingSmtpAddress"].as_str().is_some_and(|a| a.ends_with(to));
        all["value"].as_array().unwrap().iter().filter(ends).count()
    };
    assert_eq!(all["value"].as_array().unwrap().len(), 50);
    assert!(forwards("@fabrikam.example") > 0, "nobody forwards outside");
    assert!(forwards("@contoso.example") > 0, "nobody forwards inside");
    let open =
        bench.call("Get-CASMailbox", json!({"Filter": "SmtpClientAuthenticationDisabled -eq $null"})).await;
    assert!(!open["value"].as_array().unwrap().is_empty(), "nobody inherits");
    let mut outside = 0;
    for mailbox in all["value"].as_array().unwrap() {
        let rules = bench.call("Get-InboxRule", json!({"Mailbox": mailbox["Guid"]})).await;
        outside += usize::from(rules["value"].to_string().contains("@fabrikam.example"));
    }
    assert!(outside > 0, "no rule forwards outside");
}

#[tokio::test]
async fn policies_and_automatic_replies_are_set() {
    let bench = start(Options::default()).await;
    let off = json!({"Identity": "default", "AutoForwardingMode": "off"});
    bench.call("Set-HostedOutboundSpamFilterPolicy", off).await;
    let policy = bench.call("Get-HostedOutboundSpamFilterPolicy", json!({})).await["value"][0].clone();
    assert_eq!(policy["AutoForwardingMode"], "Off");
    assert_eq!(bench.call("Get-ExternalInOutlook", json!({})).await["value"][0]["AllowList"], json!([""]));
    let id = bench.call("Get-Mailbox", json!({"ResultSize": 1})).await["value"][0]["Guid"].clone();
    let reply = json!({"Identity": id, "AutoReplyState": "Enabled", "InternalMessage": "不在です"});
    bench.call("Set-MailboxAutoReplyConfiguration", reply).await;
    let read =
        bench.call("Get-MailboxAutoReplyConfiguration", json!({"Identity": id})).await["value"][0].clone();
    assert_eq!(read["InternalMessage"], "<html>\n<body>\n不在です\n</body>\n</html>\n");
    let failure = bench.fails("Get-MailboxAutoReplyConfiguration", json!({})).await;
    assert_eq!(failure.0, 400);
}

#[tokio::test]
async fn bodies_are_compressed_for_those_who_ask() {
    for (compression, expected) in [(Compression::Gzip, true), (Compression::Off, false)] {
        let mut bench = start(Options { compression, ..Options::default() }).await;
        let ca = reqwest::Certificate::from_pem(bench.emulator.ca_pem().as_bytes()).unwrap();
        bench.client = Client::builder().tls_certs_only([ca]).no_proxy().no_gzip().build().unwrap();
        let asked = bench.request(&bench.url(), "Get-Mailbox", &json!({}));
        let asked = asked.header("accept-encoding", "gzip").send().await.unwrap();
        assert_eq!(asked.headers().get("content-encoding").is_some_and(|value| value == "gzip"), expected);
        let plain = bench.send("Get-Mailbox", json!({})).await;
        assert!(!plain.headers().contains_key("content-encoding"));
        let small = bench.request(&bench.url(), "Set-CASMailbox", &json!({"Identity": "nobody"}));
        let small = small.header("accept-encoding", "gzip").send().await.unwrap();
        assert!(!small.headers().contains_key("content-encoding"), "it is not worth it");
    }
}
