//! Jobs of these tests, and what their histories say.

use serde_json::Value;

use crate::program::{Tenant, ended};

/// Signs in by a secret.
pub(crate) const BY_SECRET: &str = "  method: client_secret\n  client_id: 11111111-2222-3333-4444-555555555555\n  \
                                    credential:\n    env: EXORUN_CLIENT_SECRET\n";

/// Signs in by a certificate in the tenant's folder.
pub(crate) const BY_CERTIFICATE: &str = "  method: certificate\n  client_id: 11111111-2222-3333-4444-555555555555\n  \
                                         credential:\n    file: own.key\n  certificate:\n    file: own.crt\n";

/// A job of one call.
pub(crate) fn job(name: &str, auth: &str, head: &str, call: &str) -> String {
    format!(
        "version: 1\nname: {name}\ntenant: contoso.onmicrosoft.com\nenvironment: O365Default\nauth:\n{auth}\
         service: ExchangeOnline\n{head}steps:\n  - name: look\n    {call}\n"
    )
}

/// Puts a file of jobs into its place whole, as whatever syncs files does it.
pub(crate) fn write(tenant: &Tenant, file: &str, text: &str) {
    std::fs::create_dir_all(tenant.path("jobs")).unwrap();
    let new = tenant.path("jobs").join(".new");
    std::fs::write(&new, text).unwrap();
    std::fs::rename(new, tenant.path("jobs").join(file)).unwrap();
}

/// What `exorun history --json` prints of the runs of `job`.
pub(crate) async fn history(tenant: &Tenant, job: &str) -> Vec<Value> {
    let mut command = tenant.exorun(&["history", job, "--json", "--limit", "1000"]);
    let printed = ended(command.env("EXORUN_HISTORY", tenant.path("history.sqlite")).spawn().unwrap()).await;
    printed.assert_code(0);
    let page: Value = serde_json::from_str(&printed.stdout).unwrap();
    assert!(page["next"].is_null(), "more runs than a page has");
    page["items"].as_array().unwrap().clone()
}
