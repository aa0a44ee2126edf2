use std::collections::BTreeSet;

use clap::Args;

use super::super::resolve::{Environment, Flags};
use super::*;

const DEFAULTS: &str = include_str!("../../../config/moonlock.toml");
const README: &str = include_str!("../../../README.md");

fn shown(pairs: &[(&str, &str)], text: &str, flags: Flags) -> (String, SettingsView) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    let flags = Flags {
        config: Some(file.path().to_owned()),
        ..flags
    };
    let environment = Environment::from_pairs(
        [("DB_PATH", "/tmp/x.db")]
            .into_iter()
            .chain(pairs.iter().copied()),
    );
    let shown = Settings::load(&environment, &flags).unwrap().show();
    (file.path().display().to_string(), shown)
}

fn one<'a>(shown: &'a SettingsView, name: &str) -> &'a SettingView {
    let found: Vec<_> = shown
        .settings
        .iter()
        .filter(|setting| setting.name == name)
        .collect();
    assert_eq!(found.len(), 1, "{name}");
    found[0]
}

#[test]
fn each_value_says_who_said_it() {
    let text = "[server]\nport = 1\nheartbeat_interval_ms = 5\n\n[store]\n\nbatch_size = 7\n";
    let flags = Flags {
        port: Some(9),
        ..Flags::default()
    };
    let (file, shown) = shown(
        &[("PORT", "4"), ("BATCH_SIZE", "8"), ("WS_PATH", "/socket")],
        text,
        flags,
    );
    assert_eq!(shown.file.as_ref(), Some(&file));
    let line = |line| format!("{file}:{line}");
    for (name, value, default, source) in [
        (
            "server.port",
            Value::from(9),
            Value::from(3001),
            "flag --port".to_owned(),
        ),
        (
            "server.proxy_port",
            3002.into(),
            3002.into(),
            "default".to_owned(),
        ),
        (
            "server.ws_path",
            "/socket".into(),
            "/ws".into(),
            "environment WS_PATH".to_owned(),
        ),
        ("server.heartbeat_interval_ms", 100.into(), 30_000.into(), line(3)),
        (
            "store.batch_size",
            8.into(),
            1000.into(),
            "environment BATCH_SIZE".to_owned(),
        ),
        (
            "backup.directory",
            "/tmp/backups".into(),
            "/tmp/backups".into(),
            "default".to_owned(),
        ),
        (
            "store.path",
            "/tmp/x.db".into(),
            one(&shown, "store.path").default.clone(),
            "environment DB_PATH".to_owned(),
        ),
        (
            "MOONLOCK_CONFIG",
            file.clone().into(),
            Value::Null,
            "flag --config".to_owned(),
        ),
    ] {
        let setting = one(&shown, name);
        assert_eq!(
            (&setting.value, &setting.default, setting.source.to_string()),
            (&value, &default, source),
            "{name}"
        );
    }
}

#[test]
fn mounts_and_prices_say_it_too() {
    let text = "[mounts.openai]\nprefix = \"\"\n\n[mounts.mine]\nupstream = \"http://h\"\ndialect = \"openai\"\n\n\
                [[prices]]\nmodel = \"a\"\noutput = 1\n[[prices]]\nmodel = \"b\"\nfrom = 2026-11-01\noutput = \"2.5\"\n";
    let (file, shown) = shown(
        &[("MOONLOCK_UPSTREAM_GROQ", "http://127.0.0.1:9/groq")],
        text,
        Flags::default(),
    );
    let prefix = one(&shown, "mounts.openai.prefix");
    assert_eq!((&prefix.value, &prefix.default), (&"".into(), &"/v1".into()));
    assert_eq!(prefix.source.to_string(), format!("{file}:2"));
    let groq = one(&shown, "mounts.groq.upstream");
    assert_eq!(
        (&groq.value, &groq.default),
        (&"http://127.0.0.1:9/groq".into(), &"https://api.groq.com".into())
    );
    assert_eq!(groq.source.to_string(), "environment MOONLOCK_UPSTREAM_GROQ");
    assert_eq!(one(&shown, "mounts.mine.upstream").default, Value::Null);
    let built_in = one(&shown, "mounts.openai.upstream");
    assert_eq!(
        (&built_in.source, &built_in.value),
        (&SettingSource::Default, &built_in.default)
    );
    let second = one(&shown, "prices[1]");
    assert_eq!(
        second.value,
        serde_json::json!({"model": "b", "from": "2026-11-01", "output": "2.5"})
    );
    assert_eq!(second.source.to_string(), format!("{file}:11"));
    assert!(
        shown
            .settings
            .iter()
            .all(|setting| !setting.meaning.is_empty() && !setting.meaning.contains('\n'))
    );
}

#[test]
fn credentials_in_an_address_are_hidden() {
    let proxy = "http://me:hush@proxy.example:3128/";
    let (_, shown) = shown(
        &[("HTTPS_PROXY", proxy), ("AWS_SECRET_ACCESS_KEY", "hush")],
        "",
        Flags::default(),
    );
    assert_eq!(one(&shown, "HTTPS_PROXY").value, "http://•••@proxy.example:3128/");
    assert!(!serde_json::to_string(&shown).unwrap().contains("hush"));
}

/// The keys that the built-in file sets, each with the comment above it and the variable that the comment ends with.
fn documented() -> Vec<(String, String, Option<String>)> {
    let (mut table, mut comment, mut variable) = ("", String::new(), None);
    let mut found = Vec::new();
    for line in DEFAULTS.lines() {
        if let Some(text) = line.strip_prefix('#') {
            let (text, name) = text.rsplit_once("  ").unwrap_or((text, ""));
            if name
                .chars()
                .next()
                .is_some_and(|first| first.is_ascii_uppercase())
            {
                variable = Some(name.trim().to_owned());
            }
            comment = format!("{comment} {}", text.trim()).trim().to_owned();
        } else if let Some(header) = line.strip_prefix('[') {
            table = header.trim_end_matches(']');
        } else if let Some((name, _)) = line.split_once(" = ") {
            found.push((
                format!("{table}.{name}"),
                std::mem::take(&mut comment),
                variable.take(),
            ));
        } else {
            comment.clear();
        }
    }
    found
}

#[test]
fn the_built_in_file_says_the_same_as_the_table() {
    let documented = documented();
    let names: Vec<&str> = documented.iter().map(|(name, ..)| name.as_str()).collect();
    let table: Vec<&str> = SETTINGS.iter().map(|setting| setting.name).collect();
    assert_eq!(
        names, table,
        "config/moonlock.toml and src/config/table.rs list the same, in the same order"
    );
    for ((name, comment, variable), setting) in documented.iter().zip(&SETTINGS) {
        assert!(comment.starts_with(setting.meaning), "{name}: {comment}");
        assert_eq!(variable.as_deref(), setting.variable, "{name}");
    }
}

#[test]
fn the_readme_lists_every_variable() {
    let (_, section) = README.split_once("| variable | default | |").unwrap();
    let (rows, _) = section.split_once("\n\n").unwrap();
    let listed: BTreeSet<&str> = rows
        .lines()
        .filter_map(|row| row.split('|').nth(1))
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .collect();
    let variables = SETTINGS.iter().filter_map(|setting| setting.variable);
    let mut known: BTreeSet<&str> = variables.chain(VARIABLES.map(|(name, _)| name)).collect();
    known.insert("MOONLOCK_UPSTREAM_<MOUNT>");
    assert_eq!(listed, known);
    let built_in = Settings::built_in(std::path::Path::new("x.db")).unwrap();
    for setting in SETTINGS
        .iter()
        .filter(|setting| !matches!(setting.name, "store.path"))
    {
        let Some(variable) = setting.variable else {
            continue;
        };
        let default = (setting.value)(&built_in);
        let default = default
            .as_str()
            .map_or_else(|| default.to_string(), str::to_owned);
        let row = rows
            .lines()
            .find(|row| row.contains(&format!("`{variable}`")))
            .unwrap();
        assert!(
            row.contains(&format!("`{default}`")),
            "{variable} is {default}: {row}"
        );
    }
}

#[test]
fn the_table_has_every_flag() {
    let command = Flags::augment_args(clap::Command::new("x"));
    let flags: BTreeSet<String> = command
        .get_arguments()
        .filter_map(|argument| argument.get_long())
        .map(|long| format!("--{long}"))
        .collect();
    let table = SETTINGS.iter().filter_map(|setting| setting.flag);
    let known: BTreeSet<String> = table.chain(["--config"]).map(str::to_owned).collect();
    assert_eq!(flags, known);
}

#[test]
fn mounts_may_hold_what_the_table_says() {
    for name in built_in_keys() {
        assert!(MOUNT_KEYS.iter().any(|(known, _)| *known == name), "{name}");
    }
}

fn built_in_keys() -> BTreeSet<String> {
    let settings = Settings::built_in(std::path::Path::new("x.db")).unwrap();
    let names = settings.said.below("mounts.");
    let keys = names.filter_map(|(name, ..)| name.rsplit('.').next().map(str::to_owned));
    keys.collect()
}
