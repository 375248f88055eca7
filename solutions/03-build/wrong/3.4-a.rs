// mistake: the default in the Dockerfile counts before what was given for this build
match default {
    Some(default) => value_of(name, default, lookup, escape).map(Some),
    None => Ok(self.given.get(name).or_else(|| self.global.get(name)).map(plain)),
}
