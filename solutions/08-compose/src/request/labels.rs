//! By which labels a container is found again, and by which one knows whether it is still what the files say.

use super::Wanted;
use crate::labels::{
    COMPOSE, CONFIG_HASH, DEPENDS_ON, ENV_FILES, FILES, FOLDER, IMAGE, NUMBER, ONE_OFF, PROJECT, REPLACE, SERVICE,
    SLUG, VERSION,
};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The labels of the service, and docker compose's over them.
pub(super) fn of(wanted: &Wanted<'_>) -> BTreeMap<String, String> {
    let Wanted { model, service, .. } = wanted;
    let mut labels = service.labels.clone();
    let mut set = |key: &str, value: String| drop(labels.insert(key.to_owned(), value));
    set(PROJECT, model.name.clone());
    set(SERVICE, service.name.clone());
    set(VERSION, COMPOSE.to_owned());
    set(FOLDER, model.folder.to_string_lossy().into_owned());
    set(FILES, joined(&model.files));
    set(ONE_OFF, if wanted.run.is_some() { "True" } else { "False" }.to_owned());
    set(CONFIG_HASH, service.hash.clone());
    let dependency =
        |(name, on): (&String, &crate::model::Dependency)| format!("{name}:{}:{}", on.condition.as_str(), on.restart);
    set(DEPENDS_ON, service.depends_on.iter().map(dependency).collect::<Vec<_>>().join(","));
    if !model.env_files.is_empty() {
        set(ENV_FILES, joined(&model.env_files));
    }
    if !wanted.image.id.is_empty() {
        set(IMAGE, wanted.image.id.to_owned());
    }
    if let Some(number) = wanted.number {
        set(NUMBER, number.to_string());
    }
    if let Some(run) = wanted.run {
        set(SLUG, run.slug.to_owned());
    }
    if wanted.replaces {
        // Not the name of a container, but what docker compose shows for one.
        let name = match service.container_name.as_str() {
            "" => format!("{}-{}", service.name, wanted.number.unwrap_or(1)),
            name => name.to_owned(),
        };
        set(REPLACE, name);
    }
    labels
}

fn joined(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.to_string_lossy()).collect::<Vec<_>>().join(",")
}
