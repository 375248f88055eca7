//! Whose certificate is good.

use std::sync::Arc;

use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::client::{WebPkiServerVerifier, verify_server_name};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::{DigitallySignedStruct, Error, SignatureScheme};

/// As the library verifies, with two things more.
///
/// Who shows the very certificate that the administrator gave for this registry is trusted, even if it is one of an authority, as
/// `openssl req -x509` makes them. So it is with Docker. And of a registry that is known to be insecure, no certificate is looked at.
#[derive(Debug)]
pub(super) struct Trust {
    pub library: Arc<WebPkiServerVerifier>,
    /// Those of `certs.d`.
    pub given: Vec<CertificateDer<'static>>,
    pub verify: bool,
}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        stapled: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if !self.verify {
            return Ok(ServerCertVerified::assertion());
        }
        match self.library.verify_server_cert(shown, intermediates, name, stapled, now) {
            // (That it is valid today was asked before; what was not is the name.)
            Err(refused) if is_of_authority(&refused) && self.given.iter().any(|given| given == shown) => {
                verify_server_name(&ParsedCertificate::try_from(shown)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            outcome => outcome,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if !self.verify {
            return Ok(HandshakeSignatureValid::assertion());
        }
        self.library.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if !self.verify {
            return Ok(HandshakeSignatureValid::assertion());
        }
        self.library.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.library.supported_verify_schemes()
    }
}

/// The library tells it by a name only.
fn is_of_authority(refused: &Error) -> bool {
    matches!(refused, Error::InvalidCertificate(_)) && refused.to_string().contains("CaUsedAsEndEntity")
}
