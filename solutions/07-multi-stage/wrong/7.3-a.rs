// mistake: a stage that is come to a second time is taken for a circle, though only two ways lead to it
let mut seen = vec![false; edges.len()];
for start in 0..edges.len() {
    let mut way = Vec::new();
    let mut ahead = vec![start];
    while let Some(stage) = ahead.pop() {
        way.push(stage);
        for next in &edges[stage] {
            if seen[*next] {
                return Some(way.into_iter().skip_while(|stage| stage != next).collect());
            }
            seen[*next] = true;
            ahead.push(*next);
        }
    }
}
None
