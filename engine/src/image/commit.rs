//! Making an image of a container.

use crate::api::{self, ContainerConfig};
use crate::container::record::{Container, Record};
use crate::container::state::Status;
use crate::create::merge::merge;
use crate::image::archives;
use crate::{Engine, Error, Kind, Result};
use layers::commit::About;

/// `commit` and its flags.
#[derive(Clone, Debug, Default)]
pub struct CommitOptions {
    /// The new image's name; empty for none.
    pub repo: String,
    /// Its tag; empty is `latest`.
    pub tag: String,
    /// Shown by `history`.
    pub comment: String,
    /// `Name <address>`.
    pub author: String,
    /// Hold the container still meanwhile.
    pub pause: bool,
    /// Dockerfile instructions: `CMD …`, `ENV …`
    pub changes: Vec<String>,
}

/// `import` and its flags.
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    /// The new image's name; empty for none.
    pub repo: String,
    /// Its tag; empty is `latest`.
    pub tag: String,
    /// Shown by `history`.
    pub message: String,
    /// Dockerfile instructions: `CMD …`, `ENV …`
    pub changes: Vec<String>,
    /// `linux/arm64`; empty is this host's.
    pub platform: String,
}

impl Engine {
    /// Makes an image of what a container wrote, upon its image, with the container's configuration (or `config`, over
    /// it) as `options.changes` change it.
    pub fn commit(
        &self,
        container: &str,
        options: &CommitOptions,
        config: Option<ContainerConfig>,
    ) -> Result<api::IdResponse> {
        let container = self.find(container)?;
        let name = archives::name(&options.repo, &options.tag)?;
        let record = container.record()?;
        let status = container.state()?.status;
        if matches!(status, Status::Removing | Status::Dead) {
            let text = format!("You cannot commit container {} which is being removed", container.id);
            return Err(Error::new(Kind::Conflict, text));
        }
        let mut config = config.unwrap_or_else(|| record.config.clone());
        merge(&mut config, &record.config);
        let mut recipe = layers::image::Config::from(&config);
        build::change::apply(&mut recipe, &options.changes)?;

        let paused = options.pause && status == Status::Running && self.hold_still(&container)?;
        let written = self.write_image(&container, &record, options, recipe, name.as_ref());
        if let Ok(id) = &written {
            let reference = name.map(|name| name.to_string()).unwrap_or_default();
            let attributes = [("comment", options.comment.as_str()), ("imageID", id), ("imageRef", &reference)];
            self.tell_container("commit", &container, &record, &attributes);
            if !reference.is_empty() {
                self.tell("image", "tag", id, &[("name", &reference)]);
            }
        }
        if paused {
            // It may have ended meanwhile, or somebody else has thawed it: then there is nothing to do.
            match self.unpause(container.id.as_str()) {
                Err(error) if matches!(error.kind, Kind::Conflict | Kind::NotFound | Kind::NotModified) => {}
                other => other?,
            }
        }
        Ok(api::IdResponse { id: written? })
    }

    /// Whether it could be paused: a container without a cgroup, as an ordinary user's often is, goes on while it is
    /// copied, for that is better than no image.
    fn hold_still(&self, container: &Container) -> Result<bool> {
        match self.pause(container.id.as_str()) {
            Err(error) if error.kind == Kind::System => {
                tracing::warn!("commit {}: it goes on meanwhile: {error}", container.id);
                Ok(false)
            }
            paused => paused.map(|()| true),
        }
    }

    fn write_image(
        &self,
        container: &Container,
        record: &Record,
        options: &CommitOptions,
        recipe: layers::image::Config,
        name: Option<&layers::Reference>,
    ) -> Result<String> {
        let store = self.store()?;
        let parent = store.resolve(&record.image_id)?;
        let (upper, _) = container.upper_and_work();
        // A container that never ran wrote nothing, and has no folder for it either.
        let nothing =
            tempfile::tempdir().map_err(|e| Error::system("make a folder for what the container wrote", e))?;
        let upper = if upper.exists() { upper } else { nothing.path().to_owned() };
        let about = About {
            author: options.author.clone(),
            comment: options.comment.clone(),
            created_by: record.config.cmd.clone().unwrap_or_default().join(" "),
            created: None,
        };
        let (image, left_out) = store.commit(Some(&parent), &upper, recipe, about, name)?;
        for line in left_out {
            tracing::warn!("commit {}: {line}", container.id);
        }
        Ok(image.id.to_string())
    }
}
