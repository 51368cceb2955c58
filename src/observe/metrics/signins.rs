//! Sign-ins, and what they rest on: Vault and certificates.

use jiff::Timestamp;
use prometheus::{IntCounterVec, IntGauge, IntGaugeVec, Registry};

use super::{Metrics, counters, gauges, made};

pub(super) struct Signins {
    ended: IntCounterVec,
    vault_logins: IntCounterVec,
    vault_renewals: IntCounterVec,
    vault_reads: IntCounterVec,
    vault_token_end: IntGauge,
    certificate_expiry: IntGaugeVec,
    token_expiry: IntGaugeVec,
}

impl Signins {
    pub(super) fn new(r: &Registry) -> Signins {
        Signins {
            ended: made(r, counters("exorun_signins_total", "Sign-ins that ended, by how.", &["outcome"])),
            vault_logins: made(
                r,
                counters("exorun_vault_logins_total", "Logins to Vault that ended, by how.", &["outcome"]),
            ),
            vault_renewals: made(
                r,
                counters(
                    "exorun_vault_renewals_total",
                    "Renewals of a token of Vault, by how.",
                    &["outcome"],
                ),
            ),
            vault_reads: made(
                r,
                counters("exorun_vault_reads_total", "Secrets asked of Vault, by how.", &["outcome"]),
            ),
            vault_token_end: made(
                r,
                IntGauge::new(
                    "exorun_vault_token_expiry_timestamp_seconds",
                    "When the token of Vault ends unless it is renewed; 0: there is none, or it does not end.",
                ),
            ),
            certificate_expiry: made(
                r,
                gauges(
                    "exorun_certificate_expiry_timestamp_seconds",
                    "When the certificate of an application ends, as it was last read.",
                    &["target", "client_id"],
                ),
            ),
            token_expiry: made(
                r,
                gauges(
                    "exorun_token_expiry_timestamp_seconds",
                    "When the newest access token ends; it is renewed before.",
                    &["target", "client_id"],
                ),
            ),
        }
    }
}

impl Metrics {
    /// A sign-in ended; `outcome` is `ok` or a word of a closed set.
    pub fn signin_finished(&self, outcome: &'static str) {
        self.0.signins.ended.with_label_values(&[outcome]).inc();
    }

    /// A login to Vault ended; `outcome` is a word of a closed set.
    pub fn vault_login(&self, outcome: &'static str) {
        self.0.signins.vault_logins.with_label_values(&[outcome]).inc();
    }

    /// A token of Vault was renewed, or not; `outcome` is a word of a closed set.
    pub fn vault_renewal(&self, outcome: &'static str) {
        self.0.signins.vault_renewals.with_label_values(&[outcome]).inc();
    }

    /// A secret was asked of Vault; `outcome` is a word of a closed set.
    pub fn vault_read(&self, outcome: &'static str) {
        self.0.signins.vault_reads.with_label_values(&[outcome]).inc();
    }

    /// The token of Vault ends `at`, unless it is renewed.
    pub fn vault_token_ends(&self, at: Option<Timestamp>) {
        self.0.signins.vault_token_end.set(at.map_or(0, Timestamp::as_second));
    }

    /// The certificate by which `client_id` signs in to the tenant `target` ends at `at`.
    pub fn certificate_ends(&self, target: &str, client_id: &str, at: Timestamp) {
        self.0.signins.certificate_expiry.with_label_values(&[target, client_id]).set(at.as_second());
    }

    /// The token that `client_id` (an application, or that which people sign in by) got for the tenant `target` ends at `at`.
    pub fn token_ends(&self, target: &str, client_id: &str, at: Timestamp) {
        self.0.signins.token_expiry.with_label_values(&[target, client_id]).set(at.as_second());
    }
}
