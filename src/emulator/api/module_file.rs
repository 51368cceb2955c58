//! `EXOModuleFile`: what a caller may run, and the key for secret parameters; and the banner.
//!
//! Source: protocol reference, 3.13 and 3.6. Of the answer's fields only `exportedCmdlets` is known; `moduleFile` is
//! our name for the one with the module's text, which is no module that PowerShell could use.

use hyper::Response;
use serde_json::json;

use super::super::cmdlets;
use super::super::request::{Request, context};
use super::super::respond::{self, Body};
use super::Caller;

pub(super) fn answer(request: &Request<'_>, caller: &Caller) -> Response<Body> {
    let wanted =
        request.parts.headers.get("commandname").and_then(|value| value.to_str().ok()).unwrap_or("*");
    let wanted: Vec<&str> = wanted.split(',').map(str::trim).collect();
    let is_wanted =
        |name: &str| wanted.iter().any(|wanted| *wanted == "*" || wanted.eq_ignore_ascii_case(name));
    let names: Vec<&str> = cmdlets::all()
        .map(|cmdlet| cmdlet.name)
        .filter(|name| is_wanted(name) && caller.access.cmdlet(name))
        .collect();
    let body = json!({
        "@odata.context": context(request.parts),
        "value": [{
            "exportedCmdlets": names.join(","),
            "moduleVersion": "exorun-emulator",
            "moduleFile": module(&names, &request.state.keys.public_xml()),
        }],
    });
    respond::full(200, respond::JSON, body.to_string())
}

fn module(names: &[&str], public_key: &str) -> String {
    let functions: Vec<String> = names.iter().map(|name| format!("function {name} {{ }}\r\n")).collect();
    format!(
        "# Made by exorun's emulator. Nothing here runs.\r\n{}$PublicKey = '{public_key}'\r\n# End.\r\n",
        functions.concat()
    )
}

pub(super) fn banner(request: &Request<'_>) -> Response<Body> {
    let body = json!({"@odata.context": context(request.parts), "value": []});
    respond::full(200, respond::JSON, body.to_string())
}
