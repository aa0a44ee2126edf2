//! Calls are put where they belong afterwards: the session's sums, the roll-ups and the rows follow, also over a restart.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::bodies::{CHAT, CHAT_PATH, CHAT_REQUEST, JSON};
use crate::support::client::{post, post_with};
use crate::support::upstream::{Gate, Script, Upstream};
use moonlock::domain::wire::Change;

async fn started() -> (Upstream, TestApp) {
    let upstream = Upstream::start(|_| Script::sized(JSON, CHAT)).await;
    let app = TestApp::start(upstream.address).await;
    (upstream, app)
}

async fn calls(app: &mut TestApp, fields: &str, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for _ in 0..count {
        app.ask(post_with(CHAT_PATH, fields, CHAT_REQUEST)).await;
        ids.push(app.ended().await["id"].as_str().unwrap().to_owned());
    }
    ids
}

async fn moved(app: &TestApp, body: &Value) -> Value {
    let (status, answer) = app.say("POST", "/api/calls/move", body).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

/// Requests and tokens by session (`""` is *Unassigned*), in the rows.
fn of_rows(rows: &[Value]) -> BTreeMap<String, (u64, u64)> {
    let mut sums: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for row in rows {
        let session = row["sessionId"].as_str().unwrap_or_default().to_owned();
        let sum = sums.entry(session).or_default();
        *sum = (sum.0 + 1, sum.1 + row["total"].as_u64().unwrap_or(0));
    }
    sums
}

/// Holds the live sums and the roll-ups against the rows, which it gives.
async fn consistent(app: &TestApp) -> BTreeMap<String, (u64, u64)> {
    let mut rows = app.rows().await;
    rows.retain(|row| row["outcome"] != "running");
    let sums = of_rows(&rows);
    let pair = |totals: &Value| {
        (
            totals["requests"].as_u64().unwrap(),
            totals["total"].as_u64().unwrap(),
        )
    };
    let usage = app.get("/api/analytics/usage?period=all&groupBy=session").await;
    let groups = usage["groups"].as_array().unwrap();
    let rolled: BTreeMap<String, (u64, u64)> = groups
        .iter()
        .filter(|group| group["requests"] != 0)
        .map(|group| {
            (
                group["session"].as_str().unwrap_or_default().to_owned(),
                pair(group),
            )
        })
        .collect();
    assert_eq!(rolled, sums, "roll-ups");
    let live = app.get("/api/live").await;
    assert_eq!(
        pair(&live["unassigned"]),
        sums.get("").copied().unwrap_or_default()
    );
    let sessions = app.get("/api/sessions").await;
    for session in sessions["sessions"].as_array().unwrap() {
        let expected = sums.get(session["id"].as_str().unwrap()).copied();
        assert_eq!(
            pair(&session["usage"]),
            expected.unwrap_or_default(),
            "{session:#}"
        );
    }
    sums
}

#[tokio::test]
async fn calls_move_with_their_sums_and_stay_there() {
    let (_upstream, mut app) = started().await;
    let lost = calls(&mut app, "", 3).await;
    let one = app.session("one").await;
    let other = app.session("other").await;
    let by_name = "x-moonlock-session: one\nsession_id: thread\nuser-agent: curl/8";
    let named = calls(&mut app, by_name, 4).await;
    calls(&mut app, "", 2).await;

    let answer = moved(
        &app,
        &json!({"calls": [lost[0], lost[1], lost[0]], "session": one}),
    )
    .await;
    assert_eq!((&answer["moved"], &answer["more"]), (&json!(2), &json!(false)));
    assert_eq!(answer["unassigned"]["requests"], 1);
    assert_eq!(answer["sessions"][0]["usage"]["requests"], 6);
    let (calls, from, to) = app
        .next(|change| match change {
            Change::CallsMoved { calls, from, to, .. } => Some((calls.clone(), *from, *to)),
            _ => None,
        })
        .await;
    assert_eq!(
        calls.iter().map(ToString::to_string).collect::<Vec<_>>(),
        lost[..2]
    );
    assert_eq!((from, to.map(|to| to.to_string())), (None, Some(one.clone())));
    let again = moved(&app, &json!({"calls": [lost[0]], "session": one})).await;
    assert_eq!(again["moved"], 0, "it is there already");
    assert_eq!(consistent(&app).await[&one], (6, 108));

    let thread = json!({"conversation": "thread", "client": "curl", "fromSession": one, "session": other});
    assert_eq!(moved(&app, &thread).await["moved"], 4);
    assert_eq!(moved(&app, &thread).await["moved"], 0);
    let answer = moved(&app, &json!({"from": 0, "fromSession": one, "session": null})).await;
    assert_eq!(answer["moved"], 2);
    let expected = BTreeMap::from([(String::new(), (3, 54)), (other.clone(), (6, 108))]);
    assert_eq!(consistent(&app).await, expected);
    let rows = app.rows().await;
    for row in &rows {
        let is_moved = named.iter().chain(&lost[..2]).any(|id| row["id"] == **id);
        assert_eq!(row["attribution"] == "moved", is_moved, "{row:#}");
        let live = app.get("/api/live").await;
        assert!(
            live["calls"].as_array().unwrap().contains(row),
            "the live calls are the same"
        );
    }
    let app = app.restart().await;
    assert_eq!(consistent(&app).await, expected);
    assert_eq!(app.rows().await, rows);
}

#[tokio::test]
async fn calls_of_long_ago_and_of_sessions_of_long_ago_move_too() {
    let (_upstream, mut app) = started().await;
    let old = app.session("old").await;
    calls(&mut app, "", 5).await;
    app.say(
        "PATCH",
        &format!("/api/sessions/{old}"),
        &json!({"status": "completed"}),
    )
    .await;
    // Later sessions, so that the old one and its calls are no longer held live after a restart.
    for n in 0..25 {
        let id = app.session(&format!("later {n}")).await;
        app.say(
            "PATCH",
            &format!("/api/sessions/{id}"),
            &json!({"status": "completed"}),
        )
        .await;
    }
    let mut client = app.client().await;
    for _ in 0..110 {
        client.send(post(CHAT_PATH, CHAT_REQUEST)).await;
        client.reply("POST").await;
    }
    let app = app.restart().await;
    let new = app.session("new").await;
    let answer = moved(&app, &json!({"fromSession": old, "session": new})).await;
    assert_eq!(answer["moved"], 5);
    assert_eq!(
        moved(&app, &json!({"fromSession": null, "session": old})).await["moved"],
        110
    );
    let expected = BTreeMap::from([(new, (5, 90)), (old, (110, 1980))]);
    assert_eq!(consistent(&app).await, expected);
    let app = app.restart().await;
    assert_eq!(of_rows(&app.rows().await), expected);
    consistent(&app).await;
}

#[tokio::test]
async fn a_running_call_moves_and_ends_where_it_was_moved() {
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
    let target = app.session("target").await;
    let paused = app.session("paused").await;
    app.say(
        "PATCH",
        &format!("/api/sessions/{paused}"),
        &json!({"status": "paused"}),
    )
    .await;
    let mut client = app.client().await;
    client.send(post(CHAT_PATH, CHAT_REQUEST)).await;
    let id = app.started().await["id"].clone();
    assert_eq!(
        moved(&app, &json!({"calls": [id], "session": target})).await["moved"],
        1
    );
    let running = app.running().await;
    assert_eq!(
        (&running[0]["sessionId"], &running[0]["attribution"]),
        (&json!(target), &json!("moved"))
    );
    gate.open();
    client.reply("POST").await;
    assert_eq!(app.ended().await["sessionId"], target.as_str());

    // One that ended while its session was paused takes its note along.
    client.send(post(CHAT_PATH, CHAT_REQUEST)).await;
    app.started().await;
    gate.open();
    client.reply("POST").await;
    let id = app.ended().await["id"].clone();
    let path = format!("/api/sessions/{paused}");
    assert_eq!(app.get(&path).await["pausedTokens"], 18);
    moved(&app, &json!({"calls": [id], "session": target})).await;
    assert_eq!(app.get(&path).await["pausedTokens"], 0);
    let app = app.restart().await;
    assert_eq!(app.get(&path).await["pausedTokens"], 0);
    assert_eq!(consistent(&app).await, BTreeMap::from([(target, (2, 36))]));
}

#[tokio::test]
async fn what_cannot_be_moved_is_refused_by_its_field_and_nothing_is_moved() {
    let (_upstream, mut app) = started().await;
    let ids = calls(&mut app, "", 1).await;
    let session = app.session("one").await;
    let nobody = "01890000-0000-7000-8000-000000000000";
    let many = vec![ids[0].clone(); 1001];
    for (body, field) in [
        (json!({"calls": [ids[0]]}), "session"),
        (json!({"calls": [ids[0]], "session": nobody}), "session"),
        (json!({"calls": [ids[0]], "session": "one"}), "session"),
        (json!({"calls": [ids[0], nobody], "session": session}), "calls[1]"),
        (json!({"calls": [ids[0], "x"], "session": session}), "calls[1]"),
        (json!({"calls": many, "session": session}), "calls"),
        (json!({"session": session}), "calls"),
        (
            json!({"calls": [ids[0]], "client": "curl", "session": session}),
            "calls",
        ),
        (json!({"fromSession": nobody, "session": session}), "fromSession"),
    ] {
        let (status, problem) = app.say("POST", "/api/calls/move", &body).await;
        assert_eq!(
            (status, &problem["field"]),
            (422, &json!(field)),
            "{body} {problem}"
        );
    }
    assert_eq!(
        moved(&app, &json!({"calls": [], "session": session})).await["moved"],
        0
    );
    assert_eq!(consistent(&app).await, BTreeMap::from([(String::new(), (1, 18))]));
}
