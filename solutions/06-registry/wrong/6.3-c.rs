// mistake: a location is taken as it stands, and relative to the registry; and whether it is by HTTPS is not asked
let refused = |why: &str| Error::Nonsense { url: at.to_owned(), why: format!("{why}: {location:?}") };
let url = if location.contains("://") { location.to_owned() } else { format!("{}{location}", registry.base) };
if query::split(&url).is_none() {
    return Err(refused("it redirects to what is no web address"));
}
Ok(Hop { authorized: query::same_origin(&url, &registry.base), url })
