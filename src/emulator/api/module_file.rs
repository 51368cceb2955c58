//! `EXOModuleFile`: what a caller may run.

use hyper::Response;
use serde_json::json;

use super::super::cmdlets;
use super::super::request::{Request, context};
use super::super::respond::{self, Body};

pub(super) fn answer(request: &Request<'_>) -> Response<Body> {
    let names: Vec<&str> = cmdlets::all().map(|cmdlet| cmdlet.name).collect();
    let body = json!({
        "@odata.context": context(request.parts),
        "value": [{"exportedCmdlets": names.join(","), "moduleVersion": "exorun-emulator"}],
    });
    respond::full(200, respond::JSON, body.to_string())
}
