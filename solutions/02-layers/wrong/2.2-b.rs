// mistake: the diff ID of the layer below in place of its chain ID, so that only two layers count
let mut chain: Vec<Digest> = diff_ids.iter().take(1).copied().collect();
for pair in diff_ids.windows(2) {
    chain.push(Digest::of(format!("{} {}", pair[0], pair[1]).as_bytes()));
}
chain
