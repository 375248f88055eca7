//! `kesako cp`: files between a container and this host. What is archived, what it is then called and where it is unpacked, the two
//! sides together decide; the rules are Docker's, and the API only knows archives.

mod local;
mod progress;

use super::Verb;
use crate::session::Session;
use crate::terminal::{self, Writer};
use daemon::Client;
use daemon::client::copy::{self, Incoming, Outgoing};
use local::{Source, Target, absolute, base, join, split};
use progress::{Progress, Quiet};
use std::ffi::OsString;
use std::path::PathBuf;

/// Copy files/folders between a container and the local filesystem
#[derive(Debug, clap::Args)]
pub(super) struct Copy {
    /// Archive mode (copy all uid/gid information)
    #[arg(short, long)]
    archive: bool,
    /// Always follow symlinks in SRC_PATH
    #[arg(short = 'L', long)]
    follow_link: bool,
    #[command(flatten)]
    quiet: Quiet,
    #[arg(required = true)]
    source: String,
    #[arg(required = true)]
    destination: String,
}

impl Verb for Copy {
    async fn run(self, session: Session) -> anyhow::Result<()> {
        for (given, what) in [(&self.source, "source"), (&self.destination, "destination")] {
            if given.is_empty() {
                anyhow::bail!("{what} can not be empty");
            }
        }
        let (source, destination) = (self.source.clone(), self.destination.clone());
        match (container_and_path(&source), container_and_path(&destination)) {
            (Some(_), Some(_)) => anyhow::bail!("copying between containers is not supported"),
            (None, None) => anyhow::bail!("must specify at least one container source"),
            (Some((container, path)), None) => self.from(&session.connect()?, container, path, &destination).await,
            (None, Some((container, path))) => self.into(&session.connect()?, &source, container, path).await,
        }
    }
}

/// `CONTAINER:PATH`; None for a path of this host, in which a colon has to come after a slash or a dot.
pub(super) fn container_and_path(word: &str) -> Option<(&str, &str)> {
    let (container, path) = word.split_once(':')?;
    let is_local = word.starts_with('/') || container.is_empty() || container.starts_with('.');
    (!is_local).then_some((container, path))
}

impl Copy {
    /// Without telling how it goes.
    pub(super) fn quiet(archive: bool, follow_link: bool, source: String, destination: String) -> Self {
        Self { archive, follow_link, quiet: Quiet(true), source, destination }
    }

    fn progress(&self, header: &'static str) -> Progress {
        Progress::new(header, self.quiet.0)
    }

    async fn from(self, client: &Client, container: &str, path: &str, destination: &str) -> anyhow::Result<()> {
        if destination != "-" {
            local::check_output(&absolute(destination)?)?;
        }
        let (path, rebased) = match self.follow_link {
            true => follow(client, container, path).await,
            false => (path.to_owned(), None),
        };
        let (stat, archive) = client.copy_from(container, &path).await?;
        if destination == "-" {
            return terminal::raw(archive, &mut Writer::stdout()).await;
        }
        let shown = absolute(destination)?;
        let progress = self.progress("Copying from container - ");
        let archive = progress.watch(archive);
        let target = local::target(&shown)?;
        let (folder, name) = arrange(stat.is_folder(), &target)?;
        // As the daemon calls it, and what it becomes.
        let old = match base(&path) {
            "." | "/" | "" => None,
            old => Some(OsString::from(old)),
        };
        let rename = name.or(rebased).map(|new| (old, OsString::from(new)));
        copy::unpack(archive, Incoming { folder: PathBuf::from(folder), rename }).await?;
        progress.done(&shown);
        Ok(())
    }

    async fn into(self, client: &Client, source: &str, container: &str, path: &str) -> anyhow::Result<()> {
        let target = in_container(client, container, path).await?;
        let progress = self.progress("Copying to container - ");
        let request = |folder: &str| {
            let request = client.put(format!("/containers/{container}/archive")).query("path", folder);
            let request = request.query("noOverwriteDirNonDir", true);
            if self.archive { request.query("copyUIDGID", true) } else { request }
        };
        if source == "-" {
            if !target.is_folder() {
                anyhow::bail!("destination \"{container}:{path}\" must be a directory");
            }
            request(&target.path).body_stream(progress.watch(Box::pin(tokio::io::stdin()))).send().await?;
            return Ok(());
        }
        let Source { folder, path: within, is_folder, name } = Source::find(&absolute(source)?, self.follow_link)?;
        let (into, new) = arrange(is_folder, &target)?;
        let archive = copy::archive(Outgoing { folder, path: within, name: PathBuf::from(new.unwrap_or(name)) })?;
        request(&into).body_stream(progress.watch(Box::pin(archive))).send().await?;
        progress.done(&format!("{container}:{}", target.path));
        Ok(())
    }
}

/// `-L`: what a link of the container leads to, and what it is to be called all the same.
async fn follow(client: &Client, container: &str, path: &str) -> (String, Option<String>) {
    // What is not there is told when it is asked for.
    match client.path_stat(container, path).await {
        Ok(stat) if stat.is_link() => {
            let target = join(split(path).0, &stat.link_target);
            let name = base(path);
            let new = (name != base(&target)).then(|| name.to_owned());
            (target, new)
        }
        _ => (path.to_owned(), None),
    }
}

/// What is at the destination. An error is none here: perhaps the folder above is there, and if it is not, the daemon will say so.
async fn in_container(client: &Client, container: &str, path: &str) -> anyhow::Result<Target> {
    let mut target = Target { path: path.to_owned(), there: None };
    let Ok(mut stat) = client.path_stat(container, path).await else { return Ok(target) };
    if stat.is_link() {
        target.path = join(split(path).0, &stat.link_target);
        match client.path_stat(container, &target.path).await {
            Ok(found) => stat = found,
            Err(_) => return Ok(target),
        }
    }
    if stat.is_device() {
        anyhow::bail!("destination \"{container}:{path}\" must be a directory or a regular file: got a device");
    }
    target.there = Some(stat.is_folder());
    Ok(target)
}

/// In which folder the archive of a source is unpacked, and what it has to be called in it, if not as it is (go-archive,
/// `PrepareArchiveCopy`).
fn arrange(source_is_folder: bool, target: &Target) -> anyhow::Result<(String, Option<String>)> {
    let (folder, name) = split(&target.path);
    match (target.there, source_is_folder) {
        (Some(true), _) => Ok((target.path.clone(), None)),
        (Some(false), true) => anyhow::bail!("cannot copy directory"),
        (None, false) if local::says_folder(&target.path) => anyhow::bail!("no such directory"),
        _ => Ok((folder, Some(name))),
    }
}
