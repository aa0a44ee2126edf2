//! Any bytes as a reply, in any pieces, compressed or not: the client gets those bytes, the call ends once, and what the
//! row says does not depend on the cuts.
//!
//! The line is: operation, status, content-encoding, seed of the cuts, `ask` where Moonlock asked for usage.

use std::sync::Arc;

use super::{Input, Recorder, body, crumbs, drain, pieces, ready};
use http::HeaderMap;
use moonlock::domain::call::{CallEnd, Outcome};
use moonlock::meter::reply::{Extra, Head, MeteredReply};

/// How a reply's first piece is taken.
#[derive(Clone, Copy)]
enum First {
    /// When it is asked for.
    InTurn,
    /// With the head.
    Ahead,
}

fn pass(input: &Input<'_>, pieces: &[&[u8]], first: First) -> (Vec<u8>, Option<CallEnd>) {
    let recorder = Arc::new(Recorder::default());
    let headers = HeaderMap::new();
    let head = Head {
        status: u16::try_from(input.number(1)).unwrap_or(200).clamp(200, 599),
        content_type: None,
        encoding: Some(input.word(2)),
        request_id: None,
        headers: &headers,
        fetched: None,
    };
    let extra = if input.word(4) == "ask" {
        Extra::UsageEvent
    } else {
        Extra::None
    };
    let operation = input.operation(0);
    let mut reply = MeteredReply::new(body(pieces), operation, head, extra, recorder.flight(operation));
    if let First::Ahead = first {
        ready(reply.take_what_came());
    }
    let passed = drain(reply);
    (passed, recorder.end(operation))
}

/// Holds what is promised against an input.
pub fn check(data: &[u8]) {
    let Some(input) = Input::parse(data) else { return };
    let seed = input.number(3);
    let whole = pass(&input, &[input.body], First::InTurn);
    let cut = pass(&input, &pieces(input.body, seed), First::InTurn);
    let ahead = pass(&input, &pieces(input.body, seed), First::Ahead);
    assert_eq!(ahead, cut, "the first piece is passed once, and in its place");
    assert_eq!(cut.0, whole.0, "what is passed does not depend on the cuts");
    if input.word(4) != "ask" {
        assert_eq!(whole.0, input.body, "untouched");
    }
    for end in [&whole.1, &cut.1].into_iter().flatten() {
        assert_eq!(
            end.source.is_some(),
            end.parts.total().is_some(),
            "a source has numbers, and numbers a source"
        );
        assert_ne!(end.outcome, Outcome::ClientAborted);
    }
    // What is compressed comes out of its decoder in pieces of the decoder's choice.
    if matches!(input.word(2), "identity" | "") {
        let bytes: Vec<_> = input.body.chunks(1).collect();
        let crumbs = pass(&input, &crumbs(input.body, seed), First::InTurn);
        assert_eq!(crumbs, pass(&input, &bytes, First::InTurn));
    }
}
