//! Each rule on what it is for, and on what it must leave alone.

use super::super::{CallUse, Chance};
use super::*;
use crate::domain::units::Tokens;

const fn seconds(seconds: u64) -> Millis {
    Millis(seconds * 1_000)
}

fn call(fresh: u64, generated: u64) -> CallUse {
    CallUse {
        total: Tokens(fresh + 100_000),
        fresh: Tokens(fresh),
        generated: Tokens(generated),
        ..CallUse::default()
    }
}

#[test]
fn a_burst_is_raised_once_and_clears_ten_minutes_later() {
    let mut bursts = Bursts::default();
    for minute in 0..30 {
        for call in 0..3 {
            assert_eq!(bursts.observe(seconds(minute * 60 + call * 20)), None);
        }
    }
    let raised: Vec<_> = (0..40)
        .filter_map(|call| bursts.observe(seconds(1_800 + call)))
        .collect();
    let [Signal::Raise(burst)] = raised[..] else {
        panic!("one alarm, but {raised:?}");
    };
    assert!(burst.calls > burst.usual_most, "{burst:?}");
    assert_eq!(bursts.advance(seconds(2_000)), None);
    assert_eq!(bursts.advance(seconds(2_500)), Some(Signal::Clear));
    assert_eq!(bursts.advance(seconds(2_600)), None);
}

#[test]
fn a_minute_forgets_what_is_older() {
    let mut bursts = Bursts::default();
    // Eight calls in any minute, for hours: it is neither a burst nor does it add up to one.
    let signals: Vec<_> = (0..1_000)
        .filter_map(|call| bursts.observe(Millis(call * 7_500)))
        .collect();
    assert_eq!(signals, []);
}

#[test]
fn a_jump_needs_five_calls_before_it() {
    let mut sizes = SizeJumps::default();
    assert_eq!(sizes.observe(Tokens(10_000_000), seconds(0)), None);
    let mut sizes = SizeJumps::default();
    for at in 0..20 {
        assert_eq!(sizes.observe(Tokens(90_000), seconds(at)), None);
    }
    assert_eq!(
        sizes.observe(Tokens(0), seconds(20)),
        None,
        "no tokens are no size"
    );
    let Some(Signal::Raise(jump)) = sizes.observe(Tokens(400_000), seconds(30)) else {
        panic!("a jump was not raised");
    };
    assert_eq!(jump.tokens, Tokens(400_000));
    assert!(jump.usual.0.abs_diff(90_000) < 2_000, "{jump:?}");
    assert_eq!(sizes.observe(Tokens(90_000), seconds(31)), None);
    assert_eq!(sizes.observe(Tokens(90_000), seconds(631)), Some(Signal::Clear));
}

#[test]
fn an_overrun_is_raised_a_level_at_a_time_and_does_not_flicker() {
    let chance = |z| Chance::below(z);
    let (half, unclear, watch, likely) = (chance(0.0), chance(0.5), chance(1.0), chance(1.5));
    let mut budget = OverrunWatch::default();
    let raised = |level, chance| Some(Signal::Raise(Overrun { level, chance }));
    assert_eq!(budget.observe(likely, 4), None, "four calls say too little");
    assert_eq!(budget.observe(watch, 5), raised(Level::Watch, watch));
    assert_eq!(budget.observe(likely, 6), raised(Level::Likely, likely));
    assert_eq!(budget.observe(watch, 7), None);
    assert_eq!(
        budget.observe(unclear, 8),
        None,
        "between .6 and .8 nothing changes"
    );
    assert_eq!(budget.observe(likely, 9), None);
    assert_eq!(budget.observe(half, 10), Some(Signal::Clear));
    assert_eq!(budget.observe(half, 11), None);
    assert_eq!(
        budget.observe(Chance::CERTAIN, 12),
        raised(Level::Exceeded, Chance::CERTAIN)
    );
    assert_eq!(budget.observe(Chance::CERTAIN, 13), None);
    assert_eq!(budget.level(), Level::Exceeded);
    let mut young = OverrunWatch::default();
    assert_eq!(young.observe(chance(20.0), 1), None, "very likely is not certain");
    assert_eq!(
        young.observe(Chance::CERTAIN, 1),
        raised(Level::Exceeded, Chance::CERTAIN)
    );
}

#[test]
fn an_idle_session_is_told_once() {
    let mut idle = IdleNotice::default();
    assert_eq!(idle.observe(seconds(60)), None);
    assert_eq!(idle.due(), seconds(660));
    assert_eq!(idle.advance(seconds(659)), None);
    let since = seconds(60);
    assert_eq!(idle.advance(seconds(660)), Some(Signal::Raise(Idle { since })));
    assert_eq!(idle.advance(seconds(700)), None);
    assert_eq!(idle.observe(seconds(800)), Some(Signal::Clear));
}

#[test]
fn a_loop_is_twenty_five_like_calls_in_five_minutes() {
    let mut loops = Loops::default();
    let like = |at: u64| call(2_000 + at % 7 * 10, 300 + at % 3 * 5);
    let raised: Vec<_> = (0..60)
        .filter_map(|at| loops.observe(like(at), seconds(at * 10)))
        .collect();
    let expected = Loop {
        calls: 25,
        within: seconds(240),
    };
    assert_eq!(raised, [Signal::Raise(expected)]);
    assert_eq!(loops.advance(seconds(700)), None);
    assert_eq!(loops.advance(seconds(1_200)), Some(Signal::Clear));

    let mut slow = Loops::default();
    let signals = (0..60).filter_map(|at| slow.observe(like(at), seconds(at * 13)));
    assert_eq!(
        signals.count(),
        0,
        "at that pace it takes longer than five minutes"
    );
}

#[test]
fn what_asks_often_from_the_start_is_no_burst_and_a_call_a_second_is() {
    let signals = |every: u64| {
        let mut bursts = Bursts::default();
        (0..600_000 / every)
            .filter(|call| bursts.observe(Millis(call * every)).is_some())
            .count()
    };
    assert_eq!(signals(2_500), 0, "24 a minute, steadily");
    assert_eq!(signals(500), 1);
}
