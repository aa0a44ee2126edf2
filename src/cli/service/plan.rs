//! What there is to write and to run, so that the system starts Moonlock with the user. Pure.

use std::path::{Path, PathBuf};

use clap::ValueEnum;

const UNIT: &str = include_str!("../../../config/service/moonlock.service");
const AGENT: &str = include_str!("../../../config/service/moonlock.plist");
const TASK: &str = include_str!("../../../config/service/moonlock.xml");

/// Who starts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum System {
    /// Linux: a unit of the user's systemd
    Systemd,
    /// macOS: an agent of the user's launchd
    Launchd,
    /// Windows: a task of the user's
    Windows,
}

impl System {
    /// That of this machine.
    pub(super) const fn of_machine() -> Self {
        if cfg!(target_os = "macos") {
            Self::Launchd
        } else if cfg!(windows) {
            Self::Windows
        } else {
            Self::Systemd
        }
    }
}

/// What is to be started, and for whom.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    /// The program.
    pub(super) program: PathBuf,
    /// Its arguments.
    pub(super) arguments: Vec<String>,
    /// The directories that it writes to.
    pub(super) writable: Vec<PathBuf>,
    /// The user's own directory.
    pub(super) home: PathBuf,
    /// Where the user's configuration is, on Linux.
    pub(super) config_home: PathBuf,
    /// The user's number, where users have one.
    pub(super) user_id: u32,
    /// The user's name.
    pub(super) user: String,
}

/// A command to run.
pub(super) type Run = Vec<String>;

/// What there is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// The file to write.
    pub(super) file: PathBuf,
    /// What is in it.
    pub(super) text: String,
    /// What to run when it is written.
    pub(super) install: Vec<Run>,
    /// What to run before it is removed.
    pub(super) stop: Run,
    /// What to run when it is removed.
    pub(super) removed: Option<Run>,
    /// What tells how it is doing.
    pub(super) status: Run,
}

fn run(words: &[&str]) -> Run {
    words.iter().map(ToString::to_string).collect()
}

/// What there is to do for it on a system.
pub(super) fn plan(system: System, wanted: &Wanted) -> Plan {
    match system {
        System::Systemd => systemd(wanted),
        System::Launchd => launchd(wanted),
        System::Windows => windows(wanted),
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn systemd(wanted: &Wanted) -> Plan {
    let words = std::iter::once(text(&wanted.program)).chain(wanted.arguments.iter().cloned());
    let command: Vec<String> = words.map(|word| unit_word(&word).replace('$', "$$")).collect();
    let writable: Vec<String> = wanted
        .writable
        .iter()
        .map(|path| unit_word(&text(path)))
        .collect();
    Plan {
        file: wanted.config_home.join("systemd/user/moonlock.service"),
        text: UNIT
            .replace("{command}", &command.join(" "))
            .replace("{writable}", &writable.join(" ")),
        install: vec![
            run(&["systemctl", "--user", "daemon-reload"]),
            run(&["systemctl", "--user", "enable", "moonlock.service"]),
            run(&["systemctl", "--user", "restart", "moonlock.service"]),
        ],
        stop: run(&["systemctl", "--user", "disable", "--now", "moonlock.service"]),
        removed: Some(run(&["systemctl", "--user", "daemon-reload"])),
        status: run(&["systemctl", "--user", "--no-pager", "status", "moonlock.service"]),
    }
}

/// A word of a unit file: quoted, and its `%` no specifier.
fn unit_word(word: &str) -> String {
    let escaped = word.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%");
    format!("\"{escaped}\"")
}

fn launchd(wanted: &Wanted) -> Plan {
    let words = std::iter::once(text(&wanted.program)).chain(wanted.arguments.iter().cloned());
    let command: Vec<String> = words
        .map(|word| format!("        <string>{}</string>", xml(&word)))
        .collect();
    let file = wanted.home.join("Library/LaunchAgents/moonlock.plist");
    let domain = format!("gui/{}", wanted.user_id);
    let service = format!("{domain}/moonlock");
    let log = text(&wanted.home.join("Library/Logs/moonlock.log"));
    Plan {
        text: AGENT
            .replace("{command}", &command.join("\n"))
            .replace("{log}", &xml(&log)),
        install: vec![run(&["launchctl", "bootstrap", &domain, &text(&file)])],
        stop: run(&["launchctl", "bootout", &service]),
        removed: None,
        status: run(&["launchctl", "print", &service]),
        file,
    }
}

fn windows(wanted: &Wanted) -> Plan {
    let arguments: Vec<String> = wanted
        .arguments
        .iter()
        .map(|word| format!("\"{}\"", word.replace('"', "\\\"")))
        .collect();
    let file = wanted.home.join("AppData/Local/moonlock/service.xml");
    Plan {
        text: TASK
            .replace("{program}", &xml(&text(&wanted.program)))
            .replace("{arguments}", &xml(&arguments.join(" ")))
            .replace("{user}", &xml(&wanted.user)),
        install: vec![
            run(&[
                "schtasks",
                "/Create",
                "/F",
                "/TN",
                "Moonlock",
                "/XML",
                &text(&file),
            ]),
            run(&["schtasks", "/Run", "/TN", "Moonlock"]),
        ],
        stop: run(&["schtasks", "/Delete", "/F", "/TN", "Moonlock"]),
        removed: None,
        status: run(&["schtasks", "/Query", "/V", "/FO", "LIST", "/TN", "Moonlock"]),
        file,
    }
}

fn xml(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted() -> Wanted {
        Wanted {
            program: "/opt/my tools/100%/moonlock".into(),
            arguments: ["serve", "--db", "/home/a & b/$x/\"m\".db"]
                .map(str::to_owned)
                .to_vec(),
            writable: vec!["/home/a & b/$x".into(), "/var/backups".into()],
            home: "/home/a".into(),
            config_home: "/home/a/.config".into(),
            user_id: 501,
            user: "PC\\a".to_owned(),
        }
    }

    fn line<'text>(text: &'text str, start: &str) -> &'text str {
        text.lines()
            .find(|line| line.trim().starts_with(start))
            .unwrap()
            .trim()
    }

    #[test]
    fn nothing_in_a_path_means_anything_to_who_reads_it() {
        let Plan { text, file, .. } = plan(System::Systemd, &wanted());
        assert_eq!(file, Path::new("/home/a/.config/systemd/user/moonlock.service"));
        assert_eq!(
            line(&text, "ExecStart"),
            r#"ExecStart="/opt/my tools/100%%/moonlock" "serve" "--db" "/home/a & b/$$x/\"m\".db""#
        );
        assert_eq!(
            line(&text, "ReadWritePaths"),
            r#"ReadWritePaths="/home/a & b/$x" "/var/backups""#
        );

        let Plan { text, install, .. } = plan(System::Launchd, &wanted());
        assert_eq!(
            line(&text, "<string>/home/a &"),
            "<string>/home/a &amp; b/$x/&quot;m&quot;.db</string>"
        );
        assert_eq!(
            install[0].join(" "),
            "launchctl bootstrap gui/501 /home/a/Library/LaunchAgents/moonlock.plist"
        );

        let Plan { text, .. } = plan(System::Windows, &wanted());
        assert_eq!(
            line(&text, "<Arguments>"),
            "<Arguments>&quot;serve&quot; &quot;--db&quot; &quot;/home/a &amp; b/$x/\\&quot;m\\&quot;.db&quot;</Arguments>"
        );
        assert_eq!(line(&text, "<UserId>"), "<UserId>PC\\a</UserId>");
    }

    #[test]
    fn no_place_is_left_empty() {
        for system in [System::Systemd, System::Launchd, System::Windows] {
            let Plan { text, .. } = plan(system, &wanted());
            assert!(!text.contains(['{', '}']), "{text}");
        }
    }
}
