//! Images from elsewhere and to elsewhere: `pull`, `push`, `login`, for which the work is done by [`registry`].

use crate::api::{self, Progress, ProgressDetail};
use crate::{Engine, Error, Kind, Result, bootstrap};
use layers::manifest::{Document, Platform};
use layers::{Digest, Reference};
use registry::look::Look;
use registry::progress::{Cancelled, Event, Step};
use registry::pull::{Pull, Pulled};
use registry::push::Push;
use registry::{Credentials, Settings};
use std::path::PathBuf;

/// Who hears how far it is; called from several threads.
pub type Told<'a> = &'a (dyn Fn(Progress) + Sync);

/// `POST /images/create?fromImage=…`.
#[derive(Clone, Debug, Default)]
pub struct PullOptions {
    pub image: String,
    /// A tag or a digest. Empty, with an image that names neither: all tags.
    pub tag: String,
    /// Empty: this machine's.
    pub platform: String,
    pub credentials: Option<Credentials>,
}

impl Engine {
    /// How registries are to be reached: `daemon.json` in the data root, else in `/etc/kesako`; an ordinary user's is
    /// in `~/.config/kesako`.
    ///
    /// # Errors
    /// A file that makes no sense.
    pub fn registries(&self) -> Result<Settings> {
        let home =
            || std::env::var_os("HOME").filter(|home| !home.is_empty()).map(|home| PathBuf::from(home).join(".config"));
        let base = |system: &str| match bootstrap::ordinary_user() {
            None => Some(PathBuf::from(system)),
            Some(_) => {
                let xdg = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
                xdg.or_else(home)
            }
        };
        let [own, dockers] = ["kesako", "docker"].map(|name| base("/etc").map(|base| base.join(name)));
        let own: Vec<PathBuf> = [Some(self.roots.data.clone()), own].into_iter().flatten().collect();
        Ok(Settings::read(&own, &dockers.into_iter().collect::<Vec<_>>())?)
    }

    /// Brings an image here, or all of a repository.
    ///
    /// # Errors
    /// In Docker's words.
    pub fn pull(&self, options: &PullOptions, told: Told<'_>, cancelled: Cancelled<'_>) -> Result<()> {
        let name = match options.tag.as_str() {
            "" => Reference::parse(&options.image)?,
            digest if digest.contains(':') => Reference::parse(&format!("{}@{digest}", options.image))?,
            tag => Reference::from_parts(&options.image, tag)?,
        };
        let all = name.is_name_only();
        let platform = Some(&options.platform).filter(|text| !text.is_empty()).map(|text| Platform::parse(text));
        let platform = platform.transpose()?;
        let settings = self.registries()?;
        let pull = Pull {
            store: self.store()?,
            settings: &settings,
            credentials: options.credentials.as_ref(),
            platform: platform.as_ref(),
            listener: &|event| told(progress(event)),
            cancelled,
        };
        let names = match all {
            true => pull
                .tags(&name)?
                .into_iter()
                .map(|tag| Reference::from_parts(&name.repository(), &tag))
                .collect::<layers::Result<_>>()?,
            false => vec![name.clone()],
        };
        let mut newer = false;
        for name in &names {
            let pulled = self.pull_one(&pull, name)?;
            told(status(format!("Digest: {}", pulled.digest)));
            newer |= pulled.newer;
        }
        let shown = if all { name.repository() } else { name.to_string() };
        told(status(match newer {
            true => format!("Status: Downloaded newer image for {shown}"),
            false => format!("Status: Image is up to date for {shown}"),
        }));
        Ok(())
    }

    /// Brings one image here.
    pub(crate) fn pull_one(&self, pull: &Pull<'_>, name: &Reference) -> Result<Pulled> {
        let pulled = pull.pull(name)?;
        self.tell("image", "pull", &name.to_string(), &[("name", &name.repository())]);
        Ok(pulled)
    }

    /// Brings an image to its registry: the one with this tag, or without one all of its repository.
    ///
    /// # Errors
    /// In Docker's words.
    pub fn push(
        &self,
        name: &str,
        tag: &str,
        credentials: Option<&Credentials>,
        told: Told<'_>,
        cancelled: Cancelled<'_>,
    ) -> Result<()> {
        let asked = if tag.is_empty() { Reference::parse(name)? } else { Reference::from_parts(name, tag)? };
        if asked.digest().is_some() {
            return Err(Error::new(Kind::Invalid, "cannot push a digest reference"));
        }
        let repository = asked.repository();
        told(status(format!("The push refers to repository [{}/{}]", asked.domain(), asked.path())));
        let mut tags: Vec<Reference> = self.store()?.images()?.into_iter().flat_map(|image| image.names).collect();
        tags.retain(|tag| tag.digest().is_none() && tag.same_repository(&asked));
        tags.sort();
        if tags.is_empty() {
            let why = format!("An image does not exist locally with the tag: {repository}");
            return Err(Error::new(Kind::NotFound, why));
        }
        if asked.tag().is_some() {
            tags.retain(|tag| *tag == asked);
            if tags.is_empty() {
                return Err(Error::new(Kind::NotFound, format!("tag does not exist: {asked}")));
            }
        }
        let settings = self.registries()?;
        let listener = |event| told(progress(event));
        let push = Push { store: self.store()?, settings: &settings, credentials, listener: &listener, cancelled };
        for name in tags {
            let pushed = push.push(&name)?;
            self.tell("image", "push", &name.to_string(), &[("name", &repository)]);
            let (tag, digest) = (name.tag().unwrap_or_default().to_owned(), pushed.digest.to_string());
            told(status(format!("{tag}: digest: {digest} size: {}", pushed.size)));
            let aux = api::Aux::Pushed(api::PushedTag { tag, digest, size: pushed.size });
            told(Progress { progress_detail: Some(ProgressDetail::default()), aux: Some(aux), ..Progress::default() });
        }
        Ok(())
    }

    /// Asks a registry whether it knows this user.
    ///
    /// # Errors
    /// [`Kind::Unauthorized`] if it does not.
    pub fn login(&self, credentials: &Credentials) -> Result<api::LoginAnswer> {
        let token = registry::login::login(&self.registries()?, credentials).map_err(|error| match error {
            registry::Error::Login { .. } => Error::new(Kind::Unauthorized, error.to_string()),
            registry::Error::Answer { status: 401 | 403, .. } | registry::Error::NoToken { status: 401 | 403, .. } => {
                Error::new(Kind::Unauthorized, error.to_string())
            }
            error => error.into(),
        })?;
        let status = "Login Succeeded".to_owned();
        Ok(api::LoginAnswer { status, identity_token: token.unwrap_or_default() })
    }

    /// What a registry has under this name, without pulling it.
    ///
    /// # Errors
    /// In Docker's words.
    pub fn distribution(&self, name: &str, credentials: Option<&Credentials>) -> Result<api::DistributionInspect> {
        let name = Reference::parse(name)?.or_latest();
        let settings = self.registries()?;
        let look = Look::at(&settings, credentials, &name)?;
        let raw = look.manifest()?;
        let platforms = match Document::parse(&raw.bytes, &raw.media_type)? {
            Document::Index(index) => index.manifests.into_iter().filter_map(|one| one.platform).collect(),
            Document::Manifest(manifest) => {
                let config = look.config(&manifest)?;
                let (architecture, os, variant) = (config.architecture, config.os, config.variant);
                vec![Platform { architecture, os, variant, ..Platform::default() }]
            }
        };
        Ok(api::DistributionInspect {
            descriptor: api::DistributionDescriptor {
                media_type: raw.media_type,
                digest: raw.digest.to_string(),
                size: raw.bytes.len() as u64,
            },
            platforms,
        })
    }
}

fn status(text: String) -> Progress {
    Progress { status: Some(text), ..Progress::default() }
}

/// An event as a line of the API's stream.
fn progress(event: Event) -> Progress {
    match event {
        Event::Note { id, text } => Progress { id, ..status(text) },
        Event::Layer { id, step } => layer(&id, &step),
    }
}

fn layer(id: &Digest, step: &Step) -> Progress {
    let detail = step.detail();
    let progress_detail = detail.map_or_else(ProgressDetail::default, |(current, total)| ProgressDetail {
        current: Some(current),
        total: Some(total),
    });
    Progress {
        id: Some(id.short()),
        progress_detail: Some(progress_detail),
        progress: detail.map(|(current, total)| api::progress_bar(current, total)),
        ..status(step.text())
    }
}

impl From<registry::Error> for Error {
    fn from(error: registry::Error) -> Self {
        use registry::Error as E;
        let kind = match error {
            E::Layers(error) => return error.into(),
            E::NoManifest { .. } | E::NoRepository { .. } | E::PullDenied { .. } | E::NoPlatform(_) => Kind::NotFound,
            E::WrongPlatform { .. } => Kind::NotFound,
            _ => Kind::System,
        };
        Self::new(kind, error.to_string())
    }
}
