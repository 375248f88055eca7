//! The commands that reach into one container of a service: each is the command of the same name for a container, once it is
//! known which container is meant.

pub(super) mod attach;
pub(super) mod cp;
pub(super) mod exec;
pub(super) mod export;

use super::Context;
use ::compose::containers::OneOff;

/// The name of the container that is meant.
async fn name(context: &Context, service: &str, index: i64) -> anyhow::Result<String> {
    let client = context.connect()?;
    Ok(context.one(&client, service, index, OneOff::With, false).await?.name)
}
