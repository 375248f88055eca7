//! What a build is made of: the context, and the Dockerfile in it or beside it.

use super::Site;
use crate::api::BuildOptions;
use crate::{Error, Kind, Result};
use build::context::{Context, Tree};
use build::dockerfile::{self, Parsed};
use build::ignore::Ignore;
use build::progress::Event;
use std::collections::BTreeMap;
use std::fs;
use std::io::Read;

/// Opens the context (a folder, what an address leads to, or the archive that is read from `body`), and reads the Dockerfile.
pub(super) fn read(
    site: &Site<'_>,
    options: &BuildOptions,
    given: &BTreeMap<String, String>,
    body: Option<&mut (dyn Read + Send)>,
) -> Result<(Context, Parsed)> {
    let mut context = context(site, options, body)?;
    let shown = match &options.dockerfile_text {
        Some((name, _)) => name,
        None => options.dockerfile.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or("Dockerfile"),
    };
    let (name, text) = site.step(&format!("[internal] load build definition from {shown}"), |id| {
        let (name, text) = dockerfile(context.tree(), options)?;
        let bytes = text.len() as u64;
        let what = "transferring dockerfile:".to_owned();
        (site.listener)(Event::Status { id, what, current: bytes, total: None });
        Ok((name, text))
    })?;
    (site.listener)(Event::Dockerfile { file: name.clone(), text: String::from_utf8_lossy(&text).into_owned() });
    match &options.ignore_text {
        Some(text) => context.tree_mut().set_ignore(Ignore::parse(".dockerignore", text.as_bytes())?),
        None => context.tree_mut().read_ignore(Some(&name))?,
    }
    Ok((context, dockerfile::parse_for(&name, &text, given).map_err(|error| site.blame(error))?))
}

fn context(site: &Site<'_>, options: &BuildOptions, body: Option<&mut (dyn Read + Send)>) -> Result<Context> {
    let limits = site.store.limits();
    match (&options.context_folder, &options.context_url, body) {
        (Some(folder), ..) => Ok(Context::folder(folder, Some(site.store.pins().folder()))?),
        (None, Some(url), _) => Ok(Context::url(url, site.folder, limits, Some(site.cancel))?),
        (None, None, Some(body)) => {
            let mut first = [0];
            let count = body.read(&mut first).map_err(|e| Error::system("receive the build context", e))?;
            // Only a Dockerfile came.
            if count == 0 && options.dockerfile_text.is_some() {
                return nothing(site);
            }
            Ok(Context::archive(first[..count].chain(body), site.folder, limits)?)
        }
        (None, None, None) => nothing(site),
    }
}

fn nothing(site: &Site<'_>) -> Result<Context> {
    let empty = site.folder.join("nothing");
    fs::create_dir(&empty).map_err(|e| Error::system(format!("create {}", empty.display()), e))?;
    Ok(Context::folder(&empty, None)?)
}

/// The Dockerfile's name and text.
fn dockerfile(tree: &Tree, options: &BuildOptions) -> Result<(String, Vec<u8>)> {
    if let Some((name, text)) = &options.dockerfile_text {
        return Ok((name.clone(), text.clone().into_bytes()));
    }
    let asked = options.dockerfile.as_str();
    // Some write it small.
    let names = if asked.is_empty() { &["Dockerfile", "dockerfile"][..] } else { &[asked] };
    for name in names {
        if let Some(text) = tree.read(name)? {
            return Ok(((*name).to_owned(), text));
        }
    }
    let text = format!("failed to read dockerfile: open {}: no such file or directory", names[0]);
    Err(Error::new(Kind::Invalid, text))
}
