//! Signing in as the module does it: parameters of its `Connect-` cmdlets.

use super::quote::{self, Position};
use super::{comment, throw};
use crate::spec::job::{Method, TargetSpec};

/// Adds the parameters that say who signs in; returns the lines that stand before the call.
pub(super) fn who(call: &mut Vec<String>, target: &TargetSpec, compliance: bool) -> Vec<String> {
    let mut out = Vec::new();
    let text = |text: &str| quote::text(text, Position::Argument);
    let auth = &target.auth;
    let application = |call: &mut Vec<String>| {
        let id = auth.client_id.as_deref().map_or_else(|| throw("the application's id"), text);
        call.push(format!("-AppId {id}"));
        call.push(format!("-Organization {}", text(&target.tenant)));
        call.push(format!("-CertificateThumbprint {}", throw("the thumbprint")));
    };
    match &auth.method {
        Method::ClientSecret { .. } => {
            out.extend(comment(
                "The module cannot sign in with a client secret; with a certificate it would be:",
            ));
            application(call);
        }
        Method::Certificate { .. } => application(call),
        Method::Transit { .. } => {
            out.extend(comment("The module wants the private key on its own machine:"));
            application(call);
        }
        Method::WorkloadIdentity { .. } | Method::Vault { .. } | Method::AccessToken { .. } => {
            out.extend(comment(
                "The module takes a token that something else has got, and does not renew it.",
            ));
            call.push(format!("-AccessToken {}", throw("the token")));
            call.push(format!("-Organization {}", text(&target.tenant)));
        }
        Method::ManagedIdentity { .. } => {
            call.push("-ManagedIdentity".to_owned());
            call.push(format!("-Organization {}", text(&target.tenant)));
            if let Some(id) = &auth.client_id {
                call.push(format!("-ManagedIdentityAccountId {}", text(id)));
            }
        }
        Method::Device { .. } if compliance => {
            out.extend(comment("Connect-IPPSSession knows no device code; a person signs in in a window."));
        }
        Method::Device { .. } => call.push("-Device".to_owned()),
        Method::Browser { .. } => {
            if let Some(name) = &auth.user_principal_name {
                call.push(format!("-UserPrincipalName {}", text(name)));
            }
        }
        Method::Password { .. } | Method::InlineCredential => {
            out.extend(comment("Microsoft is retiring -Credential; accounts with MFA are refused."));
            call.push(match &auth.user_principal_name {
                Some(name) => format!("-Credential (Get-Credential {})", text(name)),
                None => "-Credential (Get-Credential)".to_owned(),
            });
        }
    }
    if let (Method::Device { .. }, Some(name)) = (&auth.method, &auth.user_principal_name) {
        out.extend(comment(&format!("Who is expected to sign in: {name}")));
    }
    out
}
