// mistake: a later list stands in place of the earlier, who says nothing forgets all, and drivers share their options
match over.tag {
    Some(Tag::Reset) => return None,
    Some(Tag::Override) => return Some(over),
    None => {}
}
let value = match (base.value, over.value, long(shape)) {
    (Value::Map(base), Value::Map(over), shape) => Value::Map(mappings(base, over, shape)),
    (_, value, _) => value,
};
Some(Node { at: over.at, tag: None, value })
