//! How the service says no.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hyper::Response;
use serde_json::{Value, json};

use super::respond::{self, Body};

/// A refused or failed cmdlet, as the service's JSON envelope shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) message: String,
    /// `details[0].message`
    detail: Option<String>,
    /// Type and message of `innererror.internalexception`
    internal: Option<(String, String)>,
}

impl Failure {
    fn new(status: u16, code: &'static str, detail: Option<String>) -> Failure {
        Failure { status, code, message: "Error executing cmdlet".to_owned(), detail, internal: None }
    }

    pub(super) fn not_found(identity: &str) -> Failure {
        let text = format!(
            "Ex6F9304|Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException|The operation couldn't \
             be performed because object '{identity}' couldn't be found on 'EMUPR01A01DC001.EMUPR01A001.PROD.OUTLOOK.COM'."
        );
        Failure::new(404, "NotFound", Some(text))
    }

    pub(super) fn unknown_parameter(cmdlet: &str, parameter: &str) -> Failure {
        Failure::ambiguous(&format!(
            "A parameter cannot be found that matches parameter name '{parameter}' of cmdlet '{cmdlet}'."
        ))
    }

    pub(super) fn missing_parameter(parameter: &str) -> Failure {
        Failure::ambiguous(&format!("One or more mandatory parameters are missing: {parameter}."))
    }

    /// A combination or a name of parameters that fits no parameter set.
    pub(super) fn ambiguous(text: &str) -> Failure {
        let text = format!(
            "|Microsoft.Exchange.AdminApi.CommandInvocation.AmbiguousParameterSetException|Parameter set cannot be \
             resolved using the specified named parameters. One or more parameters issued cannot be used together or \
             an insufficient number of parameters were provided. {text}"
        );
        Failure::new(400, "BadRequest", Some(text))
    }

    /// A value that does not fit its parameter's type: the text is in `internalexception` only.
    pub(super) fn transformation(parameter: &str, text: &str) -> Failure {
        let text = format!("Cannot process argument transformation on parameter '{parameter}'. {text}");
        Failure {
            internal: Some((
                "Microsoft.Exchange.AdminApi.CommandInvocation.ParameterTransformationException".to_owned(),
                text,
            )),
            ..Failure::new(400, "BadRequest", None)
        }
    }

    /// A value that the cmdlet refuses, by the exception's short or full name.
    pub(super) fn invalid(exception: &str, text: &str) -> Failure {
        Failure::new(400, "BadRequest", Some(format!("|{exception}|{text}")))
    }

    /// A body that is no cmdlet call.
    pub(super) fn bad_body(text: &str) -> Failure {
        Failure { message: format!("Invalid Operation. {text}"), ..Failure::new(400, "BadRequest", None) }
    }

    /// A transient error by its exception's name.
    pub(super) fn exception(name: &str) -> Failure {
        let text = format!(
            "Ex4B80CC|Microsoft.Exchange.Data.Directory.{name}|A transient error occurred (emulated). Please try again later."
        );
        Failure::new(500, "InternalServerError", Some(text))
    }

    /// An application whose role does not suffice.
    pub(super) fn role(status: u16, application: &str) -> Failure {
        let text =
            format!("The role assigned to application {application} isn't supported in this scenario.");
        Failure { message: text.clone(), ..Failure::new(status, "Unauthorized", Some(format!("||{text}"))) }
    }

    /// What Security & Compliance says of a cmdlet that does not exist, or not for this caller.
    pub(super) fn not_allowed(cmdlet: &str) -> Failure {
        let text = format!("The user is not allowed to call {cmdlet}.");
        Failure { message: text.clone(), ..Failure::new(403, "Forbidden", Some(format!("||{text}"))) }
    }

    /// What a read by `GET` says of a cmdlet that is not for this caller. Source: protocol reference, 4.1.
    pub(super) fn not_allowed_to_read(cmdlet: &str) -> Failure {
        let text = format!("User is not allowed to call {cmdlet}");
        Failure { message: text.clone(), ..Failure::new(401, "Unauthorized", Some(format!("||{text}"))) }
    }

    /// What Security & Compliance says at its global host, and to an anchor that names no domain. The sentence is the
    /// service's; the status and the exception's name are ours.
    pub(super) fn organization_container() -> Failure {
        let text = "|Microsoft.Exchange.Data.Directory.SystemConfiguration.OrgContainerNotFoundException|Could not \
                    find the organization container.";
        Failure::new(500, "InternalServerError", Some(text.to_owned()))
    }

    /// A member of a batch that was not begun, because one before it failed.
    pub(super) fn dependency() -> Failure {
        let text =
            "The request was not sent: one before it failed, and the batch does not go on after errors.";
        Failure { message: text.to_owned(), ..Failure::new(424, "FailedDependency", None) }
    }

    /// The backend of another version could not be asked.
    pub(super) fn proxy() -> Failure {
        let text = "|Microsoft.Exchange.Configuration.CmdletProxyException|Error on proxy command to server \
                    EMUPR01MB0002 (emulated): Server version 15.20.0.0, Proxy method PSWS.";
        Failure::new(500, "InternalServerError", Some(text.to_owned()))
    }

    /// Too many requests of the tenant at once, said with a status that is not 429.
    pub(super) fn concurrency(status: u16) -> Failure {
        let text =
            "||The tenant has exceeded the maximum number of concurrent requests per tenant (emulated).";
        Failure::new(status, "TooManyRequests", Some(text.to_owned()))
    }

    /// A detail whose text is a serialized exception.
    pub(super) fn json_detail() -> Failure {
        let text = json!({
            "ClassName": "Microsoft.Exchange.Configuration.Tasks.ManagementObjectAmbiguousException",
            "Message": "The operation could not be performed (emulated).",
            "localizedString": {"stringId": "ErrorEmulated"},
        });
        Failure::new(400, "BadRequest", Some(text.to_string()))
    }

    /// What the real service can and this emulator cannot.
    pub(super) fn not_emulated(what: &str) -> Failure {
        Failure {
            message: format!("exorun emulator: {what} is not emulated."),
            ..Failure::new(501, "NotImplemented", None)
        }
    }

    /// What a recording does not hold.
    pub(super) fn not_recorded(why: &str) -> Failure {
        let text = format!("exorun replay: {why}.");
        Failure { message: text.clone(), ..Failure::new(501, "NotImplemented", Some(format!("||{text}"))) }
    }

    pub(super) fn json(&self) -> Value {
        let details: Vec<Value> = self
            .detail
            .iter()
            .map(|message| json!({"code": "Context", "target": "", "message": message}))
            .collect();
        let (kind, message) = match (&self.internal, &self.detail) {
            (Some((kind, message)), _) => (kind.clone(), message.clone()),
            (None, Some(detail)) => {
                let mut parts = detail.splitn(3, '|').skip(1);
                let kind = parts.next().unwrap_or_default().to_owned();
                (kind, parts.next().unwrap_or_default().to_owned())
            }
            (None, None) => (String::new(), self.message.clone()),
        };
        json!({"error": {
            "code": self.code,
            "message": self.message,
            "details": details,
            "innererror": {
                "message": self.message,
                "type": "Microsoft.Exchange.Admin.OData.Core.ODataServiceException",
                "stacktrace": "",
                "internalexception": {"message": message, "type": kind, "stacktrace": ""},
            },
            "adminapi.warnings@odata.type": "#Collection(String)",
            "@adminapi.warnings": [],
        }})
    }

    pub(super) fn response(&self) -> Response<Body> {
        respond::full(self.status, respond::JSON, self.json().to_string())
    }
}

/// A bare 401 with a challenge.
pub(super) fn unauthorized(login: &str, why: &str) -> Response<Body> {
    let challenge = format!(
        "Bearer realm=\"\", authorization_uri=\"{login}/common/oauth2/authorize\", error=\"invalid_token\", error_description=\"{why}\""
    );
    let mut response = respond::empty(401);
    respond::header(&mut response, "www-authenticate", &challenge);
    respond::header(
        &mut response,
        "x-ms-diagnostics",
        &format!("2000003;reason=\"{why}\";error_category=\"invalid_token\""),
    );
    response
}

/// A 401 that asks for a token with these claims.
pub(super) fn challenge(login: &str, claims: &Value) -> Response<Body> {
    let mut response = respond::empty(401);
    let claims = STANDARD.encode(claims.to_string());
    let challenge = format!(
        "Bearer realm=\"\", authorization_uri=\"{login}/common/oauth2/authorize\", error=\"insufficient_claims\", \
         claims=\"{claims}\""
    );
    respond::header(&mut response, "www-authenticate", &challenge);
    response
}

/// The way to another host.
pub(super) fn elsewhere(location: &str) -> Response<Body> {
    let mut response = respond::empty(302);
    respond::header(&mut response, "location", location);
    response
}

/// A method that the address does not know.
pub(super) fn only(method: &str) -> Response<Body> {
    let mut response = plain(405, "The requested resource does not support this method.");
    respond::header(&mut response, "allow", method);
    response
}

/// A bare 403 whose only word is in `x-ms-diagnostics`.
pub(super) fn forbidden(why: &str) -> Response<Body> {
    let mut response = respond::empty(403);
    respond::header(
        &mut response,
        "x-ms-diagnostics",
        &format!("2000010;reason=\"{why}\";error_category=\"not_allowed\""),
    );
    response
}

/// What an unknown cmdlet gets: NUL bytes that claim to be gzip.
pub(super) fn nul_forbidden(why: &str) -> Response<Body> {
    let mut response = respond::full(403, respond::JSON, Bytes::from_static(&[0; 64]));
    respond::header(&mut response, "content-encoding", "gzip");
    respond::header(
        &mut response,
        "x-ms-diagnostics",
        &format!("2000010;reason=\"{why}\";error_category=\"not_allowed\""),
    );
    response
}

/// Plain text.
pub(super) fn plain(status: u16, text: &str) -> Response<Body> {
    respond::full(status, "text/plain; charset=utf-8", text.to_owned())
}

/// The old service's sentence about one session too many.
pub(super) fn session_limit(limit: u32) -> Response<Body> {
    plain(
        429,
        &format!(
            "Fail to create a runspace because you have exceeded the maximum number of connections allowed : {limit} \
             for the policy party : MaxConcurrency. Please close existing runspace and try again."
        ),
    )
}

/// A page link that cannot be followed.
pub(super) fn bad_page(life: std::time::Duration) -> Response<Body> {
    let seconds = life.as_secs();
    let life = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    plain(400, &format!("Expired or Invalid pagination request. Default Expiry time is {life}"))
}
