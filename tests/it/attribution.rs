//! Which session a call belongs to: what it says itself, else its conversation's, else the active session, else none.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::bodies::{CHAT, CHAT_REQUEST, EVENTS, JSON, MESSAGES_PATH, message_stream};
use crate::support::client::{post, post_with};
use crate::support::upstream::{Gate, Script, Upstream};

const REST: &str = "openai/v1/chat/completions";

async fn started() -> (Upstream, TestApp) {
    let upstream = Upstream::start(|_| Script::sized(JSON, CHAT)).await;
    let app = TestApp::start(upstream.address).await;
    (upstream, app)
}

async fn call(app: &mut TestApp, prefix: &str, fields: &str) -> Value {
    let reply = app
        .ask(post_with(&format!("{prefix}/{REST}"), fields, CHAT_REQUEST))
        .await;
    assert_eq!(
        reply.head.status(),
        200,
        "a name that leads nowhere fails no call"
    );
    app.ended().await
}

#[tokio::test]
async fn the_header_beats_the_path_which_beats_the_active_session() {
    let (mut upstream, mut app) = started().await;
    let row = call(&mut app, "", "").await;
    assert_eq!(
        (&row["sessionId"], &row["attribution"]),
        (&Value::Null, &json!("unassigned"))
    );
    assert_eq!(row["askedSession"], Value::Null);
    let by_header = app.session("header one").await;
    let by_path = app.session("path/one ü").await;
    let active = app.session("active").await;
    let path = "/s/path%2Fone%20%C3%BC";
    for (prefix, fields, session, attribution) in [
        ("", "", &active, "active"),
        (path, "", &by_path, "path"),
        (path, "x-moonlock-session: header one", &by_header, "header"),
        ("", "X-Moonlock-Session:   header one  ", &by_header, "header"),
        (&format!("/s/{by_path}"), "", &by_path, "path"),
        (
            "",
            &format!("x-moonlock-session: {by_header}"),
            &by_header,
            "header",
        ),
        ("", "x-moonlock-session: path/one ü", &by_path, "header"),
        (path, "x-moonlock-session:", &by_path, "path"),
    ] {
        let row = call(&mut app, prefix, fields).await;
        assert_eq!(
            (row["sessionId"].as_str(), row["attribution"].as_str()),
            (Some(session.as_str()), Some(attribution)),
            "{prefix} {fields}"
        );
    }
    for _ in 0..9 {
        let seen = upstream.seen().await;
        assert_eq!(
            seen.head.line, "POST /v1/chat/completions HTTP/1.1",
            "the prefix is Moonlock's"
        );
        assert!(
            !format!("{:?}", seen.head).to_lowercase().contains("moonlock"),
            "{:?}",
            seen.head
        );
    }
    for (id, requests) in [(&by_header, 3), (&by_path, 4), (&active, 1)] {
        let session = app.get(&format!("/api/sessions/{id}")).await;
        assert_eq!(session["usage"]["requests"], requests);
        assert_eq!(session["tokensUsed"], requests * 18);
        let rows = app.get(&format!("/api/calls?session={id}")).await;
        assert_eq!(rows["calls"].as_array().unwrap().len(), requests);
    }
}

#[tokio::test]
async fn an_unknown_name_goes_to_unassigned_and_is_kept() {
    let (_upstream, mut app) = started().await;
    app.session("active").await;
    let unknown = "01890000-0000-7000-8000-000000000000";
    for (prefix, fields, asked) in [
        ("/s/nobody%20here", "", "nobody here"),
        ("", "x-moonlock-session: nobody", "nobody"),
        ("", &format!("x-moonlock-session: {unknown}"), unknown),
    ] {
        let row = call(&mut app, prefix, fields).await;
        assert_eq!(row["sessionId"], Value::Null);
        assert_eq!(row["attribution"], "unassigned");
        assert_eq!(row["askedSession"], asked);
    }
    let live = app.get("/api/live").await;
    assert_eq!(live["unassigned"]["requests"], 3);
    let rows = app.get("/api/calls?session=unassigned").await;
    assert_eq!(rows["calls"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn calls_follow_the_session_that_is_active_when_they_begin() {
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
    let one = app.session("one").await;
    let mut client = app.client().await;
    client.send(post(&format!("/{REST}"), CHAT_REQUEST)).await;
    app.started().await;
    let other = app.session("other").await;
    gate.open();
    client.reply("POST").await;
    assert_eq!(app.ended().await["sessionId"], one.as_str());
    gate.open();
    assert_eq!(call(&mut app, "", "").await["sessionId"], other.as_str());
    app.say(
        "PATCH",
        &format!("/api/sessions/{other}"),
        &json!({"status": "completed"}),
    )
    .await;
    gate.open();
    assert_eq!(
        call(&mut app, "", "").await["sessionId"],
        Value::Null,
        "nothing is active"
    );
    app.say(
        "PATCH",
        &format!("/api/sessions/{one}"),
        &json!({"status": "paused"}),
    )
    .await;
    app.say(
        "PATCH",
        &format!("/api/sessions/{one}"),
        &json!({"status": "active"}),
    )
    .await;
    gate.open();
    assert_eq!(call(&mut app, "", "").await["sessionId"], one.as_str(), "resumed");
}

#[tokio::test]
async fn a_calls_conversation_and_client_are_kept() {
    let upstream = Upstream::start(|_| Script::sized(EVENTS, message_stream())).await;
    let mut app = TestApp::start(upstream.address).await;
    let uuid = "5f0c1c0e-8a4e-4b7e-9a53-0123456789ab";
    let plain = r#"{"model":"claude-sonnet-4-5","stream":true}"#.to_owned();
    let with_user = format!(
        r#"{{"model":"claude-sonnet-4-5","metadata":{{"user_id":"user_ab_account_cd_session_{uuid}"}}}}"#
    );
    for (fields, body, client, conversation) in [
        (
            "user-agent: claude-cli/2.0.1 (external, cli)",
            &with_user,
            Some("Claude Code"),
            Some(uuid),
        ),
        (
            "user-agent: codex_cli_rs/0.5\nsession_id: abc",
            &plain,
            Some("Codex"),
            Some("abc"),
        ),
        (
            "user-agent: mine/1.0\nx-claude-code-session-id: from-header",
            &with_user,
            Some("mine"),
            Some("from-header"),
        ),
        ("", &plain, None, None),
    ] {
        app.ask(post_with(MESSAGES_PATH, fields, body)).await;
        let row = app.ended().await;
        assert_eq!(
            (row["client"].as_str(), row["conversation"].as_str()),
            (client, conversation),
            "{fields}"
        );
    }
}

#[tokio::test]
async fn a_sub_agent_is_told_apart_and_goes_where_its_conversation_goes() {
    let (_upstream, mut app) = started().await;
    let bound = app.session("bound").await;
    app.session("other").await;
    let thread = "x-claude-code-session-id: thread";
    call(&mut app, "/s/bound", thread).await;
    let fields = format!("{thread}\nx-claude-code-agent-id: a2\nx-claude-code-parent-agent-id: a1");
    let row = call(&mut app, "", &fields).await;
    let expected = json!({"conversation": "thread", "agent": "a2", "parentAgent": "a1",
        "sessionId": bound, "attribution": "conversation"});
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&row[name], value, "{name}: {row:#}");
    }
    let app = app.restart().await;
    let found = app.get("/api/calls?agent=a2").await;
    assert_eq!(found["calls"], json!([row]));
    let found = app.get("/api/calls?agent=a1").await;
    assert_eq!(found["calls"], json!([]));
}

#[tokio::test]
async fn parallel_sessions_do_not_mix() {
    let (_upstream, mut app) = started().await;
    let ids = [app.session("a").await, app.session("b").await];
    let mut clients = Vec::new();
    for n in 0..40 {
        let mut client = app.client().await;
        let fields = format!("x-moonlock-session: {}\nsession_id: {n}", ["a", "b"][n % 2]);
        client
            .send(post_with(&format!("/{REST}"), &fields, CHAT_REQUEST))
            .await;
        clients.push(client);
    }
    for mut client in clients {
        assert!(client.reply("POST").await.whole);
    }
    for _ in 0..40 {
        let row = app.ended().await;
        let n: usize = row["conversation"].as_str().unwrap().parse().unwrap();
        assert_eq!(row["sessionId"], ids[n % 2].as_str());
    }
    for id in ids {
        let session = app.get(&format!("/api/sessions/{id}")).await;
        assert_eq!(
            (&session["usage"]["requests"], &session["tokensUsed"]),
            (&json!(20), &json!(360))
        );
    }
}

#[tokio::test]
async fn a_conversation_keeps_to_the_session_it_once_named() {
    let (_upstream, mut app) = started().await;
    let bound = app.session("bound").await;
    let other = app.session("other").await;
    let expect = |row: &Value, session: &str, by: &str| {
        assert_eq!(
            (row["sessionId"].as_str(), row["attribution"].as_str()),
            (Some(session), Some(by)),
            "{row:#}"
        );
    };
    let thread = "session_id: thread";
    expect(&call(&mut app, "", thread).await, &other, "active");
    expect(&call(&mut app, "/s/bound", thread).await, &bound, "path");
    expect(&call(&mut app, "", thread).await, &bound, "conversation");
    expect(&call(&mut app, "", "session_id: another").await, &other, "active");
    let mut app = app.restart().await;
    app.say(
        "PATCH",
        &format!("/api/sessions/{other}"),
        &json!({"status": "active"}),
    )
    .await;
    expect(&call(&mut app, "", thread).await, &bound, "conversation");
    // To move the whole of it is to say where it belongs.
    let whole = json!({"conversation": "thread", "session": other});
    let (_, answer) = app.say("POST", "/api/calls/move", &whole).await;
    assert_eq!(answer["moved"], 3);
    expect(&call(&mut app, "", thread).await, &other, "conversation");
    expect(
        &call(&mut app, "", &format!("x-moonlock-session: bound\n{thread}")).await,
        &bound,
        "header",
    );
    app.say(
        "PATCH",
        &format!("/api/sessions/{bound}"),
        &json!({"status": "completed"}),
    )
    .await;
    expect(&call(&mut app, "", thread).await, &other, "active");
}

const CONVERSATIONS: usize = 20;
const CALLS_OF_EACH: usize = 3;

/// How conversation `n` says where it belongs: the session, the path's prefix, the header fields of its first call and of
/// its later ones, and the attributions of both.
fn way(n: usize) -> (&'static str, String, [String; 2], [&'static str; 2]) {
    let name = ["a", "b", "c"][n % 3];
    let thread = format!("session_id: {n}");
    let naming = format!("x-moonlock-session: {name}\n{thread}");
    match n % 4 {
        0 => (name, String::new(), [naming.clone(), naming], ["header"; 2]),
        1 => (name, format!("/s/{name}"), [thread.clone(), thread], ["path"; 2]),
        2 => (name, String::new(), [naming, thread], ["header", "conversation"]),
        // The active one.
        _ => ("c", String::new(), [thread.clone(), thread], ["active"; 2]),
    }
}

/// By session and attribution: calls, and tokens.
type Sums = BTreeMap<String, (u64, u64)>;

#[tokio::test]
async fn twenty_parallel_conversations_through_three_sessions_are_each_where_they_belong() {
    // Conversation n uses 18 + n tokens a call, so that a call in the wrong place shows in the sums.
    let upstream = Upstream::start(|request| {
        let n: u64 = request.head.get("session_id").unwrap().parse().unwrap();
        let numbers = format!(r#""completion_tokens":{},"total_tokens":{}"#, 7 + n, 18 + n);
        Script::sized(
            JSON,
            CHAT.replace(r#""completion_tokens":7,"total_tokens":18"#, &numbers),
        )
    })
    .await;
    let app = TestApp::start(upstream.address).await;
    let mut names = BTreeMap::new();
    for name in ["a", "b", "c"] {
        names.insert(app.session(name).await, name.to_owned());
    }
    let mut conversations = tokio::task::JoinSet::new();
    for n in 0..CONVERSATIONS {
        let mut client = app.client().await;
        conversations.spawn(async move {
            let (_, prefix, fields, _) = way(n);
            for turn in 0..CALLS_OF_EACH {
                let path = format!("{prefix}/{REST}");
                client
                    .send(post_with(&path, &fields[turn.min(1)], CHAT_REQUEST))
                    .await;
                assert!(client.reply("POST").await.whole);
            }
        });
    }
    while let Some(ended) = conversations.join_next().await {
        ended.unwrap();
    }
    let mut expected: BTreeMap<(String, String), (u64, u64)> = BTreeMap::new();
    for n in 0..CONVERSATIONS {
        let (name, _, _, by) = way(n);
        for turn in 0..CALLS_OF_EACH {
            let key = (name.to_owned(), by[turn.min(1)].to_owned());
            let sum = expected.entry(key).or_default();
            *sum = (sum.0 + 1, sum.1 + 18 + n as u64);
        }
    }
    let app = app.restart().await;
    let rows = app.until_rows(CONVERSATIONS * CALLS_OF_EACH).await;
    let mut found: BTreeMap<(String, String), (u64, u64)> = BTreeMap::new();
    for row in &rows {
        let n: usize = row["conversation"].as_str().unwrap().parse().unwrap();
        let name = &names[row["sessionId"].as_str().unwrap()];
        assert_eq!(name, way(n).0, "{row:#}");
        let key = (name.clone(), row["attribution"].as_str().unwrap().to_owned());
        let sum = found.entry(key).or_default();
        *sum = (sum.0 + 1, sum.1 + row["total"].as_u64().unwrap());
    }
    assert_eq!(found, expected);
    let mut by_session = Sums::new();
    for ((name, _), (calls, tokens)) in &found {
        let sum = by_session.entry(name.clone()).or_default();
        *sum = (sum.0 + calls, sum.1 + tokens);
    }
    let pair = |totals: &Value| {
        (
            totals["requests"].as_u64().unwrap(),
            totals["total"].as_u64().unwrap(),
        )
    };
    let usage = app.get("/api/analytics/usage?period=all&groupBy=session").await;
    let groups = usage["groups"].as_array().unwrap();
    let rolled: Sums = groups
        .iter()
        .map(|group| (names[group["session"].as_str().unwrap()].clone(), pair(group)))
        .collect();
    let mut told = Sums::new();
    for (id, name) in &names {
        let session = app.get(&format!("/api/sessions/{id}")).await;
        told.insert(name.clone(), pair(&session["usage"]));
    }
    let mut table = "session  by            calls  tokens\n".to_owned();
    for ((name, by), (calls, tokens)) in &found {
        writeln!(table, "{name:<8} {by:<13} {calls:>5} {tokens:>7}").unwrap();
    }
    table.push_str("session  of            calls  tokens\n");
    for (of, sums) in [("rows", &by_session), ("roll-ups", &rolled), ("API", &told)] {
        for (name, (calls, tokens)) in sums {
            writeln!(table, "{name:<8} {of:<13} {calls:>5} {tokens:>7}").unwrap();
        }
    }
    println!("{table}");
    assert_eq!((&rolled, &told), (&by_session, &by_session));
    assert_eq!(app.get("/api/live").await["unassigned"]["requests"], 0);
}
