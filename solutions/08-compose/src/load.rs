//! From files to one tree: each is read, interpolated, put into the long form, completed by what it includes and extends, and
//! merged over those before it.

use crate::canonical::canonical;
use crate::error::{Error, Result};
use crate::files::{Place, Source, read};
use crate::interpolate::{Variables, document, substitute};
use crate::merge::{merge, settle};
use crate::resources::FILE;
use crate::schema::Scope;
use crate::service::SERVICE;
use crate::tree::{Map, Node, Value};
use crate::{dotenv, name, scalar, yaml};
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// How a file is to be understood.
#[derive(Clone, Copy, Debug)]
pub struct How {
    /// Put the values of variables in.
    pub interpolate: bool,
    /// Make paths absolute.
    pub resolve_paths: bool,
    /// Give what is not told its implicit value: names, the default network.
    pub normalise: bool,
    /// See whether it makes sense as a whole.
    pub check: bool,
    /// Read the services' env files, and give variables without a value that of the environment.
    pub resolve_environment: bool,
    /// Keep networks, volumes, secrets and configs that no service uses.
    pub all_resources: bool,
}

impl Default for How {
    fn default() -> Self {
        Self {
            interpolate: true,
            resolve_paths: true,
            normalise: true,
            check: true,
            resolve_environment: true,
            all_resources: false,
        }
    }
}

/// How long a chain of `extends` may be: each is walked through for every service in it.
const EXTENDS: usize = 64;
/// How many files a project may take in: two that include two each, and so on, are soon a million.
const INCLUDES: usize = 1000;

/// What is at hand while files are read.
pub(crate) struct Loader {
    how: How,
    /// Of which variables it was told that they have no value; once is enough.
    told: RefCell<BTreeSet<String>>,
    /// How many files more may be included.
    includes: Cell<usize>,
}

/// The project's name, and its tree.
pub(crate) fn load(place: &mut Place, how: How) -> Result<(String, Node)> {
    let loader = Loader { how, told: RefCell::default(), includes: Cell::new(INCLUDES) };
    let documents = place.files.iter().map(parse).collect::<Result<Vec<_>>>()?;
    let name = project_name(place, &documents, &how)?;
    place.variables.insert("COMPOSE_PROJECT_NAME".to_owned(), name.clone());
    let sources = place.files.iter().map(|source| source.path.clone()).zip(documents).collect();
    let mut tree = loader.model(sources, &place.folder, &place.variables, &[])?;
    settle(&mut tree);
    Ok((name, tree))
}

fn parse(source: &Source) -> Result<Vec<Node>> {
    yaml::parse(&source.path.to_string_lossy(), &source.text)
}

/// Given, or in the last file that has one, or the folder's.
fn project_name(place: &Place, documents: &[Vec<Node>], how: &How) -> Result<String> {
    // Where one was given, what the files say is not even looked at.
    let named = documents.iter().flatten().rev().filter(|_| place.name.is_none());
    let named = named.filter_map(|document| document.map()?.get("name")).next();
    let text = |node: &Node| {
        let text = node.text().ok_or_else(|| Error::at(&node.at, "name", "must be a string"))?;
        match how.interpolate {
            true => substitute(text, &place.variables, &mut |_| {}).map_err(|why| Error::at(&node.at, "name", why)),
            false => Ok(text.to_owned()),
        }
    };
    let in_file = named.map(text).transpose()?;
    let folder = place.folder.file_name().unwrap_or_default().to_string_lossy();
    name::chosen(place.name.as_deref(), in_file.as_deref(), &folder)
}

/// A file, and the documents in it.
type Read = (PathBuf, Vec<Node>);

impl Loader {
    /// Several files, each over those before it. `trail` are the files that include them.
    fn model(&self, files: Vec<Read>, base: &Path, variables: &Variables, trail: &[PathBuf]) -> Result<Node> {
        let mut all: Option<Node> = None;
        for (path, documents) in files {
            let trail: Vec<PathBuf> = trail.iter().cloned().chain([path.clone()]).collect();
            if documents.is_empty() {
                let at = crate::tree::At { file: path.to_string_lossy().into(), line: 1 };
                return Err(Error::at(&at, "", "empty compose file"));
            }
            for document in documents {
                let mut node = self.document(document, base, variables)?;
                self.include(&mut node, base, variables, &trail)?;
                self.extend(&mut node, &path, base, variables)?;
                all = match all {
                    None => Some(node),
                    Some(base) => merge(base, node, &FILE),
                };
            }
        }
        let mut tree = all.ok_or(Error::NoFile)?;
        settle(&mut tree);
        crate::normal::defaults(&mut tree, base, self.how.resolve_paths);
        crate::environment::resolve(&mut tree, variables);
        Ok(tree)
    }

    /// One document in the long form.
    fn document(&self, mut node: Node, base: &Path, variables: &Variables) -> Result<Node> {
        if node.map().is_none() {
            return Err(Error::at(&node.at, "", "top-level object must be a mapping"));
        }
        if self.how.interpolate {
            document(&mut node, "", variables, &mut |name| {
                if self.told.borrow_mut().insert(name.to_owned()) {
                    dotenv::unset(name);
                }
            })?;
        }
        let base = self.how.resolve_paths.then(|| base.to_path_buf());
        let mut node = canonical(node, &FILE, &Scope { key: String::new(), raw: !self.how.interpolate, base })?;
        let file = node.at.file.clone();
        if node.map_mut().and_then(|map| map.remove("version")).is_some() {
            tracing::warn!(
                "{file}: the attribute `version` is obsolete, it will be ignored, please remove it to avoid potential confusion"
            );
        }
        Ok(node)
    }

    /// Takes in what the file includes; what it has itself under the same name goes over that.
    fn include(&self, node: &mut Node, base: &Path, variables: &Variables, trail: &[PathBuf]) -> Result<()> {
        let Some(includes) = node.map_mut().and_then(|map| map.remove("include")) else { return Ok(()) };
        for (i, include) in includes.list().unwrap_or_default().iter().enumerate() {
            let key = format!("include[{i}]");
            let texts = |key: &str| -> Vec<String> {
                include.find(&[key]).and_then(Node::list).unwrap_or_default().iter().filter_map(Node::scalar).collect()
            };
            let paths: Vec<PathBuf> = texts("path").iter().map(|path| scalar::join(base, path)).collect();
            let Some(first) = paths.first() else {
                return Err(Error::at(&include.at, &key, "path: this is required"));
            };
            if trail.contains(first) {
                let way: Vec<String> = trail.iter().chain([first]).map(|path| path.display().to_string()).collect();
                let what = format!("include cycle detected:\n{}", way.join("\n include "));
                return Err(Error::at(&include.at, &key, what));
            }
            let left = self.includes.get().checked_sub(paths.len());
            let many = || Error::at(&include.at, &key, format_args!("these are more than {INCLUDES} files"));
            self.includes.set(left.ok_or_else(many)?);
            let folder = match include.map().and_then(|map| map.text("project_directory")) {
                Some(folder) => scalar::join(base, folder),
                None => first.parent().map(Path::to_path_buf).unwrap_or_default(),
            };
            let env_files = texts("env_file").iter().map(|path| scalar::join(base, path)).collect();
            let variables =
                self.included_variables(env_files, &folder, variables).map_err(|e| told(include, &key, e))?;
            let files = paths.into_iter().map(|path| self.read(path)).collect::<Result<Vec<_>>>();
            let files = files.map_err(|error| told(include, &key, error))?;
            let imported = self.model(files, &folder, &variables, trail)?;
            import(node, imported);
        }
        Ok(())
    }

    /// An included file has the variables of its own `.env`, which count less than ours.
    fn included_variables(&self, mut files: Vec<PathBuf>, folder: &Path, outer: &Variables) -> Result<Variables> {
        if files.is_empty() {
            files.extend(Some(folder.join(".env")).filter(|path| path.is_file()));
        }
        let mut all = Variables::new();
        for file in files.iter().filter(|file| *file != Path::new("/dev/null")) {
            let mut known = all.clone();
            known.extend(outer.clone());
            all.extend(dotenv::parse(file, &read(file)?, &known, false)?);
        }
        all.extend(outer.clone());
        Ok(all)
    }

    fn read(&self, path: PathBuf) -> Result<Read> {
        let source = Source { text: read(&path)?, path };
        Ok((source.path.clone(), parse(&source)?))
    }

    /// Puts each service over the one that it extends.
    fn extend(&self, node: &mut Node, file: &Path, base: &Path, variables: &Variables) -> Result<()> {
        let Some(services) = node.find(&["services"]).and_then(Node::map).cloned() else { return Ok(()) };
        for entry in services.0.iter().filter(|entry| entry.node.find(&["extends"]).is_some()) {
            let extended = self.extended(&services, &entry.key, file, base, variables, &mut Vec::new())?;
            if let Some(map) = node.map_mut().and_then(|map| map.get_mut("services")).and_then(Node::map_mut) {
                map.set(&entry.key, extended);
            }
        }
        Ok(())
    }

    /// A service with what it extends, which may extend another. `way` are those on the way to it.
    fn extended(
        &self,
        services: &Map,
        name: &str,
        file: &Path,
        base: &Path,
        variables: &Variables,
        way: &mut Vec<(PathBuf, String)>,
    ) -> Result<Node> {
        let Some(service) = services.get(name) else { return Err(Error::NoService(name.to_owned())) };
        let Some(extends) = service.map().and_then(|map| map.get("extends")) else { return Ok(service.clone()) };
        let key = format!("services.{name}.extends");
        let text = |key| extends.map().and_then(|map| map.text(key));
        let other = text("service").unwrap_or_default();
        let step = (file.to_path_buf(), name.to_owned());
        if way.contains(&step) {
            let way: Vec<String> = way.iter().map(|(file, name)| format!("{name} in {}", file.display())).collect();
            let what =
                format!("Circular reference:\n  {}\n  extends {name} in {}", way.join("\n  extends "), file.display());
            return Err(Error::at(&extends.at, &key, what));
        }
        if way.len() == EXTENDS {
            return Err(Error::at(&extends.at, &key, format_args!("this chain of extends is longer than {EXTENDS}")));
        }
        way.push(step);
        let missing = |file: &Path| {
            let what = format!("cannot extend service {name:?}: service {other:?} not found in {}", file.display());
            Error::at(&extends.at, &key, what)
        };
        let base_service = match text("file") {
            None if !services.has(other) => return Err(missing(file)),
            None => self.extended(services, other, file, base, variables, way)?,
            Some(path) => {
                let path = scalar::join(base, path);
                let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
                let (path, documents) = self.read(path).map_err(|error| told(extends, &key, error))?;
                let mut theirs = Map::default();
                for document in documents {
                    let node = self.document(document, &folder, variables)?;
                    let found = node.find(&["services"]).and_then(Node::map).cloned();
                    theirs.0.extend(found.unwrap_or_default().0);
                }
                if !theirs.has(other) {
                    return Err(missing(&path));
                }
                self.extended(&theirs, other, &path, &folder, variables, way)?
            }
        };
        let mut merged = merge(base_service, service.clone(), &SERVICE).unwrap_or_else(|| service.clone());
        if let Some(map) = merged.map_mut() {
            map.remove("extends");
        }
        way.pop();
        Ok(merged)
    }
}

/// Where the file is named that could not be read.
fn told(node: &Node, key: &str, error: Error) -> Error {
    match error {
        error @ Error::Read { .. } => Error::at(&node.at, key, error),
        error => error,
    }
}

/// What was included, beneath what is here.
fn import(node: &mut Node, imported: Node) {
    let Value::Map(imported) = imported.value else { return };
    let Some(map) = node.map_mut() else { return };
    for entry in imported.0 {
        if !matches!(entry.key.as_str(), "services" | "volumes" | "networks" | "secrets" | "configs") {
            continue;
        }
        let shape = crate::merge::below(&FILE, &entry.key);
        let merged = match map.get(&entry.key) {
            Some(own) => merge(entry.node, own.clone(), shape),
            None => Some(entry.node),
        };
        if let Some(node) = merged {
            map.set(&entry.key, node);
        }
    }
}
