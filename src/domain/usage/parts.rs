//! The disjoint parts of what a call used.

use serde::{Deserialize, Serialize};

use crate::domain::units::{NanoUsd, Tokens};

/// What one call used, in parts that do not overlap.
///
/// `None` is "the provider does not say", which is not zero. Each reader turns its provider's convention
/// (whether the input includes cached tokens, whether the output includes reasoning) into these parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parts {
    /// Prompt tokens that were neither read from nor written to a cache, without audio and images.
    pub input: Option<Tokens>,
    /// Prompt tokens read from the provider's cache.
    pub cache_read: Option<Tokens>,
    /// Prompt tokens written to a cache that lives five minutes, or whose life is not named.
    pub cache_write_5m: Option<Tokens>,
    /// Prompt tokens written to a cache that lives an hour.
    pub cache_write_1h: Option<Tokens>,
    /// Prompt tokens that were audio.
    pub audio_in: Option<Tokens>,
    /// Prompt tokens that were images.
    pub image_in: Option<Tokens>,
    /// Generated tokens that are visible.
    pub output: Option<Tokens>,
    /// Generated tokens that were reasoning.
    pub reasoning: Option<Tokens>,
    /// Generated tokens that were audio.
    pub audio_out: Option<Tokens>,
    /// Generated tokens that were images.
    pub image_out: Option<Tokens>,
    /// Tokens whose kind nobody named: reported by hand as one number.
    pub unsplit: Option<Tokens>,
    /// Web searches that the provider charges by the request.
    pub web_searches: Option<u64>,
    /// What the provider itself says that the call cost.
    pub provider_cost: Option<NanoUsd>,
}

/// Adds what is known; `None` where nothing is.
fn known_sum(parts: &[Option<Tokens>]) -> Option<Tokens> {
    parts.iter().flatten().copied().reduce(|sum, part| sum + part)
}

impl Parts {
    /// Both together: what only one of them knows is known.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        let sum = |one: Option<Tokens>, two: Option<Tokens>| known_sum(&[one, two]);
        Self {
            input: sum(self.input, other.input),
            cache_read: sum(self.cache_read, other.cache_read),
            cache_write_5m: sum(self.cache_write_5m, other.cache_write_5m),
            cache_write_1h: sum(self.cache_write_1h, other.cache_write_1h),
            audio_in: sum(self.audio_in, other.audio_in),
            image_in: sum(self.image_in, other.image_in),
            output: sum(self.output, other.output),
            reasoning: sum(self.reasoning, other.reasoning),
            audio_out: sum(self.audio_out, other.audio_out),
            image_out: sum(self.image_out, other.image_out),
            unsplit: sum(self.unsplit, other.unsplit),
            web_searches: sum(self.web_searches.map(Tokens), other.web_searches.map(Tokens))
                .map(|searches| searches.0),
            provider_cost: [self.provider_cost, other.provider_cost]
                .into_iter()
                .flatten()
                .reduce(|one, two| one + two),
        }
    }

    /// Prompt tokens that no cache served or kept: the API's `input`.
    #[must_use]
    pub fn fresh_input(&self) -> Option<Tokens> {
        known_sum(&[self.input, self.audio_in, self.image_in])
    }

    /// Prompt tokens written to a cache of any life: the API's `cacheWrite`.
    #[must_use]
    pub fn cache_write(&self) -> Option<Tokens> {
        known_sum(&[self.cache_write_5m, self.cache_write_1h])
    }

    /// The whole prompt, cached or not.
    #[must_use]
    pub fn prompt(&self) -> Option<Tokens> {
        known_sum(&[self.fresh_input(), self.cache_read, self.cache_write()])
    }

    /// All that was generated, reasoning included: the API's `output`.
    #[must_use]
    pub fn generated(&self) -> Option<Tokens> {
        known_sum(&[self.output, self.reasoning, self.audio_out, self.image_out])
    }

    /// Every token of the call that is known.
    #[must_use]
    pub fn total(&self) -> Option<Tokens> {
        known_sum(&[self.prompt(), self.generated(), self.unsplit])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_is_not_zero() {
        let parts = Parts::default();
        assert_eq!(parts.total(), None);
        let parts = Parts {
            input: Some(Tokens(0)),
            ..Parts::default()
        };
        assert_eq!(parts.total(), Some(Tokens(0)));
        assert_eq!(parts.generated(), None);
    }

    #[test]
    fn sums_count_every_part_once() {
        let one = Some(Tokens(1));
        let parts = Parts {
            input: one,
            cache_read: one,
            cache_write_5m: one,
            cache_write_1h: one,
            audio_in: one,
            image_in: one,
            output: one,
            reasoning: one,
            audio_out: one,
            image_out: one,
            unsplit: one,
            web_searches: Some(7),
            provider_cost: Some(NanoUsd(9)),
        };
        assert_eq!(parts.fresh_input(), Some(Tokens(3)));
        assert_eq!(parts.cache_write(), Some(Tokens(2)));
        assert_eq!(parts.prompt(), Some(Tokens(6)));
        assert_eq!(parts.generated(), Some(Tokens(4)));
        assert_eq!(parts.total(), Some(Tokens(11)));
    }
}
