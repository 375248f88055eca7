//! Where a redirect leads, and whether we may show there who we are.
//!
//! A registry need not keep its blobs itself. Asked for one, Docker Hub answers `307 Temporary Redirect`, and in `Location` with
//! an address at a storage service, in which a signature says that we may have it. That service is somebody else.

use crate::Endpoint;
use crate::error::{Error, Result};
use crate::query;

/// The next address of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    pub url: String,
    /// Whether `Authorization` goes along.
    pub authorized: bool,
}

/// Where a request to `registry` goes on, after the answer of the address `at` was a redirect with this `Location`. (Each request begins
/// here, too, with the registry's own address as `at`: where an upload goes, for one, is told by the registry, and may be anywhere.)
///
/// A location is relative to the address that answered: `/x` is another path on the same host, `//host/x` another host with
/// the same scheme. [`query::join`] finds what is meant, an `Option`; None is what is no web address, and then the redirect is
/// refused: "it redirects to what is no web address".
///
/// Who had to prove by a certificate that they are the registry (`registry.verify`) sends us nowhere without one: a redirect to
/// plain HTTP is refused then, "it redirects from HTTPS to plain HTTP". A registry that may be insecure may do that.
///
/// What we say in `Authorization`, a password perhaps, is meant for the registry: it goes along only to its own scheme, host and port,
/// those of `registry.base`. It does not matter who sends us there, or how many hops it took. [`query::same_origin`]
/// compares two addresses.
///
/// # Errors
/// [`Error::Nonsense`]: its `url` is the address `at`, its `why` the words above, a colon, and the location in quotes (`{location:?}`).
pub fn follow(registry: &Endpoint, at: &str, location: &str) -> Result<Hop> {
    // exercise: 6.3 follow: the password stays at home
    todo!("exercise 6.3, follow: the password stays at home")
    // end exercise
}
