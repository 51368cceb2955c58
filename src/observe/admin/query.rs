//! The parameters of a question: strict, and every mistake at once.

use super::ask::{Query, Resource};
use super::route::is_job_name;

const LIMIT_DEFAULT: u32 = 100;
const LIMIT_MAX: u32 = 1000;

/// Longest cursor.
const PAGE_MAX: usize = 512;

/// How runs end: the words of the exit codes, and two of the scheduler's.
const OUTCOMES: [&str; 11] = [
    "done",
    "failed",
    "changes_pending",
    "partly_failed",
    "bad_input",
    "no_session",
    "interrupted",
    "signin_refused",
    "refused_by_policy",
    "replaced",
    "lost",
];

/// What becomes of occurrences.
const RESULTS: [&str; 5] = ["waiting", "running", "ran", "skipped", "failed"];

/// The parameters that `resource` takes.
fn known(resource: &Resource) -> &'static [&'static str] {
    match resource {
        Resource::Jobs => &["limit", "page"],
        Resource::Runs => &["job", "outcome", "limit", "page"],
        Resource::Occurrences => &["job", "result", "limit", "page"],
        Resource::Job(_) | Resource::Run(_) | Resource::Sessions => &[],
    }
}

/// Reads what stands behind the `?` of a request.
///
/// # Errors
/// What is wrong with each parameter, by its name. Values are not repeated: they would be a stranger's text.
pub(super) fn read(resource: Resource, text: Option<&str>) -> Result<Query, String> {
    let known = known(&resource);
    let mut query = Query { resource, job: None, outcome: None, limit: LIMIT_DEFAULT, page: None };
    let mut problems = Vec::new();
    let mut seen = Vec::new();
    for pair in text.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let Some(name) = decoded(name).and_then(|name| known.iter().find(|known| **known == name)) else {
            problems.push(match known {
                [] => "this resource takes no parameters".to_owned(),
                _ => format!("a parameter is not known; there are {}", known.join(", ")),
            });
            continue;
        };
        if seen.contains(&name) {
            problems.push(format!("`{name}` stands there twice"));
            continue;
        }
        seen.push(name);
        let value = decoded(value).unwrap_or_default();
        if let Err(wanted) = set(&mut query, name, value) {
            problems.push(format!("`{name}` wants {wanted}"));
        }
    }
    problems.dedup();
    if problems.is_empty() { Ok(query) } else { Err(problems.join("; ")) }
}

/// # Errors
/// What the parameter wants.
fn set(query: &mut Query, name: &str, value: String) -> Result<(), String> {
    let one_of = |words: &[&str]| match words.contains(&value.as_str()) {
        true => Ok(()),
        false => Err(format!("one of {}", words.join(", "))),
    };
    match name {
        "limit" => {
            let plain = (1..=4).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_digit());
            let limit = value.parse().ok().filter(|limit| plain && (1..=LIMIT_MAX).contains(limit));
            query.limit = limit.ok_or_else(|| format!("a whole number from 1 to {LIMIT_MAX}"))?;
        }
        "page" => {
            // Jobs are in the order of their names, and the last one's is the cursor.
            let good = match query.resource {
                Resource::Jobs => is_job_name(&value),
                _ => {
                    (1..=PAGE_MAX).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_graphic())
                }
            };
            if !good {
                return Err("the `next` of the page before".to_owned());
            }
            query.page = Some(value);
        }
        "job" => {
            if !is_job_name(&value) {
                return Err("the name of a job".to_owned());
            }
            query.job = Some(value);
        }
        "outcome" => {
            one_of(&OUTCOMES)?;
            query.outcome = Some(value);
        }
        _ => {
            one_of(&RESULTS)?;
            query.outcome = Some(value);
        }
    }
    Ok(())
}

/// `%41` and `+` undone; nothing if that is no UTF-8.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut plain = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        plain.push(match byte {
            b'%' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                let (high, low) = (digit(bytes.next())?, digit(bytes.next())?);
                u8::try_from(high * 16 + low).ok()?
            }
            b'+' => b' ',
            other => other,
        });
    }
    String::from_utf8(plain).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    #[test]
    fn what_is_left_out_has_its_default() {
        let plain = Query { resource: Resource::Runs, job: None, outcome: None, limit: 100, page: None };
        for text in [None, Some(""), Some("&&")] {
            assert_eq!(read(Resource::Runs, text), Ok(plain.clone()));
        }
        let full = read(Resource::Runs, Some("job=a-1&outcome=no_session&limit=1000&page=a%2Bb%3D"));
        let (job, outcome) = (Some("a-1".to_owned()), Some("no_session".to_owned()));
        let page = Some("a+b=".to_owned());
        assert_eq!(full, Ok(Query { resource: Resource::Runs, job, outcome, limit: 1000, page }));
    }

    #[test]
    fn every_mistake_is_named_at_once_and_no_value_is_repeated() {
        for (text, wanted) in [
            ("limit=0", "`limit` wants a whole number from 1 to 1000"),
            ("limit=1001", "`limit` wants a whole number from 1 to 1000"),
            ("limit=+5", "`limit` wants a whole number from 1 to 1000"),
            ("limit=", "`limit` wants a whole number from 1 to 1000"),
            ("limit", "`limit` wants a whole number from 1 to 1000"),
            ("limit=0005x", "`limit` wants a whole number from 1 to 1000"),
            ("limit=1&limit=1", "`limit` stands there twice"),
            ("page=", "`page` wants the `next` of the page before"),
            ("page=%00", "`page` wants the `next` of the page before"),
            ("page=%ff", "`page` wants the `next` of the page before"),
            ("job=..%2f..", "`job` wants the name of a job"),
            (
                "job=canary!&limit=x",
                "`job` wants the name of a job; `limit` wants a whole number from 1 to 1000",
            ),
            ("canary=1", "a parameter is not known; there are job, result, limit, page"),
            ("%zz=1&canary=2", "a parameter is not known; there are job, result, limit, page"),
            ("outcome=done", "a parameter is not known; there are job, result, limit, page"),
            ("result=canary", "`result` wants one of waiting, running, ran, skipped, failed"),
        ] {
            assert_eq!(read(Resource::Occurrences, Some(text)), Err(wanted.to_owned()), "{text}");
        }
        let none = Err("this resource takes no parameters".to_owned());
        assert_eq!(read(Resource::Sessions, Some("limit=1&page=2")), none);
        assert!(read(Resource::Jobs, Some("job=a")).is_err());
        assert_eq!(
            read(Resource::Jobs, Some("page=0.5")),
            Err("`page` wants the `next` of the page before".to_owned())
        );
        assert!(read(Resource::Jobs, Some("page=a-report")).is_ok());
    }

    #[test]
    fn outcomes_are_the_words_of_the_exit_codes() {
        let exits = [
            Exit::Done,
            Exit::Failed,
            Exit::ChangesPending,
            Exit::PartlyFailed,
            Exit::BadInput,
            Exit::NoSession,
            Exit::Interrupted,
            Exit::SigninRefused,
            Exit::RefusedByPolicy,
        ];
        assert_eq!(exits.map(Exit::word), OUTCOMES[..exits.len()]);
    }
}
