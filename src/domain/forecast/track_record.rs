//! How well shown forecasts did.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::End;
use super::outlook::{Band, Outlook};
use crate::domain::units::{Millis, Tokens};

/// Sessions that are kept.
const KEPT: usize = 60;
/// Looks at a session whose end is planned, in quarters of it.
const QUARTERS: [u64; 3] = [1, 2, 3];
/// Looks at one whose end is open, as active time.
const LOOKS: [Millis; 3] = [Millis(900_000), Millis(1_800_000), Millis(3_600_000)];
/// A session that ended before this share of its plan, in per cent, says nothing about a forecast for all of it.
const MOST_OF_IT: u64 = 95;
/// With fewer bands nothing is said of how they did.
const FEWEST: u32 = 20;

/// What was forecast for one session that runs: its 80 % bands at up to three moments, and whether it was warned.
///
/// Only a few moments count, since those of one session fail together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    bands: [Option<(Tokens, Tokens)>; 3],
    /// The budget that an early warning was about.
    warned: Option<Tokens>,
}

/// An early warning, looked back on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EarlyWarning {
    /// The budget was exceeded.
    CameTrue,
    /// It was not, though the session ran as long as planned.
    False,
    /// The session was ended early: perhaps because of the warning.
    Unknown,
}

/// What came of one session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// Bands that were shown …
    pub shown: u8,
    /// … and those of them that held.
    pub held: u8,
    /// What came of its early warning, if there was one.
    pub warning: Option<EarlyWarning>,
}

impl Shown {
    /// Notes a forecast as it is shown. The first one at or after each moment counts.
    pub fn note(&mut self, at: Millis, end: End, outlook: &Outlook<Tokens>) {
        let moments = match end {
            End::Planned(planned) => QUARTERS.map(|quarters| Millis(planned.0 / 4 * quarters)),
            End::Open => LOOKS,
        };
        let passed = moments.iter().filter(|moment| **moment <= at).count();
        if let Some(last) = passed.checked_sub(1) {
            let band = outlook.band_80;
            self.bands[last].get_or_insert((band.low, band.high));
        }
    }

    /// Notes that an overrun of a budget was foretold.
    pub const fn warn(&mut self, budget: Tokens) {
        if self.warned.is_none() {
            self.warned = Some(budget);
        }
    }

    /// Holds all of it against what the session came to.
    #[must_use]
    pub fn settle(&self, active: Millis, end: End, total: Tokens) -> Settled {
        let is_whole = match end {
            End::Planned(planned) => active.0 >= planned.0 / 100 * MOST_OF_IT,
            End::Open => true,
        };
        let bands = || self.bands.iter().flatten().filter(|_| is_whole);
        let held = bands().filter(|(low, high)| {
            Band {
                low: *low,
                high: *high,
            }
            .holds(total)
        });
        Settled {
            shown: bands().count() as u8,
            held: held.count() as u8,
            warning: self.warned.map(|budget| match total >= budget {
                true => EarlyWarning::CameTrue,
                false if is_whole => EarlyWarning::False,
                false => EarlyWarning::Unknown,
            }),
        }
    }
}

/// What came of the last sessions. Serialises to a list of bounded size.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TrackRecord {
    /// The newest last.
    sessions: VecDeque<Settled>,
}

/// The sums of a track record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Score {
    /// 80 % bands that were shown …
    pub bands: u32,
    /// … and those of them that held.
    pub held: u32,
    /// Early warnings of which it is known what came of them …
    pub warnings: u32,
    /// … and those that came true.
    pub came_true: u32,
    /// The sessions behind it.
    pub sessions: usize,
}

impl FromIterator<Settled> for TrackRecord {
    /// What came of these sessions, the newest last.
    fn from_iter<I: IntoIterator<Item = Settled>>(sessions: I) -> Self {
        let mut record = Self::default();
        sessions.into_iter().for_each(|settled| record.learn(settled));
        record
    }
}

impl TrackRecord {
    /// Takes a session that is finished. One in which nothing was shown counts for nothing.
    pub fn learn(&mut self, settled: Settled) {
        if settled == Settled::default() {
            return;
        }
        while self.sessions.len() >= KEPT {
            self.sessions.pop_front();
        }
        self.sessions.push_back(settled);
    }

    /// The sums.
    #[must_use]
    pub fn score(&self) -> Score {
        let last = self.sessions.iter().rev().take(KEPT);
        last.fold(Score::default(), |score, settled| Score {
            bands: score.bands + u32::from(settled.shown),
            held: score.held + u32::from(settled.held.min(settled.shown)),
            warnings: score.warnings
                + u32::from(matches!(
                    settled.warning,
                    Some(EarlyWarning::CameTrue | EarlyWarning::False)
                )),
            came_true: score.came_true + u32::from(settled.warning == Some(EarlyWarning::CameTrue)),
            sessions: score.sessions + 1,
        })
    }
}

impl Score {
    /// Whether enough 80 % bands were shown to say that too few of them held: fewer than 60 %.
    #[must_use]
    pub const fn is_poor(self) -> bool {
        self.bands >= FEWEST && self.held * 10 < self.bands * 6
    }
}
