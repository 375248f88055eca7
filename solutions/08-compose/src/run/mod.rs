//! A project, run: through the Engine API and nothing else, so that any engine will do.
//!
//! ```text
//!   up   =  resources (networks, volumes)  ─▶  converge (plan, then create, replace, remove)  ─▶  start (in order, on conditions)
//!   down =  stop and remove (the other way round)  ─▶  networks, volumes, images
//! ```

mod conditions;
mod converge;
mod create;
mod down;
mod pause;
mod resources;
mod start;
mod stop;
mod walk;

pub use converge::{Converge, Recreate};
pub use create::{Creation, container as create_container};
pub use down::{Down, Images};
pub use pause::{pause, unpause};
pub use start::{Start, Waiting};
pub use stop::{Removal, kill, remove, restart, stop};

use crate::error::Result;
use futures_util::future::join_all;

/// All at the same time, each to its end; the first error is the result.
pub(crate) async fn all<T>(work: impl IntoIterator<Item = impl Future<Output = Result<T>>>) -> Result<Vec<T>> {
    join_all(work).await.into_iter().collect()
}

/// What another one has removed in the meantime is gone, as it was to be.
fn gone(outcome: daemon::client::Result<()>) -> Result<()> {
    match outcome {
        Err(error) if error.is_not_found() => Ok(()),
        outcome => Ok(outcome?),
    }
}
