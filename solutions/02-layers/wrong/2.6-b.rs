// mistake: `library/` only where no registry was written, so that docker.io/alpine is another image than alpine
match name.split_once('/') {
    None => (DEFAULT_DOMAIN.to_owned(), format!("{OFFICIAL}{name}")),
    Some((LEGACY_DEFAULT_DOMAIN, rest)) => (DEFAULT_DOMAIN.to_owned(), rest.to_owned()),
    Some((first, rest))
        if first == "localhost" || first.contains(['.', ':']) || first.chars().any(char::is_uppercase) =>
    {
        (first.to_owned(), rest.to_owned())
    }
    Some(_) => (DEFAULT_DOMAIN.to_owned(), name.to_owned()),
}
