use tempfile::tempdir;

use super::support::*;
use crate::domain::call::{Outcome, Source};
use crate::domain::operation::Operation;
use crate::domain::units::{NanoUsd, Timestamp, Tokens};
use crate::store::{CallQuery, SessionFilter};

#[test]
fn pages_have_no_gaps_and_no_repeats() {
    let directory = tempdir().unwrap();
    let (store, _) = open(directory.path());
    let mut last = None;
    for number in 0..1_000 {
        let mut call = full(number);
        call.session = (number % 3 > 0).then(|| session_id(number % 3));
        let write = if number % 10 == 0 {
            started(&call)
        } else {
            finished(&call)
        };
        last = Some(store.writer().submit(write).unwrap());
    }
    last.unwrap().wait().unwrap();
    let reader = store.reader();
    for (session, expected) in [
        (None, (0..1_000).rev().collect::<Vec<u64>>()),
        (
            Some(SessionFilter::Unassigned),
            (0..1_000).rev().filter(|number| number % 3 == 0).collect(),
        ),
        (
            Some(SessionFilter::Id(session_id(2))),
            (0..1_000).rev().filter(|number| number % 3 == 2).collect(),
        ),
    ] {
        let mut query = CallQuery {
            session,
            limit: 37,
            ..CallQuery::default()
        };
        let mut seen = Vec::new();
        loop {
            let page = reader.calls(&query).unwrap();
            let Some(oldest) = page.last() else { break };
            query.before = Some(oldest.start.id);
            seen.extend(page.iter().map(|call| call.start.id));
        }
        let expected: Vec<_> = expected.into_iter().map(|number| full(number).start.id).collect();
        assert_eq!(seen, expected);
    }
}

#[test]
fn every_filter_filters() {
    let directory = tempdir().unwrap();
    let (store, _) = open(directory.path());
    let mut other = running(2);
    other.start.provider = "anthropic".into();
    other.start.operation = Operation::Messages;
    other.start.request_model = Some("claude".into());
    other.end = Some(empty_end());
    let mut under_way = running(3);
    under_way.start.request_model = Some("claude".into());
    for write in [finished(&full(1)), finished(&other), started(&under_way)] {
        put(&store, write);
    }
    let reader = store.reader();
    let all = CallQuery::default;
    let check = |query: CallQuery, expected: &[u64]| {
        let found: Vec<_> = reader
            .calls(&query)
            .unwrap()
            .iter()
            .map(|call| call.start.id)
            .collect();
        let expected: Vec<_> = expected.iter().map(|number| full(*number).start.id).collect();
        assert_eq!(found, expected, "{query:?}");
    };
    check(all(), &[3, 2, 1]);
    check(
        CallQuery {
            provider: Some("anthropic".into()),
            ..all()
        },
        &[2],
    );
    check(
        CallQuery {
            provider: Some("nobody".into()),
            ..all()
        },
        &[],
    );
    check(
        CallQuery {
            model: Some("claude".into()),
            ..all()
        },
        &[3, 2],
    );
    check(
        CallQuery {
            model: Some("gpt-5".into()),
            ..all()
        },
        &[],
    );
    check(
        CallQuery {
            model: Some("gpt-5-2026-08-07".into()),
            ..all()
        },
        &[1],
    );
    check(
        CallQuery {
            outcome: Some(Outcome::Running),
            ..all()
        },
        &[3],
    );
    check(
        CallQuery {
            outcome: Some(Outcome::Complete),
            ..all()
        },
        &[1],
    );
    check(
        CallQuery {
            source: Some(Source::Exact),
            ..all()
        },
        &[1],
    );
    check(
        CallQuery {
            operation: Some(Operation::Messages),
            ..all()
        },
        &[2],
    );
    check(
        CallQuery {
            session: Some(SessionFilter::Id(session_id(1))),
            ..all()
        },
        &[1],
    );
    check(
        CallQuery {
            session: Some(SessionFilter::Id(session_id(9))),
            ..all()
        },
        &[],
    );
    check(
        CallQuery {
            session: Some(SessionFilter::Unassigned),
            ..all()
        },
        &[3, 2],
    );
    check(
        CallQuery {
            from: Some(Timestamp(NOON + 2_000)),
            ..all()
        },
        &[3, 2],
    );
    check(
        CallQuery {
            to: Some(Timestamp(NOON + 2_000)),
            ..all()
        },
        &[1],
    );
    let total = full(1).end.unwrap().parts.total();
    for (query, expected) in [
        (
            CallQuery {
                status: Some((200, 299)),
                ..all()
            },
            &[1][..],
        ),
        (
            CallQuery {
                status: Some((429, 429)),
                ..all()
            },
            &[],
        ),
        (
            CallQuery {
                min_cost: Some(NanoUsd(1_234_567)),
                max_cost: Some(NanoUsd(1_234_567)),
                ..all()
            },
            &[1],
        ),
        (
            CallQuery {
                min_cost: Some(NanoUsd(1_234_568)),
                ..all()
            },
            &[],
        ),
        (
            CallQuery {
                max_cost: Some(NanoUsd(1_234_566)),
                ..all()
            },
            &[],
        ),
        (
            CallQuery {
                min_tokens: total,
                max_tokens: total,
                ..all()
            },
            &[1],
        ),
        (
            CallQuery {
                min_tokens: total.map(|total| total + Tokens(1)),
                ..all()
            },
            &[],
        ),
        (
            CallQuery {
                max_tokens: Some(Tokens(1)),
                ..all()
            },
            &[],
        ),
        (
            CallQuery {
                search: Some("CLAU".into()),
                ..all()
            },
            &[3, 2],
        ),
        (
            CallQuery {
                search: Some("Codex".into()),
                ..all()
            },
            &[1],
        ),
        (
            CallQuery {
                search: Some("essage".into()),
                ..all()
            },
            &[2],
        ),
        (
            CallQuery {
                search: Some("nobody".into()),
                ..all()
            },
            &[],
        ),
    ] {
        check(query, expected);
    }
    check(CallQuery { limit: 1, ..all() }, &[3]);
}
