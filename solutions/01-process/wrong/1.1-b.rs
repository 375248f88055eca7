// mistake: the raw status of wait(2), in which the code is the upper byte
match self {
    Self::Exited(code) => code << 8,
    Self::Killed(signal) => 128 + signal,
}
