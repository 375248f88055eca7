//! Images, for which most of the work is done by [`layers`]. `name` is a reference, an ID or an unambiguous prefix of one.

use crate::{Engine, Filters, Result, api};
use std::io::{Read, Write};

impl Engine {
    pub fn images(&self, all: bool, digests: bool, filters: &Filters) -> Result<Vec<api::ImageSummary>> {
        todo!()
    }
    pub fn image_inspect(&self, name: &str) -> Result<api::ImageInspect> {
        todo!()
    }
    pub fn image_history(&self, name: &str) -> Result<Vec<api::HistoryEntry>> {
        todo!()
    }
    pub fn tag(&self, name: &str, repo: &str, tag: &str) -> Result<()> {
        todo!()
    }
    pub fn image_remove(&self, name: &str, force: bool, no_prune: bool) -> Result<Vec<api::ImageDeleted>> {
        todo!()
    }
    pub fn prune_images(&self, filters: &Filters) -> Result<api::ImagesPruned> {
        todo!()
    }
    pub fn load(&self, from: &mut dyn Read, progress: &mut dyn FnMut(api::Progress)) -> Result<()> {
        todo!()
    }
    pub fn save(&self, names: &[String], to: &mut dyn Write) -> Result<()> {
        todo!()
    }
}
