//! Sessions opened and closed one after the other in one process: does its memory grow?
//!
//! ```text
//! cargo run --example cycles -- FOLDER CYCLES      FOLDER is that of `exorun emulate --out`
//! ```
//!
//! `benches/wire.sh cycles` runs it with the shipped profile. Each cycle is a slot, a transport of its own, one call
//! and the close, with the library's own parts and short times. It prints the resident set along the way and fails if
//! the last is more than 1 MB above the first.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use exorun::catalog::CmdletName;
use exorun::clocks::Clocks;
use exorun::exchange::anchor::{Caller, anchor};
use exorun::exchange::client::{Access, NextPage, PAGE_SIZE_MAX, RestRemote, ServiceConfig};
use exorun::exchange::redirect::Family;
use exorun::exchange::transport::{Connector, Origin};
use exorun::exchange::{CmdletRequest, Intent, ItemSink, trust};
use exorun::recording::Recorder;
use exorun::rules::retry::{Repeated, RetryPolicy};
use exorun::rules::slots::Polling;
use exorun::rules::slots::opens::Budget;
use exorun::session::{Finished, NoEvents, Reaper, RunLabel, SessionTimes, Sessions, SessionsParts, Wait};
use exorun::settings::{ProcessEnvironment, Settings};
use exorun::signin::TokenSource;
use exorun::signin::application::ApplicationGrant;
use exorun::signin::client_secret::ClientSecret;
use exorun::signin::endpoint::{Expected, LoginEndpoint};
use exorun::signin::held::HeldToken;
use exorun::slots::{AccountKey, LocalStore, SlotTimes};
use exorun::spec::job::CredentialRef;
use serde_json::Map;
use serde_json::value::RawValue;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

const CLIENT_ID: &str = "11111111-2222-3333-4444-555555555555";
const TENANT: &str = "contoso.onmicrosoft.com";
const SCOPE: &str = "https://outlook.office365.com/.default";

/// Samples of the resident set, the last one at the end. The first comes after the first tenth: by then every pool,
/// cache and buffer has been used.
const SAMPLES: u64 = 10;
const GROWTH_KB_MAX: u64 = 1024;

const TIMES: SessionTimes = SessionTimes {
    lease: Duration::from_secs(6),
    quarantine: Duration::from_secs(20),
    opens_per_minute: u32::MAX,
    close_deadline: Duration::from_secs(1),
    store_deadline: Duration::from_millis(1500),
    patience: SessionTimes::PATIENCE,
    polling: Polling { min: Duration::from_millis(50), max: Duration::from_millis(500) },
};
/// Remembered opens are as many as a minute has in real life.
const OPENS: Budget = Budget { limit: u32::MAX, window: Duration::from_millis(100) };

const RETRY: RetryPolicy = RetryPolicy {
    attempts_max: 1,
    delay_first: Duration::from_millis(100),
    delay_max: Duration::from_secs(1),
    total_max: Duration::from_secs(10),
    on: Repeated::ALL,
};

type Failed = Box<dyn Error>;

fn main() -> ExitCode {
    let mut out = std::io::stdout();
    match cycles(&mut out) {
        Ok(code) => code,
        Err(error) => {
            let _closed = writeln!(std::io::stderr(), "cycles: {error}");
            ExitCode::FAILURE
        }
    }
}

fn cycles(out: &mut impl Write) -> Result<ExitCode, Failed> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, count] = &arguments[..] else { return Err("it wants FOLDER and CYCLES".into()) };
    let count: u64 = count.parse()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let samples = runtime.block_on(open_and_close(Path::new(folder), count))?;
    for (done, kilobytes) in &samples {
        writeln!(out, "{done:>9} {:>12.1}", *kilobytes as f64 / 1024.0)?;
    }
    let (Some((_, first)), Some((_, last))) = (samples.first(), samples.last()) else {
        return Err("there were too few cycles for a sample".into());
    };
    if last.saturating_sub(*first) > GROWTH_KB_MAX {
        return Err(format!("memory grew by more than {GROWTH_KB_MAX} KB").into());
    }
    Ok(ExitCode::SUCCESS)
}

/// The resident set in KB after each tenth of the cycles.
async fn open_and_close(folder: &Path, count: u64) -> Result<Vec<(u64, u64)>, Failed> {
    let clocks = Clocks::system();
    let tracker = TaskTracker::new();
    let reaper = Reaper::start(clocks.clone());
    let state = tempfile::tempdir()?;
    let sessions = sessions(folder, state.path(), &clocks, &tracker, &reaper).await?;
    let label = RunLabel { run_id: "cycles".to_owned(), job: "cycles".to_owned() };
    let mut samples = Vec::new();
    for number in 1..=count {
        let seen = sessions.with_session(&label, Wait::UpTo(Duration::from_secs(10)), async |session| {
            Ok::<u64, Failed>(session.call(&read()?, &mut Counted).await?.items)
        });
        if seen.await? != 1 {
            return Err("the one object of the call did not come".into());
        }
        if number % (count / SAMPLES).max(1) == 0 {
            samples.push((number, resident_kilobytes()?));
        }
    }
    match reaper.finish(Duration::from_secs(10)).await {
        Finished::Clean => Ok(samples),
        Finished::CutShort { left } => Err(format!("{left} sessions were not closed").into()),
    }
}

async fn sessions(
    folder: &Path,
    state: &Path,
    clocks: &Clocks,
    tracker: &TaskTracker,
    reaper: &Reaper,
) -> Result<Sessions, Failed> {
    let settings = Settings::load(BTreeMap::new(), &ProcessEnvironment, Some(&folder.join("settings.yaml")))
        .map_err(|problems| problems.iter().map(|problem| format!("{problem}; ")).collect::<String>())?;
    let (Some(login), Some(exchange)) = (&settings.login_endpoint, &settings.exchange_endpoint) else {
        return Err("the folder's settings name no endpoints".into());
    };
    let tls = trust::client_config(settings.ca_file.as_deref())?;
    let http = reqwest::Client::builder().tls_backend_preconfigured(rustls::ClientConfig::clone(&tls));
    let tokens = Arc::new(HeldToken::new(
        ApplicationGrant::new(
            LoginEndpoint {
                expected: Expected::default(),
                base: login.as_str().to_owned(),
                tenant: TENANT.to_owned(),
                scope: SCOPE.to_owned(),
                http: http.build()?,
                proxy: None,
                retry: RETRY,
                clocks: clocks.clone(),
                recorder: Recorder::off(),
            },
            CLIENT_ID.to_owned(),
            ClientSecret::new(
                CredentialRef::File(folder.join("client-secret")),
                Arc::new(exorun::secrets::LocalSecrets),
            ),
            Duration::ZERO,
        ),
        clocks.clone(),
    ));
    let facts = tokens.token().await?.facts;
    let origin = Origin::parse(exchange.as_str())?;
    let close = TIMES.close_deadline;
    let remote = RestRemote::new(ServiceConfig {
        family: Family::of([origin.host().to_owned()]),
        origin,
        anchor: Some(anchor(Caller::Application, &facts.tenant_id)),
        organization: TENANT.to_owned(),
        tenant_id: facts.tenant_id.clone(),
        api_version: "beta".to_owned(),
        next_page: NextPage::Post,
        page_size: PAGE_SIZE_MAX,
        access: Access::ReadOnly,
        retry: RETRY,
        connector: Connector::new(tls, tracker.clone(), clocks.clone(), Duration::from_secs(5), close),
        clocks: clocks.clone(),
        recorder: Recorder::off(),
    });
    let times = SlotTimes { opens: OPENS, ..TIMES.slots() };
    let store = LocalStore::new(state.to_owned(), 5, times, clocks.clone())?;
    Ok(Sessions::new(SessionsParts {
        account: AccountKey {
            cloud: login.as_str().to_owned(),
            tenant_id: facts.tenant_id,
            object_id: facts.object_id,
        },
        store: Arc::new(store),
        remote: Arc::new(remote),
        tokens,
        clocks: clocks.clone(),
        times: TIMES,
        reaper: reaper.handle(),
        events: Arc::new(NoEvents),
    }))
}

fn read() -> Result<CmdletRequest, Failed> {
    Ok(CmdletRequest {
        cmdlet: CmdletName::known("Get-OrganizationConfig").ok_or("the catalog lost a cmdlet")?,
        parameters: Map::new(),
        secrets: Vec::new(),
        select: vec!["Identity".to_owned()],
        intent: Intent::Read,
        client_request_id: uuid::Uuid::new_v4(),
        repeats: None,
        timeout: Duration::from_secs(2),
        stop: CancellationToken::new(),
    })
}

/// The call says itself how many items came.
struct Counted;

impl ItemSink for Counted {
    fn item(&mut self, _: &RawValue) -> Result<(), String> {
        Ok(())
    }

    fn restart(&mut self) -> Result<(), String> {
        Ok(())
    }
}

fn resident_kilobytes() -> Result<u64, Failed> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse()?)
}
