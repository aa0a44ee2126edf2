//! How well a session makes use of what it pays for, with all that the score is made of.

use serde::Serialize;

use crate::domain::ids::SessionId;
use crate::domain::session::efficiency::{Efficiency, EfficiencyPart, Effort, LeftOut, Scored};

/// How well a session makes use of what it pays for: the mean of its parts' points, each as often as it weighs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct EfficiencyView {
    /// The session.
    #[cfg_attr(test, ts(type = "string"))]
    pub session_id: SessionId,
    /// 0 to 100; `null` before its fifth call, and while no token is known.
    pub score: Option<u8>,
    /// The median score of one's own finished sessions; `null` if there are fewer than 3.
    pub usual_score: Option<u8>,
    /// How many of them stand behind what is usual.
    pub past_sessions: u64,
    /// What the score is made of.
    pub parts: Vec<EfficiencyPartView>,
}

/// A part of an efficiency's score.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct EfficiencyPartView {
    /// What it is.
    pub part: EfficiencyPart,
    /// What its numbers count.
    pub unit: EfficiencyUnit,
    /// Its number; `null` where it is left out.
    pub value: Option<i64>,
    /// The median of one's own finished sessions; `null` if fewer than 3 have one.
    pub usual: Option<i64>,
    /// From which number on it gives no point.
    pub no_points_at: Option<i64>,
    /// From which number on it gives all 100; in proportion between the two.
    pub full_points_at: Option<i64>,
    /// Its points, 0 to 100; `null` where it is left out.
    pub points: Option<u8>,
    /// How much it counts in the score, in per cent, where no part is left out.
    pub weight_percent: u8,
    /// How much it counts in this score, in per cent; 0 where it is left out.
    pub counts_percent: u8,
    /// Why it is left out; `null` where it is not.
    pub left_out: Option<LeftOut>,
    /// The same as a sentence.
    #[cfg_attr(test, ts(type = "string | null"))]
    pub left_out_because: Option<&'static str>,
}

/// What the numbers of a part count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum EfficiencyUnit {
    /// Of every thousand.
    PerMille,
    /// Billionths of a US dollar.
    NanoUsd,
}

impl EfficiencyView {
    /// Rates a session beside the user's finished ones.
    #[must_use]
    pub fn new(session: SessionId, effort: &Effort, past: &[Effort]) -> Self {
        let efficiency = Efficiency::of(effort, past);
        let counted = efficiency.parts.iter().filter(|scored| scored.points.is_some());
        let weights = counted.map(|scored| u32::from(scored.weight)).sum();
        Self {
            session_id: session,
            score: efficiency.score,
            usual_score: Efficiency::usual(past),
            past_sessions: past.len() as u64,
            parts: efficiency
                .parts
                .iter()
                .map(|scored| EfficiencyPartView::new(scored, weights))
                .collect(),
        }
    }
}

impl EfficiencyPartView {
    /// `weights` are those of all parts that count.
    fn new(scored: &Scored, weights: u32) -> Self {
        let counts = scored.points.and(Some(u32::from(scored.weight) * 100));
        let counts = counts.and_then(|weight| (weight + weights / 2).checked_div(weights));
        let left_out = scored.value.err();
        Self {
            part: scored.part,
            unit: match scored.part {
                EfficiencyPart::CostPerCheckpoint => EfficiencyUnit::NanoUsd,
                _ => EfficiencyUnit::PerMille,
            },
            value: scored.value.ok(),
            usual: scored.usual,
            no_points_at: scored.scale.map(|(none, _)| none),
            full_points_at: scored.scale.map(|(_, full)| full),
            points: scored.points,
            weight_percent: scored.weight,
            counts_percent: counts.and_then(|counts| u8::try_from(counts).ok()).unwrap_or(0),
            left_out,
            left_out_because: left_out.map(LeftOut::sentence),
        }
    }
}
