use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::domain::ids::SessionId;
use crate::domain::units::Millis;

fn at(ms: i64) -> Timestamp {
    Timestamp(1_790_000_000_000 + ms)
}

fn session(n: u128) -> Scope {
    Scope::session(SessionId::from_uuid(Uuid::from_u128(n)))
}

fn overrun(likely: Likely) -> Facts {
    Facts::Overrun(Overrun {
        of: Measure::Tokens,
        likely,
        percent: 84,
        left: Some((Millis(600_000), Millis(1_500_000))),
    })
}

const IDLE: Facts = Facts::Idle {
    since: Millis(600_000),
};

/// What the episodes that changed are now.
fn told(changed: &[Episode]) -> Vec<(Rule, u8, AlertStatus)> {
    changed
        .iter()
        .map(|episode| (episode.rule, episode.level, episode.status()))
        .collect()
}

#[test]
fn what_is_found_again_is_said_once() {
    let mut alerts = Alerts::default();
    let raised = alerts.raise(&session(1), &IDLE, at(0));
    assert_eq!(told(&raised), [(Rule::SessionIdle, 0, AlertStatus::Active)]);
    assert_eq!(alerts.raise(&session(1), &IDLE, at(1)), []);
    assert_eq!(alerts.raise(&session(2), &IDLE, at(1)).len(), 1, "another scope");
    let cleared = alerts.clear(Rule::SessionIdle, &session(1), at(2));
    assert_eq!(told(&cleared), [(Rule::SessionIdle, 0, AlertStatus::Cleared)]);
    assert_eq!(cleared[0].id, raised[0].id);
    assert_eq!(alerts.clear(Rule::SessionIdle, &session(1), at(3)), []);
    let again = alerts.raise(&session(1), &IDLE, at(3));
    assert_eq!(again.len(), 1, "another episode");
    assert_ne!(again[0].id, raised[0].id);
}

#[test]
fn worse_is_news_and_better_is_none() {
    let mut alerts = Alerts::default();
    let raised = alerts.raise(&session(1), &overrun(Likely::Watch), at(0));
    let id = raised[0].id;
    assert_eq!(raised[0].severity, Severity::Info);
    let seen = Patch {
        acknowledged: Some(true),
        ..Patch::default()
    };
    let changed = alerts.change(id, seen, at(1)).unwrap();
    assert_eq!(
        told(&changed),
        [(Rule::OverrunTokens, 80, AlertStatus::Acknowledged)]
    );
    assert_eq!(alerts.change(id, seen, at(2)).unwrap(), [], "said again");

    let worse = alerts.raise(&session(1), &overrun(Likely::Nearly), at(3));
    assert_eq!(told(&worse), [(Rule::OverrunTokens, 90, AlertStatus::Active)]);
    assert_eq!((worse[0].id, worse[0].worsened_at), (id, Some(at(3))));
    assert_eq!(worse[0].severity, Severity::Warning);

    alerts.change(id, seen, at(4)).unwrap();
    let better = alerts.raise(&session(1), &overrun(Likely::Watch), at(5));
    assert_eq!(
        told(&better),
        [(Rule::OverrunTokens, 80, AlertStatus::Acknowledged)]
    );
}

#[test]
fn a_snoozed_alert_is_silent_for_its_time_also_if_it_comes_again() {
    let mut alerts = Alerts::default();
    let id = alerts.raise(&session(1), &IDLE, at(0))[0].id;
    let snooze = |until| Patch {
        snoozed_until: Some(until),
        ..Patch::default()
    };
    let changed = alerts.change(id, snooze(Some(at(100))), at(1)).unwrap();
    assert_eq!(told(&changed), [(Rule::SessionIdle, 0, AlertStatus::Snoozed)]);
    alerts.clear(Rule::SessionIdle, &session(1), at(2));
    assert_eq!(alerts.raise(&session(2), &IDLE, at(3))[0].snoozed_until, None);
    let again = alerts.raise(&session(1), &IDLE, at(3));
    assert_eq!(told(&again), [(Rule::SessionIdle, 0, AlertStatus::Snoozed)]);
    assert_eq!(alerts.wake(at(99)), []);
    assert_eq!(
        told(&alerts.wake(at(100))),
        [(Rule::SessionIdle, 0, AlertStatus::Active)]
    );
    assert_eq!(alerts.wake(at(101)), []);
    let past = alerts.change(again[0].id, snooze(Some(at(50))), at(102));
    assert_eq!(past, Ok(vec![]), "until a moment that has passed");
    assert_eq!(alerts.change(id, snooze(None), at(103)), Err(NotStanding));
}

#[test]
fn a_muted_rule_is_noted_and_nothing_more() {
    let mut alerts = Alerts::default();
    alerts.raise(&session(1), &IDLE, at(0));
    assert_eq!(
        told(&alerts.mute(Rule::SessionIdle, true)),
        [(Rule::SessionIdle, 0, AlertStatus::Muted)]
    );
    assert_eq!(alerts.mute(Rule::SessionIdle, true), []);
    let raised = alerts.raise(&session(2), &IDLE, at(1));
    assert_eq!(told(&raised), [(Rule::SessionIdle, 0, AlertStatus::Muted)]);
    assert_eq!(alerts.mute(Rule::SessionIdle, false).len(), 2);
    assert!(
        alerts
            .standing()
            .all(|alert| alert.status() == AlertStatus::Active)
    );
}

#[test]
fn what_does_not_pass_stands_until_it_is_acknowledged() {
    let mut alerts = Alerts::default();
    let facts = Facts::StoreRepaired("3 rows are lost.".into());
    let id = alerts.raise(&Scope::Moonlock, &facts, at(0))[0].id;
    let seen = Patch {
        acknowledged: Some(true),
        ..Patch::default()
    };
    let changed = alerts.change(id, seen, at(1)).unwrap();
    assert_eq!(told(&changed), [(Rule::StoreRepaired, 0, AlertStatus::Cleared)]);
    assert_eq!(alerts.standing().count(), 0);
}

#[test]
fn the_least_of_too_many_makes_room() {
    let mut alerts = Alerts::default();
    let facts = Facts::StoreRepaired("3 rows are lost.".into());
    alerts.raise(&Scope::Moonlock, &facts, at(0));
    for n in 1..MOST_STANDING as u128 {
        alerts.raise(&session(n), &IDLE, at(1));
    }
    let changed = alerts.raise(&session(0), &IDLE, at(2));
    assert_eq!(
        told(&changed),
        [
            (Rule::SessionIdle, 0, AlertStatus::Cleared),
            (Rule::SessionIdle, 0, AlertStatus::Active)
        ]
    );
    assert_eq!(changed[0].scope, session(1));
    assert_eq!(alerts.standing().count(), MOST_STANDING);
}

#[test]
fn ids_sort_by_time_and_tell_episodes_of_a_moment_apart() {
    let mut alerts = Alerts::default();
    let mut ids = Vec::new();
    for ms in [0, 0, 0, 1, 2] {
        ids.push(alerts.raise(&session(1), &IDLE, at(ms))[0].id);
        alerts.clear(Rule::SessionIdle, &session(1), at(ms));
    }
    let mut sorted = ids.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(ids, sorted);
}

#[test]
fn sentences_say_what_how_much_since_when_and_what_to_do() {
    let sentences = [
        overrun(Likely::Nearly),
        Facts::Burst {
            calls: 41,
            usual_most: 13,
        },
        Facts::SizeJump {
            tokens: crate::domain::units::Tokens(412_000),
            usual: crate::domain::units::Tokens(88_000),
        },
        Facts::Loop {
            calls: 25,
            within: Millis(241_000),
        },
        IDLE,
    ]
    .map(|facts| facts.to_string());
    assert_eq!(
        sentences,
        [
            "At this pace the session will use more tokens than its budget has: 84 % likely, used up in 10 min to \
             25 min. Slow down, use a smaller model, or raise the budget.",
            "41 calls in the last minute, where at most 13 are usual here. Look whether an agent runs away.",
            "The last call used 412,000 tokens, where the calls before it used about 88,000. If its context grew by \
             accident, compact it or begin a new conversation.",
            "One conversation made 25 nearly equal calls in 4 min. Look whether its agent goes in circles, and stop \
             it if so.",
            "The session's clock has run for 10 min without a call. Pause it if you are away.",
        ]
    );
}

/// Something that happens to alerts.
#[derive(Clone, Debug)]
enum Happens {
    Found(u128, Likely),
    Over(u128),
    Acknowledged(usize),
    Snoozed(usize, i64),
    Muted(bool),
    Time,
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        (0..3_u128, prop_oneof![Just(Likely::Watch), Just(Likely::Nearly)])
            .prop_map(|(n, likely)| Happens::Found(n, likely)),
        (0..3_u128).prop_map(Happens::Over),
        (0..3_usize).prop_map(Happens::Acknowledged),
        (0..3_usize, 1..20_i64).prop_map(|(n, ms)| Happens::Snoozed(n, ms)),
        any::<bool>().prop_map(Happens::Muted),
        Just(Happens::Time),
    ]
}

/// The episodes as a database has them, and what was said aloud.
#[derive(Default)]
struct Kept {
    rows: Vec<Episode>,
    muted: Vec<Rule>,
    said: Vec<Episode>,
}

impl Kept {
    fn take(&mut self, changed: Vec<Episode>) {
        for episode in changed {
            self.said.push(episode.clone());
            self.rows.retain(|row| row.id != episode.id);
            self.rows.push(episode);
        }
    }

    fn restored(&self, now: Timestamp) -> Alerts {
        let is_last = |row: &Episode| {
            let mut others = self.rows.iter();
            !others.any(|other| other.scope == row.scope && other.id > row.id)
        };
        let is_needed = |row: &&Episode| {
            row.cleared_at.is_none() || (row.snoozed_until.is_some_and(|until| until > now) && is_last(row))
        };
        let rows = self.rows.iter().filter(is_needed).cloned();
        Alerts::restore(rows.collect(), self.muted.clone())
    }
}

fn run(steps: &[(Happens, bool)], restarts: bool) -> Kept {
    let mut alerts = Alerts::default();
    let mut kept = Kept::default();
    for (ms, (happens, restart)) in (0..).zip(steps) {
        let now = at(ms);
        kept.take(alerts.wake(now));
        if restarts && *restart {
            alerts = kept.restored(now);
        }
        let nth = |n: usize| alerts.standing.get(n).map(|episode| episode.id);
        let changed = match happens {
            Happens::Found(n, likely) => alerts.raise(&session(*n), &overrun(*likely), now),
            Happens::Over(n) => alerts.clear(Rule::OverrunTokens, &session(*n), now),
            Happens::Acknowledged(n) => nth(*n).map_or(Vec::new(), |id| {
                let seen = Patch {
                    acknowledged: Some(true),
                    ..Patch::default()
                };
                alerts.change(id, seen, now).unwrap()
            }),
            Happens::Snoozed(n, ms) => nth(*n).map_or(Vec::new(), |id| {
                let snooze = Patch {
                    snoozed_until: Some(Some(Timestamp(now.0 + ms))),
                    ..Patch::default()
                };
                alerts.change(id, snooze, now).unwrap()
            }),
            Happens::Muted(muted) => {
                kept.muted = if *muted { vec![Rule::OverrunTokens] } else { vec![] };
                alerts.mute(Rule::OverrunTokens, *muted)
            }
            Happens::Time => Vec::new(),
        };
        kept.take(changed);
    }
    kept
}

/// The same but for the counter in the ids.
fn without_ids(kept: &Kept) -> Vec<(u8, AlertStatus)> {
    kept.said
        .iter()
        .map(|episode| (episode.level, episode.status()))
        .collect()
}

proptest! {
    #[test]
    fn restarts_at_random_change_nothing_that_is_said(
        steps in prop::collection::vec((happens(), any::<bool>()), 1..60)
    ) {
        let straight = run(&steps, false);
        let restarted = run(&steps, true);
        prop_assert_eq!(without_ids(&straight), without_ids(&restarted));
    }

    #[test]
    fn each_episode_is_raised_once_and_cleared_once(
        steps in prop::collection::vec((happens(), any::<bool>()), 1..60)
    ) {
        let kept = run(&steps, true);
        for row in &kept.rows {
            let said: Vec<_> = kept.said.iter().filter(|said| said.id == row.id).collect();
            let cleared = said.iter().filter(|said| said.cleared_at.is_some()).count();
            prop_assert_eq!(cleared, usize::from(row.cleared_at.is_some()));
            prop_assert!(cleared == 0 || said.last().unwrap().cleared_at.is_some());
            // Nothing is said twice in a row.
            prop_assert!(said.windows(2).all(|pair| pair[0] != pair[1]));
        }
        for (rule, scope) in kept.rows.iter().map(|row| (row.rule, &row.scope)) {
            let standing = kept.rows.iter().filter(|row| {
                row.rule == rule && row.scope == *scope && row.cleared_at.is_none()
            });
            prop_assert!(standing.count() <= 1);
        }
    }
}
