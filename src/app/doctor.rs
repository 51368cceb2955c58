//! The parts of a climb: the same ones that a run is made of, with shorter patience.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::addresses::{Addresses, addresses};
use super::slots::Slots;
use super::{Access, App, StartError};
use crate::clocks::Clocks;
use crate::doctor::job;
use crate::doctor::{Account, Asking, Climb, Limits, Name, Noting, Parts, Report, Rung, Site};
use crate::exchange::transport::Origin;
use crate::exchange::trust;
use crate::exit::Exit;
use crate::runner::stop::Stop;
use crate::session::Sessions;
use crate::settings::Settings;
use crate::signin::certificate::{CertificateProof, Expiry, Term};
use crate::signin::discovery::Tenant;
use crate::signin::transit::TransitProof;
use crate::signin::{AccessToken, SigninError, TokenSource};
use crate::slots::AccountKey;
use crate::spec::job::{Job, Method, Service, TargetSpec};

/// No rung holds the climb up for longer, whatever a run may wait for.
const RUNG_MAX: Duration = Duration::from_secs(60);
/// A request is sent twice at most: what fails twice is worth reporting.
const TRIES_MAX: u32 = 2;
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// The settings of a climb: those of the runs, with shorter patience.
pub fn hurried(mut settings: Settings) -> Settings {
    let shorten = |time: &mut Duration, limit: Duration| *time = (*time).min(limit);
    shorten(&mut settings.connect_timeout, Duration::from_secs(15));
    shorten(&mut settings.call_timeout, RUNG_MAX);
    shorten(&mut settings.signin_timeout, RUNG_MAX / 2);
    shorten(&mut settings.retry_delay_first, PAUSE_MAX);
    shorten(&mut settings.retry_delay_max, PAUSE_MAX);
    shorten(&mut settings.retry_total, RUNG_MAX);
    settings.retry_attempts = settings.retry_attempts.min(TRIES_MAX);
    settings
}

/// What a climb is asked to look at.
pub struct Case {
    /// What is to be run.
    pub job: Arc<Job>,
    /// Where, as connections and profile permit it.
    pub target: TargetSpec,
    /// Whether a person may be asked to sign in.
    pub asking: Asking,
    /// How it is asked to stop.
    pub stop: Stop,
}

/// The report on a job that may not be started: only its first rung was looked at.
pub fn barred_report(job: &Job, settings: &Settings, exit: Exit, why: &str, clocks: &Clocks) -> Report {
    let mut nobody = |_: &Rung| {};
    let mut climb = Climb::new(clocks.clone(), Stop::new().soon(), &mut nobody);
    climb.found(Name::Job, &job::not_placed(exit, why), Duration::ZERO);
    Report::new(super::peer(settings), clocks.wall(), job, None, climb.end())
}

impl App {
    /// Climbs, tells of each rung when it is done, and reports. Every session is closed when it returns.
    ///
    /// # Errors
    /// What is wrong with a file or folder that the settings name.
    pub async fn climb(
        &self,
        case: &Case,
        told: &mut (dyn FnMut(&Rung) + Send),
    ) -> Result<Report, StartError> {
        let began_at = self.clocks.wall();
        let mut climb = Climb::new(self.clocks.clone(), case.stop.soon(), told);
        let service = case.job.service;
        let mut actor = None;
        match addresses(&self.settings, &case.target, service) {
            Err(error) => {
                climb.found(Name::Job, &job::not_placed(Exit::BadInput, &error.message), Duration::ZERO);
            }
            Ok(addresses) => {
                let found = job::placed(&case.target, service, &addresses.login, &addresses.origin);
                climb.found(Name::Job, &found, Duration::ZERO);
                let parts = self.parts(case, case.target.clone(), addresses).await?;
                actor = parts.climb(&mut climb).await;
            }
        }
        let ended = climb.end();
        self.settle().await;
        let report = Report::new(self.peer(), began_at, &case.job, Some(&case.target), ended);
        Ok(Report { actor, ..report })
    }

    async fn parts<'a>(
        &'a self,
        case: &Case,
        target: TargetSpec,
        addresses: Addresses,
    ) -> Result<Parts<Patient<'a>>, StartError> {
        let settings = &self.settings;
        let start = |why: String| StartError(why);
        let roots = trust::roots(settings.ca_file.as_deref()).map_err(|error| start(error.to_string()))?;
        let Slots { store, reach } = self.slots().await.map_err(|error| start(error.to_string()))?.clone();
        let endpoint =
            self.login_endpoint(&target, case.job.service).map_err(|error| start(error.message))?;
        let signin = (settings.signin_timeout * TRIES_MAX + settings.retry_delay_max).min(RUNG_MAX);
        let call = settings.call_timeout.min(RUNG_MAX);
        Ok(Parts {
            job: Arc::clone(&case.job),
            sites: App::sites(&addresses, case.job.service).map_err(start)?,
            connector: self.connector(),
            tls: Noting::new(roots).map_err(start)?,
            endpoint,
            secrets: Arc::clone(&self.secrets),
            store,
            reach,
            session_limit: settings.session_limit,
            account: Patient { app: self, target: target.clone(), service: case.job.service, addresses },
            target,
            asking: case.asking,
            limits: Limits { connect: settings.connect_timeout, signin, person: settings.device_wait, call },
            stop: case.stop.soon(),
            clocks: self.clocks.clone(),
        })
    }

    fn sites(addresses: &Addresses, service: Service) -> Result<Vec<Site>, String> {
        let login =
            Origin::parse(&addresses.login).map_err(|why| format!("the sign-in service's address: {why}"))?;
        let setting = match service {
            Service::ExchangeOnline | Service::ExchangeOnlineProtection => "exchange_endpoint",
            Service::SecurityCompliance => "compliance_endpoint",
        };
        Ok(vec![
            Site { what: "sign-in", origin: login, setting: "login_endpoint" },
            Site { what: "service", origin: addresses.origin.clone(), setting },
        ])
    }
}

/// The steps of a run's sign-in, for a climb.
struct Patient<'a> {
    app: &'a App,
    target: TargetSpec,
    service: Service,
    addresses: Addresses,
}

#[async_trait]
impl Account for Patient<'_> {
    async fn tenant(&self) -> Result<Tenant, SigninError> {
        let endpoint = self.app.login_endpoint(&self.target, self.service)?;
        self.app.discover(&endpoint, &self.target, &self.target.auth.method).await
    }

    async fn certificate(&self) -> Result<Option<Term>, SigninError> {
        let secrets = Arc::clone(&self.app.secrets);
        let expiry = Expiry::new(self.app.metrics.clone(), self.target.organization().to_owned());
        match &self.target.auth.method {
            Method::Certificate { credential, certificate, password, signature } => {
                let (credential, certificate) = (credential.clone(), certificate.clone());
                let (password, signature) = (password.clone(), *signature);
                CertificateProof { credential, certificate, password, signature, secrets, expiry }
                    .term()
                    .await
            }
            Method::Transit { key, certificate, signature } => {
                let (key, certificate, signature) = (key.clone(), certificate.clone(), *signature);
                TransitProof { key, certificate, signature, secrets, expiry }.term().await
            }
            _ => Ok(None),
        }
    }

    async fn tokens(&self) -> Result<Arc<dyn TokenSource>, SigninError> {
        self.app.token_source(&self.target, self.service).await
    }

    async fn sessions(
        &self,
        tokens: Arc<dyn TokenSource>,
        token: &AccessToken,
    ) -> Result<(Sessions, AccountKey), SigninError> {
        let addresses = self.addresses.clone();
        let signed_in =
            self.app.joined(addresses, tokens, token, &self.target, self.service, Access::ReadOnly).await?;
        let account = signed_in.sessions.account().clone();
        Ok((signed_in.sessions, account))
    }
}
