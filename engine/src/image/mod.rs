//! Images, for which the work is done by [`layers`]. `name` is a reference, an ID or an unambiguous prefix of one.

mod archives;
pub(crate) mod commit;
mod config;
mod list;
pub(crate) mod registries;
mod workbench;

use crate::api::{self, ContainerConfig};
use crate::container::state::NEVER;
use crate::filters::{boolean, labels_allow, only, until};
use crate::{Engine, Error, Filters, Kind, Result};
use layers::remove::{Removed, Use};
use layers::unpack::Limits;
use layers::{Digest, Image, Reference, Store};
use std::collections::BTreeMap;

/// What create needs of an image. While this lives, the image cannot be removed.
pub(crate) struct ImageForRun {
    /// `sha256:…`
    pub id: String,
    pub config: ContainerConfig,
    /// Chain IDs, lowest first; they are unpacked.
    pub layers: Vec<Digest>,
    _hold: layers::store::Hold,
}

/// `KESAKO_MAX_LAYER_SIZE=512m`: what a layer may have, packed or unpacked, on a host with little room.
fn layer_limit() -> Result<Option<u64>> {
    let Ok(text) = std::env::var("KESAKO_MAX_LAYER_SIZE") else { return Ok(None) };
    match crate::words::bytes(&text).and_then(|bytes| u64::try_from(bytes).ok()) {
        Some(bytes) => Ok(Some(bytes)),
        None => Err(Error::new(Kind::Invalid, format!("KESAKO_MAX_LAYER_SIZE={text}: write it as 512m or 2g"))),
    }
}

impl Engine {
    /// The images of this engine.
    pub(crate) fn store(&self) -> Result<&Store> {
        if let Some(store) = self.store.get() {
            return Ok(store);
        }
        let mut store = Store::open(&self.roots.data)?;
        if let Some(bytes) = layer_limit()? {
            store = store.with_limits(Limits { bytes, ..Limits::default() });
        }
        Ok(self.store.get_or_init(|| store))
    }

    /// The image of a new container, unpacked and held.
    ///
    /// # Errors
    /// [`Kind::NotFound`], in Docker's words.
    pub(crate) fn image_for_run(&self, name: &str) -> Result<ImageForRun> {
        if name.is_empty() {
            return Err(Error::new(Kind::Invalid, "no command specified"));
        }
        let store = self.store()?;
        let mut hold = store.hold()?;
        let image = match store.resolve(name) {
            Err(layers::Error::NoSuchImage(_)) => {
                // Perhaps it is made now. Whoever makes an image must not hold one.
                drop(hold);
                let made = workbench::resolve(store, name)?;
                hold = store.hold()?;
                store.resolve(&made.id.to_string())?
            }
            image => image?,
        };
        store.layer_folders(&image)?;
        let config = ContainerConfig::from(&image.config.config);
        Ok(ImageForRun { id: image.id.to_string(), config, layers: image.chain_ids(), _hold: hold })
    }

    /// The image itself, for those who only look.
    pub(crate) fn image(&self, name: &str) -> Result<Image> {
        workbench::resolve(self.store()?, name)
    }

    /// The ID of the image that this name means now, if any.
    pub(crate) fn image_id_of(&self, name: &str) -> Option<String> {
        Some(self.store().ok()?.resolve(name).ok()?.id.to_string())
    }

    pub(crate) fn count_images(&self) -> u64 {
        self.store().ok().and_then(|store| store.images().ok()).map_or(0, |images| images.len() as u64)
    }

    /// The IDs of these images and of all that were made upon them: an image begins with the history of its ancestor.
    pub(crate) fn descendants(&self, names: &[String]) -> Result<Vec<String>> {
        let store = self.store()?;
        let images = store.images()?;
        let ancestors: Vec<Image> = names.iter().filter_map(|name| store.resolve(name).ok()).collect();
        let descends = |image: &&Image| {
            let from = |ancestor: &Image| {
                image.id == ancestor.id
                    || (!ancestor.config.history.is_empty()
                        && image.config.history.starts_with(&ancestor.config.history)
                        && image.config.rootfs.diff_ids.starts_with(&ancestor.config.rootfs.diff_ids))
            };
            ancestors.iter().any(from)
        };
        Ok(images.iter().filter(descends).map(|image| image.id.to_string()).collect())
    }

    /// `image inspect`.
    pub fn image_inspect(&self, name: &str) -> Result<api::ImageInspect> {
        let image = self.image(name)?;
        let store = self.store()?;
        let config = &image.config;
        Ok(api::ImageInspect {
            id: image.id.to_string(),
            repo_tags: image.tags(),
            repo_digests: image.digests(),
            parent: image.parent.map(|parent| parent.to_string()).unwrap_or_default(),
            comment: comment(&image),
            created: config.created.clone().unwrap_or_else(|| NEVER.to_owned()),
            container: String::new(),
            container_config: ContainerConfig::default(),
            docker_version: config.docker_version.clone(),
            author: config.author.clone(),
            config: ContainerConfig::from(&config.config),
            architecture: config.architecture.clone(),
            variant: config.variant.clone(),
            os: config.os.clone(),
            size: size(store, &image),
            graph_driver: api::GraphDriver { name: "overlay2".to_owned(), data: folders(store, &image) },
            root_fs: api::RootFs {
                r#type: "layers".to_owned(),
                layers: config.rootfs.diff_ids.iter().map(Digest::to_string).collect(),
            },
            metadata: api::ImageMetadata {
                last_tag_time: image.last_tagged.clone().unwrap_or_else(|| NEVER.to_owned()),
            },
        })
    }

    /// `history`, newest first.
    pub fn image_history(&self, name: &str) -> Result<Vec<api::HistoryEntry>> {
        let image = self.image(name)?;
        let row = |step: layers::history::Step| api::HistoryEntry {
            id: step.id.map_or_else(|| "<missing>".to_owned(), |id| id.to_string()),
            created: step.created,
            created_by: step.created_by,
            tags: Some(step.tags).filter(|tags| !tags.is_empty()),
            size: step.size as i64,
            comment: step.comment,
        };
        Ok(self.store()?.history(&image)?.into_iter().map(row).collect())
    }

    /// Gives an image one more name.
    pub fn tag(&self, name: &str, repo: &str, tag: &str) -> Result<()> {
        let target = Reference::from_parts(repo, tag)?;
        let image = self.image(name)?;
        self.store()?.tag(&image, &target)?;
        self.tell("image", "tag", &image.id.to_string(), &[("name", &target.or_latest().to_string())]);
        Ok(())
    }

    /// Takes a name from an image, and the image away with its last one.
    ///
    /// # Errors
    /// [`Kind::Conflict`], in Docker's words, when a container or another name needs it.
    pub fn image_remove(&self, name: &str, force: bool, no_prune: bool) -> Result<Vec<api::ImageDeleted>> {
        let store = self.store()?;
        let image = store.resolve(name)?;
        let removed = store.remove(name, force, !no_prune, &|| self.uses())?;
        Ok(self.told(&image.id, removed))
    }

    /// Removes images that have no name and no use; with `dangling=false` all that no container uses.
    pub fn prune_images(&self, filters: &Filters) -> Result<api::ImagesPruned> {
        only(filters, &["dangling", "label", "label!", "until"])?;
        let all = boolean(filters, "dangling")? == Some(false);
        let until = until(filters)?;
        let chosen = |image: &Image| {
            let labels = image.config.config.labels.clone().unwrap_or_default();
            let young = until.is_some_and(|until| image.made_seconds() >= until.as_second());
            !young && labels_allow(filters, &labels)
        };
        let (removed, space_reclaimed) = self.store()?.prune(all, &chosen, &|| self.uses())?;
        let mut pruned = api::ImagesPruned { space_reclaimed, ..Default::default() };
        for one in removed {
            let id = match &one {
                Removed::Deleted(id) => *id,
                Removed::Untagged(_) => Digest::of(b""),
            };
            pruned.images_deleted.get_or_insert_default().extend(self.told(&id, vec![one]));
        }
        self.tell("image", "prune", "", &[("reclaimed", &space_reclaimed.to_string())]);
        Ok(pruned)
    }

    /// Removals as events and as the API's answer.
    fn told(&self, image: &Digest, removed: Vec<Removed>) -> Vec<api::ImageDeleted> {
        let step = |one| match one {
            Removed::Untagged(name) => {
                self.tell("image", "untag", &image.to_string(), &[("name", &name)]);
                api::ImageDeleted { untagged: Some(name), deleted: None }
            }
            Removed::Deleted(id) => {
                if id == *image {
                    self.tell("image", "delete", &id.to_string(), &[("name", &id.to_string())]);
                }
                api::ImageDeleted { untagged: None, deleted: Some(id.to_string()) }
            }
        };
        removed.into_iter().map(step).collect()
    }

    /// Which containers need which image and layers.
    pub(crate) fn uses(&self) -> layers::Result<Vec<Use>> {
        let entries = self.entries().map_err(|e| layers::Error::Conflict(e.message))?;
        let uses = entries.into_iter().filter_map(|entry| {
            Some(Use {
                container: entry.record.id.to_string(),
                running: entry.state.status.is_running(),
                image: entry.record.image_id.parse().ok()?,
                layers: entry.record.layers,
            })
        });
        Ok(uses.collect())
    }
}

/// The comment of the last step, where `commit -m` puts it.
fn comment(image: &Image) -> String {
    let last = image.config.history.last().map(|step| step.comment.clone());
    last.filter(|comment| !comment.is_empty()).unwrap_or_else(|| image.config.comment.clone())
}

/// Bytes; 0 when a layer cannot be unpacked, which will be told when it is used.
pub(crate) fn size(store: &Store, image: &Image) -> i64 {
    store.size(image).map_or(0, |size| size as i64)
}

fn folders(store: &Store, image: &Image) -> BTreeMap<String, String> {
    let paths: Vec<_> = image.chain_ids().iter().map(|id| store.unpacked().path(id).display().to_string()).collect();
    let Some((upper, lower)) = paths.split_last() else { return BTreeMap::new() };
    let mut folders = BTreeMap::from([("UpperDir".to_owned(), upper.clone())]);
    if !lower.is_empty() {
        folders.insert("LowerDir".to_owned(), lower.iter().rev().cloned().collect::<Vec<_>>().join(":"));
    }
    folders
}
