//! Puts together what the provider said and what was counted.

use super::calibration::{Calibration, Correction, Direction, Key, Pair};
use super::model::{Family, Profile, Reasoning};
use super::side::{Raw, Sides, sides};
use super::{Basis, Bound, CallBody, Count, Ending, Estimate, Kind, Side, Unseen, bound};
use crate::domain::call::Source;
use crate::domain::units::Tokens;
use crate::domain::usage::parts::Parts;

/// Estimates what the provider did not say of a call's usage. What it did say stays as it is.
#[must_use]
pub fn estimate(call: &CallBody<'_>, counter: &dyn Count, calibration: &Calibration) -> Estimate {
    let Sides {
        profile,
        model,
        prompt,
        reply,
    } = sides(call, counter);
    let mut parts = said(call);
    let known_before = parts.total().is_some();
    let corrected = |raw: &Raw, direction| {
        let key = Key::new(&model, direction, raw.kind);
        side(profile, raw, direction, calibration.correction(&key))
    };
    let mut input = None;
    if parts.prompt().is_none()
        && let Some(raw) = &prompt
    {
        let side = corrected(raw, Direction::Input);
        parts.audio_in = (raw.audio > 0).then_some(Tokens(raw.audio));
        parts.input = Some(side.tokens.saturating_sub(Tokens(raw.audio)));
        input = Some(side);
    }
    let mut output = None;
    if let Some(raw) = &reply {
        let side = corrected(raw, Direction::Output);
        if is_behind(parts.generated(), side.tokens, call.ending) {
            let reasoning = Tokens(raw.reasoning).min(side.tokens);
            parts.reasoning = (raw.reasoning > 0).then_some(reasoning);
            parts.output = Some(side.tokens.saturating_sub(reasoning));
            output = Some(side);
        }
    }
    let estimated = input.is_some() || output.is_some();
    let source = match (estimated, known_before) {
        (_, true) => Some(Source::Partial),
        (true, false) => Some(Source::Estimated),
        (false, false) => None,
    };
    Estimate {
        parts,
        source,
        input,
        output,
    }
}

/// What the provider did say. Some servers say that nothing was used, which nothing can be.
fn said(call: &CallBody<'_>) -> Parts {
    if call.said.total() != Some(Tokens(0)) {
        return *call.said;
    }
    Parts {
        web_searches: call.said.web_searches,
        provider_cost: call.said.provider_cost,
        ..Parts::default()
    }
}

/// Whether what the provider said of the output is not all there is. A broken-off stream's running count is true up
/// to the event that had it; if far more text came than that, it was an early one.
fn is_behind(said: Option<Tokens>, counted: Tokens, ending: Ending) -> bool {
    match said {
        None => true,
        Some(said) => ending == Ending::Cut && said.0 < counted.0 * 9 / 10,
    }
}

/// What a call whose usage is known teaches about the estimates of its model: keep what [`Calibration::learn`] takes.
///
/// Sides of which something cannot be seen teach nothing.
#[must_use]
pub fn pairs(call: &CallBody<'_>, counter: &dyn Count) -> Vec<(Key, Pair)> {
    let Sides {
        profile,
        model,
        prompt,
        reply,
    } = sides(call, counter);
    let truth = call.said;
    let mut pairs = Vec::new();
    let mut teach = |raw: &Raw, direction, estimated: u64, truth: Option<Tokens>| {
        if let Some(truth) = truth {
            let pair = Pair::new(Tokens(estimated), truth);
            pairs.push((Key::new(&model, direction, raw.kind), pair));
        }
    };
    if let Some(raw) = prompt.filter(|raw| bound(&beyond_learning(&raw.unseen)) == Bound::Near) {
        teach(&raw, Direction::Input, raw.total(), truth.prompt());
    }
    if let Some(raw) = reply {
        let hides = raw.unseen.contains(&Unseen::Reasoning);
        let unseen = beyond_learning(&raw.unseen);
        let others = unseen.iter().any(|what| *what != Unseen::Reasoning);
        // Beside hidden reasoning the visible text can still be compared, where the provider tells them apart.
        let is_split = truth.reasoning.is_some() && profile.reasoning != Reasoning::Shown;
        if !others && hides && is_split {
            teach(&raw, Direction::Output, raw.plain, truth.output);
        } else if !others && !hides {
            teach(&raw, Direction::Output, raw.total(), truth.generated());
        }
    }
    pairs
}

/// What other calls of the model do not teach.
fn beyond_learning(unseen: &[Unseen]) -> Vec<Unseen> {
    let mut unseen = unseen.to_vec();
    unseen.retain(|what| *what != Unseen::Frame);
    unseen
}

fn side(profile: &Profile, raw: &Raw, direction: Direction, correction: Option<Correction>) -> Side {
    let uncorrected = Tokens(raw.total());
    let tokens = correction.map_or(uncorrected, |correction| correction.apply(uncorrected));
    // What was learnt makes the number better. It does not show what cannot be seen: that may have changed since.
    let bound = bound(&raw.unseen);
    let (low, high) = match correction {
        Some(correction) => correction.interval(tokens),
        None => spread(profile, raw, direction).around(tokens),
    };
    let (low, high) = match bound {
        Bound::Near => (low, Some(high)),
        Bound::Uncertain => (Tokens(low.0 / 2), Some(high + tokens)),
        Bound::AtLeast => (low, None),
    };
    Side {
        tokens,
        low,
        high,
        unseen: raw.unseen.clone(),
        basis: Basis {
            encoding: profile.encoding,
            text: Tokens(raw.text),
            uncorrected,
            how: raw.how,
            kind: raw.kind,
            correction,
        },
    }
}

/// How far the built-in rules are off in nine of ten recorded calls: thousandths, and tokens beyond them.
struct Spread {
    per_mille: u64,
    tokens: u64,
}

impl Spread {
    fn around(&self, tokens: Tokens) -> (Tokens, Tokens) {
        let off = Tokens(tokens.0.saturating_mul(self.per_mille) / 1000 + self.tokens);
        (tokens.saturating_sub(off), tokens + off)
    }
}

const fn spread(profile: &Profile, raw: &Raw, direction: Direction) -> Spread {
    let (per_mille, tokens) = match (profile.family, raw.kind, direction) {
        (Family::OpenAi, Kind::Text, Direction::Input) => (2, 0),
        (Family::OpenAi, Kind::Text, Direction::Output) => (10, 2),
        (Family::OpenAi, Kind::Tools, _) => (50, 5),
        (Family::OpenAi, Kind::Media, _) => (100, 20),
        (Family::Gemini, Kind::Text, _) => (80, 4),
        (Family::Claude | Family::Open, Kind::Text, _) => (120, 8),
        (Family::Unknown, Kind::Text, _) => (250, 12),
        (_, Kind::Tools, _) => (250, 30),
        (_, Kind::Media, _) => (300, 40),
    };
    Spread { per_mille, tokens }
}
