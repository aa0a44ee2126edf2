//! Makes the sums anew from the calls: after a repair, when neither may be taken on trust.

use rusqlite::Connection;
use uuid::Uuid;

use super::read::{each_ended, find};
use super::write::key_of;
use crate::domain::ids::CallId;
use crate::store::error::ReadError;
use crate::store::names::{Dictionary, Lookup};
use crate::store::rollups::{Changes, Measures};

/// Makes the sums anew. A call that cannot be understood is given up, or every page of calls that it is on would be
/// an error; gives how many those were.
pub(in crate::store) fn sum_anew(connection: &Connection) -> Result<u64, ReadError> {
    const UNPACK: &str = "UPDATE calls SET raw_usage = NULL WHERE id = ?1";
    const DELETE: &str = "DELETE FROM calls WHERE id = ?1";
    connection.execute("DELETE FROM rollups", [])?;
    let mut dictionary = Dictionary::default();
    let mut changes = Changes::default();
    let mut unusable = Vec::new();
    each_ended(connection, |id, call| {
        match call {
            Ok(call) => changes.add(key_of(connection, &mut dictionary, &call)?, &Measures::of(&call)),
            Err(_) => unusable.push(id),
        }
        Ok(())
    })?;
    let mut lookup = Lookup::default();
    let mut given_up = 0;
    for id in unusable {
        // Its numbers can do without the provider's own words for them, whose shape may be lost.
        connection.prepare_cached(UNPACK)?.execute([&id])?;
        let known = Uuid::from_slice(&id).ok().map(CallId::from_uuid);
        match known.map(|id| find(connection, &mut lookup, id)) {
            Some(Ok(Some(call))) => {
                changes.add(key_of(connection, &mut dictionary, &call)?, &Measures::of(&call));
            }
            _ => given_up += connection.prepare_cached(DELETE)?.execute([&id])? as u64,
        }
    }
    changes.write(connection)?;
    Ok(given_up)
}
