//! What a configuration file may say: strict, so that a misspelt key is not silently ignored.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::error::ConfigError;
use super::mount::{Dialect, Signer};
use super::notify::RawTarget;
use super::prices::RawPrice;
use super::said::{Layer, Said};
use crate::domain::alert::Thresholds;
use crate::domain::durability::Durability;
use crate::domain::operation::OwnApi;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct File {
    pub(super) server: Server,
    pub(super) store: Store,
    pub(super) sessions: Sessions,
    pub(super) alerts: Alerts,
    pub(super) backup: Backup,
    pub(super) estimates: Estimates,
    pub(super) mounts: BTreeMap<String, RawMount>,
    pub(super) prices: Vec<RawPrice>,
    pub(super) notify: Vec<RawTarget>,
    /// What it says, as it stands.
    #[serde(skip)]
    pub(super) said: Said,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Server {
    pub(super) host: Option<String>,
    pub(super) port: Option<u16>,
    pub(super) proxy_port: Option<u16>,
    pub(super) ws_path: Option<String>,
    pub(super) heartbeat_interval_ms: Option<u64>,
    pub(super) allow_origins: Option<Vec<String>>,
    pub(super) allow_hosts: Option<Vec<String>>,
    pub(super) tls_cert: Option<String>,
    pub(super) tls_key: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Store {
    pub(super) path: Option<String>,
    pub(super) durability: Option<Durability>,
    pub(super) commit_bound_ms: Option<u64>,
    pub(super) batch_size: Option<usize>,
    pub(super) batch_interval_ms: Option<u64>,
    pub(super) keep_calls_days: Option<u32>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Sessions {
    pub(super) auto: Option<bool>,
    pub(super) idle_minutes: Option<u64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Alerts {
    pub(super) at_percent: Option<Thresholds>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Backup {
    pub(super) daily: Option<bool>,
    pub(super) keep_days: Option<u32>,
    pub(super) directory: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Estimates {
    pub(super) enabled: Option<bool>,
    pub(super) memory_mb: Option<usize>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawMount {
    pub(super) upstream: Option<String>,
    pub(super) hosts: Option<BTreeMap<String, String>>,
    pub(super) dialect: Option<Dialect>,
    pub(super) prefix: Option<String>,
    pub(super) asks_stream_usage: Option<bool>,
    pub(super) prices: Option<String>,
    pub(super) own_api: Option<OwnApi>,
    pub(super) sign: Option<Signer>,
    pub(super) aws_profile: Option<String>,
}

impl File {
    /// Reads a file's text. `name` is how errors call it.
    pub(super) fn parse(name: &Path, text: &str, layer: Layer) -> Result<Self, ConfigError> {
        let mut file: Self = toml::from_str(text).map_err(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            let place = Place::find(text, offset);
            ConfigError::File {
                file: name.to_owned(),
                line: place.line,
                key: place.key,
                problem: error.message().to_owned(),
            }
        })?;
        for price in &mut file.prices {
            price.locate(name, text);
        }
        file.said = Said::of_file(name, text, layer);
        Ok(file)
    }

    /// Lays another file over this one: what it says wins, what it leaves out stays.
    pub(super) fn overlay(mut self, over: Self) -> Self {
        let server = over.server;
        self.server.host = server.host.or(self.server.host);
        self.server.port = server.port.or(self.server.port);
        self.server.proxy_port = server.proxy_port.or(self.server.proxy_port);
        self.server.ws_path = server.ws_path.or(self.server.ws_path);
        self.server.heartbeat_interval_ms =
            server.heartbeat_interval_ms.or(self.server.heartbeat_interval_ms);
        self.server.allow_origins = server.allow_origins.or(self.server.allow_origins);
        self.server.allow_hosts = server.allow_hosts.or(self.server.allow_hosts);
        self.server.tls_cert = server.tls_cert.or(self.server.tls_cert);
        self.server.tls_key = server.tls_key.or(self.server.tls_key);
        let store = over.store;
        self.store.path = store.path.or(self.store.path);
        self.store.durability = store.durability.or(self.store.durability);
        self.store.commit_bound_ms = store.commit_bound_ms.or(self.store.commit_bound_ms);
        self.store.batch_size = store.batch_size.or(self.store.batch_size);
        self.store.batch_interval_ms = store.batch_interval_ms.or(self.store.batch_interval_ms);
        self.store.keep_calls_days = store.keep_calls_days.or(self.store.keep_calls_days);
        let sessions = over.sessions;
        self.sessions.auto = sessions.auto.or(self.sessions.auto);
        self.sessions.idle_minutes = sessions.idle_minutes.or(self.sessions.idle_minutes);
        self.alerts.at_percent = over.alerts.at_percent.or(self.alerts.at_percent);
        let backup = over.backup;
        self.backup.daily = backup.daily.or(self.backup.daily);
        self.backup.keep_days = backup.keep_days.or(self.backup.keep_days);
        self.backup.directory = backup.directory.or(self.backup.directory);
        let estimates = over.estimates;
        self.estimates.enabled = estimates.enabled.or(self.estimates.enabled);
        self.estimates.memory_mb = estimates.memory_mb.or(self.estimates.memory_mb);
        for (name, mount) in over.mounts {
            let below = self.mounts.remove(&name).unwrap_or_default();
            self.mounts.insert(name, below.overlay(mount));
        }
        self.prices.extend(over.prices);
        self.notify.extend(over.notify);
        self.said.overlay(over.said);
        self
    }
}

impl RawMount {
    fn overlay(self, over: Self) -> Self {
        Self {
            upstream: over.upstream.or(self.upstream),
            hosts: over.hosts.or(self.hosts),
            dialect: over.dialect.or(self.dialect),
            prefix: over.prefix.or(self.prefix),
            asks_stream_usage: over.asks_stream_usage.or(self.asks_stream_usage),
            prices: over.prices.or(self.prices),
            own_api: over.own_api.or(self.own_api),
            sign: over.sign.or(self.sign),
            aws_profile: over.aws_profile.or(self.aws_profile),
        }
    }
}

/// Where in a TOML text an offset lies: its line, and the dotted key that the line sets.
pub(super) struct Place {
    pub(super) line: usize,
    pub(super) key: String,
}

impl Place {
    pub(super) fn find(text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let mut table = "";
        for above in text.lines().take(line) {
            if let Some(header) = above.trim().strip_prefix('[') {
                let header = header.trim_start_matches('[');
                table = header.split(']').next().unwrap_or(header).trim();
            }
        }
        let own = text.lines().nth(line - 1).unwrap_or("").trim();
        let name = own.split_once('=').map_or("", |(name, _)| name.trim());
        let key = match (table.is_empty(), name.is_empty()) {
            (true, _) => name.to_owned(),
            (false, true) => table.to_owned(),
            (false, false) => format!("{table}.{name}"),
        };
        Self { line, key }
    }
}
