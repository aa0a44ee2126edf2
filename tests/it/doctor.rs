//! `moonlock doctor`: broken set-ups, each diagnosed with its remedy.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::app::TestApp;
use crate::support::bodies::{CHAT, CHAT_PATH, CHAT_REQUEST, JSON};
use crate::support::client::post;
use crate::support::program::{Program, command, run};
use crate::support::upstream::{Script, Upstream};

/// What it found, and its exit code.
async fn doctor(mut command: Command) -> (Option<i32>, Vec<Value>) {
    command.args(["doctor", "--json"]);
    let (code, out, said) = tokio::task::spawn_blocking(move || run(&mut command))
        .await
        .unwrap();
    assert_eq!(said, "");
    let shown: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(shown["ok"], code == Some(0), "{shown}");
    (code, shown["findings"].as_array().unwrap().clone())
}

/// Looks for a finding of a level that says all of these; its remedy.
#[track_caller]
fn found(findings: &[Value], level: &str, words: &[&str]) -> String {
    let is_it = |finding: &&Value| {
        let text = finding["text"].as_str().unwrap();
        finding["level"] == level && words.iter().all(|word| text.contains(word))
    };
    let finding = findings.iter().find(is_it);
    let finding = finding.unwrap_or_else(|| panic!("no {level} says {words:?}: {findings:#?}"));
    finding["remedy"].as_str().unwrap_or_default().to_owned()
}

fn of(app: &TestApp) -> Command {
    let mut command = command(app.home.path());
    command
        .env("PORT", app.dashboard().port().to_string())
        .env("PROXY_PORT", app.proxy().port().to_string());
    command
}

fn offline(home: &Path) -> Command {
    let mut command = command(home);
    for mount in ["OPENAI", "ANTHROPIC"] {
        // Nobody is asked outside this machine.
        command.env(format!("MOONLOCK_UPSTREAM_{mount}"), "http://127.0.0.1:1");
    }
    command
}

#[tokio::test]
async fn a_set_up_that_is_well_has_no_problem() {
    let upstream = Upstream::start(|_| Script::sized(JSON, CHAT)).await;
    let app = TestApp::start(upstream.address).await;
    app.ask(post(CHAT_PATH, CHAT_REQUEST)).await;
    let mut command = of(&app);
    command
        .env("MOONLOCK_UPSTREAM_OPENAI", format!("http://{}", upstream.address))
        .env("OPENAI_BASE_URL", format!("http://{}/openai/v1", app.proxy()))
        .env(
            "ANTHROPIC_BASE_URL",
            format!("http://{}/s/work/anthropic", app.proxy()),
        );
    let (code, findings) = doctor(command).await;
    assert_eq!(code, Some(0), "{findings:#?}");
    for words in [
        &["Moonlock", "runs", &app.dashboard().to_string()][..],
        &["moonlock.db is sound"],
        &["wall clock"],
        &["is free"],
        &["openai: http://", "can be reached"],
        &["OPENAI_BASE_URL leads to Moonlock's mount openai"],
        &["ANTHROPIC_BASE_URL leads to Moonlock's mount anthropic"],
    ] {
        found(&findings, "ok", words);
    }
}

#[tokio::test]
async fn another_programs_port_is_found() {
    let home = tempfile::tempdir().unwrap();
    let stranger = Upstream::start(|_| Script::sized("200 OK\ncontent-type: text/html", "<html>")).await;
    let mut command = offline(home.path());
    command.env("PORT", stranger.address.port().to_string());
    let (code, findings) = doctor(command).await;
    assert_eq!(code, Some(1));
    let remedy = found(&findings, "problem", &["another program has the port"]);
    assert!(remedy.contains("lsof"), "{remedy}");

    // Moonlock does not run, and could not: the proxy's port is taken.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let mut command = offline(home.path());
    command
        .env("PORT", free.port().to_string())
        .env("PROXY_PORT", &port);
    let (_, findings) = doctor(command).await;
    found(&findings, "warning", &["not running"]);
    let remedy = found(&findings, "problem", &["could not listen", &port]);
    assert!(remedy.contains("PROXY_PORT"), "{remedy}");
}

#[tokio::test]
async fn variables_that_lead_astray_are_found() {
    let upstream = Upstream::start(|_| Script::sized(JSON, CHAT)).await;
    let app = TestApp::start(upstream.address).await;
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (dashboard, proxy) = (app.dashboard(), app.proxy());
    for (name, value, level, words) in [
        (
            "OPENAI_BASE_URL",
            format!("http://{proxy}/openai"),
            "warning",
            "misses `/v1`",
        ),
        (
            "OPENAI_BASE_URL",
            format!("http://{proxy}/openai/v1/v1"),
            "warning",
            "too much",
        ),
        (
            "OPENAI_BASE_URL",
            format!("http://{proxy}/v1"),
            "problem",
            "names no mount",
        ),
        (
            "OPENAI_BASE_URL",
            format!("https://{proxy}/openai/v1"),
            "problem",
            "TLS",
        ),
        (
            "OPENAI_BASE_URL",
            "https://api.openai.com/v1".to_owned(),
            "warning",
            "past Moonlock",
        ),
        (
            "ANTHROPIC_BASE_URL",
            format!("http://{dashboard}/anthropic"),
            "problem",
            "dashboard's port",
        ),
        (
            "ANTHROPIC_BASE_URL",
            format!("http://{free}/anthropic"),
            "problem",
            "nothing listens",
        ),
        (
            "ANTHROPIC_BASE_URL",
            format!("http://[::1]:{}/anthropic", proxy.port()),
            "problem",
            "not on ::1",
        ),
        ("OLLAMA_HOST", "gpu:11434".to_owned(), "warning", "past Moonlock"),
    ] {
        let mut command = of(&app);
        command.env("MOONLOCK_UPSTREAM_OPENAI", format!("http://{}", upstream.address));
        command.env(
            "MOONLOCK_UPSTREAM_ANTHROPIC",
            format!("http://{}", upstream.address),
        );
        command.env(name, &value);
        let (code, findings) = doctor(command).await;
        assert_eq!(
            code,
            Some(i32::from(level == "problem")),
            "{name}={value}: {findings:#?}"
        );
        let remedy = found(&findings, level, &[name, words]);
        assert!(!remedy.is_empty());
        if level == "problem" {
            assert!(
                remedy.contains(&format!("export {name}='http://{proxy}/")),
                "{remedy}"
            );
        }
    }
}

#[tokio::test]
async fn what_codexs_file_says_is_judged() {
    let upstream = Upstream::start(|_| Script::sized(JSON, CHAT)).await;
    let app = TestApp::start(upstream.address).await;
    let (proxy, dashboard) = (app.proxy(), app.dashboard());
    let own = format!(
        "[model_providers.own]\nbase_url = \"http://{proxy}/groq/openai/v1\"\nwire_api = \"responses\""
    );
    let router =
        "model_provider = \"router\"\n[model_providers.router]\nbase_url = \"https://openrouter.ai/api/v1\"";
    for (text, level, words, remedy) in [
        (
            "model = \"gpt-5\"".to_owned(),
            "ok",
            "leaves the address open",
            String::new(),
        ),
        (
            format!("openai_base_url = \"http://{proxy}/openai/v1\""),
            "ok",
            "openai_base_url leads to",
            String::new(),
        ),
        (
            format!("openai_base_url = \"http://{dashboard}/openai/v1\""),
            "problem",
            "dashboard's port",
            format!("Set openai_base_url = \"http://{proxy}/openai/v1\""),
        ),
        (
            "openai_base_url = \"https://llm.corp.example/v1\"".to_owned(),
            "warning",
            "past Moonlock",
            "A mount of your own".to_owned(),
        ),
        (
            router.to_owned(),
            "warning",
            "model_providers.router.base_url=https://openrouter.ai/api/v1 leads past",
            format!("Set model_providers.router.base_url = \"http://{proxy}/openrouter/api/v1\""),
        ),
        (
            format!("profile = \"mine\"\n[profiles.mine]\nmodel_provider = \"own\"\n{own}"),
            "ok",
            "model_providers.own.base_url leads to Moonlock's mount groq",
            String::new(),
        ),
        (
            "[model_providers.openai]\nbase_url = \"http://x/v1\"".to_owned(),
            "warning",
            "has no effect",
            format!("openai_base_url = \"http://{proxy}/openai/v1\""),
        ),
        (
            "model_provider = \"ollama\"".to_owned(),
            "warning",
            "past Moonlock",
            "base_url is a mount".to_owned(),
        ),
        (
            "model_provider = \"gone\"".to_owned(),
            "problem",
            "does not have",
            "[model_providers.gone]".to_owned(),
        ),
        (
            "model = \"gpt-5\"\nmodel_provider = ollama".to_owned(),
            "problem",
            "line 2",
            "Correct it".to_owned(),
        ),
    ] {
        std::fs::write(app.home.path().join("config.toml"), &text).unwrap();
        let mut command = of(&app);
        command.env("CODEX_HOME", app.home.path());
        for mount in ["OPENAI", "ANTHROPIC"] {
            command.env(
                format!("MOONLOCK_UPSTREAM_{mount}"),
                format!("http://{}", upstream.address),
            );
        }
        let (_, findings) = doctor(command).await;
        let said = found(&findings, level, &[words]);
        assert!(said.contains(&remedy), "{text}: {said}");
    }
}

#[tokio::test]
async fn a_proxy_that_swallows_loopback_is_found() {
    let home = tempfile::tempdir().unwrap();
    let mut command = offline(home.path());
    command
        .env("HTTP_PROXY", "http://127.0.0.1:9")
        .env("NO_PROXY", "corp.example");
    let (code, findings) = doctor(command).await;
    assert_eq!(code, Some(1));
    let remedy = found(&findings, "problem", &["HTTP_PROXY", "127.0.0.1"]);
    assert_eq!(remedy, "export NO_PROXY='corp.example,127.0.0.1,localhost'");
}

#[cfg(unix)]
#[tokio::test]
async fn a_database_that_others_read_and_one_that_is_none_are_found() {
    use std::os::unix::fs::PermissionsExt;
    let home = tempfile::tempdir().unwrap();
    Program::start(&mut command(home.path())).kill();
    let database = home.path().join("moonlock.db");
    std::fs::set_permissions(&database, PermissionsExt::from_mode(0o644)).unwrap();
    let (_, findings) = doctor(offline(home.path())).await;
    let remedy = found(&findings, "warning", &["read by others", "644"]);
    assert_eq!(remedy, format!("chmod 600 {}", database.display()));

    let notes = home.path().join("notes.txt");
    std::fs::write(&notes, "These are my notes, and no database at all.\n").unwrap();
    let mut command = offline(home.path());
    command.env("DB_PATH", &notes);
    let (code, findings) = doctor(command).await;
    assert_eq!(code, Some(1));
    found(&findings, "problem", &["notes.txt"]);

    let mut command = offline(home.path());
    command.env("DB_PATH", home.path().join("no/such/moonlock.db"));
    let (_, findings) = doctor(command).await;
    let remedy = found(&findings, "problem", &["folder does not exist"]);
    assert!(remedy.contains("mkdir -p"), "{remedy}");
}

#[tokio::test]
async fn a_provider_that_cannot_be_reached_is_found() {
    let home = tempfile::tempdir().unwrap();
    let (code, findings) = doctor(offline(home.path())).await;
    assert_eq!(code, Some(1));
    found(&findings, "problem", &["openai", "cannot be reached", "refused"]);
    // It listens, but speaks no TLS.
    let plain = Upstream::start(|_| Script::sized(JSON, CHAT)).await;
    let mut command = offline(home.path());
    command.env("MOONLOCK_UPSTREAM_OPENAI", format!("https://{}", plain.address));
    let (_, findings) = doctor(command).await;
    found(&findings, "problem", &["openai: https://", "cannot be reached"]);
    let mut command = offline(home.path());
    command.args(["doctor", "--offline"]);
    let (code, out, _) = run(&mut command);
    assert_eq!(code, Some(0), "{out}");
    assert!(!out.contains("reached") && out.contains("! service"), "{out}");
}

#[tokio::test]
async fn wrong_settings_are_a_finding() {
    let home = tempfile::tempdir().unwrap();
    let mut command = offline(home.path());
    command.env("PORT", "many");
    let (code, findings) = doctor(command).await;
    assert_eq!((code, findings.len()), (Some(1), 1));
    found(&findings, "problem", &["PORT=many"]);
}
