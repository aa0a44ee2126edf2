//! The turns of a session over a WebSocket: one question and its answer are one call.
//!
//! [`SocketReader`] takes the bytes of both directions as they pass and tells when a turn begins, when its answer
//! begins, and how it ended. `openai` reads OpenAI's realtime events and its responses, `live` reads Gemini Live.

mod live;
mod message;
mod openai;

use super::parts::Parts;
use super::reading::Reading;
use super::websocket::{Agreed, FrameReader, MessageSink};
use crate::domain::call::Outcome;
use crate::domain::operation::Operation;
use live::Live;
use openai::OpenAi;

/// One of the two that speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Who asked for the socket.
    Client,
    /// The provider.
    Server,
}

/// Names a turn within its socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TurnId(u64);

/// What is told of a turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TurnEvent {
    /// It began: the client asked, or the provider answers unasked.
    Began {
        /// Which turn.
        turn: TurnId,
        /// The model that is asked.
        model: Option<Box<str>>,
    },
    /// The first piece of its answer came.
    Answered(TurnId),
    /// It ended.
    Ended {
        /// Which turn.
        turn: TurnId,
        /// How.
        outcome: Outcome,
        /// What it used.
        reading: Box<Reading>,
    },
}

/// Hears the messages, so that what is said of a turn can be kept.
pub trait Listener {
    /// The next piece of a side's message.
    fn part(&mut self, side: Side, bytes: &[u8]);
    /// The side's message has ended: it asks for that turn or answers it, or is about none.
    fn message_end(&mut self, side: Side, turn: Option<TurnId>);
}

/// Nobody listens.
impl Listener for () {
    fn part(&mut self, _: Side, _: &[u8]) {}
    fn message_end(&mut self, _: Side, _: Option<TurnId>) {}
}

/// Hands out the names of turns.
#[derive(Debug, Default)]
struct Names(u64);

impl Names {
    fn next(&mut self) -> TurnId {
        self.0 += 1;
        TurnId(self.0)
    }
}

/// Reads the turns of one socket. Memory does not grow with what passes.
#[derive(Debug)]
pub struct SocketReader {
    client: FrameReader,
    server: FrameReader,
    protocol: Protocol,
    /// Who left first.
    left: Option<Side>,
}

#[derive(Debug)]
enum Protocol {
    OpenAi(Box<OpenAi>),
    Live(Box<Live>),
}

impl SocketReader {
    /// A reader for a socket of this operation; `None` where it has no turns. `model` is what the handshake names.
    #[must_use]
    pub fn new(operation: Operation, model: Option<Box<str>>, agreed: Agreed) -> Option<Self> {
        let protocol = match operation {
            Operation::Realtime => Protocol::OpenAi(Box::new(OpenAi::realtime(model))),
            Operation::Responses => Protocol::OpenAi(Box::new(OpenAi::responses(model))),
            Operation::Live => Protocol::Live(Box::new(Live::new(model))),
            _ => return None,
        };
        Some(Self {
            client: agreed.client(),
            server: agreed.server(),
            protocol,
            left: None,
        })
    }

    /// Whether messages are told apart by their turns: those of responses are. A realtime session's or Gemini Live's turn
    /// rests on all that was said before, much of it in sound.
    #[must_use]
    pub fn names_turns(&self) -> bool {
        matches!(&self.protocol, Protocol::OpenAi(protocol) if protocol.names_turns())
    }

    /// Reads the next bytes that a side sent, however they are cut.
    pub fn push(&mut self, side: Side, bytes: &[u8], told: &mut Vec<TurnEvent>) {
        self.push_heard(side, bytes, told, &mut ());
    }

    /// The same, with somebody who listens.
    pub fn push_heard(
        &mut self,
        side: Side,
        bytes: &[u8],
        told: &mut Vec<TurnEvent>,
        heard: &mut impl Listener,
    ) {
        let frames = match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        };
        match &mut self.protocol {
            Protocol::OpenAi(protocol) => frames.push(bytes, &mut Talk(&mut **protocol, side, told, heard)),
            Protocol::Live(protocol) => frames.push(bytes, &mut Talk(&mut **protocol, side, told, heard)),
        }
        if frames.is_closed() {
            self.left(side);
        }
    }

    /// A side has left. The first to leave, by a close frame or without, is who ends the turns under way.
    pub fn left(&mut self, side: Side) {
        self.left.get_or_insert(side);
    }

    /// Whether what the provider sends cannot be read: its turns have no numbers then.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.server.is_lost()
    }

    /// Ends the turns under way: the socket has ended.
    pub fn finish(&mut self, told: &mut Vec<TurnEvent>) {
        let outcome = match self.left {
            Some(Side::Client) => Outcome::ClientAborted,
            Some(Side::Server) => Outcome::UpstreamError,
            // Neither: the socket was given up here.
            None => Outcome::Interrupted,
        };
        match &mut self.protocol {
            Protocol::OpenAi(protocol) => protocol.finish(outcome, told),
            Protocol::Live(protocol) => protocol.finish(outcome, told),
        }
    }
}

/// What a protocol makes of the messages of both sides.
trait Conversation {
    /// The next piece of a message.
    fn part(&mut self, side: Side, bytes: &[u8]);
    /// A message has ended; the turn that it is about, where that is told.
    fn message_end(&mut self, side: Side, told: &mut Vec<TurnEvent>) -> Option<TurnId>;
}

/// One side's words.
struct Talk<'a, C, L>(&'a mut C, Side, &'a mut Vec<TurnEvent>, &'a mut L);

impl<C: Conversation, L: Listener> MessageSink for Talk<'_, C, L> {
    fn part(&mut self, bytes: &[u8]) {
        self.0.part(self.1, bytes);
        self.3.part(self.1, bytes);
    }

    fn message_end(&mut self) {
        let turn = self.0.message_end(self.1, self.2);
        self.3.message_end(self.1, turn);
    }
}

/// Whether both sides of a turn are counted.
fn is_split(parts: &Parts) -> bool {
    parts.prompt().is_some() && parts.generated().is_some()
}

#[cfg(test)]
mod tests;
