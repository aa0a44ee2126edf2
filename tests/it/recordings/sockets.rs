//! The recorded WebSocket sessions through the running program: each side sends what it sent, and each turn is a row.

use moonlock::domain::usage::turns::Side;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};

use super::socket_readers::{Sums, Wire, expected, is_live, pieces};
use super::{Numbers, SESSIONS, folder, lines};
use crate::support::app::TestApp;
use crate::support::within;
use crate::upgrade::{AGREED, End, handshake};

/// All sessions.
const ALL: usize = 17;
/// The rows of all sessions: their turns, and a transcription by another model, which is counted by its duration.
const ROWS: usize = 23;

const DEFLATE: &str = "Sec-WebSocket-Extensions: permessage-deflate\r\n";

/// In whole frames and in fragments, compressed and not.
const WIRES: [(&str, Wire); 4] = [
    (
        "frames",
        Wire {
            deflate: false,
            torn: None,
        },
    ),
    (
        "fragments",
        Wire {
            deflate: false,
            torn: Some(1),
        },
    ),
    (
        "deflate",
        Wire {
            deflate: true,
            torn: None,
        },
    ),
    (
        "both",
        Wire {
            deflate: true,
            torn: Some(2),
        },
    ),
];

fn path(session: &Value) -> &'static str {
    match session["provider"].as_str().unwrap() {
        _ if is_live(session) => {
            "/gemini/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent?key=k"
        }
        "azure" => "/azure/recorded/openai/v1/realtime?model=m",
        "azure-voice-live" => "/azure/recorded/voice-live/realtime?model=m",
        "xai" => "/xai/v1/realtime?model=m",
        _ => "/openai/v1/realtime?model=m",
    }
}

/// Lets both sides say what they said; each must hear the other byte for byte.
async fn replay(app: &TestApp, provider: &TcpListener, session: &Value, wire: Wire, label: &str) {
    let extension = if wire.deflate { DEFLATE } else { "" };
    let mut client = End(TcpStream::connect(app.proxy()).await.unwrap());
    let head = handshake(path(session));
    client
        .send(format!("{head}x-moonlock-session: {label}\r\n{extension}\r\n"))
        .await;
    let mut provider = End(within("a connection", provider.accept()).await.unwrap().0);
    for end in [&client, &provider] {
        end.0.set_nodelay(true).unwrap();
    }
    provider.head().await;
    provider.send(format!("{AGREED}{extension}\r\n")).await;
    client.head().await;
    for (side, piece) in pieces(session, wire) {
        let (from, to) = match side {
            Side::Client => (&mut client, &mut provider),
            Side::Server => (&mut provider, &mut client),
        };
        from.send(&piece).await;
        assert_eq!(to.take(piece.len()).await, piece, "{label}");
    }
    drop(provider);
    assert_eq!(client.rest().await, b"");
}

fn sums<'a>(rows: impl IntoIterator<Item = &'a Value>) -> Sums {
    rows.into_iter().fold([0; 4], |mut sums, row| {
        let numbers = Numbers::of_row(row);
        let parts = [
            numbers.input,
            numbers.output,
            numbers.cache_read,
            numbers.reasoning,
        ];
        for (sum, part) in sums.iter_mut().zip(parts) {
            *sum += part.unwrap_or_default();
        }
        sums
    })
}

#[tokio::test]
async fn recorded_sessions_are_passed_and_metered_in_every_form() {
    let Some(folder) = folder() else { return };
    let sessions: Vec<Value> = lines(&folder.join(SESSIONS)).collect();
    let provider = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let app = TestApp::start(provider.local_addr().unwrap()).await;
    for (name, wire) in WIRES {
        for (index, session) in sessions.iter().enumerate() {
            replay(&app, &provider, session, wire, &format!("{name} {index}")).await;
        }
    }
    let rows = app.rows().await;
    let names = WIRES.map(|(name, _)| format!("{name:>10}")).concat();
    println!(
        "{:<18} {:<58} {:>24}{names}  exact/rows",
        "provider", "session", "expected"
    );
    let (mut exact, mut all) = ([0; WIRES.len()], [0; WIRES.len()]);
    for (index, session) in sessions.iter().enumerate() {
        let expected = expected(session);
        let mut columns = String::new();
        for (column, (name, _)) in WIRES.iter().enumerate() {
            let label = format!("{name} {index}");
            let of_session: Vec<&Value> = rows.iter().filter(|row| row["askedSession"] == label).collect();
            for row in &of_session {
                assert_eq!(
                    (&row["outcome"], &row["status"]),
                    (&"complete".into(), &101.into()),
                    "{row:#}"
                );
            }
            let counted = of_session.iter().filter(|row| row["source"] == "exact").count();
            let read = sums(of_session.iter().copied());
            exact[column] += usize::from(read == expected);
            all[column] += of_session.len();
            let verdict = if read == expected { "" } else { "!" };
            columns.push_str(&format!(
                "{:>10}",
                format!("{verdict}{counted}/{}", of_session.len())
            ));
        }
        println!(
            "{:<18} {:<58} {:>24}{columns}",
            session["provider"].as_str().unwrap(),
            session["file"].as_str().unwrap().rsplit('/').next().unwrap(),
            format!("{expected:?}"),
        );
    }
    assert_eq!((exact, all), ([ALL; WIRES.len()], [ROWS; WIRES.len()]));
    assert_eq!(rows.len(), ROWS * WIRES.len());
    app.stop().await;
}
