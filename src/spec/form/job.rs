//! The form of a job: its head, and what stands beside the steps.

use super::schedule::{RUN_POLICY, SCHEDULE};
use super::step::STEP;
use super::target::{AUTH, ENVIRONMENTS};
use super::{Form, Key, Names, Object};
use crate::catalog::Service;
use crate::spec::limits::{INPUTS_MAX, LABELS_MAX, SCHEDULES_MAX, SESSIONS_MAX, STEPS_MAX};

pub(super) const SERVICES: &[&str] = &[
    Service::ExchangeOnline.as_str(),
    Service::SecurityCompliance.as_str(),
    Service::ExchangeOnlineProtection.as_str(),
];

/// A job.
pub(in crate::spec) static JOB: Object = Object {
    name: "Job",
    what: "a job",
    doc: "One YAML document: what to do, where, as whom, and when.",
    keys: &[
        Key::new("version", Form::Version, "The version of the form.").needed(),
        Key::new("kind", Form::Word(&["Job"]), "What the document is.").default("Job"),
        Key::new(
            "name",
            Form::DnsLabel,
            "Its name in logs, metrics and reports; different in every job of a folder.",
        )
        .needed(),
        Key::new("description", Form::Text, "A sentence for people."),
        Key::new(
            "connection",
            Form::DnsLabel,
            "A connection of the platform team's file, instead of `tenant`, `environment` and `auth`.",
        ),
        Key::new("tenant", Form::Tenant, "The tenant's initial domain, or its GUID.")
            .needed_when("without `connection`"),
        Key::new("environment", Form::WordOrName(ENVIRONMENTS), "The cloud the tenant lives in.")
            .default("O365Default"),
        Key::new("auth", Form::One(&AUTH), "How to sign in.").needed_when("without `connection`"),
        Key::new(
            "delegated_organization",
            Form::Tenant,
            "The customer's initial domain or GUID, where a partner's user works in the customer's tenant (GDAP). Not with \
             an application.",
        ),
        Key::new(
            "service",
            Form::Word(SERVICES),
            "Which service answers; it decides which cmdlets and parameters there are.",
        )
        .default("ExchangeOnline"),
        Key::new(
            "schedules",
            Form::List { of: &SCHEDULE, max: SCHEDULES_MAX },
            "When the job is due, for `exorun serve`.",
        ),
        Key::new(
            "run_policy",
            Form::One(&RUN_POLICY),
            "What becomes of occurrences that are due at a bad moment.",
        ),
        Key::new(
            "unknown",
            Form::Word(&["refuse", "allow"]),
            "What happens with a cmdlet or parameter that the catalog of this version does not have: an error, or a \
             warning. An unknown cmdlet counts as one that writes.",
        )
        .default("refuse"),
        Key::new("limits", Form::One(&LIMITS), "What the job allows itself."),
        Key::new(
            "labels",
            Form::TextsByName { max: LABELS_MAX },
            "Texts by name for the job's owner. They are never labels of metrics.",
        ),
        Key::new(
            "inputs",
            Form::ByName { of: &INPUT, names: Names::Identifiers, max: INPUTS_MAX },
            "Values that `--input NAME=VALUE` may give; expressions write `inputs.NAME`.",
        ),
        Key::new("steps", Form::List { of: &STEP, max: STEPS_MAX }, "What to do, in this order.").needed(),
    ],
};

/// `limits`.
pub(in crate::spec) static LIMITS: Object = Object {
    name: "Limits",
    what: "`limits`",
    doc: "What a run stops at by itself.",
    keys: &[
        Key::new(
            "max_sessions",
            Form::Integer { from: 1, to: SESSIONS_MAX as i64 },
            "Sessions for loops. Only the first is waited for; the others are taken if they are free at once.",
        )
        .default("1"),
        Key::new(
            "max_changes",
            Form::Integer { from: 0, to: i64::MAX },
            "Properties that `ensure` may change, plus writing calls. The run stops before the next one (exit code \
             78); 0 makes a job a report.",
        ),
        Key::new(
            "max_duration",
            Form::Duration,
            "How long the run may take. Then it is asked to stop (exit code 78).",
        ),
        Key::new(
            "session_wait",
            Form::Duration,
            "How long the run waits for its first session (then exit code 69), instead of the setting.",
        ),
    ],
};

/// An entry of `inputs`.
pub(in crate::spec) static INPUT: Object = Object {
    name: "Input",
    what: "an input",
    doc: "A value that is given with `--input NAME=VALUE`; a list is separated by commas there.",
    keys: &[
        Key::new("type", Form::Word(&["string", "integer", "boolean", "list"]), "What a value must be.")
            .needed(),
        Key::new("description", Form::Text, "A sentence for whoever gives the value."),
        Key::new(
            "default",
            Form::InputValue,
            "The value when none is given. Without a default the input is required.",
        ),
    ],
};
