//! What a project has become, as the engine tells it: its containers, networks and volumes, one fact a line. Identities, addresses, times and
//! what only the tool's version explains are left out; whatever else is different, is different.

use crate::engine::Engine;
use crate::project::Project;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// `web-1.Config.User` → `"1000"`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct State(BTreeMap<String, String>);

impl State {
    pub(crate) fn of(project: &Project, engine: &Engine) -> Self {
        let mut state = Self::default();
        let containers: Vec<_> =
            listed(engine, "/containers/json?all=1", project).iter().map(|one| inspected(engine, one)).collect();
        let names = Names::of(project, engine, &containers);
        for container in &containers {
            state.tell(&names.of_container(container), &names.known(told_of_container(container)));
        }
        for network in listed(engine, "/networks", project) {
            let told =
                picked(&network, &["Driver", "Internal", "Attachable", "EnableIPv6", "Options", "IPAM", "Labels"]);
            state.tell(&format!("network {}", text(&network["Name"])), &names.known(without_addresses(told)));
        }
        for volume in &names.volumes {
            let told = picked(volume, &["Driver", "Options", "Labels", "Scope"]);
            state.tell(&format!("volume {}", text(&volume["Name"])), &names.known(told));
        }
        state
    }

    /// What is the short of it, as `expected.txt` has it.
    pub(crate) fn brief(&self) -> Vec<String> {
        let fact = |thing: &str, key: &str| Some(self.0.get(&format!("{thing}.{key}"))?.trim_matches('"').to_owned());
        let brief = |thing: &String| {
            let Some(status) = fact(thing, "State.Status") else { return thing.clone() };
            let code = fact(thing, "State.ExitCode").filter(|_| status == "exited").map(|code| format!(" {code}"));
            let health = fact(thing, "State.Health").map(|health| format!(", {health}"));
            format!("{thing}: {status}{}{}", code.unwrap_or_default(), health.unwrap_or_default())
        };
        let mut things: Vec<_> = self.0.keys().filter_map(|key| key.strip_suffix(".is")).map(str::to_owned).collect();
        things.dedup();
        things.iter().map(brief).collect()
    }

    /// Every fact that is another one there, but for these.
    pub(crate) fn differences(
        &self,
        project: &str,
        [here, there]: [&str; 2],
        other: &Self,
        but: &[&str],
    ) -> Vec<String> {
        let keys: std::collections::BTreeSet<_> = self.0.keys().chain(other.0.keys()).collect();
        let none = "nothing".to_owned();
        let pair = |key| (self.0.get(key).unwrap_or(&none), other.0.get(key).unwrap_or(&none));
        let is_theirs = |key: &&String| !but.iter().any(|end| key.ends_with(end));
        let told = keys.into_iter().filter(is_theirs).map(|key| (key, pair(key))).filter(|(_, (one, two))| one != two);
        told.map(|(key, (one, two))| format!("{project}: {key}\n    {here}: {one}\n    {there}: {two}")).collect()
    }

    /// Less what only docker-compose makes, which nobody uses.
    pub(crate) fn without(mut self, thing: &str) -> Self {
        self.0.retain(|fact, _| !fact.starts_with(&format!("{thing}.")));
        self
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn tell(&mut self, thing: &str, facts: &Value) {
        self.0.insert(format!("{thing}.is"), "there".into());
        self.flatten(thing, facts);
    }

    fn flatten(&mut self, key: &str, value: &Value) {
        match value {
            // Nothing is said in many ways.
            Value::Null | Value::Bool(false) => {}
            // SELinux's, of a container that sees the host's processes; here there is none.
            Value::Array(list) if *list == [json!("label=disable")] => {}
            Value::Number(zero) if zero.as_i64() == Some(0) && !key.ends_with("ExitCode") => {}
            Value::String(no) if no == "no" && key.ends_with("RestartPolicy.Name") => {}
            Value::String(text) if text.is_empty() && !key.contains("Labels") => {}
            Value::Array(list) if list.is_empty() => {}
            Value::Object(fields) => {
                for (name, value) in fields {
                    self.flatten(&format!("{key}.{name}"), value);
                }
            }
            told => {
                self.0.insert(key.into(), told.to_string());
            }
        }
    }
}

/// Those of this project, by its label.
fn listed(engine: &Engine, path: &str, project: &Project) -> Vec<Value> {
    let all = engine.get(path);
    let list = if path.starts_with("/volumes") { all["Volumes"].clone() } else { all };
    let ours = |one: &Value| one["Labels"]["com.docker.compose.project"] == json!(project.name);
    list.as_array().cloned().unwrap_or_default().into_iter().filter(ours).collect()
}

fn inspected(engine: &Engine, container: &Value) -> Value {
    engine.get(&format!("/containers/{}/json", text(&container["Id"])))
}

fn told_of_container(container: &Value) -> Value {
    let mut told = picked(container, &["Path", "Args", "Config", "HostConfig"]);
    let state = &container["State"];
    told["State"] =
        json!({"Status": state["Status"], "ExitCode": state["ExitCode"], "Health": state["Health"]["Status"]});
    let mounts = container["Mounts"].as_array().cloned().unwrap_or_default();
    // Where a volume is, is its engine's business.
    let source = |mount: &Value| if mount["Type"] == json!("volume") { "Name" } else { "Source" };
    let place = |mount: &Value| (text(&mount["Destination"]), picked(mount, &["Type", source(mount), "RW"]));
    told["Mounts"] = Value::Object(mounts.iter().map(place).collect());
    let settings = &container["NetworkSettings"];
    told["Ports"] = settings["Ports"].clone();
    for (port, asked) in container["HostConfig"]["PortBindings"].as_object().into_iter().flatten() {
        let published = told["Ports"][port].as_array_mut();
        if asked[0]["HostPort"].as_str().is_none_or(str::is_empty) {
            published.into_iter().flatten().for_each(|one| one["HostPort"] = json!("chosen"));
        }
    }
    let networks = settings["Networks"].as_object().cloned().unwrap_or_default();
    let endpoint = |(name, endpoint): (String, Value)| (name, picked(&endpoint, &["Aliases", "IPAMConfig", "Links"]));
    told["Networks"] = Value::Object(networks.into_iter().map(endpoint).collect());
    told
}

/// Subnets that the engine has chosen are its own business, and so are gateways: the first address of a subnet, if nobody gave another.
fn without_addresses(mut network: Value) -> Value {
    let asked = |config: &Value| text(&config["Subnet"]).starts_with("10.");
    if let Some(list) = network["IPAM"]["Config"].as_array_mut() {
        list.retain(asked);
        let first = |config: &Value| text(&config["Gateway"]).ends_with(".1");
        for config in list.iter_mut().filter(|config| first(config)) {
            config.as_object_mut().unwrap().remove("Gateway");
        }
    }
    network
}

/// What names mean in this project.
struct Names {
    project: String,
    folder: String,
    /// Of containers by their IDs and their names.
    containers: Vec<(String, String)>,
    volumes: Vec<Value>,
}

impl Names {
    fn of(project: &Project, engine: &Engine, containers: &[Value]) -> Self {
        let volumes = listed(engine, "/volumes", project);
        let mut named = Vec::new();
        for container in containers {
            let labels = &container["Config"]["Labels"];
            let label = |key: &str| text(&labels[format!("com.docker.compose.{key}")]);
            let name = format!("{}-{}", label("service"), label("container-number"));
            let id = text(&container["Id"]);
            for known in [id.clone(), id[..12].to_owned(), text(&container["Name"])[1..].to_owned()] {
                named.push((known, name.clone()));
            }
        }
        let folder = project.folder.to_str().unwrap().to_owned();
        Self { project: project.name.into(), folder, containers: named, volumes }
    }

    fn of_container(&self, container: &Value) -> String {
        self.known(container["Id"].clone()).as_str().unwrap().to_owned()
    }

    /// The same with what is only this engine's, or this tool's, taken out.
    fn known(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.known_text(&text)),
            Value::Array(list) => Value::Array(list.into_iter().map(|value| self.known(value)).collect()),
            Value::Object(fields) => {
                let fields =
                    fields.into_iter().filter(|(key, _)| !LEFT_OUT.contains(&key.as_str()) && !is_private(key));
                Value::Object(fields.map(|(key, value)| (key.clone(), self.field(&key, value))).collect())
            }
            other => other,
        }
    }

    fn field(&self, key: &str, value: Value) -> Value {
        let mut known = self.known(value);
        if let ("Env" | "Aliases" | "Binds" | "Links" | "CapAdd" | "CapDrop" | "Ulimits", Some(list)) =
            (key, known.as_array_mut())
        {
            list.sort_by_key(Value::to_string);
        }
        if let ("Mounts", Some(list)) = (key, known.as_array_mut()) {
            list.sort_by_key(|mount| text(&mount["Target"]));
        }
        if let ("Aliases", Some(list)) = (key, known.as_array_mut()) {
            // docker compose gives a container's own name, docker-compose its ID.
            list.retain(|alias| !self.is_of_container(&text(alias)));
        }
        if let ("Links", Some(list)) = (key, known.as_array_mut()) {
            // By its own name, a container is found anyway.
            list.retain(|link| !text(link).split(':').all(|part| self.is_of_container(part)));
        }
        known
    }

    /// `web-1`, or `web_1`.
    fn is_of_container(&self, name: &str) -> bool {
        let is_it = |known: &str| {
            known == name
                || known
                    .rsplit_once('-')
                    .map(|(service, number)| format!("{service}_{number}"))
                    .is_some_and(|classic| classic == name)
        };
        self.containers.iter().any(|(_, known)| is_it(known))
    }

    fn known_text(&self, text: &str) -> String {
        let text = text.replace(&self.folder, "FOLDER");
        let parts: Vec<_> = text.split(':').map(|part| self.known_part(part)).collect();
        parts.join(":")
    }

    /// Of a `container:ID`, or a `volume:/place:ro`.
    fn known_part(&self, part: &str) -> String {
        if let Some((_, name)) = self.containers.iter().find(|(known, _)| known == part) {
            return name.clone();
        }
        if part.len() == 64 && part.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return "ID".into();
        }
        match part.strip_prefix(&format!("{}_", self.project)) {
            Some(rest) => format!("{}-{rest}", self.project),
            None => part.into(),
        }
    }
}

/// What follows from the engine, its version, or its kernel (with cgroup v1 dockerd shares the namespace of cgroups, and kesako does not).
const LEFT_OUT: [&str; 4] = ["MaskedPaths", "ReadonlyPaths", "Runtime", "CgroupnsMode"];

/// Labels that only the tool that wrote them reads.
fn is_private(key: &str) -> bool {
    let shared = ["project", "service", "container-number", "oneoff", "network", "volume"];
    key.strip_prefix("com.docker.compose.").is_some_and(|label| !shared.contains(&label))
}

fn picked(value: &Value, keys: &[&str]) -> Value {
    Value::Object(keys.iter().map(|key| ((*key).to_owned(), value[*key].clone())).collect::<Map<_, _>>())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
