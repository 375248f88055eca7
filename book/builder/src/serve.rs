//! The site on this machine: a folder of files over HTTP, on loopback only.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};

/// Serves until it is interrupted.
pub(crate) fn serve(site: &Path, port: u16) -> Result<bool> {
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).with_context(|| format!("cannot listen on port {port}"))?;
    println!("http://{}", listener.local_addr()?);
    for stream in listener.incoming() {
        let (stream, site) = (stream?, site.to_owned());
        // A reader who goes away in the middle of a page is no error of ours.
        std::thread::spawn(move || drop(answer(stream, &site)));
    }
    Ok(true)
}

fn answer(mut stream: TcpStream, site: &Path) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut lines = BufReader::new((&stream).take(16 << 10)).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    while lines.next().transpose()?.is_some_and(|header| !header.is_empty()) {}
    let path = request.strip_prefix("GET ").and_then(|rest| rest.split_whitespace().next());
    let found = path.and_then(|path| file(site, path)).and_then(|file| Some((std::fs::read(&file).ok()?, file)));
    let (status, content_type, body) = match found {
        Some((body, file)) => ("200 OK", content_type(&file), body),
        None => ("404 Not Found", "text/plain", b"There is no such page.\n".to_vec()),
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    )?;
    stream.write_all(&body)
}

/// The file a path of a URL means: beneath the site, or nothing.
fn file(site: &Path, url: &str) -> Option<PathBuf> {
    let path = url.split(['?', '#']).next()?.trim_start_matches('/');
    let plain = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
    let file = site.join(path);
    plain.then(|| if path.is_empty() || path.ends_with('/') { file.join("index.html") } else { file })
}

fn content_type(file: &Path) -> &'static str {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css",
        Some("js") => "text/javascript",
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("woff2") => "font/woff2",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_never_leaves_the_site() {
        let site = Path::new("/site");
        assert_eq!(file(site, "/"), Some("/site/index.html".into()));
        assert_eq!(file(site, "/a/b.html?x#y"), Some("/site/a/b.html".into()));
        assert_eq!(file(site, "/../etc/passwd"), None);
        assert_eq!(file(site, "//etc/passwd"), Some("/site/etc/passwd".into()));
    }
}
