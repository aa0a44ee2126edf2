//! Puts the layers together: defaults < file < environment < flags.

mod keeping;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use serde_json::Value;

use super::access::{Access, Certificate, Token};
use super::error::ConfigError;
use super::mount::{Mount, Mounts, shown};
use super::raw::{Estimates, File, RawMount, Server, Sessions};
use super::said::{Layer, Said};
use super::table::{self, VARIABLES};
use super::{notify, otlp, prices};
use crate::domain::alert::Thresholds;
use crate::domain::durability::Durability;
use crate::domain::metrics::otlp::Collector;
use crate::domain::notice::Target;
use crate::domain::pricing::Prices;
use crate::domain::units::Millis;

use keeping::{backup, beside, keep_calls_days};

pub use keeping::BackupSettings;

const DEFAULTS: &str = include_str!("../../../config/moonlock.toml");
const PROVIDERS: &str = include_str!("../../../config/providers.toml");

/// The environment's variables, read once.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

/// What variables hold may be secret.
impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Environment {
    /// The variables of this process. One that is not Unicode is left out.
    #[must_use]
    pub fn of_process() -> Self {
        let pairs = std::env::vars_os();
        Self(
            pairs
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
                .collect(),
        )
    }

    /// The variables given.
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self(
            pairs
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        )
    }

    /// The user's own directory.
    #[must_use]
    pub fn home(&self) -> Option<PathBuf> {
        self.get("HOME")
            .or_else(|| self.get("USERPROFILE"))
            .map(PathBuf::from)
    }

    /// A variable that is set and not empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// The same, with these variables set.
    #[must_use]
    pub fn with(mut self, pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        self.0.extend(pairs);
        self
    }

    /// These variables alone.
    fn only(&self, names: &[&str]) -> Self {
        Self::from_pairs(
            names
                .iter()
                .filter_map(|name| Some((*name, self.0.get(*name)?.as_str()))),
        )
    }

    /// Every variable and its value.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    fn parse<T: FromStr>(&self, name: &str, expected: &str) -> Result<Option<T>, ConfigError> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        value
            .parse()
            .map(Some)
            .map_err(|_| wrong(name, value, format!("expected {expected}")))
    }
}

/// What the command line says.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Flags {
    /// Read this configuration file
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Listen on this address; beyond loopback only with MOONLOCK_TOKEN set
    #[arg(long, value_name = "ADDRESS")]
    pub host: Option<String>,
    /// Port of the dashboard and the API [default: 3001; 0 takes a free one]
    #[arg(long)]
    pub port: Option<u16>,
    /// Port of the proxy [default: 3002; 0 takes a free one]
    #[arg(long)]
    pub proxy_port: Option<u16>,
    /// Keep the history in this file
    #[arg(long, value_name = "FILE")]
    pub db: Option<PathBuf>,
}

/// What says where AWS's credentials are, as AWS's own tools read it.
const AWS: [&str; 10] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_PROFILE",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "HOME",
    "USERPROFILE",
    "HOMEDRIVE",
    "HOMEPATH",
];

/// Where the database is, and who chose the place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DatabasePlace {
    /// The platform's data directory: made if it is missing.
    Default(PathBuf),
    /// The user's choice: its directory must exist.
    Chosen(PathBuf),
}

impl DatabasePlace {
    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Default(path) | Self::Chosen(path) => path,
        }
    }
}

/// Everything that can be set, resolved.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The address to listen on.
    pub host: IpAddr,
    /// Who may ask.
    pub access: Access,
    /// Port of the dashboard and the API; 0 takes a free one.
    pub port: u16,
    /// Port of the proxy; 0 takes a free one.
    pub proxy_port: u16,
    /// The WebSocket's path.
    pub ws_path: String,
    /// How often the WebSocket pings.
    pub heartbeat_interval: Duration,
    /// The database.
    pub database: DatabasePlace,
    /// What a commit survives.
    pub durability: Durability,
    /// How long a reply's last bytes wait for the disk at most.
    pub commit_bound: Duration,
    /// The most writes that one commit takes together.
    pub batch_size: usize,
    /// How long a commit waits for company under [`Durability::Relaxed`].
    pub batch_interval: Duration,
    /// How many days calls are kept; `None`: for ever.
    pub keep_calls_days: Option<NonZero<u32>>,
    /// After how long without a call a session ends that began by itself; `None`: none begins by itself.
    pub auto_sessions: Option<Millis>,
    pub(super) idle_minutes: u64,
    /// The shares of budgets and of providers' own limits at which the user is told.
    pub alert_at: Thresholds,
    /// How many bytes the text of calls may take, from which is estimated what their providers do not say; `None`:
    /// nothing is kept or estimated.
    pub estimate_memory: Option<usize>,
    pub(super) estimate_memory_mb: usize,
    /// Its backups.
    pub backup: BackupSettings,
    /// Where calls go.
    pub mounts: Mounts,
    /// Who is told of alerts.
    pub notify: Vec<Target>,
    /// Who is told of the calls' sums; `None`: nobody. Why what was said of it cannot be used.
    pub collector: Result<Option<Collector>, String>,
    /// Who is told of each call, in the same way.
    pub call_collector: Result<Option<Collector>, String>,
    /// What they cost, where the user knows better than the price list.
    pub prices: Prices,
    /// The variables that say where AWS's credentials are, for mounts that sign.
    pub aws: Environment,
    /// The user's configuration file, if there is one.
    pub(super) file: Option<PathBuf>,
    pub(super) said: Said,
    /// What lies above the file, for reading it again; `None` where no request may change it.
    pub(super) above: Option<(Environment, Flags)>,
}

impl Settings {
    /// Puts the layers together.
    ///
    /// # Errors
    /// The first thing that cannot be used, with where it was said.
    pub fn load(environment: &Environment, flags: &Flags) -> Result<Self, ConfigError> {
        let settings = match user_file(environment, flags)? {
            Some((path, text)) => Self::with_file(environment, flags, path, &text)?,
            None => Self::resolve(built_in()?, environment, flags)?,
        };
        Ok(Self {
            above: Some((environment.clone(), flags.clone())),
            ..settings
        })
    }

    /// The same, where the user's file says this.
    pub(super) fn with_file(
        environment: &Environment,
        flags: &Flags,
        path: PathBuf,
        text: &str,
    ) -> Result<Self, ConfigError> {
        let file = built_in()?.overlay(File::parse(&path, text, Layer::Users)?);
        let settings = Self::resolve(file, environment, flags)?;
        Ok(Self {
            file: Some(path),
            ..settings
        })
    }

    /// What holds where nobody says anything, beside that database. `None` where this system names no place for one.
    pub(super) fn built_in(database: &Path) -> Option<Self> {
        let settings = Self::resolve(built_in().ok()?, &Environment::default(), &Flags::default()).ok()?;
        let mut backup = settings.backup.clone();
        backup.directory = beside(database);
        Some(Self { backup, ..settings })
    }

    fn resolve(mut file: File, environment: &Environment, flags: &Flags) -> Result<Self, ConfigError> {
        let mut layers = Layers {
            environment,
            said: std::mem::take(&mut file.said),
        };
        let milliseconds = "a whole number of milliseconds";
        let server = &file.server;
        let port = layers.top("server.port", flags.port, server.port, PORT)?;
        let port = port.unwrap_or(3001);
        let proxy_port = layers.top("server.proxy_port", flags.proxy_port, server.proxy_port, PORT)?;
        let proxy_port = proxy_port.unwrap_or(3002);
        if port == proxy_port && port != 0 {
            return Err(wrong(
                "PROXY_PORT",
                &proxy_port.to_string(),
                "the dashboard has that port: the two must differ".to_owned(),
            ));
        }
        if let Some(ws_port) = environment.parse::<u16>("WS_PORT", PORT)?
            && ws_port != port
        {
            let problem = format!(
                "the WebSocket shares the dashboard's port, so that the same checks protect both: \
                 leave WS_PORT out, or set it to {port}"
            );
            return Err(wrong("WS_PORT", &ws_port.to_string(), problem));
        }
        let store = &file.store;
        let batch_size = layers.top("store.batch_size", None, store.batch_size, "a whole number")?;
        let batch_size = batch_size.unwrap_or(1000);
        if batch_size == 0 {
            return Err(wrong(
                "BATCH_SIZE",
                "0",
                "a commit takes at least one write".to_owned(),
            ));
        }
        let beat = server.heartbeat_interval_ms;
        let heartbeat = layers.top("server.heartbeat_interval_ms", None, beat, milliseconds)?;
        let heartbeat = heartbeat.unwrap_or(30_000);
        let wait = store.batch_interval_ms;
        let batch_interval = layers.top("store.batch_interval_ms", None, wait, milliseconds)?;
        let text = "text";
        let host_text = layers.top("server.host", flags.host.clone(), server.host.clone(), text)?;
        let ws_text = layers.top("server.ws_path", None, server.ws_path.clone(), text)?;
        let place = store.path.as_deref().filter(|path| !path.is_empty());
        let place = layers.top("store.path", flags.db.clone(), place.map(PathBuf::from), text)?;
        let database = database(place)?;
        let mounts = mounts(&mut layers, &file.mounts)?;
        let (auto, idle_minutes) = (file.sessions.auto.unwrap_or(false), idle_minutes(&file.sessions)?);
        let estimates = file.estimates.enabled.unwrap_or(true);
        let estimate_memory_mb = estimate_memory_mb(&file.estimates)?;
        layers.note_variables(flags);
        let access = access(environment, server)?;
        Ok(Self {
            host: host(host_text.as_deref(), &access)?,
            access,
            port,
            proxy_port,
            ws_path: ws_path(ws_text.as_deref())?,
            heartbeat_interval: Duration::from_millis(heartbeat.max(100)),
            backup: backup(&file.backup, &database)?,
            database,
            durability: store.durability.unwrap_or(Durability::Normal),
            commit_bound: Duration::from_millis(store.commit_bound_ms.unwrap_or(250)),
            batch_size,
            batch_interval: Duration::from_millis(batch_interval.unwrap_or(50)),
            keep_calls_days: keep_calls_days(store)?,
            auto_sessions: auto.then_some(Millis(idle_minutes * 60_000)),
            idle_minutes,
            alert_at: file.alerts.at_percent.unwrap_or_default(),
            estimate_memory: estimates.then_some(estimate_memory_mb << 20),
            estimate_memory_mb,
            aws: environment.only(&AWS),
            prices: prices::resolve(&file.prices, &mounts)?,
            collector: otlp::resolve(environment, &otlp::METRICS),
            call_collector: otlp::resolve(environment, &otlp::TRACES),
            notify: notify::resolve(&file.notify, environment, &layers.said)?,
            mounts,
            file: None,
            said: layers.said,
            above: None,
        })
    }
}

/// What comes with the program.
fn built_in() -> Result<File, ConfigError> {
    let settings = File::parse(Path::new("config/moonlock.toml"), DEFAULTS, Layer::BuiltIn)?;
    let providers = File::parse(Path::new("config/providers.toml"), PROVIDERS, Layer::BuiltIn)?;
    Ok(settings.overlay(providers))
}

/// What lies above the files, and who said what.
struct Layers<'a> {
    environment: &'a Environment,
    said: Said,
}

impl Layers<'_> {
    /// The topmost layer that says something of the setting; which one it is, is noted. `expected` is what its variable
    /// must hold.
    fn top<T: FromStr>(
        &mut self,
        name: &str,
        flag: Option<T>,
        file: Option<T>,
        expected: &str,
    ) -> Result<Option<T>, ConfigError> {
        let setting = table::find(name);
        let variable = match setting.and_then(|setting| setting.variable) {
            Some(variable) => self
                .environment
                .parse(variable, expected)?
                .inspect(|_| self.said.by_variable(name, variable, Value::Null)),
            None => None,
        };
        if flag.is_some() {
            let flag = setting.and_then(|setting| setting.flag).unwrap_or_default();
            self.said.by_flag(name, flag, Value::Null);
        }
        Ok(flag.or(variable).or(file))
    }

    /// Notes what only the environment says.
    fn note_variables(&mut self, flags: &Flags) {
        for (name, _) in VARIABLES {
            // Of the token nobody is shown more than that there is one.
            let value = self.environment.get(name);
            if let Some(value) = value.map(|value| if name == TOKEN { "set" } else { value }) {
                self.said.by_variable(name, name, value.into());
            }
        }
        if let Some(file) = &flags.config {
            self.said
                .by_flag("MOONLOCK_CONFIG", "--config", file.display().to_string().into());
        }
    }
}

/// The longest time without a call that a session can bear: a day.
const MAX_IDLE_MINUTES: u64 = 1_440;

fn idle_minutes(sessions: &Sessions) -> Result<u64, ConfigError> {
    let minutes = sessions.idle_minutes.unwrap_or(30);
    if !(1..=MAX_IDLE_MINUTES).contains(&minutes) {
        let problem = format!("expected 1 to {MAX_IDLE_MINUTES} minutes (a day)");
        return Err(wrong("sessions.idle_minutes", &minutes.to_string(), problem));
    }
    Ok(minutes)
}

/// The most memory for calls' text, in megabytes: 16 GB.
const MAX_MEMORY_MB: usize = 16_384;

fn estimate_memory_mb(estimates: &Estimates) -> Result<usize, ConfigError> {
    let megabytes = estimates.memory_mb.unwrap_or(32);
    if !(1..=MAX_MEMORY_MB).contains(&megabytes) {
        let problem =
            format!("expected 1 to {MAX_MEMORY_MB} megabytes; to estimate nothing, say enabled = false");
        return Err(wrong("estimates.memory_mb", &megabytes.to_string(), problem));
    }
    Ok(megabytes)
}

const PORT: &str = "a port: a whole number from 0 to 65535";

fn wrong(name: &str, value: &str, problem: impl Into<String>) -> ConfigError {
    ConfigError::Value {
        name: name.to_owned(),
        value: value.to_owned(),
        problem: problem.into(),
    }
}

/// Where the user's configuration file is, or would be; `None` where that is not known.
#[must_use]
pub fn config_file(environment: &Environment, flags: &Flags) -> Option<PathBuf> {
    let named = flags
        .config
        .clone()
        .or_else(|| environment.get("MOONLOCK_CONFIG").map(PathBuf::from));
    named.or_else(|| {
        let places = directories::ProjectDirs::from("", "", "moonlock")?;
        Some(places.config_dir().join("config.toml"))
    })
}

fn user_file(environment: &Environment, flags: &Flags) -> Result<Option<(PathBuf, String)>, ConfigError> {
    let must_exist = flags.config.is_some() || environment.get("MOONLOCK_CONFIG").is_some();
    let Some(path) = config_file(environment, flags) else {
        return Ok(None);
    };
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some((path, text))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !must_exist => Ok(None),
        Err(source) => Err(ConfigError::Unreadable { file: path, source }),
    }
}

/// The variable that holds the token.
const TOKEN: &str = "MOONLOCK_TOKEN";

fn access(environment: &Environment, server: &Server) -> Result<Access, ConfigError> {
    let token = match environment.get(TOKEN) {
        // What is wrong with a secret is said without it.
        Some(text) => Some(Token::new(text).map_err(|problem| wrong(TOKEN, "…", problem))?),
        None => None,
    };
    let (origins, hosts) = (server.allow_origins.as_deref(), server.allow_hosts.as_deref());
    let (origins, hosts) = (origins.unwrap_or_default(), hosts.unwrap_or_default());
    Access::new(token)
        .certified(certificate(server)?)
        .allow_origins(origins)
        .map_err(|problem| wrong("server.allow_origins", &origins.join(", "), problem))?
        .allow_hosts(hosts)
        .map_err(|problem| wrong("server.allow_hosts", &hosts.join(", "), problem))
}

fn certificate(server: &Server) -> Result<Option<Certificate>, ConfigError> {
    let file = |text: &Option<String>| text.as_deref().filter(|text| !text.is_empty()).map(PathBuf::from);
    match (file(&server.tls_cert), file(&server.tls_key)) {
        (Some(certificate), Some(key)) => Ok(Some(Certificate { certificate, key })),
        (None, None) => Ok(None),
        (Some(_), None) => Err(wrong(
            "server.tls_key",
            "",
            "the certificate of tls_cert needs its key",
        )),
        (None, Some(_)) => Err(wrong(
            "server.tls_cert",
            "",
            "the key of tls_key needs its certificate",
        )),
    }
}

fn host(text: Option<&str>, access: &Access) -> Result<IpAddr, ConfigError> {
    let text = text.unwrap_or("127.0.0.1");
    let address = match text {
        "localhost" => IpAddr::V4(Ipv4Addr::LOCALHOST),
        _ => text
            .parse()
            .map_err(|_| wrong("HOST", text, "expected an address such as 127.0.0.1".to_owned()))?,
    };
    if !address.is_loopback() && access.token().is_none() {
        let problem = "others could reach it there, and API keys pass through it: set MOONLOCK_TOKEN to a secret that every \
             request must bring (`openssl rand -hex 16` makes one), or use 127.0.0.1";
        return Err(wrong("HOST", text, problem));
    }
    Ok(address)
}

fn ws_path(text: Option<&str>) -> Result<String, ConfigError> {
    let path = text.unwrap_or("/ws");
    let plain = path
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte));
    if !path.starts_with('/') || path.len() < 2 || !plain || path.starts_with("/api/") {
        return Err(wrong(
            "WS_PATH",
            path,
            "expected a path such as /ws, outside /api/".to_owned(),
        ));
    }
    Ok(path.to_owned())
}

fn database(chosen: Option<PathBuf>) -> Result<DatabasePlace, ConfigError> {
    if let Some(path) = chosen {
        return Ok(DatabasePlace::Chosen(path));
    }
    let project = directories::ProjectDirs::from("", "", "moonlock").ok_or(ConfigError::NoDataDirectory)?;
    Ok(DatabasePlace::Default(project.data_dir().join("moonlock.db")))
}

/// `MOONLOCK_UPSTREAM_<MOUNT>`: upper case, with `_` for whatever a variable's name cannot hold.
pub(super) fn upstream_variable(mount: &str) -> String {
    let name: String = mount
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_uppercase()
            } else {
                '_'
            }
        })
        .collect();
    format!("MOONLOCK_UPSTREAM_{name}")
}

fn mounts(layers: &mut Layers<'_>, raw: &BTreeMap<String, RawMount>) -> Result<Mounts, ConfigError> {
    let environment = layers.environment;
    let mut mounts = Mounts::default();
    let mut used = Vec::new();
    for (name, raw) in raw {
        let variable = upstream_variable(name);
        let replaced = environment.get(&variable);
        let mount = Mount::build(name, raw, replaced).map_err(|problem| ConfigError::Mount {
            name: name.clone(),
            problem,
        })?;
        mounts.insert(mount);
        if let Some(upstream) = replaced {
            let key = format!("mounts.{name}.upstream");
            layers.said.by_variable(&key, &variable, upstream.into());
        }
        used.push(variable);
    }
    let unknown = environment
        .0
        .keys()
        .find(|name| name.starts_with("MOONLOCK_UPSTREAM_") && !used.contains(name));
    if let Some(name) = unknown {
        let known: Vec<&str> = mounts.iter().map(|mount| &*mount.name).collect();
        let problem = format!("no mount has that name; there are: {}", known.join(", "));
        return Err(wrong(name, &shown(&environment.0[name]), problem));
    }
    Ok(mounts)
}

#[cfg(test)]
mod tests;
