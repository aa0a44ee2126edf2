//! A WebSocket that is observed as it passes: each turn becomes a call.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::future::join_all;
use tokio::sync::watch;

use super::flight::{Ending, Flight, Sink};
use super::keep::{Keep, Memory};
use super::progress::Growing;
use crate::domain::call::{CallStart, Outcome};
use crate::domain::units::Millis;
use crate::domain::usage::reading::Reading;
use crate::domain::usage::turns::{Listener, Side, SocketReader, TurnEvent, TurnId};

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
    words: Words,
    warned: bool,
}

/// What is said of the turns under way, kept so that it can be counted where the provider does not say what they used.
struct Words {
    /// `None` where nothing is kept.
    memory: Option<Arc<Memory>>,
    /// The message that each side has begun.
    client: Option<Keep>,
    server: Option<Keep>,
    /// What was asked, and what was answered so far, one message behind the other.
    turns: HashMap<TurnId, (Keep, Keep)>,
}

impl Words {
    fn new(memory: Option<Arc<Memory>>) -> Self {
        Self {
            memory,
            client: None,
            server: None,
            turns: HashMap::new(),
        }
    }

    const fn message(&mut self, side: Side) -> &mut Option<Keep> {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }
}

impl Listener for Words {
    fn part(&mut self, side: Side, bytes: &[u8]) {
        let Some(memory) = &self.memory else { return };
        let memory = Arc::clone(memory);
        self.message(side)
            .get_or_insert_with(|| Keep::new(memory))
            .copy(bytes);
    }

    fn message_end(&mut self, side: Side, turn: Option<TurnId>) {
        let message = self.message(side).take();
        let (Some(message), Some(turn), Some(memory)) = (message, turn, &self.memory) else {
            return;
        };
        match side {
            Side::Client => {
                let reply = Keep::new(Arc::clone(memory));
                self.turns.insert(turn, (message, reply));
            }
            Side::Server => {
                if let Some((_, reply)) = self.turns.get_mut(&turn) {
                    reply.append(&message);
                }
            }
        }
    }
}

struct Turn {
    flight: Flight,
    ttft: Option<Millis>,
    /// Its answer, once that has begun.
    growing: Option<Growing>,
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
        let estimator = sink.estimator().filter(|_| reader.names_turns());
        let words = Words::new(estimator.map(|estimator| Arc::clone(estimator.memory())));
        Self {
            words,
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
        self.reader
            .push_heard(side, bytes, &mut self.told, &mut self.words);
        if self.reader.is_lost() && !std::mem::replace(&mut self.warned, true) {
            tracing::warn!("WebSocket cannot be metered any further; its bytes are passed on");
        }
        let settled = self.tell();
        for (id, turn) in &self.running {
            if let (Some(growing), Some((_, reply))) = (&turn.growing, self.words.turns.get(id)) {
                growing.passed(reply.length());
            }
        }
        settled
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
                    let begun = Turn {
                        flight,
                        ttft: None,
                        growing: None,
                    };
                    self.running.insert(turn, begun);
                }
                TurnEvent::Answered(turn) => {
                    if let Some(turn) = self.running.get_mut(&turn) {
                        turn.ttft = Some(turn.flight.elapsed());
                        turn.growing = turn.flight.grows();
                    }
                }
                TurnEvent::Ended {
                    turn,
                    outcome,
                    reading,
                } => {
                    let words = self.words.turns.remove(&turn);
                    if let Some(turn) = self.running.remove(&turn) {
                        if let (Some(growing), Some((_, reply))) = (&turn.growing, &words) {
                            growing.passed(reply.length());
                            growing.ended(outcome, &reading);
                        }
                        let mut ending = self.ending(outcome, *reading, turn.ttft);
                        if let Some((request, reply)) = words {
                            turn.flight.keep_request(request);
                            ending.text = Some(reply);
                        }
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
