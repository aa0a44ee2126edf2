//! Conversations that are bound to sessions: a client that names a session once keeps to it, wherever the user is
//! meanwhile. A conversation is bound by a call of it that names a session in its header or path, or by moving all its
//! calls; the last word counts. A session that has ended takes none any more.

use std::collections::{HashMap, VecDeque};

use super::super::ids::SessionId;
use super::super::record::Record;
use super::super::session::Status;
use super::super::session::clock::Reading;
use super::{Effect, State};

/// So many are bound at once; of more, the oldest are forgotten.
pub(super) const MOST_BOUND: usize = 4_096;

/// Which conversation belongs to which session.
#[derive(Clone, Debug, Default)]
pub(super) struct Bound {
    sessions: HashMap<Box<str>, SessionId>,
    oldest_first: VecDeque<Box<str>>,
}

impl Bound {
    pub(super) fn restore(bound: Vec<(Box<str>, SessionId)>) -> Self {
        Self {
            oldest_first: bound
                .iter()
                .map(|(conversation, _)| conversation.clone())
                .collect(),
            sessions: bound.into_iter().collect(),
        }
    }

    /// Binds one anew; `None` unbinds it. Whether that changes anything.
    fn put(&mut self, conversation: &str, session: Option<SessionId>) -> bool {
        if self.sessions.get(conversation).copied() == session {
            return false;
        }
        self.sessions.remove(conversation);
        self.oldest_first.retain(|bound| &**bound != conversation);
        if let Some(session) = session {
            self.sessions.insert(conversation.into(), session);
            self.oldest_first.push_back(conversation.into());
        }
        true
    }

    /// Takes out the oldest, if there are too many.
    fn make_room(&mut self) -> Option<Box<str>> {
        if self.oldest_first.len() <= MOST_BOUND {
            return None;
        }
        let oldest = self.oldest_first.pop_front()?;
        self.sessions.remove(&oldest);
        Some(oldest)
    }
}

impl State {
    /// The session that a conversation is bound to and that has not ended.
    pub(super) fn bound(&self, conversation: Option<&str>) -> Option<SessionId> {
        let id = *self.bound.sessions.get(conversation?)?;
        self.is_open(id).then_some(id)
    }

    /// Binds a conversation to a session that has not ended; `None` unbinds it.
    pub(super) fn bind(
        &mut self,
        conversation: &str,
        session: Option<SessionId>,
        now: Reading,
        effects: &mut Vec<Effect>,
    ) {
        let session = session.filter(|session| self.is_open(*session));
        let write = |conversation: Box<str>, session| {
            Effect::Write(Record::Bound {
                conversation,
                session,
                at: now.wall,
            })
        };
        if self.bound.put(conversation, session) {
            self.budgets.places_changed();
            effects.push(write(conversation.into(), session));
        }
        if let Some(oldest) = self.bound.make_room() {
            effects.push(write(oldest, None));
        }
    }

    /// Unbinds all conversations of a session.
    pub(super) fn unbind_all(&mut self, session: SessionId, now: Reading, effects: &mut Vec<Effect>) {
        let bound = self.bound.sessions.iter();
        let bound: Vec<Box<str>> = bound
            .filter(|(_, to)| **to == session)
            .map(|(conversation, _)| conversation.clone())
            .collect();
        for conversation in bound {
            self.bind(&conversation, None, now, effects);
        }
    }

    /// All conversations that are bound to a session that has not ended, with it.
    pub(super) fn all_bound(&self) -> impl Iterator<Item = (Box<str>, SessionId)> {
        let bound = self.bound.sessions.iter();
        bound
            .filter(|(_, session)| self.is_open(**session))
            .map(|(conversation, session)| (conversation.clone(), *session))
    }

    fn is_open(&self, session: SessionId) -> bool {
        let live = self.sessions.get(&session);
        live.is_some_and(|live| live.session.timer.status() != Status::Completed)
    }
}
