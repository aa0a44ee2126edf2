//! Calls that are moved to another session, running or ended, however long ago.
//!
//! The live state does not hold the calls of long ago, so whoever moves them reads them from the database first. It
//! does so when all that was to be written is committed, and says how often calls had been rewritten then
//! ([`State::rewritten`]); if anything about them has changed since, nothing is moved and they have to be read again.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::super::call::{Attribution, Call};
use super::super::ids::{CallId, SessionId};
use super::super::record::Record;
use super::super::session::clock::Reading;
use super::super::units::Tokens;
use super::super::wire::{Change, Totals};
use super::{Effect, Refusal, State};

/// A call as the database knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Movable {
    /// The call.
    pub call: Call,
    /// What it counts among its session's paused tokens; `None` if it did not begin while that was paused.
    pub paused: Option<Tokens>,
}

/// Calls to move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// Which. Those that belong there already stay as they are.
    pub calls: Vec<Movable>,
    /// Where to; `None` is *Unassigned*.
    pub to: Option<SessionId>,
    /// What [`State::rewritten`] was before the calls were read.
    pub rewritten: u64,
    /// If these are all calls of a conversation: that one. Its next calls go there as well.
    pub conversation: Option<Box<str>>,
}

impl State {
    /// How often a call was changed after its end.
    #[must_use]
    pub const fn rewritten(&self) -> u64 {
        self.rewritten
    }

    /// How often calls were moved.
    #[must_use]
    pub const fn moves(&self) -> u64 {
        self.moves
    }

    /// The sums of *Unassigned*.
    #[must_use]
    pub const fn unassigned(&self) -> Totals {
        self.unassigned
    }

    pub(super) fn move_calls(
        &mut self,
        order: Move,
        now: Reading,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let Move {
            calls,
            to,
            rewritten,
            conversation,
        } = order;
        if to.is_some_and(|to| !self.sessions.contains_key(&to)) {
            return Err(Refusal::NoSuchSession);
        }
        let has_ended = |call: &Call| call.end.is_none() && !self.running.contains_key(&call.start.id);
        if rewritten != self.rewritten || calls.iter().any(|movable| has_ended(&movable.call)) {
            return Err(Refusal::CallsChanged);
        }
        if let Some(conversation) = conversation {
            self.bind(&conversation, to, now, effects);
        }
        let mut left: BTreeMap<Option<SessionId>, BTreeSet<CallId>> = BTreeMap::new();
        let mut changed = HashMap::new();
        for Movable { call, paused } in calls {
            let (id, from) = (call.start.id, call.session);
            if from == to || !left.entry(from).or_default().insert(id) {
                continue;
            }
            if call.end.is_none() {
                self.move_running(id, to, effects);
                continue;
            }
            self.account(from, Some(&call), None, now);
            if let Some(tokens) = paused {
                self.forget_paused(id, from, tokens, effects);
            }
            let call = Arc::new(Call {
                changed_at: Some(now.wall),
                ..moved(call, to)
            });
            self.account(to, None, Some(&call), now);
            effects.push(Effect::Write(Record::CallFinished(Arc::clone(&call))));
            changed.insert(id, call);
        }
        if left.is_empty() {
            return Ok(());
        }
        self.rewritten += 1;
        self.moves += 1;
        for recent in &mut self.recent {
            if let Some(call) = changed.get(&recent.start.id) {
                *recent = Arc::clone(call);
            }
        }
        self.remembered.update(&changed);
        self.estimates.moved(&changed);
        self.tell_moved(left, to, now, effects);
        self.rearm();
        Ok(())
    }

    pub(super) fn move_running(&mut self, id: CallId, to: Option<SessionId>, effects: &mut Vec<Effect>) {
        let Some(running) = self.running.remove(&id) else {
            return;
        };
        if let Some(live) = running.session.and_then(|from| self.sessions.get_mut(&from)) {
            live.running = live.running.saturating_sub(1);
        }
        if let Some(live) = to.and_then(|to| self.sessions.get_mut(&to)) {
            live.running += 1;
        }
        // It did not begin while its new session was paused, whatever the old one was.
        self.began_paused.remove(&id);
        let running = moved(running, to);
        effects.push(Effect::Write(Record::CallStarted(Arc::new(running.clone()))));
        self.running.insert(id, running);
    }

    fn forget_paused(
        &mut self,
        id: CallId,
        from: Option<SessionId>,
        tokens: Tokens,
        effects: &mut Vec<Effect>,
    ) {
        if let Some(live) = from.and_then(|from| self.sessions.get_mut(&from)) {
            let paused = &mut live.marks.paused_tokens;
            *paused = Tokens(paused.0.saturating_sub(tokens.0));
        }
        effects.push(Effect::Write(Record::NotWhilePaused(id)));
    }

    pub(super) fn tell_moved(
        &mut self,
        left: BTreeMap<Option<SessionId>, BTreeSet<CallId>>,
        to: Option<SessionId>,
        now: Reading,
        effects: &mut Vec<Effect>,
    ) {
        let touched: Vec<SessionId> = left.keys().copied().chain([to]).flatten().collect();
        for (from, calls) in left {
            let change = Change::CallsMoved {
                calls: calls.into_iter().collect(),
                from,
                to,
                unassigned: self.unassigned,
            };
            self.publish(from, change.clone(), now, effects);
            self.publish(to, change, now, effects);
        }
        for session in touched {
            self.publish_session(session, now, effects);
        }
    }
}

fn moved(call: Call, to: Option<SessionId>) -> Call {
    Call {
        session: to,
        attribution: Attribution::Moved,
        ..call
    }
}
