//! The program in this process on free ports, and a client that talks to its API as plainly as can be.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;

use moonlock::app::App;
use moonlock::config::{Environment, Flags, Settings};
use serde_json::Value;
use tokio::runtime::Runtime;

pub(crate) struct Program {
    app: App,
    runtime: Runtime,
}

impl Program {
    pub(crate) fn start(directory: &Path) -> Self {
        let database = directory.join("moonlock.db");
        let pairs = [
            ("PORT", "0"),
            ("PROXY_PORT", "0"),
            ("DB_PATH", database.to_str().expect("a plain path")),
        ];
        let settings = Settings::load(&Environment::from_pairs(pairs), &Flags::default()).expect("settings");
        let runtime = Runtime::new().expect("a runtime");
        let app = runtime.block_on(App::start(settings)).expect("the program");
        Self { app, runtime }
    }

    pub(crate) fn stop(self) {
        self.runtime.block_on(self.app.stop());
    }

    fn address(&self) -> SocketAddr {
        self.app.dashboard()
    }

    /// Sends a request without a body; what comes back begins with the head.
    fn ask(&self, path: &str) -> BufReader<TcpStream> {
        let mut stream = TcpStream::connect(self.address()).expect("a connection");
        // HTTP/1.0: what comes ends with the connection, in no chunks.
        let request = format!("GET {path} HTTP/1.0\r\nHost: {}\r\n\r\n", self.address());
        stream.write_all(request.as_bytes()).expect("a request");
        BufReader::new(stream)
    }

    pub(crate) fn get(&self, path: &str) -> Value {
        serde_json::from_slice(&self.bytes(path)).expect("JSON")
    }

    /// The bytes of an answer.
    pub(crate) fn bytes(&self, path: &str) -> Vec<u8> {
        let mut answer = self.ask(path);
        head(&mut answer, path);
        let mut body = Vec::new();
        answer.read_to_end(&mut body).expect("a body");
        body
    }

    /// Gives how many bytes there were.
    pub(crate) fn download(&self, path: &str, file: &Path) -> u64 {
        let mut answer = self.ask(path);
        head(&mut answer, path);
        let mut file = File::create(file).expect("a file");
        io::copy(&mut answer, &mut file).expect("the whole of it")
    }

    pub(crate) fn upload(&self, path: &str, kind: &str, file: &Path) -> Value {
        let mut file = File::open(file).expect("the file");
        let length = file.metadata().expect("its length").len();
        let mut stream = TcpStream::connect(self.address()).expect("a connection");
        let request = format!(
            "POST {path} HTTP/1.0\r\nHost: {}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n",
            self.address()
        );
        stream.write_all(request.as_bytes()).expect("a request");
        io::copy(&mut file, &mut stream).expect("the whole of it");
        let mut answer = BufReader::new(stream);
        head(&mut answer, path);
        serde_json::from_reader(answer).expect("JSON")
    }
}

/// Reads the head of an answer, which must be a good one.
fn head(answer: &mut impl io::BufRead, path: &str) {
    let mut line = String::new();
    answer.read_line(&mut line).expect("an answer");
    assert!(line.contains(" 200 "), "{path}: {line}");
    while line.trim_end() != "" {
        line.clear();
        answer.read_line(&mut line).expect("a head");
    }
}

/// The most memory that this process ever had, in MB; 0 where the system does not say.
pub(crate) fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok());
    kilobytes.unwrap_or(0) >> 10
}
