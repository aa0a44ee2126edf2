//! One JSON document, or a line of JSON for each thing; with all that a call is kept with.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::value::RawValue;

use super::{Head, Writer};
use crate::domain::call::{Attribution, Call};
use crate::domain::session::checkpoint::Checkpoint;
use crate::domain::session::clock::Reading;
use crate::domain::session::event::TimerEvent;
use crate::domain::usage::parts::Parts;
use crate::domain::wire::{CallView, CheckpointView, ClockEvent, SessionView};
use crate::store::StoredSession;

/// The form of what is written; raised when a reader of today's would misread it.
const VERSION: u32 = 1;

/// What stands at the beginning.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Header {
    format: &'static str,
    version: u32,
    moonlock: &'static str,
    /// UTC epoch milliseconds, as all moments.
    exported_at: i64,
    /// How many calls follow.
    call_count: u64,
    /// When the first of them began.
    from: Option<i64>,
    /// When the last of them began.
    to: Option<i64>,
}

impl Header {
    fn new(head: &Head) -> Self {
        Self {
            format: "moonlock.export",
            version: VERSION,
            moonlock: env!("CARGO_PKG_VERSION"),
            exported_at: head.now.wall.0,
            call_count: head.extent.calls,
            from: head.extent.first.map(|at| at.0),
            to: head.extent.last.map(|at| at.0),
        }
    }
}

/// A session, with its checkpoints and what happened to its clock.
#[derive(Serialize)]
pub(super) struct ExportedSession {
    #[serde(flatten)]
    session: SessionView,
    checkpoints: Vec<CheckpointView>,
    events: Vec<ClockEvent>,
}

impl ExportedSession {
    pub(super) fn new(
        stored: &StoredSession,
        checkpoints: &[Checkpoint],
        events: &[TimerEvent],
        now: Reading,
    ) -> Self {
        Self {
            session: SessionView::new(&stored.session, stored.totals, &stored.marks, None, now),
            checkpoints: checkpoints.iter().map(CheckpointView::from).collect(),
            events: events.iter().map(ClockEvent::from).collect(),
        }
    }
}

/// A call as the API shows it, with what only the database knows.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExportedCall<'a> {
    #[serde(flatten)]
    view: CallView,
    session_name: Option<&'a str>,
    /// Where the client asked for `askedSession`.
    asked_by: Option<Attribution>,
    /// The price list's name for the provider.
    price_provider: Option<&'a str>,
    /// What the model said its name is; `null` where it did not.
    reply_model: Option<&'a str>,
    parts: ExportedParts,
    /// The provider's own words.
    raw_usage: Option<&'a RawValue>,
}

/// The disjoint parts; those that are not known are left out.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExportedParts {
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_read: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_write5m: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_write1h: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audio_in: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_in: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audio_out: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_out: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unsplit: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    web_searches: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_cost_nano_usd: Option<i64>,
}

impl From<Parts> for ExportedParts {
    fn from(parts: Parts) -> Self {
        Self {
            input: parts.input.map(|tokens| tokens.0),
            cache_read: parts.cache_read.map(|tokens| tokens.0),
            cache_write5m: parts.cache_write_5m.map(|tokens| tokens.0),
            cache_write1h: parts.cache_write_1h.map(|tokens| tokens.0),
            audio_in: parts.audio_in.map(|tokens| tokens.0),
            image_in: parts.image_in.map(|tokens| tokens.0),
            output: parts.output.map(|tokens| tokens.0),
            reasoning: parts.reasoning.map(|tokens| tokens.0),
            audio_out: parts.audio_out.map(|tokens| tokens.0),
            image_out: parts.image_out.map(|tokens| tokens.0),
            unsplit: parts.unsplit.map(|tokens| tokens.0),
            web_searches: parts.web_searches,
            provider_cost_nano_usd: parts.provider_cost.map(|cost| cost.0),
        }
    }
}

impl<'a> ExportedCall<'a> {
    fn new(call: &'a Call, session: Option<&'a str>) -> Self {
        let end = call.end.as_ref();
        Self {
            view: CallView::from(call),
            session_name: session,
            asked_by: call.start.asked.as_ref().map(|asked| asked.by),
            price_provider: call.start.price_provider.as_deref(),
            reply_model: end.and_then(|end| end.model.as_deref()),
            parts: end.map(|end| end.parts).unwrap_or_default().into(),
            // What a provider wrote was JSON when it was kept.
            raw_usage: end
                .and_then(|end| end.raw_usage.as_deref())
                .and_then(|raw| serde_json::from_str(raw).ok()),
        }
    }
}

/// One document: `{…header, "sessions": […], "calls": […]}`.
pub(super) struct Json<W> {
    out: W,
    at: At,
}

/// What was written last.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    NoSession,
    Session,
    NoCall,
    Call,
}

impl<W: Write> Json<W> {
    pub(super) const fn new(out: W) -> Self {
        Self {
            out,
            at: At::NoSession,
        }
    }

    fn end_sessions(&mut self) -> io::Result<()> {
        if matches!(self.at, At::NoSession | At::Session) {
            self.out.write_all(b"],\n\"calls\":[")?;
            self.at = At::NoCall;
        }
        Ok(())
    }
}

impl<W: Write> Writer for Json<W> {
    fn begin(&mut self, head: &Head) -> io::Result<()> {
        let header = serde_json::to_string(&Header::new(head))?;
        // The document goes on where the header's object would end.
        self.out.write_all(header.trim_end_matches('}').as_bytes())?;
        self.out.write_all(b",\n\"sessions\":[")
    }

    fn session(&mut self, session: &ExportedSession) -> io::Result<()> {
        let between: &[u8] = if self.at == At::Session { b",\n" } else { b"\n" };
        self.out.write_all(between)?;
        self.at = At::Session;
        Ok(serde_json::to_writer(&mut self.out, session)?)
    }

    fn call(&mut self, call: &Call, session: Option<&str>) -> io::Result<()> {
        self.end_sessions()?;
        let between: &[u8] = if self.at == At::Call { b",\n" } else { b"\n" };
        self.out.write_all(between)?;
        self.at = At::Call;
        Ok(serde_json::to_writer(
            &mut self.out,
            &ExportedCall::new(call, session),
        )?)
    }

    fn finish(&mut self) -> io::Result<()> {
        self.end_sessions()?;
        self.out.write_all(b"]}\n")
    }
}

/// A line each: `{"type":"export",…}`, then `{"type":"session",…}`s, then `{"type":"call",…}`s.
pub(super) struct Lines<W>(W);

#[derive(Serialize)]
struct Line<'a, T> {
    r#type: &'static str,
    #[serde(flatten)]
    rest: &'a T,
}

impl<W: Write> Lines<W> {
    pub(super) const fn new(out: W) -> Self {
        Self(out)
    }

    fn line(&mut self, r#type: &'static str, rest: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer(&mut self.0, &Line { r#type, rest })?;
        self.0.write_all(b"\n")
    }
}

impl<W: Write> Writer for Lines<W> {
    fn begin(&mut self, head: &Head) -> io::Result<()> {
        self.line("export", &Header::new(head))
    }

    fn session(&mut self, session: &ExportedSession) -> io::Result<()> {
        self.line("session", session)
    }

    fn call(&mut self, call: &Call, session: Option<&str>) -> io::Result<()> {
        self.line("call", &ExportedCall::new(call, session))
    }

    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}
