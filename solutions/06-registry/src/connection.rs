//! A connection to one address of a registry: it sends requests, proves who we are when that is asked for, and follows
//! redirects.
//!
//! Our credentials go to the registry and to whom it names for tokens, and never further: a redirect to another host is
//! followed without them.

use crate::challenge::{self, Challenge};
use crate::credentials::Credentials;
use crate::endpoint::Endpoint;
use crate::error::{Answer, Error, Result};
use crate::redirect;
use crate::settings::Settings;
use crate::tls::{self, Certificates};
use crate::{query, token, unanswered};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use ureq::http::{self, HeaderMap, StatusCode, header};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::{Agent, Body, SendBody};

const CONNECT: Duration = Duration::from_secs(20);
/// A mirror may have to fetch a layer before it can begin to answer.
const ANSWER: Duration = Duration::from_secs(300);
/// A server that says nothing for so long has gone.
const SILENCE: Duration = Duration::from_secs(60);
const MOST_REDIRECTS: usize = 10;
/// What an error may have to say.
const ERROR_LIMIT: u64 = 64 << 10;

/// What is asked.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    /// `Get`, as errors show it.
    pub method: &'static str,
    pub url: String,
    pub headers: Vec<(&'static str, String)>,
    pub content: Content<'a>,
    /// What a token has to allow: `repository:library/alpine:pull`.
    pub scopes: &'a [String],
}

/// What is sent with it. It can be sent again.
#[derive(Debug)]
pub(crate) enum Content<'a> {
    None,
    Bytes(&'a [u8]),
    /// This part of a file; how many bytes of it are on their way is told.
    Part {
        file: &'a File,
        from: u64,
        length: u64,
        sent: &'a Sent<'a>,
    },
}

/// Who hears how many bytes have been sent.
pub(crate) struct Sent<'a>(pub &'a (dyn Fn(u64) + Sync));

impl std::fmt::Debug for Sent<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sent")
    }
}

/// An answer: its body is still on its way.
#[derive(Debug)]
pub(crate) struct Response {
    pub status: u16,
    pub headers: HeaderMap,
    /// Where it was found in the end.
    pub url: String,
    body: Body,
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as it comes, but no more than this.
    pub(crate) fn reader(self, limit: u64) -> impl Read {
        self.body.into_with_config().limit(limit).reader()
    }

    /// All of the body; one that is larger than `limit` is an error.
    pub(crate) fn bytes(self, limit: u64) -> Result<Vec<u8>> {
        let url = self.url.clone();
        let mut bytes = Vec::new();
        let unreachable =
            |error: io::Error| Error::Unreachable { method: "Get".into(), url: url.clone(), why: error.to_string() };
        self.reader(limit.saturating_add(1))
            .take(limit.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(unreachable)?;
        if bytes.len() as u64 > limit {
            return Err(Error::Nonsense { url, why: format!("the answer has more than {limit} bytes") });
        }
        Ok(bytes)
    }

    /// What an answer that is an error says.
    pub(crate) fn into_error(self) -> Error {
        let status = self.status;
        let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or_default();
        // A token that was not good enough is told in the challenge (RFC 6750, section 3.1).
        let challenged = challenges(&self.headers).iter().find_map(|challenge| match challenge.get("error")? {
            "invalid_token" => Some(("UNAUTHORIZED", "authentication required")),
            "insufficient_scope" => Some(("DENIED", "requested access to the resource is denied")),
            _ => None,
        });
        let mut body = Vec::new();
        // An error that breaks off says what it has said.
        self.reader(ERROR_LIMIT).read_to_end(&mut body).ok();
        let answer = match (challenged, Answer::read(status, reason, &body)) {
            (Some((code, message)), _) => Answer { code: code.to_owned(), message: message.to_owned() },
            (None, answer) if answer.code.is_empty() && status == 401 => {
                Answer { code: "UNAUTHORIZED".to_owned(), message: "authentication required".to_owned() }
            }
            (None, answer) => answer,
        };
        Error::Answer { status, answer }
    }
}

/// One address of a registry.
#[derive(Debug)]
pub(crate) struct Connection {
    pub endpoint: Endpoint,
    agent: Agent,
    credentials: Option<Credentials>,
    /// What to say, by scope, to be let in.
    passes: Mutex<BTreeMap<String, String>>,
}

impl Connection {
    pub(crate) fn new(settings: &Settings, endpoint: Endpoint, credentials: Option<Credentials>) -> Result<Self> {
        let (scheme, host, _) = query::split(&endpoint.base).ok_or_else(|| Error::Nonsense {
            url: endpoint.base.clone(),
            why: "this is no address of a registry".to_owned(),
        })?;
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(CONNECT))
            .timeout_recv_response(Some(ANSWER))
            .timeout_per_read(Some(SILENCE))
            .user_agent(concat!("kesako/", env!("CARGO_PKG_VERSION")))
            .accept("");
        let certificates = Certificates::new(settings, host, endpoint.verify);
        if scheme == "https" {
            // What cannot be used is told before anybody is called.
            certificates.config()?;
        }
        if !endpoint.verify {
            // What is on this machine or beside it is not asked for through others.
            config = config.proxy(None);
        }
        // Credentials for the registry are none for its mirror.
        let credentials = credentials.filter(|_| !endpoint.mirror);
        let agent = Agent::with_parts(config.build(), tls::connector(certificates), DefaultResolver::default());
        Ok(Self { agent, endpoint, credentials, passes: Mutex::default() })
    }

    /// `/v2/…` of this registry.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}/v2/{path}", self.endpoint.base)
    }

    /// Sends a request, and again with a proof of who we are where that is asked for. Answers that are errors are
    /// answers.
    pub(crate) fn send(&self, request: &Request<'_>) -> Result<Response> {
        let key = request.scopes.join(" ");
        let known = self.passes().get(&key).cloned();
        let answer = self.follow(request, known.as_deref())?;
        if answer.status != 401 {
            return Ok(answer);
        }
        let challenges = challenges(&answer.headers);
        match self.authorize(request, &challenges)? {
            Some(pass) => {
                let answer = self.follow(request, Some(&pass))?;
                if answer.status != 401 {
                    self.passes().insert(key, pass);
                }
                Ok(answer)
            }
            None => Ok(answer),
        }
    }

    fn passes(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, String>> {
        self.passes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What to put into `Authorization`. None: the registry wants something that we do not know.
    fn authorize(&self, request: &Request<'_>, challenges: &[Challenge]) -> Result<Option<String>> {
        if let Some(challenge) = challenges.iter().find(|challenge| challenge.scheme == "bearer") {
            if let Some(token) = self.credentials.as_ref().and_then(Credentials::registry_token) {
                return Ok(Some(format!("Bearer {token}")));
            }
            let asked = token::Asked { challenge, scopes: request.scopes, offline: false };
            let token = token::fetch(&self.agent, &self.endpoint, &asked, self.credentials.as_ref());
            let token = token.map_err(|error| error.at(request.method, &request.url))?;
            return Ok(Some(format!("Bearer {}", token.token)));
        }
        if challenges.iter().any(|challenge| challenge.scheme == "basic") {
            return match self.credentials.as_ref().and_then(Credentials::basic) {
                Some(basic) => Ok(Some(basic)),
                None => {
                    let (method, url) = (request.method.to_owned(), request.url.clone());
                    Err(Error::NoCredentials { method, url })
                }
            };
        }
        Ok(None)
    }

    /// A user's first visit: whether the registry lets them in. Returns the token that stands for the password from now
    /// on, if it gives one.
    pub(crate) fn login(&self) -> Result<Option<String>> {
        let url = self.url("");
        let request =
            Request { method: "Get", url: url.clone(), headers: Vec::new(), content: Content::None, scopes: &[] };
        let answer = self.follow(&request, None)?;
        let mut identity = None;
        let answer = match answer.status {
            401 => {
                let challenges = challenges(&answer.headers);
                let bearer = challenges.iter().find(|challenge| challenge.scheme == "bearer");
                let pass = match (bearer, &self.credentials) {
                    (Some(challenge), Some(credentials)) => {
                        let asked = token::Asked { challenge, scopes: &[], offline: true };
                        let token = token::fetch(&self.agent, &self.endpoint, &asked, Some(credentials));
                        let token = token.map_err(|error| error.at("Get", &url))?;
                        identity = token.refresh_token;
                        Some(format!("Bearer {}", token.token))
                    }
                    _ => self.authorize(&request, &challenges)?,
                };
                self.follow(&request, pass.as_deref())?
            }
            _ => answer,
        };
        match StatusCode::from_u16(answer.status) {
            Ok(StatusCode::OK) => Ok(identity),
            Ok(status) => Err(Error::Login { url, status: status.to_string() }),
            Err(_) => Err(Error::Login { url, status: answer.status.to_string() }),
        }
    }

    /// Sends a request to where it leads in the end.
    fn follow(&self, request: &Request<'_>, authorization: Option<&str>) -> Result<Response> {
        let mut hop = redirect::follow(&self.endpoint, &self.endpoint.base, &request.url)?;
        for _ in 0..=MOST_REDIRECTS {
            let answer = self.exchange(request, &hop.url, authorization.filter(|_| hop.authorized))?;
            let reading = matches!(request.method, "Get" | "Head");
            if !(reading && matches!(answer.status, 301 | 302 | 303 | 307 | 308)) {
                return Ok(answer);
            }
            hop = redirect::follow(&self.endpoint, &hop.url, answer.header("location").unwrap_or_default())?;
        }
        Err(Error::Nonsense { url: hop.url, why: format!("stopped after {MOST_REDIRECTS} redirects") })
    }

    fn exchange(&self, request: &Request<'_>, url: &str, authorization: Option<&str>) -> Result<Response> {
        tracing::debug!("{} {url}", request.method);
        let mut builder = http::Request::builder().method(request.method.to_uppercase().as_str()).uri(url);
        for (name, value) in &request.headers {
            builder = builder.header(*name, value);
        }
        if let Some(authorization) = authorization {
            builder = builder.header(header::AUTHORIZATION, authorization);
        }
        let nonsense = |error: http::Error| Error::Nonsense { url: url.to_owned(), why: error.to_string() };
        let answer = match &request.content {
            Content::None => self.agent.run(builder.body(()).map_err(nonsense)?),
            Content::Bytes(bytes) => self.agent.run(builder.body(*bytes).map_err(nonsense)?),
            Content::Part { file, from, length, sent } => {
                let mut file = file.try_clone().map_err(Error::io("read the layer"))?;
                file.seek(SeekFrom::Start(*from)).map_err(Error::io("read the layer"))?;
                let mut body = Counting { inner: file.take(*length), count: *from, sent };
                let builder = builder.header(header::CONTENT_LENGTH, *length);
                let builder = builder.header(header::CONTENT_TYPE, "application/octet-stream");
                self.agent.run(builder.body(SendBody::from_reader(&mut body)).map_err(nonsense)?)
            }
        };
        let answer = answer.map_err(|error| unanswered::tell(&error, request.method, url, &self.endpoint.base))?;
        let (head, body) = answer.into_parts();
        Ok(Response { status: head.status.as_u16(), headers: head.headers, url: url.to_owned(), body })
    }
}

/// Tells how much was read through it.
struct Counting<'a, R> {
    inner: R,
    count: u64,
    sent: &'a Sent<'a>,
}

impl<R: Read> Read for Counting<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.count += count as u64;
        (self.sent.0)(self.count);
        Ok(count)
    }
}

fn challenges(headers: &HeaderMap) -> Vec<Challenge> {
    let headers = headers.get_all(header::WWW_AUTHENTICATE);
    headers.iter().filter_map(|value| value.to_str().ok()).flat_map(challenge::parse).collect()
}
