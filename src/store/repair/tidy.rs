//! Makes a refilled database whole again: rows that point at lost ones, and the sums.

use rusqlite::{Connection, params};
use uuid::Uuid;

use crate::domain::call::{Attribution, Outcome};
use crate::domain::operation::Operation;
use crate::store::error::ReadError;
use crate::store::names::Dictionary;
use crate::store::{calls, checkpoints, reports, sessions};

/// Stands where a name is lost that a row cannot do without.
const LOST: &str = "unknown (lost)";

/// Columns that refer to names and may be not known.
const OPTIONAL: [(&str, &[&str]); 2] = [
    (
        "calls",
        &[
            "price_provider",
            "request_model",
            "conversation",
            "client",
            "asked",
            "asked_by",
            "agent",
            "parent_agent",
            "model",
            "source",
            "error",
            "price_source",
            "price_date",
        ],
    ),
    (
        "running_calls",
        &[
            "price_provider",
            "request_model",
            "conversation",
            "client",
            "asked",
            "asked_by",
            "agent",
            "parent_agent",
        ],
    ),
];

/// Gives what lost rows left behind a place, and makes the sums anew. Gives how many calls had to be given up.
pub(super) fn tidy(connection: &Connection) -> Result<u64, ReadError> {
    connection.execute("DELETE FROM running_calls WHERE id IN (SELECT id FROM calls)", [])?;
    names(connection)?;
    missing_sessions(connection)?;
    let given_up = calls::sum_anew(connection)?;
    reports::forget_lost(connection)?;
    checkpoints::forget_unreadable(connection)?;
    sessions::mend_unreadable(connection)?;
    Ok(given_up)
}

fn names(connection: &Connection) -> rusqlite::Result<()> {
    let mut dictionary = Dictionary::default();
    let needed = [
        ("provider", LOST),
        ("attribution", Attribution::Unassigned.name()),
        ("operation", Operation::Manual.name()),
        ("outcome", Outcome::Interrupted.name()),
    ];
    for (table, columns) in OPTIONAL {
        for column in columns {
            let sql =
                format!("UPDATE {table} SET {column} = NULL WHERE {column} NOT IN (SELECT id FROM names)");
            connection.execute(&sql, [])?;
        }
        // What was asked for and by which means are known together or not at all.
        let sql = format!(
            "UPDATE {table} SET asked = NULL, asked_by = NULL WHERE (asked IS NULL) <> (asked_by IS NULL)"
        );
        connection.execute(&sql, [])?;
        for (column, name) in needed {
            if table == "running_calls" && column == "outcome" {
                continue;
            }
            let missing = format!("{column} NOT IN (SELECT id FROM names)");
            let sql = format!("SELECT EXISTS (SELECT 1 FROM {table} WHERE {missing})");
            if connection.query_row(&sql, [], |row| row.get(0))? {
                let name = dictionary.name(connection, name)?;
                connection.execute(
                    &format!("UPDATE {table} SET {column} = ?1 WHERE {missing}"),
                    [name],
                )?;
            }
        }
    }
    Ok(())
}

/// A session that is lost, while others point at it, gets an empty row.
fn missing_sessions(connection: &Connection) -> rusqlite::Result<()> {
    const MISSING: &str = "SELECT session FROM (SELECT session FROM calls UNION SELECT session FROM running_calls \
            UNION SELECT session FROM timer_events UNION SELECT session FROM checkpoints \
            UNION SELECT session FROM paused_calls UNION SELECT session FROM reports \
            UNION SELECT session FROM conversations) \
        WHERE session IS NOT NULL AND session NOT IN (SELECT key FROM sessions)";
    const INSERT: &str = "INSERT INTO sessions (key, id) VALUES (?1, ?2)";
    // A session that has a clock was more than a name that a call gave.
    const NAME: &str = "UPDATE sessions SET name = ?1, status = 'completed' \
        WHERE name IS NULL AND key IN (SELECT session FROM timer_events)";
    let missing: Vec<i64> = connection
        .prepare(MISSING)?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for key in missing {
        connection.execute(INSERT, params![key, Uuid::now_v7().as_bytes()])?;
    }
    connection.execute(NAME, [LOST])?;
    Ok(())
}
