//! What a provider does not say of a call is estimated from the call's text, behind the call's end.

use moonlock::domain::wire::Change;
use serde_json::{Value, json};

use crate::support::app::{TestApp, assert_usage, home_with};
use crate::support::bodies::{CHAT_PATH, EVENTS, JSON, MESSAGES_PATH, gzip, zstd};
use crate::support::client::{post, post_with};
use crate::support::upstream::{Gate, Script, Upstream};

/// Eight tokens with GPT-4o: 3 for the request, 3 for the message, 1 for its role, 1 for the word.
const REQUEST: &str = r#"{"model":"gpt-4o","messages":[{"role":"user","content":"hello"}],"stream":true,"stream_options":{"include_usage":false}}"#;

fn delta(text: &str) -> String {
    let delta = json!({"model": "gpt-4o-2024-08-06", "choices": [{"index": 0, "delta": {"content": text}}]});
    format!("data: {delta}\n\n")
}

const STOP: &str =
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";

fn stream(head: &str) -> Script {
    Script::new().head(&format!("{head}\ntransfer-encoding: chunked"))
}

/// What the sums of all time say: calls, tokens, tokens that are not exact, calls of which nothing is known.
async fn sums(app: &TestApp) -> [u64; 4] {
    let totals = &app.get("/api/analytics/usage?period=all").await["totals"];
    ["requests", "total", "inexactTokens", "unknownRequests"].map(|name| totals[name].as_u64().unwrap())
}

/// Asks for a stream, takes `pieces` of it and leaves; the estimate of what came.
async fn leaves(path: &str, request: &str, pieces: Vec<String>) -> (TestApp, Value) {
    let closed = Gate::new();
    let (tell, sent) = (closed.clone(), pieces.clone());
    let upstream = Upstream::start(move |_| {
        sent.iter()
            .fold(stream(EVENTS), Script::chunk)
            .until_closed(&tell)
    })
    .await;
    let mut app = TestApp::start_estimating(upstream.address).await;
    let mut client = app.client().await;
    client.send(post(path, request)).await;
    let mut reply = client.head("POST").await;
    client
        .body_to(&mut reply, pieces.iter().map(String::len).sum())
        .await;
    drop(client);
    closed.pass().await;
    let row = app.estimated().await;
    (app, row)
}

#[tokio::test]
async fn a_stream_that_must_not_say_its_usage_is_estimated() {
    let upstream =
        Upstream::start(|_| Script::chunked(EVENTS, [&*delta("Hi"), &delta(" there"), STOP])).await;
    let mut app = TestApp::start_estimating(upstream.address).await;
    app.session("work").await;
    app.ask(post(CHAT_PATH, REQUEST)).await;
    let row = app.estimated().await;
    assert_eq!(row["outcome"], "complete");
    assert_usage(
        &row,
        Some("estimated"),
        [Some(8), None, None, Some(2), None, Some(10)],
    );
    let estimate = &row["estimate"];
    assert_eq!(estimate["lowerBound"], false);
    for (side, tokens) in [("input", 8), ("output", 2)] {
        let bound = |name: &str| estimate[side][name].as_u64().unwrap();
        assert!(bound("low") <= tokens && tokens <= bound("high"), "{row:#}");
    }
    assert!(
        row["costNanoUsd"].as_i64().unwrap() > 0,
        "what is estimated costs"
    );
    assert_eq!(sums(&app).await, [1, 10, 10, 0]);
    let live = app.get("/api/live").await;
    assert_eq!(live["sessions"][0]["usage"]["total"], 10);
    // A new start takes up the same.
    let app = app.restart().await;
    assert_eq!(app.row().await, row);
    assert_eq!(sums(&app).await, [1, 10, 10, 0]);
    assert_eq!(app.get("/api/live").await["sessions"][0]["usage"]["total"], 10);
}

#[tokio::test]
async fn of_a_stream_that_its_client_leaves_what_came_is_counted_and_more_may_have_been() {
    let (app, row) = leaves(
        CHAT_PATH,
        REQUEST,
        vec![delta("Hi"), delta(" there"), delta(" you")],
    )
    .await;
    assert_eq!(row["outcome"], "client_aborted");
    assert_usage(
        &row,
        Some("estimated"),
        [Some(8), None, None, Some(3), None, Some(11)],
    );
    assert_eq!(row["estimate"]["lowerBound"], true);
    assert_eq!(row["estimate"]["output"]["high"], Value::Null);
    assert_eq!(sums(&app).await, [1, 11, 11, 0]);
}

#[tokio::test]
async fn what_the_provider_said_before_the_break_stays_as_it_is() {
    let start = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"model\":\"claude-sonnet-4-5\",\"usage\":{\"input_tokens\":5,\"cache_read_input_tokens\":100,\"output_tokens\":1}}}\n\n";
    let text = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"one two three four five six seven eight nine ten\"}}\n\n";
    let request = r#"{"model":"claude-sonnet-4-5","max_tokens":99,"stream":true,"messages":[{"role":"user","content":"count"}]}"#;
    let (_, row) = leaves(MESSAGES_PATH, request, vec![start.to_owned(), text.to_owned()]).await;
    assert_eq!(
        (&row["source"], &row["input"], &row["cacheRead"]),
        (&"partial".into(), &5.into(), &100.into())
    );
    let output = row["output"].as_u64().unwrap();
    assert!((10..=16).contains(&output), "{row:#}");
    assert_eq!(row["estimate"]["input"], Value::Null, "the provider's own");
    assert_eq!(row["estimate"]["lowerBound"], true);
}

#[tokio::test]
async fn a_stream_that_breaks_off_upstream_is_estimated_by_what_came() {
    let upstream =
        Upstream::start(|_| stream(EVENTS).chunk(delta("Hi")).chunk(delta(" there")).close()).await;
    let mut app = TestApp::start_estimating(upstream.address).await;
    app.ask(post(CHAT_PATH, REQUEST)).await;
    let row = app.estimated().await;
    assert_eq!(
        (&row["outcome"], &row["error"]),
        (&"upstream_error".into(), &"broken_off".into())
    );
    assert_usage(
        &row,
        Some("estimated"),
        [Some(8), None, None, Some(2), None, Some(10)],
    );
    assert_eq!(row["estimate"]["lowerBound"], true);
}

#[tokio::test]
async fn of_a_client_that_leaves_before_the_reply_the_prompt_is_counted() {
    let closed = Gate::new();
    let tell = closed.clone();
    let mut upstream = Upstream::start(move |_| Script::new().until_closed(&tell)).await;
    let mut app = TestApp::start_estimating(upstream.address).await;
    let mut client = app.client().await;
    client.send(post(CHAT_PATH, REQUEST)).await;
    app.started().await;
    upstream.seen().await;
    drop(client);
    closed.pass().await;
    let row = app.estimated().await;
    assert_eq!(
        (&row["outcome"], &row["input"]),
        (&"client_aborted".into(), &8.into())
    );
    assert_eq!(row["estimate"]["lowerBound"], true);
}

#[tokio::test]
async fn compressed_bodies_are_counted_by_what_they_hold() {
    let body = [delta("Hi"), delta(" there"), STOP.to_owned()].concat();
    let upstream = Upstream::start(move |_| {
        Script::sized(
            &format!("{EVENTS}\ncontent-encoding: gzip"),
            gzip(body.as_bytes()),
        )
    })
    .await;
    let mut app = TestApp::start_estimating(upstream.address).await;
    app.ask(post_with(
        CHAT_PATH,
        "content-encoding: zstd",
        zstd(REQUEST.as_bytes()),
    ))
    .await;
    assert_usage(
        &app.estimated().await,
        Some("estimated"),
        [Some(8), None, None, Some(2), None, Some(10)],
    );
}

#[tokio::test]
async fn a_server_that_counts_nothing_is_counted_for() {
    let reply = r#"{"model":"llama3","message":{"role":"assistant","content":"Hi there"},"done":true,"prompt_eval_count":0,"eval_count":0}"#;
    let silent = r#"{"model":"m","choices":[{"message":{"content":"Hi there"},"finish_reason":"stop"}]}"#;
    let zero = r#"{"model":"m","choices":[{"message":{"content":"Hi there"},"finish_reason":"stop"}],"usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}}"#;
    for (path, reply) in [
        ("/ollama/api/chat", reply),
        ("/vllm/v1/chat/completions", silent),
        ("/vllm/v1/chat/completions", zero),
    ] {
        let upstream = Upstream::start(move |_| Script::sized(JSON, reply)).await;
        let mut app = TestApp::start_estimating(upstream.address).await;
        let request = r#"{"model":"llama3","messages":[{"role":"user","content":"hello"}]}"#;
        app.ask(post(path, request)).await;
        let row = app.estimated().await;
        assert_eq!(row["source"], "estimated", "{path} {reply}");
        let number = |name: &str| row[name].as_u64().unwrap();
        assert!(number("input") > 0 && number("output") > 0, "{row:#}");
    }
}

#[tokio::test]
async fn what_was_refused_or_said_is_not_estimated() {
    let refusal = r#"{"error":{"message":"no","type":"rate_limit"}}"#;
    let failed = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"}}\n\n";
    let upstream = Upstream::start(move |request| match request.head.get("x-case").unwrap() {
        "refused" => Script::sized("429 Too Many Requests\ncontent-type: application/json", refusal),
        "failed" => Script::chunked(EVENTS, [failed]),
        _ => Script::chunked(EVENTS, [&*delta("Hi"), STOP]),
    })
    .await;
    let mut app = TestApp::start_estimating(upstream.address).await;
    for (case, path) in [("refused", CHAT_PATH), ("failed", MESSAGES_PATH)] {
        let request = r#"{"model":"m","stream":true,"messages":[{"role":"user","content":"hello"}]}"#;
        app.ask(post_with(path, &format!("x-case: {case}"), request))
            .await;
    }
    // Calls are counted one after the other: behind this one the others would have been.
    app.ask(post_with(CHAT_PATH, "x-case: silent", REQUEST)).await;
    app.estimated().await;
    let rows = app.rows().await;
    let sources: Vec<&Value> = rows.iter().map(|row| &row["source"]).collect();
    assert_eq!(sources, [&json!("estimated"), &Value::Null, &Value::Null]);
    let health = &app.get("/api/health").await["estimates"];
    assert_eq!(health, &json!({"waiting": 0, "refused": 0}));
}

#[tokio::test]
async fn what_does_not_fit_into_the_memory_makes_a_lower_bound() {
    let upstream = Upstream::start(|_| Script::chunked(EVENTS, [&*delta("Hi"), STOP])).await;
    let home = home_with("[estimates]\nmemory_mb = 1\n");
    let mut app = TestApp::start_in(home, upstream.address).await;
    let request = REQUEST.replace("hello", &"word ".repeat(300_000));
    app.ask(post(CHAT_PATH, &request)).await;
    let row = app.estimated().await;
    assert_eq!(row["estimate"]["lowerBound"], true);
    assert!(row["input"].as_u64().unwrap() < 300_000, "{row:#}");
    // It is given back, so that the next call finds room.
    app.ask(post(CHAT_PATH, REQUEST)).await;
    let row = app.estimated().await;
    assert_eq!(
        (&row["input"], &row["estimate"]["lowerBound"]),
        (&8.into(), &false.into())
    );
}

#[tokio::test]
async fn the_text_is_written_nowhere() {
    let word = "kaleidoscopically";
    let upstream = Upstream::start(move |_| Script::chunked(EVENTS, [&*delta(word), STOP])).await;
    let mut app = TestApp::start_estimating(upstream.address).await;
    app.ask(post(CHAT_PATH, REQUEST.replace("hello", word))).await;
    app.estimated().await;
    let home = std::sync::Arc::clone(&app.home);
    app.stop().await;
    for file in home.path().read_dir().unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(memchr::memmem::find(&bytes, word.as_bytes()).is_none());
    }
}

#[tokio::test]
async fn what_a_provider_says_teaches_how_far_the_estimates_of_its_model_are_off() {
    // A provider whose tokens are half as long again.
    let answer = |words: u64| {
        let content = "word ".repeat(usize::try_from(words).unwrap());
        let usage = json!({"prompt_tokens": words * 3 / 2, "completion_tokens": words * 3 / 2});
        json!({
            "model": "strange-1", "usage": usage,
            "choices": [{"index": 0, "message": {"content": content}, "finish_reason": "stop"}],
        })
    };
    let upstream = Upstream::start(move |request| {
        let words: u64 = request.head.get("x-words").unwrap().parse().unwrap();
        let mut body = answer(words);
        if request.head.get("x-silent").is_some() {
            body["usage"] = Value::Null;
        }
        Script::sized(JSON, body.to_string())
    })
    .await;
    let mut app = TestApp::start_estimating(upstream.address).await;
    let request = |words: u64| {
        let content = "word ".repeat(usize::try_from(words).unwrap());
        json!({"model": "strange-1", "messages": [{"role": "user", "content": content}]}).to_string()
    };
    let learnt = |page: &Value| {
        let sides = page["calibration"].as_array().unwrap().iter();
        sides
            .map(|side| side["pairs"].as_u64().unwrap())
            .min()
            .unwrap_or(0)
    };
    // Loads the vocabulary: that takes long where nothing is optimised, and a lesson is followed by a rest.
    let silent = "x-words: 400\nx-silent: 1";
    app.ask(post_with("/vllm/v1/chat/completions", silent, request(400)))
        .await;
    let row = app.estimated().await;
    assert!(row["output"].as_u64().unwrap() < 450, "by the rules alone");
    let mut words = 200;
    let page = loop {
        let page = app.get("/api/calibration").await;
        if learnt(&page) >= 4 {
            break page;
        }
        // Lessons have their time: most of these calls teach nothing.
        words += 1;
        app.ask(post_with(
            "/vllm/v1/chat/completions",
            &format!("x-words: {words}"),
            request(words),
        ))
        .await;
    };
    let mut output = page["calibration"].as_array().unwrap().iter();
    let output = output.find(|side| side["side"] == "output").unwrap();
    assert_eq!(
        (&output["model"], &output["kind"]),
        (&"strange-1".into(), &"text".into())
    );
    assert!(
        (output["ratio"].as_f64().unwrap() - 1.5).abs() < 0.1,
        "{output:#}"
    );
    let p90 = |what: &str| output[what]["p90"].as_f64().unwrap();
    assert!(p90("corrected") < 0.05 && p90("byRules") > 0.25, "{output:#}");
    // A new start knows it, and estimates by it.
    app = app.restart().await;
    assert_eq!(app.get("/api/calibration?model=Strange-1").await, page);
    app.ask(post_with("/vllm/v1/chat/completions", silent, request(400)))
        .await;
    let row = app.estimated().await;
    let output = row["output"].as_u64().unwrap();
    assert!((580..=620).contains(&output), "{row:#}");
}

#[tokio::test]
async fn while_a_stream_runs_it_is_told_about_how_far_it_has_come() {
    let gate = Gate::new();
    let wait = gate.clone();
    let upstream = Upstream::start(move |_| {
        let begun = (0..40).fold(stream(EVENTS), |script, _| script.chunk(delta(" word")));
        begun.wait(&wait).chunk(STOP).end()
    })
    .await;
    let mut app = TestApp::start_estimating(upstream.address).await;
    let session = app.session("work").await;
    let mut client = app.client().await;
    client.send(post(CHAT_PATH, REQUEST)).await;
    let mut reply = client.head("POST").await;
    client.body_to(&mut reply, 40 * delta(" word").len()).await;
    let grown = app
        .next(|change| match change {
            Change::CallsGrew { calls } => Some(calls[0].output_so_far),
            _ => None,
        })
        .await;
    assert!((10..160).contains(&grown), "{grown}");
    let live = app.get("/api/live").await;
    let call = &live["calls"][0];
    assert_eq!(
        (&call["outcome"], &call["sessionId"]),
        (&"running".into(), &session.into())
    );
    assert!(call["outputSoFar"].as_u64().unwrap() >= grown, "{call:#}");
    gate.open();
    client.body_to(&mut reply, usize::MAX).await;
    let row = app.estimated().await;
    assert_eq!((&row["output"], &row["outputSoFar"]), (&40.into(), &Value::Null));
}
