//! Replies as providers send them, short enough to be split at every byte.

use std::io::Write;

use compression_codecs::brotli::params::EncoderParams;
use compression_codecs::core::Level;
use compression_codecs::core::util::{PartialBuffer, WriteBuffer};
use compression_codecs::{BrotliEncoder, EncodeV2, ZstdEncoder};
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

/// What a row must say of a reply: input, cacheRead, cacheWrite, output, reasoning, total.
pub(crate) type Numbers = [Option<u64>; 6];

pub(crate) const CHAT: &str = r#"{"id":"c1","object":"chat.completion","model":"gpt-4o-2024-08-06","choices":[{"index":0,"message":{"role":"assistant","content":"Hi é 🙂"},"finish_reason":"stop"}],"usage":{"prompt_tokens":11,"completion_tokens":7,"total_tokens":18,"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":2}}}"#;
pub(crate) const CHAT_NUMBERS: Numbers = [Some(7), Some(4), None, Some(7), Some(2), Some(18)];

/// A chat stream without its usage event and its end.
pub(crate) const CHAT_EVENTS: &str = "data: {\"id\":\"c2\",\"model\":\"gpt-4o-2024-08-06\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi é\"}}],\"usage\":null}\n\ndata: {\"id\":\"c2\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":null}\n\n";
pub(crate) const CHAT_USAGE_EVENT: &str = "data: {\"id\":\"c2\",\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":3,\"total_tokens\":12}}\n\n";
pub(crate) const CHAT_DONE: &str = "data: [DONE]\n\n";
pub(crate) const CHAT_STREAM_NUMBERS: Numbers = [Some(9), None, None, Some(3), None, Some(12)];

/// A whole chat stream, with usage.
pub(crate) fn chat_stream() -> String {
    [CHAT_EVENTS, CHAT_USAGE_EVENT, CHAT_DONE].concat()
}

pub(crate) const MESSAGE_START: &str = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m1\",\"model\":\"claude-sonnet-4-5\",\"usage\":{\"input_tokens\":5,\"cache_read_input_tokens\":100,\"cache_creation_input_tokens\":20,\"output_tokens\":1}}}\n\n";
pub(crate) const MESSAGE_TEXT: &str = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"Grüße\"}}\n\n";
pub(crate) const MESSAGE_END: &str = "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":42}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
pub(crate) const MESSAGE_NUMBERS: Numbers = [Some(5), Some(100), Some(20), Some(42), None, Some(167)];

/// A whole stream of Anthropic's.
pub(crate) fn message_stream() -> String {
    [MESSAGE_START, MESSAGE_TEXT, MESSAGE_END].concat()
}

pub(crate) const GEMINI_STREAM: &str = "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"Hi\"}]}}],\"usageMetadata\":{\"promptTokenCount\":8,\"totalTokenCount\":8},\"modelVersion\":\"gemini-2.5-flash\"}\r\n\r\ndata: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"!\"}]},\"finishReason\":\"STOP\"}],\"usageMetadata\":{\"promptTokenCount\":8,\"candidatesTokenCount\":6,\"thoughtsTokenCount\":4,\"totalTokenCount\":18},\"modelVersion\":\"gemini-2.5-flash\"}\r\n\r\n";
pub(crate) const GEMINI_NUMBERS: Numbers = [Some(8), None, None, Some(10), Some(4), Some(18)];

pub(crate) const CHAT_PATH: &str = "/openai/v1/chat/completions";
pub(crate) const MESSAGES_PATH: &str = "/anthropic/v1/messages";
pub(crate) const GEMINI_PATH: &str = "/gemini/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse";

/// A chat request that wants no stream.
pub(crate) const CHAT_REQUEST: &str =
    r#"{"model":"gpt-4o","messages":[{"role":"user","content":"Hé \"stream\":true"}]}"#;
/// A chat request that wants a stream and asks for usage itself.
pub(crate) const ASKING_REQUEST: &str =
    r#"{"model":"gpt-4o","messages":[],"stream":true,"stream_options":{"include_usage":true}}"#;
/// A chat request that wants a stream and says nothing of usage.
pub(crate) const SILENT_REQUEST: &str = r#"{"model":"gpt-4o","messages":[],"stream":true}"#;
pub(crate) const MESSAGES_REQUEST: &str =
    r#"{"model":"claude-sonnet-4-5","max_tokens":9,"stream":true,"messages":[]}"#;

pub(crate) const JSON: &str = "200 OK\ncontent-type: application/json";
pub(crate) const EVENTS: &str = "200 OK\ncontent-type: text/event-stream; charset=utf-8";

/// A body in every content-encoding: the encoding's name, and the bytes.
pub(crate) fn encodings(body: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("identity", body.to_vec()),
        ("gzip", gzip(body)),
        ("deflate", {
            let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(body).unwrap();
            encoder.finish().unwrap()
        }),
        ("deflate", {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(body).unwrap();
            encoder.finish().unwrap()
        }),
        (
            "br",
            encode(
                &mut BrotliEncoder::new(EncoderParams::default().quality(Level::Fastest)),
                body,
            ),
        ),
        ("zstd", zstd(body)),
    ]
}

pub(crate) fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zstd(body: &[u8]) -> Vec<u8> {
    encode(&mut ZstdEncoder::new(3), body)
}

fn encode(encoder: &mut impl EncodeV2, body: &[u8]) -> Vec<u8> {
    let mut buffer = vec![0; body.len() + 4096];
    let mut output = WriteBuffer::new_initialized(&mut buffer);
    encoder
        .encode(&mut PartialBuffer::new(body), &mut output)
        .unwrap();
    while !encoder.finish(&mut output).unwrap() {}
    let written = output.written_len();
    buffer.truncate(written);
    buffer
}
