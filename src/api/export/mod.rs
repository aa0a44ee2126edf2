//! Exports: the calls of a session, of a range or all, as CSV, JSON or JSON lines.
//!
//! A thread of its own reads page by page and hands on what it has made; it waits for whoever reads, so that an export
//! of any size needs the memory of a few pages. Between pages no question is open, so a slow reader holds up no
//! checkpoint of the database. Running calls have no numbers yet and are left out.

mod csv;
mod json;

use std::io::{self, Write};
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use self::csv::Csv;
use super::ApiState;
use super::calls::{FILTERS, filtered};
use super::describe;
use super::error::ApiError;
use super::query::Params;
use super::sessions::{find, session_id};
use crate::domain::ids::SessionId;
use crate::domain::live::Movable;
use crate::domain::session::clock::Reading;
use crate::domain::units::Timestamp;
use crate::store::{CallQuery, Extent, ReadError, Reader, SessionFilter, SessionQuery, StoredSession};
use json::{Json, Lines};

/// So many calls are read at once.
const PAGE: usize = 1_000;
/// What is made is handed on in pieces of about this size.
const PIECE: usize = 64 * 1024;
/// So many pieces wait for whoever reads.
const PIECES: usize = 4;
/// So many exports and imports run at once: each keeps a thread.
const AT_ONCE: usize = 8;

#[derive(Clone, Copy)]
enum Format {
    Csv,
    Json,
    Lines,
}

impl Format {
    fn from_name(name: &str) -> Option<Self> {
        match name {
            "csv" => Some(Self::Csv),
            "json" => Some(Self::Json),
            "jsonl" => Some(Self::Lines),
            _ => None,
        }
    }

    const fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Lines => "jsonl",
        }
    }

    const fn content_type(self) -> &'static str {
        match self {
            // RFC 4180 §3.
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Json => "application/json",
            Self::Lines => "application/jsonl",
        }
    }
}

/// What one export holds.
struct Plan {
    /// What the document says of itself.
    head: Head,
    query: CallQuery,
    sessions: Sessions,
}

/// What a document says of itself.
struct Head {
    extent: Extent,
    /// Calls that began before are no longer kept.
    calls_since: Option<Timestamp>,
    now: Reading,
}

/// Whose sessions go with the calls.
#[derive(Clone, Copy)]
enum Sessions {
    None,
    One(SessionId),
    All,
}

impl Sessions {
    /// Those that go with all the calls that match.
    fn beside(query: &CallQuery) -> Self {
        let only_a_range = CallQuery {
            from: query.from,
            to: query.to,
            ..CallQuery::default()
        };
        match query.session {
            Some(SessionFilter::Id(id)) => Self::One(id),
            None if *query == only_a_range => Self::All,
            _ => Self::None,
        }
    }
}

/// Why an export was not written to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExportError {
    /// A parameter has no usable value.
    #[error("{0}")]
    Parameter(String),
    /// The history cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// What was made cannot be written.
    #[error("the export could not be written: {0}")]
    Write(#[from] io::Error),
}

/// Writes an export with the parameters of `GET /api/export`, and gives how many calls it holds. `told` is told how many
/// are written, and of how many.
pub(crate) fn write_to(
    reader: &Reader,
    parameters: Vec<(String, String)>,
    now: Reading,
    out: &mut impl Write,
    told: impl FnMut(u64, u64),
) -> Result<u64, ExportError> {
    let parameter = |error: ApiError| ExportError::Parameter(error.to_string());
    let params = Params::of(parameters);
    params
        .only(&[&["format"], &FILTERS[..]].concat())
        .map_err(parameter)?;
    let format = params
        .get("format", "csv, json or jsonl", Format::from_name)
        .map_err(parameter)?
        .unwrap_or(Format::Json);
    let query = filtered(&params).map_err(parameter)?;
    let extent = reader.extent(&query)?;
    let plan = Plan {
        sessions: Sessions::beside(&query),
        head: Head {
            extent,
            calls_since: reader.calls_since()?,
            now,
        },
        query,
    };
    let all = extent.calls;
    match format {
        Format::Csv => write(reader, plan, &mut Telling::new(Csv::new(out), all, told)),
        Format::Json => write(reader, plan, &mut Telling::new(Json::new(out), all, told)),
        Format::Lines => write(reader, plan, &mut Telling::new(Lines::new(out), all, told)),
    }
    .map_err(|broken| match broken {
        Broken::Read(error) => ExportError::Read(error),
        Broken::Gone(error) => ExportError::Write(error),
    })?;
    Ok(all)
}

/// Writes a format, and tells how far it has come.
struct Telling<W, F> {
    writer: W,
    done: u64,
    all: u64,
    told: F,
}

impl<W: Writer, F: FnMut(u64, u64)> Telling<W, F> {
    const fn new(writer: W, all: u64, told: F) -> Self {
        Self {
            writer,
            done: 0,
            all,
            told,
        }
    }
}

impl<W: Writer, F: FnMut(u64, u64)> Writer for Telling<W, F> {
    fn begin(&mut self, head: &Head) -> io::Result<()> {
        self.writer.begin(head)
    }

    fn session(&mut self, session: &json::ExportedSession) -> io::Result<()> {
        self.writer.session(session)
    }

    fn call(&mut self, call: &Movable, session: Option<&str>) -> io::Result<()> {
        self.writer.call(call, session)?;
        self.done += 1;
        (self.told)(self.done, self.all);
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.writer.finish()
    }
}

/// Writes one format.
trait Writer {
    fn begin(&mut self, head: &Head) -> io::Result<()>;
    fn session(&mut self, session: &json::ExportedSession) -> io::Result<()>;
    fn call(&mut self, call: &Movable, session: Option<&str>) -> io::Result<()>;
    fn finish(&mut self) -> io::Result<()>;
}

/// How many exports and imports may still begin.
#[derive(Clone)]
pub(super) struct Places(Arc<Semaphore>);

impl Default for Places {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

impl Places {
    pub(super) fn take(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        Arc::clone(&self.0).try_acquire_owned().map_err(|_| {
            ApiError::busy(format!(
                "{AT_ONCE} exports and imports are running; try again when one has ended"
            ))
        })
    }
}

#[utoipa::path(
    get,
    path = "/export",
    tag = "calls",
    summary = "Every call that has ended, as a file.",
    params(describe::ExportFormat, describe::CallFilters, ("session" = Option<String>, Query, description = "A session's id, or `unassigned`.")),
    responses((status = 200, content((Object = "application/json"), (String = "text/csv"), (String = "application/jsonl"))))
)]
pub(super) async fn everything(State(state): State<ApiState>, params: Params) -> Result<Response, ApiError> {
    params.only(&[&["format"], &FILTERS[..]].concat())?;
    let query = filtered(&params)?;
    let sessions = Sessions::beside(&query);
    if let Sessions::One(id) = sessions {
        find(&state, id).await?;
    }
    export(state, &params, query, sessions, "moonlock").await
}

#[utoipa::path(
    get,
    path = "/sessions/{id}/export",
    tag = "sessions",
    summary = "The calls of a session that have ended, as a file.",
    params(("id" = String, Path, format = "uuid"), describe::ExportFormat, describe::CallFilters),
    responses((status = 200, content((Object = "application/json"), (String = "text/csv"), (String = "application/jsonl"))))
)]
pub(super) async fn of_session(
    State(state): State<ApiState>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Response, ApiError> {
    let filters = FILTERS.iter().filter(|name| **name != "session");
    params.only(&filters.copied().chain(["format"]).collect::<Vec<_>>())?;
    let session = find(&state, session_id(&id)?).await?;
    let query = CallQuery {
        session: Some(SessionFilter::Id(session.id)),
        ..filtered(&params)?
    };
    export(state, &params, query, Sessions::One(session.id), &session.name).await
}

async fn export(
    state: ApiState,
    params: &Params,
    query: CallQuery,
    sessions: Sessions,
    name: &str,
) -> Result<Response, ApiError> {
    let format = params
        .get("format", "csv, json or jsonl", Format::from_name)?
        .unwrap_or(Format::Json);
    let place = state.0.exports.take()?;
    let counted = query.clone();
    let read = move |reader: &Reader| Ok::<_, ReadError>((reader.extent(&counted)?, reader.calls_since()?));
    let (extent, calls_since) = state.read(read).await?;
    let plan = Plan {
        head: Head {
            extent,
            calls_since,
            now: state.engine().now(),
        },
        query,
        sessions,
    };
    let headers = headers(format, &plan.head, name);
    let (pieces, mut made) = mpsc::channel(PIECES);
    let reader = state.0.reader.clone();
    // Ends when all is handed on, or whoever reads is gone.
    tokio::task::spawn_blocking(move || {
        let _place = place;
        let mut out = Pieces::new(pieces);
        let written = match format {
            Format::Csv => write(&reader, plan, &mut Csv::new(&mut out)),
            Format::Json => write(&reader, plan, &mut Json::new(&mut out)),
            Format::Lines => write(&reader, plan, &mut Lines::new(&mut out)),
        };
        out.close(written);
    });
    let body = futures_util::stream::poll_fn(move |context| made.poll_recv(context));
    Ok((headers, Body::from_stream(body)).into_response())
}

fn headers(format: Format, head: &Head, name: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut put = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    put(header::CONTENT_TYPE.as_str(), format.content_type());
    put("x-moonlock-calls", &head.extent.calls.to_string());
    for (name, moment) in [
        ("x-moonlock-from", head.extent.first),
        ("x-moonlock-to", head.extent.last),
        ("x-moonlock-calls-since", head.calls_since),
    ] {
        if let Some(moment) = moment {
            put(name, &moment.0.to_string());
        }
    }
    // A session's name goes into a file's name only as far as any file system takes it.
    let safe: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .take(64)
        .collect();
    let file = format!("attachment; filename=\"{safe}-calls.{}\"", format.extension());
    put(header::CONTENT_DISPOSITION.as_str(), &file);
    headers
}

/// Why an export ended early.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Gone(#[from] io::Error),
}

fn write(reader: &Reader, plan: Plan, writer: &mut impl Writer) -> Result<(), Broken> {
    let Plan {
        head,
        mut query,
        sessions,
    } = plan;
    writer.begin(&head)?;
    write_sessions(reader, sessions, &query, head.now, writer)?;
    let mut names = Names::default();
    query.limit = PAGE;
    loop {
        let calls = reader.ended_movable(&query)?;
        for movable in &calls {
            let name = names.of(reader, movable.call.session)?;
            writer.call(movable, name)?;
        }
        match calls.last() {
            Some(last) if calls.len() == PAGE => query.before = Some(last.call.start.id),
            _ => break,
        }
    }
    Ok(writer.finish()?)
}

/// The sessions that were there in the range, newest first.
fn write_sessions(
    reader: &Reader,
    sessions: Sessions,
    query: &CallQuery,
    now: Reading,
    writer: &mut impl Writer,
) -> Result<(), Broken> {
    let mut write = |stored: &StoredSession| -> Result<(), Broken> {
        let id = stored.session.id;
        let checkpoints = reader.checkpoints(id, None, usize::MAX)?;
        let events = reader.timer_events(id)?;
        Ok(writer.session(&json::ExportedSession::new(stored, &checkpoints, &events, now))?)
    };
    match sessions {
        Sessions::None => Ok(()),
        Sessions::One(id) => reader.session(id)?.as_ref().map_or(Ok(()), write),
        Sessions::All => {
            let mut wanted = SessionQuery {
                limit: PAGE,
                ..SessionQuery::default()
            };
            loop {
                let page = reader.sessions(&wanted)?;
                for (stored, _) in &page {
                    let timer = &stored.session.timer;
                    let ended_before = timer
                        .ended_at()
                        .zip(query.from)
                        .is_some_and(|(end, from)| end < from);
                    let began_after = query.to.is_some_and(|to| timer.started_at() >= to);
                    if !ended_before && !began_after {
                        write(stored)?;
                    }
                }
                match page.last() {
                    Some((_, last)) if page.len() == PAGE => wanted.after = Some(*last),
                    _ => return Ok(()),
                }
            }
        }
    }
}

/// The names of sessions: calls of one mostly come one after the other.
#[derive(Default)]
struct Names {
    last: Option<(SessionId, Option<Box<str>>)>,
}

impl Names {
    fn of(&mut self, reader: &Reader, session: Option<SessionId>) -> Result<Option<&str>, ReadError> {
        let Some(id) = session else { return Ok(None) };
        if self.last.as_ref().is_none_or(|(last, _)| *last != id) {
            let name = reader.session(id)?.map(|stored| stored.session.name);
            self.last = Some((id, name));
        }
        Ok(self.last.as_ref().and_then(|(_, name)| name.as_deref()))
    }
}

/// Gathers what is written into pieces and hands them on, waiting for room.
struct Pieces {
    gathered: Vec<u8>,
    out: mpsc::Sender<Result<Bytes, io::Error>>,
}

impl Pieces {
    const fn new(out: mpsc::Sender<Result<Bytes, io::Error>>) -> Self {
        Self {
            gathered: Vec::new(),
            out,
        }
    }

    fn hand_on(&mut self) -> io::Result<()> {
        let piece = Bytes::from(std::mem::take(&mut self.gathered));
        self.out
            .blocking_send(Ok(piece))
            .map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
    }

    /// Hands on the rest, or breaks the reply off, so that nobody takes a part for the whole.
    fn close(mut self, written: Result<(), Broken>) {
        let failed = match written.and_then(|()| Ok(self.hand_on()?)) {
            Ok(()) => return,
            Err(Broken::Gone(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
                tracing::debug!("an export was not read to its end");
                return;
            }
            Err(error) => error,
        };
        tracing::error!(error = %failed, "an export is broken off");
        self.out
            .blocking_send(Err(io::Error::other(failed.to_string())))
            .ok();
    }
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.gathered.extend_from_slice(bytes);
        if self.gathered.len() >= PIECE {
            self.hand_on()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
