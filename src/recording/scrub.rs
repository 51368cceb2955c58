//! From a value of the service to what is recorded of it: credentials go always, identities unless they are kept.

use std::collections::HashSet;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value, json};

use super::harmless;
use super::sentences;
use super::stand_ins::{Class, StandIns};

/// What is written for a credential.
pub(super) const REMOVED: &str = "(removed)";

/// Kinds of addresses. The case of the first four letters of `SMTP:` says which address is the primary one.
/// Source: protocol reference, 3.4.
const ADDRESS_PREFIXES: [&str; 8] = ["smtp", "sip", "x500", "eum", "spo", "x400", "upn", "mbx"];
/// Filters in PowerShell's language.
const FILTERS: [&str; 4] = ["filter", "recipientfilter", "recipientpreviewfilter", "contentfilter"];
/// Members that hold a sentence of the service.
const SENTENCES: [&str; 5] = [
    "message",
    "@adminapi.warnings",
    "@adminapi.errors",
    "@adminapi.confirmationmessage",
    "error_description",
];
/// Folders that every mailbox has.
const FOLDERS: [&str; 8] =
    ["", "calendar", "inbox", "contacts", "tasks", "notes", "sent items", "deleted items"];
/// Codes of the service's errors. Source: protocol reference, 3.10.
const CODES: [&str; 13] = [
    "NotFound",
    "BadRequest",
    "Forbidden",
    "Unauthorized",
    "InternalServerError",
    "ServiceUnavailable",
    "NotImplemented",
    "TooManyRequests",
    "Context",
    "Client",
    "ServerOperation",
    "Conflict",
    "GatewayTimeout",
];

macro_rules! pattern {
    ($name:ident, $text:expr) => {
        static $name: LazyLock<Regex> = LazyLock::new(|| Regex::new($text).expect("a pattern of our own"));
    };
}
pattern!(JWT, r"eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*");
pattern!(ADDRESS, r#"^[^@\s<>,;|"]+@[^@\s<>,;|"]+\.[^@\s<>,;|"]+$"#);
pattern!(DOMAIN, r"^(?:\*\.|@)?(?:[A-Za-z0-9_-]+\.)+[A-Za-z]{2,}$");
pattern!(DN, r"^[A-Za-z]{1,10}=[^,]*(?:,[A-Za-z]{1,10}=[^,]*)+$");
pattern!(LEGACY_DN, r"^(?:/[A-Za-z]{1,10}=[^/]*)+$");
pattern!(CMDLET, r"^[A-Z][a-zA-Z]{2,20}-[A-Z][A-Za-z0-9]{1,60}$");
pattern!(FILTER, r"'([^']*)'|\$?[A-Za-z][A-Za-z0-9.]*|-[A-Za-z]+|[(){}\s]|\d+");
pattern!(PUBLIC_KEY, r#"\$PublicKey\s*=\s*['"]<RSAKeyValue>[A-Za-z0-9+/=<>\s]{1,2000}</RSAKeyValue>['"]"#);
pattern!(DETAIL_ID, r"^(?:Ex[0-9A-F]{4,8})?$");
pattern!(AADSTS, r"^AADSTS(\d{4,8})\b");

/// Whether identities are replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identities {
    /// By stand-ins, the same for the same value.
    Replaced,
    /// They stay as they are. Credentials go all the same.
    Kept,
}

/// What turns values into their recorded form. One for a recording: it remembers every stand-in.
pub(super) struct Scrubber {
    identities: Identities,
    pub(super) stand_ins: StandIns,
    members_seen: HashSet<String>,
}

impl Scrubber {
    pub(super) fn new(identities: Identities) -> Scrubber {
        Scrubber { identities, stand_ins: StandIns::default(), members_seen: HashSet::new() }
    }

    pub(super) fn keeps(&self) -> bool {
        self.identities == Identities::Kept
    }

    /// Whether an answer or the catalog has a member of this name.
    pub(super) fn is_member(&self, text: &str) -> bool {
        self.members_seen.contains(text) || harmless::is_parameter(text)
    }

    /// A whole value, in the member `member`.
    pub(super) fn json(&mut self, member: &str, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.string(member, &text)),
            Value::Array(items) => items.into_iter().map(|item| self.json(member, item)).collect(),
            Value::Object(mut members) if is_bytes(&members) && !self.keeps() => {
                // A file's bytes may say anything; one of them keeps the form.
                members.insert("Data".to_owned(), json!([0]));
                members.into()
            }
            Value::Object(members) => self.object(members).into(),
            other => other,
        }
    }

    fn object(&mut self, members: Map<String, Value>) -> Map<String, Value> {
        let mut out = Map::new();
        for (name, value) in members {
            let is_plain = matches!(value, Value::Null | Value::Bool(_));
            let value = match harmless::is_secret(&name) && !is_plain && !name.contains("@odata.") {
                true => Value::from(REMOVED),
                false => self.json(&name, value),
            };
            if harmless::is_member_name(&name) || self.keeps() {
                self.members_seen.insert(name.clone());
                out.insert(name, value);
            } else {
                out.insert(self.stand_ins.name(&name), value);
            }
        }
        out
    }

    /// A text in the member `member`.
    pub(super) fn string(&mut self, member: &str, text: &str) -> String {
        if self.keeps() {
            if member == "@odata.nextLink" {
                return self.url(text);
            }
            return JWT.replace_all(text, REMOVED).into_owned();
        }
        if member.ends_with("@data.type") || member.ends_with("@odata.type") || member == "@odata.type" {
            return if harmless::is_type_name(text) { text.to_owned() } else { "#String".to_owned() };
        }
        let lower = member.to_ascii_lowercase();
        match lower.as_str() {
            "@odata.nextlink" | "@odata.context" => self.url(text),
            "exportedcmdlets" => {
                text.split(',').filter(|name| CMDLET.is_match(name)).collect::<Vec<_>>().join(",")
            }
            "cmdletname" if CMDLET.is_match(text) => text.to_owned(),
            "code" if CODES.contains(&text) => text.to_owned(),
            "type" | "classname" if harmless::is_type_name(text) => text.to_owned(),
            "stacktrace" if !text.is_empty() => REMOVED.to_owned(),
            name if SENTENCES.contains(&name) => self.sentence(text),
            name if FILTERS.contains(&name) => self.filter(text),
            _ => match PUBLIC_KEY.find(text) {
                // Of the module's text only the key is needed, and it is the service's.
                Some(key) => key.as_str().to_owned(),
                None => self.value(member, text),
            },
        }
    }

    /// An identity, or a value that is known to be none.
    pub(super) fn value(&mut self, member: &str, text: &str) -> String {
        if self.keeps() || harmless::is_harmless(member, text) {
            return text.to_owned();
        }
        if let Some(same_form) = self.stand_ins.guid(text).or_else(|| self.stand_ins.ip(text)) {
            return same_form;
        }
        if let Some((prefix, rest)) = text.split_once(':')
            && ADDRESS_PREFIXES.contains(&prefix.to_ascii_lowercase().as_str())
        {
            return format!("{prefix}:{}", self.value("", rest));
        }
        if let Some((mailbox, folder)) = text.split_once(":\\") {
            let folder = match FOLDERS.contains(&folder.to_ascii_lowercase().as_str()) {
                true => folder.to_owned(),
                false => self.stand_ins.name(folder),
            };
            return format!("{}:\\{folder}", self.value("", mailbox));
        }
        // The two halves for themselves: jobs ask for the domain of an address, and whether it is the tenant's.
        if let (true, Some((local, domain))) = (ADDRESS.is_match(text), text.rsplit_once('@')) {
            let local = self.stand_ins.of(Class::User, &local.to_lowercase());
            return format!("{local}@{}", self.stand_ins.of(Class::Domain, &domain.to_lowercase()));
        }
        if DN.is_match(text) || LEGACY_DN.is_match(text) {
            return self.distinguished_name(text);
        }
        if text.starts_with("https://") || text.starts_with("http://") {
            return self.url(text.split_once('?').map_or(text, |(address, _)| address));
        }
        if DOMAIN.is_match(text) {
            let (prefix, domain) = ["*.", "@"]
                .iter()
                .find_map(|prefix| Some((*prefix, text.strip_prefix(prefix)?)))
                .unwrap_or(("", text));
            return format!("{prefix}{}", self.stand_ins.of(Class::Domain, &domain.to_lowercase()));
        }
        self.stand_ins.name(text)
    }

    /// `CN=Anna,OU=x`: the keys stay, the values are replaced.
    fn distinguished_name(&mut self, text: &str) -> String {
        let separator = if text.starts_with('/') { '/' } else { ',' };
        let parts: Vec<String> = text
            .split(separator)
            .map(|part| match part.split_once('=') {
                Some((key, value)) => format!("{key}={}", self.value("", value)),
                None => String::new(),
            })
            .collect();
        parts.join(&separator.to_string())
    }

    /// A sentence of the service: an exception's id and type stay; the rest only if it is a known sentence.
    pub(super) fn sentence(&mut self, text: &str) -> String {
        if text.trim().is_empty() || self.keeps() {
            return text.to_owned();
        }
        let parts: Vec<&str> = text.splitn(3, '|').collect();
        if let [id, type_name, rest] = parts[..]
            && DETAIL_ID.is_match(id)
            && (type_name.is_empty() || harmless::is_type_name(type_name))
        {
            return format!("{id}|{type_name}|{}", self.sentence(rest));
        }
        if let Ok(Value::Object(serialized)) = serde_json::from_str(text) {
            return Value::Object(self.object(serialized)).to_string();
        }
        if let Some(code) = AADSTS.captures(text).map(|found| found[1].to_owned()) {
            return format!("AADSTS{code}: {}", self.stand_ins.of(Class::Text, text));
        }
        match sentences::known(text, |name| self.value("", name)) {
            Some(known) => known,
            None => self.stand_ins.of(Class::Text, text),
        }
    }

    /// A filter keeps its words; what stands in quotes is a value of the property before it.
    pub(super) fn filter(&mut self, text: &str) -> String {
        let mut out = String::new();
        let (mut end, mut property) = (0, String::new());
        for found in FILTER.captures_iter(text) {
            let whole = found.get(0).expect("the whole match is there");
            if whole.start() != end {
                return self.stand_ins.name(text);
            }
            end = whole.end();
            match found.get(1) {
                Some(quoted) => {
                    let wildcard = |is: bool| if is { "*" } else { "" };
                    let inner = quoted.as_str();
                    let core = inner.trim_matches('*');
                    let core = self.value(&property, core);
                    let (before, after) = (inner.starts_with('*'), inner.len() > 1 && inner.ends_with('*'));
                    out.push_str(&format!("'{}{core}{}'", wildcard(before), wildcard(after)));
                }
                None => {
                    let word = whole.as_str();
                    let is_name = word.starts_with(|c: char| c.is_ascii_alphabetic());
                    if (is_name && !self.is_member(word)) || !is_plain(word) {
                        return self.stand_ins.name(text);
                    }
                    if is_name {
                        word.clone_into(&mut property);
                    }
                    out.push_str(whole.as_str());
                }
            }
        }
        if end == text.len() { out } else { self.stand_ins.name(text) }
    }
}

/// What stands between names and quoted values in a filter: the language's own words, and numbers too short to be
/// somebody's.
fn is_plain(word: &str) -> bool {
    const OPERATORS: [&str; 13] = [
        "-eq",
        "-ne",
        "-like",
        "-notlike",
        "-gt",
        "-ge",
        "-lt",
        "-le",
        "-and",
        "-or",
        "-not",
        "-match",
        "-notmatch",
    ];
    const VARIABLES: [&str; 3] = ["$true", "$false", "$null"];
    let lower = word.trim().to_ascii_lowercase();
    match lower.chars().next() {
        Some('-') => OPERATORS.contains(&lower.as_str()),
        Some('$') => VARIABLES.contains(&lower.as_str()),
        _ => lower.chars().filter(char::is_ascii_digit).count() < 7,
    }
}

/// The type tag of a file's bytes in a request.
const BYTE_ARRAY: &str = "#Exchange.ByteArrayType";

/// One of several has no tag of its own.
fn is_bytes(members: &Map<String, Value>) -> bool {
    let is_tagged = members.get("@odata.type").is_some_and(|tag| tag == BYTE_ARRAY);
    members.contains_key("Data") && members.len() == 1 + usize::from(is_tagged)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structure_stays_and_identities_go() {
        let mut scrubber = Scrubber::new(Identities::Replaced);
        let mut recorded = |value: Value| scrubber.json("", value);
        let object = recorded(json!({
            "Identity": "Anna B", "Guid@odata.type": "#Guid", "Guid": "3b0cf5d5-0d9e-4d4e-9d5e-000000000001",
            "EmailAddresses": ["SMTP:Anna@contoso.com", "smtp:anna@contoso.com"], "PrimarySmtpAddress": "anna@contoso.com",
            "DistinguishedName": "CN=Anna B,OU=contoso.com,DC=x", "LegacyExchangeDN": "/o=First/cn=Anna B",
            "PopEnabled": true, "RecipientTypeDetails": "SharedMailbox", "Size": 7, "Nothing": null,
            "ClientAccess": "10.1.2.3", "Password": "hunter2", "PasswordNeverExpires": false, "anna@contoso.com": 1,
        }));
        assert_eq!(
            object,
            json!({
                "Identity": "Name 0001", "Guid@odata.type": "#Guid", "Guid": "00000000-0000-4000-8000-000000000001",
                "EmailAddresses": ["SMTP:user0001@domain0001.example.invalid", "smtp:user0001@domain0001.example.invalid"],
                "PrimarySmtpAddress": "user0001@domain0001.example.invalid",
                "DistinguishedName": "CN=Name 0001,OU=domain0001.example.invalid,DC=Name 0002",
                "LegacyExchangeDN": "/o=Name 0003/cn=Name 0001",
                "PopEnabled": true, "RecipientTypeDetails": "SharedMailbox", "Size": 7, "Nothing": null,
                "ClientAccess": "192.0.2.1", "Password": "(removed)", "PasswordNeverExpires": false, "Name 0004": 1,
            })
        );
        let file = json!({"@odata.type": "#Exchange.ByteArrayType", "Data": [72, 105]});
        assert_eq!(recorded(file), json!({"@odata.type": "#Exchange.ByteArrayType", "Data": [0]}));
        assert_eq!(recorded(json!([{"Data": [72, 105]}])), json!([{"Data": [0]}]));
        let mailbox = recorded(json!({"Identity": "anna@contoso.com:\\Calendar"}));
        assert_eq!(mailbox["Identity"], "user0001@domain0001.example.invalid:\\Calendar");
    }

    #[test]
    fn a_filter_keeps_its_own_words_only() {
        let mut scrubber = Scrubber::new(Identities::Replaced);
        let kept = "(PopEnabled -eq $true) -and RecipientTypeDetails -ne 'SharedMailbox'";
        assert_eq!(scrubber.filter(kept), kept);
        for leaks in ["Alias -eq $annasmith", "Alias -annasmith 'x'", "Alias -eq 5551234"] {
            let recorded = scrubber.filter(leaks);
            assert!(recorded.starts_with("Name "), "{leaks}: {recorded}");
        }
    }

    #[test]
    fn of_an_error_the_exception_stays() {
        let mut scrubber = Scrubber::new(Identities::Replaced);
        let of = |scrubber: &mut Scrubber, text: &str| scrubber.string("message", text);
        assert_eq!(
            of(
                &mut scrubber,
                "Ex6F9304|Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException|The operation \
               couldn't be performed because object 'Anna' couldn't be found on 'DC01.contoso-dc.example'."
            ),
            "Ex6F9304|Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException|The operation couldn't be \
             performed because object 'Name 0001' couldn't be found on 'domain0001.example.invalid'."
        );
        assert_eq!(of(&mut scrubber, "Anna has left the company."), "Text 0001");
        assert_eq!(of(&mut scrubber, "AADSTS50126: Anna typed it wrong"), "AADSTS50126: Text 0002");
        let json = r#"{"ClassName":"System.Exception","Message":"Anna"}"#;
        assert_eq!(of(&mut scrubber, json), r#"{"ClassName":"System.Exception","Message":"Text 0003"}"#);
    }

    #[test]
    fn a_filter_keeps_its_words() {
        let mut scrubber = Scrubber::new(Identities::Replaced);
        let of = |scrubber: &mut Scrubber, text: &str| scrubber.string("Filter", text);
        assert_eq!(
            of(&mut scrubber, "RecipientTypeDetails -eq 'SharedMailbox' -and (DisplayName -like 'Anna*')"),
            "RecipientTypeDetails -eq 'SharedMailbox' -and (DisplayName -like 'Name 0001*')"
        );
        assert_eq!(of(&mut scrubber, "Anna Bertha"), "Name 0002");
        assert_eq!(of(&mut scrubber, "Name -eq \"Anna\""), "Name 0003");
    }

    #[test]
    fn of_the_module_the_names_of_cmdlets_and_the_public_key_stay() {
        let mut scrubber = Scrubber::new(Identities::Replaced);
        let key =
            "$PublicKey = '<RSAKeyValue><Modulus>AQID</Modulus><Exponent>AQAB</Exponent></RSAKeyValue>'";
        let module = json!({"exportedCmdlets": "Get-Mailbox,anna,Set-User", "exoModule": format!("# for Anna\n{key}\n# Anna")});
        let recorded = scrubber.json("", module);
        assert_eq!(recorded, json!({"exportedCmdlets": "Get-Mailbox,Set-User", "exoModule": key}));
    }

    #[test]
    fn kept_identities_still_lose_their_tokens() {
        let mut scrubber = Scrubber::new(Identities::Kept);
        let token = "eyJhbGciOiJ.eyJhdWQiOiJ.c2lnbmF0dXJl";
        let recorded =
            scrubber.json("", json!({"Name": "Anna", "Password": "x", "Note": format!("see {token}")}));
        assert_eq!(recorded, json!({"Name": "Anna", "Password": "(removed)", "Note": "see (removed)"}));
    }
}
