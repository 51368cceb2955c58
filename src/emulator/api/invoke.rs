//! `InvokeCommand`: one cmdlet, and the pages of a listing.

use hyper::Response;
use serde_json::{Map, Value};

use super::super::cmdlets::{self, Answer, Effect, Invocation, Listing};
use super::super::errors::{self, Failure};
use super::super::form;
use super::super::options::{AnchorRule, Compression};
use super::super::paging::{self, Mark};
use super::super::request::{Request, bound, context, next_link, page_size};
use super::super::respond::{self, Body, Encoding, Objects, Shown};
use super::Caller;
use super::trouble::Mishaps;
use crate::catalog::{self, Service, ValueKind};

/// The mailbox that keeps the audit configuration.
const AUDIT_MAILBOX: &str = "SystemMailbox{8cc370d3-822a-4ab8-a926-bb94bd0641a9}@";

pub(super) fn invoke(
    request: &Request<'_>,
    caller: &Caller,
    mut invocation: Invocation,
    mishaps: &Mishaps,
) -> Response<Body> {
    let state = request.state;
    let found = cmdlets::find(&invocation.cmdlet).filter(|cmdlet| caller.access.cmdlet(cmdlet.name));
    let Some(cmdlet) = found else { return caller.unknown(&invocation.cmdlet) };
    if let Some(response) = badly_anchored(request, caller, cmdlet) {
        return response;
    }
    if let Err(failure) = parameters(request, caller, cmdlet.name, &mut invocation.parameters) {
        return failure.response();
    }
    let now = state.now();
    let wall = state.options.clocks.wall();
    let answer = {
        let mut directory = state.directory();
        cmdlets::run(cmdlet, &invocation, &mut directory, now, wall, mishaps.stale)
    };
    match answer {
        Err(failure) => failure.response(),
        Ok(Answer::Listing(listing)) => list(request, listing, mishaps),
        Ok(Answer::Objects(objects)) => {
            show(request, mishaps, Objects::These(objects), Vec::new(), None, None)
        }
        Ok(Answer::Done { warnings }) => {
            show(request, mishaps, Objects::These(Vec::new()), warnings, None, None)
        }
        Ok(Answer::Confirm(text)) => {
            show(request, mishaps, Objects::These(Vec::new()), Vec::new(), Some(text), None)
        }
    }
}

/// The refusal of an anchor. Source: protocol reference, 3.2 and 3.3; that the audit configuration's wrong anchor gets
/// the same bare 403 as none is ours.
fn badly_anchored(
    request: &Request<'_>,
    caller: &Caller,
    cmdlet: &cmdlets::Cmdlet,
) -> Option<Response<Body>> {
    let state = request.state;
    let anchor = request.parts.headers.get("x-anchormailbox").and_then(|value| value.to_str().ok());
    let anchor = anchor.unwrap_or_default().to_ascii_lowercase();
    if caller.access.service == Service::SecurityCompliance {
        let domain = format!("@{}", state.tenant.initial_domain.to_ascii_lowercase());
        return (!anchor.ends_with(&domain)).then(|| Failure::organization_container().response());
    }
    if cmdlet.effect == Effect::Read || state.options.anchor == AnchorRule::Ignored {
        return None;
    }
    if anchor.is_empty() {
        return Some(errors::forbidden("A write needs X-AnchorMailbox."));
    }
    let audit = cmdlet.name == "Set-AdminAuditLogConfig";
    (audit && !anchor.contains(&AUDIT_MAILBOX.to_ascii_lowercase()))
        .then(|| errors::forbidden("This write needs the audit mailbox in X-AnchorMailbox."))
}

/// Takes out what does not exist for the caller, and decrypts what came encrypted.
fn parameters(
    request: &Request<'_>,
    caller: &Caller,
    cmdlet: &str,
    parameters: &mut Map<String, Value>,
) -> Result<(), Failure> {
    let catalogued = catalog::cmdlet(cmdlet);
    for (name, value) in parameters.iter_mut().filter(|(name, _)| !name.contains('@')) {
        let asks = ["Confirm", "WhatIf"].iter().any(|own| own.eq_ignore_ascii_case(name));
        let cannot_ask = asks && catalogued.is_some_and(|cmdlet| cmdlet.parameter(name).is_none());
        // The module takes this switch out and sends a header instead.
        let local = name.eq_ignore_ascii_case("UseCustomRouting");
        if cannot_ask || local || !caller.access.parameter(cmdlet, name) {
            return Err(Failure::unknown_parameter(cmdlet, name));
        }
        let parameter = catalogued.and_then(|cmdlet| cmdlet.parameter(name));
        let Some(parameter) = parameter.filter(|parameter| parameter.kind() == ValueKind::Secret) else {
            continue;
        };
        let Some(sent) = value.as_str().filter(|sent| !sent.is_empty()) else { continue };
        let keys = &request.state.keys;
        let plain = if parameter.type_name() == "PSCredential" {
            keys.decrypt_credential(sent)
        } else {
            keys.decrypt(sent).map(Value::String)
        };
        *value = plain.map_err(|problem| {
            let text = format!("The value of '{name}' cannot be decrypted: {problem}.");
            Failure::invalid("System.Security.Cryptography.CryptographicException", &text)
        })?;
    }
    Ok(())
}

fn list(request: &Request<'_>, listing: Listing, mishaps: &Mishaps) -> Response<Body> {
    let state = request.state;
    let now = state.now();
    let query = form::parse(request.parts.uri.query().unwrap_or_default().as_bytes());
    let token =
        query.iter().find(|(name, _)| name.eq_ignore_ascii_case("$skiptoken")).map(|(_, value)| value);
    let bound = bound(request);
    let (start, left) = match token {
        None => (0, listing.result_size.limit()),
        Some(token) => match state.links.open(token, &bound, now).filter(|_| !mishaps.bad_page) {
            Some(mark) => (mark.position, mark.left),
            None => return errors::bad_page(state.options.page_life),
        },
    };
    let page = {
        let directory = state.directory();
        let total = directory.len(listing.class);
        paging::page(total, start, page_size(request.parts), left, |index| {
            listing.passes(&directory, index, now)
        })
    };
    let life = u64::try_from(state.options.page_life.as_millis()).unwrap_or(u64::MAX);
    let link = page.next.map(|(position, left)| {
        let mark = Mark { position, left, bound, expires: now.saturating_add(life) };
        next_link(request.parts, &state.links.seal(&mark))
    });
    let warnings = if page.cut_short { listing.result_size.warnings() } else { Vec::new() };
    let objects = Objects::Indexes { class: listing.class, indexes: page.indexes, only: listing.only };
    show(request, mishaps, objects, warnings, None, link)
}

fn show(
    request: &Request<'_>,
    mishaps: &Mishaps,
    objects: Objects,
    mut warnings: Vec<String>,
    confirmation: Option<String>,
    next_link: Option<String>,
) -> Response<Body> {
    let select = form::parse(request.parts.uri.query().unwrap_or_default().as_bytes())
        .into_iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("$select"))
        .map(|(_, names)| names.split(',').map(|name| name.trim().to_owned()).collect::<Vec<_>>())
        .filter(|names| !names.iter().any(|name| name == "*" || name.is_empty()));
    let accepts = |value: &hyper::header::HeaderValue| value.to_str().is_ok_and(|text| text.contains("gzip"));
    warnings.extend(mishaps.warnings.iter().cloned());
    let gzip = request.state.options.compression == Compression::Gzip
        && request.parts.headers.get_all("accept-encoding").iter().any(accepts);
    let encoding = if mishaps.compressed.unwrap_or(gzip) { Encoding::Gzip } else { Encoding::Identity };
    let errors = mishaps.errors.clone();
    let context = context(request.parts);
    let shown = Shown { objects, warnings, errors, confirmation, next_link, context, select };
    respond::shown(request.state.clone(), shown, encoding)
}
