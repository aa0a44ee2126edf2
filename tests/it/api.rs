//! The REST API over the wire.

use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::bodies::{
    CHAT, CHAT_PATH, CHAT_REQUEST, EVENTS, JSON, MESSAGES_PATH, MESSAGES_REQUEST, message_stream,
};
use crate::support::client::{Client, post, post_with};
use crate::support::upstream::{Script, Upstream};

async fn started() -> (Upstream, TestApp) {
    let upstream = Upstream::start(|request| {
        let path = request.head.line.split(' ').nth(1).unwrap().to_owned();
        match path.as_str() {
            "/v1/messages" => Script::sized(EVENTS, message_stream()),
            "/fail/chat/completions" => Script::sized("429 No\ncontent-type: application/json", "{}"),
            _ => Script::sized(JSON, CHAT),
        }
    })
    .await;
    let app = TestApp::start(upstream.address).await;
    (upstream, app)
}

#[tokio::test]
async fn a_session_is_created_read_paused_resumed_and_completed() {
    let (_upstream, app) = started().await;
    let body = json!({"name": "  Refactor ü  ", "duration": 7_200_000, "tokenBudget": 50_000}).to_string();
    let fields = format!(
        "host: {}\ncontent-type: application/json; charset=utf-8",
        app.dashboard()
    );
    let reply = app.api("POST", "/api/sessions", &fields, &body).await;
    assert_eq!(reply.head.status(), 201);
    let session: Value = serde_json::from_slice(&reply.body).unwrap();
    let path = format!("/api/sessions/{}", session["id"].as_str().unwrap());
    assert_eq!(reply.head.get("location"), Some(&*path));
    assert_eq!(session["name"], "Refactor ü");
    assert_eq!(session["status"], "active");
    assert_eq!(
        (&session["duration"], &session["tokenBudget"]),
        (&json!(7_200_000), &json!(50_000))
    );
    assert_eq!(
        (&session["current"], &session["tokensUsed"]),
        (&json!(true), &json!(0))
    );
    let mut revision = session["revision"].as_u64().unwrap();
    for (status, changes) in [
        ("paused", true),
        ("paused", false),
        ("active", true),
        ("active", false),
        ("completed", true),
        ("completed", false),
    ] {
        let (code, changed) = app.say("PATCH", &path, &json!({"status": status})).await;
        assert_eq!(code, 200, "{changed}");
        assert_eq!(changed["status"], status);
        revision += u64::from(changes);
        assert_eq!(changed["revision"], revision, "{status} again changes nothing");
    }
    let ended = app.get(&path).await;
    assert!(ended["endedAt"].is_i64() && ended["current"] == false);
    let (code, problem) = app.say("PATCH", &path, &json!({"status": "active"})).await;
    assert_eq!(
        (code, &problem["type"]),
        (409, &json!("urn:moonlock:problem:completed"))
    );
    assert_eq!(problem["session"]["status"], "completed", "as it is now");
    let listed = app.get("/api/sessions").await;
    assert_eq!(listed["sessions"][0]["id"], session["id"]);
}

#[tokio::test]
async fn a_change_of_a_stale_session_is_refused_with_the_session_as_it_is() {
    let (_upstream, app) = started().await;
    let id = app.session("s").await;
    let path = format!("/api/sessions/{id}");
    let etag = app
        .api("GET", &path, "", "")
        .await
        .head
        .get("etag")
        .unwrap()
        .to_owned();
    let fields = |tag: &str| {
        format!(
            "host: {}\ncontent-type: application/json\nif-match: {tag}",
            app.dashboard()
        )
    };
    let pause = json!({"status": "paused"}).to_string();
    assert_eq!(
        app.api("PATCH", &path, &fields(&etag), &pause)
            .await
            .head
            .status(),
        200
    );
    let reply = app.api("PATCH", &path, &fields(&etag), &pause).await;
    assert_eq!(reply.head.status(), 409);
    let problem: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(problem["type"], "urn:moonlock:problem:stale");
    assert_eq!(
        (&problem["session"]["id"], &problem["session"]["status"]),
        (&json!(id), &json!("paused"))
    );
    assert_eq!(
        app.api("PATCH", &path, &fields("*"), &pause).await.head.status(),
        200
    );
    let (code, _) = app
        .say("PATCH", &path, &json!({"status": "active", "revision": 99}))
        .await;
    assert_eq!(code, 409);
    assert_eq!(
        app.api("PATCH", &path, &fields("\"x\""), &pause)
            .await
            .head
            .status(),
        422
    );
}

#[tokio::test]
async fn errors_are_problems_that_name_the_field() {
    let (_upstream, app) = started().await;
    let id = app.session("s").await;
    let session = format!("/api/sessions/{id}");
    let tokens = format!("{session}/tokens");
    let long = "x".repeat(500);
    for (method, path, body, status, field) in [
        ("POST", "/api/sessions", json!({}), 422, Some("name")),
        ("POST", "/api/sessions", json!({"name": ""}), 422, Some("name")),
        ("POST", "/api/sessions", json!({"name": "  "}), 422, Some("name")),
        ("POST", "/api/sessions", json!({"name": long}), 422, Some("name")),
        ("POST", "/api/sessions", json!({"name": 5}), 422, Some("name")),
        (
            "POST",
            "/api/sessions",
            json!({"name": "a", "duration": 0}),
            422,
            Some("duration"),
        ),
        (
            "POST",
            "/api/sessions",
            json!({"name": "a", "duration": -1}),
            422,
            Some("duration"),
        ),
        (
            "POST",
            "/api/sessions",
            json!({"name": "a", "duration": 1.5}),
            422,
            Some("duration"),
        ),
        (
            "POST",
            "/api/sessions",
            json!({"name": "a", "duration": 18_000_001}),
            422,
            Some("duration"),
        ),
        (
            "POST",
            "/api/sessions",
            json!({"name": "a", "tokenBudget": 0}),
            422,
            Some("tokenBudget"),
        ),
        (
            "POST",
            "/api/sessions",
            json!({"name": "a", "tokenBudget": "many"}),
            422,
            Some("tokenBudget"),
        ),
        (
            "POST",
            "/api/sessions",
            json!({"name": "a", "tokenBudgt": 1}),
            422,
            Some("tokenBudgt"),
        ),
        ("POST", "/api/sessions", json!(["a"]), 422, None),
        ("PATCH", &session, json!({}), 422, None),
        (
            "PATCH",
            &session,
            json!({"status": "stopped"}),
            422,
            Some("status"),
        ),
        (
            "PATCH",
            &session,
            json!({"status": "active", "revision": -1}),
            422,
            Some("revision"),
        ),
        ("POST", &tokens, json!({}), 422, Some("tokensUsed")),
        (
            "POST",
            &tokens,
            json!({"tokensUsed": -1}),
            422,
            Some("tokensUsed"),
        ),
        (
            "POST",
            &tokens,
            json!({"tokensUsed": "5"}),
            422,
            Some("tokensUsed"),
        ),
        (
            "POST",
            &tokens,
            json!({"tokensUsed": u64::MAX}),
            422,
            Some("tokensUsed"),
        ),
        (
            "POST",
            &tokens,
            json!({"tokensUsed": 1, "operation": long}),
            422,
            Some("operation"),
        ),
        ("GET", "/api/calls?limit=0", json!(null), 422, Some("limit")),
        ("GET", "/api/calls?limit=x", json!(null), 422, Some("limit")),
        ("GET", "/api/calls?cursor=x", json!(null), 422, Some("cursor")),
        (
            "GET",
            "/api/calls?outcome=good",
            json!(null),
            422,
            Some("outcome"),
        ),
        ("GET", "/api/calls?sesion=1", json!(null), 422, Some("sesion")),
        (
            "GET",
            "/api/analytics/usage?period=fortnight",
            json!(null),
            422,
            Some("period"),
        ),
        (
            "GET",
            "/api/analytics/usage?groupBy=planet",
            json!(null),
            422,
            Some("groupBy"),
        ),
        ("GET", "/api/sessions/not-a-uuid", json!(null), 404, None),
        ("GET", "/api/calls/not-a-uuid", json!(null), 404, None),
        (
            "GET",
            "/api/sessions/01890000-0000-7000-8000-000000000000",
            json!(null),
            404,
            None,
        ),
        ("GET", "/api/nothing", json!(null), 404, None),
        ("GET", "/api", json!(null), 404, None),
        ("GET", "/api/", json!(null), 404, None),
        ("DELETE", "/api/sessions", json!(null), 405, None),
        ("POST", "/api/live", json!({}), 405, None),
    ] {
        let fields = format!("host: {}\ncontent-type: application/json", app.dashboard());
        let reply = app.api(method, path, &fields, &body.to_string()).await;
        let text = String::from_utf8_lossy(&reply.body);
        assert_eq!(reply.head.status(), status, "{method} {path} {body}: {text}");
        assert_eq!(
            reply.head.get("content-type"),
            Some("application/problem+json"),
            "{path}"
        );
        let problem: Value = serde_json::from_slice(&reply.body).unwrap();
        assert_eq!(problem["field"].as_str(), field, "{method} {path} {body}: {text}");
        assert_eq!(problem["status"], status);
        assert!(
            problem["type"]
                .as_str()
                .unwrap()
                .starts_with("urn:moonlock:problem:")
        );
        assert!(!problem["detail"].as_str().unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_body_must_say_that_it_is_json_and_be_json() {
    let (_upstream, app) = started().await;
    let host = app.dashboard();
    for (kind, body, status) in [
        ("text/plain", "{\"name\":\"a\"}", 415),
        ("application/x-www-form-urlencoded", "name=a", 415),
        ("", "{\"name\":\"a\"}", 415),
        ("application/json", "{\"name\":", 400),
        ("application/json", "", 400),
        ("application/json", "{\"name\":\"a\"} x", 400),
        (
            "application/json",
            &format!("{{\"name\":\"{}\"}}", "a".repeat(70_000)),
            413,
        ),
    ] {
        let kind = if kind.is_empty() {
            String::new()
        } else {
            format!("\ncontent-type: {kind}")
        };
        let reply = app
            .api("POST", "/api/sessions", &format!("host: {host}{kind}"), body)
            .await;
        assert_eq!(reply.head.status(), status, "{kind} {body:.20}");
        assert_eq!(reply.head.get("content-type"), Some("application/problem+json"));
    }
    assert_eq!(app.get("/api/sessions").await["sessions"], json!([]));
}

#[tokio::test]
async fn tokens_reported_by_hand_are_counted_and_listed() {
    let (_upstream, mut app) = started().await;
    let id = app.session("s").await;
    let path = format!("/api/sessions/{id}/tokens");
    let (status, reported) = app
        .say(
            "POST",
            &path,
            &json!({"tokensUsed": 1500, "operation": "code_generation"}),
        )
        .await;
    assert_eq!(status, 201);
    assert_eq!(
        (&reported["tokensUsed"], &reported["session"]["tokensUsed"]),
        (&json!(1500), &json!(1500))
    );
    let row = app.ended().await;
    assert_eq!(
        (&row["source"], &row["attribution"], &row["total"]),
        (&json!("manual"), &json!("manual"), &json!(1500))
    );
    app.ask(post(CHAT_PATH, CHAT_REQUEST)).await;
    let listed = app.get(&path).await;
    let listed = listed["tokens"].as_array().unwrap();
    let entries: Vec<_> = listed
        .iter()
        .map(|entry| (entry["tokensUsed"].as_u64(), entry["operation"].as_str()))
        .collect();
    assert_eq!(
        entries,
        [
            (Some(18), Some("chat.completions")),
            (Some(1500), Some("code_generation"))
        ]
    );
    assert_eq!(app.get(&format!("/api/sessions/{id}")).await["tokensUsed"], 1518);
    let (status, _) = app
        .say(
            "POST",
            "/api/sessions/01890000-0000-7000-8000-000000000000/tokens",
            &json!({"tokensUsed": 1}),
        )
        .await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn calls_are_paged_and_filtered() {
    let (_upstream, app) = started().await;
    let session = app.session("s").await;
    for n in 0..12 {
        match n % 3 {
            0 => app.ask(post(CHAT_PATH, CHAT_REQUEST)).await,
            1 => {
                app.ask(post_with(
                    MESSAGES_PATH,
                    "x-moonlock-session: nobody",
                    MESSAGES_REQUEST,
                ))
                .await
            }
            _ => app.ask(post("/openai/fail/chat/completions", CHAT_REQUEST)).await,
        };
    }
    let all = app.rows().await;
    assert_eq!(all.len(), 12);
    let started: Vec<i64> = all.iter().map(|row| row["startedAt"].as_i64().unwrap()).collect();
    assert!(
        started.is_sorted_by(|newer, older| newer >= older),
        "newest first"
    );
    let mut paged = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = app.get(&format!("/api/calls?limit=5{cursor}")).await;
        paged.extend(page["calls"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(paged, all);
    for (filter, count) in [
        ("provider=openai", 8),
        ("provider=anthropic", 4),
        ("provider=nobody", 0),
        ("outcome=complete", 8),
        ("outcome=upstream_error", 4),
        ("outcome=running", 0),
        ("source=exact", 8),
        ("operation=messages", 4),
        ("model=gpt-4o-2024-08-06", 4),
        ("session=unassigned", 4),
        (&format!("session={session}"), 8),
        (&format!("session={session}&outcome=complete"), 4),
        (&format!("from={}", i64::MAX), 0),
        ("to=1000", 0),
        (&format!("from={}", started[11]), 12),
    ] {
        let page = app.get(&format!("/api/calls?{filter}")).await;
        assert_eq!(page["calls"].as_array().unwrap().len(), count, "{filter}");
        assert_eq!(page["next"], Value::Null);
    }
}

#[tokio::test]
async fn usage_is_the_sum_of_the_rows() {
    let (_upstream, app) = started().await;
    app.session("s").await;
    for n in 0..9 {
        match n % 3 {
            0 => app.ask(post(CHAT_PATH, CHAT_REQUEST)).await,
            1 => {
                app.ask(post_with(
                    MESSAGES_PATH,
                    "x-moonlock-session: nobody",
                    MESSAGES_REQUEST,
                ))
                .await
            }
            _ => app.ask(post("/openai/fail/chat/completions", CHAT_REQUEST)).await,
        };
    }
    let rows = app.rows().await;
    let sum = |rows: &[&Value], name: &str| rows.iter().filter_map(|row| row[name].as_u64()).sum::<u64>();
    let sums = ["input", "cacheRead", "cacheWrite", "output", "reasoning", "total"];
    for period in ["all", "day", "week", "month", "year", "hour"] {
        for group_by in [
            "provider,model",
            "session",
            "outcome",
            "source,operation",
            "client",
        ] {
            let usage = app
                .get(&format!(
                    "/api/analytics/usage?period={period}&groupBy={group_by}"
                ))
                .await;
            let mut counted = 0;
            for group in usage["groups"].as_array().unwrap() {
                let members: Vec<&Value> = rows
                    .iter()
                    .filter(|row| {
                        group_by.split(',').all(|key| {
                            let column = if key == "session" { "sessionId" } else { key };
                            row[column] == group[key]
                        })
                    })
                    .collect();
                assert_eq!(group["requests"], members.len(), "{period} {group}");
                counted += members.len();
                for name in sums {
                    assert_eq!(group[name], sum(&members, name), "{period} {name} of {group}");
                }
                let costs: Vec<i64> = members
                    .iter()
                    .filter_map(|row| row["costNanoUsd"].as_i64())
                    .collect();
                let cost = (!costs.is_empty()).then(|| costs.iter().sum::<i64>());
                assert_eq!(group["costNanoUsd"].as_i64(), cost, "{period} {group}");
            }
            assert_eq!(counted, rows.len(), "{period} {group_by}");
            assert_eq!(usage["totals"]["requests"], rows.len());
            assert_eq!(usage["totals"]["errors"], 3);
            let all: Vec<&Value> = rows.iter().collect();
            assert_eq!(usage["totals"]["total"], sum(&all, "total"));
        }
    }
}

#[tokio::test]
async fn health_says_that_all_is_well() {
    let (_upstream, app) = started().await;
    app.session("s").await;
    let health = app.get("/api/health").await;
    assert_eq!(health["status"], "ok");
    assert_eq!(health["proxyUrl"], format!("http://{}", app.proxy()));
    assert!(health["store"]["commits"].as_u64().unwrap() > 0);
    assert_eq!(health["store"]["lost"], 0);
}

#[tokio::test]
async fn other_sites_are_kept_out() {
    let (_upstream, app) = started().await;
    let here = app.dashboard();
    let body = json!({"name": "evil"}).to_string();
    let json_type = "content-type: application/json";
    for (method, path, fields) in [
        ("GET", "/api/live", "host: evil.com".to_owned()),
        ("GET", "/", "host: evil.com:3001".to_owned()),
        ("POST", "/api/sessions", format!("host: evil.com\n{json_type}")),
        (
            "POST",
            "/api/sessions",
            format!("host: {here}\norigin: http://evil.com\n{json_type}"),
        ),
        (
            "POST",
            "/api/sessions",
            format!("host: {here}\norigin: null\n{json_type}"),
        ),
        (
            "POST",
            "/api/sessions",
            format!("host: {here}\nsec-fetch-site: cross-site\n{json_type}"),
        ),
        (
            "GET",
            "/api/calls",
            format!("host: {here}\nsec-fetch-site: same-site"),
        ),
    ] {
        let reply = app.api(method, path, &fields, &body).await;
        assert_eq!(reply.head.status(), 403, "{method} {path} {fields}");
        assert_eq!(reply.head.get("access-control-allow-origin"), None);
    }
    assert_eq!(
        app.get("/api/sessions").await["sessions"],
        json!([]),
        "nothing was done"
    );
    let upgrade = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==";
    for (fields, status) in [
        (format!("host: {here}\r\norigin: http://evil.com"), 403),
        ("host: evil.com".to_owned(), 403),
        (format!("host: {here}\r\norigin: http://{here}"), 101),
        (format!("host: {here}"), 101),
    ] {
        let mut client = Client::connect(here).await;
        client
            .send(format!("GET /ws HTTP/1.1\r\n{fields}\r\n{upgrade}\r\n\r\n"))
            .await;
        assert_eq!(client.head("GET").await.head.status(), status, "{fields}");
    }
}

#[tokio::test]
async fn tools_are_told_this_machines_address() {
    let (_upstream, app) = started().await;
    let here = format!("http://{}", app.proxy());
    let connect = app.get("/api/connect?session=my%20work").await;
    let base = format!("{here}/s/my%20work");
    assert_eq!(connect["proxyUrl"], base);
    assert_eq!(
        connect["variables"]["ANTHROPIC_BASE_URL"],
        format!("{base}/anthropic")
    );
    // What is said leads where it should.
    let id = app.session("my work").await;
    let path = connect["variables"]["OPENAI_BASE_URL"].as_str().unwrap();
    let path = format!("{}/chat/completions", path.strip_prefix(&here).unwrap());
    assert_eq!(app.ask(post(&path, CHAT_REQUEST)).await.head.status(), 200);
    assert_eq!(app.row().await["sessionId"], json!(id));
    let plain = app.get("/api/connect").await;
    assert_eq!(
        plain["tools"][0]["text"],
        format!("export ANTHROPIC_BASE_URL={here}/anthropic")
    );
}

#[tokio::test]
async fn usage_is_split_by_the_viewers_clock() {
    let (_upstream, app) = started().await;
    let session = app.session("s").await;
    let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_millisecond();
    // Berlin's longest day of 2025: 25 hours, from 22:00 UTC the evening before.
    let reports = json!([
        {"tokensUsed": 1, "operation": "x", "at": at("2025-10-25T21:59:59Z")},
        {"tokensUsed": 2, "operation": "x", "at": at("2025-10-25T22:00:00Z")},
        {"tokensUsed": 4, "operation": "x", "at": at("2025-10-26T22:59:59Z")},
        {"tokensUsed": 8, "operation": "x", "at": at("2025-10-26T23:00:00Z")},
    ]);
    let path = format!("/api/sessions/{session}/tokens");
    let (status, answer) = app.say("POST", &path, &reports).await;
    assert_eq!(status, 201, "{answer}");
    app.until_rows(4).await;
    let split = async |query: &str, name: &str| {
        let usage = app.get(&format!("/api/analytics/usage?{query}")).await;
        let groups = usage["groups"].as_array().unwrap().clone();
        let pick = |group: &Value| (group[name].clone(), group["total"].as_u64().unwrap());
        groups.iter().map(pick).collect::<Vec<_>>()
    };
    assert_eq!(
        split("groupBy=day&timeZone=Europe/Berlin", "day").await,
        [
            (json!("2025-10-25"), 1),
            (json!("2025-10-26"), 6),
            (json!("2025-10-27"), 8)
        ]
    );
    assert_eq!(
        split("groupBy=weekday&timeZone=Asia/Kathmandu", "weekday").await,
        [(json!(1), 12), (json!(7), 3)],
        "a quarter of an hour beside the half hours"
    );
    assert_eq!(
        split("groupBy=hourOfDay&timeZone=UTC", "hourOfDay").await,
        [(json!(21), 1), (json!(22), 6), (json!(23), 8)]
    );
}
