//! How good the estimates of a model are, by what was learnt of it.

use super::{Correction, Learnt, PAIRS, median, quantile};

/// How far estimates were off, as a share of the truth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Errors {
    /// Half of them were off by less.
    pub median: f64,
    /// Nine of ten were.
    pub p90: f64,
}

/// How good the estimates of a key are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Accuracy {
    /// From so many pairs.
    pub pairs: usize,
    /// The truth as a multiple of the estimate by the rules: the middle one.
    pub ratio: f64,
    /// One of ten was below this …
    pub ratio_low: f64,
    /// … and one of ten above that.
    pub ratio_high: f64,
    /// How far the rules alone are off.
    pub by_rules: Errors,
    /// How far corrected estimates are, each corrected by the others; `None` where nothing is corrected.
    pub corrected: Option<Errors>,
    /// How estimates are corrected.
    pub correction: Option<Correction>,
}

impl Errors {
    fn of(errors: impl Iterator<Item = f64> + Clone) -> Option<Self> {
        let sizes = errors.map(f64::abs);
        Some(Self {
            median: median(sizes.clone())?,
            p90: quantile(sizes, 0.9)?,
        })
    }
}

impl Learnt {
    /// How good the estimates are; `None` while nothing has been learnt.
    #[must_use]
    pub fn accuracy(&self) -> Option<Accuracy> {
        let from = self.pairs.len().saturating_sub(PAIRS);
        let pairs = &self.pairs[from..];
        let share = |number: u64, of: u64| number as f64 / of.max(1) as f64;
        let ratios = pairs.iter().map(|pair| share(pair.truth, pair.estimated));
        let by_rules = pairs.iter().map(|pair| share(pair.estimated, pair.truth) - 1.0);
        let correction = Correction::of(pairs).filter(Correction::changes);
        let left_out = correction.and_then(|_| Correction::best(pairs));
        // What is left out is told as a share of the prediction.
        let of_truth = |error: f64| error / (1.0 + error).max(f64::EPSILON);
        Some(Accuracy {
            pairs: pairs.len(),
            ratio: median(ratios.clone())?,
            ratio_low: quantile(ratios.clone(), 0.1)?,
            ratio_high: quantile(ratios, 0.9)?,
            by_rules: Errors::of(by_rules)?,
            corrected: left_out.and_then(|(_, errors)| Errors::of(errors.into_iter().map(of_truth))),
            correction,
        })
    }
}

impl Correction {
    /// Whether it changes anything.
    fn changes(&self) -> bool {
        (self.factor - 1.0).abs() > f64::EPSILON || self.offset != 0.0
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::estimate::Kind;
    use crate::domain::estimate::calibration::{Direction, Key, Learnt, Pair};
    use crate::domain::units::Tokens;

    fn learnt(truth: fn(u64) -> u64, count: u64) -> Learnt {
        let pairs = (0..count).map(|at| 100 + at * 37);
        Learnt {
            key: Key::new("m", Direction::Input, Kind::Text),
            pairs: pairs
                .map(|estimated| Pair::new(Tokens(estimated), Tokens(truth(estimated))))
                .collect(),
        }
    }

    #[test]
    fn nothing_is_said_of_nothing() {
        assert_eq!(learnt(|estimated| estimated, 0).accuracy(), None);
    }

    #[test]
    fn what_is_right_is_not_corrected() {
        let accuracy = learnt(|estimated| estimated, 12).accuracy().unwrap();
        assert_eq!((accuracy.pairs, accuracy.ratio), (12, 1.0));
        assert_eq!((accuracy.by_rules.p90, accuracy.corrected), (0.0, None));
        assert_eq!(accuracy.correction, None);
    }

    #[test]
    fn what_is_always_too_low_is_mended() {
        let accuracy = learnt(|estimated| estimated * 5 / 4, 12).accuracy().unwrap();
        assert!((accuracy.ratio - 1.25).abs() < 0.01, "{accuracy:?}");
        assert!((accuracy.by_rules.median - 0.2).abs() < 0.01, "{accuracy:?}");
        assert!(accuracy.corrected.unwrap().p90 < 0.01, "{accuracy:?}");
        assert!(accuracy.ratio_low <= accuracy.ratio && accuracy.ratio <= accuracy.ratio_high);
    }
}
