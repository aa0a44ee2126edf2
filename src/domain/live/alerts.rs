//! Alerts about Moonlock itself.

use super::super::ids::AlertId;
use super::super::record::Record;
use super::super::session::clock::Reading;
use super::super::wire::{AlertView, Change};
use super::{Effect, State, StoreTrouble};

impl State {
    pub(super) fn store_trouble(
        &mut self,
        id: AlertId,
        trouble: StoreTrouble,
        now: Reading,
        effects: &mut Vec<Effect>,
    ) {
        let (rule, message) = match trouble {
            StoreTrouble::Slow => (
                "store.slow",
                "The disk is slow: replies are passed on before their rows are certain to survive a crash. \
                 Look for what keeps the disk busy.",
            ),
            StoreTrouble::Failing => (
                "store.failing",
                "The database cannot be written: calls go through and are kept in memory until it can. \
                 Look whether the disk is full or read-only.",
            ),
        };
        if self.alerts.iter().any(|alert| alert.rule == rule) {
            return;
        }
        let alert = AlertView {
            id,
            rule: rule.to_owned(),
            message: message.to_owned(),
            raised_at: now.wall.0,
            cleared_at: None,
        };
        self.alerts.push(alert.clone());
        self.tell_alert(alert, now, effects);
    }

    pub(super) fn store_well(&mut self, now: Reading, effects: &mut Vec<Effect>) {
        let (cleared, rest) = std::mem::take(&mut self.alerts)
            .into_iter()
            .partition(|alert| alert.rule.starts_with("store."));
        self.alerts = rest;
        let cleared: Vec<AlertView> = cleared;
        for mut alert in cleared {
            alert.cleared_at = Some(now.wall.0);
            self.tell_alert(alert, now, effects);
        }
    }

    pub(super) fn tell_alert(&mut self, alert: AlertView, now: Reading, effects: &mut Vec<Effect>) {
        effects.push(Effect::Write(Record::Alert(Box::new(alert.clone()))));
        self.publish(None, Change::Alert(alert), now, effects);
    }

    /// Whether an alert about the database lasts.
    #[must_use]
    pub fn has_store_trouble(&self) -> bool {
        self.alerts.iter().any(|alert| alert.rule.starts_with("store."))
    }
}
