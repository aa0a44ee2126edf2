//! Sessions and calls of an export are taken in: those of another Moonlock, or ones that were lost here.
//!
//! As with calls that are moved, the live state does not know which of them the database has already. So whoever takes
//! them in asks it first, when all that was to be written is committed; if anything was rewritten or taken in since,
//! nothing is done and it has to be asked again.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::super::call::Call;
use super::super::exported::{ArrivedCall, ArrivedSession};
use super::super::ids::SessionId;
use super::super::record::Record;
use super::super::session::clock::Reading;
use super::super::units::Tokens;
use super::super::wire::{Change, Totals};
use super::{Effect, LiveSession, Refusal, State};

/// What the database does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakeIn {
    /// Sessions; each has ended.
    pub sessions: Vec<ArrivedSession>,
    /// Calls; each has ended, and its session is here.
    pub calls: Vec<ArrivedCall>,
    /// What [`State::rewritten`] was before the database was asked.
    pub rewritten: u64,
}

impl State {
    /// Takes them into the sums. They are history: they tell nothing of the pace, and are not among the recent ones.
    pub(super) fn take_in(
        &mut self,
        order: TakeIn,
        now: Reading,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let TakeIn {
            sessions,
            calls,
            rewritten,
        } = order;
        if rewritten != self.rewritten {
            return Err(Refusal::CallsChanged);
        }
        let is_here = |id: &SessionId| {
            self.sessions.contains_key(id) || sessions.iter().any(|arrived| arrived.session.id == *id)
        };
        if !calls
            .iter()
            .filter_map(|arrived| arrived.call.session.as_ref())
            .all(is_here)
        {
            return Err(Refusal::NoSuchSession);
        }
        let mut touched: BTreeSet<SessionId> = BTreeSet::new();
        for arrived in sessions {
            let id = arrived.session.id;
            if !self.sessions.contains_key(&id) {
                self.take_in_session(arrived, effects);
                touched.insert(id);
            }
        }
        let mut taken = 0;
        for ArrivedCall { call, paused } in calls {
            if self.running.contains_key(&call.start.id) {
                continue;
            }
            let call = Arc::new(Call {
                changed_at: Some(now.wall),
                ..call
            });
            if let (Some(session), Some(tokens)) = (call.session, paused) {
                self.take_in_paused(&call, session, tokens, effects);
            }
            touched.extend(call.session);
            taken += 1;
            self.account(call.session, None, Some(&call), now);
            effects.push(Effect::Write(Record::CallFinished(call)));
        }
        // Whoever looked before this has to look again.
        self.rewritten += 1;
        if taken > 0 {
            let change = Change::CallsImported {
                calls: taken,
                unassigned: self.unassigned,
            };
            self.publish(None, change, now, effects);
        }
        for session in touched {
            self.publish_session(session, now, effects);
        }
        self.rearm();
        Ok(())
    }

    fn take_in_session(&mut self, arrived: ArrivedSession, effects: &mut Vec<Effect>) {
        let marks = arrived.marks();
        let ArrivedSession {
            session,
            events,
            checkpoints,
        } = arrived;
        // It may have been deleted here.
        self.deleted.remove(&session.id);
        let live = LiveSession::new(session.clone(), Totals::default(), marks);
        self.sessions.insert(session.id, live);
        effects.push(Effect::Write(Record::Session {
            session: Box::new(session),
            events,
            current: None,
        }));
        let notes = checkpoints.into_iter().map(Box::new).map(Record::Checkpoint);
        effects.extend(notes.map(Effect::Write));
    }

    fn take_in_paused(&mut self, call: &Call, session: SessionId, tokens: Tokens, effects: &mut Vec<Effect>) {
        if let Some(live) = self.sessions.get_mut(&session) {
            live.marks.paused_tokens += tokens;
        }
        effects.push(Effect::Write(Record::WhilePaused {
            call: call.start.id,
            session,
            tokens,
        }));
    }
}
