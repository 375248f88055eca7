//! The server: routes of the Engine API on one side, the [`Engine`] on the other, and between them only translation.
//!
//! A request passes through, in this order:
//!
//! ```text
//!   version    /v1.44/containers/json → /containers/json, and a refusal of versions we do not speak
//!   a route    one file per family: containers, copy, create, streams, exec, images, archives, build, volumes, system
//!   params     the query, in Docker's idea of booleans and filters
//!   blocking   the engine's methods block; each runs on a thread of its own while this one serves others
//!   answer     JSON as Go prints it, or a body that grows; an engine's error becomes its HTTP status
//! ```

mod absent;
mod answer;
mod archives;
mod blocking;
mod build;
mod containers;
mod copy;
mod create;
mod exec;
mod hijack;
mod images;
mod networks;
mod params;
mod registries;
mod streams;
mod system;
mod version;
mod volumes;

use answer::{Answer, Refusal};
use axum::Router;
use axum::response::IntoResponse;
use engine::Engine;
use hyper::service::Service;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};

/// What every handler is given.
type Shared = axum::extract::State<Arc<Engine>>;

/// The routes, tied to an engine. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Server {
    routes: TowerToHyperService<Router>,
    within: Within,
}

/// Whether client and server are one process: then what the client may open, the server may open for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Within(pub(crate) bool);

impl Server {
    /// Serves this engine.
    pub fn new(engine: Arc<Engine>) -> Self {
        let routes = Router::new()
            .merge(system::routes())
            .merge(containers::routes())
            .merge(copy::routes())
            .merge(create::routes())
            .merge(streams::routes())
            .merge(exec::routes())
            .merge(images::routes())
            .merge(archives::routes())
            .merge(registries::routes())
            .merge(networks::routes())
            .merge(build::routes())
            .merge(volumes::routes())
            .merge(absent::routes())
            .fallback(page_not_found)
            .method_not_allowed_fallback(page_not_found)
            .with_state(engine);
        Self { routes: TowerToHyperService::new(routes), within: Within(false) }
    }

    /// Serves a client of this same process.
    pub(crate) fn within_process(engine: Arc<Engine>) -> Self {
        Self { within: Within(true), ..Self::new(engine) }
    }

    /// Answers the requests of one connection until it closes.
    pub async fn serve_connection(&self, stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) {
        self.serve_until(stream, std::future::pending()).await;
    }

    /// As [`serve_connection`](Self::serve_connection), but when `ending` comes to pass, the request that is being
    /// answered is the last.
    pub(crate) async fn serve_until(
        &self,
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        ending: impl Future<Output = ()>,
    ) {
        let service = hyper::service::service_fn(|request| self.answer(request));
        let connection =
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).with_upgrades();
        let (mut connection, mut ending) = (pin!(connection), pin!(ending));
        tokio::select! {
            // What breaks a connection is the other side's doing and its to tell.
            _ = connection.as_mut() => return,
            () = ending.as_mut() => connection.as_mut().graceful_shutdown(),
        }
        connection.await.ok();
    }

    async fn answer(
        &self,
        request: http::Request<hyper::body::Incoming>,
    ) -> Result<axum::response::Response, Infallible> {
        let mut answer = match version::strip(request) {
            Ok(mut request) => {
                request.extensions_mut().insert(self.within);
                self.routes.call(request).await?
            }
            Err(refusal) => refusal.into_response(),
        };
        version::introduce(answer.headers_mut());
        Ok(answer)
    }
}

/// Answers the requests of one connection until it closes.
pub async fn serve_connection(engine: Arc<Engine>, stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) {
    Server::new(engine).serve_connection(stream).await;
}

/// To an unknown path, and to a known one with another method: Docker tells them not apart.
async fn page_not_found() -> Refusal {
    Refusal::not_found("page not found")
}
