//! The price list, to look at.

use std::time::{Duration, UNIX_EPOCH};

use genai_prices::{Calculator, PriceRequest, Usage, UsageKey};

use super::catalog::Catalog;
use super::own::Rates;
use crate::domain::units::{NanoUsd, Timestamp};

/// A price is asked for with so many tokens, so that no tier of long prompts is reached.
const ASKED: u32 = 1_000;

/// A model of the price list, and what a million of its tokens cost at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The price list's name for its provider.
    pub provider: Box<str>,
    /// Its name.
    pub model: Box<str>,
    /// How much prompts in the first tier cost; what is `None` has no price of its own there.
    pub rates: Rates,
}

impl Catalog {
    /// The models whose names hold a text, upper and lower case the same, in the order of the price list.
    #[must_use]
    pub fn search(&self, text: &str, at: Timestamp) -> Vec<Listed> {
        let text = text.to_lowercase();
        let holds = |name: &str| name.to_lowercase().contains(&text);
        let calculator = self.calculator();
        let providers = calculator.providers();
        let models = providers.flat_map(|provider| provider.models().map(move |model| (provider, model)));
        models
            .filter(|(_, model)| holds(model.id()) || model.name().is_some_and(holds))
            .map(|(provider, model)| Listed {
                provider: provider.id().into(),
                model: model.id().into(),
                rates: rates(calculator, provider.id(), model.id(), at),
            })
            .collect()
    }
}

fn rates(calculator: &Calculator, provider: &str, model: &str, at: Timestamp) -> Rates {
    let price = |parts: &[UsageKey]| {
        let mut usage = Usage::new();
        for part in parts {
            usage.insert(part.clone(), f64::from(ASKED));
        }
        let at = UNIX_EPOCH + Duration::from_millis(u64::try_from(at.0).ok()?);
        let request = PriceRequest::new(model, &usage)
            .with_provider_id(provider)
            .with_timestamp(at);
        let price = calculator.calculate(&request).ok()?;
        per_million(price.total_price)
    };
    let input = price(&[UsageKey::INPUT_TOKENS]);
    // What a part costs that has no price of its own is what the whole costs.
    let own = |part: UsageKey| price(&[UsageKey::INPUT_TOKENS, part]).filter(|rate| Some(*rate) != input);
    Rates {
        input,
        cache_read: own(UsageKey::CACHE_READ_TOKENS),
        cache_write: own(UsageKey::CACHE_WRITE_TOKENS),
        output: price(&[UsageKey::OUTPUT_TOKENS]),
        ..Rates::default()
    }
}

#[expect(clippy::cast_possible_truncation, reason = "bounded just before")]
fn per_million(dollars: f64) -> Option<NanoUsd> {
    let nanos = (dollars * 1e9).round() * f64::from(1_000_000 / ASKED);
    (0.0..9e18).contains(&nanos).then_some(NanoUsd(nanos as i64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_found_by_a_part_of_its_name() {
        let catalog = Catalog::default();
        let found = catalog.search("SONNET-4-5", Timestamp(1_790_000_000_000));
        let sonnet = found
            .iter()
            .find(|listed| &*listed.provider == "anthropic")
            .unwrap();
        let dollars = |nanos| Some(NanoUsd(nanos));
        assert_eq!(
            (sonnet.rates.input, sonnet.rates.output),
            (dollars(3_000_000_000), dollars(15_000_000_000))
        );
        assert_eq!(
            (sonnet.rates.cache_read, sonnet.rates.cache_write),
            (dollars(300_000_000), dollars(3_750_000_000))
        );
        assert!(catalog.search("no such model anywhere", Timestamp(0)).is_empty());
    }
}
