//! The job of a recording, with the recording's stand-ins: what a replay is run with.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value, json};

use super::harmless;
use super::scrub::Scrubber;
use crate::rules::duration::show;
use crate::spec::job::{
    Action, Auth, InputKind, Job, MODULE_CLIENT_ID, OnError, Output, OutputFormat, Retry, Step, TargetSpec,
    Who,
};
use crate::spec::template::{Expression, Part, SecretValue, Template};

/// Where the recorded job takes its secrets from: any text will do in a replay.
const SECRET_VARIABLE: &str = "EXORUN_CLIENT_SECRET";

/// Names of the expression language that stand in quotes.
const TESTS: [&str; 10] =
    ["equalto", "eq", "ne", "in", "defined", "undefined", "true", "false", "none", "lower"];

static QUOTED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(.?)(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")"#).expect("a pattern of our own")
});

/// The job as YAML. Comments, description and labels are not in it; inputs have the values they had.
pub(super) fn recorded(
    scrubber: &mut Scrubber,
    job: &Job,
    target: &TargetSpec,
    inputs: &BTreeMap<String, Value>,
) -> String {
    let mut out = json!({
        "version": 1,
        "name": "recorded",
        "tenant": scrubber.value("", &target.tenant),
        "environment": target.environment.as_str(),
        "auth": auth(scrubber, &target.auth),
    });
    if let Some(customer) = &target.delegated_organization {
        out["delegated_organization"] = scrubber.value("", customer).into();
    }
    out["service"] = job.service.as_str().into();
    // What this version's catalog lacks was known to be wanted when the job ran.
    out["unknown"] = "allow".into();
    out["limits"] = json!({"max_sessions": job.limits.max_sessions});
    if let Some(changes) = job.limits.max_changes {
        out["limits"]["max_changes"] = changes.into();
    }
    if let Some(time) = job.limits.max_duration {
        out["limits"]["max_duration"] = show(time).into();
    }
    if !job.inputs.is_empty() {
        let given = job.inputs.iter().map(|input| {
            let mut form = json!({"type": kind(input.kind)});
            if let Some(value) = inputs.get(&input.name) {
                form["default"] = scrubber.json("", value.clone());
            }
            (input.name.clone(), form)
        });
        out["inputs"] = Value::Object(given.collect());
    }
    out["steps"] =
        job.steps.iter().enumerate().map(|(number, step)| self::step(scrubber, number + 1, step)).collect();
    let mut text = "# The job of this recording; identities are stand-ins.\n".to_owned();
    write(&out, 0, &mut text);
    text
}

fn kind(kind: InputKind) -> &'static str {
    match kind {
        InputKind::String => "string",
        InputKind::Integer => "integer",
        InputKind::Boolean => "boolean",
        InputKind::List => "list",
    }
}

/// The credential is the replay's own.
fn auth(scrubber: &mut Scrubber, auth: &Auth) -> Value {
    let client_id = auth.client_id.as_deref().unwrap_or(MODULE_CLIENT_ID);
    let client_id = scrubber.value("", client_id);
    if auth.method.who() == Who::Person {
        let mut out = json!({"method": "device", "client_id": client_id});
        if let Some(name) = &auth.user_principal_name {
            out["user_principal_name"] = scrubber.value("", name).into();
        }
        return out;
    }
    json!({"method": "client_secret", "client_id": client_id, "credential": {"env": SECRET_VARIABLE}})
}

fn step(scrubber: &mut Scrubber, number: usize, step: &Step) -> Value {
    let mut out = Map::new();
    let mut set = |name: &str, value: Value| out.insert(name.to_owned(), value);
    set("name", step.name.as_str().into());
    match &step.action {
        Action::Cmdlet { cmdlet, parameters } => {
            set("cmdlet", cmdlet.as_str().into());
            if !parameters.is_empty() {
                set("parameters", named(scrubber, parameters));
            }
        }
        Action::Ensure { noun, identity, properties, .. } => {
            set("ensure", noun.as_str().into());
            if let Some(identity) = identity {
                set("identity", template(scrubber, "Identity", identity));
            }
            set("properties", named(scrubber, properties));
        }
    }
    if let Some(list) = &step.for_each {
        set("for_each", expression(scrubber, list).into());
    }
    if let Some(parallel) = step.parallel {
        set("parallel", parallel.into());
    }
    if let Some(when) = &step.when {
        set("when", expression(scrubber, when).into());
    }
    if !step.select.is_empty() {
        set("select", step.select.clone().into());
    }
    match step.on_error {
        OnError::Stop => None,
        OnError::Continue => set("on_error", "continue".into()),
        OnError::SkipRestOfItem => set("on_error", "skip_rest_of_item".into()),
    };
    if let Some(Retry { attempts, throttled, transient }) = step.retry {
        let on = [(throttled, "throttled"), (transient, "transient")];
        let on: Vec<&str> = on.into_iter().filter(|(wanted, _)| *wanted).map(|(_, word)| word).collect();
        set("retry", json!({"attempts": attempts, "on": on}));
    }
    if let Some(time) = step.timeout {
        set("timeout", show(time).into());
    }
    if let Some(written) = &step.output {
        set("output", output(number, written));
    }
    out.into()
}

/// The file gets a name of its own: the old one is a place on somebody's machine.
fn output(number: usize, output: &Output) -> Value {
    match output.format {
        OutputFormat::Csv { bom, raw } => {
            json!({"path": format!("step-{number}.csv"), "format": "csv", "bom": bom, "raw": raw})
        }
        OutputFormat::Ndjson => json!({"path": format!("step-{number}.ndjson"), "format": "ndjson"}),
        OutputFormat::Json => json!({"path": format!("step-{number}.json"), "format": "json"}),
    }
}

fn named(scrubber: &mut Scrubber, values: &[(String, Template)]) -> Value {
    let values = values.iter().map(|(name, value)| (name.clone(), template(scrubber, name, value)));
    Value::Object(values.collect())
}

fn template(scrubber: &mut Scrubber, member: &str, value: &Template) -> Value {
    match value {
        Template::Literal(value) => scrubber.json(member, value.clone()),
        Template::Expression(source) => format!("${{{{ {} }}}}", expression(scrubber, source)).into(),
        // What is put together from pieces has another stand-in than the pieces: only its form is kept.
        Template::Text(parts) => {
            let pieces = parts.iter().map(|part| match part {
                Part::Text(text) if text.chars().any(char::is_alphanumeric) => scrubber.string(member, text),
                Part::Text(text) => text.clone(),
                Part::Expression(source) => format!("${{{{ {} }}}}", expression(scrubber, source)),
            });
            pieces.collect::<String>().into()
        }
        Template::List(items) => items.iter().map(|item| template(scrubber, member, item)).collect(),
        Template::Map(entries) => {
            let entries = entries.iter().map(|(name, value)| {
                let known = harmless::is_member_name(name) || scrubber.keeps();
                let recorded = template(scrubber, name, value);
                (if known { name.clone() } else { scrubber.stand_ins.name(name) }, recorded)
            });
            Value::Object(entries.collect())
        }
        Template::Secret(SecretValue::Text(_)) => json!({"env": SECRET_VARIABLE}),
        Template::Secret(SecretValue::Credential { user_name, .. }) => {
            json!({"user_name": template(scrubber, "", user_name), "password": {"env": SECRET_VARIABLE}})
        }
        // The one byte that the recording has in place of a file's.
        Template::Bytes(_) => json!({"base64": "AA=="}),
    }
}

/// An expression with the texts in it replaced, but for names of members and words of the service.
fn expression(scrubber: &mut Scrubber, expression: &Expression) -> String {
    if scrubber.keeps() {
        return expression.source().to_owned();
    }
    let source = expression.source();
    let mut out = String::new();
    let mut end = 0;
    for found in QUOTED.captures_iter(source) {
        let (whole, text) = (found.get(0).expect("the whole match is there"), found.get(2).or(found.get(3)));
        let text = text.expect("one of the two quotes").as_str();
        let is_index = &found[1] == "["
            && source[..whole.start()]
                .ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | ']' | ')'));
        let is_word = harmless::is_some_word(text) && !scrubber.stand_ins.has_name(text);
        let stays = !text.chars().any(char::is_alphanumeric)
            || TESTS.contains(&text)
            || is_word
            || ((is_index || scrubber.is_member(text)) && harmless::is_member_name(text));
        out.push_str(&source[end..whole.start()]);
        out.push_str(&found[1]);
        let text = if stays { text.to_owned() } else { scrubber.value("", text) };
        out.push_str(&format!("\"{text}\""));
        end = whole.end();
    }
    out.push_str(&source[end..]);
    out
}

/// Block style, every text in double quotes as JSON writes it: nothing in it can be read as anything but text.
fn write(value: &Value, depth: usize, out: &mut String) {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let name = if harmless::is_member_name(name) && !name.starts_with('@') {
                    name.clone()
                } else {
                    Value::from(name.as_str()).to_string()
                };
                out.push_str(&format!("{indent}{name}:"));
                nested(member, depth, out);
            }
        }
        Value::Array(items) => {
            for item in items {
                out.push_str(&format!("{indent}-"));
                nested(item, depth, out);
            }
        }
        other => out.push_str(&format!("{indent}{other}\n")),
    }
}

fn nested(value: &Value, depth: usize, out: &mut String) {
    match value {
        Value::Object(members) if members.is_empty() => out.push_str(" {}\n"),
        Value::Array(items) if items.is_empty() => out.push_str(" []\n"),
        Value::Object(_) | Value::Array(_) => {
            out.push('\n');
            write(value, depth + 1, out);
        }
        other => out.push_str(&format!(" {other}\n")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::scrub::Identities;
    use super::*;
    use crate::spec::job::Environment;

    fn rewritten(text: &str) -> String {
        let checked = crate::spec::check_text(std::path::Path::new("job.yaml"), text);
        assert!(!checked.problems.has_errors(), "{}", checked.problems.render_plain());
        let job = &checked.jobs[0];
        let crate::spec::job::Target::Spelled(target) = &job.target else { panic!("it is spelled out") };
        recorded(&mut Scrubber::new(Identities::Replaced), job, target, &BTreeMap::new())
    }

    #[test]
    fn every_shipped_job_is_one_after_its_identities_are_replaced() {
        let target = TargetSpec {
            tenant: "contoso.onmicrosoft.com".to_owned(),
            delegated_organization: None,
            environment: Environment::default(),
            auth: Auth {
                method: crate::spec::job::Method::Device { credential: None },
                client_id: Some("11111111-2222-3333-4444-555555555555".to_owned()),
                user_principal_name: Some("anna@contoso.com".to_owned()),
            },
        };
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("jobs");
        let paths = folder.read_dir().unwrap().map(|entry| entry.unwrap().path());
        let mut seen = 0;
        for path in paths.filter(|path| path.extension().is_some_and(|extension| extension == "yaml")) {
            let jobs = crate::spec::check_file(&path).jobs;
            for job in &jobs {
                for identities in [Identities::Replaced, Identities::Kept] {
                    let text = recorded(&mut Scrubber::new(identities), job, &target, &BTreeMap::new());
                    let checked = crate::spec::check_text(std::path::Path::new("job.yaml"), &text);
                    let problems = checked.problems.render_plain();
                    assert!(!checked.problems.has_errors(), "{}: {problems}\n{text}", path.display());
                    assert_eq!(checked.jobs[0].steps.len(), job.steps.len());
                    assert!(identities == Identities::Kept || !text.contains("contoso"), "{text}");
                    seen += 1;
                }
            }
        }
        assert!(seen >= 6, "{seen}");
    }

    #[test]
    fn the_job_keeps_its_form_and_loses_its_names() {
        let text = rewritten(
            "# Anna's job\nversion: 1\nname: annas-job\ndescription: by Anna\ntenant: contoso.onmicrosoft.com\nauth:\n  \
             method: client_secret\n  client_id: 11111111-2222-3333-4444-555555555555\n  credential:\n    file: /home/anna/secret\n\
             steps:\n  - name: some\n    cmdlet: Get-Mailbox\n    parameters:\n      RecipientTypeDetails: SharedMailbox\n      \
             ResultSize: 5\n      Anr: Anna\n    select: [Guid, DisplayName]\n  - name: office\n    for_each: steps.some.items\n    \
             when: item.DisplayName != \"Anna\" and item['DisplayName'] != ''\n    ensure: Mailbox\n    \
             identity: ${{ item.Guid }}\n    properties:\n      CustomAttribute1: Anna\n      HiddenFromAddressListsEnabled: true\n",
        );
        assert!(!text.to_lowercase().contains("anna"), "{text}");
        for line in [
            "tenant: \"domain0001.example.invalid\"",
            "      RecipientTypeDetails: \"SharedMailbox\"",
            "      ResultSize: \"5\"",
            "      Anr: \"Name 0001\"",
            "    when: \"item.DisplayName != \\\"Name 0001\\\" and item[\\\"DisplayName\\\"] != \\\"\\\"\"",
            "    identity: \"${{ item.Guid }}\"",
            "      CustomAttribute1: \"Name 0001\"",
            "      HiddenFromAddressListsEnabled: true",
        ] {
            assert!(text.lines().any(|other| other == line), "{line}\nis not in\n{text}");
        }
        let checked = crate::spec::check_text(std::path::Path::new("job.yaml"), &text);
        assert!(!checked.problems.has_errors(), "{}\n{text}", checked.problems.render_plain());
    }
}
