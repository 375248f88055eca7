//! The images that services need: pulled or built where they are missing.

use super::Context;
use super::build::{self, Builds};
use super::pull::{self, Fallback};
use ::compose::model::{Model, Service};
use ::compose::policy::Policy;
use ::compose::steps::Report;
use ::daemon::Client;
use engine::api::ImageInspect;
use futures_util::future::join_all;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

/// What is done about images.
#[derive(Clone, Debug, Default)]
pub(super) struct How {
    /// `--build`: what can be built is, even if it is here.
    pub build: bool,
    /// `--no-build`: nothing is.
    pub no_build: bool,
    /// `--pull`: in the place of each service's own policy.
    pub pull: Option<String>,
    pub quiet_pull: bool,
    pub builds: Builds,
}

/// Sees to it that the images of these services are here. Returns their IDs by service; one that is missing and that nobody may
/// pull or build is not among them.
pub(super) async fn ensure(
    context: &Context,
    client: &Rc<Client>,
    model: &Model,
    how: &How,
    report: &dyn Report,
) -> anyhow::Result<BTreeMap<String, String>> {
    let needs: Vec<Need> =
        model.services.values().map(|service| Need::of(model, service, how)).collect::<Result<_, _>>()?;
    let mut here = look(client, &needs).await?;
    pull(client, &needs, &mut here, how, report).await?;
    if !how.no_build {
        let is_built = |need: &&Need| {
            need.service.build.is_some() && (need.policy == Policy::Build || !here.contains_key(&need.image))
        };
        let services: Vec<&str> = needs.iter().filter(is_built).map(|need| need.service.name.as_str()).collect();
        for (service, id) in build::build(context, client, model, &services, &how.builds, report).await? {
            let service = &model.services[&service];
            here.insert(Image::of(model, service), Here { id, age: Duration::ZERO });
        }
    }
    let id = |need: &Need| Some((need.service.name.clone(), here.get(&need.image)?.id.clone()));
    Ok(needs.iter().filter_map(id).collect())
}

/// An image that a service needs.
struct Need<'a> {
    service: &'a Service,
    image: Image,
    policy: Policy,
}

/// By its name, and for which platform; empty is ours.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Image {
    pub name: String,
    pub platform: String,
}

/// One that is here.
pub(super) struct Here {
    id: String,
    /// Since it was pulled or built.
    pub age: Duration,
}

impl Image {
    pub fn of(model: &Model, service: &Service) -> Self {
        let default = || model.variables.get("DOCKER_DEFAULT_PLATFORM").cloned().unwrap_or_default();
        let platform = Some(service.platform.clone()).filter(|platform| !platform.is_empty()).unwrap_or_else(default);
        Self { name: service.image_name(&model.name), platform }
    }
}

impl<'a> Need<'a> {
    fn of(model: &Model, service: &'a Service, how: &How) -> anyhow::Result<Self> {
        let policy = match &how.pull {
            _ if how.build && service.build.is_some() => Policy::Build,
            Some(flag) if matches!(flag.as_str(), "always" | "never" | "build" | "missing" | "if_not_present") => {
                Policy::parse(flag).unwrap_or_default()
            }
            Some(flag) => anyhow::bail!("invalid --pull option {flag:?}"),
            None => policy(service)?,
        };
        Ok(Self { service, image: Image::of(model, service), policy })
    }
}

/// A service's own.
pub(super) fn policy(service: &Service) -> anyhow::Result<Policy> {
    let policy = Policy::parse(&service.pull_policy);
    policy.ok_or_else(|| anyhow::anyhow!("service {:?}: invalid pull_policy {:?}", service.name, service.pull_policy))
}

/// Which of them are here.
async fn look(client: &Client, needs: &[Need<'_>]) -> anyhow::Result<BTreeMap<Image, Here>> {
    let images: BTreeSet<&Image> = needs.iter().map(|need| &need.image).collect();
    let found = join_all(images.into_iter().map(async |image| Ok((image.clone(), find(client, image).await?)))).await;
    let found: Vec<(Image, Option<Here>)> = found.into_iter().collect::<anyhow::Result<_>>()?;
    Ok(found.into_iter().filter_map(|(image, here)| Some((image, here?))).collect())
}

/// The image, if it is here; one for another platform is not what was asked for.
pub(super) async fn find(client: &Client, image: &Image) -> anyhow::Result<Option<Here>> {
    let inspect: ImageInspect = match client.get(format!("/images/{}/json", image.name)).json().await {
        Ok(inspect) => inspect,
        Err(error) if error.is_not_found() => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let fits = image.platform.is_empty()
        || image.platform.split('/').enumerate().all(|(part, asked)| match part {
            0 => inspect.os == asked,
            1 => inspect.architecture == asked,
            // Not all images say it.
            _ => inspect.variant.as_ref().is_none_or(|variant| variant.is_empty() || variant == asked),
        });
    let age =
        inspect.metadata.last_tag_time.parse::<jiff::Timestamp>().map_or(Duration::ZERO, |since| {
            jiff::Timestamp::now().duration_since(since).try_into().unwrap_or_default()
        });
    Ok(fits.then_some(Here { id: inspect.id, age }))
}

/// Pulls what the policies say, all at once. One that can also be built needs not to be pulled.
async fn pull(
    client: &Client,
    needs: &[Need<'_>],
    here: &mut BTreeMap<Image, Here>,
    how: &How,
    report: &dyn Report,
) -> anyhow::Result<()> {
    let is_pulled =
        |need: &&Need| !need.service.image.is_empty() && need.policy.pulls(here.get(&need.image).map(|here| here.age));
    let fallback = |need: &Need<'_>| {
        // It is enough that one of those who use the image can build it.
        let can_be_built =
            |other: &Need<'_>| other.service.build.is_some() && other.service.image == need.service.image;
        if needs.iter().any(can_be_built) { Fallback::Build } else { Fallback::None }
    };
    let images: BTreeMap<&Image, Fallback> =
        needs.iter().filter(is_pulled).map(|need| (&need.image, fallback(need))).collect();
    let wanted: Vec<&Image> = images.keys().copied().collect();
    let failed = pull::pull(client, images, how.quiet_pull, report).await?;
    for image in wanted.into_iter().filter(|image| failed.iter().all(|(failed, _)| failed != image)) {
        if let Some(found) = find(client, image).await? {
            here.insert(image.clone(), found);
        }
    }
    Ok(())
}
