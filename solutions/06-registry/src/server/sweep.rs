//! Garbage: blobs that no manifest needs. It is removed while the registry serves.
//!
//! Somebody may be about to push the manifest that needs a blob: so what came, or was asked for, within the last hour
//! is left alone. And while a blob is judged, no manifest is taken in.

use super::depot::Depot;
use super::uploads::FORGOTTEN;
use std::fs;
use std::time::{Duration, SystemTime};

/// A push takes no longer, from the first blob to the manifest; one that does has to send it again.
pub(super) const YOUNG: Duration = Duration::from_hours(1);

/// Removes all garbage, and what was begun and given up.
pub(super) fn sweep(depot: &Depot) -> layers::Result<usize> {
    let (mut gone, needed) = (0, depot.catalogue().reached());
    for blob in depot.blobs.list()?.into_iter().filter(|blob| !needed.contains(blob)) {
        let age = fs::metadata(depot.blobs.path(&blob)).and_then(|status| status.modified());
        let age = age.map(|touched| SystemTime::now().duration_since(touched).unwrap_or_default());
        if !age.is_ok_and(|age| age > YOUNG) {
            continue;
        }
        // (Which refuses what is needed by now.)
        gone += usize::from(depot.delete_garbage(&blob, YOUNG).is_ok());
    }
    depot.blobs.sweep_partial()?;
    if let Err(error) = depot.uploads.sweep(FORGOTTEN) {
        tracing::warn!("cannot sweep the uploads: {error}");
    }
    Ok(gone)
}
