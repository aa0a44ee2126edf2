use serde_json::json;

use super::*;

/// The blocks of the first choice, as kind, name and text.
fn blocks(operation: Operation, body: &str) -> Vec<(BlockKind, String, String)> {
    let said = Said::read(operation, body.as_bytes());
    let Some(choice) = said.choices.get(&0) else {
        return Vec::new();
    };
    let blocks = choice.blocks.values();
    blocks
        .map(|block| (block.kind, block.name.clone(), block.text.clone()))
        .collect()
}

fn sse(events: &[Value]) -> String {
    events.iter().map(|event| format!("data: {event}\n\n")).collect()
}

fn block(kind: BlockKind, name: &str, text: &str) -> (BlockKind, String, String) {
    (kind, name.to_owned(), text.to_owned())
}

#[test]
fn a_stream_says_what_the_whole_reply_says() {
    use BlockKind::{Call, Reasoning, Text};
    let expected = [
        block(Reasoning, "", "hm"),
        block(Text, "", "hello"),
        block(Call, "f", "{\"a\":1}"),
    ];
    let call = json!({"function": {"name": "f", "arguments": "{\"a\":1}"}});
    let begin = json!({"index": 0, "function": {"name": "f", "arguments": "{\"a\""}});
    let end = json!({"index": 0, "function": {"arguments": ":1}"}});
    for (operation, whole, stream) in [
        (
            Operation::ChatCompletions,
            json!({"choices": [{"message": {"reasoning_content": "hm", "content": "hello", "tool_calls": [call]}}]}),
            sse(&[
                json!({"choices": [{"index": 0, "delta": {"reasoning_content": "hm"}}]}),
                json!({"choices": [{"index": 0, "delta": {"content": "hel"}}]}),
                json!({"choices": [{"index": 0, "delta": {"content": "lo", "tool_calls": [begin]}}]}),
                json!({"choices": [{"index": 0, "delta": {"tool_calls": [end]}}]}),
            ]),
        ),
        (
            Operation::Messages,
            json!({"type": "message", "content": [
                {"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "hello"},
                {"type": "tool_use", "name": "f", "input": {"a": 1}}]}),
            sse(&[
                json!({"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}}),
                json!({"type": "content_block_delta", "index": 0, "delta": {"thinking": "hm"}}),
                json!({"type": "content_block_delta", "index": 1, "delta": {"text": "hello"}}),
                json!({"type": "content_block_start", "index": 2, "content_block": {"type": "tool_use", "name": "f", "input": {}}}),
                json!({"type": "content_block_delta", "index": 2, "delta": {"partial_json": "{\"a\""}}),
                json!({"type": "content_block_delta", "index": 2, "delta": {"partial_json": ":1}"}}),
            ]),
        ),
        (
            Operation::Responses,
            json!({"object": "response", "output": [
                {"type": "reasoning", "summary": [{"text": "hm"}]}, {"type": "message", "content": [{"text": "hello"}]},
                {"type": "function_call", "name": "f", "arguments": "{\"a\":1}"}]}),
            sse(&[
                json!({"type": "response.reasoning_summary_text.delta", "output_index": 0, "delta": "hm"}),
                json!({"type": "response.output_text.delta", "output_index": 1, "delta": "hel"}),
                json!({"type": "response.output_text.delta", "output_index": 1, "delta": "lo"}),
                json!({"type": "response.output_item.added", "output_index": 2, "item": {"type": "function_call", "name": "f", "arguments": ""}}),
                json!({"type": "response.function_call_arguments.delta", "output_index": 2, "delta": "{\"a\":1}"}),
                json!({"type": "response.output_item.done", "output_index": 2,
                    "item": {"type": "function_call", "name": "f", "arguments": "{\"a\":1}"}}),
            ]),
        ),
        (
            Operation::Converse,
            json!({"output": {"message": {"content": [
                {"reasoningContent": {"reasoningText": {"text": "hm"}}}, {"text": "hello"},
                {"toolUse": {"name": "f", "input": {"a": 1}}}]}}}),
            String::new(),
        ),
    ] {
        assert_eq!(blocks(operation, &whole.to_string()), expected, "{operation:?}");
        if !stream.is_empty() {
            assert_eq!(blocks(operation, &stream), expected, "{operation:?} as a stream");
        }
    }
}

#[test]
fn every_framing_is_read() {
    let piece = |text: &str| json!({"candidates": [{"content": {"parts": [{"text": text}]}}]});
    let expected = [block(BlockKind::Text, "", "one two")];
    let array = json!([piece("one"), piece(" two")]).to_string();
    assert_eq!(blocks(Operation::GenerateContent, &array), expected);
    // As far as it came.
    assert_eq!(
        blocks(
            Operation::GenerateContent,
            array.strip_suffix("\"}]}}]}]").unwrap()
        ),
        expected
    );
    assert_eq!(
        blocks(Operation::GenerateContent, &sse(&[piece("one"), piece(" two")])),
        expected
    );
    let lines = "{\"message\":{\"content\":\"one\"}}\n{\"message\":{\"content\":\" two";
    assert_eq!(blocks(Operation::OllamaChat, lines), expected);
    assert_eq!(blocks(Operation::OllamaChat, ""), []);
}

#[test]
fn other_providers_replies_are_read() {
    use BlockKind::Text;
    for (operation, body, expected) in [
        (
            Operation::CohereChat,
            json!({"message": {"content": [{"text": "a"}]}}),
            "a",
        ),
        (
            Operation::CohereChat,
            json!({"text": "a", "finish_reason": "COMPLETE"}),
            "a",
        ),
        (
            Operation::CohereGenerate,
            json!({"generations": [{"text": "a"}]}),
            "a",
        ),
        (Operation::OllamaGenerate, json!({"response": "a"}), "a"),
        (Operation::TgiGenerate, json!([{"generated_text": "a"}]), "a"),
        (Operation::LlamaCppCompletion, json!({"content": "a"}), "a"),
        (
            Operation::WatsonxText,
            json!({"results": [{"generated_text": "a"}]}),
            "a",
        ),
        (
            Operation::Predict,
            json!({"predictions": [{"content": "a"}]}),
            "a",
        ),
        (
            Operation::Invoke,
            json!({"generation": "a", "stop_reason": "stop"}),
            "a",
        ),
        (Operation::Invoke, json!({"results": [{"outputText": "a"}]}), "a"),
        (Operation::Invoke, json!({"outputs": [{"text": "a"}]}), "a"),
        (
            Operation::Invoke,
            json!({"completions": [{"data": {"text": "a"}}]}),
            "a",
        ),
        (
            Operation::Invoke,
            json!({"type": "completion", "completion": "a"}),
            "a",
        ),
    ] {
        let read: Vec<_> = blocks(operation, &body.to_string())
            .into_iter()
            .filter(|block| !block.2.is_empty())
            .collect();
        assert_eq!(read, [block(Text, "", expected)], "{operation:?} {body}");
    }
    let tokens = sse(&[
        json!({"token": {"text": "a"}}),
        json!({"token": {"text": "b"}, "generated_text": "ab"}),
    ]);
    assert_eq!(
        Said::read(Operation::TgiGenerate, tokens.as_bytes()).single_tokens,
        2
    );
}
