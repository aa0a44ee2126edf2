//! A reply body that is observed as it passes, and whose end waits for its row.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

use super::flight::{Committed, Ending, Flight};
use super::progress::Growing;
use super::tap::Tap;
use super::withhold::Withholder;
use crate::domain::call::Outcome;
use crate::domain::operation::Operation;
use crate::domain::units::Millis;
use crate::domain::usage::reading::StreamError;

/// What a reply's head says about its body.
#[derive(Debug)]
pub struct Head<'head> {
    /// The HTTP status.
    pub status: u16,
    /// `content-type`.
    pub content_type: Option<&'head str>,
    /// `content-encoding`.
    pub encoding: Option<&'head str>,
    /// The provider's id of the request.
    pub request_id: Option<Box<str>>,
    /// The file or batch whose results were asked for.
    pub fetched: Option<&'head str>,
    /// All headers: some providers count in them.
    pub headers: &'head HeaderMap,
}

impl Head<'_> {
    /// Whether the body can be a stream that an event can be kept out of. A refusal cannot, nor a reply that was
    /// compressed all the same.
    fn may_hold_usage_event(&self) -> bool {
        let kind = self
            .content_type
            .and_then(|label| label.split(';').next())
            .unwrap_or_default();
        (200..300).contains(&self.status)
            && !kind.trim().eq_ignore_ascii_case("application/json")
            && self
                .encoding
                .is_none_or(|name| name.eq_ignore_ascii_case("identity"))
    }
}

/// Whether the stream holds an event that the client did not ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extra {
    /// Everything in it is the client's.
    None,
    /// Moonlock asked for usage: the one extra event is Moonlock's.
    UsageEvent,
}

type Wait = Pin<Box<dyn Future<Output = ()> + Send>>;

pin_project_lite::pin_project! {
    /// Passes a reply on, frame by frame as it came, and reads its usage.
    ///
    /// The piece that holds the reply's last event, or else its end, is handed on when the call's row is
    /// committed, or when the bound is over. Dropped before its end, it ends the call as aborted, and dropping
    /// the inner body cancels the provider's.
    pub struct MeteredReply<B>
    where
        B: Body,
    {
        #[pin]
        inner: B,
        meter: Meter,
        // What the withholder let through and is not handed on yet.
        ready: VecDeque<Frame<Bytes>>,
        // The commit that is waited for, and what is handed on after it.
        wait: Option<(Wait, Option<Frame<Bytes>>)>,
        // How the provider broke off: handed on behind all that came before.
        broken: Option<B::Error>,
        ended: bool,
    }
}

struct Meter {
    flight: Flight,
    /// `None` once the call has ended.
    open: Option<Open>,
    withholder: Option<Withholder>,
}

struct Open {
    tap: Tap,
    operation: Operation,
    status: u16,
    request_id: Option<Box<str>>,
    ttft: Option<Millis>,
    /// How many bytes have passed.
    passed: u64,
    /// `None` up to a stream's second piece: a reply of one piece does not grow.
    growing: Option<Growing>,
}

/// How a reply's body came to its end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Over {
    /// By itself.
    Whole,
    /// The provider's connection broke.
    Broken,
    /// Its client went away.
    Dropped,
}

impl<B: Body> MeteredReply<B> {
    /// Observes `inner`.
    pub fn new(inner: B, operation: Operation, head: Head<'_>, extra: Extra, flight: Flight) -> Self {
        let tap = Tap::new(operation, &head, flight.keep());
        let withholder =
            (extra == Extra::UsageEvent && head.may_hold_usage_event()).then(Withholder::default);
        let open = Open {
            tap,
            operation,
            status: head.status,
            request_id: head.request_id,
            ttft: None,
            passed: 0,
            growing: None,
        };
        let meter = Meter {
            flight,
            open: Some(open),
            withholder,
        };
        Self {
            inner,
            meter,
            ready: VecDeque::new(),
            wait: None,
            broken: None,
            ended: false,
        }
    }
}

impl<B: Body> MeteredReply<B> {
    /// Whether the client may get fewer bytes than the provider sends.
    #[must_use]
    pub const fn withholds(&self) -> bool {
        self.meter.withholder.is_some()
    }
}

impl<B> MeteredReply<B>
where
    B: Body<Data = Bytes> + Unpin,
{
    /// Takes what has come with the reply's head, so that both are handed on together: in one write in place of two. Where
    /// that is the whole reply, its row is waited for here; nothing else is.
    pub async fn take_what_came(&mut self) {
        let first = poll_fn(|context| match Pin::new(&mut *self).poll_frame(context) {
            Poll::Pending if self.wait.is_some() => Poll::Pending,
            first => Poll::Ready(first),
        });
        match first.await {
            Poll::Ready(Some(Ok(frame))) => self.ready.push_front(frame),
            Poll::Ready(Some(Err(error))) => self.broken = Some(error),
            Poll::Ready(None) | Poll::Pending => {}
        }
    }

    /// How many bytes it holds that it has taken and not handed on.
    fn held(&self) -> u64 {
        let waits = self.wait.as_ref().and_then(|(_, last)| last.as_ref());
        let frames = self.ready.iter().chain(waits);
        frames
            .filter_map(Frame::data_ref)
            .map(|bytes| bytes.len() as u64)
            .sum()
    }
}

impl Meter {
    /// Looks at a frame; true if the reply's last event is in it.
    fn observe(&mut self, frame: &Frame<Bytes>) -> bool {
        let (Some(open), Some(bytes)) = (&mut self.open, frame.data_ref()) else {
            return false;
        };
        if open.ttft.is_none() {
            open.ttft = Some(self.flight.elapsed());
        }
        open.tap.push(bytes);
        if open.growing.is_none() && open.passed > 0 && open.tap.streamed() {
            open.growing = self.flight.grows();
        }
        open.passed += bytes.len() as u64;
        if let Some(growing) = &open.growing {
            growing.passed(open.passed);
        }
        open.tap.is_terminal()
    }

    /// Ends the call, if it has not ended; gives what to wait for before more is handed on.
    fn end(&mut self, over: Over) -> Option<Committed> {
        let open = self.open.take()?;
        let streamed = open.tap.streamed();
        let (mut reading, text) = open.tap.finish();
        let outcome = match over {
            _ if !(200..400).contains(&open.status) => Outcome::UpstreamError,
            _ if reading.stream_error == StreamError::Reported => Outcome::StreamError,
            Over::Broken if !reading.terminal => Outcome::UpstreamError,
            Over::Dropped if !reading.terminal => Outcome::ClientAborted,
            _ => Outcome::Complete,
        };
        if open.operation == Operation::BatchResults && outcome != Outcome::Complete {
            // Nothing in them says where they end.
            reading.mark_cut_off();
        }
        if let Some(growing) = &open.growing {
            growing.ended(outcome, &reading);
        }
        let broken = over == Over::Broken && outcome == Outcome::UpstreamError;
        self.flight.end(
            outcome,
            Ending {
                status: Some(open.status),
                request_id: open.request_id,
                reading: Some(reading),
                error: broken.then(|| "broken_off".into()),
                streamed,
                ttft: open.ttft.filter(|_| streamed),
                text,
            },
        )
    }

    /// What the client gets of a frame: the frame itself, or what is put into `ready` in its place.
    fn pass(&mut self, frame: Frame<Bytes>, ready: &mut VecDeque<Frame<Bytes>>) -> Option<Frame<Bytes>> {
        let Some(withholder) = &mut self.withholder else {
            return Some(frame);
        };
        match frame.into_data() {
            Ok(bytes) => withholder.push(&bytes, ready),
            Err(trailers) => {
                withholder.flush(ready);
                ready.push_back(trailers);
            }
        }
        None
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        drop(self.end(Over::Dropped));
    }
}

impl<B> Body for MeteredReply<B>
where
    B: Body<Data = Bytes> + Unpin,
{
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let mut this = self.project();
        loop {
            // An error ends the client's connection: what is left goes out while the row is waited for.
            if this.broken.is_some()
                && let Some(frame) = this.ready.pop_front()
            {
                return Poll::Ready(Some(Ok(frame)));
            }
            if let Some((wait, _)) = this.wait {
                ready!(wait.as_mut().poll(context));
                if let Some((_, Some(last))) = this.wait.take() {
                    return Poll::Ready(Some(Ok(last)));
                }
            }
            if let Some(frame) = this.ready.pop_front() {
                return Poll::Ready(Some(Ok(frame)));
            }
            if let Some(error) = this.broken.take() {
                return Poll::Ready(Some(Err(error)));
            }
            if *this.ended {
                return Poll::Ready(None);
            }
            let (next, over) = match ready!(this.inner.as_mut().poll_frame(context)) {
                Some(Ok(frame)) => {
                    let last = this.meter.observe(&frame) || this.inner.is_end_stream();
                    (this.meter.pass(frame, this.ready), last.then_some(Over::Whole))
                }
                end => {
                    *this.ended = true;
                    if let Some(withholder) = &mut this.meter.withholder {
                        withholder.flush(this.ready);
                    }
                    *this.broken = end.and_then(Result::err);
                    let over = if this.broken.is_some() {
                        Over::Broken
                    } else {
                        Over::Whole
                    };
                    (None, Some(over))
                }
            };
            if let Some(committed) = over.and_then(|over| this.meter.end(over)) {
                let flight = this.meter.flight.clone();
                let wait = Box::pin(async move { flight.settle(Some(committed)).await });
                *this.wait = Some((wait, next));
            } else if let Some(frame) = next {
                return Poll::Ready(Some(Ok(frame)));
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.wait.is_none()
            && self.broken.is_none()
            && self.ready.is_empty()
            && self.meter.open.is_none()
            && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        if self.meter.withholder.is_some() {
            SizeHint::default()
        } else {
            self.inner.size_hint() + SizeHint::with_exact(self.held())
        }
    }
}
