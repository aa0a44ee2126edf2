//! Who may ask: pages of other sites may not, and where there is a token, only who brings it.

use crate::support::app::{TestApp, new_home};
use crate::support::bodies::{CHAT, CHAT_PATH, CHAT_REQUEST, JSON};
use crate::support::client::{Client, post, post_with};
use crate::support::program::{command, run};
use crate::support::upstream::{Script, Upstream};

const TOKEN: &str = "0123456789abcdef";

#[tokio::test]
async fn a_page_in_the_users_browser_gets_nothing_through_the_proxy() {
    let mut upstream = Upstream::start(|_| Script::sized(JSON, CHAT)).await;
    let app = TestApp::start(upstream.address).await;
    for (fields, kind) in [
        ("origin: http://evil.com", "page_refused"),
        ("origin: null", "page_refused"),
        ("sec-fetch-site: cross-site", "page_refused"),
    ] {
        let reply = app.ask(post_with(CHAT_PATH, fields, CHAT_REQUEST)).await;
        assert_eq!(
            (reply.head.status(), reply.head.get("x-moonlock-error")),
            (403, Some(kind)),
            "{fields}"
        );
        assert_eq!(reply.head.get("access-control-allow-origin"), None);
    }
    // A site that points its own name here, and its WebSocket.
    let rebound = "GET /ollama/api/tags HTTP/1.1\r\nhost: evil.com\r\n\r\n";
    assert_eq!(
        app.ask(rebound).await.head.get("x-moonlock-error"),
        Some("host_refused")
    );
    let socket = "GET /openai/v1/realtime HTTP/1.1\r\nhost: 127.0.0.1\r\norigin: http://evil.com\r\nconnection: upgrade\r\n\
                  upgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    assert_eq!(app.ask(socket).await.head.status(), 403);
    let preflight = format!(
        "OPTIONS {CHAT_PATH} HTTP/1.1\r\nhost: 127.0.0.1\r\norigin: http://evil.com\r\n\
         access-control-request-method: POST\r\n\r\n"
    );
    assert_eq!(app.ask(preflight).await.head.status(), 403);
    assert!(upstream.all_seen().is_empty(), "nothing went upstream");
    app.stop().await;
}

#[tokio::test]
async fn with_a_token_every_call_brings_it_and_no_provider_sees_it() {
    let mut upstream = Upstream::start(|_| Script::sized(JSON, CHAT)).await;
    let app = TestApp::start_with(new_home(), upstream.address, &[("MOONLOCK_TOKEN", TOKEN)]).await;
    for request in [
        post(CHAT_PATH, CHAT_REQUEST),
        post_with(CHAT_PATH, "x-moonlock-token: 0123456789abcdeX", CHAT_REQUEST),
        post(&format!("/t/0123456789abcdeX{CHAT_PATH}"), CHAT_REQUEST),
    ] {
        let reply = app.ask(request).await;
        assert_eq!(
            (reply.head.status(), reply.head.get("x-moonlock-error")),
            (401, Some("no_token"))
        );
    }
    assert!(upstream.all_seen().is_empty(), "nothing went upstream");
    for request in [
        post_with(CHAT_PATH, &format!("x-moonlock-token: {TOKEN}"), CHAT_REQUEST),
        post(&format!("/t/{TOKEN}{CHAT_PATH}"), CHAT_REQUEST),
        post(&format!("/t/{TOKEN}/s/work{CHAT_PATH}"), CHAT_REQUEST),
    ] {
        assert_eq!(app.ask(request).await.head.status(), 200);
        let seen = upstream.seen().await;
        assert_eq!(seen.head.line, "POST /v1/chat/completions HTTP/1.1");
        let told = seen.head.fields.iter().any(|(_, value)| value.contains(TOKEN));
        assert!(!told, "{:?}", seen.head);
    }
    app.stop().await;
}

#[tokio::test]
async fn with_a_token_the_dashboard_opens_for_it_and_for_the_browser_that_gave_it() {
    let upstream = Upstream::start(|_| Script::sized(JSON, CHAT)).await;
    let app = TestApp::start_with(new_home(), upstream.address, &[("MOONLOCK_TOKEN", TOKEN)]).await;
    let here = app.dashboard();
    let ask = async |request: String| Client::connect(here).await.ask(request).await;
    let get = async |path: &str, field: &str| {
        ask(format!("GET {path} HTTP/1.1\r\nhost: {here}\r\n{field}\r\n\r\n")).await
    };
    let enter = async |token: &str| {
        let form = format!("token={token}");
        ask(format!(
            "POST /sign-in HTTP/1.1\r\nhost: {here}\r\norigin: http://{here}\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{form}",
            form.len()
        ))
        .await
    };
    for path in [
        "/api/live",
        "/api/calls",
        "/metrics",
        "/ws",
        "/",
        "/assets/none.js",
    ] {
        assert_eq!(get(path, "accept: */*").await.head.status(), 401, "{path}");
    }
    let page = get("/sessions", "accept: text/html").await;
    assert_eq!(page.head.status(), 401);
    assert!(String::from_utf8_lossy(&page.body).contains("action=\"/sign-in\""));
    let authorization = format!("authorization: Bearer {TOKEN}");
    assert_eq!(get("/api/live", &authorization).await.head.status(), 200);
    assert_eq!(
        get("/api/live", "authorization: Bearer 0123456789abcdeX")
            .await
            .head
            .status(),
        401
    );

    let refused = enter("0123456789abcdeX").await;
    assert_eq!(
        (refused.head.status(), refused.head.get("set-cookie")),
        (401, None)
    );
    let entered = enter(TOKEN).await;
    assert_eq!(
        (entered.head.status(), entered.head.get("location")),
        (303, Some("/"))
    );
    let cookie = entered.head.get("set-cookie").unwrap();
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"),
        "{cookie}"
    );
    assert!(!cookie.contains(TOKEN), "a cookie goes to every port of a host");
    let pass = format!("cookie: {}", cookie.split(';').next().unwrap());
    assert_eq!(get("/api/live", &pass).await.head.status(), 200);
    let upgrade = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==";
    let mut client = Client::connect(here).await;
    client
        .send(format!(
            "GET /ws HTTP/1.1\r\nhost: {here}\r\n{pass}\r\n{upgrade}\r\n\r\n"
        ))
        .await;
    assert_eq!(client.head("GET").await.head.status(), 101);
    app.stop().await;
}

#[tokio::test]
async fn moonlocks_own_commands_bring_the_token() {
    let upstream = Upstream::start(|_| Script::sized(JSON, CHAT)).await;
    let app = TestApp::start_with(new_home(), upstream.address, &[("MOONLOCK_TOKEN", TOKEN)]).await;
    let here = app.dashboard().port().to_string();
    let ask = async |token: &str, arguments: &[&str]| {
        let mut command = command(app.home.path());
        command
            .env("PORT", &here)
            .env("MOONLOCK_TOKEN", token)
            .args(arguments);
        // The program is in this process.
        tokio::task::spawn_blocking(move || run(&mut command))
            .await
            .unwrap()
    };
    let (code, out, said) = ask(TOKEN, &["start", "work"]).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(out.contains("work"), "{out}");
    let (code, _, said) = ask("", &["status"]).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("MOONLOCK_TOKEN") && !said.contains(TOKEN), "{said}");
    let (_, out, _) = ask(TOKEN, &["env", "--shell", "bash"]).await;
    assert!(out.contains(&format!("/t/{TOKEN}/anthropic")), "{out}");
    let (_, out, _) = ask(TOKEN, &["config", "--json"]).await;
    assert!(out.contains("MOONLOCK_TOKEN") && !out.contains(TOKEN), "{out}");
    app.stop().await;
}

/// Two programs that read the end of one request differently let a second one through that nobody looked at.
#[tokio::test]
async fn no_request_is_smuggled_in_another() {
    const SECOND: &str = "GET /ollama/smuggled HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n";
    let mut upstream = Upstream::start(|_| Script::sized(JSON, CHAT)).await;
    let app = TestApp::start(upstream.address).await;
    let long = SECOND.len();
    let inside = format!("{long:x}\r\n{SECOND}\r\n0\r\n\r\n");
    for (fields, body) in [
        (format!("content-length: 0\r\ncontent-length: {long}"), SECOND),
        (format!("content-length: {long}, 0"), SECOND),
        (format!("content-length: +{long}"), SECOND),
        (
            "content-length: 5\r\ntransfer-encoding: chunked".to_owned(),
            &*inside,
        ),
        (
            "transfer-encoding: chunked\r\ncontent-length: 0".to_owned(),
            &*inside,
        ),
        ("transfer-encoding: xchunked".to_owned(), &*inside),
        ("transfer-encoding: chunked, identity".to_owned(), &*inside),
        ("transfer-encoding : chunked".to_owned(), &*inside),
        ("transfer-encoding:\r\n chunked".to_owned(), &*inside),
        ("x: a\r\n b: c\r\ncontent-length: 0".to_owned(), SECOND),
        ("transfer-encoding: chunked".to_owned(), "0x2\r\n{}\r\n0\r\n\r\n"),
        ("transfer-encoding: chunked".to_owned(), "-1\r\n{}\r\n0\r\n\r\n"),
        (
            "transfer-encoding: chunked".to_owned(),
            "fffffffffffffffff\r\n{}\r\n0\r\n\r\n",
        ),
        ("x: a\rtransfer-encoding: chunked".to_owned(), &*inside),
        ("x: a\0b".to_owned(), ""),
    ] {
        let head = format!("POST {CHAT_PATH} HTTP/1.1\r\nhost: 127.0.0.1\r\n{fields}\r\n\r\n{body}");
        let mut client = app.client().await;
        // Behind it the last one, so that all has been read when the connection closes.
        let last = post_with(CHAT_PATH, "connection: close", CHAT_REQUEST);
        client.send([head.as_bytes(), &last].concat()).await;
        while let Some(mut reply) = client.try_head("POST").await {
            client.body_to(&mut reply, usize::MAX).await;
        }
        for seen in upstream.all_seen() {
            assert_eq!(seen.head.line, "POST /v1/chat/completions HTTP/1.1", "{fields:?}");
            let framings = seen.head.fields.iter().filter(|(name, _)| {
                name.eq_ignore_ascii_case("content-length") || name.eq_ignore_ascii_case("transfer-encoding")
            });
            assert!(framings.count() <= 1, "{fields:?}: {:?}", seen.head);
        }
    }
    app.stop().await;
}
