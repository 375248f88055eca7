// mistake: the family is forgotten, and 0.0.0.0/0 has all the addresses there are
let free = |subnet: Self| u32::from(subnet.bits() - self.length.min(other.length).min(subnet.bits()));
number(self.address).checked_shr(free(self)) == number(other.address).checked_shr(free(other))
