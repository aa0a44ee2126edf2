use super::*;
use crate::domain::call::{Attribution, CallStart};
use crate::domain::estimate::Intervals;
use crate::domain::ids::CallId;
use crate::domain::pricing::{Cost, PriceSource};
use crate::domain::units::{Millis, Timestamp};
use uuid::Uuid;

fn call(provider: &str, model: &str, input: Option<u64>, output: Option<u64>) -> Call {
    Call {
        start: CallStart {
            id: CallId::from_uuid(Uuid::nil()),
            started_at: Timestamp(0),
            provider: provider.into(),
            price_provider: None,
            operation: Operation::Messages,
            request_model: None,
            conversation: None,
            agent: None,
            client: None,
            asked: None,
        },
        session: None,
        attribution: Attribution::Unassigned,
        end: Some(CallEnd {
            outcome: Outcome::Complete,
            status: Some(200),
            model: Some(model.into()),
            parts: Parts {
                input: input.map(Tokens),
                cache_read: input.map(|_| Tokens(100)),
                output: output.map(Tokens),
                ..Parts::default()
            },
            source: input.map(|_| Source::Exact),
            estimate: Intervals::default(),
            raw_usage: None,
            request_id: None,
            error: None,
            streamed: true,
            ttft: Some(Millis(7)),
            duration: Millis(30),
        }),
        cost: None,
        counted_by: None,
        changed_at: None,
    }
}

fn failed(mut call: Call, status: u16) -> Call {
    if let Some(end) = &mut call.end {
        end.outcome = Outcome::UpstreamError;
        end.status = Some(status);
    }
    call
}

fn only(metrics: &Metrics) -> &Series {
    assert_eq!(metrics.series().len(), 1);
    &metrics.series()[0]
}

#[test]
fn a_bound_is_inclusive_and_nothing_is_lost_above_the_last() {
    let mut histogram = Histogram::new(&[1, 4]);
    for number in [0, 1, 2, 4, 5, u64::MAX] {
        histogram.observe(number);
    }
    assert_eq!(histogram.cumulative().collect::<Vec<_>>(), [(1, 2), (4, 4)]);
    assert_eq!((histogram.count(), histogram.sum()), (6, u64::MAX));
}

#[test]
fn a_call_is_in_the_series_that_the_convention_names() {
    let mut metrics = Metrics::default();
    metrics.ended(&call("bedrock", "m", Some(10), Some(3)));
    metrics.ended(&call("mantle", "m", Some(1), None));
    let series = only(&metrics);
    assert_eq!(
        (&*series.provider, &*series.model, series.operation),
        ("aws.bedrock", "m", "chat")
    );
    assert_eq!(
        (series.input.count(), series.input.sum()),
        (2, 211),
        "cached ones are input"
    );
    assert_eq!(
        (series.output.count(), series.output.sum()),
        (1, 3),
        "unknown is not zero"
    );
    assert_eq!((series.first_token.count(), series.first_token.sum()), (2, 14));
    let expected = TokenSums {
        input: 11,
        cache_read: 200,
        output: 3,
        ..TokenSums::default()
    };
    assert_eq!(series.tokens, expected);
    assert_eq!(series.unpriced_tokens, 214);
    assert_eq!(series.inexact_tokens, 0);
}

#[test]
fn what_becomes_known_later_is_taken_in_once() {
    let mut metrics = Metrics::default();
    let before = call("openai", "m", None, Some(2));
    metrics.ended(&before);
    let mut later = call("openai", "m", Some(10), Some(5));
    if let Some(end) = &mut later.end {
        end.source = Some(Source::Estimated);
    }
    later.cost = Some(Cost {
        amount: NanoUsd(8),
        source: PriceSource::Catalog,
        date: None,
    });
    metrics.known_later(&before, &later);
    let series = only(&metrics);
    assert_eq!((series.input.count(), series.output.count()), (1, 1));
    assert_eq!((series.tokens.input, series.tokens.output), (10, 5));
    assert_eq!(series.cost_nano_usd, 8);
    assert_eq!(series.durations[0].1.count(), 1, "it ended once");
}

#[test]
fn what_is_counted_elsewhere_or_by_hand_is_no_operation() {
    let mut metrics = Metrics::default();
    let other = CallId::from_uuid(Uuid::from_u128(9));
    metrics.ended(&call("openai", "m", Some(1), None).counted_with(other));
    assert_eq!(metrics.series(), []);
    let mut manual = call("manual", "m", Some(1), None);
    manual.start.operation = Operation::Manual;
    metrics.ended(&manual);
    let series = only(&metrics);
    assert_eq!((series.durations.len(), series.input.count()), (0, 1));
}

#[test]
fn errors_are_told_apart_up_to_a_bound() {
    let mut metrics = Metrics::default();
    for status in 400..500 {
        metrics.ended(&failed(call("openai", "m", None, None), status));
    }
    metrics.ended(&call("openai", "m", None, None));
    let series = only(&metrics);
    let kinds: Vec<Option<ErrorType>> = series.durations.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds[0], Some(ErrorType::Status(400)));
    assert_eq!(kinds[MOST_ERRORS], Some(ErrorType::Other));
    assert_eq!(
        kinds[MOST_ERRORS + 1],
        None,
        "success is no error of another kind"
    );
    let calls: u64 = series.durations.iter().map(|(_, times)| times.count()).sum();
    assert_eq!(calls, 101);
}

#[test]
fn invented_models_do_not_grow_the_series_without_a_bound() {
    let mut metrics = Metrics::default();
    for n in 0..2 * MOST_SERIES {
        metrics.ended(&call("openai", &format!("m{n}"), Some(1), None));
    }
    metrics.ended(&call("openai", "m0", Some(1), None));
    assert_eq!(metrics.series().len(), MOST_SERIES + 1);
    let other = &metrics.series()[MOST_SERIES];
    assert_eq!((&*other.model, other.input.count()), (OTHER, MOST_SERIES as u64));
    assert_eq!(metrics.series()[0].input.count(), 2, "a known one stays apart");
    assert_eq!(metrics.places["openai"].len(), MOST_SERIES);
}
