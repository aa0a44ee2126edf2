//! What several commands take: budgets, stretches of time, a session.

use std::str::FromStr;

use clap::Args;
use serde_json::{Map, Value, json};

use crate::config::Environment;
use crate::domain::session::MAX_DURATION;
use crate::domain::units::{Millis, NanoUsd, Tokens};

/// How much may be used: tokens or dollars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Budget {
    /// `500000`, `500k`, `1.5M`.
    Tokens(Tokens),
    /// `$5`, `$2.50`.
    Cost(NanoUsd),
}

/// A text is no budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected tokens, such as 500000, 500k or 1.5M, or dollars, such as '$5' or '$2.50'")]
pub(super) struct BadBudget;

impl FromStr for Budget {
    type Err = BadBudget;

    fn from_str(text: &str) -> Result<Self, BadBudget> {
        if let Some(dollars) = text.strip_prefix('$') {
            let amount: NanoUsd = dollars.parse().map_err(|_| BadBudget)?;
            return if amount.0 > 0 {
                Ok(Self::Cost(amount))
            } else {
                Err(BadBudget)
            };
        }
        let (digits, unit) = match text.char_indices().next_back() {
            Some((at, 'k' | 'K')) => (text.get(..at), 1_000),
            Some((at, 'M' | 'm')) => (text.get(..at), 1_000_000),
            _ => (Some(text), 1),
        };
        let digits = digits.unwrap_or_default().replace(['_', ','], "");
        // Nine digits behind the point are kept, as with money.
        let billionths: NanoUsd = digits.parse().map_err(|_| BadBudget)?;
        let tokens = i128::from(billionths.0) * unit / 1_000_000_000;
        let tokens = u64::try_from(tokens).map_err(|_| BadBudget)?;
        if (1..=Tokens::PLAUSIBLE_MAX.0).contains(&tokens) {
            Ok(Self::Tokens(Tokens(tokens)))
        } else {
            Err(BadBudget)
        }
    }
}

/// Reads a stretch of time: `2h`, `45m`, `1h30m`.
pub(super) fn stretch(text: &str) -> Result<Millis, String> {
    let wrong = || "expected a stretch of time, such as 45m, 2h or 1h30m".to_owned();
    let read: jiff::SignedDuration = text.parse().map_err(|_| wrong())?;
    match u64::try_from(read.as_millis()) {
        Ok(0) | Err(_) => Err(wrong()),
        Ok(millis) => Ok(Millis(millis)),
    }
}

fn duration(text: &str) -> Result<Millis, String> {
    let read = stretch(text)?;
    if read > MAX_DURATION {
        return Err("a session runs for at most 5h; left out, it has no end".to_owned());
    }
    Ok(read)
}

/// The session that a command of `moonlock run` is in.
pub(super) const HERE: &str = "MOONLOCK_SESSION";

/// The session that this program runs in, if `moonlock run` started it.
pub(super) fn here(environment: &Environment) -> Option<&str> {
    environment.get(HERE)
}

/// What a session starts with, beside its name.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Plan {
    /// How much may be used: tokens (500000, 500k, 1.5M) or dollars ('$5'); twice for both
    #[arg(long, value_name = "N|$N")]
    pub(super) budget: Vec<Budget>,
    /// Refuse calls when a budget is used up, instead of an alert alone
    #[arg(long, requires = "budget")]
    pub(super) block: bool,
    /// How long it may run: 45m, 2h, 1h30m, up to 5h [default: without an end]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(super) duration: Option<Millis>,
}

impl Plan {
    /// Whether nothing is planned.
    pub(super) const fn is_empty(&self) -> bool {
        self.budget.is_empty() && self.duration.is_none()
    }

    /// The body of `POST /api/sessions`.
    pub(super) fn body(&self, name: &str) -> Map<String, Value> {
        let mut body = Map::new();
        body.insert("name".to_owned(), json!(name));
        for budget in &self.budget {
            let (field, amount) = match budget {
                Budget::Tokens(tokens) => ("tokenBudget", json!(tokens)),
                Budget::Cost(cost) => ("costBudgetNanoUsd", json!(cost)),
            };
            body.insert(field.to_owned(), amount);
        }
        if self.block {
            body.insert("atLimit".to_owned(), json!("block"));
        }
        if let Some(duration) = self.duration {
            body.insert("duration".to_owned(), json!(duration));
        }
        body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budgets_are_tokens_or_dollars() {
        let tokens = |tokens| Some(Budget::Tokens(Tokens(tokens)));
        let cost = |nanos| Some(Budget::Cost(NanoUsd(nanos)));
        for (text, expected) in [
            ("500000", tokens(500_000)),
            ("500,000", tokens(500_000)),
            ("500k", tokens(500_000)),
            ("1.5M", tokens(1_500_000)),
            ("0.5k", tokens(500)),
            ("1", tokens(1)),
            ("$5", cost(5_000_000_000)),
            ("$2.50", cost(2_500_000_000)),
            ("$0.000000001", cost(1)),
            ("0", None),
            ("0.5", None),
            ("$0", None),
            ("-1", None),
            ("k", None),
            ("", None),
            ("$", None),
            ("five", None),
            ("5 k", None),
            ("9999999M", None),
            ("日", None),
        ] {
            assert_eq!(text.parse().ok(), expected, "{text}");
        }
    }

    #[test]
    fn stretches_are_read_as_people_write_them() {
        for (text, expected) in [
            ("2h", Some(7_200_000)),
            ("45m", Some(2_700_000)),
            ("1h30m", Some(5_400_000)),
            ("1h 30m", Some(5_400_000)),
            ("90s", Some(90_000)),
            ("1500ms", Some(1_500)),
            ("5h", Some(18_000_000)),
            ("0s", None),
            ("-1h", None),
            ("2", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(stretch(text).ok(), expected.map(Millis), "{text}");
        }
        assert!(duration("5h1s").is_err() && duration("5h").is_ok());
    }
}
