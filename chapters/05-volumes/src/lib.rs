// Chapter 5, yours. The files in this folder have exercises in them; the other modules are the reference's.
// `cargo workshop status 5` says what is to be done, `cargo workshop use 5 mine` has the runtime run on it.

//! Chapter 5: where the data goes when the container goes.
//!
//! What a container writes is in its own layer, and dies with it. What shall live longer has to be somewhere else, and to be seen
//! by the container all the same: that is a mount. There are three kinds. A *bind mount* shows a folder or file of the host; a *volume* is a
//! folder that the engine keeps under a name; a *tmpfs* is memory, and lives even shorter than the container.
//!
//! ```text
//!   -v ──▶ short ──┐
//!                  ├──▶ MountRequest ──check──▶ MountPoint ──settle──▶ the mounts, in order ──▶ (the engine mounts them)
//!   --mount ▶ long ┘                                                        │
//!                                                                          volumes among them:
//!   store: make, list, remove ◀── lifetime ◀───────────── hold_or_make ◀────┘
//!                                                              └──▶ fill: what the image has there goes into a new one
//! ```
//!
//! Whether a volume is in use this crate does not know: the engine, which knows the containers, tells it.

#[path = "../../../solutions/05-volumes/src/request.rs"]
pub mod request;

mod attributes;
mod beneath;
#[path = "../../../solutions/05-volumes/src/check.rs"]
mod check;
#[path = "../../../solutions/05-volumes/src/copy.rs"]
mod copy;
#[path = "../../../solutions/05-volumes/src/error.rs"]
mod error;
mod fill;
mod lifetime;
#[path = "../../../solutions/05-volumes/src/long.rs"]
pub mod long;
#[path = "../../../solutions/05-volumes/src/mode.rs"]
mod mode;
#[path = "../../../solutions/05-volumes/src/mount_point.rs"]
mod mount_point;
#[path = "../../../solutions/05-volumes/src/name.rs"]
mod name;
#[path = "../../../solutions/05-volumes/src/options.rs"]
mod options;
mod order;
#[path = "../../../solutions/05-volumes/src/remove.rs"]
mod remove;
pub mod settle;
pub mod short;
#[path = "../../../solutions/05-volumes/src/store.rs"]
mod store;

pub use attributes::{Attributes, give, set_xattr};
pub use beneath::subpath;
pub use error::{Error, Fault, OptionFault, Result};
pub use fill::{InImage, takes_copy};
pub use lifetime::{goes_with, volumes};
pub use mount_point::{Bind, MountPoint, NewVolume, Propagation, Source, VolumeUse, clean};
pub use name::VolumeName;
pub use options::Options;
pub use order::in_order;
pub use request::MountRequest;
pub use store::{ANONYMOUS_LABEL, DRIVER, Held, Store, Volume};

/// Whose chapter this is: `solution-5` the reference, `chapter-5` the learner's. `kesako version` tells.
pub const PACKAGE: &str = env!("CARGO_PKG_NAME");
