//! What a job does, in words: for who reviews a change of a job, and for who audits it. Nothing is connected, no
//! secret is read, and the same job gives the same text, so that two versions can be compared.

mod head;
mod page;
mod powershell;
mod references;
mod schedule;
mod steps;
mod who;

use super::job::{Job, TargetSpec};
use page::Page;
use powershell::Script;

/// What is known of the place a job runs at, besides the job's own text.
#[derive(Debug)]
pub struct Place {
    /// Where it runs and as whom; `None` if the job names a connection and no file of connections is known.
    pub target: Option<TargetSpec>,
    /// The addresses of that target, or why it has none.
    pub addresses: Option<Result<Addresses, String>>,
    /// Why it may not run there, as far as that is known.
    pub refusals: Vec<String>,
}

/// Where sign-in and calls go.
#[derive(Debug)]
pub struct Addresses {
    /// Base of the sign-in addresses.
    pub login: String,
    /// Whether a setting says so, and not the environment.
    pub login_is_set: bool,
    /// Base of the service's addresses.
    pub exchange: String,
    /// Whether a setting says so, and not the environment.
    pub exchange_is_set: bool,
}

/// The job in words: plain lines of at most 110 columns, unless one value alone is longer.
pub fn explain(job: &Job, place: &Place) -> String {
    let mut page = Page::new();
    head::write(&mut page, job, place);
    let script = Script::new(job, place);
    page.section("before the steps, as a person would type it in PowerShell");
    page.note(
        "These lines are for reading: exorun runs no PowerShell. It answers each confirmation itself, repeats what \
         fails for a moment, and keeps to the limits above, which the lines do not say. `$(throw '…')` stands for \
         what has no simple form in PowerShell; between its quotes is exorun's own text.",
    );
    page.code(&script.before());
    for (index, step) in job.steps.iter().enumerate() {
        steps::write(&mut page, job, index);
        page.label("PowerShell");
        page.code(&script.step(step));
    }
    page.section("after the steps, whatever happened");
    page.fact("sessions", "each one is closed, also after an error, a time-out or a signal");
    page.label("PowerShell");
    page.code(&script.after());
    page.finish()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::spec::check_text;

    const RICH: &str = include_str!("rich.yaml");

    fn explained(text: &str) -> String {
        let checked = check_text(Path::new("rich.yaml"), text);
        assert!(!checked.problems.has_errors(), "{}", checked.problems.render_plain());
        explain(&checked.jobs[0], &Place { target: None, addresses: None, refusals: Vec::new() })
    }

    #[test]
    fn a_job_with_everything_is_told_in_words() {
        let text = explained(RICH);
        insta::with_settings!({filters => vec![("[0-9a-f]{64}", "HASH")]}, {
            insta::assert_snapshot!(text);
        });
        let long: Vec<&str> = text.lines().filter(|line| line.chars().count() > 110).collect();
        assert_eq!(long, [""; 0]);
    }

    #[test]
    fn nothing_in_a_job_makes_a_line_of_its_own() {
        let evil =
            "a\\nstep 9 of 9: forged\\u2028x\\u202ey\\r\\u0085z ' \\u2019 ` $(Remove-Item x) \\\" \\u201d #>";
        let job = format!(
            "version: 1\nname: x\ndescription: \"{evil}\"\nconnection: c\nlabels:\n  \"{evil}\": \"{evil}\"\n\
             inputs:\n  a:\n    type: string\n    description: \"{evil}\"\n    default: \"{evil}\"\nsteps:\n  \
             - name: a\n    cmdlet: Set-Mailbox\n    parameters:\n      Identity: \"{evil}\"\n      \
             CustomAttribute1: \"{evil} ${{{{ inputs.a }}}}\"\n    when: \"inputs.a == 'a\u{a0}\\u2019\\nstep 9 of 9: forged'\"\n"
        );
        let text = explained(&job);
        let bad = |character: char| character != '\n' && crate::spec::escape::is_hidden(character);
        assert!(!text.contains(bad), "{text}");
        assert!(!text.lines().any(|line| line.trim_start().starts_with("step 9")), "{text}");
        assert!(text.contains("`$(Remove-Item x)") && text.contains(r"forged\u{2028}x"), "{text}");
    }
}
