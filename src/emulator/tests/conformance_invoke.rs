//! Section 9 of the protocol reference, "InvokeCommand" and "Observability": bodies, switches, headers, what is kept; 3.2 to 3.8.

use super::*;

#[tokio::test]
async fn parameters_must_be_an_object_and_a_cmdlet_must_be_named() {
    let bench = start(Options::default()).await;
    for body in [
        json!({"CmdletInput": {"CmdletName": "Get-User", "Parameters": null}}),
        json!({"CmdletInput": {"CmdletName": "Get-User", "Parameters": []}}),
        json!({"CmdletInput": {"CmdletName": "Get-User"}}),
        json!({"CmdletInput": {"Parameters": {}}}),
        json!([]),
    ] {
        let request = bench.client.post(bench.url()).bearer_auth(&bench.token).json(&body);
        assert_eq!(request.send().await.unwrap().status(), 400, "{body}");
    }
}

#[tokio::test]
async fn the_routing_switch_is_no_parameter_of_the_service() {
    let bench = start(Options::default()).await;
    let (status, text) = bench.fails("Get-MailboxStatistics", json!({"UseCustomRouting": true})).await;
    assert!(
        status == 400 && text.contains("AmbiguousParameterSetException") && text.contains("UseCustomRouting")
    );
}

#[tokio::test]
async fn a_cmdlet_that_cannot_ask_does_not_know_confirm() {
    let bench = start(Options::default()).await;
    for name in ["Confirm", "confirm", "WhatIf"] {
        let (status, text) = bench.fails("Get-MailboxStatistics", json!({name: false})).await;
        assert!(status == 400 && text.contains("AmbiguousParameterSetException"), "{name}: {text}");
    }
    let (status, text) =
        bench.fails("Set-ExternalInOutlook", json!({"Enabled": true, "Confirm": false})).await;
    assert!(status == 400 && text.contains("'Confirm'"), "a write that never asks: {text}");
    let identity = bench.call("Get-Mailbox", json!({"ResultSize": 1})).await["value"][0]["Guid"].clone();
    for ask in ["Confirm", "WhatIf"] {
        let call = json!({"Identity": identity, "Office": "9", ask: true});
        let asked = bench.call("Set-Mailbox", call).await;
        assert!(asked["@adminapi.confirmationmessage"].as_str().unwrap().contains("Set-Mailbox"));
        assert_eq!(asked["value"], json!([]));
    }
    assert_eq!(bench.emulator.counters().changed_objects, 0, "asking changes nothing");
    bench.call("Set-Mailbox", json!({"Identity": identity, "Office": "9", "Confirm": false})).await;
    assert_eq!(bench.emulator.counters().changed_objects, 1);
}

#[tokio::test]
async fn select_trims_whatever_the_case() {
    let bench = start(Options::default()).await;
    let url = format!("{}?$SELECT=guid,DISPLAYNAME", bench.url());
    let answer = bench.request(&url, "Get-Mailbox", &json!({"ResultSize": 1})).send().await.unwrap();
    let body: Value = answer.json().await.unwrap();
    let names: Vec<&String> =
        body["value"][0].as_object().unwrap().keys().filter(|name| !name.contains('@')).collect();
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(names.iter().any(|name| *name == "Guid") && names.iter().any(|name| *name == "DisplayName"));
}

#[tokio::test]
async fn answers_carry_the_services_headers() {
    let bench = start(Options::default()).await;
    let request = bench.request(&bench.url(), "Get-User", &json!({})).header("client-request-id", "my-own");
    let answer = request.header("prefer", "odata.maxpagesize=7").send().await.unwrap();
    let header = |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    assert_eq!(header("client-request-id").as_deref(), Some("my-own"));
    assert_eq!(header("odata-version").as_deref(), Some("4.0"));
    assert_eq!(header("preference-applied").as_deref(), Some("odata.maxpagesize=7"));
    assert_eq!(header("x-backendhttpstatus").as_deref(), Some("200"));
    assert_eq!(header("vary").as_deref(), Some("Accept-Encoding"));
    assert_eq!(
        header("content-type").as_deref(),
        Some(
            "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
        )
    );
    for name in ["request-id", "x-calculatedbetarget", "x-calculatedfetarget", "x-feserver", "set-cookie"] {
        assert!(header(name).is_some(), "{name}");
    }
    assert_eq!(header("rate-limit-limit"), None, "only if asked for");
}

#[tokio::test]
async fn rate_limit_headers_count_down_and_refuse_nobody() {
    let bench = start(Options { rate_limit: Some(2), ..Options::default() }).await;
    let mut left = Vec::new();
    for _ in 0..4 {
        let answer = bench.send("Get-TransportConfig", json!({})).await;
        assert_eq!((answer.status().as_u16(), &answer.headers()["rate-limit-limit"] == "2"), (200, true));
        let reset = answer.headers()["rate-limit-reset"].to_str().unwrap().to_owned();
        reset.parse::<jiff::Timestamp>().expect("a time");
        left.push(answer.headers()["rate-limit-remaining"].to_str().unwrap().parse::<u32>().unwrap());
    }
    // Should the window end in between, it begins anew.
    assert!(left.iter().all(|left| *left <= 1) && left.contains(&0), "{left:?}");
}

#[tokio::test]
async fn what_came_in_is_kept_for_tests_to_look_at() {
    let bench = start(Options::default()).await;
    let identity = bench.call("Get-Mailbox", json!({"ResultSize": 1})).await["value"][0]["Guid"].clone();
    let call = json!({"Identity": identity, "Office": "9", "Confirm": false});
    let request = bench.request(&bench.url(), "Set-Mailbox", &call).header("client-request-id", "one");
    request.header("prefer", "odata.maxpagesize=5").send().await.unwrap();
    let records = bench.control("requests").await;
    let record = records.as_array().unwrap().last().unwrap();
    assert_eq!(record["headers"]["x-anchormailbox"], APP);
    assert_eq!(record["headers"]["prefer"], "odata.maxpagesize=5");
    assert_eq!(record["headers"]["client-request-id"], "one");
    assert_eq!(record["headers"]["connection-id"], "c1");
    assert_eq!(record["body"]["CmdletInput"]["Parameters"]["Confirm"], false);
    assert_eq!((&record["what"], &record["status"]), (&json!("Set-Mailbox"), &json!(200)));
    assert!(!records.to_string().contains(&bench.token), "but no token");
}
