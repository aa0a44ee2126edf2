//! Recorded sessions: numbers alone, no texts.

use serde::Deserialize;
use serde_json::Value;

use super::minutes;
use crate::domain::forecast::CallUse;
use crate::domain::units::{Millis, NanoUsd, Tokens};
use crate::domain::usage::parts::Parts;

/// A session that was recorded, or a part or a mixture of some.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    /// What it is called.
    pub id: String,
    /// Where it comes from: sessions of one source are alike.
    pub source: String,
    /// Its calls with the session's active time at their ends, in order; at least one.
    pub calls: Vec<(Millis, CallUse)>,
    /// When it ended, in its active time.
    pub end: Millis,
}

/// Why a line is no recording.
#[derive(Debug, thiserror::Error)]
pub enum BadRecording {
    /// It is not such an object.
    #[error(
        "expected a JSON object with `id`, `source` and `events`, each event \
         [ms, model, input, output, cacheRead, cacheWrite]: {0}"
    )]
    Malformed(#[from] serde_json::Error),
    /// There is nothing in it.
    #[error("a session without a call says nothing")]
    Empty,
}

#[derive(Deserialize)]
struct Line {
    id: String,
    #[serde(default)]
    source: String,
    events: Vec<(u64, Value, u64, u64, u64, u64)>,
}

impl Recording {
    /// Reads a line of JSON: an object with `id`, `source` and `events`, of which each is an array of the milliseconds
    /// since the session's start, the model, and the input (without cached ones), output, cache read and cache write
    /// tokens. What the calls cost is made up from their worth, since a recording has no prices.
    ///
    /// # Errors
    /// The line is something else.
    pub fn of_line(line: &str) -> Result<Self, BadRecording> {
        let line: Line = serde_json::from_str(line)?;
        let calls = line
            .events
            .into_iter()
            .filter_map(|(at, _, input, output, read, write)| {
                let tokens = |number: u64| Some(Tokens(number.min(Tokens::PLAUSIBLE_MAX.0)));
                let parts = Parts {
                    input: tokens(input),
                    output: tokens(output),
                    cache_read: tokens(read),
                    cache_write_5m: tokens(write),
                    ..Parts::default()
                };
                let call = CallUse::of(&parts, None)?;
                let cost = i64::try_from(call.worth.0.saturating_mul(5_000)).unwrap_or(i64::MAX);
                Some((
                    Millis(at),
                    CallUse {
                        cost: Some(NanoUsd(cost)),
                        ..call
                    },
                ))
            });
        Self::new(line.id, line.source, calls.collect()).ok_or(BadRecording::Empty)
    }

    /// A session of these calls, which ends with the last; `None` if there are none.
    #[must_use]
    pub fn new(id: String, source: String, mut calls: Vec<(Millis, CallUse)>) -> Option<Self> {
        calls.sort_by_key(|(at, _)| *at);
        let end = calls.last()?.0;
        Some(Self {
            id,
            source,
            calls,
            end,
        })
    }

    /// All its tokens.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.calls.iter().map(|(_, call)| call.total).sum::<Tokens>().0
    }

    /// How long it lasted.
    #[must_use]
    pub fn hours(&self) -> f64 {
        self.end.0 as f64 / 3_600_000.0
    }

    /// Its first minutes.
    fn cut(&self, end: Millis) -> Self {
        Self {
            calls: self.calls.iter().filter(|(at, _)| *at <= end).copied().collect(),
            end,
            ..self.clone()
        }
    }

    /// When a budget was used up; `None` if it was not.
    pub(super) fn crossing(&self, budget: Tokens) -> Option<Millis> {
        let mut spent = Tokens(0);
        let mut calls = self.calls.iter();
        calls
            .find(|(_, call)| {
                spent += call.total;
                spent >= budget
            })
            .map(|(at, _)| *at)
    }
}

/// Sessions of ten minutes or more, each to its natural end.
#[must_use]
pub fn natural(sessions: &[Recording]) -> Vec<Recording> {
    let long = sessions.iter().filter(|session| session.end >= minutes(10));
    long.cloned().collect()
}

/// The first 30, 60 and 90 minutes of sessions that went on.
#[must_use]
pub fn fixed(sessions: &[Recording]) -> Vec<Recording> {
    let cut = |end: Millis| {
        let longer = sessions.iter().filter(move |session| session.end > end);
        longer.map(move |session| session.cut(end))
    };
    [30, 60, 90]
        .into_iter()
        .flat_map(|end| cut(minutes(end)))
        .collect()
}

/// Three sessions of one source at once, for an hour: 120 draws, always the same; none where no source has three that
/// are so long.
#[must_use]
pub fn three_agents(sessions: &[Recording]) -> Vec<Recording> {
    const DRAWS: usize = 120;
    let hour = minutes(60);
    let long: Vec<_> = sessions.iter().filter(|session| session.end >= hour).collect();
    let same_as = |first: &Recording| -> Vec<&Recording> {
        let same = long.iter().filter(|other| other.source == first.source);
        same.copied().collect()
    };
    let mut drawn = Vec::new();
    if !long.iter().any(|session| same_as(session).len() >= 3) {
        return drawn;
    }
    let mut random = fastrand::Rng::with_seed(1);
    while drawn.len() < DRAWS {
        let mut same = same_as(long[random.usize(..long.len())]);
        random.shuffle(&mut same);
        if let [one, two, three, ..] = same[..] {
            let mut calls = [one, two, three].map(|session| session.cut(hour).calls).concat();
            calls.sort_by_key(|(at, _)| *at);
            drawn.push(Recording {
                id: format!("{} + {} + {}", one.id, two.id, three.id),
                source: one.source.clone(),
                calls,
                end: hour,
            });
        }
    }
    drawn
}
