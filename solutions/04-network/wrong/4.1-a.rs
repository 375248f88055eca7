// mistake: only whether the other lies within this one is asked, not whether this one lies within the other
self.contains(other.address) && self.length <= other.length
