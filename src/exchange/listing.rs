//! A call page by page: which page comes next, and when there are enough. Source: protocol reference, 3.9.

use secrecy::SecretString;
use serde_json::Value;
use tracing::warn;

use super::body;
use super::classify::is_expired_link;
use super::client::{NextPage, PAGE_SIZE_MAX, RestConnection, Tally};
use super::errors::{ErrorKind, Happened, RemoteError};
use super::page::{Asked, Page, What};
use super::repeat::{AfterRedirect, interrupted};
use super::transport::Origin;
use super::{CallSummary, CmdletRequest, Intent, ItemSink};

impl RestConnection {
    /// All pages of a call, the first of which may be here already. A link that expired makes the listing start again, once; it is never cut short.
    pub(super) async fn pages(
        &mut self,
        token: &SecretString,
        request: &CmdletRequest,
        sink: &mut dyn ItemSink,
        mut begun: Option<Page>,
        tally: &mut Tally,
    ) -> Result<CallSummary, RemoteError> {
        let first = self.first_path(request);
        let body = body::of(&request.cmdlet, &request.parameters)?;
        let wanted = Wanted::of(request);
        let mut summary = CallSummary::default();
        let mut path = first.clone();
        let mut restarted = Restarted::No;
        let mut circle = Circle::default();
        loop {
            let page_size = self.page_size(request, summary.items);
            let with_body = path == first || self.config.next_page == NextPage::Post;
            let asked = Asked {
                path_and_query: path.clone(),
                page_size,
                body: with_body.then(|| body.clone()),
                what: What::Cmdlet,
                headers: Vec::new(),
            };
            let page = match begun.take() {
                Some(page) => Ok(page),
                None => self.repeated(token, request, &asked, AfterRedirect::Again, tally).await,
            };
            let page = match page {
                Ok(page) => page,
                Err(error) if path != first && is_expired_link(&error) && restarted == Restarted::No => {
                    warn!(error = %error, "the listing's link expired, listing again from the start");
                    restarted = Restarted::Once;
                    // A repeat, for whoever has to know whether a page was asked for twice.
                    tally.retries += 1;
                    path.clone_from(&first);
                    circle = Circle::default();
                    summary = CallSummary::default();
                    sink.restart().map_err(not_kept)?;
                    continue;
                }
                Err(error) => return Err(error),
            };
            for item in &page.items {
                sink.item(item).map_err(not_kept)?;
            }
            summary.items += page.items.len() as u64;
            extend(&mut summary.errors, page.errors);
            let is_empty = page.items.is_empty();
            summary.request_id = page.request_id.or(summary.request_id);
            // A write has no pages: what it sends to a link it would do once more.
            let goes_on = request.intent == Intent::Read && wanted.goes_on(summary.items);
            let more = page.next_link.filter(|_| goes_on);
            if more.is_none() {
                extend(&mut summary.warnings, page.warnings);
                summary.requests = tally.requests;
                summary.retries = tally.retries;
                summary.throttled = tally.throttled;
                return Ok(summary);
            }
            // While paging, "more results are available" is no news.
            extend(&mut summary.warnings, page.warnings.into_iter().filter(|text| !is_more_available(text)));
            let link = more.unwrap_or_default();
            path = self.path_of_link(&link)?;
            circle.check(&path, is_empty)?;
            if request.stop.is_cancelled() {
                return Err(interrupted("between two pages"));
            }
        }
    }

    /// How many items are asked for, after `have` of them; a write asks for none.
    pub(super) fn page_size(&self, request: &CmdletRequest, have: u64) -> Option<u32> {
        match request.intent {
            Intent::Read => Some(Wanted::of(request).page_size(have, self.config.page_size)),
            Intent::Write => None,
        }
    }

    pub(super) fn first_path(&self, request: &CmdletRequest) -> String {
        let config = &self.config;
        let mut path = format!("/adminapi/{}/{}/InvokeCommand", config.api_version, config.tenant_id);
        if !request.select.is_empty() {
            path.push_str("?$select=");
            path.push_str(&request.select.join(","));
        }
        path
    }

    /// A link is followed on the session's own host only: the token goes nowhere else.
    fn path_of_link(&self, link: &str) -> Result<String, RemoteError> {
        let uri: Option<hyper::Uri> = link.parse().ok();
        let same_host = uri.as_ref().is_some_and(|uri| match uri.host() {
            Some(_) => Origin::parse(link).is_ok_and(|origin| origin == self.origin),
            // `//host/path` names a host as well.
            None => link.starts_with('/') && !link.starts_with("//"),
        });
        match uri.as_ref().and_then(|uri| uri.path_and_query()) {
            Some(path) if same_host => Ok(path.as_str().to_owned()),
            _ => Err(RemoteError::new(
                ErrorKind::Protocol,
                Happened::No,
                "the listing's next link points at another host; it is not followed",
            )),
        }
    }
}

/// A filter may find nothing on a page and something on the next; so many such pages in a row are no listing.
const EMPTY_PAGES_MAX: u64 = 10_000;

/// Warnings and errors of a call that are kept, whatever the number of its pages.
const TEXTS_MAX: usize = 1_000;

/// Adds `more` as far as there is room for it.
pub(super) fn extend(texts: &mut Vec<String>, more: impl IntoIterator<Item = String>) {
    let room = TEXTS_MAX.saturating_sub(texts.len());
    texts.extend(more.into_iter().take(room));
}

/// Notices links that lead round in a circle, which would be followed for ever, by remembering one of them at a time
/// (Brent's method: a later one each time the number of pages has doubled).
#[derive(Default)]
struct Circle {
    pages: u64,
    remembered: String,
    /// Pages without an item since the last one with some.
    empty: u64,
}

impl Circle {
    fn check(&mut self, path: &str, is_empty: bool) -> Result<(), RemoteError> {
        let wrong = |why: &str| Err(RemoteError::new(ErrorKind::Protocol, Happened::No, why));
        if self.remembered == path {
            return wrong("the listing's next links lead round in a circle");
        }
        self.empty = if is_empty { self.empty + 1 } else { 0 };
        if self.empty > EMPTY_PAGES_MAX {
            return wrong("the listing's next links lead from one empty page to the next without an end");
        }
        self.pages += 1;
        if self.pages.is_power_of_two() {
            path.clone_into(&mut self.remembered);
        }
        Ok(())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Restarted {
    No,
    Once,
}

/// How many items a listing wants. Source: protocol reference, 3.9.
#[derive(Clone, Copy)]
enum Wanted {
    All,
    UpTo(u64),
}

impl Wanted {
    fn of(request: &CmdletRequest) -> Wanted {
        let asked = request.parameters.iter().find(|(name, _)| name.eq_ignore_ascii_case("ResultSize"));
        match asked {
            Some((_, Value::Number(number))) => Wanted::UpTo(number.as_u64().unwrap_or(0)),
            Some((_, Value::String(text))) => text.parse().map_or(Wanted::All, Wanted::UpTo),
            Some(_) => Wanted::All,
            // Only a cmdlet that takes a ResultSize has a default one; of any other, everything is wanted.
            None => {
                let has_size =
                    request.cmdlet.cmdlet().is_some_and(|cmdlet| cmdlet.parameter("ResultSize").is_some());
                if has_size { Wanted::UpTo(u64::from(PAGE_SIZE_MAX)) } else { Wanted::All }
            }
        }
    }

    fn page_size(self, have: u64, most: u32) -> u32 {
        let most = most.clamp(1, PAGE_SIZE_MAX);
        match self {
            Wanted::All => most,
            Wanted::UpTo(wanted) => u32::try_from(wanted.saturating_sub(have)).unwrap_or(most).clamp(1, most),
        }
    }

    fn goes_on(self, have: u64) -> bool {
        match self {
            Wanted::All => true,
            Wanted::UpTo(wanted) => have < wanted,
        }
    }
}

/// Refuses a `ResultSize` that gets nothing, as the module does. Source: protocol reference, 3.9.
pub(super) fn check_result_size(request: &CmdletRequest) -> Result<(), RemoteError> {
    let asked = request.parameters.iter().find(|(name, _)| name.eq_ignore_ascii_case("ResultSize"));
    let number = match asked {
        Some((_, Value::Number(number))) => number.as_f64(),
        Some((_, Value::String(text))) => text.trim().parse::<f64>().ok(),
        _ => None,
    };
    if number.is_some_and(|number| number <= 0.0) {
        let why = "ResultSize is 1 or more, or Unlimited";
        return Err(RemoteError::new(ErrorKind::Refused, Happened::No, why));
    }
    Ok(())
}

fn is_more_available(warning: &str) -> bool {
    warning.to_ascii_lowercase().contains("more results")
}

pub(super) fn not_kept(why: String) -> RemoteError {
    RemoteError::new(ErrorKind::Refused, Happened::Unknown, why)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::catalog::CmdletName;

    fn request(cmdlet: &str, parameters: Value) -> CmdletRequest {
        let Value::Object(parameters) = parameters else { panic!("parameters are a map") };
        CmdletRequest {
            cmdlet: CmdletName::known(cmdlet).unwrap(),
            parameters,
            secrets: Vec::new(),
            select: Vec::new(),
            intent: Intent::Read,
            client_request_id: uuid::Uuid::nil(),
            repeats: None,
            timeout: Duration::from_secs(1),
            stop: tokio_util::sync::CancellationToken::new(),
        }
    }

    fn wanted(cmdlet: &str, parameters: Value) -> Wanted {
        Wanted::of(&request(cmdlet, parameters))
    }

    #[test]
    fn a_result_size_of_nothing_is_refused() {
        for size in [json!(0), json!("0"), json!(-5), json!(" -1 ")] {
            let error = check_result_size(&request("Get-Mailbox", json!({"resultsize": size}))).unwrap_err();
            assert_eq!((error.kind, error.happened), (ErrorKind::Refused, Happened::No), "{size}");
        }
        for size in [json!(1), json!("Unlimited"), Value::Null] {
            assert!(
                check_result_size(&request("Get-Mailbox", json!({"ResultSize": size}))).is_ok(),
                "{size}"
            );
        }
    }

    #[test]
    fn links_that_lead_round_in_a_circle_are_noticed_and_long_listings_are_not() {
        for (lead_in, round) in [(0, 1), (3, 2), (10, 7)] {
            let mut circle = Circle::default();
            let mut links = (0..lead_in).chain((0..100).map(|step| 1000 + step % round));
            assert!(
                links.any(|link| circle.check(&link.to_string(), false).is_err()),
                "{lead_in} then {round}"
            );
        }
        let mut circle = Circle::default();
        assert!((0..10_000).all(|link| circle.check(&link.to_string(), false).is_ok()));
    }

    #[test]
    fn empty_pages_and_their_texts_have_an_end() {
        let mut circle = Circle::default();
        let mut links = 0..;
        let mut pages = |count: u64, is_empty: bool| {
            links
                .by_ref()
                .take(count as usize)
                .all(|link: u64| circle.check(&link.to_string(), is_empty).is_ok())
        };
        assert!(pages(EMPTY_PAGES_MAX, true) && pages(1, false) && pages(EMPTY_PAGES_MAX, true));
        assert!(!pages(1, true));
        let mut texts = Vec::new();
        for _ in 0..30 {
            extend(&mut texts, vec!["x".to_owned(); 100]);
        }
        assert_eq!(texts.len(), TEXTS_MAX);
    }

    #[test]
    fn pages_are_asked_for_until_there_are_enough() {
        let some = wanted("Get-Mailbox", json!({"ResultSize": "1500"}));
        assert_eq!((some.page_size(0, 1000), some.page_size(1000, 1000)), (1000, 500));
        assert!(some.goes_on(1499) && !some.goes_on(1500));
        let all = wanted("Get-Mailbox", json!({"resultsize": "unlimited"}));
        assert!(all.goes_on(u64::MAX) && all.page_size(7, 300) == 300);
    }

    #[test]
    fn only_a_cmdlet_that_takes_a_result_size_has_a_default_one() {
        assert!(!wanted("Get-Mailbox", json!({})).goes_on(1000));
        assert!(wanted("Get-OwaMailboxPolicy", json!({})).goes_on(1000));
    }
}
