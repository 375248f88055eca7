//! The server: one connection at a time, over anything that carries bytes.

use axum::Router;
use engine::Engine;
use hyper_util::rt::TokioIo;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};

/// The routes, tied to an engine. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Server {
    routes: Router,
}

impl Server {
    /// Serves this engine.
    pub fn new(engine: Arc<Engine>) -> Self {
        Self { routes: Router::new().route("/_ping", axum::routing::get(|| async { "OK" })).with_state(engine) }
    }

    /// Answers the requests of one connection until it closes.
    pub async fn serve_connection(&self, stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) {
        let service = hyper_util::service::TowerToHyperService::new(self.routes.clone());
        // What breaks a connection is the other side's doing and its to tell.
        hyper::server::conn::http1::Builder::new()
            .half_close(true)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades()
            .await
            .ok();
    }
}

/// Answers the requests of one connection until it closes.
pub async fn serve_connection(engine: Arc<Engine>, stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) {
    Server::new(engine).serve_connection(stream).await;
}
