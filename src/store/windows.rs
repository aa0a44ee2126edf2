//! The table `provider_windows`: what each provider last told of its limits, for each credential.

use rusqlite::{Connection, Row, params};

use super::error::ReadError;
use super::sql_types::{Unsigned, signed};
use crate::domain::units::Timestamp;
use crate::domain::windows::{Fingerprint, Kind, LimitSet, Permille, Role, SeenWindow, Standing, Window};

/// Stores a set in place of what was known of it; without windows, forgets it.
pub(super) fn put(connection: &Connection, set: &LimitSet) -> rusqlite::Result<()> {
    const DELETE: &str = "DELETE FROM provider_windows WHERE provider = ?1 AND credential = ?2";
    const INSERT: &str = "INSERT INTO provider_windows (provider, credential, name, kind, period_ms, limit_value, \
            remaining, used_permille, standing, deciding, resets_at, seen_at) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
    let credential = set.credential.map(|credential| credential.to_string());
    let credential = credential.unwrap_or_default();
    connection
        .prepare_cached(DELETE)?
        .execute(params![set.provider, credential])?;
    let mut insert = connection.prepare_cached(INSERT)?;
    for SeenWindow { window, seen_at } in &set.windows {
        insert.execute(params![
            set.provider,
            credential,
            window.name,
            window.kind.name(),
            window.period,
            window.limit.map(signed),
            window.remaining.map(signed),
            window.said_used.map(|used| used.0),
            window.standing.map(Standing::name),
            window.role == Role::Deciding,
            window.resets_at,
            seen_at,
        ])?;
    }
    Ok(())
}

/// All sets; a window that cannot be read is an error in its place, as a set of its own.
pub(super) fn all(connection: &Connection) -> rusqlite::Result<Vec<Result<LimitSet, ReadError>>> {
    const SELECT: &str = "SELECT provider, credential, name, kind, period_ms, limit_value, remaining, used_permille, \
            standing, deciding, resets_at, seen_at \
        FROM provider_windows ORDER BY provider, credential, name";
    let mut statement = connection.prepare_cached(SELECT)?;
    let mut rows = statement.query([])?;
    let mut sets: Vec<Result<LimitSet, ReadError>> = Vec::new();
    while let Some(row) = rows.next()? {
        let read = set_of_one(row);
        match (read, sets.last_mut()) {
            (Ok(one), Some(Ok(set)))
                if (&one.provider, one.credential) == (&set.provider, set.credential) =>
            {
                set.windows.extend(one.windows);
            }
            (read, _) => sets.push(read),
        }
    }
    Ok(sets)
}

fn set_of_one(row: &Row<'_>) -> Result<LimitSet, ReadError> {
    let bad = |field, value: &str| ReadError::bad_row("provider_windows", field, value);
    let unsigned = |column: usize| -> rusqlite::Result<Option<u64>> {
        Ok(row.get::<_, Option<Unsigned>>(column)?.map(|number| number.0))
    };
    let credential: String = row.get(1)?;
    let credential = match &*credential {
        "" => None,
        text => Some(text.parse::<Fingerprint>().map_err(|_| bad("credential", text))?),
    };
    let kind: String = row.get(3)?;
    let standing: Option<String> = row.get(8)?;
    let standing = standing
        .map(|name| Standing::from_name(&name).ok_or_else(|| bad("standing", &name)))
        .transpose()?;
    let window = Window {
        name: row.get(2)?,
        kind: Kind::from_name(&kind).ok_or_else(|| bad("kind", &kind))?,
        period: row.get(4)?,
        limit: unsigned(5)?,
        remaining: unsigned(6)?,
        said_used: row.get::<_, Option<u32>>(7)?.map(Permille),
        standing,
        role: if row.get(9)? {
            Role::Deciding
        } else {
            Role::Unnamed
        },
        resets_at: row.get(10)?,
    };
    let seen_at: Timestamp = row.get(11)?;
    Ok(LimitSet {
        provider: row.get(0)?,
        credential,
        windows: vec![SeenWindow { window, seen_at }],
    })
}
