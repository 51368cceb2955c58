//! Which mailbox a request is routed to: the session's hint, or the mailbox it is about. Source: protocol
//! reference, 3.3.

use serde_json::Value;
use uuid::Uuid;

use super::CmdletRequest;
use super::anchor::audit_anchor;
use super::errors::{ErrorKind, Happened, RemoteError};

/// The switch of sixteen cmdlets; the client takes it for itself.
const SWITCH: &str = "UseCustomRouting";
/// The exception after which the same request goes to the mailbox's own server. Source: protocol reference, 3.10.
pub(super) const PROXY_EXCEPTION: &str = "CmdletProxyException";

/// The routing headers of one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Route {
    /// `X-AnchorMailbox`; none where the settings drop the hint.
    pub(super) anchor: Option<String>,
    /// `parameter-based-routing: true`.
    pub(super) is_by_parameters: bool,
}

/// What a session's requests are routed by when they are about no mailbox.
pub(super) struct Home<'a> {
    pub(super) anchor: Option<&'a str>,
    pub(super) tenant_id: &'a str,
    pub(super) organization: &'a str,
}

/// The routing of `request`; `by_mailbox` says that a proxy error asked for the mailbox's own server.
pub(super) fn route(request: &CmdletRequest, home: &Home<'_>, by_mailbox: bool) -> Route {
    if (by_mailbox || is_asked(request))
        && let Some(target) = target(request, home.tenant_id)
    {
        return Route { anchor: Some(target), is_by_parameters: true };
    }
    let anchor = match home.anchor {
        Some(_) if request.cmdlet.as_str() == "Set-AdminAuditLogConfig" => {
            Some(audit_anchor(home.organization))
        }
        anchor => anchor.map(str::to_owned),
    };
    Route { anchor, is_by_parameters: false }
}

/// Refuses a job's wish for routing that names no mailbox it could go by.
///
/// # Errors
/// [`ErrorKind::Refused`], with the mend.
pub(super) fn check(request: &CmdletRequest) -> Result<(), RemoteError> {
    if is_asked(request) && target(request, "").is_none() {
        let why = format!(
            "{SWITCH} goes by the mailbox in {}: give its address or its GUID there",
            parameter_of(request)
        );
        return Err(RemoteError::new(ErrorKind::Refused, Happened::No, why));
    }
    Ok(())
}

fn is_asked(request: &CmdletRequest) -> bool {
    let switch = request.parameters.iter().find(|(name, _)| name.eq_ignore_ascii_case(SWITCH));
    can_be_routed(request) && switch.is_some_and(|(_, value)| value == &Value::Bool(true))
}

pub(super) fn can_be_routed(request: &CmdletRequest) -> bool {
    request.cmdlet.cmdlet().is_some_and(|cmdlet| cmdlet.parameter(SWITCH).is_some())
}

/// The parameter that names the mailbox: elsewhere `Identity` is the rule or the device, not its mailbox.
fn parameter_of(request: &CmdletRequest) -> &'static str {
    match request.cmdlet.as_str() {
        "Get-InboxRule" | "Get-MobileDeviceStatistics" => "Mailbox",
        _ => "Identity",
    }
}

/// The mailbox that the request is about, if it is given in a form that can be routed by.
fn target(request: &CmdletRequest, tenant_id: &str) -> Option<String> {
    if !can_be_routed(request) {
        return None;
    }
    let wanted = parameter_of(request);
    let (_, value) = request.parameters.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted))?;
    let text = value.as_str()?;
    // A folder is `mailbox:\folder`.
    let mailbox = text.split_once(':').map_or(text, |(mailbox, _)| mailbox).trim();
    if let Ok(guid) = Uuid::try_parse(mailbox) {
        return Some(format!("MBX:{guid}@{tenant_id}"));
    }
    let is_address = mailbox.split_once('@').is_some_and(|(user, domain)| {
        let is_header_text =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        is_header_text(user) && is_header_text(domain)
    });
    is_address.then(|| format!("SMTP:{mailbox}"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::catalog::CmdletName;
    use crate::exchange::Intent;

    fn request(cmdlet: &str, parameters: Value) -> CmdletRequest {
        let Value::Object(parameters) = parameters else { panic!("parameters are a map") };
        CmdletRequest {
            cmdlet: CmdletName::known(cmdlet).unwrap(),
            parameters,
            secrets: Vec::new(),
            select: Vec::new(),
            intent: Intent::Read,
            client_request_id: Uuid::nil(),
            repeats: None,
            timeout: Duration::from_secs(1),
            stop: tokio_util::sync::CancellationToken::new(),
        }
    }

    fn anchor(cmdlet: &str, parameters: Value, by_mailbox: bool) -> (String, bool) {
        let home = Home { anchor: Some("home"), tenant_id: "t", organization: "c.onmicrosoft.com" };
        let route = route(&request(cmdlet, parameters), &home, by_mailbox);
        (route.anchor.unwrap(), route.is_by_parameters)
    }

    #[test]
    fn a_request_goes_to_its_mailbox_if_the_job_or_a_proxy_error_asks_for_it() {
        let asked = json!({"Identity": "anna@c.example", "UseCustomRouting": true});
        assert_eq!(anchor("Get-MailboxStatistics", asked, false), ("SMTP:anna@c.example".into(), true));
        let plain = json!({"Identity": "anna@c.example"});
        assert_eq!(anchor("Get-MailboxStatistics", plain.clone(), false), ("home".into(), false));
        assert_eq!(
            anchor("Get-MailboxStatistics", plain.clone(), true),
            ("SMTP:anna@c.example".into(), true)
        );
        assert_eq!(anchor("Get-Mailbox", plain, true), ("home".into(), false), "it has no such switch");
        let not = json!({"Identity": "anna@c.example", "UseCustomRouting": false});
        assert_eq!(anchor("Get-MailboxStatistics", not, false), ("home".into(), false));
    }

    #[test]
    fn the_mailbox_is_where_the_cmdlet_names_it() {
        let guid = "8CC370D3-822A-4AB8-A926-BB94BD0641A9";
        let rule = json!({"Mailbox": guid, "Identity": "b@x", "UseCustomRouting": true});
        assert_eq!(
            anchor("Get-InboxRule", rule, false),
            ("MBX:8cc370d3-822a-4ab8-a926-bb94bd0641a9@t".into(), true)
        );
        let folder = json!({"Identity": "anna@c.example:\\Calendar", "UseCustomRouting": true});
        assert_eq!(
            anchor("Get-MailboxFolderPermission", folder, false),
            ("SMTP:anna@c.example".into(), true)
        );
        let alias = json!({"Identity": "anna", "UseCustomRouting": true});
        let error = check(&request("Get-MailboxPermission", alias.clone())).unwrap_err();
        assert!(error.message.contains("give its address or its GUID"), "{error}");
        let home = ("home".to_owned(), false);
        assert_eq!(anchor("Get-MailboxPermission", alias, true), home, "a proxy error cannot help there");
        let forged = json!({"Identity": "a@b\r\nX: y", "UseCustomRouting": true});
        assert!(check(&request("Get-MailboxPermission", forged)).is_err());
    }

    #[test]
    fn audit_settings_go_to_their_own_mailbox_unless_hints_are_dropped() {
        let audit = "UPN:SystemMailbox{8cc370d3-822a-4ab8-a926-bb94bd0641a9}@c.onmicrosoft.com";
        assert_eq!(anchor("Set-AdminAuditLogConfig", json!({}), false), (audit.into(), false));
        let dropped = Home { anchor: None, tenant_id: "t", organization: "o" };
        assert_eq!(route(&request("Set-AdminAuditLogConfig", json!({})), &dropped, false), Route::default());
    }
}
