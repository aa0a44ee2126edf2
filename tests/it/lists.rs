//! Lists over the API: searched, filtered and sorted, page by page.

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

/// A field of every row of a list, page by page.
async fn all(app: &TestApp, list: &str, query: &str, field: &str) -> Vec<Value> {
    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = app.get(&format!("/api/{list}?limit=2&{query}{cursor}")).await;
        found.extend(
            page[list]
                .as_array()
                .unwrap()
                .iter()
                .map(|row| row[field].clone()),
        );
        let Some(next) = page["next"].as_str() else {
            return found;
        };
        cursor = format!("&cursor={next}");
    }
}

#[tokio::test]
async fn sessions_are_found_and_sorted() {
    let (_upstream, mut app) = started().await;
    for (name, tags, calls) in [
        ("Review of Übung", json!(["Rust"]), 1),
        ("write tests", json!(["rust", "web"]), 3),
        ("review again", json!([]), 2),
    ] {
        let (status, session) = app
            .say("POST", "/api/sessions", &json!({"name": name, "tags": tags}))
            .await;
        assert_eq!(status, 201, "{session}");
        for _ in 0..calls {
            app.ask(post_with(CHAT_PATH, "", CHAT_REQUEST)).await;
            app.ended().await;
        }
    }
    let [first, second, third] = ["Review of Übung", "write tests", "review again"];
    let id = app.get("/api/sessions?search=tests").await["sessions"][0]["id"].clone();
    let by_id = format!("id={}", id.as_str().unwrap());
    for (query, expected) in [
        ("", &[third, second, first][..]),
        ("order=asc", &[first, second, third]),
        ("sort=tokens", &[second, third, first]),
        ("sort=tokens&order=asc", &[first, third, second]),
        ("sort=duration", &[first, second, third]),
        ("search=REVIEW", &[third, first]),
        ("search=%C3%BCbung", &[first]),
        ("tag=RUST", &[second, first]),
        ("tag=RUST&search=write", &[second]),
        ("status=active", &[third, second, first]),
        ("status=completed", &[]),
        ("from=9000000000000", &[]),
        (&by_id, &[second]),
    ] {
        assert_eq!(all(&app, "sessions", query, "name").await, expected, "{query}");
    }
    for (query, field) in [
        ("sort=name", "sort"),
        ("order=down", "order"),
        ("status=gone", "status"),
        ("cursor=x", "cursor"),
        ("cursor=1_2_3", "cursor"),
        ("from=today", "from"),
        ("name=x", "name"),
    ] {
        let reply = app.api("GET", &format!("/api/sessions?{query}"), "", "").await;
        let problem: Value = serde_json::from_slice(&reply.body).unwrap();
        assert_eq!(reply.head.status(), 422, "{query}: {problem}");
        assert_eq!(problem["field"], field, "{query}");
    }
}

#[tokio::test]
async fn calls_are_found() {
    let (_upstream, mut app) = started().await;
    let mut ids = Vec::new();
    for client in ["curl/8", "codex_cli_rs/1", "curl/8"] {
        app.ask(post_with(
            CHAT_PATH,
            &format!("user-agent: {client}"),
            CHAT_REQUEST,
        ))
        .await;
        ids.insert(0, app.ended().await["id"].clone());
    }
    let total = app.rows().await[0]["total"].as_u64().unwrap();
    let cost = app.rows().await[0]["costNanoUsd"].as_i64().unwrap();
    let everything = &ids[..];
    for (query, expected) in [
        ("status=2xx".to_owned(), everything),
        ("status=200".to_owned(), everything),
        ("status=4xx".to_owned(), &[]),
        (format!("minTokens={total}&maxTokens={total}"), everything),
        (format!("minTokens={}", total + 1), &[]),
        (format!("minCostNanoUsd={cost}&maxCostNanoUsd={cost}"), everything),
        (format!("minCostNanoUsd={}", cost + 1), &[]),
        (
            "search=CURL&client=curl".to_owned(),
            &[ids[0].clone(), ids[2].clone()],
        ),
        ("search=codex".to_owned(), &ids[1..2]),
        ("search=CHAT.comp".to_owned(), everything),
        ("search=nothing".to_owned(), &[]),
    ] {
        assert_eq!(all(&app, "calls", &query, "id").await, expected, "{query}");
    }
    for (query, field) in [
        ("status=999", "status"),
        ("status=6xx", "status"),
        ("status=xx", "status"),
        ("minTokens=-1", "minTokens"),
        ("maxCostNanoUsd=1.5", "maxCostNanoUsd"),
    ] {
        let reply = app.api("GET", &format!("/api/calls?{query}"), "", "").await;
        let problem: Value = serde_json::from_slice(&reply.body).unwrap();
        assert_eq!(reply.head.status(), 422, "{query}: {problem}");
        assert_eq!(problem["field"], field, "{query}");
    }
    let long = "x".repeat(201);
    let reply = app.api("GET", &format!("/api/calls?search={long}"), "", "").await;
    assert_eq!(reply.head.status(), 422);
}
