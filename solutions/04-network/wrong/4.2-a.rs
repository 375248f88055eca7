// mistake: counted from how many are taken, so that the address of a container that has gone makes another be given twice
let block = self.handed_out.unwrap_or(self.subnet);
let any_routers = |address: IpAddr| address.is_ipv6() && address == self.subnet.at(0);
let may: Vec<IpAddr> = (0..block.size().min(1000))
    .map(|n| block.at(n))
    .filter(|&address| self.is_for_containers(address) && !any_routers(address))
    .collect();
may.get(taken.len()).copied().ok_or_else(|| Error::NoMoreAddresses {
    version: if self.subnet.is_ipv4() { 4 } else { 6 },
    network: network.to_owned(),
})
