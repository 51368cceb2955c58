//! Builds the located tree from the YAML parser's events, under limits.

use std::collections::BTreeMap;
use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span, Tag};

use super::escape::quote;
use super::limits::{
    ALIASED_NODES_MAX, ALIASES_MAX, DEPTH_MAX, DOCUMENTS_MAX, MAP_KEYS_MAX, NODES_MAX, SCALAR_BYTES_MAX,
};
use super::problem::Problem;
use super::syntax;
use super::tree::{Content, Entry, Node};

/// One document of a file.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) root: Node,
    /// Its text in the file, for the hash.
    pub(super) text: Range<usize>,
}

/// Reads all documents. A syntax error ends the file; everything else is collected.
pub(super) fn documents(text: &str, problems: &mut Vec<Problem>) -> Vec<Document> {
    let mut reader = Reader {
        text,
        problems,
        open: Vec::new(),
        anchors: BTreeMap::new(),
        nodes: 0,
        aliases: 0,
        aliased_nodes: 0,
        root: None,
    };
    let mut options = granit_parser::options! {
        disallow_directives: true,
        emit_unresolved_aliases: true,
        block_nesting_limit: DEPTH_MAX,
        flow_nesting_limit: DEPTH_MAX,
    };
    options.set_emit_comments(false);
    let mut documents = Vec::new();
    let mut start = 0;
    for event in Parser::new_from_str_with_options(text, options) {
        let step = match event {
            Ok((Event::DocumentEnd, span)) => {
                let end = offset(text, &span).end.max(start);
                if let Some(root) = reader.finish_document() {
                    documents.push(Document { root, text: start..end });
                }
                start = end;
                if documents.len() > DOCUMENTS_MAX {
                    let title = format!("the file has more than {DOCUMENTS_MAX} documents (DOCUMENTS_MAX)");
                    Err(Problem::error(end..end, title).help("split the file"))
                } else {
                    Ok(())
                }
            }
            Ok((event, span)) => reader.event(event, offset(text, &span), &span),
            Err(error) => Err(syntax::explain(text, &error, place(text, &error))),
        };
        if let Err(problem) = step {
            reader.problems.push(problem);
            return documents;
        }
    }
    // The last document reaches to the end of the file: a comment at the end belongs to it.
    if let Some(last) = documents.last_mut() {
        last.text.end = text.len();
    }
    documents
}

/// The bytes a span covers.
fn offset(text: &str, span: &Span) -> Range<usize> {
    let range = span.byte_range().unwrap_or(0..0);
    let (start, end) = (range.start.min(text.len()), range.end.min(text.len()));
    if text.is_char_boundary(start) && text.is_char_boundary(end) { start..end.max(start) } else { 0..0 }
}

/// Where a syntax error was noticed.
fn place(text: &str, error: &ScanError) -> usize {
    let at = error.marker().byte_offset().unwrap_or(text.len()).min(text.len());
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

struct Reader<'a> {
    text: &'a str,
    problems: &'a mut Vec<Problem>,
    open: Vec<Open>,
    anchors: BTreeMap<usize, (Node, usize)>,
    nodes: usize,
    aliases: usize,
    aliased_nodes: usize,
    root: Option<Node>,
}

/// A list or map whose end has not been read yet.
struct Open {
    span: Range<usize>,
    anchor: usize,
    inside: Inside,
    nodes_before: usize,
}

enum Inside {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, key: Option<Key> },
}

enum Key {
    Named(String, Range<usize>),
    /// A key that was refused; its value is read and dropped.
    Refused,
}

impl Reader<'_> {
    fn event(&mut self, event: Event<'_>, at: Range<usize>, span: &Span) -> Result<(), Problem> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.tag(tag.as_deref(), &at, span);
                if text.len() > SCALAR_BYTES_MAX {
                    let title = format!("a value has more than {SCALAR_BYTES_MAX} bytes (SCALAR_BYTES_MAX)");
                    return Err(Problem::error(at.start..at.start, title));
                }
                self.count(1, &at)?;
                let plain = style == ScalarStyle::Plain;
                let node = Node { content: Content::Scalar { text: text.into_owned(), plain }, span: at };
                self.anchor(anchor, &node, 1);
                self.add(node)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.tag(tag.as_deref(), &at, span);
                self.begin(at, anchor, Inside::List(Vec::new()))
            }
            Event::MappingStart(_, anchor, tag) => {
                self.tag(tag.as_deref(), &at, span);
                self.begin(at, anchor, Inside::Map { entries: Vec::new(), key: None })
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(&at),
            Event::Alias(id) => self.alias(id, at),
            Event::UnresolvedAlias(name) => {
                let title = format!("the alias {} has no anchor before it", quote(&format!("*{name}")));
                let quoted = format!("a text that starts with a star needs quotes: '*{name}'");
                Err(Problem::error(at, title).help(quoted))
            }
            Event::StreamStart | Event::StreamEnd | Event::DocumentStart(..) | Event::DocumentEnd => Ok(()),
            _ => Ok(()),
        }
    }

    fn begin(&mut self, span: Range<usize>, anchor: usize, inside: Inside) -> Result<(), Problem> {
        if self.open.len() >= DEPTH_MAX {
            let title = format!("lists and maps are nested deeper than {DEPTH_MAX} (DEPTH_MAX)");
            return Err(Problem::error(span, title));
        }
        self.count(1, &span)?;
        self.open.push(Open { span, anchor, inside, nodes_before: self.nodes });
        Ok(())
    }

    fn end(&mut self, at: &Range<usize>) -> Result<(), Problem> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        let content = match open.inside {
            Inside::List(items) => Content::List(items),
            Inside::Map { entries, .. } => Content::Map(entries),
        };
        // A block collection ends where the next thing starts; its own text ends before that.
        let end = at.end.max(open.span.start);
        let end = open.span.start + self.text[open.span.start..end].trim_end().len();
        let node = Node { content, span: open.span.start..end };
        self.anchor(open.anchor, &node, self.nodes - open.nodes_before + 1);
        self.add(node)
    }

    fn add(&mut self, node: Node) -> Result<(), Problem> {
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match &mut open.inside {
            Inside::List(items) => items.push(node),
            Inside::Map { entries, key } => match key.take() {
                None if self.text[..node.span.start].ends_with('{')
                    && self.text[node.span.start..].starts_with('{') =>
                {
                    // What comes of it is no map anybody meant: end here, as at a syntax error.
                    return Err(syntax::forgotten_dollar(self.text, node.span.start - 1));
                }
                None if entries.len() >= MAP_KEYS_MAX => {
                    let title = format!("a map has more than {MAP_KEYS_MAX} keys (MAP_KEYS_MAX)");
                    return Err(Problem::error(node.span, title).help("write values of one kind as a list"));
                }
                None => *key = Some(new_key(entries, node, self.problems)),
                Some(Key::Refused) => {}
                Some(Key::Named(name, key_span)) => {
                    let value = node;
                    entries.push(Entry { key: name, key_span, value });
                }
            },
        }
        Ok(())
    }

    fn alias(&mut self, id: usize, at: Range<usize>) -> Result<(), Problem> {
        self.aliases += 1;
        if self.aliases > ALIASES_MAX {
            let title = format!("the file uses aliases more than {ALIASES_MAX} times (ALIASES_MAX)");
            return Err(Problem::error(at, title).help("write the values out, or use an input"));
        }
        let Some((node, size)) = self.anchors.get(&id).cloned() else {
            let title = "an alias inside the value it stands for would never end";
            return Err(Problem::error(at, title).help("write the value out"));
        };
        self.aliased_nodes += size;
        if self.aliased_nodes > ALIASED_NODES_MAX {
            let title = format!("aliases repeat more than {ALIASED_NODES_MAX} values (ALIASED_NODES_MAX)");
            return Err(Problem::error(at, title).help("write the values out, or use an input"));
        }
        self.count(size, &at)?;
        self.add(node)
    }

    fn anchor(&mut self, id: usize, node: &Node, size: usize) {
        if id != 0 {
            self.anchors.insert(id, (node.clone(), size));
        }
    }

    fn count(&mut self, more: usize, at: &Range<usize>) -> Result<(), Problem> {
        self.nodes += more;
        if self.nodes > NODES_MAX {
            let title = format!("the file has more than {NODES_MAX} values (NODES_MAX)");
            return Err(Problem::error(at.clone(), title).help("split the file"));
        }
        Ok(())
    }

    /// Tags say what a value is; here the catalog says it, so a tag could only disagree.
    fn tag(&mut self, tag: Option<&Tag>, at: &Range<usize>, span: &Span) {
        let Some(tag) = tag else { return };
        let place = span.tag_span().map_or_else(|| at.clone(), |span| offset(self.text, &span));
        let title = format!("the tag {} is not known here", quote(&tag.original()));
        let help = if tag.is_custom() {
            "remove it; a text that starts with an exclamation mark needs quotes"
        } else {
            "remove it: the kind of a value follows from its parameter; quotes make text of anything"
        };
        self.problems.push(Problem::error(place, title).help(help));
    }

    fn finish_document(&mut self) -> Option<Node> {
        self.open.clear();
        self.anchors.clear();
        self.root.take()
    }
}

/// Checks a key against those before it.
fn new_key(entries: &[Entry], node: Node, problems: &mut Vec<Problem>) -> Key {
    let Content::Scalar { text, plain } = node.content else {
        let title = "a key is a word, found a list or a map";
        problems.push(Problem::error(node.span, title).help("write `key: value`, one a line"));
        return Key::Refused;
    };
    if plain && text == "<<" {
        let title = "merge keys (`<<`) are not supported";
        problems
            .push(Problem::error(node.span, title).help("write the keys out, so that a reader sees them"));
        return Key::Refused;
    }
    if let Some(first) = entries.iter().find(|entry| entry.key == text) {
        let title = format!("the key {} is there twice", quote(&text));
        let problem = Problem::error(node.span, title).label("again here");
        let problem = problem.related(first.key_span.clone(), "first here");
        problems.push(problem.help("keep one of the two"));
        return Key::Refused;
    }
    Key::Named(text, node.span)
}
