//! The table of settings: what each is called in a file, in the environment and on the command line, what it means, and
//! what it is. `config/moonlock.toml`, the README, `GET /api/settings` and `moonlock config` are held against it.

use std::num::NonZero;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::resolve::Settings;

/// One setting.
pub(super) struct Setting {
    /// Its key in a configuration file, with its table.
    pub(super) name: &'static str,
    /// The variable that sets it.
    pub(super) variable: Option<&'static str>,
    /// The flag that sets it.
    pub(super) flag: Option<&'static str>,
    /// What it means, as the comment in `config/moonlock.toml` begins.
    pub(super) meaning: &'static str,
    /// What holds.
    pub(super) value: fn(&Settings) -> Value,
    /// How it is changed.
    pub(super) change: Change,
}

/// How a setting is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// In the file alone: it says who may ask, or where files are. No request decides that.
    InFile,
    /// Also by request; it holds from the next start on.
    Later,
    /// Also by request; it holds at once.
    AtOnce,
}

impl Setting {
    const fn new(name: &'static str, meaning: &'static str, value: fn(&Settings) -> Value) -> Self {
        Self {
            name,
            variable: None,
            flag: None,
            meaning,
            value,
            change: Change::Later,
        }
    }

    const fn changed(self, change: Change) -> Self {
        Self { change, ..self }
    }

    const fn variable(self, variable: &'static str) -> Self {
        Self {
            variable: Some(variable),
            ..self
        }
    }

    const fn flag(self, flag: &'static str) -> Self {
        Self {
            flag: Some(flag),
            ..self
        }
    }
}

/// The setting of that name.
pub(super) fn find(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
}

/// What `config/moonlock.toml` holds, in its order.
pub(super) const SETTINGS: [Setting; 23] = [
    Setting::new(
        "server.host",
        "Where to listen. Beyond loopback only with MOONLOCK_TOKEN set.",
        |settings| settings.host.to_string().into(),
    )
    .variable("HOST")
    .flag("--host")
    .changed(Change::InFile),
    Setting::new(
        "server.port",
        "The dashboard, the API, the WebSocket.",
        |settings| settings.port.into(),
    )
    .variable("PORT")
    .flag("--port"),
    Setting::new("server.proxy_port", "The proxy and nothing else.", |settings| {
        settings.proxy_port.into()
    })
    .variable("PROXY_PORT")
    .flag("--proxy-port"),
    Setting::new("server.ws_path", "The WebSocket's path.", |settings| {
        settings.ws_path.clone().into()
    })
    .variable("WS_PATH"),
    Setting::new(
        "server.heartbeat_interval_ms",
        "How often the WebSocket pings its clients, in milliseconds.",
        |settings| millis(settings.heartbeat_interval),
    )
    .variable("HEARTBEAT_INTERVAL")
    .changed(Change::AtOnce),
    Setting::new(
        "server.allow_origins",
        "Pages in a browser that may use the proxy, by origin: \"https://chat.example.com\". Others are refused.",
        |settings| settings.access.origins().collect::<Vec<_>>().into(),
    )
    .changed(Change::InFile),
    Setting::new(
        "server.allow_hosts",
        "Further names under which programs ask this machine: \"devbox.local\". The loopback names are known.",
        |settings| settings.access.hosts().collect::<Vec<_>>().into(),
    )
    .changed(Change::InFile),
    Setting::new(
        "server.tls_cert",
        "The file of a certificate, in PEM: both ports then speak TLS. Empty is none.",
        |settings| path(settings.access.certificate().map_or(Path::new(""), |files| &files.certificate)),
    )
    .changed(Change::InFile),
    Setting::new(
        "server.tls_key",
        "The file of the certificate's key, in PEM.",
        |settings| path(settings.access.certificate().map_or(Path::new(""), |files| &files.key)),
    )
    .changed(Change::InFile),
    Setting::new(
        "store.path",
        "The database; empty is the platform's data directory.",
        |settings| path(settings.database.path()),
    )
    .variable("DB_PATH")
    .flag("--db")
    .changed(Change::InFile),
    Setting::new(
        "store.durability",
        "What a commit survives, and whether a reply's last bytes wait for it.",
        |settings| settings.durability.as_str().into(),
    ),
    Setting::new(
        "store.commit_bound_ms",
        "How long a reply's last bytes wait for the disk at most, in milliseconds.",
        |settings| millis(settings.commit_bound),
    ),
    Setting::new(
        "store.batch_size",
        "The most writes that one commit takes together.",
        |settings| settings.batch_size.into(),
    )
    .variable("BATCH_SIZE"),
    Setting::new(
        "store.batch_interval_ms",
        "How long a commit waits for company under \"relaxed\", in milliseconds.",
        |settings| millis(settings.batch_interval),
    )
    .variable("BATCH_INTERVAL"),
    Setting::new(
        "store.keep_calls_days",
        "How many days single calls are kept; 0 is for ever. All sums stay for good.",
        |settings| settings.keep_calls_days.map_or(0, NonZero::get).into(),
    )
    .changed(Change::AtOnce),
    Setting::new(
        "sessions.auto",
        "Begin a session by itself with the first call that has none.",
        |settings| settings.auto_sessions.is_some().into(),
    )
    .changed(Change::AtOnce),
    Setting::new(
        "sessions.idle_minutes",
        "End it, at its last call, after so many minutes without one.",
        |settings| settings.idle_minutes.into(),
    )
    .changed(Change::AtOnce),
    Setting::new(
        "alerts.at_percent",
        "The shares, in percent, at which a budget or a provider's own limit alerts. A budget also does at 100.",
        |settings| settings.alert_at.percents().into(),
    )
    .changed(Change::AtOnce),
    Setting::new(
        "backup.daily",
        "Whether a copy of the database is made every day while Moonlock runs.",
        |settings| settings.backup.daily.into(),
    )
    .changed(Change::AtOnce),
    Setting::new(
        "backup.keep_days",
        "How many days a daily copy is kept.",
        |settings| settings.backup.keep_days.into(),
    )
    .changed(Change::AtOnce),
    Setting::new(
        "backup.directory",
        "Where the copies are; empty is the directory \"backups\" beside the database.",
        |settings| path(&settings.backup.directory),
    )
    .changed(Change::InFile),
    Setting::new(
        "estimates.enabled",
        "Whether what a provider does not say is estimated from the call's text.",
        |settings| settings.estimate_memory.is_some().into(),
    ),
    Setting::new(
        "estimates.memory_mb",
        "How much memory the text of all running calls may take.",
        |settings| settings.estimate_memory_mb.into(),
    ),
];

/// What a mount's table may hold, and what it means.
pub(super) const MOUNT_KEYS: [(&str, &str); 9] = [
    ("upstream", "Where its calls go."),
    ("hosts", "Hosts for parts that its placeholder does not make."),
    (
        "dialect",
        "The shape of the errors that Moonlock itself answers with.",
    ),
    ("prefix", "What the provider's operations stand behind."),
    (
        "asks_stream_usage",
        "Whether usage is asked for in streams whose client says nothing about it.",
    ),
    ("prices", "The provider's name in the price list."),
    ("own_api", "What the server has beside its dialect."),
    (
        "sign",
        "Whether requests are signed anew with this machine's credentials.",
    ),
    ("aws_profile", "The AWS profile to sign with."),
];

/// What only the environment says, and what it means. Some of it is read by libraries.
pub(super) const VARIABLES: [(&str, &str); 6] = [
    ("MOONLOCK_CONFIG", "The configuration file."),
    ("MOONLOCK_TOKEN", "A secret that every request must bring."),
    ("MOONLOCK_LOG", "The log's filter, e.g. `debug`."),
    ("SSL_CERT_FILE", "A certificate authority of your own."),
    ("HTTPS_PROXY", "The way out."),
    ("NO_PROXY", "What is reached without it."),
];

fn millis(duration: Duration) -> Value {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX).into()
}

fn path(path: &Path) -> Value {
    path.display().to_string().into()
}
