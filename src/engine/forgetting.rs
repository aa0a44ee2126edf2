//! Calls that are older than they are kept go, piece by piece, so that no call under way waits for it.

use std::num::NonZero;
use std::time::Duration;

use super::emptying::NotEmptied;
use super::handle::Engine;
use crate::domain::ids::CallId;
use crate::domain::live::{Forgetting, Input};
use crate::domain::session::clock::Reading;
use crate::domain::session::curve::Reach;
use crate::domain::units::Timestamp;
use crate::store::{CallQuery, Forgettable, ReadError, Reader};

/// So many calls go at once: their commit takes a few milliseconds.
const PIECE: usize = 250;
/// How long the database is left to others from one piece to the next.
const PAUSE: Duration = Duration::from_millis(20);
/// For so long nothing goes behind somebody who reads calls to change them: they would have to read them again.
const YIELDS: Duration = Duration::from_secs(1);

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// The moment before which calls go that are kept for so many days; `None` where there are no calls.
///
/// The days are counted from the newest call, if the clock is ahead of it: where Moonlock was not used for long, the last
/// days of use stay, and a clock that runs far ahead deletes nothing by itself.
///
/// # Errors
/// The database cannot be read.
pub fn horizon(reader: &Reader, now: Timestamp, days: NonZero<u32>) -> Result<Option<Timestamp>, ReadError> {
    let newest = reader.ended_calls(&CallQuery {
        limit: 1,
        ..CallQuery::default()
    })?;
    let kept = i64::from(days.get()).saturating_mul(DAY_MS);
    Ok(newest
        .first()
        .map(|call| Timestamp(call.start.started_at.min(now).0.saturating_sub(kept))))
}

impl Engine {
    /// Deletes the calls that began before a moment, but for those of sessions that last or ended later, and gives how many
    /// they were. All sums stay. What is left when `is_stopping` says so is left for the next time.
    ///
    /// # Errors
    /// Some of them are left.
    pub async fn forget(
        &self,
        reader: &Reader,
        before: Timestamp,
        is_stopping: impl Fn() -> bool,
    ) -> Result<u64, NotEmptied> {
        let (mut forgotten, mut after) = (0, None);
        loop {
            if is_stopping() {
                return Ok(forgotten);
            }
            if self.since_settled() < YIELDS {
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            let Some(piece) = oldest(reader.clone(), before, after, self.now()).await? else {
                return Ok(forgotten);
            };
            let Forgettable {
                first, last, calls, ..
            } = piece;
            let piece = Forgetting { before, first, last };
            self.carry_out_at_leisure(Input::Forget(piece)).await?;
            (forgotten, after) = (forgotten + calls, Some(last));
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// The oldest calls behind one that may go.
///
/// What the calls of their sessions made of them is looked at as well, and so handed to the writer: it need not go through
/// all calls of a large session while others wait for it.
async fn oldest(
    reader: Reader,
    before: Timestamp,
    after: Option<CallId>,
    now: Reading,
) -> Result<Option<Forgettable>, NotEmptied> {
    let read = tokio::task::spawn_blocking(move || {
        let piece = reader.forgettable(before, after, PIECE)?;
        let sessions = piece.as_ref().map_or(&[][..], |piece| &piece.sessions);
        for session in sessions {
            // One that cannot be read keeps none of it from going.
            if let Err(error) = reader.courses(&[*session], Reach::SoFar, now) {
                tracing::debug!(%error, session.id = %session, "a session's course cannot be read");
            }
        }
        Ok::<_, ReadError>(piece)
    });
    Ok(read.await.map_err(|_| NotEmptied::Stopped)??)
}
