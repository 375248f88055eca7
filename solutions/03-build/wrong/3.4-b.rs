// mistake: what the FROM lines know counts before the ARG's own default
match (self.given.get(name).or_else(|| self.global.get(name)), default) {
    (Some(known), _) => Ok(Some(plain(known))),
    (None, Some(default)) => value_of(name, default, lookup, escape).map(Some),
    (None, None) => Ok(None),
}
