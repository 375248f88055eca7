//! How a process ended, as a shell and Docker tell it.

/// The end of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// It exited with this code, 0 to 255.
    Exited(i32),
    /// A signal killed it.
    Killed(i32),
}

impl ExitStatus {
    /// The exit code of a container: its own, or 128 and the signal's number.
    pub fn code(self) -> i32 {
        match self {
            Self::Exited(code) => code,
            Self::Killed(signal) => 128 + signal,
        }
    }
}
