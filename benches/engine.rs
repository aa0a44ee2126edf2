//! What a call costs the engine's brain, beside its I/O: nanoseconds, and allocations, with and without all that watches
//! it (a session with budgets, a forecast and alarms, budgets that begin anew). And what it costs to tell of it: the events of a
//! call as JSON, written once for all who listen, and the snapshot that each new listener gets, with 50 calls under way.

use std::alloc::System;
use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use moonlock::domain::budget::{Allowance, Filter, Period, Terms};
use moonlock::domain::call::{CallEnd, CallStart, Ended, Outcome, Source, SubAgent};
use moonlock::domain::estimate::Intervals;
use moonlock::domain::ids::{BudgetId, CallId, SessionId};
use moonlock::domain::live::{Effect, Input, State};
use moonlock::domain::operation::Operation;
use moonlock::domain::session::NewSession;
use moonlock::domain::session::clock::{BootId, Nanos, Reading};
use moonlock::domain::units::{Millis, NanoUsd, Timestamp, Tokens};
use moonlock::domain::usage::parts::Parts;
use moonlock::domain::wire::{Event, ServerMessage};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use uuid::Uuid;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// A fleet: each conversation has agents of its own.
const CONVERSATIONS: u64 = 5;
const AGENTS: u64 = 4;
/// Calls before anything is measured: more than a forecast folds anew.
const BEFORE: u64 = 5_000;
/// Calls whose allocations are counted.
const COUNTED: u64 = 10_000;
/// A call every two seconds.
const APART_MS: i64 = 2_000;

struct Engine {
    state: State,
    calls: u64,
}

/// A call's start and end, and when both are told.
struct Call {
    now: Reading,
    inputs: [Input; 2],
}

fn reading(ms: i64) -> Reading {
    Reading {
        boot: Nanos::from_millis(ms),
        mono: Nanos::from_millis(ms),
        wall: Timestamp(1_800_000_000_000 + ms),
        boot_id: BootId(1),
    }
}

impl Engine {
    /// Nothing but sums.
    fn bare() -> Self {
        Self {
            state: State::default(),
            calls: 0,
        }
        .warmed_up()
    }

    /// A session with both budgets, and four that begin anew.
    fn watched() -> Self {
        let mut state = State::default();
        let allowance = Allowance {
            cost: Some(NanoUsd(i64::MAX / 2)),
            ..Allowance::tokens(Some(Tokens(1 << 60)))
        };
        let new = NewSession {
            allowance,
            ..NewSession::named("work")
        };
        let id = SessionId::from_uuid(Uuid::from_u128(1));
        say(&mut state, Input::Create { id, new });
        let of_provider = Filter {
            provider: Some("openai".into()),
            ..Filter::default()
        };
        let budgets = [
            (Period::Day, Filter::default()),
            (Period::Week, Filter::default()),
            (Period::Month, Filter::default()),
            (Period::Day, of_provider),
        ];
        for (number, (period, of)) in (2..).zip(budgets) {
            let terms = Terms {
                name: "budget".into(),
                period,
                of,
                allowance,
            };
            let id = BudgetId::from_uuid(Uuid::from_u128(number));
            say(&mut state, Input::CreateBudget(id, Box::new(terms)));
        }
        Self { state, calls: 0 }.warmed_up()
    }

    fn warmed_up(mut self) -> Self {
        for _ in 0..BEFORE {
            let call = self.next_call();
            let now = call.now;
            self.take(call);
            self.look(now);
        }
        self
    }

    fn next_call(&mut self) -> Call {
        self.calls += 1;
        let number = self.calls;
        let now = reading(number.cast_signed() * APART_MS);
        let id = CallId::from_uuid(Uuid::from_u128(u128::from(number)));
        let start = CallStart {
            id,
            started_at: Timestamp(now.wall.0 - 1_000),
            provider: "openai".into(),
            price_provider: Some("openai".into()),
            operation: Operation::ChatCompletions,
            request_model: Some("gpt-4o-mini".into()),
            conversation: Some(format!("conversation-{}", number % CONVERSATIONS).into()),
            agent: Some(SubAgent {
                id: format!("agent-{}", number % (CONVERSATIONS * AGENTS)).into(),
                parent: None,
            }),
            client: Some("agent".into()),
            asked: None,
        };
        let end = CallEnd {
            outcome: Outcome::Complete,
            status: Some(200),
            model: Some("gpt-4o-mini".into()),
            parts: Parts {
                input: Some(Tokens(1_000 + number * 7_919 % 3_000)),
                cache_read: Some(Tokens(80_000)),
                output: Some(Tokens(20 + number * 31 % 400)),
                ..Parts::default()
            },
            source: Some(Source::Exact),
            estimate: Intervals::default(),
            raw_usage: None,
            request_id: None,
            error: None,
            streamed: true,
            ttft: Some(Millis(300)),
            duration: Millis(1_000),
        };
        let ends = Input::CallEnded(id, Box::new(Ended::from(end)));
        Call {
            now,
            inputs: [Input::CallStarted(start), ends],
        }
    }

    fn take(&mut self, call: Call) {
        for input in call.inputs {
            black_box(self.state.step(call.now, input).effects);
        }
    }

    /// What the engine does once a second.
    fn look(&mut self, now: Reading) {
        black_box(self.state.step(now, Input::LookAhead).effects);
    }
}

fn say(state: &mut State, input: Input) {
    let step = state.step(reading(0), input);
    step.answer.expect("the command applies");
}

#[expect(clippy::print_stdout, reason = "a bench prints what it measures")]
fn allocations(name: &str, engine: &mut Engine) {
    let mut count = |what: &str, act: &mut dyn FnMut(&mut Engine, Call)| {
        let calls: Vec<_> = (0..COUNTED).map(|_| engine.next_call()).collect();
        let region = Region::new(ALLOCATOR);
        for call in calls {
            act(engine, call);
        }
        let used = region.change();
        let each = |number: usize| number as f64 / COUNTED as f64;
        println!(
            "{name}, {what}: {:.1} allocations, {:.1} of them to grow, {:.0} bytes",
            each(used.allocations + used.reallocations),
            each(used.reallocations),
            each(used.bytes_allocated)
        );
    };
    count("a call", &mut |engine, call| engine.take(call));
    count("a call and a look ahead", &mut |engine, call| {
        let now = call.now;
        engine.take(call);
        engine.look(now);
    });
}

/// Without what it takes to make the inputs.
fn timed(act: impl FnOnce()) -> Duration {
    let begin = Instant::now();
    act();
    begin.elapsed()
}

fn a_call(criterion: &mut Criterion) {
    for (name, make) in [
        ("bare", Engine::bare as fn() -> Engine),
        ("watched", Engine::watched),
    ] {
        let mut engine = make();
        allocations(name, &mut engine);
        let mut group = criterion.benchmark_group(name);
        group.bench_function("call", |bencher| {
            bencher.iter_custom(|rounds| {
                let spent = (0..rounds).map(|_| {
                    let call = engine.next_call();
                    timed(|| engine.take(call))
                });
                spent.sum()
            });
        });
        group.bench_function("look_ahead", |bencher| {
            bencher.iter_custom(|rounds| {
                let spent = (0..rounds).map(|_| {
                    let call = engine.next_call();
                    let now = call.now;
                    engine.take(call);
                    timed(|| engine.look(now))
                });
                spent.sum()
            });
        });
        group.finish();
    }
}

/// Calls under way while a snapshot is taken.
const UNDER_WAY: usize = 50;

fn telling(criterion: &mut Criterion) {
    let mut engine = Engine::watched();
    let call = engine.next_call();
    let now = call.now;
    let effects = call
        .inputs
        .into_iter()
        .flat_map(|input| engine.state.step(now, input).effects);
    let events: Vec<Event> = effects
        .filter_map(|effect| match effect {
            Effect::Publish(event) => Some(*event),
            _ => None,
        })
        .collect();
    let mut now = now;
    for _ in 0..UNDER_WAY {
        let call = engine.next_call();
        now = call.now;
        let [start, _end] = call.inputs;
        black_box(engine.state.step(now, start).effects);
    }
    let mut group = criterion.benchmark_group("telling");
    let text = |message: &ServerMessage| serde_json::to_vec(message).expect("it can be written").len();
    let messages: Vec<_> = events
        .into_iter()
        .map(|event| ServerMessage::Event(Box::new(event)))
        .collect();
    group.throughput(Throughput::Bytes(
        messages.iter().map(|message| text(message) as u64).sum(),
    ));
    group.bench_function(BenchmarkId::new("events_of_a_call", messages.len()), |bencher| {
        bencher.iter(|| messages.iter().map(text).sum::<usize>());
    });
    let snapshot = || ServerMessage::Snapshot(Box::new(engine.state.snapshot(now, |_| true)));
    group.throughput(Throughput::Bytes(text(&snapshot()) as u64));
    group.bench_function("snapshot", |bencher| bencher.iter(|| text(&snapshot())));
    group.finish();
}

criterion_group!(engine, a_call, telling);
criterion_main!(engine);
