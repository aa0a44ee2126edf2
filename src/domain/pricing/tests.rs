use jiff::civil::date;
use proptest::prelude::*;

use super::*;
use crate::domain::call::{Outcome, Source};
use crate::domain::estimate::Intervals;
use crate::domain::ids::CallId;
use crate::domain::operation::Operation;
use crate::domain::units::{Millis, Timestamp, Tokens};
use crate::domain::usage::parts::Parts;

/// 2026-09-21.
const AT: Timestamp = Timestamp(1_790_000_000_000);

fn start(mount: &str, prices: Option<&str>) -> CallStart {
    CallStart {
        id: CallId::from_uuid(uuid::Uuid::nil()),
        started_at: AT,
        provider: mount.into(),
        price_provider: prices.map(Into::into),
        operation: Operation::ChatCompletions,
        request_model: None,
        conversation: None,
        agent: None,
        client: None,
        asked: None,
    }
}

fn end(parts: Parts) -> CallEnd {
    CallEnd {
        outcome: Outcome::Complete,
        status: Some(200),
        model: None,
        parts,
        source: Some(Source::Exact),
        estimate: Intervals::default(),
        raw_usage: None,
        request_id: None,
        error: None,
        streamed: false,
        ttft: None,
        duration: Millis(1),
    }
}

fn parts() -> Parts {
    Parts {
        input: Some(Tokens(900)),
        cache_read: Some(Tokens(100)),
        output: Some(Tokens(50)),
        ..Parts::default()
    }
}

fn by_catalog(provider: &str, model: &str, parts: Parts) -> Option<i64> {
    let cost = Prices::default().cost(&start(provider, Some(provider)), Some(model), &end(parts))?;
    assert_eq!(
        (cost.source, cost.date),
        (PriceSource::Catalog, Some(CATALOG_DATE))
    );
    Some(cost.amount.0)
}

#[test]
fn cached_tokens_are_not_priced_twice() {
    // 900 at 3 $, 100 cached at 0.30 $, 50 generated at 15 $ a million.
    let cost = by_catalog("anthropic", "claude-sonnet-4-5-20250929", parts());
    assert_eq!(cost, Some(3_480_000));
}

#[test]
fn an_hour_of_cache_costs_more_than_five_minutes() {
    for (provider, model, five, hour) in [
        ("anthropic", "claude-sonnet-4-5", 3_750_000, 6_000_000),
        ("anthropic", "claude-haiku-4-5", 1_250_000, 2_000_000),
        ("anthropic", "claude-opus-4-1", 18_750_000, 30_000_000),
    ] {
        let with = |five, hour| {
            let parts = Parts {
                cache_write_5m: Some(Tokens(five)),
                cache_write_1h: Some(Tokens(hour)),
                ..parts()
            };
            by_catalog(provider, model, parts).unwrap()
        };
        assert_eq!(with(1000, 0) - with(0, 0), five, "{model}");
        assert_eq!(with(0, 1000) - with(0, 0), hour, "{model}");
        assert_eq!(with(1000, 1000) - with(0, 0), five + hour, "{model}");
    }
}

#[test]
fn a_long_prompt_is_priced_at_its_tier() {
    let cost = |input, cached| {
        let parts = Parts {
            input: Some(Tokens(input)),
            cache_read: Some(Tokens(cached)),
            output: Some(Tokens(1000)),
            ..Parts::default()
        };
        by_catalog("google", "gemini-2.5-pro", parts).unwrap()
    };
    // Up to 200,000 tokens 1.25 $ and 10 $ a million, beyond them all at 2.50 $ and 15 $.
    assert_eq!(cost(200_000, 0), 250_000_000 + 10_000_000);
    assert_eq!(cost(200_001, 0), 500_002_500 + 15_000_000);
    // The cached tokens count for the tier.
    let (below, above) = (cost(100_000, 100_000), cost(100_000, 100_001));
    assert_eq!(below, 125_000_000 + 12_500_000 + 10_000_000);
    assert!(above > 250_000_000 + 15_000_000, "{above}");
}

#[test]
fn what_has_no_price_has_no_cost() {
    assert_eq!(by_catalog("openai", "no-such-model", parts()), None);
    assert_eq!(by_catalog("openai", "gpt-4o", Parts::default()), None);
    let prices = Prices::default();
    assert_eq!(
        prices.cost(&start("mine", None), Some("gpt-4o"), &end(parts())),
        None
    );
    assert_eq!(
        prices.cost(&start("openai", Some("openai")), None, &end(parts())),
        None
    );
}

#[test]
fn the_providers_own_word_wins() {
    let parts = Parts {
        provider_cost: Some(NanoUsd(7)),
        ..parts()
    };
    let prices = Prices::new(vec![price("*", None, 5)]);
    let cost = prices.cost(&start("openai", Some("openai")), Some("gpt-4o"), &end(parts));
    let expected = Cost {
        amount: NanoUsd(7),
        source: PriceSource::Provider,
        date: None,
    };
    assert_eq!(cost, Some(expected));
}

/// A price of so many dollars a million for everything.
fn price(model: &str, provider: Option<&str>, dollars: i64) -> Price {
    let rate = Some(NanoUsd(dollars * 1_000_000_000));
    Price {
        provider: provider.map(Into::into),
        model: Pattern::parse(model).unwrap(),
        from: None,
        rates: Rates {
            input: rate,
            output: rate,
            ..Rates::default()
        },
    }
}

fn million() -> CallEnd {
    end(Parts {
        input: Some(Tokens(1_000_000)),
        ..Parts::default()
    })
}

/// How many dollars a million tokens cost by the user's own prices.
fn own_dollars(prices: &Prices, mount: &str, model: &str) -> Option<i64> {
    let cost = prices.cost(&start(mount, None), Some(model), &million())?;
    assert_eq!(cost.source, PriceSource::Override);
    Some(cost.amount.0 / 1_000_000_000)
}

#[test]
fn of_the_users_prices_the_most_particular_holds() {
    let mut prices = vec![
        price("*", None, 1),
        price("gpt-*", None, 2),
        price("gpt-4*", None, 3),
        price("gpt-*", Some("openai"), 4),
        price("gpt-4o", None, 5),
        price("gpt-4o", Some("azure"), 6),
    ];
    for _ in 0..2 {
        let own = Prices::new(prices.clone());
        for (mount, model, expected) in [
            ("groq", "llama", 1),
            ("groq", "gpt-3", 2),
            ("groq", "gpt-4.1", 3),
            ("openai", "gpt-4.1", 4),
            ("openai", "gpt-4o", 5),
            ("azure", "GPT-4o", 6),
        ] {
            assert_eq!(own_dollars(&own, mount, model), Some(expected), "{mount} {model}");
        }
        prices.reverse();
    }
    let own = Prices::new(vec![price("gpt-4o", Some("openai"), 4)]);
    assert_eq!(own_dollars(&own, "azure", "gpt-4o"), None);
}

#[test]
fn a_price_holds_from_its_day_on() {
    let dated = |day: i8, dollars| Price {
        from: Some(date(2026, 9, day)),
        ..price("m", None, dollars)
    };
    // The call was made on the 21st.
    let prices = Prices::new(vec![dated(21, 3), dated(22, 4), dated(1, 2), price("m", None, 1)]);
    let cost = prices.cost(&start("p", None), Some("m"), &million()).unwrap();
    assert_eq!(cost.amount, NanoUsd(3_000_000_000));
    assert_eq!(cost.date, Some(date(2026, 9, 21)));
    let later = Prices::new(vec![dated(22, 4)]);
    assert_eq!(later.cost(&start("p", None), Some("m"), &million()), None);
}

#[test]
fn each_part_has_its_rate_or_that_of_what_it_is_a_part_of() {
    let one = Some(Tokens(1_000_000));
    let all = Parts {
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
        ..Parts::default()
    };
    let few = Rates {
        input: Some(NanoUsd(1)),
        output: Some(NanoUsd(100)),
        ..Rates::default()
    };
    assert_eq!(few.amount(&end(all)), Some(NanoUsd(406)));
    let written = Rates {
        cache_write: Some(NanoUsd(10)),
        ..few
    };
    assert_eq!(written.amount(&end(all)), Some(NanoUsd(424)));
    let every = Rates {
        cache_read: Some(NanoUsd(1_000)),
        cache_write: Some(NanoUsd(10_000)),
        cache_write_1h: Some(NanoUsd(20_000)),
        audio_input: Some(NanoUsd(100_000)),
        reasoning: Some(NanoUsd(1_000_000)),
        audio_output: Some(NanoUsd(10_000_000)),
        request: Some(NanoUsd(100_000_000)),
        ..few
    };
    // Input and image 1, output and image 100.
    assert_eq!(every.amount(&end(all)), Some(NanoUsd(111_131_202)));
}

#[test]
fn a_part_without_a_rate_leaves_the_call_without_a_price() {
    let rates = Rates {
        input: Some(NanoUsd(1)),
        ..Rates::default()
    };
    assert_eq!(rates.amount(&end(parts())), None, "nothing for the output");
    let reported = Parts {
        unsplit: Some(Tokens(5)),
        ..Parts::default()
    };
    assert_eq!(rates.amount(&end(reported)), None);
    let nothing = Parts {
        input: Some(Tokens(0)),
        output: Some(Tokens(0)),
        ..Parts::default()
    };
    assert_eq!(Rates::default().amount(&end(nothing)), Some(NanoUsd(0)));
    // Not even the price list is asked: the user said what applies.
    let prices = Prices::new(vec![Price {
        rates,
        ..price("gpt-4o", None, 1)
    }]);
    assert_eq!(
        prices.cost(&start("openai", Some("openai")), Some("gpt-4o"), &end(parts())),
        None
    );
}

#[test]
fn a_request_costs_also_where_no_tokens_are_known_but_not_where_it_failed() {
    let rates = Rates {
        request: Some(NanoUsd(5)),
        ..Rates::default()
    };
    let mut drawn = end(Parts::default());
    assert_eq!(rates.amount(&drawn), Some(NanoUsd(5)));
    drawn.outcome = Outcome::UpstreamError;
    assert_eq!(rates.amount(&drawn), None);
}

#[test]
fn sums_are_rounded_once_and_to_the_nearest() {
    let rates = Rates {
        input: Some(NanoUsd(400_000)),
        output: Some(NanoUsd(300_000)),
        ..Rates::default()
    };
    let of = |input, output| {
        let parts = Parts {
            input: Some(Tokens(input)),
            output: Some(Tokens(output)),
            ..Parts::default()
        };
        rates.amount(&end(parts))
    };
    assert_eq!(of(1, 0), Some(NanoUsd(0)), "0.4");
    assert_eq!(of(1, 1), Some(NanoUsd(1)), "0.7");
    let dear = Rates {
        input: Some(NanoUsd(i64::MAX)),
        ..Rates::default()
    };
    let long = Parts {
        input: Some(Tokens(u64::MAX)),
        ..Parts::default()
    };
    assert_eq!(dear.amount(&end(long)), None, "more than can be held");
}

#[test]
fn stars_stand_for_any_text() {
    for (pattern, model, expected) in [
        ("gpt-4o", "gpt-4o", true),
        ("gpt-4o", "gpt-4o-mini", false),
        ("gpt-4o*", "gpt-4o", true),
        ("gpt-4o*", "gpt-4o-mini", true),
        ("*", "", true),
        ("*-mini", "gpt-4o-mini", true),
        ("*-mini", "gpt-4o-mini-2024", false),
        ("*a*b*", "xxaxxaxxb", true),
        ("a*b*c", "abbbbc", true),
        ("a*b*c", "acb", false),
        ("Qwen/*", "qwen/Qwen3-32B", true),
        ("m.1", "mx1", false),
    ] {
        assert_eq!(
            Pattern::parse(pattern).unwrap().matches(model),
            expected,
            "{pattern} {model}"
        );
    }
    assert_eq!(Pattern::parse("  "), Err(BadPattern));
}

#[test]
fn the_price_lists_date_is_that_of_its_release() {
    let lock = include_str!("../../../Cargo.lock");
    let (_, behind) = lock.split_once("name = \"genai-prices\"").unwrap();
    let version = behind.split('"').nth(1);
    assert_eq!(
        version,
        Some("0.2.1"),
        "another release of genai-prices: set CATALOG_DATE to the day it was published"
    );
}

proptest! {
    #[test]
    fn a_pattern_matches_what_it_was_made_of(
        pieces in prop::collection::vec("[a-c]{0,3}", 1..5),
        fill in prop::collection::vec("[a-c]{0,3}", 5),
        other in "[a-c]{0,8}",
    ) {
        let pattern = pieces.join("*");
        prop_assume!(!pattern.is_empty());
        let pattern = Pattern::parse(&pattern).unwrap();
        let made: String = pieces.iter().zip(&fill).enumerate()
            .map(|(at, (piece, fill))| if at == 0 { piece.clone() } else { format!("{fill}{piece}") })
            .collect();
        prop_assert!(pattern.matches(&made));
        // By the slow way: the first piece begins it, the last ends it, the others follow each other between.
        let slow = match pieces.as_slice() {
            [only] => *only == other,
            [first, between @ .., last] => {
                other.len() >= first.len() + last.len() && other.starts_with(first) && other.ends_with(last) && {
                    let inside = other.strip_prefix(first.as_str()).and_then(|rest| rest.strip_suffix(last.as_str()));
                    let mut rest = inside.unwrap_or_default();
                    between.iter().all(|piece| match rest.split_once(piece.as_str()) {
                        Some((_, behind)) => { rest = behind; true }
                        None => piece.is_empty(),
                    })
                }
            }
            [] => false,
        };
        prop_assert_eq!(pattern.matches(&other), slow);
    }
}
