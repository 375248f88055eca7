// mistake: every way is gone to its end, also where another has been before
let mut reached = BTreeSet::new();
let mut ahead = vec![target];
while let Some(stage) = ahead.pop() {
    reached.insert(stage);
    ahead.extend(&edges[stage]);
}
reached
