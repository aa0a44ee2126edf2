//! Alerts about Moonlock itself.

use super::super::ids::AlertId;
use super::super::record::Record;
use super::super::session::clock::Reading;
use super::super::wire::{AlertView, Change};
use super::{Effect, State, StoreTrouble};

/// Rules of alerts that pass with their cause. What was lost to damage stays, for as long as the program runs.
const STORE_TROUBLES: [&str; 2] = ["store.slow", "store.failing"];

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
                STORE_TROUBLES[0],
                "The disk is slow: replies are passed on before their rows are certain to survive a crash. \
                 Look for what keeps the disk busy.",
            ),
            StoreTrouble::Failing => (
                STORE_TROUBLES[1],
                "The database cannot be written: calls go through and are kept in memory until it can. \
                 Look whether the disk is full or read-only.",
            ),
        };
        if !self.lasts(&[rule]) {
            self.raise(id, rule, message, now, effects);
        }
    }

    pub(super) fn store_well(&mut self, now: Reading, effects: &mut Vec<Effect>) {
        self.clear(&STORE_TROUBLES, now, effects);
    }

    pub(super) fn raise(
        &mut self,
        id: AlertId,
        rule: &str,
        message: &str,
        now: Reading,
        effects: &mut Vec<Effect>,
    ) {
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

    pub(super) fn clear(&mut self, rules: &[&str], now: Reading, effects: &mut Vec<Effect>) {
        let (cleared, rest) = std::mem::take(&mut self.alerts)
            .into_iter()
            .partition(|alert| rules.contains(&alert.rule.as_str()));
        self.alerts = rest;
        let cleared: Vec<AlertView> = cleared;
        for mut alert in cleared {
            alert.cleared_at = Some(now.wall.0);
            self.tell_alert(alert, now, effects);
        }
    }

    fn lasts(&self, rules: &[&str]) -> bool {
        self.alerts
            .iter()
            .any(|alert| rules.contains(&alert.rule.as_str()))
    }

    pub(super) fn tell_alert(&mut self, alert: AlertView, now: Reading, effects: &mut Vec<Effect>) {
        effects.push(Effect::Write(Record::Alert(Box::new(alert.clone()))));
        self.publish(None, Change::Alert(alert), now, effects);
    }

    /// Whether an alert about the database lasts.
    #[must_use]
    pub fn has_store_trouble(&self) -> bool {
        self.lasts(&STORE_TROUBLES)
    }
}
