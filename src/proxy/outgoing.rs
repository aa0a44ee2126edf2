//! What Moonlock itself sends out: the same way to the outside as calls have, with the same certificates and proxies.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, header};
use http_body_util::Full;
use hyper_util::client::legacy::Client;

use super::upstream::{Connector, clients, root_cause};

/// Sends what Moonlock has to say. Cheap to clone; nothing is opened before the first request.
#[derive(Clone)]
pub struct Outgoing(Client<Connector, Full<Bytes>>);

impl Default for Outgoing {
    fn default() -> Self {
        Self(clients().calls)
    }
}

impl Outgoing {
    /// Sends a `POST`; the status, and how long the other side asks to wait. Its body is not read, and no redirect is
    /// followed.
    ///
    /// # Errors
    /// A sentence that does not hold the address, which may be a secret.
    pub async fn post(
        &self,
        url: &str,
        kind: &'static str,
        headers: &[(Cow<'static, str>, String)],
        body: Vec<u8>,
    ) -> Result<(u16, Option<Duration>), String> {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(url)
            .header(header::CONTENT_TYPE, kind)
            .header(
                header::USER_AGENT,
                concat!("moonlock/", env!("CARGO_PKG_VERSION")),
            );
        for (name, value) in headers {
            let unusable = || format!("the header `{name}` cannot be sent");
            let mut value = HeaderValue::from_str(value).map_err(|_| unusable())?;
            // It may be a key.
            value.set_sensitive(true);
            let name = HeaderName::try_from(&**name).map_err(|_| unusable())?;
            request = request.header(name, value);
        }
        let request = request
            .body(Full::new(Bytes::from(body)))
            .map_err(|_| "its address is none".to_owned())?;
        let response = self.0.request(request).await;
        let response = response.map_err(|error| format!("cannot be reached: {}", root_cause(&error)))?;
        let wait = response.headers().get(header::RETRY_AFTER);
        let seconds = wait.and_then(|wait| wait.to_str().ok()?.trim().parse().ok());
        Ok((response.status().as_u16(), seconds.map(Duration::from_secs)))
    }
}
