//! One JSON document, or a line of JSON for each thing; with all that a call is kept with.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Value, json};

use super::{Head, Writer};
use crate::domain::exported::ExactEvent;
use crate::domain::live::Movable;
use crate::domain::session::checkpoint::Checkpoint;
use crate::domain::session::clock::Reading;
use crate::domain::session::event::TimerEvent;
use crate::domain::wire::{CallDetail, CheckpointView, ClockEvent, SessionView};
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
    /// Calls that began before are no longer kept; `null` where all are.
    calls_since: Option<i64>,
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
            calls_since: head.calls_since.map(|at| at.0),
            from: head.extent.first.map(|at| at.0),
            to: head.extent.last.map(|at| at.0),
        }
    }
}

/// A session, with its checkpoints (in place of how many they are) and what happened to its clock: to read (`events`),
/// and exactly (`clock`).
#[derive(Serialize)]
#[serde(transparent)]
pub(super) struct ExportedSession(Value);

impl ExportedSession {
    pub(super) fn new(
        stored: &StoredSession,
        checkpoints: &[Checkpoint],
        events: &[TimerEvent],
        now: Reading,
    ) -> Self {
        let mut session = json!(SessionView::new(
            &stored.session,
            stored.totals,
            &stored.marks,
            None,
            now
        ));
        session["checkpoints"] = checkpoints
            .iter()
            .map(|one| json!(CheckpointView::from(one)))
            .collect();
        session["events"] = events
            .iter()
            .map(|event| json!(ClockEvent::from(event)))
            .collect();
        session["clock"] = events
            .iter()
            .map(|event| json!(ExactEvent::from(event)))
            .collect();
        Self(session)
    }
}

/// A call with all that is kept of it, and its session's name.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExportedCall<'a> {
    #[serde(flatten)]
    detail: CallDetail,
    session_name: Option<&'a str>,
    /// What it counts among its session's paused tokens; left out if it did not begin while that was paused.
    #[serde(skip_serializing_if = "Option::is_none")]
    paused_tokens: Option<u64>,
}

impl<'a> ExportedCall<'a> {
    fn new(movable: &Movable, session: Option<&'a str>) -> Self {
        Self {
            detail: CallDetail::from(&movable.call),
            session_name: session,
            paused_tokens: movable.paused.map(|tokens| tokens.0),
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

    fn call(&mut self, call: &Movable, session: Option<&str>) -> io::Result<()> {
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

    fn call(&mut self, call: &Movable, session: Option<&str>) -> io::Result<()> {
        self.line("call", &ExportedCall::new(call, session))
    }

    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}
