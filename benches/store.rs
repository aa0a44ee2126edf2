//! How many calls the store takes a second, how long one takes by itself, and how large a call is on disk.

use std::collections::VecDeque;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use moonlock::domain::call::{Attribution, Call, CallEnd, CallStart, Outcome, Source};
use moonlock::domain::durability::Durability;
use moonlock::domain::estimate::Intervals;
use moonlock::domain::ids::{CallId, SessionId};
use moonlock::domain::operation::Operation;
use moonlock::domain::pricing::{CATALOG_DATE, Cost, PriceSource};
use moonlock::domain::record::Record;
use moonlock::domain::units::{Millis, NanoUsd, Timestamp, Tokens};
use moonlock::domain::usage::parts::Parts;
use moonlock::store::{
    CallQuery, Directory, GroupBy, QueueFull, SessionFilter, Store, StoreOptions, Ticket, UsageQuery,
};
use uuid::Uuid;

/// A month of heavy use: a call every ten seconds.
const HISTORY: u64 = 300_000;

/// The calls that run at the same time when starts are stored too.
const UNDER_WAY: usize = 1_000;

fn open(directory: &Path) -> Store {
    let options = StoreOptions {
        path: directory.join("moonlock.db"),
        directory: Directory::MustExist,
        durability: Durability::Normal,
        batch_size: 512,
        batch_interval: Duration::ZERO,
    };
    Store::open(options).expect("a store in a new directory").0
}

/// A UUIDv7 with bits that look random.
fn uuid(ms: i64, number: u64) -> Uuid {
    let random = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut bytes = (u128::from(random) | (u128::from(ms.unsigned_abs()) << 80)).to_be_bytes();
    bytes[6] = 0x70 | (number & 0x0f) as u8;
    Uuid::from_bytes(bytes)
}

fn session(number: u64) -> SessionId {
    SessionId::from_uuid(uuid(1_800_000_000_000 + (number as i64) * 10_000, number))
}

/// A call as an agent makes it: long prompts, mostly cached; a session of five hours, conversations of 40 calls.
fn call(number: u64) -> Call {
    let started_at = 1_800_000_000_000 + (number as i64) * 10_000;
    let noise = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    let (input, cached, output, reasoning) = (noise % 9_000, noise % 90_000, noise % 2_000, noise % 700);
    let raw = format!(
        r#"{{"prompt_tokens":{},"completion_tokens":{},"total_tokens":{},"prompt_tokens_details":{{"cached_tokens":{cached},"audio_tokens":0}},"completion_tokens_details":{{"reasoning_tokens":{reasoning},"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}}}"#,
        input + cached,
        output + reasoning,
        input + cached + output + reasoning,
    );
    let (provider, model) = [
        ("openai", "gpt-5.1-codex-2026-08-07"),
        ("anthropic", "claude-sonnet-4-5-20260929"),
        ("gemini", "gemini-3-pro"),
    ][(number % 3) as usize];
    Call {
        start: CallStart {
            id: CallId::from_uuid(uuid(started_at, number)),
            started_at: Timestamp(started_at),
            provider: provider.into(),
            price_provider: Some(provider.into()),
            operation: Operation::ChatCompletions,
            request_model: Some(model.into()),
            conversation: Some(session(1_000_000_000 + number / 40).to_string().into()),
            agent: None,
            client: Some("codex-cli".into()),
            asked: None,
        },
        session: (!number.is_multiple_of(10)).then(|| session(number / 1_800)),
        attribution: Attribution::Active,
        cost: Some(Cost {
            amount: NanoUsd((noise as i64) * 1_000),
            source: PriceSource::Catalog,
            date: Some(CATALOG_DATE),
        }),
        counted_by: None,
        changed_at: None,
        end: Some(CallEnd {
            outcome: Outcome::Complete,
            status: Some(200),
            model: Some(model.into()),
            parts: Parts {
                input: Some(Tokens(input)),
                cache_read: Some(Tokens(cached)),
                output: Some(Tokens(output)),
                reasoning: Some(Tokens(reasoning)),
                ..Parts::default()
            },
            source: Some(Source::Exact),
            estimate: Intervals::default(),
            raw_usage: Some(raw.into()),
            request_id: Some(format!("chatcmpl-{:016x}{noise:06x}", number.reverse_bits()).into()),
            error: None,
            streamed: true,
            ttft: Some(Millis(noise % 900)),
            duration: Millis(noise % 30_000),
        }),
    }
}

/// Submits as fast as the store takes it; returns when all is committed.
fn submit_all(store: &Store, writes: impl Iterator<Item = Record>) {
    let writer = store.writer();
    let mut tickets: VecDeque<Ticket> = VecDeque::new();
    for mut write in writes {
        loop {
            match writer.submit(write) {
                Ok(ticket) => {
                    tickets.push_back(ticket);
                    break;
                }
                Err(QueueFull(back)) => {
                    write = back.0;
                    let oldest = tickets.pop_front().expect("a full queue has writes");
                    oldest.wait().expect("a committed write");
                }
            }
        }
    }
    for ticket in tickets {
        ticket.wait().expect("a committed write");
    }
}

/// Each call's start, and its end when a thousand others have started.
fn starts_and_ends(calls: &[Arc<Call>]) -> impl Iterator<Item = Record> {
    let starts = calls.iter().map(|call| {
        Record::CallStarted(Arc::new(Call {
            end: None,
            cost: None,
            ..Call::clone(call)
        }))
    });
    let ends = calls.iter().map(|call| Record::CallFinished(Arc::clone(call)));
    let nothing = || std::iter::repeat_n(None, UNDER_WAY);
    starts
        .map(Some)
        .chain(nothing())
        .zip(nothing().chain(ends.map(Some)))
        .flat_map(|(start, end)| [start, end])
        .flatten()
}

fn storing(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("store");
    group.sample_size(10);
    let count = 50_000_u64;
    group.throughput(Throughput::Elements(count));
    for kind in ["ends", "starts_and_ends"] {
        let directory = tempfile::tempdir().expect("a directory");
        let store = open(directory.path());
        let mut next = 0;
        group.bench_function(BenchmarkId::new("group_commit", kind), |bencher| {
            bencher.iter_custom(|iterations| {
                let mut total = Duration::ZERO;
                for _ in 0..iterations {
                    let calls: Vec<_> = (next..next + count)
                        .map(|number| Arc::new(call(number)))
                        .collect();
                    next += count;
                    let began = Instant::now();
                    if kind == "ends" {
                        submit_all(&store, calls.into_iter().map(Record::CallFinished));
                    } else {
                        submit_all(&store, starts_and_ends(&calls));
                    }
                    total += began.elapsed();
                }
                total
            });
        });
    }
    group.throughput(Throughput::Elements(1));
    let directory = tempfile::tempdir().expect("a directory");
    let store = open(directory.path());
    let mut next = 0;
    group.bench_function("one_by_one", |bencher| {
        bencher.iter_custom(|iterations| {
            let mut total = Duration::ZERO;
            for _ in 0..iterations {
                let call = Arc::new(call(next));
                next += 1;
                let began = Instant::now();
                submit_all(&store, std::iter::once(Record::CallFinished(call)));
                total += began.elapsed();
            }
            total
        });
    });
    group.finish();
}

fn reading(criterion: &mut Criterion) {
    let directory = tempfile::tempdir().expect("a directory");
    let store = open(directory.path());
    submit_all(
        &store,
        (0..HISTORY).map(|number| Record::CallFinished(Arc::new(call(number)))),
    );
    drop(store);
    let bytes = std::fs::metadata(directory.path().join("moonlock.db"))
        .expect("the file")
        .len();
    #[expect(
        clippy::print_stdout,
        reason = "a size is not a time: criterion cannot report it"
    )]
    {
        println!(
            "store/bytes_per_call: {} ({HISTORY} calls, {bytes} bytes)",
            bytes / HISTORY
        );
    }

    let mut group = criterion.benchmark_group("history");
    group.sample_size(20);
    group.bench_function("open", |bencher| bencher.iter(|| open(directory.path())));
    let store = open(directory.path());
    let reader = store.reader();
    let page = CallQuery::default();
    group.bench_function("newest_calls", |bencher| {
        bencher.iter(|| reader.calls(black_box(&page)).expect("calls"));
    });
    let of_session = CallQuery {
        session: Some(SessionFilter::Id(session(3))),
        ..CallQuery::default()
    };
    group.bench_function("calls_of_a_session", |bencher| {
        bencher.iter(|| reader.calls(black_box(&of_session)).expect("calls"));
    });
    let month = HISTORY as i64 * 10_000;
    let (from, to) = (
        Timestamp(1_800_000_000_000),
        Timestamp(1_800_000_000_000 + month - 1),
    );
    for (name, from, to, group_by) in [
        (
            "all_by_model",
            None,
            None,
            vec![GroupBy::Provider, GroupBy::Model],
        ),
        (
            "month_by_model",
            Some(from),
            Some(to),
            vec![GroupBy::Provider, GroupBy::Model],
        ),
        ("month_by_quarter", Some(from), Some(to), vec![GroupBy::Bucket]),
    ] {
        let query = UsageQuery {
            from,
            to,
            group_by,
            ..UsageQuery::default()
        };
        group.bench_function(BenchmarkId::new("usage", name), |bencher| {
            bencher.iter(|| reader.usage(black_box(&query)).expect("usage"));
        });
    }
    group.finish();
}

criterion_group!(benches, storing, reading);
criterion_main!(benches);
