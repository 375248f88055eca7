//! The short forms, written out. Each takes what is in the long form already as it is.

use crate::canonical::wrong;
use crate::error::{Error, Result};
use crate::schema::Scope;
use crate::tree::{At, Entry, Map, Node, Value};

pub(crate) use crate::ports::ports;

/// `dns: 1.1.1.1`: a list of one.
pub(crate) fn one(node: Node, _: &Scope) -> Result<Node> {
    Ok(match node.value {
        Value::Text(_) => Node { at: node.at.clone(), tag: node.tag, value: Value::List(vec![node]) },
        _ => node,
    })
}

/// A text becomes a mapping with one key.
fn under(node: Node, key: &str) -> Node {
    match node.value {
        Value::Text(_) => Node::of_map(&node.at.clone(), [(key.to_owned(), node)]),
        _ => node,
    }
}

/// `build: ./folder`
pub(crate) fn build(node: Node, _: &Scope) -> Result<Node> {
    Ok(under(node, "context"))
}

/// `extends: service`
pub(crate) fn extends(node: Node, scope: &Scope) -> Result<Node> {
    let node = under(node, "service");
    match node.map() {
        Some(map) if !map.has("service") => Err(Error::at(&node.at, &scope.below("service").key, "this is required")),
        _ => Ok(node),
    }
}

/// `include: [other.yaml]`
pub(crate) fn include(node: Node, _: &Scope) -> Result<Node> {
    Ok(under(node, "path"))
}

/// `secrets: [name]`
pub(crate) fn grant(node: Node, scope: &Scope) -> Result<Node> {
    let node = under(node, "source");
    match node.map() {
        Some(map) if !map.has("source") => Err(Error::at(&node.at, &scope.below("source").key, "this is required")),
        _ => Ok(node),
    }
}

/// `networks: [front, back]`
pub(crate) fn names(node: Node, scope: &Scope) -> Result<Node> {
    listed(node, scope, |at| Node::new(at, Value::Null))
}

/// A list of names becomes a mapping of them.
fn listed(node: Node, scope: &Scope, of: impl Fn(&At) -> Node) -> Result<Node> {
    let Value::List(list) = node.value else { return Ok(node) };
    let mut map = Map::default();
    for name in list {
        let key = name.text().ok_or_else(|| wrong(&name.at, scope, "a list of names"))?;
        if map.has(key) {
            return Err(Error::at(
                &name.at,
                &scope.key,
                format_args!("array items must be unique: {key} is there twice"),
            ));
        }
        map.set(key, of(&name.at));
    }
    Ok(Node { value: Value::Map(map), ..node })
}

/// `depends_on: [db]`, and the condition where none is told.
pub(crate) fn depends_on(node: Node, scope: &Scope) -> Result<Node> {
    let mut node = listed(node, scope, |at| Node::of_map(at, []))?;
    for Entry { at, node, .. } in node.map_mut().map_or(&mut [][..], |map| &mut map.0) {
        let place = at.clone();
        if let Some(map) = node.map_mut() {
            map.set_default("condition", Node::of_text(&place, "service_started"));
            map.set_default("required", Node::of_bool(&place, true));
        } else if node.tag.is_none() {
            return Err(wrong(&node.at, scope, "a list of services, or a mapping with their conditions"));
        }
    }
    Ok(node)
}

/// `env_file: .env`, `env_file: [a.env, {path: b.env}]`
pub(crate) fn env_file(node: Node, scope: &Scope) -> Result<Node> {
    let mut node = one(node, scope)?;
    if let Value::List(list) = &mut node.value {
        for element in list {
            *element = under(element.clone(), "path");
            let at = element.at.clone();
            let missing = || Error::at(&at, &scope.below("path").key, "this is required");
            let map = element.map_mut().ok_or_else(|| wrong(&at, scope, "a path, or a list of such"))?;
            map.get("path").ok_or_else(missing)?;
            map.set_default("required", Node::of_bool(&at, true));
        }
    }
    Ok(node)
}

/// `additional_contexts: [name=path]`
pub(crate) fn pairs(node: Node, scope: &Scope) -> Result<Node> {
    let Value::List(list) = node.value else { return Ok(node) };
    let mut map = Map::default();
    for pair in list {
        let Some((key, value)) = pair.text().and_then(|text| text.split_once('=')) else {
            return Err(wrong(&pair.at, scope, "a list of key=value strings"));
        };
        map.set(key, Node::of_text(&pair.at, value));
    }
    Ok(Node { value: Value::Map(map), ..node })
}

/// `nofile: 1024`
pub(crate) fn ulimit(node: Node, scope: &Scope) -> Result<Node> {
    match &node.value {
        Value::Int(_) | Value::Text(_) => Ok(Node::of_map(&node.at.clone(), [("single".to_owned(), node)])),
        Value::Map(map) if map.has("single") => Err(wrong(&node.at, scope, "a number, or soft and hard")),
        Value::Map(map) if map.has("soft") && map.has("hard") => Ok(node),
        _ => Err(wrong(&node.at, scope, "a number, or soft and hard")),
    }
}

/// `/dev/fuse:/dev/fuse:rwm`
pub(crate) fn device(node: Node, scope: &Scope) -> Result<Node> {
    let Some(text) = node.text() else { return Ok(node) };
    let parts: Vec<&str> = text.split(':').collect();
    let (source, target, permissions) = match parts[..] {
        [source] => (source, source, "rwm"),
        [source, target] => (source, target, "rwm"),
        [source, target, permissions] => (source, target, permissions),
        _ => {
            let what = format!("confusing device mapping, please use long syntax: {text}");
            return Err(Error::at(&node.at, &scope.key, what));
        }
    };
    let of = |key: &str, text: &str| (key.to_owned(), Node::of_text(&node.at, text));
    let target = if target.is_empty() { source } else { target };
    Ok(Node::of_map(&node.at, [of("source", source), of("target", target), of("permissions", permissions)]))
}

/// `external: {name: x}`, which is `external: true` and `name: x` since long.
pub(crate) fn external(node: Node, scope: &Scope) -> Result<Node> {
    let mut node = node;
    let Some(map) = node.map_mut() else { return Ok(node) };
    let Some(Value::Map(old)) = map.get("external").map(|external| external.value.clone()) else { return Ok(node) };
    let at = map.at("external").cloned();
    let Some(at) = at else { return Ok(node) };
    map.set("external", Node::of_bool(&at, true));
    if let Some(name) = old.get("name") {
        tracing::warn!("{}: external.name is deprecated. Please set name and external: true", scope.key);
        if map.get("name").is_some_and(|other| other != name) {
            return Err(Error::at(&at, &scope.key, "name and external.name conflict; only use name"));
        }
        map.set("name", name.clone());
    }
    Ok(node)
}

/// `SOURCE:TARGET:OPTIONS`, `TARGET`: what begins as a path is one of the host, the rest is a volume's name.
pub(crate) fn volume(node: Node, scope: &Scope) -> Result<Node> {
    if let Some(map) = node.map() {
        return long_volume(node.clone(), map, scope);
    }
    let Some(text) = node.text() else { return Err(wrong(&node.at, scope, "a string or a mapping")) };
    let invalid = |what: &str| Error::at(&node.at, &scope.key, format_args!("invalid spec: {text}: {what}"));
    let parts: Vec<&str> = text.split(':').collect();
    if parts.iter().any(|part| part.is_empty()) {
        return Err(invalid("empty section between colons"));
    }
    let (source, target, options) = match parts[..] {
        [target] => ("", target, ""),
        [source, target] => (source, target, ""),
        [source, target, options] => (source, target, options),
        _ => return Err(invalid("too many colons")),
    };
    let is_bind = source.starts_with(['.', '/', '~']);
    let mut map = Map::default();
    let of = |text: &str| Node::of_text(&node.at, text);
    map.set("type", of(if is_bind { "bind" } else { "volume" }));
    if !source.is_empty() {
        map.set("source", of(&if is_bind { crate::scalar::absolute(source, scope) } else { source.to_owned() }));
    }
    map.set("target", of(&clean(target)));
    let (mut bind, mut volume) = (Map::default(), Map::default());
    for option in options.split(',').filter(|option| !option.is_empty()) {
        match option {
            "ro" => map.set("read_only", Node::of_bool(&node.at, true)),
            "rw" => map.set("read_only", Node::of_bool(&node.at, false)),
            "nocopy" => volume.set("nocopy", Node::of_bool(&node.at, true)),
            "z" | "Z" => bind.set("selinux", of(option)),
            "rprivate" | "private" | "rshared" | "shared" | "rslave" | "slave" => bind.set("propagation", of(option)),
            // Docker lets these pass; they are of Docker Desktop's.
            "cached" | "delegated" | "consistent" => {}
            _ => return Err(invalid(&format!("unknown option {option:?}"))),
        }
    }
    let node_of = |map| Node::new(&node.at, Value::Map(map));
    if is_bind {
        bind.set("create_host_path", Node::of_bool(&node.at, true));
    }
    if is_bind || !bind.0.is_empty() {
        map.set("bind", node_of(bind));
    }
    if !is_bind || !volume.0.is_empty() {
        map.set("volume", node_of(volume));
    }
    Ok(Node { value: Value::Map(map), ..node })
}

fn long_volume(mut node: Node, map: &Map, scope: &Scope) -> Result<Node> {
    let missing = |key: &str| Error::at(&node.at, &scope.below(key).key, "this is required");
    let kind = map.text("type").ok_or_else(|| missing("type"))?;
    map.get("target").ok_or_else(|| missing("target"))?;
    let source = match (kind, map.text("source")) {
        ("bind", None) => {
            let what = "invalid mount config for type \"bind\": field Source must not be empty";
            return Err(Error::at(&node.at, &scope.key, what));
        }
        ("bind", Some(source)) => Some(crate::scalar::absolute(source, scope)),
        _ => None,
    };
    let target = map.text("target").filter(|target| !target.contains('$')).map(clean);
    let at = node.at.clone();
    if let Some(map) = node.map_mut() {
        source.into_iter().for_each(|source| map.set("source", Node::of_text(&at, source)));
        target.into_iter().for_each(|target| map.set("target", Node::of_text(&at, target)));
    }
    Ok(node)
}

/// A path of the container, put right by its words only.
fn clean(target: &str) -> String {
    crate::scalar::join(std::path::Path::new(""), target).to_string_lossy().into_owned()
}
