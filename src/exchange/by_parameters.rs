//! A listing whose pages are calls of their own, each with other parameters. Source: protocol reference, 3.9.

use std::collections::HashSet;

use secrecy::SecretString;
use serde_json::Value;
use serde_json::value::RawValue;
use tracing::warn;
use uuid::Uuid;

use super::client::{RestConnection, Tally};
use super::errors::{ErrorKind, Happened, RemoteError};
use super::listing::{extend, not_kept};
use super::repeat::interrupted;
use super::{CallSummary, CmdletRequest, ItemSink};
use crate::rules::paging::{Next, Pages, pages};

/// How often a listing that the service remembers is begun, where a page of it may have been lost.
const STARTS_MAX: u32 = 3;

impl RestConnection {
    /// All that a call asks for, whichever way its cmdlet pages.
    pub(super) async fn listing(
        &mut self,
        token: &SecretString,
        request: &CmdletRequest,
        sink: &mut dyn ItemSink,
        tally: &mut Tally,
    ) -> Result<CallSummary, RemoteError> {
        match pages_of(request)? {
            None => self.pages(token, request, sink, None, tally).await,
            Some(pages) => self.by_parameters(token, request, pages, sink, tally).await,
        }
    }

    async fn by_parameters(
        &mut self,
        token: &SecretString,
        request: &CmdletRequest,
        mut pages: Pages,
        sink: &mut dyn ItemSink,
        tally: &mut Tally,
    ) -> Result<CallSummary, RemoteError> {
        let mut whole = CallSummary::default();
        let mut page_before = HashSet::new();
        let mut starts = 1;
        loop {
            let mut one = request.clone();
            for (name, value) in pages.parameters() {
                one.parameters.retain(|given, _| !given.eq_ignore_ascii_case(name));
                one.parameters.insert(name.to_owned(), value);
            }
            if !one.select.is_empty() {
                let is_missing = |name: &&str| !request.select.iter().any(|known| known == name);
                one.select.extend(pages.needed().iter().copied().filter(is_missing).map(str::to_owned));
            }
            // A page whose own links expire is read again from its start: only a whole one is passed on.
            let mut page = OnePage::default();
            let repeated_before = tally.retries - tally.throttled.min(tally.retries);
            let summary = self.pages(token, &one, &mut page, None, tally).await?;
            let is_repeated = tally.retries - tally.throttled.min(tally.retries) > repeated_before;
            if pages.is_remembered() && is_repeated {
                if starts == STARTS_MAX {
                    let why = "pages of the listing had to be asked for again, and may be missing; try again";
                    return Err(RemoteError::new(ErrorKind::Protocol, Happened::No, why));
                }
                warn!(cmdlet = %request.cmdlet, "a page may be lost, listing again from the start");
                starts += 1;
                (whole, page_before) = (CallSummary::default(), HashSet::new());
                pages = pages_of(request)?.expect("it was listed by pages before");
                sink.restart().map_err(not_kept)?;
                continue;
            }
            let mut keys = HashSet::new();
            let (mut new, mut last) = (0, None);
            for item in &page.items {
                let entry: Value =
                    serde_json::from_str(item.get()).map_err(|error| not_kept(error.to_string()))?;
                let is_new = match pages.key(&entry) {
                    Some(key) => {
                        let is_new = !page_before.contains(&key);
                        keys.insert(key);
                        is_new
                    }
                    None => true,
                };
                if is_new && new < pages.room() {
                    sink.item(item).map_err(not_kept)?;
                    new += 1;
                }
                last = Some(entry);
            }
            page_before = keys;
            whole.items += new;
            extend(&mut whole.warnings, summary.warnings);
            extend(&mut whole.errors, summary.errors);
            whole.request_id = summary.request_id.or(whole.request_id);
            (whole.requests, whole.retries, whole.throttled) =
                (tally.requests, tally.retries, tally.throttled);
            let next = pages.after(page.items.len() as u64, new, last.as_ref());
            let next = next.map_err(|why| RemoteError::new(ErrorKind::Protocol, Happened::No, why))?;
            if next == Next::Done {
                return Ok(whole);
            }
            if request.stop.is_cancelled() {
                return Err(interrupted("between two pages"));
            }
        }
    }
}

/// A listing of its own, under a name that no other one has.
pub(super) fn pages_of(request: &CmdletRequest) -> Result<Option<Pages>, RemoteError> {
    let name = Uuid::new_v4().to_string();
    pages(request.cmdlet.as_str(), &request.parameters, &name)
        .map_err(|why| RemoteError::new(ErrorKind::Refused, Happened::No, why))
}

/// The entries of one page.
#[derive(Default)]
struct OnePage {
    items: Vec<Box<RawValue>>,
}

impl ItemSink for OnePage {
    fn item(&mut self, item: &RawValue) -> Result<(), String> {
        self.items.push(item.to_owned());
        Ok(())
    }

    fn restart(&mut self) -> Result<(), String> {
        self.items.clear();
        Ok(())
    }
}
