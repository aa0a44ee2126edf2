//! What a call does to the live state: where it belongs, what it costs, what it adds.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::call::{Attribution, Call, CallStart, Ended};
use super::super::ids::{CallId, SessionId};
use super::super::record::Record;
use super::super::session::clock::Reading;
use super::super::session::{Session, Status};
use super::super::units::Tokens;
use super::super::usage::once::Once;
use super::super::wire::{CallProgress, CallView, Change};
use super::{Effect, RECENT_CALLS, State};

impl State {
    pub(super) fn call_started(&mut self, start: CallStart, now: Reading, effects: &mut Vec<Effect>) {
        let (session, attribution) = self.attribute(&start, now, effects);
        if let Some(session) = session {
            self.is_active(session, now, effects);
        }
        let call = Call {
            start,
            session,
            attribution,
            end: None,
            cost: None,
            counted_by: None,
            changed_at: None,
        };
        effects.push(Effect::Write(Record::CallStarted(Arc::new(call.clone()))));
        self.publish(session, Change::CallStarted(CallView::from(&call)), now, effects);
        if let Some(live) = session.and_then(|id| self.sessions.get_mut(&id)) {
            live.running += 1;
            if live.session.timer.status() == Status::Paused {
                self.began_paused.insert(call.start.id);
            }
        }
        self.running.insert(call.start.id, call);
    }

    pub(super) fn call_ended(&mut self, id: CallId, ended: Ended, now: Reading, effects: &mut Vec<Effect>) {
        // A call ends once; what ends it again changes nothing.
        let Some(mut call) = self.running.remove(&id) else {
            return;
        };
        self.so_far.remove(&id);
        let Ended {
            end,
            once,
            others,
            limits,
            estimate,
        } = ended;
        if let Some(limits) = limits {
            self.limits.take(*limits);
        }
        self.provider_answered(&call.start.provider, &end, now, effects);
        call.end = Some(end);
        let session = call.session;
        let before = self.used(session);
        // The call itself comes last: when it is committed, all of it is.
        for (id, share) in others {
            let once = share.once.clone();
            self.finish_once(call.beside(id, share), once.as_ref(), now, effects);
        }
        self.finish_once(call, once.as_ref(), now, effects);
        self.promised(id, estimate);
        let Some(session) = session else { return };
        if self.began_paused.remove(&id) {
            // What counts in the session, and not what the reply says: it may be counted elsewhere.
            let tokens = Tokens(self.used(Some(session)).saturating_sub(before));
            self.ended_that_began_paused(id, session, tokens, now, effects);
        }
        if let Some(live) = self.sessions.get_mut(&session) {
            live.running = live.running.saturating_sub(1);
        }
        self.is_active(session, now, effects);
    }

    /// Streams have grown: told once for all of a session.
    pub(super) fn grew(&mut self, grown: Vec<(CallId, Tokens)>, now: Reading, effects: &mut Vec<Effect>) {
        let mut by_session: BTreeMap<Option<SessionId>, Vec<CallProgress>> = BTreeMap::new();
        for (id, tokens) in grown {
            // It may have ended while this was on its way.
            let Some(call) = self.running.get(&id) else {
                continue;
            };
            self.so_far.insert(id, tokens);
            by_session.entry(call.session).or_default().push(CallProgress {
                id,
                output_so_far: tokens.0,
            });
        }
        for (session, calls) in by_session {
            self.publish(session, Change::CallsGrew { calls }, now, effects);
        }
    }

    fn used(&self, session: Option<SessionId>) -> u64 {
        let live = session.and_then(|id| self.sessions.get(&id));
        live.map_or(0, |live| live.totals.total)
    }

    /// A call belongs where it began, also to a session whose clock stood then. How much that was is kept apart.
    fn ended_that_began_paused(
        &mut self,
        call: CallId,
        session: SessionId,
        tokens: Tokens,
        now: Reading,
        effects: &mut Vec<Effect>,
    ) {
        let Some(live) = self.sessions.get_mut(&session) else {
            return;
        };
        live.marks.paused_tokens += tokens;
        effects.push(Effect::Write(Record::WhilePaused {
            call,
            session,
            tokens,
        }));
        self.publish_session(session, now, effects);
    }

    fn finish_once(&mut self, call: Call, once: Option<&Once>, now: Reading, effects: &mut Vec<Effect>) {
        match once {
            Some(once) => self.count_once(call, once, now, effects),
            None => drop(self.finish(call, now, effects)),
        }
    }

    pub(super) fn finish(&mut self, mut call: Call, now: Reading, effects: &mut Vec<Effect>) -> Arc<Call> {
        if let Some(end) = &call.end {
            call.cost = self.prices.cost(&call.start, call.model(), end);
        }
        self.metrics.ended(&call);
        let totals = self
            .account(call.session, None, Some(&call), now)
            .unwrap_or_default();
        let call = Arc::new(call);
        effects.push(Effect::Write(Record::CallFinished(Arc::clone(&call))));
        let view = CallView::from(&*call);
        self.publish(
            call.session,
            Change::CallFinished { call: view, totals },
            now,
            effects,
        );
        self.recent.push_front(Arc::clone(&call));
        self.recent.truncate(RECENT_CALLS);
        call
    }

    /// Decides where a call belongs: where it asks to, else where its conversation belongs, else the current session,
    /// else *Unassigned*.
    ///
    /// A session that does not exist must not swallow the call into another one.
    fn attribute(
        &mut self,
        start: &CallStart,
        now: Reading,
        effects: &mut Vec<Effect>,
    ) -> (Option<SessionId>, Attribution) {
        let conversation = start.conversation.as_deref();
        if let Some(asked) = &start.asked {
            let Some(id) = self.find(&asked.label) else {
                return (None, Attribution::Unassigned);
            };
            if let Some(conversation) = conversation {
                self.bind(conversation, Some(id), now, effects);
            }
            return (Some(id), asked.by);
        }
        match self.bound(conversation) {
            Some(id) => (Some(id), Attribution::Conversation),
            None => match self.current.or_else(|| self.begin_auto(start.id, now, effects)) {
                Some(id) => (Some(id), Attribution::Active),
                None => (None, Attribution::Unassigned),
            },
        }
    }

    /// A session by id or name. Of several with one name: the newest that has not ended, else the newest.
    pub(super) fn find(&self, label: &str) -> Option<SessionId> {
        if let Ok(id) = label.parse::<SessionId>() {
            return self.sessions.contains_key(&id).then_some(id);
        }
        let mut named = self
            .sessions
            .values()
            .rev()
            .map(|live| &live.session)
            .filter(|s| &*s.name == label);
        let newest = named.next()?;
        let ended = |session: &Session| session.timer.status() == Status::Completed;
        let open = std::iter::once(newest)
            .chain(named)
            .find(|session| !ended(session));
        Some(open.unwrap_or(newest).id)
    }
}
