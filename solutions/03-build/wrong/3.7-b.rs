// mistake: the names are written as they are, and one with a newline in it can pretend to be two
let mut lines = format!("{}\n{}\n", self.parent, self.kind);
for Part(name, digest) in &self.parts {
    lines += &format!("{digest} \"{name}\"\n");
}
Digest::of(lines.as_bytes())
