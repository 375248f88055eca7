//! A registry in memory, which does as it is told; an image for it; and a store to pull into.

use super::http::{Answer, Request, answer, serve};
use layers::manifest::{Descriptor, Manifest, media_type};
use layers::{Digest, Reference, Store};
use registry::progress::Event;
use registry::pull::{Pull, Pulled};
use registry::push::{Push, Pushed};
use registry::{Credentials, Settings};
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the registry has, and what it was asked.
#[derive(Default)]
pub struct State {
    /// By repository and digest.
    pub blobs: BTreeMap<(String, String), Vec<u8>>,
    /// By repository, and tag or digest.
    pub manifests: BTreeMap<(String, String), (String, Vec<u8>)>,
    pub uploads: BTreeMap<String, Vec<u8>>,
    pub requests: Vec<Request>,
}

impl State {
    /// How often this was asked for.
    pub fn count(&self, method: &str, part: &str) -> usize {
        self.requests.iter().filter(|request| request.method == method && request.path.contains(part)).count()
    }
}

/// A rule that comes before the registry's own: an answer, or None.
pub type Rule = Box<dyn Fn(&Request, &mut State) -> Option<Answer> + Send + Sync>;

pub struct Site {
    pub host: String,
    pub state: Arc<Mutex<State>>,
}

impl Site {
    pub fn new() -> Self {
        Self::with(Box::new(|_, _| None))
    }

    pub fn with(rule: Rule) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let inside = state.clone();
        let host = serve(move |request| {
            let mut state = inside.lock().unwrap();
            state.requests.push(request.clone());
            rule(&request, &mut state).unwrap_or_else(|| usual(&request, &mut state))
        });
        Self { host, state }
    }

    pub fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Puts an image into a repository, without asking.
    pub fn put(&self, repository: &str, tag: &str, image: &Image) {
        let mut state = self.state();
        for blob in image.layers.iter().chain([&image.config]) {
            state.blobs.insert((repository.to_owned(), Digest::of(blob).to_string()), blob.clone());
        }
        for name in [tag.to_owned(), image.digest().to_string()] {
            let manifest = (image.media_type.to_owned(), image.manifest.clone());
            state.manifests.insert((repository.to_owned(), name), manifest);
        }
    }

    pub fn reference(&self, rest: &str) -> Reference {
        Reference::parse(&format!("{}/{rest}", self.host)).unwrap()
    }
}

/// What a registry does that has no quarrel with anybody.
fn usual(request: &Request, state: &mut State) -> Answer {
    let path = request.path.split('?').next().unwrap_or_default();
    let Some(rest) = path.strip_prefix("/v2/") else { return answer(404, "") };
    let unknown = |code: &str| answer(404, format!(r#"{{"errors":[{{"code":"{code}","message":"unknown"}}]}}"#));
    if rest.is_empty() {
        return answer(200, "{}");
    }
    if let Some((repository, name)) = rest.split_once("/manifests/") {
        let key = (repository.to_owned(), name.to_owned());
        if request.method == "PUT" {
            let kind = request.header("content-type").unwrap_or_default().to_owned();
            let digest = Digest::of(&request.body).to_string();
            for name in [name.to_owned(), digest.clone()] {
                state.manifests.insert((repository.to_owned(), name), (kind.clone(), request.body.clone()));
            }
            return answer(201, "").with("Docker-Content-Digest", digest);
        }
        return match state.manifests.get(&key) {
            Some((kind, bytes)) => answer(200, bytes.clone()).with("Content-Type", kind),
            None => unknown("MANIFEST_UNKNOWN"),
        };
    }
    if let Some((repository, rest)) = rest.split_once("/blobs/uploads/") {
        return upload(request, state, repository, rest);
    }
    if let Some((repository, digest)) = rest.split_once("/blobs/") {
        let Some(blob) = state.blobs.get(&(repository.to_owned(), digest.to_owned())) else {
            return unknown("BLOB_UNKNOWN");
        };
        let from = request
            .header("range")
            .and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok());
        return match from {
            None => answer(200, blob.clone()),
            Some(from) if from < blob.len() => {
                let range = format!("bytes {from}-{}/{}", blob.len() - 1, blob.len());
                answer(206, &blob[from..]).with("Content-Range", range)
            }
            Some(_) => answer(416, ""),
        };
    }
    match rest.strip_suffix("/tags/list") {
        Some(repository) => {
            let names = state.manifests.keys().filter(|(known, name)| known == repository && !name.contains(':'));
            let tags: BTreeSet<&String> = names.map(|(_, name)| name).collect();
            answer(200, serde_json::json!({ "name": repository, "tags": tags }).to_string())
        }
        None => answer(404, ""),
    }
}

fn upload(request: &Request, state: &mut State, repository: &str, id: &str) -> Answer {
    let query = request.path.split_once('?').map(|(_, query)| query).unwrap_or_default();
    let parameter = |name: &str| {
        let found = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        found.map(|value| value.replace("%3A", ":").replace("%2F", "/"))
    };
    let place = |id: &str| format!("/v2/{repository}/blobs/uploads/{id}");
    match request.method.as_str() {
        "POST" => {
            if let (Some(digest), Some(from)) = (parameter("mount"), parameter("from"))
                && let Some(blob) = state.blobs.get(&(from, digest.clone())).cloned()
            {
                state.blobs.insert((repository.to_owned(), digest), blob);
                return answer(201, "");
            }
            let id = format!("upload-{}", state.uploads.len());
            state.uploads.insert(id.clone(), Vec::new());
            answer(202, "").with("Location", place(&id)).with("Range", "0-0")
        }
        "PATCH" | "GET" => {
            let Some(bytes) = state.uploads.get_mut(id) else { return answer(404, "") };
            bytes.extend(&request.body);
            let range = format!("0-{}", bytes.len().saturating_sub(1));
            answer(if request.method == "GET" { 204 } else { 202 }, "").with("Location", place(id)).with("Range", range)
        }
        _ => {
            let (Some(mut bytes), Some(digest)) = (state.uploads.remove(id), parameter("digest")) else {
                return answer(404, "");
            };
            bytes.extend(&request.body);
            if Digest::of(&bytes).to_string() != digest {
                return answer(400, r#"{"errors":[{"code":"DIGEST_INVALID","message":"no"}]}"#);
            }
            state.blobs.insert((repository.to_owned(), digest), bytes);
            answer(201, "")
        }
    }
}

/// An image.
#[derive(Clone)]
pub struct Image {
    pub layers: Vec<Vec<u8>>,
    pub diff_ids: Vec<Digest>,
    pub config: Vec<u8>,
    pub manifest: Vec<u8>,
    pub media_type: &'static str,
}

impl Image {
    /// With a layer for each of these contents of a file.
    pub fn of(contents: &[&str]) -> Self {
        Self::for_platform(contents, "amd64")
    }

    pub fn for_platform(contents: &[&str], architecture: &str) -> Self {
        let layers = contents.iter().map(|content| layer(content));
        Self::made_of(layers.map(|layer| (layer.clone(), Digest::of(&layer))).collect(), architecture)
    }

    /// With these layers, and what its config is to say of each.
    pub fn with(layers: Vec<(Vec<u8>, Digest)>) -> Self {
        Self::made_of(layers, "amd64")
    }

    fn made_of(layers: Vec<(Vec<u8>, Digest)>, architecture: &str) -> Self {
        let (layers, diff_ids): (Vec<Vec<u8>>, Vec<Digest>) = layers.into_iter().unzip();
        let config = serde_json::json!({
            "architecture": architecture, "os": "linux", "config": {},
            "rootfs": { "type": "layers", "diff_ids": diff_ids },
        });
        let config = config.to_string().into_bytes();
        let descriptor = |kind, bytes: &[u8]| Descriptor::new(kind, Digest::of(bytes), bytes.len() as u64);
        let listed = layers.iter().map(|layer| descriptor(media_type::OCI_LAYER, layer)).collect();
        let manifest = Manifest::new(descriptor(media_type::OCI_CONFIG, &config), listed);
        let manifest = serde_json::to_vec(&manifest).unwrap();
        Self { layers, diff_ids, config, manifest, media_type: media_type::OCI_MANIFEST }
    }

    pub fn digest(&self) -> Digest {
        Digest::of(&self.manifest)
    }

    pub fn id(&self) -> Digest {
        Digest::of(&self.config)
    }
}

/// With a file of our own, for nobody but root may give files away.
pub fn layer(content: &str) -> Vec<u8> {
    let we = std::fs::metadata("/proc/self").unwrap();
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    header.set_uid(we.uid().into());
    header.set_gid(we.gid().into());
    tar.append_data(&mut header, "file", content.as_bytes()).unwrap();
    tar.into_inner().unwrap()
}

/// A store of images, and what is told of the way to it.
pub struct Home {
    /// Goes with it.
    _folder: tempfile::TempDir,
    pub store: Store,
    pub settings: Settings,
    pub credentials: Option<Credentials>,
    pub platform: Option<layers::manifest::Platform>,
    pub told: Mutex<Vec<Event>>,
}

impl Home {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        // A test need not be patient.
        let settings = Settings { patience: Duration::from_millis(1), ..Settings::default() };
        Self { _folder: folder, store, settings, credentials: None, platform: None, told: Mutex::default() }
    }

    pub fn pull(&self, reference: &Reference) -> registry::Result<Pulled> {
        let pull = Pull {
            store: &self.store,
            settings: &self.settings,
            credentials: self.credentials.as_ref(),
            platform: self.platform.as_ref(),
            listener: &|event| self.told.lock().unwrap().push(event),
            cancelled: &|| false,
        };
        pull.pull(reference)
    }

    pub fn push(&self, reference: &Reference) -> registry::Result<Pushed> {
        let push = Push {
            store: &self.store,
            settings: &self.settings,
            credentials: self.credentials.as_ref(),
            listener: &|event| self.told.lock().unwrap().push(event),
            cancelled: &|| false,
        };
        push.push(reference)
    }

    /// The lines that were told, as Docker prints them.
    pub fn lines(&self) -> Vec<String> {
        let line = |event: &Event| match event {
            Event::Note { id: Some(id), text } => format!("{id}: {text}"),
            Event::Note { id: None, text } => text.clone(),
            Event::Layer { id, step } => format!("{}: {}", id.short(), step.text()),
        };
        self.told.lock().unwrap().iter().map(line).collect()
    }

    /// Nothing of an image is here: neither a name nor a layer.
    pub fn is_empty(&self) -> bool {
        self.store.images().unwrap().is_empty() && self.store.unpacked().list().unwrap().is_empty()
    }
}
