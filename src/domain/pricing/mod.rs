//! What a call cost: the provider's own word first, then the user's prices, then the dated price list of the
//! `genai-prices` crate.
//!
//! A model without a price has no cost; it does not cost nothing.

mod catalog;
mod listing;
mod own;

use jiff::civil::Date;

pub use catalog::{BadCatalog, CATALOG_DATE, Catalog, load};
pub use listing::Listed;
pub use own::{BadPattern, Pattern, Price, Rates};

use super::call::{CallEnd, CallStart, named};
use super::operation::Operation;
use super::units::NanoUsd;

named! {
    /// Where a price came from.
    PriceSource {
        /// The provider said what the call cost.
        Provider = "provider",
        /// The user's own prices.
        Override = "override",
        /// The price list.
        Catalog = "catalog",
    }
}

/// What a call cost, and by whose word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// How much.
    pub amount: NanoUsd,
    /// By whose word.
    pub source: PriceSource,
    /// As of which day: the price list's own date, or the day from which a price of the user's holds. `None` where
    /// there is none: what a provider says holds for the call alone.
    pub date: Option<Date>,
}

/// All prices: the user's own, and behind them the price list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prices {
    own: Vec<Price>,
    catalog: Catalog,
}

impl Prices {
    /// The built-in price list, with these prices of the user's on top.
    #[must_use]
    pub fn new(own: Vec<Price>) -> Self {
        Self {
            own,
            catalog: Catalog::default(),
        }
    }

    /// With another price list below.
    #[must_use]
    pub fn with_catalog(self, catalog: Catalog) -> Self {
        Self { catalog, ..self }
    }

    /// With other prices of the user's.
    #[must_use]
    pub fn with_own(self, own: Vec<Price>) -> Self {
        Self { own, ..self }
    }

    /// The price list.
    #[must_use]
    pub const fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The user's own, in the order in which they were said.
    #[must_use]
    pub fn own_prices(&self) -> &[Price] {
        &self.own
    }

    /// What a call cost, at the prices of its time. `model` is the one that answered, or else was asked for.
    #[must_use]
    pub fn cost(&self, start: &CallStart, model: Option<&str>, end: &CallEnd) -> Option<Cost> {
        if let Some(amount) = end.parts.provider_cost {
            return Some(Cost {
                amount,
                source: PriceSource::Provider,
                date: None,
            });
        }
        let model = model?;
        if let Some(price) = self.own(start, model) {
            let amount = price.rates.amount(end)?;
            return Some(Cost {
                amount: charged(start.operation, amount),
                source: PriceSource::Override,
                date: price.from,
            });
        }
        let provider = start.price_provider.as_deref()?;
        let amount = self
            .catalog
            .amount(provider, model, start.started_at, &end.parts)?;
        Some(Cost {
            amount: charged(start.operation, amount),
            source: PriceSource::Catalog,
            date: Some(self.catalog.date()),
        })
    }

    /// The user's price for a call: of those that apply the most particular, and of several such the newest.
    fn own(&self, start: &CallStart, model: &str) -> Option<&Price> {
        let applying = self
            .own
            .iter()
            .filter(|price| price.applies(&start.provider, model, start.started_at));
        applying.max_by_key(|price| price.rank())
    }
}

/// What is charged of a price: in a batch half of it, with every provider that has batches.
const fn charged(operation: Operation, amount: NanoUsd) -> NanoUsd {
    match operation {
        Operation::BatchResults => NanoUsd(amount.0 / 2),
        _ => amount,
    }
}

#[cfg(test)]
mod tests;
