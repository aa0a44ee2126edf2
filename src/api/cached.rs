//! Files that do not change while the program runs: whoever has one is told so.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// Gives a file its ETag, or says that the reader has it already (RFC 9110 §13.1.2). The tag is weak: compressed and
/// not, it is the same file.
pub(super) fn tagged(asked: &HeaderMap, hash: &[u8], file: impl FnOnce() -> Response) -> Response {
    let short = hash.iter().take(12);
    let tag: String = short.map(|byte| format!("{byte:02x}")).collect();
    let tag = format!("W/\"{tag}\"");
    let mut response = if knows(asked, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        file()
    };
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

fn knows(asked: &HeaderMap, tag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let known = asked.get_all(header::IF_NONE_MATCH).iter();
    known
        .filter_map(|known| known.to_str().ok())
        .flat_map(|known| known.split(','))
        .any(|known| known.trim() == "*" || opaque(known) == opaque(tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_it_is_told_so() {
        let ask = |known: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_NONE_MATCH, known.parse().unwrap());
            tagged(&headers, &[0xab; 32], || "file".into_response())
        };
        let tag = "W/\"abababababababababababab\"";
        for known in [
            tag,
            "\"abababababababababababab\"",
            "*",
            "\"x\", W/\"abababababababababababab\"",
        ] {
            let response = ask(known);
            assert_eq!(response.status(), StatusCode::NOT_MODIFIED, "{known}");
            assert_eq!(response.headers()[header::ETAG], tag);
        }
        assert_eq!(ask("\"x\"").status(), StatusCode::OK);
        let response = tagged(&HeaderMap::new(), &[0xab; 32], || "file".into_response());
        assert_eq!(response.headers()[header::ETAG], tag);
    }
}
