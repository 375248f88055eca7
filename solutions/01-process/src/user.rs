//! `--user`: names and numbers, looked up in the image's own /etc/passwd and /etc/group.
#![allow(clippy::todo, unused_variables)]

use std::os::fd::BorrowedFd;

use crate::Result;

/// Who a process runs as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub uid: u32,
    pub gid: u32,
    /// Ascending.
    pub additional_gids: Vec<u32>,
    /// `/` if the image has none for this user.
    pub home: String,
}

/// `""` (root), `name`, `uid`, `name:group`, `uid:gid`, and `--group-add`.
pub fn resolve(root: BorrowedFd<'_>, user: &str, groups: &[String]) -> Result<User> {
    todo!()
}
