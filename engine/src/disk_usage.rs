//! `system df`: what takes how much room.

use crate::container::inspect::folder_size;
use crate::{Engine, Filters, ListOptions, Result, api};
use layers::Digest;
use std::collections::HashMap;

/// Which kinds are counted: to count is to look at every file.
#[derive(Clone, Copy, Debug)]
pub struct Kinds {
    pub images: bool,
    pub containers: bool,
    pub volumes: bool,
    pub build_cache: bool,
}

impl Engine {
    /// Counts.
    ///
    /// # Errors
    /// Something cannot be read.
    pub fn disk_usage(&self, kinds: Kinds) -> Result<api::DiskUsage> {
        let mut usage = api::DiskUsage::default();
        if kinds.images {
            let (images, layers_size) = self.images_usage()?;
            (usage.images, usage.layers_size) = (Some(images), layers_size);
        }
        if kinds.containers {
            let all = ListOptions { all: true, limit: None, size: true, filters: Filters::new() };
            usage.containers = Some(self.list(&all)?);
        }
        if kinds.volumes {
            usage.volumes = Some(self.volumes_usage()?);
        }
        if kinds.build_cache {
            usage.build_cache = Some(self.builds_kept()?);
        }
        Ok(usage)
    }

    /// All images, with what each shares with others; and the bytes of all layers together.
    fn images_usage(&self) -> Result<(Vec<api::ImageSummary>, i64)> {
        let store = self.store()?;
        let mut layers: HashMap<Digest, (i64, usize)> = HashMap::new();
        let mut stacks: HashMap<String, Vec<Digest>> = HashMap::new();
        for image in store.images()? {
            let stack = image.chain_ids();
            for layer in &stack {
                let known = layers.entry(*layer).or_insert_with(|| {
                    // One that is not unpacked yet takes none.
                    (store.layer_size(layer).unwrap_or_default() as i64, 0)
                });
                known.1 += 1;
            }
            stacks.insert(image.id.to_string(), stack);
        }
        let mut images = self.images(false, &Filters::new())?;
        for image in &mut images {
            let stack = stacks.get(&image.id).into_iter().flatten();
            let shared = stack.filter_map(|layer| layers.get(layer)).filter(|(_, images)| *images > 1);
            image.shared_size = shared.map(|(size, _)| size).sum();
        }
        Ok((images, layers.values().map(|(size, _)| size).sum()))
    }

    fn volumes_usage(&self) -> Result<Vec<api::Volume>> {
        let records: Vec<_> = self.entries()?.into_iter().map(|entry| entry.record).collect();
        let mut all = self.list_volumes(&Filters::new())?.volumes;
        for volume in &mut all {
            let has = |record: &&crate::container::record::Record| {
                volumes::volumes(&record.mount_points).any(|name| name == volume.name)
            };
            volume.usage_data = Some(api::VolumeUsage {
                ref_count: records.iter().filter(has).count() as i64,
                size: folder_size(std::path::Path::new(&volume.mountpoint)),
            });
        }
        Ok(all)
    }
}
