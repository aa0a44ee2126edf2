//! Sessions that the user deletes, and what becomes of their calls.
//!
//! The session itself is gone at once. Its calls, of which there may be very many, follow piece by piece: the live
//! state does not hold them, so whoever deletes the session reads them from the database and moves them to *Unassigned*
//! (see [`super::moving`]) or has them deleted here, under the same condition: nothing has changed since they were read.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::super::call::Call;
use super::super::ids::{CallId, SessionId};
use super::super::record::Record;
use super::super::session::CallsFate;
use super::super::session::clock::Reading;
use super::super::session::rules::{Action, Rule, rule};
use super::super::wire::{Change, Totals};
use super::{Effect, Refusal, State};

/// Calls to delete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// Of which session; calls of another stay.
    pub session: SessionId,
    /// Which, as the database knows them.
    pub calls: Vec<Call>,
    /// What [`State::rewritten`] was before the calls were read.
    pub rewritten: u64,
}

impl State {
    pub(super) fn delete_session(
        &mut self,
        id: SessionId,
        calls: CallsFate,
        now: Reading,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let live = self.sessions.get(&id).ok_or(Refusal::NoSuchSession)?;
        if rule(live.session.timer.status(), Action::Delete) == Rule::Refused {
            return Err(Refusal::NotEnded);
        }
        self.unbind_all(id, now, effects);
        self.sessions.remove(&id);
        self.deleted.insert(id);
        self.budgets.forget(id);
        self.alerts.forget(id);
        effects.push(Effect::Write(Record::SessionDeleted { session: id, calls }));
        self.publish(Some(id), Change::SessionDeleted { calls }, now, effects);
        if calls == CallsFate::Delete {
            self.recent.retain(|call| call.session != Some(id));
        }
        // What still runs is not over, and is lost with nothing: it belongs to nobody from now on.
        let running: BTreeSet<CallId> = self
            .running
            .values()
            .filter(|call| call.session == Some(id))
            .map(|call| call.start.id)
            .collect();
        if !running.is_empty() {
            self.moves += 1;
            running
                .iter()
                .for_each(|call| self.move_running(*call, None, effects));
            self.tell_moved(BTreeMap::from([(Some(id), running)]), None, now, effects);
        }
        self.rearm();
        Ok(())
    }

    pub(super) fn delete_calls(
        &mut self,
        deletion: Deletion,
        now: Reading,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let Deletion {
            session,
            calls,
            rewritten,
        } = deletion;
        if rewritten != self.rewritten || calls.iter().any(|call| call.end.is_none()) {
            return Err(Refusal::CallsChanged);
        }
        let mut gone = HashSet::new();
        for call in calls.iter().filter(|call| call.session == Some(session)) {
            let id = call.start.id;
            if gone.insert(id) {
                self.account(Some(session), Some(call), None, now);
                self.estimates.forget(id);
                effects.push(Effect::Write(Record::CallDeleted(id)));
            }
        }
        if gone.is_empty() {
            return Ok(());
        }
        self.rewritten += 1;
        self.moves += 1;
        self.remembered.forget(&gone);
        self.recent.retain(|call| !gone.contains(&call.start.id));
        Ok(())
    }

    /// Nobody can move or delete calls that are no longer kept, so what they used goes to *Unassigned*, whatever became of
    /// the others.
    pub(super) fn emptied(
        &mut self,
        session: SessionId,
        left: &Totals,
        now: Reading,
        effects: &mut Vec<Effect>,
    ) {
        effects.push(Effect::Write(Record::SessionEmptied(session)));
        if *left == Totals::default() {
            return;
        }
        self.unassigned.merge(left);
        let moved = Change::CallsMoved {
            calls: Vec::new(),
            from: Some(session),
            to: None,
            unassigned: self.unassigned,
        };
        self.publish(None, moved, now, effects);
    }
}
