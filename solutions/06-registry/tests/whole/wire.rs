//! What is on the wire: answers one after the other on one connection, each with its own bytes.

use super::protocol::{put_blob, put_image};
use super::served::serve;
use super::site::Image;
use layers::Digest;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

/// Bytes that are nowhere the same.
fn noise(count: usize) -> Vec<u8> {
    let mut state = 1u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..count).map(|_| next()).collect()
}

/// The next answer: its status, and its body, which is as long as it says.
fn read(from: &mut impl BufRead, head: bool) -> (u16, Vec<u8>) {
    let mut line = String::new();
    from.read_line(&mut line).unwrap();
    let status = line.split(' ').nth(1).unwrap().parse().unwrap();
    let mut length = 0;
    loop {
        let mut line = String::new();
        from.read_line(&mut line).unwrap();
        match line.trim_end().split_once(": ") {
            Some(("content-length", value)) => length = value.parse().unwrap(),
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; if head || status == 304 { 0 } else { length }];
    from.read_exact(&mut body).unwrap();
    (status, body)
}

#[test]
fn many_answers_on_one_connection() {
    let (served, image) = (serve(|_| ()), Image::of(&["one"]));
    put_image(&served, "a", "v1", &image);
    // Larger than what a socket takes at once, and of a size that is nobody's multiple.
    let (large, small) = (noise((9 << 20) + 12_345), noise(100));
    let [whole, few, none] = [&large[..], &small, b""].map(|bytes| format!("blobs/{}", put_blob(&served, "a", bytes)));
    let etag = format!("If-None-Match: \"{}\"", Digest::of(&small));
    let last = large.len() - 1;
    let asked: Vec<(&str, &str, String, u16, &[u8])> = vec![
        ("GET", &whole, String::new(), 200, &large),
        ("GET", "manifests/v1", String::new(), 200, &image.manifest),
        ("GET", &few, String::new(), 200, &small),
        ("HEAD", &whole, String::new(), 200, b""),
        ("GET", &whole, "Range: bytes=5000000-5000099".into(), 206, &large[5_000_000..5_000_100]),
        ("GET", &whole, format!("Range: bytes={last}-"), 206, &large[last..]),
        ("GET", &few, etag, 304, b""),
        ("GET", &none, String::new(), 200, b""),
        ("GET", &whole, "Range: bytes=1-".into(), 206, &large[1..]),
        ("GET", &few, "Range: bytes=-10".into(), 206, &small[90..]),
        ("GET", &whole, String::new(), 200, &large),
    ];
    let line = |(method, path, header, ..): &(&str, &str, String, u16, &[u8])| {
        let header = if header.is_empty() { "Accept: */*" } else { header };
        format!("{method} /v2/a/{path} HTTP/1.1\r\nHost: x\r\n{header}\r\n\r\n")
    };
    // Each when the last was answered; then all at once.
    for at_once in [false, true] {
        let mut stream = TcpStream::connect(&served.host).unwrap();
        let mut answers = BufReader::new(stream.try_clone().unwrap());
        if at_once {
            stream.write_all(asked.iter().map(line).collect::<String>().as_bytes()).unwrap();
        }
        for one in &asked {
            if !at_once {
                stream.write_all(line(one).as_bytes()).unwrap();
            }
            let (method, path, header, status, expected) = one;
            let (found, body) = read(&mut answers, *method == "HEAD");
            assert_eq!(found, *status, "{method} {path} {header}");
            assert!(body == *expected, "{method} {path} {header}: {} bytes, at once: {at_once}", body.len());
        }
    }
}

#[test]
fn who_goes_away_in_the_middle_takes_nothing_along() {
    let served = serve(|_| ());
    let large = noise(20 << 20);
    let digest = put_blob(&served, "a", &large);
    for _ in 0..20 {
        let mut stream = TcpStream::connect(&served.host).unwrap();
        write!(stream, "GET /v2/a/blobs/{digest} HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        stream.read_exact(&mut [0; 1000]).unwrap();
    }
    let told = served.send("GET", &format!("/v2/a/blobs/{digest}"), &["Range: bytes=-1000"], b"");
    assert!(told.body == large[large.len() - 1000..]);
    let path = served.folder.path().join("registry/blobs/sha256").join(digest.hex());
    let open = || {
        let files = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
        files.filter(|file| std::fs::read_link(file.path()).is_ok_and(|target| target == path)).count()
    };
    let end = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while open() > 0 {
        assert!(std::time::Instant::now() < end, "{} are open still", open());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}
