//! Alerts: what is worth interrupting for, said once.
//!
//! A rule looks at one thing (a session, a provider, a budget …) and tells what it finds as [`Facts`]. [`Alerts`] makes
//! an [`Episode`] of it: it is raised once, gets worse or better by levels, and is cleared once; what is found again
//! meanwhile changes nothing. The rule itself keeps apart the thresholds at which it raises and clears, so that nothing
//! flickers. All is in the episodes, which are kept: a program that starts anew takes them up and repeats none.
//!
//! The user can acknowledge one (it is silent until it gets worse), snooze it (it is silent for a while, also if it
//! comes again meanwhile), and mute a rule (what it finds is noted and nothing more).

mod episode;
mod facts;
mod rule;
mod scope;
pub(crate) mod text;
mod thresholds;

pub use episode::Episode;
pub use facts::{Facts, Likely, Measure, Overrun, Whose};
pub use rule::{AlertStatus, Rule, Severity};
pub use scope::{BadScope, Scope};
pub use thresholds::{BadThresholds, Passed, Thresholds};

use super::ids::{AlertId, SessionId};
use super::units::Timestamp;

/// So many stand at once. When there are more, the oldest of those that matter least is ended.
pub const MOST_STANDING: usize = 256;

/// What the user does to an alert that stands. What is `None` stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Patch {
    /// Whether it has been seen.
    pub acknowledged: Option<bool>,
    /// Until when it is silent; `Some(None)` ends that.
    pub snoozed_until: Option<Option<Timestamp>>,
}

/// No such alert stands: there never was one, or it is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no alert with that id stands: it is over, or there never was one")]
pub struct NotStanding;

/// The alerts that stand. Every change gives the episodes that are different now: they have to be kept and told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alerts {
    /// The oldest first.
    standing: Vec<Episode>,
    /// Those that were over before their snooze was.
    snoozed: Vec<(Rule, Scope, Timestamp)>,
    muted: Vec<Rule>,
    /// How many were raised.
    raised: u16,
}

impl Alerts {
    /// Takes up what an earlier run kept: the episodes that stand, and the last of each rule and scope that are over
    /// and whose snooze is not.
    #[must_use]
    pub fn restore(episodes: Vec<Episode>, muted: Vec<Rule>) -> Self {
        let (over, mut standing): (Vec<_>, Vec<_>) = episodes
            .into_iter()
            .partition(|episode| episode.cleared_at.is_some());
        standing.sort_by_key(|episode| (episode.raised_at, episode.id));
        // One of a rule and scope stands: the last.
        let mut known: Vec<Episode> = Vec::new();
        for episode in standing {
            known.retain(|known| known.rule != episode.rule || known.scope != episode.scope);
            known.push(episode);
        }
        Self {
            standing: known,
            snoozed: over
                .into_iter()
                .filter_map(|episode| Some((episode.rule, episode.scope, episode.snoozed_until?)))
                .collect(),
            muted,
            raised: 0,
        }
    }

    /// Those that stand, the newest first.
    pub fn standing(&self) -> impl Iterator<Item = &Episode> {
        self.standing.iter().rev()
    }

    /// The one of a rule and scope that stands.
    #[must_use]
    pub fn find(&self, rule: Rule, scope: &Scope) -> Option<&Episode> {
        let mut standing = self.standing.iter();
        standing.find(|episode| episode.rule == rule && episode.scope == *scope)
    }

    /// Whether the user wants to hear nothing of a rule.
    #[must_use]
    pub fn is_muted(&self, rule: Rule) -> bool {
        self.muted.contains(&rule)
    }

    /// Takes what a rule found: raises it, or makes it worse or better where it stands at another level. What stands
    /// as it is stays so. At the same level it can matter more or less than it did, if the user has set other
    /// [`Thresholds`]; that is no news.
    pub fn raise(&mut self, scope: &Scope, facts: &Facts, now: Timestamp) -> Vec<Episode> {
        let found = self
            .standing
            .iter_mut()
            .find(|episode| episode.rule == facts.rule() && episode.scope == *scope);
        let Some(episode) = found else {
            return self.begin(scope, facts, now);
        };
        if (episode.level, episode.severity) == (facts.level(), facts.severity()) {
            return Vec::new();
        }
        if facts.level() > episode.level {
            // Worse is news, whatever was said of it before.
            episode.worsened_at = Some(now);
            episode.acknowledged_at = None;
            episode.snoozed_until = None;
        }
        episode.level = facts.level();
        episode.severity = facts.severity();
        episode.message = facts.to_string().into();
        vec![episode.clone()]
    }

    fn begin(&mut self, scope: &Scope, facts: &Facts, now: Timestamp) -> Vec<Episode> {
        let mut changed = self.make_room(now);
        self.raised = self.raised.wrapping_add(1);
        let mut episode = Episode::begin(scope, facts, now, self.raised);
        episode.muted = self.is_muted(episode.rule);
        let snooze = self
            .snoozed
            .iter()
            .position(|(rule, of, _)| *rule == episode.rule && of == scope);
        if let Some(at) = snooze {
            let (_, _, until) = self.snoozed.swap_remove(at);
            episode.snoozed_until = Some(until).filter(|until| *until > now);
        }
        self.standing.push(episode.clone());
        changed.push(episode);
        changed
    }

    fn make_room(&mut self, now: Timestamp) -> Vec<Episode> {
        if self.standing.len() < MOST_STANDING {
            return Vec::new();
        }
        let least = self.standing.iter().min_by_key(|episode| episode.severity as u8);
        let least = least.map(|episode| episode.id);
        self.clear_where(now, |episode| Some(episode.id) == least)
    }

    /// Ends what stands of a rule and scope: it was found to be over.
    pub fn clear(&mut self, rule: Rule, scope: &Scope, now: Timestamp) -> Vec<Episode> {
        // Nearly always: nothing stands.
        if self.find(rule, scope).is_none() {
            return Vec::new();
        }
        self.clear_where(now, |episode| episode.rule == rule && episode.scope == *scope)
    }

    /// Ends all that stand and that `is_over` says are.
    pub fn clear_where(&mut self, now: Timestamp, mut is_over: impl FnMut(&Episode) -> bool) -> Vec<Episode> {
        let mut cleared: Vec<Episode> = self.standing.extract_if(.., |episode| is_over(episode)).collect();
        for episode in &mut cleared {
            episode.cleared_at = Some(now);
            if let Some(until) = episode.snoozed_until {
                self.snoozed.push((episode.rule, episode.scope.clone(), until));
            }
        }
        cleared
    }

    /// Forgets what was said of a session that is no more.
    pub fn forget(&mut self, session: SessionId) {
        self.snoozed
            .retain(|(_, scope, _)| scope.session_id() != Some(session));
    }

    /// Does what the user wants with one that stands. Saying it again changes nothing.
    ///
    /// # Errors
    /// It does not stand.
    pub fn change(&mut self, id: AlertId, patch: Patch, now: Timestamp) -> Result<Vec<Episode>, NotStanding> {
        let mut standing = self.standing.iter_mut();
        let episode = standing.find(|episode| episode.id == id).ok_or(NotStanding)?;
        let before = episode.clone();
        match patch.acknowledged {
            Some(true) if episode.rule.stands_until_acknowledged() => {
                episode.acknowledged_at = Some(now);
                return Ok(self.clear_where(now, |episode| episode.id == id));
            }
            Some(true) => episode.acknowledged_at = episode.acknowledged_at.or(Some(now)),
            Some(false) => episode.acknowledged_at = None,
            None => {}
        }
        if let Some(until) = patch.snoozed_until {
            episode.snoozed_until = until.filter(|until| *until > now);
        }
        Ok(if *episode == before {
            Vec::new()
        } else {
            vec![episode.clone()]
        })
    }

    /// Mutes a rule, or ends that.
    pub fn mute(&mut self, rule: Rule, muted: bool) -> Vec<Episode> {
        self.muted.retain(|known| *known != rule);
        if muted {
            self.muted.push(rule);
        }
        let mut changed = Vec::new();
        for episode in &mut self.standing {
            if episode.rule == rule && episode.muted != muted {
                episode.muted = muted;
                changed.push(episode.clone());
            }
        }
        changed
    }

    /// Takes the time: what was snoozed until now asks to be looked at again.
    pub fn wake(&mut self, now: Timestamp) -> Vec<Episode> {
        self.snoozed.retain(|(_, _, until)| *until > now);
        let mut woken = Vec::new();
        for episode in &mut self.standing {
            if episode.snoozed_until.is_some_and(|until| until <= now) {
                episode.snoozed_until = None;
                woken.push(episode.clone());
            }
        }
        woken
    }
}

#[cfg(test)]
mod tests;
