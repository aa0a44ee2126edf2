//! What the tests of the live state share.

use super::counting::{Counting, Remembered};
use super::*;
use crate::domain::call::{AskedSession, Attribution, CallEnd, Outcome, Source};
use crate::domain::estimate::Intervals;
use crate::domain::operation::Operation;
use crate::domain::record::Standing;
use crate::domain::report::ReportKey;
use crate::domain::session::clock::{BootId, Nanos};
use crate::domain::session::rules::{Action, Rule, rule};
use crate::domain::session::timer::Change as TimerChange;
use crate::domain::session::{Origin, Status};
use crate::domain::units::{Timestamp, Tokens};
use crate::domain::usage::once::{Making, Once, OnceKey, Share};
use crate::domain::usage::parts::Parts;
use crate::domain::wire::{Change, SessionView};
use proptest::prelude::*;
use uuid::Uuid;

mod ahead;
mod alerts;
mod auto;
mod budgets;
mod calls;
mod deleting;
mod estimates;
mod importing;
mod moving;
mod once;
mod providers;
mod reports;
mod sessions;
mod shares;
mod watches;

fn at(ms: i64) -> Reading {
    let nanos = Nanos(ms * 1_000_000);
    Reading {
        boot: nanos,
        mono: nanos,
        wall: Timestamp(1_790_000_000_000 + ms),
        boot_id: BootId(1),
    }
}

fn session_id(n: u128) -> SessionId {
    SessionId::from_uuid(Uuid::from_u128(n))
}

fn call_id(n: u128) -> CallId {
    CallId::from_uuid(Uuid::from_u128(n))
}

fn start(n: u128, asked: Option<(&str, Attribution)>) -> CallStart {
    CallStart {
        id: call_id(n),
        started_at: at(0).wall,
        provider: "openai".into(),
        price_provider: Some("openai".into()),
        operation: Operation::ChatCompletions,
        request_model: Some("gpt-4o-mini".into()),
        conversation: None,
        agent: None,
        client: None,
        asked: asked.map(|(label, by)| AskedSession {
            label: label.into(),
            by,
        }),
    }
}

fn call_ends(id: CallId, ended: impl Into<Ended>) -> Input {
    Input::CallEnded(id, Box::new(ended.into()))
}

fn end(outcome: Outcome, input: u64, output: u64) -> CallEnd {
    CallEnd {
        outcome,
        status: Some(200),
        model: Some("gpt-4o-mini".into()),
        parts: Parts {
            input: Some(Tokens(input)),
            output: Some(Tokens(output)),
            ..Parts::default()
        },
        source: Some(Source::Exact),
        estimate: Intervals::default(),
        raw_usage: None,
        request_id: None,
        error: None,
        streamed: false,
        ttft: None,
        duration: Millis(5),
    }
}

fn create(state: &mut State, n: u128, name: &str, duration: Option<Millis>, ms: i64) -> SessionId {
    let id = session_id(n);
    let new = NewSession {
        duration,
        ..NewSession::named(name)
    };
    let input = Input::Create { id, new };
    assert_eq!(state.step(at(ms), input).answer, Ok(()));
    id
}

fn change(state: &mut State, id: SessionId, change: TimerChange, ms: i64) -> Result<(), Refusal> {
    state
        .step(
            at(ms),
            Input::Change {
                id,
                patch: change.into(),
                revision: None,
            },
        )
        .answer
}

fn attribution(
    state: &mut State,
    n: u128,
    asked: Option<(&str, Attribution)>,
) -> (Option<SessionId>, Attribution) {
    state.step(at(1), Input::CallStarted(start(n, asked)));
    let call = &state.running[&call_id(n)];
    (call.session, call.attribution)
}

fn view(state: &State, id: SessionId, ms: i64) -> SessionView {
    state.session_view(id, at(ms)).unwrap()
}

/// A fetch, or what is fetched later, of `id` at `ms`.
fn once(state: &mut State, n: u128, operation: Operation, id: &str, making: Making, tokens: Option<u64>) {
    let start = CallStart {
        operation,
        ..start(n, None)
    };
    state.step(at(1), Input::CallStarted(start));
    let mut end = end(Outcome::Complete, tokens.unwrap_or(0), 1);
    match (tokens, making) {
        (None, _) => (end.parts, end.source) = (Parts::default(), None),
        (_, Making::UnderWay) => end.source = Some(Source::Partial),
        _ => {}
    }
    let once = Some(Once {
        id: id.into(),
        state: making,
    });
    let ended = Ended { once, ..end.into() };
    state.step(at(2), call_ends(call_id(n), ended));
}

fn row(state: &State, n: u128) -> &Call {
    state
        .recent
        .iter()
        .find(|call| call.start.id == call_id(n))
        .unwrap()
}

fn report(n: u128, key: Option<(&str, u8)>, tokens: u64) -> Report {
    let mut start = start(n, None);
    start.operation = Operation::Manual;
    Report {
        key: key.map(|(key, fingerprint)| ReportKey {
            key: key.into(),
            fingerprint: [fingerprint; 32],
        }),
        calls: vec![(start, end(Outcome::Complete, tokens, 0))],
    }
}
