//! What the command line prints, word for word: each file in `snapshots/` is a terminal as a user would see it. What is
//! different in every run stands as `[TIME]` and the like.
//!
//! Where a change is meant: `SNAPSHOTS=overwrite cargo test --test it snapshots`, and look at the difference.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use snapbox::{Assert, Data, IntoData, Redactions, file};

use crate::support::app::TestApp;
use crate::support::bodies::{CHAT, CHAT_PATH, CHAT_REQUEST, JSON};
use crate::support::client::post;
use crate::support::program::{command, run};
use crate::support::upstream::{Script, Upstream};

/// Compares a text with a file of snapshots.
#[track_caller]
fn compare(shown: &str, expected: &Data, redactions: &[(&'static str, &str)]) {
    let mut known = Redactions::new();
    for (name, pattern) in redactions {
        known.insert(name, regex::Regex::new(pattern).unwrap()).unwrap();
    }
    Assert::new()
        .action_env("SNAPSHOTS")
        .redact_with(known)
        .eq(shown.into_data(), expected.clone());
}

/// Runs commands one after the other, as a shell shows them.
fn transcript(of: impl Fn() -> Command, lines: &[&[&str]]) -> String {
    let mut shown = String::new();
    for arguments in lines {
        let (code, out, said) = run(of().args(*arguments));
        let quoted: Vec<String> = arguments.iter().map(|word| quoted(word)).collect();
        write!(shown, "$ moonlock {}\n{out}{said}", quoted.join(" ")).unwrap();
        match code {
            Some(0) => shown.push('\n'),
            code => writeln!(shown, "[exit code {}]\n", code.unwrap()).unwrap(),
        }
    }
    shown
}

fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_=,.:/".contains(c);
    if word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{word}'")
    }
}

/// Without what depends on how fast the calls were: forecasts and rates.
fn without_pace(shown: &str) -> String {
    let is_kept = |line: &&str| {
        !["  forecast", "clock ", "output a minute", "efficiency"]
            .iter()
            .any(|start| line.starts_with(start))
    };
    let lines = shown.lines().filter(is_kept);
    let lines = lines.map(|line| {
        line.split("; ")
            .next()
            .filter(|_| line.contains(" likely "))
            .unwrap_or(line)
    });
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// The names below `Commands:` of a help text.
fn commands(help: &str) -> Vec<&str> {
    let list = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    list.take_while(|line| line.starts_with("  "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect()
}

fn helps(home: &Path, path: &[&str], shown: &mut String) {
    let (code, help, said) = run(command(home).args(path).arg("--help"));
    assert_eq!((code, said.as_str()), (Some(0), ""), "{path:?}");
    let words: String = path.iter().map(|word| format!("{word} ")).collect();
    write!(shown, "$ moonlock {words}--help\n{help}\n").unwrap();
    for name in commands(&help) {
        helps(home, &[path, &[name]].concat(), shown);
    }
}

#[test]
fn every_commands_help() {
    let home = tempfile::tempdir().unwrap();
    let mut shown = String::new();
    helps(home.path(), &[], &mut shown);
    assert!(
        shown.matches("$ moonlock").count() > 30,
        "subcommands are followed"
    );
    compare(&shown, &file!["snapshots/help.txt"], &[]);
}

#[test]
fn typos_wrong_values_and_a_service_that_does_not_run() {
    let home = tempfile::tempdir().unwrap();
    let of = || {
        let mut command = command(home.path());
        // Nobody listens there.
        command.env("PORT", "1");
        command
    };
    let shown = transcript(
        of,
        &[
            &["stauts"],
            &["sessions", "--statsu", "active"],
            &["sessions", "--status", "lazy"],
            &["run", "claude"],
            &["start", "work", "--budget", "lots"],
            &["start", "work", "--duration", "soon"],
            &["guard"],
            &["guard", "--bugdet", "5k"],
            &["guard", "--budget", "5k"],
            &["guard", "--budget", "5k", "--fail-open"],
            &["status"],
            &["status", "--line"],
            &["pause"],
            &["top"],
            &["usage", "--group-by", "planet"],
            &["prices", "refresh", "nowhere.json"],
            &[
                "prices",
                "override",
                "gpt-5",
                "--provider",
                "opnai",
                "--input",
                "1",
            ],
            &["export", "calls.xml"],
            &["--port", "many"],
        ],
    );
    let home = regex::escape(home.path().to_str().unwrap());
    compare(&shown, &file!["snapshots/refusals.txt"], &[("[HOME]", &home)]);
}

#[tokio::test]
async fn what_a_session_shows() {
    let upstream = Upstream::start(|_| Script::sized(JSON, CHAT)).await;
    let app = TestApp::start(upstream.address).await;
    let (home, port) = (app.home.path().to_owned(), app.dashboard().port().to_string());
    let of = move || {
        let mut command = command(&home);
        command.env("PORT", &port).env("TZ", "UTC");
        command
    };
    let transcript = async |lines: &'static [&'static [&'static str]]| {
        let of = of.clone();
        tokio::task::spawn_blocking(move || transcript(of, lines))
            .await
            .unwrap()
    };
    let mut shown = transcript(&[
        &["status"],
        &["sessions"],
        &[
            "start",
            "refactor",
            "--budget",
            "200",
            "--budget",
            "$5",
            "--duration",
            "2h",
            "--tag",
            "work",
        ],
    ])
    .await;
    for _ in 0..3 {
        app.ask(post(CHAT_PATH, CHAT_REQUEST)).await;
    }
    shown += &transcript(&[
        &["checkpoint", "half way"],
        &["pause"],
        &["status"],
        &["status", "--line"],
        &["start", "review", "--budget", "40"],
    ])
    .await;
    for _ in 0..2 {
        app.ask(post("/groq/openai/v1/chat/completions", CHAT_REQUEST))
            .await;
    }
    shown += &transcript(&[
        &["pause"],
        &["sessions"],
        &["sessions", "--status", "active"],
        &["usage", "--since", "year"],
        &["usage", "--group-by", "provider,model"],
        &["guard", "--budget", "100", "--session", "refactor"],
        &["guard", "--session", "review"],
        &["guard", "--standing"],
        &["compare", "refactor", "review"],
        &["alerts"],
        &["complete"],
        &["complete"],
        &["status"],
        &["prices", "search", "gpt-4o-mini-2024"],
    ])
    .await;
    compare(
        &without_pace(&shown),
        &file!["snapshots/session.txt"],
        &[
            (
                "[ID]",
                "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}",
            ),
            ("[KEY]", r"(?m)^[0-9a-f]{12}\b"),
            ("[TIME]", "[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}"),
            ("[CLOCK]", r"\b0:0[0-9](:[0-9]{2})?\b"),
            ("[SHORT]", r"\b[0-9]+ s\b"),
            ("[ADDRESS]", r"127\.0\.0\.1:[0-9]+"),
        ],
    );
}
