// mistake: what is said of a folder is said of nothing that is in it
let mut verdict = Verdict::default();
for rule in &self.rules {
    let spoken = rule.pattern.matches(path);
    if spoken {
        verdict.excluded = !rule.exception;
    }
    verdict.spoken.push(spoken);
}
verdict
