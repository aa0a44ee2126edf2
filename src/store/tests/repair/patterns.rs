//! Damage of every shape, and what is kept of the calls: none is made up, and none says what is not so.

use super::*;
use crate::domain::call::{Attribution, Outcome};
use crate::domain::operation::Operation;

/// Which pages are struck; of all there are, with the tree that each is of, and its kind.
type Pattern = (&'static str, fn(u32, &str, &str) -> bool);

const SCHEMA: &str = "sqlite_schema";
const NAMES: &str = "names";
const INDEX_OF_NAMES: &str = "sqlite_autoindex_names_1";

const PATTERNS: [Pattern; 22] = [
    ("the header", |page, _, _| page == 1),
    ("the schema behind the header", |page, tree, _| {
        tree == SCHEMA && page > 1
    }),
    ("the header and the schema", |_, tree, _| tree == SCHEMA),
    ("header, schema, all sums", |_, tree, _| {
        tree == SCHEMA || tree.starts_with("rollups")
    }),
    ("the root of the names", |_, tree, kind| {
        tree == NAMES && kind.starts_with("root")
    }),
    ("all names", |_, tree, _| tree == NAMES),
    ("the names' index", |_, tree, _| tree == INDEX_OF_NAMES),
    ("all names and their index", |_, tree, _| {
        tree == NAMES || tree == INDEX_OF_NAMES
    }),
    ("every 2nd page of names, their index", |page, tree, _| {
        (tree == NAMES && page % 2 == 0) || tree == INDEX_OF_NAMES
    }),
    ("every 2nd page of both", |page, tree, _| {
        (tree == NAMES || tree == INDEX_OF_NAMES) && page % 2 == 1
    }),
    ("all names, their index, the header", |page, tree, _| {
        tree == NAMES || tree == INDEX_OF_NAMES || page == 1
    }),
    ("all sessions", |_, tree, _| tree == "sessions"),
    ("all sessions and their indexes", |_, tree, _| {
        tree.starts_with("sessions") || tree.starts_with("sqlite_autoindex_sessions")
    }),
    ("all events of clocks", |_, tree, _| tree == "timer_events"),
    ("all checkpoints and reports", |_, tree, _| {
        tree.starts_with("checkpoints") || tree.starts_with("reports")
    }),
    ("all conversations", |_, tree, _| tree == "conversations"),
    ("all sums", |_, tree, _| tree.starts_with("rollups")),
    ("inner pages of calls", |_, tree, kind| {
        tree == "calls" && kind.ends_with("internal")
    }),
    ("every 50th page from the 1st", |page, _, _| page % 50 == 1),
    ("every 10th page from the 2nd", |page, _, _| page % 10 == 2),
    ("every 10th page from the 1st", |page, _, _| page % 10 == 1),
    ("every 4th page from the 5th", |page, _, _| {
        page % 4 == 1 && page > 1
    }),
];

/// Whether a text is what it was, or lost.
fn is_kept(text: &str, was: &str) -> bool {
    text == was || text.starts_with("unknown (lost")
}

fn is_kept_or_none(text: Option<&str>, was: Option<&str>) -> bool {
    text.is_none_or(|text| was.is_some_and(|was| is_kept(text, was)))
}

/// Whether a call says nothing but what it said.
fn is_true(call: &Call, was: &Call) -> bool {
    let (end, end_was) = (call.end.as_ref().unwrap(), was.end.as_ref().unwrap());
    let (start, start_was) = (&call.start, &was.start);
    let agent = |call: &Call| call.start.agent.as_ref().map(|agent| agent.id.clone());
    is_kept(&start.provider, &start_was.provider)
        && is_kept_or_none(start.request_model.as_deref(), start_was.request_model.as_deref())
        && is_kept_or_none(start.conversation.as_deref(), start_was.conversation.as_deref())
        && is_kept_or_none(start.client.as_deref(), start_was.client.as_deref())
        && is_kept_or_none(agent(call).as_deref(), agent(was).as_deref())
        && is_kept_or_none(end.model.as_deref(), end_was.model.as_deref())
        && is_kept_or_none(end.error.as_deref(), end_was.error.as_deref())
        && is_kept_or_none(end.raw_usage.as_deref(), end_was.raw_usage.as_deref())
        && [was.attribution, Attribution::Unassigned].contains(&call.attribution)
        && [start_was.operation, Operation::Manual].contains(&start.operation)
        && [end_was.outcome, Outcome::Interrupted].contains(&end.outcome)
        && (end.source.is_none() || end.source == end_was.source)
        && (end.parts, call.cost.map(|cost| cost.amount)) == (end_was.parts, was.cost.map(|cost| cost.amount))
}

#[test]
fn whatever_is_struck_no_call_that_can_be_read_is_lost_or_says_what_is_not_so() {
    let directory = tempdir().unwrap();
    filled(directory.path());
    let path = options(directory.path()).path;
    let kinds = page_kinds(&path);
    let count = u32::try_from(std::fs::metadata(&path).unwrap().len()).unwrap() / PAGE as u32;
    let was: BTreeMap<_, _> = (1..=CALLS)
        .map(|number| (full(number).start.id, call_of(number)))
        .collect();
    println!(
        "{:<38}{:>6}{:>7}{:>7}{:>8}  told",
        "pages with noise", "pages", "calls", "named", "untrue"
    );
    for (name, is_struck) in PATTERNS {
        let of_page = |page| {
            kinds
                .get(&page)
                .map_or(("", ""), |(tree, kind)| (tree.as_str(), kind.as_str()))
        };
        let struck: Vec<u32> = (1..=count)
            .filter(|page| is_struck(*page, of_page(*page).0, of_page(*page).1))
            .collect();
        let after = strike(directory.path(), &struck, BLOWS[1].1);
        let named = after.found.iter().filter(|call| {
            let was = &was[&call.start.id];
            call.start.provider == was.start.provider && call.model() == was.model()
        });
        let untrue = after
            .found
            .iter()
            .filter(|call| !is_true(call, &was[&call.start.id]))
            .count();
        println!(
            "{name:<38}{:>6}{:>7}{:>7}{untrue:>8}  {}",
            struck.len(),
            after.found.len(),
            named.count(),
            after.told.first().map_or("nothing", |told| told)
        );
        let of_calls = |page: &&u32| matches!(of_page(**page), ("calls", "leaf" | "overflow" | "internal"));
        // A page holds some dozens of calls, or a piece of one.
        let most = struck.iter().filter(of_calls).count() * 30;
        assert!(
            after.found.len() + most >= CALLS as usize,
            "{name}: {} of {CALLS} calls are kept",
            after.found.len()
        );
        assert_eq!(untrue, 0, "{name}");
    }
}
