use std::io::Write;

use flate2::write::DeflateEncoder;
use flate2::{Compress, Compression, FlushCompress};
use proptest::prelude::*;

use super::*;

const TEXT: u8 = 1;
const BINARY: u8 = 2;
const MORE: u8 = 0;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const LAST: u8 = 0x80;
const RSV1: u8 = 0x40;
const MASK: Option<[u8; 4]> = Some([0x37, 0xfa, 0x21, 0x3d]);

fn frame(first: u8, mask: Option<[u8; 4]>, payload: &[u8]) -> Vec<u8> {
    let masked = if mask.is_some() { 0x80 } else { 0 };
    let mut bytes = vec![first];
    match payload.len() {
        length @ 0..=125 => bytes.push(masked | length as u8),
        length @ 126..=0xffff => {
            bytes.push(masked | 126);
            bytes.extend((length as u16).to_be_bytes());
        }
        length => {
            bytes.push(masked | 127);
            bytes.extend((length as u64).to_be_bytes());
        }
    }
    bytes.extend(mask.iter().flatten());
    let mask = mask.unwrap_or_default();
    bytes.extend(
        payload
            .iter()
            .zip(mask.iter().cycle())
            .map(|(byte, mask)| byte ^ mask),
    );
    bytes
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Messages {
    whole: Vec<Vec<u8>>,
    open: Vec<u8>,
}

impl MessageSink for Messages {
    fn part(&mut self, bytes: &[u8]) {
        self.open.extend_from_slice(bytes);
    }

    fn message_end(&mut self) {
        self.whole.push(std::mem::take(&mut self.open));
    }
}

/// What a reader makes of these pieces: the messages, and whether it lost its way or was closed.
fn read<'a>(agreed: Agreed, pieces: impl IntoIterator<Item = &'a [u8]>) -> (Messages, bool, bool) {
    let mut reader = agreed.server();
    let mut messages = Messages::default();
    for piece in pieces {
        reader.push(piece, &mut messages);
    }
    if reader.is_lost() {
        // How much of a message comes out before its fault is seen is the decoder's business.
        messages.open.clear();
    }
    (messages, reader.is_lost(), reader.is_closed())
}

#[track_caller]
fn assert_read(agreed: Agreed, bytes: &[u8], expected: &[&[u8]]) {
    for size in [1, 2, 3, 7, 1000, bytes.len()] {
        let (messages, lost, _) = read(agreed, bytes.chunks(size));
        assert!(!lost, "in pieces of {size}");
        assert!(messages.whole == expected, "in pieces of {size}");
        assert!(messages.open.is_empty());
    }
}

/// The messages of one direction, compressed one after the other.
struct Deflated {
    encoder: Compress,
    keeps: bool,
}

impl Deflated {
    fn new(keeps: bool) -> Self {
        let encoder = Compress::new(Compression::default(), false);
        Self { encoder, keeps }
    }

    fn payload(&mut self, message: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(message.len() + 1024);
        if message.is_empty() {
            // Of nothing an encoder may make nothing (RFC 7692 §7.2.3.6).
            return vec![0];
        }
        self.encoder
            .compress_vec(message, &mut out, FlushCompress::Sync)
            .unwrap();
        if !self.keeps {
            self.encoder.reset();
        }
        assert!(out.ends_with(&TAIL));
        out.truncate(out.len() - TAIL.len());
        out
    }
}

const KEEPING: Agreed = Agreed::Deflate {
    client_keeps: true,
    server_keeps: true,
};
const FORGETTING: Agreed = Agreed::Deflate {
    client_keeps: false,
    server_keeps: false,
};

#[test]
fn the_examples_of_the_standard_are_read() {
    // RFC 6455 §5.7.
    assert_read(
        Agreed::Plain,
        &[0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f],
        &[b"Hello"],
    );
    let masked = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
    assert_read(Agreed::Plain, &masked, &[b"Hello"]);
    let fragments = [0x01, 0x03, 0x48, 0x65, 0x6c, 0x80, 0x02, 0x6c, 0x6f];
    assert_read(Agreed::Plain, &fragments, &[b"Hello"]);
    // RFC 7692 §7.2.3.1, .2: one message, then the same again from the window that was kept.
    let first = [0xc1, 0x07, 0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    let again = [0xc1, 0x05, 0xf2, 0x00, 0x11, 0x00, 0x00];
    assert_read(KEEPING, &[&first[..], &again[..]].concat(), &[b"Hello", b"Hello"]);
    assert_read(FORGETTING, &[first, first].concat(), &[b"Hello", b"Hello"]);
    let fragments = [0x41, 0x03, 0xf2, 0x48, 0xcd, 0x80, 0x04, 0xc9, 0xc9, 0x07, 0x00];
    assert_read(KEEPING, &fragments, &[b"Hello"]);
    // §7.2.3.3: a block without compression. §7.2.3.4: one that calls itself the last. §7.2.3.5: two blocks.
    let stored = [
        0xc1, 0x0b, 0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00,
    ];
    assert_read(KEEPING, &stored, &[b"Hello"]);
    let last = [0xc1, 0x08, 0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00];
    assert_read(KEEPING, &[&last[..], &first[..]].concat(), &[b"Hello", b"Hello"]);
    let two = [
        0xc1, 0x0d, 0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00,
    ];
    assert_read(KEEPING, &two, &[b"Hello"]);
}

#[test]
fn every_length_every_mask_and_what_stands_between_fragments_is_read() {
    for length in [0, 1, 125, 126, 127, 4096, 65_535, 65_536, 70_000] {
        let payload: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
        for mask in [None, MASK] {
            let (one, other) = payload.split_at(length / 3);
            let bytes = [
                frame(LAST | BINARY, mask, &payload),
                frame(TEXT, mask, one),
                frame(LAST | PING, mask, b"are you there"),
                frame(MORE, mask, b""),
                frame(LAST | MORE, mask, other),
            ]
            .concat();
            for size in [1000, bytes.len()] {
                let (messages, lost, _) = read(Agreed::Plain, bytes.chunks(size));
                assert!(
                    !lost && messages.whole == [payload.clone(), payload.clone()],
                    "{length}"
                );
            }
        }
    }
}

#[test]
fn compressed_and_plain_messages_may_alternate() {
    let messages: Vec<Vec<u8>> = (0..20)
        .map(|n| {
            format!(
                r#"{{"type":"response.delta","n":{n},"delta":"{}"}}"#,
                "word ".repeat(n * 40)
            )
            .into()
        })
        .collect();
    for (agreed, keeps) in [(KEEPING, true), (FORGETTING, false)] {
        let mut deflated = Deflated::new(keeps);
        let mut bytes = Vec::new();
        for (n, message) in messages.iter().enumerate() {
            if n % 5 == 4 {
                bytes.extend(frame(LAST | TEXT, MASK, message));
                continue;
            }
            let payload = deflated.payload(message);
            let (one, other) = payload.split_at(payload.len() / 2);
            bytes.extend(frame(RSV1 | TEXT, MASK, one));
            bytes.extend(frame(LAST | PING, MASK, b""));
            bytes.extend(frame(LAST | MORE, MASK, other));
        }
        let expected: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
        assert_read(agreed, &bytes, &expected);
    }
}

#[test]
fn what_breaks_the_rules_is_not_read_on() {
    let good = frame(LAST | TEXT, None, b"good");
    for (why, bad) in [
        ("an unknown opcode", frame(LAST | 3, None, b"")),
        ("an unknown control frame", frame(LAST | 11, None, b"")),
        ("a reserved bit", frame(LAST | 0x20 | TEXT, None, b"")),
        (
            "compression that was not agreed on",
            frame(LAST | RSV1 | TEXT, None, b""),
        ),
        ("a ping in fragments", frame(PING, None, b"")),
        ("a long ping", frame(LAST | PING, None, &[0; 126])),
        ("a continuation of nothing", frame(LAST | MORE, None, b"")),
        (
            "a message inside another",
            [frame(TEXT, None, b""), frame(LAST | TEXT, None, b"")].concat(),
        ),
        (
            "a length beyond all sense",
            [&[LAST | TEXT, 127][..], &[0xff; 8][..]].concat(),
        ),
        ("HTTP", b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
    ] {
        let bytes = [good.clone(), bad, good.clone()].concat();
        let (messages, lost, _) = read(Agreed::Plain, [bytes.as_slice()]);
        assert!(lost, "{why}");
        assert_eq!(messages.whole, [b"good"], "{why}");
    }
    let garbage = frame(LAST | RSV1 | TEXT, None, &[0xff; 100]);
    let (messages, lost, _) = read(KEEPING, [garbage.as_slice()]);
    assert!(lost && messages.whole.is_empty());
    let (messages, lost, _) = read(Agreed::Unknown, [good.as_slice()]);
    assert!(lost && messages.whole.is_empty());
}

#[test]
fn nothing_behind_a_close_frame_is_read() {
    let bytes = [
        frame(LAST | TEXT, None, b"last"),
        frame(LAST | CLOSE, None, &[3, 232]),
        frame(LAST | TEXT, None, b"too late"),
    ]
    .concat();
    for size in [1, bytes.len()] {
        let (messages, lost, closed) = read(Agreed::Plain, bytes.chunks(size));
        assert_eq!(
            (messages.whole, lost, closed),
            (vec![b"last".to_vec()], false, true)
        );
    }
}

#[test]
fn a_bomb_is_cut_off() {
    struct Count(u64);
    impl MessageSink for Count {
        fn part(&mut self, bytes: &[u8]) {
            self.0 += bytes.len() as u64;
        }
        fn message_end(&mut self) {}
    }
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    for _ in 0..70 {
        encoder.write_all(&vec![0; 1 << 20]).unwrap();
    }
    let bomb = frame(LAST | RSV1 | TEXT, None, &encoder.finish().unwrap());
    let mut reader = KEEPING.server();
    let mut count = Count(0);
    reader.push(&bomb, &mut count);
    assert!(reader.is_lost());
    assert!(count.0 <= MOST_INFLATED);
}

#[test]
fn what_was_agreed_on_is_read_from_the_answer() {
    let deflate = |client_keeps, server_keeps| Agreed::Deflate {
        client_keeps,
        server_keeps,
    };
    for (headers, expected) in [
        (&[][..], Agreed::Plain),
        (&[""][..], Agreed::Plain),
        (&["permessage-deflate"][..], deflate(true, true)),
        (
            &["Permessage-Deflate; server_no_context_takeover; client_max_window_bits=12"][..],
            deflate(true, false),
        ),
        (
            &["permessage-deflate;client_no_context_takeover ; server_max_window_bits=\"10\""][..],
            deflate(false, true),
        ),
        (&["x-webkit-deflate-frame"][..], Agreed::Unknown),
        (&["permessage-deflate", "mux"][..], Agreed::Unknown),
        (&["permessage-deflate, permessage-deflate"][..], Agreed::Unknown),
    ] {
        assert_eq!(Agreed::read(headers.iter().copied()), expected, "{headers:?}");
    }
}

fn any_frame() -> impl Strategy<Value = Vec<u8>> {
    let payload = prop::collection::vec(any::<u8>(), 0..300);
    let first = prop_oneof![
        Just(LAST | TEXT),
        Just(LAST | TEXT),
        Just(TEXT),
        Just(LAST | MORE),
        Just(LAST | PING),
        Just(LAST | RSV1 | TEXT),
        any::<u8>()
    ];
    (first, any::<Option<[u8; 4]>>(), payload).prop_map(|(first, mask, payload)| frame(first, mask, &payload))
}

proptest! {
    #[test]
    fn anything_is_survived_and_read_the_same_however_it_is_cut(
        frames in prop::collection::vec(any_frame(), 0..12),
        junk in prop::collection::vec(any::<u8>(), 0..40),
        deflates in any::<bool>(),
        size in 1_usize..50,
    ) {
        let agreed = if deflates { KEEPING } else { Agreed::Plain };
        let bytes = [frames.concat(), junk].concat();
        let whole = read(agreed, [bytes.as_slice()]);
        prop_assert_eq!(&read(agreed, bytes.chunks(size)), &whole);
        prop_assert_eq!(&read(agreed, bytes.chunks(1)), &whole);
    }

    #[test]
    fn messages_come_out_as_they_went_in(
        messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..600), 0..8),
        keeps in any::<bool>(),
        size in 1_usize..200,
    ) {
        let agreed = if keeps { KEEPING } else { FORGETTING };
        let mut deflated = Deflated::new(keeps);
        let frames = messages.iter().map(|message| frame(LAST | RSV1 | TEXT, MASK, &deflated.payload(message)));
        let bytes: Vec<u8> = frames.flatten().collect();
        let (read, lost, _) = read(agreed, bytes.chunks(size));
        prop_assert!(!lost);
        prop_assert_eq!(read.whole, messages);
    }
}
