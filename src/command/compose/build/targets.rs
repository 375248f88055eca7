//! From a service's `build` to what a builder is asked for.

use super::{Builds, Context, Job, Target};
use crate::command::build::{self, Dockerfile};
use crate::command::compose::images::Image;
use ::compose::labels;
use ::compose::model::{Build, Grant, Model, Service};
use ::daemon::Client;
use ::registry::credentials::File;
use anyhow::{Result, anyhow, bail};
use engine::api::{BuildOptions, Secret};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::rc::Rc;

/// An image of another service, as a context.
const SERVICE: &str = "service:";

/// The services that are to be built, each after those whose images it is made of. These need not take part otherwise: the model
/// has them, too.
pub(super) fn order(context: &Context, model: &Model, services: &[&str]) -> Result<(Model, Vec<String>)> {
    let mut model = model.clone();
    let mut order = Vec::new();
    let mut open: Vec<(String, bool)> = services.iter().rev().map(|name| ((*name).to_owned(), false)).collect();
    // A service is met twice: before those that it is made of, and after them.
    let mut begun = BTreeSet::new();
    while let Some((name, is_after)) = open.pop() {
        if is_after {
            order.push(name);
            continue;
        }
        if order.contains(&name) {
            continue;
        }
        if !begun.insert(name.clone()) {
            bail!("dependency cycle detected: the image of service {name:?} is made of itself");
        }
        if !model.services.contains_key(&name) {
            let others = context.project_of_images(std::slice::from_ref(&name))?.model().map_err(super::super::fail)?;
            model.services.extend(others.services.into_iter().filter(|(other, _)| *other == name));
            model.secrets.extend(others.secrets);
        }
        let Some(build) = model.services.get(&name).and_then(|service| service.build.as_ref()) else { continue };
        open.push((name, true));
        open.extend(made_of(build).map(|other| (other.to_owned(), false)));
    }
    Ok((model, order))
}

/// The services whose images a build uses.
fn made_of(build: &Build) -> impl Iterator<Item = &str> {
    build.additional_contexts.values().filter_map(|place| place.strip_prefix(SERVICE))
}

pub(super) async fn target(
    client: &Rc<Client>,
    model: &Model,
    service: &Service,
    how: &Builds,
    is_dockerd: bool,
) -> Result<Target> {
    let default = Build::default();
    let build = service.build.as_ref().unwrap_or(&default);
    refuse(service, build, how, is_dockerd)?;
    let mut job = Job {
        client: client.clone(),
        options: options(model, service, build, how)?,
        context: build::place(&build.context)?,
        ignore: None,
        classic: if is_dockerd { classic(build, how)? } else { Vec::new() },
    };
    if is_dockerd {
        job.options.labels.insert(labels::BUILDER.to_owned(), "classic".to_owned());
    }
    match build.dockerfile_inline.as_str() {
        "" => {
            let (context, dockerfile) = build::find(&build.context, dockerfile(build).as_deref()).await?;
            job.context = context;
            job.set_dockerfile(dockerfile);
        }
        text => job.set_dockerfile(Dockerfile::Text { name: "Dockerfile".into(), text: text.to_owned(), ignore: None }),
    }
    let is_built = |name: &&str| model.services.get(*name).is_some_and(|service| service.build.is_some());
    let after = made_of(build).filter(is_built).map(str::to_owned).collect();
    Ok(Target { name: service.name.clone(), after, job })
}

/// Where it is, seen from the context; None is where everybody looks for it.
fn dockerfile(build: &Build) -> Option<String> {
    match build.dockerfile.as_str() {
        "" | "Dockerfile" => None,
        file if build.context.contains("://") => Some(file.to_owned()),
        // Joined to an absolute path, the context is no more.
        file => Some(Path::new(&build.context).join(file).to_string_lossy().into_owned()),
    }
}

fn options(model: &Model, service: &Service, build: &Build, how: &Builds) -> Result<BuildOptions> {
    let mut args = build.args.clone();
    args.extend(how.args.clone());
    for (name, value) in args.iter_mut().filter(|(_, value)| value.is_none()) {
        *value = model.variables.get(name).cloned();
    }
    if let Some(epoch) = model.variables.get(build::EPOCH) {
        args.entry(build::EPOCH.to_owned()).or_insert_with(|| Some(epoch.clone()));
    }
    let mut image_labels = build.labels.clone();
    for (label, value) in
        [(labels::PROJECT, model.name.as_str()), (labels::SERVICE, &service.name), (labels::VERSION, labels::COMPOSE)]
    {
        image_labels.insert(label.to_owned(), value.to_owned());
    }
    let mut tags = build.tags.clone();
    tags.push(service.image_name(&model.name));
    let ssh = build.ssh.iter().map(|(id, path)| match path {
        Some(path) if !path.is_empty() => format!("{id}={path}"),
        _ => id.clone(),
    });
    Ok(BuildOptions {
        tags,
        source_date_epoch: build::epoch(&args)?,
        build_args: args,
        target: build.target.clone(),
        labels: image_labels,
        registries: File::of_user().map(|file| file.all()).unwrap_or_default(),
        pull: build.pull || how.pull,
        no_cache: build.no_cache || how.no_cache,
        no_cache_filter: build.no_cache_filter.clone(),
        network: if build.network.is_empty() { "default".to_owned() } else { build.network.clone() },
        add_hosts: build.extra_hosts.iter().map(|host| build::host(host)).collect::<Result<_>>()?,
        platform: platform(model, service, build, how)?,
        contexts: contexts(model, build)?,
        secrets: build.secrets.iter().map(|grant| secret(model, grant)).collect::<Result<_>>()?,
        ssh: ssh.chain(how.ssh.clone()).map(|text| build::ssh(&text)).collect::<Result<_>>()?,
        ..BuildOptions::default()
    })
}

/// That of the service, or the one that the image is to have.
fn platform(model: &Model, service: &Service, build: &Build, how: &Builds) -> Result<String> {
    let platform = Image::of(model, service).platform;
    match build.platforms.as_slice() {
        [] => Ok(platform),
        platforms if !platform.is_empty() && !platforms.contains(&platform) => {
            bail!("service {:?} build configuration does not support platform: {platform}", service.name)
        }
        [only] => Ok(only.clone()),
        _ if how.all_platforms => Err(unsupported(service, "platforms", "several platforms in one image")),
        _ => Ok(platform),
    }
}

fn contexts(model: &Model, build: &Build) -> Result<BTreeMap<String, String>> {
    let one = |(name, place): (&String, &String)| match place.strip_prefix(SERVICE) {
        Some(other) => {
            let other = model.services.get(other).ok_or_else(|| anyhow!("no such service: {other}"))?;
            Ok((name.to_lowercase(), format!("docker-image://{}", other.image_name(&model.name))))
        }
        None => build::named_context(&format!("{name}={place}")),
    };
    build.additional_contexts.iter().map(one).collect()
}

fn secret(model: &Model, grant: &Grant) -> Result<Secret> {
    let id = if grant.target.is_empty() { &grant.source } else { &grant.target };
    let Some(secret) = model.secrets.get(&grant.source) else { bail!("undefined build secret {}", grant.source) };
    let value = match (secret.environment.as_str(), secret.file.as_str()) {
        ("", "") => bail!("build secret {:?} is neither a file nor a variable", grant.source),
        ("", file) => return build::secret(&format!("id={id},type=file,\"src={file}\"")),
        (variable, _) => model.variables.get(variable).cloned().unwrap_or_default(),
    };
    build::named_secret(id.clone(), value.into_bytes())
}

/// What only a classic builder has a use for.
fn classic(build: &Build, how: &Builds) -> Result<Vec<(&'static str, String)>> {
    let mut parameters = Vec::new();
    if build.shm_size.0 != 0 {
        parameters.push(("shmsize", build.shm_size.0.to_string()));
    }
    if how.memory != 0 {
        parameters.push(("memory", how.memory.to_string()));
    }
    if !build.ulimits.is_empty() {
        let limit = |(name, limit): (&String, &::compose::model::Ulimit)| serde_json::json!({ "Name": name, "Soft": limit.soft, "Hard": limit.hard });
        parameters.push(("ulimits", serde_json::to_string(&build.ulimits.iter().map(limit).collect::<Vec<_>>())?));
    }
    if !build.cache_from.is_empty() {
        parameters.push(("cachefrom", serde_json::to_string(&build.cache_from)?));
    }
    Ok(parameters)
}

/// What the builder cannot do is refused by name.
fn refuse(service: &Service, build: &Build, how: &Builds, is_dockerd: bool) -> Result<()> {
    let is_asked = |text: &str| !matches!(text, "" | "false");
    let by_nobody = [
        ("cache_to", !build.cache_to.is_empty(), "what is built here stays here"),
        ("entitlements", !build.entitlements.is_empty(), "there are no entitlements to be given"),
        ("privileged", build.privileged, "a command of a build has no more rights than one of a container"),
        ("provenance", is_asked(&build.provenance), "images carry no attestations"),
        ("sbom", is_asked(&build.sbom), "images carry no attestations"),
    ];
    let by_kesako = [
        ("cache_from", !build.cache_from.is_empty(), "what was built here is reused without it"),
        ("shm_size", build.shm_size.0 != 0, "the commands of a build have no limits of their own"),
        ("ulimits", !build.ulimits.is_empty(), "the commands of a build have no limits of their own"),
    ];
    const CLASSIC: &str = "the classic builder of dockerd has no such thing";
    let by_dockerd = [
        ("additional_contexts", !build.additional_contexts.is_empty(), CLASSIC),
        ("no_cache_filter", !build.no_cache_filter.is_empty(), CLASSIC),
        ("secrets", !build.secrets.is_empty(), CLASSIC),
        ("ssh", !build.ssh.is_empty() || how.ssh.is_some(), CLASSIC),
    ];
    let rest = if is_dockerd { &by_dockerd[..] } else { &by_kesako[..] };
    match by_nobody.iter().chain(rest).find(|(_, is_asked, _)| *is_asked) {
        Some((key, _, why)) => Err(unsupported(service, key, why)),
        None if how.memory != 0 && !is_dockerd => {
            bail!("--memory: not supported: the commands of a build have no limits of their own")
        }
        None => Ok(()),
    }
}

fn unsupported(service: &Service, key: &str, why: &str) -> anyhow::Error {
    anyhow!("services.{}.build.{key}: not supported: {why}", service.name)
}
