//! OpenAI's API, as far as the demo speaks it.

use axum::http::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use super::script::{Asked, Reply, Scenario, event};

const STREAM: &str = "text/event-stream; charset=utf-8";
/// A moment to show: 2026-11-22.
const CREATED: u64 = 1_795_305_600;

fn refused() -> Reply {
    let message = "Rate limit reached for requests (scripted).";
    let error =
        json!({ "message": message, "type": "requests", "param": null, "code": "rate_limit_exceeded" });
    Reply::Json(StatusCode::TOO_MANY_REQUESTS, json!({ "error": error }))
}

fn chat_usage(asked: &Asked) -> Value {
    let answer = &asked.answer;
    json!({
        "prompt_tokens": answer.prompt,
        "completion_tokens": answer.generated,
        "total_tokens": answer.prompt + answer.generated,
        "prompt_tokens_details": { "cached_tokens": answer.cached, "audio_tokens": 0 },
        "completion_tokens_details": {
            "reasoning_tokens": answer.reasoning, "audio_tokens": 0,
            "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0
        }
    })
}

pub(super) fn chat(asked: &Asked) -> Reply {
    if asked.scenario == Scenario::RateLimited {
        return refused();
    }
    let model = asked.model("gpt-5-mini");
    if !asked.streams() {
        let message = json!({ "role": "assistant", "content": asked.answer.text(), "refusal": null, "annotations": [] });
        let choice = json!({ "index": 0, "message": message, "logprobs": null, "finish_reason": "stop" });
        return Reply::Json(
            StatusCode::OK,
            json!({
                "id": "chatcmpl-demo", "object": "chat.completion", "created": CREATED, "model": model,
                "choices": [choice], "usage": chat_usage(asked), "service_tier": "default"
            }),
        );
    }
    let wants_usage = asked.body["stream_options"]["include_usage"]
        .as_bool()
        .unwrap_or(false);
    let chunk = |choices: Value, usage: Value| {
        let mut chunk = json!({
            "id": "chatcmpl-demo", "object": "chat.completion.chunk", "created": CREATED, "model": model,
            "choices": choices
        });
        if wants_usage {
            chunk["usage"] = usage;
        }
        event(None, &chunk)
    };
    let delta = |delta: Value, finish: Value| {
        chunk(
            json!([{ "index": 0, "delta": delta, "logprobs": null, "finish_reason": finish }]),
            Value::Null,
        )
    };
    let mut events = vec![delta(json!({ "role": "assistant", "content": "" }), Value::Null)];
    events.extend(
        asked
            .answer
            .pieces
            .iter()
            .map(|piece| delta(json!({ "content": piece }), Value::Null)),
    );
    events.push(delta(json!({}), json!("stop")));
    if wants_usage {
        events.push(chunk(json!([]), chat_usage(asked)));
    }
    events.push("data: [DONE]\n\n".to_owned());
    Reply::Pieces(STREAM, events)
}

fn response(id: &str, asked: &Asked, status: &str, output: &Value, usage: &Value) -> Value {
    json!({
        "id": id, "object": "response", "created_at": CREATED, "status": status, "background": false,
        "error": null, "incomplete_details": null, "instructions": null, "max_output_tokens": null,
        "model": asked.model("gpt-5-mini"), "output": output, "parallel_tool_calls": true,
        "previous_response_id": null, "reasoning": { "effort": "medium", "summary": null }, "store": true,
        "temperature": 1.0, "text": { "format": { "type": "text" } }, "tool_choice": "auto", "tools": [],
        "top_p": 1.0, "truncation": "disabled", "usage": usage, "user": null, "metadata": {}
    })
}

pub(super) fn responses(asked: &Asked) -> Reply {
    if asked.scenario == Scenario::RateLimited {
        return refused();
    }
    let answer = &asked.answer;
    let usage = json!({
        "input_tokens": answer.prompt, "input_tokens_details": { "cached_tokens": answer.cached },
        "output_tokens": answer.generated, "output_tokens_details": { "reasoning_tokens": answer.reasoning },
        "total_tokens": answer.prompt + answer.generated
    });
    let part = |text: &str| json!({ "type": "output_text", "text": text, "annotations": [], "logprobs": [] });
    let item = |status: &str, content: Value| json!({ "id": "msg_demo", "type": "message", "status": status, "role": "assistant", "content": content });
    let text = answer.text();
    let done = item("completed", json!([part(&text)]));
    // It is kept, so its usage counts once by its id.
    let id = format!("resp_{}", Uuid::now_v7().simple());
    let completed = response(&id, asked, "completed", &json!([done]), &usage);
    if !asked.streams() {
        return Reply::Json(StatusCode::OK, completed);
    }
    let mut events = Vec::new();
    let mut say = |kind: &str, fields: Value| {
        let mut data = json!({ "type": kind, "sequence_number": events.len() });
        if let (Value::Object(data), Value::Object(fields)) = (&mut data, fields) {
            data.extend(fields);
        }
        events.push(event(Some(kind), &data));
    };
    let begun = response(&id, asked, "in_progress", &json!([]), &Value::Null);
    let place = |fields: Value| {
        let mut place = json!({ "item_id": "msg_demo", "output_index": 0, "content_index": 0 });
        if let (Value::Object(place), Value::Object(fields)) = (&mut place, fields) {
            place.extend(fields);
        }
        place
    };
    say("response.created", json!({ "response": begun }));
    say("response.in_progress", json!({ "response": begun }));
    say(
        "response.output_item.added",
        json!({ "output_index": 0, "item": item("in_progress", json!([])) }),
    );
    say("response.content_part.added", place(json!({ "part": part("") })));
    for piece in &answer.pieces {
        say(
            "response.output_text.delta",
            place(json!({ "delta": piece, "logprobs": [] })),
        );
    }
    say(
        "response.output_text.done",
        place(json!({ "text": text, "logprobs": [] })),
    );
    say(
        "response.content_part.done",
        place(json!({ "part": part(&text) })),
    );
    say(
        "response.output_item.done",
        json!({ "output_index": 0, "item": done }),
    );
    say("response.completed", json!({ "response": completed }));
    Reply::Pieces(STREAM, events)
}

pub(super) fn embeddings(asked: &Asked) -> Reply {
    let prompt = asked.answer.prompt;
    let embedding = json!({ "object": "embedding", "index": 0, "embedding": [0.012, -0.034, 0.056, -0.078] });
    Reply::Json(
        StatusCode::OK,
        json!({
            "object": "list", "data": [embedding], "model": asked.model("text-embedding-3-small"),
            "usage": { "prompt_tokens": prompt, "total_tokens": prompt }
        }),
    )
}
