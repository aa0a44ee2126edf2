//! A WebSocket that is observed as it passes: each turn becomes a call.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::future::join_all;
use tokio::sync::watch;

use super::flight::{Ending, Flight, Sink};
use crate::domain::call::{CallStart, Outcome};
use crate::domain::units::Millis;
use crate::domain::usage::reading::Reading;
use crate::domain::usage::turns::{Side, SocketReader, TurnEvent, TurnId};

/// Makes the start of a call to the model that is asked.
pub type Starts = Box<dyn Fn(Option<Box<str>>) -> CallStart + Send>;

/// Resolves when the rows of the turns that have just ended are committed, or the bound is over.
pub(super) type Settled = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The status of an answer that begins a WebSocket (RFC 9110 §15.2.2).
const SWITCHED: u16 = 101;

/// Reads the turns of one socket, and tells of each as of a call. Dropped, it ends those under way.
pub struct SocketMeter {
    reader: SocketReader,
    starts: Starts,
    sink: Arc<dyn Sink>,
    /// The provider's id of the handshake.
    request_id: Option<Box<str>>,
    running: HashMap<TurnId, Turn>,
    count: watch::Sender<usize>,
    told: Vec<TurnEvent>,
    warned: bool,
}

struct Turn {
    flight: Flight,
    ttft: Option<Millis>,
}

impl SocketMeter {
    /// A meter for what `reader` finds.
    #[must_use]
    pub fn new(
        reader: SocketReader,
        starts: Starts,
        sink: Arc<dyn Sink>,
        request_id: Option<Box<str>>,
    ) -> Self {
        Self {
            reader,
            starts,
            sink,
            request_id,
            running: HashMap::new(),
            count: watch::Sender::default(),
            told: Vec::new(),
            warned: false,
        }
    }

    /// How many turns are under way; one whose end is on its way to the client still is.
    #[must_use]
    pub fn running(&self) -> watch::Receiver<usize> {
        self.count.subscribe()
    }

    /// Looks at the next bytes of a side; what to wait for before they are handed on, if a turn ends in them.
    pub(super) fn observe(&mut self, side: Side, bytes: &[u8]) -> Option<Settled> {
        self.reader.push(side, bytes, &mut self.told);
        if self.reader.is_lost() && !std::mem::replace(&mut self.warned, true) {
            tracing::warn!("WebSocket cannot be metered any further; its bytes are passed on");
        }
        self.tell()
    }

    /// A side has left. Once the provider has, no turn goes on.
    pub(super) fn left(&mut self, side: Side) -> Option<Settled> {
        self.reader.left(side);
        if side == Side::Client {
            return None;
        }
        self.reader.finish(&mut self.told);
        self.tell()
    }

    /// What was observed has been handed on.
    pub(super) fn passed(&mut self) {
        if self.running.len() < *self.count.borrow() {
            self.count.send_replace(self.running.len());
        }
    }

    fn tell(&mut self) -> Option<Settled> {
        if self.told.is_empty() {
            return None;
        }
        let mut commits = Vec::new();
        for event in std::mem::take(&mut self.told) {
            match event {
                TurnEvent::Began { turn, model } => {
                    let flight = Flight::new(Arc::clone(&self.sink), (self.starts)(model));
                    flight.announce();
                    self.running.insert(turn, Turn { flight, ttft: None });
                }
                TurnEvent::Answered(turn) => {
                    if let Some(turn) = self.running.get_mut(&turn) {
                        turn.ttft = Some(turn.flight.elapsed());
                    }
                }
                TurnEvent::Ended {
                    turn,
                    outcome,
                    reading,
                } => {
                    if let Some(turn) = self.running.remove(&turn) {
                        let ending = self.ending(outcome, *reading, turn.ttft);
                        if let Some(committed) = turn.flight.end(outcome, ending) {
                            commits.push(async move { turn.flight.settle(Some(committed)).await });
                        }
                    }
                }
            }
        }
        // Fewer are told of when what ended them has been handed on.
        if self.running.len() > *self.count.borrow() {
            self.count.send_replace(self.running.len());
        }
        (!commits.is_empty()).then(|| -> Settled { Box::pin(async { drop(join_all(commits).await) }) })
    }

    fn ending(&self, outcome: Outcome, reading: Reading, ttft: Option<Millis>) -> Ending {
        if reading.flaws.any() {
            tracing::warn!(flaws = ?reading.flaws, "turn was read with flaws; its bytes are passed on");
        }
        let error = match outcome {
            Outcome::UpstreamError => Some("broken_off".into()),
            // It may have ended well; that could not be read.
            _ if self.reader.is_lost() => Some("unreadable".into()),
            _ => None,
        };
        Ending {
            status: Some(SWITCHED),
            request_id: self.request_id.clone(),
            reading: Some(reading),
            error,
            streamed: true,
            ttft,
            text: None,
        }
    }
}

impl Drop for SocketMeter {
    fn drop(&mut self) {
        self.reader.finish(&mut self.told);
        drop(self.tell());
    }
}
