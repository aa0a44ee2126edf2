//! The dashboard's files, embedded in the program.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use rust_embed::Embed;

use super::cached::tagged;

/// The built dashboard, or a page that says how to get it where it was not built.
#[derive(Embed)]
#[folder = "$MOONLOCK_DASHBOARD_DIR"]
struct Files;

/// Whether the dashboard was built into this program.
pub const BUILT: bool = matches!(env!("MOONLOCK_DASHBOARD").as_bytes(), b"built");

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

fn file_response(path: &str, file: rust_embed::EmbeddedFile, headers: &HeaderMap) -> Response {
    // Files under assets/ carry a hash of their content in their name.
    let cache = if path.starts_with("assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let kind = HeaderValue::from_str(file.metadata.mimetype())
        .unwrap_or(HeaderValue::from_static("application/octet-stream"));
    let mut response = tagged(headers, &file.metadata.sha256_hash(), || {
        Response::new(Body::from(file.data))
    });
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    response
}
