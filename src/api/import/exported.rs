//! `POST /api/import`: takes in an export of another Moonlock, or of this one.
//!
//! A thread takes the body apart as it comes, and a thousand things at a time are taken in; whoever sends waits for that,
//! so that an import of any size needs the memory of a few pages. What is here already stays as it is: an import that is
//! said again, or was cut off and is said from its beginning, doubles nothing. Calls that are older than those that are kept
//! are left out: their sums may be here though they are not.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header;
use http_body_util::BodyExt;
use tokio::sync::mpsc;

use super::reading::{self, Broken, Chunks, Form, Kind, Thing};
use crate::api::ApiState;
use crate::api::error::ApiError;
use crate::api::query::Params;
use crate::api::sessions::hold_known;
use crate::domain::call::{Attribution, Call};
use crate::domain::exported::{ArrivedCall, ArrivedSession, NotUsable};
use crate::domain::ids::{CallId, SessionId};
use crate::domain::live::{Refusal, TakeIn};
use crate::domain::units::Timestamp;
use crate::domain::wire::{ImportedExport, ImportedThings, NotImported};
use crate::engine::CommandError;
use crate::store::{ReadError, Reader};

/// So many things are taken in at once.
const PIECE: usize = 1_000;
/// Or so many bytes of them.
const PIECE_BYTES: usize = 4 * 1024 * 1024;
/// So many chunks of a body wait to be taken apart.
const CHUNKS: usize = 8;
/// How often the database is asked again, where calls changed meanwhile.
const ATTEMPTS: usize = 8;
/// So many refused things are named; of more it is only counted how many there are.
const MOST_NAMED: usize = 100;
/// Who sends nothing for so long has gone.
const PATIENCE: Duration = Duration::from_secs(60);

#[utoipa::path(
    post,
    path = "/import",
    tag = "calls",
    summary = "Takes in an export of a Moonlock, of any size. Sessions and calls are known by their ids: nothing is doubled.",
    params(("dryRun" = Option<bool>, Query, description = "Only say what would become of it.")),
    request_body(content((Object = "application/json"), (String = "application/jsonl"))),
    responses((status = 200, body = ImportedExport))
)]
pub(in crate::api) async fn take(
    State(state): State<ApiState>,
    params: Params,
    request: Request,
) -> Result<Json<ImportedExport>, ApiError> {
    params.only(&["dryRun"])?;
    let is_dry = params.get("dryRun", "true or false", |text| text.parse::<bool>().ok())?;
    let form = form(&request)?;
    let place = state.0.exports.take()?;
    let (chunks, coming) = mpsc::channel(CHUNKS);
    let (pieces, taken) = mpsc::channel::<Vec<Thing>>(2);
    let apart = tokio::task::spawn_blocking(move || {
        let _place = place;
        take_apart(form, coming, &pieces)
    });
    let mut import = Import {
        state: &state,
        now: state.engine().now().wall,
        aim: match is_dry {
            Some(true) => Aim::Look,
            _ => Aim::Take,
        },
        report: ImportedExport::default(),
        sessions: HashMap::new(),
    };
    let taking = async move {
        let mut taken = taken;
        while let Some(piece) = taken.recv().await {
            // Where it fails, the channel is closed: the thread ends, and with it the reading of the body.
            import.take(piece).await?;
        }
        Ok::<_, ApiError>(import.report)
    };
    let ((), report) = tokio::join!(send(request.into_body(), chunks), taking);
    let mut report = report?;
    match apart.await {
        Ok(Ok(announced)) => {
            let ImportedThings { new, known, refused } = report.calls;
            report.missing = announced.saturating_sub(new + known + refused + report.too_old);
            Ok(Json(report))
        }
        Ok(Err(broken)) => Err(ApiError::invalid_json(format!(
            "{broken}. What came before it was taken in: {} new sessions and {} new calls. Say it again when it is whole: \
             nothing is doubled",
            report.sessions.new, report.calls.new
        ))),
        Err(error) => Err(ApiError::database(&error)),
    }
}

fn form(request: &Request) -> Result<Form, ApiError> {
    let kind = request.headers().get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    match kind.split(';').next().unwrap_or_default().trim() {
        "application/json" => Ok(Form::Document),
        "application/jsonl" | "application/x-ndjson" | "application/x-jsonlines" => Ok(Form::Lines),
        _ => Err(ApiError::not_exported()),
    }
}

/// Hands on a body's things, piece by piece; gives how many calls it says that it has.
fn take_apart(
    form: Form,
    coming: mpsc::Receiver<Result<Bytes, String>>,
    pieces: &mpsc::Sender<Vec<Thing>>,
) -> Result<u64, Broken> {
    let (mut piece, mut bytes) = (Vec::<Thing>::new(), 0);
    let read = reading::read(form, Chunks::new(coming), |thing| {
        // A piece is of one kind: a call's session is here before it.
        let is_other = piece.first().is_some_and(|first| first.kind != thing.kind);
        if is_other || piece.len() == PIECE || bytes > PIECE_BYTES {
            bytes = 0;
            let full = std::mem::take(&mut piece);
            pieces.blocking_send(full).map_err(|_| Broken::Gone)?;
        }
        bytes += thing.text.as_ref().map_or(0, String::len);
        piece.push(thing);
        Ok(())
    });
    // What came before it broke off is taken in; nobody may be there any more.
    pieces.blocking_send(piece).ok();
    read
}

/// Hands a body on as it comes; ends when all is handed on, or nobody takes it any more.
async fn send(mut body: Body, chunks: mpsc::Sender<Result<Bytes, String>>) {
    loop {
        let chunk = match tokio::time::timeout(PATIENCE, body.frame()).await {
            Ok(None) => return,
            Ok(Some(Ok(frame))) => match frame.into_data() {
                Ok(data) => Ok(data),
                Err(_trailers) => continue,
            },
            Ok(Some(Err(error))) => Err(error.to_string()),
            Err(_) => Err(format!("nothing came for {} s", PATIENCE.as_secs())),
        };
        let is_broken = chunk.is_err();
        if chunks.send(chunk).await.is_err() || is_broken {
            return;
        }
    }
}

/// Whether it is meant.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Aim {
    /// Only to say what would become of it.
    Look,
    Take,
}

/// An import under way.
struct Import<'a> {
    state: &'a ApiState,
    now: Timestamp,
    aim: Aim,
    report: ImportedExport,
    /// Whether the sessions that calls name are here.
    sessions: HashMap<SessionId, bool>,
}

impl Import<'_> {
    async fn take(&mut self, piece: Vec<Thing>) -> Result<(), ApiError> {
        match piece.first().map(|thing| thing.kind) {
            Some(Kind::Session) => self.take_sessions(piece).await,
            Some(Kind::Call) => self.take_calls(piece).await,
            None => Ok(()),
        }
    }

    const fn counts(&mut self, kind: Kind) -> &mut ImportedThings {
        match kind {
            Kind::Session => &mut self.report.sessions,
            Kind::Call => &mut self.report.calls,
        }
    }

    fn refuse(&mut self, kind: Kind, place: String, error: NotUsable) {
        self.counts(kind).refused += 1;
        if self.report.refused.len() < MOST_NAMED {
            let problem = error.to_string();
            self.report.refused.push(NotImported {
                place,
                field: error.field,
                problem,
            });
        }
    }

    /// What is usable of a piece, each once.
    fn usable<K: Ord, T>(
        &mut self,
        piece: Vec<Thing>,
        read: impl Fn(&str, Timestamp) -> Result<T, NotUsable>,
        key: impl Fn(&T) -> K,
    ) -> BTreeMap<K, T> {
        let mut usable = BTreeMap::new();
        for Thing { kind, place, text } in piece {
            match text.and_then(|text| read(&text, self.now)) {
                Ok(thing) => {
                    if usable.insert(key(&thing), thing).is_some() {
                        self.counts(kind).known += 1;
                    }
                }
                Err(error) => self.refuse(kind, place, error),
            }
        }
        usable
    }

    async fn take_sessions(&mut self, piece: Vec<Thing>) -> Result<(), ApiError> {
        let found = self.usable(piece, ArrivedSession::read, |found| found.session.id);
        for attempt in 1.. {
            self.sessions.clear();
            let rewritten = self.state.engine().settled().await?;
            let mut new = Vec::new();
            for (id, arrived) in &found {
                if !self.is_here(*id).await? {
                    new.push(arrived.clone());
                }
            }
            let counts = (new.len() as u64, (found.len() - new.len()) as u64);
            // In a look, they count as taken in for the calls that come.
            let ids: Vec<SessionId> = new.iter().map(|arrived| arrived.session.id).collect();
            let order = TakeIn {
                sessions: new,
                calls: Vec::new(),
                rewritten,
            };
            if self.carry_out(order, attempt).await? {
                self.sessions.extend(ids.into_iter().map(|id| (id, true)));
                self.report.sessions.new += counts.0;
                self.report.sessions.known += counts.1;
                break;
            }
        }
        Ok(())
    }

    async fn take_calls(&mut self, piece: Vec<Thing>) -> Result<(), ApiError> {
        let found = self.usable(piece, ArrivedCall::read, |arrived| arrived.call.start.id);
        for attempt in 1.. {
            let rewritten = self.state.engine().settled().await?;
            let ids: Vec<CallId> = found.keys().copied().collect();
            let read =
                move |reader: &Reader| Ok::<_, ReadError>((reader.known_calls(&ids)?, reader.calls_since()?));
            let (known, since) = self.state.read(read).await?;
            let is_too_old = |call: &Call| since.is_some_and(|since| call.start.started_at < since);
            let (mut new, mut too_old) = (Vec::new(), 0);
            for (id, arrived) in &found {
                if known.contains(id) {
                    continue;
                }
                if is_too_old(&arrived.call) {
                    too_old += 1;
                } else {
                    new.push(self.placed(arrived).await?);
                }
            }
            let taken = new.len() as u64;
            let order = TakeIn {
                sessions: Vec::new(),
                calls: new,
                rewritten,
            };
            if self.carry_out(order, attempt).await? {
                self.report.calls.new += taken;
                self.report.calls.known += known.len() as u64;
                self.report.too_old += too_old;
                break;
            }
            self.sessions.clear();
        }
        Ok(())
    }

    /// A call in its session, or, where that is not here, in none.
    async fn placed(&mut self, arrived: &ArrivedCall) -> Result<ArrivedCall, ApiError> {
        let mut arrived = arrived.clone();
        if let Some(session) = arrived.call.session
            && !self.is_here(session).await?
        {
            arrived.paused = None;
            arrived.call = Call {
                session: None,
                attribution: Attribution::Unassigned,
                ..arrived.call
            };
        }
        Ok(arrived)
    }

    /// `false` if it has to be looked up anew what is known.
    async fn carry_out(&self, order: TakeIn, attempt: usize) -> Result<bool, ApiError> {
        if self.aim == Aim::Look || (order.sessions.is_empty() && order.calls.is_empty()) {
            return Ok(true);
        }
        match self.state.engine().take_in(order).await {
            Ok(()) => Ok(true),
            Err(CommandError::Refused(Refusal::CallsChanged | Refusal::NoSuchSession, _))
                if attempt < ATTEMPTS =>
            {
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn is_here(&mut self, id: SessionId) -> Result<bool, ApiError> {
        if let Some(known) = self.sessions.get(&id) {
            return Ok(*known);
        }
        let found = hold_known(self.state, id).await?;
        self.sessions.insert(id, found);
        Ok(found)
    }
}
