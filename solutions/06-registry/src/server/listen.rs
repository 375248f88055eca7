//! The socket, and the way of a request from there to its handler.

use super::answer::{Answer, Refusal, blocking, with};
use super::depot::Depot;
use super::mirror::Mirror;
use super::route::Route;
use super::users::Users;
use super::wire::{Outgoing, Wire};
use super::{Options, blobs, lists, manifests, sweep, tls};
use crate::error::{Error, Result};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use futures_util::FutureExt as _;
use http::{HeaderValue, Method, StatusCode, header};
use hyper::body::Incoming;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;

/// How long requests that are being answered may take to end, once the server was told to.
const LAST_ANSWERS: Duration = Duration::from_secs(10);
/// How long to wait when the system has no file descriptor left for a new connection.
const SHORT_OF_FILES: Duration = Duration::from_millis(100);
/// Who connects and says nothing.
const HANDSHAKE: Duration = Duration::from_secs(20);
/// Far less than a runtime has threads (512).
const SENDERS: usize = 200;
const SWEEPS: Duration = Duration::from_mins(10);

/// The query of a request.
pub(super) type Query = BTreeMap<String, String>;

/// What every handler is given.
#[derive(Debug)]
pub(super) struct Registry {
    pub depot: Depot,
    pub mirror: Option<Mirror>,
    /// A place for each who sends something.
    pub senders: Semaphore,
    users: Option<Users>,
    read_only: bool,
    /// What a request has met that panicked, if that was an exercise of this repository.
    met: fn() -> Option<String>,
}

impl Registry {
    /// What is answered where there was a panic. (`501` is not tried again.)
    fn defect(&self) -> Refusal {
        match (self.met)() {
            Some(exercise) => Refusal::new(StatusCode::NOT_IMPLEMENTED, "UNSUPPORTED", exercise),
            None => Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "UNKNOWN", "the registry has a defect"),
        }
    }
}

/// A registry whose socket is there: connections wait until [`run`](Self::run).
pub struct Server {
    listener: TcpListener,
    desk: Desk,
}

/// Where connections are taken.
struct Desk {
    registry: Arc<Registry>,
    tls: Option<TlsAcceptor>,
}

impl Server {
    /// Opens the folder, and takes the address.
    ///
    /// # Errors
    /// [`Error::File`]: a file cannot be read, or another registry serves this folder. [`Error::Io`]: the address is
    /// taken.
    pub fn listen(options: Options) -> Result<Self> {
        let tls = options.tls.as_ref().map(|(certificates, key)| tls::acceptor(certificates, key)).transpose()?;
        let users = options.htpasswd.as_deref().map(Users::open).transpose()?;
        let depot = Depot::open(&options.root)?;
        let listener = TcpListener::bind(options.address).map_err(Error::io("listen"))?;
        open_many_files();
        listener.set_nonblocking(true).map_err(Error::io("listen"))?;
        let mirror = options.mirror.map(Mirror::new);
        let read_only = options.read_only || mirror.is_some();
        let registry = Registry { depot, mirror, senders: Semaphore::new(SENDERS), users, read_only, met: || None };
        Ok(Self { listener, desk: Desk { registry: Arc::new(registry), tls } })
    }

    /// Answers a request that panics with what this says; it is asked right after. Before the server runs.
    #[must_use]
    pub fn telling(mut self, met: fn() -> Option<String>) -> Self {
        // Nobody else has it yet.
        if let Some(registry) = Arc::get_mut(&mut self.desk.registry) {
            registry.met = met;
        }
        self
    }

    /// Where it listens: with port 0, the one that the system chose.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn address(&self) -> Result<SocketAddr> {
        self.listener.local_addr().map_err(Error::io("find the address"))
    }

    /// Serves until SIGTERM or SIGINT, then ends what is being answered. Makes its own threads: not to be called from
    /// within a runtime.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn run(self) -> Result<()> {
        let (ending, ended) = watch::channel(());
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        let failed = Error::io("serve");
        let Self { listener, desk } = self;
        let served = std::thread::scope(|scope| -> io::Result<()> {
            let mut threads = Vec::new();
            for _ in 0..workers {
                let (socket, desk, ended) = (listener.try_clone()?, &desk, ended.clone());
                threads.push(scope.spawn(move || -> io::Result<()> {
                    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
                    runtime.block_on(async {
                        desk.accept(tokio::net::TcpListener::from_std(socket)?, ended).await;
                        Ok(())
                    })
                }));
            }
            // The last that lets go of the socket closes it: at the end, nobody is let in who would not be answered.
            drop((ended, listener));
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let signalled = runtime.block_on(desk.until_signalled());
            ending.send_replace(());
            runtime.shutdown_background();
            threads.into_iter().try_for_each(|thread| thread.join().unwrap_or(Ok(())))?;
            signalled
        });
        served.map_err(failed)
    }
}

impl Desk {
    /// Sweeps now and then, until somebody wants an end.
    async fn until_signalled(&self) -> io::Result<()> {
        let (mut terminated, mut interrupted) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let mut sweeps = tokio::time::interval(SWEEPS);
        loop {
            tokio::select! {
                _ = terminated.recv() => return Ok(()),
                _ = interrupted.recv() => return Ok(()),
                _ = sweeps.tick() => {
                    let registry = self.registry.clone();
                    tokio::task::spawn_blocking(move || match sweep::sweep(&registry.depot) {
                        Ok(gone) => tracing::debug!("{gone} blobs were garbage"),
                        Err(error) => tracing::warn!("cannot sweep: {error}"),
                    });
                }
            }
        }
    }

    /// One thread's connections, until the end.
    async fn accept(&self, listener: tokio::net::TcpListener, mut ended: watch::Receiver<()>) {
        let routes = TowerToHyperService::new(routes(self.registry.clone()));
        let (open, mut closed) = tokio::sync::mpsc::channel::<()>(1);
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                _ = ended.changed() => break,
            };
            match accepted {
                Ok((stream, _)) => {
                    let (routes, tls, ended, open) = (routes.clone(), self.tls.clone(), ended.clone(), open.clone());
                    tokio::spawn(async move {
                        talk(stream, tls, routes, ended).await;
                        drop(open);
                    });
                }
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                // Too many open files (accept(2), EMFILE) would come again at once.
                Err(_) => tokio::time::sleep(SHORT_OF_FILES).await,
            }
        }
        drop((listener, open));
        // Nothing is ever sent: this ends when the last connection has let go of its end.
        tokio::time::timeout(LAST_ANSWERS, closed.recv()).await.ok();
    }
}

/// As many as the system lets us: each connection is one, and each blob on its way.
fn open_many_files() {
    let limit = getrlimit(Resource::Nofile);
    // Where there are too few, connections wait until others have ended.
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).ok();
}

async fn talk(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    routes: TowerToHyperService<Router>,
    ended: watch::Receiver<()>,
) {
    // Small answers are not made to wait for each other; if it cannot be had, they do.
    stream.set_nodelay(true).ok();
    let wire = Wire::new(stream);
    match tls {
        None => {
            let outgoing = wire.outgoing();
            answer(wire, Some(outgoing), routes, ended).await;
        }
        // Who does not speak TLS is none of ours.
        Some(tls) => {
            if let Ok(Ok(sealed)) = tokio::time::timeout(HANDSHAKE, tls.accept(wire)).await {
                answer(sealed, None, routes, ended).await;
            }
        }
    }
}

async fn answer(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    outgoing: Option<Outgoing>,
    routes: TowerToHyperService<Router>,
    mut ended: watch::Receiver<()>,
) {
    let service = service_fn(move |mut request: http::Request<Incoming>| {
        if let Some(outgoing) = &outgoing {
            request.extensions_mut().insert(outgoing.clone());
        }
        routes.call(request)
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HANDSHAKE)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    tokio::select! {
        // What breaks a connection is the other side's doing.
        _ = connection.as_mut() => return,
        _ = ended.changed() => connection.as_mut().graceful_shutdown(),
    }
    connection.await.ok();
}

fn routes(registry: Arc<Registry>) -> Router {
    Router::new()
        .route("/", any(|| async { "This is a registry: its API is at /v2/.\n" }))
        .fallback(handle)
        .with_state(registry)
}

/// Every request, with what every answer has.
async fn handle(State(registry): State<Arc<Registry>>, request: Request) -> Response {
    let (method, address) = (request.method().clone(), request.uri().clone());
    let answered = AssertUnwindSafe(dispatch(registry.clone(), request)).catch_unwind().await;
    let mut response = match answered.unwrap_or_else(|_| Err(registry.defect())) {
        Ok(response) => response,
        Err(refusal) => {
            let challenge = refusal.status == StatusCode::UNAUTHORIZED;
            let mut response = refusal.into_response();
            if challenge {
                let basic = HeaderValue::from_static("Basic realm=\"kesako registry\"");
                response.headers_mut().insert(header::WWW_AUTHENTICATE, basic);
            }
            response
        }
    };
    response.headers_mut().insert("docker-distribution-api-version", HeaderValue::from_static("registry/2.0"));
    tracing::info!(target: "explain", "{method} {address}: {}", response.status());
    response
}

async fn dispatch(registry: Arc<Registry>, request: Request) -> Answer {
    let (head, body) = request.into_parts();
    let (method, headers) = (head.method, head.headers);
    let outgoing = head.extensions.get::<Outgoing>().cloned();
    if registry.users.is_some() {
        let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let here = registry.clone();
        blocking(move || here.users.as_ref().map_or(Ok(()), |users| users.admit(shown.as_deref()))).await?;
    }
    let route = Route::parse(head.uri.path(), &method)?;
    let query: Query = serde_urlencoded::from_str(head.uri.query().unwrap_or_default())
        .map_err(|error| Refusal::invalid("UNSUPPORTED", format!("the query makes no sense: {error}")))?;
    let reading = matches!(method, Method::GET | Method::HEAD);
    if registry.read_only && !reading {
        let why = if registry.mirror.is_some() {
            "this is a mirror: push to the registry itself"
        } else {
            "this registry is read-only"
        };
        return Err(Refusal::unsupported(why));
    }
    let is_head = method == Method::HEAD;
    match (route, method) {
        (Route::Base, Method::GET | Method::HEAD) => {
            with(StatusCode::OK, &[("content-type", "application/json")], Body::from("{}"))
        }
        (Route::Catalogue, Method::GET) => lists::catalogue(registry, query).await,
        (Route::Tags(name), Method::GET) => lists::tags(registry, name, query).await,
        (Route::Manifest(name, which), Method::GET | Method::HEAD) => {
            manifests::get(registry, name, which, headers, is_head).await
        }
        (Route::Manifest(name, which), Method::PUT) => manifests::put(registry, name, which, headers, body).await,
        (Route::Manifest(name, which), Method::DELETE) => manifests::delete(registry, name, which).await,
        (Route::Referrers(name, digest), Method::GET) => manifests::referrers(registry, name, digest, query).await,
        (Route::Blob(name, digest), Method::GET | Method::HEAD) => {
            blobs::get(registry, name, digest, headers, is_head, outgoing).await
        }
        (Route::Blob(_, digest), Method::DELETE) => blobs::delete(registry, digest).await,
        (Route::Uploads(name), Method::POST) => blobs::begin(registry, name, query, body).await,
        (Route::Upload(name, id), Method::PATCH) => blobs::append(registry, name, id, headers, body).await,
        (Route::Upload(name, id), Method::GET | Method::HEAD) => blobs::state(registry, name, id).await,
        (Route::Upload(name, id), Method::PUT) => blobs::finish(registry, name, id, query, headers, body).await,
        (Route::Upload(_, id), Method::DELETE) => blobs::give_up(registry, id).await,
        _ => Err(Refusal::unsupported("this path does not know this method")),
    }
}
