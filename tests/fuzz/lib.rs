//! What the fuzzers share: how their input is laid out, and how a body is cut into pieces.
//!
//! An input is a line of words and, behind it, the bytes that are read. Both can be mutated freely: a word that means
//! nothing takes a default. So every fixture is a seed with one line before it.
//!
//! The checks are plain functions: `tests/fuzzers.rs` puts the seeds through them with every run of the tests.

pub mod api;
pub mod configs;
pub mod framings;
pub mod imports;
pub mod replies;
pub mod requests;
pub mod sockets;

use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{Iter, iter};
use http_body::{Body, Frame};
use http_body_util::StreamBody;
use moonlock::domain::call::{CallEnd, CallStart, Ended};
use moonlock::domain::ids::CallId;
use moonlock::domain::operation::Operation;
use moonlock::domain::units::{Millis, Timestamp};
use moonlock::meter::estimator::Estimator;
use moonlock::meter::flight::{Committed, Flight, Sink};
use moonlock::meter::keep::Text;

/// An input, taken apart.
pub struct Input<'data> {
    words: Vec<&'data str>,
    /// The bytes that are read.
    pub body: &'data [u8],
}

impl<'data> Input<'data> {
    /// Takes it apart; `None` where it has no line of words.
    pub fn parse(data: &'data [u8]) -> Option<Self> {
        let end = data.iter().take(100).position(|byte| *byte == b'\n')?;
        let line = std::str::from_utf8(&data[..end]).ok()?;
        Some(Self {
            words: line.split(' ').collect(),
            body: &data[end + 1..],
        })
    }

    /// The word at that place; empty where there is none.
    pub fn word(&self, at: usize) -> &'data str {
        self.words.get(at).copied().unwrap_or_default()
    }

    /// The number at that place.
    pub fn number(&self, at: usize) -> u64 {
        self.word(at).parse().unwrap_or_default()
    }

    /// The operation that a word names.
    pub fn operation(&self, at: usize) -> Operation {
        Operation::from_name(self.word(at)).unwrap_or(Operation::ChatCompletions)
    }
}

/// A small generator of numbers.
pub struct Dice(u64);

impl Dice {
    /// Throws differently for each seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }
}

/// Cuts a body into pieces; the seed says where. Some are empty.
pub fn pieces(body: &[u8], seed: u64) -> Vec<&[u8]> {
    cut(body, seed, [1, 7, 64, 4000][(seed % 4) as usize])
}

/// Cuts a body into pieces so small that no event of meaning lies whole in one.
///
/// An event that does is only read if it holds one of its dialect's words: that is a promise about what providers write,
/// which the fixtures are held to, and not about any bytes.
pub fn crumbs(body: &[u8], seed: u64) -> Vec<&[u8]> {
    cut(body, seed, 7)
}

fn cut(body: &[u8], seed: u64, longest: usize) -> Vec<&[u8]> {
    let mut dice = Dice::new(seed);
    let mut pieces = Vec::new();
    let mut rest = body;
    while !rest.is_empty() {
        let length = if longest == 1 { 1 } else { dice.below(longest + 1) };
        let (piece, behind) = rest.split_at(length.min(rest.len()));
        pieces.push(piece);
        rest = behind;
    }
    pieces
}

/// A frame of a body that does not fail.
type Piece = Result<Frame<Bytes>, std::io::Error>;

/// Pieces as a body that is there at once.
pub fn body(pieces: &[&[u8]]) -> StreamBody<Iter<std::vec::IntoIter<Piece>>> {
    let frames: Vec<_> = pieces
        .iter()
        .map(|piece| Ok(Frame::data(Bytes::copy_from_slice(piece))))
        .collect();
    StreamBody::new(iter(frames))
}

/// All that a body gives.
pub fn drain<B: Body<Data = Bytes, Error = std::io::Error> + Unpin>(mut body: B) -> Vec<u8> {
    let mut out = Vec::new();
    let mut context = Context::from_waker(Waker::noop());
    loop {
        match Pin::new(&mut body).poll_frame(&mut context) {
            Poll::Ready(Some(Ok(frame))) => out.extend(frame.into_data().unwrap()),
            Poll::Ready(None) => return out,
            Poll::Ready(Some(Err(error))) => panic!("a body that is there fails: {error}"),
            Poll::Pending => panic!("a body that is there is waited for"),
        }
    }
}

/// The value of a future that has nothing to wait for.
pub fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("what is there is waited for"),
    }
}

/// Keeps how calls began and ended.
#[derive(Default)]
pub struct Recorder {
    pub started: Mutex<Vec<CallStart>>,
    pub ended: Mutex<Vec<CallEnd>>,
}

impl Recorder {
    /// A call that it will be told of.
    pub fn flight(self: &Arc<Self>, operation: Operation) -> Flight {
        let start = CallStart {
            id: CallId::from_uuid(uuid::Uuid::nil()),
            started_at: Timestamp(0),
            provider: "fuzz".into(),
            price_provider: None,
            operation,
            request_model: None,
            conversation: None,
            agent: None,
            client: None,
            asked: None,
        };
        let sink: Arc<dyn Sink> = Arc::<Self>::clone(self);
        Flight::new(sink, start)
    }

    /// The one end, without what depends on the clock. Only a fetch may have none: it is a call where it brings usage.
    pub fn end(&self, operation: Operation) -> Option<CallEnd> {
        let (started, ended) = (self.started.lock().unwrap(), self.ended.lock().unwrap());
        assert_eq!(started.len(), ended.len(), "a call that begins ends once");
        assert!(ended.len() <= 1, "a call ends once");
        assert!(ended.len() == 1 || operation.is_fetch(), "a call is told of");
        let end = ended.first()?;
        Some(CallEnd {
            duration: Millis(0),
            ttft: None,
            ..end.clone()
        })
    }
}

impl Sink for Recorder {
    fn started(&self, start: CallStart) {
        self.started.lock().unwrap().push(start);
    }

    fn ended(&self, _: CallId, ended: Ended, _: Option<Text>) -> Option<Committed> {
        self.ended.lock().unwrap().push(ended.end);
        None
    }

    fn estimator(&self) -> Option<&Estimator> {
        None
    }

    fn commit_was_late(&self) {}

    fn commit_bound(&self) -> Duration {
        Duration::ZERO
    }
}
