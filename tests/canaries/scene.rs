//! A scene: a tenant, a job and the secrets that it is run with; and the hunt for them.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use exorun::emulator::{Fault, Options};
use tokio::process::Command;

use crate::canary::Canary;
use crate::openbao::OpenBao;
use crate::program::{Tenant, fault};
use crate::scripted_service::ScriptedService;
use crate::watch::{Seen, Started, watched};

/// How the run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ends {
    /// All is done.
    Well,
    /// In errors, whose texts are where secrets leak.
    Badly,
}

/// What is run, and what must not be found afterwards.
pub(crate) struct Scene {
    pub(crate) tenant: Tenant,
    /// The job's lines between its name and its steps.
    pub(crate) head: String,
    pub(crate) steps: String,
    pub(crate) variables: Vec<(&'static str, String)>,
    /// Variables of the tenant that the run does not get.
    pub(crate) without: Vec<&'static str>,
    pub(crate) canaries: Vec<Canary>,
    /// What is typed at the run's terminal, each when its question is seen; nothing: it has none.
    pub(crate) typed: Vec<(&'static str, String)>,
    /// Live as long as the scene.
    pub(crate) vault: Option<OpenBao>,
    pub(crate) gateway: Option<ScriptedService>,
    /// What the run must say, where nothing else shows that a secret was used.
    pub(crate) says: Option<&'static str>,
    /// Files that hold canaries because we have put them there.
    planted: Vec<PathBuf>,
}

/// What nobody plants: tokens of the emulator and signed assertions begin so.
const TOKENS: [(&str, &str); 3] =
    [("an access token", "eyJ0eX"), ("a refresh token", "1.emulator."), ("a signed assertion", "eyJhbGci")];

/// What the tokens look like that OpenBao gives, whose text nobody told us.
const TOKEN_OF_VAULT: &str = r"\b(s|hvs|b|hvb)\.[A-Za-z0-9_-]{24,}\b";

/// What every run does: lists, then writes.
const STEPS: &str = "  - name: some
    cmdlet: Get-Mailbox
    parameters:
      ResultSize: 6
    select: [ExternalDirectoryObjectId, DisplayName]
    output: {path: out.csv}
  - name: office
    for_each: steps.some.items
    on_error: continue
    ensure: Mailbox
    identity: ${{ item.ExternalDirectoryObjectId }}
    properties: {CustomAttribute1: x}
";

/// Failures of every sort, after a sign-in that has to be repeated.
const FAULTS: [&str; 5] = [
    "503:at=token:nth=1",
    "401:cmdlet=Get-Mailbox:nth=1",
    "500:cmdlet=Get-Mailbox:nth=3",
    "403:cmdlet=Set-Mailbox:nth=2",
    "truncate:cmdlet=Get-Mailbox:nth=5",
];

impl Scene {
    /// A tenant that fails if the run is to end badly.
    pub(crate) async fn new(ends: Ends, options: Options) -> Scene {
        let faults: Vec<Fault> = match ends {
            Ends::Well => Vec::new(),
            Ends::Badly => FAULTS.iter().map(|spec| fault(spec)).collect(),
        };
        let tenant = Tenant::start(Options { mailboxes: 8, faults, ..options }).await;
        let mut canaries = Vec::new();
        for (name, start) in TOKENS {
            canaries.push(Canary::of(name, start));
        }
        let (variables, planted) = (Vec::new(), Vec::new());
        Scene {
            tenant,
            head: String::new(),
            steps: STEPS.to_owned(),
            variables,
            without: Vec::new(),
            canaries,
            typed: Vec::new(),
            vault: None,
            gateway: None,
            says: None,
            planted,
        }
    }

    /// Signs in by `auth`, a map in one line.
    pub(crate) fn by(&mut self, auth: &str) {
        self.head = format!("tenant: contoso.onmicrosoft.com\nauth: {auth}\n");
    }

    /// A secret in a variable of the run.
    pub(crate) fn variable(&mut self, name: &'static str, canary: Canary) {
        self.variables.push((name, canary.text.clone()));
        self.canaries.push(canary);
    }

    /// A secret in a file that the run reads.
    pub(crate) fn file(&mut self, name: &str, canary: Canary) -> PathBuf {
        let path = self.planted_file(name, &canary.text);
        self.canaries.push(canary);
        path
    }

    /// A file of the scene that may hold a canary.
    pub(crate) fn planted_file(&mut self, name: &str, text: &str) -> PathBuf {
        let path = self.tenant.path(name);
        std::fs::write(&path, text).unwrap();
        self.planted.push(path.clone());
        path
    }

    /// Writes `job.yaml`.
    pub(crate) fn write_job(&self) {
        let job = format!("version: 1\nname: canaries\n{}steps:\n{}", self.head, self.steps);
        std::fs::write(self.tenant.path("job.yaml"), job).unwrap();
    }

    /// Runs, and looks everywhere.
    pub(crate) async fn hunted(self, ends: Ends, format: &str) {
        self.write_job();
        let mut arguments = vec!["run", "job.yaml", "--log-level", "trace", "--log-format", format];
        arguments.extend(["--report", "report.json", "--metrics-file", "run.prom", "--record", "recording"]);
        let mut command = self.tenant.exorun(&arguments);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        for name in &self.without {
            command.env_remove(name);
        }
        let seen = match self.typed.is_empty() {
            true => watched(command, Started::Here).await,
            false => watched(at_a_terminal(&command, &self.typed), Started::AtATerminal).await,
        };
        // A terminal shows both in one.
        let said = String::from_utf8_lossy(&[&*seen.stderr, &*seen.stdout].concat()).into_owned();
        let ended_so = match ends {
            Ends::Well => seen.code == Some(0),
            Ends::Badly => matches!(seen.code, Some(1 | 3 | 64 | 77)),
        };
        let is_told = |line: &&str| !line.contains("TRACE") && !line.contains("DEBUG");
        let told: Vec<&str> = said.lines().filter(is_told).collect();
        assert!(ended_so, "{ends:?}, {format}: {:?}\n{}", seen.code, told.join("\n"));
        assert!(said.contains("TRACE"), "the finest logs are written");
        if let Some(wanted) = self.says {
            assert!(said.contains(wanted), "{wanted}:\n{}", told.join("\n"));
        }
        self.look(&seen);
    }

    fn look(&self, seen: &Seen) {
        self.clean("standard output", &seen.stdout);
        self.clean("standard error", &seen.stderr);
        self.clean("the arguments of the process", &seen.arguments);
        let named = String::from_utf8_lossy(&seen.arguments);
        assert!(named.contains("job.yaml"), "another process was watched: {named:?}");
        assert_eq!(seen.children, [0_u32; 0], "a run starts no other program");
        assert_eq!(seen.core.as_deref(), Some("0"), "no core is dumped");
        let mut files = Vec::new();
        files_under(self.tenant.folder.path(), &mut files);
        let names: Vec<String> = files.iter().map(|path| path.display().to_string()).collect();
        for wanted in ["report.json", "run.prom"] {
            assert!(names.iter().any(|name| name.ends_with(wanted)), "{wanted}: {names:?}");
        }
        assert!(names.iter().any(|name| name.contains("/recording/")), "{names:?}");
        for file in files.iter().filter(|file| !self.planted.contains(file)) {
            self.clean(&file.display().to_string(), &std::fs::read(file).unwrap());
        }
    }

    /// Looks for every canary.
    pub(crate) fn clean(&self, place: &str, bytes: &[u8]) {
        for canary in &self.canaries {
            let found = canary.found_in(bytes).map(|(form, at)| {
                let around = &bytes[at.saturating_sub(200)..bytes.len().min(at + 100)];
                format!("{form}: {}", String::from_utf8_lossy(around))
            });
            assert_eq!(found, None, "{} is in {place}", canary.name);
        }
        let found = regex::bytes::Regex::new(TOKEN_OF_VAULT).unwrap().is_match(bytes);
        assert!(!found, "a token of Vault is in {place}");
    }
}

/// `program` at a terminal of its own, where these answers are typed. All that the terminal shows is standard output.
pub(crate) fn at_a_terminal(program: &Command, answers: &[(&'static str, String)]) -> Command {
    let program = program.as_std();
    let mut command = Command::new("python3");
    command
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/people/at_a_terminal.py"))
        .arg(serde_json::to_string(answers).unwrap())
        .arg(program.get_program())
        .args(program.get_args())
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .current_dir(program.get_current_dir().unwrap())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

fn files_under(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files_under(&path, found) } else { found.push(path) }
    }
}
