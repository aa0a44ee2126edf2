//! Four hundred days of work: five sessions a day between morning and night, a tenth of the calls in none, four
//! conversations at a time of forty calls each, and now and then an error.

use std::sync::Arc;

use moonlock::domain::budget::Allowance;
use moonlock::domain::call::{Attribution, Call, CallEnd, CallStart, Outcome, Source};
use moonlock::domain::estimate::Intervals;
use moonlock::domain::ids::{CallId, SessionId};
use moonlock::domain::operation::Operation;
use moonlock::domain::pricing::{CATALOG_DATE, Cost, PriceSource};
use moonlock::domain::record::Record;
use moonlock::domain::session::clock::{BootId, Nanos, Reading};
use moonlock::domain::session::event::{TimerEvent, What};
use moonlock::domain::session::timer::{OnSleep, Timer};
use moonlock::domain::session::{Origin, Session};
use moonlock::domain::units::{Millis, NanoUsd, Timestamp, Tokens};
use moonlock::domain::usage::parts::Parts;
use uuid::Uuid;

const DAYS: u64 = 400;
const DAY_MS: i64 = 86_400_000;
/// How far back the first call is.
pub(crate) const SPAN_MS: i64 = DAYS as i64 * DAY_MS;
/// How long work goes on in a day.
const WORK_MS: i64 = 14 * 3_600_000;
/// How many sessions a day has.
const SESSIONS: u64 = 5;

/// Provider, model and client: a few are used most, some rarely.
const MODELS: [(&str, &str, &str); 8] = [
    ("anthropic", "claude-sonnet-4-5-20250929", "claude-cli"),
    ("anthropic", "claude-sonnet-4-5-20250929", "claude-cli"),
    ("anthropic", "claude-haiku-4-5-20251001", "claude-cli"),
    ("openai", "gpt-5.1-codex-2026-08-07", "codex-cli"),
    ("openai", "gpt-5.1-codex-2026-08-07", "codex-cli"),
    ("gemini", "gemini-3-pro", "gemini-cli"),
    ("openrouter", "deepseek/deepseek-v3.2", "aider"),
    ("openai", "gpt-4o-2024-08-06", "curl"),
];

/// A model that only a few calls have.
pub(crate) const RARE_MODEL: &str = "o3-pro-2025-06-10";

/// Bits that look random.
const fn noise(number: u64) -> u64 {
    let mixed = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ (mixed >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 20
}

/// A UUIDv7.
fn uuid(ms: i64, number: u64) -> Uuid {
    let random = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut bytes = (u128::from(random) | (u128::from(ms.unsigned_abs()) << 80)).to_be_bytes();
    bytes[6] = 0x70 | (number & 0x0f) as u8;
    Uuid::from_bytes(bytes)
}

/// When the calls are, until `now`.
struct Calendar {
    calls: u64,
    now: i64,
}

impl Calendar {
    /// When a share of a day's work is done, 0 to a million.
    const fn at(&self, day: u64, millionths: u64) -> i64 {
        let begins = self.now - (DAYS - day) as i64 * DAY_MS + DAY_MS - WORK_MS;
        begins + WORK_MS * millionths as i64 / 1_000_000
    }

    /// The day of a call, and how much of that is over.
    const fn place(&self, call: u64) -> (u64, u64) {
        let scaled = call as u128 * DAYS as u128 * 1_000_000 / self.calls as u128;
        ((scaled / 1_000_000) as u64, (scaled % 1_000_000) as u64)
    }

    fn session_id(&self, session: u64) -> SessionId {
        let (day, of_day) = (session / SESSIONS, session % SESSIONS);
        SessionId::from_uuid(uuid(self.at(day, of_day * 1_000_000 / SESSIONS), session))
    }
}

/// All records, in the order of time: each session before its calls.
pub(crate) fn records(calls: u64, now: i64) -> impl Iterator<Item = Record> {
    let calendar = Calendar { calls, now };
    let mut sessions = 0;
    (0..calls).flat_map(move |number| {
        let (day, millionths) = calendar.place(number);
        let session = day * SESSIONS + millionths * SESSIONS / 1_000_000;
        let new = (session >= sessions).then(|| {
            sessions = session + 1;
            session_record(&calendar, session)
        });
        let call = Record::CallFinished(Arc::new(call(&calendar, number, session)));
        new.into_iter().chain([call])
    })
}

fn session_record(calendar: &Calendar, number: u64) -> Record {
    let id = calendar.session_id(number);
    let (day, of_day) = (number / SESSIONS, number % SESSIONS);
    let [began, ended] = [of_day, of_day + 1].map(|part| {
        let wall = calendar.at(day, part * 1_000_000 / SESSIONS);
        Reading {
            boot: Nanos::from_millis(wall % SPAN_MS),
            mono: Nanos::from_millis(wall % SPAN_MS),
            wall: Timestamp(wall),
            boot_id: BootId(1),
        }
    });
    let (mut timer, started) = Timer::start(None, began);
    let completed = TimerEvent {
        seq: 2,
        what: What::Completed,
        at: ended,
    };
    timer.apply(completed);
    Record::Session {
        session: Box::new(Session {
            id,
            name: format!("work {number}").into(),
            origin: Origin::Manual,
            tags: vec![["api", "docs", "tests"][(number % 3) as usize].into()],
            note: "".into(),
            on_sleep: OnSleep::Pause,
            created_at: began.wall,
            allowance: Allowance::default(),
            timer,
            revision: 2,
        }),
        events: vec![started, completed],
        current: None,
    }
}

fn call(calendar: &Calendar, number: u64, session: u64) -> Call {
    let (day, millionths) = calendar.place(number);
    let started_at = calendar.at(day, millionths);
    let noise = noise(number);
    let (input, cached, output, reasoning) = (noise % 9_000, noise % 90_000, noise % 2_000, noise % 700);
    let (provider, mut model, client) = MODELS[(noise % 8) as usize];
    if noise.is_multiple_of(50_021) {
        model = RARE_MODEL;
    }
    let has_failed = noise % 100 < 2;
    let raw = format!(
        r#"{{"prompt_tokens":{},"completion_tokens":{},"total_tokens":{},"prompt_tokens_details":{{"cached_tokens":{cached},"audio_tokens":0}},"completion_tokens_details":{{"reasoning_tokens":{reasoning},"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}}}"#,
        input + cached,
        output + reasoning,
        input + cached + output + reasoning,
    );
    let conversation = uuid(calendar.now, 1_000_000_000 + number / 160 * 4 + number % 4);
    let parts = Parts {
        input: Some(Tokens(input)),
        cache_read: Some(Tokens(cached)),
        output: Some(Tokens(output)),
        reasoning: Some(Tokens(reasoning)),
        ..Parts::default()
    };
    Call {
        start: CallStart {
            id: CallId::from_uuid(uuid(started_at, number)),
            started_at: Timestamp(started_at),
            provider: provider.into(),
            price_provider: Some(provider.into()),
            operation: Operation::ChatCompletions,
            request_model: Some(model.into()),
            conversation: Some(conversation.to_string().into()),
            agent: None,
            client: Some(client.into()),
            asked: None,
        },
        session: (!number.is_multiple_of(10)).then(|| calendar.session_id(session)),
        attribution: Attribution::Active,
        cost: (!has_failed).then_some(Cost {
            amount: NanoUsd((noise % 500_000) as i64 * 1_000),
            source: PriceSource::Catalog,
            date: Some(CATALOG_DATE),
        }),
        counted_by: None,
        changed_at: None,
        end: Some(CallEnd {
            outcome: match has_failed {
                true => Outcome::UpstreamError,
                false => Outcome::Complete,
            },
            status: Some(if has_failed { 429 } else { 200 }),
            model: (!has_failed).then(|| model.into()),
            parts: if has_failed { Parts::default() } else { parts },
            source: (!has_failed).then_some(Source::Exact),
            estimate: Intervals::default(),
            raw_usage: (!has_failed).then(|| raw.into()),
            request_id: Some(format!("req_{:016x}{:06x}", number.reverse_bits(), noise % 0xff_ffff).into()),
            error: has_failed.then(|| "rate_limit_error".into()),
            streamed: true,
            ttft: Some(Millis(noise % 900)),
            duration: Millis(noise % 30_000),
        }),
    }
}
