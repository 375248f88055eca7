//! What `run` changes of a service for one container of its own.

use crate::canonical::canonical;
use crate::error::{Error, Result};
use crate::interpolate::Variables;
use crate::model::{Mount, Port, Service};
use crate::render::{For, render};
use crate::schema::Scope;
use crate::service::SERVICE;
use crate::tree::{At, Map, Node, Value};
use crate::{dotenv, words};
use std::io::Read as _;
use std::path::Path;

/// What a command line gives in the short forms of a file.
#[derive(Clone, Copy, Debug, Default)]
pub struct Short<'a> {
    /// `SOURCE:TARGET:OPTIONS`
    pub volumes: &'a [String],
    /// `HOST:CONTAINER/PROTOCOL`
    pub ports: &'a [String],
}

impl Short<'_> {
    /// The same in the long form. Paths are relative to this folder.
    ///
    /// # Errors
    /// What no file could have either.
    pub fn read(self, folder: &Path) -> Result<(Vec<Mount>, Vec<Port>)> {
        let at = At { file: "".into(), line: 0 };
        let list = |texts: &[String]| {
            Node::new(&at, Value::List(texts.iter().map(|text| Node::of_text(&at, text.as_str())).collect()))
        };
        let mut service = Map::default();
        service.set("volumes", list(self.volumes));
        service.set("ports", list(self.ports));
        let scope = Scope { key: String::new(), raw: false, base: Some(folder.to_owned()) };
        let node = canonical(Node::new(&at, Value::Map(service)), &SERVICE, &scope).map_err(placeless)?;
        let service: Service = serde_json::from_value(render(&node, &SERVICE, For::Json))
            .map_err(|error| Error::Failed(error.to_string()))?;
        Ok((service.volumes, service.ports))
    }
}

/// A text as a shell would split it.
///
/// # Errors
/// A quote that is not closed.
pub fn words(text: &str) -> Result<Vec<String>> {
    let at = At { file: "".into(), line: 0 };
    let scope = Scope { key: String::new(), raw: false, base: None };
    let words = words::argv(Value::Text(text.to_owned()), &at, &scope).map_err(placeless)?;
    Ok(words.iter().filter_map(Node::scalar).collect())
}

/// The variables of an env file, which may use those of `known`.
///
/// # Errors
/// It cannot be read, or makes no sense.
pub fn variables(file: &Path, known: &Variables) -> Result<Variables> {
    let text = std::fs::read_to_string(file).map_err(|source| Error::Read { path: file.to_owned(), source })?;
    dotenv::parse(file, &text, known, false)
}

/// A long random name, by which one container is told from all others.
///
/// # Errors
/// The kernel has no random numbers.
pub fn slug() -> Result<String> {
    let path = Path::new("/dev/urandom");
    let mut bytes = [0; 32];
    let read = std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut bytes));
    read.map_err(|source| Error::Read { path: path.to_owned(), source })?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// A command line has no lines.
fn placeless(error: Error) -> Error {
    match error {
        Error::At { what, .. } => Error::Failed(what),
        error => error,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn short_forms_mean_what_they_mean_in_a_file() {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let (volumes, ports) =
            (texts(&["./a:/b:ro", "data:/c", "/anonymous"]), texts(&["8080:80", "9000-9001:90-91/udp"]));
        let (mounts, ports) = Short { volumes: &volumes, ports: &ports }.read(Path::new("/here")).unwrap();
        let mounts: Vec<_> =
            mounts.iter().map(|m| (m.r#type.as_str(), m.source.as_str(), m.target.as_str(), m.read_only)).collect();
        assert_eq!(
            mounts,
            [("bind", "/here/a", "/b", true), ("volume", "data", "/c", false), ("volume", "", "/anonymous", false)]
        );
        let ports: Vec<_> =
            ports.iter().map(|port| (port.published.as_str(), port.target, port.protocol.as_str())).collect();
        assert_eq!(ports, [("8080", 80, "tcp"), ("9000", 90, "udp"), ("9001", 91, "udp")]);
        let wrong = Short { volumes: &[], ports: &texts(&["x:80"]) }.read(Path::new("/")).unwrap_err().to_string();
        assert!(wrong.starts_with("ports[0]: "), "{wrong}");
    }

    #[test]
    fn an_entrypoint_is_split_as_a_shell_does() {
        assert_eq!(words("sh -c 'echo  $x'").unwrap(), ["sh", "-c", "echo  $x"]);
        assert_eq!(words("").unwrap(), Vec::<String>::new());
        assert!(words("'open").unwrap_err().to_string().starts_with("invalid command line string"));
    }
}
