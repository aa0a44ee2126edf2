//! Questions to the history, on connections that cannot write.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::calls::Forgettable;
use super::check;
use super::connection;
use super::error::{ReadError, StoreError, is_damage};
use super::migrations::Owner;
use super::names::{Lookup, find_session};
use super::query::{
    AlertQuery, CallQuery, Extent, SessionPlace, SessionQuery, StoredSession, UsageGroup, UsageQuery,
};
use super::writer::WriterHandle;
use super::{
    alerts, answers, calibration, calls, checkpoints, counted_once, courses, reports, rollups, sessions,
};
use crate::domain::alert::Episode;
use crate::domain::answer::Answer;
use crate::domain::call::Call;
use crate::domain::estimate::calibration::Learnt;
use crate::domain::ids::{AlertId, CallId, CheckpointId, SessionId};
use crate::domain::live::{Counting, Movable, PastCall};
use crate::domain::record::{KeptCourse, Record};
use crate::domain::report::Kept;
use crate::domain::session::CallsFate;
use crate::domain::session::checkpoint::Checkpoint;
use crate::domain::session::clock::Reading;
use crate::domain::session::curve::{Axis, Course, Reach};
use crate::domain::session::event::TimerEvent;
use crate::domain::units::Timestamp;
use crate::domain::usage::once::OnceKey;
use crate::domain::wire::Totals;

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
    writer: Option<WriterHandle>,
    idle: Mutex<Vec<ReadConnection>>,
    /// Held for reading while a connection is in use: a repair waits until none is.
    in_use: RwLock<()>,
}

/// How large the database is, and which calls are in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// The file, with what waits in its log.
    pub bytes: u64,
    /// What of it is free, and written again before the file grows.
    pub free_bytes: u64,
    /// When the oldest call began.
    pub oldest_call: Option<Timestamp>,
    /// As [`Reader::calls_since`].
    pub calls_since: Option<Timestamp>,
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
        let reader = Self::with(path, None);
        let connection = connection::open_reader(path).map_err(|source| connection::failure(path, source))?;
        match connection::ours(path, &connection)? {
            Owner::Ours => Ok(reader),
            _ => Err(missing()),
        }
    }

    /// Reads the database of the store of this process; its writer is told if a part of it is damaged.
    pub(super) fn of_store(path: &Path, writer: WriterHandle) -> Self {
        Self::with(path, Some(writer))
    }

    fn with(path: &Path, writer: Option<WriterHandle>) -> Self {
        Self {
            pool: Arc::new(Pool {
                path: path.to_owned(),
                writer,
                idle: Mutex::default(),
                in_use: RwLock::default(),
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

    /// How far the estimates of each model's calls are off, what was learnt last at the end.
    ///
    /// # Errors
    /// As [`Self::calls`].
    pub fn calibration(&self) -> Result<Vec<Learnt>, ReadError> {
        self.read(|connection, _| calibration::all(connection)?.into_iter().collect())
    }

    /// The calls that match and have ended, newest first.
    ///
    /// # Errors
    /// As [`Self::calls`].
    pub fn ended_calls(&self, query: &CallQuery) -> Result<Vec<Call>, ReadError> {
        self.read(|connection, lookup| calls::ended(connection, lookup, query))
    }

    /// How many calls match and have ended, and when they began; the query's limit does not matter.
    ///
    /// # Errors
    /// As [`Self::calls`].
    pub fn extent(&self, query: &CallQuery) -> Result<Extent, ReadError> {
        self.read(|connection, _| calls::extent(connection, query))
    }

    /// How large the database is, and which calls are in it.
    ///
    /// # Errors
    /// As [`Self::calls`].
    pub fn size(&self) -> Result<Size, ReadError> {
        let length = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
        let path = &self.pool.path;
        let mut log = path.clone().into_os_string();
        log.push("-wal");
        let bytes = length(path).saturating_add(length(Path::new(&log)));
        self.read(|connection, _| {
            Ok(Size {
                bytes,
                free_bytes: connection::free_bytes(connection)?,
                oldest_call: calls::oldest(connection)?,
                calls_since: calls::since(connection)?,
            })
        })
    }

    /// The moment before which calls may be gone, though their sums are here; `None` while none is.
    ///
    /// # Errors
    /// As [`Self::calls`].
    pub fn calls_since(&self) -> Result<Option<Timestamp>, ReadError> {
        self.read(|connection, _| Ok(calls::since(connection)?))
    }

    /// Whether a call of that id may be gone: it is older than those that are kept, and is not here.
    ///
    /// # Errors
    /// As [`Self::calls`].
    pub fn may_have_gone(&self, id: CallId) -> Result<bool, ReadError> {
        self.read(|connection, _| Ok(calls::may_have_gone(connection, id)?))
    }

    /// The oldest calls behind one that began before a moment and may go, up to so many; `None` if there are none.
    ///
    /// # Errors
    /// As [`Self::calls`].
    pub fn forgettable(
        &self,
        before: Timestamp,
        after: Option<CallId>,
        limit: usize,
    ) -> Result<Option<Forgettable>, ReadError> {
        self.read(|connection, _| Ok(calls::forgettable(connection, before, after, limit)?))
    }

    /// One call.
    ///
    /// # Errors
    /// As [`Self::calls`].
    pub fn call(&self, id: CallId) -> Result<Option<Call>, ReadError> {
        self.read(|connection, lookup| calls::call(connection, lookup, id))
    }

    /// Which of these calls there are, ended or running.
    ///
    /// # Errors
    /// As [`Self::calls`].
    pub fn known_calls(&self, ids: &[CallId]) -> Result<HashSet<CallId>, ReadError> {
        self.read(|connection, _| calls::known(connection, ids))
    }

    /// Calls that have ended and match, newest first, each with what it counts among its session's paused tokens.
    ///
    /// # Errors
    /// As [`Self::calls`].
    pub fn ended_movable(&self, query: &CallQuery) -> Result<Vec<Movable>, ReadError> {
        self.read(|connection, lookup| {
            let calls = calls::ended(connection, lookup, query)?;
            calls.into_iter().map(|call| movable(connection, call)).collect()
        })
    }

    /// The calls that match, newest first, with what has to be known to move them.
    ///
    /// # Errors
    /// As [`Self::calls`].
    pub fn movable(&self, query: &CallQuery) -> Result<Vec<Movable>, ReadError> {
        self.read(|connection, lookup| {
            let calls = calls::select(connection, lookup, query)?;
            calls.into_iter().map(|call| movable(connection, call)).collect()
        })
    }

    /// The calls of these ids with what has to be known to move them; `None` in the place of one that there is not.
    ///
    /// # Errors
    /// As [`Self::calls`].
    pub fn movable_ids(&self, ids: &[CallId]) -> Result<Vec<Option<Movable>>, ReadError> {
        self.read(|connection, lookup| {
            let calls = ids.iter().map(|id| {
                calls::call(connection, lookup, *id)?
                    .map(|call| movable(connection, call))
                    .transpose()
            });
            calls.collect()
        })
    }

    /// Which call counts the usage behind a key; `None` if none does.
    ///
    /// # Errors
    /// As [`Self::calls`].
    pub fn counting(&self, key: &OnceKey) -> Result<Option<Counting>, ReadError> {
        self.read(|connection, lookup| counted_once::find(connection, lookup, key))
    }

    /// The sessions that match with their places, in the order that is asked for.
    ///
    /// # Errors
    /// As [`Self::calls`].
    pub fn sessions(&self, query: &SessionQuery) -> Result<Vec<(StoredSession, SessionPlace)>, ReadError> {
        self.read(|connection, _| sessions::list(connection, query))
    }

    /// One session.
    ///
    /// # Errors
    /// As [`Self::calls`].
    pub fn session(&self, id: SessionId) -> Result<Option<StoredSession>, ReadError> {
        self.read(|connection, _| sessions::session(connection, id))
    }

    /// How the use of sessions grew, on one axis of their own time that holds them all; `None` in the place of one that
    /// there is not.
    ///
    /// # Errors
    /// As [`Self::calls`].
    pub fn courses(
        &self,
        ids: &[SessionId],
        reach: Reach,
        now: Reading,
    ) -> Result<Vec<Option<Course>>, ReadError> {
        let mut made = Vec::new();
        let found = self.read(|connection, lookup| {
            courses::of_sessions(connection, lookup, &mut made, ids, reach, now)
        })?;
        self.keep(made);
        Ok(found)
    }

    /// How the use of the newest finished sessions grew that tell what is usual, but for some.
    ///
    /// # Errors
    /// As [`Self::calls`].
    pub fn finished(
        &self,
        axis: Axis,
        limit: usize,
        except: &[SessionId],
        now: Reading,
    ) -> Result<Vec<Course>, ReadError> {
        let mut made = Vec::new();
        let found = self.read(|connection, lookup| {
            courses::finished(connection, lookup, &mut made, axis, limit, except, now)
        })?;
        self.keep(made);
        Ok(found)
    }

    /// Has what was made of calls kept for the next time, if this is the store's process and its writer has time.
    fn keep(&self, made: Vec<KeptCourse>) {
        let Some(writer) = &self.pool.writer else {
            return;
        };
        for course in made {
            writer.submit_with(Record::Course(Box::new(course)), None).ok();
        }
    }

    /// The deleted sessions that calls may still belong to, and what becomes of those.
    ///
    /// # Errors
    /// As [`Self::calls`].
    pub fn emptying(&self) -> Result<Vec<(SessionId, CallsFate)>, ReadError> {
        self.read(|connection, _| sessions::emptying(connection))
    }

    /// The newest calls of a session whose usage is known, newest first.
    ///
    /// # Errors
    /// As [`Self::calls`].
    pub fn past_calls(&self, session: SessionId, limit: usize) -> Result<Vec<PastCall>, ReadError> {
        self.read(|connection, lookup| match find_session(connection, session)? {
            Some(key) => calls::past(connection, lookup, key, limit)?.into_iter().collect(),
            None => Ok(Vec::new()),
        })
    }

    /// All events of a session's clock, in order.
    ///
    /// # Errors
    /// As [`Self::calls`].
    pub fn timer_events(&self, session: SessionId) -> Result<Vec<TimerEvent>, ReadError> {
        self.read(|connection, _| sessions::events_of(connection, session))
    }

    /// A session's checkpoints in order, from the one `from` on, itself included.
    ///
    /// # Errors
    /// As [`Self::calls`].
    pub fn checkpoints(
        &self,
        session: SessionId,
        from: Option<CheckpointId>,
        limit: usize,
    ) -> Result<Vec<Checkpoint>, ReadError> {
        self.read(|connection, _| checkpoints::of_session(connection, session, from, limit))
    }

    /// What was reported for a session under a key, unless that is too long before `now`.
    ///
    /// # Errors
    /// As [`Self::calls`].
    pub fn report(&self, session: SessionId, key: &str, now: Timestamp) -> Result<Option<Kept>, ReadError> {
        self.read(|connection, _| reports::find(connection, session, key, now))
    }

    /// What a request with this key was answered, unless that is too long before `now`.
    ///
    /// # Errors
    /// As [`Self::calls`].
    pub fn answer(&self, key: &str, now: Timestamp) -> Result<Option<Answer>, ReadError> {
        self.read(|connection, _| answers::find(connection, key, now))
    }

    /// The sums of a session, deleted or not.
    ///
    /// # Errors
    /// As [`Self::calls`].
    pub fn of_session(&self, session: SessionId) -> Result<Totals, ReadError> {
        self.read(|connection, _| match find_session(connection, session)? {
            Some(key) => Ok(rollups::of_session(connection, key)?),
            None => Ok(Totals::default()),
        })
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

    /// One alert.
    ///
    /// # Errors
    /// As [`Self::calls`].
    pub fn alert(&self, id: AlertId) -> Result<Option<Episode>, ReadError> {
        self.read(|connection, _| alerts::find(connection, id))
    }

    /// The alerts that match, newest first.
    ///
    /// # Errors
    /// As [`Self::calls`].
    pub fn alerts(&self, query: &AlertQuery) -> Result<Vec<Episode>, ReadError> {
        self.read(|connection, _| alerts::select(connection, query))
    }

    /// What is wrong with the database; `None` if it is sound, as far as can be seen. `stopping` ends it early.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn problem(&self, stopping: &Arc<AtomicBool>) -> Result<Option<String>, ReadError> {
        let _in_use = self.pool.in_use.read().unwrap_or_else(PoisonError::into_inner);
        let connection = connection::open_reader(&self.pool.path)?;
        connection::stop_with(&connection, stopping)?;
        match check::problem(&connection) {
            Err(error) if is_damage(&error) => Ok(Some(error.to_string())),
            found => Ok(found?),
        }
    }

    /// Does something while no connection is open; questions wait for it.
    pub(super) fn while_closed<T>(&self, work: impl FnOnce() -> T) -> T {
        let _nobody = self.pool.in_use.write().unwrap_or_else(PoisonError::into_inner);
        self.pool
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        work()
    }

    /// Asks, and says so if the answer is that the database is damaged.
    fn read<T>(
        &self,
        question: impl FnOnce(&Connection, &mut Lookup) -> Result<T, ReadError>,
    ) -> Result<T, ReadError> {
        self.ask(question).inspect_err(|error| {
            if let (ReadError::Sqlite(error), Some(writer)) = (error, &self.pool.writer)
                && is_damage(error)
            {
                writer.report_damage(error.to_string());
            }
        })
    }

    /// Asks on one consistent state. A connection that failed is not used again.
    fn ask<T>(
        &self,
        question: impl FnOnce(&Connection, &mut Lookup) -> Result<T, ReadError>,
    ) -> Result<T, ReadError> {
        let _in_use = self.pool.in_use.read().unwrap_or_else(PoisonError::into_inner);
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

fn movable(connection: &Connection, call: Call) -> Result<Movable, ReadError> {
    let paused = reports::paused(connection, call.start.id)?;
    Ok(Movable { call, paused })
}
