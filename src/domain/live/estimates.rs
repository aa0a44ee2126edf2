//! Calls whose numbers come late: what their providers did not say is estimated behind their end.
//!
//! A call's row is written at once, as the call ended. When its estimate comes, the row is written anew and everything
//! that counts it follows, once; a crash in between leaves the first row.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::call::{Call, Promise};
use super::super::estimate::Estimated;
use super::super::ids::{CallId, SessionId};
use super::super::record::Record;
use super::super::session::clock::Reading;
use super::super::wire::{CallView, Change, EstimatesView};
use super::{Effect, State};

/// The calls that are being estimated.
#[derive(Clone, Debug, Default)]
pub(super) struct Estimates {
    awaited: HashMap<CallId, Awaited>,
    refused: u64,
}

#[derive(Clone, Debug)]
struct Awaited {
    /// As it was written last.
    call: Arc<Call>,
    /// It began while its session was paused.
    began_paused: bool,
}

impl Estimates {
    /// Lets a call stay as it is: its usage is counted with another.
    pub(super) fn forget(&mut self, id: CallId) {
        self.awaited.remove(&id);
    }

    /// Notes that calls have been moved.
    pub(super) fn moved(&mut self, changed: &HashMap<CallId, Arc<Call>>) {
        for (id, awaited) in &mut self.awaited {
            if let Some(call) = changed.get(id) {
                awaited.call = Arc::clone(call);
                // Whatever the session was that it has left.
                awaited.began_paused = false;
            }
        }
    }
}

impl State {
    /// Notes what is to be expected of a call that has just ended.
    pub(super) fn promised(&mut self, id: CallId, promise: Promise) {
        match promise {
            Promise::None => {}
            Promise::Refused => self.estimates.refused += 1,
            Promise::Coming => {
                let is_counted = |call: &&Arc<Call>| call.start.id == id && call.counted_by.is_none();
                if let Some(call) = self.recent.front().filter(is_counted) {
                    let awaited = Awaited {
                        call: Arc::clone(call),
                        began_paused: self.began_paused.contains(&id),
                    };
                    self.estimates.awaited.insert(id, awaited);
                }
            }
        }
    }

    /// A call's estimate has come; `None` if nothing can be said. What comes unasked changes nothing.
    pub(super) fn estimated(
        &mut self,
        id: CallId,
        estimated: Option<Estimated>,
        now: Reading,
        effects: &mut Vec<Effect>,
    ) {
        let (Some(awaited), Some(estimated)) = (self.estimates.awaited.remove(&id), estimated) else {
            return;
        };
        let Awaited {
            call: before,
            began_paused,
        } = awaited;
        let mut call = Call::clone(&before);
        if let Some(end) = &mut call.end {
            end.parts = estimated.parts;
            end.source = Some(estimated.source);
            end.estimate = estimated.intervals;
        }
        if let Some(end) = &call.end {
            call.cost = self.prices.cost(&call.start, call.model(), end);
        }
        call.changed_at = Some(now.wall);
        let call = Arc::new(call);
        self.rewritten += 1;
        effects.push(Effect::Write(Record::CallFinished(Arc::clone(&call))));
        self.metrics.known_later(&before, &call);
        let totals = self.account(call.session, Some(&before), Some(&call), now);
        for recent in &mut self.recent {
            if recent.start.id == id {
                *recent = Arc::clone(&call);
            }
        }
        self.remembered.update(&HashMap::from([(id, Arc::clone(&call))]));
        if let Some(totals) = totals {
            let view = CallView::from(&*call);
            self.publish(
                call.session,
                Change::CallFinished { call: view, totals },
                now,
                effects,
            );
        }
        if let (Some(session), true) = (call.session, began_paused) {
            self.estimated_that_began_paused(session, &before, &call, now, effects);
        }
    }

    fn estimated_that_began_paused(
        &mut self,
        session: SessionId,
        before: &Call,
        call: &Call,
        now: Reading,
        effects: &mut Vec<Effect>,
    ) {
        let total = |call: &Call| {
            let total = call.end.as_ref().and_then(|end| end.parts.total());
            total.unwrap_or_default()
        };
        let Some(live) = self.sessions.get_mut(&session) else {
            return;
        };
        let paused = &mut live.marks.paused_tokens;
        *paused = paused.saturating_sub(total(before)) + total(call);
        effects.push(Effect::Write(Record::WhilePaused {
            call: call.start.id,
            session,
            tokens: total(call),
        }));
        self.publish_session(session, now, effects);
    }

    /// How the estimates stand.
    #[must_use]
    pub fn estimates(&self) -> EstimatesView {
        EstimatesView {
            waiting: self.estimates.awaited.len() as u64,
            refused: self.estimates.refused,
        }
    }
}
