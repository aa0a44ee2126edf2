//! Changes of the user's configuration file: in place, with every comment, and only if what comes of it can be used.

use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use tempfile::NamedTempFile;
use toml_edit::{Array, ArrayOfTables, Document, DocumentMut, Item, Table};

use super::error::ConfigError;
use super::raw::File;
use super::resolve::{Environment, Flags, Settings, config_file};
use super::said::Layer;
use super::table::{self, Change, SETTINGS};
use crate::domain::wire::SettingSource;

/// The list of the user's own prices, which is changed as a whole.
const PRICES: &str = "prices";

/// Why settings were not changed. The file is as it was.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// A setting cannot be changed, or not to that.
    #[error("`{name}`: {problem}")]
    Setting {
        /// Its key.
        name: String,
        /// Why not.
        problem: String,
    },
    /// What would come of it cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// These settings are nobody's to change, or their file has no place.
    #[error("{0}")]
    Fixed(&'static str),
    /// The file cannot be read or written.
    #[error("cannot write the configuration file {}: {source}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl ChangeError {
    /// The setting that is at fault, where it is known.
    #[must_use]
    pub fn setting(&self) -> Option<&str> {
        match self {
            Self::Setting { name, .. } => Some(name),
            Self::Config(ConfigError::File { key, .. }) => Some(key),
            Self::Config(ConfigError::Value { name, .. }) => {
                let by_variable = SETTINGS.iter().find(|setting| setting.variable == Some(name));
                Some(by_variable.map_or(name.as_str(), |setting| setting.name))
            }
            _ => None,
        }
    }
}

impl Settings {
    /// The same settings for a program whose requests change none of them.
    #[must_use]
    pub fn fixed(self) -> Self {
        Self { above: None, ..self }
    }

    /// What a request may change: each with what it means and what it is by itself.
    pub(crate) fn changeable() -> impl Iterator<Item = (&'static str, &'static str, Value)> {
        let built_in = Self::built_in(Path::new(""));
        let changeable = SETTINGS.iter().filter(|setting| setting.change != Change::InFile);
        changeable.map(move |setting| {
            let default = built_in.as_ref().map_or(Value::Null, setting.value);
            (setting.name, setting.meaning, default)
        })
    }

    /// Whether a request may change a setting; as a sentence, why not.
    pub(super) fn may_change(&self, name: &str) -> Result<(), String> {
        if self.above.is_none() {
            return Err("these settings are fixed".to_owned());
        }
        match table::find(name).map(|setting| setting.change) {
            None if name == PRICES => Ok(()),
            None if name.starts_with("mounts.") || name.starts_with("notify") => {
                Err("where calls and alerts go, only the configuration file says".to_owned())
            }
            None => Err("there is no such setting; GET /api/settings lists them".to_owned()),
            Some(Change::InFile) => Err("only the configuration file says this".to_owned()),
            Some(Change::Later | Change::AtOnce) => match self.said.source(name) {
                SettingSource::Environment { variable } => Err(format!(
                    "the environment's {variable} sets it, which goes before the file: unset that first"
                )),
                SettingSource::Flag { flag } => Err(format!(
                    "{flag} sets it, which goes before the file: leave that out first"
                )),
                SettingSource::Default | SettingSource::File { .. } => Ok(()),
            },
        }
    }

    /// Changes what the user's file says, and gives what is set then. `null` takes a setting out of the file. The
    /// prices are one list.
    ///
    /// # Errors
    /// Nothing was changed.
    pub fn change(&self, changes: &Map<String, Value>) -> Result<Self, ChangeError> {
        let Some((environment, flags)) = &self.above else {
            return Err(ChangeError::Fixed("the settings of this Moonlock are fixed"));
        };
        for name in changes.keys() {
            self.may_change(name).map_err(|problem| ChangeError::Setting {
                name: name.clone(),
                problem,
            })?;
        }
        let file = config_file(environment, flags).ok_or(ChangeError::Fixed(
            "it is not known where the configuration file belongs: start Moonlock with --config FILE",
        ))?;
        Self::rewrite(environment, flags, &file, |before| {
            // What is no TOML is told of with its line.
            File::parse(&file, before, Layer::Users)?;
            changes.iter().try_fold(before.to_owned(), |text, (name, value)| {
                with(&text, name, value).map_err(|problem| ChangeError::Setting {
                    name: name.clone(),
                    problem: problem.to_owned(),
                })
            })
        })
    }

    /// Writes the configuration file anew, if what comes of it can be used, and gives what is set then. The file is
    /// whole at every moment.
    ///
    /// # Errors
    /// The file is as it was.
    pub(crate) fn rewrite(
        environment: &Environment,
        flags: &Flags,
        file: &Path,
        edit: impl FnOnce(&str) -> Result<String, ChangeError>,
    ) -> Result<Self, ChangeError> {
        let failed = |source| ChangeError::File {
            file: file.to_owned(),
            source,
        };
        let before = match std::fs::read_to_string(file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            read => read.map_err(failed)?,
        };
        let after = edit(&before)?;
        let settings = Self::with_file(environment, flags, file.to_owned(), &after)?;
        put_in_place(file, &after).map_err(failed)?;
        Ok(Self {
            above: Some((environment.clone(), flags.clone())),
            ..settings
        })
    }
}

fn put_in_place(file: &Path, text: &str) -> io::Result<()> {
    // A link stays one.
    let file = std::fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    let directory = match file.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    std::fs::create_dir_all(directory)?;
    let new = NamedTempFile::new_in(directory)?;
    std::fs::write(new.path(), text)?;
    if let Ok(old) = std::fs::metadata(&file) {
        std::fs::set_permissions(new.path(), old.permissions())?;
    }
    new.as_file().sync_all()?;
    new.persist(&file)?;
    Ok(())
}

/// A file's text with one setting changed.
fn with(text: &str, name: &str, value: &Value) -> Result<String, &'static str> {
    if value.is_null() && name != PRICES {
        return Ok(without(text, name));
    }
    let mut document: DocumentMut = text.parse().map_err(|_| "the file is no TOML")?;
    match (name.split_once('.'), value) {
        (Some((table, key)), value) => set(&mut document, table, key, value)?,
        (None, Value::Array(list)) => set_list(&mut document, name, list)?,
        (None, Value::Null) => drop(document.remove(name)),
        (None, _) => return Err("expected a list of objects"),
    }
    Ok(document.to_string())
}

fn set(document: &mut DocumentMut, table: &str, key: &str, value: &Value) -> Result<(), &'static str> {
    let new = written(value)?;
    let table = document
        .entry(table)
        .or_insert_with(|| Item::Table(Table::new()))
        .as_table_like_mut()
        .ok_or("its table is none in the file")?;
    put(table, key, new);
    Ok(())
}

fn put(table: &mut dyn toml_edit::TableLike, key: &str, mut new: toml_edit::Value) {
    match table.get_mut(key) {
        Some(Item::Value(old)) => {
            // The comment behind it.
            *new.decor_mut() = old.decor().clone();
            *old = new;
        }
        _ => drop(table.insert(key, Item::Value(new))),
    }
}

/// Takes a key's line out. The comment above it stays.
fn without(text: &str, name: &str) -> String {
    let line = || {
        let document = Document::parse(text).ok()?;
        let (table, key) = name.split_once('.')?;
        let (key, value) = document.get(table)?.as_table()?.get_key_value(key)?;
        let (start, end) = (key.span()?.start, value.span()?.end);
        let start = text.get(..start)?.rfind('\n').map_or(0, |at| at + 1);
        let rest = text.get(end..)?;
        let end = end + rest.find('\n').map_or(rest.len(), |at| at + 1);
        Some(format!("{}{}", text.get(..start)?, text.get(end..)?))
    };
    let inside = || {
        let mut document: DocumentMut = text.parse().ok()?;
        let (table, key) = name.split_once('.')?;
        document.get_mut(table)?.as_table_like_mut()?.remove(key)?;
        Some(document.to_string())
    };
    line().or_else(inside).unwrap_or_else(|| text.to_owned())
}

/// Makes a list of tables anew. What stays as it was keeps its place and its comments, and so does what is changed where
/// it stands.
fn set_list(document: &mut DocumentMut, name: &str, list: &[Value]) -> Result<(), &'static str> {
    let mut old: Vec<Option<Table>> = match document.remove(name) {
        Some(Item::ArrayOfTables(tables)) => tables.into_iter().map(Some).collect(),
        Some(Item::Value(toml_edit::Value::Array(tables))) => {
            let tables = tables.into_iter();
            let tables = tables.filter_map(|table| match table {
                toml_edit::Value::InlineTable(table) => Some(Some(table.into_table())),
                _ => None,
            });
            tables.collect()
        }
        _ => Vec::new(),
    };
    let wanted: Vec<&Map<String, Value>> = list
        .iter()
        .map(|element| element.as_object().ok_or("expected a list of objects"))
        .collect::<Result<_, _>>()?;
    let mut same: Vec<Option<Table>> = wanted
        .iter()
        .map(|wanted| {
            let is_same = |table: &Option<Table>| table.as_ref().is_some_and(|table| holds(table, wanted));
            old.iter().position(is_same).and_then(|at| old[at].take())
        })
        .collect();
    let mut tables = ArrayOfTables::new();
    for (at, wanted) in wanted.iter().enumerate() {
        let mut table = match same[at].take() {
            Some(table) => table,
            None => old.get_mut(at).and_then(Option::take).unwrap_or_default(),
        };
        table.retain(|key, _| wanted.get(key).is_some_and(|value| !value.is_null()));
        for (key, value) in wanted.iter().filter(|(_, value)| !value.is_null()) {
            if table.get(key).is_none_or(|item| !is(item, value)) {
                // A day stands there without quotes.
                let day = value.as_str().filter(|_| key == "from");
                let day = day.and_then(|text| text.parse::<toml_edit::Datetime>().ok());
                put(
                    &mut table,
                    key,
                    day.map_or_else(|| written(value), |day| Ok(day.into()))?,
                );
            }
        }
        tables.push(table);
    }
    // A table is written where it stood, one without a place behind the others: so that their order is the wanted one.
    let mut places: Vec<_> = tables.iter().map(Table::position).collect();
    places.sort_unstable();
    let all_stood = places.first().is_some_and(Option::is_some);
    for (table, place) in tables.iter_mut().zip(places) {
        table.set_position(place.filter(|_| all_stood));
    }
    if !tables.is_empty() {
        document.insert(name, Item::ArrayOfTables(tables));
    }
    Ok(())
}

fn holds(table: &Table, wanted: &Map<String, Value>) -> bool {
    let said = wanted.iter().filter(|(_, value)| !value.is_null());
    said.clone().count() == table.len()
        && said
            .into_iter()
            .all(|(key, value)| table.get(key).is_some_and(|item| is(item, value)))
}

/// Whether the file says that already, in whatever way it writes it.
fn is(item: &Item, value: &Value) -> bool {
    match (item.as_value(), value) {
        (Some(toml_edit::Value::Datetime(day)), Value::String(text)) => day.value().to_string() == *text,
        (Some(toml_edit::Value::String(said)), Value::String(text)) => said.value() == text,
        (Some(toml_edit::Value::Integer(said)), value) => value.as_i64() == Some(*said.value()),
        (Some(toml_edit::Value::Float(said)), value) => value.as_f64() == Some(*said.value()),
        _ => false,
    }
}

/// A value as a file says it.
fn written(value: &Value) -> Result<toml_edit::Value, &'static str> {
    Ok(match value {
        Value::Bool(is_so) => (*is_so).into(),
        Value::String(text) => text.as_str().into(),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => number.into(),
            (None, Some(real)) if number.is_f64() => real.into(),
            _ => return Err("the number is too large"),
        },
        Value::Array(list) => {
            let list: Array = list.iter().map(written).collect::<Result<_, _>>()?;
            list.into()
        }
        Value::Null | Value::Object(_) => return Err("expected text, a number, true, false or a list"),
    })
}

#[cfg(test)]
mod tests;
