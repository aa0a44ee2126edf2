//! What is sent through the program, with a mark wherever a secret stands.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::json;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::{MARK, TOKEN};
use crate::support::bodies::{
    CHAT, CHAT_EVENTS, CHAT_PATH, EVENTS, JSON, MESSAGES_PATH, chat_stream, message_stream,
};
use crate::support::client::{Client, post_with};
use crate::support::http::Message;
use crate::support::program::Program;
use crate::support::upstream::{Gate, Script};
use crate::support::within;
use crate::upgrade::{ASK, DONE, REALTIME, TEXT, masked, unmasked};

/// What the provider answers: the header `x-answer` says in which way.
pub(super) fn answer(request: &Message) -> Script {
    let kept = |text: &str| {
        text.replace("Hi é", &format!("Hi {MARK}-reply"))
            .replace("Grüße", &format!("{MARK}-reply"))
    };
    let json = format!("{JSON}\nset-cookie: sid={MARK}-cookie\nx-api-key: {MARK}-echo");
    let events = format!("{EVENTS}\nset-cookie: sid={MARK}-cookie");
    match request.head.get("x-answer").unwrap_or_default() {
        "stream" => Script::chunked(&events, [kept(&chat_stream())]),
        "without usage" => Script::chunked(&events, [kept(CHAT_EVENTS), "data: [DONE]\n\n".into()]),
        "messages" => Script::chunked(&events, [kept(&message_stream())]),
        "refusal" => {
            let body = json!({"error": {
                "message": format!("Incorrect API key provided: {MARK}-echo"), "type": "invalid_request_error",
                "param": format!("{MARK}-param"), "code": "invalid_api_key"
            }});
            let head =
                format!("401 Unauthorized\ncontent-type: application/json\nwww-authenticate: {MARK}-echo");
            Script::sized(&head, body.to_string())
        }
        "garbage" => Script::sized(&json, format!("{{\"choices\": [{MARK}-garbage, \"usage\"")),
        "no http" => Script::new()
            .send(format!("{MARK}-line-that-is-none\r\n\r\n"))
            .close(),
        "cut off" => Script::new()
            .head(&format!("{events}\ntransfer-encoding: chunked"))
            .chunk(kept(CHAT_EVENTS))
            .reset(),
        "half" => Script::new()
            .head(&format!("{events}\ntransfer-encoding: chunked"))
            .chunk(kept(CHAT_EVENTS))
            .until_closed(&Gate::new()),
        "socket" => {
            let agreed = format!("{}set-cookie: sid={MARK}-cookie\r\n\r\n", crate::upgrade::AGREED);
            let said = format!("{{\"type\":\"response.output_text.delta\",\"delta\":\"{MARK}-said\"}}");
            let frames = [
                unmasked(TEXT, said),
                unmasked(TEXT, DONE),
                unmasked(0x88, [3, 232]),
            ]
            .concat();
            Script::new().send(agreed).send(frames).close()
        }
        _ => Script::sized(&json, kept(CHAT)),
    }
}

/// Fields that carry a secret on the way to a provider.
pub(super) fn fields(answer: &str) -> String {
    format!(
        "x-answer: {answer}\nauthorization: Bearer {MARK}-authorization\nx-api-key: {MARK}-x-api-key\n\
         api-key: {MARK}-api-key\nx-goog-api-key: {MARK}-goog\ncookie: sid={MARK}-cookie\n\
         proxy-authorization: Basic {}\nx-moonlock-token: {TOKEN}\nreferer: http://a/?key={MARK}-referer\n\
         x-amz-security-token: {MARK}-amz",
        STANDARD.encode(format!("me:{MARK}-basic"))
    )
}

/// Calls of every kind, and how many rows they make.
pub(super) async fn calls(program: &Program) -> usize {
    let prompt = format!(
        r#"{{"model":"gpt-4o","messages":[{{"role":"user","content":"{MARK}-prompt"}}],"tools":[{{"type":"function","function":{{"name":"t","description":"{MARK}-tool"}}}}],"user":"{MARK}-user""#
    );
    let (whole, streamed) = (format!("{prompt}}}"), format!("{prompt},\"stream\":true}}"));
    let silent = format!("{prompt},\"stream\":true,\"stream_options\":{{\"include_usage\":false}}}}");
    let gemini = format!(r#"{{"contents":[{{"parts":[{{"text":"{MARK}-prompt"}}]}}]}}"#);
    let keyed = |path: &str| format!("{path}?key={MARK}-key");
    let generate = keyed("/gemini/v1beta/models/gemini-2.5-flash:generateContent");
    let (refused, nowhere) = (
        keyed("/refused/v1/chat/completions"),
        keyed("/nowhere/v1/chat/completions"),
    );
    let azure = keyed("/azure/mine/openai/deployments/d/chat/completions");
    let converse = "/bedrock/eu-west-1/model/m/converse";
    let rows = [
        (&*keyed(CHAT_PATH), "", &*whole, 200),
        (CHAT_PATH, "stream", &streamed, 200),
        (CHAT_PATH, "without usage", &silent, 200),
        (MESSAGES_PATH, "messages", &streamed, 200),
        (&generate, "", &gemini, 200),
        (&azure, "", &whole, 200),
        (converse, "", &whole, 200),
        (CHAT_PATH, "refusal", &whole, 401),
        (CHAT_PATH, "garbage", &whole, 200),
        (CHAT_PATH, "no http", &whole, 502),
        (CHAT_PATH, "", &prompt, 200),
        (&refused, "", &whole, 502),
        (&nowhere, "", &whole, 502),
    ];
    let mut connection = Client::connect(program.proxy).await;
    for (path, answer, body, status) in rows {
        let reply = connection.ask(post_with(path, &fields(answer), body)).await;
        assert_eq!(reply.head.status(), status, "{path} {answer}");
    }
    // One that the provider cuts off, and one that the client leaves.
    let reply = Client::connect(program.proxy)
        .await
        .ask(post_with(CHAT_PATH, &fields("cut off"), &streamed))
        .await;
    assert!(!reply.whole);
    let mut leaving = Client::connect(program.proxy).await;
    leaving
        .send(post_with(CHAT_PATH, &fields("half"), &streamed))
        .await;
    let mut reply = leaving.head("POST").await;
    leaving.body_to(&mut reply, 1).await;
    drop(leaving);
    rows.len() + 2 + socket(program).await + over_http_2(program, &whole).await
}

/// A WebSocket with a key in its address, its subprotocol and its fields; what is said on it is nobody's business.
async fn socket(program: &Program) -> usize {
    let handshake = format!(
        "GET {REALTIME}&key={MARK}-key HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         sec-websocket-protocol: realtime, openai-insecure-api-key.{MARK}-protocol\r\n{}\r\n\r\n",
        fields("socket").replace('\n', "\r\n")
    );
    let mut client = Client::connect(program.proxy).await;
    client.send(handshake).await;
    assert_eq!(client.head("GET").await.head.status(), 101);
    let said = ASK.replacen('{', &format!("{{\"instructions\":\"{MARK}-said\","), 1);
    client.send(masked(TEXT, said)).await;
    1
}

async fn over_http_2(program: &Program, body: &str) -> usize {
    let stream = TcpStream::connect(program.proxy).await.unwrap();
    let (mut sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
        .await
        .unwrap();
    let mut task = JoinSet::new();
    task.spawn(async move { drop(connection.await) });
    let mut request = http::Request::post(format!("http://{}{CHAT_PATH}?key={MARK}", program.proxy));
    for field in fields("").lines() {
        let (name, value) = field.split_once(": ").unwrap_or(("x-answer", ""));
        if name != "proxy-authorization" {
            request = request.header(name, value);
        }
    }
    let request = request.body(Full::new(Bytes::from(body.to_owned()))).unwrap();
    let reply = within("a reply", sender.send_request(request)).await.unwrap();
    assert_eq!(reply.status(), 200);
    reply.into_body().collect().await.unwrap();
    1
}

/// Requests that no provider sees, because they are refused.
pub(super) async fn refusals(program: &Program) {
    let body = format!("{{\"a\":\"{MARK}-body\"}}");
    let wrong = fields("").replace(TOKEN, &format!("{MARK}-wrong-token"));
    let page = format!("{wrong}\norigin: http://{MARK}.example");
    for (path, fields, status) in [
        ("/nothing/v1/chat/completions?key=s3cr3tm4rk", &*fields(""), 404),
        ("/t/s3cr3tm4rk-wrong-token/openai/v1/chat/completions", "", 401),
        (CHAT_PATH, &wrong, 401),
        (CHAT_PATH, &page, 401),
    ] {
        let reply = Client::connect(program.proxy)
            .await
            .ask(post_with(path, fields, &body))
            .await;
        assert_eq!(
            reply.head.status(),
            status,
            "{path}: {}",
            String::from_utf8_lossy(&reply.body)
        );
    }
    // What is no HTTP, on both ports.
    for address in [program.proxy, program.dashboard] {
        for said in [
            format!("POST /openai HTTP/1.1\r\nhost: a\r\nauthorization {MARK}-line\r\n\r\n"),
            format!("GET /?key={MARK} HTTP/9\r\n\r\n"),
            format!("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n{MARK}-frame-that-is-none"),
        ] {
            let mut client = Client::connect(address).await;
            client.send(said).await;
            client.try_head("POST").await;
        }
    }
    let here = program.dashboard;
    let json = "content-type: application/json";
    for (line, fields, body) in [
        ("POST /api/sessions", json, format!("{{\"name\": {MARK}-body")),
        (
            "POST /api/sessions",
            json,
            format!("{{\"name\":\"a\",\"tokenBudget\":\"{MARK}-value\"}}"),
        ),
        ("POST /api/sessions", json, format!("{{\"{MARK}-field\":1}}")),
        ("GET /api/calls?cursor=s3cr3tm4rk-cursor", "", String::new()),
        ("GET /api/nothing?key=s3cr3tm4rk", "", String::new()),
        ("POST /api/import", json, format!("[{{\"{MARK}\":")),
        (
            "POST /sign-in",
            "content-type: application/x-www-form-urlencoded",
            format!("token={MARK}-wrong"),
        ),
        (
            "POST /sign-in",
            "content-type: application/x-www-form-urlencoded",
            format!("token={TOKEN}"),
        ),
    ] {
        let request = format!(
            "{line} HTTP/1.1\r\nhost: {here}\r\ncookie: sid={MARK}-cookie\r\nauthorization: Bearer {TOKEN}\r\n{fields}\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        )
        .replace("\r\n\r\ncontent", "\r\ncontent");
        assert_ne!(
            Client::connect(here).await.ask(request).await.head.status(),
            200,
            "{line}"
        );
    }
}
