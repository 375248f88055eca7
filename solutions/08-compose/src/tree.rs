//! A YAML document as a tree in which everything knows where it was written, so that an error can say so, however late it
//! is found.

use std::fmt;
use std::rc::Rc;

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct At {
    pub file: Rc<str>,
    /// From 1.
    pub line: usize,
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// What the author asks of a merge, by a tag (compose-spec, "Merge", *Reset value* and *Replace value*).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tag {
    /// `!reset`: what the earlier file has here is forgotten, and nothing is in its place.
    Reset,
    /// `!override`: this stands in place of what the earlier file has, however such values are merged otherwise.
    Override,
}

/// A value, and where it stands.
#[derive(Clone, Debug)]
pub struct Node {
    pub at: At,
    pub tag: Option<Tag>,
    pub value: Value,
}

/// What a [`Node`] holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(Map),
}

/// Where something is written makes it no other thing.
impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

/// How many entries a mapping or a list may have. Each key is looked for one after the other, and a service with more variables than
/// this could not even be started.
pub(crate) const ENTRIES: usize = 20_000;

/// A mapping, in the order of the file.
#[derive(Clone, Debug, Default)]
pub struct Map(pub Vec<Entry>);

/// A key of a mapping, and its value.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Where the key stands.
    pub at: At,
    pub key: String,
    pub node: Node,
}

impl PartialEq for Map {
    fn eq(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.0.iter().all(|entry| other.get(&entry.key) == Some(&entry.node))
    }
}

impl Map {
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.0.iter().find(|entry| entry.key == key).map(|entry| &entry.node)
    }

    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.0.iter_mut().find(|entry| entry.key == key).map(|entry| &mut entry.node)
    }

    pub fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// Where a key stands.
    pub fn at(&self, key: &str) -> Option<&At> {
        self.0.iter().find(|entry| entry.key == key).map(|entry| &entry.at)
    }

    pub fn set(&mut self, key: &str, node: Node) {
        match self.get_mut(key) {
            Some(found) => *found = node,
            None => self.0.push(Entry { at: node.at.clone(), key: key.to_owned(), node }),
        }
    }

    /// Only what is not there yet.
    pub fn set_default(&mut self, key: &str, node: Node) {
        if !self.has(key) {
            self.set(key, node);
        }
    }

    pub fn remove(&mut self, key: &str) -> Option<Node> {
        let place = self.0.iter().position(|entry| entry.key == key)?;
        Some(self.0.remove(place).node)
    }

    /// The text under a key, if it is one.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.get(key)?.text()
    }
}

impl Node {
    pub fn new(at: &At, value: Value) -> Self {
        Self { at: at.clone(), tag: None, value }
    }

    pub fn of_text(at: &At, text: impl Into<String>) -> Self {
        Self::new(at, Value::Text(text.into()))
    }

    pub fn of_bool(at: &At, value: bool) -> Self {
        Self::new(at, Value::Bool(value))
    }

    /// A mapping of these.
    pub fn of_map(at: &At, entries: impl IntoIterator<Item = (String, Node)>) -> Self {
        let entry = |(key, node): (String, Node)| Entry { at: node.at.clone(), key, node };
        Self::new(at, Value::Map(Map(entries.into_iter().map(entry).collect())))
    }

    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub fn map(&self) -> Option<&Map> {
        match &self.value {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    pub fn map_mut(&mut self) -> Option<&mut Map> {
        match &mut self.value {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    pub fn list(&self) -> Option<&[Node]> {
        match &self.value {
            Value::List(list) => Some(list),
            _ => None,
        }
    }

    /// The node under these keys.
    pub fn find(&self, path: &[&str]) -> Option<&Node> {
        path.iter().try_fold(self, |node, key| node.map()?.get(key))
    }

    /// The entries of the mapping under a key; none where there is no such mapping.
    pub fn entries(&self, key: &str) -> &[Entry] {
        self.find(&[key]).and_then(Self::map).map_or(&[], |map| &map.0)
    }

    /// What kind of value this is, in the words of an error.
    pub fn kind(&self) -> &'static str {
        match &self.value {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Int(_) | Value::Float(_) => "a number",
            Value::Text(_) => "a string",
            Value::List(_) => "an array",
            Value::Map(_) => "a mapping",
        }
    }

    /// A scalar as text, as Go prints it; none of a list, a mapping or nothing.
    pub fn scalar(&self) -> Option<String> {
        match &self.value {
            Value::Text(text) => Some(text.clone()),
            Value::Bool(value) => Some(value.to_string()),
            Value::Int(value) => Some(value.to_string()),
            Value::Float(value) => Some(value.to_string()),
            Value::Null | Value::List(_) | Value::Map(_) => None,
        }
    }
}
