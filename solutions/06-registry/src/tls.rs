//! Whom to trust: the host's authorities, and those that the administrator gave for one registry.

use crate::error::{Error, Result};
use crate::settings::Settings;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};

/// The authorities that the host trusts; read once, for they are many.
fn host_authorities() -> &'static [Certificate<'static>] {
    static FOUND: OnceLock<Vec<Certificate<'static>>> = OnceLock::new();
    FOUND.get_or_init(|| {
        let found = rustls_native_certs::load_native_certs();
        for error in &found.errors {
            tracing::debug!("certificates of this host: {error}");
        }
        found.certs.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).collect()
    })
}

/// How to speak TLS with this `host:port`: what is in the folders `certs.d/host:port` counts beside the host's own.
pub(crate) fn config(settings: &Settings, host: &str, verify: bool) -> Result<TlsConfig> {
    let mut authorities = host_authorities().to_vec();
    let mut own = None;
    for folder in &settings.certificates {
        read_folder(&folder.join(host), &mut authorities, &mut own)?;
    }
    let roots = RootCerts::Specific(Arc::new(authorities));
    Ok(TlsConfig::builder().root_certs(roots).client_cert(own).disable_verification(!verify).build())
}

/// `*.crt` are authorities; `name.cert` and `name.key` are ours, as in Docker's folders.
fn read_folder(folder: &Path, authorities: &mut Vec<Certificate<'static>>, own: &mut Option<ClientCert>) -> Result<()> {
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
            Some("crt") => authorities.extend(certificates(&path)?),
            Some("cert") => {
                let key = path.with_extension("key");
                if !key.exists() {
                    let why = format!("missing key {} for client certificate", key.display());
                    return Err(Error::file("use", path)(why));
                }
                *own = Some(ClientCert::new_with_certs(&certificates(&path)?, private_key(&key)?));
            }
            _ => {}
        }
    }
    Ok(())
}

fn certificates(path: &Path) -> Result<Vec<Certificate<'static>>> {
    let pem = fs::read(path).map_err(Error::file("read", path))?;
    let mut found = Vec::new();
    for item in parse_pem(&pem) {
        if let PemItem::Certificate(certificate) = item.map_err(Error::file("read", path))? {
            found.push(certificate);
        }
    }
    if found.is_empty() { Err(Error::file("use", path)("it holds no certificate in PEM")) } else { Ok(found) }
}

fn private_key(path: &Path) -> Result<PrivateKey<'static>> {
    let pem = fs::read(path).map_err(Error::file("read", path))?;
    PrivateKey::from_pem(&pem).map_err(Error::file("use", path))
}
