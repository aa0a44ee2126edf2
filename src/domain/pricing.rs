//! What a call cost: the provider's own word first, else the dated price list of the `genai-prices` crate.
//!
//! A model without a price has no cost; it does not cost nothing.

use std::time::{Duration, UNIX_EPOCH};

use genai_prices::{Calculator, PriceRequest, Usage, UsageKey};

use super::units::{NanoUsd, Timestamp, Tokens};
use super::usage::parts::Parts;

/// Decodes the price list, which takes tens of milliseconds the first time and nothing after that.
pub fn load() {
    drop(Calculator::bundled().providers());
}

/// Prices what is known of a call, at the rates of its time. `provider` is the price list's name for it.
#[must_use]
pub fn cost(provider: Option<&str>, model: Option<&str>, at: Timestamp, parts: &Parts) -> Option<NanoUsd> {
    if let Some(own) = parts.provider_cost {
        return Some(own);
    }
    let (provider, model) = (provider?, model?);
    parts.prompt().or(parts.generated())?;
    let usage = billable(parts);
    let at = UNIX_EPOCH + Duration::from_millis(u64::try_from(at.0).ok()?);
    let request = PriceRequest::new(model, &usage)
        .with_provider_id(provider)
        .with_timestamp(at);
    let price = Calculator::bundled().calculate(&request).ok()?;
    nanos(price.total_price)
}

/// What a call costs in a batch: half of its price, with every provider that has batches.
#[must_use]
pub const fn in_batch(cost: NanoUsd) -> NanoUsd {
    NanoUsd(cost.0 / 2)
}

/// The price list counts inclusively: its input holds the cached, the audio and the image tokens.
fn billable(parts: &Parts) -> Usage {
    let mut usage = Usage::new();
    let mut put = |key: UsageKey, tokens: Option<Tokens>| {
        if let Some(tokens) = tokens.filter(|tokens| tokens.0 > 0) {
            usage.insert(key, as_float(tokens.0));
        }
    };
    put(UsageKey::INPUT_TOKENS, parts.prompt());
    put(UsageKey::CACHE_READ_TOKENS, parts.cache_read);
    put(UsageKey::CACHE_WRITE_TOKENS, parts.cache_write());
    put(UsageKey::CACHE_WRITE_1H_TOKENS, parts.cache_write_1h);
    put(UsageKey::INPUT_AUDIO_TOKENS, parts.audio_in);
    put(UsageKey::OUTPUT_TOKENS, parts.generated());
    put(UsageKey::OUTPUT_AUDIO_TOKENS, parts.audio_out);
    put(UsageKey::WEB_SEARCHES, parts.web_searches.map(Tokens));
    usage
}

/// Exact: a count is at most 10^12, far below the 2^53 that a float holds exactly.
#[expect(clippy::cast_precision_loss, reason = "counts are bounded far below 2^53")]
fn as_float(count: u64) -> f64 {
    count as f64
}

#[expect(clippy::cast_possible_truncation, reason = "bounded just before")]
fn nanos(dollars: f64) -> Option<NanoUsd> {
    let nanos = (dollars * 1e9).round();
    (0.0..9e18).contains(&nanos).then_some(NanoUsd(nanos as i64))
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp(1_790_000_000_000);

    fn parts() -> Parts {
        Parts {
            input: Some(Tokens(900)),
            cache_read: Some(Tokens(100)),
            output: Some(Tokens(50)),
            ..Parts::default()
        }
    }

    #[test]
    fn cached_tokens_are_not_priced_twice() {
        // 900 at 3 $, 100 cached at 0.30 $, 50 generated at 15 $ a million.
        let cost = cost(
            Some("anthropic"),
            Some("claude-sonnet-4-5-20250929"),
            AT,
            &parts(),
        );
        assert_eq!(cost, Some(NanoUsd(3_480_000)));
    }

    #[test]
    fn an_hour_of_cache_costs_more_than_five_minutes() {
        let with = |five, hour| {
            let parts = Parts {
                cache_write_5m: Some(Tokens(five)),
                cache_write_1h: Some(Tokens(hour)),
                ..parts()
            };
            cost(Some("anthropic"), Some("claude-sonnet-4-5"), AT, &parts)
                .unwrap()
                .0
        };
        assert_eq!(with(1000, 0) - with(0, 0), 3_750_000);
        assert_eq!(with(0, 1000) - with(0, 0), 6_000_000);
    }

    #[test]
    fn what_has_no_price_has_no_cost() {
        assert_eq!(cost(Some("openai"), Some("no-such-model"), AT, &parts()), None);
        assert_eq!(cost(None, Some("gpt-4o"), AT, &parts()), None);
        assert_eq!(cost(Some("openai"), Some("gpt-4o"), AT, &Parts::default()), None);
    }

    #[test]
    fn the_providers_own_word_wins() {
        let parts = Parts {
            provider_cost: Some(NanoUsd(7)),
            ..parts()
        };
        assert_eq!(cost(Some("openai"), Some("gpt-4o"), AT, &parts), Some(NanoUsd(7)));
    }
}
