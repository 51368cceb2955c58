//! Answers that give back what was sent: no secret of a request is in a message.

use serde_json::json;

use super::program::{Ended, Tenant, ended};
use super::scripted_service::{ScriptedService, Seen};

const LISTING: &str = "  - name: one\n    cmdlet: Get-Mailbox\n    select: [DisplayName]\n";
/// Reads that go together.
const LOOP: &str = "inputs:\n  who:\n    type: list\n    default: [a, b, c]\n";
const READS: &str = "  - name: each\n    for_each: inputs.who\n    cmdlet: Get-Mailbox\n    parameters:\n      Identity: ${{ item }}\n";

async fn run(service: &ScriptedService, setting: &str, middle: &str, steps: &str) -> (Ended, String) {
    let tenant = Tenant::with(1, &[]).await;
    let authorities = format!("{}\n{}", tenant.emulator.ca_pem(), service.ca_pem);
    std::fs::write(tenant.path("ca.pem"), authorities).unwrap();
    let job = tenant.job(middle, steps);
    let mut command =
        tenant.exorun(&["run", job.to_str().unwrap(), "--report", "report.json", "--log-level", "trace"]);
    let run = ended(command.env(setting, &service.endpoint).spawn().unwrap()).await;
    let report = std::fs::read_to_string(tenant.path("report.json")).unwrap();
    (run, report)
}

fn token(seen: &Seen) -> String {
    let bearer = seen.headers.iter().find(|(name, _)| name == "authorization").unwrap().1.clone();
    bearer.strip_prefix("Bearer ").unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_service_that_quotes_the_request() {
    let service = ScriptedService::start(|seen, _| {
        if seen.method == "GET" {
            return (200, "{}".to_owned());
        }
        let said = format!("AADSTS7000215: Invalid client secret: {}", seen.body);
        (401, json!({"error": "invalid_client", "error_description": said}).to_string())
    })
    .await;
    // `ended` looks for the secret.
    let (run, report) = run(&service, "EXORUN_LOGIN_ENDPOINT", "", LISTING).await;
    run.assert_code(77);
    assert!(run.stderr.contains("Invalid client secret: "), "{}", run.stderr);
    assert!(run.stderr.contains("client_secret=***"), "{}", run.stderr);
    assert!(!report.contains(super::program::CLIENT_SECRET), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_in_its_place_that_quotes_the_request() {
    for status in [200, 403] {
        let service = ScriptedService::start(move |seen, _| {
            (status, format!("<html><title>Blocked: {}</title></html>", seen.body))
        })
        .await;
        let (run, report) = run(&service, "EXORUN_LOGIN_ENDPOINT", "", LISTING).await;
        run.assert_code(1);
        assert!(run.stderr.contains("client_secret=***"), "{}", run.stderr);
        assert!(!report.contains(super::program::CLIENT_SECRET), "{report}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_quotes_the_token() {
    type Answer = fn(&str) -> (u16, String);
    let answers: [(Answer, i32); 4] = [
        (|token| (400, json!({"error": {"code": "x", "message": format!("said {token}")}}).to_string()), 1),
        (|token| (400, format!("said {token}")), 1),
        (|token| (200, json!({"value": [], "@adminapi.warnings": [format!("said {token}")]}).to_string()), 0),
        (|token| (200, json!({"value": [], "@adminapi.errors": [format!("said {token}")]}).to_string()), 1),
    ];
    for (answer, code) in answers {
        let service = ScriptedService::start(move |seen, _| answer(&token(seen))).await;
        let (run, report) = run(&service, "EXORUN_EXCHANGE_ENDPOINT", "", LISTING).await;
        run.assert_code(code);
        assert!(format!("{}{report}", run.stderr).contains("said ***"), "{}", run.stderr);
        assert_no_part(&run, &report, &token(&service.seen()[0]));
    }
    let service = ScriptedService::start(|seen, _| {
        let error = json!({"error": {"message": format!("said {}", token(seen))}});
        let member = |id: u64| json!({"id": id.to_string(), "status": 400, "headers": {}, "body": error});
        match seen.target.contains("batch") {
            true => (200, json!({"responses": [member(0), member(1), member(2)]}).to_string()),
            false => (400, error.to_string()),
        }
    })
    .await;
    let (run, report) = run(&service, "EXORUN_EXCHANGE_ENDPOINT", LOOP, READS).await;
    assert!(service.seen().iter().any(|seen| seen.target.contains("batch")), "{:?}", service.seen());
    assert!(run.stderr.contains("said ***"), "{}", run.stderr);
    assert_no_part(&run, &report, &token(&service.seen()[0]));
}

/// Nor the beginning of its claims: a token that was cut would still say too much.
#[track_caller]
fn assert_no_part(run: &Ended, report: &str, token: &str) {
    let part = &token[..40];
    for text in [&run.stdout, &run.stderr, report] {
        assert!(!text.contains(part), "{text}");
    }
}
