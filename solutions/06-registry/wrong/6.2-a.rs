// mistake: every comma separates, those within quotes too
let (scheme, rest) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
if scheme.is_empty() {
    return Vec::new();
}
let parameters = rest.split(',').filter_map(|parameter| parameter.trim().split_once('='));
let parameters = parameters.map(|(name, value)| (name.to_ascii_lowercase(), value.trim_matches('"').to_owned()));
vec![Challenge { scheme: scheme.to_ascii_lowercase(), parameters: parameters.collect() }]
