//! Every setting there is: one row each, from which reading, printing and the documentation are made.

use super::kinds::Kind;
use crate::rules::profile::{Practice, Profile};

/// One setting.
#[derive(Debug)]
pub struct Definition {
    /// The key in a settings file; the flag and the variable are spelled after it.
    pub key: &'static str,
    /// What a value must be.
    pub(super) kind: Kind,
    /// The default as a user would write it; `None`: there is none, and the documentation says what happens then.
    pub default: Option<&'static str>,
    /// Whether the value is masked where settings are printed.
    pub(super) masked: bool,
    /// One or two sentences: what it does, and why the default is what it is.
    pub doc: &'static str,
}

impl Definition {
    /// Whether it is true or false: its flag alone says true.
    pub fn is_boolean(&self) -> bool {
        matches!(self.kind, Kind::Boolean)
    }

    /// What a value must be, in words: `a duration from 1s to 1h`.
    pub fn wanted(&self) -> String {
        self.kind.wanted()
    }
}

/// `--session-limit`
pub fn flag_name(key: &str) -> String {
    format!("--{}", key.replace('_', "-"))
}

/// `EXORUN_SESSION_LIMIT`
pub fn variable_name(key: &str) -> String {
    format!("EXORUN_{}", key.to_ascii_uppercase())
}

const fn row(key: &'static str, kind: Kind, default: Option<&'static str>, doc: &'static str) -> Definition {
    Definition { key, kind, default, masked: false, doc }
}

/// All settings, in the order in which they are printed.
pub static TABLE: &[Definition] = &[
    row(
        "login_endpoint",
        Kind::Endpoint,
        None,
        "Where to sign in, instead of the environment's own address. For proxies and the emulator.",
    ),
    row(
        "exchange_endpoint",
        Kind::Endpoint,
        None,
        "Where cmdlets are sent, instead of the environment's own address. For proxies and the emulator.",
    ),
    row(
        "compliance_endpoint",
        Kind::Endpoint,
        None,
        "Where Security & Compliance answers, instead of the environment's global host. A global host \
         (`ps.compliance.…`) is asked for the tenant's region first; a region's own host is used as it is. For DoD the \
         documentation also names `https://compliance.dod.microsoft.com`.",
    ),
    row(
        "identity_endpoint",
        Kind::Endpoint,
        None,
        "Where the instance metadata service answers (`method: managed_identity`), instead of `http://169.254.169.254`. It is \
         never asked through a proxy. For the emulator.",
    ),
    row(
        "exchange_scope",
        Kind::Text,
        None,
        "The scope asked of a token for Exchange Online and standalone protection, instead of the environment's.",
    ),
    row(
        "compliance_scope",
        Kind::Text,
        None,
        "The scope asked of a token for Security & Compliance, instead of the environment's.",
    ),
    row(
        "connect_to",
        Kind::Detours,
        None,
        "Connections to HOST:PORT go to TO_HOST:TO_PORT instead, past any proxy; the name in the certificate, in the request and in \
         redirects stays HOST, as with curl's option of this name. For gateways and the emulator. Sign-in follows those of port 443.",
    ),
    row(
        "endpoints_file",
        Kind::Path,
        None,
        "A YAML file of further clouds, one `NAME.KEY: VALUE` a line, that jobs name as `environment: NAME`; its form is in \
         `docs/clouds.md`.",
    ),
    row(
        "discovery",
        Kind::Word(&["auto", "off"]),
        Some("auto"),
        "Whether the tenant's own discovery document is read before anybody signs in (`auto`): an unknown tenant and a job that \
         names the wrong cloud end there, and a token of another tenant than the job's domain means is refused. `off` is for \
         sign-in services that have none or are wrong about the cloud; ready tokens and managed identities then need a tenant by \
         its GUID.",
    ),
    row(
        "expected_rights",
        Kind::Word(&["known", "any"]),
        Some("known"),
        "Which roles (of an application) or scopes (of a person) a token must have, so that a useless one is refused before a \
         session: `known` are `Exchange.ManageAsApp`; `Exchange.Manage` and those of Microsoft's own module. `any` lets the \
         service decide about other names.",
    ),
    row(
        "api_version",
        Kind::Word(&["beta", "v1.0"]),
        Some("beta"),
        "The version in the service's addresses. Microsoft's module uses `beta`, which is documented for nobody else; \
         `v1.0` was seen to answer the same.",
    ),
    row(
        "next_page_method",
        Kind::Word(&["POST", "GET"]),
        Some("POST"),
        "How a listing's next page is asked for. POST with the first request's body is what Microsoft's module and most \
         clients do; one client uses GET.",
    ),
    row(
        "application_anchor",
        Kind::Word(&["system_mailbox", "oauth_user", "tenant"]),
        Some("system_mailbox"),
        "How the calls of an application are routed. `system_mailbox` is what Microsoft's documentation of the Admin API \
         and most clients send (`APP:SystemMailbox{…}@TENANT`); `oauth_user` (`UPN:OAuthUser@DOMAIN`) is another reading \
         of Microsoft's module, whose own choice is not public; `tenant` (`TID:…`) names the tenant and no mailbox.",
    ),
    row(
        "bypass_mailbox_anchoring",
        Kind::Boolean,
        Some("false"),
        "Whether to send no routing hint at all, as the module's -BypassMailboxAnchoring. Reads often work without one, \
         writes are then refused with a bare 403.",
    ),
    row(
        "ca_file",
        Kind::Path,
        None,
        "A PEM file of further certificate authorities to trust, added to those of the system.",
    ),
    row(
        "proxy",
        Kind::Proxy,
        Some("environment"),
        "The HTTP proxy for sign-in and sessions: `environment` reads `https_proxy`, `HTTPS_PROXY`, `all_proxy` and `ALL_PROXY` as \
         curl does, `none` connects directly, `http://HOST:PORT` (or `https://`) is the proxy. Loopback, link-local and \
         managed identities are never asked through one. Automatic discovery (WPAD) is refused.",
    ),
    row(
        "proxy_credentials_file",
        Kind::Path,
        None,
        "A file with one line, `USER:PASSWORD`, for the proxy (Basic). It wins over credentials in a variable.",
    ),
    row(
        "no_proxy",
        Kind::Exceptions,
        None,
        "Hosts that are reached without the proxy: names (with everything below them), suffixes, addresses, networks such as \
         `10.0.0.0/8`, `*` for all; commas between. With `proxy: environment` it replaces `no_proxy` and `NO_PROXY`.",
    ),
    row(
        "connections_file",
        Kind::Path,
        None,
        "A YAML file of `kind: Connections`: tenants with environment and sign-in under names that jobs give as \
         `connection: NAME`. A relative path counts from the working directory.",
    ),
    row(
        "require_connections",
        Kind::Boolean,
        Some("false"),
        "Whether a job must name a connection that lists it. Tenants, sign-ins, secrets and files of bytes that no connection permits \
         are refused (exit code 78) before anything connects. Set it where jobs come from people who do not own the credentials.",
    ),
    row(
        "profile",
        Kind::Word(Profile::NAMES),
        Some("default"),
        "`production` refuses what is fine for trying things out only, each by its name in `allow` (exit code 78); \
         docs/connections.md says what.",
    ),
    row(
        "allow",
        Kind::Words(Practice::NAMES),
        None,
        "What the profile `production` allows all the same. Each use is a warning in the log of its run.",
    ),
    row(
        "emulated",
        Kind::Boolean,
        Some("false"),
        "Whether the endpoints are an emulator's. Reports, metrics and the first log line say so; without it an \
         emulator's token is refused, so that nobody takes its run for production.",
    ),
    row(
        "state_dir",
        Kind::Path,
        None,
        "Where the host's runs share their slots: /run/exorun for root, else /tmp/exorun-UID. It does not follow \
         XDG_RUNTIME_DIR, which a login has and a cron job has not: the two would not see each other's sessions.",
    ),
    row(
        "slot_store",
        Kind::Word(&["auto", "local", "kubernetes"]),
        Some("auto"),
        "Where an account's slots are kept: `local`, files below `state_dir` that all processes of the host see; `kubernetes`, Lease objects \
         of one namespace that all its pods see. `auto` is `kubernetes` inside a pod and `local` elsewhere: inside a pod, files would \
         give each pod all of the account's sessions, so `local` has to be asked for there by name.",
    ),
    row(
        "kubeconfig",
        Kind::Path,
        None,
        "With `slot_store: kubernetes` outside of a pod: the kubeconfig file of the cluster; left out, the pod's service account is \
         used. The variable KUBECONFIG is not read: where slots are kept is nothing that a login shell should decide.",
    ),
    row(
        "lease_namespace",
        Kind::Text,
        None,
        "With `slot_store: kubernetes`: the namespace of the Lease objects, by default the pod's own, or that of the kubeconfig's context. \
         Runs in other namespaces or clusters are not seen: name one namespace for all, or split `session_limit` between them.",
    ),
    row(
        "output_dir",
        Kind::Path,
        None,
        "The folder that holds every `output` of a job: relative paths count from it instead of from the working \
         directory, and a path that leads out of it is refused. Set it where jobs come from people who do not own the host.",
    ),
    row(
        "history",
        Kind::Path,
        None,
        "The SQLite file that says what became of every due time and run. Left out, `serve` keeps `history.sqlite` in `state_dir`, which may not \
         survive a restart of the host, and `run` writes nothing.",
    ),
    row(
        "history_keep",
        Kind::Duration { min: "1h", max: "3650d" },
        Some("90d"),
        "How long runs and occurrences stay in the history. Counts stay for ever.",
    ),
    row(
        "history_runs_max",
        Kind::Count { min: 100, max: 10_000_000 },
        Some("100000"),
        "How many runs, and how many rows of occurrences, the history has at most; the oldest go first.",
    ),
    row(
        "session_limit",
        Kind::Count { min: 1, max: 5 },
        Some("5"),
        "Sessions an account may have at once, over all of its runs. The service's documented limit is five; a \
         smaller value leaves room for people.",
    ),
    row(
        "runs_max",
        Kind::Count { min: 1, max: 1000 },
        Some("32"),
        "Runs that `exorun serve` has in hand at once, over all accounts. Those that sign in alike have `session_limit` of them at \
         most, because each needs a session; what is due beyond that waits.",
    ),
    row(
        "reload_interval",
        Kind::Duration { min: "100ms", max: "1h" },
        Some("10s"),
        "How often `exorun serve` looks whether a job file has changed. It looks at times and sizes, so that it also works where \
         nobody tells of changes: ConfigMaps, volumes that Git is synced into, NFS. SIGHUP has every file read at once.",
    ),
    row(
        "lease",
        Kind::Duration { min: "200ms", max: "1h" },
        Some("60s"),
        "How long a run keeps its slot without renewing it. Short enough that a killed run's slot is soon known to \
         be lost, long enough that a busy host renews in time.",
    ),
    row(
        "quarantine",
        Kind::Duration { min: "0s", max: "24h" },
        Some("16m"),
        "How long a slot whose session was not seen to close is given to nobody. The service ends a request after \
         15 minutes at the latest; one minute of slack. REST keeps no session that would outlive it, so a platform that has seen how \
         its tenant behaves may shorten it.",
    ),
    row(
        "opens_per_minute",
        Kind::Count { min: 1, max: 6000 },
        Some("5"),
        "Sessions an account may open in a minute, over all of its runs. The old service allowed 5 runspaces in 60 s; \
         today's publishes no figure. Raise it where many short jobs begin together.",
    ),
    row(
        "session_wait",
        Kind::Duration { min: "0s", max: "24h" },
        Some("10m"),
        "How long a run waits for its first session; then it ends with exit code 69. A job's own limit wins.",
    ),
    row(
        "close_deadline",
        Kind::Duration { min: "100ms", max: "1m" },
        Some("5s"),
        "How long closing a session may take before it counts as unconfirmed; at most a tenth of `lease`. A clean close takes two round trips.",
    ),
    row(
        "drain_grace",
        Kind::Duration { min: "0s", max: "1h" },
        Some("25s"),
        "How long after SIGTERM the call in hand may take. Shorter than the 30 s that Kubernetes gives a pod, \
         because the sessions are closed after it.",
    ),
    row(
        "http_version",
        Kind::Word(&["auto", "1.1"]),
        Some("auto"),
        "`auto` offers HTTP/2 and HTTP/1.1, and the peer chooses. `1.1` is for proxies that break HTTP/2; a session makes one call at a \
         time, so it loses nothing by it.",
    ),
    row(
        "connect_timeout",
        Kind::Duration { min: "100ms", max: "5m" },
        Some("20s"),
        "How long a connection with its TLS handshake may take.",
    ),
    row(
        "call_timeout",
        Kind::Duration { min: "100ms", max: "2h" },
        Some("960s"),
        "How long one request may take. The service gives up after 15 minutes, and its own module waits 960 s. From this \
         value on, six slow cmdlets (`Update-DistributionGroupMember`, `Set-OrganizationConfig`, …) have the module's \
         longer limits of 31 or 61 minutes; a shorter value is for all.",
    ),
    row(
        "retry_attempts",
        Kind::Count { min: 1, max: 20 },
        Some("6"),
        "How often a request is sent at most: once and five repeats.",
    ),
    row(
        "retry_delay_first",
        Kind::Duration { min: "10ms", max: "10m" },
        Some("2s"),
        "The pause before the first repeat; each further one is longer. A Retry-After of the service wins.",
    ),
    row(
        "retry_delay_max",
        Kind::Duration { min: "10ms", max: "1h" },
        Some("60s"),
        "The longest pause between repeats that we choose ourselves.",
    ),
    row(
        "retry_total",
        Kind::Duration { min: "10ms", max: "24h" },
        Some("15m"),
        "How long one call may be repeated, pauses included; then it failed for good.",
    ),
    row(
        "signin_timeout",
        Kind::Duration { min: "100ms", max: "10m" },
        Some("30s"),
        "How long one request to the sign-in service may take.",
    ),
    row(
        "credential_settle_wait",
        Kind::Duration { min: "0s", max: "1h" },
        Some("30s"),
        "How long an application or certificate that the sign-in service does not know (AADSTS700016, AADSTS700027) is tried \
         again, every 10 s: right after it was registered the service may not have heard of it yet. 0s: not at all.",
    ),
    row(
        "device_wait",
        Kind::Duration { min: "100ms", max: "1h" },
        Some("15m"),
        "How long to wait for a person: to confirm a device code, to sign in in a browser, to type at the terminal. The \
         service's codes live 15 minutes.",
    ),
    Definition {
        key: "device_webhook",
        kind: Kind::Webhook,
        default: None,
        masked: true,
        doc: "Where a device code and its address are posted as JSON, for people who do not see the run. Off by default, \
              because a code can be phished: whoever reads it can have somebody else confirm it and sign in as them. \
              `--profile production` refuses it unless it is allowed by name.",
    },
    row(
        "vault_address",
        Kind::AnyEndpoint,
        None,
        "Where Vault (or OpenBao) answers: `https://HOST:PORT`, without a path. Its own variable VAULT_ADDR is not read: where credentials \
         come from is nothing that a login shell should decide.",
    ),
    row(
        "vault_plain_http",
        Kind::Boolean,
        Some("false"),
        "Whether `vault_address` may be http on another host. Secrets and tokens cross the network readable then; it is for a proxy \
         beside the program that speaks TLS for it.",
    ),
    row(
        "vault_namespace",
        Kind::Text,
        None,
        "The namespace in which to log in and read, `team/production`, say.",
    ),
    row(
        "vault_auth",
        Kind::Word(&["token", "kubernetes", "approle", "jwt", "cert"]),
        None,
        "How the program logs in to Vault; docs/vault.md has each with the settings that it needs.",
    ),
    row(
        "vault_auth_mount",
        Kind::Text,
        None,
        "Where the auth method is mounted, below `auth/`: by default under its own name.",
    ),
    row(
        "vault_role",
        Kind::Text,
        None,
        "The role to log in by, with `kubernetes`, `jwt` and `cert`. Left out with the last two, Vault chooses.",
    ),
    row("vault_role_id_file", Kind::Path, None, "With `approle`: the file that holds the role id."),
    row(
        "vault_secret_id_file",
        Kind::Path,
        None,
        "With `approle`: the file that holds the secret id. It is read anew at each login, so that it can be replaced.",
    ),
    row(
        "vault_secret_id_wrapped",
        Kind::Boolean,
        Some("false"),
        "Whether the file of `vault_secret_id_file` holds a wrapping token instead of the secret id. It can be unwrapped once; one that \
         somebody else has unwrapped is reported as such.",
    ),
    row(
        "vault_jwt_file",
        Kind::Path,
        None,
        "With `jwt` and `kubernetes`: the file that holds the token to log in with, read anew at each login. With `kubernetes` the \
         default is the service account's, /var/run/secrets/kubernetes.io/serviceaccount/token.",
    ),
    row(
        "vault_token_file",
        Kind::Path,
        None,
        "With `token`: the file that holds the token, that of a Vault agent, say. It is never revoked by the program.",
    ),
    row(
        "vault_certificate_file",
        Kind::Path,
        None,
        "With `cert`: the PEM file of the client certificate and its intermediates, read anew at each login.",
    ),
    row("vault_key_file", Kind::Path, None, "With `cert`: the PEM file of the certificate's private key."),
    row(
        "vault_ca_file",
        Kind::Path,
        None,
        "A PEM file of further certificate authorities to trust for Vault alone, added to those of the system. Left out, `ca_file` counts.",
    ),
    row(
        "vault_wrap_ttl",
        Kind::Duration { min: "1s", max: "1h" },
        None,
        "Have Vault wrap each secret that is read, for this long: what travels is a token that opens once, so that no proxy on the way \
         can read along unnoticed. It costs two more requests a secret; a policy with `min_wrapping_ttl` demands it.",
    ),
    row(
        "vault_timeout",
        Kind::Duration { min: "100ms", max: "5m" },
        Some("10s"),
        "How long one request to Vault may take.",
    ),
    row(
        "page_size",
        Kind::Count { min: 1, max: 1000 },
        Some("1000"),
        "Objects asked for in one page of a listing. The service gives 1000 at most.",
    ),
    row(
        "batch_size",
        Kind::Count { min: 1, max: 10 },
        Some("10"),
        "How many items of a loop are read in one `$batch` request, as Microsoft's module does with what is piped into it; 10 is \
         the service's limit. Writes are never batched, and a service that takes no batches is asked one by one.",
    ),
    row(
        "reread_wait",
        Kind::Duration { min: "0s", max: "30m" },
        Some("60s"),
        "How long a read after a write may show the old value before the change counts as not made. The service \
         answers from several domain controllers, which differ for seconds to a minute.",
    ),
    row(
        "admin_address",
        Kind::Listener,
        Some("127.0.0.1:9464"),
        "Where `exorun serve` answers for metrics, probes and what it knows (docs/admin.md), or `off`. By default only this host can \
         ask; in a pod it is `0.0.0.0:9464`, so that probes and scrapers can.",
    ),
    row(
        "admin_token_file",
        Kind::Path,
        None,
        "A file with the bearer token that the admin server wants for everything but `/livez` and `/readyz`. It is read anew when it \
         changes. Without one, an address that is not loopback answers for metrics and probes only.",
    ),
    row(
        "admin_tls_certificate",
        Kind::Path,
        None,
        "A PEM file with the admin server's certificate and its intermediates; `admin_tls_key` belongs to it. Both are read anew when \
         they change. Without them it speaks plain HTTP.",
    ),
    row("admin_tls_key", Kind::Path, None, "The PEM file of the private key of `admin_tls_certificate`."),
    row(
        "admin_connections_max",
        Kind::Count { min: 1, max: 10000 },
        Some("64"),
        "Connections that the admin server serves at a time; further ones wait. Scrapers and probes keep one each.",
    ),
    row(
        "pushgateway_url",
        Kind::Gateway,
        None,
        "The Pushgateway to which `exorun run` pushes its metrics at its end (docs/metrics.md). What goes wrong there is one line of the \
         log and no failure of the run. http is for gateways that want no credential. `exorun serve` is scraped, and does not push.",
    ),
    row(
        "pushgateway_timeout",
        Kind::Duration { min: "100ms", max: "1m" },
        Some("5s"),
        "How long a push may take, whatever happens: the run has ended by then and its sessions are closed.",
    ),
    row(
        "pushgateway_token_file",
        Kind::Path,
        None,
        "A file with the bearer token that the Pushgateway, or a proxy before it, wants.",
    ),
    row(
        "pushgateway_basic_auth_file",
        Kind::Path,
        None,
        "A file with `USER:PASSWORD` for the Pushgateway, in place of a token.",
    ),
    row(
        "push_emulated",
        Kind::Boolean,
        Some("false"),
        "Whether a run against the emulator is pushed too. Its series have `emulated=\"true\"` and a group of their own.",
    ),
    row(
        "log_format",
        Kind::Word(&["human", "json"]),
        Some("human"),
        "The form of log lines on standard error.",
    ),
    row(
        "log_level",
        Kind::LogFilter,
        Some("info"),
        "Which log lines are written: `info`, or levels by target as `warn,exorun::session=debug`. The write log \
         (target `exorun::write`) is written at every level, even `off`. A program that was built with \
         optimization has nothing more to say at `trace` than at `debug`.",
    ),
];
