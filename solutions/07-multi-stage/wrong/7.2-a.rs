// mistake: what the target needs itself, and not what that needs
let mut reached = BTreeSet::from([target]);
reached.extend(&edges[target]);
reached
