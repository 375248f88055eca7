//! HTTPS: the registry's certificate and its key.

use crate::error::{Error, Result};
use std::path::Path;
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Reads both, in PEM.
pub(super) fn acceptor(certificates: &Path, key: &Path) -> Result<TlsAcceptor> {
    let chain = CertificateDer::pem_file_iter(certificates).map_err(Error::file("read", certificates))?;
    let chain: Vec<_> = chain.collect::<std::result::Result<_, _>>().map_err(Error::file("read", certificates))?;
    let secret = PrivateKeyDer::from_pem_file(key).map_err(Error::file("read", key))?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(Error::file("use", certificates))?
        .with_no_client_auth()
        .with_single_cert(chain, secret)
        .map_err(Error::file("use", certificates))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
