use proptest::prelude::*;
use serde_json::{Value, json};

use super::Side::{Client, Server};
use super::*;
use crate::domain::call::Source;
use crate::domain::units::Tokens;

fn frame(message: &Value) -> Vec<u8> {
    let payload = message.to_string();
    let length = u16::try_from(payload.len()).unwrap().to_be_bytes();
    [&[0x81, 126][..], &length[..], payload.as_bytes()].concat()
}

/// What is told of these messages, and of the end of their socket.
fn talk(operation: Operation, left: Option<Side>, messages: &[(Side, Value)]) -> Vec<TurnEvent> {
    let mut reader = SocketReader::new(operation, Some("asked".into()), Agreed::Plain).unwrap();
    let mut told = Vec::new();
    for (side, message) in messages {
        reader.push(*side, &frame(message), &mut told);
    }
    assert!(!reader.is_lost());
    if let Some(side) = left {
        reader.left(side);
    }
    reader.finish(&mut told);
    told
}

/// How each turn ended: its name, the outcome, prompt and generated tokens, the source.
type End = (u64, Outcome, Option<u64>, Option<u64>, Option<Source>);

fn ends(told: &[TurnEvent]) -> Vec<End> {
    let ends = told.iter().filter_map(|event| match event {
        TurnEvent::Ended {
            turn,
            outcome,
            reading,
        } => {
            let count = |tokens: Option<Tokens>| tokens.map(|tokens| tokens.0);
            let (prompt, generated) = (reading.parts.prompt(), reading.parts.generated());
            Some((turn.0, *outcome, count(prompt), count(generated), reading.source))
        }
        _ => None,
    });
    ends.collect()
}

fn begun(told: &[TurnEvent]) -> Vec<(u64, Option<&str>)> {
    let begun = told.iter().filter_map(|event| match event {
        TurnEvent::Began { turn, model } => Some((turn.0, model.as_deref())),
        _ => None,
    });
    begun.collect()
}

fn reading(told: &[TurnEvent]) -> &Reading {
    let reading = told.iter().find_map(|event| match event {
        TurnEvent::Ended { reading, .. } => Some(&**reading),
        _ => None,
    });
    reading.unwrap()
}

fn create() -> (Side, Value) {
    (Client, json!({"type": "response.create"}))
}

fn created(id: &str) -> (Side, Value) {
    (
        Server,
        json!({"type": "response.created", "response": {"id": id, "status": "in_progress", "usage": null}}),
    )
}

fn done(id: &str, status: &str, input: u64, output: u64) -> (Side, Value) {
    let usage = json!({"input_tokens": input, "output_tokens": output, "total_tokens": input + output});
    (
        Server,
        json!({"type": "response.done", "response": {"id": id, "status": status, "usage": usage}}),
    )
}

const EXACT: Option<Source> = Some(Source::Exact);

#[test]
fn each_part_of_a_realtime_turn_is_counted_once() {
    let usage = json!({
        "input_tokens": 200, "output_tokens": 90, "total_tokens": 290,
        "input_token_details": {
            "text_tokens": 110, "audio_tokens": 70, "image_tokens": 20, "cached_tokens": 96,
            "cached_tokens_details": {"text_tokens": 64, "audio_tokens": 32, "image_tokens": 0}
        },
        "output_token_details": {"text_tokens": 30, "audio_tokens": 50, "reasoning_tokens": 10}
    });
    let told = talk(
        Operation::Realtime,
        Some(Client),
        &[
            (
                Server,
                json!({"type": "session.created", "session": {"model": "gpt-realtime-2025-08-28"}}),
            ),
            create(),
            created("r1"),
            (
                Server,
                json!({"type": "response.output_audio.delta", "response_id": "r1", "delta": "AAAA"}),
            ),
            (
                Server,
                json!({"type": "response.output_audio.delta", "response_id": "r1", "delta": "AAAA"}),
            ),
            (
                Server,
                json!({"type": "response.done", "response": {"id": "r1", "status": "completed", "usage": usage}}),
            ),
        ],
    );
    assert_eq!(ends(&told), [(1, Outcome::Complete, Some(200), Some(90), EXACT)]);
    assert_eq!(begun(&told), [(1, Some("gpt-realtime-2025-08-28"))]);
    assert_eq!(told[1], TurnEvent::Answered(TurnId(1)));
    assert_eq!(told.len(), 3);
    let Reading { parts, model, .. } = reading(&told);
    let tokens = |count| Some(Tokens(count));
    assert_eq!(model.as_deref(), Some("gpt-realtime-2025-08-28"));
    assert_eq!(
        *parts,
        Parts {
            input: tokens(46),
            cache_read: tokens(96),
            audio_in: tokens(38),
            image_in: tokens(20),
            output: tokens(30),
            reasoning: tokens(10),
            audio_out: tokens(50),
            ..Parts::default()
        }
    );
}

#[test]
fn turns_end_by_what_the_provider_says_of_them() {
    let failed = json!({"type": "response.done", "response": {
        "id": "r4", "status": "failed",
        "status_details": {"type": "failed", "error": {"type": "server_error", "code": "rate_limit_exceeded"}},
        "usage": {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}
    }});
    let told = talk(
        Operation::Realtime,
        Some(Client),
        &[
            create(),
            created("r1"),
            done("r1", "completed", 10, 5),
            // The user spoke: the next one begins unasked.
            created("r2"),
            done("r2", "cancelled", 20, 3),
            create(),
            create(),
            created("r3"),
            created("r4"),
            (Server, failed),
            done("r3", "incomplete", 30, 9),
            // The same word again is not another turn.
            done("r3", "incomplete", 30, 9),
            // One that nothing was known of.
            done("r5", "completed", 1, 2),
            // One that used nothing, it says.
            done("r6", "completed", 0, 0),
        ],
    );
    assert_eq!(
        ends(&told),
        [
            (1, Outcome::Complete, Some(10), Some(5), EXACT),
            (2, Outcome::ClientAborted, Some(20), Some(3), EXACT),
            (4, Outcome::StreamError, Some(0), Some(0), EXACT),
            (3, Outcome::Complete, Some(30), Some(9), EXACT),
            (5, Outcome::Complete, Some(1), Some(2), EXACT),
            (6, Outcome::Complete, Some(0), Some(0), Some(Source::Partial)),
        ]
    );
    let error = told.iter().find_map(|event| match event {
        TurnEvent::Ended { reading, .. } => reading.error.as_deref(),
        _ => None,
    });
    assert_eq!(error, Some("server_error"));
}

#[test]
fn a_socket_that_ends_ends_its_turns() {
    for (left, outcome) in [
        (Some(Client), Outcome::ClientAborted),
        (Some(Server), Outcome::UpstreamError),
        (None, Outcome::Interrupted),
    ] {
        let told = talk(Operation::Realtime, left, &[create(), created("r1"), create()]);
        assert_eq!(
            ends(&told),
            [(1, outcome, None, None, None), (2, outcome, None, None, None)]
        );
    }
    // A close frame tells who it was, whoever closes the connection.
    let mut reader = SocketReader::new(Operation::Realtime, None, Agreed::Plain).unwrap();
    let mut told = Vec::new();
    reader.push(Client, &frame(&create().1), &mut told);
    reader.push(Client, &[0x88, 0x80, 1, 2, 3, 4], &mut told);
    reader.left(Server);
    reader.finish(&mut told);
    assert_eq!(ends(&told)[0].1, Outcome::ClientAborted);
}

#[test]
fn an_error_ends_the_turn_that_it_answers_and_no_other() {
    let asked = |id: &str| (Client, json!({"type": "response.create", "event_id": id}));
    let error = |id: Value| {
        let error = json!({"type": "invalid_request_error", "code": "conversation_already_has_active_response", "event_id": id});
        (Server, json!({"type": "error", "error": error}))
    };
    let told = talk(
        Operation::Realtime,
        Some(Client),
        &[
            asked("e1"),
            created("r1"),
            asked("e2"),
            error(json!("e9")),
            error(Value::Null),
            error(json!("e2")),
            done("r1", "completed", 4, 2),
        ],
    );
    assert_eq!(
        ends(&told),
        [
            (2, Outcome::StreamError, None, None, None),
            (1, Outcome::Complete, Some(4), Some(2), EXACT),
        ]
    );
    assert_eq!(reading(&told).error.as_deref(), Some("invalid_request_error"));
    // A client that names nothing: the error is its last question's.
    let told = talk(Operation::Realtime, Some(Client), &[create(), error(Value::Null)]);
    assert_eq!(ends(&told)[0].1, Outcome::StreamError);
}

#[test]
fn a_transcription_is_a_call_of_its_own_with_its_own_model() {
    let kind = "conversation.item.input_audio_transcription.completed";
    let told = talk(
        Operation::Realtime,
        Some(Client),
        &[
            (
                Server,
                json!({"type": "session.updated", "session": {
                    "model": "gpt-realtime", "audio": {"input": {"transcription": {"model": "gpt-4o-transcribe"}}}
                }}),
            ),
            created("r1"),
            (
                Server,
                json!({"type": kind, "transcript": "hi", "usage": {
                    "type": "tokens", "input_tokens": 26, "output_tokens": 7, "total_tokens": 33,
                    "input_token_details": {"text_tokens": 0, "audio_tokens": 26}
                }}),
            ),
            // In seconds, which are no tokens; and xAI's, which are not counted at all.
            (
                Server,
                json!({"type": kind, "transcript": "hi", "usage": {"type": "duration", "seconds": 3}}),
            ),
            (
                Server,
                json!({"type": kind, "transcript": "hi", "status": "in_progress"}),
            ),
            done("r1", "completed", 4, 2),
        ],
    );
    assert_eq!(
        ends(&told),
        [
            (2, Outcome::Complete, Some(26), Some(7), EXACT),
            (3, Outcome::Complete, None, None, None),
            (1, Outcome::Complete, Some(4), Some(2), EXACT),
        ]
    );
    assert_eq!(begun(&told)[1], (2, Some("gpt-4o-transcribe")));
    let Reading { model, parts, .. } = reading(&told);
    assert_eq!(
        (model.as_deref(), parts.audio_in),
        (Some("gpt-4o-transcribe"), Some(Tokens(26)))
    );
}

#[test]
fn responses_are_read_by_the_rules_they_have_over_http() {
    let ask = |model: &str, stream: &str| {
        (
            Client,
            json!({"type": "response.create", "model": model, "stream_id": stream, "input": "\"type\":\"x\""}),
        )
    };
    let end = |kind: &str, id: &str, usage: Value, error: Value| {
        let response = json!({
            "id": id, "model": "gpt-5-2025-08-07", "error": error, "usage": usage,
            "status": kind.strip_prefix("response.").unwrap(), "output": []
        });
        (Server, json!({"type": kind, "response": response}))
    };
    let usage = json!({
        "input_tokens": 100, "input_tokens_details": {"cached_tokens": 64}, "output_tokens": 40,
        "output_tokens_details": {"reasoning_tokens": 32}, "total_tokens": 140
    });
    let told = talk(
        Operation::Responses,
        Some(Client),
        &[
            ask("gpt-5", "s1"),
            ask("gpt-5-mini", "s2"),
            created("r1"),
            created("r2"),
            end("response.incomplete", "r2", usage.clone(), Value::Null),
            end("response.completed", "r1", usage, Value::Null),
            ask("gpt-5", "s1"),
            created("r3"),
            end(
                "response.failed",
                "r3",
                Value::Null,
                json!({"code": "server_error", "message": "x"}),
            ),
            ask("gpt-5", "s1"),
            (
                Server,
                json!({"type": "error", "status": 400, "error": {"code": "previous_response_not_found"}}),
            ),
        ],
    );
    assert_eq!(
        begun(&told),
        [
            (1, Some("gpt-5")),
            (2, Some("gpt-5-mini")),
            (3, Some("gpt-5")),
            (4, Some("gpt-5"))
        ]
    );
    assert_eq!(
        ends(&told),
        [
            (2, Outcome::Complete, Some(100), Some(40), EXACT),
            (1, Outcome::Complete, Some(100), Some(40), EXACT),
            (3, Outcome::StreamError, None, None, None),
            (4, Outcome::StreamError, None, None, None),
        ]
    );
    let Reading { model, parts, .. } = reading(&told);
    assert_eq!(model.as_deref(), Some("gpt-5-2025-08-07"));
    assert_eq!(
        (parts.input, parts.cache_read, parts.output, parts.reasoning),
        (
            Some(Tokens(36)),
            Some(Tokens(64)),
            Some(Tokens(8)),
            Some(Tokens(32))
        )
    );
    let errors: Vec<_> = told
        .iter()
        .filter_map(|event| match event {
            TurnEvent::Ended { reading, .. } => reading.error.as_deref(),
            _ => None,
        })
        .collect();
    assert_eq!(errors, ["server_error", "previous_response_not_found"]);
}

#[test]
fn a_live_turn_has_its_last_counts_and_its_thoughts_beside_the_total() {
    let counts = |prompt: u64, response: u64| {
        json!({
            "promptTokenCount": prompt, "cachedContentTokenCount": 100, "responseTokenCount": response,
            "thoughtsTokenCount": 28, "totalTokenCount": prompt + response,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": prompt - 50}, {"modality": "AUDIO", "tokenCount": 50}],
            "cacheTokensDetails": [{"modality": "AUDIO", "tokenCount": 20}],
            "responseTokensDetails": [{"modality": "AUDIO", "tokenCount": response}]
        })
    };
    let told = talk(
        Operation::Live,
        Some(Client),
        &[
            (Client, json!({"setup": {"model": "models/gemini-live"}})),
            (Server, json!({"setupComplete": {}})),
            (
                Client,
                json!({"client_content": {"turns": [], "turnComplete": false}}),
            ),
            (
                Client,
                json!({"client_content": {"turns": [{"parts": [{"text": "turnComplete"}]}], "turnComplete": true}}),
            ),
            (Server, json!({"toolCall": {}, "usageMetadata": counts(500, 7)})),
            (Client, json!({"tool_response": {}})),
            (
                Server,
                json!({"serverContent": {"modelTurn": {"parts": [{"inlineData": {"data": "AAAA"}}]}}}),
            ),
            (
                Server,
                json!({"serverContent": {"turnComplete": true}, "usageMetadata": counts(1197, 37)}),
            ),
            // Spoken to, and interrupted.
            (
                Server,
                json!({"serverContent": {"inputTranscription": {"text": "stop"}}}),
            ),
            (Server, json!({"serverContent": {"modelTurn": {"parts": []}}})),
            (Server, json!({"serverContent": {"interrupted": true}})),
            (Server, json!({"serverContent": {"turnComplete": true}})),
            (Server, json!({"usageMetadata": counts(1300, 9)})),
            // Not counted at all, and followed by one that is cut off with counts.
            (Server, json!({"serverContent": {"modelTurn": {"parts": []}}})),
            (Server, json!({"serverContent": {"turnComplete": true}})),
            (
                Server,
                json!({"serverContent": {"modelTurn": {"parts": []}}, "usageMetadata": counts(1400, 1)}),
            ),
        ],
    );
    assert_eq!(
        ends(&told),
        [
            (1, Outcome::Complete, Some(1197), Some(65), EXACT),
            (2, Outcome::ClientAborted, Some(1300), Some(37), EXACT),
            (3, Outcome::Complete, None, None, None),
            (
                4,
                Outcome::ClientAborted,
                Some(1400),
                Some(29),
                Some(Source::Partial)
            ),
        ]
    );
    assert_eq!(begun(&told)[0], (1, Some("gemini-live")));
    let tokens = |count| Some(Tokens(count));
    assert_eq!(
        reading(&told).parts,
        Parts {
            input: tokens(1067),
            cache_read: tokens(100),
            audio_in: tokens(30),
            output: tokens(0),
            reasoning: tokens(28),
            audio_out: tokens(37),
            ..Parts::default()
        }
    );
}

#[test]
fn what_is_no_event_is_passed_over() {
    let mut reader = SocketReader::new(Operation::Realtime, None, Agreed::Plain).unwrap();
    let mut told = Vec::new();
    for payload in [
        &b"\x00\x01\x02"[..],
        b"",
        b"[]",
        b"7",
        b"{\"type\":\"response.create\"",
        b"{\"type\":7}",
        b"{\"type\":\"response.create\"} x",
        b"{\"event\":{\"type\":\"response.create\"}}",
    ] {
        let length = u8::try_from(payload.len()).unwrap();
        let bytes = [&[0x82, length][..], payload].concat();
        reader.push(Client, &bytes, &mut told);
        reader.push(Server, &bytes, &mut told);
    }
    assert_eq!(told, []);
    assert!(SocketReader::new(Operation::Messages, None, Agreed::Plain).is_none());
}

#[test]
fn turns_without_end_do_not_pile_up() {
    let messages: Vec<_> = (0..200).map(|_| create()).collect();
    let told = talk(Operation::Realtime, Some(Client), &messages);
    assert_eq!(begun(&told).len(), 64);
    assert_eq!(ends(&told).len(), 64);
}

/// Any of the messages that matter, from either side, or something like them.
fn any_message() -> impl Strategy<Value = (Side, Value)> {
    let pool = vec![
        create(),
        created("r1"),
        created("r2"),
        done("r1", "completed", 3, 4),
        done("r2", "failed", 5, 6),
        (Server, json!({"type": "error", "error": {"type": "x"}})),
        (Server, json!({"type": "response.x.delta", "response_id": "r1"})),
        (
            Server,
            json!({"type": "response.completed", "response": {"id": "r1", "usage": {"input_tokens": 1}}}),
        ),
        (Client, json!({"client_content": {"turnComplete": true}})),
        (
            Server,
            json!({"serverContent": {"modelTurn": {}, "turnComplete": true}}),
        ),
        (
            Server,
            json!({"usageMetadata": {"promptTokenCount": 3, "totalTokenCount": 3}}),
        ),
        (
            Server,
            json!({"serverContent": {"interrupted": true}, "toolCall": {}}),
        ),
        (Server, json!(["response.done", null, {"usage": -1}])),
    ];
    prop::sample::select(pool)
}

proptest! {
    #[test]
    fn turns_are_the_same_however_their_bytes_are_cut_and_each_ends_once(
        messages in prop::collection::vec(any_message(), 0..20),
        junk in prop::collection::vec(any::<u8>(), 0..30),
        operation in prop::sample::select(vec![Operation::Realtime, Operation::Responses, Operation::Live]),
        size in 1_usize..40,
    ) {
        let read = |size: usize| {
            let mut reader = SocketReader::new(operation, None, Agreed::Plain).unwrap();
            let mut told = Vec::new();
            for (side, message) in &messages {
                for piece in frame(message).chunks(size) {
                    reader.push(*side, piece, &mut told);
                }
            }
            for piece in junk.chunks(size) {
                reader.push(Server, piece, &mut told);
            }
            reader.finish(&mut told);
            told
        };
        let whole = read(usize::MAX);
        prop_assert_eq!(&read(size), &whole);
        let mut names: Vec<u64> = begun(&whole).iter().map(|(turn, _)| *turn).collect();
        let mut over: Vec<u64> = ends(&whole).iter().map(|end| end.0).collect();
        names.sort_unstable();
        over.sort_unstable();
        prop_assert_eq!(names, over);
    }
}
