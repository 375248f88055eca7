//! setrlimit(2).
