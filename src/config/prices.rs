//! The user's own prices, as a configuration file says them: `[[prices]]`.

use std::fmt;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};
use toml::Spanned;

use super::error::ConfigError;
use super::mount::Mounts;
use super::raw::Place;
use crate::domain::pricing::{Pattern, Price, Prices, Rates};
use crate::domain::units::NanoUsd;

/// One `[[prices]]` table. Money is in dollars, for a million tokens but for `request`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPrice {
    provider: Option<Spanned<String>>,
    model: Spanned<String>,
    from: Option<Spanned<toml::value::Datetime>>,
    input: Option<Dollars>,
    cache_read: Option<Dollars>,
    cache_write: Option<Dollars>,
    cache_write_1h: Option<Dollars>,
    audio_input: Option<Dollars>,
    output: Option<Dollars>,
    reasoning: Option<Dollars>,
    audio_output: Option<Dollars>,
    request: Option<Dollars>,
    /// Where it stands; known once the whole file is read.
    #[serde(skip)]
    lines: Lines,
}

/// The lines of a price's keys, for errors that are found later.
#[derive(Clone, Debug, Default)]
struct Lines {
    file: PathBuf,
    provider: usize,
    model: usize,
    from: usize,
}

impl RawPrice {
    /// Notes where it stands in a file.
    pub(super) fn locate(&mut self, file: &Path, text: &str) {
        let line = |at: usize| Place::find(text, at).line;
        self.lines = Lines {
            file: file.to_owned(),
            provider: self.provider.as_ref().map_or(0, |key| line(key.span().start)),
            model: line(self.model.span().start),
            from: self.from.as_ref().map_or(0, |key| line(key.span().start)),
        };
    }

    fn wrong(&self, line: usize, key: &str, problem: &dyn fmt::Display) -> ConfigError {
        ConfigError::File {
            file: self.lines.file.clone(),
            line,
            key: format!("prices.{key}"),
            problem: problem.to_string(),
        }
    }

    fn resolve(&self, mounts: &Mounts) -> Result<Price, ConfigError> {
        let provider = self.provider.as_ref().map(|provider| provider.get_ref().as_str());
        if let Some(unknown) = provider.filter(|provider| mounts.get(provider).is_none()) {
            let names: Vec<&str> = mounts.iter().map(|mount| &*mount.name).collect();
            let problem = format!("there is no mount `{unknown}`; there are: {}", names.join(", "));
            return Err(self.wrong(self.lines.provider, "provider", &problem));
        }
        let model = Pattern::parse(self.model.get_ref())
            .map_err(|problem| self.wrong(self.lines.model, "model", &problem))?;
        let from = self
            .from
            .as_ref()
            .map(|from| self.day(from.get_ref()))
            .transpose()?;
        let nanos = |dollars: Option<Dollars>| dollars.map(|Dollars(nanos)| nanos);
        let rates = Rates {
            input: nanos(self.input),
            cache_read: nanos(self.cache_read),
            cache_write: nanos(self.cache_write),
            cache_write_1h: nanos(self.cache_write_1h),
            audio_input: nanos(self.audio_input),
            output: nanos(self.output),
            reasoning: nanos(self.reasoning),
            audio_output: nanos(self.audio_output),
            request: nanos(self.request),
        };
        if rates.is_empty() {
            let problem = "it has no price: say at least `input` and `output`, in dollars a million tokens, or `request`";
            return Err(self.wrong(self.lines.model, "model", &problem));
        }
        Ok(Price {
            provider: provider.map(Into::into),
            model,
            from,
            rates,
        })
    }

    fn day(&self, from: &toml::value::Datetime) -> Result<Date, ConfigError> {
        let wrong = || {
            self.wrong(
                self.lines.from,
                "from",
                &"expected a day such as 2026-11-01, without quotes or a time",
            )
        };
        match (from.date, from.time) {
            (Some(day), None) => {
                let parts = (
                    i16::try_from(day.year),
                    i8::try_from(day.month),
                    i8::try_from(day.day),
                );
                let (Ok(year), Ok(month), Ok(day)) = parts else {
                    return Err(wrong());
                };
                Date::new(year, month, day).map_err(|_| wrong())
            }
            _ => Err(wrong()),
        }
    }
}

/// The prices of all files.
///
/// # Errors
/// The first that cannot be used, with where it stands.
pub(super) fn resolve(raw: &[RawPrice], mounts: &Mounts) -> Result<Prices, ConfigError> {
    let prices: Result<Vec<Price>, ConfigError> = raw.iter().map(|price| price.resolve(mounts)).collect();
    Ok(Prices::new(prices?))
}

/// Dollars, exact to a billionth: `"2.50"`, or `2.5`.
#[derive(Clone, Copy, Debug)]
struct Dollars(NanoUsd);

impl<'de> Deserialize<'de> for Dollars {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DollarsVisitor)
    }
}

struct DollarsVisitor;

impl Visitor<'_> for DollarsVisitor {
    type Value = Dollars;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("dollars, such as 2.5 or \"2.50\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Dollars, E> {
        text.parse()
            .map(Dollars)
            .map_err(|problem| E::custom(format!("`{text}` {problem}")))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Dollars, E> {
        self.visit_str(&number.to_string())
    }

    /// A float's shortest text is the decimal number that was written, as long as that has no more than 15 digits.
    fn visit_f64<E: Error>(self, number: f64) -> Result<Dollars, E> {
        self.visit_str(&number.to_string())
    }
}
