//! A session of an export.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{LATEST, LONGEST_MS, NotUsable, holds, past, typed};
use crate::domain::budget::Allowance;
use crate::domain::session::checkpoint::{
    Checkpoint, MAX_CHECKPOINTS, MAX_METADATA, MAX_PHASE, NewCheckpoint,
};
use crate::domain::session::clock::{BootId, Nanos, Reading};
use crate::domain::session::event::{EventKind, TimerEvent, What};
use crate::domain::session::timer::{Timer, whole_millis};
use crate::domain::session::{MAX_NAME, MAX_NOTE, MAX_TAGS, Marks, Session, Status};
use crate::domain::units::{Millis, NanoUsd, Timestamp, Tokens};
use crate::domain::wire::{CheckpointUsage, CheckpointView, SessionView};

/// No machine runs for longer, in nanoseconds (31 years).
const LONGEST: i64 = 1_000_000_000_000_000_000;
/// The most events of one session's clock.
const MAX_EVENTS: usize = 100_000;

/// An event of a session's clock with all that is kept of it, so that the clock shows the same elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExactEvent {
    seq: u32,
    kind: EventKind,
    boot_ns: i64,
    mono_ns: i64,
    at: i64,
    boot_id: String,
    numbers: [Option<i64>; 2],
}

impl From<&TimerEvent> for ExactEvent {
    fn from(event: &TimerEvent) -> Self {
        Self {
            seq: event.seq,
            kind: event.what.kind(),
            boot_ns: event.at.boot.0,
            mono_ns: event.at.mono.0,
            at: event.at.wall.0,
            boot_id: format!("{:032x}", event.at.boot_id.0),
            numbers: event.what.numbers(),
        }
    }
}

impl ExactEvent {
    fn read(&self) -> Option<TimerEvent> {
        let is_plausible = |nanos: &i64| (-LONGEST..=LONGEST).contains(nanos);
        let numbers = self.numbers.iter().flatten();
        let mut all = [self.boot_ns, self.mono_ns].into_iter().chain(numbers.copied());
        let what = What::from_numbers(self.kind, self.numbers)?;
        let is_plan = !matches!(what, What::Extended(Some(Millis(planned))) if planned > LONGEST_MS);
        (all.all(|nanos| is_plausible(&nanos)) && is_plan && (0..=LATEST).contains(&self.at)).then_some(())?;
        Some(TimerEvent {
            seq: self.seq,
            what,
            at: Reading {
                boot: Nanos(self.boot_ns),
                mono: Nanos(self.mono_ns),
                wall: Timestamp(self.at),
                boot_id: BootId(u128::from_str_radix(&self.boot_id, 16).ok()?),
            },
        })
    }
}

/// A session as it is taken in. It is history, so it has ended: one that had not where it comes from ended at what its
/// clock showed in the export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArrivedSession {
    /// The session.
    pub session: Session,
    /// What happened to its clock.
    pub events: Vec<TimerEvent>,
    /// Its checkpoints, in order.
    pub checkpoints: Vec<Checkpoint>,
}

impl ArrivedSession {
    /// Reads a session of an export.
    ///
    /// # Errors
    /// It is none, or says what cannot be.
    pub fn read(text: &str, now: Timestamp) -> Result<Self, NotUsable> {
        let mut fields: Map<String, Value> = typed(&mut serde_json::Deserializer::from_str(text))?;
        // The view has how many there are in the place of this list.
        let checkpoints = match fields.insert("checkpoints".to_owned(), Value::from(0)) {
            Some(Value::Array(list)) => list,
            _ => Vec::new(),
        };
        let clock: Vec<ExactEvent> = match fields.remove("clock") {
            Some(list) => typed(list).map_err(|error| NotUsable {
                field: Some(format!("clock{}", error.field.unwrap_or_default())),
                ..error
            })?,
            None => Vec::new(),
        };
        let view: SessionView = typed(Value::Object(fields))?;
        check(&view)?;
        past("startedAt", view.started_at, now)?;
        let created_at = past("createdAt", view.created_at, now)?;
        let planned = view.duration.map(Millis);
        let (timer, events) = if clock.is_empty() {
            plain_clock(&view, planned)
        } else {
            exact_clock(&view, planned, &clock)
        }
        .ok_or_else(|| NotUsable::field("clock", "cannot have run like that"))?;
        let session = Session {
            id: view.id,
            name: view.name.into(),
            origin: view.origin,
            tags: view.tags.into_iter().map(Into::into).collect(),
            note: view.note.unwrap_or_default().into(),
            on_sleep: view.on_sleep,
            created_at,
            allowance: Allowance {
                tokens: view.token_budget.map(Tokens),
                counts: view.budget_counts,
                cost: view.cost_budget_nano_usd.map(NanoUsd),
                at_limit: view.at_limit,
            },
            timer,
            revision: view.revision,
        };
        holds(
            checkpoints.len() as u64 <= MAX_CHECKPOINTS,
            "checkpoints",
            format!("are at most {MAX_CHECKPOINTS}"),
        )?;
        let mut read: Vec<Checkpoint> = Vec::with_capacity(checkpoints.len());
        for (index, value) in checkpoints.into_iter().enumerate() {
            let place = |error: NotUsable| NotUsable {
                field: Some(format!(
                    "checkpoints[{index}].{}",
                    error.field.unwrap_or_default()
                )),
                ..error
            };
            let next = typed(value).and_then(|view| checkpoint(&session, view, read.last(), now));
            read.push(next.map_err(place)?);
        }
        Ok(Self {
            session,
            events,
            checkpoints: read,
        })
    }

    /// What is kept of it beside its clock and its sums.
    #[must_use]
    pub fn marks(&self) -> Marks {
        Marks {
            paused_tokens: Tokens(0),
            checkpoints: self.checkpoints.len() as u64,
            last_checkpoint: self.checkpoints.last().cloned(),
        }
    }
}

fn check(view: &SessionView) -> Result<(), NotUsable> {
    let (most, longest) = MAX_TAGS;
    let length = |text: &str| text.chars().count();
    holds(
        (1..=MAX_NAME).contains(&length(&view.name)),
        "name",
        format!("must have 1 to {MAX_NAME} characters"),
    )?;
    holds(
        view.note.as_deref().is_none_or(|note| length(note) <= MAX_NOTE),
        "note",
        format!("has more than {MAX_NOTE} characters"),
    )?;
    holds(
        view.tags.len() <= most && view.tags.iter().all(|tag| length(tag) <= longest),
        "tags",
        format!("are at most {most} of at most {longest} characters"),
    )?;
    holds(
        view.token_budget
            .is_none_or(|budget| budget <= Tokens::PLAUSIBLE_MAX.0),
        "tokenBudget",
        "is more than anything uses",
    )?;
    holds(
        view.cost_budget_nano_usd.is_none_or(|budget| budget > 0),
        "costBudgetNanoUsd",
        "is no amount, in billionths of a US dollar",
    )?;
    holds(
        view.duration.is_none_or(|planned| planned <= LONGEST_MS),
        "duration",
        "is longer than anything can be planned, in milliseconds",
    )?;
    holds(
        view.elapsed_ms <= LONGEST_MS,
        "elapsedMs",
        "is longer than any clock runs, in milliseconds",
    )?;
    holds(
        view.revision <= u64::from(u32::MAX),
        "revision",
        "is more than a session has",
    )
}

/// The clock that the exact events give, ended if it was not.
fn exact_clock(
    view: &SessionView,
    planned: Option<Millis>,
    clock: &[ExactEvent],
) -> Option<(Timer, Vec<TimerEvent>)> {
    if clock.len() > MAX_EVENTS {
        return None;
    }
    let mut events: Vec<TimerEvent> = clock.iter().map(ExactEvent::read).collect::<Option<_>>()?;
    let is_numbered = events.iter().zip(1..).all(|(event, seq)| event.seq == seq);
    let begins = events.first().is_some_and(|event| event.what == What::Started);
    let gaps = events.iter().map(|event| match event.what {
        What::Suspended(gap) | What::Stalled(gap) | What::Recovered(gap) => gap.0.max(0),
        _ => 0,
    });
    let ran = events
        .windows(2)
        .map(|pair| pair[1].at.boot.0.saturating_sub(pair[0].at.boot.0).max(0));
    let longest = gaps.chain(ran).fold(0_i64, i64::saturating_add);
    if !is_numbered || !begins || longest > LONGEST {
        return None;
    }
    let mut timer = Timer::replay(planned, &events)?;
    if timer.status() != Status::Completed {
        let last = *timer.last();
        let shown = i64::try_from(view.elapsed_ms).ok()?;
        let left = match timer.status() {
            Status::Active => (shown - i64::try_from(whole_millis(timer.elapsed(last.at)).0).ok()?).max(0),
            Status::Paused | Status::Completed => 0,
        };
        let at = later(last.at, left);
        let ran = longest.saturating_add(Nanos::from_millis(left).0);
        if ran.max(at.boot.0).max(at.mono.0) > LONGEST {
            return None;
        }
        let event = TimerEvent {
            seq: last.seq.checked_add(1)?,
            what: What::Completed,
            at,
        };
        timer.apply(event);
        events.push(event);
    }
    Some((timer, events))
}

/// A clock that ran as long in one stretch: older exports say no more.
fn plain_clock(view: &SessionView, planned: Option<Millis>) -> Option<(Timer, Vec<TimerEvent>)> {
    let began = Reading {
        boot: Nanos(0),
        mono: Nanos(0),
        wall: Timestamp(view.started_at),
        boot_id: BootId(0),
    };
    let (mut timer, started) = Timer::start(planned, began);
    let ended = TimerEvent {
        seq: started.seq.checked_add(1)?,
        what: What::Completed,
        at: later(began, i64::try_from(view.elapsed_ms).ok()?),
    };
    timer.apply(ended);
    Some((timer, vec![started, ended]))
}

fn later(at: Reading, millis: i64) -> Reading {
    let nanos = Nanos::from_millis(millis).0;
    Reading {
        boot: Nanos(at.boot.0.saturating_add(nanos)),
        mono: Nanos(at.mono.0.saturating_add(nanos)),
        wall: Timestamp(at.wall.0.saturating_add(millis)),
        boot_id: at.boot_id,
    }
}

fn checkpoint(
    session: &Session,
    view: CheckpointView,
    before: Option<&Checkpoint>,
    now: Timestamp,
) -> Result<Checkpoint, NotUsable> {
    let metadata = view.metadata.map(|metadata| Value::Object(metadata).to_string());
    holds(
        view.phase.chars().count() <= MAX_PHASE,
        "phase",
        format!("has more than {MAX_PHASE} characters"),
    )?;
    holds(
        metadata.as_ref().is_none_or(|text| text.len() <= MAX_METADATA),
        "metadata",
        format!("has more than {MAX_METADATA} bytes"),
    )?;
    let usage = view.usage;
    let tokens = [
        usage.input,
        usage.cache_read,
        usage.cache_write,
        usage.output,
        usage.reasoning,
        usage.total,
        view.prompt_count.unwrap_or_default(),
    ];
    holds(
        tokens.iter().all(|tokens| i64::try_from(*tokens).is_ok()),
        "usage",
        "is more than anything uses",
    )?;
    holds(
        view.elapsed_ms <= LONGEST_MS,
        "elapsedMs",
        "is longer than any clock runs, in milliseconds",
    )?;
    Ok(Checkpoint {
        id: view.id,
        session: session.id,
        said: NewCheckpoint {
            phase: view.phase.into(),
            prompt_count: view.prompt_count,
            metadata: metadata.map(Into::into),
        },
        at: past("at", view.at, now)?,
        elapsed: Millis(view.elapsed_ms),
        usage,
        before: before.map_or_else(
            || (Millis(0), CheckpointUsage::default()),
            |before| (before.elapsed, before.usage),
        ),
    })
}
