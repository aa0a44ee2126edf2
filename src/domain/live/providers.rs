//! Providers that fail, and their own limits that are nearly used up.

use std::collections::BTreeMap;

use super::super::alert::{Episode, Facts, Rule, Scope};
use super::super::call::{CallEnd, Outcome, UNDECODABLE};
use super::super::session::clock::Reading;
use super::super::units::{Millis, Timestamp};
use super::super::wire::{LimitsView, WindowView};
use super::{Effect, State};

/// So many calls in a row that fail are worth an alert.
const STREAK: u32 = 5;
/// So many replies in a row that cannot be read.
const UNREADABLE: u32 = 3;
/// Nobody has asked the provider for so long: whether it still fails is not known.
const FORGOTTEN: Millis = Millis(30 * 60_000);
/// A limit period that is shorter is over before anybody could do something.
const SHORTEST_WINDOW: Millis = Millis(60 * 60_000);

/// The rules about how a provider answers.
const RULES: [Rule; 3] = [Rule::ProviderErrors, Rule::ProviderOverload, Rule::MeterBlind];

/// How a call ended, as far as its provider is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// It answered.
    Well,
    /// It answered, and the meter could not read it.
    Unreadable,
    /// It failed, or could not be reached.
    Failed,
    /// It turned the call away: too many, or too much to do.
    Overloaded,
    /// It says nothing of the provider: the client went away, or asked what cannot be answered.
    None,
}

impl Verdict {
    fn of(end: &CallEnd) -> Self {
        match (end.outcome, end.status) {
            (Outcome::UpstreamError, Some(429 | 503 | 529)) => Self::Overloaded,
            (Outcome::UpstreamError, Some(status)) if (400..500).contains(&status) => Self::None,
            (Outcome::UpstreamError | Outcome::StreamError, _) => Self::Failed,
            (Outcome::Complete, _) if end.error.as_deref() == Some(UNDECODABLE) => Self::Unreadable,
            (Outcome::Complete, _) => Self::Well,
            (Outcome::Running | Outcome::ClientAborted | Outcome::Interrupted, _) => Self::None,
        }
    }
}

/// Calls in a row that failed.
#[derive(Clone, Copy, Debug, Default)]
struct Streak {
    failed: u32,
    overloaded: u32,
    unreadable: u32,
    since: Timestamp,
    last: Timestamp,
}

/// The streaks of the providers that fail.
#[derive(Clone, Debug, Default)]
pub(super) struct Streaks(BTreeMap<Box<str>, Streak>);

impl State {
    /// Takes how a call of a provider ended.
    pub(super) fn provider_answered(
        &mut self,
        provider: &str,
        end: &CallEnd,
        now: Reading,
        effects: &mut Vec<Effect>,
    ) {
        let verdict = Verdict::of(end);
        match verdict {
            Verdict::None => return,
            Verdict::Well => {
                self.streaks.0.remove(provider);
                self.clear_provider(provider, now, effects);
                return;
            }
            Verdict::Unreadable | Verdict::Failed | Verdict::Overloaded => {}
        }
        if !self.streaks.0.contains_key(provider) {
            let begun = Streak {
                since: now.wall,
                ..Streak::default()
            };
            self.streaks.0.insert(provider.into(), begun);
        }
        let Some(streak) = self.streaks.0.get_mut(provider) else {
            return;
        };
        streak.last = now.wall;
        let (count, needed) = match verdict {
            Verdict::Failed => (&mut streak.failed, STREAK),
            Verdict::Overloaded => (&mut streak.overloaded, STREAK),
            Verdict::Unreadable | Verdict::Well | Verdict::None => (&mut streak.unreadable, UNREADABLE),
        };
        *count = count.saturating_add(1);
        if *count != needed {
            return;
        }
        let (calls, within) = (*count, now.wall.since(streak.since));
        let provider: Box<str> = provider.into();
        let scope = Scope::Provider {
            provider: provider.clone(),
        };
        let facts = match verdict {
            Verdict::Failed => Facts::ProviderErrors {
                provider,
                calls,
                within,
            },
            Verdict::Overloaded => Facts::ProviderOverload {
                provider,
                calls,
                within,
            },
            Verdict::Unreadable | Verdict::Well | Verdict::None => Facts::MeterBlind { provider, calls },
        };
        self.raise(&scope, &facts, now, effects);
    }

    fn clear_provider(&mut self, provider: &str, now: Reading, effects: &mut Vec<Effect>) {
        let is_its = |episode: &Episode| {
            let of = matches!(&episode.scope, Scope::Provider { provider: of } if **of == *provider);
            of && RULES.contains(&episode.rule)
        };
        self.clear_alerts_where(is_its, now, effects);
    }

    /// Takes what a provider told of its own limits.
    pub(super) fn windows_told(&mut self, told: &LimitsView, now: Reading, effects: &mut Vec<Effect>) {
        for window in &told.windows {
            let scope = Scope::Window {
                provider: told.provider.as_str().into(),
                credential: told.credential.as_deref().map(Into::into),
                window: window.name.as_str().into(),
            };
            let standing = self.alerts.find(Rule::ProviderWindow, &scope);
            let standing = standing.map(Episode::passed);
            let used = Some(window)
                .filter(|window| !window.stale && is_long(window))
                .and_then(|window| window.used_permille);
            let known = standing.map(|standing| standing.percent);
            let passed = |used: u32| Some((used, self.thresholds.of_window(u64::from(used), known)?));
            match used.and_then(passed) {
                Some((_, passed)) if standing == Some(passed) => {}
                Some((used, passed)) => {
                    let facts = Facts::Window {
                        provider: told.provider.as_str().into(),
                        window: window.name.as_str().into(),
                        percent: used / 10,
                        passed,
                        anew_in: window.resets_at.map(|at| Timestamp(at).since(now.wall)),
                    };
                    self.raise(&scope, &facts, now, effects);
                }
                None => self.clear(Rule::ProviderWindow, &scope, now, effects),
            }
        }
    }

    /// Holds what providers last told of their limits against the shares at which the user wants to be told.
    pub(super) fn check_windows(&mut self, now: Reading, effects: &mut Vec<Effect>) {
        for told in self.limits.views(now.wall) {
            self.windows_told(&told, now, effects);
        }
    }

    /// Takes the time: limits begin anew, and of a provider that nobody asks nothing is known.
    pub(super) fn look_at_providers(&mut self, now: Reading, effects: &mut Vec<Effect>) {
        // Nearly always: spares a look at every window.
        let is_of_provider = |rule| rule == Rule::ProviderWindow || RULES.contains(&rule);
        if !self.alerts.standing().any(|episode| is_of_provider(episode.rule)) {
            return;
        }
        let told = self.limits.views(now.wall);
        let streaks = std::mem::take(&mut self.streaks);
        let is_over = |episode: &Episode| match (&episode.scope, episode.rule) {
            (
                Scope::Window {
                    provider,
                    credential,
                    window,
                },
                Rule::ProviderWindow,
            ) => {
                let mut sets = told.iter().filter(|told| {
                    *told.provider == **provider && told.credential.as_deref() == credential.as_deref()
                });
                let known = sets.find_map(|told| told.windows.iter().find(|known| *known.name == **window));
                known.is_none_or(|known| known.stale)
            }
            (Scope::Provider { provider }, rule) if RULES.contains(&rule) => {
                let last = streaks
                    .0
                    .get(provider)
                    .map_or(episode.raised_at, |streak| streak.last);
                now.wall.since(last) >= FORGOTTEN
            }
            _ => false,
        };
        self.clear_alerts_where(is_over, now, effects);
        self.streaks = streaks;
        let is_kept = |streak: &Streak| now.wall.since(streak.last) < FORGOTTEN;
        self.streaks.0.retain(|_, streak| is_kept(streak));
    }
}

fn is_long(window: &WindowView) -> bool {
    let left = window
        .resets_at
        .map(|at| Timestamp(at).since(Timestamp(window.seen_at)));
    let period = window.period_ms.map(Millis).or(left);
    period.is_some_and(|period| period >= SHORTEST_WINDOW)
}
