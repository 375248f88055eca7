//! `~/.docker/config.json`.

use registry::Credentials;
use registry::credentials::{File, key, key_of_host};
use std::fs;
use std::os::unix::fs::PermissionsExt;

fn user(name: &str, password: &str) -> Credentials {
    Credentials { username: name.to_owned(), password: password.to_owned(), ..Credentials::default() }
}

#[test]
fn what_docker_wrote_is_read_and_all_else_is_kept() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("config.json");
    let written = r#"{"auths":{"https://index.docker.io/v1/":{"auth":"bWU6c2VjOnJldA=="},"https://old.example/v1/":{"auth":"YTpi"}},"detachKeys":"ctrl-x"}"#;
    fs::write(&path, written).unwrap();
    let mut file = File::read(&path).unwrap();
    let hub = file.get(key(&layers::Reference::parse("alpine").unwrap())).unwrap().unwrap();
    assert_eq!((hub.username.as_str(), hub.password.as_str()), ("me", "sec:ret"));
    assert_eq!(file.get("old.example").unwrap().unwrap().username, "a", "an old key is an address");
    assert_eq!(file.get("localhost:5000").unwrap(), None);
    assert!(file.store("localhost:5000", &user("you", "pass")).unwrap(), "it stands in the file");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains("\"detachKeys\": \"ctrl-x\"") && text.contains("bWU6c2VjOnJldA=="), "{text}");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let again = File::read(&path).unwrap();
    assert_eq!(again.get("localhost:5000").unwrap().unwrap().password, "pass");
    assert_eq!(again.all().len(), 3);
}

#[test]
fn what_is_erased_is_gone() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("folder/config.json");
    let mut file = File::read(&path).unwrap();
    file.store("r.io", &user("a", "b")).unwrap();
    assert!(file.erase("r.io").unwrap());
    assert!(!file.erase("r.io").unwrap());
    assert_eq!(File::read(&path).unwrap().get("r.io").unwrap(), None);
}

#[test]
fn a_token_for_the_password_is_kept_instead_of_it() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("config.json");
    let mut file = File::read(&path).unwrap();
    file.store("r.io", &Credentials { identitytoken: "long".to_owned(), ..user("a", "") }).unwrap();
    let found = File::read(&path).unwrap().get("r.io").unwrap().unwrap();
    assert_eq!((found.username.as_str(), found.identitytoken.as_str()), ("a", "long"));
}

#[test]
fn a_file_that_cannot_be_read_is_told() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("config.json");
    fs::write(&path, "{").unwrap();
    assert!(File::read(&path).unwrap_err().to_string().contains("config.json"));
    fs::write(&path, r#"{"credsStore":"../../bin/sh"}"#).unwrap();
    let error = File::read(&path).unwrap().get("r.io").unwrap_err().to_string();
    assert!(error.contains("is no name of a program"), "{error}");
}

#[test]
fn a_header_says_who_it_is() {
    let sent = user("me", "sec/ret?>");
    assert_eq!(Credentials::from_header(&sent.to_header()).unwrap(), Some(sent));
    assert_eq!(Credentials::from_header("e30=").unwrap(), None, "nobody");
    assert_eq!(Credentials::from_header("e30").unwrap(), None, "some clients leave the = out");
    Credentials::from_header("{}").unwrap_err();
    assert_eq!(key_of_host("index.docker.io"), "https://index.docker.io/v1/");
}

#[test]
fn of_several_logins_at_once_all_count() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("config.json");
    std::thread::scope(|scope| {
        for number in 0..8 {
            let mut file = File::read(&path).unwrap();
            scope.spawn(move || {
                for round in 0..5 {
                    file.store(&format!("r{number}-{round}.io"), &user("a", "b")).unwrap();
                }
            });
        }
    });
    assert_eq!(File::read(&path).unwrap().all().len(), 40);
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1, "nothing else stays there");
}

#[test]
fn a_login_that_changes_nothing_is_no_news() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("config.json");
    let mut file = File::read(&path).unwrap();
    assert!(file.store("r.io", &user("a", "b")).unwrap());
    assert!(!file.store("r.io", &user("a", "b")).unwrap());
    assert!(file.store("r.io", &user("a", "c")).unwrap());
}
