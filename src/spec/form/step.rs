//! The form of a step.

use super::{Form, Key, Object};
use crate::spec::limits::{RETRY_ATTEMPTS_MAX, SESSIONS_MAX};

/// An entry of `steps`.
pub(in crate::spec) static STEP: Object = Object {
    name: "Step",
    what: "a step",
    doc: "A step has `cmdlet` or `ensure`, not both.",
    keys: &[
        Key::new(
            "name",
            Form::Identifier,
            "Its name in expressions, logs and the report; different in each step of the job.",
        )
        .needed(),
        Key::new("cmdlet", Form::Cmdlet, "Calls this cmdlet.").needed_when("without `ensure`"),
        Key::new("parameters", Form::Parameters, "The parameters of the cmdlet."),
        Key::new(
            "ensure",
            Form::Noun,
            "Reads with `Get-`, writes with `Set-` only what differs, and reads again.",
        )
        .needed_when("without `cmdlet`"),
        Key::new(
            "identity",
            Form::Identity,
            "Which object to ensure; left out for what a tenant has one of, such as `TransportConfig`.",
        )
        .needed_when("with `ensure`, for most nouns"),
        Key::new("properties", Form::Properties, "What must hold: parameters of the `Set-` cmdlet.")
            .needed_when("with `ensure`"),
        Key::new(
            "for_each",
            Form::Expression,
            "An expression that gives a list. The step is done once for each `item`.",
        ),
        Key::new(
            "parallel",
            Form::Integer { from: 1, to: SESSIONS_MAX as i64 },
            "With `for_each`: calls in flight at most. A session does one call at a time, so the loop uses as many sessions as the \
             smaller of this and `limits.max_sessions`, if they are free.",
        )
        .default("limits.max_sessions"),
        Key::new(
            "when",
            Form::Expression,
            "An expression that gives true or false. What is not wanted counts as skipped.",
        ),
        Key::new(
            "select",
            Form::PropertyNames,
            "With `cmdlet`: the properties to ask for, spelled as the service returns them; the columns of a CSV file.",
        ),
        Key::new("output", Form::One(&OUTPUT), "With `cmdlet`: a file for the items that are returned."),
        Key::new(
            "on_error",
            Form::Word(&["stop", "continue", "skip_rest_of_item"]),
            "After a failure the run ends, or goes on with the next item or step. With `skip_rest_of_item` it goes on, too, and \
             later steps with the same `for_each` leave the item that failed out.",
        )
        .default("stop"),
        Key::new(
            "retry",
            Form::One(&RETRY),
            "How the requests of this step are repeated, in place of the settings.",
        ),
        Key::new("timeout", Form::Duration, "How long the step may take, all items of its loop together."),
    ],
};

/// `retry` of a step.
pub(in crate::spec) static RETRY: Object = Object {
    name: "Retry",
    what: "`retry`",
    doc: "The waits between tries, and the time for all of them, stay those of the settings. A write in doubt is never \
          repeated, whatever stands here.",
    keys: &[
        Key::new(
            "attempts",
            Form::Integer { from: 1, to: RETRY_ATTEMPTS_MAX as i64 },
            "Tries of a request in all, the first one counted; 1 repeats nothing.",
        )
        .needed(),
        Key::new(
            "on",
            Form::Words(&["throttled", "transient"]),
            "What is repeated: a service that asks for patience, and what passes by itself (a broken connection, 503).",
        )
        .default("[\"throttled\", \"transient\"]"),
    ],
};

/// `output` of a step.
pub(in crate::spec) static OUTPUT: Object = Object {
    name: "Output",
    what: "`output`",
    doc: "The file is written beside its place and moved there when it is complete, mode 0600; what was there is replaced.",
    keys: &[
        Key::new(
            "path",
            Form::Template,
            "The file; a relative path counts from the setting `output_dir`, else from the working directory. Expressions \
             may use `inputs`, `run` and `target`.",
        )
        .needed(),
        Key::new(
            "format",
            Form::Word(&["csv", "ndjson", "json"]),
            "Its form: CSV with the columns of `select`, one JSON object a line, or one JSON array.",
        )
        .needed_when("the name does not end in `.csv`, `.ndjson`, `.jsonl` or `.json`"),
        Key::new(
            "bom",
            Form::Boolean,
            "CSV only: the file begins with a UTF-8 byte order mark, without which Excel takes it for another encoding.",
        )
        .default("false"),
        Key::new(
            "raw",
            Form::Boolean,
            "CSV only: text is written as the service returned it, without the protection against spreadsheet formulas. \
             For programs, never for a spreadsheet.",
        )
        .default("false"),
    ],
};

/// The value of a parameter that takes bytes.
pub(in crate::spec) static BYTES: Object = Object {
    name: "Bytes",
    what: "the bytes of a file",
    doc: "What parameters take that want the bytes of a file: one of the two.",
    keys: &[
        Key::new(
            "file",
            Form::Text,
            "The path of the file, at most 8 MiB. A relative one counts from the working directory; it is read when the call is made.",
        )
        .needed_when("without `base64`"),
        Key::new("base64", Form::Text, "The bytes as Base64; spaces and line ends in it do not count.")
            .needed_when("without `file`"),
    ],
};
