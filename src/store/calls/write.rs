//! Calls into rows.

use rusqlite::{Connection, params};

use super::read::find;
use crate::domain::call::{Call, CallEnd, Source};
use crate::domain::ids::CallId;
use crate::domain::units::Tokens;
use crate::store::error::ReadError;
use crate::store::names::{Dictionary, Lookup};
use crate::store::raw_usage;
use crate::store::rollups::{Key, Measures, quarter};

/// Adds a call to `calls`, in the way that its first word says.
macro_rules! insert_into_calls {
    ($verb:literal, $conflict:literal) => {
        concat!(
            $verb,
            " INTO calls (",
            start_columns!(),
            ", ",
            end_columns!(),
            ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, \
             ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34, ?35, ?36, ?37, ?38, ?39, ?40, \
             ?41, ?42, ?43, ?44, ?45, ?46)",
            $conflict
        )
    };
}

/// What stands in `calls` and has to be taken out of the sums, and what has to be taken in.
pub(in crate::store) struct Change {
    /// The sums' key of the row that was replaced.
    pub(in crate::store) before: Option<(Key, Measures)>,
    /// That of the row that stands there now.
    pub(in crate::store) after: (Key, Measures),
}

/// The ids that stand in place of a call's text.
struct StartIds {
    session: Option<i64>,
    attribution: i64,
    provider: i64,
    price_provider: Option<i64>,
    operation: i64,
    request_model: Option<i64>,
    conversation: Option<i64>,
    client: Option<i64>,
    asked: Option<i64>,
    asked_by: Option<i64>,
    agent: Option<i64>,
    parent_agent: Option<i64>,
}

impl StartIds {
    fn of(connection: &Connection, dictionary: &mut Dictionary, call: &Call) -> rusqlite::Result<Self> {
        let start = &call.start;
        let asked = start.asked.as_ref();
        let agent = start.agent.as_ref();
        let parent = agent.and_then(|agent| agent.parent.as_deref());
        Ok(Self {
            session: call
                .session
                .map(|session| dictionary.session(connection, session))
                .transpose()?,
            attribution: dictionary.name(connection, call.attribution.name())?,
            provider: dictionary.name(connection, &start.provider)?,
            price_provider: dictionary.optional(connection, start.price_provider.as_deref())?,
            operation: dictionary.name(connection, start.operation.name())?,
            request_model: dictionary.optional(connection, start.request_model.as_deref())?,
            conversation: dictionary.optional(connection, start.conversation.as_deref())?,
            client: dictionary.optional(connection, start.client.as_deref())?,
            asked: dictionary.optional(connection, asked.map(|asked| &*asked.label))?,
            asked_by: dictionary.optional(connection, asked.map(|asked| asked.by.name()))?,
            agent: dictionary.optional(connection, agent.map(|agent| &*agent.id))?,
            parent_agent: dictionary.optional(connection, parent)?,
        })
    }
}

/// Notes that a call runs, unless it has ended already.
pub(in crate::store) fn start(
    connection: &Connection,
    dictionary: &mut Dictionary,
    call: &Call,
) -> rusqlite::Result<()> {
    const INSERT: &str = concat!(
        "INSERT OR REPLACE INTO running_calls (",
        start_columns!(),
        ") SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14 \
         WHERE NOT EXISTS (SELECT 1 FROM calls WHERE id = ?1)"
    );
    let ids = StartIds::of(connection, dictionary, call)?;
    connection.prepare_cached(INSERT)?.execute(params![
        call.start.id,
        call.start.started_at,
        ids.session,
        ids.attribution,
        ids.provider,
        ids.price_provider,
        ids.operation,
        ids.request_model,
        ids.conversation,
        ids.client,
        ids.asked,
        ids.asked_by,
        ids.agent,
        ids.parent_agent,
    ])?;
    Ok(())
}

/// Forgets that a call runs.
pub(in crate::store) fn remove_running(connection: &Connection, id: CallId) -> rusqlite::Result<()> {
    const DELETE: &str = "DELETE FROM running_calls WHERE id = ?1";
    connection.prepare_cached(DELETE)?.execute([id])?;
    Ok(())
}

/// Deletes a call that has ended; gives what has to be taken out of the sums. Deleting it again is harmless.
pub(in crate::store) fn remove(
    connection: &Connection,
    dictionary: &mut Dictionary,
    lookup: &mut Lookup,
    id: CallId,
) -> Result<Option<(Key, Measures)>, ReadError> {
    const DELETE: &str = "DELETE FROM calls WHERE id = ?1";
    const FORGET: &str = "DELETE FROM paused_calls WHERE call = ?1";
    let Some(call) = find(connection, lookup, id)? else {
        return Ok(None);
    };
    let key = key_of(connection, dictionary, &call)?;
    connection.prepare_cached(DELETE)?.execute([id])?;
    connection.prepare_cached(FORGET)?.execute([id])?;
    Ok(Some((key, Measures::of(&call))))
}

/// Stores a call that has ended, in place of an earlier row of the same id.
pub(in crate::store) fn finish(
    connection: &Connection,
    dictionary: &mut Dictionary,
    lookup: &mut Lookup,
    call: &Call,
    end: &CallEnd,
) -> Result<Change, ReadError> {
    const INSERT: &str = insert_into_calls!("INSERT", " ON CONFLICT (id) DO NOTHING");
    const REPLACE: &str = insert_into_calls!("REPLACE", "");
    if let Some(key) = put(connection, dictionary, call, end, INSERT)? {
        return Ok(Change {
            before: None,
            after: (key, Measures::of(call)),
        });
    }
    let before = match find(connection, lookup, call.start.id)? {
        Some(old) => Some((key_of(connection, dictionary, &old)?, Measures::of(&old))),
        None => None,
    };
    let key = put(connection, dictionary, call, end, REPLACE)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    Ok(Change {
        before,
        after: (key, Measures::of(call)),
    })
}

/// Runs one of the two inserts; `None` if it did nothing.
fn put(
    connection: &Connection,
    dictionary: &mut Dictionary,
    call: &Call,
    end: &CallEnd,
    sql: &str,
) -> rusqlite::Result<Option<Key>> {
    let ids = StartIds::of(connection, dictionary, call)?;
    let outcome = dictionary.name(connection, end.outcome.name())?;
    let model = dictionary.optional(connection, end.model.as_deref())?;
    let source = dictionary.optional(connection, end.source.map(Source::name))?;
    let error = dictionary.optional(connection, end.error.as_deref())?;
    let price_source = dictionary.optional(connection, call.cost.map(|cost| cost.source.name()))?;
    let price_date = call.cost.and_then(|cost| cost.date).map(|date| date.to_string());
    let price_date = dictionary.optional(connection, price_date.as_deref())?;
    let raw = end
        .raw_usage
        .as_deref()
        .map(|raw| raw_usage::store(connection, dictionary, raw))
        .transpose()?;
    let parts = &end.parts;
    let changed = connection.prepare_cached(sql)?.execute(params![
        call.start.id,
        call.start.started_at,
        ids.session,
        ids.attribution,
        ids.provider,
        ids.price_provider,
        ids.operation,
        ids.request_model,
        ids.conversation,
        ids.client,
        ids.asked,
        ids.asked_by,
        ids.agent,
        ids.parent_agent,
        outcome,
        end.status,
        model,
        source,
        error,
        end.streamed,
        end.ttft,
        end.duration,
        end.request_id.as_deref(),
        parts.input,
        parts.cache_read,
        parts.cache_write_5m,
        parts.cache_write_1h,
        parts.audio_in,
        parts.image_in,
        parts.output,
        parts.reasoning,
        parts.audio_out,
        parts.image_out,
        parts.unsplit,
        parts.web_searches.map(Tokens),
        parts.provider_cost,
        call.cost.map(|cost| cost.amount),
        raw,
        call.counted_by,
        price_source,
        price_date,
        end.estimate.input.map(|interval| interval.low),
        end.estimate.input.and_then(|interval| interval.high),
        end.estimate.output.map(|interval| interval.low),
        end.estimate.output.and_then(|interval| interval.high),
        call.changed_at,
    ])?;
    if changed == 0 {
        return Ok(None);
    }
    let key = Key {
        bucket: quarter(call.start.started_at),
        session: ids.session.unwrap_or(0),
        provider: ids.provider,
        model: model.or(ids.request_model).unwrap_or(0),
        client: ids.client.unwrap_or(0),
        operation: ids.operation,
        source: source.unwrap_or(0),
        outcome,
        conversation: ids.conversation.unwrap_or(0),
    };
    dictionary.noted.note(connection, &key, ids.agent, call)?;
    Ok(Some(key))
}

/// Where a call stands in the sums.
pub(super) fn key_of(
    connection: &Connection,
    dictionary: &mut Dictionary,
    call: &Call,
) -> rusqlite::Result<Key> {
    let ids = StartIds::of(connection, dictionary, call)?;
    let source = call.end.as_ref().and_then(|end| end.source).map(Source::name);
    Ok(Key {
        bucket: quarter(call.start.started_at),
        session: ids.session.unwrap_or(0),
        provider: ids.provider,
        model: dictionary.optional(connection, call.model())?.unwrap_or(0),
        client: ids.client.unwrap_or(0),
        operation: ids.operation,
        source: dictionary.optional(connection, source)?.unwrap_or(0),
        outcome: dictionary.name(connection, call.outcome().name())?,
        conversation: ids.conversation.unwrap_or(0),
    })
}
