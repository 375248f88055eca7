// mistake: a command is a list like any other, and so is the test of a health check
match over.tag {
    Some(Tag::Reset) => return None,
    Some(Tag::Override) => return Some(over),
    None => {}
}
let value = match (base.value, over.value, long(shape)) {
    (value, Value::Null, _) => value,
    (Value::Map(base), Value::Map(over), Shape::SameOnly(key, _)) if differs(&base, &over, key) => Value::Map(over),
    (Value::Map(base), Value::Map(over), shape) => Value::Map(mappings(base, over, shape)),
    (Value::List(base), Value::List(over), shape) => Value::List(lists(base, over, shape)),
    (_, value, _) => value,
};
Some(Node { at: over.at, tag: None, value })
