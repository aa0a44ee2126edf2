//! Any bytes as the body of a request to the API, any words as its path: the answer is never that Moonlock failed.
//!
//! The line is: method, path (`{id}` is a session that there is), media type.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::time::Duration;

use super::Input;
use moonlock::app::App;
use moonlock::config::{Environment, Flags, Settings};
use tokio::runtime::Runtime;

/// After so many requests the program begins anew: what it was told to keep it keeps.
const MOST: u32 = 4_000;

/// The program in this process.
struct Place {
    // Stopped before its runtime and its directory are dropped.
    app: Option<App>,
    runtime: Runtime,
    directory: std::path::PathBuf,
    session: String,
    asked: u32,
}

static PLACE: Mutex<Option<Place>> = Mutex::new(None);

impl Place {
    fn new() -> Self {
        let directory = std::env::temp_dir().join(format!("moonlock-fuzz-{}", std::process::id()));
        drop(std::fs::remove_dir_all(&directory));
        std::fs::create_dir(&directory).unwrap();
        let (database, config) = (directory.join("moonlock.db"), directory.join("moonlock.toml"));
        std::fs::write(&config, "[estimates]\nenabled = false\n[backup]\ndaily = false\n").unwrap();
        let pairs = [
            ("PORT", "0"),
            ("PROXY_PORT", "0"),
            ("DB_PATH", database.to_str().unwrap()),
            ("MOONLOCK_CONFIG", config.to_str().unwrap()),
        ];
        let settings = Settings::load(&Environment::from_pairs(pairs), &Flags::default()).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let app = runtime.block_on(App::start(settings)).unwrap();
        let mut place = Self {
            app: Some(app),
            runtime,
            directory,
            session: String::new(),
            asked: 0,
        };
        let made = place.ask("POST", "/api/sessions", "application/json", br#"{"name":"fuzz"}"#);
        let made = String::from_utf8(made).unwrap();
        let (_, id) = made.split_once("\"id\":\"").unwrap();
        place.session = id.get(..36).unwrap().to_owned();
        place
    }

    fn ask(&mut self, method: &str, path: &str, kind: &str, body: &[u8]) -> Vec<u8> {
        self.asked += 1;
        let address = self.app.as_ref().unwrap().dashboard();
        let path = path.replace("{id}", &self.session);
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: {kind}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        // A body may be refused before it has been read.
        drop(stream.write_all(body));
        let mut answer = Vec::new();
        drop(stream.read_to_end(&mut answer));
        answer
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(app) = self.app.take() {
            self.runtime.block_on(app.stop());
        }
        drop(std::fs::remove_dir_all(&self.directory));
    }
}

/// Holds what is promised against an input.
pub fn check(data: &[u8]) {
    let Some(input) = Input::parse(data) else { return };
    let is_plain = |word: &str| word.bytes().all(|byte| byte.is_ascii_graphic());
    let (method, path, kind) = (input.word(0), input.word(1), input.word(2));
    let methods = ["GET", "POST", "PATCH", "PUT", "DELETE"];
    if !methods.contains(&method) || !path.starts_with("/api/") || !is_plain(path) || !is_plain(kind) {
        return;
    }
    let mut place = PLACE.lock().unwrap_or_else(|broken| broken.into_inner());
    if place.as_ref().is_some_and(|place| place.asked > MOST) {
        *place = None;
    }
    let place = place.get_or_insert_with(Place::new);
    let answer = place.ask(method, path, kind, input.body);
    let status = answer
        .get(9..12)
        .and_then(|digits| std::str::from_utf8(digits).ok());
    let status: u16 = status.and_then(|digits| digits.parse().ok()).unwrap_or(0);
    assert!(
        (200..500).contains(&status),
        "{method} {path}: {}",
        String::from_utf8_lossy(&answer)
    );
    // It is there and well afterwards.
    let health = place.ask("GET", "/api/health", "application/json", b"");
    assert!(
        health.starts_with(b"HTTP/1.1 200"),
        "{}",
        String::from_utf8_lossy(&health)
    );
}
