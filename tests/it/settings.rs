//! What is set, and who set it: the API and the command say the same.

use serde_json::{Value, json};

use crate::support::app::{TestApp, home_with};
use crate::support::program::command;

fn setting<'a>(shown: &'a Value, name: &str) -> &'a Value {
    let settings = shown["settings"].as_array().unwrap();
    settings.iter().find(|setting| setting["name"] == name).unwrap()
}

#[tokio::test]
async fn the_api_says_who_set_what() {
    let nowhere = ([127, 0, 0, 1], 9).into();
    let home = home_with("batch_size = 7\n");
    let proxy = ("HTTPS_PROXY", "http://me:hush@127.0.0.1:3128");
    let app = TestApp::start_with(home, nowhere, &[("BATCH_INTERVAL", "3"), proxy]).await;
    let shown = app.get("/api/settings").await;
    let file = app.home.path().join("moonlock.toml").display().to_string();
    assert_eq!(shown["file"], file);
    assert_eq!(
        setting(&shown, "store.batch_size"),
        &json!({
            "name": "store.batch_size", "value": 7, "default": 1000,
            "source": {"kind": "file", "file": file, "line": 3},
            "meaning": "The most writes that one commit takes together.",
            "variable": "BATCH_SIZE", "flag": null, "needsRestart": true,
        })
    );
    let interval = setting(&shown, "store.batch_interval_ms");
    assert_eq!(
        interval["source"],
        json!({"kind": "environment", "variable": "BATCH_INTERVAL"})
    );
    assert_eq!(
        setting(&shown, "server.host")["source"],
        json!({"kind": "default"})
    );
    assert_eq!(
        setting(&shown, "mounts.openai.upstream")["default"],
        "https://api.openai.com"
    );
    assert!(!shown.to_string().contains("hush"), "{shown}");
}

#[test]
fn the_command_says_the_same_without_the_program() {
    let home = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let output = command(home.path())
            .env("MOONLOCK_LOG", "error")
            .arg("config")
            .args(arguments)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0));
        String::from_utf8(output.stdout).unwrap()
    };
    let shown: Value = serde_json::from_str(&run(&["--json", "--proxy-port", "4000"])).unwrap();
    let port = setting(&shown, "server.proxy_port");
    assert_eq!(
        (&port["value"], &port["source"]),
        (&json!(4000), &json!({"kind": "flag", "flag": "--proxy-port"}))
    );
    assert_eq!(shown["file"], Value::Null);
    let text = run(&[]);
    let line = |start: &str| {
        text.lines()
            .find(|line| line.starts_with(start))
            .unwrap_or_default()
    };
    assert!(
        line("MOONLOCK_LOG ").ends_with("environment MOONLOCK_LOG"),
        "{text}"
    );
    assert!(line("server.port ").ends_with("environment PORT"), "{text}");
    assert!(line("store.durability ").ends_with("  default"), "{text}");
    assert!(
        line("mounts.").is_empty() && line("NO_PROXY").is_empty(),
        "{text}"
    );
}
