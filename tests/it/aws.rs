//! Bedrock behind signatures (SigV4): a scripted AWS checks what reaches it as the real one does, from the bytes that
//! it received and the secret that it knows.

use std::fmt::Write;
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::support::app::{TestApp, assert_usage, new_home};
use crate::support::bodies::JSON;
use crate::support::client::{post, post_with};
use crate::support::http::Message;
use crate::support::upstream::{Script, Upstream};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const KEYS: [(&str, &str); 3] = [
    ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
    ("AWS_SECRET_ACCESS_KEY", SECRET),
    ("AWS_SESSION_TOKEN", "session//token+=="),
];
/// A signature of the client's own, with credentials that the machine does not have.
const CLIENTS_OWN: &str = "authorization: AWS4-HMAC-SHA256 Credential=OTHER/20260101/us-east-1/bedrock/aws4_request, \
                           SignedHeaders=host;x-amz-date, Signature=00\nx-amz-date: 20260101T000000Z\n\
                           x-amz-security-token: others\nx-amz-content-sha256: 00";
const REPLY: &str = r#"{"stopReason":"end_turn","usage":{"inputTokens":3,"outputTokens":4,"totalTokens":7}}"#;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// Encodes each byte but the unreserved ones (RFC 3986 §2.3): of a path that is encoded already, its `%` once more.
fn encoded(path: &str) -> String {
    path.bytes().fold(String::new(), |mut text, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                text.push(char::from(byte));
            }
            _ => write!(text, "%{byte:02X}").unwrap(),
        }
        text
    })
}

/// The signature that a request must have, and the one it has
/// (docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html).
fn signatures(request: &Message) -> (String, String) {
    let mut line = request.head.line.split(' ');
    let (method, target) = (line.next().unwrap(), line.next().unwrap());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut pairs: Vec<_> = query.split('&').filter(|pair| !pair.is_empty()).collect();
    pairs.sort_unstable();
    let authorization = request.head.get("authorization").unwrap();
    let part = |name: &str| {
        let from = authorization.find(name).unwrap() + name.len();
        let rest = authorization.get(from..).unwrap();
        rest.split(',').next().unwrap().trim()
    };
    let signed = part("SignedHeaders=");
    let fields = signed.split(';').fold(String::new(), |mut fields, name| {
        writeln!(fields, "{name}:{}", request.head.get(name).unwrap()).unwrap();
        fields
    });
    for name in ["host", "x-amz-date", "x-amz-security-token", "content-type"] {
        let is_signed = signed.split(';').any(|signed| signed == name);
        assert!(is_signed || request.head.get(name).is_none(), "{name} is signed");
    }
    let canonical = format!(
        "{method}\n{}\n{}\n{fields}\n{signed}\n{}",
        encoded(path),
        pairs.join("&"),
        hex(&Sha256::digest(&request.body))
    );
    let (key, scope) = part("Credential=").split_once('/').unwrap();
    assert_eq!(key, "AKIDEXAMPLE");
    let text = format!(
        "AWS4-HMAC-SHA256\n{}\n{scope}\n{}",
        request.head.get("x-amz-date").unwrap(),
        hex(&Sha256::digest(canonical))
    );
    let first = format!("AWS4{SECRET}").into_bytes();
    let key = scope.split('/').fold(first, |key, part| mac(&key, part));
    assert!(scope.ends_with("/eu-west-1/bedrock/aws4_request"), "{scope}");
    (hex(&mac(&key, &text)), part("Signature=").to_owned())
}

/// A provider that answers what is signed well, and refuses what is not, as AWS does.
async fn aws() -> Upstream {
    Upstream::start(|request| {
        let (expected, found) = signatures(request);
        if expected == found {
            Script::sized(JSON, REPLY)
        } else {
            let head = "403 Forbidden\nx-amzn-errortype: InvalidSignatureException";
            Script::sized(head, r#"{"message":"The request signature does not match"}"#)
        }
    })
    .await
}

/// Moonlock before it, with `sign` for Bedrock.
async fn signing(upstream: &Upstream, more: &str, variables: &[(&str, &str)]) -> TestApp {
    let home = new_home();
    let config = home.path().join("moonlock.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(
        config,
        format!("{text}\n[mounts.bedrock]\nsign = \"aws\"\n{more}"),
    )
    .unwrap();
    let home_variable = ("HOME", home.path().to_str().unwrap().to_owned());
    let variables = [&[(home_variable.0, home_variable.1.as_str())], variables].concat();
    TestApp::start_with(Arc::clone(&home), upstream.address, &variables).await
}

#[tokio::test]
async fn a_request_is_signed_anew_so_that_aws_takes_it() {
    let mut upstream = aws().await;
    let mut app = signing(&upstream, "", &KEYS).await;
    for (path, body) in [
        ("/model/us.anthropic.claude-4-v1%3A0/converse", "{\"a\":1}"),
        ("/model/us.anthropic.claude-4-v1:0/converse", "{}"),
        (
            "/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A1%3Ainference-profile%2Fa/converse",
            "",
        ),
        ("/model/m/converse?b=2&a=%2F1", "é"),
    ] {
        let reply = app
            .ask(post_with(&format!("/bedrock/eu-west-1{path}"), CLIENTS_OWN, body))
            .await;
        assert_eq!(String::from_utf8_lossy(&reply.body), REPLY, "{path}");
        let seen = upstream.seen().await;
        assert_eq!(seen.head.line, format!("POST {path} HTTP/1.1"));
        assert_eq!(seen.body, body.as_bytes());
        assert_eq!(seen.head.get("x-amz-security-token"), Some("session//token+=="));
        assert_eq!(seen.head.get("x-amz-content-sha256"), None);
        assert_usage(
            &app.ended().await,
            Some("exact"),
            [Some(3), None, None, Some(4), None, Some(7)],
        );
    }
    // What is not metered is signed too: a presigned URL, and a client that leaves signing to Moonlock.
    for path in [
        "/model/m/count-tokens?X-Amz-Signature=0&X-Amz-Date=1",
        "/model/m/count-tokens",
    ] {
        let reply = app.ask(post(&format!("/bedrock/eu-west-1{path}"), "{}")).await;
        assert_eq!(reply.head.status(), 200);
        assert_eq!(
            upstream.seen().await.head.line,
            "POST /model/m/count-tokens HTTP/1.1"
        );
    }
}

#[tokio::test]
async fn a_request_in_chunks_is_signed_whole() {
    let mut upstream = aws().await;
    let app = signing(&upstream, "", &KEYS).await;
    let head = format!(
        "POST /bedrock/eu-west-1/model/m/converse HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n{}\r\n\r\n",
        CLIENTS_OWN.replace('\n', "\r\n")
    );
    let reply = app
        .ask(format!("{head}3\r\n{{\"a\r\n4\r\n\":1}}\r\n0\r\n\r\n"))
        .await;
    assert_eq!(reply.head.status(), 200);
    let seen = upstream.seen().await;
    assert_eq!(seen.body, b"{\"a\":1}");
    assert_eq!(seen.head.get("content-length"), Some("7"));
}

#[tokio::test]
async fn a_profile_can_be_named() {
    let upstream = aws().await;
    let app = signing(
        &upstream,
        "aws_profile = \"work\"",
        &[KEYS[0], ("AWS_SECRET_ACCESS_KEY", "wrong")],
    )
    .await;
    let request = post("/bedrock/eu-west-1/model/m/converse", "{}");
    let reply = app.ask(&request).await;
    let said = String::from_utf8_lossy(&reply.body);
    assert_eq!(reply.head.get("x-moonlock-error"), Some("no_aws_credentials"));
    assert_eq!(reply.head.get("x-amzn-errortype"), Some("AccessDeniedException"));
    assert!(
        said.contains("`work`") && said.contains("~/.aws/credentials"),
        "{said}"
    );
    let row = app.row().await;
    assert_eq!(
        (&row["outcome"], &row["error"]),
        (&"upstream_error".into(), &"no_aws_credentials".into())
    );

    let folder = app.home.path().join(".aws");
    std::fs::create_dir(&folder).unwrap();
    let keys = format!("[work]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = {SECRET}\n");
    std::fs::write(folder.join("credentials"), keys).unwrap();
    assert_eq!(app.ask(&request).await.head.status(), 200);
}

#[tokio::test]
async fn what_aws_says_of_a_signature_passes() {
    let upstream = aws().await;
    let app = signing(&upstream, "", &[KEYS[0], ("AWS_SECRET_ACCESS_KEY", "expired")]).await;
    let reply = app.ask(post("/bedrock/eu-west-1/model/m/converse", "{}")).await;
    assert_eq!(reply.head.status(), 403);
    assert_eq!(reply.head.get("x-moonlock-error"), None);
    assert!(String::from_utf8_lossy(&reply.body).contains("does not match"));
}

#[tokio::test]
async fn a_bearer_key_passes_untouched_with_and_without_signing() {
    let mut upstream = Upstream::start(|_| Script::sized(JSON, REPLY)).await;
    let apps = [
        signing(&upstream, "", &KEYS).await,
        TestApp::start(upstream.address).await,
    ];
    for app in apps {
        let path = "/bedrock/eu-west-1/model/m%3A0/converse";
        let reply = app
            .ask(post_with(path, "authorization: Bearer bedrock-api-key-x", "{}"))
            .await;
        assert_eq!(reply.body, REPLY.as_bytes());
        let seen = upstream.seen().await;
        assert_eq!(seen.head.get("authorization"), Some("Bearer bedrock-api-key-x"));
        assert_eq!(seen.head.get("x-amz-date"), None);
    }
}

#[tokio::test]
async fn a_signature_that_aws_would_refuse_is_explained() {
    let upstream = aws().await;
    let home = new_home();
    let config = home.path().join("moonlock.toml");
    let mount =
        "\n[mounts.real]\nupstream = \"https://bedrock-runtime.{region}.amazonaws.com\"\ndialect = \"aws\"\n";
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(config, text + mount).unwrap();
    let app = TestApp::start_with(home, upstream.address, &[]).await;
    let reply = app
        .ask(post_with("/real/eu-west-1/model/m/converse", CLIENTS_OWN, "{}"))
        .await;
    assert_eq!(reply.head.status(), 403);
    assert_eq!(reply.head.get("x-moonlock-error"), Some("aws_signature"));
    let said: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
    let said = said["message"].as_str().unwrap();
    for hint in ["AWS_BEARER_TOKEN_BEDROCK", "sign = \"aws\"", "[mounts.real]"] {
        assert!(said.contains(hint), "{said}");
    }
    assert!(app.rows().await.is_empty(), "nothing was used");
}
