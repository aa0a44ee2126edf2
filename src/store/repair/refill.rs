//! Moves what can be read of a damaged file into an empty database.

use std::collections::{BTreeMap, HashSet};

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::layout::{Object, objects};
use super::pages::Pages;
use super::trees::{self, Kind};
use crate::domain::units::Timestamp;
use crate::store::error::ReadError;
use crate::store::{calls, rollups};

/// What became of a table's rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// They are in the new file.
    pub kept: u64,
    /// They are known to have been there, and could not be read.
    pub lost: u64,
}

/// What was moved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Moved {
    pub(super) tables: BTreeMap<String, Rows>,
    /// Pages of tables that could not be read: what stood on them is lost, too.
    pub(super) unreadable_pages: u64,
}

/// Sums over other tables are made anew; but for those over calls that are no longer kept.
const DERIVED: [&str; 2] = [SUMS, "call_places"];
const SUMS: &str = "rollups";

/// Which table or index each page belongs to.
struct Owners {
    of_page: Vec<Option<usize>>,
    unreadable: u64,
    unreadable_sums: u64,
}

/// Moves all rows. The new database has the schema that the damaged one had.
pub(super) fn refill(pages: &mut Pages, connection: &Connection) -> Result<Moved, ReadError> {
    let objects = objects(connection)?;
    let mut owners = owners(pages, &objects).map_err(unreadable)?;
    let mut moved = Moved::default();
    let mut found_by_shape = Vec::new();
    let mut map = None;
    for number in 1..=pages.count() {
        match owners.of_page.get(number as usize) {
            Some(Some(owner)) => move_page(pages, connection, &objects[*owner], number, &mut moved)?,
            // What the trees do not lead to, because what leads there is damaged.
            Some(None) => {
                if !trees::is_free(pages, &mut map, number).map_err(unreadable)?
                    && let Some(owner) = by_shape(pages, &objects, number).map_err(unreadable)?
                {
                    owners.of_page[number as usize] = Some(owner);
                    found_by_shape.push((number, owner));
                }
            }
            None => {}
        }
    }
    for (number, owner) in found_by_shape {
        move_page(pages, connection, &objects[owner], number, &mut moved)?;
    }
    if let Some(since) = calls::since(connection)? {
        let mut sums = Rows::default();
        for (number, owner) in (0..).zip(&owners.of_page) {
            if let Some(owner) = owner
                && objects[*owner].name == SUMS
            {
                sums.lost += move_sums(pages, connection, &objects[*owner], number, since)?;
            }
        }
        moved.tables.insert(SUMS.to_owned(), sums);
        owners.unreadable += owners.unreadable_sums;
    }
    for (index, object) in objects.iter().enumerate() {
        if !object.is_index || DERIVED.contains(&object.table.as_str()) {
            continue;
        }
        let its_pages = (1..=pages.count()).filter(|number| owners.of_page[*number as usize] == Some(index));
        let its_pages: Vec<u32> = its_pages.collect();
        let lost = use_index(pages, connection, object, &its_pages)?;
        let table = moved.tables.entry(object.table.clone()).or_default();
        table.lost = table.lost.max(lost);
    }
    for (table, rows) in &mut moved.tables {
        let count = format!("SELECT count(*) FROM {table}");
        rows.kept = connection
            .query_row(&count, [], |row| row.get::<_, i64>(0))?
            .unsigned_abs();
    }
    moved.unreadable_pages = owners.unreadable;
    Ok(moved)
}

fn unreadable(error: std::io::Error) -> ReadError {
    ReadError::Sqlite(rusqlite::Error::ToSqlConversionFailure(error.into()))
}

/// Follows each tree from its root.
fn owners(pages: &mut Pages, objects: &[Object]) -> std::io::Result<Owners> {
    let mut owners = Owners {
        of_page: vec![None; pages.count() as usize + 1],
        unreadable: 0,
        unreadable_sums: 0,
    };
    for (name, root) in roots(pages)? {
        let Some(owner) = objects.iter().position(|object| object.name == name) else {
            continue;
        };
        let object = &objects[owner];
        let mut waiting = vec![root];
        while let Some(number) = waiting.pop() {
            let Some(slot @ None) = owners.of_page.get_mut(number as usize) else {
                continue;
            };
            let page = pages.read(number)?;
            let kind = page.as_ref().and_then(|page| trees::kind(number, page));
            match (page, kind) {
                (Some(page), Some(kind)) if number > 1 && object.has_pages_of(kind) => {
                    *slot = Some(owner);
                    waiting.extend(trees::children(number, &page));
                }
                _ if object.name == SUMS => owners.unreadable_sums += 1,
                _ if object.is_index || DERIVED.contains(&name.as_str()) => {}
                _ => owners.unreadable += 1,
            }
        }
    }
    Ok(owners)
}

/// The tables of which a page is among the first ones, as far as its rows tell.
pub(super) fn tables_by_shape(
    pages: &mut Pages,
    schema: &Connection,
    most: u32,
) -> Result<HashSet<String>, ReadError> {
    let objects = objects(schema)?;
    let mut found = HashSet::new();
    for number in 2..=pages.count().min(most) {
        if let Some(owner) = by_shape(pages, &objects, number).map_err(unreadable)?
            && !objects[owner].is_index
        {
            found.insert(objects[owner].table.clone());
        }
    }
    Ok(found)
}

/// The root of each table and index, as the schema says: by its tree, or, where that is damaged, by what looks like it.
pub(super) fn roots(pages: &mut Pages) -> std::io::Result<BTreeMap<String, u32>> {
    let mut roots = BTreeMap::new();
    let mut seen = HashSet::new();
    let mut waiting = vec![1];
    while let Some(number) = waiting.pop() {
        if seen.insert(number)
            && let Some(page) = pages.read(number)?
        {
            waiting.extend(trees::children(number, &page));
            add_roots(pages, number, &mut roots)?;
        }
    }
    if !roots.contains_key("calls") {
        for number in 1..=pages.count() {
            add_roots(pages, number, &mut roots)?;
        }
    }
    Ok(roots)
}

fn add_roots(pages: &mut Pages, number: u32, roots: &mut BTreeMap<String, u32>) -> std::io::Result<()> {
    let Some(page) = pages.read(number)? else {
        return Ok(());
    };
    if trees::kind(number, &page) != Some(Kind::TableLeaf) {
        return Ok(());
    }
    for (_, row) in trees::rows(pages, number, &page)?.rows {
        if let [
            Value::Text(kind),
            Value::Text(name),
            Value::Text(_),
            Value::Integer(root),
            _,
        ] = &row[..]
            && matches!(kind.as_str(), "table" | "index")
            && let Ok(root) = u32::try_from(*root)
        {
            roots.entry(name.clone()).or_insert(root);
        }
    }
    Ok(())
}

/// The one table or index whose rows look like those of a page.
fn by_shape(pages: &mut Pages, objects: &[Object], number: u32) -> std::io::Result<Option<usize>> {
    let Some(page) = pages.read(number)? else {
        return Ok(None);
    };
    let Some(kind) = trees::kind(number, &page) else {
        return Ok(None);
    };
    let rows = trees::rows(pages, number, &page)?.rows;
    if rows.is_empty() {
        return Ok(None);
    }
    let mut fitting = objects.iter().enumerate().filter(|(_, object)| {
        object.has_pages_of(kind) && rows.iter().all(|(_, values)| object.fits(values))
    });
    let first = fitting.next();
    Ok(first.filter(|_| fitting.next().is_none()).map(|(index, _)| index))
}

fn move_page(
    pages: &mut Pages,
    connection: &Connection,
    object: &Object,
    number: u32,
    moved: &mut Moved,
) -> Result<(), ReadError> {
    if object.is_index || DERIVED.contains(&object.name.as_str()) {
        return Ok(());
    }
    let Some(page) = pages.read(number).map_err(unreadable)? else {
        return Ok(());
    };
    let cells = trees::rows(pages, number, &page).map_err(unreadable)?;
    let table = moved.tables.entry(object.table.clone()).or_default();
    table.lost += cells.bad;
    for (rowid, mut values) in cells.rows {
        object.complete(rowid, &mut values);
        if !object.fits(&values) || insert(connection, object, &values).is_err() {
            table.lost += 1;
        }
    }
    Ok(())
}

/// Moves the sums of the quarters before a moment: not all their calls are kept. Gives how many rows were lost.
fn move_sums(
    pages: &mut Pages,
    connection: &Connection,
    object: &Object,
    number: u32,
    since: Timestamp,
) -> Result<u64, ReadError> {
    let Some(page) = pages.read(number).map_err(unreadable)? else {
        return Ok(0);
    };
    let cells = trees::rows(pages, number, &page).map_err(unreadable)?;
    let mut lost = cells.bad;
    for (_, values) in cells.rows {
        match &values[..] {
            [Value::Integer(rollups::QUARTERS), Value::Integer(bucket), ..]
                if *bucket < since.0
                    && (!object.fits(&values) || insert(connection, object, &values).is_err()) =>
            {
                lost += 1;
            }
            _ => {}
        }
    }
    Ok(lost)
}

fn insert(connection: &Connection, object: &Object, values: &[Value]) -> rusqlite::Result<()> {
    let names: Vec<&str> = object
        .columns
        .iter()
        .take(values.len())
        .map(|column| column.name.as_str())
        .collect();
    let sql = format!(
        "INSERT OR IGNORE INTO {} ({}) VALUES ({})",
        object.table,
        names.join(", "),
        vec!["?"; values.len()].join(", ")
    );
    connection
        .prepare_cached(&sql)?
        .execute(params_from_iter(values))?;
    Ok(())
}

/// Makes rows of what an index repeats of rows that are gone: it is all of a name, and the id of a session. Gives how
/// many rows could not be made.
fn use_index(
    pages: &mut Pages,
    connection: &Connection,
    object: &Object,
    its_pages: &[u32],
) -> Result<u64, ReadError> {
    let conditions: Vec<String> = object
        .columns
        .iter()
        .map(|column| format!("{} IS ?", column.name))
        .collect();
    let exists = format!(
        "SELECT 1 FROM {} WHERE {}",
        object.table,
        conditions.join(" AND ")
    );
    let mut lost = 0;
    for number in its_pages {
        let Some(page) = pages.read(*number).map_err(unreadable)? else {
            continue;
        };
        for (_, values) in trees::rows(pages, *number, &page).map_err(unreadable)?.rows {
            if !object.fits(&values) {
                continue;
            }
            let mut exists = connection.prepare_cached(&exists)?;
            if !exists.exists(params_from_iter(&values))? {
                insert(connection, object, &values).ok();
                if !exists.exists(params_from_iter(&values))? {
                    lost += 1;
                }
            }
        }
    }
    Ok(lost)
}
