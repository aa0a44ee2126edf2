//! The programs that are measured: started, looked at from outside, stopped.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tokio::net::TcpStream;

/// A proxy in front of the provider.
pub(crate) struct Program {
    child: Child,
    pub(crate) address: SocketAddr,
    /// From the start of the process to the first connection that it took.
    pub(crate) started_in: Duration,
}

impl Program {
    /// nginx as a plain reverse proxy with kept-alive connections; `None` where it is not installed.
    pub(crate) async fn nginx(home: &Path, upstream: SocketAddr) -> Option<Self> {
        let port = free_port();
        let home = home.display();
        let config = format!(
            "daemon off; pid {home}/nginx.pid; error_log {home}/nginx.log crit; worker_processes auto;
             events {{ worker_connections 8192; }}
             http {{
               access_log off; client_body_temp_path {home}/body; proxy_temp_path {home}/proxy;
               fastcgi_temp_path {home}/fastcgi; uwsgi_temp_path {home}/uwsgi; scgi_temp_path {home}/scgi;
               upstream provider {{ server {upstream}; keepalive 2048; }}
               server {{
                 listen 127.0.0.1:{port} backlog=4096; keepalive_requests 10000000; client_max_body_size 64m;
                 location /openai/ {{
                   proxy_pass http://provider/; proxy_http_version 1.1; proxy_set_header Connection \"\";
                   proxy_buffering off; proxy_request_buffering off; proxy_read_timeout 600s;
                 }}
               }}
             }}"
        );
        let path = format!("{home}/nginx.conf");
        fs::write(&path, config).expect("a file for nginx");
        let mut command = Command::new("nginx");
        command.args(["-e", "stderr", "-c", &path]);
        let began = Instant::now();
        let child = command.stderr(Stdio::null()).spawn().ok()?;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        accepts(address).await;
        Some(Self {
            child,
            address,
            started_in: began.elapsed(),
        })
    }

    /// Moonlock as shipped, but for where its history and the provider are.
    pub(crate) async fn moonlock(home: &Path, upstream: SocketAddr) -> Self {
        let proxy = free_port();
        let settings = home.join("defaults.toml");
        fs::write(&settings, "").expect("the directory was just made");
        let began = Instant::now();
        let mut child = Command::new(env!("CARGO_BIN_EXE_moonlock"))
            .env("PORT", "0")
            .env("PROXY_PORT", proxy.to_string())
            .env("DB_PATH", home.join("moonlock.db"))
            .env("MOONLOCK_CONFIG", settings)
            .env("MOONLOCK_UPSTREAM_OPENAI", format!("http://{upstream}"))
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let address = SocketAddr::from(([127, 0, 0, 1], proxy));
        accepts(address).await;
        let started_in = began.elapsed();
        // What it says goes nowhere, but somebody has to take it.
        let said = child.stdout.take();
        std::thread::spawn(move || said.map(|said| BufReader::new(said).lines().count()));
        Self {
            child,
            address,
            started_in,
        }
    }

    /// The process and those that it started.
    fn processes(&self) -> Vec<u32> {
        let mut found = vec![self.child.id()];
        let mut at = 0;
        while let Some(process) = found.get(at) {
            let path = format!("/proc/{process}/task/{process}/children");
            let children = fs::read_to_string(path).unwrap_or_default();
            found.extend(
                children
                    .split_whitespace()
                    .filter_map(|id| id.parse::<u32>().ok()),
            );
            at += 1;
        }
        found
    }

    /// How long its threads have been on a processor.
    pub(crate) fn cpu(&self) -> Duration {
        let of_threads = self.processes().into_iter().flat_map(|process| {
            let threads = fs::read_dir(format!("/proc/{process}/task"))
                .into_iter()
                .flatten();
            threads.flatten().filter_map(|thread| {
                let said = fs::read_to_string(thread.path().join("schedstat")).ok()?;
                said.split_whitespace().next()?.parse::<u64>().ok()
            })
        });
        Duration::from_nanos(of_threads.sum())
    }

    /// What it has in memory now, and had at most, in MB.
    pub(crate) fn memory(&self) -> (f64, f64) {
        let sum = |field: &str| {
            let of_processes = self.processes().into_iter().filter_map(|process| {
                let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
                let line = status.lines().find_map(|line| line.strip_prefix(field))?;
                line.trim_end_matches("kB").trim().parse::<f64>().ok()
            });
            of_processes.sum::<f64>() / 1024.0
        };
        (sum("VmRSS:"), sum("VmHWM:"))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        for process in self.processes().into_iter().rev() {
            drop(Command::new("kill").arg(process.to_string()).status());
        }
        drop(self.child.wait());
    }
}

/// Waits until somebody takes connections there.
async fn accepts(address: SocketAddr) {
    while TcpStream::connect(address).await.is_err() {
        tokio::time::sleep(Duration::from_micros(200)).await;
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}
