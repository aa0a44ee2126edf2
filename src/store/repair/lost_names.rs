//! Names that are lost, while rows refer to them.
//!
//! Each gets a placeholder under its old id: rows that had it in common still have it in common, and no new name can
//! take the id and be read in its place. What has to be one of a few names, as a call's outcome, falls back to a value
//! that claims nothing, or to none.

use std::collections::BTreeSet;

use rusqlite::{Connection, params};

use crate::domain::call::{Attribution, Outcome, Source};
use crate::domain::operation::Operation;
use crate::domain::pricing::PriceSource;
use crate::store::names::Dictionary;

/// Stands where a name is lost, before the number that rows refer to it by.
const LOST: &str = "unknown (lost";

/// What a column's names have to be.
enum Names {
    /// Any text.
    Any,
    /// One of a few; where it is lost, nothing.
    OneOrNone(fn(&str) -> bool),
    /// One of a few; where it is lost, this.
    OneOrElse(fn(&str) -> bool, &'static str),
}

use Names::{Any, OneOrElse, OneOrNone};

/// The columns of `calls` and `running_calls` that refer to names.
const OF_STARTS: [(&str, Names); 11] = [
    (
        "attribution",
        OneOrElse(
            |name| Attribution::from_name(name).is_some(),
            Attribution::Unassigned.name(),
        ),
    ),
    ("provider", Any),
    ("price_provider", Any),
    (
        "operation",
        OneOrElse(
            |name| Operation::from_name(name).is_some(),
            Operation::Manual.name(),
        ),
    ),
    ("request_model", Any),
    ("conversation", Any),
    ("client", Any),
    ("asked", Any),
    (
        "asked_by",
        OneOrNone(|name| Attribution::from_name(name).is_some()),
    ),
    ("agent", Any),
    ("parent_agent", Any),
];

/// The further columns of `calls` that do.
const OF_ENDS: [(&str, Names); 6] = [
    (
        "outcome",
        OneOrElse(
            |name| Outcome::from_name(name).is_some(),
            Outcome::Interrupted.name(),
        ),
    ),
    ("model", Any),
    ("source", OneOrNone(|name| Source::from_name(name).is_some())),
    ("error", Any),
    (
        "price_source",
        OneOrNone(|name| PriceSource::from_name(name).is_some()),
    ),
    (
        "price_date",
        OneOrNone(|name| name.parse::<jiff::civil::Date>().is_ok()),
    ),
];

/// Makes every reference to a name lead to one. Gives how many names are lost.
pub(super) fn replace(connection: &Connection) -> rusqlite::Result<u64> {
    const INSERT: &str = "INSERT INTO names (id, name) VALUES (?1, ?2)";
    let columns = || {
        let starts = OF_STARTS.iter().map(|column| ("running_calls", column));
        let of_calls = OF_STARTS.iter().chain(&OF_ENDS).map(|column| ("calls", column));
        starts.chain(of_calls)
    };
    let mut lost: BTreeSet<i64> = BTreeSet::new();
    for (table, (column, _)) in columns() {
        let select = format!(
            "SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL AND {column} NOT IN (SELECT id FROM names)"
        );
        let mut statement = connection.prepare(&select)?;
        let ids = statement.query_map([], |row| row.get(0))?;
        for id in ids {
            lost.insert(id?);
        }
    }
    for id in &lost {
        connection.execute(INSERT, params![id, format!("{LOST} {id})")])?;
    }
    let mut dictionary = Dictionary::default();
    for (table, (column, names)) in columns() {
        let (is_one, other) = match names {
            Any => continue,
            OneOrNone(is_one) => (is_one, None),
            OneOrElse(is_one, other) => (is_one, Some(*other)),
        };
        mend(connection, &mut dictionary, (table, column), *is_one, other)?;
    }
    for table in ["calls", "running_calls"] {
        // What was asked for and by which means are known together or not at all.
        let together = format!(
            "UPDATE {table} SET asked = NULL, asked_by = NULL WHERE (asked IS NULL) <> (asked_by IS NULL)"
        );
        connection.execute(&together, [])?;
    }
    Ok(lost.len() as u64)
}

/// Replaces the names of a column that cannot stand there.
fn mend(
    connection: &Connection,
    dictionary: &mut Dictionary,
    (table, column): (&str, &str),
    is_one: fn(&str) -> bool,
    other: Option<&str>,
) -> rusqlite::Result<()> {
    let select = format!("SELECT id, name FROM names WHERE id IN (SELECT {column} FROM {table})");
    let mut statement = connection.prepare(&select)?;
    let used = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let used: Vec<(i64, String)> = used.collect::<rusqlite::Result<_>>()?;
    for (id, _) in used.iter().filter(|(_, name)| !is_one(name)) {
        let other = dictionary.optional(connection, other)?;
        let update = format!("UPDATE {table} SET {column} = ?1 WHERE {column} = ?2");
        connection.execute(&update, params![other, id])?;
    }
    Ok(())
}
