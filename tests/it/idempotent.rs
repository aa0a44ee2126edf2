//! A `POST` that is said again under its key is carried out once, also over a restart; files are sent once, and small.

use serde_json::{Value, json};

use crate::support::app::{TestApp, new_home};
use crate::support::bodies::{CHAT, JSON};
use crate::support::http::Message;
use crate::support::upstream::{Script, Upstream};

async fn started() -> (Upstream, TestApp) {
    let upstream = Upstream::start(|_| Script::sized(JSON, CHAT)).await;
    let app = TestApp::start_in(new_home(), upstream.address).await;
    (upstream, app)
}

async fn post(app: &TestApp, path: &str, key: &str, body: &Value) -> Message {
    let fields = format!(
        "host: {}\ncontent-type: application/json\nidempotency-key: {key}",
        app.dashboard()
    );
    app.api("POST", path, &fields, &body.to_string()).await
}

fn json_of(reply: &Message) -> Value {
    serde_json::from_slice(&reply.body).unwrap()
}

async fn count(app: &TestApp, path: &str, list: &str) -> usize {
    app.get(path).await[list].as_array().unwrap().len()
}

#[tokio::test]
async fn what_is_said_again_is_carried_out_once() {
    let (_upstream, app) = started().await;
    let body = json!({"name": "work"});
    let first = post(&app, "/api/sessions", "a", &body).await;
    assert_eq!(first.head.status(), 201);
    assert!(first.head.get("idempotency-replayed").is_none());
    let session = json_of(&first);
    let id = session["id"].as_str().unwrap();
    let path = format!("/api/sessions/{id}/checkpoints");
    let phase = json!({"phase": "design"});
    let budget = json!({"name": "all", "period": "week", "tokenBudget": 5});
    assert_eq!(post(&app, &path, "b", &phase).await.head.status(), 201);
    assert_eq!(
        post(&app, "/api/budgets", "\"c\"", &budget).await.head.status(),
        201
    );

    // What is answered is what was answered then, whatever the session is now.
    let (status, _) = app
        .say("PATCH", &format!("/api/sessions/{id}"), &json!({"name": "other"}))
        .await;
    assert_eq!(status, 200);
    let app = app.restart().await;
    let again = post(&app, "/api/sessions", "a", &body).await;
    assert_eq!(again.head.status(), 201);
    assert_eq!(again.head.get("idempotency-replayed"), Some("true"));
    assert_eq!(again.head.get("location"), first.head.get("location"));
    assert_eq!(again.head.get("etag"), first.head.get("etag"));
    assert_eq!(again.head.get("content-type"), Some("application/json"));
    assert_eq!(json_of(&again), session);
    post(&app, &path, "b", &phase).await;
    post(&app, "/api/budgets", "c", &budget).await;
    assert_eq!(count(&app, "/api/sessions", "sessions").await, 1);
    assert_eq!(count(&app, &path, "checkpoints").await, 1);
    assert_eq!(count(&app, "/api/budgets", "budgets").await, 1);

    for (path, key, body) in [
        ("/api/sessions", "a", json!({"name": "else"})),
        ("/api/budgets", "a", body.clone()),
    ] {
        let reply = post(&app, path, key, &body).await;
        let problem = json_of(&reply);
        assert_eq!(reply.head.status(), 422, "{problem}");
        assert_eq!(problem["type"], "urn:moonlock:problem:key-reused");
        assert_eq!(problem["field"], "Idempotency-Key");
    }
    assert_eq!(count(&app, "/api/sessions", "sessions").await, 1);
    // Another key, or none, is another request.
    assert_eq!(post(&app, "/api/sessions", "d", &body).await.head.status(), 201);
    assert_eq!(app.say("POST", "/api/sessions", &body).await.0, 201);
    assert_eq!(count(&app, "/api/sessions", "sessions").await, 3);
}

#[tokio::test]
async fn what_was_refused_can_be_said_right_under_the_same_key() {
    let (_upstream, app) = started().await;
    let refused = post(&app, "/api/sessions", "a", &json!({"name": ""})).await;
    assert_eq!(refused.head.status(), 422);
    let reply = post(&app, "/api/sessions", "a", &json!({"name": "x"})).await;
    assert_eq!(reply.head.status(), 201);
    let long = "k".repeat(256);
    for key in [long.as_str(), "\"\"", "ü"] {
        let reply = post(&app, "/api/sessions", key, &json!({"name": "x"})).await;
        assert_eq!(reply.head.status(), 422, "{key}");
        assert_eq!(json_of(&reply)["field"], "Idempotency-Key");
    }
}

#[tokio::test]
async fn said_twice_at_once_it_is_carried_out_once() {
    let (_upstream, app) = started().await;
    let body = json!({"name": "work"});
    let (one, two) = tokio::join!(
        post(&app, "/api/sessions", "a", &body),
        post(&app, "/api/sessions", "a", &body)
    );
    let mut statuses = [one.head.status(), two.head.status()];
    statuses.sort_unstable();
    // The other comes too early, or late enough to get the same answer.
    assert!(matches!(statuses, [201, 201 | 503]), "{statuses:?}");
    assert_eq!(count(&app, "/api/sessions", "sessions").await, 1);
}

#[tokio::test]
async fn a_file_is_sent_once_and_compressed_where_that_helps() {
    let (_upstream, app) = started().await;
    let host = format!("host: {}", app.dashboard());
    for path in ["/", "/api/openapi.json", "/api/docs"] {
        let reply = app.api("GET", path, "", "").await;
        assert_eq!(reply.head.status(), 200, "{path}");
        assert!(reply.head.get("content-encoding").is_none(), "{path}");
        let tag = reply.head.get("etag").unwrap();
        let fields = format!("{host}\nif-none-match: {tag}");
        let known = app.api("GET", path, &fields, "").await;
        assert_eq!((known.head.status(), known.body.len()), (304, 0), "{path}");
        assert_eq!(known.head.get("etag"), Some(tag));
    }
    let fields = format!("{host}\naccept-encoding: gzip");
    let plain = app.api("GET", "/api/openapi.json", "", "").await;
    let small = app.api("GET", "/api/openapi.json", &fields, "").await;
    assert_eq!(small.head.get("content-encoding"), Some("gzip"));
    assert!(small.body.len() * 2 < plain.body.len());
    let tiny = app.api("GET", "/api/budgets", &fields, "").await;
    assert_eq!(
        tiny.head.get("content-encoding"),
        None,
        "{} bytes",
        tiny.body.len()
    );
}
