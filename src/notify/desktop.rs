//! The desktop's own notifications, by the program that each system has for it. A library would bring a client for
//! D-Bus and dozens of crates for what is rarely sent.

use std::process::Stdio;

use tokio::process::Command;

use crate::domain::notice::Notice;

/// Shows it.
///
/// # Errors
/// A sentence: there is no desktop here, or nothing that shows notifications on it.
pub(super) async fn show(notice: &Notice) -> Result<(), String> {
    let Some(mut command) = command(notice) else {
        return Err("notifications on the desktop are known on Linux and macOS only".to_owned());
    };
    let program = command.as_std().get_program().to_string_lossy().into_owned();
    let shown = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    match shown.status().await {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err(format!("{program} could not show it: is there a desktop?")),
        Err(error) => Err(format!("{program} cannot be run: {error}")),
    }
}

#[cfg(target_os = "macos")]
fn command(notice: &Notice) -> Option<Command> {
    const SCRIPT: [&str; 6] = [
        "-e",
        "on run argv",
        "-e",
        "display notification (item 2 of argv) with title (item 1 of argv)",
        "-e",
        "end run",
    ];
    let mut command = Command::new("osascript");
    command.args(SCRIPT).args([notice.title(), notice.text()]);
    Some(command)
}

#[cfg(all(unix, not(target_os = "macos")))]
fn command(notice: &Notice) -> Option<Command> {
    use crate::domain::alert::Severity;
    let urgency = match notice.severity() {
        Severity::Info => "low",
        Severity::Warning => "normal",
        Severity::Critical => "critical",
    };
    // Its text may hold marks.
    let text = notice
        .text()
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    let mut command = Command::new("notify-send");
    command
        .args(["--app-name=Moonlock", "--urgency", urgency, "--", notice.title()])
        .arg(text);
    Some(command)
}

#[cfg(not(unix))]
fn command(_: &Notice) -> Option<Command> {
    None
}
