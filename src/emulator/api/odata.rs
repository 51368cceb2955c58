//! Reads by `GET`, as the `Get-EXO*` cmdlets send them.
//!
//! Source: protocol reference, 4.1. Each is answered by its classic cmdlet. That a key's entity stands by itself and
//! everything else in `value` is OData's rule; no capture of the service shows it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::Response;
use serde_json::{Map, Value, json};

use super::super::cmdlets::{self, Answer, Invocation};
use super::super::errors::Failure;
use super::super::form;
use super::super::request::{Request, bound, root};
use super::super::respond::{Body, Form, Objects};
use super::Caller;
use super::odata_filter::to_opath;
use super::property_sets;
use super::read::Read;
use super::show::{View, option, selected};
use super::trouble::Mishaps;

/// Query options that are parameters of the cmdlet under the same name.
const PARAMETERS: [&str; 6] = [
    "Anr",
    "Archive",
    "InactiveMailboxOnly",
    "IncludeInactiveMailbox",
    "RecipientTypeDetails",
    "SoftDeletedMailbox",
];

/// Query options that are read here.
const OPTIONS: [&str; 6] = ["$filter", "$select", "$skiptoken", "$top", "PropertySet", "isEncoded"];

pub(super) fn answer(
    request: &Request<'_>,
    caller: &Caller,
    read: &Read,
    mishaps: &Mishaps,
) -> Response<Body> {
    answered(request, caller, read, mishaps).unwrap_or_else(|failure| failure.response())
}

fn answered(
    request: &Request<'_>,
    caller: &Caller,
    read: &Read,
    mishaps: &Mishaps,
) -> Result<Response<Body>, Failure> {
    if !caller.access.cmdlet(read.cmdlet) {
        return Err(Failure::not_allowed_to_read(read.cmdlet));
    }
    let cmdlet = cmdlets::find(read.cmdlet)
        .ok_or_else(|| Failure::not_emulated(&format!("the read behind {}", read.cmdlet)))?;
    let parameters = parameters(request, read)?;
    let invocation =
        Invocation { cmdlet: read.cmdlet.to_owned(), parameters, caller: caller.identity.upn.clone() };
    let state = request.state;
    let (now, wall) = (state.now(), state.options.clocks.wall());
    let answer = {
        let mut directory = state.directory();
        cmdlets::run(cmdlet, &invocation, &mut directory, now, wall, mishaps.stale)?
    };
    let context = format!("{}/$metadata#{}", root(request.parts), read.set);
    let view = View {
        request,
        mishaps,
        select: properties(request, read)?,
        context: if read.single { format!("{context}/$entity") } else { context },
        bound: bound(request, &json!([read.cmdlet, invocation.parameters])),
        form: if read.single { Form::Entity } else { Form::Entities },
    };
    Ok(match answer {
        Answer::Listing(listing) => view.list(listing),
        Answer::Objects(objects) => view.show(Objects::These(objects), Vec::new(), None, None),
        Answer::Some { objects, warnings } => view.show(Objects::These(objects), warnings, None, None),
        Answer::Done { .. } | Answer::Confirm(_) => {
            return Err(Failure::not_emulated("a write by GET"));
        }
    })
}

/// The cmdlet's parameters: the address's and the query's.
fn parameters(request: &Request<'_>, read: &Read) -> Result<Map<String, Value>, Failure> {
    let encoded = option(request, "isEncoded").is_some_and(|text| text.eq_ignore_ascii_case("true"));
    let plain = |text: &str| if encoded { decoded(text) } else { Ok(text.to_owned()) };
    let mut parameters = Map::new();
    for (name, value) in &read.parameters {
        let is_key = matches!(*name, "Identity" | "Mailbox");
        let value = if is_key { plain(value)? } else { value.clone() };
        parameters.insert((*name).to_owned(), json!(value));
    }
    if let Some(folder) = &read.folder {
        let mailbox = parameters["Identity"].as_str().unwrap_or_default().to_owned();
        parameters.insert("Identity".to_owned(), json!(format!("{mailbox}:{}", plain(folder)?)));
    }
    for (name, value) in form::parse(request.parts.uri.query().unwrap_or_default().as_bytes()) {
        let known = |all: &[&'static str]| all.iter().copied().find(|own| own.eq_ignore_ascii_case(&name));
        if let Some(parameter) = known(&PARAMETERS) {
            parameters.insert(parameter.to_owned(), json!(value));
        } else if known(&OPTIONS).is_none() {
            return Err(Failure::not_emulated(&format!("the query option '{name}'")));
        }
    }
    if let Some(filter) = option(request, "$filter") {
        let filter = to_opath(&filter).map_err(|problem| Failure::not_emulated(&problem))?;
        parameters.insert("Filter".to_owned(), json!(filter));
    }
    let listing = !read.single && read.parameters.is_empty();
    match option(request, "$top") {
        Some(top) if top.parse::<u64>().is_ok() => {
            parameters.insert("ResultSize".to_owned(), json!(top));
        }
        Some(_) => return Err(Failure::bad_body("$top must be a whole number.")),
        None if listing => {
            parameters.insert("ResultSize".to_owned(), json!("Unlimited"));
        }
        None => {}
    }
    Ok(parameters)
}

fn decoded(text: &str) -> Result<String, Failure> {
    let bytes = STANDARD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    bytes.ok_or_else(|| Failure::bad_body("With isEncoded=true keys are Base64 of UTF-8."))
}

/// What is shown: the sets of `PropertySet` and the names of `$select` together, or the smallest set.
fn properties(request: &Request<'_>, read: &Read) -> Result<Option<Vec<String>>, Failure> {
    let select = selected(request);
    let Some(sets) = option(request, "PropertySet") else {
        return if option(request, "$select").is_some() {
            Ok(select)
        } else {
            property_sets::minimum(read.set)
        };
    };
    let sets: Vec<String> = sets.split(',').map(|name| name.trim().to_owned()).collect();
    let properties = property_sets::properties(read.set, &sets)?;
    Ok(properties.map(|mut all| {
        all.extend(select.into_iter().flatten());
        all
    }))
}
