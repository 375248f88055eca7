// mistake: the signal's number alone, which is the code of a process that exited with it
match self {
    Self::Exited(code) | Self::Killed(code) => code,
}
