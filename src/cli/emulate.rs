//! `exorun emulate`, and the emulator that `--emulate` starts beside a run.

mod signin;

use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use secrecy::SecretString;
use tempfile::TempDir;
use tracing::info;

use super::setting_flags::SettingFlags;
use super::start::Workers;
use super::{signals, start};
use crate::app::Given;
use crate::clocks::Clocks;
use crate::emulator::{
    Account, CLIENT_ID, Cloud, DeviceApproval, Emulator, Fault, IdentityNames, Options, Plan, RoleAssignment,
    SessionsMode, stand_in,
};
use crate::exit::Exit;
use crate::rules::duration;
use crate::runner::progress::Progress;
use crate::runner::stop::Stop;
use crate::spec::job::{Auth, MODULE_CLIENT_ID, MachineIdentity, Method, TargetSpec};

/// What the emulated tenant is like.
#[derive(Debug, Args)]
#[command(next_help_heading = "Emulator")]
pub(super) struct EmulatorArgs {
    /// Mailboxes in the emulated tenant.
    #[arg(long, value_name = "N", default_value_t = 50)]
    mailboxes: u64,
    /// Everything that is made up follows from it.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Added to each answer of the emulated Exchange Online.
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration::parse)]
    latency: Duration,
    /// Something that goes wrong: `429:count=2:retry_after=0.5`, `reset:cmdlet=Set-CASMailbox:nth=3`, ….
    #[arg(long = "fault", value_name = "FAULT")]
    faults: Vec<Fault>,
    /// What happens to the sixth session of an account: strict (refused, as the old service did), count or off.
    #[arg(long, value_name = "MODE", default_value = "strict")]
    sessions: SessionsMode,
    /// After this long without a request a session is over.
    #[arg(long, value_name = "DURATION", default_value = "15m", value_parser = duration::parse)]
    session_idle: Duration,
    /// How device codes are answered: manual (by the control endpoint), declined, or after=N pending polls.
    #[arg(long, value_name = "MODE", default_value = "manual")]
    device_approval: DeviceApproval,
    /// The directory roles of a client id or a user name, for example GlobalReader; others have every right. May be repeated.
    #[arg(long = "role", value_name = "ACCOUNT=ROLE[,ROLE]")]
    roles: Vec<RoleAssignment>,
    /// Where the tenant lives: O365Default, GCC, O365USGovGCCHigh, O365USGovDoD, O365China or O365GermanyCloud. With
    /// --emulate it is where the job says.
    #[arg(long, value_name = "CLOUD")]
    cloud: Option<Cloud>,
    /// What the tenant has subscribed to: exchange, or eop (Exchange Online Protection alone, with fewer cmdlets).
    #[arg(long, value_name = "PLAN", default_value = "exchange")]
    plan: Plan,
    /// Exchange Online answers only as PREFIX.outlook.office365.com, and sends others there.
    #[arg(long, value_name = "PREFIX")]
    front_door: Option<String>,
    /// The region that Security & Compliance's global host sends its callers to.
    #[arg(long, value_name = "REGION", default_value = "nam12b")]
    compliance_region: String,
    /// Show Rate-Limit headers that count down from N; nobody is refused.
    #[arg(long, value_name = "N")]
    rate_limit: Option<u32>,
    /// A new type of a mailbox (Set-Mailbox with Type) is shown only after this time.
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = duration::parse)]
    type_flip: Duration,
    /// New objects are not found for this long.
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration::parse)]
    replication: Duration,
    #[command(flatten)]
    signin: signin::SigninArgs,
}

#[derive(Debug, Args)]
pub(super) struct EmulateArgs {
    #[command(flatten)]
    emulator: EmulatorArgs,
    /// Serve what `exorun run --record` wrote into this folder, instead of a tenant that is made up.
    #[arg(long, value_name = "DIR")]
    replay: Option<PathBuf>,
    /// Port of the sign-in service on 127.0.0.1; 0 takes a free one.
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    login_port: u16,
    /// Port of Exchange Online on 127.0.0.1; 0 takes a free one.
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    exchange_port: u16,
    /// Port of Security & Compliance's global host on 127.0.0.1; 0 takes a free one.
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    compliance_port: u16,
    /// Port of Security & Compliance's regional host on 127.0.0.1; 0 takes a free one.
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    compliance_region_port: u16,
    /// Port of the managed identity on 127.0.0.1, plain HTTP; 0 takes a free one.
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    identity_port: u16,
    /// Write ca.pem, client-secret, user-password, verification-code, managed-identity.env and settings.yaml into this folder (made with mode 0700).
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
}

impl EmulatorArgs {
    fn options(&self, clocks: &Clocks) -> Options {
        self.signin.lay_over(Options {
            mailboxes: self.mailboxes,
            seed: self.seed,
            latency: self.latency,
            faults: self.faults.clone(),
            sessions: self.sessions,
            session_idle: self.session_idle,
            device_approval: self.device_approval,
            roles: self.roles.clone(),
            cloud: self.cloud.unwrap_or_default(),
            plan: self.plan,
            front_door: self.front_door.clone(),
            compliance_region: self.compliance_region.clone(),
            rate_limit: self.rate_limit,
            type_flip: self.type_flip,
            replication: self.replication,
            clocks: clocks.clone(),
            ..Options::default()
        })
    }
}

/// An emulator with the files that point at it.
pub(super) struct Embedded {
    emulator: Emulator,
    folder: TempDir,
}

impl Embedded {
    /// Starts an emulator for the tenant whose objects the job means.
    pub(super) async fn start(
        args: &EmulatorArgs,
        target: &TargetSpec,
        clocks: &Clocks,
    ) -> Result<Embedded, String> {
        let mut options = args.options(clocks);
        // Another name than Microsoft's is that of an endpoints file: any cloud will do.
        options.cloud = args.cloud.or_else(|| target.environment.as_str().parse().ok()).unwrap_or_default();
        options.certificates.push(stand_in::TEST_CERTIFICATE.to_owned());
        options.federated.push(stand_in::federated_credential());
        options.identity_names = identity_names(&target.auth);
        options.accounts.extend(account_of(&target.auth, &options.accounts));
        // A tenant named by its GUID keeps the emulator's own domain; the emulator knows that GUID then.
        if uuid::Uuid::try_parse(target.organization()).is_err() {
            options.tenant_domain = target.organization().to_owned();
        }
        let failed = |error: std::io::Error| format!("the emulator cannot be started: {error}");
        let folder = tempfile::tempdir().map_err(failed)?;
        let emulator = Emulator::start(options).await.map_err(failed)?;
        write_settings(&emulator, folder.path()).map_err(failed)?;
        Ok(Embedded { emulator, folder })
    }

    /// Points the settings at the emulator. What the command line says itself wins.
    pub(super) fn lay_over(&self, flags: &mut SettingFlags) {
        let own = settings_of(&self.emulator, self.folder.path());
        let state = ("state_dir", self.folder.path().join("state").display().to_string());
        // Nobody else has sessions there, whether this is a pod or not.
        let store = ("slot_store", "local".to_owned());
        for (key, value) in own.into_iter().chain([state, store]) {
            flags.values.entry(key.to_owned()).or_insert(value);
        }
    }

    /// What the job's credentials lead to here; `scope` is what its tokens are for.
    pub(super) fn given(&self, auth: &Auth, scope: &str) -> Given {
        let secret = |text: &str| SecretString::from(text.to_owned());
        let client_id = auth.client_id.as_deref().unwrap_or(CLIENT_ID);
        let token = self.emulator.access_token(scope, client_id, auth.user_principal_name.as_deref());
        let public = auth.client_id.as_deref().unwrap_or(MODULE_CLIENT_ID);
        let kept = self.emulator.refresh_token(scope, public, auth.user_principal_name.as_deref());
        Given {
            auth: auth.clone(),
            client_id: CLIENT_ID.to_owned(),
            client_secret: secret(self.emulator.client_secret()),
            key: secret(stand_in::TEST_KEY),
            certificate: secret(stand_in::TEST_CERTIFICATE),
            password: SecretString::from(self.emulator.user_password()),
            federated_token: SecretString::from(self.emulator.federated_token()),
            refresh_token: SecretString::from(kept.unwrap_or_default()),
            access_token: SecretString::from(token.unwrap_or_default()),
        }
    }

    pub(super) async fn stop(self) {
        self.emulator.stop().await;
    }
}

/// Whom the job expects is somebody here.
fn account_of(auth: &Auth, known: &[Account]) -> Option<Account> {
    let upn = auth.user_principal_name.as_ref()?;
    let is_known = known.iter().any(|account| account.upn.eq_ignore_ascii_case(upn));
    (!is_known).then(|| Account { upn: upn.clone(), trouble: None })
}

/// The identity that the job chooses is the machine's.
fn identity_names(auth: &Auth) -> IdentityNames {
    let Method::ManagedIdentity { identity } = &auth.method else { return IdentityNames::default() };
    let none = IdentityNames::default();
    match identity {
        MachineIdentity::ByClientId => IdentityNames { client_id: auth.client_id.clone(), ..none },
        MachineIdentity::ByObjectId(id) => IdentityNames { object_id: Some(id.clone()), ..none },
        MachineIdentity::ByResourceId(id) => IdentityNames { resource_id: Some(id.clone()), ..none },
    }
}

const CA_FILE: &str = "ca.pem";

fn settings_of(emulator: &Emulator, folder: &Path) -> [(&'static str, String); 7] {
    let detours: Vec<String> = emulator
        .real_names()
        .iter()
        .map(|(name, to)| format!("{name}:443:{}:{}", to.ip(), to.port()))
        .collect();
    // Redirects name hosts by their own names, so where one is to be met, its beginning has to be a name too.
    let exchange = match emulator.has_front_door() {
        true => format!("https://{}", emulator.exchange_name()),
        false => emulator.exchange_endpoint(),
    };
    [
        ("login_endpoint", emulator.login_endpoint()),
        ("exchange_endpoint", exchange),
        ("compliance_endpoint", format!("https://{}", emulator.compliance_name())),
        ("identity_endpoint", emulator.identity_endpoint()),
        ("connect_to", detours.join(",")),
        ("ca_file", folder.join(CA_FILE).display().to_string()),
        ("emulated", "true".to_owned()),
    ]
}

fn write_settings(emulator: &Emulator, folder: &Path) -> std::io::Result<()> {
    write_private(&folder.join(CA_FILE), emulator.ca_pem())?;
    write_private(&folder.join("client-secret"), emulator.client_secret())?;
    write_private(&folder.join("user-password"), &emulator.user_password())?;
    write_private(&folder.join("verification-code"), &emulator.verification_code())?;
    let (endpoint, header) = (emulator.identity_endpoint(), emulator.identity_header());
    // As the libraries for managed identities read them: the first is a machine's, the others are App Service's.
    let identity = format!(
        "AZURE_POD_IDENTITY_AUTHORITY_HOST={endpoint}\nIDENTITY_ENDPOINT={endpoint}/msi/token\nIDENTITY_HEADER={header}\n"
    );
    write_private(&folder.join("managed-identity.env"), &identity)?;
    let lines: Vec<String> = settings_of(emulator, folder)
        .into_iter()
        .map(|(key, value)| format!("{key}: \"{value}\"\n"))
        .collect();
    write_private(&folder.join("settings.yaml"), &lines.concat())
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}

pub(super) fn main(args: EmulateArgs, flags: SettingFlags) -> Exit {
    start::block_on(Workers::Two, serve(args, flags)).unwrap_or_else(|exit| exit)
}

async fn serve(args: EmulateArgs, flags: SettingFlags) -> Exit {
    let clocks = Clocks::system();
    let settings = match start::settings_of(flags) {
        Ok(settings) => settings,
        Err(exit) => return exit,
    };
    if let Err(exit) = start::logs(&settings, &clocks, &Progress::for_terminal()) {
        return exit;
    }
    let options = Options {
        login_port: args.login_port,
        exchange_port: args.exchange_port,
        compliance_port: args.compliance_port,
        compliance_region_port: args.compliance_region_port,
        identity_port: args.identity_port,
        replay: args.replay.clone(),
        ..args.emulator.options(&clocks)
    };
    let emulator = match Emulator::start(options).await {
        Ok(emulator) => emulator,
        Err(error) => return start::refuse(&format!("the emulator cannot be started: {error}")),
    };
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&args.out);
    let folder = made.and_then(|()| args.out.canonicalize());
    let written = folder.and_then(|folder| write_settings(&emulator, &folder).map(|()| folder));
    let folder = match written {
        Ok(folder) => folder,
        Err(error) => return start::refuse(&format!("--out {}: {error}", args.out.display())),
    };
    let stop = Stop::new();
    if let Err(exit) = signals::listen(stop.clone(), settings.drain_grace, clocks) {
        return exit;
    }
    info!(
        login_endpoint = emulator.login_endpoint(), exchange_endpoint = emulator.exchange_endpoint(),
        compliance_endpoint = emulator.compliance_endpoint(),
        compliance_region_endpoint = emulator.compliance_region_endpoint(),
        settings = %folder.join("settings.yaml").display(), "EMULATED: serving; no tenant is behind this"
    );
    stop.asked().await;
    emulator.stop().await;
    Exit::Done
}
