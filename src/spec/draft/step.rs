//! The steps of a new job.

use super::values::placeholder;
use crate::catalog::ensured::can_hold;
use crate::catalog::{Cmdlet, Parameter, Required, Service, ValueKind};
use crate::spec::check::can_be_given;

/// Parameters named in comments; the reference of the cmdlet has the others.
const LISTED_MAX: usize = 16;
/// Named before all others: what most calls use.
const COMMON: [&str; 13] = [
    "Identity",
    "ResultSize",
    "Filter",
    "RecipientTypeDetails",
    "Name",
    "DisplayName",
    "Enabled",
    "StartDate",
    "EndDate",
    "User",
    "AccessRights",
    "Force",
    "PopEnabled",
];
/// Objects that the directory's id names for certain; the identity of others can be a name that is there twice.
const OF_THE_DIRECTORY: [&str; 6] =
    ["CASMailbox", "DistributionGroup", "MailUser", "Mailbox", "UnifiedGroup", "User"];

/// A step that calls a cmdlet, with what it always needs.
pub(super) fn cmdlet(cmdlet: Cmdlet, service: Service) -> Result<String, String> {
    let mut out = format!("  - name: {}\n    cmdlet: {}\n", step_name(cmdlet.noun()), cmdlet.as_str());
    let usable = usable(cmdlet, service);
    let lacking =
        |parameter: &Parameter| parameter.required() == Required::Always && !usable.contains(parameter);
    if let Some(parameter) = cmdlet.parameters().find(lacking) {
        let (name, needed) = (cmdlet.as_str(), parameter.name());
        return Err(if parameter.available_in(service) {
            let expects = parameter.kind().expects();
            format!("{name} needs {needed}, {expects}, which a job cannot give in this version")
        } else {
            format!("{name} needs {needed}, which {} does not have", service.as_str())
        });
    }
    let given: Vec<Parameter> = usable
        .iter()
        .copied()
        .filter(|parameter| parameter.required() == Required::Always || is_whole_listing(*parameter))
        .collect();
    out.push_str(if given.is_empty() { "    # It needs no parameters.\n" } else { "    parameters:\n" });
    for parameter in &given {
        push_value(&mut out, cmdlet, *parameter)?;
    }
    let others: Vec<Parameter> = usable.into_iter().filter(|parameter| !given.contains(parameter)).collect();
    push_others(&mut out, "parameters", &others);
    out.push_str("    #when: inputs.enabled                   # false counts as skipped\n");
    if cmdlet.is_read() {
        out.push_str(
            "    #select:                                # ask only for these; the columns of a CSV file\n    \
             #  - Identity\n    \
             #output:                                # or .ndjson; mode 0600, what is there is replaced\n    \
             #  path: result.csv\n",
        );
    }
    push_end(&mut out, "step");
    Ok(out)
}

/// A step that ensures properties: of each object if there are several, and they can be listed.
pub(super) fn ensure(get: Cmdlet, set: Cmdlet, service: Service) -> Result<String, String> {
    let noun = set.noun();
    let of_get = get.parameter("Identity").map(|parameter| parameter.required());
    let of_set = set.parameter("Identity").map(|parameter| parameter.required());
    let chooses = of_get.is_some() && of_set.is_some_and(|required| required != Required::No);
    let loops = chooses && of_get != Some(Required::Always);
    let mut out = String::new();
    if loops {
        out.push_str(&format!("  - name: objects\n    cmdlet: {}\n", get.as_str()));
        if usable(get, service).into_iter().any(is_whole_listing) {
            out.push_str("    parameters:\n      ResultSize: Unlimited\n");
        }
        out.push('\n');
    }
    out.push_str(&format!("  - name: ensure_{}\n", step_name(noun)));
    if loops {
        out.push_str("    for_each: steps.objects.items           # once for each item\n");
        out.push_str(
            "    when: item.Identity == 'change-me'      # only this one; without the line every item\n",
        );
    } else {
        out.push_str("    #when: inputs.enabled                   # false counts as skipped\n");
    }
    out.push_str(&format!("    ensure: {noun}\n"));
    match (loops, chooses) {
        (true, _) => {
            let id = if OF_THE_DIRECTORY.contains(&noun) { "ExternalDirectoryObjectId" } else { "Identity" };
            out.push_str(&format!("    identity: ${{{{ item.{id} }}}}\n"));
        }
        (false, true) => out.push_str("    identity: change-me                     # which object\n"),
        (false, false) => out.push_str("    # It takes no identity, or the one there is.\n"),
    }
    let holdable: Vec<Parameter> = usable(set, service)
        .into_iter()
        // A switch is no state that somebody would begin with.
        .filter(|parameter| can_hold(*parameter) && parameter.kind() != ValueKind::Switch)
        .collect();
    let mut held: Vec<Parameter> =
        holdable.iter().copied().filter(|parameter| parameter.required() == Required::Always).collect();
    if held.is_empty() {
        // A boolean if there is one: `true` is at least a value it can have.
        let is_other = |parameter: &&Parameter| parameter.kind() != ValueKind::Boolean;
        held.extend(holdable.iter().min_by_key(|parameter| (is_other(parameter), commonness(**parameter))));
    }
    if held.is_empty() {
        return Err(format!(
            "{} has no property that can be compared; use --cmdlet {}",
            set.as_str(),
            set.as_str()
        ));
    }
    out.push_str("    properties:                             # what must hold\n");
    for parameter in &held {
        push_value(&mut out, set, *parameter)?;
    }
    let others: Vec<Parameter> = holdable.into_iter().filter(|parameter| !held.contains(parameter)).collect();
    push_others(&mut out, "properties", &others);
    push_end(&mut out, if loops { "item" } else { "step" });
    Ok(out)
}

/// The parameters a job of this service can give.
fn usable(cmdlet: Cmdlet, service: Service) -> Vec<Parameter> {
    let given = |parameter: &Parameter| can_be_given(cmdlet, *parameter) && parameter.available_in(service);
    cmdlet.parameters().filter(given).collect()
}

fn is_whole_listing(parameter: Parameter) -> bool {
    parameter.name() == "ResultSize" && parameter.kind() == ValueKind::Unlimited
}

fn push_value(out: &mut String, cmdlet: Cmdlet, parameter: Parameter) -> Result<(), String> {
    let (name, kind) = (parameter.name(), parameter.kind());
    let Some((beside, below)) = placeholder(parameter) else {
        return Err(format!(
            "{} needs {name}, {}, which a job cannot give in this version",
            cmdlet.as_str(),
            kind.expects()
        ));
    };
    let key = if beside.is_empty() { format!("{name}:") } else { format!("{name}: {beside}") };
    out.push_str(&format!("      {key:<37} # {}\n", kind.expects()));
    out.extend(below.map(|below| format!("        {below}\n")));
    Ok(())
}

/// Names further parameters with their kinds, the common ones first.
fn push_others(out: &mut String, what: &str, others: &[Parameter]) {
    let can_be_given = |parameter: &&Parameter| placeholder(**parameter).is_some();
    let mut named: Vec<&Parameter> = others.iter().filter(can_be_given).collect();
    if named.is_empty() {
        return;
    }
    named.sort_by_key(|parameter| commonness(**parameter));
    out.push_str(&format!("      # Other {what}:\n"));
    for parameter in named.iter().take(LISTED_MAX) {
        out.push_str(&format!("      # {}: {}\n", parameter.name(), parameter.kind().expects()));
    }
    if named.len() > LISTED_MAX {
        out.push_str(&format!("      # and {} more\n", named.len() - LISTED_MAX));
    }
}

/// The place of a parameter among the common ones, or behind them.
fn commonness(parameter: Parameter) -> usize {
    COMMON.iter().position(|common| *common == parameter.name()).unwrap_or(COMMON.len())
}

fn push_end(out: &mut String, next: &str) {
    out.push_str(&format!(
        "    #on_error: continue                     # with the next {next}; without it the run stops\n    \
         #retry:                                 # instead of the settings\n    \
         #  attempts: 3\n    \
         #timeout: 10m                           # for the step as a whole\n"
    ));
}

fn step_name(noun: &str) -> String {
    noun.to_ascii_lowercase()
}
