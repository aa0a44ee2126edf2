//! The commands that ask the running program: what they print, and how they end.

use std::net::SocketAddr;

use serde_json::Value;

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
        (["--name", "SECOND"], "the second"),
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
