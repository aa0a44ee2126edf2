//! How the use of sessions grew, from their calls.

use rusqlite::Connection;

use super::error::ReadError;
use super::names::{Lookup, find_session};
use super::query::StoredSession;
use super::{alerts, calls, sessions};
use crate::domain::alert::Rule;
use crate::domain::forecast::alarm::Loops;
use crate::domain::ids::SessionId;
use crate::domain::session::clock::Reading;
use crate::domain::session::curve::{Axis, Course, Curve, Reach};
use crate::domain::session::efficiency::Efforts;
use crate::domain::session::timer::whole_millis;
use crate::domain::session::usual;
use crate::domain::units::Millis;

/// So many finished sessions are looked at for some that tell what is usual.
const LOOKED_AT: usize = 200;

/// These sessions, on one axis that holds them all; `None` in the place of one that there is not.
pub(super) fn of_sessions(
    connection: &Connection,
    lookup: &mut Lookup,
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
                .map(|stored| course(connection, lookup, stored, axis, now))
                .transpose()
        })
        .collect()
}

/// The newest finished sessions that tell what is usual, but for some.
pub(super) fn finished(
    connection: &Connection,
    lookup: &mut Lookup,
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
        .map(|stored| course(connection, lookup, stored, axis, now))
        .collect()
}

fn end(stored: &StoredSession, now: Reading) -> Millis {
    whole_millis(stored.session.timer.elapsed(now))
}

fn course(
    connection: &Connection,
    lookup: &mut Lookup,
    stored: StoredSession,
    axis: Axis,
    now: Reading,
) -> Result<Course, ReadError> {
    let mut curve = Curve::new(end(&stored, now), axis);
    let mut efforts = Efforts::default();
    let timer = &stored.session.timer;
    if let Some(key) = find_session(connection, stored.session.id)? {
        calls::each_spent(connection, lookup, key, |call| {
            curve.add(timer.elapsed_at(call.ended_at, now), &call.parts, call.cost);
            efforts.take(call);
        })?;
    }
    let loops = alerts::count(connection, Rule::CallsLoop, stored.session.id)?;
    Ok(Course {
        effort: efforts.sum(
            loops.saturating_mul(Loops::CALLS as u64),
            stored.marks.checkpoints,
        ),
        session: stored.session,
        usage: stored.totals,
        curve,
    })
}
