//! Sums over calls.

use serde::{Deserialize, Serialize};

use crate::domain::call::{Call, Outcome, Source};
use crate::domain::units::Tokens;

/// Sums over calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Totals {
    /// Calls that have ended.
    pub requests: u64,
    /// Those of them that did not end as `complete`.
    pub errors: u64,
    /// Prompt tokens, without cached ones.
    pub input: u64,
    /// Prompt tokens read from a cache.
    pub cache_read: u64,
    /// Prompt tokens written to a cache.
    pub cache_write: u64,
    /// Generated tokens, reasoning included.
    pub output: u64,
    /// The part of `output` that was reasoning.
    pub reasoning: u64,
    /// All tokens.
    pub total: u64,
    /// What the priced calls cost, in billionths of a US dollar; `null` if none of them has a price.
    pub cost_nano_usd: Option<i64>,
    /// Calls that have a price. It is told by `costNanoUsd` not being `null`.
    #[serde(skip)]
    pub priced_requests: u64,
    /// Tokens of calls that have no price: they are not in `costNanoUsd`.
    pub unpriced_tokens: u64,
    /// Those calls: they have numbers, but no price.
    pub unpriced_requests: u64,
    /// Tokens whose source is not `exact`.
    pub inexact_tokens: u64,
    /// Calls of which no token number is known, though the provider did not refuse them.
    pub unknown_requests: u64,
}

impl Totals {
    /// Takes a call that has ended into the sums. One that is counted with another is in none.
    pub fn add(&mut self, call: &Call) {
        let Some(end) = call.end.as_ref().filter(|_| call.counted_by.is_none()) else {
            return;
        };
        let known = |tokens: Option<Tokens>| tokens.map_or(0, |tokens| tokens.0);
        let total = known(end.parts.total());
        self.requests += 1;
        self.errors += u64::from(end.outcome != Outcome::Complete);
        let add = |sum: &mut u64, tokens: u64| *sum = sum.saturating_add(tokens);
        add(&mut self.input, known(end.parts.fresh_input()));
        add(&mut self.cache_read, known(end.parts.cache_read));
        add(&mut self.cache_write, known(end.parts.cache_write()));
        add(&mut self.output, known(end.parts.generated()));
        add(&mut self.reasoning, known(end.parts.reasoning));
        add(&mut self.total, total);
        match call.cost {
            Some(cost) => {
                self.priced_requests += 1;
                self.cost_nano_usd = Some(self.cost_nano_usd.unwrap_or(0).saturating_add(cost.amount.0));
            }
            None => {
                add(&mut self.unpriced_tokens, total);
                self.unpriced_requests += u64::from(end.source.is_some());
            }
        }
        if end.source != Some(Source::Exact) {
            add(&mut self.inexact_tokens, total);
        }
        self.unknown_requests += u64::from(end.parts.total().is_none() && !end.was_refused());
    }

    /// Takes other sums into these: of other calls.
    pub fn merge(&mut self, other: &Self) {
        let add = |sum: &mut u64, number: u64| *sum = sum.saturating_add(number);
        add(&mut self.requests, other.requests);
        add(&mut self.errors, other.errors);
        add(&mut self.input, other.input);
        add(&mut self.cache_read, other.cache_read);
        add(&mut self.cache_write, other.cache_write);
        add(&mut self.output, other.output);
        add(&mut self.reasoning, other.reasoning);
        add(&mut self.total, other.total);
        if let Some(cost) = other.cost_nano_usd {
            self.cost_nano_usd = Some(self.cost_nano_usd.unwrap_or(0).saturating_add(cost));
        }
        add(&mut self.priced_requests, other.priced_requests);
        add(&mut self.unpriced_tokens, other.unpriced_tokens);
        add(&mut self.unpriced_requests, other.unpriced_requests);
        add(&mut self.inexact_tokens, other.inexact_tokens);
        add(&mut self.unknown_requests, other.unknown_requests);
    }

    /// What was used since an earlier moment of the same sums.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        Self {
            requests: self.requests.saturating_sub(before.requests),
            errors: self.errors.saturating_sub(before.errors),
            input: self.input.saturating_sub(before.input),
            cache_read: self.cache_read.saturating_sub(before.cache_read),
            cache_write: self.cache_write.saturating_sub(before.cache_write),
            output: self.output.saturating_sub(before.output),
            reasoning: self.reasoning.saturating_sub(before.reasoning),
            total: self.total.saturating_sub(before.total),
            cost_nano_usd: self
                .cost_nano_usd
                .map(|cost| cost.saturating_sub(before.cost_nano_usd.unwrap_or(0))),
            priced_requests: self.priced_requests.saturating_sub(before.priced_requests),
            unpriced_tokens: self.unpriced_tokens.saturating_sub(before.unpriced_tokens),
            unpriced_requests: self.unpriced_requests.saturating_sub(before.unpriced_requests),
            inexact_tokens: self.inexact_tokens.saturating_sub(before.inexact_tokens),
            unknown_requests: self.unknown_requests.saturating_sub(before.unknown_requests),
        }
    }

    /// Takes a call out of the sums that was taken in before.
    pub fn remove(&mut self, call: &Call) {
        let mut sums = Self::default();
        sums.add(call);
        let take = |sum: &mut u64, number: u64| *sum = sum.saturating_sub(number);
        take(&mut self.requests, sums.requests);
        take(&mut self.errors, sums.errors);
        take(&mut self.input, sums.input);
        take(&mut self.cache_read, sums.cache_read);
        take(&mut self.cache_write, sums.cache_write);
        take(&mut self.output, sums.output);
        take(&mut self.reasoning, sums.reasoning);
        take(&mut self.total, sums.total);
        take(&mut self.priced_requests, sums.priced_requests);
        self.cost_nano_usd = self
            .cost_nano_usd
            .filter(|_| self.priced_requests > 0)
            .map(|sum| sum.saturating_sub(sums.cost_nano_usd.unwrap_or(0)));
        take(&mut self.unpriced_tokens, sums.unpriced_tokens);
        take(&mut self.unpriced_requests, sums.unpriced_requests);
        take(&mut self.inexact_tokens, sums.inexact_tokens);
        take(&mut self.unknown_requests, sums.unknown_requests);
    }
}
