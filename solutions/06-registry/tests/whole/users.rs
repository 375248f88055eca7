//! Users and certificates.

use super::served::{serve, serve_folder};
use super::site::{Home, Image, Site};
use registry::{Credentials, Reference, login};
use std::fs;
use std::path::Path;

fn ana(password: &str) -> Credentials {
    Credentials { username: "ana".to_owned(), password: password.to_owned(), ..Credentials::default() }
}

/// A home with an image under this name.
fn home_with(name: &Reference) -> (Home, Image) {
    let (site, home, image) = (Site::new(), Home::new(), Image::of(&["one", "two"]));
    site.put("made", "v1", &image);
    let made = home.pull(&site.reference("made:v1")).unwrap().image;
    home.store.tag(&made, name).unwrap();
    (home, image)
}

#[test]
fn only_users_come_in() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("htpasswd");
    fs::write(&file, format!("ana:{}\n", bcrypt::hash("secret", 4).unwrap())).unwrap();
    let served = serve(|options| options.htpasswd = Some(file));
    let told = served.get("/v2/");
    assert_eq!((told.status, told.code().as_str()), (401, "UNAUTHORIZED"));
    assert!(told.header("www-authenticate").starts_with("Basic realm="));
    let name = Reference::parse(&format!("{}/app:v1", served.host)).unwrap();
    let (mut home, image) = home_with(&name);
    assert!(home.push(&name).unwrap_err().to_string().contains("no basic auth credentials"));
    home.credentials = Some(ana("secret"));
    assert_eq!(home.push(&name).unwrap().digest, image.digest());
    let who = |password| Credentials { serveraddress: served.host.clone(), ..ana(password) };
    login::login(&home.settings, &who("secret")).unwrap();
    let error = login::login(&home.settings, &who("wrong")).unwrap_err().to_string();
    assert!(error.ends_with("failed with status: 401 Unauthorized"), "{error}");
}

#[test]
fn a_certificate_has_to_be_trusted() {
    has_to_be_trusted("localhost");
}

/// As `openssl req -x509` makes them, and as Docker's documentation has them made.
#[test]
fn one_of_an_authority_that_is_a_servers_too_has_to_be_trusted() {
    has_to_be_trusted("authority");
}

fn has_to_be_trusted(certificate: &str) {
    let place = tempfile::tempdir().unwrap();
    // Made once, for `localhost` and a thousand years.
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/whole");
    let (certificate, key) = (here.join(format!("{certificate}.crt")), here.join(format!("{certificate}.key")));
    let host = serve_folder(place.path(), |options| options.tls = Some((certificate.clone(), key)));
    let port = host.rsplit(':').next().unwrap();
    // This machine may be insecure: its certificate is not looked at.
    let name = Reference::parse(&format!("localhost:{port}/app:v1")).unwrap();
    let (home, image) = home_with(&name);
    assert_eq!(home.push(&name).unwrap().digest, image.digest());
    // Another name for this machine is not known to be one. Here, the certificate is what was given for it, or it is
    // not trusted.
    let mut strict = registry::Endpoint { base: format!("https://localhost:{port}"), verify: true, mirror: false };
    let certs = place.path().join("certs.d").join(format!("localhost:{port}"));
    let ask = |endpoint: &registry::Endpoint| {
        let settings = registry::Settings { certificates: vec![place.path().join("certs.d")], ..Home::new().settings };
        registry::login::at(&settings, endpoint.clone(), &ana("x"))
    };
    let error = ask(&strict).unwrap_err().to_string();
    assert!(error.contains("x509: certificate signed by unknown authority"), "{error}");
    fs::create_dir_all(&certs).unwrap();
    // Another's helps nobody.
    fs::copy(here.join("other.crt"), certs.join("other.crt")).unwrap();
    let error = ask(&strict).unwrap_err().to_string();
    assert!(error.contains("x509: certificate signed by unknown authority"), "{error}");
    fs::copy(&certificate, certs.join("ca.crt")).unwrap();
    ask(&strict).unwrap();
    strict.base = format!("https://127.0.0.1:{port}");
    fs::rename(&certs, certs.with_file_name(format!("127.0.0.1:{port}"))).unwrap();
    let error = ask(&strict).unwrap_err().to_string();
    assert!(error.contains("x509: certificate is valid for localhost, not 127.0.0.1"), "{error}");
}
