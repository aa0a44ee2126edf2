//! The dashboard's files, embedded in the program.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use rust_embed::{Embed, EmbeddedFile};

use super::cached::tagged;

/// The built dashboard, or a page that says how to get it where it was not built.
#[derive(Embed)]
#[folder = "$MOONLOCK_DASHBOARD_DIR"]
struct Files;

/// Whether the dashboard was built into this program.
pub const BUILT: bool = matches!(env!("MOONLOCK_DASHBOARD").as_bytes(), b"built");

/// How a file may lie beside itself, made when the dashboard was built: the coding's name and its file's ending, the
/// smallest first.
const CODINGS: [(&str, &str); 2] = [("br", "br"), ("gzip", "gz")];

pub(super) async fn get(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    if method != Method::GET && method != Method::HEAD {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let path = uri.path().trim_start_matches('/');
    match Files::get(path) {
        Some(file) if !path.is_empty() => file_response(path, file, &headers),
        // A page's own address (`/sessions`) is the application's to interpret; a missing file is missing.
        _ if !path.rsplit('/').next().unwrap_or(path).contains('.') => match Files::get("index.html") {
            Some(page) => file_response("index.html", page, &headers),
            None => StatusCode::NOT_FOUND.into_response(),
        },
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

fn file_response(path: &str, file: EmbeddedFile, headers: &HeaderMap) -> Response {
    // Files under assets/ carry a hash of their content in their name.
    let cache = if path.starts_with("assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let kind = HeaderValue::from_str(file.metadata.mimetype())
        .unwrap_or(HeaderValue::from_static("application/octet-stream"));
    let mut response = tagged(headers, &file.metadata.sha256_hash(), || {
        match smallest(path, headers) {
            Some((coding, small)) => {
                let coding = [(header::CONTENT_ENCODING, HeaderValue::from_static(coding))];
                (coding, Body::from(small.data)).into_response()
            }
            None => Response::new(Body::from(file.data)),
        }
    });
    let said = response.headers_mut();
    said.insert(header::CONTENT_TYPE, kind);
    said.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    said.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    response
}

/// The file as its reader takes it, smaller than it is.
fn smallest(path: &str, headers: &HeaderMap) -> Option<(&'static str, EmbeddedFile)> {
    let mut accepted = CODINGS.iter().filter(|(coding, _)| accepts(headers, coding));
    accepted.find_map(|(coding, ending)| Some((*coding, Files::get(&format!("{path}.{ending}"))?)))
}

/// Whether the reader names this coding without refusing it (RFC 9110 §12.5.3). `*` is not taken for it: who asks that
/// openly gets the file as it is.
fn accepts(headers: &HeaderMap, coding: &str) -> bool {
    let named = headers.get_all(header::ACCEPT_ENCODING).iter();
    named
        .filter_map(|named| named.to_str().ok())
        .flat_map(|named| named.split(','))
        .any(|named| {
            let mut parts = named.split(';').map(str::trim);
            let is_named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(coding));
            is_named && !parts.any(is_refusal)
        })
}

/// `q=0`, with as many zeros as its writer liked.
fn is_refusal(parameter: &str) -> bool {
    let Some((name, weight)) = parameter.split_once('=') else {
        return false;
    };
    name.trim().eq_ignore_ascii_case("q") && weight.trim().parse::<f32>().is_ok_and(|weight| weight <= 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coding_is_taken_where_the_reader_names_it() {
        for (named, brotli, gzip) in [
            ("gzip, deflate, br, zstd", true, true),
            ("gzip", false, true),
            ("GZIP;q=0.5,br; q=1.0", true, true),
            ("br;q=0, gzip;q=0.000", false, false),
            ("x-gzip, brotli", false, false),
            ("*", false, false),
            ("", false, false),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, named.parse().unwrap())]);
            assert_eq!(accepts(&headers, "br"), brotli, "{named}");
            assert_eq!(accepts(&headers, "gzip"), gzip, "{named}");
        }
        assert!(!accepts(&HeaderMap::new(), "gzip"));
    }

    /// Holds for a program with the dashboard and for one without.
    #[tokio::test]
    async fn a_file_is_the_same_however_it_comes() {
        let ask = async |coding: &str| {
            let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, coding.parse().unwrap())]);
            get(Method::GET, Uri::from_static("/"), headers).await
        };
        let plain = ask("identity").await;
        assert!(!plain.headers().contains_key(header::CONTENT_ENCODING));
        for (coding, ending) in CODINGS {
            let small = ask(coding).await;
            let has_it = Files::get(&format!("index.html.{ending}")).is_some();
            assert_eq!(has_it, BUILT, "{coding}");
            assert_eq!(
                small.headers().get(header::CONTENT_ENCODING).is_some(),
                has_it,
                "{coding}"
            );
            for name in [
                header::ETAG,
                header::CONTENT_TYPE,
                header::CACHE_CONTROL,
                header::VARY,
            ] {
                assert_eq!(small.headers()[&name], plain.headers()[&name], "{coding}");
            }
        }
    }
}
