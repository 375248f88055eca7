// mistake: all that nobody else uses goes, with or without a name
let mut names = Vec::new();
for name in volumes(of) {
    if !volumes(others).any(|other| other == name) {
        names.push(name.to_owned());
    }
}
names
