use super::*;
use crate::domain::alert::{Rule, Severity};

fn load(pairs: &[(&str, &str)], flags: &Flags) -> Result<Settings, ConfigError> {
    let home = [("DB_PATH", "/tmp/x.db"), ("MOONLOCK_CONFIG", "")];
    Settings::load(
        &Environment::from_pairs(home.into_iter().chain(pairs.iter().copied())),
        flags,
    )
}

fn load_text(text: &str) -> Result<Settings, ConfigError> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    load(
        &[],
        &Flags {
            config: Some(file.path().to_owned()),
            ..Flags::default()
        },
    )
}

#[test]
fn the_built_in_files_are_valid_and_give_the_documented_defaults() {
    let settings = load_text("").unwrap();
    assert_eq!((settings.port, settings.proxy_port), (3001, 3002));
    assert_eq!(settings.ws_path, "/ws");
    assert_eq!(settings.commit_bound, Duration::from_millis(250));
    let names: Vec<&str> = settings.mounts.iter().map(|mount| &*mount.name).collect();
    let expected = "anthropic azure bedrock cerebras chatgpt codeassist cohere deepseek fireworks foundry gemini \
                    github groq huggingface llamacpp lmstudio mantle mistral moonshot nvidia ollama openai openrouter \
                    perplexity snowflake tgi together vertex vllm voyage watsonx xai zai";
    assert_eq!(names.join(" "), expected);
    let calculator = genai_prices::Calculator::bundled();
    for mount in settings.mounts.iter() {
        let Some(prices) = &mount.prices else { continue };
        let is_known = calculator.providers().any(|provider| provider.id() == &**prices);
        assert!(is_known, "{} has prices of {prices}", mount.name);
    }
    assert!(settings.mounts.get("openai").unwrap().asks_stream_usage);
    assert_eq!(settings.alert_at, Thresholds::default());
}

#[test]
fn flags_beat_the_environment_which_beats_the_file() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(
        file.path(),
        "[server]\nport = 1\nproxy_port = 2\nheartbeat_interval_ms = 1000",
    )
    .unwrap();
    let flags = Flags {
        config: Some(file.path().to_owned()),
        port: Some(5),
        ..Flags::default()
    };
    let settings = load(&[("PORT", "4"), ("PROXY_PORT", "3")], &flags).unwrap();
    assert_eq!((settings.port, settings.proxy_port), (5, 3));
    assert_eq!(settings.heartbeat_interval, Duration::from_secs(1));
}

#[test]
fn a_wrong_file_is_named_with_line_and_key() {
    for (text, expected) in [
        ("[server]\nprot = 1", ":2: `server.prot`: unknown field `prot`"),
        (
            "[server]\nport = \"x\"",
            ":2: `server.port`: invalid type: string",
        ),
        (
            "\n\n[mounts.mine]\nupstream = 3",
            ":4: `mounts.mine.upstream`: invalid type: integer",
        ),
        (
            "[store]\ndurability = \"maybe\"",
            ":2: `store.durability`: unknown variant `maybe`",
        ),
        (
            "[alerts]\nat_percent = [95, 80]",
            ":2: `alerts.at_percent`: 80 comes after 95: expected one to five whole numbers from 1 to 99",
        ),
        (
            "[alerts]\n# Mine.\nat_percent = [\n  80,\n  100,\n]",
            ":3: `alerts.at_percent`: 100 is not listed",
        ),
        (
            "[alerts]\nat_percent = [\n  80,\n  \"95\",\n]",
            ":2: `alerts.at_percent`: one is no whole number",
        ),
        (
            "[alerts]\nat_percent = 80",
            ":2: `alerts.at_percent`: invalid type: integer `80`, expected one to five whole numbers",
        ),
        ("[alerts]\nat = [80]", ":2: `alerts.at`: unknown field `at`"),
        ("[server\n", ":1: "),
    ] {
        let error = load_text(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn backups_are_beside_the_database_unless_the_file_says_otherwise() {
    let usual = load_text("").unwrap().backup;
    assert_eq!((usual.daily, usual.keep_days), (true, 7));
    assert_eq!(usual.directory, Path::new("/tmp/backups"));
    let text = "[backup]\ndaily = false\nkeep_days = 30\ndirectory = \"/mnt/safe\"";
    let own = load_text(text).unwrap().backup;
    assert_eq!((own.daily, own.keep_days), (false, 30));
    assert_eq!(own.directory, Path::new("/mnt/safe"));
    let error = load_text("[backup]\nkeep_days = 0").unwrap_err().to_string();
    assert!(error.contains("backup.keep_days=0: a backup is kept"), "{error}");
}

#[test]
fn who_is_told_of_alerts_is_read_and_secrets_come_from_variables() {
    let text = "[[notify]]\nkind = \"webhook\"\nurl_variable = \"HOOK\"\nsecret = \"hush\"\n\n\
                [[notify]]\nkind = \"desktop\"\nseverity = \"critical\"\nrules = [\"store.slow\"]\n";
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    let flags = Flags {
        config: Some(file.path().to_owned()),
        ..Flags::default()
    };
    let settings = load(&[("HOOK", "https://h.example/T0P")], &flags).unwrap();
    let [webhook, desktop] = &settings.notify[..] else {
        panic!("{:?}", settings.notify)
    };
    assert_eq!(
        (&*webhook.name, webhook.place().as_deref()),
        ("webhook", Some("https://h.example"))
    );
    assert_eq!(&*webhook.secret.as_ref().unwrap().0, "hush");
    assert_eq!(
        (webhook.severity, desktop.severity),
        (Severity::Warning, Severity::Critical)
    );
    assert_eq!(
        (desktop.url.is_none(), &desktop.rules[..]),
        (true, &[Rule::StoreSlow][..])
    );
    for shown in [
        format!("{settings:?}"),
        serde_json::to_string(&settings.show()).unwrap(),
    ] {
        assert!(!shown.contains("hush") && !shown.contains("T0P"), "{shown}");
    }
}

#[test]
fn a_target_that_cannot_be_told_is_named_with_its_line_and_without_its_secret() {
    for (text, expected) in [
        ("kind = \"slack\"", ":1: `notify`: it has no `url`"),
        ("kind = \"slack\"\nurl = \"hush\"", "must begin with https://"),
        ("kind = \"slack\"\nurl = \"https://hush@h/\"", "without a user"),
        (
            "kind = \"slack\"\nurl_variable = \"NOT_SET\"",
            "NOT_SET, which is not set",
        ),
        (
            "kind = \"slack\"\nurl = \"https://h\"\nsecret = \"hush\"",
            "only messages to a webhook",
        ),
        ("kind = \"desktop\"\nname = \"a b\"", "letters, digits"),
        (
            "kind = \"desktop\"\n[[notify]]\nkind = \"desktop\"",
            ":3: `notify`: there is another `desktop`",
        ),
        ("kind = \"pigeon\"", ":2: `notify.kind`: unknown variant `pigeon`"),
        (
            "kind = \"desktop\"\nrules = [\"x\"]",
            ":3: `notify.rules`: unknown variant `x`",
        ),
    ] {
        let error = load_text(&format!("[[notify]]\n{text}")).unwrap_err().to_string();
        assert!(
            error.contains(expected) && !error.contains("hush"),
            "{text}: {error}"
        );
    }
}

#[test]
fn a_mount_takes_three_lines() {
    let text = "[mounts.mine]\nupstream = \"http://127.0.0.1:8000/base\"\ndialect = \"openai\"";
    let settings = load_text(text).unwrap();
    let mount = settings.mounts.get("mine").unwrap();
    assert_eq!(mount.upstream_path(None, "/v1/models"), "/base/v1/models");
    assert!(!mount.asks_stream_usage);
}

#[test]
fn prices_of_the_users_own_are_exact_to_a_billionth() {
    use crate::domain::pricing::{Pattern, Price, Rates};
    let text = "[[prices]]\nprovider = \"openai\"\nmodel = \"gpt-4o*\"\nfrom = 2026-11-01\ninput = \"2.50\"\n\
                cache_read = 0.075\noutput = 10\nrequest = 0.000000001\n[[prices]]\nmodel = \"*\"\noutput = 0\n";
    let settings = load_text(text).unwrap();
    let nano = |nanos| Some(crate::domain::units::NanoUsd(nanos));
    let dated = Price {
        provider: Some("openai".into()),
        model: Pattern::parse("gpt-4o*").unwrap(),
        from: Some(jiff::civil::date(2026, 11, 1)),
        rates: Rates {
            input: nano(2_500_000_000),
            cache_read: nano(75_000_000),
            output: nano(10_000_000_000),
            request: nano(1),
            ..Rates::default()
        },
    };
    let free = Price {
        provider: None,
        model: Pattern::parse("*").unwrap(),
        from: None,
        rates: Rates {
            output: nano(0),
            ..Rates::default()
        },
    };
    assert_eq!(settings.prices, Prices::new(vec![dated, free]));
    assert_eq!(load_text("").unwrap().prices, Prices::default());
}

#[test]
fn a_wrong_price_is_named_with_line_and_key() {
    for (text, expected) in [
        (
            "model = \"m\"\ninput = -1",
            ":3: `prices.input`: `-1` is no amount of dollars",
        ),
        (
            "model = \"m\"\ninput = \"2,50\"",
            ":3: `prices.input`: `2,50` is no amount",
        ),
        (
            "model = \"m\"\ninput = inf",
            ":3: `prices.input`: `inf` is no amount",
        ),
        (
            "model = \"m\"\ninput = true",
            ":3: `prices.input`: invalid type: boolean",
        ),
        (
            "model = \"m\"\nimput = 1",
            ":3: `prices.imput`: unknown field `imput`",
        ),
        ("model = \"m\"", ":2: `prices.model`: it has no price"),
        ("input = 1\nmodel = \" \"", ":3: `prices.model`: it is empty"),
        ("input = 1", "missing field `model`"),
        (
            "model = \"m\"\ninput = 1\nprovider = \"openia\"",
            ":4: `prices.provider`: there is no mount `openia`; there are: anthropic, azure",
        ),
        (
            "model = \"m\"\ninput = 1\nfrom = 2026-11-01T10:00:00Z",
            ":4: `prices.from`: expected a day",
        ),
        ("model = \"m\"\ninput = 1\nfrom = \"soon\"", ":4: `prices.from`: "),
    ] {
        let error = load_text(&format!("[[prices]]\n{text}")).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[test]
fn a_mount_signs_where_it_says_so_and_knows_for_which_region() {
    let bedrock = |text: &str| {
        let settings = load_text(text).unwrap();
        settings.mounts.get("bedrock").unwrap().signing.clone()
    };
    assert_eq!(bedrock(""), None);
    let signing = bedrock("[mounts.bedrock]\nsign = \"aws\"\naws_profile = \"work\"").unwrap();
    assert_eq!(signing.profile.as_deref(), Some("work"));
    for (text, expected) in [
        (
            "[mounts.mine]\nupstream = \"https://h\"\ndialect = \"aws\"\nsign = \"aws\"",
            "no {region}",
        ),
        ("[mounts.bedrock]\naws_profile = \"work\"", "no `sign = \"aws\"`"),
        ("[mounts.bedrock]\nsign = \"gcp\"", "unknown variant `gcp`"),
    ] {
        let error = load_text(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn what_variables_hold_is_not_shown() {
    let environment = Environment::from_pairs([("AWS_SECRET_ACCESS_KEY", "hush"), ("X", "y")]);
    let shown = format!("{environment:?}");
    assert!(
        shown.contains("AWS_SECRET_ACCESS_KEY") && !shown.contains("hush"),
        "{shown}"
    );
    let settings = load(&[("AWS_SECRET_ACCESS_KEY", "hush")], &Flags::default()).unwrap();
    assert_eq!(settings.aws.get("AWS_SECRET_ACCESS_KEY"), Some("hush"));
    assert!(!format!("{settings:?}").contains("hush"));
}

#[test]
fn an_upstream_is_replaced_by_the_environment() {
    let settings = load(
        &[("MOONLOCK_UPSTREAM_OPENAI", "http://127.0.0.1:9100/openai")],
        &Flags::default(),
    )
    .unwrap();
    let mount = settings.mounts.get("openai").unwrap();
    assert_eq!(mount.upstream_path(None, "/v1/models"), "/openai/v1/models");
    assert_eq!(mount.upstream.authority_for(None).unwrap(), "127.0.0.1:9100");
    let error = load(&[("MOONLOCK_UPSTREAM_OPENIA", "http://h")], &Flags::default()).unwrap_err();
    assert!(
        error.to_string().contains("there are: anthropic, azure, bedrock"),
        "{error}"
    );
}

#[test]
fn values_that_cannot_work_are_refused_with_a_reason() {
    for (pair, expected) in [
        (("PORT", "x"), "PORT=x: expected a port"),
        (("WS_PORT", "9"), "leave WS_PORT out"),
        (("HOST", "0.0.0.0"), "set MOONLOCK_TOKEN"),
        (("MOONLOCK_TOKEN", "short"), "at least 16 characters"),
        (("WS_PATH", "ws"), "expected a path"),
        (("BATCH_SIZE", "0"), "at least one"),
        (("PROXY_PORT", "3001"), "must differ"),
    ] {
        let error = load(&[pair], &Flags::default()).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    assert!(load(&[("WS_PORT", "3001")], &Flags::default()).is_ok());
}
