use std::path::Path;

use crate::domain::call::Source;
use crate::domain::usage::once::Making;
use proptest::prelude::*;

use super::*;
use Operation::{ChatCompletions, GenerateContent, Messages, Responses as Respond};

/// A fixture, how the provider labelled it, and what has to be read from it.
type Case = (Operation, &'static str, u16, &'static str);

/// The table of all fixtures.
fn cases() -> Vec<Case> {
    let table = include_str!("../../../../tests/fixtures/readings.txt");
    let lines = table.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let mut columns = line.split(" | ");
            let mut next = || {
                columns
                    .next()
                    .unwrap_or_else(|| panic!("a column is missing: {line}"))
            };
            let (fixture, operation, status, reading) = (next(), next(), next(), next());
            (
                Operation::from_name(operation).unwrap(),
                fixture,
                status.parse().unwrap(),
                reading,
            )
        })
        .collect()
}

fn load(fixture: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    std::fs::read(folder.join(fixture)).unwrap_or_else(|error| panic!("{fixture}: {error}"))
}

fn read<'b>(case: &Case, pieces: impl IntoIterator<Item = &'b [u8]>) -> Reading {
    let label = if case.1.ends_with(".sse") {
        "text/event-stream; charset=utf-8"
    } else {
        "application/json"
    };
    let mut reader = ReplyReader::new(case.0, Some(label), case.2);
    pieces.into_iter().for_each(|piece| reader.push(piece));
    reader.finish()
}

/// A reading on one line, without what is not there.
fn summary(reading: &Reading) -> String {
    let parts = &reading.parts;
    let mut words = Vec::new();
    words.extend(reading.model.as_deref().map(str::to_owned));
    words.push(reading.source.map_or("unknown", Source::name).to_owned());
    for (name, tokens) in [
        ("in", parts.input),
        ("read", parts.cache_read),
        ("write5m", parts.cache_write_5m),
        ("write1h", parts.cache_write_1h),
        ("audio_in", parts.audio_in),
        ("image_in", parts.image_in),
        ("out", parts.output),
        ("think", parts.reasoning),
        ("audio_out", parts.audio_out),
        ("image_out", parts.image_out),
        ("unsplit", parts.unsplit),
    ] {
        words.extend(tokens.map(|tokens| format!("{name}={tokens}")));
    }
    words.extend(parts.web_searches.map(|searches| format!("searches={searches}")));
    words.extend(parts.provider_cost.map(|cost| format!("nano_usd={}", cost.0)));
    words.extend(reading.error.as_deref().map(|kind| format!("error={kind}")));
    for (name, is_so) in [
        ("stream_error", reading.stream_error == StreamError::Reported),
        ("terminal", reading.terminal),
        ("malformed_json", reading.flaws.malformed_json),
        ("malformed_usage", reading.flaws.malformed_usage),
        ("too_large", reading.flaws.too_large),
    ] {
        words.extend(is_so.then(|| name.to_owned()));
    }
    words.extend(reading.once.as_ref().map(|once| match once.state {
        Making::UnderWay => format!("once={} under_way", once.id),
        Making::Over => format!("once={}", once.id),
    }));
    for share in &reading.others {
        let reading = Reading {
            model: share.model.clone(),
            parts: share.parts,
            source: Some(share.source),
            once: share.once.clone(),
            ..Reading::default()
        };
        words.push(format!("+ {}", summary(&reading)));
    }
    words.join(" ")
}

#[test]
fn fixtures_are_read_as_documented_in_any_pieces() {
    for case in &cases() {
        let body = load(case.1);
        let whole = read(case, [body.as_slice()]);
        assert_eq!(summary(&whole), case.3, "{}", case.1);
        for size in [1, 2, 3, 7, 64] {
            assert_eq!(
                read(case, body.chunks(size)),
                whole,
                "{} in pieces of {size}",
                case.1
            );
        }
        for at in 0..body.len() {
            let (one, other) = body.split_at(at);
            assert_eq!(read(case, [one, other]), whole, "{} in two at {at}", case.1);
        }
    }
}

#[test]
fn no_fixture_is_forgotten() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let cases = cases();
    let folders = folder.read_dir().unwrap().map(|entry| entry.unwrap());
    for dialect in folders.filter(|entry| entry.file_type().unwrap().is_dir()) {
        let dialect = dialect.file_name().to_string_lossy().into_owned();
        for entry in folder.join(&dialect).read_dir().unwrap() {
            let name = format!("{dialect}/{}", entry.unwrap().file_name().to_string_lossy());
            assert!(cases.iter().any(|case| case.1 == name), "{name}");
        }
    }
}

#[test]
fn a_wrong_label_is_survived() {
    for case in &cases() {
        let body = load(case.1);
        let expected = read(case, [body.as_slice()]);
        for label in [
            None,
            Some("application/json"),
            Some("text/event-stream"),
            Some("text/plain"),
        ] {
            let mut reader = ReplyReader::new(case.0, label, case.2);
            reader.push(&body);
            assert_eq!(reader.finish(), expected, "{} labelled {label:?}", case.1);
        }
    }
}

#[test]
fn the_last_event_is_known_when_it_comes() {
    for (operation, fixture, last_event) in [
        (
            ChatCompletions,
            "openai_chat/usage-on-extra-chunk.sse",
            "data: [DONE]",
        ),
        (Messages, "anthropic/stream.sse", "event: message_stop"),
        (
            Respond,
            "openai_responses/incomplete.sse",
            "event: response.incomplete",
        ),
        (ChatCompletions, "openai_chat/details.json", "}\n"),
        (GenerateContent, "gemini/array.json", "]\n"),
    ] {
        let body = load(fixture);
        let last = memchr::memmem::rfind(&body, last_event.as_bytes()).unwrap();
        let mut reader = ReplyReader::new(operation, None, 200);
        reader.push(&body[..last]);
        assert!(!reader.is_terminal(), "{fixture}");
        reader.push(&body[last..]);
        assert!(reader.is_terminal(), "{fixture}");
    }
}

#[test]
fn nothing_that_counts_follows_what_is_taken_for_the_end() {
    for case in &cases() {
        let body = load(case.1);
        let mut reader = ReplyReader::new(case.0, None, case.2);
        let end = body.iter().position(|byte| {
            reader.push(std::slice::from_ref(byte));
            reader.is_terminal()
        });
        // A call ends there, with these numbers.
        if let Some(end) = end {
            let (early, whole) = (reader.finish(), read(case, [body.as_slice()]));
            let numbers = |reading: &Reading| (reading.parts, reading.source, reading.model.clone());
            assert_eq!(numbers(&early), numbers(&whole), "{} at byte {end}", case.1);
        }
    }
}

#[test]
fn counts_in_headers_fill_what_the_body_leaves_open() {
    for (operation, body, headers, expected) in [
        (
            Operation::Invoke,
            r#"{"completion":"hi"}"#,
            &[
                ("x-amzn-bedrock-input-token-count", "16"),
                ("x-amzn-bedrock-output-token-count", "11"),
            ][..],
            "exact in=16 out=11 terminal",
        ),
        (
            // Nova's body may lack the output, and its input is not the header's again.
            Operation::Invoke,
            r#"{"usage":{"inputTokens":4,"cacheReadInputTokenCount":9}}"#,
            &[
                ("x-amzn-bedrock-input-token-count", "5"),
                ("x-amzn-bedrock-output-token-count", "0"),
            ],
            "exact in=4 read=9 out=0 terminal",
        ),
        (
            Operation::Invoke,
            r#"{"completion":"hi"}"#,
            &[("x-amzn-bedrock-input-token-count", "many")],
            "unknown terminal",
        ),
        (
            Operation::Embed,
            "[[0.1,0.2]]",
            &[("x-compute-tokens", "7")],
            "exact in=7 out=0 terminal",
        ),
    ] {
        let get = |name: &str| {
            headers
                .iter()
                .find(|header| header.0 == name)
                .map(|header| header.1.into())
        };
        let mut reader = ReplyReader::new(operation, None, 200).with_headers(&get);
        reader.push(body.as_bytes());
        assert_eq!(summary(&reader.finish()), expected, "{body}");
    }
    let get = |name: &str| (name == "x-amzn-errortype").then(|| "ValidationException:http://internal".into());
    let mut reader = ReplyReader::new(Operation::Converse, None, 400).with_headers(&get);
    reader.push(br#"{"message":"a secret"}"#);
    assert_eq!(reader.finish().error.as_deref(), Some("ValidationException"));
}

#[test]
fn streams_are_told_from_documents() {
    for (operation, label, body, streamed) in [
        (ChatCompletions, Some("text/event-stream"), "", true),
        (ChatCompletions, None, "", false),
        (ChatCompletions, Some("application/json"), "data: {}\n\n", true),
        (
            ChatCompletions,
            Some("Text/Event-Stream;charset=UTF-8"),
            "{\"model\":\"m\"}",
            false,
        ),
        (ChatCompletions, Some("text/html"), "<html>", false),
        (GenerateContent, Some("application/json"), "[{", true),
    ] {
        let mut reader = ReplyReader::new(operation, label, 200);
        reader.push(body.as_bytes());
        assert_eq!(reader.streamed(), streamed, "{label:?} {body}");
    }
}

#[test]
fn both_usage_objects_of_a_messages_stream_are_kept() {
    let reading = read(
        &(Messages, "anthropic/nulls-do-not-erase.sse", 200, ""),
        [load("anthropic/nulls-do-not-erase.sse").as_slice()],
    );
    let raw: serde_json::Value = serde_json::from_str(reading.raw_usage.as_deref().unwrap()).unwrap();
    assert_eq!(raw[0]["input_tokens"], 10);
    assert_eq!(raw[1]["output_tokens"], 2);
}

#[test]
fn a_framing_that_is_not_expected_is_read_the_same_in_any_pieces() {
    let event = b"data: {\"usage\":{\"input_tokens\":3,\"output_tokens\":4},\"stop_reason\":\"end\"}\n\n";
    for size in [1, 7, event.len()] {
        let mut reader = ReplyReader::new(Operation::Invoke, None, 200);
        event.chunks(size).for_each(|piece| reader.push(piece));
        let reading = summary(&reader.finish());
        assert_eq!(reading, "exact in=3 out=4 terminal", "in pieces of {size}");
    }
}

#[test]
fn what_follows_a_document_does_not_make_it_any_less_whole() {
    let document = r#"{"model":"m","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}"#;
    for rest in ["", "\n", " x", "{}", "]"] {
        let mut reader = ReplyReader::new(ChatCompletions, None, 200);
        reader.push(format!("{document}{rest}").as_bytes());
        assert!(reader.is_terminal(), "{rest:?}");
        let Reading { source, terminal, .. } = reader.finish();
        assert_eq!((source, terminal), (Some(Source::Exact), true), "{rest:?}");
    }
}

#[test]
fn a_huge_event_is_read_in_small_pieces() {
    let mut reader = ReplyReader::new(Respond, Some("text/event-stream"), 200);
    reader.push(b"data: {\"type\":\"response.completed\",\"response\":{\"instructions\":\"");
    for _ in 0..2_000 {
        reader.push(&[b'x'; 1024]);
    }
    reader.push(b"\",\"usage\":{\"input_tokens\":3,\"output_tokens\":4}}}\n\n");
    assert!(reader.is_terminal());
    assert_eq!(summary(&reader.finish()), "exact in=3 out=4 terminal");
}

#[test]
fn a_usage_object_that_is_too_large_is_said_to_be() {
    let body = format!(
        r#"{{"usage":{{"prompt_tokens":1,"x":"{}"}}}}"#,
        "x".repeat(70_000)
    );
    let mut reader = ReplyReader::new(ChatCompletions, None, 200);
    reader.push(body.as_bytes());
    assert_eq!(summary(&reader.finish()), "unknown terminal too_large");
}

#[test]
fn an_errors_message_is_never_taken_for_its_kind() {
    for body in [
        r#"{"error":"you said: my secret"}"#,
        r#"{"error":{"type":"you said: my secret"}}"#,
        r#"{"error":{"message":"my secret","code":null}}"#,
    ] {
        let mut reader = ReplyReader::new(ChatCompletions, None, 400);
        reader.push(body.as_bytes());
        assert_eq!(reader.finish().error.as_deref(), Some("error"), "{body}");
    }
}

/// RFC 8259 §2 names four characters; a form feed is none of them, wherever the cuts are.
#[test]
fn before_a_line_stands_only_what_json_calls_whitespace() {
    for (before, model) in [
        (" ", Some("a")),
        ("\t", Some("a")),
        ("\r", Some("a")),
        ("\u{c}", None),
        ("\u{b}", None),
    ] {
        let body = format!("{{ no JSON\n{before}{{\"model\":\"a\"}}\n");
        for size in [1, 2, body.len()] {
            let mut reader = ReplyReader::new(Operation::CohereChat, None, 200);
            body.as_bytes().chunks(size).for_each(|piece| reader.push(piece));
            let reading = reader.finish();
            assert_eq!(reading.model.as_deref(), model, "{body:?} by {size}");
        }
    }
}

proptest! {
    #[test]
    fn any_cuts_give_the_same_reading(
        case in prop::sample::select(cases()),
        mut cuts in prop::collection::vec(0_usize..3_000, 0..8),
    ) {
        let body = load(case.1);
        cuts.iter_mut().for_each(|cut| *cut = (*cut).min(body.len()));
        cuts.extend([0, body.len()]);
        cuts.sort_unstable();
        let pieces = cuts.windows(2).map(|cut| &body[cut[0]..cut[1]]);
        prop_assert_eq!(read(&case, pieces), read(&case, [body.as_slice()]));
    }

    #[test]
    fn a_reply_that_ends_or_goes_bad_anywhere_is_the_same_in_any_small_pieces(
        case in prop::sample::select(cases()),
        length in 0_usize..3_000,
        noise in prop::collection::vec((0_usize..3_000, any::<u8>()), 0..4),
        size in 2_usize..8,
    ) {
        let mut body = load(case.1);
        body.truncate(length);
        for (at, byte) in noise {
            if let Some(old) = body.get_mut(at) {
                *old = byte;
            }
        }
        // An event that lies whole in one piece is read only if it holds one of its dialect's words: a promise about what
        // providers write, and not about bytes that went bad. None lies whole in so small a piece.
        prop_assert_eq!(read(&case, body.chunks(size)), read(&case, body.chunks(1)));
        read(&case, [body.as_slice()]);
    }

    #[test]
    fn garbage_is_survived(case in prop::sample::select(cases()), body in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert_eq!(read(&case, body.chunks(1)), read(&case, [body.as_slice()]));
    }
}
