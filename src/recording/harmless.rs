//! Which text may stay in a recording as it is. Everything else is replaced: a new property of the service must not
//! have to be known to be kept secret.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use regex::Regex;

use crate::catalog::{self, ValueKind};

/// What the catalog says about members of this name, over all cmdlets.
#[derive(Default)]
struct Member {
    words: HashSet<String>,
    is_number: bool,
    is_secret: bool,
}

static MEMBERS: LazyLock<HashMap<String, Member>> = LazyLock::new(|| {
    let mut members: HashMap<String, Member> = HashMap::new();
    for parameter in catalog::cmdlets().flat_map(|cmdlet| cmdlet.parameters()) {
        let member = members.entry(parameter.name().to_ascii_lowercase()).or_default();
        member.words.extend(parameter.words().map(str::to_ascii_lowercase));
        member.is_number |= is_number(parameter.kind());
        member.is_secret |= parameter.kind() == ValueKind::Secret;
    }
    for (name, words) in READ_ONLY_WORDS {
        let member = members.entry(name.to_owned()).or_default();
        member.words.extend(words.iter().map(|word| word.to_ascii_lowercase()));
    }
    members
});

fn is_number(kind: ValueKind) -> bool {
    use ValueKind::{Integer, Number, Size, TimeSpan, Unlimited, UnlimitedSize, UnlimitedTimeSpan};
    matches!(kind, Integer | Number | Unlimited | Size | UnlimitedSize | TimeSpan | UnlimitedTimeSpan)
}

/// Words of properties that no cmdlet writes, so that the catalog does not list them.
const READ_ONLY_WORDS: [(&str, &[&str]); 5] = [
    ("state", &["Enabled", "Disabled"]),
    ("objectstate", &["New", "Unchanged", "Changed", "Deleted"]),
    ("recipienttype", &["UserMailbox", "MailUser", "MailContact", "MailUniversalDistributionGroup", "User"]),
    (
        "recipienttypedetails",
        &["UserMailbox", "SharedMailbox", "RoomMailbox", "EquipmentMailbox", "DiscoveryMailbox", "MailUser"],
    ),
    ("releasestatus", &["NotReleased", "Released", "Requested", "Denied", "Approved"]),
];

/// Parts of names whose values are credentials, whatever the catalog says.
const SECRET_PARTS: [&str; 8] =
    ["authorization", "password", "secret", "credential", "token", "assertion", "oauthcode", "cookie"];

static FORMS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"^(?:",
        r"(?i:true|false|unlimited|none|null)",
        // Sizes, with and without their bytes.
        r"|\d+(?:[.,]\d+)? ?(?:B|KB|MB|GB|TB)(?: \([\d,]+ bytes\))?",
        // Time spans.
        r"|-?(?:\d{1,6}\.)?\d{1,2}:\d{2}:\d{2}(?:\.\d{1,7})?",
        // Points in time.
        r"|\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}:\d{2}(?:\.\d{1,7})?(?:Z|[+-]\d{2}:\d{2})?)?Z?",
        r")$"
    ))
    .expect("a pattern of our own")
});

static TYPE_NAME: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"^#?(?:Collection\()?(?:(?:System|Microsoft|Exchange|Edm)(?:\.[A-Za-z][A-Za-z0-9_`+]*)+(?:\[\])?",
        r"|[A-Za-z]+Exception|String|Guid|S?Byte|Int(?:16|32|64)|Decimal|Double|Single|Boolean|Binary|Duration|Date|DateTimeOffset)\)?$"
    ))
    .expect("a pattern of our own")
});

static NUMBER: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^-?\d{1,12}(?:\.\d{1,6})?$").expect("a pattern of our own"));

static MEMBER_NAME: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"^(?:@?[A-Za-z_][A-Za-z0-9_]{0,80})?(?:@?(?:odata|data|adminapi)\.[A-Za-z]+(?:@odata\.type)?)?$",
    )
    .expect("a pattern of our own")
});

/// Whether `text` may stay as the value of the member `member`.
pub(super) fn is_harmless(member: &str, text: &str) -> bool {
    if text.is_empty() || FORMS.is_match(text) {
        return true;
    }
    let members = &*MEMBERS;
    let Some(known) = members.get(&member.to_ascii_lowercase()) else { return false };
    let is_word = |word: &str| known.words.contains(&word.trim().to_ascii_lowercase());
    (known.is_number && NUMBER.is_match(text)) || (!known.words.is_empty() && text.split(',').all(is_word))
}

/// Whether any cmdlet documents `text` as a word.
pub(super) fn is_some_word(text: &str) -> bool {
    static WORDS: LazyLock<HashSet<String>> =
        LazyLock::new(|| MEMBERS.values().flat_map(|member| member.words.iter().cloned()).collect());
    FORMS.is_match(text) || WORDS.contains(&text.to_ascii_lowercase())
}

/// Whether a parameter of this name is in the catalog.
pub(super) fn is_parameter(text: &str) -> bool {
    MEMBERS.contains_key(&text.to_ascii_lowercase())
}

/// Whether the member's value is a credential or something encrypted.
pub(super) fn is_secret(member: &str) -> bool {
    let member = member.to_ascii_lowercase();
    match MEMBERS.get(&member) {
        Some(known) if known.is_secret => true,
        // `PasswordHistory` is how many, `TokenLifetime` how long.
        Some(known) if known.is_number => false,
        _ => SECRET_PARTS.iter().any(|part| member.contains(part)),
    }
}

/// Whether it is the name of a .NET or OData type.
pub(super) fn is_type_name(text: &str) -> bool {
    TYPE_NAME.is_match(text)
}

/// Whether it can be the name of a property or an annotation, and no value that somebody used as a key.
pub(super) fn is_member_name(text: &str) -> bool {
    !text.is_empty() && MEMBER_NAME.is_match(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_known_to_say_nothing_stays() {
        for (member, text) in [
            ("ProhibitSendQuota", "99 GB (106,300,440,576 bytes)"),
            ("RetainDeletedItemsFor", "14.00:00:00"),
            ("WhenChangedUTC", "2026-09-21T08:07:47Z"),
            ("WhenCreated", "2022-09-21T08:07:47.0000000+00:00"),
            ("RecipientTypeDetails", "SharedMailbox"),
            ("RecipientLimits", "500"),
            ("MaxSendSize", "Unlimited"),
            ("DisplayName", ""),
        ] {
            assert!(is_harmless(member, text), "{member}: {text}");
        }
        for (member, text) in [
            ("DisplayName", "SharedMailbox"),
            ("Phone", "5551234"),
            ("PostalCode", "500"),
            ("DisplayName", "Shared One"),
            ("RecipientTypeDetails", "SharedMailbox, Anna"),
            ("Office", "99 GB of Anna"),
        ] {
            assert!(!is_harmless(member, text), "{member}: {text}");
        }
    }

    #[test]
    fn types_and_members_are_told_from_what_looks_like_them() {
        for name in
            ["System.Guid", "#Collection(String)", "#Exchange.GenericHashTable", "ADTransientException"]
        {
            assert!(is_type_name(name), "{name}");
        }
        for name in ["john.smith", "#John", "Anna"] {
            assert!(!is_type_name(name), "{name}");
        }
        for name in [
            "Guid@odata.type",
            "@odata.nextLink",
            "@adminapi.warnings",
            "adminapi.warnings@odata.type",
            "add",
        ] {
            assert!(is_member_name(name), "{name}");
        }
        assert!(!is_member_name("anna@contoso.com") && !is_member_name("Anna B"));
        assert!(
            is_secret("RoomMailboxPassword")
                && is_secret("OAuthCode")
                && !is_secret("PasswordHistory")
                && !is_secret("DisplayName")
        );
    }
}
