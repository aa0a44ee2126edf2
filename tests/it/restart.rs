//! Stopped and started again on the same database, it goes on as if nothing had been.

use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::bodies::{
    CHAT, CHAT_PATH, CHAT_REQUEST, EVENTS, JSON, MESSAGE_END, MESSAGE_START, MESSAGES_PATH, MESSAGES_REQUEST,
};
use crate::support::client::{post, post_with};
use crate::support::upstream::{Gate, Script, Upstream};
use crate::support::within;

async fn session(app: &TestApp, id: &str) -> Value {
    app.get(&format!("/api/sessions/{id}")).await
}

fn elapsed(session: &Value) -> u64 {
    session["elapsedMs"].as_u64().unwrap()
}

#[tokio::test]
async fn sessions_sums_and_rows_are_as_they_were() {
    let upstream = Upstream::start(|_| Script::sized(JSON, CHAT)).await;
    let app = TestApp::start(upstream.address).await;
    let paused = app.session("paused").await;
    app.say(
        "PATCH",
        &format!("/api/sessions/{paused}"),
        &json!({"status": "paused"}),
    )
    .await;
    let completed = app.session("completed").await;
    app.say(
        "PATCH",
        &format!("/api/sessions/{completed}"),
        &json!({"status": "completed"}),
    )
    .await;
    let active = app.session("active").await;
    for fields in ["", "x-moonlock-session: paused", "x-moonlock-session: nobody"] {
        app.ask(post_with(CHAT_PATH, fields, CHAT_REQUEST)).await;
    }
    app.say(
        "POST",
        &format!("/api/sessions/{active}/tokens"),
        &json!({"tokensUsed": 5}),
    )
    .await;
    let ids = [&paused, &completed, &active];
    let mut before = Vec::new();
    for id in ids {
        before.push(session(&app, id).await);
    }
    let (rows, live) = (app.rows().await, app.get("/api/live").await);
    let app = app.restart().await;
    for (id, old) in ids.iter().zip(&before) {
        let new = session(&app, id).await;
        for name in [
            "name",
            "current",
            "tokensUsed",
            "usage",
            "createdAt",
            "startedAt",
            "endedAt",
        ] {
            assert_eq!(new[name], old[name], "{name} of {}", old["name"]);
        }
        if old["status"] == "active" {
            // Nobody looked at the clock meanwhile: it stands since the program stopped, and says so.
            assert_eq!(
                (&new["status"], &new["told"][0]["kind"]),
                (&json!("paused"), &json!("recovered"))
            );
            assert!(elapsed(&new) >= elapsed(old));
            assert!(new["told"][0]["ms"].is_u64() && new["told"][0]["countable"] == true);
        } else {
            assert_eq!((&new["status"], elapsed(&new)), (&old["status"], elapsed(old)));
        }
    }
    assert_eq!(app.rows().await, rows);
    let again = app.get("/api/live").await;
    assert_eq!(again["unassigned"], live["unassigned"]);
    assert_eq!(again["calls"], live["calls"]);
    app.ask(post(CHAT_PATH, CHAT_REQUEST)).await;
    assert_eq!(
        app.rows().await[0]["sessionId"],
        active.as_str(),
        "the current session is the same"
    );
    assert_eq!(session(&app, &active).await["tokensUsed"], 18 + 5 + 18);
    let usage = app.get("/api/analytics/usage").await;
    assert_eq!(usage["totals"]["total"], 18 * 4 + 5);
}

#[tokio::test]
async fn a_call_under_way_ends_well_before_the_program_stops() {
    let gate = Gate::new();
    let wait = gate.clone();
    let upstream = Upstream::start(move |_| {
        Script::new()
            .head(&format!("{EVENTS}\ntransfer-encoding: chunked"))
            .chunk(MESSAGE_START)
            .wait(&wait)
            .chunk(MESSAGE_END)
            .end()
    })
    .await;
    let app = TestApp::start(upstream.address).await;
    let (home, address) = (app.home.clone(), upstream.address);
    let mut client = app.client().await;
    client.send(post(MESSAGES_PATH, MESSAGES_REQUEST)).await;
    let mut reply = client.head("POST").await;
    client.body_to(&mut reply, MESSAGE_START.len()).await;
    let ending = async {
        gate.open();
        client.body_to(&mut reply, usize::MAX).await;
    };
    tokio::join!(app.stop(), ending);
    assert!(reply.whole);
    let app = TestApp::start_in(home, address).await;
    let row = app.row().await;
    assert_eq!(
        (&row["outcome"], &row["source"]),
        (&json!("complete"), &json!("exact"))
    );
}

#[tokio::test]
async fn it_stops_though_a_page_is_open() {
    let upstream = Upstream::start(|_| Script::sized(JSON, CHAT)).await;
    let app = TestApp::start(upstream.address).await;
    let url = format!("ws://{}/ws", app.dashboard());
    let (page, _) = within("a WebSocket", tokio_tungstenite::connect_async(url))
        .await
        .unwrap();
    let app = app.restart().await;
    app.ask(post(CHAT_PATH, CHAT_REQUEST)).await;
    app.row().await;
    drop(page);
}

#[tokio::test]
async fn a_session_whose_time_is_up_is_completed_at_its_time() {
    let upstream = Upstream::start(|_| Script::sized(JSON, CHAT)).await;
    let app = TestApp::start(upstream.address).await;
    let (_, created) = app
        .say("POST", "/api/sessions", &json!({"name": "short", "duration": 1}))
        .await;
    let id = created["id"].as_str().unwrap().to_owned();
    let app = app.restart().await;
    let ended = session(&app, &id).await;
    assert_eq!(
        (&ended["status"], &ended["elapsedMs"], &ended["current"]),
        (&json!("completed"), &json!(1), &json!(false))
    );
    // Wall clocks are read in milliseconds, so either may be one off.
    let at = ended["endedAt"].as_i64().unwrap() - ended["startedAt"].as_i64().unwrap();
    assert!((0..=2).contains(&at), "{at} ms");
}

#[tokio::test]
async fn a_session_that_ended_long_ago_still_takes_commands() {
    let upstream = Upstream::start(|_| Script::sized(JSON, CHAT)).await;
    let app = TestApp::start(upstream.address).await;
    let mut ids = Vec::new();
    for number in 0..25 {
        let id = app.session(&format!("work {number}")).await;
        let path = format!("/api/sessions/{id}");
        app.say("PATCH", &path, &json!({"status": "completed"})).await;
        ids.push(id);
    }
    let app = app.restart().await;
    let oldest = format!("/api/sessions/{}", ids[0]);
    let (status, problem) = app.say("PATCH", &oldest, &json!({"status": "active"})).await;
    assert_eq!((status, &problem["session"]["name"]), (409, &json!("work 0")));
    let tokens = json!({"tokensUsed": 7, "operation": "review"});
    let (status, reported) = app.say("POST", &format!("{oldest}/tokens"), &tokens).await;
    assert_eq!((status, &reported["session"]["tokensUsed"]), (201, &json!(7)));
    let again = app.restart().await;
    assert_eq!(session(&again, &ids[0]).await["tokensUsed"], 7);
}
