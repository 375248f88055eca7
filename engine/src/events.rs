//! What happens in the engine, as it happens.

use crate::{Engine, Filters, Result, api};

impl Engine {
    /// Past events since `since` and those to come, until dropped or `until` (seconds since 1970).
    pub fn events(
        &self,
        since: Option<f64>,
        until: Option<f64>,
        filters: Filters,
    ) -> Result<Box<dyn Iterator<Item = api::Event> + Send>> {
        todo!()
    }
}
