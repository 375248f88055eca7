// mistake: the first word is the scheme, and all that follows are its parameters
let (scheme, mut rest) = split_word(header.trim());
if scheme.is_empty() {
    return Vec::new();
}
let mut challenge = Challenge { scheme: scheme.to_ascii_lowercase(), parameters: BTreeMap::new() };
loop {
    rest = rest.trim_start_matches([' ', ',', '\t']);
    let (name, after) = split_word(rest);
    let Some(value) = after.trim_start().strip_prefix('=') else { break };
    let Some((value, after)) = split_value(value.trim_start()) else { break };
    challenge.parameters.insert(name.to_ascii_lowercase(), value);
    rest = after;
}
vec![challenge]
