//! The connection to the engine, made when first needed.

use crate::globals::Globals;
use daemon::Client;
use engine::{Engine, Roots};
use serde_json::Value;
use std::sync::Arc;

/// What a command is given: the global flags, and a way to the engine.
#[derive(Debug)]
pub struct Session {
    pub globals: Globals,
}

impl Session {
    pub fn new(globals: Globals) -> Self {
        Self { globals }
    }

    /// A client of the daemon that was named, or of the engine in this process.
    pub fn connect(&self) -> anyhow::Result<Client> {
        match self.globals.host()? {
            Some(host) => Ok(Client::connect(&host)?),
            None => Ok(Client::in_process(self.engine()?)),
        }
    }

    /// The engine in this process.
    pub fn engine(&self) -> anyhow::Result<Arc<Engine>> {
        let roots = Roots::find(self.globals.root.as_deref())?;
        Ok(Arc::new(Engine::open(roots)?))
    }
}

/// The answer as it came, nulls and all: what a user is shown must not be what we would have understood.
pub async fn raw_json(request: daemon::client::Request<'_>) -> daemon::client::Result<Value> {
    let bytes = request.response().await?.bytes().await?;
    serde_json::from_slice(&bytes)
        .map_err(|error| daemon::Error { status: 0, message: format!("cannot read the daemon's answer: {error}") })
}

/// What is shown of an error. The engine's own refusals are marked as such, as Docker's are.
pub fn message(error: &anyhow::Error) -> String {
    match error.downcast_ref::<daemon::Error>() {
        Some(answer) if answer.status != 0 => format!("Error response from daemon: {answer}"),
        _ => format!("{error:#}"),
    }
}
