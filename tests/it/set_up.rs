//! The commands that set things up: prices, the service, completions, the manual.

use serde_json::Value;

use crate::support::program::{command, run};

/// Runs a command that goes well; what it printed.
fn well(home: &std::path::Path, arguments: &[&str]) -> String {
    let (code, out, said) = run(command(home).args(arguments));
    assert_eq!((code, said.as_str()), (Some(0), ""), "{arguments:?}: {out}");
    out
}

fn fails(home: &std::path::Path, arguments: &[&str], expected: (i32, &str)) {
    let (code, out, said) = run(command(home).args(arguments));
    assert_eq!(
        (code, out.as_str()),
        (Some(expected.0), ""),
        "{arguments:?}: {said}"
    );
    assert!(
        said.contains(expected.1),
        "{arguments:?}: {said:?} says {:?}",
        expected.1
    );
}

#[test]
fn prices_are_found_and_set() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let out = well(home, &["prices", "search", "sonnet-4-5"]);
    assert!(
        out.starts_with("provider") && out.contains("0.3         3.75      15"),
        "{out}"
    );
    let found: Value =
        serde_json::from_str(&well(home, &["prices", "search", "sonnet-4-5", "--json"])).unwrap();
    assert_eq!(found["models"][0]["outputNanoUsd"], 15_000_000_000_u64, "{found}");
    fails(home, &["prices", "search", "no such model"], (1, "has no model"));

    let own = [
        "prices",
        "override",
        "mine*",
        "--provider",
        "openai",
        "--input",
        "0.50",
        "--output",
        "2",
    ];
    let table = well(home, &own);
    assert_eq!(
        table,
        "[[prices]]\nprovider = \"openai\"\nmodel = \"mine*\"\ninput = \"0.5\"\noutput = \"2\"\n"
    );
    let file = home.join("mine.toml");
    std::fs::write(&file, "[server]\nport = 4001\n").unwrap();
    let with_file = |arguments: &[&'static str]| [arguments, &["--config", file.to_str().unwrap()]].concat();
    well(home, &with_file(&[&own[..], &["--write"]].concat()));
    let written = std::fs::read_to_string(&file).unwrap();
    assert_eq!(written, format!("[server]\nport = 4001\n\n{table}"));
    let listed: Value = serde_json::from_str(&well(home, &with_file(&["prices", "--json"]))).unwrap();
    assert_eq!(listed["own"][0]["model"], "mine*", "{listed}");
    assert_eq!(listed["own"][0]["inputNanoUsd"], 500_000_000, "{listed}");

    for (arguments, expected) in [
        (vec!["prices", "override", "m"], "--input"),
        (vec!["prices", "override", "m", "--input", "much"], "input"),
        (
            vec!["prices", "override", "m", "--input", "1", "--provider", "nobody"],
            "no mount `nobody`",
        ),
    ] {
        fails(home, &arguments, (2, expected));
    }
}

#[test]
fn the_service_is_shown_before_it_is_installed() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    for (system, expected) in [
        ("systemd", "NoNewPrivileges=yes"),
        ("launchd", "<key>RunAtLoad</key>"),
        ("windows", "<LogonTrigger>"),
    ] {
        let out = well(
            home,
            &[
                "service", "install", "--print", "--system", system, "--port", "4001",
            ],
        );
        assert!(out.contains(expected), "{out}");
        assert!(
            out.contains(home.to_str().unwrap()) && out.contains("4001"),
            "{out}"
        );
    }
    assert!(!home.join(".config").exists(), "nothing was written");
    if cfg!(target_os = "linux") {
        fails(home, &["service", "status"], (69, "not installed"));
        fails(home, &["service", "uninstall"], (1, "not installed"));
    }
}

#[test]
fn shells_and_man_know_the_commands() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = well(home, &["completions", shell]);
        assert!(
            script.contains("checkpoint") && script.contains("dry-run"),
            "{shell}"
        );
    }
    let page = well(home, &["man"]);
    assert!(page.contains(".TH moonlock 1"), "{page}");
    let pages = home.join("man1");
    well(home, &["man", "--dir", pages.to_str().unwrap()]);
    let page = std::fs::read_to_string(pages.join("moonlock-import.1")).unwrap();
    assert!(page.contains("claude"), "{page}");
}
