//! Rows into calls.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::filters::Filters;
use super::places;
use crate::domain::call::{AskedSession, Attribution, Call, CallEnd, CallStart, Outcome, Source, SubAgent};
use crate::domain::estimate::{Interval, Intervals};
use crate::domain::ids::CallId;
use crate::domain::operation::Operation;
use crate::domain::pricing::{Cost, PriceSource};
use crate::domain::units::{NanoUsd, Timestamp, Tokens};
use crate::domain::usage::parts::Parts;
use crate::store::error::ReadError;
use crate::store::names::Lookup;
use crate::store::query::{CallQuery, Extent};
use crate::store::raw_usage;
use crate::store::sql_types::Unsigned;

/// One call that has ended.
pub(super) fn find(
    connection: &Connection,
    lookup: &mut Lookup,
    id: CallId,
) -> Result<Option<Call>, ReadError> {
    const SELECT: &str = concat!(
        "SELECT ",
        start_columns!(),
        ", ",
        end_columns!(),
        " FROM calls WHERE id = ?1"
    );
    let mut statement = connection.prepare_cached(SELECT)?;
    let mut rows = statement.query([id])?;
    rows.next()?
        .map(|row| ended_call(connection, lookup, row))
        .transpose()
}

/// One call, ended or running.
pub(in crate::store) fn call(
    connection: &Connection,
    lookup: &mut Lookup,
    id: CallId,
) -> Result<Option<Call>, ReadError> {
    const SELECT: &str = concat!("SELECT ", start_columns!(), " FROM running_calls WHERE id = ?1");
    if let Some(call) = find(connection, lookup, id)? {
        return Ok(Some(call));
    }
    let mut statement = connection.prepare_cached(SELECT)?;
    let mut rows = statement.query([id])?;
    rows.next()?
        .map(|row| running_call(connection, lookup, row))
        .transpose()
}

/// Every running call; one that cannot be read is an error in its place.
pub(in crate::store) fn running(
    connection: &Connection,
    lookup: &mut Lookup,
) -> Result<Vec<Result<Call, ReadError>>, ReadError> {
    const SELECT: &str = concat!("SELECT ", start_columns!(), " FROM running_calls ORDER BY id");
    let mut statement = connection.prepare_cached(SELECT)?;
    let mut rows = statement.query([])?;
    let mut calls = Vec::new();
    while let Some(row) = rows.next()? {
        calls.push(running_call(connection, lookup, row));
    }
    Ok(calls)
}

/// The ids of the running calls.
pub(in crate::store) fn running_ids(connection: &Connection) -> Result<HashSet<CallId>, ReadError> {
    const SELECT: &str = "SELECT id FROM running_calls";
    let mut statement = connection.prepare_cached(SELECT)?;
    let ids = statement.query_map([], |row| row.get(0))?;
    Ok(ids.collect::<rusqlite::Result<_>>()?)
}

/// Every call that has ended, with its id as it stands there; one that cannot be read is an error in its place.
pub(super) fn each_ended(
    connection: &Connection,
    mut visit: impl FnMut(Vec<u8>, Result<Call, ReadError>) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    const SELECT: &str = concat!("SELECT ", start_columns!(), ", ", end_columns!(), " FROM calls");
    let mut lookup = Lookup::default();
    let mut statement = connection.prepare(SELECT)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        visit(row.get(0)?, ended_call(connection, &mut lookup, row))?;
    }
    Ok(())
}

/// Calls that match, newest first.
pub(in crate::store) fn select(
    connection: &Connection,
    lookup: &mut Lookup,
    query: &CallQuery,
) -> Result<Vec<Call>, ReadError> {
    let Some(filters) = Filters::of(connection, query)? else {
        return Ok(Vec::new());
    };
    let mut calls = Vec::new();
    if query.outcome.is_none_or(|outcome| outcome == Outcome::Running) && !query.wants_ended() {
        calls = select_running(connection, lookup, &filters, query.limit)?;
    }
    if query.outcome != Some(Outcome::Running) {
        calls.extend(select_ended(connection, lookup, &filters, query.limit)?);
        calls.sort_unstable_by_key(|call| std::cmp::Reverse(call.start.id));
        calls.truncate(query.limit);
    }
    Ok(calls)
}

/// What selects from `calls` by [`Filters`].
macro_rules! ended_where {
    ($what:expr, $session:literal, $rest:literal) => {
        concat!(
            "SELECT ",
            $what,
            " FROM calls WHERE ",
            $session,
            " AND id >= ?2 AND id < ?3 AND started_at >= ?4 AND started_at < ?5 \
             AND (?6 IS NULL OR provider = ?6) \
             AND (?7 IS NULL OR coalesce(model, request_model) = ?7) \
             AND (?8 IS NULL OR operation = ?8) \
             AND (?9 IS NULL OR outcome = ?9) \
             AND (?10 IS NULL OR source = ?10) \
             AND (?11 IS NULL OR conversation = ?11) \
             AND (?12 IS NULL OR client = ?12) \
             AND (NOT ?13 OR session IS NOT ?14) \
             AND (?15 IS NULL OR agent = ?15) \
             AND (?16 IS NULL OR max(started_at + duration_ms, coalesce(changed_at, 0)) >= ?16) \
             AND (?17 IS NULL OR status BETWEEN ?17 AND ?18) \
             AND (?19 IS NULL OR cost_nano_usd >= ?19) \
             AND (?20 IS NULL OR cost_nano_usd <= ?20) \
             AND (?21 IS NULL OR source IS NOT NULL AND ",
            all_tokens!(),
            " BETWEEN ?21 AND ?22) \
             AND (?23 IS NULL \
                OR coalesce(model, request_model) IN (SELECT value FROM json_each(?23)) \
                OR operation IN (SELECT value FROM json_each(?23)) \
                OR client IN (SELECT value FROM json_each(?23))) ",
            $rest
        )
    };
}

/// The values of what [`ended_where`] asks for, and of what comes behind it.
macro_rules! ended_params {
    ($filters:ident $(, $more:expr)?) => {
        params![
            $filters.session.flatten(),
            $filters.low,
            $filters.high,
            $filters.from,
            $filters.to,
            $filters.provider,
            $filters.model,
            $filters.operation,
            $filters.outcome,
            $filters.source,
            $filters.conversation,
            $filters.client,
            $filters.except.is_some(),
            $filters.except.flatten(),
            $filters.agent,
            $filters.changed_since,
            $filters.status.map(|(first, _)| first),
            $filters.status.map(|(_, last)| last),
            $filters.cost.0,
            $filters.cost.1,
            $filters.tokens.map(|(least, _)| least),
            $filters.tokens.map(|(_, most)| most),
            $filters.searched_json(),
            $($more)?
        ]
    };
}

impl Filters {
    /// The text for one session's calls, or that for all.
    const fn choose(&self, one_session: &'static str, any_session: &'static str) -> &'static str {
        if self.session.is_some() {
            one_session
        } else {
            any_session
        }
    }
}

fn select_ended(
    connection: &Connection,
    lookup: &mut Lookup,
    filters: &Filters,
    limit: usize,
) -> Result<Vec<Call>, ReadError> {
    match places::read(connection, lookup, filters, limit, scan_ended)? {
        Some(calls) => Ok(calls),
        None => scan_ended(connection, lookup, filters, limit),
    }
}

/// The same, from one call to the next.
fn scan_ended(
    connection: &Connection,
    lookup: &mut Lookup,
    filters: &Filters,
    limit: usize,
) -> Result<Vec<Call>, ReadError> {
    macro_rules! select {
        ($session:literal) => {
            ended_where!(
                concat!(start_columns!(), ", ", end_columns!()),
                $session,
                "ORDER BY id DESC LIMIT ?24"
            )
        };
    }
    const ANY_SESSION: &str = select!("?1 IS NULL");
    const ONE_SESSION: &str = select!("session IS ?1");
    let mut statement = connection.prepare_cached(filters.choose(ONE_SESSION, ANY_SESSION))?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = statement.query(ended_params!(filters, limit))?;
    let mut calls = Vec::new();
    while let Some(row) = rows.next()? {
        calls.push(ended_call(connection, lookup, row)?);
    }
    Ok(calls)
}

/// Calls that have ended and match, newest first.
pub(in crate::store) fn ended(
    connection: &Connection,
    lookup: &mut Lookup,
    query: &CallQuery,
) -> Result<Vec<Call>, ReadError> {
    match Filters::of(connection, query)? {
        Some(filters) if query.outcome != Some(Outcome::Running) => {
            select_ended(connection, lookup, &filters, query.limit)
        }
        _ => Ok(Vec::new()),
    }
}

/// How many calls have ended and match, and when they began.
pub(in crate::store) fn extent(connection: &Connection, query: &CallQuery) -> Result<Extent, ReadError> {
    macro_rules! select {
        ($session:literal) => {
            ended_where!("count(*), min(started_at), max(started_at)", $session, "")
        };
    }
    const ANY_SESSION: &str = select!("?1 IS NULL");
    const ONE_SESSION: &str = select!("session IS ?1");
    let Some(filters) = Filters::of(connection, query)? else {
        return Ok(Extent::default());
    };
    if query.outcome == Some(Outcome::Running) {
        return Ok(Extent::default());
    }
    let mut statement = connection.prepare_cached(filters.choose(ONE_SESSION, ANY_SESSION))?;
    let extent = statement.query_row(ended_params!(filters), |row| {
        Ok(Extent {
            calls: row.get::<_, Unsigned>(0)?.0,
            first: row.get(1)?,
            last: row.get(2)?,
        })
    })?;
    Ok(extent)
}

/// When the oldest call that has ended began.
pub(in crate::store) fn oldest(connection: &Connection) -> Result<Option<Timestamp>, ReadError> {
    const SELECT: &str = "SELECT started_at FROM calls ORDER BY id LIMIT 1";
    let mut statement = connection.prepare_cached(SELECT)?;
    Ok(statement.query_row([], |row| row.get(0)).optional()?)
}

fn select_running(
    connection: &Connection,
    lookup: &mut Lookup,
    filters: &Filters,
    limit: usize,
) -> Result<Vec<Call>, ReadError> {
    const SELECT: &str = concat!(
        "SELECT ",
        start_columns!(),
        " FROM running_calls WHERE (?1 OR session IS ?2) AND id >= ?3 AND id < ?4 \
         AND started_at >= ?5 AND started_at < ?6 \
         AND (?7 IS NULL OR provider = ?7) \
         AND (?8 IS NULL OR request_model = ?8) \
         AND (?9 IS NULL OR operation = ?9) \
         AND (?10 IS NULL OR conversation = ?10) \
         AND (?11 IS NULL OR client = ?11) \
         AND (NOT ?12 OR session IS NOT ?13) \
         AND (?14 IS NULL OR agent = ?14) \
         AND (?15 IS NULL \
            OR request_model IN (SELECT value FROM json_each(?15)) \
            OR operation IN (SELECT value FROM json_each(?15)) \
            OR client IN (SELECT value FROM json_each(?15))) \
         ORDER BY id DESC LIMIT ?16"
    );
    let mut statement = connection.prepare_cached(SELECT)?;
    let mut rows = statement.query(params![
        filters.session.is_none(),
        filters.session.flatten(),
        filters.low,
        filters.high,
        filters.from,
        filters.to,
        filters.provider,
        filters.model,
        filters.operation,
        filters.conversation,
        filters.client,
        filters.except.is_some(),
        filters.except.flatten(),
        filters.agent,
        filters.searched_json(),
        i64::try_from(limit).unwrap_or(i64::MAX),
    ])?;
    let mut calls = Vec::new();
    while let Some(row) = rows.next()? {
        calls.push(running_call(connection, lookup, row)?);
    }
    Ok(calls)
}

/// Reads a row's columns from left to right.
struct Columns<'a, 'row> {
    connection: &'a Connection,
    lookup: &'a mut Lookup,
    row: &'a Row<'row>,
    next: usize,
}

impl Columns<'_, '_> {
    fn next<T: rusqlite::types::FromSql>(&mut self) -> rusqlite::Result<T> {
        self.next += 1;
        self.row.get(self.next - 1)
    }

    fn text(&mut self) -> Result<Box<str>, ReadError> {
        let id = self.next()?;
        Ok((*self.lookup.name(self.connection, id)?).into())
    }

    fn optional_text(&mut self) -> Result<Option<Box<str>>, ReadError> {
        let Some(id) = self.next()? else { return Ok(None) };
        Ok(Some((*self.lookup.name(self.connection, id)?).into()))
    }

    fn interval(&mut self) -> rusqlite::Result<Option<Interval>> {
        let low: Option<Tokens> = self.next()?;
        let high = self.next()?;
        Ok(low.map(|low| Interval { low, high }))
    }

    fn named<T>(&mut self, field: &'static str, from_name: fn(&str) -> Option<T>) -> Result<T, ReadError> {
        let name = self.text()?;
        from_name(&name).ok_or_else(|| ReadError::bad_row("calls", field, name))
    }

    fn optional_named<T>(
        &mut self,
        field: &'static str,
        from_name: fn(&str) -> Option<T>,
    ) -> Result<Option<T>, ReadError> {
        let Some(name) = self.optional_text()? else {
            return Ok(None);
        };
        from_name(&name)
            .map(Some)
            .ok_or_else(|| ReadError::bad_row("calls", field, name))
    }
}

fn running_call(connection: &Connection, lookup: &mut Lookup, row: &Row<'_>) -> Result<Call, ReadError> {
    started(&mut Columns {
        connection,
        lookup,
        row,
        next: 0,
    })
}

fn started(columns: &mut Columns<'_, '_>) -> Result<Call, ReadError> {
    let id = columns.next()?;
    let started_at: Timestamp = columns.next()?;
    let session: Option<i64> = columns.next()?;
    let session = match session {
        Some(key) => Some(columns.lookup.session(columns.connection, key)?),
        None => None,
    };
    let attribution = columns.named("attribution", Attribution::from_name)?;
    let mut start = CallStart {
        id,
        started_at,
        provider: columns.text()?,
        price_provider: columns.optional_text()?,
        operation: columns.named("operation", Operation::from_name)?,
        request_model: columns.optional_text()?,
        conversation: columns.optional_text()?,
        agent: None,
        client: columns.optional_text()?,
        asked: None,
    };
    let label = columns.optional_text()?;
    let by = columns.optional_named("asked_by", Attribution::from_name)?;
    start.asked = label.zip(by).map(|(label, by)| AskedSession { label, by });
    let agent = columns.optional_text()?;
    let parent = columns.optional_text()?;
    start.agent = agent.map(|id| SubAgent { id, parent });
    Ok(Call {
        start,
        session,
        attribution,
        end: None,
        cost: None,
        counted_by: None,
        changed_at: None,
    })
}

fn ended_call(connection: &Connection, lookup: &mut Lookup, row: &Row<'_>) -> Result<Call, ReadError> {
    let mut columns = Columns {
        connection,
        lookup,
        row,
        next: 0,
    };
    let mut call = started(&mut columns)?;
    let outcome = columns.named("outcome", Outcome::from_name)?;
    let status = columns.next()?;
    let model = columns.optional_text()?;
    let source = columns.optional_named("source", Source::from_name)?;
    let error = columns.optional_text()?;
    let streamed = columns.next()?;
    let ttft = columns.next()?;
    let duration = columns.next()?;
    let request_id = columns.next()?;
    let parts = Parts {
        input: columns.next()?,
        cache_read: columns.next()?,
        cache_write_5m: columns.next()?,
        cache_write_1h: columns.next()?,
        audio_in: columns.next()?,
        image_in: columns.next()?,
        output: columns.next()?,
        reasoning: columns.next()?,
        audio_out: columns.next()?,
        image_out: columns.next()?,
        unsplit: columns.next()?,
        web_searches: columns.next::<Option<Unsigned>>()?.map(|count| count.0),
        provider_cost: columns.next()?,
    };
    let amount: Option<NanoUsd> = columns.next()?;
    let raw_usage = raw_usage::load(connection, columns.lookup, row.get_ref(columns.next)?)?;
    columns.next += 1;
    call.counted_by = columns.next()?;
    let source_of_price = columns.optional_named("price_source", PriceSource::from_name)?;
    let date = columns.optional_text()?;
    let date = date
        .map(|date| {
            date.parse()
                .map_err(|_| ReadError::bad_row("calls", "price_date", &*date))
        })
        .transpose()?;
    call.cost = amount.map(|amount| Cost {
        amount,
        // An older row does not say; these two were all there was.
        source: source_of_price.unwrap_or(match parts.provider_cost {
            Some(_) => PriceSource::Provider,
            None => PriceSource::Catalog,
        }),
        date,
    });
    call.end = Some(CallEnd {
        outcome,
        status,
        model,
        parts,
        source,
        estimate: Intervals {
            input: columns.interval()?,
            output: columns.interval()?,
        },
        raw_usage,
        request_id,
        error,
        streamed,
        ttft,
        duration,
    });
    call.changed_at = columns.next()?;
    Ok(call)
}
