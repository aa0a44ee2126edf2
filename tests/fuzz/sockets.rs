//! WebSocket sessions, in frames of any make and in pieces: the turns that are read do not depend on them.
//!
//! The line is: operation, how (`plain`, `deflate`, `raw`), seed of the frames and the cuts. Behind it stand the messages,
//! separated by a byte that stands in no UTF-8 text; one that begins with `<` is the provider's, every other the client's.
//! With `raw` the messages are bytes on the wire, frames or not.

use super::{Dice, Input, pieces};
use flate2::{Compress, Compression, FlushCompress};
use moonlock::domain::operation::Operation;
use moonlock::domain::usage::turns::{Side, SocketReader, TurnEvent};
use moonlock::domain::usage::websocket::Agreed;

const BETWEEN: u8 = 0xff;

fn sided(message: &[u8]) -> (Side, &[u8]) {
    match message {
        [b'<', text @ ..] => (Side::Server, text),
        text => (Side::Client, text),
    }
}

fn frame(first: u8, side: Side, payload: &[u8], dice: &mut Dice, out: &mut Vec<u8>) {
    let masked = if side == Side::Client { 0x80 } else { 0 };
    out.push(first);
    match payload.len() {
        length @ 0..=125 => out.push(masked | length as u8),
        length @ 126..=0xffff => {
            out.push(masked | 126);
            out.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            out.push(masked | 127);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    if side == Side::Server {
        out.extend_from_slice(payload);
        return;
    }
    let mask = [(); 4].map(|()| dice.below(256) as u8);
    out.extend_from_slice(&mask);
    out.extend(
        payload
            .iter()
            .zip(mask.iter().cycle())
            .map(|(byte, mask)| byte ^ mask),
    );
}

/// The turns of the messages, each in one frame, or in fragments with pings in between and cut anywhere.
fn read(input: &Input<'_>, deflate: bool, torn: bool) -> Vec<TurnEvent> {
    let agreed = if deflate {
        Agreed::read(["permessage-deflate"])
    } else {
        Agreed::default()
    };
    let Some(mut reader) = SocketReader::new(input.operation(0), Some("m".into()), agreed) else {
        return Vec::new();
    };
    let seed = input.number(2);
    let mut dice = Dice::new(seed);
    let mut encoders = [(); 2].map(|()| Compress::new(Compression::fast(), false));
    let mut told = Vec::new();
    for message in input.body.split(|byte| *byte == BETWEEN) {
        let (side, text) = sided(message);
        let mut payload = text.to_vec();
        if deflate && payload.is_empty() {
            // Of nothing an encoder may make nothing (RFC 7692 §7.2.3.6).
            payload = vec![0];
        } else if deflate {
            let mut deflated = Vec::with_capacity(payload.len() + 1024);
            let encoder = &mut encoders[usize::from(side == Side::Server)];
            encoder
                .compress_vec(&payload, &mut deflated, FlushCompress::Sync)
                .unwrap();
            deflated.truncate(deflated.len() - 4);
            payload = deflated;
        }
        let compressed = if deflate { 0x40 } else { 0 };
        let mut wire = Vec::new();
        if torn {
            let (one, other) = payload.split_at(dice.below(payload.len() + 1));
            frame(0x01 | compressed, side, one, &mut dice, &mut wire);
            frame(0x89, side, b"ping", &mut dice, &mut wire);
            frame(0x80, side, other, &mut dice, &mut wire);
            for piece in pieces(&wire, seed) {
                reader.push(side, piece, &mut told);
            }
        } else {
            frame(0x81 | compressed, side, &payload, &mut dice, &mut wire);
            reader.push(side, &wire, &mut told);
        }
    }
    assert!(!reader.is_lost(), "frames are frames");
    reader.left(Side::Server);
    reader.finish(&mut told);
    told
}

/// The turns in bytes that may be no frames at all.
fn read_raw(input: &Input<'_>, torn: bool) -> Vec<TurnEvent> {
    let agreed = Agreed::read(["permessage-deflate"]);
    let Some(mut reader) = SocketReader::new(input.operation(0), None, agreed) else {
        return Vec::new();
    };
    let mut told = Vec::new();
    for message in input.body.split(|byte| *byte == BETWEEN) {
        let (side, wire) = sided(message);
        if torn {
            for piece in pieces(wire, input.number(2)) {
                reader.push(side, piece, &mut told);
            }
        } else {
            reader.push(side, wire, &mut told);
        }
    }
    reader.finish(&mut told);
    told
}

/// Every turn that began ends once, and none ends that did not begin.
fn is_balanced(told: &[TurnEvent]) -> bool {
    let mut open = Vec::new();
    for event in told {
        match event {
            TurnEvent::Began { turn, .. } => open.push(*turn),
            TurnEvent::Answered(turn) => {
                if !open.contains(turn) {
                    return false;
                }
            }
            TurnEvent::Ended { turn, .. } => match open.iter().position(|other| other == turn) {
                Some(at) => drop(open.remove(at)),
                None => return false,
            },
        }
    }
    open.is_empty()
}

/// Holds what is promised against an input.
pub fn check(data: &[u8]) {
    let Some(input) = Input::parse(data) else { return };
    if !matches!(
        input.operation(0),
        Operation::Realtime | Operation::Responses | Operation::Live
    ) {
        return;
    }
    let told = if input.word(1) == "raw" {
        let told = read_raw(&input, false);
        assert_eq!(read_raw(&input, true), told);
        told
    } else {
        let told = read(&input, false, false);
        assert_eq!(read(&input, input.word(1) == "deflate", true), told);
        told
    };
    assert!(is_balanced(&told), "{told:?}");
}
