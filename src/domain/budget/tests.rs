use jiff::civil::date;
use jiff::tz::TimeZone;
use uuid::Uuid;

use super::*;
use crate::domain::ids::SessionId;

fn used(used: u64, limit: u64) -> Used {
    Used {
        measure: Measure::Tokens,
        counts: Counts::All,
        used,
        limit,
    }
}

#[test]
fn what_is_used_is_told_in_thousandths_of_the_limit() {
    for (amount, limit, expected) in [
        (799, 1_000, 799),
        (2, 3, 666),
        (3, 2, 1_500),
        (u64::MAX, u64::MAX, 1_000),
        (u64::MAX, 1, u64::MAX),
        (0, 0, u64::MAX),
    ] {
        assert_eq!(used(amount, limit).permille(), expected, "{amount} of {limit}");
    }
    assert!(!used(999, 1_000).is_up() && used(1_000, 1_000).is_up());
}

#[test]
fn fresh_tokens_are_all_but_those_from_a_cache() {
    let sums = Totals {
        total: 1_000,
        cache_read: 900,
        cost_nano_usd: Some(7),
        ..Totals::default()
    };
    let mut allowance = Allowance {
        cost: Some(NanoUsd(10)),
        at_limit: AtLimit::Block,
        ..Allowance::tokens(Some(Tokens(1_000)))
    };
    let amounts =
        |allowance: Allowance| -> Vec<u64> { allowance.used(&sums).map(|used| used.used).collect() };
    assert_eq!(amounts(allowance), [1_000, 7]);
    assert!(allowance.refuses(&sums).is_some());
    allowance.counts = Counts::Fresh;
    assert_eq!(amounts(allowance), [100, 7]);
    assert_eq!(allowance.refuses(&sums), None);
    allowance.cost = Some(NanoUsd(7));
    assert_eq!(
        allowance.refuses(&sums).map(|used| used.measure),
        Some(Measure::Cost)
    );
    allowance.at_limit = AtLimit::Alert;
    assert_eq!(allowance.refuses(&sums), None);
}

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

fn moment(day: jiff::civil::DateTime, zone: &TimeZone) -> Timestamp {
    Timestamp(
        zone.to_ambiguous_timestamp(day)
            .compatible()
            .unwrap()
            .as_millisecond(),
    )
}

#[test]
fn periods_begin_at_the_midnights_of_the_zone_also_when_its_clocks_change() {
    const HOUR: i64 = 3_600_000;
    let berlin = zone("Europe/Berlin");
    for (now, period, from, hours) in [
        (
            date(2026, 3, 29).at(12, 0, 0, 0),
            Period::Day,
            date(2026, 3, 29),
            23,
        ),
        (
            date(2026, 10, 25).at(2, 30, 0, 0),
            Period::Day,
            date(2026, 10, 25),
            25,
        ),
        (
            date(2026, 11, 22).at(0, 0, 0, 0),
            Period::Day,
            date(2026, 11, 22),
            24,
        ),
        (
            date(2026, 10, 25).at(23, 0, 0, 0),
            Period::Week,
            date(2026, 10, 19),
            7 * 24 + 1,
        ),
        (
            date(2026, 11, 23).at(0, 0, 0, 0),
            Period::Week,
            date(2026, 11, 23),
            7 * 24,
        ),
        (
            date(2026, 3, 31).at(1, 0, 0, 0),
            Period::Month,
            date(2026, 3, 1),
            31 * 24 - 1,
        ),
        (
            date(2028, 2, 29).at(1, 0, 0, 0),
            Period::Month,
            date(2028, 2, 1),
            29 * 24,
        ),
    ] {
        let days = Days::of(berlin.clone());
        let (start, end) = days.bounds(period, moment(now, &berlin));
        assert_eq!(start, moment(from.at(0, 0, 0, 0), &berlin), "{now}");
        assert_eq!(end.0 - start.0, hours * HOUR, "{now}");
        assert_eq!(days.bounds(period, Timestamp(end.0 - 1)), (start, end));
        assert_eq!(days.bounds(period, end).0, end, "the next begins where one ends");
    }
    // Here the clocks went from midnight to one o'clock.
    let sao_paulo = zone("America/Sao_Paulo");
    let noon = moment(date(2018, 11, 4).at(12, 0, 0, 0), &sao_paulo);
    let (start, end) = Days::of(sao_paulo.clone()).bounds(Period::Day, noon);
    assert_eq!(start, moment(date(2018, 11, 4).at(1, 0, 0, 0), &sao_paulo));
    assert_eq!(end.0 - start.0, 23 * HOUR);
}

#[test]
fn the_earliest_day_is_that_of_the_week_or_the_month() {
    let days = Days::default();
    let at = |day: jiff::civil::Date| moment(day.at(12, 0, 0, 0), &TimeZone::UTC);
    assert_eq!(days.earliest(at(date(2026, 11, 22))), date(2026, 11, 1));
    assert_eq!(days.earliest(at(date(2026, 12, 2))), date(2026, 11, 30));
}

fn session(n: u128) -> SessionId {
    SessionId::from_uuid(Uuid::from_u128(n))
}

#[test]
fn a_call_is_refused_where_it_would_belong_and_by_what_it_is() {
    let (closed, open) = (session(1), session(2));
    let why: Closed = "the session".into();
    let gate = Gate {
        sessions: [(closed, Closed::clone(&why))].into(),
        names: [("closed".into(), closed)].into(),
        conversations: [("bound".into(), closed), ("elsewhere".into(), open)].into(),
        current: Some(closed),
        budgets: vec![(
            Filter {
                provider: Some("openai".into()),
                model: Some("gpt-5".into()),
                client: None,
            },
            "the budget".into(),
        )],
    };
    assert!(!gate.is_open() && Gate::default().is_open());
    let asks = Asks {
        session: None,
        conversation: None,
        provider: "anthropic",
        model: None,
        client: None,
    };
    let refused = |asks: Asks<'_>| gate.refuses(asks).map(|why| why.to_string());
    let of_session = Some("the session".to_owned());
    let id = closed.to_string();
    let open_id = open.to_string();
    for (label, conversation, expected) in [
        (None, None, &of_session),
        (Some("closed"), None, &of_session),
        (Some(&*id), Some("elsewhere"), &of_session),
        (Some(&*open_id), None, &None),
        (Some("open"), Some("bound"), &None),
        (Some("nowhere"), None, &None),
        (None, Some("bound"), &of_session),
        (None, Some("elsewhere"), &None),
        (None, Some("unbound"), &of_session),
    ] {
        let asks = Asks {
            session: label,
            conversation,
            ..asks
        };
        assert_eq!(refused(asks), *expected, "{asks:?}");
    }
    let elsewhere = Asks {
        session: Some("open"),
        provider: "openai",
        ..asks
    };
    for (model, expected) in [
        (None, None),
        (Some("gpt-4"), None),
        (Some("gpt-5"), Some("the budget")),
    ] {
        let asks = Asks { model, ..elsewhere };
        assert_eq!(refused(asks).as_deref(), expected);
    }
}
