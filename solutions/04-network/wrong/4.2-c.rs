// mistake: what is handed out is not asked for; the whole subnet is
let any_routers = |address: IpAddr| address.is_ipv6() && address == self.subnet.at(0);
(0..self.subnet.size())
    .map(|n| self.subnet.at(n))
    .find(|&address| self.is_for_containers(address) && !any_routers(address) && !taken.contains(&address))
    .ok_or_else(|| Error::NoMoreAddresses {
        version: if self.subnet.is_ipv4() { 4 } else { 6 },
        network: network.to_owned(),
    })
