//! Cmdlets that page by their own parameters: what the next page's parameters are. Source: protocol reference, 3.9.

use jiff::ToSpan;
use jiff::civil::DateTime;
use serde_json::{Map, Value};

use super::quantity::utc;

/// More pages than this are no listing but a mistake: it ends with an error, never with a part.
const PAGES_MAX: u32 = 1000;
/// Entries a page of `Get-QuarantineMessage`.
const QUARANTINE_PAGE_MAX: u64 = 1000;
/// Entries a page of the message trace and of the audit log.
const TRACE_PAGE_MAX: u64 = 5000;
/// What a message trace goes on by, and its entries are told apart by.
const PLACE: [&str; 3] = ["MessageTraceId", "RecipientAddress", "Received"];
/// Entries a page where `SkipCount` leads on.
const SKIP_PAGE: u64 = 1000;

/// A listing over several calls of one cmdlet.
#[derive(Clone, Debug, PartialEq)]
pub struct Pages {
    how: How,
    /// Entries asked for in a page.
    size: u64,
    /// Entries wanted in all; `None`: all there are.
    wanted: Option<u64>,
    /// Pages that were read.
    read: u32,
    /// Entries that were read.
    entries: u64,
}

#[derive(Clone, Debug, PartialEq)]
enum How {
    /// `Page` and `PageSize`.
    Number,
    /// `SkipCount` and `ResultSize`.
    Skip,
    /// The place of the last entry: its recipient and its time.
    Place(Option<(String, String)>),
    /// The service keeps the place under a name.
    Session(String),
}

/// What follows a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Another page.
    Page,
    /// Nothing: the listing is whole.
    Done,
}

/// How a call of `cmdlet` is listed page by page; `None` if one call is all of it. `name` is what a listing that the
/// service remembers is called.
///
/// # Errors
/// In words, for sizes that get nothing.
pub fn pages(cmdlet: &str, given: &Map<String, Value>, name: &str) -> Result<Option<Pages>, String> {
    let pages = |how, size, wanted| Pages { how, size, wanted, read: 0, entries: 0 };
    Ok(match cmdlet {
        "Get-QuarantineMessage" | "Get-MessageTrace" => {
            let most = if cmdlet == "Get-MessageTrace" { TRACE_PAGE_MAX } else { QUARANTINE_PAGE_MAX };
            let size = number(given, "PageSize");
            if size == Some(0) {
                return Err("PageSize 0 returns nothing; leave it out".to_owned());
            }
            let is_one = has(given, "Page") || has(given, "Identity");
            (!is_one).then(|| pages(How::Number, size.unwrap_or(most), None))
        }
        "Get-MessageTraceV2" if !has(given, "StartingRecipientAddress") => {
            let wanted = number(given, "ResultSize");
            let size = wanted.unwrap_or(TRACE_PAGE_MAX).min(TRACE_PAGE_MAX);
            Some(pages(How::Place(None), size, wanted))
        }
        "Search-UnifiedAuditLog" if !has(given, "SessionId") && !has(given, "SessionCommand") => {
            let wanted = number(given, "ResultSize");
            let is_one = wanted.is_some_and(|wanted| wanted <= TRACE_PAGE_MAX);
            (!is_one).then(|| pages(How::Session(name.to_owned()), TRACE_PAGE_MAX, wanted))
        }
        "Get-InboxRule" | "Get-MailboxFolderPermission" if !has(given, "SkipCount") => {
            let is_everything =
                text(given, "ResultSize").is_some_and(|size| size.eq_ignore_ascii_case("unlimited"));
            is_everything.then(|| pages(How::Skip, SKIP_PAGE, None))
        }
        _ => None,
    })
}

impl Pages {
    /// The parameters of the page that comes now, over those of the call.
    pub fn parameters(&self) -> Vec<(&'static str, Value)> {
        let left = self.wanted.map_or(self.size, |wanted| wanted.saturating_sub(self.entries).min(self.size));
        match &self.how {
            How::Number => vec![("PageSize", self.size.into()), ("Page", (self.read + 1).into())],
            How::Skip => {
                let skip = (self.entries > 0).then(|| ("SkipCount", Value::from(self.entries)));
                std::iter::once(("ResultSize", Value::from(self.size.to_string()))).chain(skip).collect()
            }
            // The entry at the place may come again: room for it.
            How::Place(Some((recipient, date))) => vec![
                ("ResultSize", self.size.into()),
                ("StartingRecipientAddress", recipient.clone().into()),
                ("EndDate", date.clone().into()),
            ],
            How::Place(None) => vec![("ResultSize", left.into())],
            How::Session(name) => vec![
                ("SessionId", name.clone().into()),
                ("SessionCommand", "ReturnLargeSet".into()),
                ("ResultSize", self.size.into()),
            ],
        }
    }

    /// Properties without which the listing cannot go on, whatever the caller selects.
    pub fn needed(&self) -> &'static [&'static str] {
        match self.how {
            How::Place(_) => &PLACE,
            How::Number => &["Identity"],
            How::Skip | How::Session(_) => &[],
        }
    }

    /// What identifies an entry where neighbouring pages can hold the same one: those of a trace overlap, and numbered
    /// ones move when something arrives between two of them.
    pub fn key(&self, entry: &Value) -> Option<String> {
        let names: &[&str] = match self.how {
            How::Place(_) => &PLACE,
            How::Number => &["Identity"],
            How::Skip | How::Session(_) => return None,
        };
        let members: Option<Vec<&str>> =
            names.iter().map(|name| entry.get(name).and_then(Value::as_str)).collect();
        members.map(|members| members.join("\n"))
    }

    /// Whether the service keeps the place: a page that is asked for again is the next one then.
    pub fn is_remembered(&self) -> bool {
        matches!(self.how, How::Session(_))
    }

    /// How many further entries are wanted.
    pub fn room(&self) -> u64 {
        self.wanted.map_or(u64::MAX, |wanted| wanted.saturating_sub(self.entries))
    }

    /// A page of `came` entries is over, of which `new` were not in the page before; `last` is its last one.
    ///
    /// # Errors
    /// In words, if the listing cannot be had whole.
    pub fn after(&mut self, came: u64, new: u64, last: Option<&Value>) -> Result<Next, String> {
        self.read += 1;
        self.entries += new;
        let is_full = came >= self.size;
        let goes_on = self.room() > 0
            && match self.how {
                // The service ends such a listing with an empty page, and may give short ones before.
                How::Session(_) => came > 0,
                _ => is_full,
            };
        if !goes_on {
            return Ok(Next::Done);
        }
        if self.read >= PAGES_MAX {
            return Err(format!("the listing has more than {PAGES_MAX} pages; ask for less, by dates say"));
        }
        if let How::Place(place) = &mut self.how {
            let member = |name: &str| last.and_then(|last| last.get(name)).and_then(Value::as_str);
            let (Some(recipient), Some(date)) = (member("RecipientAddress"), member("Received")) else {
                return Err("the listing cannot go on: its last entry has no RecipientAddress and Received"
                    .to_owned());
            };
            let next = (recipient.to_owned(), second_not_before(date));
            if new == 0 || place.as_ref() == Some(&next) {
                return Err("the listing does not go on: a page brought nothing new".to_owned());
            }
            *place = Some(next);
        }
        Ok(Next::Page)
    }
}

/// `date` in whole seconds, as dates travel, and never earlier: cut off, it would pass over what came in that second.
fn second_not_before(date: &str) -> String {
    let Some(cut) = utc(date) else { return date.to_owned() };
    let fraction = date.split_once('.').map_or("", |(_, fraction)| fraction);
    let is_between = fraction.chars().take_while(char::is_ascii_digit).any(|digit| digit != '0');
    match cut.parse::<DateTime>() {
        Ok(second) if is_between => {
            second.saturating_add(1.second()).strftime("%Y-%m-%dT%H:%M:%S").to_string()
        }
        _ => cut,
    }
}

fn find<'a>(given: &'a Map<String, Value>, wanted: &str) -> Option<&'a Value> {
    let found = given.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
    found.map(|(_, value)| value).filter(|value| !value.is_null())
}

fn has(given: &Map<String, Value>, name: &str) -> bool {
    find(given, name).is_some()
}

fn number(given: &Map<String, Value>, name: &str) -> Option<u64> {
    let value = find(given, name)?;
    value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
}

fn text<'a>(given: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    find(given, name)?.as_str()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(cmdlet: &str, given: Value) -> Option<Pages> {
        let Value::Object(given) = given else { panic!("parameters are a map") };
        pages(cmdlet, &given, "a-name").unwrap()
    }

    fn shown(pages: &Pages) -> Value {
        Value::Object(pages.parameters().into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    #[test]
    fn numbered_pages_go_on_while_they_are_full() {
        let mut pages = of("Get-QuarantineMessage", json!({})).unwrap();
        assert_eq!(shown(&pages), json!({"PageSize": 1000, "Page": 1}));
        assert_eq!(pages.after(1000, 1000, None), Ok(Next::Page));
        assert_eq!(shown(&pages), json!({"PageSize": 1000, "Page": 2}));
        assert_eq!(pages.after(999, 999, None), Ok(Next::Done));
        assert_eq!(shown(&of("Get-MessageTrace", json!({})).unwrap()), json!({"PageSize": 5000, "Page": 1}));
        let small = of("Get-QuarantineMessage", json!({"pagesize": 10})).unwrap();
        assert_eq!(shown(&small), json!({"PageSize": 10, "Page": 1}));
        assert_eq!(of("Get-QuarantineMessage", json!({"Page": 2})), None, "that page and no other");
        assert_eq!(of("Get-QuarantineMessage", json!({"Identity": "x"})), None);
        let nothing = Map::from_iter([("PageSize".to_owned(), json!(0))]);
        assert!(pages_of_nothing(&nothing).contains("returns nothing"));
    }

    fn pages_of_nothing(given: &Map<String, Value>) -> String {
        pages("Get-QuarantineMessage", given, "a-name").unwrap_err()
    }

    #[test]
    fn a_trace_goes_on_at_its_last_entry() {
        let mut pages = of("Get-MessageTraceV2", json!({"EndDate": "2026-02-01"})).unwrap();
        assert_eq!(shown(&pages), json!({"ResultSize": 5000}));
        let last = json!({"RecipientAddress": "a@x", "Received": "2026-01-31T08:00:00.1234567", "MessageTraceId": "m"});
        assert_eq!(pages.after(5000, 5000, Some(&last)), Ok(Next::Page));
        assert_eq!(
            shown(&pages),
            json!({"ResultSize": 5000, "StartingRecipientAddress": "a@x", "EndDate": "2026-01-31T08:00:01"})
        );
        assert_eq!(pages.key(&last).as_deref(), Some("m\na@x\n2026-01-31T08:00:00.1234567"));
        assert_eq!(pages.key(&json!({"Subject": "s"})), None, "nothing tells it apart");
        assert_eq!(pages.needed(), PLACE);
        let mut same = pages.clone();
        assert!(same.after(5000, 4999, Some(&last)).unwrap_err().contains("nothing new"));
        assert!(
            pages.clone().after(5000, 4999, Some(&json!({}))).unwrap_err().contains("no RecipientAddress")
        );
        assert_eq!(pages.after(3, 2, None), Ok(Next::Done));
        for (date, second) in [
            ("2026-12-31T23:59:59.5Z", "2027-01-01T00:00:00"),
            ("2026-01-31T08:00:00.0000000", "2026-01-31T08:00:00"),
            ("2026-01-31T08:00:00+01:00", "2026-01-31T07:00:00"),
            ("no date", "no date"),
        ] {
            assert_eq!(second_not_before(date), second);
        }
    }

    #[test]
    fn a_number_that_is_wanted_is_not_exceeded() {
        let mut pages = of("Get-MessageTraceV2", json!({"ResultSize": 6000})).unwrap();
        assert_eq!((shown(&pages), pages.room()), (json!({"ResultSize": 5000}), 6000));
        let last = json!({"RecipientAddress": "a@x", "Received": "d", "MessageTraceId": "m"});
        assert_eq!(pages.after(5000, 5000, Some(&last)), Ok(Next::Page));
        assert_eq!(pages.room(), 1000);
        assert_eq!(pages.after(5000, 1000, None), Ok(Next::Done));
        let few = of("Get-MessageTraceV2", json!({"ResultSize": 10})).unwrap();
        assert_eq!(shown(&few), json!({"ResultSize": 10}));
    }

    #[test]
    fn the_audit_log_is_read_under_a_name_until_a_page_is_empty() {
        let mut pages = of("Search-UnifiedAuditLog", json!({"StartDate": "a"})).unwrap();
        let all = json!({"SessionId": "a-name", "SessionCommand": "ReturnLargeSet", "ResultSize": 5000});
        assert_eq!(shown(&pages), all);
        assert_eq!(pages.after(12, 12, None), Ok(Next::Page), "a short page is not the last one");
        assert_eq!(shown(&pages), all);
        assert_eq!(pages.after(0, 0, None), Ok(Next::Done));
        assert_eq!(of("Search-UnifiedAuditLog", json!({"SessionId": "mine"})), None);
        assert_eq!(of("Search-UnifiedAuditLog", json!({"ResultSize": 100})), None);
    }

    #[test]
    fn all_rules_and_folder_permissions_are_skipped_to() {
        let mut pages = of("Get-InboxRule", json!({"ResultSize": "Unlimited"})).unwrap();
        assert_eq!(shown(&pages), json!({"ResultSize": "1000"}));
        assert_eq!(pages.after(1000, 1000, None), Ok(Next::Page));
        assert_eq!(shown(&pages), json!({"ResultSize": "1000", "SkipCount": 1000}));
        assert_eq!(pages.after(1, 1, None), Ok(Next::Done));
        assert_eq!(of("Get-MailboxFolderPermission", json!({"ResultSize": "10"})), None);
        assert_eq!(of("Get-InboxRule", json!({"ResultSize": "Unlimited", "SkipCount": 5})), None);
        assert_eq!(of("Get-Mailbox", json!({"ResultSize": "Unlimited"})), None);
    }

    #[test]
    fn a_listing_without_an_end_is_an_error() {
        let mut pages = of("Get-QuarantineMessage", json!({})).unwrap();
        let ends = (0..2000).find_map(|_| pages.after(1000, 1000, None).err());
        assert!(ends.unwrap().contains("more than 1000 pages"));
    }
}
