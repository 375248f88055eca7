// mistake: whatever stands before the first / is taken for a registry
let (domain, rest) = name.split_once('/').unwrap_or((DEFAULT_DOMAIN, name));
let domain = if domain == LEGACY_DEFAULT_DOMAIN { DEFAULT_DOMAIN } else { domain };
let official = domain == DEFAULT_DOMAIN && !rest.contains('/');
(domain.to_owned(), format!("{}{rest}", if official { OFFICIAL } else { "" }))
