//! Where calls are that a filter lets pass: the table `call_places`.
//!
//! An index of `calls` by each thing that can be asked for would cost every call a page for each. Instead it is noted in
//! which blocks of ids (a quarter of an hour each: ids begin with their moment) there are calls with a value; a value
//! that occurs again in its block costs nothing. A question reads the blocks that have all that it asks for, the newest
//! first, and of those only the calls.
//!
//! What is noted stays noted when a call is changed or deleted: a block may then be read in vain, and no call is missed. Of
//! calls that are no longer kept it goes bit by bit, with each piece of them ([`Noted::sweep`]).

use std::collections::{BTreeSet, HashMap};

use foldhash::HashSet;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::filters::{Filters, id_at};
use crate::domain::call::Call;
use crate::domain::units::Timestamp;
use crate::store::error::ReadError;
use crate::store::names::Lookup;
use crate::store::rollups::Key;

/// How long a block is.
const BLOCK_MS: i64 = 15 * 60 * 1_000;

/// So many places are remembered as noted; then the memory starts afresh.
const REMEMBERED: usize = 16_384;

/// Of a filter that lets more values pass than these the places do not help.
const MOST_VALUES: usize = 256;
/// Nor of a search that more names match, of all kinds.
const MOST_NAMES: usize = 4_096;

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Provider = 1,
    Model = 2,
    Operation = 3,
    Outcome = 4,
    Source = 5,
    Conversation = 6,
    Agent = 7,
    Client = 8,
    Status = 9,
    /// The cost's magnitude.
    Cost = 10,
    /// The magnitude of all tokens.
    Tokens = 11,
}

/// How large a number is: the power of two above it. Of two numbers the larger never has the smaller one.
fn magnitude(number: i64) -> i64 {
    number.checked_ilog2().map_or(0, |log| i64::from(log) + 1)
}

fn block_of(id: &[u8]) -> i64 {
    let mut moment = [0; 8];
    for (to, from) in moment[2..].iter_mut().zip(id) {
        *to = *from;
    }
    i64::from_be_bytes(moment) / BLOCK_MS
}

/// What the writer knows to be noted. After a rollback it must be forgotten.
#[derive(Default)]
pub(in crate::store) struct Noted {
    places: HashSet<(i64, Kind, i64)>,
    /// Until where places were last looked at for such as have no calls any more.
    swept: Option<[i64; 3]>,
}

impl Noted {
    /// Notes where a call is.
    pub(super) fn note(
        &mut self,
        connection: &Connection,
        key: &Key,
        agent: Option<i64>,
        call: &Call,
    ) -> rusqlite::Result<()> {
        let end = call.end.as_ref();
        let some = |id: i64| (id != 0).then_some(id);
        let tokens = end.filter(|end| end.source.is_some()).map(|end| {
            let total = end.parts.total().map_or(0, |total| total.0);
            magnitude(i64::try_from(total).unwrap_or(i64::MAX))
        });
        let values = [
            (Kind::Provider, Some(key.provider)),
            (Kind::Model, some(key.model)),
            (Kind::Operation, Some(key.operation)),
            (Kind::Outcome, Some(key.outcome)),
            (Kind::Source, some(key.source)),
            (Kind::Conversation, some(key.conversation)),
            (Kind::Agent, agent),
            (Kind::Client, some(key.client)),
            (Kind::Status, end.and_then(|end| end.status).map(i64::from)),
            (Kind::Cost, call.cost.map(|cost| magnitude(cost.amount.0))),
            (Kind::Tokens, tokens),
        ];
        let block = block_of(call.start.id.as_bytes());
        for (kind, value) in values {
            if let Some(value) = value {
                self.place(connection, block, kind, value)?;
            }
        }
        Ok(())
    }

    fn place(&mut self, connection: &Connection, block: i64, kind: Kind, value: i64) -> rusqlite::Result<()> {
        const INSERT: &str = "INSERT OR IGNORE INTO call_places (kind, value, block) VALUES (?1, ?2, ?3)";
        if self.places.len() >= REMEMBERED {
            self.places.clear();
        }
        if self.places.insert((block, kind, value)) {
            connection
                .prepare_cached(INSERT)?
                .execute(params![kind as i64, value, block])?;
        }
        Ok(())
    }
}

/// So many places are looked at with each piece of calls that goes: twice as many as the calls, so that what is left of
/// places without calls stays a part of all.
const SWEPT: i64 = 500;

impl Noted {
    /// Looks at the next places, and takes those away whose blocks lie before a moment and have no calls any more.
    pub(in crate::store) fn sweep(
        &mut self,
        connection: &Connection,
        before: Timestamp,
    ) -> rusqlite::Result<()> {
        const NEXT: &str = "SELECT kind, value, block FROM call_places WHERE (kind, value, block) > (?1, ?2, ?3) \
            ORDER BY kind, value, block LIMIT ?4";
        const HAS_CALLS: &str = "SELECT EXISTS (SELECT 1 FROM calls WHERE id >= ?1 AND id < ?2)";
        const DELETE: &str = "DELETE FROM call_places WHERE kind = ?1 AND value = ?2 AND block = ?3";
        let [kind, value, block] = self.swept.unwrap_or([i64::MIN; 3]);
        let places: Vec<[i64; 3]> = connection
            .prepare_cached(NEXT)?
            .query_map(params![kind, value, block, SWEPT], |row| {
                Ok([row.get(0)?, row.get(1)?, row.get(2)?])
            })?
            .collect::<rusqlite::Result<_>>()?;
        // From behind the last one it goes on at the first.
        self.swept = places.last().copied();
        let end = block_of(&id_at(before.0));
        let mut empty: HashMap<i64, bool> = HashMap::new();
        for [kind, value, block] in places.into_iter().filter(|[.., block]| *block < end) {
            let is_empty = match empty.get(&block) {
                Some(known) => *known,
                None => {
                    let (low, high) = (id_at(block * BLOCK_MS), id_at((block + 1) * BLOCK_MS));
                    let has_calls: bool = connection
                        .prepare_cached(HAS_CALLS)?
                        .query_row([low, high], |row| row.get(0))?;
                    empty.insert(block, !has_calls);
                    !has_calls
                }
            };
            if is_empty {
                connection.prepare_cached(DELETE)?.execute([kind, value, block])?;
            }
        }
        // A call of long ago may come yet, and is noted anew then.
        self.places.retain(|(block, ..)| *block >= end);
        Ok(())
    }
}

/// Notes where all calls are, if that was never done: an older program wrote them.
pub(in crate::store) fn note_old(connection: &Connection) -> rusqlite::Result<()> {
    if are_noted(connection)? {
        return Ok(());
    }
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    note_anew(&transaction)?;
    transaction.commit()
}

/// Notes where all calls are, as if nothing had been noted.
pub(in crate::store) fn note_anew(connection: &Connection) -> rusqlite::Result<()> {
    const SELECT: &str = concat!(
        "SELECT id, provider, coalesce(model, request_model), operation, outcome, source, conversation, agent, client, \
            status, cost_nano_usd, CASE WHEN source IS NOT NULL THEN ",
        all_tokens!(),
        " END FROM calls"
    );
    const KINDS: [Kind; 11] = [
        Kind::Provider,
        Kind::Model,
        Kind::Operation,
        Kind::Outcome,
        Kind::Source,
        Kind::Conversation,
        Kind::Agent,
        Kind::Client,
        Kind::Status,
        Kind::Cost,
        Kind::Tokens,
    ];
    const NOTED: &str = "INSERT OR REPLACE INTO settings (key, value) VALUES ('places', '1')";
    connection.execute("DELETE FROM call_places", [])?;
    let mut noted = Noted::default();
    let mut statement = connection.prepare(SELECT)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let block = block_of(row.get_ref(0)?.as_blob().unwrap_or_default());
        for (column, kind) in (1..).zip(KINDS) {
            let value: Option<i64> = row.get(column)?;
            let value = match kind {
                Kind::Cost | Kind::Tokens => value.map(magnitude),
                _ => value,
            };
            if let Some(value) = value {
                noted.place(connection, block, kind, value)?;
            }
        }
    }
    connection.execute(NOTED, [])?;
    Ok(())
}

fn are_noted(connection: &Connection) -> rusqlite::Result<bool> {
    const SELECT: &str = "SELECT EXISTS (SELECT 1 FROM settings WHERE key = 'places')";
    connection.prepare_cached(SELECT)?.query_row([], |row| row.get(0))
}

/// What a call must have: one of these values.
type Wanted = Vec<(Kind, i64)>;

/// What all calls have that the filters let pass, the rarest first. Of what has too many values nothing is said.
fn wanted(connection: &Connection, filters: &Filters) -> rusqlite::Result<Vec<Wanted>> {
    let one = |kind, value: Option<i64>| value.map(|value| (kind, value, value));
    let bounds = |least: Option<i64>, most: Option<i64>| {
        let (first, last) = (least.map_or(0, magnitude), most.map_or(i64::MAX, magnitude));
        (least.is_some() || most.is_some()).then_some((first, last))
    };
    let (least, most) = filters.cost;
    let cost = bounds(least.map(|cost| cost.0), most.map(|cost| cost.0));
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let tokens = filters.tokens;
    let tokens = tokens.and_then(|(least, most)| bounds(Some(number(least.0)), Some(number(most.0))));
    let status = filters.status.map(|(first, last)| (first.into(), last.into()));
    let ranged = |kind, range: Option<(i64, i64)>| range.map(|(first, last)| (kind, first, last));
    let asked = [
        one(Kind::Provider, filters.provider),
        one(Kind::Model, filters.model),
        one(Kind::Operation, filters.operation),
        one(Kind::Outcome, filters.outcome),
        one(Kind::Source, filters.source),
        one(Kind::Conversation, filters.conversation),
        one(Kind::Agent, filters.agent),
        one(Kind::Client, filters.client),
        ranged(Kind::Status, status),
        ranged(Kind::Cost, cost),
        ranged(Kind::Tokens, tokens),
    ];
    let mut wanted = Vec::new();
    for (kind, first, last) in asked.into_iter().flatten() {
        let values = values(connection, kind, first, last)?;
        wanted.push(values.into_iter().map(|value| (kind, value)).collect());
    }
    if let Some(names) = &filters.searched
        && names.len() <= MOST_NAMES
    {
        let mut found = Wanted::new();
        for name in names {
            for kind in [Kind::Model, Kind::Operation, Kind::Client] {
                let values = values(connection, kind, *name, *name)?;
                found.extend(values.into_iter().map(|value| (kind, value)));
            }
        }
        wanted.push(found);
    }
    let mut counted = Vec::new();
    for values in wanted.into_iter().filter(|values| values.len() <= MOST_VALUES) {
        counted.push((places(connection, &values)?, values));
    }
    counted.sort_by_key(|(places, _)| *places);
    Ok(counted.into_iter().map(|(_, values)| values).collect())
}

/// In how many blocks there are calls with these values: not counted beyond what makes them common.
fn places(connection: &Connection, values: &Wanted) -> rusqlite::Result<i64> {
    const COMMON: i64 = 200;
    const COUNT: &str =
        "SELECT count(*) FROM (SELECT 1 FROM call_places WHERE kind = ?1 AND value = ?2 LIMIT ?3)";
    let mut count = connection.prepare_cached(COUNT)?;
    let mut places = 0;
    for (kind, value) in values {
        if places >= COMMON {
            break;
        }
        let more: i64 = count.query_row(params![*kind as i64, value, COMMON - places], |row| row.get(0))?;
        places += more;
    }
    Ok(places)
}

/// The values of a kind that occur, from the first to the last.
fn values(connection: &Connection, kind: Kind, first: i64, last: i64) -> rusqlite::Result<Vec<i64>> {
    const NEXT: &str = "SELECT value FROM call_places WHERE kind = ?1 AND value >= ?2 AND value <= ?3 \
        ORDER BY value LIMIT 1";
    let mut next = connection.prepare_cached(NEXT)?;
    let mut values = Vec::new();
    let mut from = first;
    while let Some(value) = next
        .query_row(params![kind as i64, from, last], |row| row.get(0))
        .optional()?
    {
        values.push(value);
        from = value + 1;
    }
    Ok(values)
}

/// The blocks between two that have what is wanted.
fn blocks(
    connection: &Connection,
    wanted: &[Wanted],
    first: i64,
    last: i64,
) -> rusqlite::Result<BTreeSet<i64>> {
    const SELECT: &str =
        "SELECT block FROM call_places WHERE kind = ?1 AND value = ?2 AND block BETWEEN ?3 AND ?4";
    let mut select = connection.prepare_cached(SELECT)?;
    let mut found: Option<BTreeSet<i64>> = None;
    for values in wanted {
        let range = match &found {
            None => Some((first, last)),
            Some(found) => found.first().copied().zip(found.last().copied()),
        };
        // Nothing is left.
        let Some((first, last)) = range else { break };
        let mut having = BTreeSet::new();
        for (kind, value) in values {
            let mut rows = select.query(params![*kind as i64, value, first, last])?;
            while let Some(row) = rows.next()? {
                having.insert(row.get(0)?);
            }
        }
        found = Some(match found {
            None => having,
            Some(found) => found.intersection(&having).copied().collect(),
        });
    }
    Ok(found.unwrap_or_default())
}

/// Reads the newest calls that filters let pass, so many at most.
type Read = fn(&Connection, &mut Lookup, &Filters, usize) -> Result<Vec<Call>, ReadError>;

/// Calls of the blocks that have what the filters ask for, newest first, as `read` reads them; `None` where the places say
/// nothing of it.
pub(super) fn read(
    connection: &Connection,
    lookup: &mut Lookup,
    filters: &Filters,
    limit: usize,
    read: Read,
) -> Result<Option<Vec<Call>>, ReadError> {
    /// A day; each further stretch is four times as long.
    const FIRST: i64 = 96;
    // A session's calls have an index.
    if filters.session.is_some() || !are_noted(connection)? {
        return Ok(None);
    }
    let wanted = wanted(connection, filters)?;
    if wanted.is_empty() {
        return Ok(None);
    }
    let mut calls = Vec::new();
    let Some((oldest, newest)) = ends(connection)? else {
        return Ok(Some(calls));
    };
    let first = block_of(&filters.low).max(oldest);
    let mut last = block_of(&filters.high).min(newest);
    let mut stretch = FIRST;
    while last >= first {
        let from = first.max(last - stretch + 1);
        for block in blocks(connection, &wanted, from, last)?.into_iter().rev() {
            let low = id_at(block * BLOCK_MS).max(filters.low);
            let high = id_at((block + 1) * BLOCK_MS).min(filters.high);
            let within = Filters {
                low,
                high,
                ..filters.clone()
            };
            calls.extend(read(connection, lookup, &within, limit - calls.len())?);
            if calls.len() >= limit {
                return Ok(Some(calls));
            }
        }
        last = from - 1;
        stretch *= 4;
    }
    Ok(Some(calls))
}

/// The blocks of the oldest and the newest call.
fn ends(connection: &Connection) -> rusqlite::Result<Option<(i64, i64)>> {
    const OLDEST: &str = "SELECT id FROM calls ORDER BY id LIMIT 1";
    const NEWEST: &str = "SELECT id FROM calls ORDER BY id DESC LIMIT 1";
    let block = |sql| {
        let mut statement = connection.prepare_cached(sql)?;
        let block = statement.query_row([], |row| Ok(block_of(row.get_ref(0)?.as_blob()?)));
        block.optional()
    };
    Ok(block(OLDEST)?.zip(block(NEWEST)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_larger_number_has_no_smaller_magnitude() {
        let numbers = [i64::MIN, -1, 0, 1, 2, 3, 4, 1_000, 1_023, 1_024, i64::MAX];
        let magnitudes = numbers.map(magnitude);
        assert!(magnitudes.is_sorted());
        assert_eq!(magnitudes, [0, 0, 0, 1, 2, 2, 3, 10, 10, 11, 63]);
    }

    #[test]
    fn a_block_holds_the_ids_of_its_quarter() {
        for block in [0, 1, 2_000_000, ((1 << 48) - 1) / BLOCK_MS] {
            assert_eq!(block_of(&id_at(block * BLOCK_MS)), block);
        }
        assert_eq!(block_of(&id_at(2_000 * BLOCK_MS - 1)), 1_999);
        assert_eq!(block_of(&[]), 0, "an id that is damaged is somewhere");
    }
}
