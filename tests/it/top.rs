//! `moonlock top` in a terminal of 80 by 24.

use serde_json::json;

use crate::support::program::{Program, command, free_port};
use crate::support::terminal::{self, Terminal};

fn top(home: &std::path::Path, port: u16) -> std::process::Command {
    let mut command = terminal::command(home);
    command.env("PORT", port.to_string()).arg("top");
    command
}

#[tokio::test]
async fn it_shows_what_runs_takes_keys_and_comes_back_after_a_restart() {
    let home = tempfile::tempdir().unwrap();
    let port = free_port();
    let start = || Program::start(command(home.path()).env("PORT", port.to_string()));
    let service = start();
    let body = json!({"name": "refactor", "tokenBudget": 500_000});
    service.ask("POST", "/api/sessions", &body).await;

    let mut terminal = Terminal::start(top(home.path(), port));
    terminal.until("refactor").await;
    terminal.until("0 of 500,000").await;
    terminal.until("quit").await;
    terminal.press("p");
    terminal.until("paused").await;
    terminal.press("c");
    terminal.press("half way\r");
    terminal.until("half way").await;

    // It says that it has lost the program, and takes it up again when it is back.
    service.kill();
    terminal.until("not connected").await;
    let service = start();
    terminal
        .until_it("the connection", |screen| {
            let shown = screen.contents();
            !shown.contains("not connected") && shown.contains("refactor")
        })
        .await;
    let body = json!({"name": "after the restart"});
    service.ask("POST", "/api/sessions", &body).await;
    terminal.until("after the restart").await;

    terminal.press("q");
    let (code, shown) = terminal.end().await;
    assert_eq!(code, Some(0));
    assert!(!shown.contains("refactor"), "the terminal is as it was: {shown}");
}

#[tokio::test]
async fn without_colour_it_says_the_same() {
    let home = tempfile::tempdir().unwrap();
    let port = free_port();
    let service = Program::start(command(home.path()).env("PORT", port.to_string()));
    service
        .ask("POST", "/api/sessions", &json!({"name": "plain"}))
        .await;
    let mut coloured = Vec::new();
    for look in [None, Some("1")] {
        let mut command = top(home.path(), port);
        look.map(|look| command.env("NO_COLOR", look));
        let mut terminal = Terminal::start(command);
        terminal.until("plain").await;
        terminal.until("quit").await;
        coloured.push(terminal.is_coloured());
        terminal.press("\u{3}");
        assert_eq!(terminal.end().await.0, Some(0));
    }
    assert_eq!(coloured, [true, false]);
}
