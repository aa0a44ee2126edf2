//! Anthropic's API, as far as the demo speaks it.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::script::{Asked, Reply, Scenario, event};

fn error(kind: &str, message: &str) -> Value {
    json!({ "type": "error", "error": { "type": kind, "message": message }, "request_id": "req_demo" })
}

/// The prompt's numbers: `input_tokens` is what no cache served or kept.
fn usage(asked: &Asked, output: u64) -> Value {
    let answer = &asked.answer;
    json!({
        "input_tokens": answer.prompt - answer.cached - answer.cache_write,
        "cache_creation_input_tokens": answer.cache_write,
        "cache_read_input_tokens": answer.cached,
        "cache_creation": {
            "ephemeral_5m_input_tokens": answer.cache_write, "ephemeral_1h_input_tokens": 0
        },
        "output_tokens": output,
        "service_tier": "standard"
    })
}

fn message(asked: &Asked, content: &Value, stop: &Value, usage: &Value) -> Value {
    json!({
        "id": "msg_demo", "type": "message", "role": "assistant", "model": asked.model("claude-sonnet-4-5"),
        "content": content, "stop_reason": stop, "stop_sequence": null, "usage": usage
    })
}

pub(super) fn messages(asked: &Asked) -> Reply {
    if asked.scenario == Scenario::RateLimited {
        let body = error(
            "rate_limit_error",
            "This request would exceed the rate limit (scripted).",
        );
        return Reply::Json(StatusCode::TOO_MANY_REQUESTS, body);
    }
    let answer = &asked.answer;
    if !asked.streams() {
        let content = json!([{ "type": "text", "text": answer.text() }]);
        return Reply::Json(
            StatusCode::OK,
            message(
                asked,
                &content,
                &json!("end_turn"),
                &usage(asked, answer.generated),
            ),
        );
    }
    let say = |kind: &str, data: Value| event(Some(kind), &data);
    let start = message(asked, &json!([]), &Value::Null, &usage(asked, 1));
    let block = json!({ "type": "text", "text": "" });
    let mut events = vec![
        say(
            "message_start",
            json!({ "type": "message_start", "message": start }),
        ),
        say(
            "content_block_start",
            json!({ "type": "content_block_start", "index": 0, "content_block": block }),
        ),
        say("ping", json!({ "type": "ping" })),
    ];
    events.extend(answer.pieces.iter().map(|piece| {
        let delta = json!({ "type": "text_delta", "text": piece });
        say(
            "content_block_delta",
            json!({ "type": "content_block_delta", "index": 0, "delta": delta }),
        )
    }));
    if asked.scenario == Scenario::Overloaded {
        events.truncate(events.len() / 2);
        events.push(say("error", error("overloaded_error", "Overloaded (scripted)")));
        return Reply::Pieces("text/event-stream; charset=utf-8", events);
    }
    let end = json!({ "stop_reason": "end_turn", "stop_sequence": null });
    events.push(say(
        "content_block_stop",
        json!({ "type": "content_block_stop", "index": 0 }),
    ));
    events.push(say(
        "message_delta",
        json!({ "type": "message_delta", "delta": end, "usage": { "output_tokens": answer.generated } }),
    ));
    events.push(say("message_stop", json!({ "type": "message_stop" })));
    Reply::Pieces("text/event-stream; charset=utf-8", events)
}
