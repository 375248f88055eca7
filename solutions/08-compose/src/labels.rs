//! By these labels a project's containers, networks and volumes are known: to us, and to docker compose.

/// The project.
pub const PROJECT: &str = "com.docker.compose.project";
/// The service of a container.
pub const SERVICE: &str = "com.docker.compose.service";
/// Which of its service's containers it is, from 1.
pub const NUMBER: &str = "com.docker.compose.container-number";
/// `True`: it was made by `run`, and `up` lets it be.
pub const ONE_OFF: &str = "com.docker.compose.oneoff";
/// Distinguishes the containers that `run` makes.
pub const SLUG: &str = "com.docker.compose.slug";
/// [`crate::hash::config_hash`].
pub const CONFIG_HASH: &str = "com.docker.compose.config-hash";
/// The ID of its image.
pub const IMAGE: &str = "com.docker.compose.image";
/// Whom its service waits for: `db:service_healthy:false,cache:service_started:true`; the last says whether it is restarted with it.
pub const DEPENDS_ON: &str = "com.docker.compose.depends_on";
/// What a network is called in the file.
pub const NETWORK: &str = "com.docker.compose.network";
/// What a volume is called in the file.
pub const VOLUME: &str = "com.docker.compose.volume";
/// The container that it was made to replace.
pub const REPLACE: &str = "com.docker.compose.replace";
/// The folder of the project.
pub const FOLDER: &str = "com.docker.compose.project.working_dir";
/// Its files, separated by commas.
pub const FILES: &str = "com.docker.compose.project.config_files";
/// What `--env-file` named.
pub const ENV_FILES: &str = "com.docker.compose.project.environment_file";
/// The version of what made it.
pub const VERSION: &str = "com.docker.compose.version";

/// What [`VERSION`] says: the docker compose whose labels and hashes these are. A lower number would stand for other names
/// (docker-compose 1.29 takes it that before 1.21, what a project is called had no hyphens).
pub const COMPOSE: &str = "5.5.0";
/// On an image: `classic`, if a dockerd's classic builder built it.
pub const BUILDER: &str = "com.docker.compose.image.builder";
