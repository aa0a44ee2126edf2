//! Keeps other sites out: a page in the user's browser must not read or change anything here.
//!
//! `Host` must name this machine, else a site could point its own name here (DNS rebinding). `Origin`, which browsers
//! send with everything that changes something and with WebSockets, must be this page's own. No CORS header is ever
//! sent, and a body must say that it is JSON, which a form of another site cannot. Where there is a token, programs bring
//! it and browsers a cookie, which [`super::sign_in`] gives for it.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::error::ApiError;
use super::sign_in;
use crate::config::{Access, Token};

/// What every answer says to browsers.
const HEADERS: [(HeaderName, &str); 5] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'self'; img-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];

pub(super) async fn check(State(access): State<Access>, request: Request, next: Next) -> Response {
    let (method, path) = (request.method(), request.uri().path());
    let mut response = match refusal(&access, method, path, request.headers()) {
        Some(why) => ApiError::forbidden(why).into_response(),
        None if path == sign_in::PATH || may_enter(access.token(), request.headers()) => {
            next.run(request).await
        }
        None if is_page(method, path) && accepts_pages(request.headers()) => {
            sign_in::page(sign_in::Said::Nothing)
        }
        None => ApiError::no_token().into_response(),
    };
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// Why a request is not answered, if it is not.
fn refusal(access: &Access, method: &Method, path: &str, headers: &HeaderMap) -> Option<String> {
    let text = |name: &HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or(""));
    let host = text(&header::HOST).unwrap_or("");
    if !access.is_host(host) {
        return Some(format!(
            "`Host: {host}` is not this machine; open http://127.0.0.1 or http://localhost"
        ));
    }
    if let Some(origin) = text(&header::ORIGIN)
        && !access.is_own_page(origin, host)
    {
        return Some(format!("`Origin: {origin}` is another site"));
    }
    let from_elsewhere = headers
        .get("sec-fetch-site")
        .is_some_and(|site| site.as_bytes() != b"same-origin" && site.as_bytes() != b"none");
    let navigates = headers
        .get("sec-fetch-mode")
        .is_some_and(|mode| mode.as_bytes() == b"navigate");
    if from_elsewhere && !(is_page(method, path) && navigates) {
        return Some("it was sent by another site".to_owned());
    }
    None
}

/// Whether it asks for a page, not for what pages ask for.
fn is_page(method: &Method, path: &str) -> bool {
    method == Method::GET && !path.starts_with("/api/") && path != "/metrics"
}

fn accepts_pages(headers: &HeaderMap) -> bool {
    let accepted = headers
        .get(header::ACCEPT)
        .and_then(|accepted| accepted.to_str().ok());
    accepted.is_some_and(|accepted| accepted.contains("text/html"))
}

/// Whether a request brings the token, or the cookie that stands for it, where there is one to bring.
fn may_enter(token: Option<&Token>, headers: &HeaderMap) -> bool {
    let Some(token) = token else { return true };
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let bearer = text(&header::AUTHORIZATION).and_then(|value| value.split_once(' '));
    if let Some((scheme, said)) = bearer {
        return scheme.eq_ignore_ascii_case("bearer") && token.is(said.trim());
    }
    let mut cookies = headers
        .get_all(header::COOKIE)
        .into_iter()
        .filter_map(|cookies| cookies.to_str().ok())
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='));
    cookies.any(|(name, said)| name == sign_in::COOKIE && token.is_pass(said))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(method: &Method, path: &str, pairs: &[(&str, &str)]) -> bool {
        let headers = pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_str(value).unwrap()))
            .collect();
        refusal(&Access::default(), method, path, &headers).is_some()
    }

    #[test]
    fn another_site_can_neither_read_nor_change_nor_listen() {
        let here = ("host", "127.0.0.1:3001");
        for origin in [
            "http://evil.com",
            "null",
            "http://127.0.0.1:9999",
            "https://127.0.0.1:3001",
            "http://localhost:3001",
        ] {
            assert!(
                refused(&Method::POST, "/api/sessions", &[here, ("origin", origin)]),
                "{origin}"
            );
            assert!(
                refused(&Method::GET, "/ws", &[here, ("origin", origin)]),
                "{origin}"
            );
        }
        assert!(!refused(
            &Method::POST,
            "/api/sessions",
            &[here, ("origin", "http://127.0.0.1:3001")]
        ));
        assert!(!refused(&Method::POST, "/api/sessions", &[here]), "no browser");
        assert!(refused(
            &Method::GET,
            "/api/live",
            &[here, ("sec-fetch-site", "cross-site")]
        ));
        assert!(refused(
            &Method::GET,
            "/metrics",
            &[
                here,
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-mode", "navigate")
            ]
        ));
        assert!(refused(
            &Method::GET,
            "/favicon.svg",
            &[
                here,
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-mode", "no-cors")
            ]
        ));
        assert!(
            !refused(
                &Method::GET,
                "/",
                &[
                    here,
                    ("sec-fetch-site", "cross-site"),
                    ("sec-fetch-mode", "navigate")
                ]
            ),
            "a link"
        );
        assert!(!refused(
            &Method::GET,
            "/api/live",
            &[here, ("sec-fetch-site", "same-origin")]
        ));
    }

    #[test]
    fn where_there_is_a_token_only_it_and_its_cookie_open() {
        let token = Token::new("0123456789abcdef").unwrap();
        let cookie = format!("theme=dark; moonlock={}", token.pass());
        let as_cookie = "moonlock=0123456789abcdef";
        let enters = |fields: &[(&str, &str)]| {
            let headers = fields
                .iter()
                .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_str(value).unwrap()))
                .collect();
            may_enter(Some(&token), &headers)
        };
        assert!(enters(&[("authorization", "Bearer 0123456789abcdef")]));
        assert!(enters(&[("authorization", "bearer 0123456789abcdef")]));
        assert!(enters(&[("cookie", &cookie)]));
        for fields in [
            &[][..],
            &[("authorization", "Bearer 0123456789abcdeX")],
            &[("authorization", "Basic 0123456789abcdef")],
            &[("authorization", "Bearer wrong"), ("cookie", &cookie)],
            &[("cookie", as_cookie)],
            &[("cookie", "moonlock=")],
        ] {
            assert!(!enters(fields), "{fields:?}");
        }
        assert!(may_enter(None, &HeaderMap::new()), "none is asked for");
    }

    #[test]
    fn with_a_token_any_name_will_do_but_no_other_site() {
        let token = Token::new("0123456789abcdef").unwrap();
        let access = Access::new(Some(token));
        let refused = |origin: &str| {
            let headers = [
                (header::HOST, HeaderValue::from_static("box.lan:3001")),
                (header::ORIGIN, HeaderValue::from_str(origin).unwrap()),
            ];
            refusal(
                &access,
                &Method::POST,
                "/api/sessions",
                &headers.into_iter().collect(),
            )
            .is_some()
        };
        assert!(!refused("http://box.lan:3001") && !refused("https://box.lan:3001"));
        assert!(refused("http://evil.com") && refused("http://box.lan:9") && refused("null"));
    }
}
