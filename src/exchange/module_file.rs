//! The generated module's file, of which only the public key and the names of the caller's cmdlets are wanted.
//! Source: protocol reference, 3.6 and 3.13.

use secrecy::SecretString;
use serde_json::Value;
use tracing::debug;

use super::client::{RestConnection, Tally};
use super::errors::{ErrorKind, Happened, RemoteError};
use super::page::{Asked, Page, What};
use super::public_key::PublicKey;
use super::repeat::AfterRedirect;
use super::{CmdletRequest, Intent};
use crate::catalog::CmdletName;

/// The versions of the module and of its PowerShell that the reference describes; the address wants the first.
const MODULE_VERSION: &str = "3.9.2";
const POWERSHELL_VERSION: &str = "7.4";

impl RestConnection {
    /// The service's key: the one in hand, else from the module's file.
    ///
    /// # Errors
    /// Of the service; [`ErrorKind::Refused`] if the file has no key. Nothing secret was sent.
    pub(super) async fn public_key(
        &mut self,
        token: &SecretString,
        request: &CmdletRequest,
        tally: &mut Tally,
    ) -> Result<PublicKey, RemoteError> {
        if let Some(key) = &self.public_key {
            return Ok(key.clone());
        }
        let page = self.module_file(token, request, tally).await.map_err(|mut error| {
            error
                .message
                .insert_str(0, "the module's file, which holds the key for secrets, cannot be had: ");
            error
        })?;
        let key = key_of(&page).map_err(|why| {
            let why = format!(
                "a secret can only be sent encrypted, and the service's file of the module cannot be used: {why}"
            );
            RemoteError::new(ErrorKind::Refused, Happened::No, why)
        })?;
        debug!(cmdlet = %request.cmdlet, "the service's key for secrets was read");
        self.public_key = Some(key.clone());
        Ok(key)
    }

    /// The file, repeated as the policy says: it is only read.
    async fn module_file(
        &mut self,
        token: &SecretString,
        request: &CmdletRequest,
        tally: &mut Tally,
    ) -> Result<Page, RemoteError> {
        // Whatever becomes of the file, the call itself is not sent by it.
        let reading = CmdletRequest { intent: Intent::Read, ..request.clone() };
        let asked = self.module_file_asked(request);
        let read = self.repeated(token, &reading, &asked, AfterRedirect::Again, tally).await;
        read.map_err(|error| RemoteError { happened: Happened::No, ..error })
    }

    /// Which of `names` the file exports: it is trimmed by the caller's role.
    ///
    /// # Errors
    /// Of the service; [`ErrorKind::Protocol`] if the file has no list.
    pub(super) async fn exported_of(
        &mut self,
        token: &SecretString,
        request: &CmdletRequest,
        names: &[CmdletName],
    ) -> Result<Vec<String>, RemoteError> {
        let mut tally = Tally::default();
        self.locate(token, request, &mut tally).await.map_err(|error| tally.noted(error))?;
        let names: Vec<&str> = names.iter().map(CmdletName::as_str).collect();
        let asked = self.module_file_with(&names.join(","));
        let reading = CmdletRequest { intent: Intent::Read, ..request.clone() };
        let page = self.repeated(token, &reading, &asked, AfterRedirect::Again, &mut tally).await;
        let page = page.map_err(|error| tally.noted(error))?;
        exported(&page).map_err(|why| {
            let why = format!("the service's file of the module says nothing of cmdlets: {why}");
            RemoteError::new(ErrorKind::Protocol, Happened::No, why)
        })
    }

    /// Asks for the module's file, with what is in it restricted to the cmdlet in hand: the whole is two megabytes.
    pub(super) fn module_file_asked(&self, request: &CmdletRequest) -> Asked {
        self.module_file_with(request.cmdlet.as_str())
    }

    /// The same for some cmdlets, separated by commas.
    fn module_file_with(&self, cmdlets: &str) -> Asked {
        let tenant = &self.config.tenant_id;
        let headers = [
            ("CommandName", cmdlets),
            ("ps-version", POWERSHELL_VERSION),
            ("exomodule-version", MODULE_VERSION),
            ("is-cloud-shell-environment", "False"),
            ("X-InitializeConnectionContextObjectIdDynamic", "true"),
        ];
        Asked {
            path_and_query: format!("/adminapi/v1.0/{tenant}/EXOModuleFile?Version={MODULE_VERSION}"),
            page_size: None,
            body: None,
            what: What::ModuleFile,
            headers: headers.map(|(name, value)| (name, value.to_owned())).to_vec(),
        }
    }
}

/// The names that the file exports. Source: protocol reference, 3.13 (`exportedCmdlets`, separated by commas).
fn exported(page: &Page) -> Result<Vec<String>, String> {
    let item = page.items.first().ok_or("the answer is empty")?;
    let item: Value = serde_json::from_str(item.get()).map_err(|error| format!("it is no JSON: {error}"))?;
    let names = match &item["exportedCmdlets"] {
        Value::String(names) => names.split(',').map(str::to_owned).collect(),
        Value::Array(names) => names.iter().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>(),
        _ => return Err("it has no `exportedCmdlets`".to_owned()),
    };
    Ok(names.into_iter().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect())
}

/// The key in the file's answer. Which member holds the module's text is not known for certain, so all are looked at.
fn key_of(page: &Page) -> Result<PublicKey, String> {
    let item = page.items.first().ok_or("the answer is empty")?;
    let item: Value = serde_json::from_str(item.get()).map_err(|error| format!("it is no JSON: {error}"))?;
    let texts: Vec<&str> = match &item {
        Value::Object(members) => members.values().filter_map(Value::as_str).collect(),
        Value::String(text) => vec![text],
        _ => Vec::new(),
    };
    let mut why = "it holds no public key".to_owned();
    for text in texts.into_iter().filter(|text| text.contains("RSAKeyValue")) {
        match PublicKey::find(text) {
            Ok(key) => return Ok(key),
            Err(reason) => why = reason,
        }
    }
    Err(why)
}
