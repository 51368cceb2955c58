//! The job itself: its header, and everything below it.

use std::collections::BTreeMap;
use std::path::Path;

use super::auth::is_guid;
use super::{Checker, Fields};
use crate::catalog::Service;
use crate::spec::escape::quote;
use crate::spec::form::{JOB, LIMITS};
use crate::spec::job::{Job, JobName, Limits, Target, Unknown};
use crate::spec::limits::LABELS_MAX;
use crate::spec::names::DNS_LABEL_HELP;
use crate::spec::problem::Problem;
use crate::spec::read::Document;
use crate::spec::tree::{Content, Node};

/// How the initial domains of tenants end, by cloud.
const INITIAL_DOMAINS: [&str; 3] = [".onmicrosoft.com", ".onmicrosoft.us", ".partner.onmschina.cn"];

/// Checks a document; `None` if something is wrong, which the checker then knows.
pub(in crate::spec) fn job(checker: &mut Checker<'_>, path: &Path, document: &Document) -> Option<Job> {
    let errors_before = checker.problems.len();
    let fields = checker.fields(&document.root, &JOB)?;
    checker.version(fields, "the job");
    let name = checker.job_name(fields);
    let description = checker.text_of(fields, "description").map(str::to_owned);
    let target = checker.target(fields);
    let service = checker.service(fields);
    checker.tenant_of_compliance(fields, service, target.as_ref());
    checker.allows_unknown = checker.word_of(fields, "unknown") == Some("allow");
    let schedules = fields.get("schedules").map(|node| checker.schedules(node)).unwrap_or_default();
    if let (Some(entry), Some(Target::Spelled(target))) = (fields.entry("schedules"), &target)
        && !schedules.is_empty()
        && target.auth.method.asks_a_person()
    {
        let title = "the job is due by itself, but a person has to confirm its sign-in";
        checker.report(Problem::warning(entry.key_span.clone(), title).help(
            "use `method: certificate` for jobs with schedules, or keep the sign-in in Vault: `credential: {vault: …}` and \
             `exorun login` once",
        ));
    }
    let run_policy = checker.run_policy(fields, &schedules);
    let limits = checker.limits(fields.get("limits"));
    let labels = fields.get("labels").map(|node| checker.labels(node)).unwrap_or_default();
    let inputs = fields.get("inputs").map(|node| checker.inputs(node)).unwrap_or_default();
    let steps = match fields.get("steps") {
        Some(node) => checker.steps(node, service, &inputs, limits.max_sessions),
        None => {
            let problem = Problem::error(fields.head(), "the job has no `steps`");
            checker
                .report(problem.help("add `steps:` and below it at least one step with `name` and `cmdlet`"));
            Vec::new()
        }
    };
    if checker.problems[errors_before..]
        .iter()
        .any(|problem| problem.severity() == crate::spec::Severity::Error)
    {
        return None;
    }
    Some(Job {
        name: name?,
        description,
        source: path.to_owned(),
        hash: hash(&checker.text[document.text.clone()]),
        target: target?,
        service,
        unknown: if checker.allows_unknown { Unknown::Allowed } else { Unknown::Refused },
        labels,
        inputs,
        limits,
        schedules,
        run_policy,
        steps,
    })
}

/// What a job's text is known by.
pub(in crate::spec) fn hash(text: &str) -> String {
    let hash = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Checker<'_> {
    pub(super) fn version(&mut self, fields: Fields<'_>, whose: &str) {
        let Some(node) = fields.get("version") else {
            let problem = Problem::error(fields.head(), format!("{whose} has no `version`"));
            return self.report(problem.help("add `version: 1` as the first line"));
        };
        if !matches!(&node.content, Content::Scalar { text, plain: true } if text == "1") {
            let title = format!("`version` is 1, found {}", node.describe());
            self.report(
                Problem::error(node.span.clone(), title)
                    .help("write `version: 1`; a newer form needs a newer exorun"),
            );
        }
    }

    fn job_name(&mut self, fields: Fields<'_>) -> Option<JobName> {
        let Some(node) = fields.get("name") else {
            let problem = Problem::error(fields.head(), "the job has no `name`");
            self.report(problem.help("add `name: some-name`: lower-case letters, digits and hyphens"));
            return None;
        };
        let text = self.text(node, "name")?;
        let name = JobName::new(text);
        if name.is_none() {
            let title = format!("the name of a job is a DNS label, found {}", quote(text));
            self.report(Problem::error(node.span.clone(), title).help(DNS_LABEL_HELP));
        }
        name
    }

    /// Security & Compliance looks for a tenant by its initial domain only. Source: protocol reference, 1.2.
    fn tenant_of_compliance(&mut self, fields: Fields<'_>, service: Service, target: Option<&Target>) {
        let (Service::SecurityCompliance, Some(Target::Spelled(target))) = (service, target) else { return };
        let key = if target.delegated_organization.is_some() { "delegated_organization" } else { "tenant" };
        let Some(node) = fields.get(key) else { return };
        let organization = target.organization();
        if is_guid(organization) {
            let title = format!("`{key}` is an id, and SecurityCompliance finds no tenant by its id");
            self.report(
                Problem::error(node.span.clone(), title)
                    .help("write the initial domain: contoso.onmicrosoft.com"),
            );
        } else if !INITIAL_DOMAINS.iter().any(|end| organization.to_ascii_lowercase().ends_with(end)) {
            let title =
                format!("`{key}` is not the tenant's initial domain, and SecurityCompliance may not find it");
            self.report(
                Problem::warning(node.span.clone(), title)
                    .help("write the initial domain: contoso.onmicrosoft.com"),
            );
        }
    }

    fn service(&mut self, fields: Fields<'_>) -> Service {
        let name = self.word_of(fields, "service");
        name.and_then(|name| Service::ALL.into_iter().find(|service| service.as_str() == name))
            .unwrap_or_default()
    }

    fn limits(&mut self, node: Option<&Node>) -> Limits {
        let mut limits =
            Limits { max_sessions: 1, max_changes: None, max_duration: None, session_wait: None };
        let Some(node) = node else { return limits };
        let Some(fields) = self.fields(node, &LIMITS) else { return limits };
        limits.max_sessions = self.integer_of(fields, "max_sessions").unwrap_or(limits.max_sessions);
        limits.max_changes = self.integer_of(fields, "max_changes");
        limits.max_duration = self.duration_of(fields, "max_duration");
        limits.session_wait = self.duration_of(fields, "session_wait");
        limits
    }

    fn labels(&mut self, node: &Node) -> BTreeMap<String, String> {
        let Some(entries) = self.map(node, "`labels`") else { return BTreeMap::new() };
        if entries.len() > LABELS_MAX {
            let title =
                format!("a job has at most {LABELS_MAX} labels (LABELS_MAX), found {}", entries.len());
            self.report(Problem::error(node.span.clone(), title));
        }
        let mut labels = BTreeMap::new();
        for entry in entries {
            if let Some(text) = self.text(&entry.value, &entry.key) {
                labels.insert(entry.key.clone(), text.to_owned());
            }
        }
        labels
    }
}
