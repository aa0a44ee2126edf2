//! The commands that ask the running program: what they print, and how they end.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::bodies::{CHAT, CHAT_PATH, CHAT_REQUEST, JSON};
use crate::support::client::post;
use crate::support::program::{command, run};
use crate::support::upstream::{Script, Upstream};

/// Runs a command against what listens there, on a thread of its own: the program is in this process.
async fn ask(dashboard: SocketAddr, arguments: &[&str]) -> (Option<i32>, String, String) {
    let home = tempfile::tempdir().unwrap();
    let mut command = command(home.path());
    command.env("PORT", dashboard.port().to_string()).args(arguments);
    tokio::task::spawn_blocking(move || run(&mut command))
        .await
        .unwrap()
}

/// The same, where it goes well: what it printed.
async fn well(app: &TestApp, arguments: &[&str]) -> String {
    let (code, out, said) = ask(app.dashboard(), arguments).await;
    assert_eq!((code, said.as_str()), (Some(0), ""), "{arguments:?}: {out}");
    out
}

async fn upstream() -> Upstream {
    Upstream::start(|_| Script::sized(JSON, CHAT)).await
}

#[tokio::test]
async fn a_session_is_led_from_the_command_line() {
    let upstream = upstream().await;
    let app = TestApp::start(upstream.address).await;
    let out = well(&app, &["status"]).await;
    assert!(out.starts_with("No session is current"), "{out}");
    assert_eq!(
        well(&app, &["status", "--line"]).await,
        "no session  0 tok  $0.00\n"
    );

    let out = well(
        &app,
        &[
            "start",
            "refactor",
            "--budget",
            "200",
            "--budget",
            "$5",
            "--duration",
            "2h",
        ],
    )
    .await;
    assert!(
        out.starts_with("● refactor  active  0:0") && out.contains(" of 2:00:00"),
        "{out}"
    );
    app.ask(post(CHAT_PATH, CHAT_REQUEST)).await;
    let out = well(&app, &["status"]).await;
    for expected in [
        "● refactor",
        "18 (input 7, cache read 4, output 7, reasoning in it 2)",
        "$0.00009 in 1 call, 36 % of the prompts from a cache",
        "9 % of 200 tokens",
        "0 % of $5.00",
        &format!(
            "dashboard http://{}  proxy http://{}",
            app.dashboard(),
            app.proxy()
        ),
    ] {
        assert!(out.contains(expected), "{expected:?} is in {out}");
    }
    let line = well(&app, &["status", "--line"]).await;
    assert!(
        line.starts_with("● refactor  0:0") && line.ends_with("  18 tok  $0.00009  9 %  0 %\n"),
        "{line}"
    );
    assert!(
        !out.contains('\u{1b}') && !line.contains('\u{1b}'),
        "no terminal, no colour"
    );

    let out = well(
        &app,
        &[
            "checkpoint",
            "half way",
            "--prompts",
            "3",
            "--metadata",
            "{\"a\": 1}",
        ],
    )
    .await;
    assert!(
        out.starts_with("half way at 0:0") && out.contains("18 tokens in all"),
        "{out}"
    );
    assert!(well(&app, &["pause"]).await.starts_with("‖ refactor  paused"));
    assert!(well(&app, &["status", "--line"]).await.starts_with("‖ refactor"));
    assert!(
        well(&app, &["resume", "--session", "refactor"])
            .await
            .starts_with("● refactor")
    );

    let shown: Value = serde_json::from_str(&well(&app, &["status", "--json"]).await).unwrap();
    let id = shown["session"]["id"].as_str().unwrap();
    assert_eq!(shown["running"], true);
    assert_eq!(shown["session"]["usage"]["total"], 18);
    assert_eq!(shown["proxyUrl"], format!("http://{}", app.proxy()));
    assert!(
        well(&app, &["complete", "--session", id])
            .await
            .starts_with("■ refactor  completed")
    );
    let ended = app.get(&format!("/api/sessions/{id}")).await;
    assert_eq!(
        (&ended["status"], &ended["checkpoints"]),
        (&"completed".into(), &1.into())
    );

    let (code, out, said) = ask(app.dashboard(), &["resume", "--session", id]).await;
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(said.contains("completed"), "{said}");
    let (code, _, said) = ask(app.dashboard(), &["pause"]).await;
    assert_eq!(code, Some(1));
    assert!(
        said.contains("no session runs") && said.contains("moonlock start"),
        "{said}"
    );
    let (code, _, said) = ask(app.dashboard(), &["pause", "--session", "nobody"]).await;
    assert_eq!(
        (code, said.as_str()),
        (Some(1), "moonlock: there is no session `nobody`\n")
    );
}

#[tokio::test]
async fn sessions_are_listed_and_filtered() {
    let upstream = upstream().await;
    let app = TestApp::start(upstream.address).await;
    assert!(well(&app, &["sessions"]).await.starts_with("No such session"));
    well(&app, &["start", "first one", "--tag", "work", "--note", "n"]).await;
    well(&app, &["start", "the second"]).await;
    well(&app, &["complete"]).await;
    let out = well(&app, &["sessions"]).await;
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 3, "{out}");
    assert!(
        lines[1].starts_with("■  the second") && lines[2].starts_with("●  first one"),
        "{out}"
    );
    let starts: Vec<Option<usize>> = lines.iter().map(|line| line.find("20")).collect();
    assert_eq!(starts[1], starts[2], "columns are aligned: {out}");
    for (arguments, expected) in [
        (["--status", "active"], "first one"),
        (["--tag", "work"], "first one"),
        (["--search", "SECOND"], "the second"),
        (["--status=active", "--status=paused"], "first one"),
        (["--limit", "1"], "the second"),
    ] {
        let out = well(&app, &["sessions", "--json", arguments[0], arguments[1]]).await;
        let found: Value = serde_json::from_str(&out).unwrap();
        let names: Vec<&Value> = found["sessions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| &one["name"])
            .collect();
        assert_eq!(names, [expected], "{arguments:?}");
    }
    let (code, _, said) = ask(app.dashboard(), &["sessions", "--status", "lazy"]).await;
    assert_eq!(code, Some(2));
    assert!(said.contains("expected active, paused or completed"), "{said}");
}

#[tokio::test]
async fn a_name_stands_for_the_newest_that_has_not_ended() {
    let upstream = upstream().await;
    let app = TestApp::start(upstream.address).await;
    let old = app.session("twice").await;
    let new = app.session("twice").await;
    well(&app, &["complete", "--session", "twice"]).await;
    well(&app, &["pause", "--session", "twice"]).await;
    let status = async |id: &str| app.get(&format!("/api/sessions/{id}")).await["status"].clone();
    assert_eq!(
        (status(&new).await, status(&old).await),
        ("completed".into(), "paused".into())
    );
}

#[tokio::test]
async fn what_does_not_run_is_said_with_the_way_out() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = free.local_addr().unwrap();
    drop(free);
    for arguments in [&["status"][..], &["pause"], &["sessions"], &["start", "x"]] {
        let (code, out, said) = ask(nobody, arguments).await;
        assert_eq!((code, out.as_str()), (Some(69), ""), "{arguments:?}: {said}");
        assert!(
            said.contains("not running") && said.contains("`moonlock`"),
            "{said}"
        );
    }
    let (code, out, said) = ask(nobody, &["status", "--line"]).await;
    assert_eq!(
        (code, out.as_str(), said.as_str()),
        (Some(0), "moonlock: off\n", "")
    );
    let (code, out, _) = ask(nobody, &["status", "--json"]).await;
    let shown: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &shown["running"]), (Some(69), &Value::Bool(false)));

    // Another program has the port.
    for head in ["200 OK\ncontent-type: text/html", "404 Not Found"] {
        let stranger = Upstream::start(move |_| Script::sized(head, "<html>")).await;
        let (code, _, said) = ask(stranger.address, &["status"]).await;
        assert_eq!(code, Some(69));
        assert!(said.contains("another program has the port"), "{said}");
        let (code, out, _) = ask(stranger.address, &["status", "--line"]).await;
        assert_eq!((code, out.as_str()), (Some(0), "moonlock: no answer\n"));
    }

    let (code, _, said) = ask(SocketAddr::from(([127, 0, 0, 1], 0)), &["status"]).await;
    assert_eq!(code, Some(2));
    assert!(said.contains("--port"), "{said}");
}

#[tokio::test]
async fn names_cannot_give_orders_to_the_terminal() {
    let upstream = upstream().await;
    let app = TestApp::start(upstream.address).await;
    app.session("a\u{1b}[31mb\u{7}c").await;
    for arguments in [&["status"][..], &["status", "--line"], &["sessions"], &["pause"]] {
        let out = well(&app, arguments).await;
        assert!(!out.contains(['\u{1b}', '\u{7}']), "{arguments:?}: {out:?}");
    }
}

#[tokio::test]
async fn guard_says_by_its_code_whether_there_is_budget_left() {
    let upstream = upstream().await;
    let app = TestApp::start(upstream.address).await;
    app.session("work").await;
    app.ask(post(CHAT_PATH, CHAT_REQUEST)).await;
    let dashboard = app.dashboard();
    for (arguments, expected, says) in [
        (&["--budget", "19"][..], 0, "work: 95 % used: 18 of 19 tokens"),
        (&["--budget", "18"], 1, "work: 100 % used: 18 of 18 tokens"),
        (&["--budget", "$1"], 0, "work: 0 % used: $0.00009 of $1.00"),
        (&["--budget", "$0.00009"], 1, "103 % used"),
        (&["--budget", "1k", "--since", "day"], 0, "this day: 2 % used"),
        (
            &["--budget", "10", "--since", "month"],
            1,
            "this month: 180 % used",
        ),
        (&["--budget", "1k", "--session", "work"], 0, "work: 2 % used"),
        (&["--budget", "5", "--quiet"], 1, ""),
    ] {
        let (code, out, said) = ask(dashboard, &[&["guard"], arguments].concat()).await;
        assert_eq!(code, Some(expected), "{arguments:?}: {out}{said}");
        assert!(out.contains(says), "{arguments:?}: {out}");
    }
    let (code, out, _) = ask(dashboard, &["guard", "--budget", "18", "--json"]).await;
    let shown: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (code, &shown["usedUp"], &shown["budgets"][0]["used"]),
        (Some(1), &true.into(), &18.into())
    );
    for arguments in [
        &["guard"][..],
        &["guard", "--budget", "lots"],
        &["guard", "--session", "work"],
    ] {
        let (code, _, said) = ask(dashboard, arguments).await;
        assert_eq!(code, Some(64), "{arguments:?}: {said}");
    }
    // By the session's own budgets.
    well(&app, &["start", "own", "--budget", "10"]).await;
    assert_eq!(ask(dashboard, &["guard", "--session", "own"]).await.0, Some(0));
    app.ask(post(CHAT_PATH, CHAT_REQUEST)).await;
    assert_eq!(ask(dashboard, &["guard", "--session", "own"]).await.0, Some(1));
    // By those that begin anew, all or one of them.
    assert_eq!(
        ask(dashboard, &["guard", "--standing"]).await.0,
        Some(69),
        "there is none"
    );
    for (name, tokens, provider) in [("all calls", 1_000, Value::Null), ("groq's", 10, json!("groq"))] {
        let body = json!({"name": name, "period": "day", "tokenBudget": tokens, "provider": provider});
        assert_eq!(app.say("POST", "/api/budgets", &body).await.0, 201);
    }
    let (code, out, said) = ask(dashboard, &["guard", "--standing"]).await;
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(
        out,
        "all calls: 4 % used: 36 of 1,000 tokens\ngroq's: 0 % used: 0 of 10 tokens\n"
    );
    app.ask(post("/groq/openai/v1/chat/completions", CHAT_REQUEST))
        .await;
    assert_eq!(
        ask(dashboard, &["guard", "--standing", "all calls"]).await.0,
        Some(0)
    );
    let (code, out, _) = ask(dashboard, &["guard", "--standing", "groq's", "--json"]).await;
    assert_eq!(code, Some(1));
    assert!(
        out.contains(r#""usedUp":true,"budgets":[{"of":"groq's","used":18,"limit":10"#),
        "{out}"
    );
    let (code, _, said) = ask(dashboard, &["guard", "--standing", "nobody's"]).await;
    assert_eq!(code, Some(69), "{said}");
    assert_eq!(
        ask(dashboard, &["guard", "--standing", "--budget", "5"]).await.0,
        Some(64)
    );
    // What cannot be said is neither.
    well(&app, &["complete"]).await;
    well(&app, &["complete", "--session", "work"]).await;
    assert_eq!(
        ask(dashboard, &["guard", "--budget", "1k"]).await.0,
        Some(69),
        "no session"
    );
    let (code, _, said) = ask(dashboard, &["guard", "--budget", "1k", "--fail-open"]).await;
    assert_eq!(code, Some(0));
    assert!(said.contains("passed, though it cannot be said"), "{said}");
}

#[tokio::test]
async fn guard_takes_no_unknown_price_for_nothing() {
    let unpriced = CHAT.replace("gpt-4o-2024-08-06", "model-of-nobody");
    let upstream = Upstream::start(move |_| Script::sized(JSON, &unpriced)).await;
    let app = TestApp::start(upstream.address).await;
    app.session("work").await;
    app.ask(post(CHAT_PATH, CHAT_REQUEST)).await;
    let (code, _, said) = ask(app.dashboard(), &["guard", "--budget", "$1"]).await;
    assert_eq!(code, Some(69));
    assert!(said.contains("no known price"), "{said}");
    assert_eq!(
        ask(app.dashboard(), &["guard", "--budget", "1k"]).await.0,
        Some(0)
    );
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    assert_eq!(ask(free, &["guard", "--budget", "1k"]).await.0, Some(69));
    assert_eq!(
        ask(free, &["guard", "--budget", "1k", "--fail-open"]).await.0,
        Some(0)
    );
}

#[tokio::test]
async fn alerts_are_listed_acknowledged_and_snoozed() {
    let upstream = upstream().await;
    let app = TestApp::start(upstream.address).await;
    assert_eq!(well(&app, &["alerts"]).await, "No alerts.\n");
    well(&app, &["start", "work", "--budget", "10"]).await;
    app.ask(post(CHAT_PATH, CHAT_REQUEST)).await;
    let shown: Value = serde_json::from_str(&well(&app, &["alerts", "--json"]).await).unwrap();
    let alert = &shown["alerts"][0];
    let id = alert["id"].as_str().unwrap();
    let end = id.rsplit('-').next().unwrap();
    let out = well(&app, &["alerts"]).await;
    assert!(
        out.contains(end) && out.contains("active") && out.contains("18"),
        "{out}"
    );
    assert!(well(&app, &["status"]).await.contains("! "), "status tells of it");
    let status = async || {
        let page = app.get("/api/alerts").await;
        let alerts = page["alerts"].as_array().unwrap();
        alerts.iter().find(|alert| alert["id"] == id).unwrap()["status"].clone()
    };
    well(&app, &["alerts", "snooze", end, "--for", "2h"]).await;
    assert_eq!(status().await, "snoozed");
    assert!(
        well(&app, &["alerts", "ack", "all"])
            .await
            .contains("acknowledged")
    );
    assert_eq!(status().await, "acknowledged");
    let (code, _, said) = ask(app.dashboard(), &["alerts", "ack", "zzz"]).await;
    assert_eq!(code, Some(1));
    assert!(said.contains("no alert `zzz` stands"), "{said}");
}

#[tokio::test]
async fn sessions_are_put_side_by_side() {
    let upstream = upstream().await;
    let app = TestApp::start(upstream.address).await;
    well(&app, &["start", "one"]).await;
    app.ask(post(CHAT_PATH, CHAT_REQUEST)).await;
    well(&app, &["start", "other"]).await;
    for _ in 0..3 {
        app.ask(post(CHAT_PATH, CHAT_REQUEST)).await;
    }
    let out = well(&app, &["compare", "one", "other", "median"]).await;
    let row = |name: &str| -> Vec<String> {
        let line = out
            .lines()
            .find(|line| line.starts_with(name))
            .unwrap_or_else(|| panic!("{name}: {out}"));
        line.split_whitespace().map(str::to_owned).collect()
    };
    assert_eq!(row("tokens"), ["tokens", "18", "54", "+36", "–", "–"]);
    assert_eq!(row("calls"), ["calls", "1", "3", "+2", "–", "–"]);
    assert_eq!(row("failed"), ["failed", "0", "0", "0", "–", "–"]);
    assert!(out.lines().next().unwrap().contains("median of 0"), "{out}");
    let shown: Value =
        serde_json::from_str(&well(&app, &["compare", "other", "one", "--json"]).await).unwrap();
    assert_eq!(shown["sessions"][1]["difference"]["total"], -36);
    let (code, _, said) = ask(app.dashboard(), &["compare", "one", "nobody"]).await;
    assert_eq!(
        (code, said.as_str()),
        (Some(1), "moonlock: there is no session `nobody`\n")
    );
    assert_eq!(ask(app.dashboard(), &["compare", "one"]).await.0, Some(2));
}

#[tokio::test]
async fn an_export_is_the_apis_running_or_not() {
    let upstream = upstream().await;
    let app = TestApp::start(upstream.address).await;
    app.session("work").await;
    app.ask(post(CHAT_PATH, CHAT_REQUEST)).await;
    well(&app, &["complete"]).await;
    app.ask(post(CHAT_PATH, CHAT_REQUEST)).await;
    let home = std::sync::Arc::clone(&app.home);
    let export = |arguments: &[&str]| run(command(home.path()).arg("export").args(arguments));
    let served = app.api("GET", "/api/export?format=csv", "", "").await.body;
    let served = String::from_utf8(served).unwrap();
    let (code, out, said) = export(&["--format", "csv"]);
    assert_eq!(
        (code, out.as_str(), said.as_str()),
        (Some(0), served.as_str(), "")
    );
    let file = home.path().join("calls.jsonl");
    let path = file.to_str().unwrap();
    app.stop().await;

    let (code, out, said) = export(&[path]);
    assert_eq!((code, out.as_str()), (Some(0), ""));
    assert!(said.ends_with("calls.jsonl: 2 calls\n"), "{said}");
    let lines = std::fs::read_to_string(&file).unwrap();
    let kinds: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["type"].clone())
        .collect();
    assert_eq!(kinds, ["export", "session", "call", "call"]);
    let (code, _, said) = export(&[path]);
    assert_eq!(code, Some(1));
    assert!(said.contains("--force"), "{said}");
    let (code, _, said) = export(&[path, "--force", "--session", "work"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.ends_with(": 1 calls\n"), "{said}");
    let count = |arguments: &[&str]| -> usize {
        let (code, out, said) = export(&[&["--format", "csv"], arguments].concat());
        assert_eq!(code, Some(0), "{said}");
        out.lines().count() - 1
    };
    assert_eq!(count(&["--session", "unassigned"]), 1);
    assert_eq!(count(&["--from", "2001-01-01"]), 2);
    assert_eq!(count(&["--to", "2001-01-01T10:00"]), 0);
    assert_eq!(count(&["--provider", "anthropic"]), 0);
    assert_eq!(count(&["--filter", "status=200"]), 2);
    for (arguments, code, words) in [
        (&["--source", "hearsay"][..], 2, "expected exact"),
        (&["--session", "nobody"], 1, "no session `nobody`"),
        (&["--filter", "colour=red"], 2, "no parameter `colour`"),
        (&["--from", "someday"], 2, "expected a day"),
    ] {
        let (ended, _, said) = export(arguments);
        assert_eq!(ended, Some(code), "{said}");
        assert!(said.contains(words), "{said}");
    }
    let left: Vec<_> = std::fs::read_dir(home.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert!(
        !left.iter().any(|name| name.to_string_lossy().contains("export-")),
        "{left:?}"
    );
}

#[tokio::test]
async fn a_backup_takes_the_databases_place_and_what_was_there_is_kept() {
    let upstream = upstream().await;
    let app = TestApp::start(upstream.address).await;
    app.ask(post(CHAT_PATH, CHAT_REQUEST)).await;
    let home = std::sync::Arc::clone(&app.home);
    let backup = home.path().join("kept.db");
    let backup = backup.to_str().unwrap();
    let moonlock = |arguments: &[&str]| run(command(home.path()).args(arguments));
    assert_eq!(moonlock(&["backup", backup]).0, Some(0));
    app.ask(post(CHAT_PATH, CHAT_REQUEST)).await;
    let (code, _, said) = moonlock(&["restore", backup]);
    assert_eq!(code, Some(1));
    assert!(said.contains("in use by another Moonlock"), "{said}");
    app.stop().await;

    let calls = || {
        let (code, out, said) = moonlock(&["usage", "--json"]);
        assert_eq!(code, Some(0), "{said}");
        serde_json::from_str::<Value>(&out).unwrap()["groups"][0]["requests"].clone()
    };
    assert_eq!(calls(), 2);
    let notes = home.path().join("notes.txt");
    std::fs::write(&notes, "These are my notes, and no database at all.\n").unwrap();
    let database = home.path().join("moonlock.db");
    for wrong in [
        notes.to_str().unwrap(),
        "/nowhere/at/all.db",
        database.to_str().unwrap(),
    ] {
        let (code, _, said) = moonlock(&["restore", wrong]);
        assert_eq!(code, Some(1), "{wrong}: {said}");
        assert_eq!(calls(), 2, "{wrong} changed nothing");
    }
    let (code, out, said) = moonlock(&["restore", backup, "--json"]);
    assert_eq!(code, Some(0), "{said}");
    let shown: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&shown["calls"], calls()), (&Value::from(1), Value::from(1)));
    let aside = shown["aside"].as_str().unwrap();
    let (code, out, said) = run(command(home.path())
        .env("DB_PATH", aside)
        .args(["usage", "--json"]));
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(
        serde_json::from_str::<Value>(&out).unwrap()["groups"][0]["requests"],
        2
    );
}
