//! Keeps other sites out: a page in the user's browser must not read or change anything here.
//!
//! `Host` must name this machine, else a site could point its own name here (DNS rebinding). `Origin`, which browsers
//! send with everything that changes something and with WebSockets, must be this page's own. No CORS header is ever
//! sent, and a body must say that it is JSON, which a form of another site cannot.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::error::ApiError;

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

pub(super) async fn check(request: Request, next: Next) -> Response {
    let mut response = match refusal(request.method(), request.uri().path(), request.headers()) {
        Some(why) => ApiError::forbidden(why).into_response(),
        None => next.run(request).await,
    };
    for (name, value) in HEADERS {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Why a request is not answered, if it is not.
fn refusal(method: &Method, path: &str, headers: &HeaderMap) -> Option<String> {
    let text = |name: &HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or(""));
    let host = text(&header::HOST).unwrap_or("");
    if !names_this_machine(host) {
        return Some(format!(
            "`Host: {host}` is not this machine; open http://127.0.0.1 or http://localhost"
        ));
    }
    if let Some(origin) = text(&header::ORIGIN)
        && origin.strip_prefix("http://") != Some(host)
    {
        return Some(format!("`Origin: {origin}` is another site"));
    }
    let from_elsewhere = headers
        .get("sec-fetch-site")
        .is_some_and(|site| site.as_bytes() != b"same-origin" && site.as_bytes() != b"none");
    let is_page = method == Method::GET && !path.starts_with("/api/") && path != "/metrics";
    let navigates = headers
        .get("sec-fetch-mode")
        .is_some_and(|mode| mode.as_bytes() == b"navigate");
    if from_elsewhere && !(is_page && navigates) {
        return Some("it was sent by another site".to_owned());
    }
    None
}

/// Whether a `Host` is a loopback name, with any port (a tunnel may use another one).
fn names_this_machine(host: &str) -> bool {
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((name, port)) if port.is_empty() || is_port(port) => name,
        Some(_) => return false,
        None => match host.find(':') {
            Some(at) => {
                let (name, port) = host.split_at(at);
                if !is_port(port) {
                    return false;
                }
                name
            }
            None => host,
        },
    };
    name.eq_ignore_ascii_case("localhost")
        || name
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

fn is_port(text: &str) -> bool {
    text.strip_prefix(':')
        .is_some_and(|digits| digits.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(method: &Method, path: &str, pairs: &[(&str, &str)]) -> bool {
        let headers = pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_str(value).unwrap()))
            .collect();
        refusal(method, path, &headers).is_some()
    }

    #[test]
    fn only_names_of_this_machine_are_answered() {
        for host in [
            "127.0.0.1:3001",
            "localhost:3001",
            "LOCALHOST",
            "[::1]:3001",
            "127.0.0.2",
            "localhost:9",
        ] {
            assert!(!refused(&Method::GET, "/", &[("host", host)]), "{host}");
        }
        for host in [
            "",
            "evil.com",
            "evil.com:3001",
            "127.0.0.1.evil.com",
            "localhost.evil.com",
            "[::1]x",
            "127.0.0.1:x",
            "10.0.0.1",
        ] {
            assert!(refused(&Method::GET, "/", &[("host", host)]), "{host}");
        }
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
}
