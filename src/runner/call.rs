//! From a cmdlet with evaluated parameters to a call that can be sent.

use serde_json::{Map, Value};

use crate::catalog::CmdletName;
use crate::exchange::Intent;
use crate::exchange::asked::{Asked, asked};
use crate::spec::job::{CredentialRef, Keep};

/// A call that is ready to be sent.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Call {
    pub(super) cmdlet: CmdletName,
    pub(super) parameters: Map<String, Value>,
    /// Parameters of which only the place of their value is known yet.
    pub(super) secrets: Vec<KeptSecret>,
    pub(super) select: Vec<String>,
    pub(super) intent: Intent,
    /// Whom the call is about, for the write log: the identity as it was given.
    pub(super) object: Option<String>,
}

/// A parameter whose value is a secret, with the place where it is kept.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct KeptSecret {
    pub(super) name: String,
    pub(super) place: CredentialRef,
    /// Whose password it is, where the parameter takes a user name with it.
    pub(super) user_name: Option<String>,
}

/// Asked for when only the number of items matters.
const SMALLEST_SELECT: &str = "Identity";

impl Call {
    /// A call of `cmdlet`; `wanted` are the properties that are needed of what comes back.
    pub(super) fn new(cmdlet: &CmdletName, parameters: Vec<(String, Value)>, wanted: Select) -> Call {
        let object = ["Identity", "Mailbox", "Name"].iter().find_map(|wanted| {
            let (_, value) = parameters.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted))?;
            value.as_str().map(str::to_owned)
        });
        let Asked { cmdlet, parameters, select, intent } = asked(cmdlet, parameters, wanted.0);
        Call { cmdlet, parameters, secrets: Vec::new(), select, intent, object }
    }

    /// The same call with parameters whose values are read when it is sent.
    pub(super) fn with_secrets(self, secrets: Vec<KeptSecret>) -> Call {
        Call { secrets, ..self }
    }
}

impl Call {
    /// Whether it may go together with others. Not those that are routed by a mailbox of their own: the module sends
    /// them alone too. Source: protocol reference, 3.3 and 3.12.
    pub(super) fn may_be_batched(&self) -> bool {
        // A secret is encrypted for one request under a key that may have to be fetched first.
        self.secrets.is_empty()
            && self.cmdlet.cmdlet().is_some_and(|cmdlet| cmdlet.parameter("UseCustomRouting").is_none())
    }
}

/// Which properties to ask for; empty asks for everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Select(Vec<String>);

impl Select {
    /// Everything.
    pub(super) fn all() -> Select {
        Select::default()
    }

    /// What a step selects and what is kept of its items.
    pub(super) fn of(selected: &[String], keep: &Keep) -> Select {
        match keep {
            Keep::All if selected.is_empty() => Select::all(),
            Keep::All => Select(selected.to_vec()),
            Keep::Properties(kept) => Select::named(selected.iter().chain(kept).map(String::as_str)),
        }
    }

    /// These, each once; the smallest there is if there are none.
    pub(super) fn named<'a>(names: impl Iterator<Item = &'a str>) -> Select {
        let mut select: Vec<String> = Vec::new();
        for name in names {
            if !select.iter().any(|known| known == name) {
                select.push(name.to_owned());
            }
        }
        if select.is_empty() {
            select.push(SMALLEST_SELECT.to_owned());
        }
        Select(select)
    }
}
