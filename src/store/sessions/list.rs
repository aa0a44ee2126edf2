//! Lists of sessions: filtered, sorted, page by page.
//!
//! Text is compared and rows are sorted here and not in SQL, which knows upper and lower case of ASCII alone. Sessions
//! are few (a user starts some a day), and what a list shows of one is read only for those of the page.

use std::cmp::Ordering;
use std::collections::HashMap;

use rusqlite::{Connection, Row, params};

use super::session;
use crate::domain::ids::SessionId;
use crate::domain::session::Status;
use crate::domain::units::Timestamp;
use crate::store::error::ReadError;
use crate::store::query::{SessionPlace, SessionQuery, SessionSort, StoredSession};
use crate::store::rollups;

/// The sessions that match with their places, in the order that is asked for.
pub(in crate::store) fn list(
    connection: &Connection,
    query: &SessionQuery,
) -> Result<Vec<(StoredSession, SessionPlace)>, ReadError> {
    const SELECT: &str = "SELECT key, id, created_at, name, tags, note, elapsed_ms, runs_since FROM sessions \
        WHERE name IS NOT NULL AND created_at >= ?1 AND created_at < ?2 AND (?3 IS NULL OR instr(?3, status || ',')) \
        ORDER BY id DESC";
    let sums = match query.sort {
        SessionSort::Started | SessionSort::Duration => HashMap::new(),
        SessionSort::Tokens | SessionSort::Cost => rollups::of_sessions(connection)?,
    };
    let wanted = Wanted::of(query);
    let mut places = Vec::new();
    {
        let mut statement = connection.prepare_cached(SELECT)?;
        let mut rows = statement.query(params![
            query.from.unwrap_or(Timestamp(i64::MIN)),
            query.to.unwrap_or(Timestamp(i64::MAX)),
            statuses(&query.status),
        ])?;
        while let Some(row) = rows.next()? {
            let (key, id) = (row.get(0)?, row.get(1)?);
            if !wanted.matches(row, id)? {
                continue;
            }
            let (tokens, cost) = sums.get(&key).copied().unwrap_or_default();
            let value = match query.sort {
                SessionSort::Started => row.get(2)?,
                SessionSort::Tokens => tokens,
                SessionSort::Cost => cost,
                SessionSort::Duration => elapsed(row, query.now)?,
            };
            let place = (value, id);
            if query
                .after
                .is_none_or(|after| query.order(&after, &place) == Ordering::Less)
            {
                places.push(place);
            }
        }
    }
    places.sort_unstable_by(|left, right| query.order(left, right));
    places.truncate(query.limit);
    let page = places.into_iter().map(|place| {
        let stored = session(connection, place.1)?;
        Ok(stored.map(|stored| (stored, place)))
    });
    page.filter_map(Result::transpose).collect()
}

/// These statuses, each with a comma behind it; `None` is all.
fn statuses(wanted: &[Status]) -> Option<String> {
    let names = wanted.iter().map(|status| format!("{},", status.name()));
    (!wanted.is_empty()).then(|| names.collect())
}

impl SessionQuery {
    fn order(&self, left: &SessionPlace, right: &SessionPlace) -> Ordering {
        match self.ascending {
            true => left.cmp(right),
            false => right.cmp(left),
        }
    }
}

/// How long a session's clock has run at `now`.
fn elapsed(row: &Row<'_>, now: Timestamp) -> rusqlite::Result<i64> {
    let elapsed: Option<i64> = row.get(6)?;
    let runs_since: Option<Timestamp> = row.get(7)?;
    let since = runs_since.map_or(0, |since| now.0.saturating_sub(since.0).max(0));
    Ok(elapsed.unwrap_or(0).saturating_add(since))
}

/// What a session's texts must have, in lower case.
struct Wanted {
    search: Option<String>,
    tag: Option<String>,
    id: Option<String>,
}

impl Wanted {
    fn of(query: &SessionQuery) -> Self {
        let lower = |text: &Option<Box<str>>| text.as_deref().map(str::to_lowercase);
        Self {
            search: lower(&query.search),
            tag: lower(&query.tag),
            id: lower(&query.id),
        }
    }

    fn matches(&self, row: &Row<'_>, id: SessionId) -> rusqlite::Result<bool> {
        if let Some(wanted) = &self.id
            && !id.to_string().starts_with(wanted)
        {
            return Ok(false);
        }
        if self.search.is_none() && self.tag.is_none() {
            return Ok(true);
        }
        // What cannot be read has none.
        let tags: Vec<String> =
            serde_json::from_str(row.get_ref(4)?.as_str().unwrap_or_default()).unwrap_or_default();
        let tags: Vec<String> = tags.iter().map(|tag| tag.to_lowercase()).collect();
        if let Some(wanted) = &self.tag
            && !tags.contains(wanted)
        {
            return Ok(false);
        }
        let Some(wanted) = &self.search else {
            return Ok(true);
        };
        let has = |column: usize| {
            let text = row.get_ref(column)?.as_str().unwrap_or_default();
            Ok::<_, rusqlite::Error>(text.to_lowercase().contains(wanted))
        };
        Ok(has(3)? || has(5)? || tags.iter().any(|tag| tag.contains(wanted)))
    }
}
