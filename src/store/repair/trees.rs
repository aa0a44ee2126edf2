//! SQLite's trees: what is a page of which, and the rows on it.
//!
//! A row is taken from the page it stands on, never by way of the pages above. So a damaged page costs its own rows
//! and no others: neither a root nor the schema is needed to find the rest.

use rusqlite::types::Value;

use super::bytes::{record, take_varint, u16_at, u32_at};
use super::pages::{PAGE, Page, Pages};

/// No row of ours is nearly as long: more is damage.
const LONGEST: usize = 1 << 20;

/// What a page of a tree is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Of a table with row ids: keys and children only.
    TableInner,
    /// Of a table with row ids: rows.
    TableLeaf,
    /// Of an index, or a table without row ids: rows and children.
    IndexInner,
    /// Of an index, or a table without row ids: rows.
    IndexLeaf,
}

/// A row, as its record says; `rowid` where its table has such.
pub(super) struct Cells {
    pub(super) rows: Vec<(Option<i64>, Vec<Value>)>,
    /// Rows that cannot be read.
    pub(super) bad: u64,
}

/// A page's place in the file matters: the first one begins with the file's header.
const fn start(number: u32) -> usize {
    if number == 1 { 100 } else { 0 }
}

/// What kind of tree's page it is; `None` if it is none.
pub(super) fn kind(number: u32, page: &Page) -> Option<Kind> {
    match page[start(number)] {
        0x02 => Some(Kind::IndexInner),
        0x05 => Some(Kind::TableInner),
        0x0a => Some(Kind::IndexLeaf),
        0x0d => Some(Kind::TableLeaf),
        _ => None,
    }
}

/// Where the cells of a page begin.
fn cells(number: u32, kind: Kind, page: &Page) -> impl Iterator<Item = usize> {
    let start = start(number);
    let first = start + if is_inner(kind) { 12 } else { 8 };
    let count = usize::from(u16_at(&page[..], start + 3)).min((PAGE - first) / 2);
    (0..count).map(move |index| usize::from(u16_at(&page[..], first + 2 * index)))
}

const fn is_inner(kind: Kind) -> bool {
    matches!(kind, Kind::TableInner | Kind::IndexInner)
}

/// The pages below one.
pub(super) fn children(number: u32, page: &Page) -> Vec<u32> {
    let Some(kind) = kind(number, page).filter(|kind| is_inner(*kind)) else {
        return Vec::new();
    };
    let last = u32_at(&page[..], start(number) + 8);
    cells(number, kind, page)
        .map(|at| u32_at(&page[..], at))
        .chain([last])
        .collect()
}

/// The rows that stand on a page.
pub(super) fn rows(pages: &mut Pages, number: u32, page: &Page) -> std::io::Result<Cells> {
    let mut found = Cells {
        rows: Vec::new(),
        bad: 0,
    };
    let Some(kind) = kind(number, page).filter(|kind| *kind != Kind::TableInner) else {
        return Ok(found);
    };
    for at in cells(number, kind, page) {
        let skipped = if kind == Kind::IndexInner { 4 } else { 0 };
        match row(pages, kind, page.get(at + skipped..).unwrap_or_default())? {
            Some(row) => found.rows.push(row),
            None => found.bad += 1,
        }
    }
    Ok(found)
}

fn row(pages: &mut Pages, kind: Kind, mut cell: &[u8]) -> std::io::Result<Option<(Option<i64>, Vec<Value>)>> {
    let length = take_varint(&mut cell).and_then(|length| usize::try_from(length).ok());
    let Some(length) = length.filter(|length| (1..=LONGEST).contains(length)) else {
        return Ok(None);
    };
    let rowid = match kind {
        Kind::TableLeaf => match take_varint(&mut cell) {
            Some(rowid) => Some(rowid.cast_signed()),
            None => return Ok(None),
        },
        _ => None,
    };
    let local = local(kind, length);
    let Some(here) = cell.get(..local) else {
        return Ok(None);
    };
    let values = if local == length {
        record(here)
    } else {
        let mut payload = here.to_vec();
        let mut next = u32_at(cell, local);
        while payload.len() < length {
            let Some(page) = pages.read(next)? else {
                return Ok(None);
            };
            let left = length - payload.len();
            payload.extend(page[4..].iter().take(left));
            next = u32_at(&page[..], 0);
        }
        record(&payload)
    };
    Ok(values.map(|values| (rowid, values)))
}

/// How much of a payload stands on the page itself; the rest is on overflow pages.
const fn local(kind: Kind, length: usize) -> usize {
    let most = match kind {
        Kind::TableLeaf => PAGE - 35,
        _ => (PAGE - 12) * 64 / 255 - 23,
    };
    if length <= most {
        return length;
    }
    let least = (PAGE - 12) * 32 / 255 - 23;
    let full = least + (length - least) % (PAGE - 4);
    if full <= most { full } else { least }
}

/// How many pages a page of the map of pages speaks of.
const MAPPED: u32 = (PAGE / 5) as u32;

/// The page of the map that speaks of a page; there is one before every group (the file has `auto_vacuum`).
const fn map_of(number: u32) -> u32 {
    (number - 2) / (MAPPED + 1) * (MAPPED + 1) + 2
}

/// Whether a page is one of the map, or the map calls it free: what stands there is no row, or no longer.
pub(super) fn is_free(
    pages: &mut Pages,
    map: &mut Option<(u32, Page)>,
    number: u32,
) -> std::io::Result<bool> {
    const FREE: u8 = 2;
    if number < 2 {
        return Ok(false);
    }
    let at = map_of(number);
    if at == number {
        return Ok(true);
    }
    if map.as_ref().is_none_or(|(known, _)| *known != at) {
        *map = pages.read(at)?.map(|page| (at, page));
    }
    let entry = 5 * (number - at - 1) as usize;
    Ok(map.as_ref().is_some_and(|(_, page)| page[entry] == FREE))
}
