//! How well a session makes use of what it pays for: a score out of 100 whose parts are all in sight.
//!
//! Each part is a number that can be checked, a scale on which it gives 0 to 100 points, and a weight: [`RULES`] is all
//! there is to it. The score is the weighted mean of the points. A part that cannot be known is left out, says why, and
//! the others weigh more for it.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::super::call::{Outcome, named};
use super::super::units::{Millis, NanoUsd, Timestamp, Tokens};
use super::super::usage::parts::Parts;
use super::usual::Quartiles;

/// A score of fewer calls would say nothing.
const FEWEST_CALLS: u64 = 5;
/// A call that begins so soon after a failed one of the same thread is taken for its repetition.
const RETRIED_WITHIN: Millis = Millis(60_000);
/// Threads of which it is remembered that their last call failed.
const REMEMBERED: usize = 1_024;

named! {
    /// What the score is made of.
    EfficiencyPart {
        /// How much of its prompts a cache served, of every thousand tokens.
        CacheHits = "cacheHits",
        /// Tokens of calls that failed or were aborted, of every thousand.
        Waste = "waste",
        /// Calls that repeated a failed one, or each other in a loop, of every thousand.
        Repeats = "repeats",
        /// Tokens generated for every thousand prompt tokens that were sent anew.
        OutputPerInput = "outputPerInput",
        /// Billionths of a US dollar for each checkpoint.
        CostPerCheckpoint = "costPerCheckpoint",
    }
}

named! {
    /// Why a part is left out.
    LeftOut {
        /// No reply has told how much of its prompt a cache served.
        NoCache = "noCache",
        /// No token is known.
        NoTokens = "noTokens",
        /// Nothing was sent anew.
        NoInput = "noInput",
        /// There is no checkpoint.
        NoCheckpoints = "noCheckpoints",
        /// A call has no known price.
        NoPrice = "noPrice",
        /// Fewer than three finished sessions of the user's tell what is usual.
        NoUsual = "noUsual",
    }
}

impl LeftOut {
    /// The same as a sentence.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::NoCache => "No reply has told how much of its prompt a cache served.",
            Self::NoTokens => "No call with a known number of tokens has ended.",
            Self::NoInput => "No prompt tokens were sent anew.",
            Self::NoCheckpoints => "The session has no checkpoint.",
            Self::NoPrice => "Some of the calls have no known price.",
            Self::NoUsual => "Fewer than three finished sessions tell what is usual for you.",
        }
    }
}

/// How a part counts.
struct Rule {
    part: EfficiencyPart,
    weight: u8,
    scale: Scale,
}

/// At which values a part gives no point, and all; in proportion between them.
enum Scale {
    /// These values.
    Fixed { none: i64, full: i64 },
    /// These shares of what is usual for the user, in per cent.
    OfUsual { none: i64, full: i64 },
}

/// The formula.
const RULES: [Rule; 5] = [
    Rule {
        part: EfficiencyPart::CacheHits,
        weight: 30,
        scale: Scale::Fixed { none: 0, full: 900 },
    },
    Rule {
        part: EfficiencyPart::Waste,
        weight: 25,
        scale: Scale::Fixed { none: 200, full: 0 },
    },
    Rule {
        part: EfficiencyPart::Repeats,
        weight: 20,
        scale: Scale::Fixed { none: 200, full: 0 },
    },
    Rule {
        part: EfficiencyPart::OutputPerInput,
        weight: 15,
        scale: Scale::OfUsual { none: 0, full: 200 },
    },
    Rule {
        part: EfficiencyPart::CostPerCheckpoint,
        weight: 10,
        scale: Scale::OfUsual { none: 200, full: 0 },
    },
];

/// One call, as far as it tells of efficiency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spent {
    /// Calls of the same thread have the same: the store's keys of conversation, agent, client, model and operation.
    pub thread: [Option<i64>; 5],
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// How it ended.
    pub outcome: Outcome,
    /// What it used.
    pub parts: Parts,
    /// Its price, if there is one.
    pub cost: Option<NanoUsd>,
}

/// What a session's efficiency follows from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effort {
    /// Calls.
    pub calls: u64,
    /// Those that repeated others.
    pub repeats: u64,
    /// All tokens.
    pub total: Tokens,
    /// Those of calls that failed or were aborted.
    pub wasted: Tokens,
    /// The prompts of the calls that told of a cache.
    pub cacheable: Tokens,
    /// What a cache served of them.
    pub cached: Tokens,
    /// Prompt tokens that were sent anew.
    pub sent: Tokens,
    /// Generated tokens.
    pub generated: Tokens,
    /// What it cost; `None` if a price is missing.
    pub cost: Option<NanoUsd>,
    /// Its checkpoints.
    pub checkpoints: u64,
}

/// Sums up a session's calls, in the order in which they began.
#[derive(Clone, Debug, Default)]
pub struct Efforts {
    effort: Effort,
    cost: NanoUsd,
    is_unpriced: bool,
    /// When the last call of a thread failed.
    failed: HashMap<[Option<i64>; 5], Timestamp>,
}

impl Efforts {
    /// Takes a call.
    pub fn take(&mut self, call: &Spent) {
        let known = |tokens: Option<Tokens>| tokens.unwrap_or_default();
        let (parts, effort) = (&call.parts, &mut self.effort);
        let total = parts.total();
        effort.calls += 1;
        effort.total += known(total);
        if call.outcome != Outcome::Complete {
            effort.wasted += known(total);
        }
        if let Some(cached) = parts.cache_read {
            effort.cached += cached;
            effort.cacheable += known(parts.prompt());
        }
        effort.sent += known(parts.fresh_input()) + known(parts.cache_write());
        effort.generated += known(parts.generated());
        self.cost += call.cost.unwrap_or_default();
        self.is_unpriced |= total.is_some() && call.cost.is_none();
        if let Some(failed) = self.failed.remove(&call.thread) {
            effort.repeats += u64::from(call.started_at.since(failed) <= RETRIED_WITHIN);
        }
        if matches!(call.outcome, Outcome::UpstreamError | Outcome::StreamError) {
            self.remember(call);
        }
    }

    fn remember(&mut self, call: &Spent) {
        if self.failed.len() >= REMEMBERED {
            self.failed
                .retain(|_, failed| call.started_at.since(*failed) <= RETRIED_WITHIN);
        }
        if self.failed.len() < REMEMBERED {
            self.failed.insert(call.thread, call.ended_at);
        }
    }

    /// What they come to.
    #[must_use]
    pub fn sum(self) -> Effort {
        Effort {
            cost: Some(self.cost).filter(|_| !self.is_unpriced),
            ..self.effort
        }
    }
}

impl Effort {
    /// With so many calls in loops, and so many checkpoints.
    #[must_use]
    pub fn with(self, looped: u64, checkpoints: u64) -> Self {
        Self {
            repeats: self.repeats.saturating_add(looped).min(self.calls),
            checkpoints,
            ..self
        }
    }

    /// A part's number.
    fn value(&self, part: EfficiencyPart) -> Result<i64, LeftOut> {
        let share = |part: u64, whole: u64, missing| match whole {
            0 => Err(missing),
            whole => Ok(i64::try_from(u128::from(part) * 1_000 / u128::from(whole)).unwrap_or(i64::MAX)),
        };
        match part {
            EfficiencyPart::CacheHits => share(self.cached.0, self.cacheable.0, LeftOut::NoCache),
            EfficiencyPart::Waste => share(self.wasted.0, self.total.0, LeftOut::NoTokens),
            EfficiencyPart::Repeats => share(self.repeats, self.calls, LeftOut::NoTokens),
            EfficiencyPart::OutputPerInput => share(self.generated.0, self.sent.0, LeftOut::NoInput),
            EfficiencyPart::CostPerCheckpoint => {
                let checkpoints = i64::try_from(self.checkpoints).unwrap_or(i64::MAX);
                let cost = self.cost.ok_or(LeftOut::NoPrice)?;
                cost.0.checked_div(checkpoints).ok_or(LeftOut::NoCheckpoints)
            }
        }
    }
}

/// How a part of a score came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scored {
    /// The part.
    pub part: EfficiencyPart,
    /// Its weight in the formula; all weights together are 100.
    pub weight: u8,
    /// Its number; `Err` says why it is left out.
    pub value: Result<i64, LeftOut>,
    /// The median of the user's finished sessions.
    pub usual: Option<i64>,
    /// From where on it gives no point, and from where on all; `None` where that depends on what is usual, and nothing is.
    pub scale: Option<(i64, i64)>,
    /// Its points, 0 to 100; `None` where it is left out.
    pub points: Option<u8>,
}

/// How well a session makes use of what it pays for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Efficiency {
    /// 0 to 100; `None` where too little is known.
    pub score: Option<u8>,
    /// What it is made of.
    pub parts: [Scored; RULES.len()],
}

impl Efficiency {
    /// Rates a session, beside the user's finished ones.
    #[must_use]
    pub fn of(effort: &Effort, past: &[Effort]) -> Self {
        let parts = RULES.map(|rule| rule.apply(effort, past));
        let known = || {
            parts
                .iter()
                .filter_map(|part| Some((u32::from(part.weight), u32::from(part.points?))))
        };
        let weights: u32 = known().map(|(weight, _)| weight).sum();
        let points: u32 = known().map(|(weight, points)| weight * points).sum();
        let is_enough = effort.calls >= FEWEST_CALLS && effort.total.0 > 0 && weights > 0;
        let score = is_enough.then(|| (points + weights / 2) / weights);
        Self {
            score: score.and_then(|score| u8::try_from(score).ok()),
            parts,
        }
    }

    /// The median of the finished sessions' own scores; `None` if there are too few.
    #[must_use]
    pub fn usual(past: &[Effort]) -> Option<u8> {
        let scores = past.iter().filter_map(|effort| Self::of(effort, past).score);
        let median = Quartiles::of(scores.map(i64::from))?.median;
        u8::try_from(median).ok()
    }
}

impl Rule {
    fn apply(&self, effort: &Effort, past: &[Effort]) -> Scored {
        let value = effort.value(self.part);
        let usual = Quartiles::of(past.iter().filter_map(|effort| effort.value(self.part).ok()));
        let usual = usual.map(|usual| usual.median);
        let scale = match self.scale {
            Scale::Fixed { none, full } => Some((none, full)),
            Scale::OfUsual { none, full } => usual.map(|usual| {
                let share = |percent: i64| usual.saturating_mul(percent) / 100;
                (share(none), share(full))
            }),
        };
        let scale = scale.filter(|(none, full)| none != full);
        let value = value.and_then(|value| scale.map(|_| value).ok_or(LeftOut::NoUsual));
        Scored {
            part: self.part,
            weight: self.weight,
            value,
            usual,
            scale,
            points: value.ok().zip(scale).map(|(value, scale)| points(value, scale)),
        }
    }
}

fn points(value: i64, (none, full): (i64, i64)) -> u8 {
    let [value, none, full] = [value, none, full].map(i128::from);
    let points = (value - none) * 100 / (full - none);
    u8::try_from(points.clamp(0, 100)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn call(started_at: i64, outcome: Outcome) -> Spent {
        Spent {
            thread: [Some(1), None, None, None, None],
            started_at: Timestamp(started_at),
            ended_at: Timestamp(started_at + 1_000),
            outcome,
            parts: Parts {
                input: Some(Tokens(100)),
                cache_read: Some(Tokens(800)),
                output: Some(Tokens(100)),
                ..Parts::default()
            },
            cost: Some(NanoUsd(10)),
        }
    }

    fn effort(calls: &[Spent], checkpoints: u64) -> Effort {
        let mut efforts = Efforts::default();
        calls.iter().for_each(|call| efforts.take(call));
        efforts.sum().with(0, checkpoints)
    }

    fn steady(calls: i64) -> Vec<Spent> {
        (0..calls).map(|at| call(at * 2_000, Outcome::Complete)).collect()
    }

    fn part(efficiency: &Efficiency, part: EfficiencyPart) -> Scored {
        efficiency
            .parts
            .into_iter()
            .find(|scored| scored.part == part)
            .unwrap()
    }

    #[test]
    fn the_weights_are_out_of_100_and_no_part_is_there_twice() {
        assert_eq!(RULES.iter().map(|rule| u32::from(rule.weight)).sum::<u32>(), 100);
        let names: std::collections::BTreeSet<_> = RULES.iter().map(|rule| rule.part.name()).collect();
        assert_eq!(names.len(), RULES.len());
    }

    #[test]
    fn the_score_can_be_worked_out_by_hand() {
        let past = [
            effort(&steady(10), 5),
            effort(&steady(10), 5),
            effort(&steady(10), 5),
        ];
        let mut calls = steady(9);
        calls.push(call(20_000, Outcome::ClientAborted));
        let found = Efficiency::of(&effort(&calls, 4), &past);
        let points = |wanted| {
            let scored = part(&found, wanted);
            (scored.value.unwrap(), scored.points.unwrap())
        };
        // 800 of 900 prompt tokens: 888 of the 900 that give all points.
        assert_eq!(points(EfficiencyPart::CacheHits), (888, 98));
        // One call of ten alike was aborted: 100 of 200.
        assert_eq!(points(EfficiencyPart::Waste), (100, 50));
        assert_eq!(points(EfficiencyPart::Repeats), (0, 100));
        // As much as usual is the middle.
        assert_eq!(points(EfficiencyPart::OutputPerInput), (1_000, 50));
        // 100 for 4 checkpoints where 100 for 5 are usual: 25 of 40.
        assert_eq!(points(EfficiencyPart::CostPerCheckpoint), (25, 37));
        let by_hand = 30 * 98 + 25 * 50 + 20 * 100 + 15 * 50 + 10 * 37;
        assert_eq!(found.score.map(u32::from), Some((by_hand + 50) / 100));
    }

    #[test]
    fn what_is_not_known_is_left_out_and_the_rest_weighs_more() {
        let mut calls = steady(10);
        for call in &mut calls {
            call.parts.cache_read = None;
            call.cost = None;
        }
        let found = Efficiency::of(&effort(&calls, 0), &[]);
        let left_out = |wanted| part(&found, wanted).value.err();
        assert_eq!(left_out(EfficiencyPart::CacheHits), Some(LeftOut::NoCache));
        assert_eq!(left_out(EfficiencyPart::OutputPerInput), Some(LeftOut::NoUsual));
        assert_eq!(
            left_out(EfficiencyPart::CostPerCheckpoint),
            Some(LeftOut::NoPrice)
        );
        assert_eq!(found.score, Some(100), "waste and repeats are all that is left");
        assert_eq!(
            Efficiency::of(&effort(&steady(10), 0), &[]).parts[4].value,
            Err(LeftOut::NoCheckpoints)
        );
        assert_eq!(
            Efficiency::of(&effort(&steady(4), 0), &[]).score,
            None,
            "four calls say nothing"
        );
        assert_eq!(Efficiency::of(&Effort::default(), &[]).score, None);
    }

    #[test]
    fn a_call_soon_after_a_failed_one_of_its_thread_repeats_it() {
        let failed = call(0, Outcome::UpstreamError);
        let repeats = |later: &[Spent]| effort(&[std::slice::from_ref(&failed), later].concat(), 0).repeats;
        let other = Spent {
            thread: [None; 5],
            ..call(2_000, Outcome::Complete)
        };
        assert_eq!(repeats(&[call(61_000, Outcome::Complete)]), 1);
        assert_eq!(repeats(&[call(61_001, Outcome::Complete)]), 0);
        assert_eq!(repeats(&[other]), 0);
        assert_eq!(
            repeats(&[call(2_000, Outcome::Complete), call(4_000, Outcome::Complete)]),
            1
        );
        assert_eq!(
            repeats(&[
                call(2_000, Outcome::UpstreamError),
                call(4_000, Outcome::StreamError)
            ]),
            2
        );
        let aborted = [call(0, Outcome::ClientAborted), call(2_000, Outcome::Complete)];
        assert_eq!(effort(&aborted, 0).repeats, 0, "the user stopped it");
    }

    #[test]
    fn what_is_remembered_of_failures_is_bounded() {
        let mut efforts = Efforts::default();
        for thread in 0..10_000 {
            efforts.take(&Spent {
                thread: [Some(thread); 5],
                ..call(thread, Outcome::UpstreamError)
            });
        }
        assert_eq!(efforts.failed.len(), REMEMBERED);
        efforts.take(&call(1_000_000, Outcome::UpstreamError));
        assert_eq!(efforts.failed.len(), 1);
    }

    #[test]
    fn the_usual_score_needs_three_sessions() {
        let past = vec![effort(&steady(10), 0); 3];
        assert_eq!(Efficiency::usual(&past), Efficiency::of(&past[0], &past).score);
        assert_eq!(Efficiency::usual(&past[..2]), None);
    }

    fn any_effort() -> impl Strategy<Value = Effort> {
        let number = || prop_oneof![0..10_u64, any::<u64>()];
        (prop::array::uniform8(number()), prop::option::of(any::<i64>())).prop_map(|(numbers, cost)| {
            let [calls, repeats, total, wasted, cacheable, cached, sent, generated] = numbers;
            Effort {
                calls,
                repeats,
                total: Tokens(total),
                wasted: Tokens(wasted),
                cacheable: Tokens(cacheable),
                cached: Tokens(cached),
                sent: Tokens(sent),
                generated: Tokens(generated),
                cost: cost.map(NanoUsd),
                checkpoints: calls % 7,
            }
        })
    }

    proptest! {
        #[test]
        fn a_score_is_from_0_to_100(effort in any_effort(), past in prop::collection::vec(any_effort(), 0..6)) {
            let found = Efficiency::of(&effort, &past);
            prop_assert!(found.score.is_none_or(|score| score <= 100));
            for scored in found.parts {
                prop_assert_eq!(scored.points.is_some(), scored.value.is_ok());
                prop_assert!(scored.points.is_none_or(|points| points <= 100));
            }
        }
    }
}
