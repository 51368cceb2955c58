//! A job to start from, with a comment beside every key. It is right by construction: what is handed out has passed
//! the check.

mod step;
mod values;

use std::path::Path;

use super::escape::{escape, quote};
use super::file::check_text;
use super::invocation;
use super::job::{JobName, Service};
use super::problem::Severity;
use crate::catalog::ensured::{pair, pairs};
use crate::catalog::nearest;

const HEAD: &str = include_str!("head.yaml");

/// A new job changes one thing at most, until somebody has read what it would change.
const CHANGES: &str =
    "1                            # properties changed and writing calls, then it stops; raise it later";
const NO_CHANGES: &str =
    "0                            # it only reads: anything that would write is an error";

/// What the job is to do.
#[derive(Clone, Copy, Debug)]
pub enum Wanted<'a> {
    /// Something short that reads.
    Anything,
    /// Call this cmdlet.
    Cmdlet(&'a str),
    /// Ensure properties of this noun.
    Ensure(&'a str),
}

/// The text of a new job; `file` is what its comments call it.
///
/// # Errors
/// Why there can be no such job, in one line: an unknown name with near ones, another service's cmdlet, or a
/// parameter that no job can give.
pub fn draft(name: &JobName, service: Service, wanted: Wanted<'_>, file: &Path) -> Result<String, String> {
    let (what, changes, steps) = match wanted {
        Wanted::Anything => called(sample(service), service)?,
        Wanted::Cmdlet(cmdlet) => called(cmdlet, service)?,
        Wanted::Ensure(noun) => ensured(noun, service)?,
    };
    let head = HEAD
        .replace("@WHAT@", &what)
        .replace("@CHANGES@", changes)
        .replace("@SERVICE@", service.as_str())
        .replace("@NAME@", name.as_str())
        .replace("@FILE@", &escape(&file.display().to_string()));
    let text = head + &steps;
    let checked = check_text(file, &text);
    match checked.problems.iter().find(|problem| problem.severity() == Severity::Error) {
        None => Ok(text),
        Some(problem) => Err(format!("there can be no such job: {}", problem.title())),
    }
}

/// A cmdlet that every tenant of the service answers.
fn sample(service: Service) -> &'static str {
    match service {
        Service::ExchangeOnline => "Get-EXOMailbox",
        Service::SecurityCompliance => "Get-DlpCompliancePolicy",
        Service::ExchangeOnlineProtection => "Get-AcceptedDomain",
    }
}

fn called(cmdlet: &str, service: Service) -> Result<(String, &'static str, String), String> {
    let cmdlet = invocation::callable(cmdlet, service)?;
    let changes = if cmdlet.is_read() { NO_CHANGES } else { CHANGES };
    Ok((format!("it calls {}", cmdlet.as_str()), changes, step::cmdlet(cmdlet, service)?))
}

fn ensured(text: &str, service: Service) -> Result<(String, &'static str, String), String> {
    let noun = text.split_once('-').map_or(text, |(_, noun)| noun);
    let Some((get, set)) = pair(noun) else {
        let near = nearest(noun, pairs().map(|(_, set)| set.noun()));
        let help = match &near[..] {
            [] => "write the noun of a Get- and a Set- cmdlet, such as CASMailbox".to_owned(),
            near => format!("did you mean {}?", near.join(" or ")),
        };
        return Err(format!("nothing can be ensured about {}: {help}", quote(noun)));
    };
    for cmdlet in [get, set] {
        invocation::callable(cmdlet.as_str(), service)?;
    }
    let what = format!("it ensures properties of {}", set.noun());
    Ok((what, CHANGES, step::ensure(get, set, service)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog;

    fn made(service: Service, wanted: Wanted<'_>) -> Result<String, String> {
        draft(&JobName::new("my-job").expect("is a name"), service, wanted, Path::new("my-job.yaml"))
    }

    /// The text with every key that stands in a comment put to use.
    fn with_every_key(text: &str) -> String {
        let uncommented = |line: &str| match line.find('#') {
            Some(at) if line[..at].trim().is_empty() => {
                let rest = &line[at + 1..];
                let is_prose = rest.is_empty() || (rest.starts_with(' ') && !rest.starts_with("  "));
                if is_prose { line.to_owned() } else { format!("{}{rest}", &line[..at]) }
            }
            _ => line.to_owned(),
        };
        text.lines().map(|line| uncommented(line) + "\n").collect()
    }

    fn assert_right(what: &str, text: &str) {
        for text in [text, &with_every_key(text)] {
            let checked = check_text(Path::new("x.yaml"), text);
            assert!(checked.problems.is_empty(), "{what}:\n{text}\n{}", checked.problems.render_plain());
            assert_eq!(checked.jobs.len(), 1, "{what}");
        }
        let wide: Vec<&str> = text.lines().filter(|line| line.chars().count() > 120).collect();
        assert_eq!(wide, [""; 0], "{what}");
    }

    #[test]
    fn new_jobs_look_like_this() {
        let exchange = Service::ExchangeOnline;
        let loops = made(exchange, Wanted::Ensure("casmailbox")).expect("is made");
        let calls = made(exchange, Wanted::Cmdlet("add-mailboxfolderpermission")).expect("is made");
        let (_, step) = calls.split_once("steps:\n").expect("has steps");
        insta::assert_snapshot!(format!("{loops}---\n{step}"));
    }

    #[test]
    fn every_cmdlet_of_every_service_makes_a_right_job_or_says_why_not() {
        let (mut right, mut wrong) = (0, Vec::new());
        for service in Service::ALL {
            assert_right(service.as_str(), &made(service, Wanted::Anything).expect("is made"));
            for cmdlet in catalog::cmdlets().filter(|cmdlet| cmdlet.available_in(service)) {
                match made(service, Wanted::Cmdlet(cmdlet.as_str())) {
                    Ok(text) => {
                        assert_right(cmdlet.as_str(), &text);
                        right += 1;
                    }
                    Err(why) => wrong.push(format!("{} {}: {why}", service.as_str(), cmdlet.as_str())),
                }
            }
        }
        assert!(right > 1000, "{right}");
        insta::assert_snapshot!(wrong.join("\n"));
    }

    #[test]
    fn every_noun_makes_a_right_job_or_says_why_not() {
        let (mut right, mut wrong) = (0, Vec::new());
        for service in Service::ALL {
            for set in catalog::cmdlets().filter(|cmdlet| cmdlet.as_str().starts_with("Set-")) {
                let has_pair = catalog::cmdlet(&format!("Get-{}", set.noun())).is_some();
                if !has_pair || !set.available_in(service) {
                    continue;
                }
                match made(service, Wanted::Ensure(set.noun())) {
                    Ok(text) => {
                        assert_right(set.noun(), &text);
                        right += 1;
                    }
                    Err(why) => wrong.push(format!("{} {}: {why}", service.as_str(), set.noun())),
                }
            }
        }
        assert!(right > 150, "{right}");
        insta::assert_snapshot!(wrong.join("\n"));
    }

    #[test]
    fn wrong_names_get_near_ones() {
        let exchange = Service::ExchangeOnline;
        for (wanted, said) in [
            (Wanted::Cmdlet("Get-Mailbxo"), "there is no cmdlet `Get-Mailbxo`; did you mean Get-Mailbox?"),
            (
                Wanted::Ensure("CASMailbx"),
                "nothing can be ensured about `CASMailbx`: did you mean CASMailbox?",
            ),
            (
                Wanted::Cmdlet("Get-ComplianceSearch"),
                "Get-ComplianceSearch does not exist in ExchangeOnline; it exists in SecurityCompliance",
            ),
            (
                Wanted::Cmdlet("Connect-ExchangeOnline"),
                "Connect-ExchangeOnline is not called: every session is opened and closed for you",
            ),
        ] {
            assert_eq!(made(exchange, wanted), Err(said.to_owned()));
        }
    }

    #[test]
    fn a_file_name_stays_in_its_comment() {
        let name = JobName::new("x").expect("is a name");
        let text = draft(&name, Service::ExchangeOnline, Wanted::Anything, Path::new("a\nlabels: x"))
            .expect("is made");
        assert!(text.contains("exorun check a\\nlabels: x\n"), "{text}");
    }
}
