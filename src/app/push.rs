//! A run's metrics to the Pushgateway of the settings.

use std::time::Duration;

use rustls::ClientConfig;
use tracing::{info, warn};

use super::http::Plumbing;
use super::{App, StartError};
use crate::clocks::Clocks;
use crate::exchange::trust;
use crate::observe::push::{Gateway, Group};
use crate::runner::report::RunReport;
use crate::runner::stop::Stop;
use crate::settings::Settings;

/// How long a run that somebody has asked to stop still pushes: its grace is nearly over.
const STOPPED_TIMEOUT: Duration = Duration::from_secs(2);

/// The Pushgateway of the settings, if they name one. It is reached as everything else is: the same trust, proxy and detours.
///
/// # Errors
/// A file or proxy of the settings that cannot be used.
pub fn gateway(settings: &Settings, clocks: &Clocks) -> Result<Option<Gateway>, StartError> {
    let Some(push) = &settings.pushgateway else { return Ok(None) };
    let tls =
        trust::client_config(settings.ca_file.as_deref()).map_err(|error| StartError(error.to_string()))?;
    let client = Plumbing::of(settings)?.builder(ClientConfig::clone(&tls)).build();
    let client = client.map_err(|error| {
        StartError(format!("the HTTP client for the Pushgateway cannot be built: {error}"))
    })?;
    Ok(Some(Gateway {
        client,
        address: push.url.as_str().to_owned(),
        credential: push.credential.clone(),
        timeout: push.timeout,
        clocks: clocks.clone(),
    }))
}

impl App {
    /// Pushes what was counted of a run that is over. Whatever goes wrong is one line of the log, and takes no longer than the
    /// settings allow.
    ///
    /// # Cancel safety
    /// Dropped, the page may be there or not.
    pub async fn push(&self, report: &RunReport, stop: &Stop) {
        if self.settings.pushgateway.is_none() {
            return;
        }
        if self.settings.emulated && !self.settings.push_emulated {
            info!("an emulator has answered: the metrics stay here, because `push_emulated` is false");
            return;
        }
        let mut gateway = match gateway(&self.settings, &self.clocks) {
            Ok(Some(gateway)) => gateway,
            Ok(None) => return,
            Err(error) => return warn!("the metrics are not pushed: {error}"),
        };
        if stop.is_asked() {
            gateway.timeout = gateway.timeout.min(STOPPED_TIMEOUT);
        }
        let group = Group { job: &report.job, target: &report.tenant, peer: self.metrics.peer() };
        let pushed = tokio::select! {
            pushed = gateway.push(&group, self.metrics.encode()) => pushed,
            () = stop.insisted() => return warn!("the metrics are not pushed: there was no time left"),
        };
        if let Err(error) = pushed {
            warn!("the metrics are not pushed: {error}");
        }
    }
}
