//! What is found at the start: calls that a former process left running, sessions, the newest calls.

use std::collections::HashMap;
use std::sync::Arc;

use super::batch::Database;
use super::error::ReadError;
use super::names::{Lookup, find_session};
use super::query::{CallQuery, StoredSession};
use super::{alerts, budgets, calibration, calls, conversations, forecasts, rollups, sessions, windows};
use crate::domain::alert::{Episode, Rule};
use crate::domain::budget::Budget;
use crate::domain::call::{Call, CallEnd, Outcome};
use crate::domain::estimate::Intervals;
use crate::domain::estimate::calibration::Learnt;
use crate::domain::forecast::{Shown, TrackRecord};
use crate::domain::ids::SessionId;
use crate::domain::live::{PAST_CALLS, PastCall};
use crate::domain::record::Record;
use crate::domain::session::Status;
use crate::domain::units::{Millis, Timestamp};
use crate::domain::usage::parts::Parts;
use crate::domain::windows::LimitSet;
use crate::domain::wire::Totals;

/// So many sessions that have ended are found.
///
/// More than are shown: forecasts learn from the last twenty that tell anything.
const COMPLETED: usize = 40;

/// So many sessions' forecasts are looked back on.
const SETTLED: usize = 60;

/// What the engine needs to go on where the former process ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// All sessions that have not ended and the newest that have, newest first.
    pub sessions: Vec<StoredSession>,
    /// The session that calls go to that name none.
    pub current: Option<SessionId>,
    /// The sums of the calls that belong to no session.
    pub unassigned: Totals,
    /// The newest calls, newest first.
    pub recent_calls: Vec<Call>,
    /// The conversations that are bound to sessions, the first one first.
    pub conversations: Vec<(Box<str>, SessionId)>,
    /// What the providers last told of their limits.
    pub limits: Vec<LimitSet>,
    /// The alerts that stand, and those that are over and whose snooze is not.
    pub alerts: Vec<Episode>,
    /// The rules of which the user wants to hear nothing.
    pub muted: Vec<Rule>,
    /// How far the estimates of each model's calls were off, what was learnt last at the end.
    pub calibration: Vec<Learnt>,
    /// The budgets that begin anew.
    pub budgets: Vec<Budget>,
    /// Of each session that has not ended: its newest calls whose usage is known, and what was foretold of it.
    pub ahead: HashMap<SessionId, (Vec<PastCall>, Shown)>,
    /// How well forecasts did.
    pub track_record: TrackRecord,
    /// How many calls were running when the former process ended.
    pub interrupted: u64,
}

/// Ends the calls that were left running, and reads the rest.
///
/// A row that cannot be understood is left alone and logged: it must not keep Moonlock from starting.
pub(super) fn recover(database: &mut Database) -> Result<Recovered, ReadError> {
    calls::renew_old_sums(&database.connection)?;
    calls::note_old(&database.connection)?;
    let interrupted = interrupt(database)?;
    let connection = &database.connection;
    let now = Timestamp(jiff::Timestamp::now().as_millisecond());
    conversations::forget_ended(connection)?;
    sessions::fill_in_times(connection)?;
    let mut recovered = Recovered {
        sessions: usable(sessions::recent(connection, COMPLETED)?),
        current: usable([sessions::current(connection)])
            .into_iter()
            .flatten()
            .next(),
        unassigned: rollups::of_session(connection, 0)?,
        recent_calls: usable([calls::select(
            connection,
            &mut Lookup::default(),
            &CallQuery::default(),
        )])
        .into_iter()
        .flatten()
        .collect(),
        conversations: usable(conversations::all(connection)?),
        limits: usable(windows::all(connection)?),
        calibration: usable(calibration::all(connection)?),
        alerts: usable(alerts::standing(connection, now)?),
        muted: usable(alerts::muted(connection)?),
        budgets: usable(budgets::all(connection)?),
        ahead: HashMap::new(),
        track_record: usable(forecasts::settled(connection, SETTLED)?)
            .into_iter()
            .collect(),
        interrupted,
    };
    let mut lookup = Lookup::default();
    for stored in &mut recovered.sessions {
        if stored.session.timer.status() != Status::Completed
            && let Some(key) = find_session(connection, stored.session.id)?
        {
            // What has come after the last heartbeat says that the clock ran until then.
            let written = calls::last_written(connection, key)?
                .max(stored.marks.last_checkpoint.as_ref().map(|last| last.at));
            let timer = &stored.session.timer;
            stored.heartbeat = written
                .and_then(|at| timer.written_at(stored.heartbeat, at))
                .or(stored.heartbeat);
            let ahead = (
                usable(calls::past(connection, &mut lookup, key, PAST_CALLS)?),
                forecasts::shown(connection, key)?,
            );
            recovered.ahead.insert(stored.session.id, ahead);
        }
    }
    recovered
        .sessions
        .sort_unstable_by_key(|stored| std::cmp::Reverse(stored.session.id));
    Ok(recovered)
}

fn interrupt(database: &mut Database) -> Result<u64, ReadError> {
    let heartbeat = sessions::last_heartbeat(&database.connection)?;
    let running = usable(calls::running(&database.connection, &mut Lookup::default())?);
    let writes: Vec<Record> = running
        .into_iter()
        .map(|mut call| {
            call.end = Some(interrupted_end(call.start.started_at, heartbeat));
            Record::CallFinished(Arc::new(call))
        })
        .collect();
    if !writes.is_empty() {
        database.end_running(&writes)?;
    }
    Ok(writes.len() as u64)
}

/// The end of a call that nobody saw: it ran at least until the last heartbeat.
fn interrupted_end(started_at: Timestamp, heartbeat: Option<Timestamp>) -> CallEnd {
    CallEnd {
        outcome: Outcome::Interrupted,
        status: None,
        model: None,
        parts: Parts::default(),
        source: None,
        estimate: Intervals::default(),
        raw_usage: None,
        request_id: None,
        error: None,
        streamed: false,
        ttft: None,
        duration: heartbeat.map_or(Millis(0), |heartbeat| heartbeat.since(started_at)),
    }
}

fn usable<T>(rows: impl IntoIterator<Item = Result<T, ReadError>>) -> Vec<T> {
    rows.into_iter()
        .filter_map(|row| {
            row.inspect_err(|error| tracing::error!(%error, "a row of the database cannot be used"))
                .ok()
        })
        .collect()
}
