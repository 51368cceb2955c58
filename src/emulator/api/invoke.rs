//! `InvokeCommand`: one cmdlet.

use hyper::Response;
use serde_json::{Map, Value};

use super::super::cmdlets::{self, Answer, Effect, Invocation};
use super::super::errors::{self, Failure};
use super::super::options::AnchorRule;
use super::super::request::{Request, bound, context};
use super::super::respond::{self, Body, Form, Objects};
use super::Caller;
use super::show::{View, selected};
use super::trouble::Mishaps;
use crate::catalog::{self, Service, ValueKind};

/// The mailbox that keeps the audit configuration, in lower case.
const AUDIT_MAILBOX: &str = "systemmailbox{8cc370d3-822a-4ab8-a926-bb94bd0641a9}@";

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
    invocation.caller.clone_from(&caller.identity.upn);
    let now = state.now();
    let wall = state.options.clocks.wall();
    let answer = {
        let mut directory = state.directory();
        cmdlets::run(cmdlet, &invocation, &mut directory, now, wall, mishaps.stale)
    };
    let view = View {
        request,
        mishaps,
        select: selected(request),
        context: context(request.parts),
        bound: bound(request, &serde_json::from_slice(request.body).unwrap_or_default()),
        form: Form::Tables,
    };
    let mut response = match answer {
        Err(failure) => failure.response(),
        Ok(Answer::Listing(listing)) => view.list(listing),
        Ok(Answer::Objects(objects)) => view.show(Objects::These(objects), Vec::new(), None, None),
        Ok(Answer::Some { objects, warnings }) => view.show(Objects::These(objects), warnings, None, None),
        Ok(Answer::Done { warnings }) => view.show(Objects::These(Vec::new()), warnings, None, None),
        Ok(Answer::Confirm(text)) => view.show(Objects::These(Vec::new()), Vec::new(), Some(text), None),
    };
    if cmdlet.is_synthesized() {
        respond::header(&mut response, "x-exorun-synthesized", "1");
    }
    response
}

/// The refusal of an anchor.
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
    let looks = cmdlet.effect == Effect::Write && state.options.anchor == AnchorRule::Writes;
    looks.then(|| anchor_missing(cmdlet.name, &anchor))?.map(errors::forbidden)
}

/// What a write's anchor (in lower case) lacks. Source: protocol reference, 3.2 and 3.3; that the audit
/// configuration's wrong anchor gets the same bare 403 as none is ours.
fn anchor_missing(cmdlet: &str, anchor: &str) -> Option<&'static str> {
    match cmdlet {
        _ if anchor.is_empty() => Some("A write needs X-AnchorMailbox."),
        "Set-AdminAuditLogConfig" if !anchor.contains(AUDIT_MAILBOX) => {
            Some("This write needs the audit mailbox in X-AnchorMailbox.")
        }
        _ => None,
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_audit_configuration_is_written_by_its_own_mailbox() {
        let usual = "app:systemmailbox{bb558c35-97f1-4cb9-8ff7-d53741dc928c}@contoso.onmicrosoft.com";
        let audit = "upn:systemmailbox{8cc370d3-822a-4ab8-a926-bb94bd0641a9}@contoso.onmicrosoft.com";
        assert!(anchor_missing("Set-AdminAuditLogConfig", usual).is_some());
        assert_eq!(anchor_missing("Set-AdminAuditLogConfig", audit), None);
        assert_eq!(anchor_missing("Set-Mailbox", usual), None);
        assert!(anchor_missing("Set-Mailbox", "").is_some());
    }
}
