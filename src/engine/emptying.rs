//! Deleted sessions lose their calls, piece by piece, so that no call under way waits for it.

use super::handle::{CommandError, Engine};
use crate::domain::ids::SessionId;
use crate::domain::live::{Deletion, Move, Refusal};
use crate::domain::session::CallsFate;
use crate::domain::wire::Totals;
use crate::store::{CallQuery, ReadError, Reader, SessionFilter};

/// So many calls are moved or deleted at once.
const PIECE: usize = 1_000;

/// Why calls that are to go, or to lose their session, are still there. They follow later.
#[derive(Debug, thiserror::Error)]
pub enum NotEmptied {
    /// The engine has stopped, or the database takes nothing.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The database cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The program is shutting down.
    #[error("Moonlock is shutting down")]
    Stopped,
}

impl Engine {
    /// Moves the calls of a deleted session to *Unassigned*, or deletes them. What is left when `is_stopping` says so is
    /// left for the next start.
    ///
    /// # Errors
    /// Some of its calls are left.
    pub async fn empty(
        &self,
        reader: &Reader,
        session: SessionId,
        fate: CallsFate,
        is_stopping: impl Fn() -> bool,
    ) -> Result<(), NotEmptied> {
        let query = CallQuery {
            session: Some(SessionFilter::Id(session)),
            limit: PIECE,
            ..CallQuery::default()
        };
        loop {
            if is_stopping() {
                return Err(NotEmptied::Stopped);
            }
            let rewritten = self.settled().await?;
            let (reader, query) = (reader.clone(), query.clone());
            let read = tokio::task::spawn_blocking(move || {
                let calls = reader.movable(&query)?;
                let left = match calls.is_empty() {
                    true => reader.of_session(session)?,
                    false => Totals::default(),
                };
                Ok::<_, ReadError>((calls, left))
            });
            let (calls, left) = read.await.map_err(|_| NotEmptied::Stopped)??;
            if calls.is_empty() {
                // If that is lost, the next start does it.
                return Ok(self.emptied(session, left).await?);
            }
            let done = match fate {
                CallsFate::Unassign => {
                    let order = Move {
                        calls,
                        to: None,
                        rewritten,
                        conversation: None,
                    };
                    self.move_calls(order).await
                }
                CallsFate::Delete => {
                    let calls = calls.into_iter().map(|movable| movable.call).collect();
                    let deletion = Deletion {
                        session,
                        calls,
                        rewritten,
                    };
                    self.delete_calls(deletion).await
                }
            };
            match done {
                // They are read again.
                Ok(()) | Err(CommandError::Refused(Refusal::CallsChanged, _)) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}
