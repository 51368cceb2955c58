//! A program that a kubeconfig names and that says who we are (`exec`, client-go's credential plugins).
//!
//! What it prints is never shown: a token stands there.

use std::process::Stdio;

use jiff::Timestamp;
use kube::config::{ExecConfig, ExecInteractiveMode};
use serde::Deserialize;
use serde_json::json;
use tokio::process::Command;
use zeroize::Zeroizing;

/// What the program gave: a token, or a certificate with its key.
#[derive(Default)]
pub(super) struct Credential {
    pub(super) token: Option<Zeroizing<String>>,
    /// Both in one PEM text.
    pub(super) identity: Option<Zeroizing<Vec<u8>>>,
    pub(super) good_until: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Printed {
    status: Status,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    token: Option<String>,
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
    expiration_timestamp: Option<Timestamp>,
}

/// Runs `program` to its end. Dropped, it is killed.
///
/// # Errors
/// It does not start, fails, or prints something else.
pub(super) async fn ask(program: &ExecConfig) -> Result<Credential, String> {
    let unusable =
        || "the kubeconfig's way to a token does not work: its credential program gives none".to_owned();
    let name = program.command.as_ref().ok_or_else(unusable)?;
    let interactive = program.interactive_mode != Some(ExecInteractiveMode::Never);
    let mut about = json!({ "interactive": interactive });
    if program.provide_cluster_info {
        about["cluster"] = serde_json::to_value(&program.cluster).map_err(|_| unusable())?;
    }
    let about = json!({ "apiVersion": program.api_version, "kind": "ExecCredential", "spec": about });
    let mut command = Command::new(name);
    command
        .args(program.args.iter().flatten())
        .envs(program.env.iter().flatten().filter_map(|pair| Some((pair.get("name")?, pair.get("value")?))))
        .env("KUBERNETES_EXEC_INFO", about.to_string())
        .stdin(if interactive { Stdio::inherit() } else { Stdio::null() })
        .stderr(if interactive { Stdio::inherit() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    let output = command
        .output()
        .await
        .map_err(|error| format!("the kubeconfig's credential program does not start ({error})"))?;
    let printed = Zeroizing::new(output.stdout);
    if !output.status.success() {
        return Err("the kubeconfig's credential program has failed".to_owned());
    }
    let Printed { status } = serde_json::from_slice(&printed).map_err(|_| unusable())?;
    let identity = match (status.client_certificate_data, status.client_key_data) {
        (Some(certificate), Some(key)) => Some(Zeroizing::new([certificate, key].join("\n").into_bytes())),
        _ => None,
    };
    let token = status.token.map(Zeroizing::new);
    if token.is_none() && identity.is_none() {
        return Err(unusable());
    }
    Ok(Credential { token, identity, good_until: status.expiration_timestamp })
}

#[cfg(test)]
mod tests {
    use kube::config::ExecConfig;
    use serde_json::json;

    use super::ask;

    fn program(script: &str) -> ExecConfig {
        let config = json!({
            "apiVersion": "client.authentication.k8s.io/v1", "command": "sh", "args": ["-c", script],
            "env": [{"name": "PART", "value": "made-up"}], "interactiveMode": "Never",
        });
        serde_json::from_value(config).unwrap()
    }

    #[tokio::test]
    async fn it_is_told_who_asks_and_gives_a_token() {
        let script = "case $KUBERNETES_EXEC_INFO in *'\"interactive\":false'*) ;; *) exit 1;; esac\n\
            echo '{\"kind\": \"ExecCredential\", \"status\": {\"token\": \"'$PART'-token\", \
            \"expirationTimestamp\": \"2026-03-02T09:00:00Z\"}}'";
        let given = ask(&program(script)).await.unwrap();
        assert_eq!(given.token.unwrap().as_str(), "made-up-token");
        assert_eq!(given.good_until.unwrap().to_string(), "2026-03-02T09:00:00Z");
        assert!(given.identity.is_none());
    }

    #[tokio::test]
    async fn what_it_prints_is_not_shown() {
        for script in ["echo canary", "echo canary; exit 1", "echo '{\"status\": {\"canary\": 1}}'"] {
            let error = ask(&program(script)).await.err().unwrap();
            assert!(!error.contains("canary"), "{error}");
        }
    }
}
