// mistake: an address that begins as the registry's is taken for the registry's
let refused = |why: &str| Error::Nonsense { url: at.to_owned(), why: format!("{why}: {location:?}") };
let Some(url) = query::join(at, location) else {
    return Err(refused("it redirects to what is no web address"));
};
if registry.verify && url.starts_with("http:") {
    return Err(refused("it redirects from HTTPS to plain HTTP"));
}
Ok(Hop { authorized: url.starts_with(&registry.base), url })
