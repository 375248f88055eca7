//! A request and its answer, as they are on the wire.

use sha2::{Digest, Sha256};
use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::TcpStream;
use std::time::Duration;

/// An answer, whole.
pub struct Told {
    pub status: u16,
    head: String,
    pub body: Vec<u8>,
}

impl Told {
    pub fn header(&self, name: &str) -> &str {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
    }
}

/// Sends a request on a connection of its own. An answer that is not whole is an error.
pub fn ask(host: &str, method: &str, path: &str, more: &str, body: &[u8]) -> Result<Told> {
    let mut stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {}\r\n{more}\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)?;
    let mut whole = Vec::new();
    stream.read_to_end(&mut whole)?;
    let end = whole.windows(4).position(|four| four == b"\r\n\r\n").ok_or(ErrorKind::UnexpectedEof)?;
    let head = String::from_utf8(whole[..end].to_vec()).map_err(Error::other)?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or(ErrorKind::InvalidData)?;
    let told = Told { status, head, body: whole[end + 4..].to_vec() };
    let length = told.header("content-length").parse().unwrap_or(0);
    if method != "HEAD" && told.body.len() < length {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    Ok(told)
}

/// `sha256:…`
pub fn digest(bytes: &[u8]) -> String {
    let hex: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}
