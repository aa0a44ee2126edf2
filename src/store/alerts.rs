//! The tables `alerts`, one row an episode, and `muted_rules`.

use rusqlite::{Connection, Row, params};

use super::error::ReadError;
use super::query::AlertQuery;
use super::sql_types::Unsigned;
use crate::domain::alert::{Episode, Rule, Severity};
use crate::domain::ids::{AlertId, SessionId};
use crate::domain::units::Timestamp;

/// Episodes that are kept; of older ones that are over it is forgotten that they were.
pub(super) const KEPT: i64 = 10_000;

/// Stores an episode as it is now.
pub(super) fn put(connection: &Connection, episode: &Episode) -> rusqlite::Result<()> {
    const UPSERT: &str = "INSERT INTO alerts (id, rule, scope, level, severity, message, raised_at, worsened_at, \
            cleared_at, acknowledged_at, snoozed_until, muted) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) \
        ON CONFLICT DO UPDATE SET level = excluded.level, severity = excluded.severity, \
            message = excluded.message, worsened_at = excluded.worsened_at, cleared_at = excluded.cleared_at, \
            acknowledged_at = excluded.acknowledged_at, snoozed_until = excluded.snoozed_until, \
            muted = excluded.muted";
    connection.prepare_cached(UPSERT)?.execute(params![
        episode.id,
        episode.rule.name(),
        episode.scope.to_string(),
        episode.level,
        episode.severity.name(),
        episode.message,
        episode.raised_at,
        episode.worsened_at,
        episode.cleared_at,
        episode.acknowledged_at,
        episode.snoozed_until,
        episode.muted,
    ])?;
    if episode.cleared_at.is_some() {
        forget_oldest(connection, episode.raised_at)?;
    }
    Ok(())
}

/// Forgets the oldest episodes beyond [`KEPT`]. One that stands, or whose snooze lasts, stays.
fn forget_oldest(connection: &Connection, now: Timestamp) -> rusqlite::Result<()> {
    const FORGET: &str = "DELETE FROM alerts WHERE cleared_at IS NOT NULL AND coalesce(snoozed_until, 0) <= ?2 \
        AND id <= (SELECT id FROM alerts ORDER BY id DESC LIMIT 1 OFFSET ?1)";
    connection.prepare_cached(FORGET)?.execute(params![KEPT, now])?;
    Ok(())
}

/// Mutes a rule, or ends that.
pub(super) fn put_muted(connection: &Connection, rule: Rule, muted: bool) -> rusqlite::Result<()> {
    const INSERT: &str = "INSERT INTO muted_rules (rule) VALUES (?1) ON CONFLICT DO NOTHING";
    const DELETE: &str = "DELETE FROM muted_rules WHERE rule = ?1";
    let sql = if muted { INSERT } else { DELETE };
    connection.prepare_cached(sql)?.execute([rule.name()])?;
    Ok(())
}

/// The muted rules; one that cannot be read is an error in its place.
pub(super) fn muted(connection: &Connection) -> rusqlite::Result<Vec<Result<Rule, ReadError>>> {
    const SELECT: &str = "SELECT rule FROM muted_rules ORDER BY rule";
    let mut statement = connection.prepare_cached(SELECT)?;
    let rules = statement.query_map([], |row| row.get::<_, Box<str>>(0))?;
    let rule = |name: Box<str>| {
        Rule::from_name(&name).ok_or_else(|| ReadError::bad_row("muted_rules", "rule", name))
    };
    Ok(rules
        .map(|name| name.map_err(ReadError::from).and_then(rule))
        .collect())
}

macro_rules! select_alerts {
    ($rest:literal) => {
        concat!(
            "SELECT id, rule, scope, level, severity, message, raised_at, worsened_at, cleared_at, acknowledged_at, \
                snoozed_until, muted \
             FROM alerts WHERE ",
            $rest
        )
    };
}

/// The episodes that stand, and the last ones of what is over and whose snooze is not; one that cannot be read is an error in its
/// place.
pub(super) fn standing(
    connection: &Connection,
    now: Timestamp,
) -> Result<Vec<Result<Episode, ReadError>>, ReadError> {
    const SELECT: &str = select_alerts!(
        "cleared_at IS NULL OR snoozed_until > ?1 AND NOT EXISTS (SELECT 1 FROM alerts AS later \
            WHERE later.rule = alerts.rule AND later.scope = alerts.scope AND later.id > alerts.id) ORDER BY id"
    );
    let mut statement = connection.prepare_cached(SELECT)?;
    let mut rows = statement.query([now])?;
    let mut episodes = Vec::new();
    while let Some(row) = rows.next()? {
        episodes.push(episode(row));
    }
    Ok(episodes)
}

/// One episode.
pub(super) fn find(connection: &Connection, id: AlertId) -> Result<Option<Episode>, ReadError> {
    const SELECT: &str = select_alerts!("id = ?1");
    let mut statement = connection.prepare_cached(SELECT)?;
    let mut rows = statement.query([id])?;
    rows.next()?.map(episode).transpose()
}

/// How many episodes of a rule there were about a session, its conversations and their agents.
pub(super) fn count(connection: &Connection, rule: Rule, session: SessionId) -> rusqlite::Result<u64> {
    const COUNT: &str = "SELECT count(*) FROM alerts WHERE rule = ?1 AND (scope = 'session:' || ?2 \
            OR scope LIKE 'conversation:' || ?2 || '/%' OR scope LIKE 'agent:' || ?2 || '/%')";
    let count: Unsigned = connection
        .prepare_cached(COUNT)?
        .query_row(params![rule.name(), session.to_string()], |row| row.get(0))?;
    Ok(count.0)
}

/// The episodes that match, newest first.
pub(super) fn select(connection: &Connection, query: &AlertQuery) -> Result<Vec<Episode>, ReadError> {
    const SELECT: &str = select_alerts!(
        "id < ?1 AND (?2 IS NULL OR rule = ?2) AND (?3 IS NULL OR severity = ?3) \
            AND (?4 IS NULL OR scope = 'session:' || ?4 OR scope LIKE 'conversation:' || ?4 || '/%' \
                OR scope LIKE 'agent:' || ?4 || '/%') \
            AND (?5 IS NULL OR (cleared_at IS NULL) = ?5) \
            AND (?6 IS NULL OR raised_at >= ?6) AND (?7 IS NULL OR raised_at < ?7) \
         ORDER BY id DESC LIMIT ?8"
    );
    let mut statement = connection.prepare_cached(SELECT)?;
    let mut rows = statement.query(params![
        query.before.map_or([0xff; 16], |id| *id.as_bytes()),
        query.rule.map(Rule::name),
        query.severity.map(Severity::name),
        query.session.map(|session| session.to_string()),
        query.standing,
        query.from,
        query.to,
        i64::try_from(query.limit).unwrap_or(i64::MAX),
    ])?;
    let mut episodes = Vec::new();
    while let Some(row) = rows.next()? {
        episodes.push(episode(row)?);
    }
    Ok(episodes)
}

fn episode(row: &Row<'_>) -> Result<Episode, ReadError> {
    let bad = |field, value: &str| ReadError::bad_row("alerts", field, value);
    let rule: Box<str> = row.get(1)?;
    let scope: Box<str> = row.get(2)?;
    let severity: Box<str> = row.get(4)?;
    Ok(Episode {
        id: row.get(0)?,
        rule: Rule::from_name(&rule).ok_or_else(|| bad("rule", &rule))?,
        scope: scope.parse().map_err(|_| bad("scope", &scope))?,
        level: row.get(3)?,
        severity: Severity::from_name(&severity).ok_or_else(|| bad("severity", &severity))?,
        message: row.get(5)?,
        raised_at: row.get(6)?,
        worsened_at: row.get(7)?,
        cleared_at: row.get(8)?,
        acknowledged_at: row.get(9)?,
        snoozed_until: row.get(10)?,
        muted: row.get(11)?,
    })
}
