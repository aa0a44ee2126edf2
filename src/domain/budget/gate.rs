//! Which calls are refused because a budget is used up: a table that the proxy reads without asking the engine.

use std::collections::HashMap;
use std::sync::Arc;

use super::Filter;
use crate::domain::ids::SessionId;

/// Why calls are refused: as a sentence, which budget is used up and what to do.
pub type Closed = Arc<str>;

/// What is known of a call before it is forwarded.
#[derive(Clone, Copy, Debug)]
pub struct Asks<'a> {
    /// The session that it asks for, by id or name.
    pub session: Option<&'a str>,
    /// The client's own thread.
    pub conversation: Option<&'a str>,
    /// The mount's name.
    pub provider: &'a str,
    /// The model that it asks for.
    pub model: Option<&'a str>,
    /// The program that makes it.
    pub client: Option<&'a str>,
}

/// The sessions and budgets that take no more calls. It follows the live state: where a call would be attributed to is
/// found in the same order here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gate {
    /// Sessions that are closed.
    pub sessions: HashMap<SessionId, Closed>,
    /// Those of them that a name stands for.
    pub names: HashMap<Box<str>, SessionId>,
    /// Where the conversations belong that are bound to a session, closed or not. Empty if no session is closed.
    pub conversations: HashMap<Box<str>, SessionId>,
    /// The session that takes the calls that name none.
    pub current: Option<SessionId>,
    /// Budgets that are used up.
    pub budgets: Vec<(Filter, Closed)>,
}

impl Gate {
    /// Whether every call may pass.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.sessions.is_empty() && self.budgets.is_empty()
    }

    /// Why a call is refused; `None`: it may pass.
    #[must_use]
    pub fn refuses(&self, asks: Asks<'_>) -> Option<&Closed> {
        let session = self.session(asks).and_then(|id| self.sessions.get(&id));
        session.or_else(|| {
            let mut budgets = self.budgets.iter();
            let closed = budgets.find(|(of, _)| of.matches(asks.provider, asks.model, asks.client));
            closed.map(|(_, why)| why)
        })
    }

    fn session(&self, asks: Asks<'_>) -> Option<SessionId> {
        if let Some(label) = asks.session {
            let id = label.parse().ok();
            return id.or_else(|| self.names.get(label).copied());
        }
        let bound = asks
            .conversation
            .and_then(|conversation| self.conversations.get(conversation));
        bound.copied().or(self.current)
    }
}
