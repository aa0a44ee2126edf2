//! The tables `sessions` and `timer_events`, and the setting that names the current session.

mod list;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::error::ReadError;
use super::names::{Dictionary, find_session};
use super::query::StoredSession;
use super::sql_types::Unsigned;
use super::{checkpoints, reports, rollups};
use crate::domain::alert::Scope;
use crate::domain::budget::{Allowance, AtLimit, Counts};
use crate::domain::ids::SessionId;
use crate::domain::session::clock::{BootId, Nanos, Reading};
use crate::domain::session::event::{EventKind, TimerEvent, What};
use crate::domain::session::timer::{OnSleep, Timer, whole_millis};
use crate::domain::session::{CallsFate, Marks, Origin, Session, Status};
use crate::domain::units::{Millis, Timestamp, Tokens};
pub(super) use list::list;

/// The setting that holds the current session's id.
const CURRENT: &str = "current_session";

/// No machine runs for longer, in nanoseconds (31 years): more is not a reading of a clock.
const LONGEST_BOOT: i64 = 1_000_000_000_000_000_000;

/// No session is planned for longer (31 years).
const LONGEST_DURATION: Millis = Millis(1_000_000_000_000);

/// Stores what a session is, unless something newer stands there.
pub(super) fn put(
    connection: &Connection,
    dictionary: &mut Dictionary,
    session: &Session,
) -> rusqlite::Result<()> {
    const UPDATE: &str = "UPDATE sessions SET name = ?2, created_at = ?3, duration_ms = ?4, token_budget = ?5, \
        revision = ?6, status = ?7, origin = ?8, tags = ?9, note = ?10, on_sleep = ?11, budget_counts = ?12, \
        cost_budget_nano_usd = ?13, at_limit = ?14, emptying = NULL, elapsed_ms = ?15, runs_since = ?16 \
        WHERE key = ?1 AND (name IS NULL OR revision <= ?6)";
    let key = dictionary.session(connection, session.id)?;
    let (elapsed, runs_since) = time(&session.timer);
    connection.prepare_cached(UPDATE)?.execute(params![
        key,
        session.name,
        session.created_at,
        session.timer.duration(),
        session.allowance.tokens,
        Tokens(session.revision),
        session.timer.status().name(),
        session.origin.name(),
        serde_json::to_string(&session.tags).unwrap_or_default(),
        session.note,
        session.on_sleep.name(),
        session.allowance.counts.name(),
        session.allowance.cost,
        session.allowance.at_limit.name(),
        elapsed,
        runs_since,
    ])?;
    Ok(())
}

/// How long a clock had run at its last event, and since when it runs on, if it does: what lists are sorted by.
fn time(timer: &Timer) -> (Millis, Option<Timestamp>) {
    let last = timer.last().at;
    let is_running = timer.status() == Status::Active;
    (whole_millis(timer.elapsed(last)), is_running.then_some(last.wall))
}

/// Notes how long the clocks of sessions had run that were stored before that was.
pub(super) fn fill_in_times(connection: &Connection) -> Result<(), ReadError> {
    const MISSING: &str = "SELECT id FROM sessions WHERE elapsed_ms IS NULL AND name IS NOT NULL";
    const UPDATE: &str = "UPDATE sessions SET elapsed_ms = ?2, runs_since = ?3 WHERE id = ?1";
    let mut statement = connection.prepare(MISSING)?;
    let ids = statement.query_map([], |row| row.get(0))?;
    let ids: Vec<SessionId> = ids.collect::<rusqlite::Result<_>>()?;
    for id in ids {
        // One that cannot be read is told of where it is asked for.
        if let Ok(Some(stored)) = session(connection, id) {
            let (elapsed, runs_since) = time(&stored.session.timer);
            connection
                .prepare_cached(UPDATE)?
                .execute(params![id, elapsed, runs_since])?;
        }
    }
    Ok(())
}

/// Appends an event to a session's clock. Appending the same one again is harmless.
pub(super) fn append_event(
    connection: &Connection,
    dictionary: &mut Dictionary,
    session: SessionId,
    event: &TimerEvent,
) -> Result<(), ReadError> {
    const INSERT: &str = "INSERT INTO timer_events (session, seq, kind, boot_ns, mono_ns, wall_ms, boot_id, \
            first_number, second_number) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING";
    let key = dictionary.session(connection, session)?;
    let [first, second] = event.what.numbers();
    let added = connection.prepare_cached(INSERT)?.execute(params![
        key,
        event.seq,
        event.what.kind().name(),
        event.at.boot,
        event.at.mono,
        event.at.wall,
        event.at.boot_id,
        first,
        second,
    ])?;
    if added == 0 && !events(connection, key)?.contains(event) {
        return Err(ReadError::bad_row(
            "timer_events",
            "different event of the same number",
            event.seq,
        ));
    }
    Ok(())
}

/// Deletes a session, but for its key and what is known of forecasts in general. Its calls still belong to it.
pub(super) fn delete(
    connection: &Connection,
    dictionary: &mut Dictionary,
    session: SessionId,
    calls: CallsFate,
) -> rusqlite::Result<()> {
    const UPDATE: &str = "UPDATE sessions SET name = NULL, note = '', tags = '[]', status = 'completed', \
        duration_ms = NULL, token_budget = NULL, cost_budget_nano_usd = NULL, emptying = ?2 WHERE key = ?1";
    const FORGET: [&str; 5] = [
        "DELETE FROM timer_events WHERE session = ?1",
        "DELETE FROM checkpoints WHERE session = ?1",
        "DELETE FROM conversations WHERE session = ?1",
        "DELETE FROM reports WHERE session = ?1",
        "DELETE FROM courses WHERE session = ?1",
    ];
    const ALERTS: &str = "DELETE FROM alerts WHERE scope = ?1 OR substr(scope, 1, length(?2)) = ?2";
    let key = dictionary.session(connection, session)?;
    connection
        .prepare_cached(UPDATE)?
        .execute(params![key, calls.name()])?;
    for sql in FORGET {
        connection.prepare_cached(sql)?.execute([key])?;
    }
    let of_session = Scope::session(session).to_string();
    let of_threads = Scope::Conversation {
        session_id: Some(session),
        conversation: Box::default(),
    }
    .to_string();
    connection
        .prepare_cached(ALERTS)?
        .execute([of_session, of_threads])?;
    Ok(())
}

/// No call belongs to a deleted session any more. What is left of its sums, and is of calls that are no longer kept, goes
/// to *Unassigned*.
pub(super) fn emptied(connection: &Connection, session: SessionId) -> rusqlite::Result<()> {
    const EMPTYING: &str = "SELECT key FROM sessions WHERE id = ?1 AND name IS NULL AND emptying IS NOT NULL";
    const UPDATE: &str = "UPDATE sessions SET emptying = NULL WHERE key = ?1";
    const FORGET: [&str; 2] = [
        // They are sums over nothing.
        "DELETE FROM rollups WHERE requests = 0 AND session = ?1",
        "DELETE FROM paused_calls WHERE session = ?1",
    ];
    let mut statement = connection.prepare_cached(EMPTYING)?;
    let Some(key) = statement.query_row([session], |row| row.get(0)).optional()? else {
        return Ok(());
    };
    rollups::unassign(connection, key)?;
    for sql in FORGET {
        connection.prepare_cached(sql)?.execute([key])?;
    }
    connection.prepare_cached(UPDATE)?.execute([key]).map(drop)
}

/// The deleted sessions that calls may still belong to, and what becomes of those.
pub(super) fn emptying(connection: &Connection) -> Result<Vec<(SessionId, CallsFate)>, ReadError> {
    const SELECT: &str = "SELECT id, emptying FROM sessions WHERE emptying IS NOT NULL";
    let mut statement = connection.prepare_cached(SELECT)?;
    let mut rows = statement.query([])?;
    let mut sessions = Vec::new();
    while let Some(row) = rows.next()? {
        sessions.push((row.get(0)?, named(row, 1, "emptying", CallsFate::from_name)?));
    }
    Ok(sessions)
}

/// Notes that a session's clock still ran at a moment.
pub(super) fn put_heartbeat(
    connection: &Connection,
    dictionary: &mut Dictionary,
    session: SessionId,
    at: &Reading,
) -> rusqlite::Result<()> {
    const UPDATE: &str = "UPDATE sessions SET heartbeat_boot_ns = ?2, heartbeat_mono_ns = ?3, \
        heartbeat_wall_ms = ?4, heartbeat_boot_id = ?5 WHERE key = ?1";
    let key = dictionary.session(connection, session)?;
    connection
        .prepare_cached(UPDATE)?
        .execute(params![key, at.boot, at.mono, at.wall, at.boot_id])?;
    Ok(())
}

/// Notes which session calls go to that name none.
pub(super) fn put_current(connection: &Connection, current: Option<SessionId>) -> rusqlite::Result<()> {
    const UPSERT: &str = "INSERT INTO settings (key, value) VALUES (?1, ?2) \
        ON CONFLICT DO UPDATE SET value = excluded.value";
    const DELETE: &str = "DELETE FROM settings WHERE key = ?1";
    match current {
        Some(id) => connection
            .prepare_cached(UPSERT)?
            .execute(params![CURRENT, id.to_string()])?,
        None => connection.prepare_cached(DELETE)?.execute([CURRENT])?,
    };
    Ok(())
}

/// The session that calls go to that name none.
pub(super) fn current(connection: &Connection) -> Result<Option<SessionId>, ReadError> {
    const SELECT: &str = "SELECT value FROM settings WHERE key = ?1";
    let value: Option<String> = connection
        .prepare_cached(SELECT)?
        .query_row([CURRENT], |row| row.get(0))
        .optional()?;
    value
        .map(|value| {
            value
                .parse()
                .map_err(|_| ReadError::bad_row("settings", CURRENT, value))
        })
        .transpose()
}

/// The last moment at which any session's clock is known to have run.
pub(super) fn last_heartbeat(connection: &Connection) -> rusqlite::Result<Option<Timestamp>> {
    const SELECT: &str = "SELECT max(heartbeat_wall_ms) FROM sessions";
    connection.prepare_cached(SELECT)?.query_row([], |row| row.get(0))
}

macro_rules! select_sessions {
    ($rest:literal) => {
        concat!(
            "SELECT key, id, name, created_at, duration_ms, token_budget, revision, heartbeat_boot_ns, \
                heartbeat_mono_ns, heartbeat_wall_ms, heartbeat_boot_id, origin, tags, note, on_sleep, \
                budget_counts, cost_budget_nano_usd, at_limit \
             FROM sessions WHERE name IS NOT NULL AND ",
            $rest
        )
    };
}

/// One session.
pub(super) fn session(connection: &Connection, id: SessionId) -> Result<Option<StoredSession>, ReadError> {
    const SELECT: &str = select_sessions!("id = ?1");
    let mut statement = connection.prepare_cached(SELECT)?;
    let mut rows = statement.query([id])?;
    rows.next()?
        .map(|row| stored_session(connection, row))
        .transpose()
}

/// The newest sessions that have ended, newest first.
pub(super) fn completed(connection: &Connection, limit: usize) -> rusqlite::Result<Vec<SessionId>> {
    const SELECT: &str = "SELECT id FROM sessions WHERE name IS NOT NULL AND status = 'completed' \
        ORDER BY id DESC LIMIT ?1";
    let mut statement = connection.prepare_cached(SELECT)?;
    let ids = statement.query_map([i64::try_from(limit).unwrap_or(i64::MAX)], |row| row.get(0))?;
    ids.collect()
}

fn newest_completed(
    connection: &Connection,
    limit: usize,
) -> rusqlite::Result<Vec<Result<StoredSession, ReadError>>> {
    const SELECT: &str = select_sessions!("status = 'completed' ORDER BY id DESC LIMIT ?1");
    let mut statement = connection.prepare_cached(SELECT)?;
    let mut rows = statement.query([i64::try_from(limit).unwrap_or(i64::MAX)])?;
    let mut sessions = Vec::new();
    while let Some(row) = rows.next()? {
        sessions.push(stored_session(connection, row));
    }
    Ok(sessions)
}

/// Makes each session one that can be read again, after a repair that found only a part of it: its tags and settings
/// are forgotten, and where that is not enough, it is ended with no time on its clock.
pub(super) fn mend_unreadable(connection: &Connection) -> Result<(), ReadError> {
    const NAMED: &str = "SELECT id, key, created_at FROM sessions WHERE name IS NOT NULL";
    const DESCRIBE: &str = "UPDATE sessions SET origin = 'manual', tags = '[]', on_sleep = 'pause', \
        budget_counts = 'all', at_limit = 'alert' WHERE key = ?1";
    const FORGET: &str = "DELETE FROM timer_events WHERE session = ?1";
    const END: &str = "UPDATE sessions SET status = 'completed', duration_ms = NULL, token_budget = NULL, \
        cost_budget_nano_usd = NULL, \
        revision = abs(revision % 1000000), heartbeat_boot_ns = NULL WHERE key = ?1";
    let named: Vec<(SessionId, i64, Timestamp)> = connection
        .prepare(NAMED)?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .filter_map(Result::ok)
        .collect();
    for (id, key, created_at) in named {
        if session(connection, id).is_ok() {
            continue;
        }
        connection.execute(DESCRIBE, [key])?;
        if session(connection, id).is_ok() {
            continue;
        }
        connection.execute(FORGET, [key])?;
        connection.execute(END, [key])?;
        let at = Reading {
            boot: Nanos(0),
            mono: Nanos(0),
            wall: created_at,
            boot_id: BootId(0),
        };
        for (seq, what) in [(1, What::Started), (2, What::Completed)] {
            append_event(
                connection,
                &mut Dictionary::default(),
                id,
                &TimerEvent { seq, what, at },
            )?;
        }
    }
    Ok(())
}

/// Every session that has not ended and the newest ones that have, newest first; one that cannot be read is an
/// error in its place.
pub(super) fn recent(
    connection: &Connection,
    completed: usize,
) -> Result<Vec<Result<StoredSession, ReadError>>, ReadError> {
    const OPEN: &str = select_sessions!("status <> 'completed' ORDER BY id DESC");
    let mut sessions = Vec::new();
    let mut statement = connection.prepare_cached(OPEN)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        sessions.push(stored_session(connection, row));
    }
    sessions.extend(newest_completed(connection, completed)?);
    Ok(sessions)
}

fn stored_session(connection: &Connection, row: &Row<'_>) -> Result<StoredSession, ReadError> {
    let key: i64 = row.get(0)?;
    let duration: Option<Millis> = row.get(4)?;
    if let Some(duration) = duration.filter(|duration| *duration > LONGEST_DURATION) {
        return Err(ReadError::bad_row("sessions", "duration_ms", duration.0));
    }
    let id: SessionId = row.get(1)?;
    let timer = Timer::replay(duration, &events(connection, key)?)
        .ok_or_else(|| ReadError::bad_row("sessions", "clock without events", id))?;
    let (checkpoints, last_checkpoint) = checkpoints::last(connection, id, key)?;
    Ok(StoredSession {
        session: Session {
            id,
            name: row.get(2)?,
            created_at: row.get(3)?,
            origin: named(row, 11, "origin", Origin::from_name)?,
            tags: tags(row, 12)?,
            note: row.get(13)?,
            on_sleep: named(row, 14, "on_sleep", OnSleep::from_name)?,
            allowance: Allowance {
                tokens: row.get(5)?,
                counts: named(row, 15, "budget_counts", Counts::from_name)?,
                cost: row.get(16)?,
                at_limit: named(row, 17, "at_limit", AtLimit::from_name)?,
            },
            timer,
            revision: row.get::<_, Unsigned>(6)?.0,
        },
        totals: rollups::of_session(connection, key)?,
        marks: Marks {
            paused_tokens: reports::paused_tokens(connection, key)?,
            checkpoints,
            last_checkpoint,
        },
        heartbeat: heartbeat(row, 7)?,
    })
}

fn named<T>(
    row: &Row<'_>,
    column: usize,
    field: &'static str,
    of_name: fn(&str) -> Option<T>,
) -> Result<T, ReadError> {
    let name: Box<str> = row.get(column)?;
    of_name(&name).ok_or_else(|| ReadError::bad_row("sessions", field, name))
}

fn tags(row: &Row<'_>, column: usize) -> Result<Vec<Box<str>>, ReadError> {
    let text: Box<str> = row.get(column)?;
    serde_json::from_str(&text).map_err(|_| ReadError::bad_row("sessions", "tags", text))
}

fn heartbeat(row: &Row<'_>, first: usize) -> Result<Option<Reading>, ReadError> {
    match (
        row.get(first)?,
        row.get(first + 1)?,
        row.get(first + 2)?,
        row.get(first + 3)?,
    ) {
        (Some(boot), Some(mono), Some(wall), Some(boot_id)) => plausible(
            "sessions",
            Reading {
                boot,
                mono,
                wall,
                boot_id,
            },
        )
        .map(Some),
        _ => Ok(None),
    }
}

/// All events of a session's clock, in order; none if there is no such session.
pub(super) fn events_of(connection: &Connection, session: SessionId) -> Result<Vec<TimerEvent>, ReadError> {
    match find_session(connection, session)? {
        Some(key) => events(connection, key),
        None => Ok(Vec::new()),
    }
}

/// The events of a session's clock, in order, such that replaying them cannot overflow.
fn events(connection: &Connection, session: i64) -> Result<Vec<TimerEvent>, ReadError> {
    const SELECT: &str = "SELECT seq, kind, boot_ns, mono_ns, wall_ms, boot_id, first_number, second_number \
        FROM timer_events WHERE session = ?1 ORDER BY seq";
    const TABLE: &str = "timer_events";
    let mut statement = connection.prepare_cached(SELECT)?;
    let mut rows = statement.query([session])?;
    let mut events: Vec<TimerEvent> = Vec::new();
    let mut longest: i64 = 0;
    while let Some(row) = rows.next()? {
        let kind: Box<str> = row.get(1)?;
        let kind = EventKind::from_name(&kind).ok_or_else(|| ReadError::bad_row(TABLE, "kind", kind))?;
        let numbers: [Option<i64>; 2] = [row.get(6)?, row.get(7)?];
        // Nothing that a clock says is longer than the longest time that it can count.
        let what = What::from_numbers(kind, numbers)
            .filter(|what| {
                let numbers = what.numbers().into_iter().flatten();
                numbers
                    .into_iter()
                    .all(|number| number.unsigned_abs() <= LONGEST_BOOT.unsigned_abs())
            })
            .ok_or_else(|| ReadError::bad_row(TABLE, "numbers", format!("{numbers:?}")))?;
        let at = Reading {
            boot: row.get(2)?,
            mono: row.get(3)?,
            wall: row.get(4)?,
            boot_id: row.get(5)?,
        };
        let event = TimerEvent {
            seq: row.get(0)?,
            what,
            at: plausible(TABLE, at)?,
        };
        match events.last() {
            None if kind != EventKind::Started => {
                return Err(ReadError::bad_row(TABLE, "first event", kind.name()));
            }
            None => {}
            Some(before) => {
                let gap = match what {
                    What::Suspended(gap) | What::Stalled(gap) | What::Recovered(gap) => gap.0.max(0),
                    _ => 0,
                };
                let ran = (at.boot.0 - before.at.boot.0).max(0);
                longest = longest.saturating_add(ran).saturating_add(gap);
            }
        }
        if longest > LONGEST_BOOT {
            return Err(ReadError::bad_row(TABLE, "running time", longest));
        }
        events.push(event);
    }
    Ok(events)
}

/// A reading that arithmetic is safe with.
fn plausible(table: &'static str, at: Reading) -> Result<Reading, ReadError> {
    for (field, Nanos(nanos)) in [("boot_ns", at.boot), ("mono_ns", at.mono)] {
        if !(-LONGEST_BOOT..=LONGEST_BOOT).contains(&nanos) {
            return Err(ReadError::bad_row(table, field, nanos));
        }
    }
    Ok(at)
}
