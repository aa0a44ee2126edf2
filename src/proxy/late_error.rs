//! A body whose error comes a turn late.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http_body::{Body, Frame, SizeHint};

/// Hands an error on one turn after it happened.
///
/// hyper closes a connection at once when its body fails, and drops what it has taken but not yet sent. A provider's
/// last bytes often come together with the end of its connection: in the turn between, they are sent.
pub(super) struct LateError<B: Body> {
    inner: B,
    error: Option<B::Error>,
}

impl<B: Body> LateError<B> {
    pub(super) const fn new(inner: B) -> Self {
        Self { inner, error: None }
    }
}

impl<B> Body for LateError<B>
where
    B: Body + Unpin,
    B::Error: Unpin,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.get_mut();
        if let Some(error) = this.error.take() {
            return Poll::Ready(Some(Err(error)));
        }
        match ready!(Pin::new(&mut this.inner).poll_frame(context)) {
            Some(Err(error)) => {
                this.error = Some(error);
                context.waker().wake_by_ref();
                Poll::Pending
            }
            other => Poll::Ready(other),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.error.is_none() && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
