//! The captured requests before an independent judge: `check.py` and a JSON Schema, both written from the protocol
//! reference, and `jsonschema` of Python.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::components::{has, skip};
use super::module_key::ModuleKey;
use super::scripted_service::{ScriptedService, Seen};
use super::secrets::{PASSWORD, set_password};
use super::wire::{Answers, Asking};
use super::{calls, nothing, page};

/// A Python that has `jsonschema`: the one beside `check-jsonschema`, else the system's.
fn python(test: &str) -> Option<PathBuf> {
    let beside = Path::new("target/tools/python/bin/python3").canonicalize().ok();
    let python = beside.unwrap_or_else(|| PathBuf::from("python3"));
    if !has("python3", test) {
        return None;
    }
    let there = Command::new(&python).args(["-c", "import jsonschema"]).output().unwrap();
    if !there.status.success() {
        skip(test, "Python's jsonschema is not installed: start the tests by tests/run");
        return None;
    }
    Some(python)
}

fn record(service: &str, call: &str, seen: &Seen) -> Value {
    let headers: serde_json::Map<String, Value> =
        seen.headers.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
    let body: Value =
        if seen.body.is_empty() { Value::Null } else { serde_json::from_str(&seen.body).unwrap() };
    json!({"service": service, "call": call, "method": seen.method, "target": seen.target, "headers": headers, "body": body})
}

/// All calls of the snapshots, and listings of several pages.
async fn captured() -> Vec<Value> {
    let mut records = Vec::new();
    let single = [calls::values(), calls::anchors(), calls::confirm(), calls::exo()];
    for (name, asking) in single.into_iter().flatten() {
        let service = if name.contains("Security & Compliance") { "scc" } else { "exo" };
        for seen in asking.sent(Answers::Nothing).await.seen {
            records.push(record(service, name, &seen));
        }
    }
    let link =
        "/adminapi/beta/11111111-2222-3333-4444-555555555555/InvokeCommand?$select=Guid&$skiptoken=two";
    let two = |next| page(vec![json!({"Guid": 1}), json!({"Guid": 2})], next);
    let listings = [
        (
            Asking::new("Get-Mailbox", json!({"ResultSize": "Unlimited"})).select(&["Guid"]),
            vec![two(Some(link)), nothing()],
        ),
        (Asking::new("Get-QuarantineMessage", json!({"PageSize": 2})), vec![two(None), two(None), nothing()]),
        (
            Asking::new(
                "Search-UnifiedAuditLog",
                json!({"StartDate": "2026-01-01", "EndDate": "2026-01-31"}),
            ),
            vec![two(None), nothing()],
        ),
    ];
    for (asking, pages) in listings {
        let answers = Answers::InTurn(pages.into_iter().map(|page| (200, page)).collect());
        let sent = asking.sent(answers).await;
        sent.items.unwrap();
        assert!(sent.seen.len() > 1, "{}", asking.cmdlet);
        records.extend(sent.seen.iter().map(|seen| record("exo", asking.cmdlet, seen)));
    }
    let batch = super::wire::together(&calls::together()).await;
    records.extend(batch.iter().map(|seen| record("exo", "several together", seen)));
    let file = ModuleKey::new().module_file();
    let service = ScriptedService::start(move |seen, _| {
        (200, if seen.method == "GET" { file.clone() } else { nothing() })
    })
    .await;
    set_password(PASSWORD).call(&service, 1).await.pop().unwrap().unwrap();
    records.extend(service.seen().iter().map(|seen| record("exo", "a password", seen)));
    records
}

/// What the judge says, and whether it takes them.
fn judged(python: &Path, records: &[Value]) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("requests.jsonl");
    let lines: Vec<String> = records.iter().map(Value::to_string).collect();
    std::fs::write(&path, lines.join("\n")).unwrap();
    let output = Command::new(python)
        .args(["tests/wire/check.py", "tests/wire/request.schema.json"])
        .arg(&path)
        .output()
        .unwrap();
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.success(), said)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_written_from_the_reference_takes_every_request_and_no_broken_one() {
    let test = "a_reader_written_from_the_reference_takes_every_request_and_no_broken_one";
    let Some(python) = python(test).filter(|_| has("openssl", test)) else { return };
    let records = captured().await;
    assert!(records.len() >= 60, "{}", records.len());
    let (is_taken, said) = judged(&python, &records);
    assert!(is_taken, "{said}");
    assert!(said.contains(&format!("{} requests are in order", records.len())), "{said}");

    let parameters = "/body/CmdletInput/Parameters";
    let breaks: Vec<(&str, String, Option<Value>)> = vec![
        ("no parameters", parameters.to_owned(), Some(Value::Null)),
        ("no parameters", "/method".to_owned(), Some("GET".into())),
        ("no parameters", "/target".to_owned(), Some("/adminapi/beta/t/InvokeCommand".into())),
        ("no parameters", "/headers/authorization".to_owned(), None),
        ("no parameters", "/headers/x-requestid".to_owned(), Some("x".into())),
        ("no parameters", "/headers/user-agent".to_owned(), Some("Mozilla/5.0 PowerShell/7.4".into())),
        ("no parameters", "/headers/prefer".to_owned(), Some("odata.maxpagesize=1001".into())),
        ("no parameters", "/headers/x-anchormailbox".to_owned(), Some("anna".into())),
        ("no parameters", "/headers/x-cmdletname".to_owned(), Some("Get-Mailbox".into())),
        ("a switch", "/headers/x-anchormailbox".to_owned(), None),
        ("a list that is edited", format!("{parameters}/EmailAddresses/@odata.type"), None),
        ("an emptied list", format!("{parameters}/AllowedSenderDomains"), Some(json!({}))),
        ("a hash table in another", format!("{parameters}/FilterConditions/Conditions/@odata.type"), None),
        ("a list of hash tables", format!("{parameters}/ContentContainsSensitiveInformation@odata.type"), None),
        ("a list of hash tables", format!("{parameters}/ContentContainsSensitiveInformation/0/groups@odata.type"), None),
        ("bytes", format!("{parameters}/FileData/Data"), Some(json!([256]))),
        ("bytes", format!("{parameters}/FileData/Data"), Some("AAH/Lw==".into())),
        ("a list of bytes", format!("{parameters}/NewerThanTheCatalog/0/Data"), Some(json!([-1]))),
        ("a date with an offset", format!("{parameters}/EndDateForRetentionHold"), Some("2026-01-31T08:00:00+09:00".into())),
        ("common parameters", format!("{parameters}/Verbose"), Some(true.into())),
        ("a filter", format!("{parameters}/Filter"), Some("A -eq $True".into())),
        ("an application in Security & Compliance", "/headers/x-anchormailbox".to_owned(), Some("APP:SystemMailbox{bb558c35-97f1-4cb9-8ff7-d53741dc928c}@11111111-2222-3333-4444-555555555555".into())),
        ("audit settings", "/headers/x-anchormailbox".to_owned(), Some("APP:SystemMailbox{bb558c35-97f1-4cb9-8ff7-d53741dc928c}@contoso.onmicrosoft.com".into())),
        ("routed by address", "/headers/parameter-based-routing".to_owned(), None),
        ("routed by address", format!("{parameters}/UseCustomRouting"), Some(true.into())),
        ("an application", "/headers/parameter-based-routing".to_owned(), Some("true".into())),
        ("high impact", format!("{parameters}/Confirm"), None),
        ("Get-EXOMailbox", "/body/CmdletInput/CmdletName".to_owned(), Some("Get-EXOMailbox".into())),
        ("several together", "/body/requests/1/id".to_owned(), Some("0".into())),
        ("several together", "/body/requests/1/headers/Prefer".to_owned(), None),
        ("several together", "/body/requests/1/url".to_owned(), Some("/adminapi/beta/t/InvokeCommand".into())),
        ("several together", "/body/requests/1/body/CmdletInput/CmdletName".to_owned(), Some("Set-CASMailbox".into())),
        ("several together", "/headers/prefer".to_owned(), None),
    ];
    for (call, place, value) in breaks {
        let mut broken: Vec<Value> =
            records.iter().filter(|record| record["call"] == call).cloned().collect();
        assert_eq!(broken.len(), 1, "{call}");
        let (parent, name) = place.rsplit_once('/').unwrap();
        let parent = broken[0].pointer_mut(parent).unwrap().as_object_mut().unwrap();
        match value.clone() {
            Some(value) => parent.insert(name.to_owned(), value),
            None => parent.remove(name),
        };
        let (is_taken, said) = judged(&python, &broken);
        assert!(!is_taken, "{call}: {place} = {value:?} was taken: {said}");
        assert!(said.contains("request 1"), "{said}");
    }
    let mut file: Vec<Value> = records.iter().filter(|record| record["method"] == "GET").cloned().collect();
    assert_eq!(file.len(), 1);
    file[0]["headers"].as_object_mut().unwrap().remove("commandname");
    let (is_taken, said) = judged(&python, &file);
    assert!(!is_taken, "two megabytes: {said}");
    let mut pages: Vec<Value> =
        records.iter().filter(|record| record["call"] == "Get-Mailbox").cloned().collect();
    pages[1]["headers"]["client-request-id"] = "22222222-2222-3333-4444-555555555555".into();
    let (is_taken, said) = judged(&python, &pages);
    assert!(!is_taken && said.contains("another client-request-id"), "{said}");
}
