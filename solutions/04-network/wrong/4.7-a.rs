// mistake: the turn is counted over all addresses, before those of the other family are left out
let mut addresses = addresses.to_vec();
if !addresses.is_empty() {
    let first = turn % addresses.len();
    addresses.rotate_left(first);
}
let v4 = matches!(kind, QTYPE::ANY | QTYPE::TYPE(TYPE::A));
let v6 = matches!(kind, QTYPE::ANY | QTYPE::TYPE(TYPE::AAAA));
addresses
    .iter()
    .filter_map(|address| match address {
        IpAddr::V4(address) if v4 => Some(RData::A(A { address: address.to_bits() })),
        IpAddr::V6(address) if v6 => Some(RData::AAAA(AAAA { address: address.to_bits() })),
        _ => None,
    })
    .collect()
