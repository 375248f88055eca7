//! Two files, or a service and what it extends, become one (compose-spec, "Merge"). Both are canonical already, so that there is one
//! rule for each kind of value, and not one for each way of writing it.

use crate::schema::{Field, Shape, Unique};
use crate::tree::{Map, Node, Tag, Value};

/// What `over` makes of `base`: one node in place of both, without a tag, that stands where `over` does. The first of these that fits:
///
/// * over with the tag `!reset`: nothing is left, None;
/// * over with the tag `!override`: `over`;
/// * a command ([`Shape::Argv`]) or the test of a health check ([`Shape::Test`]): the value of `over`;
/// * `over` says nothing ([`Value::Null`]): the value of `base`;
/// * two mappings of a shape [`Shape::SameOnly`] that [`differs`] in its key: that of `over`;
/// * two mappings: key by key, [`mappings`];
/// * two lists: one after the other, [`lists`];
/// * anything else: the value of `over`.
///
/// The shape may be wrapped, as a short form: [`long`].
pub fn merge(base: Node, over: Node, shape: &Shape) -> Option<Node> {
    // exercise: 8.3 merge: one value out of an earlier and a later
    match over.tag {
        Some(Tag::Reset) => return None,
        Some(Tag::Override) => return Some(over),
        None => {}
    }
    let value = match (base.value, over.value, long(shape)) {
        (_, value, Shape::Argv | Shape::Test) | (value, Value::Null, _) => value,
        (Value::Map(base), Value::Map(over), Shape::SameOnly(key, _)) if differs(&base, &over, key) => Value::Map(over),
        (Value::Map(base), Value::Map(over), shape) => Value::Map(mappings(base, over, shape)),
        (Value::List(base), Value::List(over), shape) => Value::List(lists(base, over, shape)),
        (_, value, _) => value,
    };
    Some(Node { at: over.at, tag: None, value })
    // end exercise
}

/// Without its short form.
fn long(shape: &Shape) -> &Shape {
    match shape {
        Shape::Short(_, inner) => long(inner),
        shape => shape,
    }
}

/// Whether both have the key, and not the same there.
fn differs(base: &Map, over: &Map, key: &str) -> bool {
    matches!((base.get(key), over.get(key)), (Some(a), Some(b)) if a != b)
}

/// Key by key.
fn mappings(mut base: Map, over: Map, shape: &Shape) -> Map {
    for entry in over.0 {
        let Some(place) = base.0.iter().position(|other| other.key == entry.key) else {
            base.0.push(entry);
            continue;
        };
        let below = below(shape, &entry.key);
        let old = base.0[place].node.clone();
        match merge(old, entry.node, below) {
            Some(node) => {
                base.0[place].node = node;
                base.0[place].at = entry.at;
            }
            None => drop(base.0.remove(place)),
        }
    }
    base
}

/// One after the other, each thing once where that is the rule.
fn lists(base: Vec<Node>, over: Vec<Node>, shape: &Shape) -> Vec<Node> {
    let list = base.into_iter().chain(over).collect();
    match shape {
        Shape::Listed(inner, unique) => once(list, unique, inner),
        Shape::Hosts => once(list, &Unique::By(crate::schema::whole), &Shape::Text),
        _ => list,
    }
}

/// The shape of what a key holds.
pub(crate) fn below<'a>(shape: &'a Shape, key: &str) -> &'a Shape {
    match long(shape) {
        Shape::Named(inner) => inner,
        Shape::Fields(fields) | Shape::SameOnly(_, fields) => {
            fields.iter().find(|field: &&Field| field.key == key).map_or(&Shape::Free, |field| &field.shape)
        }
        _ => &Shape::Free,
    }
}

/// The list, with one of those that are the same: the later, in the place of the earlier.
pub(crate) fn once(list: Vec<Node>, unique: &Unique, inner: &Shape) -> Vec<Node> {
    let (Unique::By(key) | Unique::MergedBy(key)) = unique else { return list };
    let mut place = std::collections::HashMap::new();
    let mut all: Vec<Node> = Vec::new();
    for node in list {
        match place.entry(key(&node)) {
            std::collections::hash_map::Entry::Vacant(entry) => {
                entry.insert(all.len());
                all.push(node);
            }
            std::collections::hash_map::Entry::Occupied(entry) => {
                let earlier = &mut all[*entry.get()];
                *earlier = match unique {
                    Unique::MergedBy(_) => merge(earlier.clone(), node.clone(), inner).unwrap_or(node),
                    _ => node,
                };
            }
        }
    }
    all
}

/// Forgets what is still to be reset when all files are merged.
pub(crate) fn settle(node: &mut Node) {
    match &mut node.value {
        Value::Map(map) => {
            map.0.retain(|entry| entry.node.tag != Some(Tag::Reset));
            map.0.iter_mut().for_each(|entry| settle(&mut entry.node));
        }
        Value::List(list) => {
            list.retain(|node| node.tag != Some(Tag::Reset));
            list.iter_mut().for_each(settle);
        }
        _ => {}
    }
}
