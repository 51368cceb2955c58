//! One token for all runs of a process that sign in the same way.

use std::collections::BTreeMap;

use exorun::app::{Access, App, Credentials};
use exorun::clocks::Clocks;
use exorun::settings::{ProcessEnvironment, Settings};
use exorun::spec::job::{Job, Target};
use futures_util::future::join_all;

use super::program::{CLIENT_SECRET, Tenant, requests};
use super::{CLIENT_ID, small};

fn app(tenant: &Tenant) -> App {
    let _installed_already = rustls::crypto::ring::default_provider().install_default();
    let values = [
        ("login_endpoint", tenant.emulator.login_endpoint()),
        ("exchange_endpoint", tenant.emulator.exchange_endpoint()),
        ("ca_file", tenant.path("ca.pem").display().to_string()),
        ("state_dir", tenant.path("state").display().to_string()),
        ("emulated", "true".to_owned()),
        ("proxy", "none".to_owned()),
    ];
    let values: BTreeMap<String, String> = values.map(|(key, value)| (key.to_owned(), value)).into();
    let settings = Settings::load(values, &ProcessEnvironment, None);
    let settings = settings.unwrap_or_else(|problems| {
        panic!("{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    });
    App::new(settings, Credentials::AsTheJobSays, Clocks::system()).unwrap()
}

fn job(tenant: &Tenant, name: &str, client_id: &str) -> Job {
    let auth = format!(
        "  method: client_secret\n  client_id: {client_id}\n  credential: {{file: {}}}\n",
        tenant.path("secret").display()
    );
    let text = super::job(&auth).replace("name: a-job", &format!("name: {name}"));
    std::fs::write(tenant.path("job.yaml"), text).unwrap();
    exorun::spec::read_jobs(&tenant.path("job.yaml")).unwrap().remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_that_sign_in_the_same_way_share_one_fetch() {
    let tenant = Tenant::start(small()).await;
    std::fs::write(tenant.path("secret"), CLIENT_SECRET).unwrap();
    let app = app(&tenant);
    let other = "22222222-2222-3333-4444-555555555555";
    let jobs = [job(&tenant, "first", CLIENT_ID), job(&tenant, "second", CLIENT_ID)];
    let signs_in = async |job: &Job| {
        let Target::Spelled(target) = &job.target else { panic!("the job has its own target") };
        app.sign_in(target, job.service, Access::ReadOnly).await.map(drop).map_err(|error| error.to_string())
    };
    let signed_in = join_all((0..10).map(|number| signs_in(&jobs[number % 2]))).await;
    assert!(signed_in.iter().all(Result::is_ok), "{signed_in:?}");
    assert_eq!(requests(&tenant.emulator.counters(), "token"), 1, "ten runs of two jobs, one fetch");
    signs_in(&job(&tenant, "third", other)).await.unwrap();
    assert_eq!(
        requests(&tenant.emulator.counters(), "token"),
        2,
        "another application has a token of its own"
    );
    app.settle().await;
}
