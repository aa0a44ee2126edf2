//! A request body that is observed as it passes.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;

use super::decode::{Decoder, Undecodable};
use super::flight::Flight;
use super::keep::Keep;
use crate::domain::operation::Operation;
use crate::domain::usage::request::{RequestFacts, RequestReader};

/// The most of a request that is held back to find out whether its client asks for usage. A longer one goes out as
/// it is, and its stream is not asked for usage.
const MOST_HELD: usize = 8 << 20;

/// What is put before a request's closing brace.
const QUESTION: &[u8] = b",\"stream_options\":{\"include_usage\":true}";

/// Passes a request body on, and learns from it what the call asks for.
pub struct MeteredRequest<B> {
    inner: B,
    /// What was read ahead, to find out whether to ask.
    held: VecDeque<Frame<Bytes>>,
    observer: Option<Observer>,
    over: bool,
    /// The client said beforehand how long its body is. One that is sent in chunks goes on in chunks, also when
    /// all of it is held.
    declares_length: bool,
}

struct Observer {
    decoder: Decoder,
    reader: RequestReader,
    flight: Flight,
    /// What is kept of the body, decoded.
    keep: Option<Keep>,
}

impl Observer {
    fn look(&mut self, bytes: &Bytes) -> Result<(), Undecodable> {
        let Self { reader, keep, .. } = self;
        self.decoder
            .push_keeping(bytes, keep.as_mut(), |decoded| reader.push(decoded))
    }

    /// All of the body has come.
    fn body_ended(&mut self) {
        if let Some(keep) = self.keep.take() {
            self.flight.keep_request(keep);
        }
    }
}

impl Drop for Observer {
    fn drop(&mut self) {
        self.flight.learn(self.reader.facts());
        self.flight.announce();
    }
}

impl<B: Body<Data = Bytes> + Unpin> MeteredRequest<B> {
    /// Observes `inner`, whose bytes have the given content-encoding.
    pub fn new(inner: B, operation: Operation, encoding: Option<&str>, flight: Flight) -> Self {
        let observer = Observer {
            decoder: Decoder::new(encoding),
            reader: RequestReader::new(operation),
            keep: flight.keep(),
            flight,
        };
        Self {
            declares_length: inner.size_hint().exact().is_some(),
            inner,
            held: VecDeque::new(),
            observer: Some(observer),
            over: false,
        }
    }

    /// Asks for usage in the stream that the request asks for, if the client says nothing about it.
    ///
    /// Reads the request ahead until that is known. True if the question was spliced in; every other byte stays.
    ///
    /// # Errors
    /// The client's body broke off.
    pub async fn ask_for_usage(&mut self) -> Result<bool, B::Error> {
        let mut length = 0;
        let end = loop {
            let Some(frame) = self.inner.frame().await.transpose()? else {
                self.over = true;
                break self.observer.take().and_then(|mut observer| {
                    observer.body_ended();
                    question_place(observer.reader.facts())
                });
            };
            length += frame.data_ref().map_or(0, Bytes::len);
            let known = self.observe(&frame).is_none_or(answers_itself);
            self.held.push_back(frame);
            if known || length > MOST_HELD {
                return Ok(false);
            }
        };
        let Some(end) = end else { return Ok(false) };
        self.splice(end);
        Ok(true)
    }

    /// Reads the request ahead until it has said which model it asks for and which conversation it is of, or is all
    /// there, or is too long to be held. What it says stands in the answer.
    ///
    /// # Errors
    /// The client's body broke off.
    pub async fn read_ahead(&mut self) -> Result<Option<&RequestFacts>, B::Error> {
        let mut length = 0;
        while length <= MOST_HELD {
            let Some(frame) = self.inner.frame().await.transpose()? else {
                self.over = true;
                break;
            };
            length += frame.data_ref().map_or(0, Bytes::len);
            let known = self
                .observe(&frame)
                .is_none_or(|facts| facts.model.is_some() && facts.conversation.is_some());
            self.held.push_back(frame);
            if known {
                break;
            }
        }
        Ok(self.observer.as_ref().map(|observer| observer.reader.facts()))
    }

    /// The length of the whole body, where all of it is held.
    #[must_use]
    pub fn known_length(&self) -> Option<usize> {
        self.over
            .then(|| self.held.iter().filter_map(Frame::data_ref).map(Bytes::len).sum())
    }

    fn splice(&mut self, end: u64) {
        let mut before = 0;
        for index in 0..self.held.len() {
            let Some(bytes) = self.held[index].data_ref() else {
                continue;
            };
            let length = bytes.len() as u64;
            if end < before + length {
                let at = usize::try_from(end - before).unwrap_or(0);
                let (head, tail) = (bytes.slice(..at), bytes.slice(at..));
                self.held[index] = Frame::data(tail);
                self.held.insert(index, Frame::data(Bytes::from_static(QUESTION)));
                self.held.insert(index, Frame::data(head));
                return;
            }
            before += length;
        }
    }
}

impl<B> MeteredRequest<B> {
    /// All of the body has come: there is nothing more to observe.
    fn body_ended(&mut self) {
        if let Some(mut observer) = self.observer.take() {
            observer.body_ended();
        }
    }

    /// Looks at a frame; what is known by now, or nothing where looking further is of no use.
    fn observe(&mut self, frame: &Frame<Bytes>) -> Option<&RequestFacts> {
        let observer = self.observer.as_mut()?;
        if frame
            .data_ref()
            .is_some_and(|bytes| observer.look(bytes).is_err())
        {
            self.observer = None;
        }
        self.observer.as_ref().map(|observer| observer.reader.facts())
    }
}

/// Whether a request has already said what it wants of usage, or that it does not stream.
fn answers_itself(facts: &RequestFacts) -> bool {
    facts.stream_options.is_some() || facts.stream == Some(false)
}

/// Where the question goes: before the closing brace of a request that streams and says nothing about usage.
fn question_place(facts: &RequestFacts) -> Option<u64> {
    let silent = facts.stream == Some(true) && facts.stream_options.is_none();
    facts.end.filter(|_| silent && facts.well_formed)
}

impl<B: Body<Data = Bytes> + Unpin> Body for MeteredRequest<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.get_mut();
        if let Some(frame) = this.held.pop_front() {
            if this.held.is_empty() && this.inner.is_end_stream() {
                this.body_ended();
            }
            return Poll::Ready(Some(Ok(frame)));
        }
        if this.over {
            this.observer = None;
            return Poll::Ready(None);
        }
        let frame = ready!(Pin::new(&mut this.inner).poll_frame(context));
        if let Some(Ok(frame)) = &frame {
            this.observe(frame);
        }
        if frame.is_none() || this.inner.is_end_stream() {
            this.body_ended();
        } else if matches!(frame, Some(Err(_))) {
            this.observer = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.held.is_empty() && (self.over || self.inner.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        match self.known_length() {
            Some(length) if self.declares_length => SizeHint::with_exact(length as u64),
            None if self.held.is_empty() => self.inner.size_hint(),
            _ => SizeHint::default(),
        }
    }
}

#[cfg(test)]
mod tests;
