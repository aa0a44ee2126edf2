//! Makes the sums anew from the calls: where they cannot be taken on trust, or have the form of an older program.
//!
//! What the quarters before the mark hold is kept as it is, for not all their calls are (see [`super::forgetting`]).

use rusqlite::{Connection, Transaction, TransactionBehavior};
use uuid::Uuid;

use super::forgetting::since;
use super::read::{each_ended, find};
use super::write::key_of;
use crate::domain::call::Call;
use crate::domain::ids::CallId;
use crate::domain::units::Timestamp;
use crate::store::error::ReadError;
use crate::store::names::{Dictionary, Lookup};
use crate::store::rollups::{self, Changes, Measures};

/// Makes the sums anew if an older program wrote them.
pub(in crate::store) fn renew_old_sums(connection: &Connection) -> Result<(), ReadError> {
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    if rollups::renew(&transaction)? {
        return Ok(transaction.commit()?);
    }
    let unusable = sum_usable(&transaction)?;
    if !unusable.is_empty() {
        tracing::warn!(calls = unusable.len(), "calls that cannot be read are in no sum");
    }
    Ok(transaction.commit()?)
}

/// Makes the sums anew. A call that cannot be understood is given up, or every page of calls that it is on would be
/// an error; gives how many those were.
pub(in crate::store) fn sum_anew(connection: &Connection) -> Result<u64, ReadError> {
    const UNPACK: &str = "UPDATE calls SET raw_usage = NULL WHERE id = ?1";
    const DELETE: &str = "DELETE FROM calls WHERE id = ?1";
    let mut dictionary = Dictionary::default();
    let mut changes = Changes::default();
    let mut lookup = Lookup::default();
    let is_summed = behind(since(connection)?);
    let mut given_up = 0;
    for id in sum_usable(connection)? {
        // Its numbers can do without the provider's own words for them, whose shape may be lost.
        connection.prepare_cached(UNPACK)?.execute([&id])?;
        let known = Uuid::from_slice(&id).ok().map(CallId::from_uuid);
        match known.map(|id| find(connection, &mut lookup, id)) {
            Some(Ok(Some(call))) => {
                if is_summed(&call) {
                    changes.add(key_of(connection, &mut dictionary, &call)?, &Measures::of(&call));
                }
            }
            _ => given_up += connection.prepare_cached(DELETE)?.execute([&id])? as u64,
        }
    }
    changes.write(connection)?;
    Ok(given_up)
}

/// Makes the sums anew of the calls that can be understood; gives the ids of the others.
fn sum_usable(connection: &Connection) -> Result<Vec<Vec<u8>>, ReadError> {
    let since = since(connection)?;
    rollups::forget(connection, since)?;
    let is_summed = behind(since);
    let mut dictionary = Dictionary::default();
    let mut changes = Changes::default();
    let mut unusable = Vec::new();
    each_ended(connection, |id, call| {
        match call {
            Ok(call) if is_summed(&call) => {
                changes.add(key_of(connection, &mut dictionary, &call)?, &Measures::of(&call));
            }
            Ok(_) => {}
            Err(_) => unusable.push(id),
        }
        Ok(changes.write_if_many(connection)?)
    })?;
    changes.write(connection)?;
    rollups::fold_anew(connection)?;
    Ok(unusable)
}

/// Whether a call's quarter is summed from its calls.
fn behind(since: Option<Timestamp>) -> impl Fn(&Call) -> bool {
    move |call| since.is_none_or(|since| call.start.started_at >= since)
}
