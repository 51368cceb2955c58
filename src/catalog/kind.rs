//! What a value of a parameter has to look like, told from the documented .NET type.

/// The form a parameter's value has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueKind {
    /// `SwitchParameter`: `true` or `false`.
    Switch,
    /// `true`, `false`, or null to inherit.
    Boolean,
    /// A whole number.
    Integer,
    /// A number with a fraction.
    Number,
    /// A whole number or the word `Unlimited`: `ResultSize`.
    Unlimited,
    /// A size such as `50GB`.
    Size,
    /// A size or the word `Unlimited`: quotas.
    UnlimitedSize,
    /// A point in time.
    DateTime,
    /// A duration as .NET writes it: `30.00:00:00`.
    TimeSpan,
    /// A duration or the word `Unlimited`: `LitigationHoldDuration`.
    UnlimitedTimeSpan,
    /// A GUID.
    Guid,
    /// Text: plain text, an address, an identity, a culture, a filter.
    String,
    /// One word of a documented or undocumented set.
    Enum,
    /// Several values; `{add: [...], remove: [...]}` edits instead of replacing.
    List,
    /// A map.
    Hashtable,
    /// Several maps.
    HashtableList,
    /// Bytes of a file.
    Bytes,
    /// A password or a user name with a password; travels encrypted.
    Secret,
    /// An object of PowerShell that has no form in a file.
    Object,
}

/// How bytes stand among plain values, which have no bytes: a map with this key alone, and Base64 below it.
pub const BYTES: &str = "@bytes";

/// What of the documented type `Unlimited` is a time span; the documentation does not say what is unlimited.
const TIME_SPANS: [&str; 9] = [
    "CompletedRequestAgeLimit",
    "DevicePasswordExpiration",
    "DevicePolicyRefreshInterval",
    "ItemHoldPeriod",
    "LitigationHoldDuration",
    "MaxInactivityTimeDeviceLock",
    "MaxInactivityTimeLock",
    "PasswordExpiration",
    "RequestExpiryInterval",
];

/// What of the documented type `Unlimited` is a size, besides the quotas.
const SIZES: [&str; 5] =
    ["DefaultPublicFolderMaxItemSize", "MaxAttachmentSize", "MaxItemSize", "MaxReceiveSize", "MaxSendSize"];

impl ValueKind {
    /// The kind of a parameter of a documented type; `has_values` says whether the documentation lists its words.
    pub(super) fn of(name: &str, type_name: &str, has_values: bool) -> ValueKind {
        match type_name {
            "SwitchParameter" => ValueKind::Switch,
            // One parameter is documented as Boolean and lists words: the words are right.
            "Boolean" if has_values => ValueKind::Enum,
            "Boolean" => ValueKind::Boolean,
            "Int16" | "Int32" | "Int64" | "UInt16" | "UInt32" | "UInt64" => ValueKind::Integer,
            "Double" => ValueKind::Number,
            "Unlimited" if TIME_SPANS.contains(&name) => ValueKind::UnlimitedTimeSpan,
            "Unlimited" if SIZES.contains(&name) || name.ends_with("Quota") => ValueKind::UnlimitedSize,
            "Unlimited" | "UnlimitedInt" | "Unlimited`1[System.UInt32]" => ValueKind::Unlimited,
            "ByteQuantifiedSize" => ValueKind::Size,
            "DateTime" | "DateTimeOffset" | "ExDateTime" => ValueKind::DateTime,
            "TimeSpan" | "EnhancedTimeSpan" => ValueKind::TimeSpan,
            "Guid" => ValueKind::Guid,
            "SecureString" | "PSCredential" => ValueKind::Secret,
            "Byte[]" | "Stream" | "X509Certificate2" => ValueKind::Bytes,
            "PswsHashtable" | "Hashtable" => ValueKind::Hashtable,
            "PswsHashtable[]" | "Hashtable[]" | "Collections.Hashtable[]" => ValueKind::HashtableList,
            "PSObject" | "PSSessionOption" | "CalendarLog[]" | "TestTextExtractionResult[]" => {
                ValueKind::Object
            }
            "MultiValuedProperty"
            | "ProxyAddressCollection"
            | "ProxyAddressTemplateCollection"
            | "ApprovedApplicationCollection" => ValueKind::List,
            list if list.ends_with("[]") => ValueKind::List,
            _ if has_values => ValueKind::Enum,
            _ => ValueKind::String,
        }
    }

    /// What a person writes for it, for messages: "PopEnabled is true or false".
    pub fn expects(self) -> &'static str {
        match self {
            ValueKind::Switch | ValueKind::Boolean => "true or false",
            ValueKind::Integer => "a whole number",
            ValueKind::Number => "a number",
            ValueKind::Unlimited => "a whole number, or Unlimited",
            ValueKind::Size => "a size such as 50GB",
            ValueKind::UnlimitedSize => "a size such as 50GB, or Unlimited",
            ValueKind::DateTime => "a date such as 2026-01-31T08:00:00",
            ValueKind::TimeSpan => "a duration such as 30.00:00:00 (30 days)",
            ValueKind::UnlimitedTimeSpan => "a duration such as 30.00:00:00 (30 days), or Unlimited",
            ValueKind::Guid => "a GUID",
            ValueKind::String => "text",
            ValueKind::Enum => "one word",
            ValueKind::List => "a list",
            ValueKind::Hashtable => "a map",
            ValueKind::HashtableList => "a list of maps",
            ValueKind::Bytes => "the bytes of a file",
            ValueKind::Secret => "a secret",
            ValueKind::Object => "an object of PowerShell",
        }
    }
}
