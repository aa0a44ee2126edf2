//! Listens to the running Moonlock, and begins anew when the connection breaks.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use http::header::AUTHORIZATION;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};

use super::super::client::{Client, Connection};
use super::model::News;
use crate::domain::wire::ServerMessage;

/// How long it is waited for a connection, and for the first word on it.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long it is waited until the next try: at first, and at most.
const AGAIN: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(5));
/// A connection on which nothing comes for so many of the server's pings is broken.
const MISSED_PINGS: u32 = 3;

/// Tells what is told, until nobody listens any more.
pub(super) async fn listen(client: Client, path: String, news: UnboundedSender<News>) {
    let mut listener = Listener {
        client,
        path,
        news,
        seq: None,
        wait: AGAIN.0,
    };
    loop {
        let reason = match listener.follow().await {
            Ok(Gone) => return,
            Err(reason) => reason,
        };
        if listener.news.send(News::Lost(reason)).is_err() {
            return;
        }
        tokio::time::sleep(listener.wait).await;
        listener.wait = (listener.wait * 2).min(AGAIN.1);
    }
}

/// Nobody listens any more.
struct Gone;

struct Listener {
    client: Client,
    path: String,
    news: UnboundedSender<News>,
    /// The number of the last event.
    seq: Option<u64>,
    wait: Duration,
}

impl Listener {
    /// Follows one connection to its end.
    async fn follow(&mut self) -> Result<Gone, String> {
        let mut socket = self.connect().await?;
        self.subscribe(&mut socket, self.seq).await?;
        let mut silence = PATIENCE;
        let mut asked_anew = false;
        loop {
            let Ok(message) = timeout(silence, socket.next()).await else {
                return Err("it went silent".to_owned());
            };
            let text = match message {
                Some(Ok(Message::Text(text))) => text,
                Some(Ok(Message::Close(_))) | None => return Err("it was stopped".to_owned()),
                Some(Ok(_)) => continue,
                Some(Err(error)) => return Err(error.to_string()),
            };
            let Ok(told) = serde_json::from_str(&text) else {
                if asked_anew {
                    return Err("it is of another version: restart it".to_owned());
                }
                // A kind of event that this version does not know: the state as it is now has it in it.
                asked_anew = true;
                self.subscribe(&mut socket, None).await?;
                continue;
            };
            let news = match told {
                ServerMessage::Hello { heartbeat_ms, .. } => {
                    silence = Duration::from_millis(heartbeat_ms).max(PATIENCE) * MISSED_PINGS;
                    self.wait = AGAIN.0;
                    if self.seq.is_none() {
                        continue;
                    }
                    News::Back
                }
                ServerMessage::Snapshot(snapshot) => {
                    asked_anew = false;
                    self.seq = Some(snapshot.seq);
                    News::Snapshot(snapshot)
                }
                ServerMessage::Event(event) => {
                    match self.seq {
                        Some(seq) if event.seq <= seq => continue,
                        Some(seq) if event.seq > seq + 1 && !asked_anew => {
                            // Something is missing: the state as it is now.
                            asked_anew = true;
                            self.subscribe(&mut socket, None).await?;
                            continue;
                        }
                        _ => {}
                    }
                    asked_anew = false;
                    self.seq = Some(event.seq);
                    News::Event(event)
                }
                ServerMessage::Pong { .. } | ServerMessage::Error { .. } => continue,
            };
            if self.news.send(news).is_err() {
                return Ok(Gone);
            }
        }
    }

    async fn connect(&self) -> Result<WebSocketStream<TokioIo<Connection>>, String> {
        let connecting = async {
            let stream = self.client.connect().await?;
            let url = format!("ws://{}{}", self.client.place().address, self.path);
            let mut request = url.into_client_request().map_err(|error| error.to_string())?;
            if let Some(authorization) = self.client.authorization() {
                let headers = request.headers_mut();
                headers.insert(AUTHORIZATION, authorization.clone());
            }
            let (socket, _) = client_async(request, stream)
                .await
                .map_err(|error| error.to_string())?;
            Ok(socket)
        };
        timeout(PATIENCE, connecting)
            .await
            .unwrap_or_else(|_| Err("it does not answer".to_owned()))
    }

    async fn subscribe(
        &self,
        socket: &mut WebSocketStream<TokioIo<Connection>>,
        since: Option<u64>,
    ) -> Result<(), String> {
        let asked = json!({ "type": "subscribe", "sessions": ["*"], "since": since });
        let sent = socket.send(Message::text(asked.to_string())).await;
        sent.map_err(|error| error.to_string())
    }
}
