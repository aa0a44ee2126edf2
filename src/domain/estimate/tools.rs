//! How tool definitions and schemas are put before OpenAI's models: as TypeScript, not as the JSON that was sent.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt::Write;

use serde_json::Value;

use super::json::{array, string};

/// Nested types beyond this are cut short.
const DEEPEST: usize = 16;

/// So many references of a function are followed: types that refer to each other unfold without an end.
const REFERENCES: u32 = 256;

/// Renders functions as the namespace that the model reads.
pub(super) fn namespace(functions: &[&Value]) -> String {
    let mut out = String::from("namespace functions {\n\n");
    for function in functions {
        let name = string(function, "name");
        let description = string(function, "description");
        if !description.is_empty() {
            description
                .split('\n')
                .for_each(|line| comment(&mut out, line.trim()));
        }
        let schema = function
            .get("parameters")
            .or_else(|| function.get("inputSchema"))
            .unwrap_or(&Value::Null);
        let title = string(schema, "title");
        if !title.is_empty() {
            comment(&mut out, title);
        }
        if properties(schema).next().is_some() {
            out.push_str("type ");
            out.push_str(name);
            out.push_str(" = (_: {\n");
            Types::of(schema).fields(&mut out, schema, 0);
            out.push_str("}) => any;\n\n");
        } else {
            out.push_str("type ");
            out.push_str(name);
            out.push_str(" = () => any;\n\n");
        }
    }
    out.push_str("} // namespace functions");
    out
}

/// How many of these functions describe none of their properties: each is a token shorter than it looks.
pub(super) fn undescribed(functions: &[&Value]) -> i64 {
    let bare = functions.iter().filter(|function| {
        let schema = function.get("parameters").unwrap_or(&Value::Null);
        let mut all = properties(schema).peekable();
        let is_bare = |(_, property): (_, &Value)| {
            string(property, "description").is_empty() && string(property, "title").is_empty()
        };
        string(schema, "title").is_empty() && all.peek().is_some() && all.all(is_bare)
    });
    i64::try_from(bare.count()).unwrap_or(0)
}

/// Renders the schema of a structured reply as the model reads it.
pub(super) fn response_format(name: &str, description: &str, schema: &Value) -> String {
    let mut schema = schema.clone();
    without_closing(&mut schema, 0);
    let described = if description.is_empty() {
        Cow::Borrowed("")
    } else {
        Cow::Owned(format!("// {description}\n"))
    };
    format!("# Response Formats\n\n## {name}\n\n{described}{schema}")
}

/// The words of a function's definition: its name, the names of its properties, what is said of them.
pub(super) fn words(definition: &Value) -> Vec<&str> {
    let mut words = Vec::new();
    collect(definition, 0, &mut words);
    words
}

fn collect<'v>(value: &'v Value, depth: usize, words: &mut Vec<&'v str>) {
    // What a schema says in words of its own.
    const GRAMMAR: [&str; 6] = [
        "type",
        "required",
        "title",
        "format",
        "default",
        "additionalProperties",
    ];
    match value {
        _ if depth > 2 * DEEPEST => {}
        Value::String(text) => words.push(text),
        Value::Array(list) => list.iter().for_each(|each| collect(each, depth + 1, words)),
        Value::Object(map) => {
            for (key, value) in map.iter().filter(|(key, _)| !GRAMMAR.contains(&key.as_str())) {
                if key == "properties" {
                    for (name, property) in value.as_object().into_iter().flatten() {
                        words.push(name);
                        collect(property, depth + 1, words);
                    }
                } else {
                    collect(value, depth + 1, words);
                }
            }
        }
        _ => {}
    }
}

/// Takes `additionalProperties` out, which the model is not told.
fn without_closing(schema: &mut Value, depth: usize) {
    match schema {
        Value::Object(map) if depth < DEEPEST => {
            map.shift_remove("additionalProperties");
            map.values_mut()
                .for_each(|value| without_closing(value, depth + 1));
        }
        Value::Array(list) if depth < DEEPEST => {
            list.iter_mut()
                .for_each(|value| without_closing(value, depth + 1));
        }
        _ => {}
    }
}

fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
}

fn comment(out: &mut String, line: &str) {
    out.push_str("// ");
    out.push_str(line);
    out.push('\n');
}

fn indent(out: &mut String, depth: usize) {
    (0..depth).for_each(|_| out.push_str("  "));
}

/// Renders types. Those that a schema keeps aside are looked up in its root (JSON Schema's `$ref`).
struct Types<'schema> {
    root: &'schema Value,
    /// How many more are looked up.
    references: Cell<u32>,
}

impl<'schema> Types<'schema> {
    const fn of(root: &'schema Value) -> Self {
        Self {
            root,
            references: Cell::new(REFERENCES),
        }
    }

    /// The schema itself, or the one of this document that it refers to.
    fn resolve(&self, schema: &'schema Value) -> &'schema Value {
        let pointer = string(schema, "$ref").strip_prefix('#');
        let Some(referred) = pointer.and_then(|pointer| self.root.pointer(pointer)) else {
            return schema;
        };
        let Some(left) = self.references.get().checked_sub(1) else {
            return &Value::Null;
        };
        self.references.set(left);
        referred
    }

    fn fields(&self, out: &mut String, schema: &'schema Value, depth: usize) {
        let required = array(schema, "required");
        for (name, property) in properties(schema) {
            let (title, description) = (string(property, "title"), string(property, "description"));
            let mut line = |text: &str| {
                indent(out, depth);
                if text.is_empty() {
                    out.push_str("//\n");
                } else {
                    comment(out, text);
                }
            };
            if !title.is_empty() {
                line(title);
                if !description.is_empty() {
                    line("");
                }
            }
            if !description.is_empty() {
                description.split('\n').for_each(&mut line);
            }
            indent(out, depth);
            out.push_str(name);
            if !required.iter().any(|key| key.as_str() == Some(name)) {
                out.push('?');
            }
            out.push_str(": ");
            self.type_of(out, property, depth + 1);
            out.push(',');
            if let Some(default) = property.get("default") {
                write!(out, " // default: {default}").ok();
            }
            out.push('\n');
        }
    }

    fn one_of(&self, out: &mut String, alternatives: &'schema [Value], depth: usize) {
        for (at, alternative) in alternatives.iter().enumerate() {
            if at > 0 {
                out.push_str(" | ");
            }
            self.type_of(out, alternative, depth);
        }
    }

    fn type_of(&self, out: &mut String, schema: &'schema Value, depth: usize) {
        if depth > DEEPEST {
            out.push_str("any");
            return;
        }
        let schema = self.resolve(schema);
        let values = array(schema, "enum");
        if !values.is_empty() {
            let values: Vec<_> = values.iter().map(Value::to_string).collect();
            out.push_str(&values.join(" | "));
            return;
        }
        if let Some(value) = schema.get("const") {
            write!(out, "{value}").ok();
            return;
        }
        for key in ["anyOf", "oneOf"] {
            let alternatives = array(schema, key);
            if !alternatives.is_empty() {
                self.one_of(out, alternatives, depth);
                return;
            }
        }
        match schema.get("type") {
            Some(Value::Array(names)) => {
                let names: Vec<_> = names.iter().filter_map(Value::as_str).map(scalar).collect();
                out.push_str(&names.join(" | "));
            }
            Some(Value::String(name)) if name == "array" => {
                self.type_of(out, schema.get("items").unwrap_or(&Value::Null), depth);
                out.push_str("[]");
            }
            Some(Value::String(name)) if name == "object" && properties(schema).next().is_some() => {
                out.push_str("{\n");
                self.fields(out, schema, depth);
                indent(out, depth - 1);
                out.push('}');
            }
            Some(Value::String(name)) => out.push_str(scalar(name)),
            _ => out.push_str("any"),
        }
    }
}

fn scalar(name: &str) -> &str {
    if name == "integer" { "number" } else { name }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn functions_become_a_typescript_namespace() {
        let functions = [
            json!({"name": "find", "description": "Finds.\n  Twice.", "parameters": {"type": "object", "title": "find_args", "required": ["a"],
            "properties": {
                "a": {"type": "string", "description": "What", "title": "A"},
                "b": {"type": "integer", "default": 3},
                "c": {"enum": ["x", "y"]},
                "d": {"type": "array", "items": {"type": ["number", "null"]}},
                "e": {"type": "object", "properties": {"f": {"anyOf": [{"type": "boolean"}, {"const": 1}]}}},
            }}}),
            json!({"name": "now", "parameters": {}}),
        ];
        let expected = "namespace functions {\n\n\
            // Finds.\n// Twice.\n// find_args\ntype find = (_: {\n// A\n//\n// What\na: string,\nb?: number, // default: 3\n\
            c?: \"x\" | \"y\",\nd?: number | null[],\ne?: {\n  f?: boolean | 1,\n},\n}) => any;\n\n\
            type now = () => any;\n\n} // namespace functions";
        let functions: Vec<&Value> = functions.iter().collect();
        assert_eq!(namespace(&functions), expected);
        assert_eq!(undescribed(&functions), 0);
        let bare = json!({"parameters": {"properties": {"a": {"type": "string"}}}});
        assert_eq!(undescribed(&[&bare]), 1);
    }

    #[test]
    fn types_that_are_kept_aside_are_looked_up_as_often_as_they_stand() {
        let function = json!({"name": "cook", "parameters": {
        "$defs": {"Dish": {"type": "object", "required": ["of"], "properties": {"of": {"type": "string"}}}},
        "type": "object", "required": ["dish"],
        "properties": {
            "dish": {"$ref": "#/$defs/Dish"},
            "more": {"type": "array", "items": {"$ref": "#/$defs/Dish"}},
            "lost": {"$ref": "#/$defs/Nothing"},
            "far": {"$ref": "https://example.com/schema"},
        }}});
        let expected = "namespace functions {\n\ntype cook = (_: {\ndish: {\n  of: string,\n},\n\
            more?: {\n  of: string,\n}[],\nlost?: any,\nfar?: any,\n}) => any;\n\n} // namespace functions";
        assert_eq!(namespace(&[&function]), expected);
        let knot = json!({"name": "f", "parameters": {"properties": {
            "a": {"$ref": "#/properties/b"},
            "b": {"anyOf": [{"$ref": "#/properties/a"}, {"$ref": "#/properties/b"}, {"$ref": "#"}]},
        }}});
        assert!(namespace(&[&knot]).len() < 20_000);
    }

    #[test]
    fn the_words_of_a_definition_are_not_its_grammar() {
        let definition = json!({"name": "f", "parameters": {"type": "OBJECT", "required": ["a"],
            "properties": {"a": {"type": "STRING", "description": "what", "enum": ["x"]}}}});
        assert_eq!(words(&definition), ["f", "a", "what", "x"]);
    }

    #[test]
    fn odd_schemas_are_survived() {
        let mut deep = json!({"type": "string"});
        for _ in 0..100 {
            deep = json!({"type": "object", "properties": {"a": {"type": "array", "items": deep}}});
        }
        let odd = [json!({"name": 7, "parameters": deep}), json!(null), json!([])];
        assert!(namespace(&odd.iter().collect::<Vec<_>>()).len() < 10_000);
    }
}
