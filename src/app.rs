//! Composition root: settings in, everything a command needs out. Nothing here decides; it only joins.

mod account;
mod addresses;
mod admin;
mod application;
mod asked;
mod counted_tokens;
mod counting;
mod discovery;
mod doctor;
mod first_secret;
mod given;
pub mod history;
mod http;
mod listed;
mod people;
pub mod permitted;
pub mod practices;
pub mod push;
mod reload;
mod remembered;
pub mod serve;
mod signin;
mod slots;
mod sources;
mod vault;
mod work;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use serde_json::Value;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, info, info_span, warn};
use uuid::Uuid;

use crate::clocks::Clocks;
use crate::exchange::trust;
use crate::exit::Exit;
use crate::observe::escape::one_line;
use crate::observe::metrics::{Metrics, Peer};
use crate::recording::Recorder;
use crate::rules::causes::chain;
use crate::runner::items::Items;
use crate::runner::progress::Progress;
use crate::runner::report::RunReport;
use crate::runner::stop::Stop;
use crate::runner::{self, Console, EMULATED, Mode, OutputPlaces, RunParts};
use crate::secrets::vault::Vault;
use crate::secrets::{SecretSource, Secrets, Surroundings};
use crate::session::Reaper;
use crate::settings::Settings;
use crate::signin::discovery::Discoveries;
use crate::spec::job::{Job, TargetSpec};

pub use crate::doctor::bundle::{Contents, write as write_bundle};
pub use crate::doctor::{Asking, Report, Rung, State};
pub use crate::exchange::client::Access;
pub use crate::recording;
pub use crate::signin::SigninError;
pub use crate::signin::kept::LoggedOut;
pub use crate::signin::people::{People, Unattended};
pub use crate::signin::revoke::Revoked;
pub use crate::signin::terminal::Terminal;
pub use account::SignedIn;
pub use account::session_times;
pub use addresses::{endpoint_setting, endpoints, scope};
pub use admin::admin_config;
pub use doctor::{Case, barred_report, hurried};
pub use given::Given;
pub use listed::listed;
pub use people::{AskedBy, kept_at};
pub use slots::{Slots, slots};
use sources::TokenSources;

/// Settings or files that do not let the program start: exit code 64.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct StartError(pub String);

/// For a slot store that is slow to take a slot back: 25 s of `drain_grace`, twice 5 s and this stay below the 45 s that the chart
/// gives a pod.
const SETTLE_MORE: Duration = Duration::from_secs(5);

/// Everything that lives as long as the process.
pub struct App {
    settings: Settings,
    clocks: Clocks,
    metrics: Metrics,
    reaper: Reaper,
    tracker: TaskTracker,
    tls: Arc<ClientConfig>,
    http: reqwest::Client,
    secrets: Arc<dyn SecretSource>,
    vault: Option<Arc<Vault>>,
    people: Arc<dyn People>,
    recorder: Recorder,
    discoveries: Discoveries,
    /// What the platform put into the environment.
    around: Surroundings,
    sources: TokenSources,
    /// Made when the first account asks for it.
    slots: tokio::sync::OnceCell<Slots>,
}

/// Where a job's credential is looked for.
pub enum Credentials {
    /// Where the job says.
    AsTheJobSays,
    /// They are in hand already: the emulator's.
    Given(Box<Given>),
}

/// Whether other runs of this process work at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Company {
    /// It is alone: it ends when the process owes nothing any more.
    Alone,
    /// Others have sessions open: it ends when its own are closed, or left to the reaper.
    Others,
}

/// How one run is done.
pub struct RunOptions {
    /// Its id, new for each run.
    pub run_id: Uuid,
    /// Whether it waits for what the process owes.
    pub company: Company,
    /// Values of the job's inputs.
    pub inputs: BTreeMap<String, Value>,
    /// Whether it writes.
    pub mode: Mode,
    /// Which cmdlets its sessions may call.
    pub access: Access,
    /// How it is asked to stop.
    pub stop: Stop,
    /// Where a dry run prints.
    pub console: Console,
    /// Where progress is shown.
    pub progress: Progress,
}

impl App {
    /// Joins everything; connects to nothing.
    ///
    /// # Errors
    /// What is wrong with a file or folder that the settings name.
    pub fn new(settings: Settings, credentials: Credentials, clocks: Clocks) -> Result<App, StartError> {
        slots::prepare(&settings)?;
        let tls = trust::client_config(settings.ca_file.as_deref())
            .map_err(|error| StartError(error.to_string()))?;
        let tls = if settings.http_version == "auto" { tls } else { trust::without_http2(&tls) };
        let http = http::client(&settings, &tls)?;
        let peer = if settings.emulated { Peer::Emulator } else { Peer::Service };
        let reaper = Reaper::start(clocks.clone());
        let tracker = TaskTracker::new();
        let metrics = Metrics::new(peer);
        let vault = vault::vault(&settings, account::retry(&settings), &clocks, &metrics)?;
        let (secrets, around): (Arc<dyn SecretSource>, Surroundings) = match credentials {
            Credentials::AsTheJobSays => {
                (Arc::new(Secrets { vault: vault.clone() }), Surroundings::of_process())
            }
            Credentials::Given(given) => (Arc::new(given.secrets()), given.surroundings()),
        };
        let (recorder, discoveries) = (Recorder::off(), Discoveries::default());
        Ok(App {
            settings,
            clocks,
            metrics,
            reaper,
            tracker,
            tls,
            http,
            secrets,
            vault,
            people: Arc::new(Unattended),
            recorder,
            discoveries,
            around,
            sources: TokenSources::default(),
            slots: tokio::sync::OnceCell::new(),
        })
    }

    /// Writes down what its runs send and get.
    pub fn recorded_by(self, recorder: Recorder) -> App {
        App { recorder, ..self }
    }

    /// What is counted.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// What it was made with.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Time.
    pub fn clocks(&self) -> &Clocks {
        &self.clocks
    }

    /// The word for who answers.
    pub fn peer(&self) -> &'static str {
        peer(&self.settings)
    }

    /// Runs a job against `target` from sign-in to the last closed session, and reports.
    pub async fn run(&self, job: Arc<Job>, target: TargetSpec, options: RunOptions) -> RunReport {
        self.run_for_items(job, target, options).await.0
    }

    /// As [`App::run`], with what the last step returned.
    pub async fn run_for_items(
        &self,
        job: Arc<Job>,
        target: TargetSpec,
        options: RunOptions,
    ) -> (RunReport, Option<Items>) {
        let run_id = options.run_id.to_string();
        let (began, began_at) = (self.clocks.boot(), self.clocks.wall());
        let mut report = RunReport::new(self.peer(), &run_id, began_at);
        report.job = job.name.to_string();
        report.job_hash.clone_from(&job.hash);
        report.source = one_line(&job.source.display().to_string(), 400);
        report.tenant = target.organization().to_owned();
        target.environment.as_str().clone_into(&mut report.environment);
        report.service = job.service.as_str();
        report.mode = options.mode.word();
        let span = info_span!("run", run = %run_id, job = %job.name, tenant = %target.organization());
        span.in_scope(|| {
            info!(peer = self.peer(), mode = options.mode.word(), source = %report.source, job_hash = %job.hash, "{}: run begins", self.peer());
        });
        let running = self.signed_in_run(&job, &target, run_id, options, &mut report);
        let (exit, reason, items) = running.instrument(span.clone()).await;
        let ended_at = self.clocks.wall();
        report.end(exit, reason, ended_at, self.clocks.boot().since(began));
        span.in_scope(|| {
            let level_text = report.reason.as_deref().unwrap_or("all steps done");
            if exit == Exit::Done || exit == Exit::ChangesPending {
                info!(
                    outcome = report.outcome,
                    exit_code = report.exit_code,
                    sessions = report.sessions.len(),
                    "run ended: {level_text}"
                );
            } else {
                warn!(
                    outcome = report.outcome,
                    exit_code = report.exit_code,
                    sessions = report.sessions.len(),
                    "run ended: {level_text}"
                );
            }
        });
        (report, items)
    }

    async fn signed_in_run(
        &self,
        job: &Arc<Job>,
        target: &TargetSpec,
        run_id: String,
        options: RunOptions,
        report: &mut RunReport,
    ) -> (Exit, Option<String>, Option<Items>) {
        let company = options.company;
        let output_places = OutputPlaces::new(self.settings.output_dir.clone());
        if let Err(why) = output_places.look(job, target, &options.inputs, &run_id) {
            return (Exit::BadInput, Some(why), None);
        }
        let signing_in = self.sign_in(target, job.service, options.access);
        let signed_in = tokio::select! {
            signed_in = signing_in => signed_in,
            () = options.stop.asked() => {
                // A kept refresh token may be used up, and its successor on its way to its place.
                if company == Company::Alone {
                    self.settle().await;
                }
                return (Exit::Interrupted, Some("the run was told to stop while signing in".to_owned()), None);
            }
        };
        let SignedIn { sessions, actor, ledger } = match signed_in {
            Ok(signed_in) => signed_in,
            Err(error) => return (runner::signin_exit(error.kind), Some(error.to_string()), None),
        };
        report.actor = Some(actor.name.clone());
        report.tenant_id = Some(actor.tenant_id.clone());
        let parts = RunParts {
            job: Arc::clone(job),
            target: target.clone(),
            inputs: options.inputs,
            run_id,
            mode: options.mode,
            sessions,
            actor,
            session_wait: self.settings.session_wait,
            call_timeout: self.settings.call_timeout,
            // A recording has one call a request, so that whoever replays it may ask in any grouping.
            batch_size: if self.recorder.is_on() { 1 } else { self.settings.batch_size },
            reread_wait: self.settings.reread_wait,
            output_places,
            clocks: self.clocks.clone(),
            metrics: self.metrics.clone(),
            stop: options.stop,
            console: options.console,
            progress: options.progress,
        };
        let ended = runner::run(&parts, self.settings.drain_grace).await;
        if company == Company::Alone {
            self.settle().await;
        }
        report.steps = ended.steps;
        report.sessions = ledger.sessions();
        (ended.exit, ended.reason, ended.items)
    }

    /// Waits until every session is closed and every slot given back, no longer than is left of a pod's grace after
    /// `drain_grace`: two closes and a little more.
    pub async fn settle(&self) {
        let until = self.clocks.boot() + self.settings.close_deadline * 2 + SETTLE_MORE;
        let left = || until.since(self.clocks.boot());
        if let crate::session::Finished::CutShort { left } = self.reaper.finish(left()).await {
            warn!(
                left,
                "sessions were not settled in time; their slots come back after lease and quarantine"
            );
        }
        if let Some(slots) = self.slots.get()
            && self.clocks.timeout(left(), slots.store.settled()).await.is_err()
        {
            warn!("the slot store did not end in time; slots come back after lease and quarantine");
        }
        self.tracker.close();
        if self.clocks.timeout(left(), self.tracker.wait()).await.is_err() {
            warn!(left = self.tracker.len(), "transports did not end in time");
        }
        self.tracker.reopen();
    }

    /// Ends what lives as long as the process: what Vault has given is revoked, within the deadline for closing. Every
    /// command calls it after its last run, also after one that failed or was stopped.
    pub async fn end(&self) {
        if let Some(vault) = &self.vault {
            vault.close(self.settings.close_deadline).await;
        }
    }
}

fn peer(settings: &Settings) -> &'static str {
    if settings.emulated { EMULATED } else { "Exchange Online" }
}

/// Writes the metrics for the textfile collector.
///
/// # Errors
/// The text names the file.
pub fn write_metrics(app: &App, path: &Path) -> Result<(), String> {
    crate::observe::textfile::write(path, app.metrics()).map_err(|error| chain(&error))
}
