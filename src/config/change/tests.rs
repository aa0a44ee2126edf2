use serde_json::json;

use super::*;

const BEFORE: &str = r#"# Mine.
[sessions]
# Long enough for lunch.
idle_minutes = 90 # minutes

[server] # here
port = 4001
heartbeat_interval_ms = 1_000

# The small one.
[[prices]]
model = "a" # its name
input = "1.00"
output = 2

# The large one.
[[prices]]
model = "b"
from = 2026-11-01
output = "2.5"
# The end.
"#;

/// The file after changes, and what a reader of it sees.
fn changed(before: &str, changes: &Value) -> String {
    let changes = changes.as_object().unwrap().iter();
    changes.fold(before.to_owned(), |text, (name, value)| {
        with(&text, name, value).unwrap()
    })
}

fn check(changes: &Value, from_to: &[(&str, &str)]) {
    let wanted = from_to.iter().fold(BEFORE.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    });
    assert_eq!(changed(BEFORE, changes), wanted, "{changes}");
}

#[test]
fn a_change_touches_its_own_value_alone() {
    check(&json!({}), &[]);
    check(&json!({"sessions.idle_minutes": 45}), &[("90 #", "45 #")]);
    check(
        &json!({"sessions.auto": true, "server.port": 4002}),
        &[("# minutes\n", "# minutes\nauto = true\n"), ("4001", "4002")],
    );
    check(
        &json!({"sessions.idle_minutes": null}),
        &[("idle_minutes = 90 # minutes\n", "")],
    );
    check(&json!({"sessions.auto": null, "backup.daily": null}), &[]);
    check(
        &json!({"backup.daily": false}),
        &[("# The end.\n", "\n[backup]\ndaily = false\n# The end.\n")],
    );
    assert_eq!(
        changed("", &json!({"backup.keep_days": 3})),
        "[backup]\nkeep_days = 3\n"
    );
    let inline = "backup = { daily = true, keep_days = 3 }\n";
    assert_eq!(
        changed(inline, &json!({"backup.keep_days": 4, "backup.daily": null})),
        "backup = { keep_days = 4 }\n"
    );
    let dotted = "# One.\nbackup.daily = true\nbackup.keep_days = 3\n";
    assert_eq!(
        changed(dotted, &json!({"backup.daily": null, "backup.keep_days": 4})),
        "# One.\nbackup.keep_days = 4\n"
    );
}

#[test]
fn prices_that_stay_keep_their_comments() {
    let a = json!({"model": "a", "input": "1.00", "output": 2});
    let b = json!({"model": "b", "from": "2026-11-01", "output": "2.5"});
    check(&json!({"prices": [a, b]}), &[]);
    check(
        &json!({"prices": [{"model": "a", "input": "1.50", "output": 2}, b]}),
        &[("1.00", "1.50")],
    );
    check(
        &json!({"prices": [b]}),
        &[(
            "# The small one.\n[[prices]]\nmodel = \"a\" # its name\ninput = \"1.00\"\noutput = 2\n\n",
            "",
        )],
    );
    check(
        &json!({"prices": [a, b, {"model": "c", "from": "2026-12-01", "request": 1, "input": null}]}),
        &[(
            "# The end.\n",
            "\n[[prices]]\nmodel = \"c\"\nfrom = 2026-12-01\nrequest = 1\n# The end.\n",
        )],
    );
    for none in [json!({"prices": []}), json!({"prices": null})] {
        let text = changed(BEFORE, &none);
        assert!(!text.contains("prices") && text.contains("# The end."), "{text}");
    }
}

#[test]
fn prices_stand_in_the_order_in_which_they_are_said() {
    let price = |model: &str| json!({"model": model, "output": 1});
    let order = |text: &str| -> Vec<String> {
        let file: toml::Table = text.parse().unwrap();
        let prices = file["prices"].as_array().unwrap();
        prices
            .iter()
            .map(|price| price["model"].as_str().unwrap().to_owned())
            .collect()
    };
    for said in [["z", "a", "b"], ["b", "a", "z"], ["a", "z", "b"]] {
        let list: Vec<Value> = said.iter().map(|model| price(model)).collect();
        let text = changed(BEFORE, &json!({"prices": list}));
        assert_eq!(order(&text), said, "{text}");
        assert_eq!(changed(&text, &json!({"prices": list})), text);
    }
}

#[test]
fn what_is_no_value_is_refused() {
    for (name, value) in [
        ("server.port", json!({"a": 1})),
        ("server.port", json!(u64::MAX)),
        ("prices", json!("cheap")),
        ("prices", json!(["cheap"])),
        ("prices", json!([{"model": {"a": 1}}])),
    ] {
        assert!(with(BEFORE, name, &value).is_err(), "{name} = {value}");
    }
    assert!(with("server = 3\n", "server.port", &json!(1)).is_err());
}

/// Settings of a file in a directory of its own.
fn settings(text: &str, variables: &[(&str, &str)]) -> (tempfile::TempDir, Settings) {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("moonlock.toml");
    std::fs::write(&file, text).unwrap();
    let mut pairs = vec![("DB_PATH", "x.db"), ("MOONLOCK_CONFIG", file.to_str().unwrap())];
    pairs.extend(variables);
    let settings = Settings::load(&Environment::from_pairs(pairs), &Flags::default()).unwrap();
    (home, settings)
}

#[test]
fn what_cannot_be_used_leaves_the_file_as_it_was() {
    let (home, settings) = settings(BEFORE, &[("PROXY_PORT", "5000")]);
    for (name, value, says) in [
        ("sessions.idle_minutes", json!(0), "1 to 1440"),
        ("sessions.idle_minutes", json!("soon"), "invalid type"),
        ("store.batch_size", json!(0), "at least one write"),
        (
            "alerts.at_percent",
            json!([]),
            "there is none: expected one to five",
        ),
        ("alerts.at_percent", json!("80"), "invalid type"),
        ("server.port", json!(5000), "must differ"),
        ("server.proxy_port", json!(5001), "PROXY_PORT"),
        ("server.host", json!("0.0.0.0"), "only the configuration file"),
        ("server.colour", json!("red"), "no such setting"),
        ("mounts.openai.upstream", json!("http://127.0.0.1"), "where calls"),
        ("notify", json!([]), "where calls"),
        ("prices", json!([{"model": "x"}]), "no price"),
        ("prices", json!([{"model": "x", "output": "much"}]), "much"),
    ] {
        let changes = Map::from_iter([
            ("backup.daily".to_owned(), json!(false)),
            (name.to_owned(), value),
        ]);
        let error = settings.change(&changes).unwrap_err();
        assert!(error.to_string().contains(says), "{name}: {error}");
        let setting = error.setting().unwrap_or_default();
        assert!(
            setting.starts_with(name) || name == "server.port",
            "{name}: {setting}"
        );
        let text = std::fs::read_to_string(home.path().join("moonlock.toml")).unwrap();
        assert_eq!(text, BEFORE, "{name}");
    }
    let left: Vec<_> = std::fs::read_dir(home.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "nothing is left behind");
}

#[test]
fn what_is_changed_is_what_the_next_start_reads() {
    let (home, settings) = settings(BEFORE, &[]);
    let changes = json!({"sessions.auto": true, "prices": []});
    let changed = settings.change(changes.as_object().unwrap()).unwrap();
    assert_eq!(
        changed.auto_sessions,
        Some(crate::domain::units::Millis(90 * 60_000))
    );
    let file = home.path().join("moonlock.toml");
    let again = Environment::from_pairs([("DB_PATH", "x.db"), ("MOONLOCK_CONFIG", file.to_str().unwrap())]);
    let again = Settings::load(&again, &Flags::default()).unwrap();
    assert_eq!(again.show(), changed.show());
    assert!(settings.fixed().change(changes.as_object().unwrap()).is_err());
}
