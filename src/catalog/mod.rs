//! The cmdlets and parameters there are, compiled in from Microsoft's public documentation.

pub mod ensured;
mod kind;
mod pattern;
mod reads;
mod suggest;
mod tables;

pub use kind::{BYTES, ValueKind};
pub use pattern::{fits, fits_exactly, is_pattern};
pub use reads::classic;
pub use suggest::{nearest, suggest_cmdlet, suggest_parameter};

use tables::{C, CMDLETS, P, PARAMETERS, text};

/// A cmdlet's name has no more; the longest of the catalog has 57.
const NAME_BYTES_MAX: usize = 64;

/// A cmdlet's name: Microsoft's spelling if the catalog has it. Only the catalog makes them, so a name that exists
/// has been looked up.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CmdletName(String);

impl CmdletName {
    /// The name of a cmdlet of the catalog, whatever the case of `name`; `None` if there is no such cmdlet.
    pub fn known(name: &str) -> Option<CmdletName> {
        cmdlet(name).map(|cmdlet| cmdlet.name())
    }

    /// A name that the catalog does not have: a verb, a hyphen and a noun, in letters and digits, at most 64
    /// characters. `None` for everything else, and for a cmdlet that the catalog has.
    pub fn uncatalogued(name: &str) -> Option<CmdletName> {
        let is_word = |word: &str, more: fn(&u8) -> bool| {
            word.as_bytes().first().is_some_and(u8::is_ascii_alphabetic) && word.as_bytes().iter().all(more)
        };
        let (verb, noun) = name.split_once('-')?;
        let fits = name.len() <= NAME_BYTES_MAX
            && is_word(verb, u8::is_ascii_alphabetic)
            && is_word(noun, u8::is_ascii_alphanumeric);
        (fits && cmdlet(name).is_none()).then(|| CmdletName(name.to_owned()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the catalog knows about it; `None` for a name that it does not have.
    pub fn cmdlet(&self) -> Option<Cmdlet> {
        cmdlet(&self.0)
    }
}

impl std::fmt::Display for CmdletName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The service that answers a job's cmdlets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Service {
    /// Exchange Online.
    #[default]
    ExchangeOnline,
    /// Security & Compliance.
    SecurityCompliance,
    /// Standalone Exchange Online Protection.
    ExchangeOnlineProtection,
}

impl Service {
    /// All of them, in the order of the documentation.
    pub const ALL: [Service; 3] =
        [Service::ExchangeOnline, Service::SecurityCompliance, Service::ExchangeOnlineProtection];

    /// The spelling in a job file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Service::ExchangeOnline => "ExchangeOnline",
            Service::SecurityCompliance => "SecurityCompliance",
            Service::ExchangeOnlineProtection => "ExchangeOnlineProtection",
        }
    }

    /// A word for tables.
    pub fn short(self) -> &'static str {
        match self {
            Service::ExchangeOnline => "exo",
            Service::SecurityCompliance => "scc",
            Service::ExchangeOnlineProtection => "eop",
        }
    }

    fn bit(self) -> u8 {
        match self {
            Service::ExchangeOnline => 1,
            Service::SecurityCompliance => 2,
            Service::ExchangeOnlineProtection => 4,
        }
    }
}

/// One cmdlet of the catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cmdlet(&'static C);

/// One parameter of a cmdlet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter(&'static P);

/// Whether a parameter has to be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Required {
    /// In every form of the cmdlet.
    Always,
    /// In some forms of the cmdlet; the service decides.
    InSomeSets,
    /// Never.
    No,
}

/// The cmdlet with this name, whatever its case.
pub fn cmdlet(name: &str) -> Option<Cmdlet> {
    let wanted = || name.bytes().map(|byte| byte.to_ascii_lowercase());
    CMDLETS
        .binary_search_by(|row| text(row.0).bytes().map(|byte| byte.to_ascii_lowercase()).cmp(wanted()))
        .ok()
        .map(|index| Cmdlet(&CMDLETS[index]))
}

/// All cmdlets, in the order of their names.
pub fn cmdlets() -> impl ExactSizeIterator<Item = Cmdlet> {
    CMDLETS.iter().map(Cmdlet)
}

impl Cmdlet {
    /// Microsoft's spelling, as the type that the rest of the program asks for.
    pub fn name(&self) -> CmdletName {
        CmdletName(self.as_str().to_owned())
    }

    /// Microsoft's spelling.
    pub fn as_str(&self) -> &'static str {
        text(self.0.0)
    }

    /// What follows the verb: `CASMailbox` of `Get-CASMailbox`.
    pub fn noun(&self) -> &'static str {
        self.as_str().split_once('-').map_or("", |(_, noun)| noun)
    }

    /// Its parameters, in the order of their names, without the common ones (`ErrorAction` and so on).
    pub fn parameters(&self) -> impl ExactSizeIterator<Item = Parameter> + Clone + use<> {
        let first = usize::from(self.0.2);
        PARAMETERS[first..first + usize::from(self.0.3)].iter().map(Parameter)
    }

    /// The parameter with this name or alias, whatever its case.
    pub fn parameter(&self, name: &str) -> Option<Parameter> {
        let by_name = self.parameters().find(|parameter| parameter.name().eq_ignore_ascii_case(name));
        by_name.or_else(|| {
            self.parameters()
                .find(|parameter| parameter.aliases().any(|alias| alias.eq_ignore_ascii_case(name)))
        })
    }

    /// Whether it is on the reviewed list of cmdlets that only read.
    pub fn is_read(&self) -> bool {
        reads::is_read(self.as_str())
    }

    /// Whether a call with these parameters only reads: a few parameters make a read mail a log to people.
    pub fn is_read_with<'a>(&self, parameters: impl IntoIterator<Item = &'a str>) -> bool {
        self.is_read() && !parameters.into_iter().any(|parameter| reads::has_effect(self.as_str(), parameter))
    }

    /// Whether it asks before it acts, so that an unattended call has to send `Confirm: false`.
    pub fn supports_confirm(&self) -> bool {
        self.parameter("Confirm").is_some()
    }

    /// The services that have it.
    pub fn services(&self) -> impl Iterator<Item = Service> + use<> {
        let bits = self.0.1;
        Service::ALL.into_iter().filter(move |service| bits & service.bit() != 0)
    }

    /// Whether this service has it.
    pub fn available_in(&self, service: Service) -> bool {
        self.0.1 & service.bit() != 0
    }
}

impl Parameter {
    /// Microsoft's spelling.
    pub fn name(&self) -> &'static str {
        text(self.0.0)
    }

    /// The documented .NET type.
    pub fn type_name(&self) -> &'static str {
        text(self.0.1)
    }

    /// The form of its values.
    pub fn kind(&self) -> ValueKind {
        ValueKind::of(self.name(), self.type_name(), self.0.3 != 0)
    }

    /// Whether it has to be given.
    pub fn required(&self) -> Required {
        match self.0.4 {
            2 => Required::Always,
            1 => Required::InSomeSets,
            _ => Required::No,
        }
    }

    /// Other names for it.
    pub fn aliases(&self) -> impl Iterator<Item = &'static str> + use<> {
        text(self.0.2).split(',').filter(|alias| !alias.is_empty())
    }

    /// The documented values of an enumeration; empty if the documentation lists none. The service may know more.
    pub fn values(&self) -> impl Iterator<Item = &'static str> + use<> {
        text(self.0.3).split(',').filter(|value| !value.is_empty())
    }

    /// The words that its value is one of, or a list of; empty if it takes others, too. For addresses the documentation
    /// lists prefixes among the values, for identities the properties that identify.
    pub fn words(&self) -> impl Iterator<Item = &'static str> + use<> {
        let type_name = self.type_name();
        let are_words = matches!(self.kind(), ValueKind::Enum | ValueKind::List)
            && !type_name.starts_with("ProxyAddress")
            && !type_name.ends_with("IdParameter")
            && type_name != "String[]";
        self.values().filter(move |_| are_words)
    }

    /// Whether this service has it.
    pub fn available_in(&self, service: Service) -> bool {
        self.0.5 & service.bit() != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_whatever_their_case() {
        for found in cmdlets() {
            assert_eq!(cmdlet(&found.as_str().to_uppercase()), Some(found));
        }
        assert_eq!(cmdlets().len(), 941);
        assert!(cmdlet("cmdlet").is_none(), "the header line is not a cmdlet");
        assert!(cmdlet("").is_none());
        assert_eq!(CmdletName::known("get-casmailbox").expect("there is one").as_str(), "Get-CASMailbox");
        assert_eq!(cmdlet("Get-CASMailbox").expect("there is one").noun(), "CASMailbox");
    }

    #[test]
    fn a_name_that_is_not_known_has_the_form_of_one() {
        assert!(cmdlets().all(|cmdlet| cmdlet.as_str().len() <= NAME_BYTES_MAX));
        let new = CmdletName::uncatalogued("Set-NewThing2").expect("could be one");
        assert!(new.cmdlet().is_none() && new.as_str() == "Set-NewThing2");
        let long = format!("Get-{}", "x".repeat(NAME_BYTES_MAX));
        for bad in ["", "Get", "Get-", "-Thing", "Get-Thing;x", "Get-Mailbox", "G3t-Thing", "Get-A-B", &long]
        {
            assert!(CmdletName::uncatalogued(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn parameters_have_types_aliases_and_services() {
        let set = cmdlet("set-casmailbox").expect("there is one");
        assert_eq!(set.parameter("popenabled").expect("there is one").kind(), ValueKind::Boolean);
        assert_eq!(set.parameter("cf").expect("is an alias").name(), "Confirm");
        assert_eq!(set.parameter("Identity").expect("there is one").required(), Required::Always);
        assert!(set.supports_confirm() && !set.is_read() && set.available_in(Service::ExchangeOnline));
        let get = cmdlet("Get-Mailbox").expect("there is one");
        assert_eq!(get.parameter("ResultSize").expect("there is one").kind(), ValueKind::Unlimited);
        assert_eq!(get.parameter("RecipientTypeDetails").expect("there is one").kind(), ValueKind::List);
        assert!(!get.available_in(Service::SecurityCompliance) && !get.supports_confirm());
        assert!(get.is_read_with(["Identity"]));
        assert!(!cmdlet("Get-CASMailbox").expect("there is one").is_read_with(["SendLogsTo"]));
    }

    #[test]
    fn every_unlimited_is_known_for_what_it_is() {
        let kind = |set: &str, name: &str| {
            cmdlet(set).and_then(|set| set.parameter(name)).map(|parameter| parameter.kind())
        };
        assert_eq!(kind("Set-Mailbox", "ProhibitSendQuota"), Some(ValueKind::UnlimitedSize));
        assert_eq!(kind("Set-Mailbox", "MaxSendSize"), Some(ValueKind::UnlimitedSize));
        assert_eq!(kind("Set-Mailbox", "LitigationHoldDuration"), Some(ValueKind::UnlimitedTimeSpan));
        assert_eq!(kind("Set-Mailbox", "RecipientLimits"), Some(ValueKind::Unlimited));
        assert_eq!(kind("Set-Mailbox", "RetainDeletedItemsFor"), Some(ValueKind::TimeSpan));
        assert_eq!(kind("Set-Mailbox", "RulesQuota"), Some(ValueKind::Size));
        // Both words sound like a size, and are numbers of kilobytes and of characters.
        assert_eq!(
            kind("Set-MobileDeviceMailboxPolicy", "MaxEmailBodyTruncationSize"),
            Some(ValueKind::Unlimited)
        );
        assert_eq!(kind("Set-RemoteDomain", "LineWrapSize"), Some(ValueKind::Unlimited));
        assert_eq!(
            kind("Set-AppRetentionComplianceRule", "ExcludedItemClasses"),
            Some(ValueKind::List),
            "documented as Unlimited, and a list beside it"
        );
    }

    #[test]
    fn every_row_can_be_read() {
        let mut parameters = 0;
        for found in cmdlets() {
            assert!(found.services().next().is_some(), "{} is nowhere", found.as_str());
            for parameter in found.parameters() {
                parameters += 1;
                assert!(!parameter.name().is_empty() && !parameter.type_name().is_empty());
                assert_eq!(found.parameter(parameter.name()), Some(parameter));
            }
        }
        assert_eq!(parameters, PARAMETERS.len());
    }
}
