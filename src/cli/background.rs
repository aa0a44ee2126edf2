//! Moonlock in the background: found running, or started there.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{ChildStdout, Command};

use super::client::{Client, ClientError};
use super::exit::Failure;
use super::tell;
use crate::config::resolve::DatabasePlace;
use crate::config::{Flags, Settings};
use crate::store::{Directory, prepare_directory};

/// How long a start may take: a large database is checked first.
const START: Duration = Duration::from_secs(60);

/// How long one that did not start may take to end.
const END: Duration = Duration::from_secs(5);

/// How often it is looked whether one that someone else started answers, and how many times.
const LOOK: Duration = Duration::from_millis(50);
const LOOKS: usize = 100;

/// A log that is longer begins anew.
const LONGEST_LOG: u64 = 4 << 20;

/// So much of the log's end is shown where a start failed.
const SHOWN_LOG: usize = 2_000;

/// A running Moonlock.
pub(super) struct Running {
    pub(super) client: Client,
    /// The proxy's base URL.
    pub(super) proxy: String,
}

/// Finds the Moonlock that the settings lead to, or starts it. What is started stays when this program ends.
pub(super) async fn find_or_start(settings: &Settings, flags: &Flags) -> Result<Running, Failure> {
    match find(settings).await {
        Ok(running) => return Ok(running),
        // With 0 as its port nobody can have found it: it is a new one each time.
        Err(ClientError::NotRunning(_) | ClientError::NoPort) => {}
        Err(error) => return Err(error.into()),
    }
    start(settings, flags).await
}

async fn find(settings: &Settings) -> Result<Running, ClientError> {
    let client = Client::of(settings)?;
    let proxy = client.health().await?.proxy_url;
    Ok(Running { client, proxy })
}

async fn start(settings: &Settings, flags: &Flags) -> Result<Running, Failure> {
    let path = log_path(settings)?;
    let mut log = open_log(&path).map_err(|error| {
        Failure::run(&format_args!(
            "its log cannot be written: {}: {error}",
            path.display()
        ))
    })?;
    let begun = log.seek(SeekFrom::End(0)).unwrap_or(0);
    let said = log.try_clone().map_err(|error| Failure::run(&error))?;
    let mut child = command(flags, said)?
        .spawn()
        .map_err(|error| Failure::run(&format_args!("Moonlock cannot be started: {error}")))?;
    let lines = child.stdout.take().map(|stdout| BufReader::new(stdout).lines());
    let started = match lines {
        Some(lines) => tokio::time::timeout(START, announced(lines))
            .await
            .unwrap_or(None),
        None => None,
    };
    if let Some((dashboard, proxy)) = started {
        let id = child.id().unwrap_or_default();
        let client = Client::at(dashboard, &settings.access)?;
        tell(&format!(
            "moonlock: started in the background (process {id}); dashboard {}, log {}",
            client.place(),
            path.display()
        ));
        return Ok(Running {
            client,
            proxy: format!("{}://{proxy}", settings.access.scheme().as_str()),
        });
    }
    // Its end is awaited, so that what it said is complete.
    if tokio::time::timeout(END, child.wait()).await.is_err() {
        return Err(Failure::unavailable(&format_args!(
            "Moonlock was started in the background and says nothing. Its log: {}",
            path.display()
        )));
    }
    let said = end_of(&mut log, begun);
    // Someone else may have started one at the same moment: then this one has found its database or its port taken.
    if said.contains("in use")
        && let Some(running) = until_found(settings).await
    {
        return Ok(running);
    }
    Err(Failure::unavailable(&format_args!(
        "Moonlock did not start in the background. It said: {}",
        said.trim()
    )))
}

/// Waits until one answers that someone else has just started; `None` if none does.
async fn until_found(settings: &Settings) -> Option<Running> {
    for _ in 0..LOOKS {
        match find(settings).await {
            Ok(running) => return Some(running),
            Err(ClientError::NotRunning(_)) => tokio::time::sleep(LOOK).await,
            Err(_) => return None,
        }
    }
    None
}

/// The program itself, to serve with the same settings, apart from this terminal: Ctrl-C here does not reach it.
fn command(flags: &Flags, log: File) -> Result<Command, Failure> {
    let program = std::env::current_exe().map_err(|error| Failure::run(&error))?;
    let mut command = Command::new(program);
    command
        .arg("serve")
        .args(arguments(flags))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log);
    #[cfg(unix)]
    command.process_group(0);
    #[cfg(windows)]
    {
        const CREATE_NEW_PROCESS_GROUP: u32 = 0x200;
        const CREATE_NO_WINDOW: u32 = 0x0800_0000;
        command.creation_flags(CREATE_NEW_PROCESS_GROUP | CREATE_NO_WINDOW);
    }
    Ok(command)
}

fn arguments(flags: &Flags) -> Vec<std::ffi::OsString> {
    let mut arguments = Vec::new();
    let mut put = |name: &str, value: Option<std::ffi::OsString>| {
        if let Some(value) = value {
            arguments.extend([name.into(), value]);
        }
    };
    put("--config", flags.config.clone().map(PathBuf::into_os_string));
    put("--host", flags.host.clone().map(Into::into));
    put("--port", flags.port.map(|port| port.to_string().into()));
    put(
        "--proxy-port",
        flags.proxy_port.map(|port| port.to_string().into()),
    );
    put("--db", flags.db.clone().map(PathBuf::into_os_string));
    arguments
}

/// Reads where it listens from what it says first; `None` if it ended before.
async fn announced(mut lines: Lines<BufReader<ChildStdout>>) -> Option<(SocketAddr, SocketAddr)> {
    let mut address = async |name: &str| {
        let line = lines.next_line().await.ok()??;
        line.strip_prefix(name)?.trim().split_once("://")?.1.parse().ok()
    };
    Some((address("dashboard").await?, address("proxy").await?))
}

/// Where one that runs in the background says what it has to say: beside its database.
pub(super) fn log_path(settings: &Settings) -> Result<PathBuf, Failure> {
    let database = settings.database.path();
    if let DatabasePlace::Default(path) = &settings.database {
        prepare_directory(path, Directory::Create).map_err(|error| Failure::run(&error))?;
    }
    Ok(database.with_extension("log"))
}

fn open_log(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).append(true).read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let log = options.open(path)?;
    if log.metadata()?.len() > LONGEST_LOG {
        log.set_len(0)?;
    }
    Ok(log)
}

fn end_of(log: &mut File, begun: u64) -> String {
    let mut said = Vec::new();
    let read = log
        .seek(SeekFrom::Start(begun))
        .and_then(|_| log.take(LONGEST_LOG).read_to_end(&mut said));
    if read.is_err() || said.is_empty() {
        return "nothing".to_owned();
    }
    let from = said.len().saturating_sub(SHOWN_LOG);
    String::from_utf8_lossy(said.get(from..).unwrap_or_default()).into_owned()
}
