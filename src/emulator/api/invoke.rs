//! `InvokeCommand`: one cmdlet, and the pages of a listing.

use hyper::Response;

use super::super::cmdlets::{self, Answer, Effect, Invocation, Listing};
use super::super::errors;
use super::super::form;
use super::super::options::{AnchorRule, Compression};
use super::super::paging::{self, Mark};
use super::super::request::{Request, bound, context, next_link, page_size};
use super::super::respond::{self, Body, Encoding, Objects, Shown};
use super::trouble::Mishaps;

pub(super) fn invoke(request: &Request<'_>, invocation: &Invocation, mishaps: &Mishaps) -> Response<Body> {
    let state = request.state;
    let Some(cmdlet) = cmdlets::find(&invocation.cmdlet) else {
        return errors::nul_forbidden("The cmdlet does not exist or the role does not include it.");
    };
    let anchored = request.parts.headers.get("x-anchormailbox").is_some_and(|value| !value.is_empty());
    if cmdlet.effect == Effect::Write && !anchored && state.options.anchor == AnchorRule::Writes {
        return errors::forbidden("A write needs X-AnchorMailbox.");
    }
    let now = state.now();
    let wall = state.options.clocks.wall();
    let answer = {
        let mut directory = state.directory();
        cmdlets::run(cmdlet, invocation, &mut directory, now, wall, mishaps.stale)
    };
    match answer {
        Err(failure) => failure.response(),
        Ok(Answer::Listing(listing)) => list(request, listing, mishaps),
        Ok(Answer::Objects(objects)) => {
            show(request, mishaps, Objects::These(objects), Vec::new(), None, None)
        }
        Ok(Answer::Done { warnings }) => {
            show(request, mishaps, Objects::These(Vec::new()), warnings, None, None)
        }
        Ok(Answer::Confirm(text)) => {
            show(request, mishaps, Objects::These(Vec::new()), Vec::new(), Some(text), None)
        }
    }
}

fn list(request: &Request<'_>, listing: Listing, mishaps: &Mishaps) -> Response<Body> {
    let state = request.state;
    let now = state.now();
    let query = form::parse(request.parts.uri.query().unwrap_or_default().as_bytes());
    let token =
        query.iter().find(|(name, _)| name.eq_ignore_ascii_case("$skiptoken")).map(|(_, value)| value);
    let bound = bound(request);
    let (start, left) = match token {
        None => (0, listing.result_size.limit()),
        Some(token) => match state.links.open(token, &bound, now).filter(|_| !mishaps.bad_page) {
            Some(mark) => (mark.position, mark.left),
            None => return errors::bad_page(state.options.page_life),
        },
    };
    let page = {
        let directory = state.directory();
        let total = directory.len(listing.class);
        paging::page(total, start, page_size(request.parts), left, |index| {
            listing.passes(&directory, index, now)
        })
    };
    let life = u64::try_from(state.options.page_life.as_millis()).unwrap_or(u64::MAX);
    let link = page.next.map(|(position, left)| {
        let mark = Mark { position, left, bound, expires: now.saturating_add(life) };
        next_link(request.parts, &state.links.seal(&mark))
    });
    let warnings = if page.cut_short { listing.result_size.warnings() } else { Vec::new() };
    let objects = Objects::Indexes { class: listing.class, indexes: page.indexes, only: listing.only };
    show(request, mishaps, objects, warnings, None, link)
}

fn show(
    request: &Request<'_>,
    mishaps: &Mishaps,
    objects: Objects,
    warnings: Vec<String>,
    confirmation: Option<String>,
    next_link: Option<String>,
) -> Response<Body> {
    let select = form::parse(request.parts.uri.query().unwrap_or_default().as_bytes())
        .into_iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("$select"))
        .map(|(_, names)| names.split(',').map(|name| name.trim().to_owned()).collect::<Vec<_>>())
        .filter(|names| !names.iter().any(|name| name == "*" || name.is_empty()));
    let accepts = |value: &hyper::header::HeaderValue| value.to_str().is_ok_and(|text| text.contains("gzip"));
    let gzip = request.state.options.compression == Compression::Gzip
        && request.parts.headers.get_all("accept-encoding").iter().any(accepts);
    let encoding = if gzip { Encoding::Gzip } else { Encoding::Identity };
    let errors = mishaps.errors.clone();
    let context = context(request.parts);
    let shown = Shown { objects, warnings, errors, confirmation, next_link, context, select };
    respond::shown(request.state.clone(), shown, encoding)
}
