//! Tokens: whoever keeps a registry's users may be somebody else than the registry, and gives out short-lived passes to
//! it.
//!
//! The registry names him (`realm`) and itself (`service`) in its challenge. We go there with what we want to do
//! (`scope`), and with our name and password if we have them, and come back with a token. (distribution.github.io,
//! "Token Authentication".)

use crate::challenge::Challenge;
use crate::credentials::Credentials;
use crate::endpoint::Endpoint;
use crate::error::{Answer, Error, Result};
use crate::query;
use serde::Deserialize;
use std::io::Read as _;
use ureq::http::{self, StatusCode, header};
use ureq::{Agent, Body};

/// A token is a few kilobytes.
const LIMIT: u64 = 1 << 20;
/// How we call ourselves; registries know this name from Docker's own client.
const CLIENT: &str = "docker";

/// What a token is wanted for.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    pub challenge: &'a Challenge,
    pub scopes: &'a [String],
    /// Also one that stands for the password from now on.
    pub offline: bool,
}

/// A pass.
#[derive(Debug)]
pub(crate) struct Token {
    pub token: String,
    /// Stands for user and password from now on.
    pub refresh_token: Option<String>,
}

/// Asks for a token: with an identity token if we have one, else with user and password, else as nobody in particular.
pub(crate) fn fetch(
    agent: &Agent,
    endpoint: &Endpoint,
    asked: &Asked<'_>,
    credentials: Option<&Credentials>,
) -> Result<Token> {
    let realm = asked.challenge.get("realm").unwrap_or_default();
    let nonsense = |why: String| Error::Nonsense { url: endpoint.base.clone(), why };
    let Some((scheme, _, _)) = query::split(realm) else {
        return Err(nonsense(format!("it sends us for a token to {realm:?}, which is no web address")));
    };
    // A password that the registry would get by HTTPS goes to nobody else without it.
    if scheme == "http" && endpoint.verify {
        let text =
            format!("{} asks for a token of {realm:?}: no credentials are sent there without HTTPS", endpoint.base);
        return Err(Error::Unsafe(text));
    }
    let service = asked.challenge.get("service").unwrap_or_default();
    let identity = credentials.and_then(Credentials::identity_token);
    let answer = match identity {
        Some(identity) => {
            let scope = asked.scopes.join(" ");
            let form = [
                ("grant_type", "refresh_token"),
                ("service", service),
                ("client_id", CLIENT),
                ("scope", &scope),
                ("refresh_token", identity),
            ];
            let form = serde_urlencoded::to_string(form).map_err(|error| nonsense(error.to_string()))?;
            let request = http::Request::post(realm)
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(form)
                .map_err(|error| nonsense(error.to_string()))?;
            agent.run(request)
        }
        None => {
            let mut url = realm.to_owned();
            if !service.is_empty() {
                url = query::with(&url, "service", service);
            }
            for scope in asked.scopes {
                url = query::with(&url, "scope", scope);
            }
            if asked.offline {
                url = query::with(&query::with(&url, "offline_token", "true"), "client_id", CLIENT);
            }
            let user = credentials.map(Credentials::user).filter(|user| !user.is_empty());
            if let Some(user) = user {
                url = query::with(&url, "account", user);
            }
            let mut request = http::Request::get(url);
            if let Some(basic) = credentials.and_then(Credentials::basic) {
                request = request.header(header::AUTHORIZATION, basic);
            }
            agent.run(request.body(()).map_err(|error| nonsense(error.to_string()))?)
        }
    };
    let answer = answer.map_err(|error| Error::Unreachable {
        method: if identity.is_some() { "Post" } else { "Get" }.to_owned(),
        url: realm.to_owned(),
        why: error.to_string(),
    })?;
    read(realm, answer)
}

fn read(realm: &str, answer: http::Response<Body>) -> Result<Token> {
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Document {
        token: String,
        access_token: String,
        refresh_token: Option<String>,
        details: String,
    }
    let status = answer.status();
    let mut bytes = Vec::new();
    let read = answer.into_body().into_with_config().limit(LIMIT).reader().read_to_end(&mut bytes);
    read.map_err(|error| Error::Unreachable { method: "Get".into(), url: realm.to_owned(), why: error.to_string() })?;
    let document = serde_json::from_slice::<Document>(&bytes);
    if status != StatusCode::OK {
        let told = document.map(|document| document.details).unwrap_or_default();
        let mut answer = Answer::read(status.as_u16(), status.canonical_reason().unwrap_or_default(), &bytes);
        if answer.code.is_empty() && status == StatusCode::UNAUTHORIZED {
            let message = if told.is_empty() { "authentication required".to_owned() } else { told };
            answer = Answer { code: "UNAUTHORIZED".to_owned(), message };
        }
        return Err(Error::Answer { status: status.as_u16(), answer });
    }
    let nonsense = |why: String| Error::Nonsense { url: realm.to_owned(), why };
    let document = document.map_err(|error| nonsense(format!("its token cannot be read: {error}")))?;
    let token = if document.token.is_empty() { document.access_token } else { document.token };
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(nonsense("its answer holds no token".to_owned()));
    }
    Ok(Token { token, refresh_token: document.refresh_token.filter(|token| !token.is_empty()) })
}
