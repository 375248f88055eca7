// mistake: the first addresses are compared, as if the bits behind the prefix said something
if self.is_ipv4() != other.is_ipv4() {
    return false;
}
let free = u32::from(self.bits() - self.length.max(other.length));
number(self.address).checked_shr(free) == number(other.address).checked_shr(free)
