//! Whole calls through [`estimate`], with a counter that takes every word for a token.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::calibration::{Calibration, Direction, Key, Pair};
use super::*;
use crate::domain::operation::Operation;

/// A token is what stands between spaces.
struct Words;

impl Count for Words {
    fn count(&self, _encoding: Encoding, text: &str) -> Counted {
        Counted {
            tokens: text.split_whitespace().count() as u64,
            how: How::Whole,
        }
    }
}

fn call<'call>(
    operation: Operation,
    request: &'call [u8],
    reply: &'call [u8],
    said: &'call Parts,
) -> CallBody<'call> {
    CallBody {
        operation,
        request: Kept::whole(request),
        reply: Kept::whole(reply),
        ending: Ending::Whole,
        request_model: None,
        reply_model: None,
        said,
    }
}

fn estimated(operation: Operation, request: &Value, reply: &str) -> Estimate {
    let request = request.to_string();
    let nothing = Parts::default();
    let call = call(operation, request.as_bytes(), reply.as_bytes(), &nothing);
    estimate(&call, &Words, &Calibration::default())
}

fn tokens(side: Option<&Side>) -> Option<u64> {
    side.map(|side| side.tokens.0)
}

#[test]
fn a_chat_costs_its_words_and_what_stands_around_them() {
    let request = json!({"model": "gpt-4o", "messages": [
        {"role": "system", "content": "be brief"},
        {"role": "user", "content": [{"type": "text", "text": "what is it"}], "name": "ann"},
    ]});
    let stream = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"it is\"}}]}\n\n\
                  data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\" so\"}}]}\n\ndata: [DONE]\n\n";
    let estimate = estimated(Operation::ChatCompletions, &request, stream);
    assert_eq!(tokens(estimate.input.as_ref()), Some(3 + 4 + 2 + 4 + 3 + 2));
    assert_eq!(tokens(estimate.output.as_ref()), Some(3));
    assert_eq!(estimate.source, Some(Source::Estimated));
    assert_eq!(estimate.input.unwrap().bound(), Bound::Near);
    assert_eq!(estimate.output.unwrap().bound(), Bound::Near);
}

#[test]
fn harmony_models_cost_a_token_less_and_two_more_for_each_earlier_answer() {
    let request = json!({"model": "gpt-5", "messages": [
        {"role": "user", "content": "one"}, {"role": "assistant", "content": "two"}, {"role": "user", "content": "three"},
    ]});
    let estimate = estimated(Operation::ChatCompletions, &request, "{}");
    assert_eq!(tokens(estimate.input.as_ref()), Some(2 + 3 * 5 + 2));
}

#[test]
fn token_ids_are_counted_by_their_number() {
    for (input, expected) in [
        (json!([1, 2, 3]), 3),
        (json!([[1, 2], [3]]), 3),
        (json!(["one two", "three"]), 3),
        (json!("one"), 1),
        (json!(null), 0),
        (json!({"odd": 1}), 0),
    ] {
        let request = json!({"model": "text-embedding-3-small", "input": input});
        let estimate = estimated(Operation::Embeddings, &request, "{}");
        assert_eq!(tokens(estimate.input.as_ref()), Some(expected), "{request}");
        assert_eq!(estimate.output, None, "an embedding generates nothing");
    }
}

#[test]
fn hidden_reasoning_makes_a_lower_bound_unless_the_request_forbids_it_or_the_limit_was_reached() {
    let reply = |reason: &str| {
        json!({"choices": [{"message": {"content": "yes"}, "finish_reason": reason}]}).to_string()
    };
    let messages = json!([{"role": "user", "content": "hi"}]);
    let output = |mut request: Value, reason: &str| {
        request["messages"] = messages.clone();
        let estimate = estimated(Operation::ChatCompletions, &request, &reply(reason));
        let side = estimate.output.unwrap();
        (side.tokens.0, side.bound(), side.high.is_none())
    };
    assert_eq!(
        output(json!({"model": "gpt-5"}), "stop"),
        (10, Bound::AtLeast, true)
    );
    assert_eq!(
        output(json!({"model": "gpt-5", "reasoning_effort": "none"}), "stop"),
        (10, Bound::Near, false)
    );
    assert_eq!(
        output(json!({"model": "gpt-5", "max_completion_tokens": 64}), "length"),
        (64, Bound::Near, false)
    );
    assert_eq!(output(json!({"model": "gpt-5.5"}), "stop").1, Bound::Near);
    assert_eq!(
        output(json!({"model": "gpt-5.5", "reasoning_effort": "high"}), "stop").1,
        Bound::AtLeast
    );
    assert_eq!(
        output(json!({"model": "gpt-4o"}), "stop"),
        (1, Bound::Near, false)
    );
}

#[test]
fn what_is_stored_elsewhere_makes_a_lower_bound() {
    for (operation, request) in [
        (
            Operation::Responses,
            json!({"input": "hi", "previous_response_id": "resp_1"}),
        ),
        (
            Operation::Responses,
            json!({"input": "hi", "conversation": {"id": "conv_1"}}),
        ),
        (Operation::Responses, json!({"prompt": {"id": "pmpt_1"}})),
        (
            Operation::Responses,
            json!({"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "f"}]}]}),
        ),
        (
            Operation::Responses,
            json!({"input": "hi", "tools": [{"type": "web_search"}]}),
        ),
        (
            Operation::Messages,
            json!({"messages": [{"role": "user", "content": [
            {"type": "document", "source": {"type": "base64", "data": "JVBERi0="}}]}]}),
        ),
        (
            Operation::Messages,
            json!({"messages": [], "tools": [{"type": "web_search_20250305", "name": "web_search"}]}),
        ),
        (
            Operation::GenerateContent,
            json!({"contents": [], "cachedContent": "c"}),
        ),
        (
            Operation::GenerateContent,
            json!({"contents": [], "tools": [{"googleSearch": {}}]}),
        ),
    ] {
        let side = estimated(operation, &request, "{}").input.unwrap();
        assert_eq!(side.bound(), Bound::AtLeast, "{request}");
        assert_eq!(side.high, None, "{request}");
    }
    let request = json!({"model": "gpt-4o", "messages": [{"role": "user", "content": [
        {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}]}]});
    let side = estimated(Operation::ChatCompletions, &request, "{}")
        .input
        .unwrap();
    assert_eq!((side.bound(), side.tokens.0), (Bound::Uncertain, 7 + 765));
}

#[test]
fn what_the_provider_said_stays_as_it_is() {
    let request =
        json!({"model": "claude-sonnet-4-6", "messages": [{"role": "user", "content": "hi"}]}).to_string();
    let stream = "data: {\"type\":\"message_start\",\"message\":{}}\n\n\
        data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"text\":\"one two three\"}}\n\n";
    let said = Parts {
        input: Some(Tokens(7)),
        cache_read: Some(Tokens(1000)),
        ..Parts::default()
    };
    let body = CallBody {
        ending: Ending::Cut,
        ..call(Operation::Messages, request.as_bytes(), stream.as_bytes(), &said)
    };
    let estimate = estimate(&body, &Words, &Calibration::default());
    assert_eq!(estimate.source, Some(Source::Partial));
    assert_eq!(estimate.input, None);
    assert_eq!(
        (estimate.parts.input, estimate.parts.cache_read),
        (said.input, said.cache_read)
    );
    let output = estimate.output.unwrap();
    assert_eq!(
        output.bound(),
        Bound::AtLeast,
        "the provider may have generated more"
    );
    assert_eq!(estimate.parts.output, Some(output.tokens));
}

#[test]
fn a_running_count_is_kept_unless_far_more_came_after_it() {
    let request = json!({"model": "gpt-4o", "messages": []}).to_string();
    let words = "word ".repeat(100);
    let reply = json!({"choices": [{"delta": {"content": words}}]});
    let stream = format!("data: {reply}\n\n");
    for (count, ending, expected) in [
        (95, Ending::Cut, 95),
        (105, Ending::Cut, 105),
        (10, Ending::Cut, 100),
        (10, Ending::Whole, 10),
    ] {
        let said = Parts {
            input: Some(Tokens(1)),
            output: Some(Tokens(count)),
            ..Parts::default()
        };
        let body = CallBody {
            ending,
            ..call(
                Operation::ChatCompletions,
                request.as_bytes(),
                stream.as_bytes(),
                &said,
            )
        };
        let estimate = estimate(&body, &Words, &Calibration::default());
        assert_eq!(
            estimate.parts.output,
            Some(Tokens(expected)),
            "{count} {ending:?}"
        );
    }
}

#[test]
fn a_body_of_which_only_the_beginning_was_kept_is_at_least_that() {
    let request = json!({"model": "gpt-4o", "messages": [{"role": "user", "content": "word ".repeat(1000)}]})
        .to_string();
    let nothing = Parts::default();
    for kept in [request.len() / 2, 0] {
        let mut body = call(
            Operation::ChatCompletions,
            &request.as_bytes()[..kept],
            b"",
            &nothing,
        );
        body.request.length = request.len() as u64;
        let side = estimate(&body, &Words, &Calibration::default()).input.unwrap();
        assert!(side.tokens.0 < 520, "{}", side.tokens);
        assert_eq!((side.bound(), side.high), (Bound::AtLeast, None));
    }
}

#[test]
fn a_server_that_says_that_nothing_was_used_has_not_said_anything() {
    let request = json!({"model": "llama", "messages": [{"role": "user", "content": "a b"}]}).to_string();
    let reply = json!({"choices": [{"message": {"content": "c d e"}, "finish_reason": "stop"}]}).to_string();
    let zero = Parts {
        input: Some(Tokens(0)),
        output: Some(Tokens(0)),
        web_searches: Some(1),
        ..Parts::default()
    };
    let body = call(
        Operation::ChatCompletions,
        request.as_bytes(),
        reply.as_bytes(),
        &zero,
    );
    let estimate = estimate(&body, &Words, &Calibration::default());
    assert_eq!(estimate.source, Some(Source::Estimated));
    assert!(estimate.parts.prompt() > Some(Tokens(1)) && estimate.parts.generated() > Some(Tokens(2)));
    assert_eq!(estimate.parts.web_searches, Some(1));
}

#[test]
fn calls_without_text_are_not_estimated() {
    for operation in [
        Operation::Images,
        Operation::Transcriptions,
        Operation::Speech,
        Operation::Moderations,
        Operation::RetrieveResponse,
        Operation::BatchResults,
    ] {
        let estimate = estimated(operation, &json!({"prompt": "a cat"}), "{}");
        assert_eq!(
            (estimate.source, estimate.parts),
            (None, Parts::default()),
            "{operation:?}"
        );
    }
    let nothing = Parts::default();
    let call = call(Operation::ChatCompletions, b"--form", b"", &nothing);
    assert_eq!(
        estimate(&call, &Words, &Calibration::default()).input,
        None,
        "no JSON, no prompt"
    );
}

#[test]
fn a_correction_moves_the_estimate_and_brings_its_own_interval() {
    let request =
        json!({"model": "some-model", "messages": [{"role": "user", "content": "word ".repeat(200)}]});
    let before = estimated(Operation::ChatCompletions, &request, "{}")
        .input
        .unwrap();
    let mut calibration = Calibration::default();
    for estimate in [100, 200, 300, 400, 500, 600, 700] {
        let key = Key::new("some-model", Direction::Input, Kind::Text);
        calibration.learn(key, Pair::new(Tokens(estimate), Tokens(estimate * 3 / 2)));
    }
    let nothing = Parts::default();
    let request = request.to_string();
    let body = call(Operation::ChatCompletions, request.as_bytes(), b"{}", &nothing);
    let after = estimate(&body, &Words, &calibration).input.unwrap();
    assert_eq!(after.basis.uncorrected, before.tokens);
    assert!(after.tokens.0.abs_diff(before.tokens.0 * 3 / 2) <= 1);
    assert!(after.low <= after.tokens && after.high.unwrap() >= after.tokens);
    assert!(after.high.unwrap().0 - after.low.0 < before.high.unwrap().0 - before.low.0);
}

#[test]
fn a_call_whose_usage_is_known_teaches_what_can_be_compared() {
    let request = json!({"model": "gpt-5", "messages": [{"role": "user", "content": "hi"}]}).to_string();
    let reply = json!({"choices": [{"message": {"content": "yes"}, "finish_reason": "stop"}]}).to_string();
    let truth = Parts {
        input: Some(Tokens(7)),
        output: Some(Tokens(10)),
        reasoning: Some(Tokens(64)),
        ..Parts::default()
    };
    let body = call(
        Operation::ChatCompletions,
        request.as_bytes(),
        reply.as_bytes(),
        &truth,
    );
    let learnt = pairs(&body, &Words);
    let expected = [
        (
            Key::new("gpt-5", Direction::Input, Kind::Text),
            Pair::new(Tokens(7), Tokens(7)),
        ),
        (
            Key::new("gpt-5", Direction::Output, Kind::Text),
            Pair::new(Tokens(10), Tokens(10)),
        ),
    ];
    assert_eq!(learnt, expected);
    // Where the provider does not tell hidden reasoning apart, its output says nothing of the text's.
    let whole = Parts {
        output: Some(Tokens(74)),
        reasoning: None,
        ..truth
    };
    let body = CallBody { said: &whole, ..body };
    assert_eq!(pairs(&body, &Words).len(), 1);
}

fn json_value() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        Just("role"),
        Just("content"),
        Just("messages"),
        Just("tools"),
        Just("type"),
        Just("text"),
        Just("function"),
        Just("input"),
        Just("parts"),
        Just("contents"),
        Just("prompt"),
        Just("choices"),
        Just("delta"),
        Just("index"),
        Just("image_url"),
        Just("data:image/png;base64,AA"),
        Just("tool_calls"),
        Just("properties"),
        Just("output"),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        word.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((word.clone(), inner), 0..6).prop_map(|fields| fields
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect()),
        ]
    })
}

proptest! {
    #[test]
    fn no_shape_of_request_or_reply_is_too_odd(request in json_value(), reply in json_value(), cut in 0_usize..400) {
        let (request, reply) = (request.to_string(), reply.to_string());
        let stream = format!("data: {reply}\n\ndata: {reply}\n\n");
        let nothing = Parts::default();
        for &operation in Operation::ALL {
            for reply in [&reply, &stream] {
                let request = &request.as_bytes()[..cut.min(request.len())];
                let body = call(operation, request, reply.as_bytes(), &nothing);
                let estimate = estimate(&body, &Words, &Calibration::default());
                for side in [estimate.input, estimate.output].into_iter().flatten() {
                    prop_assert!(side.low <= side.tokens);
                    prop_assert!(side.high.is_none_or(|high| high >= side.tokens));
                }
            }
        }
    }

    #[test]
    fn garbage_is_survived(request in prop::collection::vec(any::<u8>(), 0..80), reply in prop::collection::vec(any::<u8>(), 0..80)) {
        let nothing = Parts::default();
        for &operation in Operation::ALL {
            let body = call(operation, &request, &reply, &nothing);
            drop(estimate(&body, &Words, &Calibration::default()));
        }
    }
}

#[test]
fn what_stands_around_tools_can_be_learnt_and_stays_a_lower_bound() {
    let request = |words: usize| {
        json!({"model": "gpt-4o", "input": "word ".repeat(words), "tools": [
            {"type": "function", "name": "f", "parameters": {"type": "object", "properties": {"a": {"type": "string"}}}}
        ]})
        .to_string()
    };
    let mut calibration = Calibration::default();
    let estimated = |words: usize, calibration: &Calibration| {
        let request = request(words);
        let nothing = Parts::default();
        let body = call(Operation::Responses, request.as_bytes(), b"{}", &nothing);
        estimate(&body, &Words, calibration).input.unwrap()
    };
    let before = estimated(500, &calibration);
    assert_eq!((before.bound(), before.high), (Bound::AtLeast, None));
    for words in [100, 200, 300, 400] {
        let truth = Parts {
            input: Some(estimated(words, &Calibration::default()).tokens + Tokens(200)),
            ..Parts::default()
        };
        let request = request(words);
        let body = call(Operation::Responses, request.as_bytes(), b"{}", &truth);
        for (key, pair) in pairs(&body, &Words) {
            calibration.learn(key, pair);
        }
    }
    let after = estimated(500, &calibration);
    assert_eq!(
        (after.bound(), after.tokens),
        (Bound::AtLeast, before.tokens + Tokens(200))
    );
}

#[test]
fn calls_of_a_conversation_that_follow_each_other_are_no_calls_at_once() {
    let call = |id: usize| json!({"type": "function_call", "call_id": id, "name": "f", "arguments": "{}"});
    let output = |id: usize| json!({"type": "function_call_output", "call_id": id, "output": "x"});
    let prompt = |items: Vec<serde_json::Value>| {
        let request = json!({"model": "gpt-4o", "input": items});
        estimated(Operation::Responses, &request, "{}")
            .input
            .unwrap()
            .tokens
            .0
    };
    let one = prompt(vec![call(1), output(1)]) - prompt(Vec::new());
    let apart = prompt(vec![call(1), output(1), call(2), output(2)]) - prompt(Vec::new());
    let at_once = prompt(vec![call(1), call(2), output(1), output(2)]) - prompt(Vec::new());
    assert_eq!(apart, 2 * one);
    assert!(at_once < apart);
}

#[test]
fn what_is_made_in_the_background_is_at_least_what_has_come() {
    let request = json!({"model": "gpt-4o", "input": "a b", "background": true});
    let bound = |reply: &str| {
        let output = estimated(Operation::Responses, &request, reply).output;
        output.unwrap().bound()
    };
    assert_eq!(
        bound(r#"{"id":"r","status":"queued","output":[]}"#),
        Bound::AtLeast
    );
    assert_eq!(
        bound(r#"{"id":"r","status":"completed","output":[]}"#),
        Bound::Near
    );
    let stream = "data: {\"type\":\"response.created\",\"response\":{\"status\":\"in_progress\"}}\n\n";
    assert_eq!(bound(stream), Bound::AtLeast);
    let end = "data: {\"type\":\"response.completed\",\"response\":{\"status\":\"completed\"}}\n\n";
    assert_eq!(bound(&[stream, end].concat()), Bound::Near);
}
