//! What is kept of a finished session's calls, so that its curve can be drawn, and its efficiency be told, without them.

use std::collections::BTreeMap;

use super::super::leb128::{put, put_signed, take, take_signed};
use super::super::units::{Millis, NanoUsd, Tokens};
use super::super::usage::parts::Parts;
use super::curve::{Axis, Curve, SHORTEST_STEP, Sum};
use super::efficiency::Effort;

/// A track has at most so many steps with calls in them: at least seven for each one of the axis that holds the session.
const MOST_STEPS: usize = 2_048;

/// What a session's calls made of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Made {
    /// How its use grew.
    pub track: Track,
    /// What its efficiency follows from, but for loops and checkpoints.
    pub effort: Effort,
}

/// The use of a session by steps of its own time that have calls in them. They are a second long, or, in a session with many
/// calls, that times a power of two, as those of an [`Axis`]: so a curve on an axis whose steps are no shorter is what the calls
/// themselves would give. That is so on each axis that holds the session; on one that only holds the beginning of a long session,
/// a curve may rise in fewer and larger steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Track {
    step: Millis,
    /// By the number of the step; one holds its end and not its beginning.
    sums: BTreeMap<u64, Sum>,
    has_cost: bool,
}

impl Default for Track {
    fn default() -> Self {
        Self {
            step: SHORTEST_STEP,
            sums: BTreeMap::new(),
            has_cost: false,
        }
    }
}

impl Track {
    /// Takes a call that ended at a moment of the session's own time. Their order does not matter.
    pub fn add(&mut self, at: Millis, parts: &Parts, cost: Option<NanoUsd>) {
        self.has_cost |= cost.is_some();
        let step = self.sums.entry(at.0.div_ceil(self.step.0)).or_default();
        step.add(&Sum::of(parts, cost));
        while self.sums.len() > MOST_STEPS {
            self.coarsen();
        }
    }

    fn coarsen(&mut self) {
        self.step = Millis(self.step.0.saturating_mul(2));
        for (index, sum) in std::mem::take(&mut self.sums) {
            self.sums.entry(index.div_ceil(2)).or_default().add(&sum);
        }
    }

    /// The curve on an axis, of a session that has run for so long.
    #[must_use]
    pub fn curve(&self, end: Millis, axis: Axis) -> Curve {
        let mut curve = Curve::new(end, axis, self.has_cost);
        for (index, sum) in &self.sums {
            curve.add(Millis(index.saturating_mul(self.step.0)), sum);
        }
        curve
    }

    /// As bytes, for a row: the step, whether anything has a price, and of each step the distance to the one before and its sums.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        put(&mut bytes, self.step.0);
        put(&mut bytes, u64::from(self.has_cost));
        let mut before = 0;
        for (index, sum) in &self.sums {
            put(&mut bytes, index - before);
            for number in [sum.calls, sum.total.0, sum.fresh.0] {
                put(&mut bytes, number);
            }
            put_signed(&mut bytes, sum.cost.0);
            before = *index;
        }
        bytes
    }

    /// What is written so; `None` if it is not.
    #[must_use]
    pub fn from_bytes(mut bytes: &[u8]) -> Option<Self> {
        let step = take(&mut bytes)?;
        let has_cost = take(&mut bytes)? != 0;
        if step % SHORTEST_STEP.0 != 0 || !(step / SHORTEST_STEP.0).is_power_of_two() {
            return None;
        }
        let mut sums = BTreeMap::new();
        let mut index: u64 = 0;
        while !bytes.is_empty() && sums.len() < MOST_STEPS {
            index = index.checked_add(take(&mut bytes)?)?;
            let sum = Sum {
                calls: take(&mut bytes)?,
                total: Tokens(take(&mut bytes)?),
                fresh: Tokens(take(&mut bytes)?),
                cost: NanoUsd(take_signed(&mut bytes)?),
            };
            sums.insert(index, sum);
        }
        bytes.is_empty().then_some(Self {
            step: Millis(step),
            sums,
            has_cost,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(calls: &[(u64, u64, Option<i64>)]) -> Track {
        let mut track = Track::default();
        for (at, tokens, cost) in calls {
            let parts = Parts {
                input: Some(Tokens(*tokens)),
                cache_read: Some(Tokens(tokens / 3)),
                ..Parts::default()
            };
            track.add(Millis(*at), &parts, cost.map(NanoUsd));
        }
        track
    }

    #[test]
    fn its_size_is_bounded_and_its_steps_fit_any_axis_that_holds_it() {
        let calls: Vec<_> = (0..20_000).map(|second| (second * 1_000, 1, None)).collect();
        let track = of(&calls);
        assert_eq!((track.step, track.sums.len()), (Millis(16_000), 1_251));
        let end = Millis(20_000_000);
        let axis = Axis::new(end);
        assert!(axis.step() > track.step);
        for point in track.curve(end, axis).points() {
            assert_eq!(point.calls, (point.at.0 / 1_000 + 1).min(20_000));
        }
        assert!(track.to_bytes().len() < 10_000);
    }

    #[test]
    fn what_is_no_track_is_none() {
        for bytes in [&[][..], &[1, 0], &[0, 0], &[0xe8, 0x07], &[0xe8, 0x07, 0, 1]] {
            assert_eq!(Track::from_bytes(bytes), None, "{bytes:?}");
        }
        assert_eq!(Track::from_bytes(&[0xe8, 0x07, 0]), Some(Track::default()));
    }

    proptest! {
        #[test]
        fn a_track_is_read_as_it_was_written(
            calls in prop::collection::vec((0_u64..20_000_000, 0_u64..1_000_000, prop::option::of(any::<i32>().prop_map(i64::from))), 0..80),
        ) {
            let track = of(&calls);
            prop_assert_eq!(Track::from_bytes(&track.to_bytes()), Some(track));
        }
    }
}
