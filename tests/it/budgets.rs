//! Budgets against the running program: who is told, who is refused, and in whose words.

use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::bodies::{
    CHAT, CHAT_PATH, CHAT_REQUEST, GEMINI_PATH, JSON, MESSAGES_PATH, MESSAGES_REQUEST,
};
use crate::support::client::{post, post_with};
use crate::support::http::Message;
use crate::support::upstream::{Gate, Script, Upstream};
use crate::upgrade::handshake;

/// A call of the scripted provider uses so many tokens.
const OF_A_CALL: u64 = 18;

async fn started() -> (Upstream, TestApp) {
    let upstream = Upstream::start(|_| Script::sized(JSON, CHAT)).await;
    let app = TestApp::start(upstream.address).await;
    (upstream, app)
}

/// Starts a session that takes so many tokens and then no more; its id.
async fn closing(app: &TestApp, tokens: u64) -> String {
    let body = json!({"name": "work", "tokenBudget": tokens, "atLimit": "block"});
    let (status, session) = app.say("POST", "/api/sessions", &body).await;
    assert_eq!(status, 201, "{session}");
    session["id"].as_str().unwrap().to_owned()
}

fn refused(reply: &Message) -> Value {
    assert_eq!(reply.head.status(), 429);
    assert_eq!(reply.head.get("x-moonlock-error"), Some("budget"));
    assert_eq!(reply.head.get("x-should-retry"), Some("false"));
    serde_json::from_slice(&reply.body).unwrap()
}

#[tokio::test]
async fn a_used_up_budget_answers_in_the_providers_own_words_without_asking_it() {
    let (mut upstream, app) = started().await;
    let id = closing(&app, OF_A_CALL).await;
    assert_eq!(app.ask(post(CHAT_PATH, CHAT_REQUEST)).await.head.status(), 200);
    upstream.seen().await;

    let reply = refused(&app.ask(post(CHAT_PATH, CHAT_REQUEST)).await);
    assert_eq!(reply["error"]["code"], "insufficient_quota");
    let message = reply["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("session “work” is used up (18 of 18 tokens)"),
        "{message}"
    );
    assert!(message.contains(&format!("/api/sessions/{id}")), "{message}");
    let reply = refused(&app.ask(post(MESSAGES_PATH, MESSAGES_REQUEST)).await);
    assert_eq!(
        (&reply["type"], &reply["error"]["type"]),
        (&json!("error"), &json!("rate_limit_error"))
    );
    let reply = refused(&app.ask(post(GEMINI_PATH, "{}")).await);
    assert_eq!(
        (&reply["error"]["code"], &reply["error"]["status"]),
        (&json!(429), &json!("RESOURCE_EXHAUSTED"))
    );
    let reply = app.ask(post("/bedrock/us-east-1/model/m/converse", "{}")).await;
    assert_eq!(reply.head.get("x-amzn-errortype"), Some("ThrottlingException"));
    refused(&reply);
    let socket = format!("{}\r\n", handshake("/openai/v1/realtime?model=gpt-realtime"));
    refused(&app.ask(socket).await);
    assert_eq!(app.rows().await.len(), 1, "what was refused is no call");
    assert_eq!(upstream.all_seen().len(), 0, "and was forwarded nowhere");

    // Elsewhere nothing is refused, nor what is no use of tokens.
    let other = post_with(CHAT_PATH, "x-moonlock-session: nowhere", CHAT_REQUEST);
    assert_eq!(app.ask(other).await.head.status(), 200);
    upstream.seen().await;
    let models = app
        .ask("GET /openai/v1/models HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
        .await;
    assert_eq!(models.head.status(), 200);
    assert_eq!(upstream.seen().await.head.line, "GET /v1/models HTTP/1.1");

    let more = json!({"tokenBudget": 1_000});
    let (status, _) = app.say("PATCH", &format!("/api/sessions/{id}"), &more).await;
    assert_eq!(status, 200);
    assert_eq!(app.ask(post(CHAT_PATH, CHAT_REQUEST)).await.head.status(), 200);
}

#[tokio::test]
async fn calls_that_run_when_a_budget_is_used_up_go_on_to_their_end() {
    let gate = Gate::new();
    let waits = gate.clone();
    let upstream = Upstream::start(move |request| {
        if request.head.get("x-waits").is_some() {
            Script::new()
                .head(&format!("{JSON}\ncontent-length: {}", CHAT.len()))
                .wait(&waits)
                .send(CHAT)
        } else {
            Script::sized(JSON, CHAT)
        }
    })
    .await;
    let app = TestApp::start(upstream.address).await;
    closing(&app, OF_A_CALL).await;
    let mut running = app.client().await;
    running
        .send(post_with(CHAT_PATH, "x-waits: 1", CHAT_REQUEST))
        .await;
    let mut reply = running.head("POST").await;
    assert_eq!(app.ask(post(CHAT_PATH, CHAT_REQUEST)).await.head.status(), 200);
    refused(&app.ask(post(CHAT_PATH, CHAT_REQUEST)).await);
    gate.open();
    running.body_to(&mut reply, usize::MAX).await;
    assert_eq!((reply.whole, &*reply.body), (true, CHAT.as_bytes()));
    let app = app.restart().await;
    refused(&app.ask(post(CHAT_PATH, CHAT_REQUEST)).await);
}

#[tokio::test]
async fn a_daily_budget_of_one_model_refuses_that_model_and_is_changed_and_deleted() {
    let (_upstream, app) = started().await;
    app.ask(post(CHAT_PATH, CHAT_REQUEST)).await;
    let body = json!({
        "name": "dear", "period": "day", "model": "gpt-4o-2024-08-06", "tokenBudget": 10, "costBudgetNanoUsd": 5_000_000_000_u64,
        "atLimit": "block"
    });
    let (status, budget) = app.say("POST", "/api/budgets", &body).await;
    assert_eq!(status, 201, "{budget}");
    assert_eq!(
        (&budget["usage"]["total"], &budget["blocks"], &budget["provider"]),
        (&json!(OF_A_CALL), &json!(true), &Value::Null)
    );
    let dear = r#"{"messages":[],"model":"gpt-4o-2024-08-06"}"#;
    let reply = refused(&app.ask(post(CHAT_PATH, dear)).await);
    let message = reply["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("the budget “dear” for the day is used up (18 of 10 tokens)"),
        "{message}"
    );
    let other = app.ask(post(CHAT_PATH, CHAT_REQUEST)).await;
    assert_eq!((other.head.status(), &*other.body), (200, CHAT.as_bytes()));

    let app = app.restart().await;
    let path = format!("/api/budgets/{}", budget["id"].as_str().unwrap());
    let again = app.get(&path).await;
    assert_eq!(
        (&again["usage"]["total"], &again["name"]),
        (&json!(2 * OF_A_CALL), &json!("dear"))
    );
    refused(&app.ask(post(CHAT_PATH, dear)).await);
    let (status, _) = app
        .say(
            "PATCH",
            &path,
            &json!({"tokenBudget": null, "costBudgetNanoUsd": null}),
        )
        .await;
    assert_eq!(status, 422);
    let (status, changed) = app
        .say(
            "PATCH",
            &path,
            &json!({"tokenBudget": 1_000, "model": null, "revision": 0}),
        )
        .await;
    assert_eq!((status, &changed["blocks"]), (200, &json!(false)), "{changed}");
    let (status, _) = app
        .say("PATCH", &path, &json!({"name": "x", "revision": 0}))
        .await;
    assert_eq!(status, 409);
    let gone = app.api("DELETE", &path, "", "").await;
    assert_eq!(gone.head.status(), 204);
    assert_eq!(app.get("/api/budgets").await["budgets"], json!([]));
}

#[tokio::test]
async fn what_makes_no_budget_is_refused_with_the_field() {
    let (_upstream, app) = started().await;
    for (body, field) in [
        (json!({"name": "x", "period": "day"}), "tokenBudget"),
        (json!({"name": "x", "period": "year", "tokenBudget": 1}), "period"),
        (json!({"name": " ", "period": "day", "tokenBudget": 1}), "name"),
        (
            json!({"name": "x", "period": "day", "tokenBudget": 0}),
            "tokenBudget",
        ),
        (
            json!({"name": "x", "period": "day", "costBudgetNanoUsd": 0}),
            "costBudgetNanoUsd",
        ),
        (
            json!({"name": "x", "period": "day", "tokenBudget": 1, "model": ""}),
            "model",
        ),
    ] {
        let (status, problem) = app.say("POST", "/api/budgets", &body).await;
        assert_eq!(
            (status, problem["field"].as_str()),
            (422, Some(field)),
            "{problem}"
        );
    }
    for path in [
        "/api/budgets/x",
        "/api/budgets/00000000-0000-0000-0000-000000000000",
    ] {
        let (status, _) = app.say("PATCH", path, &json!({"name": "y"})).await;
        assert_eq!(status, 404);
    }
}

#[tokio::test]
async fn alerts_are_listed_acknowledged_snoozed_and_muted() {
    let (_upstream, app) = started().await;
    let body = json!({"name": "work", "tokenBudget": 20, "budgetCounts": "all"});
    let (_, session) = app.say("POST", "/api/sessions", &body).await;
    app.ask(post(CHAT_PATH, CHAT_REQUEST)).await;
    let live = app.get("/api/live").await;
    let alert = &live["alerts"][0];
    assert_eq!(
        (
            &alert["rule"],
            &alert["level"],
            &alert["severity"],
            &alert["status"]
        ),
        (
            &json!("budget.tokens"),
            &json!(80),
            &json!("warning"),
            &json!("active")
        )
    );
    assert_eq!(
        alert["scope"],
        json!({"kind": "session", "sessionId": session["id"]})
    );
    let path = format!("/api/alerts/{}", alert["id"].as_str().unwrap());
    let later = 4_000_000_000_000_i64;
    let (status, snoozed) = app.say("PATCH", &path, &json!({"snoozedUntil": later})).await;
    assert_eq!(
        (status, &snoozed["status"]),
        (200, &json!("snoozed")),
        "{snoozed}"
    );
    let (_, seen) = app
        .say(
            "PATCH",
            &path,
            &json!({"acknowledged": true, "snoozedUntil": null}),
        )
        .await;
    assert_eq!(seen["status"], "acknowledged");
    let app = app.restart().await;
    let query = format!(
        "/api/alerts?standing=true&rule=budget.tokens&severity=warning&session={}",
        session["id"].as_str().unwrap()
    );
    let listed = app.get(&query).await;
    assert_eq!(listed["alerts"], json!([seen]), "and nothing is told again");
    assert_eq!(app.get("/api/live").await["alerts"], json!([seen]));
    assert_eq!(app.get("/api/alerts?standing=false").await["alerts"], json!([]));

    let (_, rule) = app
        .say("PATCH", "/api/alert-rules/budget.tokens", &json!({"muted": true}))
        .await;
    assert_eq!(rule["muted"], true);
    app.ask(post(CHAT_PATH, CHAT_REQUEST)).await;
    let muted = &app.get("/api/alerts?limit=1").await["alerts"][0];
    assert_eq!(
        (&muted["level"], &muted["status"], &muted["id"]),
        (&json!(100), &json!("muted"), &seen["id"])
    );
    let app = app.restart().await;
    let rules = app.get("/api/alert-rules").await;
    let muted: Vec<&Value> = rules["rules"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|rule| rule["muted"] == true)
        .collect();
    assert_eq!(muted.len(), 1);
    assert_eq!(muted[0]["rule"], "budget.tokens");

    for (path, body, expected) in [
        (&*path, json!({}), 422),
        (&*path, json!({"acknowledge": true}), 422),
        ("/api/alerts/x", json!({"acknowledged": true}), 404),
        (
            "/api/alerts/00000000-0000-0000-0000-000000000000",
            json!({"acknowledged": true}),
            404,
        ),
        ("/api/alert-rules/x", json!({"muted": true}), 404),
    ] {
        assert_eq!(app.say("PATCH", path, &body).await.0, expected, "{path} {body}");
    }
    let foreign = format!(
        "host: {}\norigin: http://evil.example\ncontent-type: application/json",
        app.dashboard()
    );
    let forged = app
        .api("PATCH", &path, &foreign, r#"{"acknowledged":true}"#)
        .await;
    assert_eq!(forged.head.status(), 403);
    let forged = app.api("DELETE", "/api/budgets/x", &foreign, "").await;
    assert_eq!(forged.head.status(), 403);
}
