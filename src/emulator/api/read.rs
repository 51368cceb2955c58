//! Addresses of what can be read by `GET`, and the classic cmdlet behind each.
//!
//! Source: protocol reference, 4.1. Keys stand in quotes, a quote in them is doubled; with `isEncoded=true` they are
//! Base64.

/// An address, read: the cmdlet and its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Read {
    pub(super) cmdlet: &'static str,
    /// The entity set, for the context and the property sets.
    pub(super) set: &'static str,
    /// One entity by its key.
    pub(super) single: bool,
    /// Parameters that come from the address, as it spells them.
    pub(super) parameters: Vec<(&'static str, String)>,
    /// The key of a folder, which follows the mailbox's in `Identity`.
    pub(super) folder: Option<String>,
}

/// Entity sets and their cmdlets.
const SETS: [(&str, &str); 4] = [
    ("Mailbox", "Get-Mailbox"),
    ("CasMailbox", "Get-CASMailbox"),
    ("Recipient", "Get-Recipient"),
    ("User", "Get-User"),
];

/// Parameters of `GetRecipientPermissionByFilters`.
const PERMISSION_FILTERS: [(&str, &str); 3] =
    [("identity", "Identity"), ("trustee", "Trustee"), ("accessrights", "AccessRights")];

impl Read {
    /// `None`: nothing is there.
    pub(super) fn of(segments: &[String]) -> Option<Read> {
        let segments: Vec<(String, Option<&str>)> = segments.iter().map(|text| named(text)).collect();
        let words: Vec<&str> = segments.iter().map(|(name, _)| name.as_str()).collect();
        let arguments = |at: usize| segments.get(at).and_then(|(_, arguments)| *arguments);
        let key = |at: usize| arguments(at).and_then(literal);
        let read =
            |cmdlet, set, parameters| Some(Read { cmdlet, set, single: false, parameters, folder: None });
        match words.as_slice() {
            ["mailbox", "mailboxpermission"] => {
                read("Get-MailboxPermission", "MailboxPermission", vec![("Identity", key(0)?)])
            }
            ["mailbox", "exchange.getmailboxstatistics"] => {
                read("Get-MailboxStatistics", "MailboxStatistics", vec![("Identity", key(0)?)])
            }
            ["mailbox", "mailboxfolder", "exchange.getmailboxfolderstatistics"] => {
                let mut parameters = vec![("Identity", key(0)?)];
                if let Some(scope) = argument(arguments(2)?, "folderscope") {
                    parameters.push(("FolderScope", scope));
                }
                read("Get-MailboxFolderStatistics", "MailboxFolder", parameters)
            }
            ["mailbox", "mailboxfolder", "mailboxfolderpermission"] => Some(Read {
                folder: Some(key(1)?),
                ..read("Get-MailboxFolderPermission", "MailboxFolderPermission", vec![("Identity", key(0)?)])?
            }),
            ["mailbox", "mobiledevice", "exchange.getmobiledevicestatistics"] => {
                read("Get-MobileDeviceStatistics", "MobileDevice", vec![("Mailbox", key(0)?)])
            }
            ["recipient", "exchange.getrecipientpermissionbyfilters"] => {
                let given = arguments(1)?;
                let found = PERMISSION_FILTERS
                    .iter()
                    .filter_map(|(name, parameter)| Some((*parameter, argument(given, name)?)));
                read("Get-RecipientPermission", "RecipientPermission", found.collect())
            }
            [set] => {
                let (set, cmdlet) = SETS.iter().find(|(own, _)| own.eq_ignore_ascii_case(set))?;
                let key = match arguments(0) {
                    None => None,
                    Some(text) => Some(("Identity", literal(text)?)),
                };
                let single = key.is_some();
                Some(Read { cmdlet, set, single, parameters: key.into_iter().collect(), folder: None })
            }
            _ => None,
        }
    }
}

/// `Name(arguments)`: the name in lower case, and what is between the parentheses.
fn named(segment: &str) -> (String, Option<&str>) {
    match segment.strip_suffix(')').and_then(|text| text.split_once('(')) {
        Some((name, arguments)) => (name.to_ascii_lowercase(), Some(arguments)),
        None => (segment.to_ascii_lowercase(), None),
    }
}

/// The text of `'it''s'`.
fn literal(text: &str) -> Option<String> {
    let inner = text.strip_prefix('\'')?.strip_suffix('\'')?;
    let text = inner.replace("''", "\u{0}");
    (!inner.is_empty() && !text.contains('\'')).then(|| text.replace('\u{0}', "'"))
}

/// The value of one of `a='x',b=Exchange.Kind'y'`; `null` and an empty text are no value.
fn argument(arguments: &str, wanted: &str) -> Option<String> {
    let mut quoted = false;
    let parts = arguments.split(|c: char| {
        quoted ^= c == '\'';
        c == ',' && !quoted
    });
    let value = parts
        .filter_map(|part| part.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case(wanted))
        .map(|(_, value)| value.trim())?;
    literal(&value[value.find('\'')?..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str) -> Option<Read> {
        Read::of(&path.split('/').map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn addresses_lead_to_the_classic_cmdlets() {
        let one = of("Mailbox('o''brien@contoso.example')").unwrap();
        assert_eq!((one.cmdlet, one.single), ("Get-Mailbox", true));
        assert_eq!(one.parameters, [("Identity", "o'brien@contoso.example".to_owned())]);
        assert!(!of("casmailbox").unwrap().single);
        assert_eq!(of("mailbox('a')/MailboxPermission").unwrap().cmdlet, "Get-MailboxPermission");
        let folders = "Mailbox('a')/MailboxFolder/Exchange.GetMailboxFolderStatistics(folderscope=Exchange.ElcFolderType'All')";
        assert_eq!(of(folders).unwrap().parameters[1], ("FolderScope", "All".to_owned()));
        let folder = of("Mailbox('a')/MailboxFolder('Inbox')/MailboxFolderPermission").unwrap();
        assert_eq!((folder.cmdlet, folder.folder.as_deref()), ("Get-MailboxFolderPermission", Some("Inbox")));
        let permission = of(
            "Recipient/Exchange.GetRecipientPermissionByFilters(identity='a,b',trustee='',accessRights=null)",
        );
        assert_eq!(permission.unwrap().parameters, [("Identity", "a,b".to_owned())]);
        assert_eq!(of("Mailbox('a')/Exchange.GetMailboxStatistics()").unwrap().set, "MailboxStatistics");
    }

    #[test]
    fn what_is_no_address_is_nothing() {
        for path in [
            "Mailbox('a",
            "Mailbox(a)",
            "Mailbox('')",
            "Mailbox('a'b')",
            "Mailboxes",
            "Mailbox/MailboxPermission",
            "",
        ] {
            assert_eq!(of(path), None, "{path}");
        }
    }
}
