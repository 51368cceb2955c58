//! May the account run the job's cmdlets? What its role does not include does not exist for it, and a call would only
//! get a bare 403. Source: protocol reference, 3.13 and 7 (14).

use super::{Finding, role_groups};
use crate::catalog::{self, CmdletName, Service};
use crate::exit::Exit;
use crate::spec::job::{Action, Job};

/// The cmdlets of the job as they go on the wire, each once, in the job's order.
pub(super) fn wanted(job: &Job) -> Vec<CmdletName> {
    let mut wanted = Vec::new();
    let mut add = |name: &CmdletName| {
        let wire =
            catalog::classic(name.as_str()).and_then(CmdletName::known).unwrap_or_else(|| name.clone());
        if !wanted.contains(&wire) {
            wanted.push(wire);
        }
    };
    for step in &job.steps {
        match &step.action {
            Action::Cmdlet { cmdlet, .. } => add(cmdlet),
            Action::Ensure { get, set, .. } => {
                add(get);
                add(set);
            }
        }
    }
    wanted
}

pub(super) fn look(wanted: &[CmdletName], exported: &[String], service: Service) -> Finding {
    let is_there = |name: &&CmdletName| exported.iter().any(|own| own.eq_ignore_ascii_case(name.as_str()));
    let missing: Vec<&CmdletName> = wanted.iter().filter(|name| !is_there(name)).collect();
    let names = |names: &[&CmdletName]| names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
    if missing.is_empty() {
        return Finding::ok(format!(
            "all of the job's cmdlets: {}",
            names(&wanted.iter().collect::<Vec<_>>())
        ));
    }
    let seen = format!("not for this account, or not in this tenant: {}", names(&missing));
    let mut groups: Vec<&str> = Vec::new();
    for name in &missing {
        for group in role_groups::of(name, service) {
            if !groups.contains(group) {
                groups.push(group);
            }
        }
    }
    let first = missing.first().map_or("", |name| name.as_str());
    let mend = format!(
        "make it a member of a role group that has them ({}); `Get-ManagementRole -Cmdlet {first}` names the roles",
        groups.join(", ")
    );
    Finding::failed(Exit::Failed, seen, mend)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_cmdlet_is_named_with_groups_that_have_it() {
        let wanted = ["Get-Mailbox", "Set-CASMailbox"].map(|name| CmdletName::known(name).unwrap());
        let found = look(&wanted, &["get-mailbox".to_owned()], Service::ExchangeOnline);
        assert_eq!(found.seen, "not for this account, or not in this tenant: Set-CASMailbox");
        let mend = found.mend.unwrap();
        assert!(mend.contains("Recipient Management") && mend.contains("-Cmdlet Set-CASMailbox"), "{mend}");
        let all = ["Get-Mailbox".to_owned(), "Set-CASMailbox".to_owned()];
        assert_eq!(look(&wanted, &all, Service::ExchangeOnline).state, super::super::State::Ok);
    }
}
