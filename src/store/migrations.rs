//! The schema's versions, and whether a file is ours to change.
//!
//! A released step is never edited, only followed by another. The version is SQLite's `user_version`.

use rusqlite::Connection;
use rusqlite_migration::{M, Migrations};

/// "MOON", in the header of every database of ours.
pub(super) const APPLICATION_ID: i32 = 0x4d4f_4f4e;

const STEPS: &[M<'_>] = &[
    M::up(include_str!("migrations/0001_init.sql")),
    M::up(include_str!("migrations/0002_counted_once.sql")),
    M::up(include_str!("migrations/0003_provider_windows.sql")),
    M::up(include_str!("migrations/0004_price_source.sql")),
    M::up(include_str!("migrations/0005_sessions.sql")),
    M::up(include_str!("migrations/0006_conversations.sql")),
    M::up(include_str!("migrations/0007_alerts.sql")),
    M::up(include_str!("migrations/0008_agents.sql")),
    M::up(include_str!("migrations/0009_estimates.sql")),
    M::up(include_str!("migrations/0010_calibration.sql")),
    M::up(include_str!("migrations/0011_budgets.sql")),
    M::up(include_str!("migrations/0012_forecasts.sql")),
    M::up(include_str!("migrations/0013_changed_calls.sql")),
    M::up(include_str!("migrations/0014_deleted_sessions.sql")),
    M::up(include_str!("migrations/0015_sorted_sessions.sql")),
    M::up(include_str!("migrations/0016_answers.sql")),
    M::up(include_str!("migrations/0017_timings.sql")),
    M::up(include_str!("migrations/0018_folded_sums.sql")),
    M::up(include_str!("migrations/0019_call_places.sql")),
    M::up(include_str!("migrations/0020_courses.sql")),
];

const MIGRATIONS: Migrations<'_> = Migrations::from_slice(STEPS);

/// Whose database a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// Nobody's: it is empty.
    Nobody,
    /// Ours, of a version that this program knows.
    Ours,
    /// Ours, but written by a newer program.
    Newer {
        /// Its version.
        version: usize,
    },
    /// Another program's.
    Foreign,
}

/// The newest version that this program knows.
pub(super) const fn latest() -> usize {
    STEPS.len()
}

/// Finds out whose database it is, without changing it.
pub(super) fn owner(connection: &Connection) -> rusqlite::Result<Owner> {
    let application: i32 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(match (application, usize::try_from(version)) {
        (APPLICATION_ID, Ok(version)) if version > latest() => Owner::Newer { version },
        (APPLICATION_ID, Ok(_)) => Owner::Ours,
        (0, Ok(0)) if tables == 0 => Owner::Nobody,
        _ => Owner::Foreign,
    })
}

/// Brings the schema to the newest version.
pub(super) fn run(connection: &mut Connection) -> Result<(), rusqlite_migration::Error> {
    MIGRATIONS.to_latest(connection)
}

/// Brings the schema of an empty database to an older version; to the newest, if there is none of that number.
pub(super) fn run_to(connection: &mut Connection, version: usize) -> Result<(), rusqlite_migration::Error> {
    if (1..=latest()).contains(&version) {
        MIGRATIONS.to_version(connection, version)
    } else {
        run(connection)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_is_valid_sql() {
        MIGRATIONS.validate().unwrap();
    }

    #[test]
    fn migrating_twice_changes_nothing_more() {
        let mut connection = Connection::open_in_memory().unwrap();
        assert_eq!(owner(&connection).unwrap(), Owner::Nobody);
        run(&mut connection).unwrap();
        assert_eq!(owner(&connection).unwrap(), Owner::Ours);
        run(&mut connection).unwrap();
        let version: i64 = connection
            .query_row("PRAGMA user_version", [], |row| row.get(0))
            .unwrap();
        assert_eq!(usize::try_from(version), Ok(latest()));
    }

    #[test]
    fn a_newer_or_a_foreign_database_is_recognised() {
        let mut connection = Connection::open_in_memory().unwrap();
        run(&mut connection).unwrap();
        connection.pragma_update(None, "user_version", 99).unwrap();
        assert_eq!(owner(&connection).unwrap(), Owner::Newer { version: 99 });

        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch("CREATE TABLE theirs (id INTEGER)")
            .unwrap();
        assert_eq!(owner(&connection).unwrap(), Owner::Foreign);
    }
}
