//! The program as its user runs it: a process of its own.

use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;

use super::client::Client;

/// The program, in an environment with nothing of this machine's.
pub(crate) fn command(home: &Path) -> Command {
    in_home(env!("CARGO_BIN_EXE_moonlock"), home)
}

/// Another program in that environment.
pub(crate) fn in_home(program: &str, home: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        // Where `tests/run coverage` has the lines counted that it runs.
        .envs(std::env::vars_os().filter(|(name, _)| name == "LLVM_PROFILE_FILE"))
        .env("HOME", home)
        .env("PORT", "0")
        .env("PROXY_PORT", "0")
        .env("DB_PATH", home.join("moonlock.db"))
        .stdin(Stdio::null());
    command
}

/// A program that serves. Dropped, it is killed.
pub(crate) struct Program {
    child: Child,
    pub(crate) dashboard: SocketAddr,
    pub(crate) proxy: SocketAddr,
}

impl Program {
    /// Starts it and waits until it says where it listens.
    pub(crate) fn start(command: &mut Command) -> Self {
        Self::launch(command.stderr(Stdio::piped()))
    }

    /// The same, with what it logs in a file.
    pub(crate) fn start_with_log(command: &mut Command, log: std::fs::File) -> Self {
        Self::launch(command.stderr(log))
    }

    fn launch(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut address = |name: &str| {
            let line = lines.next().and_then(Result::ok).unwrap_or_default();
            let address = line
                .strip_prefix(name)
                .and_then(|rest| rest.trim().split_once("://")?.1.parse().ok());
            address.unwrap_or_else(|| {
                let mut said = String::new();
                child.kill().unwrap();
                if let Some(mut stderr) = child.stderr.take() {
                    stderr.read_to_string(&mut said).unwrap();
                }
                panic!("{line:?} is not where the {name} listens; {said}")
            })
        };
        let (dashboard, proxy) = (address("dashboard"), address("proxy"));
        Self {
            child,
            dashboard,
            proxy,
        }
    }

    /// Asks its API; `Value::Null` is no body.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.dashboard,
            body.len()
        );
        let reply = Client::connect(self.dashboard).await.ask(request).await;
        serde_json::from_slice(&reply.body).unwrap()
    }

    /// The number of its process.
    #[cfg(target_os = "linux")]
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal.
    #[cfg(target_os = "linux")]
    pub(crate) fn signal(&self, name: &str) {
        let told = Command::new("kill")
            .arg(format!("-{name}"))
            .arg(self.child.id().to_string())
            .status();
        assert!(told.unwrap().success());
    }

    /// A figure of its memory in KiB, by Linux's name for it (proc_pid_status(5)).
    #[cfg(target_os = "linux")]
    pub(crate) fn memory(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        let number = line.split_ascii_whitespace().nth(1).unwrap();
        number.parse().unwrap()
    }

    /// How many file descriptors it has open.
    #[cfg(target_os = "linux")]
    pub(crate) fn descriptors(&self) -> usize {
        let open = std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap();
        open.count()
    }

    /// What it says of itself: for a test that fails.
    pub(crate) async fn state(&self) -> String {
        let mut said = String::new();
        for path in ["/api/health", "/api/live"] {
            let request = format!("GET {path} HTTP/1.1\r\nhost: {}\r\n\r\n", self.dashboard);
            let reply = Client::connect(self.dashboard).await.ask(request).await;
            said.push_str(&String::from_utf8_lossy(&reply.body));
        }
        said
    }

    /// Asks it to stop, as Ctrl-C does; its exit code.
    pub(crate) fn terminate(&mut self) -> Option<i32> {
        let told = Command::new("kill")
            .arg(self.child.id().to_string())
            .status()
            .unwrap();
        assert!(told.success());
        self.child.wait().unwrap().code()
    }

    /// Asks it to stop, and gives what it said on standard error.
    pub(crate) fn stop_and_say(mut self) -> String {
        let mut said = String::new();
        self.terminate();
        let mut stderr = self.child.stderr.take().unwrap();
        stderr.read_to_string(&mut said).unwrap();
        said
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Runs it to its end.
pub(crate) fn run(command: &mut Command) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

/// A port that is free now, and that nobody is given who leaves the choice to the system: those begin at 32768 on Linux
/// and higher elsewhere. Tests that run beside this one have other process numbers, or ask later.
pub(crate) fn free_port() -> u16 {
    static ASKED: AtomicU32 = AtomicU32::new(0);
    let first = std::process::id() + ASKED.fetch_add(1, Ordering::Relaxed);
    (0..10_000)
        .map(|further| u16::try_from(20_000 + (first % 10_000 + 7 * further) % 10_000).unwrap())
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("one of 10,000 ports is free")
}
