//! The page that asks for the token, where there is one, and gives the browser a cookie for it.

use axum::extract::{Form, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{MethodRouter, get};
use serde::Deserialize;

use crate::config::{Access, Scheme};

/// Where the page is.
pub(super) const PATH: &str = "/sign-in";
/// The cookie's name.
pub(super) const COOKIE: &str = "moonlock";

/// What was said so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Nothing,
    Wrong,
}

#[derive(Deserialize)]
struct Given {
    token: String,
}

/// The page, and what its form is sent to.
pub(super) fn route<S>(access: Access) -> MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    get(|| async { page(Said::Nothing) })
        .post(enter)
        .with_state(access)
}

async fn enter(State(access): State<Access>, Form(given): Form<Given>) -> Response {
    let Some(token) = access.token() else {
        return Redirect::to("/").into_response();
    };
    if !token.is(given.token.trim()) {
        return page(Said::Wrong);
    }
    // No script can read it, and no other site sends it. A year.
    let secure = match access.scheme() {
        Scheme::Https => "; Secure",
        Scheme::Http => "",
    };
    let cookie = format!(
        "{COOKIE}={}; Path=/; HttpOnly; SameSite=Strict; Max-Age=31536000{secure}",
        token.pass()
    );
    let mut response = Redirect::to("/").into_response();
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

/// Asks for the token.
pub(super) fn page(said: Said) -> Response {
    let alert = match said {
        Said::Nothing => "",
        Said::Wrong => "<p role=\"alert\">That is not the token.</p>",
    };
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Moonlock: sign in</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\">\
         <main><h1>Moonlock</h1>{alert}<form method=\"post\" action=\"{PATH}\">\
         <p><label>The token (<code>MOONLOCK_TOKEN</code>)<br>\
         <input type=\"password\" name=\"token\" autocomplete=\"current-password\" required autofocus></label></p>\
         <p><button>Sign in</button></p></form></main></html>"
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        ),
    ];
    (StatusCode::UNAUTHORIZED, headers, page).into_response()
}
