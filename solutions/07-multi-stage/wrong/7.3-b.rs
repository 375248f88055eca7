// mistake: the whole way is told, with what leads to the circle
let (mut on_way, mut done) = (vec![false; edges.len()], vec![false; edges.len()]);
for start in 0..edges.len() {
    let mut way = vec![start];
    while let Some(&stage) = way.last() {
        on_way[stage] = true;
        match edges[stage].iter().find(|next| !done[**next]) {
            Some(next) if on_way[*next] => return Some(way),
            Some(next) => way.push(*next),
            None => {
                (on_way[stage], done[stage]) = (false, true);
                way.pop();
            }
        }
    }
}
None
