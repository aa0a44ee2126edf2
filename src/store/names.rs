//! Repeated text as small integers: the table `names`, and the sessions' keys.

use std::sync::Arc;

use foldhash::HashMap;
use rusqlite::{Connection, OptionalExtension};

use super::calls::Noted;
use super::error::ReadError;
use super::raw_usage::Shapes;
use crate::domain::ids::SessionId;

/// So many names are remembered; then the memory starts afresh. Conversations come without end.
const REMEMBERED: usize = 4_096;

/// What the writer knows of names, sessions, shapes and places.
///
/// After a rollback it must [`forget`](Self::forget): it may know rows that no longer exist.
#[derive(Default)]
pub(super) struct Dictionary {
    names: HashMap<Box<str>, i64>,
    sessions: HashMap<SessionId, i64>,
    pub(super) shapes: Shapes,
    pub(super) noted: Noted,
}

impl Dictionary {
    /// The id of a name, which is added if it is new.
    pub(super) fn name(&mut self, connection: &Connection, name: &str) -> rusqlite::Result<i64> {
        const INSERT: &str = "INSERT INTO names (name) VALUES (?1)";
        if let Some(id) = self.names.get(name) {
            return Ok(*id);
        }
        let id = match find_name(connection, name)? {
            Some(id) => id,
            None => connection.prepare_cached(INSERT)?.insert([name])?,
        };
        make_room(&mut self.names);
        self.names.insert(name.into(), id);
        Ok(id)
    }

    /// The id of a name, if it is remembered.
    pub(super) fn known(&self, name: &str) -> Option<i64> {
        self.names.get(name).copied()
    }

    /// The id of a name, if there is a name.
    pub(super) fn optional(
        &mut self,
        connection: &Connection,
        name: Option<&str>,
    ) -> rusqlite::Result<Option<i64>> {
        name.map(|name| self.name(connection, name)).transpose()
    }

    /// The key of a session, for which an empty row is made if it is new.
    ///
    /// A call is kept even if the write of its session has not come or could not be done.
    pub(super) fn session(&mut self, connection: &Connection, id: SessionId) -> rusqlite::Result<i64> {
        const INSERT: &str = "INSERT INTO sessions (id) VALUES (?1)";
        if let Some(key) = self.sessions.get(&id) {
            return Ok(*key);
        }
        let key = match find_session(connection, id)? {
            Some(key) => key,
            None => connection.prepare_cached(INSERT)?.insert([id])?,
        };
        make_room(&mut self.sessions);
        self.sessions.insert(id, key);
        Ok(key)
    }

    /// Forgets everything.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}

fn make_room<K, V>(map: &mut HashMap<K, V>) {
    if map.len() >= REMEMBERED {
        map.clear();
    }
}

/// The id of a name, if it occurs anywhere.
pub(super) fn find_name(connection: &Connection, name: &str) -> rusqlite::Result<Option<i64>> {
    const SELECT: &str = "SELECT id FROM names WHERE name = ?1";
    connection
        .prepare_cached(SELECT)?
        .query_row([name], |row| row.get(0))
        .optional()
}

/// The ids of the names that have this part, in any case.
pub(super) fn names_with(connection: &Connection, part: &str) -> rusqlite::Result<Vec<i64>> {
    const SELECT: &str = "SELECT id, name FROM names";
    let part = part.to_lowercase();
    let mut statement = connection.prepare_cached(SELECT)?;
    let mut rows = statement.query([])?;
    let mut ids = Vec::new();
    while let Some(row) = rows.next()? {
        // SQLite knows upper and lower case of ASCII alone.
        let name = row.get_ref(1)?.as_str().unwrap_or_default();
        if name.to_lowercase().contains(&part) {
            ids.push(row.get(0)?);
        }
    }
    Ok(ids)
}

/// The key of a session, if it occurs anywhere.
pub(super) fn find_session(connection: &Connection, id: SessionId) -> rusqlite::Result<Option<i64>> {
    const SELECT: &str = "SELECT key FROM sessions WHERE id = ?1";
    connection
        .prepare_cached(SELECT)?
        .query_row([id], |row| row.get(0))
        .optional()
}

/// What a reader knows of names and sessions: both are never changed, so this is never stale.
#[derive(Default)]
pub(super) struct Lookup {
    names: HashMap<i64, Arc<str>>,
    sessions: HashMap<i64, SessionId>,
}

impl Lookup {
    /// The name with an id.
    pub(super) fn name(&mut self, connection: &Connection, id: i64) -> Result<Arc<str>, ReadError> {
        const SELECT: &str = "SELECT name FROM names WHERE id = ?1";
        if let Some(name) = self.names.get(&id) {
            return Ok(Arc::clone(name));
        }
        let name: Option<Arc<str>> = connection
            .prepare_cached(SELECT)?
            .query_row([id], |row| row.get(0))
            .optional()?;
        let name = name.ok_or_else(|| ReadError::bad_row("names", "id", id))?;
        make_room(&mut self.names);
        self.names.insert(id, Arc::clone(&name));
        Ok(name)
    }

    /// The session with a key.
    pub(super) fn session(&mut self, connection: &Connection, key: i64) -> Result<SessionId, ReadError> {
        const SELECT: &str = "SELECT id FROM sessions WHERE key = ?1";
        if let Some(id) = self.sessions.get(&key) {
            return Ok(*id);
        }
        let id: Option<SessionId> = connection
            .prepare_cached(SELECT)?
            .query_row([key], |row| row.get(0))
            .optional()?;
        let id = id.ok_or_else(|| ReadError::bad_row("sessions", "key", key))?;
        make_room(&mut self.sessions);
        self.sessions.insert(key, id);
        Ok(id)
    }
}
