// mistake: one address is the answer, each time another one
let v4 = matches!(kind, QTYPE::ANY | QTYPE::TYPE(TYPE::A));
let v6 = matches!(kind, QTYPE::ANY | QTYPE::TYPE(TYPE::AAAA));
let records: Vec<_> = addresses
    .iter()
    .filter_map(|address| match address {
        IpAddr::V4(address) if v4 => Some(RData::A(A { address: address.to_bits() })),
        IpAddr::V6(address) if v6 => Some(RData::AAAA(AAAA { address: address.to_bits() })),
        _ => None,
    })
    .collect();
let first = turn % records.len().max(1);
records.into_iter().skip(first).take(1).collect()
