//! Answers: whole ones, and listings that are made up while they are sent.

use std::convert::Infallible;
use std::io::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use flate2::write::GzEncoder;
use futures_util::stream;
use http_body_util::{BodyExt as _, Empty, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::Frame;
use hyper::header::{HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::{Map, Value, json};

use super::prop::{Object, json_string};
use super::shelf::Source;
use super::state::State;
use super::wanted::Wanted;

/// The body of every answer. It cannot fail; what is cut is cut with its transport.
pub(super) type Body = UnsyncBoxBody<Bytes, Infallible>;

/// The exact content type of the service's JSON.
pub(super) const JSON: &str =
    "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8";

/// Objects made up at a time, under one lock of the directory.
const CHUNK_OBJECTS: usize = 50;
/// A smaller body is not compressed; the services' web server has a limit of this order by default.
const COMPRESSED_BYTES_MIN: usize = 2700;
/// The least a piece of a body has, but for the last.
const CHUNK_BYTES: usize = 8 * 1024;

pub(super) fn empty(status: u16) -> Response<Body> {
    build(status, Empty::new().boxed_unsync())
}

pub(super) fn full(status: u16, content_type: &str, body: impl Into<Bytes>) -> Response<Body> {
    let mut response = build(status, Full::new(body.into()).boxed_unsync());
    header(&mut response, "content-type", content_type);
    response
}

fn build(status: u16, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).expect("a status of our own");
    response
}

/// Sets a header; a value that no header can hold is left out.
pub(super) fn header(response: &mut Response<Body>, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(HeaderName::from_static(name), value);
    }
}

/// What a successful cmdlet shows.
pub(super) struct Shown {
    pub(super) objects: Objects,
    pub(super) warnings: Vec<String>,
    pub(super) errors: Vec<String>,
    pub(super) confirmation: Option<String>,
    pub(super) next_link: Option<String>,
    pub(super) context: String,
    pub(super) select: Option<Vec<String>>,
    pub(super) form: Form,
}

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Hash tables whose properties have annotations, warnings beside them.
    Tables,
    /// Entities of a set: their types are in the metadata.
    Entities,
    /// One entity by itself.
    Entity,
}

/// The object as an entity: without the annotations of a hash table.
fn entity(object: &Object, select: Option<&[String]>) -> Map<String, Value> {
    let mut table = Vec::new();
    object.write(select, &mut table);
    let mut members: Map<String, Value> =
        serde_json::from_slice(&table).expect("objects are written as JSON");
    members.retain(|name, _| !name.contains('@'));
    members
}

/// The objects of an answer.
pub(super) enum Objects {
    These(Vec<Object>),
    /// Read when their turn comes.
    Indexes {
        source: Source,
        indexes: Vec<u64>,
        only: Option<&'static [&'static str]>,
    },
}

/// Whether the body is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Identity,
    /// As servers do: a small body is not worth it.
    GzipIfLarge,
    Gzip,
}

/// Where the writing of an answer has got to.
struct Writing {
    state: Arc<State>,
    shown: Shown,
    next: usize,
    begun: bool,
    /// Whether an object was written, so that the next one needs a comma.
    some: bool,
    encoder: Option<GzEncoder<Vec<u8>>>,
}

/// A 200 whose body is written piece by piece.
pub(super) fn shown(state: Arc<State>, shown: Shown, encoding: Encoding) -> Response<Body> {
    let mut writing = Writing { state, shown, next: 0, begun: false, some: false, encoder: None };
    let mut first = Vec::new();
    let last = writing.piece(&mut first);
    let is_small = last && first.len() < COMPRESSED_BYTES_MIN;
    let gzip = encoding == Encoding::Gzip || (encoding == Encoding::GzipIfLarge && !is_small);
    if gzip {
        let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(&first).expect(INTO_MEMORY);
        first.clear();
        writing.encoder = Some(encoder);
    }
    let first = if last { writing.ended(first) } else { first };
    let rest = (!last).then_some(writing);
    let chunks = stream::unfold(Some((first, rest)), |ready| async move {
        let (ready, rest) = ready?;
        let (chunk, rest) = match rest {
            None => (Bytes::from(ready), None),
            Some(writing) => writing.chunk(ready),
        };
        Some((Ok::<_, Infallible>(Frame::data(chunk)), rest.map(|rest| (Vec::new(), Some(rest)))))
    });
    let mut response = build(200, StreamBody::new(chunks).boxed_unsync());
    header(&mut response, "content-type", JSON);
    header(&mut response, "vary", "Accept-Encoding");
    if gzip {
        header(&mut response, "content-encoding", "gzip");
    }
    response
}

const INTO_MEMORY: &str = "writing into memory cannot fail";

impl Writing {
    /// The next piece after what is `ready`, and what is left to write. Never an empty piece: HTTP/2 peers take many
    /// of those for an attack.
    fn chunk(mut self, mut ready: Vec<u8>) -> (Bytes, Option<Writing>) {
        loop {
            let mut out = Vec::new();
            let last = self.piece(&mut out);
            match &mut self.encoder {
                None => ready.append(&mut out),
                Some(encoder) => {
                    encoder.write_all(&out).expect(INTO_MEMORY);
                    ready.append(encoder.get_mut());
                }
            }
            if last {
                return (Bytes::from(self.ended(ready)), None);
            }
            if ready.len() >= CHUNK_BYTES {
                return (Bytes::from(ready), Some(self));
            }
        }
    }

    /// What is ready, with what the encoder still holds.
    fn ended(&mut self, mut ready: Vec<u8>) -> Vec<u8> {
        if let Some(encoder) = self.encoder.take() {
            ready.extend(encoder.finish().expect(INTO_MEMORY));
        }
        ready
    }

    /// Writes the beginning, some objects and the end, as far as it is their turn; true when nothing is left.
    fn piece(&mut self, out: &mut Vec<u8>) -> bool {
        if !std::mem::replace(&mut self.begun, true) {
            self.shown.write_head(out);
        }
        let last = self.objects(out);
        if last {
            self.shown.write_tail(out);
        }
        last
    }

    /// Writes some objects; true when those were the last.
    fn objects(&mut self, out: &mut Vec<u8>) -> bool {
        let (select, form) = (self.shown.select.as_deref(), self.shown.form);
        let some = &mut self.some;
        let mut write = |object: &Object| {
            let position = usize::from(std::mem::replace(some, true));
            if form == Form::Tables {
                separate(position, out);
                object.write(select, out);
                return;
            }
            let members = entity(object, select);
            if form == Form::Entities {
                separate(position, out);
                out.extend_from_slice(json!(members).to_string().as_bytes());
                return;
            }
            for (name, value) in members {
                out.push(b',');
                json_string(&name, out);
                out.push(b':');
                out.extend_from_slice(value.to_string().as_bytes());
            }
        };
        match &self.shown.objects {
            Objects::These(objects) => {
                objects.iter().for_each(write);
                true
            }
            Objects::Indexes { source, indexes, only } => {
                let end = (self.next + CHUNK_OBJECTS).min(indexes.len());
                let now = self.state.now();
                let directory = self.state.directory();
                for index in &indexes[self.next..end] {
                    // It may have been removed since the page was made.
                    let Some(mut object) = source.read_some(&directory, *index, now, Wanted::only(select))
                    else {
                        continue;
                    };
                    if let Some(only) = only {
                        object.keep(only);
                    }
                    write(&object);
                }
                self.next = end;
                end == indexes.len()
            }
        }
    }
}

impl Shown {
    fn write_head(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"@odata.context\":");
        json_string(&self.context, out);
        match self.form {
            Form::Tables => {}
            Form::Entities => return out.extend_from_slice(b",\"value\":["),
            Form::Entity => return,
        }
        out.extend_from_slice(
            b",\"adminapi.warnings@odata.type\":\"#Collection(String)\",\"@adminapi.warnings\":",
        );
        strings(&self.warnings, out);
        if !self.errors.is_empty() {
            out.extend_from_slice(
                b",\"adminapi.errors@odata.type\":\"#Collection(String)\",\"@adminapi.errors\":",
            );
            strings(&self.errors, out);
        }
        if let Some(confirmation) = &self.confirmation {
            out.extend_from_slice(b",\"@adminapi.confirmationmessage\":");
            json_string(confirmation, out);
        }
        out.extend_from_slice(b",\"value\":[");
    }

    fn write_tail(&self, out: &mut Vec<u8>) {
        if self.form != Form::Entity {
            out.push(b']');
        }
        if let Some(link) = &self.next_link {
            out.extend_from_slice(b",\"@odata.nextLink\":");
            json_string(link, out);
        }
        out.push(b'}');
    }
}

fn separate(position: usize, out: &mut Vec<u8>) {
    if position > 0 {
        out.push(b',');
    }
}

fn strings(items: &[String], out: &mut Vec<u8>) {
    out.push(b'[');
    for (position, item) in items.iter().enumerate() {
        separate(position, out);
        json_string(item, out);
    }
    out.push(b']');
}
