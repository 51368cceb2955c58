//! A job that sends a secret, against a service that has a key: what is sent opens to the secret, and nothing that the
//! run leaves behind holds it.

use std::sync::Arc;

use serde_json::{Value, json};

use super::components::has;
use super::module_key::ModuleKey;
use super::program::{Tenant, ended};
use super::scripted_service::ScriptedService;

const CANARY: &str = "canary-2b8e-password-of-anna";

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_of_a_job_is_sent_encrypted_and_is_nowhere_else() {
    if !has("openssl", "a_secret_of_a_job_is_sent_encrypted_and_is_nowhere_else") {
        return;
    }
    let key = Arc::new(ModuleKey::new());
    let served = Arc::clone(&key);
    let service = ScriptedService::start(move |seen, _| match seen.method.as_str() {
        "GET" => (200, served.module_file()),
        // The second mailbox is refused, because error texts are where secrets leak.
        _ if seen.body.contains("bert") => {
            (400, json!({"error": {"code": "BadRequest", "message": "Too weak."}}).to_string())
        }
        _ => (200, json!({"value": []}).to_string()),
    })
    .await;
    let tenant = Tenant::with(1, &[]).await;
    let authorities = format!("{}\n{}", tenant.emulator.ca_pem(), service.ca_pem);
    std::fs::write(tenant.path("ca.pem"), authorities).unwrap();
    std::fs::write(tenant.path("password"), format!("{CANARY}\n")).unwrap();
    let steps = format!(
        "  - name: password\n    cmdlet: Set-Mailbox\n    parameters:\n      Identity: anna@contoso.example\n      Password:\n        \
         env: NEW_PASSWORD\n  - name: endpoint\n    cmdlet: New-MigrationEndpoint\n    parameters:\n      Name: old\n      IMAP: true\n      \
         Credentials:\n        user_name: ${{{{ run.id }}}}\n        password:\n          file: {}\n  - name: refused\n    cmdlet: Set-Mailbox\n    \
         parameters:\n      Identity: bert@contoso.example\n      Password:\n        env: NEW_PASSWORD\n",
        tenant.path("password").display()
    );
    let job = tenant.job("", &steps);
    for format in ["human", "json"] {
        let before = service.seen().len();
        let mut command = tenant.exorun(&["run", job.to_str().unwrap(), "--report", "report.json"]);
        command.args(["--log-level", "trace", "--log-format", format, "--metrics-file", "run.prom"]);
        command.env("EXORUN_EXCHANGE_ENDPOINT", &service.endpoint).env("NEW_PASSWORD", CANARY);
        let run = ended(command.spawn().unwrap()).await;
        run.assert_code(1);
        let seen = service.seen().split_off(before);
        let sent = |at: usize, name: &str| {
            let body: Value = serde_json::from_str(&seen[at].body).unwrap();
            key.opened(body["CmdletInput"]["Parameters"][name].as_str().unwrap()).unwrap()
        };
        assert_eq!(seen[0].method, "GET", "the key comes first");
        assert_eq!(sent(1, "Password"), CANARY);
        let credential: Value = serde_json::from_str(&sent(2, "Credentials")).unwrap();
        assert_eq!(credential["Password"], CANARY);
        let report = std::fs::read_to_string(tenant.path("report.json")).unwrap();
        let run_id = serde_json::from_str::<Value>(&report).unwrap()["run_id"].clone();
        assert_eq!(credential["UserName"], run_id);
        let metrics = std::fs::read_to_string(tenant.path("run.prom")).unwrap();
        assert!(run.stderr.contains("TRACE") && run.stderr.contains("Password"), "the write log names it");
        for (place, text) in
            [("output", &run.stdout), ("log", &run.stderr), ("report", &report), ("metrics", &metrics)]
        {
            assert!(!text.contains(CANARY), "{place}");
        }
        let headers = seen.iter().flat_map(|seen| &seen.headers);
        assert!(headers.clone().count() > 0 && headers.clone().all(|(_, value)| !value.contains("canary")));
        assert!(seen.iter().all(|seen| !seen.body.contains("canary") && !seen.target.contains("canary")));
    }
}
