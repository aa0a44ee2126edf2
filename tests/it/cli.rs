//! The command line: what it prints, how it fails, and what it says then.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::bodies::{
    CHAT, CHAT_PATH, CHAT_REQUEST, EVENTS, JSON, MESSAGES_PATH, MESSAGES_REQUEST, message_stream,
};
use crate::support::client::{Client, post};
use crate::support::program::{Program, command, run};
use crate::support::upstream::{Script, Upstream};

fn home() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn write(home: &Path, name: &str, text: &str) -> std::path::PathBuf {
    let path = home.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn a_wrong_configuration_is_named_by_file_line_and_key() {
    let home = home();
    for (text, expected) in [
        ("[server]\n\nprot = 1\n", ":3: `server.prot`"),
        ("[server]\nport = \"x\"\n", ":2: `server.port`"),
        (
            "[mounts.mine]\nupstream = \"http://h\"\ndialect = \"klingon\"\n",
            ":3: `mounts.mine.dialect`",
        ),
        ("[server\n", ":1: "),
    ] {
        let path = write(home.path(), "bad.toml", text);
        for arguments in [vec![], vec!["serve"], vec!["usage"]] {
            let (code, out, said) = run(command(home.path())
                .env("MOONLOCK_CONFIG", &path)
                .args(&arguments));
            assert_eq!((code, out.as_str()), (Some(2), ""), "{said}");
            let expected = format!("{}{expected}", path.display());
            assert!(said.contains(&expected), "{said:?} says {expected}");
            assert_eq!(said.lines().count(), 1, "one line: {said}");
        }
    }
}

#[test]
fn a_wrong_address_is_said_without_its_secrets() {
    let home = home();
    let addresses = [
        "https://me:hunter2@llm.example/v1",
        "https://llm.example/v1?key=hunter2",
        "ftp://me:hunter2@llm.example",
    ];
    for name in ["MOONLOCK_UPSTREAM_OPENAI", "MOONLOCK_UPSTREAM_OPENIA"] {
        for address in addresses {
            let (code, out, said) = run(command(home.path()).env(name, address));
            assert_eq!((code, out.as_str()), (Some(2), ""), "{said}");
            assert!(
                said.contains("llm.example") && !said.contains("hunter2"),
                "{said}"
            );
        }
    }
}

#[test]
fn wrong_values_and_wrong_usage_are_refused() {
    let home = home();
    for (name, value, expected) in [
        ("PORT", "many", "PORT=many"),
        ("HOST", "0.0.0.0", "MOONLOCK_TOKEN"),
        ("MOONLOCK_TOKEN", "short", "at least 16 characters"),
        ("WS_PORT", "4000", "WS_PORT"),
        ("MOONLOCK_CONFIG", "/nowhere/at/all.toml", "/nowhere/at/all.toml"),
        ("MOONLOCK_UPSTREAM_OPENIA", "http://h", "MOONLOCK_UPSTREAM_OPENIA"),
        ("MOONLOCK_UPSTREAM_OPENAI", "ftp://h", "http://"),
    ] {
        let (code, _, said) = run(command(home.path()).env(name, value));
        assert_eq!(code, Some(2), "{name}={value}: {said}");
        assert!(said.contains(expected), "{said}");
    }
    for arguments in [["--port", "x"], ["dance", ""], ["usage", "--group-by=planet"]] {
        assert_eq!(
            run(command(home.path()).args(arguments)).0,
            Some(2),
            "{arguments:?}"
        );
    }
    let (code, out, _) = run(command(home.path()).arg("--version"));
    assert_eq!(
        (code, out.trim()),
        (Some(0), concat!("moonlock ", env!("CARGO_PKG_VERSION")))
    );
    let (code, out, _) = run(command(home.path()).arg("--help"));
    assert_eq!(code, Some(0));
    assert!(out.contains("usage") && out.contains("Exit codes"), "{out}");
}

#[test]
fn a_port_in_use_is_said_with_the_way_out() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for name in ["PORT", "PROXY_PORT"] {
        let home = home();
        let (code, out, said) = run(command(home.path()).env(name, &port));
        assert_eq!((code, out.as_str()), (Some(1), ""));
        assert!(
            said.contains(&port) && said.contains("another") && said.trim_end().ends_with(name),
            "{said}"
        );
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

#[test]
fn a_database_that_cannot_be_used_is_said_and_left_as_it_is() {
    let home = home();
    let missing = home.path().join("no/such/folder/moonlock.db");
    let text = write(
        home.path(),
        "notes.txt",
        "These are my notes, and no database at all.\n",
    );
    for (path, expected) in [(&missing, "does not exist"), (&text, "not an SQLite database")] {
        let (code, _, said) = run(command(home.path()).env("DB_PATH", path));
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains(expected) && said.contains("DB_PATH"), "{said}");
    }
    assert!(!home.path().join("no").exists(), "nothing was made");
    assert!(
        std::fs::read_to_string(&text)
            .unwrap()
            .starts_with("These are my notes")
    );
    let (code, _, said) = run(command(home.path()).arg("usage"));
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("no database"), "{said}");
}

#[test]
fn a_database_in_use_is_not_shared() {
    let home = home();
    let first = Program::start(&mut command(home.path()));
    let (code, _, said) = run(&mut command(home.path()));
    assert_eq!(code, Some(1));
    assert!(said.contains("in use by another Moonlock"), "{said}");
    first.kill();
    Program::start(&mut command(home.path())).kill();
}

#[cfg(unix)]
#[test]
fn a_database_that_is_read_only_is_said() {
    use std::os::unix::fs::PermissionsExt;
    let home = home();
    Program::start(&mut command(home.path())).kill();
    let database = home.path().join("moonlock.db");
    std::fs::set_permissions(&database, PermissionsExt::from_mode(0o444)).unwrap();
    if std::fs::OpenOptions::new().append(true).open(&database).is_ok() {
        // Nothing is read-only for this user.
        return;
    }
    let (code, _, said) = run(&mut command(home.path()));
    assert_eq!(code, Some(1));
    assert!(said.contains("DB_PATH"), "{said}");
}

#[test]
fn it_says_where_it_listens_and_stops_when_told() {
    let home = home();
    let mut program = Program::start(&mut command(home.path()));
    assert!(program.dashboard.ip().is_loopback() && program.proxy.ip().is_loopback());
    assert_ne!(program.dashboard.port(), program.proxy.port());
    assert_eq!(program.terminate(), Some(0), "told as soon as it speaks");
}

#[tokio::test]
async fn usage_prints_what_the_api_says() {
    let upstream = Upstream::start(|request| {
        if request.head.line.contains("messages") {
            Script::sized(EVENTS, message_stream())
        } else {
            Script::sized(JSON, CHAT)
        }
    })
    .await;
    let app = TestApp::start(upstream.address).await;
    for _ in 0..2 {
        app.ask(post(CHAT_PATH, CHAT_REQUEST)).await;
    }
    app.ask(post(MESSAGES_PATH, MESSAGES_REQUEST)).await;
    let print = |arguments: &[&str]| run(command(app.home.path()).arg("usage").args(arguments));
    let (code, out, said) = print(&["--json", "--group-by", "provider,model"]);
    assert_eq!((code, said.as_str()), (Some(0), ""), "also while it runs");
    let printed: Value = serde_json::from_str(&out).unwrap();
    let served = app
        .get("/api/analytics/usage?period=all&groupBy=provider,model")
        .await;
    assert_eq!(printed["groups"], served["groups"]);
    let groups = printed["groups"].as_array().unwrap();
    assert_eq!(groups.len(), 2);
    let chat = groups.iter().find(|group| group["provider"] == "openai").unwrap();
    let names = [
        "model",
        "requests",
        "input",
        "cacheRead",
        "cacheWrite",
        "output",
        "reasoning",
        "total",
    ];
    let found: Vec<&Value> = names.iter().map(|name| &chat[*name]).collect();
    let expected = [
        json!("gpt-4o-2024-08-06"),
        json!(2),
        json!(14),
        json!(8),
        json!(0),
        json!(14),
        json!(4),
        json!(36),
    ];
    assert_eq!(found, expected.iter().collect::<Vec<_>>());
    // gpt-4o: 2.50, 1.25 and 10 dollars a million.
    assert_eq!(chat["costNanoUsd"], 14 * 2500 + 8 * 1250 + 14 * 10_000);
    let (code, table, _) = print(&[]);
    assert_eq!(code, Some(0));
    assert!(
        table.contains("gpt-4o-2024-08-06") && table.contains("claude-sonnet-4-5"),
        "{table}"
    );
    let mut other = Client::connect(app.dashboard()).await;
    assert_eq!(
        other
            .ask(format!("GET / HTTP/1.1\r\nhost: {}\r\n\r\n", app.dashboard()))
            .await
            .head
            .status(),
        200
    );
}

/// Three sessions of over an hour, a call every twenty seconds, as `moonlock eval` reads them.
fn recorded() -> String {
    let session = |name: u64| {
        let event = |n: u64| {
            json!([
                n * 20_000,
                "m",
                100 + n * name % 50,
                300 + n * 7 % 90,
                40_000 + n * 10 * name,
                500
            ])
        };
        let events: Vec<Value> = (1..=220).map(event).collect();
        json!({ "id": name.to_string(), "source": "s", "events": events }).to_string()
    };
    (1..=3).map(session).collect::<Vec<_>>().join("\n")
}

#[test]
fn eval_scores_the_sessions_of_a_file() {
    let home = home();
    let file = write(home.path(), "sessions.jsonl", &recorded());
    let (code, out, said) = run(command(home.path()).args(["eval", "--json"]).arg(&file));
    assert_eq!(code, Some(0), "{said}");
    let report: Value = serde_json::from_str(&out).unwrap();
    for kind in ["natural", "fixed", "threeAgents"] {
        let scores = &report[kind];
        for name in ["mape", "male", "logPinball", "coverage80", "coverage95", "brier"] {
            assert!(scores[name].is_f64(), "{kind}.{name}: {scores:#}");
        }
        for name in ["overrunF1", "leadMedianMin", "timeToLimitMedianErrMin"] {
            assert!(scores.get(name).is_some(), "{kind}.{name}: {scores:#}");
        }
    }
    // Sessions as steady as these are easy, and alarm nobody.
    assert!(report["natural"]["mape"].as_f64().unwrap() < 0.3, "{report:#}");
    assert_eq!(report["anomaly"]["falseAlarmsPerHour"], 0.0);
    assert_eq!(report["anomaly"]["callsX10Found"], 1.0);

    let (code, out, _) = run(command(home.path()).arg("eval").arg(&file));
    assert_eq!(code, Some(0));
    for line in ["natural (3 sessions)", "threeAgents (", "false alarms an hour"] {
        assert!(out.contains(line), "{line}: {out}");
    }
}

#[test]
fn eval_says_what_it_cannot_score() {
    let home = home();
    let short = r#"{"id":"a","source":"s","events":[[1000,"m",1,2,3,4]]}"#;
    for (name, text, expected) in [
        ("short.jsonl", short, "nothing to score: none of the 1 sessions"),
        ("empty.jsonl", "", "none of the 0 sessions"),
        ("bad.jsonl", "{}", "bad.jsonl: line 1: expected a JSON object"),
        ("none.jsonl", r#"{"id":"a","events":[]}"#, "without a call"),
    ] {
        let file = write(home.path(), name, text);
        let (code, out, said) = run(command(home.path()).arg("eval").arg(&file));
        assert_eq!((code, out.as_str()), (Some(1), ""), "{name}: {said}");
        assert!(said.contains(expected), "{name}: {said}");
    }
    let (code, _, said) = run(command(home.path()).args(["eval", "/nowhere/at/all.jsonl"]));
    assert_eq!(code, Some(1), "{said}");
    let (code, _, said) = run(command(home.path()).arg("eval"));
    assert_eq!(code, Some(1), "there is no database: {said}");
    assert_eq!(run(command(home.path()).args(["eval", "--jsn"])).0, Some(2));
}
