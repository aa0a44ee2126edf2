//! How long things took: counted by size, so that any share of them is known to within 5 %.
//!
//! Sizes lie on a logarithmic scale, a tenth from one to the next, and each is taken for the middle of its step: never
//! more than 4.9 % off. Counts of several can be added up and taken apart again, so sums can hold them.

use super::leb128::{put, put_signed, take, take_signed};
use super::units::Millis;

/// From one step to the next.
const STEP: f64 = 1.1;

/// Counts by size.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    /// Step and count, by step; no count is zero.
    counts: Vec<(u16, i64)>,
}

impl Histogram {
    /// That of one thing.
    #[must_use]
    pub fn of(took: Millis) -> Self {
        Self {
            counts: vec![(step(took), 1)],
        }
    }

    /// Whether nothing was counted.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// Takes another's counts in.
    pub fn add(&mut self, other: &Self) {
        let mut from = 0;
        for (step, count) in &other.counts {
            from = self.count(from, *step, *count);
        }
    }

    /// Takes a count in, at or behind a place; gives the place where the counts of longer ones are.
    fn count(&mut self, from: usize, step: u16, count: i64) -> usize {
        let shorter = |(known, _): &&(u16, i64)| *known < step;
        let at = from + self.counts[from..].iter().take_while(shorter).count();
        match self.counts.get_mut(at).filter(|(known, _)| *known == step) {
            Some((_, known)) => {
                *known = known.saturating_add(count);
                if *known == 0 {
                    self.counts.remove(at);
                    return at;
                }
            }
            None if count != 0 => self.counts.insert(at, (step, count)),
            None => return at,
        }
        at + 1
    }

    /// What takes these counts out again.
    #[must_use]
    pub fn negated(mut self) -> Self {
        for (_, count) in &mut self.counts {
            *count = count.saturating_neg();
        }
        self
    }

    /// How long at most the shorter ones took that make up a share of all, in per cent; `None` where there are none.
    #[must_use]
    pub fn percentile(&self, share: u8) -> Option<Millis> {
        let counts = || self.counts.iter().filter(|(_, count)| *count > 0);
        let all: i128 = counts().map(|(_, count)| i128::from(*count)).sum();
        let rank = (all * i128::from(share) + 99) / 100;
        let mut passed = 0;
        let mut found = None;
        for (step, count) in counts() {
            passed += i128::from(*count);
            found = Some(middle(*step));
            if passed >= rank {
                break;
            }
        }
        found
    }

    /// As bytes, for a row: pairs of the distance to the step before and the count, in LEB128, the count in zigzag.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.counts.len() * 2);
        let mut before = 0;
        for (step, count) in &self.counts {
            put(&mut bytes, u64::from(step - before));
            put_signed(&mut bytes, *count);
            before = *step;
        }
        bytes
    }

    /// Takes in the counts that are written so. What is not written so says nothing.
    pub fn add_bytes(&mut self, bytes: &[u8]) {
        if let Some(other) = Self::from_bytes(bytes) {
            self.add(&other);
        }
    }

    fn from_bytes(mut bytes: &[u8]) -> Option<Self> {
        // A pair is two bytes or more.
        let mut counts = Vec::with_capacity(bytes.len() / 2);
        let mut before: u16 = 0;
        while !bytes.is_empty() {
            let distance = u16::try_from(take(&mut bytes)?).ok()?;
            let count = take_signed(&mut bytes)?;
            if distance == 0 && !counts.is_empty() {
                return None;
            }
            before = before.checked_add(distance)?;
            counts.push((before, count));
        }
        Some(Self { counts })
    }
}

/// 0 is no time at all; the others begin at powers of [`STEP`].
fn step(took: Millis) -> u16 {
    match took.0 {
        0 => 0,
        millis => ((millis as f64).ln() / STEP.ln()) as u16 + 1,
    }
}

/// What a step's sizes are taken for.
fn middle(step: u16) -> Millis {
    match step {
        0 => Millis(0),
        step => Millis(STEP.powf(f64::from(step) - 0.5).round() as u64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(all: &[u64]) -> Histogram {
        let mut histogram = Histogram::default();
        all.iter()
            .for_each(|millis| histogram.add(&Histogram::of(Millis(*millis))));
        histogram
    }

    fn near(found: Millis, exact: u64) -> bool {
        // Whole milliseconds: half of one is lost by rounding.
        found.0.abs_diff(exact) as f64 <= exact as f64 * 0.05 + 0.5
    }

    #[test]
    fn nothing_is_known_of_nothing() {
        assert_eq!(Histogram::default().percentile(50), None);
        assert_eq!(of(&[0]).percentile(99), Some(Millis(0)));
        assert_eq!(of(&[1]).percentile(50), Some(Millis(1)));
    }

    #[test]
    fn every_size_is_found_to_within_a_twentieth() {
        for millis in (0..5_000).chain([86_400_000, u64::from(u32::MAX)]) {
            let found = of(&[millis]).percentile(50).unwrap();
            assert!(near(found, millis), "{millis}: {found:?}");
        }
        assert!(of(&[u64::MAX]).percentile(50).is_some());
    }

    #[test]
    fn what_is_no_histogram_says_nothing() {
        for bytes in [
            &[0x80][..],
            &[1],
            &[1, 2, 0, 2],
            &[0xff; 12],
            &[0xff, 0xff, 0x7f, 2],
        ] {
            let mut histogram = of(&[7]);
            histogram.add_bytes(bytes);
            assert_eq!(histogram, of(&[7]), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn percentiles_are_those_of_the_sorted_list(mut all in prop::collection::vec(0_u64..4_000_000, 1..200)) {
            let histogram = of(&all);
            all.sort_unstable();
            for share in [1, 50, 90, 99, 100] {
                let rank = (all.len() * usize::from(share)).div_ceil(100);
                let exact = all[rank - 1];
                let found = histogram.percentile(share).unwrap();
                prop_assert!(near(found, exact), "{share}: {found:?} for {exact}");
            }
        }

        #[test]
        fn counts_are_added_taken_out_and_read_as_they_were_written(
            one in prop::collection::vec(0_u64..100_000, 0..50),
            two in prop::collection::vec(0_u64..100_000, 0..50),
        ) {
            let both = of(&[one.clone(), two.clone()].concat());
            let mut read = of(&one);
            read.add_bytes(&of(&two).to_bytes());
            prop_assert_eq!(&read, &both);
            read.add_bytes(&of(&one).negated().to_bytes());
            prop_assert_eq!(read, of(&two));
        }
    }
}
