//! The list and a cmdlet's page, for people.

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};

use super::{acts, ensured, refusal};
use crate::catalog::{self, Cmdlet, Parameter, Required, Service};
use crate::spec::can_be_a_step;

/// Wider terminals are rare beside another window.
const WIDTH: u16 = 120;

/// The longest word of [`ValueKind::expects`](catalog::ValueKind::expects), a date, with its margins.
const VALUE_WIDTH: u16 = 24;

/// One line for each cmdlet, in columns.
pub(super) fn list(cmdlets: &[Cmdlet]) -> String {
    let width = cmdlets.iter().map(|cmdlet| cmdlet.as_str().len()).max().unwrap_or(0);
    let line = |cmdlet: &Cmdlet| {
        let services: Vec<&str> = cmdlet.services().map(Service::short).collect();
        let effect = if cmdlet.is_read() { "read" } else { "write" };
        let more = match ensured(*cmdlet) {
            _ if !can_be_a_step(*cmdlet) => "no step",
            Some(_) => "ensure",
            None => "",
        };
        let line = format!("{:<width$}  {:<11}  {effect:<5}  {more}", cmdlet.as_str(), services.join(","));
        line.trim_end().to_owned() + "\n"
    };
    cmdlets.iter().map(line).collect()
}

/// What the catalog knows about a cmdlet.
pub(super) fn page(cmdlet: Cmdlet) -> String {
    let services: Vec<&str> = cmdlet.services().map(Service::as_str).collect();
    let mut page = format!("{}\n\n  services  {}\n", cmdlet.as_str(), services.join(", "));
    if !can_be_a_step(cmdlet) {
        page.push_str("  step      no: exorun connects and disconnects by itself; no job can call it\n");
    }
    page.push_str(match (cmdlet.is_read(), cmdlet.parameters().any(|parameter| acts(cmdlet, parameter))) {
        (true, false) => "  effect    only reads (on the reviewed list)\n",
        (true, true) => {
            "  effect    only reads (on the reviewed list), but for the parameters marked `acts`\n"
        }
        (false, _) => "  effect    may write\n",
    });
    if cmdlet.supports_confirm() {
        page.push_str("  confirms  it asks before it acts; exorun answers\n");
    }
    if let Some(noun) = ensured(cmdlet) {
        page.push_str(&format!("  ensure    `ensure: {noun}` holds its properties\n"));
    }
    if let Some(classic) = catalog::classic(cmdlet.as_str()) {
        page.push_str(&format!("  sent as   {classic}, which gives the same\n"));
    }
    if cmdlet.parameters().len() == 0 {
        page.push_str("\nIt has no parameters.\n");
        return page;
    }
    let mut table = Table::new();
    table.load_style(presets::ASCII_BORDERS_ONLY_CONDENSED);
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(WIDTH);
    table.set_header(["parameter", "value", "needed", ".NET type", "more"]);
    for parameter in cmdlet.parameters() {
        let needed = match parameter.required() {
            Required::Always => "always",
            Required::InSomeSets => "in some forms",
            Required::No => "",
        };
        table.add_row([
            parameter.name(),
            parameter.kind().expects(),
            needed,
            parameter.type_name(),
            &more(cmdlet, parameter),
        ]);
    }
    // A name is copied into a job: it stays in one piece, as the date in `value` does.
    let constraints =
        [ColumnConstraint::ContentWidth, ColumnConstraint::LowerBoundary(Width::Fixed(VALUE_WIDTH))];
    for (column, constraint) in table.column_iter_mut().zip(constraints) {
        column.set_constraint(constraint);
    }
    format!("{page}\n{table}\n")
}

/// What few parameters have.
fn more(cmdlet: Cmdlet, parameter: Parameter) -> String {
    let mut more = Vec::new();
    more.extend(refusal(cmdlet, parameter));
    if acts(cmdlet, parameter) {
        more.push("acts: the call counts as a write".to_owned());
    }
    let joined = |texts: &mut dyn Iterator<Item = &'static str>| texts.collect::<Vec<_>>().join(", ");
    let aliases = joined(&mut parameter.aliases());
    if !aliases.is_empty() {
        more.push(format!("also called {aliases}"));
    }
    let values = joined(&mut parameter.values());
    if !values.is_empty() {
        more.push(format!("values: {values}"));
    }
    if cmdlet.services().any(|service| !parameter.available_in(service)) {
        let only = cmdlet.services().filter(|service| parameter.available_in(*service)).map(Service::as_str);
        more.push(format!("only in {}", only.collect::<Vec<_>>().join(", ")));
    }
    more.join("; ")
}
