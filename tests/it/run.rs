//! `moonlock run`: real commands, each in its session, as if they had been started in the terminal themselves.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::bodies::{CHAT, CHAT_REQUEST, JSON};
use crate::support::program::{command, free_port, run};
#[cfg(target_os = "linux")]
use crate::support::terminal::{self, Terminal};
use crate::support::upstream::{Script, Upstream};

/// How many calls this test's own binary makes as a command.
const CALLS: &str = "MOONLOCK_TEST_CALLS";

/// That this test's own binary tells its interrupts as a command.
#[cfg(target_os = "linux")]
const TELLS_INTERRUPTS: &str = "MOONLOCK_TEST_TELLS_INTERRUPTS";

/// Is the command of the tests below: makes calls to where the environment says, as a tool would.
#[test]
#[expect(clippy::disallowed_methods, reason = "it is a program of its own here")]
fn makes_calls() {
    let Ok(calls) = std::env::var(CALLS) else { return };
    let base = std::env::var("OPENAI_BASE_URL").unwrap();
    let (proxy, path) = base.strip_prefix("http://").unwrap().split_once('/').unwrap();
    for _ in 0..calls.parse().unwrap() {
        let mut stream = TcpStream::connect(proxy).unwrap();
        let head = format!(
            "POST /{path}/chat/completions HTTP/1.1\r\nhost: {proxy}\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n",
            CHAT_REQUEST.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(CHAT_REQUEST.as_ref()).unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        assert!(reply.starts_with("HTTP/1.1 200"), "{reply}");
    }
}

/// `moonlock run` with these arguments, of a program that is there already.
fn moonlock(app: &TestApp, arguments: &[&str]) -> Command {
    let mut command = command(app.home.path());
    command
        .env("PORT", app.dashboard().port().to_string())
        .env("PATH", "/usr/bin:/bin")
        .arg("run")
        .args(arguments);
    command
}

/// A command that makes so many calls.
fn calling(app: &TestApp, arguments: &[&str], calls: u32) -> Command {
    let mut command = moonlock(app, arguments);
    command
        .env(CALLS, calls.to_string())
        .arg("--")
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "run::makes_calls", "--nocapture"]);
    command
}

async fn ends(mut command: Command) -> (Option<i32>, String, String) {
    tokio::task::spawn_blocking(move || run(&mut command))
        .await
        .unwrap()
}

async fn app() -> (TestApp, Upstream) {
    let upstream = Upstream::start(|_| Script::sized(JSON, CHAT)).await;
    (TestApp::start(upstream.address).await, upstream)
}

async fn session(app: &TestApp, name: &str) -> Value {
    let page = app.get("/api/sessions").await;
    let sessions = page["sessions"].as_array().unwrap();
    sessions
        .iter()
        .find(|session| session["name"] == name)
        .unwrap()
        .clone()
}

#[tokio::test]
async fn two_side_by_side_never_mix() {
    let (app, _upstream) = app().await;
    let current = app.session("the user's own").await;
    let one = calling(&app, &["--session", "one", "--budget", "1000"], 7);
    let other = calling(
        &app,
        &["--session", "the other/ü", "--budget", "$1", "--duration", "1h"],
        4,
    );
    let ((code, _, said), (other_code, _, other_said)) = tokio::join!(ends(one), ends(other));
    assert_eq!((code, other_code), (Some(0), Some(0)), "{said}{other_said}");
    for (name, calls, said) in [("one", 7_u64, &said), ("the other/ü", 4, &other_said)] {
        let session = session(&app, name).await;
        let rows = app.rows().await;
        let own: Vec<&Value> = rows
            .iter()
            .filter(|row| row["sessionId"] == session["id"])
            .collect();
        assert_eq!(own.len() as u64, calls, "{name}: {rows:?}");
        assert!(own.iter().all(|row| row["attribution"] == "path"), "{own:?}");
        assert_eq!(
            (&session["status"], &session["current"]),
            (&json!("completed"), &json!(false))
        );
        assert_eq!(session["usage"]["total"], calls * 18);
        for expected in [
            format!("moonlock: {name} ran "),
            format!("{} (input {}, cache read {}", calls * 18, calls * 7, calls * 4),
            format!("in {calls} calls, 36 % of the prompts from a cache"),
            format!("gpt-4o-2024-08-06: {} tokens, $0.000", calls * 18),
        ] {
            assert!(said.contains(&expected), "{expected:?} is in {said}");
        }
    }
    assert!(
        said.contains("13 % of 1,000 tokens") && other_said.contains("0 % of $1.00"),
        "{said}{other_said}"
    );
    let own = app.get(&format!("/api/sessions/{current}")).await;
    assert_eq!(
        (&own["status"], &own["current"], &own["tokensUsed"]),
        (&json!("active"), &json!(true), &json!(0))
    );
}

#[tokio::test]
async fn one_that_is_joined_stays_as_it_was_and_only_the_commands_part_is_told() {
    let (app, _upstream) = app().await;
    let id = app.session("work").await;
    assert_eq!(ends(calling(&app, &["--session", "work"], 2)).await.0, Some(0));
    let (code, _, said) = ends(calling(&app, &["--session", &id], 1)).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("18 (input 7") && said.contains("in 1 call,"),
        "{said}"
    );
    let joined = session(&app, "work").await;
    assert_eq!(
        (&joined["status"], &joined["usage"]["requests"]),
        (&json!("active"), &json!(3))
    );

    let (code, _, said) = ends(calling(&app, &["--session", "work", "--budget", "5k"], 1)).await;
    assert_eq!(code, Some(2));
    assert!(
        said.contains("--budget") && app.rows().await.len() == 3,
        "nothing ran: {said}"
    );
    let path = format!("/api/sessions/{id}");
    app.say("PATCH", &path, &json!({"status": "paused"})).await;
    let (_, _, said) = ends(calling(&app, &["--quiet", "--session", "work"], 1)).await;
    assert!(said.contains("work is paused") && !said.contains("ran"), "{said}");
    assert_eq!(app.get(&path).await["pausedTokens"], 18);
    app.say("PATCH", &path, &json!({"status": "completed"})).await;
    let (code, _, said) = ends(calling(&app, &["--session", &id], 1)).await;
    assert_eq!(code, Some(1), "{said}");
    // A name can be taken anew.
    assert_eq!(ends(calling(&app, &["--session", "work"], 1)).await.0, Some(0));
    assert_eq!(session(&app, "work").await["usage"]["requests"], 1);
}

#[cfg(unix)]
#[tokio::test]
async fn the_exit_code_is_the_commands_own() {
    let (app, _upstream) = app().await;
    let plain = app.home.path().join("not-a-program");
    std::fs::write(&plain, "text").unwrap();
    for (line, expected) in [
        (&["true"][..], 0),
        (&["sh", "-c", "exit 7"], 7),
        (&["sh", "-c", "kill -TERM $$"], 143),
        (&["sh", "-c", "kill -KILL $$"], 137),
        (&["no-such-command-anywhere"], 127),
        (&[plain.to_str().unwrap()], 126),
    ] {
        let mut command = moonlock(&app, &["--"]);
        command.args(line);
        let (code, _, said) = ends(command).await;
        assert_eq!(code, Some(expected), "{line:?}: {said}");
    }
    let (code, _, said) = ends(moonlock(&app, &[])).await;
    assert_eq!(code, Some(2), "{said}");
}

#[cfg(unix)]
#[tokio::test]
async fn streams_pass_through_and_the_commands_environment_names_its_session() {
    let (app, _upstream) = app().await;
    let mut command = moonlock(&app, &["--session", "env", "--", "sh", "-c"]);
    command
        .env("http_proxy", "http://127.0.0.1:9")
        .env("GROQ_BASE_URL", "https://llm.corp.example/v1")
        .arg("cat; echo error >&2; env")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"from stdin\n").unwrap();
    let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap())
        .await
        .unwrap();
    let (out, said) = (
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    );
    let session = session(&app, "env").await;
    let id = session["id"].as_str().unwrap();
    let proxy = app.proxy();
    for expected in [
        "from stdin".to_owned(),
        format!("ANTHROPIC_BASE_URL=http://{proxy}/s/{id}/anthropic"),
        format!("MISTRAL_API_BASE=http://{proxy}/s/{id}/mistral/v1"),
        format!("MOONLOCK_SESSION={id}"),
        "NO_PROXY=127.0.0.1,localhost,::1".to_owned(),
        "GROQ_BASE_URL=https://llm.corp.example/v1".to_owned(),
    ] {
        assert!(out.lines().any(|line| line == expected), "{expected} is in {out}");
    }
    assert!(
        said.contains("error\n") && said.contains("GROQ_BASE_URL stays https://llm.corp.example/v1"),
        "{said}"
    );
    assert!(said.contains("no call was made"), "{said}");

    // A command inside is about that session.
    let mut command = moonlock(&app, &["--session", "inside", "--"]);
    command.args([env!("CARGO_BIN_EXE_moonlock"), "checkpoint", "here"]);
    let (code, out, said) = ends(command).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(
        out.starts_with("here at ") && out.contains(" of inside:"),
        "{out}"
    );
}

#[cfg(unix)]
#[tokio::test]
async fn codex_is_pointed_by_its_arguments() {
    use std::os::unix::fs::PermissionsExt;
    let (app, _upstream) = app().await;
    let codex = app.home.path().join("codex");
    std::fs::write(&codex, "#!/bin/sh\nfor word; do echo \"<$word>\"; done\n").unwrap();
    std::fs::set_permissions(&codex, PermissionsExt::from_mode(0o755)).unwrap();
    let mut command = moonlock(&app, &["--"]);
    command.arg(&codex).args(["exec", "--json", "mend it"]);
    let (code, out, said) = ends(command).await;
    assert_eq!(code, Some(0), "{said}");
    let session = session(&app, "codex").await;
    let base = format!("http://{}/s/{}", app.proxy(), session["id"].as_str().unwrap());
    let expected = format!("<-c>\n<openai_base_url=\"{base}/openai/v1\">\n<exec>\n<--json>\n<mend it>\n");
    assert_eq!(out, expected);
}

#[cfg(unix)]
#[tokio::test]
async fn a_signal_to_it_reaches_the_command() {
    let (app, _upstream) = app().await;
    for (signal, expected) in [("TERM", 143), ("INT", 130), ("USR1", 3), ("HUP", 129)] {
        let script = "trap 'echo got USR1; exit 3' USR1; echo ready; read line";
        let mut command = moonlock(&app, &["--quiet", "--", "sh", "-c", script]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // Waiting closes it, and the command would read its end before the signal reaches it.
        let input = child.stdin.take();
        // The program is in this process: it answers on other threads of this runtime only while this one waits.
        let code = tokio::task::spawn_blocking(move || {
            assert_eq!(lines.next().unwrap().unwrap(), "ready");
            let id = child.id().to_string();
            assert!(
                Command::new("kill")
                    .args(["-s", signal, &id])
                    .status()
                    .unwrap()
                    .success()
            );
            child.wait().unwrap().code()
        })
        .await
        .unwrap();
        drop(input);
        assert_eq!(code, Some(expected), "{signal}");
    }
}

/// Is the command of the test below: tells each interrupt and the first line, and ends at USR1.
#[cfg(target_os = "linux")]
#[test]
#[expect(
    clippy::disallowed_methods,
    clippy::exit,
    reason = "it is a program of its own here"
)]
fn tells_interrupts() {
    use signal_hook::consts::{SIGINT, SIGUSR1};
    if std::env::var(TELLS_INTERRUPTS).is_err() {
        return;
    }
    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGUSR1]).unwrap();
    std::thread::spawn(|| {
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).unwrap();
        println!("read {line}");
    });
    let mut interrupts = 0;
    println!("ready");
    for signal in &mut signals {
        if signal == SIGUSR1 {
            println!("interrupted {interrupts} times");
            std::process::exit(5);
        }
        interrupts += 1;
        println!("interrupt {interrupts}");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn ctrl_c_in_a_terminal_reaches_the_command_once_and_its_keys_too() {
    let (app, _upstream) = app().await;
    let mut command = terminal::command(app.home.path());
    command
        .env("PORT", app.dashboard().port().to_string())
        .env(TELLS_INTERRUPTS, "1")
        .args(["run", "--quiet", "--"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "run::tells_interrupts", "--nocapture"]);
    let mut terminal = Terminal::start(command);
    terminal.until("ready").await;
    terminal.press("\x03");
    terminal.until("interrupt 1").await;
    terminal.press("a line\n");
    terminal.until("read a line").await;
    // Signals to it are sent on in their order: had it sent on the interrupt as well, that would be counted by now.
    let id = terminal.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-s", "USR1", &id])
            .status()
            .unwrap()
            .success()
    );
    let (code, shown) = terminal.end().await;
    assert!(shown.contains("interrupted 1 times"), "{shown}");
    assert_eq!(code, Some(5), "{shown}");
}

/// Stops what was started in the background, by what `run` said of it.
struct Background(Option<String>);

impl Background {
    fn of(said: &str) -> Self {
        let id = said
            .split("(process ")
            .nth(1)
            .and_then(|rest| rest.split(')').next());
        Self(id.map(str::to_owned))
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if let Some(id) = &self.0 {
            drop(Command::new("kill").arg(id).status());
        }
    }
}

fn in_the_background(home: &Path, port: u16) -> Command {
    let mut command = command(home);
    command
        .env("PORT", port.to_string())
        .env("PATH", "/usr/bin:/bin")
        .args(["run", "--", env!("CARGO_BIN_EXE_moonlock"), "status", "--json"]);
    command
}

#[cfg(unix)]
#[test]
fn what_does_not_run_is_started_and_stays() {
    let home = tempfile::tempdir().unwrap();
    let port = free_port();
    let (code, out, said) = run(&mut in_the_background(home.path(), port));
    let _background = Background::of(&said);
    assert_eq!(code, Some(0), "{said}");
    let shown: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(shown["session"]["status"], "active");
    assert!(
        said.contains(&format!("dashboard http://127.0.0.1:{port}")),
        "{said}"
    );
    assert!(home.path().join("moonlock.log").exists());
    // The next one finds it.
    let (code, out, said) = run(&mut in_the_background(home.path(), port));
    let again: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (code, &again["proxyUrl"]),
        (Some(0), &shown["proxyUrl"]),
        "{said}"
    );
    assert!(!said.contains("started"), "{said}");
}

#[cfg(unix)]
#[test]
fn of_two_that_start_it_at_once_one_does() {
    let home = tempfile::tempdir().unwrap();
    let port = free_port();
    let start = || -> Child {
        let mut command = in_the_background(home.path(), port);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    };
    let ended = [start(), start()].map(|child| child.wait_with_output().unwrap());
    let said = ended
        .each_ref()
        .map(|output| String::from_utf8_lossy(&output.stderr).into_owned());
    let _backgrounds = said.each_ref().map(|said| Background::of(said));
    assert!(ended.iter().all(|output| output.status.success()), "{said:?}");
    assert_eq!(
        said.iter()
            .filter(|said| said.contains("started in the background"))
            .count(),
        1,
        "{said:?}"
    );
}

#[cfg(unix)]
#[test]
fn why_it_does_not_start_is_told() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(
        home.path().join("moonlock.db"),
        "These are my notes, and no database at all.\n",
    )
    .unwrap();
    let (code, out, said) = run(&mut in_the_background(home.path(), free_port()));
    assert_eq!((code, out.as_str()), (Some(69), ""));
    assert!(said.contains("not an SQLite database"), "{said}");
}

#[tokio::test]
async fn another_programs_port_is_said() {
    let stranger = Upstream::start(|_| Script::sized("404 Not Found", "no")).await;
    let home = tempfile::tempdir().unwrap();
    let SocketAddr::V4(address) = stranger.address else {
        unreachable!()
    };
    let (code, _, said) = ends(in_the_background(home.path(), address.port())).await;
    assert_eq!(code, Some(69));
    assert!(said.contains("another program has the port"), "{said}");
}
