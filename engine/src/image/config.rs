//! A recipe in its two forms: the image format's, which holds what matters to an image, and the Engine API's, which has
//! fields for a container besides.

use crate::api::{ContainerConfig, Empty, HealthConfig, Keys};
use layers::image::{Config, Healthcheck};

impl From<&Config> for ContainerConfig {
    fn from(image: &Config) -> Self {
        let keys = |keys: &Option<layers::image::Keys>| -> Option<Keys> {
            keys.as_ref().map(|keys| keys.keys().map(|key| (key.clone(), Empty {})).collect())
        };
        Self {
            user: image.user.clone(),
            exposed_ports: keys(&image.exposed_ports),
            env: image.env.clone(),
            entrypoint: image.entrypoint.clone(),
            cmd: image.cmd.clone(),
            volumes: keys(&image.volumes),
            working_dir: image.working_dir.clone(),
            labels: image.labels.clone().unwrap_or_default(),
            stop_signal: Some(image.stop_signal.clone()).filter(|signal| !signal.is_empty()),
            stop_timeout: image.stop_timeout,
            healthcheck: image.healthcheck.as_ref().map(|check| HealthConfig {
                test: check.test.clone(),
                interval: check.interval,
                timeout: check.timeout,
                start_period: check.start_period,
                start_interval: check.start_interval,
                retries: check.retries,
            }),
            on_build: image.on_build.clone(),
            shell: image.shell.clone(),
            ..Default::default()
        }
    }
}

impl From<&ContainerConfig> for Config {
    fn from(container: &ContainerConfig) -> Self {
        let keys = |keys: &Option<Keys>| {
            let keys = keys.as_ref().filter(|keys| !keys.is_empty());
            keys.map(|keys| keys.keys().map(|key| (key.clone(), layers::image::Empty {})).collect())
        };
        Self {
            user: container.user.clone(),
            exposed_ports: keys(&container.exposed_ports),
            env: container.env.clone(),
            entrypoint: container.entrypoint.clone(),
            cmd: container.cmd.clone(),
            volumes: keys(&container.volumes),
            working_dir: container.working_dir.clone(),
            labels: Some(container.labels.clone()).filter(|labels| !labels.is_empty()),
            stop_signal: container.stop_signal.clone().unwrap_or_default(),
            stop_timeout: container.stop_timeout,
            healthcheck: container.healthcheck.as_ref().map(|check| Healthcheck {
                test: check.test.clone(),
                interval: check.interval,
                timeout: check.timeout,
                start_period: check.start_period,
                start_interval: check.start_interval,
                retries: check.retries,
            }),
            on_build: container.on_build.clone(),
            shell: container.shell.clone(),
            args_escaped: false,
        }
    }
}
