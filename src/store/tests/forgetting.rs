//! Calls that are older than they are kept: their rows go, and no sum ever changes for it.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::path::Path;

use proptest::prelude::*;
use tempfile::tempdir;

use super::sums::{any_query, check};
use super::support::*;
use crate::domain::call::Call;
use crate::domain::ids::CallId;
use crate::domain::live::Movable;
use crate::domain::record::{Counted, Record, Standing};
use crate::domain::session::CallsFate;
use crate::domain::session::curve::Reach;
use crate::domain::session::timer::Change;
use crate::domain::units::{Timestamp, Tokens};
use crate::domain::usage::once::OnceKey;
use crate::domain::wire::Totals;
use crate::store::repair::repair;
use crate::store::{CallQuery, SessionFilter, Store, UsageQuery, backup, restore};

const DAY: i64 = 86_400_000;

/// A call whose id carries its moment, as all do.
fn any_old_call() -> impl Strategy<Value = Call> {
    any_call().prop_map(|mut call| {
        let at = call.start.started_at.0;
        call.start.id = CallId::from_uuid(uuid_at(at, at.unsigned_abs()));
        call
    })
}

/// Deletes piece by piece, so many pieces at most.
fn forget(store: &Store, before: Timestamp, piece: usize, most: usize) {
    let mut after = None;
    for _ in 0..most {
        let Some(found) = store.reader().forgettable(before, after, piece).unwrap() else {
            return;
        };
        assert!((1..=piece as u64).contains(&found.calls), "{found:?}");
        put(
            store,
            Record::CallsForgotten {
                before,
                first: found.first,
                last: found.last,
            },
        );
        after = Some(found.last);
    }
}

fn rows(store: &Store) -> Vec<Call> {
    let all = CallQuery {
        limit: usize::MAX >> 1,
        ..CallQuery::default()
    };
    store.reader().calls(&all).unwrap()
}

/// What a killed process leaves: the files as they are now.
fn kill(directory: &Path) -> tempfile::TempDir {
    let copy = tempdir().unwrap();
    for name in ["moonlock.db", "moonlock.db-wal"] {
        std::fs::copy(directory.join(name), copy.path().join(name)).unwrap();
    }
    copy
}

/// What makes sums anew, or carries them elsewhere.
#[derive(Clone, Copy, Debug)]
enum Upheaval {
    None,
    SumsAnew,
    Repair,
    Restore,
}

impl Upheaval {
    fn come(self, directory: &Path) {
        let path = options(directory).path;
        let now = jiff::Timestamp::now();
        match self {
            Self::None => {}
            Self::SumsAnew => {
                let sums = "DELETE FROM settings WHERE key = 'sums'";
                connect(&path).execute(sums, []).unwrap();
            }
            Self::Repair => {
                connect(&path)
                    .execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
                    .unwrap();
                repair(&path, "a test", now).unwrap();
            }
            Self::Restore => {
                let elsewhere = tempdir().unwrap();
                let copy = elsewhere.path().join("copy.db");
                backup(&path, &copy, &Default::default()).unwrap();
                restore(&copy, &path, now).unwrap();
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    /// Wherever a deletion is cut off, whatever comes after it, and however the sums are made anew: they are those of all
    /// calls that ever were.
    #[test]
    fn sums_are_those_of_all_calls_that_ever_were(
        old in prop::collection::vec(any_old_call(), 1..40),
        more in prop::collection::vec((any_old_call(), any::<prop::sample::Index>()), 0..12),
        queries in prop::collection::vec(any_query(), 1..8),
        (mark, piece, pieces) in (-1_i64..6, 1_usize..20, 0_usize..6),
        upheaval in prop::sample::select(vec![
            Upheaval::None, Upheaval::SumsAnew, Upheaval::Repair, Upheaval::Restore,
        ]),
        again in any::<bool>(),
    ) {
        let directory = tempdir().unwrap();
        let mut calls: HashMap<CallId, Call> = HashMap::new();
        let (store, _) = open(directory.path());
        for call in old {
            put(&store, finished(&call));
            calls.insert(call.start.id, call);
        }
        let before = Timestamp(NOON + mark * DAY);
        forget(&store, before, piece, pieces);
        let directory = kill(directory.path());
        drop(store);
        drop(open(directory.path()));
        upheaval.come(directory.path());
        let (store, _) = open(directory.path());
        for query in &queries {
            check(&store.reader(), &calls, query);
        }

        // What is still there is changed as ever; what is said of the others is dropped; what is new counts.
        let mut there: HashSet<CallId> = rows(&store).iter().map(|call| call.start.id).collect();
        for (id, call) in &calls {
            prop_assert!(there.contains(id) || call.start.started_at < before);
        }
        for (said, which) in more {
            let ids: Vec<&CallId> = calls.keys().collect();
            let id = **which.get(&ids);
            let later = Call {
                start: calls[&id].start.clone(),
                changed_at: Some(Timestamp(NOON + 9 * DAY)),
                ..said.clone()
            };
            put(&store, finished(&later));
            if there.contains(&id) {
                calls.insert(id, later);
            } else {
                prop_assert_eq!(store.reader().call(id).unwrap(), None);
            }
            if let Entry::Vacant(new) = calls.entry(said.start.id) {
                put(&store, finished(&said));
                there.insert(said.start.id);
                new.insert(said);
            }
        }
        if again {
            forget(&store, before, piece, usize::MAX);
            prop_assert!(rows(&store).iter().all(|call| call.start.started_at >= before));
            drop(store);
            upheaval.come(directory.path());
        } else {
            drop(store);
        }
        let (store, _) = open(directory.path());
        for query in &queries {
            check(&store.reader(), &calls, query);
        }
        let mut unassigned = Totals::default();
        for call in calls.values().filter(|call| call.session.is_none()) {
            unassigned.add(call);
        }
        prop_assert_eq!(store.reader().unassigned().unwrap(), unassigned);
    }
}

/// A call of one day, in a session.
fn of_day(day: i64, session: Option<u64>) -> Call {
    let number = u64::try_from(day).unwrap();
    let mut call = full(number);
    let at = NOON + day * DAY;
    call.start.started_at = Timestamp(at);
    call.start.id = CallId::from_uuid(uuid_at(at, number));
    call.session = session.map(session_id);
    call
}

fn put_session(store: &Store, number: u64, ends_on: Option<i64>) {
    let (mut session, events) = super::timers::session(number);
    put(
        store,
        Record::Session {
            session: Box::new(session.clone()),
            events,
            current: None,
        },
    );
    if let Some(day) = ends_on {
        super::timers::change(store, &mut session, Change::Complete, day * DAY);
    }
}

#[test]
fn calls_of_sessions_that_last_or_ended_later_stay() {
    let directory = tempdir().unwrap();
    let (store, _) = open(directory.path());
    put_session(&store, 1, None);
    put_session(&store, 2, Some(2));
    put_session(&store, 3, Some(9));
    let calls = [
        of_day(0, None),
        of_day(1, Some(1)),
        of_day(2, Some(2)),
        of_day(3, Some(3)),
        of_day(6, None),
    ];
    for call in &calls {
        put(&store, finished(call));
    }
    put(
        &store,
        Record::WhilePaused {
            call: calls[2].start.id,
            session: session_id(2),
            tokens: Tokens(7),
        },
    );
    let reader = store.reader();
    let course = |store: &Store| {
        let now = reading(20 * DAY);
        let courses = store.reader().courses(&[session_id(2)], Reach::SoFar, now);
        let course = courses.unwrap().remove(0).unwrap();
        (course.curve, course.effort)
    };
    let before_it_went = course(&store);
    assert_eq!(reader.calls_since().unwrap(), None);
    let before = Timestamp(NOON + 5 * DAY + 60_000);
    forget(&store, before, 1, usize::MAX);
    let expected: Vec<Call> = [4, 3, 1].map(|index: usize| calls[index].clone()).into();
    assert_eq!(rows(&store), expected);
    let quarter = Timestamp(before.0.div_euclid(900_000) * 900_000);
    assert_eq!(reader.calls_since().unwrap(), Some(quarter));
    assert!(reader.may_have_gone(calls[0].start.id).unwrap());
    assert!(!reader.may_have_gone(calls[1].start.id).unwrap());
    assert!(!reader.may_have_gone(of_day(8, None).start.id).unwrap());

    // What the session was is kept, also through a repair.
    let sums = |store: &Store| {
        let stored = store.reader().session(session_id(2)).unwrap().unwrap();
        (stored.totals, stored.marks.paused_tokens)
    };
    let mut expected = Totals::default();
    expected.add(&calls[2]);
    assert_eq!(sums(&store), (expected, Tokens(7)));
    assert_eq!(course(&store), before_it_went);
    drop(store);
    Upheaval::Repair.come(directory.path());
    let (store, _) = open(directory.path());
    assert_eq!(sums(&store), (expected, Tokens(7)));
    assert_eq!(course(&store), before_it_went);

    // An earlier mark changes nothing.
    forget(&store, Timestamp(NOON + DAY), 10, usize::MAX);
    assert_eq!(store.reader().calls_since().unwrap(), Some(quarter));
    // When a session is over, and deleted, it leaves its sums to nobody.
    put(
        &store,
        Record::SessionDeleted {
            session: session_id(2),
            calls: CallsFate::Unassign,
        },
    );
    let before = store.reader().unassigned().unwrap();
    put(&store, Record::SessionEmptied(session_id(2)));
    let mut expected = before;
    expected.add(&calls[2]);
    assert_eq!(store.reader().unassigned().unwrap(), expected);
    let of_it = UsageQuery {
        session: Some(SessionFilter::Id(session_id(2))),
        ..UsageQuery::default()
    };
    assert_eq!(store.reader().usage(&of_it).unwrap(), []);
}

#[test]
fn a_clock_that_is_set_back_makes_no_new_call_an_old_one() {
    let directory = tempdir().unwrap();
    let (store, _) = open(directory.path());
    put(&store, finished(&of_day(0, None)));
    put(&store, finished(&of_day(9, None)));
    forget(&store, Timestamp(NOON + 8 * DAY), 10, usize::MAX);
    // Then it is day 3, and a call ends; in one transaction with what is estimated of it, or in two.
    for (day, apart) in [(3, true), (4, false)] {
        let call = of_day(day, None);
        let estimated = Call {
            changed_at: Some(Timestamp(NOON + day * DAY)),
            ..call.clone()
        };
        if apart {
            put(&store, started(&call));
            put(&store, finished(&call));
            put(&store, finished(&estimated));
        } else {
            let blocker = connect(&options(directory.path()).path);
            blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
            let tickets = [&call, &estimated].map(|call| store.writer().submit(finished(call)).unwrap());
            blocker.execute_batch("ROLLBACK").unwrap();
            tickets.into_iter().for_each(|ticket| ticket.wait().unwrap());
        }
        assert_eq!(store.reader().call(call.start.id).unwrap(), Some(estimated));
    }
    let requests = store.reader().usage(&UsageQuery::default()).unwrap()[0]
        .totals
        .requests;
    assert_eq!(requests, 4);
}

#[test]
fn what_counted_counts_on_and_rare_calls_are_found_as_before() {
    let directory = tempdir().unwrap();
    let (store, _) = open(directory.path());
    let key = OnceKey::new("openai", "resp_1");
    let gone = of_day(0, None);
    put(
        &store,
        Record::Counted(Counted {
            key,
            call: gone.start.id,
            standing: Standing::Open,
        }),
    );
    put(&store, finished(&gone));
    let mut rare = of_day(7, None);
    rare.start.client = Some("aider".into());
    put(&store, finished(&rare));
    let places = || {
        let count = "SELECT count(*) FROM call_places";
        let connection = connect(&options(directory.path()).path);
        connection
            .query_row(count, [], |row| row.get::<_, i64>(0))
            .unwrap()
    };
    let noted = places();
    forget(&store, Timestamp(NOON + 5 * DAY), 10, usize::MAX);
    assert_eq!(places(), noted / 2, "those of the day that is left");
    let found = |client: &str| {
        let query = CallQuery {
            client: Some(client.into()),
            ..CallQuery::default()
        };
        store.reader().movable(&query).unwrap()
    };
    let here = |call: &Call| Movable {
        call: call.clone(),
        paused: None,
    };
    assert_eq!((found("codex"), found("aider")), (vec![], vec![here(&rare)]));
    let counting = store.reader().counting(&key).unwrap().unwrap();
    assert_eq!((counting.id, counting.call), (gone.start.id, None));
    // One of long ago that comes all the same is found, too.
    let late = Call {
        start: crate::domain::call::CallStart {
            id: CallId::from_uuid(uuid_at(NOON, 77)),
            ..gone.start.clone()
        },
        ..gone
    };
    put(&store, finished(&late));
    assert_eq!(found("codex"), [here(&late)]);
}

#[test]
fn the_room_of_what_went_is_free() {
    let directory = tempdir().unwrap();
    let (store, _) = open(directory.path());
    for number in 0..2_000 {
        drop(store.writer().submit(finished(&full(number))).unwrap());
    }
    put(&store, finished(&of_day(9, None)));
    let before = store.reader().size().unwrap();
    assert_eq!((before.free_bytes, before.calls_since), (0, None));
    forget(&store, Timestamp(NOON + DAY), 500, usize::MAX);
    let after = store.reader().size().unwrap();
    assert!(after.free_bytes > 100_000, "{after:?}");
    assert_eq!(after.oldest_call, Some(Timestamp(NOON + 9 * DAY)));
}
