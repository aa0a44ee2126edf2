//! Calls and stores to test with.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use rusqlite::Connection;
use uuid::Uuid;

use crate::domain::call::{AskedSession, Attribution, Call, CallEnd, CallStart, Outcome, Source, SubAgent};
use crate::domain::estimate::{Interval, Intervals};
use crate::domain::ids::{CallId, SessionId};
use crate::domain::operation::Operation;
use crate::domain::pricing::{CATALOG_DATE, Cost, PriceSource};
use crate::domain::record::Record;
use crate::domain::session::clock::{BootId, Nanos, Reading};
use crate::domain::units::{Millis, NanoUsd, Timestamp, Tokens};
use crate::domain::usage::parts::Parts;
use crate::store::{Directory, Durability, Limits, Recovered, Store, StoreOptions};

pub(super) const NOON: i64 = 1_800_000_000_000;

pub(super) fn options(directory: &Path) -> StoreOptions {
    StoreOptions {
        path: directory.join("moonlock.db"),
        directory: Directory::MustExist,
        durability: Durability::Normal,
        batch_size: 64,
        batch_interval: Duration::ZERO,
    }
}

pub(super) fn impatient() -> Limits {
    Limits {
        backoff: (Duration::from_millis(5), Duration::from_millis(20)),
        busy_timeout: Duration::from_millis(5),
        ..Limits::default()
    }
}

pub(super) fn open(directory: &Path) -> (Store, Recovered) {
    Store::open(options(directory)).unwrap()
}

pub(super) fn put(store: &Store, write: Record) {
    store.writer().submit(write).unwrap().wait().unwrap();
}

/// A connection of somebody else.
#[expect(
    clippy::disallowed_methods,
    reason = "what others do to the file is part of the test"
)]
pub(super) fn connect(path: &Path) -> Connection {
    Connection::open(path).unwrap()
}

/// A UUIDv7 of a moment.
pub(super) fn uuid_at(ms: i64, number: u64) -> Uuid {
    let mut bytes = [0; 16];
    bytes[..6].copy_from_slice(&ms.to_be_bytes()[2..]);
    bytes[6] = 0x70;
    bytes[8..].copy_from_slice(&number.to_be_bytes());
    bytes[8] |= 0x80;
    Uuid::from_bytes(bytes)
}

pub(super) fn session_id(number: u64) -> SessionId {
    SessionId::from_uuid(uuid_at(NOON, number))
}

pub(super) fn reading(ms: i64) -> Reading {
    Reading {
        boot: Nanos(ms * 1_000_000),
        mono: Nanos(ms * 1_000_000),
        wall: Timestamp(NOON + ms),
        boot_id: BootId(7),
    }
}

/// A call of which only what must be known is known.
pub(super) fn running(number: u64) -> Call {
    let started_at = NOON + i64::try_from(number).unwrap() * 1_000;
    Call {
        start: CallStart {
            id: CallId::from_uuid(uuid_at(started_at, number)),
            started_at: Timestamp(started_at),
            provider: "openai".into(),
            price_provider: None,
            operation: Operation::ChatCompletions,
            request_model: None,
            conversation: None,
            agent: None,
            client: None,
            asked: None,
        },
        session: None,
        attribution: Attribution::Unassigned,
        end: None,
        cost: None,
        counted_by: None,
        changed_at: None,
    }
}

pub(super) fn empty_end() -> CallEnd {
    CallEnd {
        outcome: Outcome::UpstreamError,
        status: None,
        model: None,
        parts: Parts::default(),
        source: None,
        estimate: Intervals::default(),
        raw_usage: None,
        request_id: None,
        error: None,
        streamed: false,
        ttft: None,
        duration: Millis(0),
    }
}

/// A call of which everything is known.
pub(super) fn full(number: u64) -> Call {
    let tokens = |tokens| Some(Tokens(tokens + number));
    let mut call = running(number);
    call.start.price_provider = Some("open-ai".into());
    call.start.request_model = Some("gpt-5".into());
    call.start.conversation = Some("thread-1".into());
    call.start.agent = Some(SubAgent {
        id: "agent-2".into(),
        parent: Some("agent-1".into()),
    });
    call.start.client = Some("codex".into());
    call.start.asked = Some(AskedSession {
        label: "evening".into(),
        by: Attribution::Path,
    });
    call.session = Some(session_id(1));
    call.attribution = Attribution::Path;
    call.cost = Some(Cost {
        amount: NanoUsd(1_234_567),
        source: PriceSource::Override,
        date: None,
    });
    call.end = Some(CallEnd {
        outcome: Outcome::Complete,
        status: Some(200),
        model: Some("gpt-5-2026-08-07".into()),
        parts: Parts {
            input: tokens(100),
            cache_read: tokens(200),
            cache_write_5m: tokens(300),
            cache_write_1h: tokens(400),
            audio_in: tokens(500),
            image_in: tokens(600),
            output: tokens(700),
            reasoning: tokens(800),
            audio_out: tokens(900),
            image_out: tokens(1_000),
            unsplit: tokens(1_100),
            web_searches: Some(3),
            provider_cost: Some(NanoUsd(-5)),
        },
        source: Some(Source::Exact),
        estimate: Intervals {
            input: Some(Interval {
                low: Tokens(90 + number),
                high: tokens(110),
            }),
            output: Some(Interval {
                low: Tokens(690 + number),
                high: None,
            }),
        },
        raw_usage: Some(format!(r#"{{"prompt_tokens":{},"cost":0.0{number}}}"#, 100 + number).into()),
        request_id: Some(format!("req-{number}").into()),
        error: Some("none".into()),
        streamed: true,
        ttft: Some(Millis(12)),
        duration: Millis(3_456),
    });
    call
}

pub(super) fn finished(call: &Call) -> Record {
    Record::CallFinished(Arc::new(call.clone()))
}

pub(super) fn started(call: &Call) -> Record {
    Record::CallStarted(Arc::new(Call {
        end: None,
        cost: None,
        ..call.clone()
    }))
}

fn some_tokens() -> impl Strategy<Value = Option<Tokens>> {
    prop::option::of((0_u64..1_000_000).prop_map(Tokens))
}

/// Any call, one of a few ids, so that some come again with other numbers.
pub(super) fn any_call() -> impl Strategy<Value = Call> {
    let outcomes = [
        Outcome::Complete,
        Outcome::ClientAborted,
        Outcome::UpstreamError,
        Outcome::StreamError,
    ];
    let sources = [Source::Exact, Source::Partial, Source::Estimated];
    (
        (0_u64..40, 0_i64..4, prop::option::of(0_u64..3)),
        (
            "openai|groq",
            prop::option::of("gpt|llama"),
            prop::option::of("gpt-1|llama-1"),
        ),
        prop::option::of("codex|claude"),
        prop::sample::select(outcomes.to_vec()),
        prop::option::of(prop::sample::select(sources.to_vec())),
        (
            some_tokens(),
            some_tokens(),
            some_tokens(),
            some_tokens(),
            some_tokens(),
        ),
        prop::option::of(0_i64..1_000_000_000),
        0_u64..10_000,
    )
        .prop_map(
            |(
                (number, days, session),
                (provider, request_model, model),
                client,
                outcome,
                source,
                parts,
                cost,
                ms,
            )| {
                let mut call = running(number);
                // The same id again may even have begun at another time.
                call.start.started_at.0 += days * 86_400_000 + days * 900_000;
                call.start.provider = provider.into();
                call.start.request_model = request_model.map(Into::into);
                call.start.client = client.map(Into::into);
                call.session = session.map(session_id);
                call.cost = cost.map(catalog);
                let (input, cache_read, cache_write_5m, output, reasoning) = parts;
                call.end = Some(CallEnd {
                    outcome,
                    model: model.map(Into::into),
                    source,
                    duration: Millis(ms),
                    parts: Parts {
                        input,
                        cache_read,
                        cache_write_5m,
                        output,
                        reasoning,
                        ..Parts::default()
                    },
                    ..empty_end()
                });
                call
            },
        )
}

/// A cost by the price list.
pub(super) fn catalog(nanos: i64) -> Cost {
    Cost {
        amount: NanoUsd(nanos),
        source: PriceSource::Catalog,
        date: Some(CATALOG_DATE),
    }
}
