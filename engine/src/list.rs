//! Which containers there are.

use crate::{Engine, Result, api};
use std::collections::BTreeMap;

/// `{"label": ["a=b"], …}`: Docker's filters, as every list and prune takes them.
pub type Filters = BTreeMap<String, Vec<String>>;

#[derive(Clone, Debug, Default)]
pub struct ListOptions {
    pub all: bool,
    pub limit: Option<usize>,
    pub size: bool,
    pub filters: Filters,
}

impl Engine {
    pub fn list(&self, options: &ListOptions) -> Result<Vec<api::ContainerSummary>> {
        todo!()
    }
}
