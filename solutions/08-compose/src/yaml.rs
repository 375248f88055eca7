//! From YAML's events to [`Node`]s: anchors, aliases, `<<` and the tags of merging; and a limit to what a few lines can
//! blow up to.

use crate::error::{Error, Result};
use crate::tree::{At, ENTRIES, Entry, Map, Node, Tag, Value};
use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag as YamlTag};
use std::borrow::Cow;
use std::collections::HashMap;
use std::rc::Rc;

/// Aliases copy what they point at, and may point at what has aliases again ("billion laughs"). No real file comes near.
const NODES: usize = 200_000;
/// How deep a document may nest: everything that walks the tree does so by recursion.
const DEPTH: usize = 64;

/// The documents of a file, of which empty ones are left out.
///
/// # Errors
/// What is no YAML, a key that is there twice or is no text, an alias to nothing, too much of anything.
pub fn parse(file: &str, text: &str) -> Result<Vec<Node>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader {
        events: Parser::new_from_str(text),
        file: file.into(),
        anchors: HashMap::new(),
        left: NODES,
        depth: 0,
    };
    let mut documents = Vec::new();
    while let Some((event, span)) = reader.next()? {
        match event {
            Event::StreamEnd => break,
            Event::DocumentStart(_) => reader.anchors.clear(),
            Event::StreamStart | Event::DocumentEnd | Event::Nothing => {}
            event => {
                let node = reader.node(event, span)?;
                if node.value != Value::Null {
                    documents.push(node);
                }
            }
        }
    }
    Ok(documents)
}

struct Reader<'a> {
    events: Parser<'a, saphyr_parser::StrInput<'a>>,
    file: Rc<str>,
    anchors: HashMap<usize, Node>,
    /// How many nodes more there may be.
    left: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn at(&self, span: Span) -> At {
        At { file: self.file.clone(), line: span.start.line().max(1) }
    }

    fn next(&mut self) -> Result<Option<(Event<'a>, Span)>> {
        self.events.next_event().transpose().map_err(|error| {
            let at = At { file: self.file.clone(), line: error.marker().line().max(1) };
            Error::at(&at, "", format_args!("this is no YAML: {}", error.info()))
        })
    }

    fn spend(&mut self, nodes: usize, at: &At) -> Result<()> {
        let why = || Error::at(at, "", format_args!("with its aliases written out, this is more than {NODES} values"));
        self.left = self.left.checked_sub(nodes).ok_or_else(why)?;
        Ok(())
    }

    /// Whether there is room for so many levels more.
    fn nests(&self, levels: usize, at: &At) -> Result<()> {
        match self.depth + levels > DEPTH {
            true => Err(Error::at(at, "", format_args!("this nests deeper than {DEPTH} levels"))),
            false => Ok(()),
        }
    }

    fn node(&mut self, event: Event<'a>, span: Span) -> Result<Node> {
        let at = self.at(span);
        self.spend(1, &at)?;
        self.nests(1, &at)?;
        self.depth += 1;
        let (anchor, tag, value) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                (anchor, kept(tag.as_deref()), scalar(text, style, tag.as_deref()))
            }
            Event::SequenceStart(anchor, tag) => (anchor, kept(tag.as_deref()), Value::List(self.list()?)),
            Event::MappingStart(anchor, tag) => (anchor, kept(tag.as_deref()), Value::Map(self.map()?)),
            Event::Alias(anchor) => {
                let found = self.anchors.get(&anchor).cloned();
                let found = found.ok_or_else(|| Error::at(&at, "", "this alias is inside of what it stands for"))?;
                self.spend(size(&found), &at)?;
                self.nests(depth(&found), &at)?;
                (0, found.tag, found.value)
            }
            _ => return Err(Error::at(&at, "", "the document ends too early")),
        };
        let entries = match &value {
            Value::List(list) => list.len(),
            Value::Map(map) => map.0.len(),
            _ => 0,
        };
        if entries > ENTRIES {
            return Err(Error::at(&at, "", format_args!("this has more than {ENTRIES} entries")));
        }
        self.depth -= 1;
        let node = Node { at, tag, value };
        if anchor != 0 {
            // The copy is kept as long as the document is read, and counts as well.
            self.spend(size(&node), &node.at)?;
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn list(&mut self) -> Result<Vec<Node>> {
        let mut list = Vec::new();
        loop {
            match self.next()? {
                Some((Event::SequenceEnd, _)) | None => return Ok(list),
                Some((event, span)) => list.push(self.node(event, span)?),
            }
        }
    }

    fn map(&mut self) -> Result<Map> {
        let mut map = Map::default();
        let mut seen: HashMap<String, usize> = HashMap::new();
        let mut merged = Vec::new();
        while let Some((event, span)) = self.next()? {
            if matches!(event, Event::MappingEnd) {
                break;
            }
            let plain = matches!(event, Event::Scalar(_, ScalarStyle::Plain, ..));
            let key = self.node(event, span)?;
            let at = key.at.clone();
            let Some(name) = key.scalar().filter(|_| !matches!(key.value, Value::Bool(_))) else {
                return Err(Error::at(&at, "", format_args!("a key is a string, and this is {}", key.kind())));
            };
            let Some((event, span)) = self.next()? else { break };
            let node = self.node(event, span)?;
            if plain && name == "<<" {
                merged.push(node);
                continue;
            }
            if let Some(line) = seen.insert(name.clone(), at.line) {
                return Err(Error::at(&at, "", format_args!("mapping key {name:?} already defined at line {line}")));
            }
            map.0.push(Entry { at, key: name, node });
        }
        merged.into_iter().try_for_each(|node| self.merge(&mut map, node))?;
        Ok(map)
    }

    /// `<<: *other`, or a list of such: what the mapping has itself counts, then the first of them (yaml.org/type/merge).
    fn merge(&mut self, map: &mut Map, from: Node) -> Result<()> {
        match from.value {
            Value::Map(other) => {
                for entry in other.0 {
                    if !map.has(&entry.key) {
                        map.0.push(entry);
                    }
                }
                Ok(())
            }
            Value::List(list) if list.iter().all(|node| node.map().is_some()) => {
                list.into_iter().try_for_each(|node| self.merge(map, node))
            }
            _ => Err(Error::at(&from.at, "<<", "map merge requires map or sequence of maps as the value")),
        }
    }
}

fn depth(node: &Node) -> usize {
    let deepest = match &node.value {
        Value::List(list) => list.iter().map(depth).max(),
        Value::Map(map) => map.0.iter().map(|entry| depth(&entry.node)).max(),
        _ => None,
    };
    1 + deepest.unwrap_or(0)
}

fn size(node: &Node) -> usize {
    match &node.value {
        Value::List(list) => 1 + list.iter().map(size).sum::<usize>(),
        Value::Map(map) => 1 + map.0.iter().map(|entry| size(&entry.node)).sum::<usize>(),
        _ => 1,
    }
}

fn kept(tag: Option<&YamlTag>) -> Option<Tag> {
    match tag.filter(|tag| tag.handle == "!").map(|tag| tag.suffix.as_str()) {
        Some("reset") => Some(Tag::Reset),
        Some("override") => Some(Tag::Override),
        _ => None,
    }
}

/// What a scalar is: text if it is quoted or tagged so, else what it looks like.
fn scalar(text: Cow<'_, str>, style: ScalarStyle, tag: Option<&YamlTag>) -> Value {
    let is_text = tag.is_some_and(|tag| tag.is_yaml_core_schema() && tag.suffix == "str");
    match style {
        ScalarStyle::Plain if !is_text => resolve(&text),
        _ => Value::Text(text.into_owned()),
    }
}

/// What a plain scalar looks like to Docker's YAML: `yes` and `off` are words, `0440` is octal, `1_000` a number.
pub fn resolve(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return Value::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Value::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Value::Float(f64::NEG_INFINITY),
        _ => {}
    }
    if !text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) {
        return Value::Text(text.to_owned());
    }
    let plain = text.replace('_', "");
    let (negative, digits) = match plain.as_bytes().first() {
        Some(b'-') => (true, &plain[1..]),
        Some(b'+') => (false, &plain[1..]),
        _ => (false, plain.as_str()),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    let is_whole = digits.bytes().all(|b| b.is_ascii_alphanumeric());
    if let (true, Ok(number)) = (is_whole, i64::from_str_radix(digits, radix)) {
        return Value::Int(if negative { -number } else { number });
    }
    let is_float =
        plain.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b)) && plain.bytes().any(|b| b.is_ascii_digit());
    match plain.parse::<f64>() {
        Ok(number) if is_float => Value::Float(number),
        _ => Value::Text(text.to_owned()),
    }
}
