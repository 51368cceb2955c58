//! What a value of a cmdlet's parameter must be, once for each kind and set of documented words.

use serde_json::{Map, Value, json};

use crate::catalog::{Parameter, ValueKind};
use crate::spec::form::{BYTES, CREDENTIAL, PS_CREDENTIAL};

/// A property as the service returns it.
pub(super) const NAME_OF_PROPERTY: &str = "^[A-Za-z0-9_]+$";

/// File names that say their form.
pub(super) const NAMED_OUTPUT: &str = "\\.([cC][sS][vV]|[nN][dD][jJ][sS][oO][nN]|[jJ][sS][oO][nN][lL]?)$";

/// File names that say CSV.
pub(super) const NAMED_CSV: &str = "\\.[cC][sS][vV]$";

/// A time of day, as a window is given with.
pub(super) const TIME_OF_DAY: &str = "^([01][0-9]|2[0-3]):[0-5][0-9]$";

/// A date with a time of day.
pub(super) const DATE_AND_TIME: &str = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]$";

/// Text that holds an expression: the value of everything that has a type of its own.
pub(super) fn expression() -> Value {
    json!({"$ref": "#/$defs/expression"})
}

/// Where a secret is kept: a reference, or the expression that is one.
pub(super) fn kept() -> Value {
    let call =
        r##"^\s*\$\{\{\s*secret\(\s*("[^"#/]+/[^"#]+#[^"#]+"|'[^'#/]+/[^'#]+#[^'#]+')\s*\)\s*\}\}\s*$"##;
    json!({"anyOf": [
        {"$ref": format!("#/$defs/{}", CREDENTIAL.name)},
        {"type": "string", "pattern": call},
    ]})
}

/// The definitions that parameters refer to, under short names: there are nine thousand references.
#[derive(Default)]
pub(super) struct Values {
    known: Vec<(String, Value)>,
}

impl Values {
    /// A reference to what a value of this parameter must be.
    pub(super) fn reference(&mut self, parameter: Parameter) -> Value {
        let schema = self.schema(parameter);
        self.once(schema)
    }

    /// A reference to this schema, defined once.
    fn once(&mut self, schema: Value) -> Value {
        let name = match self.known.iter().find(|(_, known)| *known == schema) {
            Some((name, _)) => name.clone(),
            None => {
                let name = format!("v{}", self.known.len());
                self.known.push((name.clone(), schema));
                name
            }
        };
        json!({"$ref": format!("#/$defs/{name}")})
    }

    /// All of them, and the expression they refer to.
    pub(super) fn into_definitions(self, definitions: &mut Map<String, Value>) {
        let pattern = "\\$\\{\\{[\\s\\S]*\\}\\}";
        definitions.insert("expression".to_owned(), json!({"type": "string", "pattern": pattern}));
        definitions.insert("text".to_owned(), json!({"type": ["string", "number", "boolean"]}));
        definitions.extend(self.known);
    }
}

impl Values {
    /// Text is what other readers take for a number or a boolean, too: `012` and `no` are text here.
    fn schema(&mut self, parameter: Parameter) -> Value {
        let kind = parameter.kind();
        let words: Vec<&str> = parameter.words().collect();
        let described = |mut schema: Value| {
            if let Value::Object(schema) = &mut schema {
                schema.insert("description".to_owned(), kind.expects().into());
            }
            schema
        };
        let or_expression = |types: Value| described(json!({"anyOf": [{"type": types}, expression()]}));
        let text = || json!({"$ref": "#/$defs/text"});
        // Words that are not listed get a warning from the checker: the service may be newer.
        let word =
            if words.is_empty() { text() } else { self.once(json!({"anyOf": [{"enum": words}, text()]})) };
        match kind {
            ValueKind::Switch => or_expression(json!("boolean")),
            ValueKind::Boolean => or_expression(json!(["boolean", "null"])),
            ValueKind::Integer => or_expression(json!(["integer", "null"])),
            ValueKind::Number => or_expression(json!(["number", "null"])),
            ValueKind::Unlimited
            | ValueKind::Size
            | ValueKind::UnlimitedSize
            | ValueKind::TimeSpan
            | ValueKind::UnlimitedTimeSpan
            | ValueKind::DateTime => described(json!({"type": ["string", "number", "null"]})),
            ValueKind::Guid => described(json!({"type": ["string", "null"]})),
            ValueKind::String | ValueKind::Enum => described(json!({"anyOf": [word, {"type": "null"}]})),
            ValueKind::List => {
                let list = json!({"type": "array", "items": word});
                let one_or_list = json!({"anyOf": [word, list]});
                let edits = json!({
                    "type": "object",
                    "properties": {"add": one_or_list, "remove": one_or_list},
                    "additionalProperties": false,
                    "minProperties": 1,
                });
                described(json!({"anyOf": [word, {"type": "null"}, list, edits]}))
            }
            ValueKind::Hashtable => or_expression(json!(["object", "null"])),
            ValueKind::HashtableList => described(json!({"anyOf": [
                {"type": "array", "items": {"type": "object"}},
                {"type": ["object", "null"]},
                expression(),
            ]})),
            ValueKind::Secret if parameter.type_name() == "PSCredential" => {
                json!({"$ref": format!("#/$defs/{}", PS_CREDENTIAL.name)})
            }
            ValueKind::Secret => kept(),
            ValueKind::Bytes => {
                json!({"anyOf": [{"$ref": format!("#/$defs/{}", BYTES.name)}, {"type": "null"}]})
            }
            // No step may give these.
            ValueKind::Object => json!(false),
        }
    }
}
