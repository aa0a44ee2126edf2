//! The price list of the `genai-prices` crate: the one that is built in, or a later one.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use genai_prices::{Calculator, PriceRequest, Usage, UsageKey};
use jiff::civil::{Date, date};

use crate::domain::units::{NanoUsd, Timestamp, Tokens};
use crate::domain::usage::parts::Parts;

/// The day on which the built-in price list was published: that of the crate's release, which holds it. A test holds it
/// against the release that is built in.
pub const CATALOG_DATE: Date = date(2026, 10, 30);

/// Decodes the built-in price list, which takes tens of milliseconds the first time and nothing after that.
pub fn load() {
    drop(Calculator::bundled().providers());
}

/// A price list, and as of which day. The default is the one that is built in.
#[derive(Clone, Default)]
pub struct Catalog(Option<Arc<Later>>);

struct Later {
    calculator: Calculator,
    date: Date,
}

/// A text is no price list; says why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a price list of genai-prices: {0}")]
pub struct BadCatalog(String);

impl Catalog {
    /// Reads a price list, as the genai-prices project publishes it (`prices/new_data/v2/data.json`: a JSON array of
    /// providers).
    ///
    /// # Errors
    /// It is not one, or holds no model.
    pub fn read(text: &[u8], date: Date) -> Result<Self, BadCatalog> {
        let calculator = Calculator::from_json(text).map_err(|error| {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
            BadCatalog(format!("{error}{}", cause.unwrap_or_default()))
        })?;
        if calculator
            .providers()
            .all(|provider| provider.models().next().is_none())
        {
            return Err(BadCatalog("it has no models".to_owned()));
        }
        Ok(Self(Some(Arc::new(Later { calculator, date }))))
    }

    /// As of which day it is.
    #[must_use]
    pub fn date(&self) -> Date {
        self.0.as_ref().map_or(CATALOG_DATE, |later| later.date)
    }

    /// How many models it has.
    #[must_use]
    pub fn models(&self) -> usize {
        self.calculator()
            .providers()
            .map(|provider| provider.models().count())
            .sum()
    }

    pub(super) fn calculator(&self) -> &Calculator {
        self.0
            .as_ref()
            .map_or_else(|| Calculator::bundled(), |later| &later.calculator)
    }

    /// Prices what is known of a call, at the rates of its time. `provider` is the price list's name for it.
    pub(super) fn amount(
        &self,
        provider: &str,
        model: &str,
        at: Timestamp,
        parts: &Parts,
    ) -> Option<NanoUsd> {
        parts.prompt().or(parts.generated())?;
        let usage = billable(parts);
        let at = UNIX_EPOCH + Duration::from_millis(u64::try_from(at.0).ok()?);
        let request = PriceRequest::new(model, &usage)
            .with_provider_id(provider)
            .with_timestamp(at);
        let price = self.calculator().calculate(&request).ok()?;
        nanos(price.total_price)
    }
}

/// Lists of one day are the same.
impl PartialEq for Catalog {
    fn eq(&self, other: &Self) -> bool {
        self.date() == other.date()
    }
}

impl Eq for Catalog {}

impl fmt::Debug for Catalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Catalog({})", self.date())
    }
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
