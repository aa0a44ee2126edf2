//! Nobody's secret is anywhere but where it was sent: every key, cookie, prompt and reply of this test carries a mark, the
//! program logs all that it can, and then everything that it keeps, says or tells is searched for the marks.

mod sent;

use std::collections::BTreeMap;
use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::support::bodies::CHAT_PATH;
use crate::support::client::{Client, post_with};
use crate::support::http::Message;
use crate::support::program::{Program, command, run};
use crate::support::upstream::{Script, Upstream};
use crate::support::within;
use sent::{answer, calls, fields, refusals};

/// What every mark begins with. What follows says where it was put.
const MARK: &str = "s3cr3tm4rk";
const TOKEN: &str = "s3cr3tm4rk-token-of-moonlock";

/// Where marks were found: the place, and what stands there.
#[derive(Default)]
struct Search {
    searched: BTreeMap<String, usize>,
    found: Vec<String>,
}

impl Search {
    /// The mark as it is, in base64 wherever it begins there, and in hexadecimal.
    fn needles() -> Vec<Vec<u8>> {
        let mut needles = vec![MARK.as_bytes().to_vec()];
        for before in 0..3 {
            let encoded = STANDARD.encode([&vec![b' '; before], MARK.as_bytes()].concat());
            // What also depends on the bytes around it is left out.
            needles.push(encoded.as_bytes()[[0, 2, 3][before]..12].to_vec());
        }
        needles.push(
            MARK.bytes()
                .flat_map(|byte| format!("{byte:02x}").into_bytes())
                .collect(),
        );
        needles
    }

    fn look(&mut self, place: &str, bytes: &[u8]) {
        *self.searched.entry(place.to_owned()).or_default() += bytes.len();
        let lower = bytes.to_ascii_lowercase();
        for needle in Self::needles() {
            for text in [bytes, &lower] {
                if let Some(at) = text.windows(needle.len()).position(|window| window == needle) {
                    let around = &bytes[at.saturating_sub(150)..(at + 80).min(bytes.len())];
                    self.found
                        .push(format!("{place}: {}", String::from_utf8_lossy(around)));
                    break;
                }
            }
        }
    }

    /// Every file below a directory.
    fn look_below(&mut self, directory: &Path) {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                self.look_below(&path);
            } else {
                let name = path.file_name().unwrap().to_string_lossy();
                let kind = if name.starts_with("moonlock-") {
                    "a backup"
                } else {
                    &*name
                };
                self.look(kind, &std::fs::read(&path).unwrap());
            }
        }
    }
}

/// Everything that the program is told of and must keep to itself.
struct Place {
    home: tempfile::TempDir,
    provider: Upstream,
    webhook: Upstream,
    collector: Upstream,
    /// Nobody listens there.
    dead: SocketAddr,
}

impl Place {
    async fn new() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let dead = listener.local_addr().unwrap();
        let place = Self {
            home: tempfile::tempdir().unwrap(),
            provider: Upstream::start(answer).await,
            webhook: Upstream::start(|_| Script::new().head("204 No Content")).await,
            collector: Upstream::start(|_| {
                Script::sized(
                    &format!("401 Unauthorized\nx-said: {MARK}"),
                    format!("{MARK}-collector"),
                )
            })
            .await,
            dead,
        };
        drop(listener);
        std::fs::create_dir(place.kept()).unwrap();
        let config = format!(
            "[store]\ncommit_bound_ms = 20000\n\
             [[notify]]\nname = \"team\"\nkind = \"webhook\"\nurl = \"http://{}/hook/{MARK}-path?key={MARK}-query\"\n\
             secret_variable = \"TEAM_SECRET\"\n\
             [[notify]]\nname = \"gone\"\nkind = \"slack\"\nurl = \"http://{dead}/{MARK}-path\"\n\
             [mounts.bedrock]\nsign = \"aws\"\n\
             [mounts.refused]\nupstream = \"http://{dead}\"\ndialect = \"openai\"\n\
             [mounts.nowhere]\nupstream = \"https://nowhere.invalid\"\ndialect = \"openai\"\n",
            place.webhook.address
        );
        std::fs::write(place.home.path().join("moonlock.toml"), config).unwrap();
        place
    }

    /// What the program writes stands below it, and nothing else.
    fn kept(&self) -> std::path::PathBuf {
        self.home.path().join("kept")
    }

    fn command(&self) -> Command {
        let (home, secret) = (self.home.path(), |what: &str| format!("{MARK}-{what}"));
        let mut command = command(home);
        command
            .env("HOME", self.kept())
            .env("DB_PATH", self.kept().join("moonlock.db"))
            .env("MOONLOCK_CONFIG", home.join("moonlock.toml"))
            .env("MOONLOCK_TOKEN", TOKEN)
            .env("MOONLOCK_LOG", "trace,aws_sigv4=trace")
            .env("RUST_BACKTRACE", "full")
            .env("TEAM_SECRET", secret("webhook"))
            .env("OPENAI_API_KEY", secret("variable"))
            .env(
                "OPENAI_BASE_URL",
                format!("https://me:{MARK}@elsewhere.invalid/v1?key={MARK}"),
            )
            .env("HTTPS_PROXY", format!("http://me:{MARK}-way-out@{}", self.dead))
            .env("AWS_ACCESS_KEY_ID", secret("id"))
            .env("AWS_SECRET_ACCESS_KEY", secret("aws"))
            .env("AWS_SESSION_TOKEN", secret("session"))
            .env(
                "OTEL_EXPORTER_OTLP_ENDPOINT",
                format!("http://{}", self.collector.address),
            )
            .env(
                "OTEL_EXPORTER_OTLP_HEADERS",
                format!("authorization=Bearer%20{MARK}-collector"),
            )
            .env("OTEL_METRIC_EXPORT_INTERVAL", "200");
        for mount in ["OPENAI", "ANTHROPIC", "GEMINI", "AZURE", "BEDROCK"] {
            command.env(
                format!("MOONLOCK_UPSTREAM_{mount}"),
                format!("http://{}", self.provider.address),
            );
        }
        command
    }
}

/// Asks the API with the token.
async fn api(program: &Program, method: &str, path: &str, body: &Value) -> Message {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {TOKEN}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        program.dashboard,
        body.len()
    );
    Client::connect(program.dashboard).await.ask(request).await
}

async fn get(program: &Program, path: &str) -> Value {
    serde_json::from_slice(&api(program, "GET", path, &Value::Null).await.body).unwrap()
}

/// The answer of every route that is described, with ids that exist.
async fn look_at_the_api(search: &mut Search, program: &Program, session: &str) {
    let call = get(program, "/api/calls").await["calls"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let described = get(program, "/api/openapi.json").await;
    let mut asked = 0;
    for (path, item) in described["paths"].as_object().unwrap() {
        if item.get("get").is_none() {
            continue;
        }
        let mut path = path.replace("{id}", if path.contains("/calls/") { &call } else { session });
        if path.ends_with("/compare") {
            path = format!("{path}?sessions={session},{session}");
        }
        let formats: &[&str] = if path.contains("export") {
            &["?format=json", "?format=csv", "?format=jsonl"]
        } else {
            &[""]
        };
        for format in formats {
            let reply = api(program, "GET", &format!("{path}{format}"), &Value::Null).await;
            assert!(reply.head.status() < 500, "{path}");
            search.look(
                &format!("GET {path}{format}")
                    .replace(session, "{id}")
                    .replace(&call, "{id}"),
                &reply.body,
            );
            asked += 1;
        }
    }
    assert!(asked > 25, "{asked} routes");
}

/// All that a dashboard hears from the start on, until nothing more comes.
async fn hear(search: &mut Search, program: &Program, until: usize) {
    let mut request = format!("ws://{}/ws", program.dashboard)
        .into_client_request()
        .unwrap();
    let bearer = format!("Bearer {TOKEN}").parse().unwrap();
    request.headers_mut().insert("authorization", bearer);
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    // From the first event on, and everything that stands.
    let seq = get(program, "/api/live").await["seq"].as_u64().unwrap();
    for since in [None, Some(seq - until as u64)] {
        let said = json!({"type": "subscribe", "sessions": ["*"], "since": since});
        socket.send(Frame::text(said.to_string())).await.unwrap();
    }
    socket.send(Frame::text(r#"{"type":"ping"}"#)).await.unwrap();
    let mut heard = 0;
    loop {
        let frame = within("a message", socket.next())
            .await
            .unwrap()
            .unwrap()
            .into_data();
        search.look("/ws", &frame);
        heard += 1;
        if frame.starts_with(br#"{"type":"pong""#) {
            break;
        }
    }
    assert!(heard > until, "{heard} messages");
}

/// Waits until so many calls have ended, and the words of the one without usage are counted.
async fn ended(program: &Program, rows: usize) {
    let all = async {
        loop {
            let calls = get(program, "/api/calls?limit=100").await;
            let calls = calls["calls"].as_array().unwrap();
            let is_over = calls.iter().all(|call| call["outcome"] != "running");
            let is_counted = calls.iter().any(|call| call["source"] == "estimated");
            if calls.len() >= rows && is_over && is_counted {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    within("rows", all).await;
}

/// It crashes with a call under way: what its memory holds is written nowhere.
#[cfg(target_os = "linux")]
async fn crash(place: &Place) {
    let mut command = crate::support::program::in_home("sh", &place.kept());
    command
        .args([
            "-c",
            "ulimit -S -c $(ulimit -H -c) && cd \"$HOME\" && exec \"$0\"",
            env!("CARGO_BIN_EXE_moonlock"),
        ])
        .envs(
            place
                .command()
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .env("PATH", "/usr/bin:/bin");
    let program = Program::start(&mut command);
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", program.id())).unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"))
        .unwrap();
    assert_eq!(core.split_ascii_whitespace().nth(4), Some("0"), "{core}");
    let mut client = Client::connect(program.proxy).await;
    client
        .send(post_with(
            CHAT_PATH,
            &fields("half"),
            format!("{{\"model\":\"m\",\"a\":\"{MARK}-prompt\"}}"),
        ))
        .await;
    client.head("POST").await;
    program.signal("ABRT");
    assert!(client.try_head("POST").await.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_prompt_or_reply_is_kept_logged_or_told() {
    let mut place = Place::new().await;
    let log = place.kept().join("log");
    let program = Program::start_with_log(&mut place.command(), File::create(&log).unwrap());
    let budget = json!({"name": "s", "tokenBudget": 10});
    let created = api(&program, "POST", "/api/sessions", &budget).await;
    let session: Value = serde_json::from_slice(&created.body).unwrap();
    let session = session["id"].as_str().unwrap();
    let rows = calls(&program).await;
    refusals(&program).await;
    ended(&program, rows).await;
    // What is told of an alert: the budget is used up.
    let told = place.webhook.seen().await;
    let collected = place.collector.seen().await;

    // The search finds what it looks for, where it was meant to be.
    let mut control = Search::default();
    for request in place.provider.all_seen() {
        let fields: Vec<String> = request
            .head
            .fields
            .iter()
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        control.look(&request.head.line, fields.join("\n").as_bytes());
        control.look(&request.head.line, &request.body);
    }
    assert!(control.found.len() > 2 * rows - 6, "{}", control.found.join("\n"));

    let mut search = Search::default();
    search.look("a notification", &told.body);
    search.look("the collector", &collected.body);
    look_at_the_api(&mut search, &program, session).await;
    hear(&mut search, &program, 20).await;
    for arguments in [
        &["backup"][..],
        &["config", "--json"],
        &["config"],
        &["doctor"],
        &["status", "--json"],
        &["usage", "--json"],
        &["alerts"],
        &["export"],
    ] {
        let mut command = place.command();
        command
            .env("PORT", program.dashboard.port().to_string())
            .env("PROXY_PORT", program.proxy.port().to_string())
            .args(arguments);
        let (_, out, said) = tokio::task::spawn_blocking(move || run(&mut command))
            .await
            .unwrap();
        let name = format!("moonlock {}", arguments.join(" "));
        search.look(&name, out.as_bytes());
        search.look(&name, said.as_bytes());
    }
    // With the write-ahead log as it stands while it runs, and after the stop.
    search.look_below(&place.kept());
    let mut program = program;
    assert_eq!(program.terminate(), Some(0));
    #[cfg(target_os = "linux")]
    crash(&place).await;
    search.look_below(&place.kept());

    let logged = std::fs::read_to_string(&log).unwrap();
    for (place, bytes) in &search.searched {
        println!("{place:<50}{bytes:>12} bytes");
    }
    println!("rows: {rows}, lines logged: {}", logged.lines().count());
    assert!(search.searched.contains_key("moonlock.db-wal") && search.searched.contains_key("a backup"));
    assert!(logged.contains("TRACE"), "it logs all that it can");
    assert!(search.found.is_empty(), "{}", search.found.join("\n\n"));
}

#[test]
fn an_address_with_a_secret_is_refused_without_saying_it() {
    let home = tempfile::tempdir().unwrap();
    for url in [
        format!("http://me:{MARK}@127.0.0.1:9"),
        format!("http://127.0.0.1:9/v1?key={MARK}"),
        format!("ftp://me:{MARK}@127.0.0.1/?key={MARK}"),
    ] {
        let mut command = command(home.path());
        command
            .env("MOONLOCK_LOG", "trace")
            .env("RUST_BACKTRACE", "full")
            .env("MOONLOCK_UPSTREAM_OPENAI", &url);
        let (code, out, said) = run(&mut command);
        assert_eq!(code, Some(2), "{said}");
        assert!(!out.contains(MARK) && !said.contains(MARK), "{url}: {said}");
    }
}
