//! Whom to trust: the host's authorities, and those that the administrator gave for one registry.

mod connector;
mod trust;

use crate::error::{Error, Result};
use crate::settings::Settings;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use trust::Trust;

pub(crate) use connector::connector;

/// The certificates for one registry: read when they are needed, and once.
#[derive(Debug)]
pub(crate) struct Certificates {
    folders: Vec<PathBuf>,
    verify: bool,
    read: OnceLock<Arc<ClientConfig>>,
}

/// What the folders of a registry hold.
#[derive(Default)]
struct Given {
    authorities: Vec<CertificateDer<'static>>,
    /// Ours, with the key.
    own: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
}

impl Certificates {
    /// Those for this `host:port`: what is in the folders `certs.d/host:port` counts beside the host's own.
    pub(crate) fn new(settings: &Settings, host: &str, verify: bool) -> Self {
        let folders = settings.certificates.iter().map(|folder| folder.join(host)).collect();
        Self { folders, verify, read: OnceLock::new() }
    }

    /// How to speak TLS with it.
    ///
    /// # Errors
    /// A file that was given cannot be used.
    pub(crate) fn config(&self) -> Result<Arc<ClientConfig>> {
        if let Some(config) = self.read.get() {
            return Ok(config.clone());
        }
        let config = Arc::new(self.read()?);
        Ok(self.read.get_or_init(|| config).clone())
    }

    fn read(&self) -> Result<ClientConfig> {
        let mut given = Given::default();
        self.folders.iter().try_for_each(|folder| given.read_folder(folder))?;
        let mut roots = RootCertStore::empty();
        let (_added, _not_understood) =
            roots.add_parsable_certificates(host_authorities().iter().chain(&given.authorities).cloned());
        let provider = Arc::new(ring::default_provider());
        let unusable = |error: &dyn std::fmt::Display| Error::file("use", "the host's certificates")(error.to_string());
        let library = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone())
            .build()
            .map_err(|error| unusable(&error))?;
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| unusable(&error))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Trust {
                library,
                given: given.authorities,
                verify: self.verify,
            }));
        match given.own {
            Some((certificates, key)) => {
                builder.with_client_auth_cert(certificates, key).map_err(|error| unusable(&error))
            }
            None => Ok(builder.with_no_client_auth()),
        }
    }
}

/// The authorities that the host trusts; read once, for they are many.
fn host_authorities() -> &'static [CertificateDer<'static>] {
    static FOUND: OnceLock<Vec<CertificateDer<'static>>> = OnceLock::new();
    FOUND.get_or_init(|| {
        let found = rustls_native_certs::load_native_certs();
        for error in &found.errors {
            tracing::debug!("certificates of this host: {error}");
        }
        found.certs
    })
}

impl Given {
    /// `*.crt` are authorities; `name.cert` and `name.key` are ours, as in Docker's folders.
    fn read_folder(&mut self, folder: &Path) -> Result<()> {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            // (A user may not be able to look into root's.)
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied) => return Ok(()),
            Err(error) => return Err(Error::file("read", folder)(error)),
        };
        let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("crt") => self.authorities.extend(certificates(&path)?),
                Some("cert") => {
                    let key = path.with_extension("key");
                    if !key.exists() {
                        let why = format!("missing key {} for client certificate", key.display());
                        return Err(Error::file("use", path)(why));
                    }
                    self.own = Some((certificates(&path)?, private_key(&key)?));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let pem = fs::read(path).map_err(Error::file("read", path))?;
    let found: std::result::Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let found = found.map_err(|error| Error::file("read", path)(error.to_string()))?;
    if found.is_empty() { Err(Error::file("use", path)("it holds no certificate in PEM")) } else { Ok(found) }
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>> {
    let pem = fs::read(path).map_err(Error::file("read", path))?;
    PrivateKeyDer::from_pem_slice(&pem).map_err(|error| Error::file("use", path)(error.to_string()))
}
