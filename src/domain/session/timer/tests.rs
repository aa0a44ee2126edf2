use super::decide::MAX_EVENTS;
use super::*;
use crate::domain::session::MAX_DURATION;
use crate::domain::session::clock::BootId;
use proptest::prelude::*;

const WALL: i64 = 1_700_000_000_000;

fn at_ms(ms: i64) -> Reading {
    Reading {
        boot: Nanos::from_millis(ms),
        mono: Nanos::from_millis(ms),
        wall: Timestamp(WALL + ms),
        boot_id: BootId(1),
    }
}

/// The same moment after the machine has slept for so long.
fn slept(moment: Reading, ms: i64) -> Reading {
    Reading {
        mono: moment.mono,
        ..at_ms(moment.boot.millis() + ms)
    }
}

fn change(timer: &mut Timer, change: Change, now: Reading) -> Vec<TimerEvent> {
    let events = timer.decide(change, now).unwrap();
    events.iter().for_each(|event| timer.apply(*event));
    events
}

fn trim(from: i64, to: i64) -> Change {
    Change::Trim {
        from: Timestamp(WALL + from),
        to: Timestamp(WALL + to),
    }
}

fn elapsed(timer: &Timer, ms: i64) -> u64 {
    whole_millis(timer.elapsed(at_ms(ms))).0
}

#[test]
fn paused_time_does_not_count() {
    let (mut timer, _) = Timer::start(None, at_ms(0));
    change(&mut timer, Change::Pause, at_ms(1_000));
    assert_eq!(elapsed(&timer, 9_000), 1_000);
    change(&mut timer, Change::Resume, at_ms(9_000));
    assert_eq!(elapsed(&timer, 9_500), 1_500);
    change(&mut timer, Change::Complete, at_ms(10_000));
    assert_eq!(elapsed(&timer, 99_000), 2_000);
    assert_eq!(timer.ended_at(), Some(at_ms(10_000).wall));
}

#[test]
fn the_limit_ends_the_session_at_the_moment_it_was_reached() {
    let (mut timer, _) = Timer::start(Some(Millis(1_000)), at_ms(500));
    assert_eq!(timer.expire(at_ms(1_499)), None);
    let event = timer.expire(at_ms(7_000)).unwrap();
    assert_eq!((event.what, event.at), (What::LimitReached, at_ms(1_500)));
    timer.apply(event);
    assert_eq!(timer.status(), Status::Completed);
    assert_eq!(elapsed(&timer, 9_000), 1_000);
}

#[test]
fn an_extended_session_runs_on_and_a_shorter_plan_than_what_ran_is_refused() {
    let (mut timer, _) = Timer::start(Some(Millis(1_000)), at_ms(0));
    change(&mut timer, Change::Plan(Some(Millis(3_000))), at_ms(900));
    assert_eq!(timer.expire(at_ms(2_999)), None);
    assert_eq!(timer.deadline(), Some(at_ms(3_000).boot));
    assert_eq!(
        timer.decide(Change::Plan(Some(Millis(2_000))), at_ms(2_000)),
        Err(NotNow::Shorter(2_000))
    );
    assert_eq!(
        timer.decide(Change::Plan(Some(Millis(3_000))), at_ms(2_000)),
        Ok(vec![])
    );
    change(&mut timer, Change::Plan(None), at_ms(2_000));
    assert_eq!((timer.deadline(), elapsed(&timer, 9_000)), (None, 9_000));
}

#[test]
fn a_trim_takes_a_stretch_out_and_can_be_taken_back() {
    let (mut timer, _) = Timer::start(Some(Millis(60_000)), at_ms(0));
    change(&mut timer, Change::Pause, at_ms(10_000));
    change(&mut timer, Change::Resume, at_ms(20_000));
    // From inside the first stretch, over the pause, into the one that runs: one trim.
    let event = change(&mut timer, trim(8_000, 23_000), at_ms(30_000))[0];
    assert_eq!(
        event.what,
        What::Trimmed(Nanos::from_millis(8_000), Nanos::from_millis(13_000))
    );
    assert_eq!(elapsed(&timer, 30_000), 15_000);
    assert_eq!(
        timer.deadline(),
        Some(at_ms(75_000).boot),
        "the countdown got its time back"
    );
    assert_eq!(
        timer.decide(trim(9_000, 21_000), at_ms(30_000)),
        Ok(vec![]),
        "is out already"
    );
    assert_eq!(
        timer.decide(trim(12_000, 19_000), at_ms(30_000)),
        Err(NotNow::NothingToTrim)
    );
    let wider = change(&mut timer, trim(5_000, 23_000), at_ms(30_000))[0];
    assert_eq!(elapsed(&timer, 30_000), 12_000);
    change(&mut timer, Change::Untrim(event.seq), at_ms(30_000));
    assert_eq!(elapsed(&timer, 30_000), 12_000, "the wider one still holds");
    change(&mut timer, Change::Untrim(wider.seq), at_ms(30_000));
    assert_eq!(elapsed(&timer, 30_000), 20_000);
    assert_eq!(
        timer.decide(Change::Untrim(wider.seq), at_ms(30_000)),
        Ok(vec![]),
        "harmless again"
    );
    assert_eq!(
        timer.decide(Change::Untrim(77), at_ms(30_000)),
        Err(NotNow::NoSuchTrim)
    );
    let told: Vec<_> = timer
        .told()
        .iter()
        .map(|told| (told.event.seq, told.undone))
        .collect();
    assert_eq!(told, [(event.seq, true), (wider.seq, true)]);
}

#[test]
fn what_would_not_fit_into_the_plan_is_not_put_back() {
    let (mut timer, _) = Timer::start(Some(Millis(10_000)), at_ms(0));
    let event = change(&mut timer, trim(0, 5_000), at_ms(6_000))[0];
    change(&mut timer, Change::Pause, at_ms(12_000));
    let untrim = Change::Untrim(event.seq);
    assert_eq!(timer.decide(untrim, at_ms(12_000)), Err(NotNow::BeyondPlan));
    change(&mut timer, Change::Plan(Some(Millis(20_000))), at_ms(12_000));
    change(&mut timer, untrim, at_ms(12_000));
    assert_eq!(elapsed(&timer, 12_000), 12_000);
}

#[test]
fn sleep_pauses_from_the_moment_the_machine_fell_asleep() {
    let (mut timer, _) = Timer::start(None, at_ms(0));
    let (before, after) = (at_ms(5_000), slept(at_ms(5_400), 3_600_000));
    let events = timer.notice(&before, &after, OnSleep::Pause);
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].what, What::Suspended(Nanos::from_millis(3_600_000)));
    assert_eq!(events[0].at, at_ms(5_400));
    timer.apply(events[0]);
    assert_eq!(
        (timer.status(), elapsed(&timer, 9_000_000)),
        (Status::Paused, 5_400)
    );
    assert!(timer.is_interrupted() && timer.can_count(2));
    change(&mut timer, Change::Resume, at_ms(3_606_000));
    change(&mut timer, Change::CountGap(2), at_ms(3_607_000));
    assert_eq!(elapsed(&timer, 3_607_000), 5_400 + 1_000 + 3_600_000);
    assert_eq!(
        timer.decide(Change::CountGap(2), at_ms(3_608_000)),
        Ok(vec![]),
        "counts once"
    );
    change(&mut timer, trim(5_400, 3_605_400), at_ms(3_608_000));
    assert_eq!(
        elapsed(&timer, 3_608_000),
        5_400 + 2_000,
        "and can be trimmed again"
    );
}

#[test]
fn sleep_counts_where_the_user_wants_it() {
    let (mut timer, _) = Timer::start(Some(Millis(60_000)), at_ms(0));
    let after = slept(at_ms(6_000), 10_000);
    let events = timer.notice(&at_ms(5_000), &after, OnSleep::Count);
    assert_eq!(events[0].what.kind(), EventKind::SleptThrough);
    events.into_iter().for_each(|event| timer.apply(event));
    assert_eq!(
        (timer.status(), elapsed(&timer, 16_000)),
        (Status::Active, 16_000)
    );
    let expired = timer.expire(slept(after, 600_000)).unwrap();
    assert_eq!(
        expired.at.boot,
        at_ms(60_000).boot,
        "ended in its sleep, at its time"
    );
}

#[test]
fn a_session_whose_time_was_up_before_the_machine_slept_is_completed_not_paused() {
    let (timer, _) = Timer::start(Some(Millis(5_200)), at_ms(0));
    let events = timer.notice(&at_ms(5_000), &slept(at_ms(5_400), 3_600_000), OnSleep::Pause);
    assert_eq!(events.len(), 1);
    assert_eq!(
        (events[0].what, events[0].at.boot),
        (What::LimitReached, at_ms(5_200).boot)
    );
}

#[test]
fn a_moonlock_that_stood_still_pauses_at_the_last_look() {
    let (mut timer, _) = Timer::start(None, at_ms(0));
    assert_eq!(timer.notice(&at_ms(5_000), &at_ms(34_000), OnSleep::Pause), []);
    let events = timer.notice(&at_ms(5_000), &at_ms(65_000), OnSleep::Count);
    assert_eq!(events[0].what, What::Stalled(Nanos::from_millis(60_000)));
    events.into_iter().for_each(|event| timer.apply(event));
    assert_eq!(elapsed(&timer, 90_000), 5_000);
}

/// The wall clock an hour ahead, an hour back, to 1970, and by what daylight saving makes of it where a machine's clock is
/// kept in local time: noted, and nothing else changes.
#[test]
fn a_jump_of_the_wall_clock_is_noted_and_changes_nothing() {
    for jump in [3_600_000, -3_600_000, -WALL, 2_001, -2_001] {
        let (mut timer, _) = Timer::start(Some(Millis(18_000_000)), at_ms(0));
        let mut jumped = at_ms(1_000);
        jumped.wall.0 += jump;
        let events = timer.notice(&at_ms(500), &jumped, OnSleep::Pause);
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].what, What::ClockJumped(Nanos::from_millis(jump)));
        timer.apply(events[0]);
        assert_eq!((timer.status(), elapsed(&timer, 2_000)), (Status::Active, 2_000));
        assert_eq!(timer.deadline(), Some(at_ms(18_000_000).boot));
    }
    let (timer, _) = Timer::start(None, at_ms(0));
    let mut slewed = at_ms(1_000);
    slewed.wall.0 += 400;
    assert_eq!(
        timer.notice(&at_ms(500), &slewed, OnSleep::Pause),
        [],
        "corrected, not set"
    );
}

#[test]
fn a_crash_or_a_reboot_pauses_at_the_last_sign_of_life() {
    let (timer, _) = Timer::start(None, at_ms(1_000));
    let rebooted = Reading {
        boot_id: BootId(2),
        ..at_ms(50)
    };
    let went_back = at_ms(3_999);
    for (now, heartbeat, elapsed_ms, what) in [
        (
            at_ms(46_000),
            Some(at_ms(4_000)),
            3_000,
            What::Recovered(Nanos::from_millis(42_000)),
        ),
        (
            at_ms(46_000),
            None,
            0,
            What::Recovered(Nanos::from_millis(45_000)),
        ),
        (
            at_ms(46_000),
            Some(at_ms(500)),
            0,
            What::Recovered(Nanos::from_millis(45_000)),
        ),
        (rebooted, Some(at_ms(4_000)), 3_000, What::Rebooted(Nanos(0))),
        (
            Reading {
                boot_id: BootId(2),
                ..at_ms(9_000)
            },
            Some(at_ms(4_000)),
            3_000,
            What::Rebooted(Nanos::from_millis(5_000)),
        ),
        (went_back, Some(at_ms(4_000)), 3_000, What::Rebooted(Nanos(0))),
    ] {
        let mut timer = timer.clone();
        let event = timer.recover(now, heartbeat).unwrap();
        assert_eq!(event.what, what);
        timer.apply(event);
        assert_eq!(
            (timer.status(), elapsed(&timer, 99_000)),
            (Status::Paused, elapsed_ms)
        );
        assert_eq!(timer.recover(now, heartbeat), None, "once");
    }
    let (timer, _) = Timer::start(Some(Millis(2_000)), at_ms(1_000));
    let event = timer.recover(at_ms(46_000), Some(at_ms(4_000))).unwrap();
    assert_eq!((event.what, event.at), (What::LimitReached, at_ms(3_000)));
}

#[test]
fn a_crash_just_after_the_wall_clock_was_set_is_where_it_was_set_to() {
    let (timer, _) = Timer::start(None, at_ms(1_000));
    let mut heartbeat = at_ms(1_000);
    heartbeat.wall.0 += 475_630;
    let event = timer.recover(later(heartbeat, 239, 0), Some(heartbeat)).unwrap();
    assert_eq!(event.at, heartbeat);
}

#[test]
fn what_was_written_after_the_heartbeat_was_inside_the_open_stretch() {
    let (mut timer, _) = Timer::start(None, at_ms(1_000));
    let wall = |millis| at_ms(millis).wall;
    for (heartbeat, written, expected) in [
        (None, 3_500, Some(at_ms(3_500))),
        (Some(at_ms(2_000)), 3_500, Some(at_ms(3_500))),
        (Some(at_ms(4_000)), 3_500, None),
        // Of another clock than this machine's.
        (Some(at_ms(4_000)), 34_000, None),
        (Some(at_ms(4_000)), i64::MIN, None),
    ] {
        let written = match written {
            i64::MIN => Timestamp(i64::MIN),
            written => wall(written),
        };
        assert_eq!(timer.written_at(heartbeat, written), expected);
    }
    timer.apply(timer.decide(Change::Pause, at_ms(2_000)).unwrap()[0]);
    assert_eq!(timer.written_at(None, wall(2_500)), None, "the clock stands");
}

#[test]
fn ten_thousand_pauses_leave_no_error() {
    let (mut timer, _) = Timer::start(None, at_ms(0));
    let reading = |nanos: i64| Reading {
        boot: Nanos(nanos),
        mono: Nanos(nanos),
        ..at_ms(nanos / 1_000_000)
    };
    for n in 0..10_000 {
        change(&mut timer, Change::Pause, reading(n * 3_000_007 + 1_000_003));
        change(&mut timer, Change::Resume, reading((n + 1) * 3_000_007));
    }
    assert_eq!(
        timer.elapsed(reading(10_000 * 3_000_007)),
        Nanos(10_000 * 1_000_003)
    );
}

#[test]
fn a_clock_that_changed_too_often_can_only_be_completed() {
    let (mut timer, _) = Timer::start(None, at_ms(0));
    timer.last.seq = MAX_EVENTS;
    assert_eq!(timer.decide(Change::Pause, at_ms(1)), Err(NotNow::TooManyEvents));
    change(&mut timer, Change::Complete, at_ms(1));
}

/// Five hours, polled at any intervals from a millisecond to 29 seconds, in which the wall clock is set and both nights
/// of daylight saving pass: 0 ns of error at every poll, and the end at its nanosecond.
#[test]
fn five_hours_of_polls_have_no_error() {
    const FIVE_HOURS: i64 = 18_000_000_000_000;
    let (mut timer, _) = Timer::start(Some(MAX_DURATION), at_ms(0));
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let (mut now, mut wall_offset, mut polls) = (0_i64, 0_i64, 0_u32);
    let mut before = at_ms(0);
    loop {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let step = 1_000_000 + i64::try_from(random % 29_000_000_000).unwrap();
        now += step;
        // The wall clock is set now and then, by up to an hour, as a zone's change does where it is kept in local time.
        wall_offset += match polls % 100 {
            30 => 3_600_000,
            60 => -3_600_000,
            90 => -1_234_567,
            _ => 0,
        };
        let reading = Reading {
            boot: Nanos(now),
            mono: Nanos(now),
            wall: Timestamp(WALL + now / 1_000_000 + wall_offset),
            boot_id: BootId(1),
        };
        if let Some(event) = timer.expire(reading) {
            assert_eq!(event.at.boot, Nanos(FIVE_HOURS));
            timer.apply(event);
            break;
        }
        timer
            .notice(&before, &reading, OnSleep::Pause)
            .into_iter()
            .for_each(|event| timer.apply(event));
        assert_eq!(timer.elapsed(reading), Nanos(now));
        (before, polls) = (reading, polls + 1);
    }
    assert!(polls > 1_000, "{polls} polls");
    assert_eq!(timer.elapsed(before), Nanos(FIVE_HOURS));
}

/// A naive reference: every hundredth of a second that the clock ran, by itself.
struct Naive {
    /// The wall's moment of each, and the trims that lie over it.
    axis: Vec<(i64, Vec<u32>)>,
    status: Status,
    plan: Option<i64>,
    /// When the stretch that runs began by the wall's clock, and how long it is.
    opened: i64,
    in_stretch: i64,
    /// Gaps by event: the wall's moment, and units.
    gaps: Vec<(u32, i64, i64)>,
    trims: Vec<u32>,
}

impl Naive {
    fn run(&mut self, wall: i64, units: i64) {
        self.axis
            .extend((0..units).map(|unit| (wall + unit * UNIT, Vec::new())));
    }

    fn elapsed(&self) -> u64 {
        let counted = self.axis.iter().filter(|(_, trims)| trims.is_empty()).count();
        counted as u64 * UNIT.unsigned_abs()
    }

    fn open(&mut self, now: Reading) {
        (self.opened, self.in_stretch) = (now.wall.0, 0);
    }

    fn passes(&mut self, units: i64) {
        let counted = i64::try_from(self.elapsed()).unwrap() / UNIT;
        let room = self.plan.map_or(i64::MAX, |plan| plan - counted);
        if self.status == Status::Active {
            let ran = units.min(room);
            self.run(self.opened + self.in_stretch * UNIT, ran);
            self.in_stretch += ran;
            if ran == room {
                self.status = Status::Completed;
            }
        }
    }

    /// What was put back may be just what the plan had left.
    fn end_where_planned(&mut self) {
        let plan = self.plan.map(|plan| plan.unsigned_abs() * UNIT.unsigned_abs());
        if self.status == Status::Active && plan == Some(self.elapsed()) {
            self.status = Status::Completed;
        }
    }

    fn interrupt(&mut self, gap: Option<(u32, i64, i64)>) {
        if self.status == Status::Active {
            self.status = Status::Paused;
            self.gaps.extend(gap);
        }
    }
}

fn later(now: Reading, awake: i64, asleep: i64) -> Reading {
    let nanos = |units: i64| units * UNIT * 1_000_000;
    Reading {
        boot: Nanos(now.boot.0 + nanos(awake + asleep)),
        mono: Nanos(now.mono.0 + nanos(awake)),
        wall: Timestamp(now.wall.0 + (awake + asleep) * UNIT),
        ..now
    }
}

const UNIT: i64 = 10;

#[derive(Clone, Copy, Debug)]
enum Happens {
    Passes(i64),
    Change(u8),
    Trim(i64, i64),
    Untrim(usize),
    Plan(Option<i64>),
    Sleeps(i64),
    Jumps(i64),
    Crashes(i64),
    Reboots,
    CountGap(usize),
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        4 => (1_i64..500).prop_map(Happens::Passes),
        3 => (0_u8..8).prop_map(Happens::Change),
        2 => (-3_000_i64..0, 1_i64..1_500).prop_map(|(from, length)| Happens::Trim(from, length)),
        1 => (0_usize..4).prop_map(Happens::Untrim),
        1 => prop::option::of(1_i64..20_000).prop_map(Happens::Plan),
        1 => (1_i64..1_000).prop_map(Happens::Sleeps),
        1 => (-100_000_i64..100_000).prop_map(Happens::Jumps),
        1 => (0_i64..500).prop_map(Happens::Crashes),
        1 => Just(Happens::Reboots),
        1 => (0_usize..4).prop_map(Happens::CountGap),
    ]
}

proptest! {
    /// Any order of anything at any moments: the clock shows what the naive sum shows, never more than planned, and
    /// replaying its events gives the same clock.
    #[test]
    fn the_clock_equals_a_naive_integrator(
        planned in prop::option::of(500_i64..30_000),
        counts_sleep: bool,
        story in prop::collection::vec(happens(), 0..60),
    ) {
        let on_sleep = if counts_sleep { OnSleep::Count } else { OnSleep::Pause };
        let millis = |units: i64| Millis((units * UNIT).unsigned_abs());
        let mut now = at_ms(0);
        let (mut timer, first) = Timer::start(planned.map(millis), now);
        let mut events = vec![first];
        let mut naive = Naive {
            axis: Vec::new(), status: Status::Active, plan: planned, opened: now.wall.0, in_stretch: 0,
            gaps: Vec::new(), trims: Vec::new(),
        };
        for happens in story {
            let before = now;
            let mut new = Vec::new();
            match happens {
                Happens::Passes(units) => {
                    now = later(now, units, 0);
                    naive.passes(units);
                }
                Happens::Sleeps(units) => {
                    now = later(now, 0, units);
                    if !counts_sleep && units * UNIT > 2_000 {
                        naive.interrupt(Some((timer.last().seq + 1, before.wall.0, units)));
                    }
                    naive.passes(units);
                    new = timer.notice(&before, &now, on_sleep);
                }
                Happens::Jumps(units) => {
                    now.wall.0 += units * UNIT;
                    new = timer.notice(&before, &now, on_sleep);
                }
                Happens::Crashes(units) => {
                    now = later(now, units, 0);
                    naive.interrupt(Some((timer.last().seq + 1, before.wall.0, units)));
                    new.extend(timer.recover(now, Some(before)));
                }
                Happens::Reboots => {
                    now = Reading { boot: Nanos(0), mono: Nanos(0), boot_id: BootId(now.boot_id.0 + 1), ..now };
                    naive.interrupt(None);
                    new.extend(timer.recover(now, Some(before)));
                }
                Happens::Change(_) | Happens::Trim(..) | Happens::Untrim(_) | Happens::Plan(_) | Happens::CountGap(_) => {
                    let shown = naive.elapsed();
                    let has_room = |more: u64| naive.plan.is_none_or(|plan| shown + more <= millis(plan).0);
                    let change = match happens {
                        Happens::Change(n) => match n { 0..4 => Change::Resume, 4..7 => Change::Pause, _ => Change::Complete },
                        Happens::Trim(from, length) => Change::Trim {
                            from: Timestamp(now.wall.0 + from * UNIT),
                            to: Timestamp(now.wall.0 + (from + length) * UNIT),
                        },
                        Happens::Untrim(n) => Change::Untrim(naive.trims.get(n).copied().unwrap_or(9_999)),
                        Happens::CountGap(n) => Change::CountGap(naive.gaps.get(n).map_or(9_999, |gap| gap.0)),
                        Happens::Plan(units) => Change::Plan(units.map(millis)),
                        _ => unreachable!("the others are above"),
                    };
                    let decided = timer.decide(change, now);
                    match (change, &decided) {
                        (Change::Resume, Ok(_)) => {
                            if naive.status == Status::Paused { naive.open(now); }
                            naive.status = Status::Active;
                        }
                        (Change::Pause, Ok(_)) => naive.status = Status::Paused,
                        (Change::Complete, Ok(_)) => naive.status = Status::Completed,
                        (Change::Plan(limit), Ok(_)) => {
                            prop_assert!(limit.is_none_or(|limit| limit.0 > shown) || limit.map(|limit| limit.0) == naive.plan.map(|plan| millis(plan).0));
                            naive.plan = limit.map(|limit| i64::try_from(limit.0).unwrap() / UNIT);
                        }
                        (Change::Trim { from, to }, Ok(new)) => {
                            // Each event is one stretch of the axis; together they are what lies between the moments.
                            for (n, (wall, over)) in naive.axis.iter_mut().enumerate() {
                                let inside = (from.0..to.0).contains(wall);
                                let at = n as i64 * UNIT * 1_000_000;
                                let by = new.iter().find(|event| matches!(event.what, What::Trimmed(a, b) if (a.0..b.0).contains(&at)));
                                let is_out = by.is_some() || !over.is_empty();
                                prop_assert!(is_out || !inside);
                                prop_assert!(inside || by.is_none());
                                over.extend(by.map(|event| event.seq));
                            }
                            naive.trims.extend(new.iter().map(|event| event.seq));
                        }
                        (Change::Untrim(seq), Ok(_)) => {
                            naive.axis.iter_mut().for_each(|(_, over)| over.retain(|trim| *trim != seq));
                        }
                        (Change::CountGap(seq), Ok(new)) if !new.is_empty() => {
                            let (_, wall, units) = *naive.gaps.iter().find(|gap| gap.0 == seq).unwrap();
                            // A running clock goes on behind it, from here.
                            naive.open(now);
                            naive.run(wall, units);
                        }
                        (Change::CountGap(seq), Err(NotNow::BeyondPlan)) => {
                            let units = naive.gaps.iter().find(|gap| gap.0 == seq).unwrap().2;
                            prop_assert!(!has_room(millis(units).0));
                        }
                        (Change::Untrim(_), Err(NotNow::BeyondPlan)) => prop_assert!(naive.plan.is_some()),
                        (Change::Plan(limit), Err(NotNow::Shorter(_))) => prop_assert!(limit.unwrap().0 <= shown),
                        (_, Err(NotNow::Completed(_))) => prop_assert_eq!(naive.status, Status::Completed),
                        _ => {}
                    }
                    new = decided.unwrap_or_default();
                }
            }
            naive.end_where_planned();
            for event in new {
                timer.apply(event);
                events.push(event);
            }
            if let Some(event) = timer.expire(now) {
                timer.apply(event);
                events.push(event);
            }
            prop_assert_eq!(timer.status(), naive.status, "after {:?}", happens);
            prop_assert_eq!(timer.elapsed(now), Nanos::from_millis(naive.elapsed().cast_signed()), "after {:?}", happens);
            if let Some(plan) = naive.plan { prop_assert!(naive.elapsed() <= millis(plan).0); }
            let seqs: Vec<u32> = events.iter().map(|event| event.seq).collect();
            prop_assert!(seqs.iter().copied().eq(1..=u32::try_from(seqs.len()).unwrap()), "{:?}", seqs);
            for event in &events {
                prop_assert_eq!(What::from_numbers(event.what.kind(), event.what.numbers()), Some(event.what));
            }
        }
        prop_assert_eq!(Timer::replay(timer.duration(), &events), Some(timer));
    }
}
