//! One transaction over many writes.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};

use super::error::ReadError;
use super::names::{Dictionary, Lookup};
use super::rollups::Changes;
use super::{
    alerts, answers, budgets, calibration, calls, checkpoints, conversations, counted_once, courses,
    forecasts, reports, sessions, windows,
};
use crate::domain::call::{Call, CallEnd};
use crate::domain::ids::CallId;
use crate::domain::record::Record;

/// The connection that writes, and what it remembers between transactions.
pub(super) struct Database {
    pub(super) connection: Connection,
    dictionary: Dictionary,
    lookup: Lookup,
    /// The calls that stand in `running_calls`.
    running: HashSet<CallId>,
}

impl Database {
    pub(super) fn new(connection: Connection) -> Self {
        Self {
            connection,
            dictionary: Dictionary::default(),
            lookup: Lookup::default(),
            running: HashSet::new(),
        }
    }

    /// Takes up a database while calls run.
    pub(super) fn resumed(connection: Connection) -> Result<Self, ReadError> {
        let running = calls::running_ids(&connection)?;
        Ok(Self {
            running,
            ..Self::new(connection)
        })
    }

    /// Ends the calls that a former process left running.
    pub(super) fn end_running(&mut self, writes: &[Record]) -> Result<(), ReadError> {
        self.running = writes.iter().filter_map(finished_id).collect();
        self.commit(&writes.iter())
    }

    /// Does all the writes or none.
    pub(super) fn commit<'a>(
        &mut self,
        writes: &(impl Iterator<Item = &'a Record> + Clone),
    ) -> Result<(), ReadError> {
        let result = self.transact(writes);
        if result.is_err() {
            self.dictionary.forget();
            self.lookup = Lookup::default();
        }
        result
    }

    fn transact<'a>(&mut self, writes: &(impl Iterator<Item = &'a Record> + Clone)) -> Result<(), ReadError> {
        let transaction = Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)?;
        // Of a call that starts and ends here only the end is written, and only the last one.
        let last: HashMap<CallId, usize> = writes
            .clone()
            .enumerate()
            .filter_map(|(index, write)| Some((finished_id(write)?, index)))
            .collect();
        let mut changes = Changes::default();
        let mut started = Vec::new();
        for (index, write) in writes.clone().enumerate() {
            match write {
                Record::CallStarted(call) | Record::CallFinished(call) => {
                    let id = call.start.id;
                    match (&call.end, last.get(&id)) {
                        (Some(end), Some(last)) if *last == index => {
                            let was_running = self.running.contains(&id);
                            if was_running || !is_of_gone(&transaction, call, writes.clone())? {
                                finish(
                                    &transaction,
                                    &mut self.dictionary,
                                    &mut self.lookup,
                                    &mut changes,
                                    call,
                                    end,
                                )?;
                            }
                            if was_running {
                                calls::remove_running(&transaction, id)?;
                            }
                        }
                        (_, Some(_)) => {}
                        (_, None) => {
                            calls::start(&transaction, &mut self.dictionary, call)?;
                            started.push(id);
                        }
                    }
                }
                Record::Counted(counted) => counted_once::put(&transaction, counted)?,
                Record::Session {
                    session,
                    events,
                    current,
                } => {
                    sessions::put(&transaction, &mut self.dictionary, session)?;
                    for event in events {
                        sessions::append_event(&transaction, &mut self.dictionary, session.id, event)?;
                    }
                    if let Some(current) = current {
                        sessions::put_current(&transaction, *current)?;
                    }
                }
                Record::Heartbeat { session, at } => {
                    sessions::put_heartbeat(&transaction, &mut self.dictionary, *session, at)?;
                }
                Record::Checkpoint(checkpoint) => {
                    checkpoints::put(&transaction, &mut self.dictionary, checkpoint)?;
                }
                Record::WhilePaused {
                    call,
                    session,
                    tokens,
                } => {
                    reports::put_paused(&transaction, &mut self.dictionary, *call, *session, *tokens)?;
                }
                Record::NotWhilePaused(call) => reports::remove_paused(&transaction, *call)?,
                Record::SessionDeleted { session, calls } => {
                    sessions::delete(&transaction, &mut self.dictionary, *session, *calls)?;
                }
                Record::CallDeleted(id) => {
                    let removed = calls::remove(&transaction, &mut self.dictionary, &mut self.lookup, *id)?;
                    if let Some((key, measures)) = removed {
                        changes.subtract(key, measures);
                    }
                }
                Record::CallsForgotten { before, first, last } => {
                    calls::forget(&transaction, &mut self.lookup, *before, *first, *last)?;
                    self.dictionary.noted.sweep(&transaction, *before)?;
                }
                Record::SessionEmptied(session) => {
                    std::mem::take(&mut changes).write(&transaction)?;
                    sessions::emptied(&transaction, *session)?;
                }
                Record::Answered(answer) => answers::put(&transaction, answer)?,
                Record::Fence => {}
                Record::Reported(kept) => reports::put(&transaction, &mut self.dictionary, kept)?,
                Record::Bound {
                    conversation,
                    session,
                    at,
                } => conversations::put(&transaction, &mut self.dictionary, conversation, *session, *at)?,
                Record::Foretold(foretold) => forecasts::put(&transaction, &mut self.dictionary, foretold)?,
                Record::Course(kept) => courses::put(&transaction, kept)?,
                Record::Current(current) => sessions::put_current(&transaction, *current)?,
                Record::Limits(set) => windows::put(&transaction, set)?,
                Record::Learnt { learnt, at } => calibration::put(&transaction, learnt, *at)?,
                Record::Alert(episode) => alerts::put(&transaction, episode)?,
                Record::Budget(budget) => budgets::put(&transaction, budget)?,
                Record::NoBudget(id) => budgets::remove(&transaction, *id)?,
                Record::Muted { rule, muted } => alerts::put_muted(&transaction, *rule, *muted)?,
            }
        }
        changes.write(&transaction)?;
        transaction.commit()?;
        for id in last.keys() {
            self.running.remove(id);
        }
        self.running.extend(started);
        Ok(())
    }
}

fn finish(
    connection: &Connection,
    dictionary: &mut Dictionary,
    lookup: &mut Lookup,
    changes: &mut Changes,
    call: &Call,
    end: &CallEnd,
) -> Result<(), ReadError> {
    let change = calls::finish(connection, dictionary, lookup, call, end)?;
    if let Some((key, measures)) = change.before {
        changes.subtract(key, measures);
    }
    let (key, measures) = change.after;
    changes.add(key, &measures);
    Ok(())
}

/// Whether a write says something of a call that is no longer kept.
fn is_of_gone<'a>(
    connection: &Connection,
    call: &Call,
    writes: impl Iterator<Item = &'a Record>,
) -> Result<bool, ReadError> {
    if !calls::has_gone(connection, call)? {
        return Ok(false);
    }
    // It may have ended for the first time in this very transaction, of which only the last word is written.
    let mut of_it = writes.filter_map(|write| match write {
        Record::CallFinished(other) if other.start.id == call.start.id => Some(other),
        _ => None,
    });
    let has_gone = of_it.all(|other| other.changed_at.is_some());
    if has_gone {
        tracing::debug!(call.id = %call.start.id, "what is said of a call that is no longer kept is dropped");
    }
    Ok(has_gone)
}

/// The call that a write ends.
fn finished_id(write: &Record) -> Option<CallId> {
    match write {
        Record::CallStarted(call) | Record::CallFinished(call) => call.end.as_ref().map(|_| call.start.id),
        _ => None,
    }
}

/// Whether the same write can succeed later: the fault is the disk's or the file's, not the write's.
pub(super) fn is_passing(error: &ReadError) -> bool {
    let ReadError::Sqlite(error) = error else {
        return false;
    };
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::DatabaseCorrupt
                | ErrorCode::NotADatabase
                | ErrorCode::DiskFull
                | ErrorCode::ReadOnly
                | ErrorCode::PermissionDenied
                | ErrorCode::CannotOpen
                | ErrorCode::SystemIoFailure
                | ErrorCode::FileLockingProtocolFailed
                | ErrorCode::OperationInterrupted
                | ErrorCode::OutOfMemory
                | ErrorCode::SchemaChanged
                | ErrorCode::NoLargeFileSupport
        )
    )
}
