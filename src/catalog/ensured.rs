//! What `ensure` can hold: nouns with a cmdlet that reads and one that writes, whose calls need nothing else.

use super::{Cmdlet, Parameter, Required, ValueKind, cmdlet, cmdlets};

/// Switches of `Set-` cmdlets that say how to write, not what must hold.
const NO_STATE: [&str; 8] = [
    "Force",
    "BypassSecurityGroupManagerCheck",
    "IgnoreDefaultScope",
    "GroupMailbox",
    "Arbitration",
    "Migration",
    "PublicFolder",
    "AlwaysDeleteOutlookRulesBlob",
];

/// `Get-NOUN` and `Set-NOUN`, whatever the case of the noun, if there are both.
pub fn pair(noun: &str) -> Option<(Cmdlet, Cmdlet)> {
    Some((cmdlet(&format!("Get-{noun}"))?, cmdlet(&format!("Set-{noun}"))?))
}

/// All pairs of cmdlets that a step may ensure the noun of: what reads, what writes.
pub fn pairs() -> impl Iterator<Item = (Cmdlet, Cmdlet)> {
    cmdlets()
        .filter(|cmdlet| cmdlet.as_str().starts_with("Set-"))
        .filter_map(|set| pair(set.noun()))
        .filter(|(get, set)| can_be_ensured(*get, *set))
}

/// Whether an identity and properties are all that the two cmdlets of a pair need.
pub fn can_be_ensured(get: Cmdlet, set: Cmdlet) -> bool {
    always_needed(get).next().is_none() && is_readable(get, set) && always_needed(set).all(can_hold)
}

/// Whether a step may say of this parameter of a `Set-` cmdlet what must hold.
pub fn can_hold(parameter: Parameter) -> bool {
    parameter.name() != "Identity" && has_state(parameter) && is_comparable(parameter.kind())
}

/// Whether it says what must hold, and not how to write.
pub fn has_state(parameter: Parameter) -> bool {
    !NO_STATE.contains(&parameter.name())
}

/// The identity that a step chooses an object by: both cmdlets must be able to choose.
pub fn identity_of(get: Cmdlet, set: Cmdlet) -> Option<Parameter> {
    set.parameter("Identity").filter(|_| get.parameter("Identity").is_some())
}

/// The parameters without which the cmdlet is never called, besides the identity.
pub fn always_needed(cmdlet: Cmdlet) -> impl Iterator<Item = Parameter> {
    cmdlet
        .parameters()
        .filter(|parameter| parameter.required() == Required::Always && parameter.name() != "Identity")
}

/// Whether what is written one by one can be read one by one.
pub fn is_readable(get: Cmdlet, set: Cmdlet) -> bool {
    let written_by_identity =
        set.parameter("Identity").is_some_and(|identity| identity.required() == Required::Always);
    !written_by_identity || get.parameter("Identity").is_some()
}

/// Whether values of this kind can be compared with what the service returns.
pub fn is_comparable(kind: ValueKind) -> bool {
    matches!(
        kind,
        ValueKind::Switch
            | ValueKind::Boolean
            | ValueKind::Integer
            | ValueKind::Number
            | ValueKind::Unlimited
            | ValueKind::Size
            | ValueKind::UnlimitedSize
            | ValueKind::DateTime
            | ValueKind::TimeSpan
            | ValueKind::UnlimitedTimeSpan
            | ValueKind::String
            | ValueKind::Enum
            | ValueKind::Guid
            | ValueKind::List
    )
}
