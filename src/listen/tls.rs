//! The user's own certificate: serving with it, and knowing it again.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, ServerConfig, SignatureScheme};
use tokio_rustls::TlsAcceptor;

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or is no PEM.
    #[error("{name}: {} holds no {what} in PEM: {source}", .path.display())]
    Unreadable {
        /// The setting.
        name: &'static str,
        /// What should stand in it.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: pem::Error,
    },
    /// The two do not belong together, or are of a kind that is not known.
    #[error(
        "the certificate {} and the key {} cannot be used together: {source}. Set server.tls_cert and server.tls_key to files that were made together",
        .certificate.display(), .key.display()
    )]
    Unusable {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's.
        key: PathBuf,
        /// Why.
        source: rustls::Error,
    },
}

/// What is offered in a handshake (ALPN).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// HTTP/1.1 alone: browsers open WebSockets on it.
    Http1,
    /// HTTP/2 as well.
    Http2,
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let unreadable = |source| TlsError::Unreadable {
        name: "server.tls_cert",
        what: "certificate",
        path: path.to_owned(),
        source,
    };
    let chain: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path).map_err(unreadable)?.collect();
    match chain.map_err(unreadable)? {
        chain if chain.is_empty() => Err(unreadable(pem::Error::NoItemsFound)),
        chain => Ok(chain),
    }
}

/// Serves with a certificate. The files are read once: a new one holds from the next start on.
///
/// # Errors
/// What cannot be used, and which setting names it.
pub fn acceptor(certificate: &Path, key: &Path, offer: Offer) -> Result<TlsAcceptor, TlsError> {
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|source| TlsError::Unreadable {
        name: "server.tls_key",
        what: "private key",
        path: key.to_owned(),
        source,
    })?;
    warn_if_others_can_read(key);
    let chain = chain(certificate)?;
    let unusable = |source| TlsError::Unusable {
        certificate: certificate.to_owned(),
        key: key.to_owned(),
        source,
    };
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .with_no_client_auth()
        .with_single_cert(chain, secret)
        .map_err(unusable)?;
    config.alpn_protocols = match offer {
        Offer::Http1 => vec![b"http/1.1".to_vec()],
        Offer::Http2 => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
    };
    Ok(TlsAcceptor::from(Arc::new(config)))
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

/// Trusts that certificate and no other, by whatever name it is asked for: for Moonlock's own commands, which have the same
/// file. Without one nothing is trusted.
///
/// # Errors
/// The certificate cannot be read.
pub fn trusting(certificate: Option<&Path>) -> Result<ClientConfig, TlsError> {
    let known = match certificate {
        Some(certificate) => chain(certificate)?.into_iter().next(),
        None => None,
    };
    let provider = provider();
    let verifier = Arc::new(Known {
        certificate: known,
        provider: Arc::clone(&provider),
    });
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring has what the versions need")
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    Ok(config)
}

/// Knows one certificate.
#[derive(Debug)]
struct Known {
    certificate: Option<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Known {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match &self.certificate {
            Some(known) if known == shown => Ok(ServerCertVerified::assertion()),
            _ => Err(rustls::CertificateError::UnknownIssuer.into()),
        }
    }

    // That the other side has the certificate's key is looked at as ever.
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
