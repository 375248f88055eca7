//! sysctl(8).
