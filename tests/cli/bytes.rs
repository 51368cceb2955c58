//! A parameter that takes the bytes of a file.

use serde_json::{Value, json};

use super::program::{Tenant, ended};
use super::scripted_service::ScriptedService;

fn steps(value: &str) -> String {
    format!(
        "  - name: rules\n    cmdlet: New-ClassificationRuleCollection\n    parameters:\n      FileData:\n        {value}\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_sent_as_its_bytes_and_a_dry_run_counts_them() {
    let service = ScriptedService::start(|_, _| (200, json!({"value": []}).to_string())).await;
    let tenant = Tenant::with(1, &[]).await;
    let authorities = format!("{}\n{}", tenant.emulator.ca_pem(), service.ca_pem);
    std::fs::write(tenant.path("ca.pem"), authorities).unwrap();
    std::fs::write(tenant.path("rules.xml"), [0, 1, 255, b'/']).unwrap();
    for (number, value) in ["file: rules.xml", "base64: AAH/Lw=="].iter().enumerate() {
        let job = tenant.job("", &steps(value));
        let run = |more: &'static [&'static str]| {
            let mut arguments = vec!["run", job.to_str().unwrap()];
            arguments.extend(more);
            let mut command = tenant.exorun(&arguments);
            ended(command.env("EXORUN_EXCHANGE_ENDPOINT", &service.endpoint).spawn().unwrap())
        };
        let dry = run(&["--dry-run"]).await;
        dry.assert_code(2);
        let line = "! New-ClassificationRuleCollection -FileData (4 bytes) -Confirm false";
        assert!(dry.stdout.contains(line), "{}", dry.stdout);
        run(&[]).await.assert_code(0);
        let seen = service.seen();
        assert_eq!(seen.len(), number + 1, "the dry run has sent nothing");
        let body: Value = serde_json::from_str(&seen[number].body).unwrap();
        assert_eq!(
            body["CmdletInput"]["Parameters"]["FileData"],
            json!({"@odata.type": "#Exchange.ByteArrayType", "Data": [0, 1, 255, 47]})
        );
    }
    let job = tenant.job("", &steps("file: missing.xml"));
    let run = tenant.run(&job, &[]).await;
    run.assert_code(1);
    assert!(run.stderr.contains("FileData: the file missing.xml cannot be opened"), "{}", run.stderr);
}
