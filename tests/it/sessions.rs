//! What can be done with a session over the API, held against the running program.

use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::bodies::{CHAT, CHAT_PATH, CHAT_REQUEST, JSON};
use crate::support::client::post;
use crate::support::upstream::{Gate, Script, Upstream};

const FIVE_HOURS: u64 = 18_000_000;

async fn started() -> (Upstream, TestApp) {
    let upstream = Upstream::start(|_| Script::sized(JSON, CHAT)).await;
    let app = TestApp::start(upstream.address).await;
    (upstream, app)
}

async fn patch(app: &TestApp, id: &str, body: Value) -> (u16, Value) {
    app.say("PATCH", &format!("/api/sessions/{id}"), &body).await
}

#[tokio::test]
async fn a_session_is_described_extended_and_made_current() {
    let (_upstream, app) = started().await;
    let body = json!({
        "name": "work", "duration": 60_000, "tags": ["rust", " rust ", "ü"], "note": "mend it", "onSleep": "count"
    });
    let (status, session) = app.say("POST", "/api/sessions", &body).await;
    assert_eq!(status, 201, "{session}");
    let id = session["id"].as_str().unwrap().to_owned();
    assert_eq!(
        (
            &session["tags"],
            &session["note"],
            &session["onSleep"],
            &session["origin"]
        ),
        (
            &json!(["rust", "ü"]),
            &json!("mend it"),
            &json!("count"),
            &json!("manual")
        )
    );
    let other = app.session("other").await;
    let (status, session) = patch(
        &app,
        &id,
        json!({
            "name": "renamed", "note": null, "tokenBudget": 5, "duration": FIVE_HOURS, "current": true, "tags": [],
            "revision": 0
        }),
    )
    .await;
    assert_eq!(status, 200, "{session}");
    assert_eq!(
        (
            &session["name"],
            &session["note"],
            &session["tokenBudget"],
            &session["tags"]
        ),
        (&json!("renamed"), &Value::Null, &json!(5), &json!([]))
    );
    assert_eq!(
        (&session["duration"], &session["current"], &session["revision"]),
        (&json!(FIVE_HOURS), &json!(true), &json!(1))
    );
    assert_eq!(app.get(&format!("/api/sessions/{other}")).await["current"], false);
    let aside = json!({"name": "aside", "current": false});
    let (status, aside) = app.say("POST", "/api/sessions", &aside).await;
    assert_eq!((status, &aside["current"]), (201, &json!(false)));
    app.ask(post(CHAT_PATH, CHAT_REQUEST)).await;
    assert_eq!(app.row().await["sessionId"], id.as_str());
    let app = app.restart().await;
    let again = app.get(&format!("/api/sessions/{id}")).await;
    for field in [
        "name",
        "note",
        "tags",
        "tokenBudget",
        "duration",
        "onSleep",
        "current",
    ] {
        assert_eq!(again[field], session[field], "{field}");
    }
    let (_, open) = patch(&app, &id, json!({"duration": null, "tokenBudget": null})).await;
    assert_eq!(
        (&open["duration"], &open["tokenBudget"]),
        (&Value::Null, &Value::Null)
    );
}

#[tokio::test]
async fn a_change_that_cannot_be_is_refused_with_its_field() {
    let (_upstream, app) = started().await;
    let id = app.session("s").await;
    let long = "x".repeat(5_000);
    for (body, status, field) in [
        (json!({}), 422, None),
        (json!({"duration": FIVE_HOURS + 1}), 422, Some("duration")),
        (json!({"duration": 0}), 422, Some("duration")),
        (json!({"name": " "}), 422, Some("name")),
        (json!({"note": long}), 422, Some("note")),
        (json!({"tags": [""]}), 422, Some("tags")),
        (json!({"tags": vec!["t"; 21]}), 422, Some("tags")),
        (json!({"tokenBudget": 0}), 422, Some("tokenBudget")),
        (json!({"onSleep": "dream"}), 422, Some("onSleep")),
        (json!({"trim": {"from": 5, "to": 5}}), 422, Some("trim.from")),
        (json!({"trim": {"from": 5, "to": 6}}), 422, Some("trim")),
        (json!({"trim": {"from": 5, "until": 6}}), 422, Some("trim.until")),
        (json!({"untrim": 7}), 422, Some("untrim")),
        (json!({"countGap": 7}), 422, Some("countGap")),
        (json!({"status": "active", "revision": 5}), 409, None),
    ] {
        let (code, problem) = patch(&app, &id, body.clone()).await;
        assert_eq!(
            (code, problem["field"].as_str()),
            (status, field),
            "{body}: {problem}"
        );
        assert_eq!(problem["status"], status);
    }
    let (_, problem) = patch(&app, &id, json!({"duration": FIVE_HOURS + 1})).await;
    assert!(
        problem["detail"].as_str().unwrap().contains("18000000"),
        "{problem}"
    );
    patch(&app, &id, json!({"status": "completed"})).await;
    for body in [
        json!({"duration": 60_000}),
        json!({"current": true}),
        json!({"status": "paused"}),
    ] {
        let (code, problem) = patch(&app, &id, body).await;
        assert_eq!((code, &problem["session"]["status"]), (409, &json!("completed")));
    }
    let (code, named) = patch(&app, &id, json!({"note": "afterwards"})).await;
    assert_eq!((code, &named["note"]), (200, &json!("afterwards")));
}

#[tokio::test]
async fn a_stretch_is_trimmed_and_put_back_also_after_a_restart() {
    let (_upstream, app) = started().await;
    let id = app.session("s").await;
    let path = format!("/api/sessions/{id}");
    // Until the clock shows something to trim.
    while app.get(&path).await["elapsedMs"].as_u64().unwrap() < 20 {}
    let (_, before) = patch(&app, &id, json!({"status": "paused"})).await;
    let all = json!({"trim": {"from": before["startedAt"]}});
    let (code, trimmed) = patch(&app, &id, all.clone()).await;
    assert_eq!(code, 200, "{trimmed}");
    assert_eq!(
        (&trimmed["elapsedMs"], &trimmed["trimmedMs"]),
        (&json!(0), &before["elapsedMs"])
    );
    let (_, again) = patch(&app, &id, all).await;
    assert_eq!(again["revision"], trimmed["revision"], "harmless");
    let app = app.restart().await;
    let told = app.get(&path).await["told"].clone();
    assert_eq!(
        (&told[0]["kind"], &told[0]["ms"], &told[0]["undone"]),
        (&json!("trimmed"), &before["elapsedMs"], &json!(false))
    );
    let (_, back) = patch(&app, &id, json!({"untrim": told[0]["seq"]})).await;
    assert_eq!(
        (&back["elapsedMs"], &back["told"][0]["undone"]),
        (&before["elapsedMs"], &json!(true))
    );
    let kinds = app.get(&format!("{path}/events")).await;
    let kinds: Vec<&str> = kinds["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["started", "paused", "trimmed", "untrimmed"]);
}

#[tokio::test]
async fn a_gap_that_a_restart_left_is_told_and_can_be_counted() {
    let (_upstream, app) = started().await;
    let id = app.session("s").await;
    let app = app.restart().await;
    let stood = app.get(&format!("/api/sessions/{id}")).await;
    let told = &stood["told"][0];
    assert_eq!(
        (&stood["status"], &told["kind"], &told["countable"]),
        (&json!("paused"), &json!("recovered"), &json!(true))
    );
    let (code, counted) = patch(&app, &id, json!({"countGap": told["seq"], "status": "active"})).await;
    assert_eq!((code, &counted["status"]), (200, &json!("active")), "{counted}");
    let least = stood["elapsedMs"].as_u64().unwrap() + told["ms"].as_u64().unwrap();
    assert!(counted["elapsedMs"].as_u64().unwrap() >= least);
    assert_eq!(counted["told"][0]["undone"], true);
}

#[tokio::test]
async fn checkpoints_are_kept_in_order_with_what_was_used() {
    let (_upstream, mut app) = started().await;
    let id = app.session("s").await;
    let path = format!("/api/sessions/{id}/checkpoints");
    let first =
        json!({"phase": " design ", "promptCount": 5, "metadata": {"files": ["a.rs"], "n": 1.5, "é": null}});
    let (code, noted) = app.say("POST", &path, &first).await;
    assert_eq!(code, 201, "{noted}");
    assert_eq!(
        (&noted["phase"], &noted["promptCount"], &noted["metadata"]),
        (&json!("design"), &json!(5), &first["metadata"])
    );
    app.ask(post(CHAT_PATH, CHAT_REQUEST)).await;
    app.row().await;
    let (_, second) = app.say("POST", &path, &json!({"phase": "build"})).await;
    assert_eq!(
        (&second["usage"]["total"], &second["since"]["total"]),
        (&json!(18), &json!(18))
    );
    assert_eq!(
        (&second["promptCount"], &second["metadata"]),
        (&Value::Null, &Value::Null)
    );
    let told = app
        .next(|change| match change {
            moonlock::domain::wire::Change::Checkpoint(view) => Some(serde_json::to_value(view).unwrap()),
            _ => None,
        })
        .await;
    assert_eq!(told, noted, "the event is the answer");
    let app = app.restart().await;
    let (_, third) = app.say("POST", &path, &json!({"phase": "review"})).await;
    assert_eq!(
        (&third["since"]["total"], &third["usage"]["total"]),
        (&json!(0), &json!(18))
    );
    let all = app.get(&path).await;
    assert_eq!(all, json!({"checkpoints": [noted, second, third], "next": null}));
    let page = app.get(&format!("{path}?limit=1")).await;
    let next = page["next"].as_str().unwrap();
    let rest = app.get(&format!("{path}?limit=2&cursor={next}")).await;
    assert_eq!(rest, json!({"checkpoints": [second, third], "next": null}));
    let session = app.get(&format!("/api/sessions/{id}")).await;
    assert_eq!(
        (&session["checkpoints"], &session["lastCheckpoint"]["id"]),
        (&json!(3), &third["id"])
    );
    let deep = (0..20).fold(json!(1), |inner, _| json!({ "a": inner }));
    for (body, field) in [
        (json!({}), "phase"),
        (json!({"phase": ""}), "phase"),
        (json!({"phase": "p", "promptCount": -1}), "promptCount"),
        (json!({"phase": "p", "metadata": [1]}), "metadata"),
        (
            json!({"phase": "p", "metadata": {"a": "x".repeat(17_000)}}),
            "metadata",
        ),
        (json!({"phase": "p", "metadata": deep}), "metadata"),
        (json!({"phase": "p", "prompts": 1}), "prompts"),
    ] {
        let (code, problem) = app.say("POST", &path, &body).await;
        assert_eq!((code, problem["field"].as_str()), (422, Some(field)), "{problem}");
    }
    patch(&app, &id, json!({"status": "completed"})).await;
    let (code, _) = app.say("POST", &path, &json!({"phase": "late"})).await;
    assert_eq!(code, 409);
}

#[tokio::test]
async fn a_report_has_parts_a_price_a_time_and_a_note() {
    let (_upstream, app) = started().await;
    let id = app.session("s").await;
    let path = format!("/api/sessions/{id}/tokens");
    let body = json!({
        "input": 1_000, "cacheRead": 200, "cacheWrite": 30, "output": 400, "reasoning": 100, "tokensUsed": 1_630,
        "model": "gpt-4o-mini", "provider": "openai", "operation": "code review", "note": "by hand", "at": 1_760_000_000_000_u64
    });
    let (code, reported) = app.say("POST", &path, &body).await;
    assert_eq!(
        (code, &reported["tokensUsed"]),
        (201, &json!(1_630)),
        "{reported}"
    );
    let row = app.row().await;
    for (field, value) in [
        ("input", json!(1_000)),
        ("cacheRead", json!(200)),
        ("cacheWrite", json!(30)),
        ("output", json!(400)),
        ("reasoning", json!(100)),
        ("total", json!(1_630)),
        ("source", json!("manual")),
        ("operation", json!("manual")),
        ("model", json!("gpt-4o-mini")),
        ("provider", json!("openai")),
        ("startedAt", json!(1_760_000_000_000_u64)),
    ] {
        assert_eq!(row[field], value, "{field} of {row}");
    }
    assert!(row["costNanoUsd"].as_i64().unwrap() > 0, "priced by the list");
    let own = json!({"tokensUsed": 5, "cost": 0.0125});
    app.say("POST", &path, &own).await;
    let page = app.get(&path).await;
    assert_eq!(
        (
            &page["tokens"][0]["costNanoUsd"],
            &page["tokens"][1]["operation"],
            &page["tokens"][1]["note"]
        ),
        (&json!(12_500_000), &json!("code review"), &json!("by hand"))
    );
    for (body, field) in [
        (json!({"operation": "x"}), "tokensUsed"),
        (json!({"tokensUsed": 1, "input": 2}), "tokensUsed"),
        (json!({"output": 1, "reasoning": 2}), "reasoning"),
        (json!({"tokensUsed": 1, "reasoning": 1}), "reasoning"),
        (json!({"tokensUsed": 1, "cost": "x"}), "cost"),
        (json!({"tokensUsed": 1, "cost": 1, "costNanoUsd": 1}), "cost"),
        (json!({"tokensUsed": 1, "cost": 5_000_000}), "cost"),
        (json!({"tokensUsed": 1, "at": 9_000_000_000_000_u64}), "at"),
        (json!({"tokensUsed": 1, "at": 0}), "at"),
        (json!({"tokensUsed": 1, "provider": ""}), "provider"),
        (json!({"tokensUsed": 1, "idempotencyKey": ""}), "idempotencyKey"),
        (json!([{"tokensUsed": 1}, {"tokensUsed": -1}]), "[1].tokensUsed"),
        (json!([{"tokensUsed": 1}, {"operation": "x"}]), "[1].tokensUsed"),
        (
            json!([{"tokensUsed": 1, "idempotencyKey": "k"}, {"tokensUsed": 1, "idempotencyKey": "k"}]),
            "[1].idempotencyKey",
        ),
    ] {
        let (code, problem) = app.say("POST", &path, &body).await;
        assert_eq!(
            (code, problem["field"].as_str()),
            (422, Some(field)),
            "{body}: {problem}"
        );
    }
    for body in [json!([]), json!(vec![json!({"tokensUsed": 1}); 1_001])] {
        assert_eq!(app.say("POST", &path, &body).await.0, 422);
    }
    assert_eq!(
        app.rows().await.len(),
        2,
        "nothing of a list that is refused is counted"
    );
}

#[tokio::test]
async fn a_report_that_is_said_again_counts_once_also_after_a_restart() {
    let (_upstream, app) = started().await;
    let id = app.session("s").await;
    let path = format!("/api/sessions/{id}/tokens");
    let body = json!({"tokensUsed": 7, "operation": "review", "idempotencyKey": "k1"});
    let (_, first) = app.say("POST", &path, &body).await;
    let (code, again) = app.say("POST", &path, &body).await;
    assert_eq!(
        (code, &again["id"], &again["tokensUsed"]),
        (201, &first["id"], &json!(7))
    );
    let list = json!([{"tokensUsed": 1}, {"tokensUsed": 2, "idempotencyKey": "k2"}]);
    let fields = |key: &str| {
        format!(
            "host: {}\ncontent-type: application/json\nidempotency-key: {key}",
            app.dashboard()
        )
    };
    let keyed = json!([{"tokensUsed": 10}, {"tokensUsed": 20}]).to_string();
    let reply = app.api("POST", &path, &fields("\"batch\""), &keyed).await;
    assert_eq!(
        (reply.head.status(), reply.head.get("idempotency-replayed")),
        (201, None)
    );
    let batch: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(batch["session"]["tokensUsed"], 37);
    let (_, mixed) = app.say("POST", &path, &list).await;
    assert_eq!(mixed["session"]["tokensUsed"], 40);
    let (_, mixed_again) = app.say("POST", &path, &list).await;
    assert_eq!(
        mixed_again["session"]["tokensUsed"], 41,
        "only what has no key counts again"
    );
    assert_eq!(mixed_again["reported"][1], mixed["reported"][1]);

    let app = app.restart().await;
    let fields = format!(
        "host: {}\ncontent-type: application/json\nidempotency-key: batch",
        app.dashboard()
    );
    let reply = app.api("POST", &path, &fields, &keyed).await;
    assert_eq!(reply.head.get("idempotency-replayed"), Some("true"));
    let replayed: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(replayed["reported"], batch["reported"]);
    assert_eq!(app.say("POST", &path, &body).await.1["id"], first["id"]);
    for other in [
        json!({"tokensUsed": 8, "idempotencyKey": "k1"}),
        json!({"tokensUsed": 7, "idempotencyKey": "batch"}),
    ] {
        let (code, problem) = app.say("POST", &path, &other).await;
        assert_eq!(
            (code, &problem["type"], &problem["field"]),
            (
                422,
                &json!("urn:moonlock:problem:key-reused"),
                &json!("idempotencyKey")
            )
        );
    }
    assert_eq!(app.get(&format!("/api/sessions/{id}")).await["tokensUsed"], 41);
    assert_eq!(app.rows().await.len(), 6);
}

#[tokio::test]
async fn the_tokens_of_a_session_are_reconciled_by_source() {
    let gate = Gate::new();
    let wait = gate.clone();
    let upstream = Upstream::start(move |_| {
        Script::new()
            .wait(&wait)
            .head(&format!("{JSON}\ncontent-length: {}", CHAT.len()))
            .send(CHAT)
    })
    .await;
    let mut app = TestApp::start(upstream.address).await;
    let id = app.session("s").await;
    let path = format!("/api/sessions/{id}/tokens");
    patch(&app, &id, json!({"status": "paused"})).await;
    let mut client = app.client().await;
    client.send(post(CHAT_PATH, CHAT_REQUEST)).await;
    app.started().await;
    patch(&app, &id, json!({"status": "completed"})).await;
    gate.open();
    client.reply("POST").await;
    let row = app.ended().await;
    assert_eq!(row["total"], 18);
    assert_eq!(row["sessionId"], id.as_str(), "it belongs where it began");
    app.say(
        "POST",
        &path,
        &json!({"tokensUsed": 5, "at": 1_760_000_000_000_u64}),
    )
    .await;
    let page = app.get(&path).await;
    let reconciled = &page["reconciliation"];
    let sum: u64 = reconciled["bySource"]
        .as_array()
        .unwrap()
        .iter()
        .map(|source| source["tokens"].as_u64().unwrap())
        .sum();
    assert_eq!(reconciled["tokensUsed"], sum);
    let manual = reconciled["bySource"]
        .as_array()
        .unwrap()
        .iter()
        .find(|source| source["source"] == "manual")
        .unwrap();
    assert_eq!((&manual["requests"], &manual["tokens"]), (&json!(1), &json!(5)));
    assert_eq!(reconciled["pausedTokens"], 18);
    let since = async |moment: i64| {
        let page = app.get(&format!("{path}?since={moment}")).await;
        page["tokens"].as_array().unwrap().clone()
    };
    let began = row["startedAt"].as_i64().unwrap();
    let ended = began + row["durationMs"].as_i64().unwrap();
    assert_eq!(
        since(began).await.len(),
        2,
        "what was reported since is new, whenever it was"
    );
    assert_eq!(since(began).await[0]["changedAt"], json!(null));
    let reported = since(began).await[1]["changedAt"].as_i64().unwrap();
    assert!(reported >= ended);
    assert!(since(reported + 1).await.is_empty());
    let app = app.restart().await;
    assert_eq!(app.get(&format!("/api/sessions/{id}")).await["pausedTokens"], 18);
    // A call that is moved here is new here.
    let since = async |moment: i64| {
        let page = app.get(&format!("{path}?since={moment}")).await;
        page["tokens"].as_array().unwrap().clone()
    };
    let other = app.session("other").await;
    let moved = json!({"session": id, "calls": [&row["id"]]});
    let away = json!({"session": other, "calls": [&row["id"]]});
    for order in [&away, &moved] {
        let (status, answer) = app.say("POST", "/api/calls/move", order).await;
        assert_eq!((status, &answer["moved"]), (200, &json!(1)), "{answer}");
    }
    let moved_at = since(began).await[0]["changedAt"].as_i64().unwrap();
    let since_then = since(moved_at).await;
    let moved: Vec<_> = since_then
        .iter()
        .map(|entry| (&entry["id"], &entry["tokensUsed"]))
        .collect();
    assert!(moved.contains(&(&row["id"], &json!(18))), "{since_then:?}");
}

#[tokio::test]
async fn a_session_begins_by_itself_where_that_is_wanted() {
    let upstream = Upstream::start(|_| Script::sized(JSON, CHAT)).await;
    let home = crate::support::app::new_home();
    let settings = std::fs::read_to_string(home.path().join("moonlock.toml")).unwrap();
    let settings = format!("{settings}\n[sessions]\nauto = true\nidle_minutes = 5\n");
    std::fs::write(home.path().join("moonlock.toml"), settings).unwrap();
    let app = TestApp::start_in(home, upstream.address).await;
    app.ask(post(CHAT_PATH, CHAT_REQUEST)).await;
    let id = app.row().await["sessionId"].as_str().unwrap().to_owned();
    let auto = app.get(&format!("/api/sessions/{id}")).await;
    assert_eq!(
        (&auto["origin"], &auto["current"], &auto["tokensUsed"]),
        (&json!("auto"), &json!(true), &json!(18))
    );
    let app = app.restart().await;
    app.ask(post(CHAT_PATH, CHAT_REQUEST)).await;
    let again = app.get(&format!("/api/sessions/{id}")).await;
    assert_eq!(
        (&again["status"], &again["tokensUsed"]),
        (&json!("active"), &json!(36)),
        "the same goes on"
    );
    let own = app.session("own").await;
    let ended = app.get(&format!("/api/sessions/{id}")).await;
    assert_eq!(
        (&ended["status"], &ended["current"]),
        (&json!("completed"), &json!(false))
    );
    app.ask(post(CHAT_PATH, CHAT_REQUEST)).await;
    assert_eq!(app.rows().await[0]["sessionId"], own.as_str());
}
