//! The running Moonlock, as a command talks to it: over its API on loopback.

use std::net::SocketAddr;
use std::time::Duration;

use http::{HeaderValue, Method, Request, Response, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::{Client as Connector, connect::HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;
use tower_service::Service;

use super::exit::Failure;
use crate::config::connect::percent_encoded;
use crate::config::{Access, Scheme, Settings};
use crate::domain::ids::SessionId;
use crate::domain::session::Status;
use crate::domain::wire::{SessionView, Snapshot};
use crate::listen::tls::{self, TlsError};

/// How long an answer may take until it begins.
const PATIENCE: Duration = Duration::from_secs(10);

/// The largest answer that is taken whole.
const MOST_BYTES: usize = 64 << 20;

/// Why Moonlock gave no answer, or not the one that was hoped for.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClientError {
    /// Its port is not known.
    #[error("the dashboard's port is 0, which takes a free one: say which it took with PORT or --port")]
    NoPort,
    /// Nothing listens.
    #[error(
        "Moonlock is not running at {0}. Start it with `moonlock`, or say where it is with PORT or --port"
    )]
    NotRunning(Place),
    /// It did not answer in time.
    #[error("{0} does not answer: it took longer than {1:?}. If it is Moonlock, its log may say why")]
    Silent(Place, Duration),
    /// Something else listens there.
    #[error(
        "{0} answers, but not as Moonlock does: another program has the port. Say where Moonlock is with PORT or --port"
    )]
    NotMoonlock(Place),
    /// Its answer cannot be read.
    #[error("{place} answered what this version ({}) does not understand ({source}): if Moonlock was updated, restart it", env!("CARGO_PKG_VERSION"))]
    OtherVersion {
        /// Where.
        place: Place,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The connection broke.
    #[error("the connection to {place} broke: {reason}")]
    Broken {
        /// Where.
        place: Place,
        /// Why.
        reason: String,
    },
    /// Its certificate is not known here.
    #[error(transparent)]
    Certificate(#[from] TlsError),
    /// It said no.
    #[error("{}", .0.detail)]
    Refused(Problem),
}

/// Where it listens, and how it is spoken to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) scheme: Scheme,
    pub(super) address: SocketAddr,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}://{}", self.scheme.as_str(), self.address)
    }
}

/// Why it said no (RFC 9457).
#[derive(Debug, Deserialize)]
pub(super) struct Problem {
    /// `urn:moonlock:problem:` and the kind of problem.
    #[serde(default)]
    r#type: String,
    detail: String,
}

impl Problem {
    /// Whether it is of a kind of the API's, such as `completed`.
    pub(super) fn is(&self, kind: &str) -> bool {
        self.r#type.strip_prefix("urn:moonlock:problem:") == Some(kind)
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::NotRunning(_)
            | ClientError::Silent(..)
            | ClientError::NotMoonlock(_)
            | ClientError::Broken { .. } => Self::unavailable(&error),
            ClientError::NoPort | ClientError::Certificate(_) => Self::usage(&error),
            ClientError::OtherVersion { .. } | ClientError::Refused(_) => Self::run(&error),
        }
    }
}

/// What Moonlock says of itself.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Health {
    /// `ok` or `degraded`.
    pub(super) status: String,
    /// Its version.
    pub(super) version: String,
    /// The proxy's base URL.
    pub(super) proxy_url: String,
}

/// A connection to it.
pub(super) type Connection = MaybeHttpsStream<TokioIo<TcpStream>>;

/// What is sent.
type Body = UnsyncBoxBody<Bytes, std::io::Error>;

/// A running Moonlock.
#[derive(Clone, Debug)]
pub(super) struct Client {
    place: Place,
    /// What a Moonlock that asks for a token is shown.
    authorization: Option<HeaderValue>,
    patience: Duration,
    connector: Connector<HttpsConnector<HttpConnector>, Body>,
    connects: HttpsConnector<HttpConnector>,
}

impl Client {
    /// The one that these settings lead to, whether it runs or not.
    pub(super) fn of(settings: &Settings) -> Result<Self, ClientError> {
        if settings.port == 0 {
            return Err(ClientError::NoPort);
        }
        Self::at(SocketAddr::new(settings.host, settings.port), &settings.access)
    }

    /// The one whose dashboard listens there.
    pub(super) fn at(address: SocketAddr, access: &Access) -> Result<Self, ClientError> {
        let authorization = access.token().and_then(|token| {
            let mut value = HeaderValue::from_str(&format!("Bearer {}", token.secret())).ok()?;
            value.set_sensitive(true);
            Some(value)
        });
        let certificate = access.certificate().map(|files| &*files.certificate);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls::trusting(certificate)?)
            .https_or_http()
            .enable_http1()
            .build();
        Ok(Self {
            place: Place {
                scheme: access.scheme(),
                address,
            },
            authorization,
            patience: PATIENCE,
            connector: Connector::builder(TokioExecutor::new()).build(connector.clone()),
            connects: connector,
        })
    }

    /// The same, for someone in a hurry.
    pub(super) fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// What it is shown, where it asks for a token.
    pub(super) const fn authorization(&self) -> Option<&HeaderValue> {
        self.authorization.as_ref()
    }

    /// Where its dashboard listens.
    pub(super) const fn place(&self) -> Place {
        self.place
    }

    /// Connects to it, for what leaves HTTP.
    pub(super) async fn connect(&self) -> Result<TokioIo<Connection>, String> {
        let uri = self.place.to_string().parse::<http::Uri>();
        let uri = uri.map_err(|error| error.to_string())?;
        let connected = self.connects.clone().call(uri).await;
        connected.map(TokioIo::new).map_err(|error| error.to_string())
    }

    /// How it is, which tells that it is Moonlock.
    pub(super) async fn health(&self) -> Result<Health, ClientError> {
        let stranger = |error| match error {
            ClientError::OtherVersion { place, .. } | ClientError::Broken { place, .. } => {
                ClientError::NotMoonlock(place)
            }
            error => error,
        };
        self.get("/api/health").await.map_err(stranger)
    }

    /// Reads a resource.
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        self.exchange(Method::GET, path, Bytes::new()).await
    }

    /// Sends something and reads what comes back.
    pub(super) async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        let body = serde_json::to_vec(body).map_err(|error| self.broken(&error))?;
        self.exchange(method, path, body.into()).await
    }

    async fn exchange<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<T, ClientError> {
        let response = self.open(method, path, body).await?;
        self.read(response).await
    }

    /// Sends something that may be of any size, and reads what comes back: there is no bound on how long that takes.
    pub(super) async fn upload<T: DeserializeOwned>(
        &self,
        path: &str,
        kind: &'static str,
        body: Body,
    ) -> Result<T, ClientError> {
        let mut request = self.request(Method::POST, path, body)?;
        let headers = request.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        let response = self.carry_out(request, Duration::MAX).await?;
        self.read(response).await
    }

    async fn read<T: DeserializeOwned>(&self, response: Response<Incoming>) -> Result<T, ClientError> {
        let kind = response.headers().get(header::CONTENT_TYPE);
        if kind.is_none_or(|kind| kind.as_bytes() != b"application/json") {
            return Err(ClientError::NotMoonlock(self.place));
        }
        let whole = self.whole(response).await?;
        serde_json::from_slice(&whole).map_err(|source| ClientError::OtherVersion {
            place: self.place,
            source,
        })
    }

    /// Asks, and gives the answer once it has begun and is no refusal.
    pub(super) async fn open(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Response<Incoming>, ClientError> {
        let body = Full::new(body).map_err(|never| match never {}).boxed_unsync();
        let request = self.request(method, path, body)?;
        self.carry_out(request, self.patience).await
    }

    fn request(&self, method: Method, path: &str, body: Body) -> Result<Request<Body>, ClientError> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.place))
            .header(header::CONTENT_TYPE, "application/json")
            .body(body)
            .map_err(|error| self.broken(&error))?;
        if let Some(authorization) = &self.authorization {
            let headers = request.headers_mut();
            headers.insert(header::AUTHORIZATION, authorization.clone());
        }
        Ok(request)
    }

    async fn carry_out(
        &self,
        request: Request<Body>,
        patience: Duration,
    ) -> Result<Response<Incoming>, ClientError> {
        let asked = tokio::time::timeout(patience, self.connector.request(request)).await;
        let response = match asked {
            Err(_) => return Err(ClientError::Silent(self.place, patience)),
            Ok(Err(error)) if error.is_connect() => return Err(ClientError::NotRunning(self.place)),
            Ok(Err(error)) => return Err(self.broken(&error)),
            Ok(Ok(response)) => response,
        };
        if response.status().is_success() {
            return Ok(response);
        }
        Err(self.refusal(response).await)
    }

    /// Why it said no, in its own words where it is Moonlock.
    async fn refusal(&self, response: Response<Incoming>) -> ClientError {
        let kind = response.headers().get(header::CONTENT_TYPE);
        if kind.is_none_or(|kind| kind.as_bytes() != b"application/problem+json") {
            return ClientError::NotMoonlock(self.place);
        }
        match self.whole(response).await {
            Ok(whole) => match serde_json::from_slice(&whole) {
                Ok(problem) => ClientError::Refused(problem),
                Err(_) => ClientError::NotMoonlock(self.place),
            },
            Err(error) => error,
        }
    }

    async fn whole(&self, response: Response<Incoming>) -> Result<Bytes, ClientError> {
        let body = Limited::new(response.into_body(), MOST_BYTES);
        let whole = tokio::time::timeout(self.patience, body.collect()).await;
        whole
            .map_err(|_| ClientError::Silent(self.place, self.patience))?
            .map(http_body_util::Collected::to_bytes)
            .map_err(|error| ClientError::Broken {
                place: self.place,
                reason: error.to_string(),
            })
    }

    /// A connection that broke.
    pub(super) fn broken(&self, error: &(dyn std::error::Error + 'static)) -> ClientError {
        let cause = std::iter::successors(Some(error), |error| error.source()).last();
        ClientError::Broken {
            place: self.place,
            reason: cause.map(ToString::to_string).unwrap_or_default(),
        }
    }

    /// All that is live.
    pub(super) async fn live(&self) -> Result<Snapshot, ClientError> {
        self.get("/api/live").await
    }

    /// The session of an id or a name, or, where none is named, the current one.
    pub(super) async fn session(&self, named: Option<&str>) -> Result<SessionView, Failure> {
        match named {
            Some(named) => {
                let found = self.find_session(named).await?;
                found.ok_or_else(|| Failure::run(&format_args!("there is no session `{named}`")))
            }
            None => current(self.live().await?.sessions),
        }
    }

    /// The session of an id or a name: of several with a name the one that has not ended, and of those the newest.
    pub(super) async fn find_session(&self, named: &str) -> Result<Option<SessionView>, ClientError> {
        if let Ok(id) = named.parse::<SessionId>() {
            return match self.get(&format!("/api/sessions/{id}")).await {
                Ok(session) => Ok(Some(session)),
                Err(ClientError::Refused(problem)) if problem.is("not-found") => Ok(None),
                Err(error) => Err(error),
            };
        }
        let mut ended = None;
        for session in self.live().await?.sessions {
            if session.name == named && session.status != Status::Completed {
                return Ok(Some(session));
            }
            if session.name == named && ended.is_none() {
                ended = Some(session);
            }
        }
        if ended.is_some() {
            return Ok(ended);
        }
        self.find_in_history(named).await
    }

    async fn find_in_history(&self, named: &str) -> Result<Option<SessionView>, ClientError> {
        let filter = format!("/api/sessions?limit=1000&search={}", percent_encoded(named));
        let mut path = filter.clone();
        loop {
            let page: SessionsPage = self.get(&path).await?;
            let found = page.sessions.into_iter().find(|session| session.name == named);
            match page.next {
                Some(next) if found.is_none() => {
                    path = format!("{filter}&cursor={next}");
                }
                _ => return Ok(found),
            }
        }
    }
}

/// The session that a command is about which names none: the current one, or the only one that has not ended.
fn current(sessions: Vec<SessionView>) -> Result<SessionView, Failure> {
    let mut open: Vec<SessionView> = sessions
        .into_iter()
        .filter(|session| session.status != Status::Completed)
        .collect();
    if let Some(at) = open.iter().position(|session| session.current) {
        return Ok(open.swap_remove(at));
    }
    match open.len() {
        1 => Ok(open.swap_remove(0)),
        0 => Err(Failure::run(
            &"no session runs. Start one with `moonlock start NAME`, or name one with --session",
        )),
        several => Err(Failure::run(&format_args!(
            "{several} sessions have not ended and none of them is current: name one with --session"
        ))),
    }
}

/// A page of sessions, newest first.
#[derive(Debug, Deserialize)]
pub(super) struct SessionsPage {
    /// The sessions.
    pub(super) sessions: Vec<SessionView>,
    /// The cursor of the next page.
    pub(super) next: Option<String>,
}
