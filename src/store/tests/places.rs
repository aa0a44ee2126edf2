//! Calls are found without reading those that do not match.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use proptest::prelude::*;
use rusqlite::Connection;
use tempfile::{TempDir, tempdir};

use super::support::*;
use crate::domain::call::{Call, Outcome, Source};
use crate::domain::ids::CallId;
use crate::domain::operation::Operation;
use crate::domain::record::Record;
use crate::domain::units::{Millis, NanoUsd, Timestamp, Tokens};
use crate::store::calls;
use crate::store::names::Lookup;
use crate::store::{CallQuery, Store};

/// Ten minutes apart: six weeks.
const CALLS: u64 = 6_000;

/// The one that differs.
const RARE: u64 = 700;

fn call(number: u64) -> Call {
    let mut call = full(number);
    let at = NOON + i64::try_from(number).unwrap() * 600_000;
    call.start.id = CallId::from_uuid(uuid_at(at, number));
    call.start.started_at = Timestamp(at);
    call.session = None;
    call.start.conversation = Some(format!("thread-{}", number / 20).into());
    let end = call.end.as_mut().unwrap();
    end.raw_usage = None;
    end.duration = Millis(1_000);
    if number == RARE {
        call.start.client = Some("a-rare-client".into());
        call.start.agent = None;
        call.start.provider = "groq".into();
        call.start.operation = Operation::Embeddings;
        call.cost.as_mut().unwrap().amount = NanoUsd(5_000_000_000_000);
        end.model = Some("a-rare-model".into());
        end.status = Some(418);
        end.outcome = Outcome::UpstreamError;
        end.source = Some(Source::Estimated);
        end.parts.output = Some(Tokens(70_000_000));
    }
    call
}

fn filled() -> (TempDir, Store) {
    let directory = tempdir().unwrap();
    let (store, _) = open(directory.path());
    let mut last = None;
    for number in 0..CALLS {
        last = Some(store.writer().submit(finished(&call(number))).unwrap());
    }
    last.unwrap().wait().unwrap();
    (directory, store)
}

/// The ids of what is found, and a measure of the steps that SQLite took for it.
fn ask(connection: &Connection, query: &CallQuery) -> (Vec<CallId>, u32) {
    let steps = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&steps);
    let count = move || {
        counted.fetch_add(1, Ordering::Relaxed);
        false
    };
    connection.progress_handler(1, Some(count)).unwrap();
    let found = calls::select(connection, &mut Lookup::default(), query).unwrap();
    connection.progress_handler(0, None::<fn() -> bool>).unwrap();
    let found = found.iter().map(|call| call.start.id).collect();
    (found, steps.load(Ordering::Relaxed))
}

/// Makes a database forget where its calls are, so that it reads them all.
fn forget(path: &Path) -> Connection {
    let connection = connect(path);
    connection
        .execute("DELETE FROM settings WHERE key = 'places'", [])
        .unwrap();
    connection
}

#[test]
fn a_rare_call_is_found_without_reading_the_others() {
    let (directory, store) = filled();
    drop(store);
    let path = options(directory.path()).path;
    let all = CallQuery::default;
    let rare = [
        CallQuery {
            conversation: Some("thread-35".into()),
            ..all()
        },
        CallQuery {
            model: Some("a-rare-model".into()),
            ..all()
        },
        CallQuery {
            client: Some("a-rare-client".into()),
            ..all()
        },
        CallQuery {
            provider: Some("groq".into()),
            ..all()
        },
        CallQuery {
            operation: Some(Operation::Embeddings),
            ..all()
        },
        CallQuery {
            outcome: Some(Outcome::UpstreamError),
            ..all()
        },
        CallQuery {
            source: Some(Source::Estimated),
            ..all()
        },
        CallQuery {
            status: Some((418, 418)),
            ..all()
        },
        CallQuery {
            status: Some((400, 499)),
            ..all()
        },
        CallQuery {
            status: Some((500, 599)),
            ..all()
        },
        CallQuery {
            min_cost: Some(NanoUsd(4_000_000_000_000)),
            ..all()
        },
        CallQuery {
            min_cost: Some(NanoUsd(i64::MAX)),
            ..all()
        },
        CallQuery {
            max_cost: Some(NanoUsd(1_000)),
            ..all()
        },
        CallQuery {
            min_tokens: Some(Tokens(60_000_000)),
            ..all()
        },
        CallQuery {
            search: Some("RARE".into()),
            ..all()
        },
        CallQuery {
            search: Some("thread".into()),
            ..all()
        },
        CallQuery {
            provider: Some("openai".into()),
            status: Some((200, 599)),
            min_cost: Some(NanoUsd(1)),
            model: Some("a-rare-model".into()),
            ..all()
        },
    ];
    let common = [
        CallQuery {
            client: Some("codex".into()),
            ..all()
        },
        CallQuery {
            status: Some((200, 299)),
            min_cost: Some(NanoUsd(0)),
            ..all()
        },
        CallQuery {
            search: Some("gpt".into()),
            limit: 500,
            ..all()
        },
        CallQuery {
            min_tokens: Some(Tokens(9_000)),
            before: Some(call(5_000).start.id),
            ..all()
        },
    ];
    let known = connect(&path);
    let answers: Vec<_> = rare
        .iter()
        .chain(&common)
        .map(|query| ask(&known, query))
        .collect();
    let scanning = forget(&path);
    for (query, (found, steps)) in rare.iter().chain(&common).zip(&answers) {
        let (expected, scanned) = ask(&scanning, query);
        assert_eq!(*found, expected, "{query:?}");
        println!(
            "{:>3} found, {steps:>6} steps instead of {scanned:>6}",
            found.len()
        );
        if rare.contains(query) {
            assert!(
                steps * 10 < scanned,
                "{query:?}: {steps} steps, {scanned} without places"
            );
        } else {
            assert!(
                *steps < scanned * 4,
                "{query:?}: {steps} steps, {scanned} without places"
            );
            assert_eq!(found.len(), query.limit, "{query:?}");
        }
    }
}

#[test]
fn pages_of_what_is_rare_have_no_gaps_and_no_repeats() {
    let (_directory, store) = filled();
    let mut query = CallQuery {
        conversation: Some("thread-100".into()),
        from: Some(call(2_003).start.started_at),
        limit: 3,
        ..CallQuery::default()
    };
    let mut seen = Vec::new();
    loop {
        let page = store.reader().calls(&query).unwrap();
        let Some(oldest) = page.last() else { break };
        query.before = Some(oldest.start.id);
        seen.extend(page.iter().map(|call| call.start.id));
    }
    let expected: Vec<_> = (2_003..2_020).rev().map(|number| call(number).start.id).collect();
    assert_eq!(seen, expected);
}

#[test]
fn what_an_older_program_wrote_is_noted_at_the_start() {
    let directory = tempdir().unwrap();
    let (store, _) = open(directory.path());
    put(&store, finished(&call(RARE)));
    drop(store);
    let connection = forget(&options(directory.path()).path);
    let places = |connection: &Connection| -> Vec<(i64, i64, i64)> {
        let mut all = connection
            .prepare("SELECT kind, value, block FROM call_places")
            .unwrap();
        let rows = all.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
        rows.unwrap().map(Result::unwrap).collect()
    };
    let before = places(&connection);
    assert_eq!(before.len(), 10, "one of each kind but the agent: {before:?}");
    connection.execute("DELETE FROM call_places", []).unwrap();
    let (store, _) = open(directory.path());
    assert_eq!(places(&connection), before);
    drop(store);
}

fn any_query() -> impl Strategy<Value = CallQuery> {
    let name =
        |names: &'static [&'static str]| prop::option::of(prop::sample::select(names).prop_map(Box::from));
    (
        name(&["openai", "groq", "nobody"]),
        name(&["gpt", "gpt-1", "llama-1"]),
        name(&["codex", "claude"]),
        prop::option::of((0_i64..1_000_000_000).prop_map(NanoUsd)),
        prop::option::of((0_i64..1_000_000_000).prop_map(NanoUsd)),
        prop::option::of((0_u64..3_000_000).prop_map(Tokens)),
        prop::option::of((0_u64..3_000_000).prop_map(Tokens)),
        name(&["gpt", "CLAUDE", "o"]),
    )
        .prop_map(
            |(provider, model, client, min_cost, max_cost, min_tokens, max_tokens, search)| CallQuery {
                provider,
                model,
                client,
                min_cost,
                max_cost,
                min_tokens,
                max_tokens,
                search,
                ..CallQuery::default()
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    /// Whatever is stored, again with other numbers or not, and deleted: what is asked for is what reading all gives.
    #[test]
    fn the_places_hide_no_call(
        stored in prop::collection::vec((any_call(), any::<bool>()), 1..60),
        queries in prop::collection::vec(any_query(), 1..16),
    ) {
        let directory = tempdir().unwrap();
        let (store, _) = open(directory.path());
        for (call, deleted) in stored {
            put(&store, finished(&call));
            if deleted {
                put(&store, Record::CallDeleted(call.start.id));
            }
        }
        let found: Vec<Vec<Call>> = queries.iter().map(|query| store.reader().calls(query).unwrap()).collect();
        drop(forget(&options(directory.path()).path));
        for (query, found) in queries.iter().zip(found) {
            prop_assert_eq!(found, store.reader().calls(query).unwrap(), "{:?}", query);
        }
    }
}
