// mistake: the password goes to whoever answered last, if they send us to themselves
let refused = |why: &str| Error::Nonsense { url: at.to_owned(), why: format!("{why}: {location:?}") };
let Some(url) = query::join(at, location) else {
    return Err(refused("it redirects to what is no web address"));
};
if registry.verify && url.starts_with("http:") {
    return Err(refused("it redirects from HTTPS to plain HTTP"));
}
Ok(Hop { authorized: query::same_origin(&url, at), url })
