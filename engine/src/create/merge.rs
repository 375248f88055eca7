//! The request over the image: what the user said wins, what they left open comes from the image, as Docker merges them.

use crate::api::{ContainerConfig, HealthConfig};
use std::collections::BTreeMap;

/// Fills what `request` leaves open from `image`.
///
/// The rule that surprises newcomers is the one about commands: an entrypoint of one's own also drops the image's
/// command, since the arguments of one program mean nothing to another.
pub(crate) fn merge(request: &mut ContainerConfig, image: &ContainerConfig) {
    or_else(&mut request.user, &image.user);
    or_else(&mut request.working_dir, &image.working_dir);
    if request.stop_signal.as_ref().is_none_or(String::is_empty) {
        request.stop_signal.clone_from(&image.stop_signal);
    }

    merge_env(&mut request.env, image.env.as_deref().unwrap_or_default());
    add_missing(&mut request.labels, &image.labels);
    if let Some(ports) = &image.exposed_ports {
        add_missing(request.exposed_ports.get_or_insert_default(), ports);
    }
    if let Some(volumes) = &image.volumes {
        add_missing(request.volumes.get_or_insert_default(), volumes);
    }

    if request.entrypoint.as_ref().is_none_or(Vec::is_empty) {
        if request.cmd.as_ref().is_none_or(Vec::is_empty) {
            request.cmd.clone_from(&image.cmd);
        }
        // An empty list is a user's wish to have none; only "nothing said" takes the image's.
        if request.entrypoint.is_none() {
            request.entrypoint.clone_from(&image.entrypoint);
        }
    }
    // `--entrypoint ""` arrives as [""].
    if request.entrypoint.as_deref().is_some_and(|entrypoint| entrypoint == [""]) {
        request.entrypoint = None;
    }

    match (&mut request.healthcheck, &image.healthcheck) {
        (Some(own), Some(given)) => merge_health(own, given),
        (own @ None, given) => own.clone_from(given),
        (Some(_), None) => {}
    }
}

fn or_else(own: &mut String, image: &str) {
    if own.is_empty() {
        image.clone_into(own);
    }
}

fn add_missing<V: Clone>(own: &mut BTreeMap<String, V>, image: &BTreeMap<String, V>) {
    for (key, value) in image {
        own.entry(key.clone()).or_insert_with(|| value.clone());
    }
}

/// The user's variables come first, and the image's follow where the user has not set them.
fn merge_env(own: &mut Option<Vec<String>>, image: &[String]) {
    let own = own.get_or_insert_default();
    let users = own.len();
    for variable in image {
        let name = name_of(variable);
        if !own[..users].iter().any(|set| name_of(set) == name) {
            own.push(variable.clone());
        }
    }
}

/// `PATH` of `PATH=/bin`.
pub(crate) fn name_of(variable: &str) -> &str {
    variable.split_once('=').map_or(variable, |(name, _)| name)
}

fn merge_health(own: &mut HealthConfig, image: &HealthConfig) {
    if own.test.as_ref().is_none_or(Vec::is_empty) {
        own.test.clone_from(&image.test);
    }
    let fields = [
        (&mut own.interval, image.interval),
        (&mut own.timeout, image.timeout),
        (&mut own.start_period, image.start_period),
        (&mut own.start_interval, image.start_interval),
        (&mut own.retries, image.retries),
    ];
    for (own, image) in fields {
        if *own == 0 {
            *own = image;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(list: &[&str]) -> Option<Vec<String>> {
        Some(list.iter().map(ToString::to_string).collect())
    }

    fn image() -> ContainerConfig {
        ContainerConfig { entrypoint: strings(&["/init"]), cmd: strings(&["serve"]), ..Default::default() }
    }

    /// Entrypoint and command of the request, and what becomes of them over `["/init"] ["serve"]`.
    fn commands(
        entrypoint: Option<Vec<String>>,
        cmd: Option<Vec<String>>,
    ) -> (Option<Vec<String>>, Option<Vec<String>>) {
        let mut request = ContainerConfig { entrypoint, cmd, ..Default::default() };
        merge(&mut request, &image());
        (request.entrypoint, request.cmd)
    }

    #[test]
    fn a_command_replaces_the_command_and_keeps_the_entrypoint() {
        assert_eq!(commands(None, None), (strings(&["/init"]), strings(&["serve"])));
        assert_eq!(commands(None, strings(&["sh"])), (strings(&["/init"]), strings(&["sh"])));
    }

    #[test]
    fn an_entrypoint_of_ones_own_drops_the_images_command() {
        assert_eq!(commands(strings(&["sh"]), None), (strings(&["sh"]), None));
        assert_eq!(commands(strings(&["sh"]), strings(&["-c"])), (strings(&["sh"]), strings(&["-c"])));
    }

    #[test]
    fn an_empty_entrypoint_takes_the_images_away() {
        assert_eq!(commands(strings(&[""]), strings(&["sh"])), (None, strings(&["sh"])));
        assert_eq!(commands(strings(&[]), None), (strings(&[]), strings(&["serve"])));
    }

    #[test]
    fn the_users_variables_win_and_come_first() {
        let mut request = ContainerConfig { env: strings(&["B=mine", "C"]), ..Default::default() };
        let image = ContainerConfig { env: strings(&["A=1", "B=2", "C=3"]), ..Default::default() };
        merge(&mut request, &image);
        assert_eq!(request.env, strings(&["B=mine", "C", "A=1"]));
    }

    #[test]
    fn labels_ports_and_the_rest_are_completed() {
        let map = |k: &str, v: &str| BTreeMap::from([(k.to_owned(), v.to_owned())]);
        let keys = |k: &str| Some(BTreeMap::from([(k.to_owned(), crate::api::Empty {})]));
        let mut request =
            ContainerConfig { labels: map("a", "mine"), exposed_ports: keys("80/tcp"), ..Default::default() };
        let mut labels = map("a", "1");
        labels.extend(map("b", "2"));
        let image = ContainerConfig {
            labels,
            exposed_ports: keys("443/tcp"),
            user: "nobody".into(),
            working_dir: "/srv".into(),
            stop_signal: Some("SIGINT".into()),
            ..Default::default()
        };
        merge(&mut request, &image);
        insta::assert_json_snapshot!(
            (request.labels, request.exposed_ports, request.user, request.working_dir, request.stop_signal),
            @r#"
        [
          {
            "a": "mine",
            "b": "2"
          },
          {
            "443/tcp": {},
            "80/tcp": {}
          },
          "nobody",
          "/srv",
          "SIGINT"
        ]
        "#
        );
    }
}
