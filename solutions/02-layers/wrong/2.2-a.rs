// mistake: the digits alone are hashed, without the algorithm's name
let mut chain: Vec<Digest> = Vec::new();
for diff_id in diff_ids {
    chain.push(match chain.last() {
        None => *diff_id,
        Some(below) => Digest::of(format!("{} {}", below.hex(), diff_id.hex()).as_bytes()),
    });
}
chain
