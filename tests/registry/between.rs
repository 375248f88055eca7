//! What stands between a client and a registry: a slow line, which also counts.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

pub struct Line {
    /// `127.0.0.1:PORT`.
    pub host: String,
    counted: Arc<Counted>,
}

#[derive(Default)]
struct Counted {
    blobs: AtomicUsize,
    down: AtomicUsize,
    up: AtomicUsize,
}

impl Line {
    /// To this host; with `slow`, it carries some 2 MB in a second.
    pub fn to(host: &str, slow: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let own = listener.local_addr().unwrap().to_string();
        let (host, counted) = (host.to_owned(), Arc::new(Counted::default()));
        let inside = counted.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(&host) else { continue };
                let (up, down) = (inside.clone(), inside.clone());
                let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                std::thread::spawn(move || {
                    carry(from, to, slow, |bytes| {
                        up.up.fetch_add(bytes.len(), Ordering::Relaxed);
                        let text = String::from_utf8_lossy(bytes);
                        let asked =
                            text.lines().filter(|line| line.starts_with("GET ") && line.contains("/blobs/sha256:"));
                        up.blobs.fetch_add(asked.count(), Ordering::Relaxed);
                    });
                });
                std::thread::spawn(move || {
                    carry(server, client, slow, |bytes| _ = down.down.fetch_add(bytes.len(), Ordering::Relaxed));
                });
            }
        });
        Self { host: own, counted }
    }

    /// Blobs that were asked for.
    pub fn blobs(&self) -> usize {
        self.counted.blobs.load(Ordering::Relaxed)
    }

    /// Bytes that the registry has sent.
    pub fn down(&self) -> usize {
        self.counted.down.load(Ordering::Relaxed)
    }

    /// Bytes that the client has sent.
    pub fn up(&self) -> usize {
        self.counted.up.load(Ordering::Relaxed)
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, slow: bool, count: impl Fn(&[u8])) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        count(&buffer[..read]);
        if to.write_all(&buffer[..read]).is_err() {
            break;
        }
        if slow {
            std::thread::sleep(Duration::from_millis(30));
        }
    }
    // The other direction ends with it.
    to.shutdown(std::net::Shutdown::Both).ok();
    from.shutdown(std::net::Shutdown::Both).ok();
}
