//! Sessions that begin by themselves with the first call that has none, and end when no more calls come.

use super::super::ids::{CallId, SessionId};
use super::super::session::clock::{Nanos, Reading};
use super::super::session::timer::Change as TimerChange;
use super::super::session::{NewSession, Origin, Status};
use super::super::units::{Millis, Timestamp};
use super::{Effect, LiveSession, State};

impl State {
    /// Begins a session for a call that has none, if that is wanted. It has the call's id, so that a day can be
    /// replayed: nothing is made up here.
    pub(super) fn begin_auto(
        &mut self,
        call: CallId,
        now: Reading,
        effects: &mut Vec<Effect>,
    ) -> Option<SessionId> {
        self.auto_idle?;
        let id = SessionId::from_uuid(uuid::Uuid::from_bytes(*call.as_bytes()));
        self.create(
            id,
            NewSession::named(&name_at(now.wall)),
            Origin::Auto,
            now,
            effects,
        );
        Some(id)
    }

    /// A call of the session began or ended: it is not idle. If nobody but the machine stopped its clock, it goes on.
    pub(super) fn is_active(&mut self, id: SessionId, now: Reading, effects: &mut Vec<Effect>) {
        self.watch_activity(id, now);
        let Some(live) = self.sessions.get_mut(&id) else {
            return;
        };
        live.active_at = now;
        if !live.is_open_auto() {
            return;
        }
        if live.session.timer.is_interrupted()
            && let Ok(events) = live.session.timer.decide(TimerChange::Resume, now)
        {
            self.timer_events(id, events, now, effects);
        }
        self.rearm();
    }

    /// Ends the sessions that have had no call for long enough.
    pub(super) fn end_idle(&mut self, now: Reading, effects: &mut Vec<Effect>) {
        let Some(idle) = self.auto_idle else { return };
        let ended: Vec<SessionId> = self
            .sessions
            .iter()
            .filter(|(_, live)| live.is_open_auto() && live.running == 0 && live.idle_for(now) >= idle)
            .map(|(id, _)| *id)
            .collect();
        for id in ended {
            self.end_auto(id, now, effects);
        }
    }

    /// Ends a session that began by itself, at its last activity: what ran after that is not counted. Gives whether it
    /// is one.
    pub(super) fn end_auto(&mut self, id: SessionId, now: Reading, effects: &mut Vec<Effect>) -> bool {
        let Some(live) = self.sessions.get_mut(&id).filter(|live| live.is_open_auto()) else {
            return false;
        };
        let last = if live.running == 0 { live.active_at } else { now };
        let timer = &mut live.session.timer;
        // A clock that stands may have run on for a while after the last call.
        let tail = TimerChange::Trim {
            from: last.wall,
            to: timer.last().at.wall,
        };
        let mut events = match timer.is_interrupted() {
            true => timer.decide(tail, now).unwrap_or_default(),
            false => Vec::new(),
        };
        let mut after = timer.clone();
        events.iter().for_each(|event| after.apply(*event));
        events.extend(after.end_at(last));
        self.timer_events(id, events, now, effects);
        true
    }

    /// After a start: when the sessions that end by themselves last had a call, on the clocks of this boot.
    pub(super) fn find_last_activity(&mut self, now: Reading) {
        for (id, live) in &mut self.sessions {
            let stands_since = live.session.timer.last().at.wall.0;
            let ends = self
                .recent
                .iter()
                .filter(|call| call.session == Some(*id))
                .map(|call| {
                    let duration = call.end.as_ref().map_or(Millis(0), |end| end.duration);
                    call.start.started_at.0.saturating_add_unsigned(duration.0)
                });
            let last = ends.max().map_or(stands_since, |end| end.min(stands_since));
            let ago = now.wall.0.saturating_sub(last).max(0);
            live.active_at = now.earlier(Nanos::from_millis(ago));
        }
    }

    /// When the next session has been idle for long enough.
    pub(super) fn next_idle(&self) -> Option<Nanos> {
        let idle = self.auto_idle?;
        let idle = Nanos::from_millis(i64::try_from(idle.0).unwrap_or(i64::MAX));
        self.sessions
            .values()
            .filter(|live| live.is_open_auto() && live.running == 0)
            .map(|live| Nanos(live.active_at.boot.0.saturating_add(idle.0)))
            .min()
    }
}

impl LiveSession {
    fn is_open_auto(&self) -> bool {
        self.session.origin == Origin::Auto && self.session.timer.status() != Status::Completed
    }

    /// For how long it has had no call.
    fn idle_for(&self, now: Reading) -> Millis {
        let passed = now.since(&self.active_at).map_or(Nanos(0), |passed| passed.total);
        Millis(u64::try_from(passed.millis()).unwrap_or(0))
    }
}

/// The name of a session that begins by itself.
fn name_at(moment: Timestamp) -> String {
    let moment = jiff::Timestamp::from_millisecond(moment.0).unwrap_or_default();
    format!("Auto {}", moment.strftime("%Y-%m-%d %H:%M UTC"))
}
