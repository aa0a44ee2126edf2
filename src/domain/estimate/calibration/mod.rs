//! Learns how far the estimates of a model are off, from calls of it whose usage is known.
//!
//! Kept are the last few pairs of estimate and truth for each model, direction and kind of call: whole numbers, of
//! bounded size, that can be stored. A correction is the simplest of four (none, an offset, a factor, both) that
//! predicts the kept pairs best when each is left out in turn; all of them are medians, so that a few odd calls do
//! not move them. Where the estimate is right as it is, nothing can predict better, and nothing is corrected.

mod accuracy;

use serde::{Deserialize, Serialize};

pub use accuracy::{Accuracy, Errors};

use super::Kind;
use crate::domain::call::named;
use crate::domain::units::Tokens;

/// The pairs that are kept for a key.
const PAIRS: usize = 32;
/// The keys that are kept; the one that learnt nothing for the longest goes first.
pub const KEYS: usize = 256;
/// A correction needs so many pairs.
const FEWEST: usize = 3;
/// One by factor and offset needs so many.
const FEWEST_FOR_BOTH: usize = 6;
/// A correction that is less simple has to be better by this; by more while few pairs are known.
const BETTER: f64 = 0.75;
const MUCH_BETTER: f64 = 0.5;
/// So many pairs are not few.
const MANY: usize = 10;
/// Estimates that are off by more than this factor are not corrected, but wrong.
const FACTORS: std::ops::RangeInclusive<f64> = 0.2..=5.0;
/// A model's name beyond this is cut: it tells apart all the same.
const LONGEST_NAME: usize = 128;

named! {
    /// Which side of a call.
    #[derive(PartialOrd, Ord)]
    Direction {
        /// The prompt.
        Input = "input",
        /// The reply.
        Output = "output",
    }
}

/// Calls whose estimates are held against each other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    model: Box<str>,
    direction: Direction,
    kind: Kind,
}

impl Key {
    /// The key of a side of a model's calls.
    #[must_use]
    pub fn new(model: &str, direction: Direction, kind: Kind) -> Self {
        let model: String = model
            .chars()
            .take(LONGEST_NAME)
            .flat_map(char::to_lowercase)
            .collect();
        Self {
            model: model.into(),
            direction,
            kind,
        }
    }

    /// The model, in lower case.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Which side.
    #[must_use]
    pub const fn direction(&self) -> Direction {
        self.direction
    }

    /// Which kind of call.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }
}

/// An estimate by the built-in rules, and the truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    estimated: u64,
    truth: u64,
}

impl Pair {
    /// Holds an estimate against the truth.
    #[must_use]
    pub fn new(estimated: Tokens, truth: Tokens) -> Self {
        Self {
            estimated: estimated.min(Tokens::PLAUSIBLE_MAX).0,
            truth: truth.min(Tokens::PLAUSIBLE_MAX).0,
        }
    }

    /// The estimate.
    #[must_use]
    pub const fn estimated(&self) -> Tokens {
        Tokens(self.estimated)
    }

    /// The truth.
    #[must_use]
    pub const fn truth(&self) -> Tokens {
        Tokens(self.truth)
    }
}

/// What has been learnt: of bounded size.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calibration {
    /// The one that learnt last stands last.
    learnt: Vec<Learnt>,
}

/// What has been learnt of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Learnt {
    /// Of which calls.
    pub key: Key,
    /// The newest last.
    pub pairs: Vec<Pair>,
}

impl Calibration {
    /// Takes up what was learnt before; what learnt last comes last.
    #[must_use]
    pub fn restore(learnt: impl IntoIterator<Item = Learnt>) -> Self {
        let mut learnt: Vec<_> = learnt.into_iter().collect();
        learnt.drain(..learnt.len().saturating_sub(KEYS));
        Self { learnt }
    }

    /// Takes a pair, and gives what is known of its key now. An estimate or a truth of nothing teaches nothing, and a
    /// pair that is known nothing more.
    pub fn learn(&mut self, key: Key, pair: Pair) -> Option<&Learnt> {
        if pair.estimated == 0 || pair.truth == 0 {
            return None;
        }
        let at = self.learnt.iter().position(|learnt| learnt.key == key);
        let mut learnt = at.map_or_else(
            || Learnt {
                key,
                pairs: Vec::new(),
            },
            |at| self.learnt.remove(at),
        );
        // The same call over and over again must not crowd out the others.
        learnt.pairs.retain(|known| *known != pair);
        if learnt.pairs.len() >= PAIRS {
            learnt.pairs.remove(0);
        }
        learnt.pairs.push(pair);
        if self.learnt.len() >= KEYS {
            self.learnt.remove(0);
        }
        self.learnt.push(learnt);
        self.learnt.last()
    }

    /// The correction for calls of a key; `None` while too few pairs are known, or where none would help.
    #[must_use]
    pub fn correction(&self, key: &Key) -> Option<Correction> {
        let learnt = self.learnt.iter().find(|learnt| learnt.key == *key)?;
        let from = learnt.pairs.len().saturating_sub(PAIRS);
        Correction::of(&learnt.pairs[from..])
    }
}

/// How an estimate by the rules becomes a better one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Correction {
    /// It is multiplied by this …
    pub factor: f64,
    /// … and this many tokens are added.
    pub offset: f64,
    /// What one of ten corrected estimates falls short of the truth by, or less, as a share of the estimate.
    pub low: f64,
    /// What one of ten exceeds it by, or less.
    pub high: f64,
    /// From so many pairs.
    pub pairs: usize,
}

/// A straight line from estimate to truth.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Line {
    factor: f64,
    offset: f64,
}

type Fit = fn(&[Pair]) -> Option<Line>;

impl Line {
    const SAME: Self = Self {
        factor: 1.0,
        offset: 0.0,
    };

    fn at(self, estimated: u64) -> f64 {
        let corrected = self.factor.mul_add(estimated as f64, self.offset);
        corrected.clamp(0.0, Tokens::PLAUSIBLE_MAX.0 as f64)
    }

    fn same(_: &[Pair]) -> Option<Self> {
        Some(Self::SAME)
    }

    fn offset(pairs: &[Pair]) -> Option<Self> {
        let offset = median(pairs.iter().map(|pair| pair.truth as f64 - pair.estimated as f64))?;
        Some(Self { factor: 1.0, offset })
    }

    fn factor(pairs: &[Pair]) -> Option<Self> {
        let factor = median(
            pairs
                .iter()
                .map(|pair| pair.truth as f64 / pair.estimated.max(1) as f64),
        )?;
        Some(Self { factor, offset: 0.0 })
    }

    /// The line of Theil and Sen: the median slope of all pairs of points.
    fn both(pairs: &[Pair]) -> Option<Self> {
        if pairs.len() < FEWEST_FOR_BOTH {
            return None;
        }
        let slopes = pairs.iter().enumerate().flat_map(|(at, one)| {
            pairs[at + 1..].iter().filter_map(|other| {
                let across = other.estimated as f64 - one.estimated as f64;
                (across != 0.0).then(|| (other.truth as f64 - one.truth as f64) / across)
            })
        });
        let factor = median(slopes)?;
        let offset = median(
            pairs
                .iter()
                .map(|pair| pair.truth as f64 - factor * pair.estimated as f64),
        )?;
        Some(Self { factor, offset })
    }
}

impl Correction {
    fn of(pairs: &[Pair]) -> Option<Self> {
        let (line, errors) = Self::best(pairs)?;
        Some(Self {
            factor: line.factor,
            offset: line.offset,
            low: quantile(errors.iter().copied(), 0.1)?.min(0.0),
            high: quantile(errors.iter().copied(), 0.9)?.max(0.0),
            pairs: pairs.len(),
        })
    }

    /// The line that predicts best, and by how much it is off for each pair that is left out.
    fn best(pairs: &[Pair]) -> Option<(Line, Vec<f64>)> {
        if pairs.len() < FEWEST {
            return None;
        }
        // A line of two parts can bend itself to a few odd calls: it has to be much better, however many are known.
        let better = if pairs.len() < MANY { MUCH_BETTER } else { BETTER };
        let fits: [(Fit, f64); 4] = [
            (Line::same, 1.0),
            (Line::offset, better),
            (Line::factor, better),
            (Line::both, MUCH_BETTER),
        ];
        let mut best: Option<(Line, f64, Vec<f64>)> = None;
        for (fit, better) in fits {
            let Some(line) = fit(pairs).filter(|line| FACTORS.contains(&line.factor)) else {
                continue;
            };
            let Some(errors) = left_out(pairs, fit) else {
                continue;
            };
            let score = typical(&errors);
            if best.as_ref().is_none_or(|(_, least, _)| score < least * better) {
                best = Some((line, score, errors));
            }
        }
        best.map(|(line, _, errors)| (line, errors))
    }

    /// Corrects an estimate.
    #[must_use]
    pub fn apply(&self, estimate: Tokens) -> Tokens {
        let line = Line {
            factor: self.factor,
            offset: self.offset,
        };
        // At least one token for what is not nothing: an offset learnt from long texts must not wipe out a short one.
        let least = u64::from(estimate.0 > 0);
        Tokens((line.at(estimate.0).round() as u64).max(least))
    }

    /// Where the truth lies in eight of ten cases, around a corrected estimate: a token more where few are known.
    #[must_use]
    pub fn interval(&self, corrected: Tokens) -> (Tokens, Tokens) {
        let around = |share: f64| (corrected.0 as f64 * (1.0 + share)).max(0.0);
        let few = u64::from(self.pairs < 10);
        let low = Tokens(around(self.low).floor() as u64).saturating_sub(Tokens(few));
        (low, Tokens(around(self.high).ceil() as u64 + few))
    }
}

/// What each pair's truth differs by from what the others predict, as a share of the prediction.
fn left_out(pairs: &[Pair], fit: Fit) -> Option<Vec<f64>> {
    let mut errors = Vec::with_capacity(pairs.len());
    let mut others = Vec::with_capacity(pairs.len());
    for (at, pair) in pairs.iter().enumerate() {
        others.clear();
        others.extend_from_slice(&pairs[..at]);
        others.extend_from_slice(&pairs[at + 1..]);
        // In whole tokens, as it would be used.
        let predicted = fit(&others)?.at(pair.estimated).round();
        errors.push((pair.truth as f64 - predicted) / predicted.max(1.0));
    }
    Some(errors)
}

/// The mean size of errors but for the fifth of them that are largest.
fn typical(errors: &[f64]) -> f64 {
    let mut sizes: Vec<f64> = errors.iter().map(|error| error.abs()).collect();
    sizes.sort_unstable_by(f64::total_cmp);
    sizes.truncate((sizes.len() * 4).div_ceil(5));
    sizes.iter().sum::<f64>() / sizes.len().max(1) as f64
}

fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        length if length % 2 == 1 => Some(values[middle]),
        _ => Some(f64::midpoint(values[middle - 1], values[middle])),
    }
}

fn quantile(values: impl Iterator<Item = f64>, share: f64) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    let at = (share * values.len().checked_sub(1)? as f64).round() as usize;
    values.get(at).copied()
}

#[cfg(test)]
mod tests;
