//! What holds whatever comes: no absurd number, no order turned round, the same again for the same.

use proptest::prelude::*;

use super::*;
use crate::domain::units::{NanoUsd, Tokens};
use crate::domain::usage::parts::Parts;

const HALF_HOUR: End = End::Planned(Millis(1_800_000));

fn call(tokens: u64) -> CallUse {
    let parts = Parts {
        input: Some(Tokens(tokens / 10)),
        cache_read: Some(Tokens(tokens - tokens / 10)),
        ..Parts::default()
    };
    let cost = i64::try_from(tokens).unwrap_or(i64::MAX);
    CallUse::of(&parts, Some(NanoUsd(cost))).unwrap()
}

/// A session with a call of that size each half minute, for so many minutes.
fn steady(prior: &Prior, tokens: u64, minutes: u64) -> Forecast {
    let mut forecast = Forecast::new(prior);
    for half in 1..=minutes * 2 {
        forecast.observe(call(tokens), Millis(half * 30_000));
    }
    forecast
}

#[test]
fn nothing_is_said_before_anything_is_known() {
    let forecast = Forecast::new(&Prior::default());
    assert_eq!(forecast.total(Millis(0), HALF_HOUR), None);
    assert_eq!(forecast.cost(Millis(0), End::Open), None);
    assert_eq!(forecast.tokens_overrun(Millis(0), HALF_HOUR, Tokens(0)), None);
    assert_eq!(forecast.tokens_limit(Millis(0), Tokens(1)), None);
    assert_eq!(BurnRate::default().at(Millis(60_000)), None);
}

#[test]
fn a_cost_that_nobody_knows_is_not_a_cost_of_nothing() {
    let mut forecast = Forecast::new(&Prior::default());
    let mut rate = BurnRate::default();
    let unpriced = CallUse {
        cost: None,
        ..call(1_000)
    };
    forecast.observe(unpriced, Millis(1_000));
    rate.observe(unpriced, Millis(1_000));
    assert!(forecast.total(Millis(1_000), HALF_HOUR).is_some());
    assert_eq!(forecast.cost(Millis(1_000), HALF_HOUR), None);
    assert_eq!(forecast.unpriced_calls(), 1);
    assert_eq!(rate.at(Millis(1_000)).unwrap().cost, None);
}

#[test]
fn the_parts_of_a_call_have_their_worth() {
    let parts = Parts {
        input: Some(Tokens(100)),
        cache_read: Some(Tokens(1_000)),
        cache_write_5m: Some(Tokens(40)),
        output: Some(Tokens(20)),
        ..Parts::default()
    };
    let expected = CallUse {
        total: Tokens(1_160),
        fresh: Tokens(160),
        generated: Tokens(20),
        worth: Tokens(100 + 100 + 50 + 100),
        cost: None,
    };
    assert_eq!(CallUse::of(&parts, None), Some(expected));
    assert_eq!(CallUse::of(&Parts::default(), None), None);
}

#[test]
fn the_end_is_what_was_spent() {
    let forecast = steady(&Prior::default(), 100_000, 30);
    for at in [1_800_000, 9_000_000] {
        let outlook = forecast.total(Millis(at), HALF_HOUR).unwrap();
        assert_eq!(outlook.spent, Tokens(6_000_000));
        assert_eq!(outlook.expected, outlook.spent);
        assert_eq!(
            outlook.band_95,
            Band {
                low: outlook.spent,
                high: outlook.spent
            }
        );
        let more = forecast.tokens_overrun(Millis(at), HALF_HOUR, Tokens(6_000_001));
        assert_eq!(more, Some(Chance::NEVER));
        let met = forecast.tokens_overrun(Millis(at), HALF_HOUR, Tokens(6_000_000));
        assert_eq!(met, Some(Chance::CERTAIN));
    }
}

#[test]
fn a_limit_that_is_met_takes_no_time_and_a_far_one_is_not_met_within_a_day() {
    let forecast = steady(&Prior::default(), 100_000, 10);
    let met = forecast.tokens_limit(Millis(600_000), Tokens(2_000_000)).unwrap();
    assert_eq!((met.early, met.late), (Some(Millis(0)), Some(Millis(0))));
    let far = forecast.tokens_limit(Millis(600_000), Tokens(u64::MAX)).unwrap();
    assert_eq!((far.early, far.expected, far.late), (None, None, None));
}

#[test]
fn a_steady_burn_is_told_as_it_is() {
    let mut rate = BurnRate::default();
    for half in 1..=120 {
        rate.observe(call(50_000), Millis(half * 30_000));
    }
    let pace = rate.at(Millis(3_600_000)).unwrap();
    assert!(pace.tokens.0.abs_diff(100_000) < 5_000, "{pace:?}");
    assert!(pace.cost.unwrap().0.abs_diff(100_000) < 5_000, "{pace:?}");
    assert!(pace.calls_per_hour.abs_diff(120) < 6, "{pace:?}");
    let later = rate.at(Millis(3_900_000)).unwrap();
    assert!(
        later.tokens.0.abs_diff(pace.tokens.0 / 2) < 100,
        "{pace:?} {later:?}"
    );
}

#[test]
fn own_sessions_move_what_is_usual_from_the_third_on_and_are_bounded() {
    let small = || steady(&Prior::default(), 1_000, 30).finished(Millis(1_800_000));
    let mut prior = Prior::default();
    prior.learn(small());
    prior.learn(small());
    prior.learn(Finished { calls: 1, ..small() });
    assert_eq!(prior.sessions(), 0, "two are too few, and one call is no session");
    let expected = |prior: &Prior| {
        let forecast = steady(prior, 1_000, 1);
        forecast.total(Millis(60_000), HALF_HOUR).unwrap()
    };
    assert_eq!(expected(&prior), expected(&Prior::default()));
    for _ in 0..50 {
        prior.learn(small());
    }
    assert_eq!(prior.sessions(), 20);
    let (own, built_in) = (expected(&prior), expected(&Prior::default()));
    assert!(own.expected.0 * 3 < built_in.expected.0, "{own:?} {built_in:?}");
    assert_eq!(own.past_sessions, 20);
    assert!(Forecast::new(&prior).total(Millis(0), End::Open).is_some());
    let text = serde_json::to_string(&prior).unwrap();
    assert!(text.len() < 4_000);
    assert_eq!(serde_json::from_str::<Prior>(&text).unwrap(), prior);
}

#[test]
fn bands_and_warnings_are_held_against_what_came() {
    let forecast = steady(&Prior::default(), 100_000, 10);
    let outlook = forecast.total(Millis(600_000), HALF_HOUR).unwrap();
    let mut shown = Shown::default();
    shown.note(Millis(60_000), HALF_HOUR, &outlook);
    assert_eq!(shown, Shown::default(), "before a quarter nothing counts");
    shown.note(Millis(600_000), HALF_HOUR, &outlook);
    shown.warn(Tokens(3_000_000));
    let settle = |active, total| shown.settle(Millis(active), HALF_HOUR, Tokens(total));
    let expected = |shown, held, warning| Settled {
        shown,
        held,
        warning: Some(warning),
    };
    assert_eq!(
        settle(1_800_000, 6_000_000),
        expected(1, 1, EarlyWarning::CameTrue)
    );
    assert_eq!(settle(1_800_000, 2_000_001), expected(1, 0, EarlyWarning::False));
    assert_eq!(settle(900_000, 2_000_001), expected(0, 0, EarlyWarning::Unknown));

    let mut record = TrackRecord::default();
    for _ in 0..100 {
        record.learn(settle(1_800_000, 2_000_001));
        record.learn(Settled::default());
    }
    let score = record.score();
    assert_eq!((score.bands, score.held, score.sessions), (60, 0, 60));
    assert_eq!((score.warnings, score.came_true), (60, 0));
    assert_eq!(Confidence::High.given(score), Confidence::Medium);
    assert_eq!(Confidence::High.given(Score::default()), Confidence::High);
    let text = serde_json::to_string(&record).unwrap();
    assert_eq!(serde_json::from_str::<TrackRecord>(&text).unwrap(), record);
}

fn ends() -> impl Strategy<Value = End> {
    prop_oneof![
        any::<u64>().prop_map(|end| End::Planned(Millis(end))),
        Just(End::Open)
    ]
}

/// Small, ordinary and absurd numbers.
fn numbers() -> impl Strategy<Value = u64> {
    prop_oneof![0..10_u64, 0..100_000_000_u64, any::<u64>()]
}

proptest! {
    #[test]
    fn no_number_is_absurd(
        calls in prop::collection::vec((numbers(), numbers()), 1..40),
        at in numbers(),
        end in ends(),
        budget in numbers(),
    ) {
        let mut forecast = Forecast::new(&Prior::default());
        let mut rate = BurnRate::default();
        for (tokens, when) in calls {
            forecast.observe(call(tokens), Millis(when));
            rate.observe(call(tokens), Millis(when));
        }
        let at = Millis(at);
        let outlook = forecast.total(at, end).unwrap();
        let rising = [
            outlook.spent,
            outlook.band_95.low,
            outlook.band_80.low,
            outlook.band_50.low,
            outlook.expected,
            outlook.band_50.high,
            outlook.band_80.high,
            outlook.band_95.high,
        ];
        prop_assert!(rising.is_sorted(), "{outlook:?}");
        let cost = forecast.cost(at, end).unwrap();
        prop_assert!(cost.spent.0 >= 0 && cost.band_95.low >= cost.spent && cost.per_minute.0 >= 0, "{cost:?}");
        let chance = forecast.tokens_overrun(at, end, Tokens(budget)).unwrap().get();
        prop_assert!((0.0..=1.0).contains(&chance), "{chance}");
        let more = forecast.tokens_overrun(at, end, Tokens(budget.saturating_add(1_000))).unwrap().get();
        prop_assert!(more <= chance, "a larger budget is no likelier to be exceeded");
        let limit = forecast.tokens_limit(at, Tokens(budget)).unwrap();
        if let (Some(early), Some(late)) = (limit.early, limit.late) {
            prop_assert!(early <= late, "{limit:?}");
        }
        let pace = rate.at(at).unwrap();
        prop_assert!(pace.cost.unwrap().0 >= 0, "{pace:?}");
        prop_assert_eq!(forecast.clone().total(at, end), Some(outlook), "the same again");
    }

    #[test]
    fn no_history_makes_it_absurd(
        sessions in prop::collection::vec((numbers(), numbers(), numbers(), numbers()), 0..30),
        at in numbers(),
        end in ends(),
    ) {
        let mut prior = Prior::default();
        for (active, calls, total, fresh) in sessions {
            let (total, fresh) = (Tokens(total), Tokens(fresh));
            prior.learn(Finished { active: Millis(active), calls, total, fresh, worth: fresh });
        }
        let mut forecast = Forecast::new(&prior);
        forecast.observe(call(1_000), Millis(1_000));
        let outlook = forecast.total(Millis(at), end).unwrap();
        prop_assert!(outlook.band_95.low <= outlook.expected && outlook.expected <= outlook.band_95.high);
    }
}
