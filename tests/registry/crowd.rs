//! More connections than a registry can have.

use crate::http::{ask, digest};
use crate::served::Served;
use crate::support::{Sandbox, eventually};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;

/// The status of the answer to a question on this connection.
fn status(stream: &mut TcpStream, path: &str) -> String {
    write!(stream, "HEAD {path} HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut told = [0; 4096];
    let count = stream.read(&mut told).unwrap();
    String::from_utf8_lossy(&told[9..count.max(12)])[..3].to_owned()
}

#[test]
fn what_cannot_be_opened_is_not_said_to_be_absent() {
    let sandbox = Sandbox::new();
    let served = Served::start(&sandbox, &[]);
    let path = format!("/v2/a/blobs/{}", digest(b"here"));
    let upload = format!("/v2/a/blobs/uploads/?digest={}", digest(b"here"));
    assert_eq!(ask(&served.host, "POST", &upload, "", b"here").unwrap().status, 201);
    let mut early = TcpStream::connect(&served.host).unwrap();
    assert_eq!(status(&mut early, &path), "200");
    // From now on, it may have this many files open.
    let limit = Command::new("prlimit").args(["--nofile=40:40", "--pid", &served.process.id().to_string()]).status();
    assert!(limit.unwrap().success());
    let files = format!("/proc/{}/fd", served.process.id());
    let crowd: Vec<TcpStream> = (0..60).map(|_| TcpStream::connect(&served.host).unwrap()).collect();
    eventually("it has no room left", || std::fs::read_dir(&files).unwrap().count() >= 40);
    assert_eq!(status(&mut early, &path), "500", "a client that hears 404 sends it again, or gives up");
    drop(crowd);
    eventually("it has room again", || status(&mut early, &path) == "200");
    assert_eq!(ask(&served.host, "HEAD", &path, "", b"").unwrap().status, 200);
}
