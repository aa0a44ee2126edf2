//! Reads token numbers out of a usage object, and notices those that cannot be right.

use serde_json::{Map, Value};

use super::node::Node;
use super::reading::Flaws;
use crate::domain::units::{NanoUsd, Tokens};

/// A usage object, as far as it can be read.
#[derive(Debug)]
pub(super) struct Fields {
    object: Node,
    /// A field was there and could not be used.
    pub spoiled: bool,
}

impl Fields {
    /// Reads a usage object from its text; `null` is no object, anything else that is none is a flaw.
    pub(super) fn parse(text: &[u8], flaws: &mut Flaws) -> Option<Self> {
        match serde_json::from_slice(text) {
            Ok(Node::Null) => None,
            Ok(object @ Node::Object(_)) => Some(Self {
                object,
                spoiled: false,
            }),
            _ => {
                flaws.malformed_usage = true;
                None
            }
        }
    }

    /// A usage object that was put together.
    pub(super) fn of(object: Map<String, Value>) -> Self {
        Self {
            object: Value::Object(object).into(),
            spoiled: false,
        }
    }

    /// The fields of each object in the array at `key`.
    pub(super) fn elements(&self, key: &str) -> Vec<Self> {
        let elements = self.object.get(key).and_then(Node::as_array);
        elements
            .into_iter()
            .flatten()
            .filter(|element| matches!(element, Node::Object(_)))
            .map(|element| Self {
                object: element.clone(),
                spoiled: false,
            })
            .collect()
    }

    /// The value at `path`; missing and `null` are the same.
    pub(super) fn value(&self, path: &[&str]) -> Option<&Node> {
        path.iter()
            .try_fold(&self.object, |value, key| value.get(key))
            .filter(|value| **value != Node::Null)
    }

    /// The tokens at `path`. A number that cannot be a count of tokens spoils the object.
    pub(super) fn tokens(&mut self, path: &[&str]) -> Option<Tokens> {
        let tokens = match self.value(path)? {
            Node::Number(number) => number.as_u64().or_else(|| whole(number.as_f64()?)),
            _ => None,
        };
        let tokens = tokens
            .map(Tokens)
            .filter(|tokens| *tokens <= Tokens::PLAUSIBLE_MAX);
        self.spoiled |= tokens.is_none();
        tokens
    }

    /// The tokens at the first of `paths` that is there.
    pub(super) fn first(&mut self, paths: &[&[&str]]) -> Option<Tokens> {
        paths.iter().find_map(|path| self.tokens(path))
    }

    /// The amount of US dollars at `path`, rounded to billionths.
    pub(super) fn dollars(&self, path: &[&str]) -> Option<NanoUsd> {
        match self.value(path)? {
            Node::Number(number) => nano_usd(&number.to_string()),
            _ => None,
        }
    }

    /// What the provider of an OpenAI-style usage object says that the call cost.
    pub(super) fn cost(&self) -> Option<NanoUsd> {
        if let Some(ticks) = self.value(&["cost_in_usd_ticks"]).and_then(Node::as_i64) {
            // xAI: 10^10 ticks are a dollar.
            return Some(NanoUsd(ticks / 10));
        }
        let charged = self
            .dollars(&["cost"])
            .or_else(|| self.dollars(&["cost", "total_cost"]));
        if self.value(&["is_byok"]).and_then(Node::as_bool) == Some(true) {
            // OpenRouter with the user's own key: the provider behind it charges the user as well.
            return Some(charged? + self.dollars(&["cost_details", "upstream_inference_cost"])?);
        }
        charged
    }
}

/// A float that is a whole number: some servers write `12.0`.
fn whole(number: f64) -> Option<u64> {
    let plausible = 0.0..=Tokens::PLAUSIBLE_MAX.0 as f64;
    (plausible.contains(&number) && number.fract() == 0.0).then_some(number as u64)
}

/// Reads a decimal number of dollars (`0.00012`, `5.37e-6`) without going through binary fractions.
pub(super) fn nano_usd(decimal: &str) -> Option<NanoUsd> {
    let (number, exponent) = match decimal.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, exponent.parse::<i32>().ok()?),
        None => (decimal, 0),
    };
    let (negative, number) = number
        .strip_prefix('-')
        .map_or((false, number), |rest| (true, rest));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let scale = 9_i32
        .checked_add(exponent)?
        .checked_sub(i32::try_from(fraction.len()).ok()?)?;
    let power = |scale: u32| 10_i128.checked_pow(scale);
    let nano = if scale >= 0 {
        digits.checked_mul(power(scale.unsigned_abs())?)?
    } else {
        power(scale.unsigned_abs()).map_or(0, |divisor| (digits + divisor / 2) / divisor)
    };
    i64::try_from(if negative { -nano } else { nano })
        .ok()
        .map(NanoUsd)
}

/// Tokens that are not given out yet.
///
/// Providers' details overlap and exceed their totals. Parts that are taken from one sum cannot.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rest(pub Tokens);

impl Rest {
    /// Takes a part out, or what is left of it.
    pub(super) fn take(&mut self, part: Option<Tokens>) -> Option<Tokens> {
        let part = part?.min(self.0);
        self.0 = self.0.saturating_sub(part);
        Some(part)
    }

    /// What nobody took.
    pub(super) fn remaining(self) -> Option<Tokens> {
        Some(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_a_count_of_tokens_or_spoils_the_object() {
        for (value, expected, spoiled) in [
            ("7", Some(7), false),
            ("0", Some(0), false),
            ("12.0", Some(12), false),
            ("null", None, false),
            ("-1", None, true),
            ("1.5", None, true),
            ("\"7\"", None, true),
            ("[]", None, true),
            ("1000000000000", Some(1_000_000_000_000), false),
            ("1000000000001", None, true),
            ("1e300", None, true),
        ] {
            let text = format!(r#"{{"a":{{"b":{value}}}}}"#);
            let mut fields = Fields::parse(text.as_bytes(), &mut Flaws::default()).unwrap();
            assert_eq!(fields.tokens(&["a", "b"]), expected.map(Tokens), "{value}");
            assert_eq!(fields.spoiled, spoiled, "{value}");
            assert_eq!(fields.tokens(&["a", "c"]), None);
        }
    }

    #[test]
    fn what_is_no_object_is_a_flaw_unless_it_is_null() {
        for (text, flawed) in [
            ("null", false),
            ("{}", false),
            ("7", true),
            ("{", true),
            ("\"x\"", true),
        ] {
            let mut flaws = Flaws::default();
            Fields::parse(text.as_bytes(), &mut flaws);
            assert_eq!(flaws.malformed_usage, flawed, "{text}");
        }
    }

    #[test]
    fn money_is_read_digit_by_digit() {
        for (decimal, expected) in [
            ("0", Some(0)),
            ("0.00417", Some(4_170_000)),
            ("5.37e-06", Some(5_370)),
            ("5.37e-6", Some(5_370)),
            ("1.5E2", Some(150_000_000_000)),
            ("0.30000000000000004", Some(300_000_000)),
            ("1e-10", Some(0)),
            ("5e-10", Some(1)),
            ("-0.5", Some(-500_000_000)),
            ("1e-400", Some(0)),
            ("1e400", None),
            ("x", None),
        ] {
            assert_eq!(nano_usd(decimal), expected.map(NanoUsd), "{decimal}");
        }
    }

    #[test]
    fn parts_never_exceed_their_sum() {
        let mut rest = Rest(Tokens(10));
        assert_eq!(rest.take(Some(Tokens(7))), Some(Tokens(7)));
        assert_eq!(rest.take(None), None);
        assert_eq!(rest.take(Some(Tokens(7))), Some(Tokens(3)));
        assert_eq!(rest.remaining(), Some(Tokens(0)));
    }
}
