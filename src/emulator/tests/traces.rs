//! Message traces and audit searches, page by page. Source: protocol reference, 3.9.

use super::*;

#[tokio::test]
async fn a_message_trace_is_read_page_by_page_in_both_ways() {
    let bench = start(Options::default()).await;
    let (start_date, end_date) = ("2026-01-01T00:00:00", "2026-01-01T12:00:00");
    let (mut all, mut page) = (Vec::new(), 1);
    loop {
        assert!(page < 20, "it ends");
        let part = bench
            .call(
                "Get-MessageTrace",
                json!({"StartDate": start_date, "EndDate": end_date, "PageSize": 100, "Page": page}),
            )
            .await;
        let part = part["value"].as_array().unwrap().clone();
        if part.is_empty() {
            break;
        }
        all.extend(part);
        page += 1;
    }
    assert!(all.len() > 360, "{} messages of twelve hours", all.len());
    let (mut seen, mut from) =
        (Vec::new(), json!({"StartDate": start_date, "EndDate": end_date, "ResultSize": 100}));
    loop {
        assert!(seen.len() <= all.len(), "it ends");
        let part = bench.call("Get-MessageTraceV2", from.clone()).await;
        let rows = part["value"].as_array().unwrap().clone();
        let Some(last) = rows.last().cloned() else { break };
        seen.extend(rows);
        if part["@adminapi.warnings"].as_array().unwrap().is_empty() {
            break;
        }
        from["EndDate"] = last["Received"].clone();
        from["StartingRecipientAddress"] = last["RecipientAddress"].clone();
    }
    let ids = |rows: &[Value]| rows.iter().map(|row| row["MessageTraceId"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&seen), ids(&all), "nothing twice, nothing missing");
    for bad in
        [json!({"PageSize": 5001}), json!({"PageSize": 0}), json!({"Page": 1001}), json!({"Status": "Lost"})]
    {
        assert_eq!(bench.fails("Get-MessageTrace", bad.clone()).await.0, 400, "{bad}");
    }
    assert_eq!(bench.fails("Get-MessageTraceV2", json!({"ResultSize": 5001})).await.0, 400);
    let failed = bench
        .call(
            "Get-MessageTraceV2",
            json!({"StartDate": start_date, "EndDate": end_date, "Status": ["Failed"]}),
        )
        .await;
    assert!(failed["value"].as_array().unwrap().iter().all(|row| row["Status"] == "Failed"));
}

#[tokio::test]
async fn an_audit_search_goes_on_in_its_session() {
    let bench = start(Options::default()).await;
    let search = json!({
        "StartDate": "2026-01-01", "EndDate": "2026-01-02", "SessionId": "s1", "SessionCommand": "ReturnLargeSet",
        "ResultSize": 60,
    });
    let mut indexes = Vec::new();
    loop {
        assert!(indexes.len() <= 145, "it ends");
        let part = bench.call("Search-UnifiedAuditLog", search.clone()).await;
        let part = part["value"].as_array().unwrap().clone();
        if part.is_empty() {
            break;
        }
        assert!(part.len() <= 60 && part[0]["ResultCount"] == 145);
        indexes.extend(part.iter().map(|record| record["ResultIndex"].as_u64().unwrap()));
    }
    assert_eq!(indexes, (1..=145).collect::<Vec<_>>(), "every ten minutes of a day");
    let failure = bench.fails("Search-UnifiedAuditLog", json!({"StartDate": "2026-01-01"})).await;
    assert!(failure.0 == 400 && failure.1.contains("EndDate"), "{failure:?}");
}
