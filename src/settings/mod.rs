//! Settings: strings in, one checked [`Settings`] out, every mistake at once.
//!
//! Flags win over `EXORUN_*` variables, these over the file of `--settings`, that over the defaults. All of them
//! are the rows of [`table::TABLE`]; nothing else in the program reads the environment for a setting. Endpoints,
//! proxies and addresses are settings and never read from a job, because whoever writes a job must not decide
//! where a credential is sent.

mod admin;
mod clouds;
mod display;
mod documentation;
mod file;
mod kinds;
mod problem;
mod proxy;
mod push;
mod resolve;
mod state_dir;
mod strings;
mod table;
mod vault;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tracing_subscriber::filter::Targets;

pub use admin::AdminSettings;
pub use clouds::{OwnCloud, OwnClouds};
pub use display::{for_programs, has_display};
pub use documentation::documentation;
pub use kinds::{Detour, Endpoint};
pub use problem::{Origin, SettingProblem, UnknownVariable};
pub use proxy::Proxy;
pub use push::PushSettings;
pub use resolve::Shown;
pub use state_dir::{StateDirError, prepare as prepare_state_dir};
pub use strings::{ProcessEnvironment, Strings};
pub use table::{Definition, TABLE, flag_name, variable_name};
pub use vault::{VaultLogin, VaultSettings};

use crate::observe::logs::Format;
use crate::rules::duration;
use crate::rules::profile::{Practice, Profile};
use crate::rules::proxy::Exceptions;
use resolve::Resolved;

/// How the calls of an application are routed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApplicationAnchor {
    /// By the organization's own system mailbox.
    SystemMailbox,
    /// By a user that stands for all applications.
    OAuthUser,
    /// By the tenant alone.
    Tenant,
}

/// Every setting, checked. What a field means, its unit's source and its default are in [`TABLE`].
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the documentation of each setting is its row of the table, and only there")]
pub struct Settings {
    pub login_endpoint: Option<Endpoint>,
    pub exchange_endpoint: Option<Endpoint>,
    pub compliance_endpoint: Option<Endpoint>,
    pub identity_endpoint: Option<Endpoint>,
    pub exchange_scope: Option<String>,
    pub compliance_scope: Option<String>,
    pub connect_to: Vec<Detour>,
    pub endpoints_file: Option<PathBuf>,
    pub clouds: OwnClouds,
    pub discovery: Discovery,
    pub expected_rights: ExpectedRights,
    pub api_version: &'static str,
    pub next_page_method: NextPageMethod,
    pub application_anchor: ApplicationAnchor,
    pub bypass_mailbox_anchoring: bool,
    pub ca_file: Option<PathBuf>,
    pub proxy: Proxy,
    pub proxy_credentials_file: Option<PathBuf>,
    pub no_proxy: Option<Exceptions>,
    pub connections_file: Option<PathBuf>,
    pub require_connections: bool,
    pub profile: Profile,
    pub allow: Vec<Practice>,
    pub emulated: bool,
    pub state_dir: PathBuf,
    pub slot_store: SlotStoreKind,
    pub kubeconfig: Option<PathBuf>,
    pub lease_namespace: Option<String>,
    pub output_dir: Option<PathBuf>,
    pub history: Option<PathBuf>,
    pub history_keep: Duration,
    pub history_runs_max: u32,
    pub session_limit: u32,
    pub runs_max: u32,
    pub reload_interval: Duration,
    pub lease: Duration,
    pub quarantine: Duration,
    pub opens_per_minute: u32,
    pub session_wait: Duration,
    pub close_deadline: Duration,
    pub drain_grace: Duration,
    pub http_version: &'static str,
    pub connect_timeout: Duration,
    pub call_timeout: Duration,
    pub retry_attempts: u32,
    pub retry_delay_first: Duration,
    pub retry_delay_max: Duration,
    pub retry_total: Duration,
    pub signin_timeout: Duration,
    pub credential_settle_wait: Duration,
    pub device_wait: Duration,
    pub device_webhook: Option<Endpoint>,
    pub vault: Option<VaultSettings>,
    pub page_size: u32,
    pub batch_size: u32,
    pub reread_wait: Duration,
    pub admin: Option<AdminSettings>,
    pub pushgateway: Option<PushSettings>,
    pub push_emulated: bool,
    pub log_format: Format,
    pub log_level: Targets,
    shown: Vec<Shown>,
    unknown_variables: Vec<UnknownVariable>,
}

/// Whether a tenant's discovery document is read before sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discovery {
    /// It is, and what it lacks is not missed.
    Auto,
    /// It is not.
    Off,
}

/// Where slots are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotStoreKind {
    /// As Leases inside a pod, on the host elsewhere.
    Auto,
    /// In files of the host.
    Local,
    /// As Kubernetes Leases.
    Kubernetes,
}

/// Which rights a token must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpectedRights {
    /// One that is known to be taken.
    Known,
    /// One of whatever name.
    Any,
}

/// How a listing's next page is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextPageMethod {
    /// The first request's body is sent to the link again.
    Post,
    /// The link alone.
    Get,
}

/// The practices with these names.
fn practices(names: &[&str]) -> Vec<Practice> {
    Practice::ALL.into_iter().filter(|practice| names.contains(&practice.name())).collect()
}

impl Settings {
    /// Reads and checks all settings. `flags` holds what the command line gave, by the setting's key
    /// (`session_limit`); `file` is that of `--settings`, else `EXORUN_SETTINGS` names one.
    ///
    /// # Errors
    /// Every problem there is: each names the flag, the variable or the line, and never the value, which may be a
    /// secret in the wrong place.
    pub fn load(
        flags: BTreeMap<String, String>,
        environment: &dyn Strings,
        file: Option<&Path>,
    ) -> Result<Settings, Vec<SettingProblem>> {
        let mut problems = Vec::new();
        let mut found = Resolved::read(flags, environment, file, &mut problems);
        let vault = VaultSettings::read(&mut found, environment, &mut problems);
        let admin = AdminSettings::read(&mut found, &mut problems);
        let pushgateway = PushSettings::read(&mut found, &mut problems);
        let settings = Settings {
            login_endpoint: found.endpoint("login_endpoint"),
            exchange_endpoint: found.endpoint("exchange_endpoint"),
            compliance_endpoint: found.endpoint("compliance_endpoint"),
            identity_endpoint: found.endpoint("identity_endpoint"),
            exchange_scope: found.text("exchange_scope"),
            compliance_scope: found.text("compliance_scope"),
            connect_to: found.detours("connect_to"),
            endpoints_file: found.path("endpoints_file"),
            clouds: OwnClouds::new(),
            discovery: match found.word("discovery") {
                "off" => Discovery::Off,
                _ => Discovery::Auto,
            },
            expected_rights: match found.word("expected_rights") {
                "any" => ExpectedRights::Any,
                _ => ExpectedRights::Known,
            },
            api_version: found.word("api_version"),
            next_page_method: match found.word("next_page_method") {
                "GET" => NextPageMethod::Get,
                _ => NextPageMethod::Post,
            },
            application_anchor: found.application_anchor("application_anchor"),
            bypass_mailbox_anchoring: found.boolean("bypass_mailbox_anchoring"),
            ca_file: found.path("ca_file"),
            proxy: Proxy::default(),
            proxy_credentials_file: found.path("proxy_credentials_file"),
            no_proxy: found.exceptions("no_proxy"),
            connections_file: found.path("connections_file"),
            require_connections: found.boolean("require_connections"),
            profile: Profile::named(found.word("profile")),
            allow: practices(&found.words("allow")),
            emulated: found.boolean("emulated"),
            state_dir: found.path("state_dir").unwrap_or_else(state_dir::default),
            slot_store: match found.word("slot_store") {
                "local" => SlotStoreKind::Local,
                "kubernetes" => SlotStoreKind::Kubernetes,
                _ => SlotStoreKind::Auto,
            },
            kubeconfig: found.path("kubeconfig"),
            lease_namespace: found.text("lease_namespace"),
            output_dir: found.path("output_dir"),
            history: found.path("history"),
            history_keep: found.duration("history_keep"),
            history_runs_max: found.count("history_runs_max"),
            session_limit: found.count("session_limit"),
            runs_max: found.count("runs_max"),
            reload_interval: found.duration("reload_interval"),
            lease: found.duration("lease"),
            quarantine: found.duration("quarantine"),
            opens_per_minute: found.count("opens_per_minute"),
            session_wait: found.duration("session_wait"),
            close_deadline: found.duration("close_deadline"),
            drain_grace: found.duration("drain_grace"),
            http_version: found.word("http_version"),
            connect_timeout: found.duration("connect_timeout"),
            call_timeout: found.duration("call_timeout"),
            retry_attempts: found.count("retry_attempts"),
            retry_delay_first: found.duration("retry_delay_first"),
            retry_delay_max: found.duration("retry_delay_max"),
            retry_total: found.duration("retry_total"),
            signin_timeout: found.duration("signin_timeout"),
            credential_settle_wait: found.duration("credential_settle_wait"),
            device_wait: found.duration("device_wait"),
            device_webhook: found.endpoint("device_webhook"),
            vault,
            page_size: found.count("page_size"),
            batch_size: found.count("batch_size"),
            reread_wait: found.duration("reread_wait"),
            admin,
            pushgateway,
            push_emulated: found.boolean("push_emulated"),
            log_format: found.log_format("log_format"),
            log_level: found.targets("log_level"),
            shown: Vec::new(),
            unknown_variables: strings::unknown_variables(environment),
        };
        let (choice, file) = (found.proxy("proxy"), settings.proxy_credentials_file.as_deref());
        let proxy = Proxy::resolve(&choice, file, settings.no_proxy.clone(), environment);
        let file = settings.endpoints_file.as_deref();
        let clouds = file.map_or_else(OwnClouds::new, |file| clouds::read(file, &mut problems));
        let settings = Settings { proxy, clouds, ..settings };
        if problems.is_empty() {
            settings.check_together(&found, &mut problems);
        }
        if problems.is_empty() {
            Ok(Settings { shown: found.into_shown(&settings.state_dir, &settings.proxy), ..settings })
        } else {
            Err(problems)
        }
    }

    /// Each setting with its value (secrets masked, text escaped) and where it came from, in the table's order.
    pub fn origins(&self) -> &[Shown] {
        &self.shown
    }

    /// Variables named `EXORUN_…` that are no setting and do not look like a credential: warn about those that no
    /// job refers to.
    pub fn unknown_variables(&self) -> &[UnknownVariable] {
        &self.unknown_variables
    }

    /// What no value alone can show: settings that contradict each other.
    fn check_together(&self, found: &Resolved, problems: &mut Vec<SettingProblem>) {
        let mut demand = |holds: bool, blamed: &'static str, message: String| {
            if !holds {
                problems.push(SettingProblem::new(found.origin(blamed), blamed, message));
            }
        };
        let is_label = |name: &str| {
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            name.len() <= 63 && name.chars().all(plain) && !name.starts_with('-') && !name.ends_with('-')
        };
        demand(
            self.lease_namespace.as_deref().is_none_or(is_label),
            "lease_namespace",
            "is a namespace's name: small letters, digits and dashes, at most 63".to_owned(),
        );
        // Relative to the working directory, two runs of a user would count sessions in two places.
        demand(self.state_dir.is_absolute(), "state_dir", "wants an absolute path".to_owned());
        // Nor would `run` and `serve` mean the same file.
        demand(
            self.history.as_deref().is_none_or(Path::is_absolute),
            "history",
            "wants an absolute path".to_owned(),
        );
        demand(
            self.retry_delay_first <= self.retry_delay_max,
            "retry_delay_first",
            format!("is longer than `retry_delay_max` ({})", duration::show(self.retry_delay_max)),
        );
        // A lease that ends while its holder still closes would free the slot under a live session.
        demand(
            self.close_deadline * 2 <= self.lease,
            "close_deadline",
            format!(
                "is longer than half of `lease` ({}); the slot must stay ours while we close",
                duration::show(self.lease)
            ),
        );
        demand(
            self.retry_delay_max <= self.retry_total,
            "retry_total",
            format!(
                "is shorter than one pause, `retry_delay_max` ({})",
                duration::show(self.retry_delay_max)
            ),
        );
    }
}

#[cfg(test)]
mod tests;
