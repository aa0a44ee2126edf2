//! What a reply costs the meter, without any socket.
//!
//! - `reader`: finding a stream's events and reading the usage out of them, for each of the large dialects: a stream of 200
//!   pieces of text, an event a piece, and one long reply of JSON. It stands for the processor time that a reply's bytes cost.
//! - `reply`: the same stream as a body that passes through the meter, as it came and under gzip: with the decoder beside it,
//!   and all that begins and ends a call. The bytes of the throughput are those on the wire.

use std::hint::black_box;
use std::io::Write;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use http::HeaderMap;
use http_body::{Body, Frame};
use http_body_util::StreamBody;
use moonlock::domain::call::{CallStart, Ended};
use moonlock::domain::ids::CallId;
use moonlock::domain::operation::Operation;
use moonlock::domain::units::{Timestamp, Tokens};
use moonlock::domain::usage::reply::ReplyReader;
use moonlock::meter::estimator::Estimator;
use moonlock::meter::flight::{Committed, Flight, Sink};
use moonlock::meter::keep::Text;
use moonlock::meter::reply::{Extra, Head, MeteredReply};
use uuid::Uuid;

/// So many pieces of text in a stream.
const PIECES: usize = 200;
const OUTPUT: Tokens = Tokens(400);

/// A reply, in the pieces in which it comes.
struct Reply {
    name: &'static str,
    operation: Operation,
    content_type: &'static str,
    pieces: Vec<Bytes>,
}

impl Reply {
    fn stream(name: &'static str, operation: Operation, first: &str, piece: &str, last: &[&str]) -> Self {
        let events = std::iter::once(first)
            .chain(std::iter::repeat_n(piece, PIECES))
            .chain(last.iter().copied());
        Self {
            name,
            operation,
            content_type: "text/event-stream",
            pieces: events.map(|event| Bytes::from(format!("{event}\n\n"))).collect(),
        }
    }

    fn bytes(&self) -> u64 {
        self.pieces.iter().map(|piece| piece.len() as u64).sum()
    }
}

/// After the providers' own descriptions of their streams.
fn replies() -> Vec<Reply> {
    // What repeats itself too much is taken for a bomb by the decoder.
    let long: String = (0..20_000_u64)
        .map(|n| format!("{} ", n * 7_919 % 10_007))
        .collect();
    vec![
        Reply::stream(
            "openai_chat",
            Operation::ChatCompletions,
            r#"data: {"id":"c1","object":"chat.completion.chunk","created":1800000000,"model":"gpt-4o-mini","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"usage":null}"#,
            r#"data: {"id":"c1","object":"chat.completion.chunk","created":1800000000,"model":"gpt-4o-mini","choices":[{"index":0,"delta":{"content":" some text"},"finish_reason":null}],"usage":null}"#,
            &[
                r#"data: {"id":"c1","object":"chat.completion.chunk","created":1800000000,"model":"gpt-4o-mini","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":null}"#,
                r#"data: {"id":"c1","object":"chat.completion.chunk","created":1800000000,"model":"gpt-4o-mini","choices":[],"usage":{"prompt_tokens":1200,"completion_tokens":400,"total_tokens":1600,"prompt_tokens_details":{"cached_tokens":1024,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}}"#,
                "data: [DONE]",
            ],
        ),
        Reply::stream(
            "anthropic",
            Operation::Messages,
            "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"claude-sonnet-4-5\",\"content\":[],\"stop_reason\":null,\"usage\":{\"input_tokens\":10,\"cache_creation_input_tokens\":200,\"cache_read_input_tokens\":9000,\"output_tokens\":1}}}\n\nevent: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}",
            "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\" some text\"}}",
            &[
                "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}",
                "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":400}}",
                "event: message_stop\ndata: {\"type\":\"message_stop\"}",
            ],
        ),
        Reply::stream(
            "openai_responses",
            Operation::Responses,
            "event: response.created\ndata: {\"type\":\"response.created\",\"sequence_number\":0,\"response\":{\"id\":\"r1\",\"object\":\"response\",\"status\":\"in_progress\",\"model\":\"gpt-5\",\"output\":[],\"usage\":null}}",
            "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"sequence_number\":7,\"item_id\":\"i1\",\"output_index\":0,\"content_index\":0,\"delta\":\" some text\"}",
            &[
                "event: response.completed\ndata: {\"type\":\"response.completed\",\"sequence_number\":300,\"response\":{\"id\":\"r1\",\"object\":\"response\",\"status\":\"completed\",\"model\":\"gpt-5\",\"output\":[],\"usage\":{\"input_tokens\":1200,\"input_tokens_details\":{\"cached_tokens\":1024},\"output_tokens\":400,\"output_tokens_details\":{\"reasoning_tokens\":64},\"total_tokens\":1600}}}",
            ],
        ),
        Reply::stream(
            "gemini",
            Operation::StreamGenerateContent,
            r#"data: {"candidates":[{"content":{"parts":[{"text":"A"}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":1200,"totalTokenCount":1200},"modelVersion":"gemini-2.5-pro","responseId":"g1"}"#,
            r#"data: {"candidates":[{"content":{"parts":[{"text":" some text"}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":1200,"candidatesTokenCount":30,"totalTokenCount":1230},"modelVersion":"gemini-2.5-pro","responseId":"g1"}"#,
            &[
                r#"data: {"candidates":[{"content":{"parts":[{"text":"."}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":1200,"candidatesTokenCount":400,"totalTokenCount":1600},"modelVersion":"gemini-2.5-pro","responseId":"g1"}"#,
            ],
        ),
        Reply {
            name: "json_100_kb",
            operation: Operation::ChatCompletions,
            content_type: "application/json",
            pieces: format!(
                r#"{{"id":"c1","object":"chat.completion","model":"gpt-4o-mini","choices":[{{"index":0,"message":{{"role":"assistant","content":"{long}"}},"finish_reason":"stop"}}],"usage":{{"prompt_tokens":1200,"completion_tokens":400,"total_tokens":1600}}}}"#
            )
            .as_bytes()
            .chunks(16 * 1024)
            .map(Bytes::copy_from_slice)
            .collect(),
        },
    ]
}

fn read(reply: &Reply) -> Option<Tokens> {
    let mut reader = ReplyReader::new(reply.operation, Some(reply.content_type), 200);
    for piece in &reply.pieces {
        reader.push(piece);
    }
    let parts = reader.finish().parts;
    Some(Tokens(parts.output?.0 + parts.reasoning.unwrap_or_default().0))
}

fn readers(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("reader");
    for reply in replies() {
        assert_eq!(read(&reply), Some(OUTPUT), "{}", reply.name);
        group.throughput(Throughput::Bytes(reply.bytes()));
        group.bench_function(reply.name, |bencher| bencher.iter(|| black_box(read(&reply))));
    }
    group.finish();
}

/// Takes calls and forgets them.
struct Nowhere;

impl Sink for Nowhere {
    fn started(&self, start: CallStart) {
        black_box(start);
    }

    fn ended(&self, _: CallId, ended: Ended, _: Option<Text>) -> Option<Committed> {
        assert!(
            ended.end.source.is_some(),
            "what is measured is a reply that is understood: {ended:?}"
        );
        black_box(ended);
        None
    }

    fn estimator(&self) -> Option<&Estimator> {
        None
    }

    fn commit_was_late(&self) {}

    fn commit_bound(&self) -> Duration {
        Duration::ZERO
    }
}

fn flight(sink: &Arc<Nowhere>, operation: Operation) -> Flight {
    let start = CallStart {
        id: CallId::from_uuid(Uuid::nil()),
        started_at: Timestamp(1_800_000_000_000),
        provider: "openai".into(),
        price_provider: None,
        operation,
        request_model: None,
        conversation: None,
        agent: None,
        client: None,
        asked: None,
    };
    let flight = Flight::new(Arc::clone(sink) as Arc<dyn Sink>, start);
    flight.announce();
    flight
}

/// Passes a body that is there at once through the meter.
fn pass(sink: &Arc<Nowhere>, reply: &Reply, encoding: &str, pieces: &[Bytes]) -> usize {
    let frames: Vec<Result<_, std::io::Error>> = pieces
        .iter()
        .map(|piece| Ok(Frame::data(piece.clone())))
        .collect();
    let headers = HeaderMap::new();
    let head = Head {
        status: 200,
        content_type: Some(reply.content_type),
        encoding: Some(encoding),
        request_id: None,
        fetched: None,
        headers: &headers,
    };
    let body = StreamBody::new(futures_util::stream::iter(frames));
    let flight = flight(sink, reply.operation);
    let mut metered = pin!(MeteredReply::new(
        body,
        reply.operation,
        head,
        Extra::None,
        flight
    ));
    let mut context = Context::from_waker(Waker::noop());
    let mut passed = 0;
    while let Poll::Ready(Some(Ok(frame))) = Pin::as_mut(&mut metered).poll_frame(&mut context) {
        passed += frame.data_ref().map_or(0, Bytes::len);
    }
    passed
}

/// Each piece by itself, as a provider that flushes after each event sends it.
fn compressed(reply: &Reply, encoding: &str) -> Vec<Bytes> {
    let pieces = reply.pieces.iter();
    match encoding {
        "gzip" => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            let mut out: Vec<Bytes> = pieces
                .map(|piece| {
                    encoder.write_all(piece).expect("into memory");
                    encoder.flush().expect("into memory");
                    std::mem::take(encoder.get_mut()).into()
                })
                .collect();
            out.push(encoder.finish().expect("into memory").into());
            out
        }
        _ => pieces.cloned().collect(),
    }
}

fn metered(criterion: &mut Criterion) {
    let sink = Arc::new(Nowhere);
    let mut group = criterion.benchmark_group("reply");
    for reply in replies().iter().filter(|reply| reply.name != "gemini") {
        for encoding in ["identity", "gzip"] {
            let pieces = compressed(reply, encoding);
            let bytes: usize = pieces.iter().map(Bytes::len).sum();
            assert_eq!(pass(&sink, reply, encoding, &pieces), bytes, "{encoding}");
            group.throughput(Throughput::Bytes(bytes as u64));
            group.bench_function(BenchmarkId::new(reply.name, encoding), |bencher| {
                bencher.iter(|| black_box(pass(&sink, reply, encoding, &pieces)));
            });
        }
    }
    group.finish();
}

criterion_group!(meter, readers, metered);
criterion_main!(meter);
