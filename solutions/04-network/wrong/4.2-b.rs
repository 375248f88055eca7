// mistake: the first address of IPv6 is taken for a container's like any other
let block = self.handed_out.unwrap_or(self.subnet);
(0..block.size())
    .map(|n| block.at(n))
    .find(|&address| self.is_for_containers(address) && !taken.contains(&address))
    .ok_or_else(|| Error::NoMoreAddresses {
        version: if self.subnet.is_ipv4() { 4 } else { 6 },
        network: network.to_owned(),
    })
