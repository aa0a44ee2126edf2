//! Alerts: what rules find goes through [`Alerts`](super::super::alert::Alerts), is written down and told.

use super::super::alert::{Episode, Facts, NotStanding, Patch, Rule, Scope};
use super::super::ids::AlertId;
use super::super::record::Record;
use super::super::session::Status;
use super::super::session::clock::Reading;
use super::super::wire::{AlertView, Change};
use super::{Effect, Refusal, State, StoreTrouble};

/// Rules about the disk, whose alerts are over as soon as it answers again.
const STORE_TROUBLES: [Rule; 3] = [Rule::StoreSlow, Rule::StoreFailing, Rule::StoreQueue];

impl State {
    /// Takes what a rule found: see [`Alerts::raise`](super::super::alert::Alerts::raise).
    pub(super) fn raise(&mut self, scope: &Scope, facts: &Facts, now: Reading, effects: &mut Vec<Effect>) {
        let changed = self.alerts.raise(scope, facts, now.wall);
        self.tell_alerts(changed, now, effects);
    }

    /// A rule found that what it told of a scope is over.
    pub(super) fn clear(&mut self, rule: Rule, scope: &Scope, now: Reading, effects: &mut Vec<Effect>) {
        let cleared = self.alerts.clear(rule, scope, now.wall);
        self.tell_alerts(cleared, now, effects);
    }

    /// Ends all alerts that are found to be over.
    pub(super) fn clear_alerts_where(
        &mut self,
        is_over: impl FnMut(&Episode) -> bool,
        now: Reading,
        effects: &mut Vec<Effect>,
    ) {
        let cleared = self.alerts.clear_where(now.wall, is_over);
        self.tell_alerts(cleared, now, effects);
    }

    fn tell_alerts(&mut self, changed: Vec<Episode>, now: Reading, effects: &mut Vec<Effect>) {
        for episode in changed {
            let view = AlertView::from(&episode);
            let session = episode.scope.session_id();
            effects.push(Effect::Write(Record::Alert(Box::new(episode))));
            self.publish(session, Change::Alert(view), now, effects);
        }
    }

    pub(super) fn store_trouble(&mut self, trouble: StoreTrouble, now: Reading, effects: &mut Vec<Effect>) {
        let facts = match trouble {
            StoreTrouble::Slow => Facts::StoreSlow,
            StoreTrouble::Failing => Facts::StoreFailing,
            StoreTrouble::Queue { rows } => Facts::StoreQueue { rows },
        };
        self.raise(&Scope::Moonlock, &facts, now, effects);
    }

    pub(super) fn store_well(&mut self, now: Reading, effects: &mut Vec<Effect>) {
        for rule in STORE_TROUBLES {
            self.clear(rule, &Scope::Moonlock, now, effects);
        }
    }

    /// Tells something new of a rule that has told something else: that is over, and this begins.
    pub(super) fn tell_anew(&mut self, facts: &Facts, now: Reading, effects: &mut Vec<Effect>) {
        self.clear(facts.rule(), &Scope::Moonlock, now, effects);
        self.raise(&Scope::Moonlock, facts, now, effects);
    }

    /// Ends the alerts of sessions that have ended or are held live no longer.
    pub(super) fn end_alerts_of_ended(&mut self, now: Reading, effects: &mut Vec<Effect>) {
        let sessions = &self.sessions;
        let is_over = |episode: &Episode| {
            episode.scope.session_id().is_some_and(|session| {
                let live = sessions.get(&session);
                live.is_none_or(|live| live.session.timer.status() == Status::Completed)
            })
        };
        let cleared = self.alerts.clear_where(now.wall, is_over);
        self.tell_alerts(cleared, now, effects);
    }

    /// What was snoozed until now asks to be looked at again.
    pub(super) fn wake_alerts(&mut self, now: Reading, effects: &mut Vec<Effect>) {
        let woken = self.alerts.wake(now.wall);
        self.tell_alerts(woken, now, effects);
    }

    pub(super) fn change_alert(
        &mut self,
        id: AlertId,
        patch: Patch,
        now: Reading,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let changed = self.alerts.change(id, patch, now.wall)?;
        self.tell_alerts(changed, now, effects);
        Ok(())
    }

    pub(super) fn mute(&mut self, rule: Rule, muted: bool, now: Reading, effects: &mut Vec<Effect>) {
        if self.alerts.is_muted(rule) == muted {
            return;
        }
        effects.push(Effect::Write(Record::Muted { rule, muted }));
        let changed = self.alerts.mute(rule, muted);
        self.tell_alerts(changed, now, effects);
    }

    /// One alert that stands.
    #[must_use]
    pub fn alert(&self, id: AlertId) -> Option<AlertView> {
        let mut standing = self.alerts.standing();
        standing.find(|episode| episode.id == id).map(AlertView::from)
    }

    /// Whether the user wants to hear nothing of a rule's alerts.
    #[must_use]
    pub fn is_muted(&self, rule: Rule) -> bool {
        self.alerts.is_muted(rule)
    }

    /// Whether an alert about the disk stands.
    #[must_use]
    pub fn has_store_trouble(&self) -> bool {
        let stands = |rule: &Rule| self.alerts.find(*rule, &Scope::Moonlock).is_some();
        STORE_TROUBLES.iter().any(stands)
    }
}

impl From<NotStanding> for Refusal {
    fn from(_: NotStanding) -> Self {
        Self::NoSuchAlert
    }
}
