//! One harmless read through a real session: the organization's own settings, or else the first thing that the job
//! reads, one item of it. What comes is counted, not kept.

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::{Account, Finding, Parts, session};
use crate::catalog::CmdletName;
use crate::exchange::ItemSink;
use crate::exchange::asked::asked;
use crate::session::Session;
use crate::spec::job::{Action, Job};
use crate::spec::template::Template;

/// Harmless, and there for nearly every role.
pub(super) fn cmdlet() -> CmdletName {
    CmdletName::known("Get-OrganizationConfig").expect("the catalog has it")
}

pub(super) async fn look<A: Account>(
    parts: &Parts<A>,
    session: &mut Session,
    exported: &[String],
) -> Finding {
    let may = |name: &CmdletName| exported.iter().any(|own| own.eq_ignore_ascii_case(name.as_str()));
    let reading = if may(&cmdlet()) { Some((cmdlet(), Map::new())) } else { own_read(&parts.job) };
    let Some((name, parameters)) = reading else {
        return Finding::information(
            "the account may run nothing that is known to be harmless: nothing was read",
        );
    };
    let request = session::request(parts, name, parameters);
    let mut counted = Counted(0);
    match session.call(&request, &mut counted).await {
        Ok(summary) => {
            let items = if counted.0 == 1 { "item" } else { "items" };
            Finding::ok(format!("{} answered with {} {items}", request.cmdlet, counted.0))
                .with_id("request_id", summary.request_id)
        }
        Err(error) => session::failed(
            &error,
            "the service itself failed: try again later; if it stays so, give Microsoft's support the request id",
        ),
    }
}

/// The first step that only reads and needs nothing of others, restricted to one item.
fn own_read(job: &Job) -> Option<(CmdletName, Map<String, Value>)> {
    job.steps.iter().find_map(|step| {
        let Action::Cmdlet { cmdlet, parameters } = &step.action else { return None };
        if step.for_each.is_some() || !step.action.only_reads() {
            return None;
        }
        let literals: Option<Vec<(String, Value)>> = parameters
            .iter()
            .map(|(name, value)| match value {
                Template::Literal(value) => Some((name.clone(), value.clone())),
                _ => None,
            })
            .collect();
        let asked = asked(cmdlet, literals?, Vec::new());
        let mut parameters = asked.parameters;
        if asked.cmdlet.cmdlet().is_some_and(|cmdlet| cmdlet.parameter("ResultSize").is_some()) {
            parameters.insert("ResultSize".to_owned(), Value::from("1"));
        }
        Some((asked.cmdlet, parameters))
    })
}

struct Counted(u64);

impl ItemSink for Counted {
    fn item(&mut self, _: &RawValue) -> Result<(), String> {
        self.0 += 1;
        Ok(())
    }

    fn restart(&mut self) -> Result<(), String> {
        self.0 = 0;
        Ok(())
    }
}
