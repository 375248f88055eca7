//! Images as archives: `load`, `save` and `import`.

use crate::image::commit::ImportOptions;
use crate::{Engine, Error, Kind, Result, api};
use layers::Reference;
use layers::image::Config;
use layers::import::Import;
use layers::manifest::Platform;
use std::io::{Read, Write};

impl Engine {
    /// Takes in all images of an archive, as `save` of Docker, Kesako and others writes them.
    pub fn load(&self, from: &mut (dyn Read + Send), progress: &mut dyn FnMut(api::Progress)) -> Result<()> {
        for loaded in layers::archive::load(self.store()?, from)? {
            progress(api::Progress { stream: Some(format!("{loaded}\n")), ..Default::default() });
            let name = loaded.name.map_or_else(|| loaded.id.to_string(), |name| name.to_string());
            self.tell("image", "load", &loaded.id.to_string(), &[("name", &name)]);
        }
        Ok(())
    }

    /// Writes images into one archive.
    pub fn save(&self, names: &[String], to: &mut dyn Write) -> Result<()> {
        for name in names {
            // Docker repeats the name as it was given, without the tag it implies.
            let image = self.image(name).map_err(|error| match error.kind {
                Kind::NotFound => Error::new(Kind::NotFound, format!("No such image: {name}")),
                _ => error,
            })?;
            self.tell("image", "save", &image.id.to_string(), &[("name", name)]);
        }
        Ok(layers::archive::save(self.store()?, names, to)?)
    }

    /// Makes an image of a tar of files.
    pub fn import(&self, from: &mut (dyn Read + Send), options: &ImportOptions) -> Result<api::IdResponse> {
        let platform = Some(&options.platform).filter(|text| !text.is_empty()).map(|text| Platform::parse(text));
        let name = name(&options.repo, &options.tag)?;
        let reference = name.as_ref().map(|name| name.to_string());
        let mut config = Config::default();
        build::change::apply(&mut config, &options.changes)?;
        let import =
            Import { name, message: options.message.clone(), config, platform: platform.transpose()?, created: None };
        let id = layers::import::import(self.store()?, from, import)?.id.to_string();
        if let Some(reference) = reference {
            self.tell("image", "tag", &id, &[("name", &reference)]);
        }
        self.tell("image", "import", &id, &[("name", &id)]);
        Ok(api::IdResponse { id })
    }
}

/// The name for a new image, if it is to have one.
pub(crate) fn name(repo: &str, tag: &str) -> Result<Option<Reference>> {
    if repo.is_empty() {
        return Ok(None);
    }
    let reference = Reference::from_parts(repo, tag)?;
    if reference.digest().is_some() {
        return Err(Error::new(Kind::Invalid, "cannot import digest reference"));
    }
    Ok(Some(reference.or_latest()))
}
