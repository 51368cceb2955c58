//! Reads made together come to the same as reads made one by one, whatever happens on the way.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::module_key::ModuleKey;
use super::program::{Ended, Tenant, ended};
use super::scripted_service::ScriptedService;

/// A job against a service that does as it is told; sign-in is the emulator's.
async fn scripted(service: &ScriptedService, steps: &str, more: &[(&str, &str)]) -> (Tenant, Ended) {
    let (tenant, mut command) = command(service, steps).await;
    command.envs(more.iter().copied());
    (tenant, ended(command.spawn().unwrap()).await)
}

async fn command(service: &ScriptedService, steps: &str) -> (Tenant, tokio::process::Command) {
    let tenant = Tenant::with(1, &[]).await;
    let both = format!("{}\n{}", tenant.emulator.ca_pem(), service.ca_pem);
    std::fs::write(tenant.path("ca.pem"), both).unwrap();
    let job = tenant.job("", steps);
    let mut command = tenant.exorun(&["run", job.to_str().unwrap()]);
    command.env("EXORUN_EXCHANGE_ENDPOINT", &service.endpoint);
    (tenant, command)
}

fn output(tenant: &Tenant) -> Value {
    serde_json::from_slice(&std::fs::read(tenant.path("out.json")).unwrap()).unwrap()
}

const MEMBERS: &str = "  - name: members
    for_each: '[\"a\", \"b\"]'
    cmdlet: Get-DistributionGroupMember
    parameters:
      Identity: ${{ item }}
      ResultSize: Unlimited
    select: [Name]
    output:
      path: out.json
      format: json
";

const LINK: &str = "/adminapi/beta/t/InvokeCommand?$skiptoken=x";

#[tokio::test(flavor = "multi_thread")]
async fn a_read_with_a_secret_goes_alone_and_has_it() {
    let key = Arc::new(ModuleKey::new());
    let served = Arc::clone(&key);
    let service = ScriptedService::start(move |seen, _| match seen.method.as_str() {
        "GET" => (200, served.module_file()),
        _ => (200, json!({"value": [{"Eml": "x"}]}).to_string()),
    })
    .await;
    let steps = "  - name: export
    for_each: '[\"a\", \"b\"]'
    cmdlet: Export-QuarantineMessage
    parameters:
      Identity: ${{ item }}
      Password:
        env: NEW_PASSWORD
";
    let (_tenant, run) = scripted(&service, steps, &[("NEW_PASSWORD", "canary")]).await;
    run.assert_code(0);
    let bodies: Vec<String> =
        service.seen().iter().map(|seen| seen.body.clone()).filter(|body| !body.is_empty()).collect();
    assert_eq!(bodies.len(), 2, "{bodies:?}");
    assert!(bodies.iter().all(|body| body.contains("\"Password\":\"")), "{bodies:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_ends_between_a_members_pages_doubles_nothing() {
    for size in ["1", "10"] {
        let links = AtomicUsize::new(0);
        let service = ScriptedService::start(move |seen, _| {
            let first = json!({"value": [{"Name": "first"}], "@odata.nextLink": LINK});
            if seen.target.contains("skiptoken") {
                return match links.fetch_add(1, Ordering::SeqCst) {
                    0 => (401, String::new()),
                    _ => (200, json!({"value": [{"Name": "second"}]}).to_string()),
                };
            }
            if seen.target.ends_with("$batch") {
                let nothing = json!({"id": "1", "status": 200, "body": {"value": []}});
                let answers = json!({"responses": [{"id": "0", "status": 200, "body": first}, nothing]});
                return (200, answers.to_string());
            }
            let is_other = seen.body.contains("\"b\"");
            (200, if is_other { json!({"value": []}).to_string() } else { first.to_string() })
        })
        .await;
        let (tenant, run) = scripted(&service, MEMBERS, &[("EXORUN_BATCH_SIZE", size)]).await;
        run.assert_code(0);
        assert_eq!(output(&tenant), json!([{"Name": "first"}, {"Name": "second"}]), "batch_size {size}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_comes_twice_is_nobodys() {
    let service = ScriptedService::start(|seen, _| {
        let of =
            |id: Value, name: &str| json!({"id": id, "status": 200, "body": {"value": [{"Name": name}]}});
        if seen.target.ends_with("$batch") {
            let answers = [of(json!("0"), "of a"), of(json!("1"), "of b"), of(json!(0), "of somebody")];
            return (200, json!({"responses": answers}).to_string());
        }
        (200, json!({"value": [{"Name": "asked again"}]}).to_string())
    })
    .await;
    let (tenant, run) = scripted(&service, MEMBERS, &[]).await;
    run.assert_code(0);
    assert_eq!(output(&tenant), json!([{"Name": "asked again"}, {"Name": "of b"}]));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_object_under_two_names_ends_as_the_last_of_them_says() {
    for size in ["1", "10"] {
        let tenant = Tenant::with(10, &[]).await;
        let steps = "  - name: some
    cmdlet: Get-Mailbox
    parameters:
      ResultSize: 1
  - name: both
    for_each: '[{\"name\": steps.some.first.Guid, \"on\": false}, {\"name\": steps.some.first.PrimarySmtpAddress, \"on\": true}]'
    ensure: CASMailbox
    identity: ${{ item.name }}
    properties:
      PopEnabled: ${{ item.on }}
  - name: after
    cmdlet: Get-CASMailbox
    parameters:
      Identity: ${{ steps.some.first.Guid }}
    select: [PopEnabled]
    output:
      path: out.json
      format: json
";
        let job = tenant.job("limits:\n  max_sessions: 1\n", steps);
        let mut command = tenant.exorun(&["run", job.to_str().unwrap()]);
        command.env("EXORUN_BATCH_SIZE", size);
        ended(command.spawn().unwrap()).await.assert_code(0);
        assert_eq!(output(&tenant), json!([{"PopEnabled": true}]), "batch_size {size}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_told_to_stop_while_a_member_waits_was_interrupted() {
    let service = ScriptedService::start(|seen, _| {
        if !seen.target.ends_with("$batch") {
            return (429, "Too many requests".to_owned());
        }
        let later =
            json!({"id": "0", "status": 429, "headers": {"Retry-After": "60"}, "body": "Too many requests"});
        (200, json!({"responses": [later, {"id": "1", "status": 200, "body": {"value": []}}]}).to_string())
    })
    .await;
    let (_tenant, mut command) = command(&service, MEMBERS).await;
    let child = command.spawn().unwrap();
    let pid = Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap()).unwrap();
    while service.seen().is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    kill_process(pid, Signal::TERM).unwrap();
    ended(child).await.assert_code(75);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_link_in_a_listing_that_the_service_remembers_begins_it_again() {
    let service = ScriptedService::start(|seen, number| {
        let page = |row: u32, link: Option<&str>| {
            let mut page = json!({"value": [{"Identity": row.to_string()}]});
            if let Some(link) = link {
                page["@odata.nextLink"] = link.into();
            }
            (200, page.to_string())
        };
        if seen.target.contains("skiptoken") {
            let text = "Expired or Invalid pagination request. Default Expiry time is 00:30:00";
            return (400, json!({"error": {"code": "BadRequest", "message": text}}).to_string());
        }
        match number {
            0 => page(1, Some(LINK)),
            // The service goes on where it was, under the same name.
            2 => page(2, None),
            3 => page(1, None),
            4 => page(2, None),
            _ => (200, json!({"value": []}).to_string()),
        }
    })
    .await;
    let steps = "  - name: log
    cmdlet: Search-UnifiedAuditLog
    parameters:
      StartDate: 2026-01-01
      EndDate: 2026-01-02
    output:
      path: out.json
      format: json
";
    let (tenant, run) = scripted(&service, steps, &[]).await;
    run.assert_code(0);
    assert_eq!(output(&tenant), json!([{"Identity": "1"}, {"Identity": "2"}]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_arrives_between_two_numbered_pages_doubles_none() {
    let service = ScriptedService::start(|seen, _| {
        let body: Value = serde_json::from_str(&seen.body).unwrap();
        let rows: &[u32] = match body["CmdletInput"]["Parameters"]["Page"].as_u64() {
            Some(1) => &[0, 1],
            Some(2) => &[1],
            _ => &[],
        };
        let rows: Vec<Value> = rows.iter().map(|row| json!({"Identity": row.to_string()})).collect();
        (200, json!({"value": rows}).to_string())
    })
    .await;
    let steps = "  - name: messages
    cmdlet: Get-QuarantineMessage
    parameters:
      PageSize: 2
    output:
      path: out.json
      format: json
";
    let (tenant, run) = scripted(&service, steps, &[]).await;
    run.assert_code(0);
    assert_eq!(output(&tenant), json!([{"Identity": "0"}, {"Identity": "1"}]));
}
