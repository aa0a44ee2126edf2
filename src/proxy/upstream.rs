//! The client side: a pool of connections to the providers.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tower_service::Service;

/// How long a connection may take to come about. There is no other time limit: a reply may think for long.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// How long an idle connection is kept.
const IDLE: Duration = Duration::from_secs(90);

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Connecting<T> = Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send>>;

/// The clients.
pub(super) struct Clients<B> {
    /// For calls: HTTP/1.1, or HTTP/2 where the provider offers it.
    pub(super) calls: Client<Connector, B>,
    /// For what leaves HTTP: an upgrade exists in HTTP/1.1 only, so nothing else is offered (RFC 9113 §8.6).
    pub(super) upgrades: Client<Connector, B>,
}

/// Makes the clients.
pub(super) fn clients<B>() -> Clients<B>
where
    B: http_body::Body + Send,
    B::Data: Send,
{
    let trust = Arc::default();
    let mut builder = Client::builder(TokioExecutor::new());
    builder
        .pool_timer(TokioTimer::new())
        .timer(TokioTimer::new())
        .pool_idle_timeout(IDLE)
        .http2_adaptive_window(true);
    let calls = builder.build(Connector::new(Arc::clone(&trust), Offer::Http2));
    // A connection that is upgraded does not come back, and one that the provider has just closed must not be tried.
    let upgrades = builder
        .pool_max_idle_per_host(0)
        .build(Connector::new(trust, Offer::Http1Only));
    Clients { calls, upgrades }
}

/// Connects to a server as calls do, TLS included, and sends nothing.
///
/// # Errors
/// Why it cannot be reached, for a person.
pub async fn reach(url: &str) -> Result<(), String> {
    let uri: Uri = url.parse().map_err(|error| format!("{error}"))?;
    let mut connector = Connector::new(Arc::default(), Offer::Http2);
    match connector.call(uri).await {
        Ok(_) => Ok(()),
        Err(error) => Err(root_cause(&*error)),
    }
}

/// What is offered in a TLS handshake (ALPN).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Offer {
    Http1Only,
    /// HTTP/2, and HTTP/1.1 where the provider does not have it.
    Http2,
}

/// The settings of TLS, made once at the first call that needs them.
type Trust = Arc<OnceLock<Result<rustls::ClientConfig, String>>>;

/// Connects in the clear, or over TLS; through the proxy of `HTTPS_PROXY` where `NO_PROXY` does not say otherwise.
#[derive(Clone)]
pub(super) struct Connector {
    plain: HttpConnector,
    offer: Offer,
    trust: Trust,
    /// Made at the first call over TLS: reading the system's certificates takes longer than starting does.
    tls: Arc<OnceLock<Result<HttpsConnector<Tunnelled>, String>>>,
}

impl Connector {
    fn new(trust: Trust, offer: Offer) -> Self {
        let mut plain = HttpConnector::new();
        plain.set_connect_timeout(Some(CONNECT_TIMEOUT));
        plain.set_nodelay(true);
        plain.set_keepalive(Some(Duration::from_secs(60)));
        plain.enforce_http(false);
        Self {
            plain,
            offer,
            trust,
            tls: Arc::default(),
        }
    }
}

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = BoxError;
    type Future = Connecting<Self::Response>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        if uri.scheme() == Some(&http::uri::Scheme::HTTP) {
            let connecting = self.plain.call(uri);
            return Box::pin(async move { Ok(MaybeHttpsStream::Http(connecting.await?)) });
        }
        let tls = Arc::clone(&self.tls);
        let (plain, offer, trust) = (self.plain.clone(), self.offer, Arc::clone(&self.trust));
        Box::pin(async move {
            let connector = tls.get_or_init(|| tls_connector(plain, offer, &trust)).clone();
            connector.map_err(io::Error::other)?.call(uri).await
        })
    }
}

fn tls_connector(
    plain: HttpConnector,
    offer: Offer,
    trust: &Trust,
) -> Result<HttpsConnector<Tunnelled>, String> {
    let tls = trust.get_or_init(tls_settings).clone()?;
    let proxies = Arc::new(Matcher::from_env());
    let builder = HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_only()
        .enable_http1();
    let tunnelled = Tunnelled { plain, proxies };
    Ok(match offer {
        Offer::Http1Only => builder.wrap_connector(tunnelled),
        Offer::Http2 => builder.enable_http2().wrap_connector(tunnelled),
    })
}

fn tls_settings() -> Result<rustls::ClientConfig, String> {
    // Reads SSL_CERT_FILE and SSL_CERT_DIR where they are set, and the system's certificates otherwise.
    let found = rustls_native_certs::load_native_certs();
    let mut roots = rustls::RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        let cause = found.errors.first().map(ToString::to_string).unwrap_or_default();
        return Err(format!(
            "no root certificates were found (install the system's ca-certificates, or set SSL_CERT_FILE) {cause}"
        ));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

/// Connects to a host over TLS directly, or through a proxy's tunnel.
#[derive(Clone)]
struct Tunnelled {
    plain: HttpConnector,
    proxies: Arc<Matcher>,
}

impl Service<Uri> for Tunnelled {
    type Response = TokioIo<TcpStream>;
    type Error = BoxError;
    type Future = Connecting<Self::Response>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let Some(proxy) = self.proxies.intercept(&uri) else {
            let connecting = self.plain.call(uri);
            return Box::pin(async move { Ok(connecting.await?) });
        };
        if proxy.uri().scheme() != Some(&http::uri::Scheme::HTTP) {
            let scheme = proxy.uri().scheme_str().unwrap_or_default().to_owned();
            return Box::pin(async move {
                Err(format!(
                    "HTTPS_PROXY is spoken to over {scheme}://, but only http:// proxies are supported"
                )
                .into())
            });
        }
        let mut tunnel = Tunnel::new(proxy.uri().clone(), self.plain.clone());
        if let Some(auth) = proxy.basic_auth() {
            tunnel = tunnel.with_auth(auth.clone());
        }
        let connecting = tunnel.call(uri);
        Box::pin(async move { Ok(connecting.await?) })
    }
}

/// Whether a request failed because its own body broke off: its client is gone, the provider is not to blame.
pub(super) fn was_cut_off(error: &hyper_util::client::legacy::Error) -> bool {
    use std::error::Error;
    error
        .source()
        .and_then(|cause| cause.downcast_ref::<hyper::Error>())
        .is_some_and(hyper::Error::is_user)
}

/// The innermost cause of an error: what a person can act on.
pub(super) fn root_cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
