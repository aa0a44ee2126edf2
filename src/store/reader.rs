//! Questions to the history, on connections that cannot write.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::connection;
use super::error::{ReadError, StoreError};
use super::migrations::Owner;
use super::names::Lookup;
use super::query::{CallQuery, StoredSession, UsageGroup, UsageQuery};
use super::{alerts, calls, counted_once, rollups, sessions};
use crate::domain::call::Call;
use crate::domain::ids::{CallId, SessionId};
use crate::domain::live::Counting;
use crate::domain::usage::once::OnceKey;
use crate::domain::wire::{AlertView, Totals};

/// So many connections are kept open when nobody asks.
const IDLE: usize = 4;

/// Answers questions. Cheap to clone; every method blocks, so call it on a thread that may.
#[derive(Clone, Debug)]
pub struct Reader {
    pool: Arc<Pool>,
}

#[derive(Debug)]
struct Pool {
    path: PathBuf,
    idle: Mutex<Vec<ReadConnection>>,
}

struct ReadConnection {
    connection: Connection,
    lookup: Lookup,
}

impl std::fmt::Debug for ReadConnection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReadConnection").finish_non_exhaustive()
    }
}

impl Reader {
    /// Reads a database that another process may have open.
    ///
    /// # Errors
    /// There is none, or it is not one of this program's.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let missing = || StoreError::Missing {
            path: path.to_owned(),
        };
        if !path.exists() {
            return Err(missing());
        }
        let reader = Self::new(path);
        let connection = connection::open_reader(path).map_err(|source| connection::failure(path, source))?;
        match connection::ours(path, &connection)? {
            Owner::Ours => Ok(reader),
            _ => Err(missing()),
        }
    }

    pub(super) fn new(path: &Path) -> Self {
        Self {
            pool: Arc::new(Pool {
                path: path.to_owned(),
                idle: Mutex::default(),
            }),
        }
    }

    /// The calls that match, newest first; running ones among them.
    ///
    /// # Errors
    /// The database cannot be read, or holds what Moonlock never writes.
    pub fn calls(&self, query: &CallQuery) -> Result<Vec<Call>, ReadError> {
        self.read(|connection, lookup| calls::select(connection, lookup, query))
    }

    /// One call.
    ///
    /// # Errors
    /// As [`Self::calls`].
    pub fn call(&self, id: CallId) -> Result<Option<Call>, ReadError> {
        self.read(|connection, lookup| calls::call(connection, lookup, id))
    }

    /// Which call counts the usage behind a key; `None` if none does.
    ///
    /// # Errors
    /// As [`Self::calls`].
    pub fn counting(&self, key: &OnceKey) -> Result<Option<Counting>, ReadError> {
        self.read(|connection, lookup| counted_once::find(connection, lookup, key))
    }

    /// Sessions, newest first; with `before`, those that are older than it.
    ///
    /// # Errors
    /// As [`Self::calls`].
    pub fn sessions(&self, limit: usize, before: Option<SessionId>) -> Result<Vec<StoredSession>, ReadError> {
        self.read(|connection, _| sessions::sessions(connection, limit, before))
    }

    /// One session.
    ///
    /// # Errors
    /// As [`Self::calls`].
    pub fn session(&self, id: SessionId) -> Result<Option<StoredSession>, ReadError> {
        self.read(|connection, _| sessions::session(connection, id))
    }

    /// The sums of the calls that belong to no session.
    ///
    /// # Errors
    /// As [`Self::calls`].
    pub fn unassigned(&self) -> Result<Totals, ReadError> {
        self.read(|connection, _| Ok(rollups::of_session(connection, 0)?))
    }

    /// Sums over calls that have ended, by time and then the largest first.
    ///
    /// # Errors
    /// As [`Self::calls`].
    pub fn usage(&self, query: &UsageQuery) -> Result<Vec<UsageGroup>, ReadError> {
        self.read(|connection, lookup| rollups::usage(connection, lookup, query))
    }

    /// The newest episodes of alerts, newest first.
    ///
    /// # Errors
    /// As [`Self::calls`].
    pub fn alerts(&self, limit: usize) -> Result<Vec<AlertView>, ReadError> {
        self.read(|connection, _| alerts::newest(connection, limit))
    }

    /// Asks on one consistent state. A connection that failed is not used again.
    fn read<T>(
        &self,
        question: impl FnOnce(&Connection, &mut Lookup) -> Result<T, ReadError>,
    ) -> Result<T, ReadError> {
        let idle = self
            .pool
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let mut reader = match idle {
            Some(reader) => reader,
            None => ReadConnection {
                connection: connection::open_reader(&self.pool.path)?,
                lookup: Lookup::default(),
            },
        };
        let transaction = Transaction::new_unchecked(&reader.connection, TransactionBehavior::Deferred)?;
        let answer = question(&transaction, &mut reader.lookup)?;
        transaction.finish()?;
        let mut idle = self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE {
            idle.push(reader);
        }
        Ok(answer)
    }
}
