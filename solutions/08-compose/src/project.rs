//! A project, ready to be looked at or to be run.

use crate::error::{Error, Result};
use crate::files::Request;
use crate::interpolate::Variables;
use crate::load::How;
use crate::render::{For, escaped, render};
use crate::resources::FILE;
use crate::tree::{At, Map, Node, Value};
use crate::{check, emit, environment, hash, load, normal, order};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// A project.
#[derive(Debug)]
pub struct Project {
    pub name: String,
    pub folder: PathBuf,
    pub files: Vec<PathBuf>,
    /// The env files that were asked for.
    pub env_files: Vec<PathBuf>,
    /// What its files could use.
    pub variables: Variables,
    /// All its services, also those that take no part.
    pub all_services: BTreeSet<String>,
    /// All profiles that a service has.
    pub profiles: BTreeSet<String>,
    /// The one tree, in which the services that do not take part are no more.
    tree: Node,
    raw: bool,
}

impl Project {
    /// Loads a project. With `services`, only those and whom they wait for.
    ///
    /// # Errors
    /// Whatever is wrong with its files, with the place where.
    pub fn load(request: &Request, how: How, services: &[String]) -> Result<Self> {
        let mut place = request.find()?;
        let (name, mut tree) = load::load(&mut place, how)?;
        if how.normalise {
            normal::normalise(&mut tree, &name);
        }
        let files = place.files.iter().map(|source| source.path.clone()).collect();
        let raw = !how.interpolate;
        let mut project = Self {
            name,
            folder: place.folder,
            files,
            env_files: place.env_files,
            variables: place.variables,
            all_services: tree.entries("services").iter().map(|entry| entry.key.clone()).collect(),
            profiles: BTreeSet::new(),
            tree,
            raw,
        };
        let disabled = project.choose(place.profiles, services)?;
        // A file whose variables are still in it makes no sense yet.
        if how.check && !raw {
            check::check(&project.tree, &project.name, &disabled)?;
        }
        if raw {
            return Ok(project);
        }
        project.select(services)?;
        if !how.all_resources {
            project.drop_unused();
        }
        if how.resolve_environment {
            environment::read_files(&mut project.tree, &project.variables)?;
        }
        Ok(project)
    }

    /// Leaves out the services that no profile asks for; who is named is asked for by all of their own. Hands back whom it left out.
    fn choose(&mut self, mut enabled: Vec<String>, named: &[String]) -> Result<BTreeSet<String>> {
        let profiles = |node: &Node| -> Vec<String> {
            node.find(&["profiles"]).and_then(Node::list).unwrap_or_default().iter().filter_map(Node::scalar).collect()
        };
        self.profiles = self.tree.entries("services").iter().flat_map(|entry| profiles(&entry.node)).collect();
        for name in named {
            let entry = self.tree.entries("services").iter().find(|entry| entry.key == *name);
            enabled.extend(entry.map(|entry| profiles(&entry.node)).ok_or_else(|| Error::NoService(name.clone()))?);
        }
        let mut disabled = BTreeSet::new();
        let takes_part =
            |of: &[String]| of.is_empty() || of.iter().any(|p| enabled.contains(p) || enabled.iter().any(|e| e == "*"));
        if let Some(services) = self.services_mut() {
            services.0.retain(|entry| {
                let stays = takes_part(&profiles(&entry.node));
                if !stays {
                    disabled.insert(entry.key.clone());
                }
                stays
            });
        }
        Ok(disabled)
    }

    fn services_mut(&mut self) -> Option<&mut Map> {
        self.tree.map_mut()?.get_mut("services")?.map_mut()
    }

    /// Keeps only these, and whom they wait for.
    fn select(&mut self, names: &[String]) -> Result<()> {
        if names.is_empty() {
            return Ok(());
        }
        let graph = self.dependencies();
        let mut wanted: BTreeSet<String> = BTreeSet::new();
        let mut open = names.to_vec();
        while let Some(name) = open.pop() {
            let Some(waits_for) = graph.get(&name) else { continue };
            if wanted.insert(name) {
                open.extend(waits_for.iter().cloned());
            }
        }
        if let Some(services) = self.services_mut() {
            services.0.retain(|entry| wanted.contains(&entry.key));
        }
        Ok(())
    }

    /// Drops what no service uses.
    fn drop_unused(&mut self) {
        let mut used: BTreeSet<(&str, String)> = BTreeSet::new();
        for entry in self.tree.entries("services") {
            let sources = |path: &[&str]| -> Vec<String> {
                let list = entry.node.find(path).and_then(Node::list).unwrap_or_default();
                list.iter().filter_map(|node| Some(node.map()?.text("source")?.to_owned())).collect()
            };
            used.extend(entry.node.entries("networks").iter().map(|network| ("networks", network.key.clone())));
            used.extend(sources(&["volumes"]).into_iter().map(|name| ("volumes", name)));
            used.extend(sources(&["configs"]).into_iter().map(|name| ("configs", name)));
            used.extend(sources(&["secrets"]).into_iter().map(|name| ("secrets", name)));
            used.extend(sources(&["build", "secrets"]).into_iter().map(|name| ("secrets", name)));
        }
        let Some(file) = self.tree.map_mut() else { return };
        for kind in ["networks", "volumes", "secrets", "configs"] {
            if let Some(resources) = file.get_mut(kind).and_then(Node::map_mut) {
                resources.0.retain(|entry| used.contains(&(kind, entry.key.clone())));
            }
        }
    }

    /// Whether all of it can be run: to be asked before anything is made of it.
    ///
    /// # Errors
    /// What cannot be, with the place where it stands.
    pub fn ready(&self) -> Result<()> {
        check::ready(&self.tree, &self.variables)
    }

    /// Whether Kesako's engine, too, has all that it asks for; another engine speaks for itself.
    ///
    /// # Errors
    /// What it has not, with the place where it stands.
    pub fn suits_kesako(&self) -> Result<()> {
        check::suits_kesako(&self.tree)
    }

    /// Whether an engine of this version of the API knows all that it asks for.
    ///
    /// # Errors
    /// What it does not, with the place where it stands.
    pub fn suits(&self, api: (u32, u32)) -> Result<()> {
        check::since(&self.tree, api)
    }

    /// Gives a service another number of containers than the file does (`--scale`).
    ///
    /// # Errors
    /// There is no such service, or there can be only one of its containers.
    pub fn scale(&mut self, name: &str, containers: u32) -> Result<()> {
        let number = Value::Int(containers.into());
        let service = self.services_mut().and_then(|services| services.get_mut(name));
        let service = service.ok_or_else(|| Error::NoService(name.to_owned()))?;
        let at = service.at.clone();
        let Some(map) = service.map_mut() else { return Ok(()) };
        if let Some(replicas) = map.get_mut("deploy").and_then(Node::map_mut).and_then(|map| map.get_mut("replicas")) {
            replicas.value = number.clone();
        }
        map.set("scale", Node::new(&at, number));
        check::once(&self.tree, &self.name)
    }

    /// The names under `services`, `networks`, `volumes`, …, sorted.
    pub fn names(&self, kind: &str) -> Vec<String> {
        let mut names: Vec<_> = self.tree.entries(kind).iter().map(|entry| entry.key.clone()).collect();
        names.sort();
        names
    }

    /// Whether it has all of these services.
    ///
    /// # Errors
    /// The first that it has not.
    pub fn has(&self, services: &[String]) -> Result<()> {
        let unknown = |name: &&String| self.tree.find(&["services", name]).is_none();
        services.iter().find(unknown).map_or(Ok(()), |name| Err(Error::NoService(name.clone())))
    }

    /// The services, each after those that it waits for.
    pub fn in_order(&self) -> Vec<String> {
        let graph = self.dependencies();
        let mut done: BTreeSet<&str> = BTreeSet::new();
        let mut order = Vec::new();
        for name in graph.keys() {
            // A service is met twice: before those that it waits for, and after them.
            let mut open = vec![(name.as_str(), false)];
            while let Some((name, is_after)) = open.pop() {
                if is_after {
                    order.push(name.to_owned());
                } else if done.insert(name) {
                    open.push((name, true));
                    let waits_for = graph.get(name).into_iter().flatten().rev();
                    open.extend(waits_for.filter(|on| graph.contains_key(*on)).map(|on| (on.as_str(), false)));
                }
            }
        }
        order
    }

    /// Whom each service waits for.
    pub fn dependencies(&self) -> order::Dependencies {
        check::graph(&self.tree)
    }

    /// The image of each service: its own, or what is built for it is called.
    pub fn images(&self) -> Vec<String> {
        let image = |name: &String| match self.tree.find(&["services", name, "image"]).and_then(Node::text) {
            Some(image) if !image.is_empty() => image.to_owned(),
            _ => format!("{}-{name}", self.name),
        };
        self.names("services").iter().map(image).collect()
    }

    /// The hash of a service.
    ///
    /// # Errors
    /// There is no such service.
    pub fn hash(&self, service: &str) -> Result<String> {
        let found = self.tree.find(&["services", service]).ok_or_else(|| Error::NoService(service.to_owned()))?;
        Ok(hash::config_hash(found))
    }

    pub(crate) fn network_hash(&self, key: &str) -> String {
        self.tree.find(&["networks", key]).map(hash::network_hash).unwrap_or_default()
    }

    pub(crate) fn volume_hash(&self, key: &str) -> String {
        self.tree.find(&["volumes", key]).map(hash::volume_hash).unwrap_or_default()
    }

    /// Where a network, a volume, … is written.
    pub(crate) fn at(&self, kind: &str, name: &str) -> Option<At> {
        self.tree.find(&[kind]).and_then(Node::map)?.at(name).cloned()
    }

    /// The file, complete: its own name is that of the project.
    fn file(&self) -> Node {
        let mut tree = self.tree.clone();
        let name = Node::of_text(&tree.at, self.name.as_str());
        if let Some(map) = tree.map_mut() {
            map.set("name", name);
        }
        tree
    }

    /// The one model, as YAML. What is written can be read again: a `$` is doubled, unless variables are still in it.
    pub fn yaml(&self) -> String {
        if self.raw {
            return emit::yaml(&render(&self.file(), &FILE, For::Raw));
        }
        let mut tree = self.file();
        if let Some(map) = tree.map_mut() {
            map.set_default("services", Node::new(&self.tree.at, Value::Map(Map::default())));
        }
        let mut value = render(&tree, &FILE, For::Yaml);
        if let Some(object) = value.as_object_mut().filter(|object| !object.contains_key("services")) {
            object.shift_insert(1, "services".to_owned(), serde_json::json!({}));
        }
        emit::yaml(&value).replace('$', "$$")
    }

    /// The same as JSON.
    pub fn json(&self) -> String {
        let text = escaped(&serde_json::to_string_pretty(&self.value()).unwrap_or_default());
        if self.raw { text } else { text.replace('$', "$$") }
    }

    /// The same as a value, in which a `$` is a `$`.
    pub fn value(&self) -> serde_json::Value {
        let whom = if self.raw { For::Raw } else { For::Json };
        let mut value = render(&self.file(), &FILE, whom);
        if let Some(object) = value.as_object_mut() {
            for entry in
                self.tree.map().map_or(&[][..], |map| &map.0).iter().filter(|entry| entry.key.starts_with("x-"))
            {
                object.insert(entry.key.clone(), render(&entry.node, &crate::schema::Shape::Free, whom));
            }
            object.sort_keys();
        }
        value
    }
}
