//! The user's own certificate: serving with it, and with the next one as soon as that stands in its place.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use super::tls::{TlsError, chain, provider};

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// What is offered in a handshake (ALPN).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// HTTP/1.1 alone: browsers open WebSockets on it.
    Http1,
    /// HTTP/2 as well.
    Http2,
}

/// A certificate and its key, as they stand in their files. Clones are the same one.
#[derive(Clone, Debug)]
pub struct Certificate(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    certificate: PathBuf,
    key: PathBuf,
    /// What the files looked like when they were read first.
    first: Look,
    in_use: RwLock<Arc<CertifiedKey>>,
    /// Why what stands in the files now cannot be used.
    trouble: watch::Sender<Option<String>>,
}

/// By what a file is seen to have changed: when it was written and how long it is; `None` if it cannot be looked at.
type Look = [Option<(SystemTime, u64)>; 2];

fn look(files: [&Path; 2]) -> Look {
    files.map(|file| {
        let about = std::fs::metadata(file).ok()?;
        Some((about.modified().ok()?, about.len()))
    })
}

impl Certificate {
    /// Reads both files.
    ///
    /// # Errors
    /// What cannot be used, and which setting names it.
    pub fn read(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        // Before they are read: what is written meanwhile is seen later.
        let first = look([certificate, key]);
        Ok(Self(Arc::new(Shared {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            first,
            in_use: RwLock::new(Arc::new(pair(certificate, key)?)),
            trouble: watch::Sender::default(),
        })))
    }

    /// Serves with it.
    #[must_use]
    pub fn acceptor(&self, offer: Offer) -> TlsAcceptor {
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .expect("ring has what the versions need")
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(self.clone()));
        config.alpn_protocols = match offer {
            Offer::Http1 => vec![b"http/1.1".to_vec()],
            Offer::Http2 => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        };
        TlsAcceptor::from(Arc::new(config))
    }

    /// Why what stands in the files now is not what is served with; `None` where it is.
    #[must_use]
    pub fn trouble(&self) -> watch::Receiver<Option<String>> {
        self.0.trouble.subscribe()
    }

    /// Serves with what stands in the files from when they have changed. Connections that are there stay as they are; a pair
    /// that cannot be used is told of and changes nothing.
    pub async fn follow(self) {
        let mut following = Following {
            seen: self.0.first,
            is_new: false,
            certificate: self,
        };
        loop {
            tokio::time::sleep(LOOK).await;
            // A file may lie on a disk that does not answer.
            following = match tokio::task::spawn_blocking(move || following.look()).await {
                Ok(following) => following,
                Err(error) => {
                    return tracing::error!(%error, "the certificate's files are not looked at any more");
                }
            };
        }
    }

    fn renew(&self) {
        let Shared {
            certificate,
            key,
            in_use,
            trouble,
            ..
        } = &*self.0;
        match pair(certificate, key) {
            Ok(pair) => {
                *in_use.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(pair);
                trouble.send_replace(None);
                tracing::info!(path = %certificate.display(), "new connections get the certificate that stands here now");
            }
            Err(error) => {
                tracing::warn!(%error, "the certificate's files have changed and cannot be used: the one from before still is");
                trouble.send_replace(Some(error.to_string()));
            }
        }
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let in_use = self.0.in_use.read().unwrap_or_else(PoisonError::into_inner);
        Some(Arc::clone(&in_use))
    }
}

/// A certificate whose files are looked at again and again.
struct Following {
    certificate: Certificate,
    seen: Look,
    /// The last look showed something else than the one before.
    is_new: bool,
}

impl Following {
    /// Takes what has changed once it stays as it is: a file may be half written, or there without the other.
    fn look(mut self) -> Self {
        let now = look([&self.certificate.0.certificate, &self.certificate.0.key]);
        let was_new = std::mem::replace(&mut self.is_new, now != self.seen);
        self.seen = now;
        if was_new && !self.is_new {
            self.certificate.renew();
        }
        self
    }
}

/// What stands in both files, if it belongs together.
fn pair(certificate: &Path, key: &Path) -> Result<CertifiedKey, TlsError> {
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|source| TlsError::Unreadable {
        name: "server.tls_key",
        what: "private key",
        path: key.to_owned(),
        source,
    })?;
    warn_if_others_can_read(key);
    let chain = chain(certificate)?;
    CertifiedKey::from_der(chain, secret, &provider()).map_err(|source| TlsError::Unusable {
        certificate: certificate.to_owned(),
        key: key.to_owned(),
        source,
    })
}

#[cfg(unix)]
fn warn_if_others_can_read(key: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let others = 0o077;
    if std::fs::metadata(key).is_ok_and(|file| file.permissions().mode() & others != 0) {
        let path = key.display();
        tracing::warn!(%path, "other users can read the key of the certificate: chmod 600 keeps them off");
    }
}

#[cfg(not(unix))]
fn warn_if_others_can_read(_: &Path) {}
