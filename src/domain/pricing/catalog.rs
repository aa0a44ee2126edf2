//! The price list of the `genai-prices` crate.

use std::time::{Duration, UNIX_EPOCH};

use genai_prices::{Calculator, PriceRequest, Usage, UsageKey};
use jiff::civil::{Date, date};

use crate::domain::units::{NanoUsd, Timestamp, Tokens};
use crate::domain::usage::parts::Parts;

/// The day on which the price list was published: that of the crate's release, which holds it. A test holds it
/// against the release that is built in.
pub const CATALOG_DATE: Date = date(2026, 10, 30);

/// Decodes the price list, which takes tens of milliseconds the first time and nothing after that.
pub fn load() {
    drop(Calculator::bundled().providers());
}

/// Prices what is known of a call, at the rates of its time. `provider` is the price list's name for it.
pub(super) fn amount(provider: &str, model: &str, at: Timestamp, parts: &Parts) -> Option<NanoUsd> {
    parts.prompt().or(parts.generated())?;
    let usage = billable(parts);
    let at = UNIX_EPOCH + Duration::from_millis(u64::try_from(at.0).ok()?);
    let request = PriceRequest::new(model, &usage)
        .with_provider_id(provider)
        .with_timestamp(at);
    let price = Calculator::bundled().calculate(&request).ok()?;
    nanos(price.total_price)
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
