//! What an emulator is started with.

use std::path::PathBuf;
use std::time::Duration;

use super::account::{Account, SigninTrouble};
use super::clouds::Cloud;
use super::faults::Fault;
use super::roles::RoleAssignment;
use crate::clocks::Clocks;

/// The application that [`Options::default`] knows. Any other client id (a GUID) with the right secret is accepted too.
pub const CLIENT_ID: &str = "11111111-2222-3333-4444-555555555555";

/// An application of this id gets a token with the app role, but Exchange answers it 403: it has no directory role.
pub const CLIENT_ID_WITHOUT_DIRECTORY_ROLE: &str = "00000000-0000-0000-0000-000000000403";

/// An application of this id gets a token without the app role, and Exchange answers it 401.
pub const CLIENT_ID_WITHOUT_APP_ROLE: &str = "00000000-0000-0000-0000-000000000401";

/// The application of the machine's own identity.
pub const MANAGED_IDENTITY_CLIENT_ID: &str = "99999999-8888-7777-6666-555555555555";

/// What happens at an account's sixth session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SessionsMode {
    /// It is refused: HTTP 429 with the old service's sentence.
    #[default]
    Strict,
    /// It is only counted, for foreign clients and for proxies that pool connections.
    Count,
    /// Sessions are not counted at all.
    Off,
}

impl std::str::FromStr for SessionsMode {
    type Err = String;

    fn from_str(text: &str) -> Result<SessionsMode, String> {
        match text {
            "strict" => Ok(SessionsMode::Strict),
            "count" => Ok(SessionsMode::Count),
            "off" => Ok(SessionsMode::Off),
            other => Err(format!("`{other}` is none of strict, count, off")),
        }
    }
}

/// How a device code gets its user's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceApproval {
    /// By a person on the page `/devicelogin`, or by `POST /_emulator/device/{user_code}`.
    Manual,
    /// By itself, at the poll after this many pending ones.
    AfterPolls(u32),
    /// The user declines at the first poll.
    Declined,
}

impl std::str::FromStr for DeviceApproval {
    type Err = String;

    fn from_str(text: &str) -> Result<DeviceApproval, String> {
        match (text, text.strip_prefix("after=").map(str::parse)) {
            ("manual", _) => Ok(DeviceApproval::Manual),
            ("declined", _) => Ok(DeviceApproval::Declined),
            (_, Some(Ok(polls))) => Ok(DeviceApproval::AfterPolls(polls)),
            _ => Err(format!("`{text}` is none of manual, declined, after=N (N pending polls)")),
        }
    }
}

/// Names of the machine's identity; what is left out is made up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdentityNames {
    /// Its application.
    pub client_id: Option<String>,
    /// Its service principal.
    pub object_id: Option<String>,
    /// Its resource in Azure.
    pub resource_id: Option<String>,
}

/// An issuer whose tokens are good instead of a client secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FederatedCredential {
    /// `iss` of its tokens.
    pub issuer: String,
    /// `sub` of its tokens.
    pub subject: String,
    /// Its RSA keys: a JWKS, or a public key or certificates in PEM.
    pub keys: String,
}

/// What happens to something that was used before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reuse {
    /// It stays good.
    Accept,
    /// It is refused.
    Refuse,
}

impl std::str::FromStr for Reuse {
    type Err = String;

    fn from_str(text: &str) -> Result<Reuse, String> {
        match text {
            "accept" => Ok(Reuse::Accept),
            "refuse" => Ok(Reuse::Refuse),
            other => Err(format!("`{other}` is none of accept, refuse")),
        }
    }
}

/// Whether writes need an `X-AnchorMailbox` header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AnchorRule {
    /// A write without one gets the service's bare 403.
    #[default]
    Writes,
    /// Nobody looks.
    Ignored,
}

/// What a page link is bound to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PageBinding {
    /// The anchor and the affinity cookie of the first page.
    #[default]
    AnchorAndCookie,
    /// The anchor only.
    Anchor,
    /// Nothing: any caller of the tenant may follow it.
    Nothing,
}

/// Whether bodies are compressed for peers that accept it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// gzip, if the request accepts it.
    #[default]
    Gzip,
    /// Never.
    Off,
}

/// What the tenant has subscribed to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Plan {
    /// Exchange Online.
    #[default]
    Exchange,
    /// Standalone Exchange Online Protection: the same door with a smaller set of cmdlets.
    Eop,
}

impl std::str::FromStr for Plan {
    type Err = String;

    fn from_str(text: &str) -> Result<Plan, String> {
        match text {
            "exchange" => Ok(Plan::Exchange),
            "eop" => Ok(Plan::Eop),
            other => Err(format!("`{other}` is none of exchange, eop")),
        }
    }
}

/// How an [`Emulator`](super::Emulator) behaves. `Options::default()` is a small friendly tenant on any two ports.
#[derive(Clone)]
pub struct Options {
    /// Mailboxes in the tenant. They are made up when they are read, so 100,000 cost no more than 50.
    pub mailboxes: u64,
    /// Everything made up follows from it: the same seed gives the same tenant and the same random faults.
    pub seed: u64,
    /// Added to each answer of Exchange Online.
    pub latency: Duration,
    /// What goes wrong. More can be added while it runs, by the control endpoint.
    pub faults: Vec<Fault>,
    /// What happens above [`Options::session_limit`].
    pub sessions: SessionsMode,
    /// After this long without a request a session is over.
    pub session_idle: Duration,
    /// Live sessions per account.
    pub session_limit: u32,
    /// Port of the sign-in service on 127.0.0.1; 0 takes a free one.
    pub login_port: u16,
    /// Port of Exchange Online on 127.0.0.1; 0 takes a free one.
    pub exchange_port: u16,
    /// Port of Security & Compliance's global host on 127.0.0.1; 0 takes a free one.
    pub compliance_port: u16,
    /// Port of Security & Compliance's regional host on 127.0.0.1; 0 takes a free one.
    pub compliance_region_port: u16,
    /// The first label of the regional host that Security & Compliance's global host names.
    pub compliance_region: String,
    /// A regional prefix: Exchange Online answers only as `{prefix}.outlook.office365.com` and sends others there.
    pub front_door: Option<String>,
    /// Users whom `Set-User -EXOModuleEnabled $false` keeps out, besides those whose mailbox says so.
    pub module_off: Vec<String>,
    /// How far ahead of the real time the `Date` of all answers is.
    pub clock_ahead: Duration,
    /// Which cloud the tenant lives in.
    pub cloud: Cloud,
    /// What the tenant has subscribed to.
    pub plan: Plan,
    /// The directory roles of some accounts; all others have every right.
    pub roles: Vec<RoleAssignment>,
    /// The number that `Rate-Limit-Limit` shows; `None` leaves the `Rate-Limit-*` headers out.
    pub rate_limit: Option<u32>,
    /// The applications' secret; `None` makes a random one.
    pub client_secret: Option<String>,
    /// Certificates of the applications, in PEM; RSA of 2048 bits or more. More can be added by the control endpoint.
    pub certificates: Vec<String>,
    /// Issuers that the applications trust.
    pub federated: Vec<FederatedCredential>,
    /// What happens to a client assertion whose `jti` was seen before.
    pub assertion_reuse: Reuse,
    /// Everybody's password; `None` makes a random one.
    pub user_password: Option<String>,
    /// People whom the tenant has besides the made-up ones; each has every right.
    pub accounts: Vec<Account>,
    /// What accounts with a second factor are asked for; `None` makes six random digits.
    pub verification_code: Option<String>,
    /// Who meets what at each sign-in. More can be added by the control endpoint.
    pub signin_trouble: Vec<SigninTrouble>,
    /// What happens to a refresh token that was used before.
    pub refresh_reuse: Reuse,
    /// Life of a refresh token that nobody uses.
    pub refresh_life: Duration,
    /// Life of an authorization code.
    pub code_life: Duration,
    /// Port of the managed identity on 127.0.0.1, plain HTTP; 0 takes a free one.
    pub identity_port: u16,
    /// By what the machine's identity is known, instead of names of its own.
    pub identity_names: IdentityNames,
    /// How device codes are answered.
    pub device_approval: DeviceApproval,
    /// Least time between two polls of a device code; a faster poll is answered `slow_down`.
    pub device_interval: Duration,
    /// Life of a device code.
    pub device_life: Duration,
    /// The tenant's initial domain.
    pub tenant_domain: String,
    /// Further accepted domains of the tenant.
    pub domains: Vec<String>,
    /// Who confirms a device code where nobody is named; `None`: the administrator.
    pub device_user: Option<String>,
    /// Users of other tenants who may work in this one, as partners (GDAP); other foreign users are refused.
    pub partner_users: Vec<String>,
    /// Life of an access token.
    pub token_life: Duration,
    /// Audiences that Exchange Online accepts and the sign-in service hands out.
    pub audiences: Vec<String>,
    /// Audiences that Security & Compliance accepts and the sign-in service hands out.
    pub compliance_audiences: Vec<String>,
    /// Life of a page link.
    pub page_life: Duration,
    /// What a page link is bound to.
    pub page_binding: PageBinding,
    /// New objects are not found for this long.
    pub replication: Duration,
    /// Whether the tenant shares its settings with others until `Enable-OrganizationCustomization` was called.
    pub dehydrated: bool,
    /// Whether the tenant has the licence for protection from impersonation.
    pub defender: bool,
    /// A new type of a mailbox (`Set-Mailbox -Type`) is not shown for this long.
    pub type_flip: Duration,
    /// Whether writes need an anchor.
    pub anchor: AnchorRule,
    /// Whether bodies are compressed.
    pub compression: Compression,
    /// A recording that is served instead of a tenant that is made up.
    pub replay: Option<PathBuf>,
    /// Requests that the ring keeps.
    pub records_max: usize,
    /// Reads time and sleeps.
    pub clocks: Clocks,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            mailboxes: 50,
            seed: 1,
            latency: Duration::ZERO,
            faults: Vec::new(),
            sessions: SessionsMode::default(),
            session_idle: Duration::from_secs(15 * 60),
            session_limit: 5,
            login_port: 0,
            exchange_port: 0,
            compliance_port: 0,
            compliance_region_port: 0,
            compliance_region: "nam12b".to_owned(),
            front_door: None,
            module_off: Vec::new(),
            clock_ahead: Duration::ZERO,
            cloud: Cloud::default(),
            plan: Plan::default(),
            roles: Vec::new(),
            rate_limit: None,
            client_secret: None,
            certificates: Vec::new(),
            federated: Vec::new(),
            assertion_reuse: Reuse::Refuse,
            user_password: None,
            accounts: Vec::new(),
            verification_code: None,
            signin_trouble: Vec::new(),
            refresh_reuse: Reuse::Accept,
            refresh_life: Duration::from_secs(90 * 24 * 60 * 60),
            code_life: Duration::from_secs(10 * 60),
            identity_port: 0,
            identity_names: IdentityNames::default(),
            device_approval: DeviceApproval::Manual,
            device_interval: Duration::from_secs(5),
            device_life: Duration::from_secs(900),
            tenant_domain: "contoso.onmicrosoft.com".to_owned(),
            domains: Vec::new(),
            device_user: None,
            partner_users: Vec::new(),
            token_life: Duration::from_secs(3599),
            audiences: [
                "https://outlook.office365.com",
                "https://outlook.office365.us",
                "https://outlook-dod.office365.us",
                "https://partner.outlook.cn",
                "https://outlook.office.de",
            ]
            .map(str::to_owned)
            .to_vec(),
            compliance_audiences: [
                "https://ps.compliance.protection.outlook.com",
                "https://ps.compliance.protection.office365.us",
                "https://l5.ps.compliance.protection.office365.us",
                "https://compliance.dod.microsoft.com",
                "https://ps.compliance.protection.partner.outlook.cn",
                "https://ps.compliance.protection.outlook.de",
                "https://dataservice.o365filtering.com",
            ]
            .map(str::to_owned)
            .to_vec(),
            page_life: Duration::from_secs(30 * 60),
            page_binding: PageBinding::default(),
            replication: Duration::ZERO,
            dehydrated: false,
            defender: true,
            type_flip: Duration::ZERO,
            anchor: AnchorRule::default(),
            compression: Compression::default(),
            replay: None,
            records_max: 1000,
            clocks: Clocks::system(),
        }
    }
}
