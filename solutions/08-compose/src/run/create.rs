//! A container, made as its service says.

use super::converge::{Converge, Now, Recreate};
use super::gone;
use crate::containers::Container;
use crate::error::{Error, Result};
use crate::labels;
use crate::model::Service;
use crate::request;
use daemon::Client;
use engine::api::{ContainerSummary, CreateResponse, ImageInspect, NetworkConnect};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::time::Duration;
use std::time::{SystemTime, UNIX_EPOCH};

/// What is asked of containers that are made, and of those that are there.
#[derive(Clone, Debug, Default)]
pub struct Creation {
    /// The services that were named; none is all.
    pub services: Vec<String>,
    /// For the services that were named, and for those they wait for.
    pub recreate: Recreate,
    pub recreate_dependencies: Recreate,
    /// A new container takes over the anonymous volumes of the one it replaces.
    pub inherit: bool,
    pub remove_orphans: bool,
    pub ignore_orphans: bool,
    /// Seconds to stop, where it is not the service's own.
    pub timeout: Option<i64>,
}

/// For so long, and so often, a container is looked for whose name is taken.
const A_MOMENT: Duration = Duration::from_millis(20);
const PATIENCE: u32 = 25;

impl Converge<'_> {
    pub(super) async fn create(&self, service: &Service, number: u32, now: &Now) -> Result<Container> {
        let name = service.container_name(&self.model.name, number);
        let object = format!("Container {name}");
        self.report.working(&object, "Creating");
        let made = match self.make(service, &name, number, None, now).await {
            Err(Error::Engine(error)) if error.status == 409 => self.adopt(service, &name, now, error).await,
            made => made,
        };
        match &made {
            Ok(_) => self.report.done(&object, "Created"),
            Err(error) => self.report.failed(&object, &error.to_string()),
        }
        made
    }

    /// Its name is taken: if by the very container that is wanted, another `up` is at work, and has made it.
    async fn adopt(&self, service: &Service, name: &str, now: &Now, error: daemon::Error) -> Result<Container> {
        let hash = self.hash(service, now);
        // A name is taken before there is a container to be seen.
        for _ in 0..PATIENCE {
            let there = self.containers().await?;
            match there.into_iter().find(|container| container.name == name) {
                Some(made) if made.service == service.name && made.label(labels::CONFIG_HASH) == hash => {
                    return Ok(made);
                }
                Some(_) => break,
                None => tokio::time::sleep(A_MOMENT).await,
            }
        }
        Err(error.into())
    }

    /// Makes a container, in the place of `old` if there is one.
    pub(super) async fn make(
        &self,
        service: &Service,
        name: &str,
        number: u32,
        old: Option<&Container>,
        now: &Now,
    ) -> Result<Container> {
        let others = |containers: &Vec<Container>| containers.iter().map(|container| container.name.clone()).collect();
        let others: BTreeMap<String, Vec<String>> =
            now.borrow().iter().map(|(service, containers)| (service.clone(), others(containers))).collect();
        let id = self.images.get(&service.name).map_or("", String::as_str);
        let inherit = old.filter(|_| self.how.inherit).map_or(&[][..], |old| &old.summary.mounts);
        let volumes = if inherit.is_empty() { Vec::new() } else { self.volumes_of(id).await? };
        let service = Service { hash: self.hash(service, now), ..service.clone() };
        let wanted = request::Wanted {
            model: self.model,
            service: &service,
            name,
            number: Some(number),
            run: None,
            image: request::Image { id, volumes: &volumes },
            api: self.api,
            others: &others,
            inherit,
            replaces: old.is_some(),
        };
        let made = request::container(&wanted)?;
        let id = container(self.client, &made).await?;
        let labels = made.create.config.labels.clone();
        let summary = ContainerSummary {
            id,
            names: vec![format!("/{name}")],
            labels,
            state: "created".into(),
            ..ContainerSummary::default()
        };
        Ok(Container::new(summary))
    }

    /// Where an image has its `VOLUME`s.
    async fn volumes_of(&self, id: &str) -> Result<Vec<String>> {
        let image: ImageInspect = self.client.get(format!("/images/{id}/json")).json().await?;
        Ok(image.config.volumes.into_iter().flatten().map(|(path, _)| path).collect())
    }

    /// The hash of a service. Whose namespaces or volumes it shares is part of what it is: if that container is another one, this
    /// one has to be.
    pub(super) fn hash(&self, service: &Service, now: &Now) -> String {
        let modes = [&service.network_mode, &service.ipc, &service.pid];
        let of_mode = modes.into_iter().filter_map(|mode| Service::shared(mode));
        let of_volumes = service.volumes_from.iter().map(|text| text.split(':').next().unwrap_or_default());
        let now = now.borrow();
        let ids: Vec<&str> =
            of_mode.chain(of_volumes).filter_map(|name| Some(now.get(name)?.first()?.id.as_str())).collect();
        if ids.is_empty() {
            return service.hash.clone();
        }
        let digest = Sha256::digest(format!("{} {}", service.hash, ids.join(" ")));
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Makes a container, whole or not at all, and tells its ID.
///
/// # Errors
/// The engine refuses it.
pub async fn container(client: &Client, made: &request::Container) -> Result<String> {
    let platform = Some(&made.platform).filter(|platform| !platform.is_empty());
    let request = client.post("/containers/create").query("name", &made.name).query_opt("platform", platform);
    let created: CreateResponse = request.body_json(&made.create).json().await?;
    created.warnings.iter().for_each(|warning| tracing::warn!("{}: {warning}", made.name));
    if let Err(error) = complete(client, made, &created.id).await {
        // With half of what it needs it would pass for one that is as it should be.
        let removed = client.delete(format!("/containers/{}", created.id)).query("force", true).query("v", true);
        if let Err(why) = gone(removed.send().await) {
            tracing::warn!("{} is not complete, and stays: {why}", made.name);
        }
        return Err(error);
    }
    Ok(created.id)
}

/// What an old engine does not take with the rest; and files.
async fn complete(client: &Client, made: &request::Container, id: &str) -> Result<()> {
    for (network, endpoint) in &made.connect {
        let request = NetworkConnect { container: id.to_owned(), endpoint_config: Some(endpoint.clone()) };
        client.post(format!("/networks/{network}/connect")).body_json(&request).send().await?;
    }
    copy_files(client, &made.files, id).await
}

/// Copies secrets and configs into a container.
pub(super) async fn copy_files(client: &Client, files: &[request::File], id: &str) -> Result<()> {
    if files.is_empty() {
        return Ok(());
    }
    let failed = |error: std::io::Error| Error::Failed(format!("cannot pack secrets and configs: {error}"));
    let archive = archive(files).map_err(failed)?;
    let request = client.put(format!("/containers/{id}/archive")).query("path", "/");
    Ok(request.body_stream(std::io::Cursor::new(archive)).send().await?)
}

fn archive(files: &[request::File]) -> std::io::Result<Vec<u8>> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut archive = tar::Builder::new(Vec::new());
    for file in files {
        let mut header = tar::Header::new_gnu();
        header.set_mode(file.mode);
        header.set_uid(file.uid.into());
        header.set_gid(file.gid.into());
        header.set_size(file.content.len() as u64);
        header.set_mtime(now.as_secs());
        archive.append_data(&mut header, file.path.trim_start_matches('/'), file.content.as_bytes())?;
    }
    archive.into_inner()
}
