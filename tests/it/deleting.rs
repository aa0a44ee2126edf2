//! Sessions are deleted, and their calls with them or not: rows, sums and live state agree, also over a restart.

use moonlock::domain::session::CallsFate;
use moonlock::domain::wire::Change;
use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::bodies::{CHAT, CHAT_PATH, CHAT_REQUEST, JSON};
use crate::support::client::post_with;
use crate::support::upstream::{Script, Upstream};

async fn started() -> (Upstream, TestApp) {
    let upstream = Upstream::start(|_| Script::sized(JSON, CHAT)).await;
    let app = TestApp::start(upstream.address).await;
    (upstream, app)
}

async fn call(app: &mut TestApp, fields: &str) {
    app.ask(post_with(CHAT_PATH, fields, CHAT_REQUEST)).await;
    app.ended().await;
}

/// A session with three calls, a checkpoint, a budget that is passed and a conversation, which has ended; and one call
/// that is nobody's.
async fn with_history(app: &mut TestApp) -> String {
    call(app, "").await;
    let id = app.session("old").await;
    let path = format!("/api/sessions/{id}");
    for _ in 0..3 {
        call(app, "x-moonlock-session: old\nsession_id: thread").await;
    }
    let (status, _) = app
        .say(
            "POST",
            &format!("{path}/checkpoints"),
            &json!({"phase": "design"}),
        )
        .await;
    assert_eq!(status, 201);
    let (status, _) = app
        .say("PATCH", &path, &json!({"tokenBudget": 1, "status": "completed"}))
        .await;
    assert_eq!(status, 200);
    id
}

async fn delete(app: &TestApp, path: &str) -> (u16, Value) {
    let reply = app.api("DELETE", path, "", "").await;
    let said = serde_json::from_slice(&reply.body).unwrap_or(Value::Null);
    (reply.head.status(), said)
}

/// Requests: in the rows, in the roll-ups, in Unassigned.
async fn counts(app: &TestApp) -> (usize, u64, u64) {
    let usage = app.get("/api/analytics/usage?period=all&groupBy=session").await;
    let groups = usage["groups"].as_array().unwrap();
    let ended = usage["totals"]["requests"].as_u64().unwrap();
    assert!(groups.iter().all(|group| group["session"].is_null()), "{usage:#}");
    let live = app.get("/api/live").await;
    let unassigned = live["unassigned"]["requests"].as_u64().unwrap();
    (app.rows().await.len(), ended, unassigned)
}

#[tokio::test]
async fn a_session_goes_with_its_calls_or_without_them() {
    for (fate, left) in [("unassign", 4), ("delete", 1)] {
        let (_upstream, mut app) = started().await;
        let id = with_history(&mut app).await;
        let path = format!("/api/sessions/{id}");
        assert_eq!(delete(&app, &format!("{path}?calls={fate}")).await.0, 204);
        let told = app
            .next(|change| match change {
                Change::SessionDeleted { calls } => Some(calls.name()),
                _ => None,
            })
            .await;
        assert_eq!(told, fate);
        for gone in [
            path.clone(),
            format!("{path}/checkpoints"),
            format!("{path}/tokens"),
        ] {
            assert_eq!(app.api("GET", &gone, "", "").await.head.status(), 404, "{gone}");
        }
        assert_eq!(delete(&app, &format!("{path}?calls={fate}")).await.0, 404);
        assert_eq!(app.get("/api/sessions").await["sessions"], json!([]));
        assert_eq!(app.get("/api/alerts").await["alerts"], json!([]));
        assert_eq!(counts(&app).await, (left, left as u64, left as u64));
        // Its thread is bound to nothing.
        call(&mut app, "session_id: thread").await;
        let app = app.restart().await;
        assert_eq!(
            counts(&app).await,
            (left + 1, left as u64 + 1, left as u64 + 1),
            "{fate}"
        );
        assert_eq!(app.get("/api/sessions").await["sessions"], json!([]));
    }
}

#[tokio::test]
async fn what_becomes_of_the_calls_has_to_be_said_and_what_runs_is_not_deleted() {
    let (_upstream, app) = started().await;
    let id = app.session("s").await;
    let path = format!("/api/sessions/{id}");
    for (query, part) in [
        ("", "must say what becomes"),
        ("?calls=", "must say what becomes"),
        ("?calls=keep", "`calls` is `keep`; expected `unassign`"),
        ("?calls=delete&call=1", "there is no parameter `call`"),
    ] {
        let (status, problem) = delete(&app, &format!("{path}{query}")).await;
        assert_eq!(status, 422, "{problem}");
        assert!(
            problem["detail"].as_str().unwrap().contains(part),
            "{query}: {problem}"
        );
    }
    let (status, problem) = delete(&app, &format!("{path}?calls=delete")).await;
    assert_eq!(status, 409, "{problem}");
    assert!(
        problem["detail"].as_str().unwrap().contains("complete it first"),
        "{problem}"
    );
    assert_eq!(problem["session"]["id"], *id);
}

#[tokio::test]
async fn a_deletion_that_was_cut_off_goes_on_at_the_next_start() {
    for (fate, left) in [(CallsFate::Unassign, 4), (CallsFate::Delete, 1)] {
        let (_upstream, mut app) = started().await;
        let id = with_history(&mut app).await;
        let engine = app.engine();
        engine.delete_session(id.parse().unwrap(), fate).await.unwrap();
        let app = app.restart().await;
        let emptied = async {
            loop {
                let usage = app.get("/api/analytics/usage?period=all&groupBy=session").await;
                let mut groups = usage["groups"].as_array().unwrap().iter();
                if groups.all(|group| group["session"].is_null()) {
                    return;
                }
                tokio::task::yield_now().await;
            }
        };
        crate::support::within("the calls to follow", emptied).await;
        assert_eq!(counts(&app).await, (left, left as u64, left as u64));
    }
}
