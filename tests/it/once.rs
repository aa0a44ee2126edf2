//! Usage that comes more than once counts once: background responses, batches, runs of assistants.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::support::app::{TestApp, assert_usage};
use crate::support::bodies::{JSON, gzip};
use crate::support::client::post;
use crate::support::upstream::{Gate, Script, Upstream};

const RESPONSES: &str = "/openai/v1/responses";
const RESPONSE: &str = "/openai/v1/responses/resp_1";

/// A response as it is while it is made, and when that is over.
fn response(status: &str, usage: &Value) -> String {
    json!({"id": "resp_1", "object": "response", "status": status, "background": true, "error": null,
        "model": "gpt-5-2025-08-07", "store": true, "usage": usage})
    .to_string()
}

fn queued() -> String {
    response("queued", &Value::Null)
}

fn completed() -> String {
    response(
        "completed",
        &json!({"input_tokens": 40, "input_tokens_details": {"cached_tokens": 10}, "output_tokens": 9,
            "output_tokens_details": {"reasoning_tokens": 4}, "total_tokens": 49}),
    )
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
}

/// Answers each request by the next of these bodies, and then always by the last.
async fn script(bodies: Vec<String>) -> Upstream {
    let count = AtomicUsize::new(0);
    Upstream::start(move |_| {
        let at = count.fetch_add(1, Ordering::Relaxed).min(bodies.len() - 1);
        Script::sized(JSON, &bodies[at])
    })
    .await
}

/// The sums of everything: live, and from the roll-ups. They must agree.
async fn sums(app: &TestApp) -> Value {
    let stored = app.get("/api/analytics/usage").await["totals"].clone();
    let live = app.get("/api/live").await["unassigned"].clone();
    assert_eq!(stored, live);
    stored
}

#[tokio::test]
async fn a_background_response_counts_once_however_often_it_is_polled() {
    let progress = response("in_progress", &Value::Null);
    let upstream = script(vec![queued(), progress.clone(), progress, completed()]).await;
    let app = TestApp::start(upstream.address).await;
    app.ask(post(RESPONSES, r#"{"model":"gpt-5","background":true}"#))
        .await;
    assert_eq!(sums(&app).await["unknownRequests"], 1);
    for _ in 0..2 {
        app.ask(get(RESPONSE)).await;
    }
    app.row().await;
    let reply = app.ask(get(RESPONSE)).await;
    assert_eq!(reply.body, completed().as_bytes());
    let rows = app.rows().await;
    assert_eq!(rows.len(), 2, "polls that say nothing leave no row");
    let (counts, asked) = (&rows[0], &rows[1]);
    assert_eq!(
        (&counts["operation"], &asked["operation"]),
        (&json!("responses.retrieve"), &json!("responses"))
    );
    assert_usage(
        counts,
        Some("exact"),
        [Some(30), Some(10), None, Some(9), Some(4), Some(49)],
    );
    assert_eq!(
        (&counts["countedBy"], &asked["countedBy"]),
        (&Value::Null, &counts["id"])
    );
    let once = sums(&app).await;
    assert_eq!(
        (&once["requests"], &once["total"], &once["unknownRequests"]),
        (&json!(1), &json!(49), &json!(0))
    );
    assert!(once["costNanoUsd"].as_i64().unwrap() > 0);

    // Polled again; streamed anew from somewhere in the middle; by a program that has forgotten all but its database.
    app.ask(get(RESPONSE)).await;
    app.ask(get("/openai/responses/resp_1?stream=true&starting_after=3"))
        .await;
    let app = app.restart().await;
    app.ask(get(RESPONSE)).await;
    let rows = app.rows().await;
    assert_eq!(rows.len(), 5);
    for row in &rows[..3] {
        assert_eq!(row["countedBy"], rows[3]["id"]);
        assert_usage(row, None, [None; 6]);
    }
    assert_eq!(sums(&app).await, once);
    let groups = app
        .get("/api/analytics/usage?groupBy=provider,model,operation")
        .await;
    let groups = groups["groups"].as_array().unwrap();
    assert_eq!(groups.len(), 1, "{groups:?}");
}

#[tokio::test]
async fn a_response_that_is_read_again_was_counted_when_it_was_made() {
    let upstream = script(vec![completed()]).await;
    let app = TestApp::start(upstream.address).await;
    app.ask(post(RESPONSES, r#"{"model":"gpt-5"}"#)).await;
    let app = app.restart().await;
    app.ask(get(RESPONSE)).await;
    let rows = app.rows().await;
    assert_eq!((&rows[0]["countedBy"], rows.len()), (&rows[1]["id"], 2));
    assert_eq!(sums(&app).await["total"], 49);
}

#[tokio::test]
async fn two_polls_at_the_same_time_count_once() {
    let (gate, begun) = (Gate::new(), Gate::new());
    let (wait, tell) = (gate.clone(), begun.clone());
    let upstream = Upstream::start(move |_| {
        tell.open();
        Script::new()
            .wait(&wait)
            .head(&format!("{JSON}\ncontent-length: {}", completed().len()))
            .send(completed())
    })
    .await;
    let app = Arc::new(TestApp::start(upstream.address).await);
    let poll = async { app.ask(get(RESPONSE)).await };
    let both = async { tokio::join!(poll, app.ask(get(RESPONSE)), app.ask(get(RESPONSE))) };
    let open = async {
        for _ in 0..3 {
            begun.pass().await;
        }
        for _ in 0..3 {
            gate.open();
        }
    };
    tokio::join!(both, open);
    let rows = app.until_rows(3).await;
    let counting: Vec<_> = rows.iter().filter(|row| row["countedBy"].is_null()).collect();
    assert_eq!(counting.len(), 1, "{rows:?}");
    let sums = sums(&app).await;
    assert_eq!((&sums["requests"], &sums["total"]), (&json!(1), &json!(49)));
}

#[tokio::test]
async fn a_batch_counts_once_by_model_at_half_the_price() {
    let results: &[u8] = include_bytes!("../fixtures/batch/anthropic.ndjson");
    let count = AtomicUsize::new(0);
    let upstream = Upstream::start(move |_| {
        let head = "200 OK\ncontent-type: application/x-jsonl";
        match count.fetch_add(1, Ordering::Relaxed) {
            // The first download breaks off behind its first line.
            0 => Script::new()
                .head(&format!("{head}\ncontent-length: {}", results.len()))
                .send(&results[..results.iter().position(|byte| *byte == b'\n').unwrap() + 1])
                .reset(),
            1 => Script::chunked(head, results.chunks(99)),
            _ => Script::sized(&format!("{head}\ncontent-encoding: gzip"), gzip(results)),
        }
    })
    .await;
    let path = "/anthropic/v1/messages/batches/msgbatch_1/results";
    let app = TestApp::start(upstream.address).await;
    app.ask(get(path)).await;
    let rows = app.until_rows(1).await;
    assert_eq!(
        (&rows[0]["source"], &rows[0]["total"], &rows[0]["outcome"]),
        (&json!("partial"), &json!(147), &json!("upstream_error"))
    );
    let reply = app.ask(get(path)).await;
    assert_eq!(reply.body, results);
    let once = sums(&app).await;
    assert_eq!((&once["requests"], &once["total"]), (&json!(2), &json!(200 + 9)));
    let app = app.restart().await;
    app.ask(get(path)).await;
    assert_eq!(sums(&app).await, once);
    assert_eq!(app.rows().await.len(), 5);

    let groups = app.get("/api/analytics/usage?groupBy=model").await;
    let of_model = |model: &str| {
        let groups = groups["groups"].as_array().unwrap();
        groups
            .iter()
            .find(|group| group["model"] == model)
            .unwrap()
            .clone()
    };
    let sonnet = of_model("claude-sonnet-4-5-20250929");
    assert_eq!(
        (
            &sonnet["requests"],
            &sonnet["input"],
            &sonnet["cacheRead"],
            &sonnet["cacheWrite"],
            &sonnet["output"]
        ),
        (&json!(1), &json!(12), &json!(100), &json!(50), &json!(38))
    );
    // 12 at 3 $, 100 at 0.30 $, 50 at 3.75 $ and 38 at 15 $ a million, and half of that.
    assert_eq!(sonnet["costNanoUsd"], (36_000 + 30_000 + 187_500 + 570_000) / 2);
    assert_eq!(of_model("claude-haiku-4-5-20251001")["total"], 9);
}

#[tokio::test]
async fn a_file_that_holds_no_results_leaves_no_row() {
    let training: &[u8] = include_bytes!("../fixtures/batch/training-data.ndjson");
    let upstream =
        Upstream::start(move |_| Script::sized("200 OK\ncontent-type: application/octet-stream", training))
            .await;
    let app = TestApp::start(upstream.address).await;
    let reply = app.ask(get("/openai/v1/files/file_1/content")).await;
    assert_eq!(reply.body, training);
    assert!(app.rows().await.is_empty());
    assert!(app.running().await.is_empty());
}

#[tokio::test]
async fn a_run_of_an_assistant_counts_when_it_has_ended() {
    let run = |status: &str, usage: Value| {
        json!({"id": "run_1", "object": "thread.run", "status": status, "model": "gpt-4o-mini", "usage": usage})
            .to_string()
    };
    let usage = json!({"prompt_tokens": 381, "completion_tokens": 89, "total_tokens": 470});
    let upstream = script(vec![
        run("queued", Value::Null),
        run("requires_action", Value::Null),
        run("queued", Value::Null),
        run("completed", usage),
    ])
    .await;
    let app = TestApp::start(upstream.address).await;
    let path = "/openai/v1/threads/thread_1/runs/run_1";
    app.ask(post("/openai/v1/threads/thread_1/runs", "{}")).await;
    app.ask(get(path)).await;
    app.ask(post(&format!("{path}/submit_tool_outputs"), "{}")).await;
    for _ in 0..2 {
        app.ask(get(path)).await;
    }
    let rows = app.rows().await;
    let counted_by: Vec<_> = rows.iter().map(|row| row["countedBy"].clone()).collect();
    assert_eq!(
        counted_by,
        [rows[1]["id"].clone(), Value::Null, rows[1]["id"].clone()]
    );
    let sums = sums(&app).await;
    assert_eq!((&sums["requests"], &sums["total"]), (&json!(1), &json!(470)));
}

#[tokio::test]
async fn an_advisor_of_another_model_is_a_row_of_its_own() {
    let stream: &[u8] = include_bytes!("../fixtures/anthropic/advisor.sse");
    let upstream = Upstream::start(move |_| {
        Script::chunked("200 OK\ncontent-type: text/event-stream", stream.chunks(40))
    })
    .await;
    let app = TestApp::start(upstream.address).await;
    let session = app.session("work").await;
    app.ask(post("/anthropic/v1/messages", "{}")).await;
    let rows = app.rows().await;
    assert_eq!(rows.len(), 2);
    let row = |model: &str| rows.iter().find(|row| row["model"] == model).unwrap();
    let (own, advisor) = (row("claude-sonnet-4-6"), row("claude-opus-4-6"));
    assert_usage(
        own,
        Some("exact"),
        [Some(30), Some(450), Some(0), Some(25), Some(5), Some(505)],
    );
    assert_usage(
        advisor,
        Some("exact"),
        [Some(1300), Some(1000), Some(0), Some(350), None, Some(2650)],
    );
    assert_eq!(
        (&own["sessionId"], &advisor["sessionId"]),
        (&json!(session), &json!(session))
    );
    // Opus: 5 $, 0.50 $ and 25 $ a million. Sonnet: 3 $, 0.30 $ and 15 $.
    assert_eq!(advisor["costNanoUsd"], 1300 * 5_000 + 1000 * 500 + 350 * 25_000);
    assert_eq!(own["costNanoUsd"], 30 * 3_000 + 450 * 300 + 25 * 15_000);
}
