//! What the providers last said of their windows.

use std::collections::BTreeMap;

use super::{Fingerprint, Observation, Window};
use crate::domain::units::{Millis, Timestamp};
use crate::domain::wire::{LimitsView, WindowView};

/// So many credentials of one provider are remembered: those seen last. Tokens that a login renews every hour leave
/// no trail behind them.
const MOST_CREDENTIALS: usize = 8;
/// So many windows of one credential are remembered: those seen last.
const MOST_WINDOWS: usize = 32;
/// What a window without a reset and without a period said is taken for old after this time: the shortest usual period.
const USUAL_PERIOD: Millis = Millis(60_000);
/// So long a window is still shown, as one that has begun anew, when nothing is heard of it.
const KEPT: Millis = Millis(24 * 3_600_000);

/// A window, and when a reply last told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenWindow {
    /// What it said.
    pub window: Window,
    /// When.
    pub seen_at: Timestamp,
}

impl SeenWindow {
    /// Until when what was said of it holds.
    fn holds_until(&self) -> Timestamp {
        self.window.resets_at.unwrap_or_else(|| {
            let period = self.window.period.unwrap_or(USUAL_PERIOD);
            Timestamp(self.seen_at.0.saturating_add_unsigned(period.0))
        })
    }

    fn is_forgotten(&self, now: Timestamp) -> bool {
        now.since(self.holds_until()) > KEPT
    }
}

/// The windows of one credential at one provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitSet {
    /// The mount.
    pub provider: Box<str>,
    /// Whose they are; `None` where requests named nobody.
    pub credential: Option<Fingerprint>,
    /// The windows, by name. None of them: they are forgotten.
    pub windows: Vec<SeenWindow>,
}

impl LimitSet {
    fn seen_at(&self) -> Timestamp {
        let seen = self.windows.iter().map(|seen| seen.seen_at);
        seen.max().unwrap_or_default()
    }

    /// Takes in what a reply said; whether anything is different now.
    fn take(&mut self, observation: Observation) -> bool {
        let mut differs = false;
        for window in observation.windows {
            let seen_at = observation.at;
            let place = self
                .windows
                .binary_search_by(|seen| seen.window.name.cmp(&window.name));
            match place {
                Ok(at) => {
                    let seen = &mut self.windows[at];
                    // Calls end in another order than their replies began.
                    if seen.seen_at <= seen_at {
                        differs |= seen.window != window;
                        *seen = SeenWindow { window, seen_at };
                    }
                }
                Err(at) => {
                    self.windows.insert(at, SeenWindow { window, seen_at });
                    differs = true;
                }
            }
        }
        while self.windows.len() > MOST_WINDOWS {
            let oldest = self
                .windows
                .iter()
                .enumerate()
                .min_by_key(|(_, seen)| seen.seen_at);
            let Some((oldest, _)) = oldest else { break };
            self.windows.remove(oldest);
        }
        differs
    }
}

type Key = (Box<str>, Option<Fingerprint>);

/// The windows of all credentials at all providers.
#[derive(Clone, Debug, Default)]
pub struct Limits {
    sets: BTreeMap<Key, LimitSet>,
    /// Those that are different since they were last told of.
    changed: Vec<Key>,
}

impl Limits {
    /// Takes up what an earlier run knew.
    #[must_use]
    pub fn restore(sets: impl IntoIterator<Item = LimitSet>) -> Self {
        let mut limits = Self::default();
        for mut set in sets {
            set.windows
                .sort_by(|one, other| one.window.name.cmp(&other.window.name));
            limits.sets.insert((set.provider.clone(), set.credential), set);
        }
        limits
    }

    /// Takes in what a reply said.
    pub fn take(&mut self, observation: Observation) {
        let key = (observation.provider.clone(), observation.credential);
        let set = self.sets.entry(key.clone()).or_insert_with(|| LimitSet {
            provider: key.0.clone(),
            credential: key.1,
            windows: Vec::new(),
        });
        if set.take(observation) && !self.changed.contains(&key) {
            self.make_room(&key.0);
            self.changed.push(key);
        }
    }

    /// Forgets the credentials of a provider that were not seen for the longest.
    fn make_room(&mut self, provider: &str) {
        loop {
            let of_provider = || self.sets.values().filter(|set| &*set.provider == provider);
            if of_provider().count() <= MOST_CREDENTIALS {
                return;
            }
            let oldest = of_provider().min_by_key(|set| set.seen_at());
            let Some(key) = oldest.map(|set| (set.provider.clone(), set.credential)) else {
                return;
            };
            self.forget(key);
        }
    }

    fn forget(&mut self, key: Key) {
        self.sets.remove(&key);
        if !self.changed.contains(&key) {
            self.changed.push(key);
        }
    }

    /// Whether anything is different since [`Self::changes`].
    #[must_use]
    pub const fn has_changes(&self) -> bool {
        !self.changed.is_empty()
    }

    /// What is different since this was last asked. A set without windows is one that is forgotten.
    pub fn changes(&mut self, now: Timestamp) -> Vec<LimitSet> {
        let is_old = |set: &LimitSet| set.windows.iter().all(|seen| seen.is_forgotten(now));
        let old: Vec<Key> = self
            .sets
            .iter()
            .filter(|(_, set)| is_old(set))
            .map(|(key, _)| key.clone())
            .collect();
        for key in old {
            self.forget(key);
        }
        let changed = std::mem::take(&mut self.changed).into_iter();
        changed
            .map(|key| match self.sets.get_mut(&key) {
                Some(set) => {
                    set.windows.retain(|seen| !seen.is_forgotten(now));
                    set.clone()
                }
                None => LimitSet {
                    provider: key.0,
                    credential: key.1,
                    windows: Vec::new(),
                },
            })
            .collect()
    }

    /// What is shown at a moment, by provider and then the credential that was seen last.
    #[must_use]
    pub fn views(&self, now: Timestamp) -> Vec<LimitsView> {
        let mut sets: Vec<&LimitSet> = self.sets.values().collect();
        sets.sort_by(|one, other| (&one.provider, other.seen_at()).cmp(&(&other.provider, one.seen_at())));
        let views = sets.into_iter().map(|set| set.view(now));
        views.filter(|view| !view.windows.is_empty()).collect()
    }
}

impl LimitSet {
    /// What is shown of it at a moment.
    ///
    /// Of a window that has begun anew nobody knows how much is left: what was said before is not shown as if it
    /// still held.
    #[must_use]
    pub fn view(&self, now: Timestamp) -> LimitsView {
        let known = self.windows.iter().filter(|seen| !seen.is_forgotten(now));
        // A pause that is over has nothing to say.
        let shown = known.filter(|seen| seen.window.kind != super::Kind::Pause || now < seen.holds_until());
        LimitsView {
            provider: self.provider.to_string(),
            credential: self.credential.map(|credential| credential.to_string()),
            seen_at: self.seen_at().0,
            windows: shown
                .map(|seen| WindowView::new(&seen.window, seen.seen_at, now >= seen.holds_until()))
                .collect(),
        }
    }
}
