// mistake: exceptions count before all other rules, wherever they stand
let mut verdict = Verdict::default();
let mut excepted = false;
for (number, rule) in self.rules.iter().enumerate() {
    let spoken = parent.is_spoken_of_by(number) || rule.pattern.matches(path);
    verdict.excluded |= spoken && !rule.exception;
    excepted |= spoken && rule.exception;
    verdict.spoken.push(spoken);
}
verdict.excluded &= !excepted;
verdict
