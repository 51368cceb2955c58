//! A successful answer: its objects, and the pages of a listing.

use hyper::Response;
use hyper::header::HeaderValue;

use super::super::cmdlets::Listing;
use super::super::errors;
use super::super::form;
use super::super::options::Compression;
use super::super::paging::{self, Mark};
use super::super::request::{Request, next_link, page_size};
use super::super::respond::{self, Body, Encoding, Form, Objects, Shown};
use super::trouble::Mishaps;

/// How one answer looks.
pub(super) struct View<'a> {
    pub(super) request: &'a Request<'a>,
    pub(super) mishaps: &'a Mishaps,
    /// The only properties to show.
    pub(super) select: Option<Vec<String>>,
    pub(super) context: String,
    /// What its page links are bound to.
    pub(super) bound: String,
    pub(super) form: Form,
}

/// The value of a query option, whose name may be in any case.
pub(super) fn option(request: &Request<'_>, wanted: &str) -> Option<String> {
    let query = form::parse(request.parts.uri.query().unwrap_or_default().as_bytes());
    query.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value)
}

/// The properties that `$select` names; `None`: all.
pub(super) fn selected(request: &Request<'_>) -> Option<Vec<String>> {
    let names = option(request, "$select")?;
    let names: Vec<String> = names.split(',').map(|name| name.trim().to_owned()).collect();
    (!names.iter().any(|name| name == "*" || name.is_empty())).then_some(names)
}

impl View<'_> {
    /// A page of a listing.
    pub(super) fn list(self, listing: Listing) -> Response<Body> {
        let state = self.request.state;
        let now = state.now();
        let (start, left) = match option(self.request, "$skiptoken") {
            None => (0, listing.result_size.limit()),
            Some(token) => {
                match state.links.open(&token, &self.bound, now).filter(|_| !self.mishaps.bad_page) {
                    Some(mark) => (mark.position, mark.left),
                    None => return errors::bad_page(state.options.page_life),
                }
            }
        };
        let page = {
            let directory = state.directory();
            let total = listing.source.len(&directory);
            paging::page(total, start, page_size(self.request.parts), left, |index| {
                listing.passes(&directory, index, now)
            })
        };
        let life = u64::try_from(state.options.page_life.as_millis()).unwrap_or(u64::MAX);
        let link = page.next.map(|(position, left)| {
            let bound = self.bound.clone();
            let mark = Mark { position, left, bound, expires: now.saturating_add(life) };
            next_link(self.request.parts, &state.links.seal(&mark))
        });
        let warnings = if page.cut_short { listing.result_size.warnings() } else { Vec::new() };
        let objects = Objects::Indexes { source: listing.source, indexes: page.indexes, only: listing.only };
        self.show(objects, warnings, None, link)
    }

    /// Objects, or none.
    pub(super) fn show(
        self,
        objects: Objects,
        mut warnings: Vec<String>,
        confirmation: Option<String>,
        next_link: Option<String>,
    ) -> Response<Body> {
        let (request, mishaps) = (self.request, self.mishaps);
        warnings.extend(mishaps.warnings.iter().cloned());
        let accepts = |value: &HeaderValue| value.to_str().is_ok_and(|text| text.contains("gzip"));
        let gzip = request.state.options.compression == Compression::Gzip
            && request.parts.headers.get_all("accept-encoding").iter().any(accepts);
        let encoding = match mishaps.compressed {
            Some(true) => Encoding::Gzip,
            None if gzip => Encoding::GzipIfLarge,
            Some(false) | None => Encoding::Identity,
        };
        let errors = mishaps.errors.clone();
        let View { select, context, form, .. } = self;
        let shown = Shown { objects, warnings, errors, confirmation, next_link, context, select, form };
        respond::shown(request.state.clone(), shown, encoding)
    }
}
