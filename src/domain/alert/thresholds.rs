//! The shares at which the user is told that something limited is nearly used up.

use std::fmt;

use serde::de::{Error, IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::Severity;

/// So many shares can be set.
const MOST: usize = 5;

/// The limit itself, in percent.
const LIMIT: u8 = 100;

/// How far below a share its alert ends, in thousandths …
const SLACK: u64 = 50;

/// … but no farther than halfway down, so that the alert of a small share ends as well.
const fn slack(at: u64) -> u64 {
    if at / 2 < SLACK { at / 2 } else { SLACK }
}

/// The shares at which the user is told, in whole percent: of every budget, and of a provider's own limits. At least one
/// and at most five, each from 1 to 99, rising. The limit itself is none of them: a budget always tells of that.
///
/// The highest of several is critical, as the limit is, and those below it are warnings. One that is alone is a
/// warning: who asks for one word ahead of the limit does not ask for an alarm, and a budget still has that at its limit.
///
/// When other shares are set, what stands is held against those: it goes down to the highest that is passed without a
/// word, and ends if none is. A share that was told of and is still set is not told of again. One that is set anew, and
/// has been passed by then, is told of at once, also if it was set once before: it is asked for anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Thresholds(Box<[u8]>);

impl Default for Thresholds {
    fn default() -> Self {
        Self([80, 95].into())
    }
}

/// A share that is passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passed {
    /// The share, in percent.
    pub percent: u8,
    /// How much that matters.
    pub severity: Severity,
}

impl Thresholds {
    /// Takes shares in percent.
    ///
    /// # Errors
    /// They are none that can be set.
    pub fn new(shares: &[i64]) -> Result<Self, BadThresholds> {
        if shares.is_empty() {
            return Err(BadThresholds::Empty);
        }
        if shares.len() > MOST {
            return Err(BadThresholds::TooMany(shares.len()));
        }
        let mut taken: Vec<u8> = Vec::with_capacity(shares.len());
        for &share in shares {
            let percent = match u8::try_from(share) {
                Ok(LIMIT) => return Err(BadThresholds::Limit),
                Ok(percent @ 1..LIMIT) => percent,
                _ => return Err(BadThresholds::NoShare(share)),
            };
            if let Some(before) = taken.last().copied().filter(|before| *before >= percent) {
                return Err(BadThresholds::NotRising { before, percent });
            }
            taken.push(percent);
        }
        Ok(Self(taken.into()))
    }

    /// The shares, in percent.
    #[must_use]
    pub fn percents(&self) -> &[u8] {
        &self.0
    }

    /// The highest share of a budget that is passed when so many thousandths are used; the limit is one. `standing` is
    /// the one of which the user was told: see [`Self::of_window`].
    #[must_use]
    pub fn of_budget(&self, permille: u64, standing: Option<u8>) -> Option<Passed> {
        self.passed(self.0.iter().copied().chain([LIMIT]), permille, standing)
    }

    /// The highest share of a provider's own limit that is passed when so many thousandths are used. `standing` is the
    /// one of which the user was told: it, and those below, are left only some way below themselves, so that nothing
    /// flickers. If it is not set any more, that says nothing of the others.
    #[must_use]
    pub fn of_window(&self, permille: u64, standing: Option<u8>) -> Option<Passed> {
        self.passed(self.0.iter().copied(), permille, standing)
    }

    fn passed(
        &self,
        shares: impl Iterator<Item = u8> + Clone,
        permille: u64,
        standing: Option<u8>,
    ) -> Option<Passed> {
        let told = standing.filter(|told| shares.clone().any(|share| share == *told));
        let is_passed = |share: &u8| {
            let at = u64::from(*share) * 10;
            let slack = if Some(*share) <= told { slack(at) } else { 0 };
            permille >= at - slack
        };
        let percent = shares.filter(is_passed).last()?;
        Some(Passed {
            percent,
            severity: self.severity(percent),
        })
    }

    fn severity(&self, percent: u8) -> Severity {
        match &*self.0 {
            [.., _, highest] if percent >= *highest => Severity::Critical,
            _ if percent >= LIMIT => Severity::Critical,
            _ => Severity::Warning,
        }
    }

    /// `80, 95 or 100 %`: at which shares of a budget the user is told.
    #[must_use]
    pub fn listed_with_limit(&self) -> String {
        listed(self.0.iter().copied().chain([LIMIT]))
    }

    /// `80 or 95 %`: at which shares of a provider's own limit.
    #[must_use]
    pub fn listed(&self) -> String {
        listed(self.0.iter().copied())
    }
}

fn listed(percents: impl Iterator<Item = u8>) -> String {
    let mut words: Vec<String> = percents.map(|percent| percent.to_string()).collect();
    let last = words.pop().unwrap_or_default();
    match words.is_empty() {
        true => format!("{last} %"),
        false => format!("{} or {last} %", words.join(", ")),
    }
}

/// What can be set, for who set something else.
const FORM: &str =
    "one to five whole numbers from 1 to 99, each higher than the one before, such as [80, 95]";

/// Shares that cannot be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadThresholds {
    /// There is none.
    #[error("there is none: expected {form}", form = FORM)]
    Empty,
    /// There are too many.
    #[error("{0} are too many: expected {form}", form = FORM)]
    TooMany(usize),
    /// One is the limit itself.
    #[error("100 is not listed, as a budget always alerts at its limit: expected {form}", form = FORM)]
    Limit,
    /// One is no share of a limit.
    #[error("{0} is not from 1 to 99: expected {form}", form = FORM)]
    NoShare(i64),
    /// One is not higher than the one before.
    #[error("{percent} comes after {before}: expected {form}", form = FORM)]
    NotRising {
        /// The one before.
        before: u8,
        /// The one that is not higher.
        percent: u8,
    },
}

impl<'de> Deserialize<'de> for Thresholds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Shares)
    }
}

/// Reads a list, so that what is wrong in it is told of the list and not of its element.
struct Shares;

impl<'de> Visitor<'de> for Shares {
    type Value = Thresholds;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(FORM)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Thresholds, A::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Element {
            Whole(i64),
            Other(IgnoredAny),
        }
        let mut shares = Vec::new();
        while let Some(element) = list.next_element()? {
            match element {
                Element::Whole(share) => shares.push(share),
                Element::Other(_) => {
                    return Err(A::Error::custom(format_args!(
                        "one is no whole number: expected {FORM}"
                    )));
                }
            }
        }
        Thresholds::new(&shares).map_err(A::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn set(shares: &[i64]) -> Thresholds {
        Thresholds::new(shares).unwrap()
    }

    #[test]
    fn what_can_be_set_is_one_to_five_rising_shares() {
        for good in [&[1][..], &[99], &[80, 95], &[10, 20, 30, 40, 99]] {
            let text = serde_json::to_string(good).unwrap();
            let read: Thresholds = serde_json::from_str(&text).unwrap();
            assert_eq!(read, set(good));
            assert_eq!(serde_json::to_string(&read).unwrap(), text);
        }
        for (bad, says) in [
            ("[]", "there is none"),
            ("[1, 2, 3, 4, 5, 6]", "6 are too many"),
            ("[0]", "0 is not from 1 to 99"),
            ("[-80]", "-80 is not from 1 to 99"),
            ("[80, 336]", "336 is not from 1 to 99"),
            ("[80, 100]", "100 is not listed"),
            ("[95, 80]", "80 comes after 95"),
            ("[80, 80]", "80 comes after 80"),
            ("[80.5]", "one is no whole number"),
            ("[\"80\"]", "one is no whole number"),
            ("[[80]]", "one is no whole number"),
            ("80", "invalid type: integer `80`"),
            ("\"80, 95\"", "invalid type: string"),
        ] {
            let error = serde_json::from_str::<Thresholds>(bad).unwrap_err().to_string();
            assert!(error.contains(says), "{bad}: {error}");
            assert!(error.contains(&format!("expected {FORM}")), "{bad}: {error}");
        }
    }

    #[test]
    fn a_share_is_passed_there_and_left_well_below() {
        for (permille, standing, expected) in [
            (799, None, None),
            (800, None, Some(80)),
            (949, None, Some(80)),
            (950, Some(80), Some(95)),
            (999, Some(95), Some(95)),
            (1_000, Some(95), Some(100)),
            (5_000, Some(100), Some(100)),
            (950, Some(100), Some(100)),
            (949, Some(100), Some(95)),
            (900, Some(95), Some(95)),
            (899, Some(95), Some(80)),
            (750, Some(80), Some(80)),
            (749, Some(80), None),
            (749, Some(100), None),
            (1_000, None, Some(100)),
            (u64::MAX, None, Some(100)),
        ] {
            let passed = Thresholds::default().of_budget(permille, standing);
            let percent = passed.map(|passed| passed.percent);
            assert_eq!(percent, expected, "{permille} after {standing:?}");
        }
        for (shares, permille, standing, expected) in [
            // A small share is left halfway down.
            (&[4][..], 20, Some(4), Some(4)),
            (&[4], 19, Some(4), None),
            (&[1], 0, Some(1), None),
            // Shares that lie close together.
            (&[80, 82], 815, Some(82), Some(82)),
            (&[80, 82], 769, Some(82), Some(80)),
            // What is not set any more lends its slack to none.
            (&[93], 910, Some(95), None),
            (&[80, 93], 910, Some(95), Some(80)),
            (&[50], 490, Some(80), None),
            (&[50], 850, Some(80), Some(50)),
            // The limit is always set.
            (&[50, 99], 950, Some(100), Some(100)),
            (&[50, 99], 949, Some(100), Some(99)),
        ] {
            let percent = set(shares).of_budget(permille, standing);
            let percent = percent.map(|passed| passed.percent);
            assert_eq!(percent, expected, "{shares:?}: {permille} after {standing:?}");
        }
        let of_window = Thresholds::default().of_window(2_000, None);
        assert_eq!(
            of_window.map(|passed| passed.percent),
            Some(95),
            "there is no 100"
        );
    }

    #[test]
    fn the_highest_of_several_is_critical_and_one_alone_is_a_warning() {
        use Severity::{Critical, Warning};
        for (shares, permille, expected) in [
            (&[80, 95][..], 800, Warning),
            (&[80, 95], 950, Critical),
            (&[80, 95], 1_000, Critical),
            (&[10, 20, 30], 299, Warning),
            (&[10, 20, 30], 300, Critical),
            (&[50], 990, Warning),
            (&[99], 990, Warning),
            (&[50], 1_000, Critical),
        ] {
            let passed = set(shares).of_budget(permille, None).unwrap();
            assert_eq!(passed.severity, expected, "{shares:?} at {permille}");
        }
    }

    #[test]
    fn they_are_listed_as_a_sentence_has_them() {
        let usual = Thresholds::default();
        assert_eq!(usual.listed(), "80 or 95 %");
        assert_eq!(usual.listed_with_limit(), "80, 95 or 100 %");
        assert_eq!(set(&[50]).listed(), "50 %");
        assert_eq!(set(&[50]).listed_with_limit(), "50 or 100 %");
    }

    fn any_set() -> impl Strategy<Value = Thresholds> {
        prop::collection::btree_set(1..100_i64, 1..=MOST).prop_map(|shares| set(&Vec::from_iter(shares)))
    }

    proptest! {
        /// Told again with nothing changed, a share stays where it is; and what is told is always one that is set.
        #[test]
        fn what_stands_is_set_and_stays(of in any_set(), permille in 0..1_500_u64, told in prop::option::of(1..=100_u8)) {
            let passed = of.of_budget(permille, told).map(|passed| passed.percent);
            prop_assert!(passed.is_none_or(|percent| percent == LIMIT || of.percents().contains(&percent)));
            prop_assert_eq!(of.of_budget(permille, passed).map(|passed| passed.percent), passed);
            // Without slack it is never higher.
            prop_assert!(of.of_budget(permille, None).map(|passed| passed.percent) <= passed);
        }
    }
}
