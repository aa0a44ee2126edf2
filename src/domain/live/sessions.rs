//! What commands and time do to sessions.

use super::super::ids::SessionId;
use super::super::record::Record;
use super::super::session::Status;
use super::super::session::clock::{Nanos, Reading};
use super::super::session::timer::{Change as TimerChange, TimerEvent};
use super::super::wire::Change;
use super::{Effect, Refusal, State};

impl State {
    pub(super) fn change(
        &mut self,
        id: SessionId,
        change: TimerChange,
        revision: Option<u64>,
        now: Reading,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        // A clock that has just run out is completed before anything else is decided about it.
        self.expire(now, effects);
        let session = &self.sessions.get(&id).ok_or(Refusal::NoSuchSession)?.session;
        if revision.is_some_and(|seen| seen != session.revision) {
            return Err(Refusal::Stale);
        }
        let Some(event) = session.timer.decide(change, now)? else {
            return Ok(());
        };
        if change == TimerChange::Resume {
            self.make_current(Some(id), now, effects);
        }
        self.timer_event(id, event, now, effects);
        Ok(())
    }

    pub(super) fn timer_event(
        &mut self,
        id: SessionId,
        event: TimerEvent,
        now: Reading,
        effects: &mut Vec<Effect>,
    ) {
        let Some(live) = self.sessions.get_mut(&id) else {
            return;
        };
        live.session.timer.apply(event);
        live.session.revision += 1;
        // A paused session keeps its place: its user is away from it, not from Moonlock, and calls made
        // meanwhile are still its own. A completed one gives it up.
        if live.session.timer.status() == Status::Completed && self.current == Some(id) {
            self.make_current(None, now, effects);
        }
        self.session_changed(id, event, now, effects);
    }

    pub(super) fn session_changed(
        &mut self,
        id: SessionId,
        event: TimerEvent,
        now: Reading,
        effects: &mut Vec<Effect>,
    ) {
        let Some(live) = self.sessions.get(&id) else {
            return;
        };
        let session = Box::new(live.session.clone());
        effects.push(Effect::Write(Record::Session {
            session,
            events: vec![event],
            current: None,
        }));
        self.publish_session(id, now, effects);
    }

    pub(super) fn make_current(&mut self, next: Option<SessionId>, now: Reading, effects: &mut Vec<Effect>) {
        let previous = std::mem::replace(&mut self.current, next);
        if previous == next {
            return;
        }
        effects.push(Effect::Write(Record::Current(next)));
        if let Some(previous) = previous.filter(|_| next.is_some()) {
            self.publish_session(previous, now, effects);
        }
    }

    pub(super) fn publish_session(&mut self, id: SessionId, now: Reading, effects: &mut Vec<Effect>) {
        if let Some(view) = self.session_view(id, now) {
            self.publish(Some(id), Change::Session(view), now, effects);
        }
    }

    pub(super) fn expire(&mut self, now: Reading, effects: &mut Vec<Effect>) {
        let timers = self.sessions.iter().map(|(id, live)| (*id, &live.session.timer));
        let expired: Vec<_> = timers
            .filter_map(|(id, timer)| Some((id, timer.expire(now)?)))
            .collect();
        for (id, event) in expired {
            self.timer_event(id, event, now, effects);
        }
    }

    pub(super) fn heartbeat(&self, now: Reading, effects: &mut Vec<Effect>) {
        let running = self
            .sessions
            .iter()
            .filter(|(_, live)| live.session.timer.status() == Status::Active);
        effects.extend(running.map(|(id, _)| {
            Effect::Write(Record::Heartbeat {
                session: *id,
                at: now,
            })
        }));
    }

    /// When the next session's time is used up, on the clock that counts through sleep.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Nanos> {
        self.sessions
            .values()
            .filter_map(|live| live.session.timer.deadline())
            .min()
    }

    /// Whether any session's clock runs.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.sessions
            .values()
            .any(|live| live.session.timer.status() == Status::Active)
    }
}
