//! Two connections made one: every byte of the one goes to the other, as it came.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf, split};

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
pub async fn splice<C, U>(client: C, upstream: U)
where
    C: AsyncRead + AsyncWrite,
    U: AsyncRead + AsyncWrite,
{
    let (from_client, to_client) = split(client);
    let (from_upstream, to_upstream) = split(upstream);
    let mut up = std::pin::pin!(pass(from_client, to_upstream));
    let mut down = std::pin::pin!(pass(from_upstream, to_client));
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

async fn pass<R: AsyncRead, W: AsyncWrite>(mut from: ReadHalf<R>, mut to: WriteHalf<W>) -> Over {
    let mut piece = vec![0; PIECE];
    loop {
        let length = match from.read(&mut piece).await {
            Ok(0) => break,
            Ok(length) => length,
            Err(_) => return Over::Broken,
        };
        if to.write_all(&piece[..length]).await.is_err() || to.flush().await.is_err() {
            return Over::Refused;
        }
    }
    match to.shutdown().await {
        Ok(()) => Over::Finished,
        Err(_) => Over::Refused,
    }
}
