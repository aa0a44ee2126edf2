use std::convert::Infallible;
use std::sync::Arc;

use http_body_util::{Full, StreamBody};

use super::*;
use crate::config::{Dialect, Flags, Settings};
use crate::domain::operation::Operation;

/// The mounts with `sign` on `signing`, which is Bedrock by another name.
fn route(path: &str) -> Route {
    let file = tempfile::NamedTempFile::new().unwrap();
    let text = "[mounts.signing]\nupstream = \"https://bedrock-runtime.{region}.amazonaws.com\"\n\
                dialect = \"aws\"\nsign = \"aws\"";
    std::fs::write(file.path(), text).unwrap();
    let flags = Flags {
        config: Some(file.path().to_owned()),
        ..Flags::default()
    };
    let settings = Settings::load(&Environment::from_pairs([("DB_PATH", "x")]), &flags).unwrap();
    let uri = path.parse().unwrap();
    super::super::route::find(&settings.mounts, &http::Method::POST, &uri, Operation::detect).unwrap()
}

fn request<'h>(path: &str, fields: impl IntoIterator<Item = (&'h str, &'h str)>) -> Request<()> {
    let request = fields
        .into_iter()
        .fold(Request::post(path), |request, (name, value)| {
            request.header(name, value)
        });
    request.body(()).unwrap()
}

const HERE: (&str, &str) = ("host", "127.0.0.1:3002");
const SIGNED: (&str, &str) = (
    "authorization",
    "AWS4-HMAC-SHA256 Credential=AK/20260101/us-east-1/bedrock/aws4_request, SignedHeaders=host, Signature=0",
);
const BEARER: (&str, &str) = ("authorization", "Bearer key");

#[test]
fn only_a_signature_that_aws_would_refuse_is_refused() {
    let plain = "/bedrock/us-east-1/model/m/converse";
    let signing = "/signing/us-east-1/model/m/converse";
    let presigned = "/bedrock/us-east-1/model/m/converse?X-Amz-Signature=0";
    let theirs = ("host", "bedrock-runtime.us-east-1.amazonaws.com");
    for (path, fields, expected) in [
        (plain, vec![HERE, BEARER], "pass"),
        (plain, vec![HERE], "pass"),
        (plain, vec![HERE, SIGNED], "aws_signature"),
        (plain, vec![theirs, SIGNED], "pass"),
        (presigned, vec![HERE], "aws_signature"),
        ("/openai/v1/chat/completions", vec![HERE, SIGNED], "pass"),
        (signing, vec![HERE, SIGNED], "sign"),
        (signing, vec![("host", "localhost"), SIGNED], "sign"),
        (signing, vec![("host", "[::1]:3002")], "sign"),
        (signing, vec![HERE, BEARER], "pass"),
        (
            signing,
            vec![("host", "evil.example:3002"), SIGNED],
            "not_signed_for_pages",
        ),
        (
            signing,
            vec![HERE, ("origin", "https://evil.example")],
            "not_signed_for_pages",
        ),
        (
            "/signing/us-east-1/model/m/invoke-with-bidirectional-stream",
            vec![HERE, SIGNED],
            "unsignable",
        ),
    ] {
        let route = route(path);
        let found = match judge(&request(path, fields.iter().copied()), &route) {
            Verdict::Pass => "pass",
            Verdict::Sign(_) => "sign",
            Verdict::Refuse(error) => error.kind,
        };
        assert_eq!(found, expected, "{path} {fields:?}");
    }
}

#[test]
fn a_refusal_says_what_to_do_as_aws_would() {
    let path = "/bedrock/us-east-1/model/m/converse";
    let route = route(path);
    let Verdict::Refuse(error) = judge(&request(path, [HERE, SIGNED]), &route) else {
        panic!("a broken signature passed");
    };
    let response = error.response(route.mount.dialect);
    assert_eq!(route.mount.dialect, Dialect::Aws);
    assert_eq!(response.status(), 403);
    assert_eq!(response.headers()["x-amzn-errortype"], "AccessDeniedException");
    assert_eq!(response.headers()["x-moonlock-error"], "aws_signature");
}

#[test]
fn a_signature_in_the_query_is_taken_off() {
    for (query, expected) in [
        ("", "/a%3A1"),
        ("?X-Amz-Date=1&X-Amz-Signature=0", "/a%3A1"),
        (
            "?x=%2F&X-Amz-Credential=a&y&X-Amz-SignedHeaders=host",
            "/a%3A1?x=%2F&y",
        ),
    ] {
        let (mut head, ()) =
            request(&format!("https://h/a%3A1{query}"), [SIGNED, ("x-amz-date", "1")]).into_parts();
        strip_signature(&mut head);
        assert_eq!(head.uri.to_string(), format!("https://h{expected}"));
        assert!(head.headers.is_empty());
    }
}

#[test]
fn the_host_is_signed_as_it_is_asked_for() {
    for (uri, expected) in [
        ("https://h.com/", "h.com"),
        ("https://h.com:443/", "h.com"),
        ("https://h.com:8443/", "h.com:8443"),
        ("http://127.0.0.1:443/", "127.0.0.1:443"),
        ("http://h:80/", "h"),
    ] {
        assert_eq!(host(&uri.parse().unwrap()), expected);
    }
}

#[tokio::test]
async fn a_request_is_held_up_to_a_bound() {
    let piece = Bytes::from(vec![b'x'; 1 << 20]);
    let frames = |count: usize| {
        let frames = std::iter::repeat_n(piece.clone(), count)
            .map(|piece| Ok::<_, Infallible>(http_body::Frame::data(piece)));
        StreamBody::new(futures_util::stream::iter(frames.collect::<Vec<_>>()))
    };
    assert_eq!(whole(frames(25)).await.unwrap().len(), MOST_HELD);
    let Err(Unsigned::Refused(error)) = whole(frames(26)).await else {
        panic!("26 MiB were held");
    };
    assert_eq!(error.response(Dialect::Aws).status(), 413);
}

#[tokio::test]
async fn without_credentials_a_request_is_not_sent() {
    let signer = AwsSigner::new(Environment::from_pairs([("HOME", "/nowhere")]));
    let route = route("/signing/us-east-1/model/m/converse");
    let signing = Arc::clone(&route.mount).signing.clone().unwrap();
    let body = Full::new(Bytes::from_static(b"{}"));
    let request = Request::post(route.uri.clone()).body(body).unwrap();
    let Err(Unsigned::Refused(error)) = signer.sign(request, &route, &signing, Timestamp(0)).await else {
        panic!("it was signed with nothing");
    };
    assert_eq!(error.kind, "no_aws_credentials");
}
