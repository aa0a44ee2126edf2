use std::collections::HashMap;

use jiff::tz::TimeZone;
use proptest::prelude::*;
use tempfile::tempdir;

use super::support::*;
use crate::domain::call::Call;
use crate::domain::histogram::Histogram;
use crate::domain::ids::CallId;
use crate::domain::live::Movable;
use crate::domain::record::Record;
use crate::domain::units::{Millis, Timestamp, Tokens};
use crate::domain::wire::Totals;
use crate::store::{
    CallQuery, GroupBy, Reader, SessionFilter, Step as Cut, Store, Timings, UsageKeys, UsageQuery, rollups,
};

const QUARTER: i64 = 900_000;

/// A group's keys and sums.
type Group = (UsageKeys, Totals, Millis, Histogram, Histogram);

/// The sums that a query should give, from the calls themselves.
fn recomputed(calls: &HashMap<CallId, Call>, query: &UsageQuery) -> Vec<Group> {
    let start = |bucket: i64| match &query.step {
        Cut::Quarters => bucket,
        Cut::Hours => bucket.div_euclid(4 * QUARTER) * 4 * QUARTER,
        Cut::Days(zone) => {
            let local = jiff::Timestamp::from_millisecond(bucket)
                .unwrap()
                .to_zoned(zone.clone());
            local.start_of_day().unwrap().timestamp().as_millisecond()
        }
    };
    let mut groups: Vec<Group> = Vec::new();
    for call in calls.values() {
        let Some(end) = &call.end else { continue };
        let bucket = call.start.started_at.0.div_euclid(QUARTER) * QUARTER;
        let from = query
            .from
            .map_or(i64::MIN, |from| from.0.div_euclid(QUARTER) * QUARTER);
        let to = query
            .to
            .map_or(i64::MAX, |to| (to.0 + QUARTER - 1).div_euclid(QUARTER) * QUARTER);
        let session = match query.session {
            None => true,
            Some(SessionFilter::Unassigned) => call.session.is_none(),
            Some(SessionFilter::Id(id)) => call.session == Some(id),
        };
        if !session || !(from..to).contains(&bucket) {
            continue;
        }
        let mut keys = UsageKeys::default();
        for dimension in &query.group_by {
            match dimension {
                GroupBy::Session => keys.session = call.session,
                GroupBy::Provider => keys.provider = Some((*call.start.provider).into()),
                GroupBy::Model => keys.model = call.model().map(Into::into),
                GroupBy::Client => keys.client = call.start.client.as_deref().map(Into::into),
                GroupBy::Operation => keys.operation = Some(call.start.operation),
                GroupBy::Source => keys.source = end.source,
                GroupBy::Outcome => keys.outcome = Some(end.outcome),
                GroupBy::Bucket => keys.bucket = Some(Timestamp(start(bucket))),
                GroupBy::Conversation => {
                    keys.conversation = call.start.conversation.as_deref().map(Into::into);
                }
            }
        }
        let index = groups
            .iter()
            .position(|group| group.0 == keys)
            .unwrap_or_else(|| {
                let nothing = Histogram::default;
                groups.push((keys, Totals::default(), Millis(0), nothing(), nothing()));
                groups.len() - 1
            });
        groups[index].1.add(call);
        groups[index].2.0 += end.duration.0;
        if query.timings == Timings::Wanted {
            groups[index].3.add(&Histogram::of(end.duration));
            if let Some(ttft) = end.ttft {
                groups[index].4.add(&Histogram::of(ttft));
            }
        }
    }
    groups
}

pub(super) fn check(reader: &Reader, calls: &HashMap<CallId, Call>, query: &UsageQuery) {
    let mut left: Vec<_> = reader
        .usage(query)
        .unwrap()
        .into_iter()
        .map(|group| {
            (
                group.keys,
                group.totals,
                group.duration,
                group.durations,
                group.ttfts,
            )
        })
        .collect();
    let mut right = recomputed(calls, query);
    left.sort_by_key(|group| format!("{:?}", group.0));
    right.sort_by_key(|group| format!("{:?}", group.0));
    assert_eq!(left, right, "{query:?}");
}

pub(super) fn any_query() -> impl Strategy<Value = UsageQuery> {
    let dimensions = vec![
        GroupBy::Session,
        GroupBy::Provider,
        GroupBy::Model,
        GroupBy::Client,
        GroupBy::Operation,
        GroupBy::Source,
        GroupBy::Outcome,
        GroupBy::Bucket,
        GroupBy::Conversation,
    ];
    let zones = vec![
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "Asia/Kathmandu",
        "Australia/Lord_Howe",
        "Pacific/Kiritimati",
    ];
    let days = prop::sample::select(zones).prop_map(|zone| Cut::Days(TimeZone::get(zone).unwrap()));
    let step = prop_oneof![Just(Cut::Quarters), Just(Cut::Hours), days];
    let timings = prop_oneof![Just(Timings::Ignored), Just(Timings::Wanted)];
    let moment = || prop::option::of((-QUARTER..5 * 86_400_000).prop_map(|ms| Timestamp(NOON + ms)));
    let session = prop_oneof![
        Just(None),
        Just(Some(SessionFilter::Unassigned)),
        (0_u64..4).prop_map(|number| Some(SessionFilter::Id(session_id(number)))),
    ];
    (
        moment(),
        moment(),
        session,
        prop::sample::subsequence(dimensions, 0..=9),
        (step, timings),
    )
        .prop_map(|(from, to, session, group_by, (step, timings))| UsageQuery {
            from,
            to,
            session,
            group_by,
            step,
            timings,
        })
}

#[test]
fn a_moved_call_takes_its_sums_along_and_its_note_does_not_stay() {
    let directory = tempdir().unwrap();
    let (store, _) = open(directory.path());
    let call = full(1);
    let id = call.start.id;
    put(&store, finished(&call));
    put(&store, finished(&full(2)));
    let session = call.session.unwrap();
    put(
        &store,
        Record::WhilePaused {
            call: id,
            session,
            tokens: Tokens(9),
        },
    );
    let here = CallQuery {
        conversation: Some("thread-1".into()),
        agent: Some("agent-2".into()),
        client: Some("codex".into()),
        except: Some(SessionFilter::Unassigned),
        ..CallQuery::default()
    };
    let found = store.reader().movable(&here).unwrap();
    let found: Vec<_> = found.iter().map(|m| (m.call.start.id, m.paused)).collect();
    assert_eq!(found, [(full(2).start.id, None), (id, Some(Tokens(9)))]);
    let moved = Call {
        session: None,
        ..call
    };
    put(&store, finished(&moved));
    put(&store, Record::NotWhilePaused(id));
    drop(store);
    let (store, _) = open(directory.path());
    assert_eq!(store.reader().movable(&here).unwrap().len(), 1);
    let other = CallQuery {
        conversation: Some("thread-2".into()),
        ..CallQuery::default()
    };
    assert_eq!(store.reader().movable(&other).unwrap(), []);
    let found = store.reader().movable_ids(&[id, running(99).start.id]).unwrap();
    let expected = Movable {
        call: moved.clone(),
        paused: None,
    };
    assert_eq!(found, [Some(expected), None]);
    let sum = |call: &Call| {
        let mut sums = Totals::default();
        sums.add(call);
        sums
    };
    assert_eq!(store.reader().unassigned().unwrap(), sum(&moved));
    let by_session = UsageQuery {
        session: Some(SessionFilter::Id(session)),
        ..UsageQuery::default()
    };
    let groups = store.reader().usage(&by_session).unwrap();
    assert_eq!(groups.len(), 1);
    assert_eq!(groups[0].totals, sum(&full(2)));
}

/// What happens to the store.
#[derive(Clone, Debug)]
enum Step {
    Start(Call),
    Finish(Call),
    Restart,
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => any_call().prop_map(Step::Start),
        12 => any_call().prop_map(Step::Finish),
        1 => Just(Step::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Whatever is stored, again with other numbers or not, across restarts, the roll-ups are the sums of the
    /// rows.
    #[test]
    fn rollups_are_the_sums_of_the_calls(
        steps in prop::collection::vec(any_step(), 1..60),
        queries in prop::collection::vec(any_query(), 1..12),
    ) {
        let directory = tempdir().unwrap();
        let mut store: Option<Store> = Some(open(directory.path()).0);
        let mut calls: HashMap<CallId, Call> = HashMap::new();
        let mut tickets = Vec::new();
        for step in steps {
            let writer = store.as_ref().unwrap().writer();
            match step {
                Step::Start(call) => {
                    tickets.push(writer.submit(started(&call)).unwrap());
                    if calls.get(&call.start.id).is_none_or(|known| known.end.is_none()) {
                        calls.insert(call.start.id, Call { end: None, cost: None, ..call });
                    }
                }
                Step::Finish(call) => {
                    tickets.push(writer.submit(finished(&call)).unwrap());
                    calls.insert(call.start.id, call);
                }
                Step::Restart => {
                    drop(store.take());
                    let (reopened, recovered) = open(directory.path());
                    let mut interrupted = 0;
                    for call in recovered.recent_calls {
                        if calls[&call.start.id].end.is_none() {
                            interrupted += 1;
                            calls.insert(call.start.id, call);
                        }
                    }
                    prop_assert_eq!(recovered.interrupted, interrupted);
                    store = Some(reopened);
                }
            }
        }
        for ticket in tickets {
            ticket.wait().unwrap();
        }
        let reader = store.as_ref().unwrap().reader();
        for query in queries {
            check(&reader, &calls, &query);
        }
        let mut unassigned = Totals::default();
        for call in calls.values().filter(|call| call.session.is_none()) {
            unassigned.add(call);
        }
        prop_assert_eq!(reader.unassigned().unwrap(), unassigned);
    }
}

#[test]
fn a_call_that_is_moved_to_another_session_moves_its_sums() {
    let directory = tempdir().unwrap();
    let (store, _) = open(directory.path());
    let mut call = full(1);
    put(&store, finished(&call));
    call.session = Some(session_id(2));
    put(&store, finished(&call));
    let by_session = UsageQuery {
        group_by: vec![GroupBy::Session],
        ..UsageQuery::default()
    };
    let groups = store.reader().usage(&by_session).unwrap();
    assert_eq!(groups.len(), 1);
    assert_eq!(groups[0].keys.session, Some(session_id(2)));
    assert_eq!(groups[0].totals.requests, 1);
}

#[test]
fn absurd_numbers_neither_fail_nor_stop_the_sums() {
    use crate::domain::units::Tokens;
    let directory = tempdir().unwrap();
    let (store, _) = open(directory.path());
    for number in 0..20 {
        let mut call = full(number);
        call.cost = Some(catalog(i64::MIN));
        let end = call.end.as_mut().unwrap();
        end.duration = Millis(u64::MAX);
        end.parts.input = Some(Tokens(u64::MAX));
        put(&store, finished(&call));
    }
    assert_eq!(
        store.reader().usage(&UsageQuery::default()).unwrap()[0]
            .totals
            .requests,
        20
    );
}

#[test]
fn a_call_changes_one_row_and_what_is_over_is_folded() {
    let directory = tempdir().unwrap();
    let (store, _) = open(directory.path());
    let at = |number: u64, quarter: i64| {
        let mut call = full(number);
        call.start.started_at = Timestamp(NOON + quarter * QUARTER);
        call
    };
    let rows = || {
        let count = "SELECT count(*) FROM rollups";
        connect(&directory.path().join("moonlock.db"))
            .query_row(count, [], |row| row.get::<_, i64>(0))
            .unwrap()
    };
    let mut calls = HashMap::new();
    // One row a quarter, until the first is over by more than one: then it stands at all eight coarse levels too. A late
    // call changes rows that are there.
    for (call, expected) in [
        (at(1, 0), 1),
        (at(2, 1), 2),
        (at(3, 2), 11),
        (at(4, 0), 11),
        (at(5, 1), 11),
    ] {
        put(&store, finished(&call));
        calls.insert(call.start.id, call);
        assert_eq!(rows(), expected);
        for group_by in [
            vec![],
            vec![GroupBy::Session],
            vec![GroupBy::Conversation],
            vec![GroupBy::Bucket],
        ] {
            let query = UsageQuery {
                group_by,
                ..UsageQuery::default()
            };
            check(&store.reader(), &calls, &query);
        }
    }
}

#[test]
fn coarse_levels_come_out_of_the_quarters_alone() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("moonlock.db");
    let mut calls = HashMap::new();
    {
        let (store, _) = open(directory.path());
        for number in 0..40 {
            let mut call = full(number);
            call.start.started_at = Timestamp(NOON + i64::try_from(number).unwrap() * 2 * QUARTER);
            put(&store, finished(&call));
            calls.insert(call.start.id, call);
        }
    }
    let all_queries = |reader: &Reader| {
        use GroupBy::{Bucket, Conversation, Model, Session};
        let groups: [&[GroupBy]; 6] = [
            &[],
            &[Model],
            &[Session],
            &[Conversation],
            &[Bucket],
            &[Bucket, Model],
        ];
        for group_by in groups {
            for step in [Cut::Quarters, Cut::Hours] {
                let query = UsageQuery {
                    group_by: group_by.to_vec(),
                    step,
                    timings: Timings::Wanted,
                    ..UsageQuery::default()
                };
                check(reader, &calls, &query);
            }
        }
    };
    // What a program left that had one level fewer: made of the calls, the sums would be empty now.
    connect(&path)
        .execute_batch(
            "DELETE FROM calls; DELETE FROM rollups WHERE level = 8; \
             UPDATE settings SET value = '4' || substr(value, 2) WHERE key = 'sums';",
        )
        .unwrap();
    all_queries(&open(directory.path()).0.reader());
    // Whatever they held.
    let connection = connect(&path);
    connection
        .execute_batch("UPDATE rollups SET total = 7, requests = 9 WHERE level > 0")
        .unwrap();
    rollups::fold_anew(&connection).unwrap();
    drop(connection);
    all_queries(&open(directory.path()).0.reader());
}
