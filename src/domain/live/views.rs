//! What the live state shows.

use super::super::call::Call;
use super::super::forecast::Score;
use super::super::ids::SessionId;
use super::super::metrics::Metrics;
use super::super::session::Status;
use super::super::session::clock::Reading;
use super::super::units::Timestamp;
use super::super::wire::{AlertView, CallView, Change, Event, SessionView, Snapshot};
use super::{Effect, LiveSession, RECENT_SESSIONS, State};

impl State {
    pub(super) fn publish(
        &mut self,
        session_id: Option<SessionId>,
        change: Change,
        now: Reading,
        effects: &mut Vec<Effect>,
    ) {
        self.seq += 1;
        let event = Event {
            seq: self.seq,
            at: now.wall.0,
            session_id,
            change,
        };
        effects.push(Effect::Publish(Box::new(event)));
    }

    /// How well forecasts did.
    #[must_use]
    pub fn track_record(&self) -> Score {
        self.track_record.score()
    }

    /// The number of the last event.
    #[must_use]
    pub const fn seq(&self) -> u64 {
        self.seq
    }

    /// What the calls since the start add up to.
    #[must_use]
    pub const fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// How many calls run.
    #[must_use]
    pub fn running_calls(&self) -> usize {
        self.running.len()
    }

    /// One session as it is now; `None` if it is not held live.
    #[must_use]
    pub fn session_view(&self, id: SessionId, now: Reading) -> Option<SessionView> {
        let live = self.sessions.get(&id)?;
        Some(live.view(self.current, self.track_record.score(), now))
    }

    /// Everything that is live. `wanted` says which sessions; *Unassigned* is `None`.
    #[must_use]
    pub fn snapshot(&self, now: Reading, wanted: impl Fn(Option<SessionId>) -> bool) -> Snapshot {
        let mut completed = 0;
        let sessions = self
            .sessions
            .values()
            .rev()
            .filter(|live| wanted(Some(live.session.id)))
            .filter(|live| {
                let ended = live.session.timer.status() == Status::Completed;
                completed += usize::from(ended);
                !ended || completed <= RECENT_SESSIONS
            });
        let score = self.track_record.score();
        let sessions = sessions.map(|live| live.view(self.current, score, now)).collect();
        let mut running: Vec<&Call> = self
            .running
            .values()
            .filter(|call| wanted(call.session))
            .collect();
        running.sort_unstable_by_key(|call| std::cmp::Reverse((call.start.started_at, call.start.id)));
        let ended = self
            .recent
            .iter()
            .map(|call| &**call)
            .filter(|call| wanted(call.session));
        Snapshot {
            seq: self.seq,
            at: now.wall.0,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            proxy_url: String::new(),
            sessions,
            unassigned: self.unassigned,
            calls: running
                .into_iter()
                .map(|call| self.running_view(call))
                .chain(ended.map(CallView::from))
                .collect(),
            alerts: self
                .alerts
                .standing()
                .filter(|episode| {
                    let session = episode.scope.session_id();
                    session.is_none() || wanted(session)
                })
                .map(AlertView::from)
                .collect(),
            limits: self.limits.views(now.wall),
            alert_at_percent: self.thresholds.clone(),
        }
    }

    fn running_view(&self, call: &Call) -> CallView {
        CallView {
            output_so_far: self.so_far.get(&call.start.id).map(|tokens| tokens.0),
            ..CallView::from(call)
        }
    }

    /// When the oldest running call began; `None` if none runs.
    #[must_use]
    pub fn oldest_running(&self) -> Option<Timestamp> {
        self.running.values().map(|call| call.start.started_at).min()
    }
}

impl LiveSession {
    fn view(&self, current: Option<SessionId>, score: Score, now: Reading) -> SessionView {
        let view = SessionView::new(&self.session, self.totals, &self.marks, current, now);
        view.foretelling(self.foretold(score, now))
    }
}
