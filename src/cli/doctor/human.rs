//! The climb as people read it.

use crate::app::{Report, Rung, State};
use crate::spec::job::Job;

/// The widest word of a state and of a rung.
const STATE_WIDTH: usize = "information".len();
const NAME_WIDTH: usize = "module_access".len();

/// Whom it is about.
pub(super) fn head(job: &Job, peer: &str, organization: Option<&str>) -> String {
    let place = organization.map_or_else(String::new, |organization| format!(" in {organization}"));
    format!("{peer}: job {}{place}", job.name)
}

/// One rung; nothing for one that was passed by.
pub(super) fn line(rung: &Rung) -> Option<String> {
    let state = match rung.state {
        State::Skipped => return None,
        State::Failed => "FAILED",
        other => other.word(),
    };
    let mut line = row(state, rung.name.word(), &rung.seen);
    if rung.state == State::Warning
        && let Some(mend) = &rung.mend
    {
        line.push_str(&format!(" -> {mend}"));
    }
    line.push_str(&format!(" ({} ms)", rung.millis));
    Some(line)
}

fn row(state: &str, name: &str, text: &str) -> String {
    format!("{state:<STATE_WIDTH$}  {name:<NAME_WIDTH$}  {text}")
}

/// The rungs that were passed by, in one line.
fn passed(report: &Report) -> Option<String> {
    let passed: Vec<&Rung> = report.rungs.iter().filter(|rung| rung.state == State::Skipped).collect();
    let first = passed.first()?;
    let names: Vec<&str> = passed.iter().map(|rung| rung.name.word()).collect();
    Some(row("skipped", &names.join(", "), &format!("({})", first.seen)))
}

/// What was passed by, and the first broken rung once more with its mend.
pub(super) fn end(report: &Report) -> String {
    let passed = passed(report).map_or_else(String::new, |passed| format!("{passed}\n"));
    format!("{passed}\n{}", verdict(report))
}

fn verdict(report: &Report) -> String {
    let Some(broken) = report.broken() else {
        let warnings = report.rungs.iter().filter(|rung| rung.state == State::Warning).count();
        let climbed = report.rungs.iter().all(|rung| rung.state != State::Skipped);
        return match (climbed, warnings) {
            (false, _) => "nothing is broken as far as was climbed".to_owned(),
            (true, 0) => "nothing is broken".to_owned(),
            (true, 1) => "nothing is broken; mind the warning".to_owned(),
            (true, warnings) => format!("nothing is broken; mind the {warnings} warnings"),
        };
    };
    let mut text = format!("first broken rung: {}\n  seen: {}", broken.name.word(), broken.seen);
    if let Some(mend) = &broken.mend {
        text.push_str(&format!("\n  mend: {mend}"));
    }
    for (name, id) in &broken.ids {
        text.push_str(&format!("\n  {name}: {id}"));
    }
    text
}
