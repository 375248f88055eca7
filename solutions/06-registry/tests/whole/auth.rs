//! Who we are: nobody in particular, a user with a password, or one with a token for it.

use super::http::{Request, answer, serve};
use super::site::{Home, Image, Site};
use registry::{Credentials, Error, login};
use std::sync::{Arc, Mutex};

/// `me:secret`.
const BASIC: &str = "Basic bWU6c2VjcmV0";

fn me() -> Credentials {
    Credentials { username: "me".to_owned(), password: "secret".to_owned(), ..Credentials::default() }
}

/// Wants user and password.
fn basic() -> Site {
    Site::with(Box::new(|request, _| match request.header("authorization") {
        Some(BASIC) => None,
        _ => Some(answer(401, "").with("WWW-Authenticate", "Basic realm=\"here\"")),
    }))
}

/// Wants a token of somebody who gives one to everybody, and notes who asks.
fn bearer(gives: &'static str) -> (Site, Arc<Mutex<Vec<Request>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let inside = asked.clone();
    let keeper = serve(move |request| {
        inside.lock().unwrap().push(request);
        answer(200, gives)
    });
    let site = Site::with(Box::new(move |request, _| match request.header("authorization") {
        Some("Bearer pass") => None,
        _ => Some(
            answer(401, "")
                .with("WWW-Authenticate", format!("Bearer realm=\"http://{keeper}/token\",service=\"the registry\"")),
        ),
    }));
    (site, asked)
}

#[test]
fn user_and_password() {
    let (site, mut home) = (basic(), Home::new());
    site.put("app", "v1", &Image::of(&["one"]));
    let error = home.pull(&site.reference("app:v1")).unwrap_err().to_string();
    assert!(error.ends_with("/v2/app/manifests/v1\": no basic auth credentials"), "{error}");
    home.credentials = Some(me());
    home.pull(&site.reference("app:v1")).unwrap();
}

#[test]
fn a_token_for_nobody_in_particular() {
    let ((site, asked), home) = (bearer(r#"{"token":"pass"}"#), Home::new());
    site.put("team/app", "v1", &Image::of(&["one"]));
    home.pull(&site.reference("team/app:v1")).unwrap();
    let asked = asked.lock().unwrap();
    let path = "/token?service=the+registry&scope=repository%3Ateam%2Fapp%3Apull";
    assert_eq!((asked.len(), asked[0].path.as_str(), asked[0].header("authorization")), (1, path, None));
}

#[test]
fn a_token_for_a_user() {
    let ((site, asked), mut home) = (bearer(r#"{"access_token":"pass"}"#), Home::new());
    site.put("app", "v1", &Image::of(&["one"]));
    home.credentials = Some(me());
    home.pull(&site.reference("app:v1")).unwrap();
    let asked = asked.lock().unwrap();
    assert!(asked[0].path.ends_with("&account=me"), "{}", asked[0].path);
    assert_eq!(asked[0].header("authorization"), Some(BASIC));
    let told = site.state().requests.iter().any(|request| request.header("authorization") == Some(BASIC));
    assert!(!told, "the registry itself need not know the password");
}

#[test]
fn a_token_that_stands_for_the_password() {
    let ((site, asked), mut home) = (bearer(r#"{"token":"pass"}"#), Home::new());
    site.put("app", "v1", &Image::of(&["one"]));
    home.credentials = Some(Credentials { identitytoken: "long lived".to_owned(), ..Credentials::default() });
    home.pull(&site.reference("app:v1")).unwrap();
    let asked = asked.lock().unwrap();
    let form = String::from_utf8(asked[0].body.clone()).unwrap();
    assert_eq!(asked[0].method, "POST");
    assert!(form.contains("grant_type=refresh_token") && form.ends_with("refresh_token=long+lived"), "{form}");
}

#[test]
fn a_pass_that_has_run_out_is_renewed() {
    let used = Mutex::new(0);
    let keeper = serve(|_| answer(200, r#"{"token":"pass"}"#));
    let site = Site::with(Box::new(move |request, _| {
        let mut used = used.lock().unwrap();
        *used += usize::from(request.header("authorization").is_some());
        // Good twice, then once not, then good again.
        let good = request.header("authorization") == Some("Bearer pass") && *used != 3;
        (!good).then(|| answer(401, "").with("WWW-Authenticate", format!("Bearer realm=\"http://{keeper}/\"")))
    }));
    site.put("app", "v1", &Image::of(&["one", "two"]));
    Home::new().pull(&site.reference("app:v1")).unwrap();
}

#[test]
fn our_password_does_not_follow_a_redirect() {
    let image = Image::of(&["one"]);
    let blob = image.layers[0].clone();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let inside = seen.clone();
    let elsewhere = serve(move |request| {
        inside.lock().unwrap().push(request);
        answer(200, blob.clone())
    });
    let digest = layers::Digest::of(&image.layers[0]).to_string();
    let site = Site::with(Box::new(move |request, _| match request.header("authorization") {
        Some(BASIC) if request.path.ends_with(&digest) => {
            Some(answer(307, "").with("Location", format!("http://{elsewhere}/the/blob")))
        }
        Some(BASIC) => None,
        _ => Some(answer(401, "").with("WWW-Authenticate", "Basic realm=\"here\"")),
    }));
    site.put("app", "v1", &image);
    let mut home = Home::new();
    home.credentials = Some(me());
    home.pull(&site.reference("app:v1")).unwrap();
    let seen = seen.lock().unwrap();
    assert_eq!((seen.len(), seen[0].header("authorization")), (1, None));
}

#[test]
fn a_login_is_good_or_not() {
    let site = basic();
    let settings = Home::new().settings;
    let who = |password: &str| Credentials { serveraddress: site.host.clone(), password: password.to_owned(), ..me() };
    assert_eq!(login::login(&settings, &who("secret")).unwrap(), None);
    let error = login::login(&settings, &who("wrong")).unwrap_err();
    assert!(matches!(error, Error::Login { .. }));
    let expected = format!("login attempt to http://{}/v2/ failed with status: 401 Unauthorized", site.host);
    assert_eq!(error.to_string(), expected);
    let (site, asked) = bearer(r#"{"token":"pass","refresh_token":"long lived"}"#);
    let who = Credentials { serveraddress: site.host.clone(), ..me() };
    assert_eq!(login::login(&settings, &who).unwrap().as_deref(), Some("long lived"));
    assert!(asked.lock().unwrap()[0].path.contains("offline_token=true"));
}
