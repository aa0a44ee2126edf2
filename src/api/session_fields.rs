//! What a user can say of a session, checked: the bodies of `POST /api/sessions` and `PATCH /api/sessions/{id}`.

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::error::ApiError;
use crate::domain::budget::{Allowance, AllowancePatch, AtLimit, Counts};
use crate::domain::session::clock::Reading;
use crate::domain::session::timer::{Change, OnSleep};
use crate::domain::session::{MAX_DURATION, MAX_NAME, MAX_NOTE, MAX_TAGS, NewSession, Patch, Status};
use crate::domain::units::{Millis, NanoUsd, Timestamp, Tokens};

/// What starts a session.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewSession)]
pub(super) struct New {
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    name: String,
    /// Milliseconds; left out or `null` is open-ended.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 18_000_000)]
    duration: Option<u64>,
    /// Tokens; left out or `null` is no budget.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 1_000_000_000_000_i64)]
    token_budget: Option<u64>,
    /// Which tokens count; left out, all of them.
    #[serde(default)]
    budget_counts: Option<Counts>,
    /// Nano-dollars; left out or `null` is no budget.
    #[serde(default)]
    #[schema(minimum = 1)]
    cost_budget_nano_usd: Option<i64>,
    /// What happens when a budget is used up; left out, an alert.
    #[serde(default)]
    at_limit: Option<AtLimit>,
    #[serde(default)]
    /// Each has 1 to 50 characters.
    #[schema(max_items = 20)]
    tags: Option<Vec<String>>,
    #[serde(default)]
    #[schema(max_length = 4000)]
    note: Option<String>,
    #[serde(default)]
    on_sleep: Option<OnSleep>,
    /// Whether calls that name no session go here; left out, they do.
    #[serde(default)]
    current: Option<bool>,
}

impl New {
    pub(super) fn check(self) -> Result<NewSession, ApiError> {
        Ok(NewSession {
            name: name(&self.name)?,
            duration: self.duration.map(duration).transpose()?,
            allowance: Allowance {
                tokens: self.token_budget.map(token_budget).transpose()?,
                counts: self.budget_counts.unwrap_or(Counts::All),
                cost: self.cost_budget_nano_usd.map(cost_budget).transpose()?,
                at_limit: self.at_limit.unwrap_or(AtLimit::Alert),
            },
            tags: tags(&self.tags.unwrap_or_default())?,
            note: note(&self.note.unwrap_or_default())?,
            on_sleep: self.on_sleep.unwrap_or(OnSleep::Pause),
            current: self.current.unwrap_or(true),
        })
    }
}

/// A stretch to take out, from one moment to another.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Stretch {
    from: i64,
    /// Left out, it is now.
    #[serde(default)]
    to: Option<i64>,
}

/// What changes a session. What is left out stays.
#[derive(Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schema(as = SessionPatch)]
pub(super) struct Changed {
    status: Option<Status>,
    /// Whether calls that name no session go here.
    current: Option<bool>,
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    name: Option<String>,
    /// Each has 1 to 50 characters.
    #[schema(max_items = 20)]
    tags: Option<Vec<String>>,
    /// `null` is none.
    #[serde(deserialize_with = "said")]
    #[schema(value_type = Option<String>, max_length = 4000)]
    note: Option<Option<String>>,
    /// `null` is none.
    #[serde(deserialize_with = "said")]
    #[schema(value_type = Option<u64>, minimum = 1, maximum = 1_000_000_000_000_i64)]
    token_budget: Option<Option<u64>>,
    budget_counts: Option<Counts>,
    /// `null` is none.
    #[serde(deserialize_with = "said")]
    #[schema(value_type = Option<i64>, minimum = 1)]
    cost_budget_nano_usd: Option<Option<i64>>,
    at_limit: Option<AtLimit>,
    /// Milliseconds in all; `null` is open-ended.
    #[serde(deserialize_with = "said")]
    #[schema(value_type = Option<u64>, minimum = 1, maximum = 18_000_000)]
    duration: Option<Option<u64>>,
    on_sleep: Option<OnSleep>,
    trim: Option<Stretch>,
    /// The number of the event that trimmed.
    untrim: Option<u32>,
    /// The number of the event that left a gap.
    count_gap: Option<u32>,
    /// The revision that the change is meant for; the `If-Match` header says the same.
    pub(super) revision: Option<u64>,
}

/// Tells `null` from nothing.
pub(super) fn said<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

impl Changed {
    pub(super) fn check(self, now: Reading) -> Result<Patch, ApiError> {
        let mut clock = Vec::new();
        // A longer plan first, so that what follows has room; the status last, so that it applies to the rest.
        if let Some(planned) = self.duration {
            clock.push(Change::Plan(planned.map(duration).transpose()?));
        }
        if let Some(Stretch { from, to }) = self.trim {
            let to = to.unwrap_or(now.wall.0);
            if from >= to {
                let detail = "`trim.from` must lie before `trim.to`, both in UTC epoch milliseconds";
                return Err(ApiError::field("trim.from", detail));
            }
            let (from, to) = (Timestamp(from), Timestamp(to));
            clock.push(Change::Trim { from, to });
        }
        clock.extend(self.untrim.map(Change::Untrim));
        clock.extend(self.count_gap.map(Change::CountGap));
        clock.extend(self.status.map(|status| match status {
            Status::Active => Change::Resume,
            Status::Paused => Change::Pause,
            Status::Completed => Change::Complete,
        }));
        let patch = Patch {
            clock,
            current: self.current,
            name: self.name.as_deref().map(name).transpose()?,
            tags: self.tags.as_deref().map(tags).transpose()?,
            note: self
                .note
                .map(|text| note(&text.unwrap_or_default()))
                .transpose()?,
            allowance: AllowancePatch {
                tokens: self
                    .token_budget
                    .map(|budget| budget.map(token_budget).transpose())
                    .transpose()?,
                counts: self.budget_counts,
                cost: self
                    .cost_budget_nano_usd
                    .map(|budget| budget.map(cost_budget).transpose())
                    .transpose()?,
                at_limit: self.at_limit,
            },
            on_sleep: self.on_sleep,
        };
        if patch == Patch::default() {
            let detail = "nothing to change: give at least one of status, current, name, tags, note, tokenBudget, \
                          budgetCounts, costBudgetNanoUsd, atLimit, duration, onSleep, trim, untrim, countGap";
            return Err(ApiError::field("", detail));
        }
        Ok(patch)
    }
}

fn name(text: &str) -> Result<Box<str>, ApiError> {
    let name = text.trim();
    if name.is_empty() || name.chars().count() > MAX_NAME {
        let detail = format!("`name` must have 1 to {MAX_NAME} characters");
        return Err(ApiError::field("name", detail));
    }
    Ok(name.into())
}

fn duration(duration: u64) -> Result<Millis, ApiError> {
    if !(1..=MAX_DURATION.0).contains(&duration) {
        let detail = format!(
            "`duration` is in milliseconds, from 1 to {} (5 hours); leave it out for a session without an end",
            MAX_DURATION.0
        );
        return Err(ApiError::field("duration", detail));
    }
    Ok(Millis(duration))
}

pub(super) fn cost_budget(budget: i64) -> Result<NanoUsd, ApiError> {
    if budget < 1 {
        let detail = "`costBudgetNanoUsd` is in billionths of a US dollar, at least 1 (5000000000 is $5), or is left out";
        return Err(ApiError::field("costBudgetNanoUsd", detail));
    }
    Ok(NanoUsd(budget))
}

pub(super) fn token_budget(budget: u64) -> Result<Tokens, ApiError> {
    if !(1..=Tokens::PLAUSIBLE_MAX.0).contains(&budget) {
        let detail = format!(
            "`tokenBudget` must be from 1 to {}, or be left out",
            Tokens::PLAUSIBLE_MAX.0
        );
        return Err(ApiError::field("tokenBudget", detail));
    }
    Ok(Tokens(budget))
}

fn tags(tags: &[String]) -> Result<Vec<Box<str>>, ApiError> {
    let (most, longest) = MAX_TAGS;
    let fits = |tag: &String| (1..=longest).contains(&tag.trim().chars().count());
    if tags.len() > most || !tags.iter().all(fits) {
        let detail = format!("`tags` holds at most {most} texts of 1 to {longest} characters");
        return Err(ApiError::field("tags", detail));
    }
    let mut checked: Vec<Box<str>> = Vec::new();
    for tag in tags.iter().map(|tag| tag.trim()) {
        if !checked.iter().any(|known| **known == *tag) {
            checked.push(tag.into());
        }
    }
    Ok(checked)
}

fn note(text: &str) -> Result<Box<str>, ApiError> {
    if text.chars().count() > MAX_NOTE {
        let detail = format!("`note` has at most {MAX_NOTE} characters");
        return Err(ApiError::field("note", detail));
    }
    Ok(text.into())
}
