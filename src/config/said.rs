//! Who said what: for each key of the configuration files, its value and where it stands; and what variables and flags
//! set above them.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::raw::Place;
use crate::domain::wire::SettingSource;

/// Where a file stands among the layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layer {
    /// It comes with the program.
    BuiltIn,
    /// It is the user's.
    Users,
}

/// What was said, by dotted key. An element of a list has its number: `prices[0]`.
#[derive(Clone, Default)]
pub(super) struct Said(BTreeMap<String, (SettingSource, Value)>);

/// What variables hold may be secret.
impl std::fmt::Debug for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sources = self.0.iter().map(|(name, (source, _))| (name, source));
        f.debug_map().entries(sources).finish()
    }
}

/// How deep tables go: `mounts.NAME.key`. What is below is one value.
const DEPTH: usize = 3;

impl Said {
    /// What a file says. A text that is no TOML says nothing: reading it fails elsewhere.
    pub(super) fn of_file(path: &Path, text: &str, layer: Layer) -> Self {
        let mut said = Self::default();
        let source = |at: usize| match layer {
            Layer::BuiltIn => SettingSource::Default,
            Layer::Users => SettingSource::File {
                file: path.display().to_string(),
                line: Place::find(text, at).line,
            },
        };
        if let Ok(table) = DeTable::parse(text) {
            said.add("", 1, table.get_ref(), &source);
        }
        said
    }

    fn add(
        &mut self,
        above: &str,
        depth: usize,
        table: &DeTable<'_>,
        source: &impl Fn(usize) -> SettingSource,
    ) {
        for (key, value) in table {
            let name = match above {
                "" => key.get_ref().to_string(),
                above => format!("{above}.{}", key.get_ref()),
            };
            match value.get_ref() {
                DeValue::Table(table) if depth < DEPTH => self.add(&name, depth + 1, table, source),
                DeValue::Array(list) if depth == 1 => {
                    for (at, element) in list.iter().enumerate() {
                        let said = (source(element.span().start), json(element));
                        self.0.insert(format!("{name}[{at}]"), said);
                    }
                }
                _ => {
                    self.0.insert(name, (source(key.span().start), json(value)));
                }
            }
        }
    }

    /// Lays what another file says over it.
    pub(super) fn overlay(&mut self, over: Self) {
        self.0.extend(over.0);
    }

    /// A variable set it.
    pub(super) fn by_variable(&mut self, name: &str, variable: &str, value: Value) {
        let variable = variable.to_owned();
        self.0
            .insert(name.to_owned(), (SettingSource::Environment { variable }, value));
    }

    /// A flag set it.
    pub(super) fn by_flag(&mut self, name: &str, flag: &str, value: Value) {
        let flag = flag.to_owned();
        self.0
            .insert(name.to_owned(), (SettingSource::Flag { flag }, value));
    }

    /// Who said what that key is.
    pub(super) fn source(&self, name: &str) -> SettingSource {
        self.0
            .get(name)
            .map_or(SettingSource::Default, |(source, _)| source.clone())
    }

    /// The keys that begin so, with who said what.
    pub(super) fn below<'a>(
        &'a self,
        start: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a SettingSource, &'a Value)> {
        let from = self.0.range(start.to_owned()..);
        from.take_while(move |(name, _)| name.starts_with(start))
            .map(|(name, (source, value))| (name.as_str(), source, value))
    }

    /// The value that a file says.
    pub(super) fn value(&self, name: &str) -> Value {
        self.0.get(name).map_or(Value::Null, |(_, value)| value.clone())
    }
}

fn json(value: &Spanned<DeValue<'_>>) -> Value {
    match value.get_ref() {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or_else(|_| Value::String(number.to_string()), Value::from),
        DeValue::Float(number) => number.as_str().parse::<f64>().map_or(Value::Null, Value::from),
        DeValue::Boolean(is_so) => Value::Bool(*is_so),
        DeValue::Datetime(moment) => Value::String(moment.to_string()),
        DeValue::Array(list) => list.iter().map(json).collect(),
        DeValue::Table(table) => {
            let entries = table
                .iter()
                .map(|(key, value)| (key.get_ref().to_string(), json(value)));
            Value::Object(entries.collect::<Map<String, Value>>())
        }
    }
}
