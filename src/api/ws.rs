//! The WebSocket: a snapshot, then every event.
//!
//! Each client is served by itself, so that none waits for another. One that falls further behind than the stream keeps
//! gets a snapshot, one that takes or answers nothing for too long is let go; what it missed, it can ask for.
//!
//! Messages are not compressed (permessage-deflate): they stay on this machine, and an event's text is written once for
//! all clients, where each would have to compress it anew for itself.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code};
use axum::response::Response;
use futures_util::SinkExt;
use serde::Deserialize;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::TryRecvError;
use tokio::time::{Interval, MissedTickBehavior, interval};
use utoipa::ToSchema;

use super::ApiState;
use crate::domain::ids::SessionId;
use crate::domain::wire::ServerMessage;
use crate::engine::stream::{First, Published, Wanted};

/// The largest message that a client may send.
const LIMIT: usize = 64 * 1024;
/// How long a client may take nothing of what it is sent. What waits for it is kept in memory.
const PATIENCE: Duration = Duration::from_secs(20);
/// So many events go out in one write at most.
const TOGETHER: usize = 64;
/// How many pings a client may leave without an answer.
const UNANSWERED: u32 = 2;
/// How long a client may take to be told that the program stops.
const FAREWELL: Duration = Duration::from_millis(200);

/// What a client says.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "camelCase")]
pub(super) enum ClientMessage {
    /// From now on it wants these sessions; with `since`, beginning after that event.
    Subscribe {
        sessions: Vec<String>,
        #[serde(default)]
        since: Option<u64>,
    },
    Ping,
}

pub(super) async fn connect(State(state): State<ApiState>, upgrade: WebSocketUpgrade) -> Response {
    let upgrade = upgrade.max_message_size(LIMIT).max_frame_size(LIMIT);
    upgrade.on_upgrade(move |socket| async move {
        let counted = Arc::clone(&state.0.sockets);
        let mut stopped = state.0.stopped.clone();
        let mut client = Client {
            pings: pings(&state),
            state,
            socket,
            wanted: Wanted::All,
            events: None,
            unanswered: 0,
            _counted: counted,
        };
        // Whether the client left or broke off makes no difference: nothing is owed to it. An open page must not
        // keep the program from stopping, also where it takes nothing that is sent.
        let stops = tokio::select! {
            _ = client.serve() => false,
            _ = stopped.changed() => true,
        };
        if stops {
            let away = Message::Close(Some(CloseFrame {
                code: close_code::AWAY,
                reason: Utf8Bytes::from_static("Moonlock is shutting down"),
            }));
            drop(tokio::time::timeout(FAREWELL, client.transmit(away)).await);
        }
    })
}

fn pings(state: &ApiState) -> Interval {
    let mut pings = interval(state.settings().heartbeat_interval);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    pings
}

/// The connection is over.
struct Gone;

struct Client {
    state: ApiState,
    socket: WebSocket,
    pings: Interval,
    wanted: Wanted,
    /// What it listens to; nothing until it has subscribed.
    events: Option<broadcast::Receiver<Arc<Published>>>,
    /// Pings since it was last heard of.
    unanswered: u32,
    /// Held for as long as it is connected.
    _counted: Arc<()>,
}

impl Client {
    async fn serve(&mut self) -> Result<(), Gone> {
        let hello = ServerMessage::Hello {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            at: self.state.engine().now().wall.0,
            heartbeat_ms: u64::try_from(self.pings.period().as_millis()).unwrap_or(u64::MAX),
        };
        self.say(&hello).await?;
        loop {
            tokio::select! {
                message = self.socket.recv() => {
                    self.unanswered = 0;
                    match message {
                        Some(Ok(Message::Text(text))) => self.hear(&text).await?,
                        Some(Ok(Message::Binary(_))) => self.complain("messages are JSON text").await?,
                        Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                        Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(Gone),
                    }
                }
                event = next(&mut self.events) => match event {
                    Ok(event) => self.pass_on(event).await?,
                    // It fell too far behind: it gets the state as it is now instead.
                    Err(broadcast::error::RecvError::Lagged(missed)) => self.resync(missed).await?,
                    Err(broadcast::error::RecvError::Closed) => return Err(Gone),
                },
                _ = self.pings.tick() => {
                    if self.unanswered == UNANSWERED {
                        return Err(Gone);
                    }
                    self.unanswered += 1;
                    self.transmit(Message::Ping(Bytes::new())).await?;
                }
            }
        }
    }

    /// Sends an event, and those that have come behind it, in one write.
    async fn pass_on(&mut self, first: Arc<Published>) -> Result<(), Gone> {
        let mut event = first;
        for together in 1.. {
            if self.wanted.includes_event(&event.event) {
                let text = message(event.text())?;
                in_time(self.socket.feed(text)).await?;
            }
            if together == TOGETHER {
                break;
            }
            event = match self.events.as_mut().map(broadcast::Receiver::try_recv) {
                Some(Ok(event)) => event,
                // It gets the state as it is now instead.
                Some(Err(TryRecvError::Lagged(missed))) => return self.resync(missed).await,
                Some(Err(TryRecvError::Empty | TryRecvError::Closed)) | None => break,
            };
        }
        in_time(self.socket.flush()).await
    }

    async fn resync(&mut self, missed: u64) -> Result<(), Gone> {
        self.state.0.resyncs.fetch_add(1, Ordering::Relaxed);
        self.state.0.missed_events.fetch_add(missed, Ordering::Relaxed);
        self.subscribe(None).await
    }

    async fn hear(&mut self, text: &str) -> Result<(), Gone> {
        match serde_json::from_str(text) {
            Ok(ClientMessage::Ping) => {
                let at = self.state.engine().now().wall.0;
                self.say(&ServerMessage::Pong { at }).await
            }
            Ok(ClientMessage::Subscribe { sessions, since }) => match wanted(&sessions) {
                Ok(wanted) => {
                    self.wanted = wanted;
                    self.subscribe(since).await
                }
                Err(wrong) => self.complain(&format!("`{wrong}` is no session's id; `*` is all sessions")).await,
            },
            Err(error) => {
                self.complain(&format!(
                    "{error}; expected {{\"type\":\"subscribe\",\"sessions\":[\"*\"]}} or {{\"type\":\"ping\"}}"
                ))
                .await
            }
        }
    }

    async fn subscribe(&mut self, since: Option<u64>) -> Result<(), Gone> {
        let subscription = self
            .state
            .engine()
            .subscribe(self.wanted.clone(), since)
            .await
            .map_err(|_| Gone)?;
        self.events = Some(subscription.events);
        match subscription.first {
            First::Snapshot(snapshot) => {
                let snapshot = Box::new(self.state.complete(*snapshot));
                self.say(&ServerMessage::Snapshot(snapshot)).await
            }
            First::Missed(missed) => {
                for event in missed {
                    if self.wanted.includes_event(&event.event) {
                        self.send(event.text()).await?;
                    }
                }
                Ok(())
            }
        }
    }

    async fn complain(&mut self, message: &str) -> Result<(), Gone> {
        self.say(&ServerMessage::Error {
            message: message.to_owned(),
        })
        .await
    }

    async fn say(&mut self, message: &ServerMessage) -> Result<(), Gone> {
        let text = serde_json::to_vec(message).map_err(|_| Gone)?;
        self.send(Bytes::from(text)).await
    }

    async fn send(&mut self, text: Bytes) -> Result<(), Gone> {
        self.transmit(message(text)?).await
    }

    async fn transmit(&mut self, message: Message) -> Result<(), Gone> {
        in_time(self.socket.send(message)).await
    }
}

fn message(text: Bytes) -> Result<Message, Gone> {
    let text = Utf8Bytes::try_from(text).map_err(|_| Gone)?;
    Ok(Message::Text(text))
}

/// Waits for a client to take what it is sent, for as long as it may.
async fn in_time(sending: impl Future<Output = Result<(), axum::Error>>) -> Result<(), Gone> {
    match tokio::time::timeout(PATIENCE, sending).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(Gone),
    }
}

async fn next(
    events: &mut Option<broadcast::Receiver<Arc<Published>>>,
) -> Result<Arc<Published>, broadcast::error::RecvError> {
    match events {
        Some(events) => events.recv().await,
        None => std::future::pending().await,
    }
}

fn wanted(sessions: &[String]) -> Result<Wanted, &str> {
    if sessions.iter().any(|session| session == "*") {
        return Ok(Wanted::All);
    }
    let ids: Result<Vec<SessionId>, &str> = sessions
        .iter()
        .map(|session| session.parse().map_err(|_| session.as_str()))
        .collect();
    ids.map(Wanted::Sessions)
}
