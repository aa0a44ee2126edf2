//! Which calls there are.

use std::collections::HashSet;

use rusqlite::Connection;

use crate::domain::ids::CallId;
use crate::store::ReadError;

/// Those of these calls that there are, ended or running.
pub(in crate::store) fn known(connection: &Connection, ids: &[CallId]) -> Result<HashSet<CallId>, ReadError> {
    const EXISTS: &str = "SELECT EXISTS (SELECT 1 FROM calls WHERE id = ?1) \
        OR EXISTS (SELECT 1 FROM running_calls WHERE id = ?1)";
    let mut statement = connection.prepare_cached(EXISTS)?;
    let mut known = HashSet::new();
    for id in ids {
        if statement.query_row([id], |row| row.get(0))? {
            known.insert(*id);
        }
    }
    Ok(known)
}
