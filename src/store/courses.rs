//! How the use of sessions grew, from their calls; and the table `courses`: what those of finished sessions made of them.
//!
//! A row stands as long as the session's revision and sums are those that it was made of, or for good once calls are gone.

use rusqlite::{Connection, OptionalExtension, params};

use super::error::ReadError;
use super::names::{Lookup, find_session};
use super::query::StoredSession;
use super::{alerts, calls, sessions};
use crate::domain::alert::Rule;
use crate::domain::forecast::alarm::Loops;
use crate::domain::ids::SessionId;
use crate::domain::record::KeptCourse;
use crate::domain::session::Status;
use crate::domain::session::clock::Reading;
use crate::domain::session::curve::{Axis, Course, Reach};
use crate::domain::session::efficiency::Efforts;
use crate::domain::session::timer::{Timer, whole_millis};
use crate::domain::session::track::{Made, Track};
use crate::domain::session::usual;
use crate::domain::units::Millis;

/// So many finished sessions are looked at for some that tell what is usual.
const LOOKED_AT: usize = 200;

/// These sessions, on one axis that holds them all; `None` in the place of one that there is not. What was made of the calls
/// of finished ones is added to what is to be kept.
pub(super) fn of_sessions(
    connection: &Connection,
    lookup: &mut Lookup,
    made: &mut Vec<KeptCourse>,
    ids: &[SessionId],
    reach: Reach,
    now: Reading,
) -> Result<Vec<Option<Course>>, ReadError> {
    let found = ids.iter().map(|id| sessions::session(connection, *id));
    let found: Vec<Option<StoredSession>> = found.collect::<Result<_, _>>()?;
    let reached = found.iter().flatten();
    let reached = reached.map(|stored| reach.of(&stored.session.timer, now));
    let axis = Axis::new(reached.max().unwrap_or_default());
    let curved = found.into_iter();
    curved
        .map(|stored| {
            stored
                .map(|stored| course(connection, lookup, made, stored, axis, now))
                .transpose()
        })
        .collect()
}

/// The newest finished sessions that tell what is usual, but for some.
pub(super) fn finished(
    connection: &Connection,
    lookup: &mut Lookup,
    made: &mut Vec<KeptCourse>,
    axis: Axis,
    limit: usize,
    except: &[SessionId],
    now: Reading,
) -> Result<Vec<Course>, ReadError> {
    let mut found = Vec::new();
    for id in sessions::completed(connection, LOOKED_AT)? {
        if found.len() == limit {
            break;
        }
        if let Some(stored) = sessions::session(connection, id)?
            && !except.contains(&id)
            && usual::is_telling(end(&stored, now), &stored.totals)
        {
            found.push(course(connection, lookup, made, stored, axis, now)?);
        }
    }
    Ok(found)
}

fn end(stored: &StoredSession, now: Reading) -> Millis {
    whole_millis(stored.session.timer.elapsed(now))
}

fn course(
    connection: &Connection,
    lookup: &mut Lookup,
    to_keep: &mut Vec<KeptCourse>,
    stored: StoredSession,
    axis: Axis,
    now: Reading,
) -> Result<Course, ReadError> {
    let key = find_session(connection, stored.session.id)?;
    let timer = &stored.session.timer;
    let made = match key {
        None => Made::default(),
        Some(key) if timer.status() != Status::Completed => made(connection, lookup, key, timer, now)?,
        Some(key) => {
            let made_of = state(&stored);
            match find(connection, key, &made_of)? {
                Some(made) => made,
                None => {
                    let made = made(connection, lookup, key, timer, now)?;
                    to_keep.push(KeptCourse {
                        session: stored.session.id,
                        made_of,
                        made: made.clone(),
                    });
                    made
                }
            }
        }
    };
    let loops = alerts::count(connection, Rule::CallsLoop, stored.session.id)?;
    Ok(Course {
        effort: made.effort.with(
            loops.saturating_mul(Loops::CALLS as u64),
            stored.marks.checkpoints,
        ),
        curve: made.track.curve(end(&stored, now), axis),
        session: stored.session,
        usage: stored.totals,
    })
}

/// Goes through a session's calls.
fn made(
    connection: &Connection,
    lookup: &mut Lookup,
    key: i64,
    timer: &Timer,
    now: Reading,
) -> Result<Made, ReadError> {
    let mut track = Track::default();
    let mut efforts = Efforts::default();
    calls::each_spent(connection, lookup, key, |call| {
        track.add(timer.elapsed_at(call.ended_at, now), &call.parts, call.cost);
        efforts.take(call);
    })?;
    Ok(Made {
        track,
        effort: efforts.sum(),
    })
}

/// What changes whenever something else would be made of a session's calls.
fn state(stored: &StoredSession) -> Box<str> {
    let state = (stored.session.revision, &stored.totals);
    serde_json::to_string(&state).unwrap_or_default().into()
}

/// What is kept of a session, if it was made of its calls as they are, or stands in the place of some.
fn find(connection: &Connection, key: i64, made_of: &str) -> rusqlite::Result<Option<Made>> {
    const SELECT: &str =
        "SELECT effort, track FROM courses WHERE session = ?1 AND (made_of IS NULL OR made_of = ?2)";
    let row = connection
        .prepare_cached(SELECT)?
        .query_row(params![key, made_of], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, Vec<u8>>(1)?))
        })
        .optional()?;
    // What cannot be read is made anew.
    Ok(row.and_then(|(effort, track)| {
        Some(Made {
            effort: serde_json::from_str(&effort).ok()?,
            track: Track::from_bytes(&track)?,
        })
    }))
}

/// Keeps what the calls of a session made of it.
pub(super) fn put(connection: &Connection, kept: &KeptCourse) -> rusqlite::Result<()> {
    match find_session(connection, kept.session)? {
        Some(key) => write(connection, key, Some(&kept.made_of), &kept.made),
        None => Ok(()),
    }
}

/// Keeps for good what the calls of a finished session made of it: they may be deleted then, and what is made of the rest of
/// them no longer takes its place. To be called in the transaction that deletes the first of them, before it does.
pub(super) fn keep(
    connection: &Connection,
    lookup: &mut Lookup,
    session: SessionId,
) -> Result<(), ReadError> {
    let (Some(key), Some(stored)) = (
        find_session(connection, session)?,
        sessions::session(connection, session)?,
    ) else {
        return Ok(());
    };
    let timer = &stored.session.timer;
    if timer.status() != Status::Completed {
        return Ok(());
    }
    let found = find(connection, key, &state(&stored))?;
    let made = match found {
        Some(made) => made,
        None => made(connection, lookup, key, timer, timer.last().at)?,
    };
    Ok(write(connection, key, None, &made)?)
}

fn write(connection: &Connection, key: i64, made_of: Option<&str>, made: &Made) -> rusqlite::Result<()> {
    const UPSERT: &str = "INSERT INTO courses (session, made_of, effort, track) VALUES (?1, ?2, ?3, ?4) \
        ON CONFLICT DO UPDATE SET made_of = excluded.made_of, effort = excluded.effort, track = excluded.track \
        WHERE made_of IS NOT NULL";
    let effort = serde_json::to_string(&made.effort).unwrap_or_default();
    connection
        .prepare_cached(UPSERT)?
        .execute(params![key, made_of, effort, made.track.to_bytes()])?;
    Ok(())
}
