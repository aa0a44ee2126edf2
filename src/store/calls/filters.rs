//! A query's filters, with the ids that stand in the rows.

use rusqlite::Connection;

use crate::domain::call::{Outcome, Source};
use crate::domain::operation::Operation;
use crate::domain::units::{NanoUsd, Timestamp, Tokens};
use crate::store::names::{find_name, find_session, names_with};
use crate::store::query::{CallQuery, SessionFilter};

/// A query's filters with the names' ids.
#[derive(Clone)]
pub(super) struct Filters {
    pub(super) session: Option<Option<i64>>,
    pub(super) provider: Option<i64>,
    pub(super) model: Option<i64>,
    pub(super) operation: Option<i64>,
    pub(super) outcome: Option<i64>,
    pub(super) source: Option<i64>,
    pub(super) conversation: Option<i64>,
    pub(super) agent: Option<i64>,
    pub(super) client: Option<i64>,
    pub(super) status: Option<(u16, u16)>,
    pub(super) cost: (Option<NanoUsd>, Option<NanoUsd>),
    pub(super) tokens: Option<(Tokens, Tokens)>,
    /// The ids of the names that were searched for.
    pub(super) searched: Option<Vec<i64>>,
    pub(super) except: Option<Option<i64>>,
    pub(super) low: [u8; 16],
    pub(super) high: [u8; 16],
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) changed_since: Option<Timestamp>,
}

/// A call's id and its start are read from the clock one after the other; they differ by less than this.
const ID_SLACK_MS: i64 = 60_000;

impl Filters {
    /// `None` where a name occurs nowhere, so that nothing can match.
    pub(super) fn of(connection: &Connection, query: &CallQuery) -> rusqlite::Result<Option<Self>> {
        /// `Ok(None)`: no filter. `Err(())` inside: a filter that nothing matches.
        fn id(connection: &Connection, name: Option<&str>) -> rusqlite::Result<Result<Option<i64>, ()>> {
            let Some(name) = name else { return Ok(Ok(None)) };
            Ok(find_name(connection, name)?.map(Some).ok_or(()))
        }
        let session = match query.session {
            None => None,
            Some(SessionFilter::Unassigned) => Some(None),
            Some(SessionFilter::Id(id)) => match find_session(connection, id)? {
                Some(key) => Some(Some(key)),
                None => return Ok(None),
            },
        };
        let names = [
            id(connection, query.provider.as_deref())?,
            id(connection, query.model.as_deref())?,
            id(connection, query.operation.map(Operation::name))?,
            id(
                connection,
                query
                    .outcome
                    .filter(|outcome| *outcome != Outcome::Running)
                    .map(Outcome::name),
            )?,
            id(connection, query.source.map(Source::name))?,
            id(connection, query.conversation.as_deref())?,
            id(connection, query.agent.as_deref())?,
            id(connection, query.client.as_deref())?,
        ];
        let [
            Ok(provider),
            Ok(model),
            Ok(operation),
            Ok(outcome),
            Ok(source),
            Ok(conversation),
            Ok(agent),
            Ok(client),
        ] = names
        else {
            return Ok(None);
        };
        let except = match query.except {
            None => None,
            Some(SessionFilter::Unassigned) => Some(None),
            // No call is in a session that the database does not know.
            Some(SessionFilter::Id(id)) => find_session(connection, id)?.map(Some),
        };
        let searched = match query.search.as_deref() {
            None => None,
            Some(part) => {
                let ids = names_with(connection, part)?;
                if ids.is_empty() {
                    return Ok(None);
                }
                Some(ids)
            }
        };
        let from = query.from.map_or(i64::MIN, |from| from.0);
        let to = query.to.map_or(i64::MAX, |to| to.0);
        let high = id_at(to.saturating_add(ID_SLACK_MS));
        Ok(Some(Self {
            session,
            provider,
            model,
            operation,
            outcome,
            source,
            conversation,
            agent,
            client,
            status: query.status,
            cost: (query.min_cost, query.max_cost),
            tokens: (query.min_tokens.or(query.max_tokens)).map(|_| {
                let most = Tokens(u64::MAX);
                (
                    query.min_tokens.unwrap_or_default(),
                    query.max_tokens.unwrap_or(most),
                )
            }),
            searched,
            except,
            low: id_at(from.saturating_sub(ID_SLACK_MS)),
            high: query.before.map_or(high, |before| high.min(*before.as_bytes())),
            from,
            to,
            changed_since: query.changed_since,
        }))
    }
}

impl Filters {
    /// The ids of the names that were searched for, as a JSON array.
    pub(super) fn searched_json(&self) -> Option<String> {
        let ids = self.searched.as_ref()?;
        Some(serde_json::to_string(ids).unwrap_or_default())
    }
}

/// The lowest UUIDv7 of a moment.
pub(in crate::store) fn id_at(at: i64) -> [u8; 16] {
    const LAST: i64 = (1 << 48) - 1;
    let mut id = if at > LAST { [0xff; 16] } else { [0; 16] };
    if let Some((first, _)) = id.split_first_chunk_mut::<6>() {
        let [_, _, moment @ ..] = at.clamp(0, LAST).to_be_bytes();
        *first = moment;
    }
    id
}
