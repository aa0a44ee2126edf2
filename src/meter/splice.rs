//! Two connections made one: every byte of the one goes to the other, as it came.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf, split};

use super::socket::SocketMeter;
use crate::domain::usage::turns::Side;

/// How much is read at once, in each direction.
const PIECE: usize = 16 * 1024;

/// How one direction came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Over {
    /// Its sender said that nothing more comes, and that was passed on.
    Finished,
    /// Its sender is gone.
    Broken,
    /// Its receiver takes no more.
    Refused,
}

/// Passes bytes both ways until both sides have finished, or one is gone.
///
/// Nothing is read before what was read last has been taken: each side feels the other's pace. A side that finishes
/// can still be sent to. There is no limit of time.
///
/// Where a turn ends, the bytes with its end are handed to the client when its row is committed, or when the bound
/// is over; until then nothing behind them is read.
pub async fn splice<C, U>(client: C, upstream: U, meter: Option<SocketMeter>)
where
    C: AsyncRead + AsyncWrite,
    U: AsyncRead + AsyncWrite,
{
    let meter = Shared(meter.map(Mutex::new));
    let (from_client, to_client) = split(client);
    let (from_upstream, to_upstream) = split(upstream);
    let mut up = std::pin::pin!(pass(Side::Client, from_client, to_upstream, &meter));
    let mut down = std::pin::pin!(pass(Side::Server, from_upstream, to_client, &meter));
    tokio::select! {
        // What the provider said before it closed is still under way when it takes nothing more.
        over = &mut up => if over != Over::Broken {
            down.await;
        },
        over = &mut down => if over == Over::Finished {
            up.await;
        },
    }
}

/// The meter, seen from both directions of one task: neither waits while it holds it.
struct Shared(Option<Mutex<SocketMeter>>);

impl Shared {
    fn lock(&self) -> Option<MutexGuard<'_, SocketMeter>> {
        let meter = self.0.as_ref()?;
        Some(meter.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Shows it what a side sent, and waits for the turns that end in it.
    async fn observe(&self, side: Side, bytes: &[u8]) {
        let settled = self.lock().and_then(|mut meter| meter.observe(side, bytes));
        if let (Some(settled), Side::Server) = (settled, side) {
            settled.await;
        }
    }

    /// Tells it that what it was shown has been handed on. Turns end in what the provider says.
    fn passed(&self, side: Side) {
        if let (Some(mut meter), Side::Server) = (self.lock(), side) {
            meter.passed();
        }
    }

    /// Tells it that a side has left, and waits for the turns that this ends.
    async fn left(&self, side: Side) {
        let settled = self.lock().and_then(|mut meter| meter.left(side));
        if let Some(settled) = settled {
            settled.await;
        }
    }
}

async fn pass<R: AsyncRead, W: AsyncWrite>(
    side: Side,
    mut from: ReadHalf<R>,
    mut to: WriteHalf<W>,
    meter: &Shared,
) -> Over {
    let other = match side {
        Side::Client => Side::Server,
        Side::Server => Side::Client,
    };
    let mut piece = vec![0; PIECE];
    loop {
        let length = match from.read(&mut piece).await {
            Ok(0) => break,
            Ok(length) => length,
            Err(_) => {
                meter.left(side).await;
                return Over::Broken;
            }
        };
        let piece = &piece[..length];
        meter.observe(side, piece).await;
        if to.write_all(piece).await.is_err() || to.flush().await.is_err() {
            // What the provider still says is read on: it may end a turn.
            if other == Side::Client {
                meter.left(other).await;
            }
            return Over::Refused;
        }
        meter.passed(side);
    }
    meter.left(side).await;
    let finished = to.shutdown().await;
    meter.passed(side);
    match finished {
        Ok(()) => Over::Finished,
        Err(_) => Over::Refused,
    }
}
