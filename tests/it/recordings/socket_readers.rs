//! The recorded WebSocket sessions as the readers read them, in any frames and pieces.

use flate2::{Compress, Compression, FlushCompress};
use moonlock::domain::call::{Outcome, Source};
use moonlock::domain::operation::Operation;
use moonlock::domain::usage::reading::Reading;
use moonlock::domain::usage::turns::{Side, SocketReader, TurnEvent};
use moonlock::domain::usage::websocket::Agreed;
use serde_json::Value;

use super::{Dice, SESSIONS, folder, lines};

/// How a session's messages are put into frames.
#[derive(Clone, Copy)]
pub(super) struct Wire {
    pub(super) deflate: bool,
    /// In fragments, with pings in between, and cut anywhere.
    pub(super) torn: Option<u64>,
}

fn frame(first: u8, side: Side, payload: &[u8]) -> Vec<u8> {
    let masked = if side == Side::Client { 0x80 } else { 0 };
    let mut bytes = vec![first];
    match payload.len() {
        length @ 0..=125 => bytes.push(masked | u8::try_from(length).unwrap()),
        length @ 126..=0xffff => {
            bytes.push(masked | 126);
            bytes.extend(u16::try_from(length).unwrap().to_be_bytes());
        }
        length => {
            bytes.push(masked | 127);
            bytes.extend(u64::try_from(length).unwrap().to_be_bytes());
        }
    }
    if side == Side::Server {
        bytes.extend(payload);
        return bytes;
    }
    let mask = [7, 77, 177, 27];
    bytes.extend(mask);
    bytes.extend(
        payload
            .iter()
            .zip(mask.iter().cycle())
            .map(|(byte, mask)| byte ^ mask),
    );
    bytes
}

/// Whether it is one of Gemini Live; all others speak OpenAI's protocol.
pub(super) fn is_live(session: &Value) -> bool {
    session["provider"] == "gemini-live"
}

/// What each side sends, in order, in the pieces in which it is sent.
pub(super) fn pieces(session: &Value, wire: Wire) -> Vec<(Side, Vec<u8>)> {
    let mut pieces = Vec::new();
    let mut dice = Dice(wire.torn.unwrap_or_default());
    let mut encoders = [(); 2].map(|()| Compress::new(Compression::default(), false));
    for message in session["frames"].as_array().unwrap() {
        let (side, encoder) = if message["dir"] == "sent" {
            (Side::Client, &mut encoders[0])
        } else {
            (Side::Server, &mut encoders[1])
        };
        let text = match &message["data"] {
            Value::String(text) => text.clone(),
            data => data.to_string(),
        };
        let mut payload = text.into_bytes();
        if wire.deflate {
            let mut deflated = Vec::with_capacity(payload.len() + 1024);
            encoder
                .compress_vec(&payload, &mut deflated, FlushCompress::Sync)
                .unwrap();
            deflated.truncate(deflated.len() - 4);
            payload = deflated;
        }
        // Gemini's frames may be binary.
        let opcode = if is_live(session) && side == Side::Server {
            2
        } else {
            1
        };
        let first = opcode | if wire.deflate { 0x40 } else { 0 };
        if wire.torn.is_none() {
            pieces.push((side, frame(first | 0x80, side, &payload)));
            continue;
        }
        let (one, other) = payload.split_at(dice.below(payload.len() + 1));
        let bytes = [
            frame(first, side, one),
            frame(0x89, side, b"ping"),
            frame(0x80, side, other),
        ]
        .concat();
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let (piece, behind) = rest.split_at((dice.below(300) + 1).min(rest.len()));
            pieces.push((side, piece.to_vec()));
            rest = behind;
        }
    }
    pieces
}

/// The turns that are read out of a session.
fn replay(session: &Value, wire: Wire) -> Vec<TurnEvent> {
    let operation = if is_live(session) {
        Operation::Live
    } else {
        Operation::Realtime
    };
    let agreed = if wire.deflate {
        Agreed::read(["permessage-deflate"])
    } else {
        Agreed::default()
    };
    let mut reader = SocketReader::new(operation, None, agreed).unwrap();
    let mut told = Vec::new();
    for (side, piece) in pieces(session, wire) {
        reader.push(side, &piece, &mut told);
    }
    assert!(!reader.is_lost());
    let before = told.len();
    reader.left(Side::Client);
    reader.finish(&mut told);
    assert_eq!(told.len(), before, "no turn is left open in {}", session["file"]);
    told
}

/// Input, output, cache read, reasoning.
pub(super) type Sums = [u64; 4];

fn sums<'a>(readings: impl IntoIterator<Item = &'a Reading>) -> Sums {
    readings.into_iter().fold([0; 4], |mut sums, reading| {
        let parts = &reading.parts;
        let parts = [
            parts.prompt(),
            parts.generated(),
            parts.cache_read,
            parts.reasoning,
        ];
        for (sum, part) in sums.iter_mut().zip(parts) {
            *sum += part.unwrap_or_default().0;
        }
        sums
    })
}

/// What the recording says; where it says nothing, what its `response.done` events have beside their response.
pub(super) fn expected(session: &Value) -> Sums {
    let sum = &session["expected_session_sum"];
    if !sum.is_null() {
        return ["input", "output", "cache_read", "reasoning"].map(|name| sum[name].as_u64().unwrap());
    }
    let mut sums = [0; 4];
    for message in session["frames"].as_array().unwrap() {
        let event: Value = match &message["data"] {
            Value::String(text) => serde_json::from_str(text).unwrap(),
            data => data.clone(),
        };
        if event["type"] == "response.done" {
            sums[0] += event["usage"]["input_tokens"].as_u64().unwrap();
            sums[1] += event["usage"]["output_tokens"].as_u64().unwrap();
        }
    }
    sums
}

#[test]
fn recorded_sessions_sum_up_as_expected() {
    let Some(folder) = folder() else { return };
    println!(
        "{:<18} {:<46} {:>5} {:>24} {:>24}",
        "provider", "session", "turns", "read", "expected"
    );
    let mut wrong = 0;
    for session in lines(&folder.join(SESSIONS)) {
        let whole = Wire {
            deflate: false,
            torn: None,
        };
        let told = replay(&session, whole);
        for deflate in [false, true] {
            for torn in [None, Some(1), Some(2), Some(3)] {
                assert_eq!(
                    replay(&session, Wire { deflate, torn }),
                    told,
                    "{torn:?} {deflate}"
                );
            }
        }
        let turns: Vec<&Reading> = told
            .iter()
            .filter_map(|event| match event {
                TurnEvent::Ended { outcome, reading, .. } => {
                    assert_eq!(*outcome, Outcome::Complete);
                    assert!(!reading.flaws.any());
                    Some(&**reading)
                }
                _ => None,
            })
            .collect();
        let is_counted = |reading: &&&Reading| reading.source == Some(Source::Exact);
        let (read, expected) = (sums(turns.iter().copied()), expected(&session));
        wrong += u32::from(read != expected);
        println!(
            "{:<18} {:<46} {:>5} {:>24} {:>24} {}",
            session["provider"].as_str().unwrap(),
            session["file"].as_str().unwrap().rsplit('/').next().unwrap(),
            turns.iter().filter(is_counted).count(),
            format!("{read:?}"),
            format!("{expected:?}"),
            if read == expected { "" } else { "MISS" }
        );
    }
    assert_eq!(wrong, 0);
}
