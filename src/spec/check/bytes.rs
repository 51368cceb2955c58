//! Parameters that take the bytes of a file: the file's path, or the bytes themselves as Base64.

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::Checker;
use crate::catalog::Parameter;
use crate::spec::form::BYTES;
use crate::spec::problem::Problem;
use crate::spec::template::{BytesValue, Template};
use crate::spec::tree::{Content, Node};

const HOW: &str = "write below it `file: PATH`, or `base64: TEXT`";

impl Checker<'_> {
    /// The value of a parameter that takes bytes.
    pub(super) fn bytes(&mut self, parameter: Parameter, node: &Node) -> Option<Template> {
        if node.is_null() {
            return Some(Template::Literal(Value::Null));
        }
        let name = parameter.name();
        let Content::Map(_) = &node.content else {
            return self.wrong(parameter, node, HOW);
        };
        let fields = self.fields_besides(node, &format!("`{name}`"), &BYTES, &[])?;
        match (fields.get("file"), fields.entry("base64")) {
            (Some(file), None) => {
                let path = self.text(file, "file")?;
                Some(Template::Bytes(BytesValue::File(PathBuf::from(path))))
            }
            (None, Some(entry)) => {
                let text: String = self.text(&entry.value, "base64")?.split_whitespace().collect();
                if STANDARD.decode(&text).is_err() {
                    let title = format!("the `base64` of `{name}` is no Base64");
                    self.report(
                        Problem::error(entry.value.span.clone(), title)
                            .help("write it as `base64 FILE` does, or give the file: `file: PATH`"),
                    );
                    return None;
                }
                Some(Template::Bytes(BytesValue::Base64(text)))
            }
            (Some(_), Some(entry)) => {
                let title = format!("`{name}` has both `file` and `base64`");
                self.report(Problem::error(entry.key_span.clone(), title).help("keep one of the two"));
                None
            }
            (None, None) => {
                let title = format!("`{name}` does not say where the bytes are");
                self.report(Problem::error(node.span.clone(), title).help(HOW));
                None
            }
        }
    }
}
