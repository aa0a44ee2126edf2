//! How the use of sessions grew, from their calls.

use rusqlite::Connection;

use super::error::ReadError;
use super::names::find_session;
use super::query::StoredSession;
use super::{calls, sessions};
use crate::domain::ids::SessionId;
use crate::domain::session::clock::Reading;
use crate::domain::session::curve::{Axis, Course, Curve};
use crate::domain::session::timer::whole_millis;
use crate::domain::session::usual;
use crate::domain::units::Millis;

/// So many finished sessions are looked at for some that tell what is usual.
const LOOKED_AT: usize = 200;

/// These sessions, on one axis that holds them all; `None` in the place of one that there is not.
pub(super) fn of_sessions(
    connection: &Connection,
    ids: &[SessionId],
    now: Reading,
) -> Result<Vec<Option<Course>>, ReadError> {
    let found = ids.iter().map(|id| sessions::session(connection, *id));
    let found: Vec<Option<StoredSession>> = found.collect::<Result<_, _>>()?;
    let ends = found.iter().flatten().map(|stored| end(stored, now));
    let axis = Axis::new(ends.max().unwrap_or_default());
    let curved = found.into_iter();
    curved
        .map(|stored| {
            stored
                .map(|stored| course(connection, stored, axis, now))
                .transpose()
        })
        .collect()
}

/// The newest finished sessions that tell what is usual, but for some.
pub(super) fn finished(
    connection: &Connection,
    axis: Axis,
    limit: usize,
    except: &[SessionId],
    now: Reading,
) -> Result<Vec<Course>, ReadError> {
    let mut found = sessions::completed(connection, LOOKED_AT)?;
    found.retain(|stored| {
        !except.contains(&stored.session.id) && usual::is_telling(end(stored, now), &stored.totals)
    });
    let newest = found.into_iter().take(limit);
    newest
        .map(|stored| course(connection, stored, axis, now))
        .collect()
}

fn end(stored: &StoredSession, now: Reading) -> Millis {
    whole_millis(stored.session.timer.elapsed(now))
}

fn course(
    connection: &Connection,
    stored: StoredSession,
    axis: Axis,
    now: Reading,
) -> Result<Course, ReadError> {
    let mut curve = Curve::new(end(&stored, now), axis);
    let timer = &stored.session.timer;
    if let Some(key) = find_session(connection, stored.session.id)? {
        calls::each_used(connection, key, |call| {
            curve.add(timer.elapsed_at(call.ended_at, now), &call.parts, call.cost);
        })?;
    }
    Ok(Course {
        session: stored.session,
        usage: stored.totals,
        curve,
    })
}
