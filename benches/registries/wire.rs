//! The least that can be done with a registry: blobs put, and fetched to be thrown away.

use crate::content::{self, Image, MANIFEST};
use anyhow::{Context, Result};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

/// A connection that stays.
pub(crate) struct Wire {
    host: String,
    stream: BufReader<TcpStream>,
}

/// What an answer says ahead of its body.
struct Head {
    status: u16,
    length: u64,
    location: Option<String>,
}

impl Wire {
    pub(crate) fn to(host: &str) -> Result<Self> {
        let stream = TcpStream::connect(host).with_context(|| format!("cannot reach {host}"))?;
        stream.set_nodelay(true)?;
        Ok(Self { host: host.to_owned(), stream: BufReader::with_capacity(256 << 10, stream) })
    }

    /// Puts an image into a repository, as a push does.
    pub(crate) fn put(&mut self, repository: &str, image: &Image) -> Result<()> {
        for blob in &image.layers {
            self.put_blob(repository, &blob.digest, &mut File::open(&blob.path)?, blob.size)?;
        }
        let config = image.config.as_slice();
        self.put_blob(repository, &content::digest(config), &mut { config }, config.len() as u64)?;
        let manifest = image.manifest.as_slice();
        let path = format!("/v2/{repository}/manifests/v1");
        self.send("PUT", &path, MANIFEST, &mut { manifest }, manifest.len() as u64, 201).map(drop)
    }

    fn put_blob(&mut self, repository: &str, digest: &str, from: &mut dyn Read, size: u64) -> Result<()> {
        let begin = format!("/v2/{repository}/blobs/uploads/");
        let place = self.send("POST", &begin, "", &mut std::io::empty(), 0, 202)?.location.context("no Location")?;
        let place = place.strip_prefix(&format!("http://{}", self.host)).unwrap_or(&place).to_owned();
        let mark = if place.contains('?') { '&' } else { '?' };
        let path = format!("{place}{mark}digest={digest}");
        self.send("PUT", &path, "application/octet-stream", from, size, 201).map(drop)
    }

    /// Fetches a blob, and throws it away. Returns its size.
    pub(crate) fn fetch(&mut self, repository: &str, digest: &str) -> Result<u64> {
        let head = self.ask("GET", &format!("/v2/{repository}/blobs/{digest}"), "", &mut std::io::empty(), 0)?;
        anyhow::ensure!(head.status == 200, "{digest}: {}", head.status);
        let mut left = head.length;
        while left > 0 {
            let ahead = self.stream.fill_buf()?.len() as u64;
            anyhow::ensure!(ahead > 0, "{digest}: it breaks off");
            let step = ahead.min(left);
            self.stream.consume(step as usize);
            left -= step;
        }
        Ok(head.length)
    }

    /// Sends a request of which the answer's body is of no interest.
    fn send(
        &mut self,
        method: &str,
        path: &str,
        kind: &str,
        body: &mut dyn Read,
        size: u64,
        good: u16,
    ) -> Result<Head> {
        let head = self.ask(method, path, kind, body, size)?;
        let mut told = vec![0; usize::try_from(head.length)?];
        self.stream.read_exact(&mut told)?;
        anyhow::ensure!(
            head.status == good,
            "{method} {path}: {}: {}",
            head.status,
            String::from_utf8_lossy(&told).trim()
        );
        Ok(head)
    }

    fn ask(&mut self, method: &str, path: &str, kind: &str, body: &mut dyn Read, size: u64) -> Result<Head> {
        let (host, mut to) = (&self.host, self.stream.get_ref());
        let kind = if kind.is_empty() { String::new() } else { format!("Content-Type: {kind}\r\n") };
        write!(to, "{method} {path} HTTP/1.1\r\nHost: {host}\r\n{kind}Content-Length: {size}\r\n\r\n")?;
        std::io::copy(body, &mut to)?;
        let mut head = Head { status: 0, length: 0, location: None };
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        head.status = line.split(' ').nth(1).and_then(|status| status.parse().ok()).context("no answer")?;
        loop {
            line.clear();
            self.stream.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(':') else { return Ok(head) };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => head.length = value.trim().parse()?,
                "location" => head.location = Some(value.trim().to_owned()),
                _ => {}
            }
        }
    }
}

/// Fetches all layers at the same time, each over a connection of its own.
pub(crate) fn fetch_all(host: &str, repository: &str, image: &Image) -> Result<()> {
    std::thread::scope(|scope| {
        let fetch = |digest| move || Wire::to(host)?.fetch(repository, digest).map(drop);
        let all: Vec<_> = image.layers.iter().map(|blob| scope.spawn(fetch(blob.digest.as_str()))).collect();
        all.into_iter().try_for_each(|one| one.join().map_err(|_| anyhow::anyhow!("a fetch panicked"))?)
    })
}
