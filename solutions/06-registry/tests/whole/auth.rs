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

/// An image that is here under this name, and in this repository of the registry, as it knows.
fn pushed_before(home: &mut Home, site: &Site, repository: &str) -> layers::Image {
    home.credentials = Some(me());
    site.put(repository, "v1", &Image::of(&["one"]));
    home.pull(&site.reference(&format!("{repository}:v1"))).unwrap().image
}

#[test]
fn a_pass_for_a_mount_is_for_both_repositories() {
    let ((site, asked), mut home) = (bearer(r#"{"token":"pass"}"#), Home::new());
    let image = pushed_before(&mut home, &site, "team/base");
    let name = site.reference("team/app:v1");
    home.store.tag(&image, &name).unwrap();
    asked.lock().unwrap().clear();
    home.push(&name).unwrap();
    let paths: Vec<String> = asked.lock().unwrap().iter().map(|request| request.path.clone()).collect();
    let (write, read) = ("scope=repository%3Ateam%2Fapp%3Apull%2Cpush", "scope=repository%3Ateam%2Fbase%3Apull");
    assert!(paths.iter().any(|path| path.contains(write) && path.contains(read)), "{paths:?}");
    assert!(paths.iter().all(|path| path.contains(write)), "{paths:?}");
    assert!(home.lines().last().unwrap().ends_with("Mounted from team/base"));
}

#[test]
fn a_pass_that_runs_out_in_the_middle_of_a_push_is_renewed() {
    let given = Arc::new(Mutex::new(0));
    let inside = given.clone();
    let keeper = serve(move |_| {
        let mut given = inside.lock().unwrap();
        *given += 1;
        answer(200, format!(r#"{{"token":"pass-{given}"}}"#))
    });
    // Each is good for two requests.
    let used = Mutex::new(std::collections::BTreeMap::<String, usize>::new());
    let site = Site::with(Box::new(move |request, _| {
        let challenge = format!("Bearer realm=\"http://{keeper}/\",error=\"invalid_token\"");
        let refused = Some(answer(401, "").with("WWW-Authenticate", challenge));
        let Some(pass) = request.header("authorization") else { return refused };
        let mut used = used.lock().unwrap();
        let count = used.entry(pass.to_owned()).or_default();
        *count += 1;
        if *count > 2 { refused } else { None }
    }));
    let (mut home, other) = (Home::new(), Site::new());
    let image = pushed_before(&mut home, &other, "app");
    let name = site.reference("app:v1");
    home.store.tag(&image, &name).unwrap();
    home.push(&name).unwrap();
    assert!(*given.lock().unwrap() > 2);
    assert!(site.state().manifests.contains_key(&("app".to_owned(), "v1".to_owned())));
}

#[test]
fn an_upload_that_leads_elsewhere_is_not_told_who_we_are() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let inside = seen.clone();
    let elsewhere = serve(move |request: Request| {
        let method = request.method.clone();
        inside.lock().unwrap().push(request);
        answer(if method == "PUT" { 201 } else { 202 }, "").with("Location", "/here")
    });
    let there = elsewhere.clone();
    let site = Site::with(Box::new(move |request, _| match request.header("authorization") {
        Some(BASIC) if request.method == "POST" => {
            Some(answer(202, "").with("Location", format!("http://{there}/here")))
        }
        Some(BASIC) => None,
        _ => Some(answer(401, "").with("WWW-Authenticate", "Basic realm=\"here\"")),
    }));
    let (mut home, other) = (Home::new(), Site::new());
    let image = pushed_before(&mut home, &other, "app");
    let name = site.reference("app:v1");
    home.store.tag(&image, &name).unwrap();
    home.push(&name).unwrap();
    let seen = seen.lock().unwrap();
    assert!(seen.len() >= 4 && seen.iter().all(|request| request.header("authorization").is_none()), "{seen:?}");
}

#[test]
fn who_refuses_a_pass_is_told_with_what_it_stops() {
    let keeper = serve(|_| answer(401, r#"{"details":"incorrect username or password"}"#));
    let site = Site::with(Box::new(move |_, _| {
        Some(answer(401, "").with("WWW-Authenticate", format!("Bearer realm=\"http://{keeper}/\"")))
    }));
    let mut home = Home::new();
    home.credentials = Some(me());
    let error = home.pull(&site.reference("app:v1")).unwrap_err().to_string();
    let expected =
        format!("Get \"http://{}/v2/app/manifests/v1\": unauthorized: incorrect username or password", site.host);
    assert_eq!(error, expected);
}
