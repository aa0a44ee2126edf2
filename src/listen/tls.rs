//! The user's own certificate: what stands in its file, and knowing it again.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};

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

pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

pub(super) fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
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

/// Trusts the certificate that stands in that file and no other, by whatever name it is asked for: for Moonlock's own
/// commands, which have the same file. Without one nothing is trusted.
///
/// # Errors
/// The certificate cannot be read.
pub fn trusting(certificate: Option<&Path>) -> Result<ClientConfig, TlsError> {
    certificate.map(chain).transpose()?;
    let provider = provider();
    let verifier = Arc::new(Known {
        certificate: certificate.map(Path::to_owned),
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

/// Knows one certificate by its file, also when another has taken its place.
#[derive(Debug)]
struct Known {
    certificate: Option<PathBuf>,
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
        let known = self.certificate.as_deref().and_then(|file| chain(file).ok());
        match known.as_deref() {
            Some([known, ..]) if known == shown => Ok(ServerCertVerified::assertion()),
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
