//! Contexts that are archives, and what comes from a server: here one on loopback, which answers as it is told.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::process::{Command, Stdio};
use std::time::{Duration, UNIX_EPOCH};

use layers::Digest;
use layers::unpack::Limits;
use solution_3::cancel::Cancel;
use solution_3::context::{Context, Tree};
use solution_3::copy::{Target, Written};
use solution_3::instruction::Copy;
use solution_3::{Error, Result, add, copy};

use super::ours::TIME;

/// Answers every request for a path with these bytes, headers and all.
fn server(answers: Vec<(&'static str, Vec<u8>)>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    // Ends with the tests: it waits in accept(2), and has nothing to clean up.
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream: TcpStream = stream.unwrap();
            let mut request = BufReader::new(stream.try_clone().unwrap()).lines().map_while(std::result::Result::ok);
            let line = request.next().unwrap_or_default();
            request.find(String::is_empty);
            let path = line.split(' ').nth(1).unwrap_or_default();
            let answer = answers.iter().find(|(known, _)| *known == path).map(|(_, answer)| answer.clone());
            // Whoever has heard enough has gone.
            let _gone = stream
                .write_all(&answer.unwrap_or_else(|| b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".to_vec()));
        }
    });
    address
}

fn answer(body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nlast-modified: Wed, 21 Oct 2015 07:28:00 GMT\r\nconnection: close\r\n\r\n",
        body.len()
    );
    [answer.as_bytes(), body].concat()
}

fn redirect(to: &str) -> Vec<u8> {
    format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").into_bytes()
}

/// Of files that belong to whoever runs the tests.
fn archive(files: &[(&str, &str)]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(text.len() as u64);
        header.set_uid(rustix::process::geteuid().as_raw().into());
        header.set_gid(rustix::process::getegid().as_raw().into());
        header.set_mtime(1_000_000_000);
        archive.append_data(&mut header, name, text.as_bytes()).unwrap();
    }
    archive.into_inner().unwrap()
}

fn compressed(program: &str, bytes: &[u8]) -> Vec<u8> {
    let mut child =
        Command::new(program).args(["-c", "-q"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut stdin, bytes) = (child.stdin.take().unwrap(), bytes.to_vec());
    let writer = std::thread::spawn(move || stdin.write_all(&bytes).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output.stdout
}

/// What is left in a folder.
fn left(folder: &tempfile::TempDir) -> usize {
    fs::read_dir(folder.path()).unwrap().count()
}

struct Added {
    image: tempfile::TempDir,
    downloads: tempfile::TempDir,
    digest: Digest,
    written: Result<Written>,
}

fn empty() -> Tree {
    let folder = tempfile::tempdir().unwrap();
    Tree::folder(fs::File::open(folder.path()).unwrap().into(), "context", None).unwrap()
}

fn added(add: &Copy) -> Result<Added> {
    let (tree, image, downloads) = (empty(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let plan = add::resolve(add, "/w", &tree, downloads.path(), None)?;
    let digest = plan.digest();
    let root = fs::File::open(image.path()).unwrap();
    let me = Some((rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw()));
    let written = plan.write(Target { root: root.as_fd(), owner: me, time: TIME, cancel: None });
    assert_eq!(left(&downloads), 0, "what was downloaded is gone");
    Ok(Added { image, downloads, digest, written })
}

fn from(url: String, destination: &str) -> Copy {
    Copy { sources: vec![url], destination: destination.into(), ..Copy::default() }
}

#[test]
fn an_archive_is_a_context_whatever_it_is_packed_with() {
    let tar = archive(&[("Dockerfile", "FROM scratch"), (".dockerignore", "b"), ("a", "1"), ("b", "2"), ("d/c", "3")]);
    let house = tempfile::tempdir().unwrap();
    for packed in [tar.clone(), compressed("gzip", &tar), compressed("bzip2", &tar), compressed("xz", &tar)] {
        let mut context = Context::archive(packed.as_slice(), house.path(), Limits::default()).unwrap();
        assert_eq!(context.tree().read("Dockerfile").unwrap().unwrap(), b"FROM scratch");
        context.tree_mut().read_ignore(Some("Dockerfile")).unwrap();
        let names =
            |source: &str| copy::resolve(&from(source.into(), "/"), "/", context.tree(), None).map(|plan| plan.files());
        // Dockerfile, .dockerignore, a, d, d/c.
        assert_eq!(names(".").unwrap(), 5);
        assert!(matches!(names("b"), Err(Error::NotFound { hidden: true, .. })));
        assert_eq!(left(&house), 1);
        drop(context);
        assert_eq!(left(&house), 0, "it goes with the context");
    }
}

#[test]
fn the_rules_beside_the_dockerfile_come_first() {
    let files =
        [(".dockerignore", "a"), ("x/D.dockerignore", "b"), ("x/D", ""), ("a", ""), ("b", ""), (".dockerignored", "")];
    let house = tempfile::tempdir().unwrap();
    let mut context = Context::archive(archive(&files).as_slice(), house.path(), Limits::default()).unwrap();
    let excluded =
        |context: &Context| ["a", "b"].map(|name| context.tree().ignore().verdict_of(name.as_ref()).excluded);
    context.tree_mut().read_ignore(Some("x/D")).unwrap();
    assert_eq!(excluded(&context), [false, true]);
    context.tree_mut().read_ignore(Some("D")).unwrap();
    assert_eq!(excluded(&context), [true, false]);
}

#[test]
fn a_context_that_is_refused_leaves_nothing() {
    let house = tempfile::tempdir().unwrap();
    let bomb = compressed("gzip", &archive(&[("zeros", &"\0".repeat(3 << 20))]));
    let limits = Limits { bytes: 1 << 20, entries: 100 };
    let climbing = {
        let mut tar = archive(&[("xx/evil", "x")]);
        tar[..7].copy_from_slice(b"../evil");
        let sum: u32 = tar[..512]
            .iter()
            .enumerate()
            .map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u32::from(*byte) })
            .sum();
        tar[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        tar
    };
    let texts: Vec<String> = [bomb, climbing, b"no archive at all".repeat(100), compressed("xz", b"neither is this")]
        .iter()
        .map(|stream| Context::archive(stream.as_slice(), house.path(), limits).unwrap_err().to_string())
        .collect();
    insta::assert_snapshot!(texts.join("\n"), @r#"
    failed to unpack the build context: "zeros": the archive unpacks to more than the limit of 1048576 bytes
    failed to unpack the build context: "../evil": its name climbs with ".."
    failed to unpack the build context: what should be a tar header at byte 0 is none
    failed to unpack the build context: the archive is truncated
    "#);
    assert_eq!(left(&house), 0);
}

/// A stream of xz says how much memory it takes to unpack it: this one says four gigabytes.
#[test]
fn xz_does_not_get_all_the_memory_it_asks_for() {
    let mut stream = compressed("xz", &archive(&[("a", "b")]));
    // After the stream's header of 12 bytes: the block's size, its flags, the filter LZMA2 (0x21) and one byte about it.
    let (size, at) =
        ((usize::from(stream[12]) + 1) * 4, stream[12..40].windows(2).position(|pair| pair == [0x21, 1]).unwrap() + 14);
    stream[at] = 40;
    let sum = crc32(&stream[12..12 + size - 4]);
    stream[12 + size - 4..12 + size].copy_from_slice(&sum.to_le_bytes());
    let house = tempfile::tempdir().unwrap();
    let error = Context::archive(stream.as_slice(), house.path(), Limits::default()).unwrap_err().to_string();
    assert!(error.contains("memory"), "{error}");
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |sum: u32, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 })
    })
}

/// Whatever happens on the way, no stream is the end of the builder.
#[test]
fn broken_streams_are_errors() {
    let plain = archive(&[("a", &"some text\n".repeat(2000)), ("b", "")]);
    let house = tempfile::tempdir().unwrap();
    let limits = Limits { bytes: 1 << 20, entries: 100 };
    for program in ["gzip", "bzip2", "xz", "zstd"] {
        let whole = compressed(program, &plain);
        assert!(Context::archive(whole.as_slice(), house.path(), limits).is_ok(), "{program}");
        for length in (0..whole.len() - 1).step_by(whole.len() / 40 + 1) {
            assert!(
                Context::archive(&whole[..length], house.path(), limits).is_err() || length == 0,
                "{program} {length}"
            );
        }
        for bit in (0..whole.len() * 8).step_by(whole.len() / 20 + 1) {
            let mut broken = whole.clone();
            broken[bit / 8] ^= 1 << (bit % 8);
            // It may be something else now, or an error; it may not be the end of us.
            drop(Context::archive(broken.as_slice(), house.path(), limits));
        }
    }
    assert_eq!(left(&house), 0);
}

#[test]
fn a_url_is_a_file_that_only_root_may_read() {
    let server = server(vec![("/d/a%20b.txt?x", answer("hello")), ("/", answer("root"))]);
    let add = from(format!("{server}/d/a%20b.txt?x"), "into/");
    let first = added(&add).unwrap();
    assert_eq!(first.written.unwrap().digest, first.digest);
    let path = first.image.path().join("w/into/a b.txt");
    assert_eq!(fs::read_to_string(&path).unwrap(), "hello");
    let status = fs::metadata(&path).unwrap();
    assert_eq!(status.permissions().mode() & 0o7777, 0o600);
    assert_eq!(status.modified().unwrap(), UNIX_EPOCH + Duration::from_secs(TIME as u64), "and not the server's time");
    drop(first.downloads);

    let named = added(&Copy { chmod: Some("755".into()), ..from(format!("{server}/"), "/x/y") }).unwrap();
    assert_eq!(fs::metadata(named.image.path().join("x/y")).unwrap().mode() & 0o7777, 0o755);
    let unnamed = added(&from(format!("{server}/"), "/x/")).unwrap();
    assert_eq!(fs::read_to_string(unnamed.image.path().join("x/__unnamed__")).unwrap(), "root");
}

#[test]
fn with_a_checksum_nothing_is_fetched_before_it_is_needed() {
    let server = server(vec![("/a", answer("hello"))]);
    let checksum = |content: &str| Some(Digest::of(content.as_bytes()).to_string());
    let gone = from("http://127.0.0.1:1/a".into(), "/");
    let plan_of =
        |add: &Copy| add::resolve(add, "/", &empty(), std::env::temp_dir().as_path(), None).map(|plan| plan.digest());
    let lazy = plan_of(&Copy { checksum: checksum("hello"), ..gone.clone() }).unwrap();
    assert_eq!(lazy, plan_of(&from(format!("{server}/a"), "/")).unwrap(), "it is the same file");

    let good = added(&Copy { checksum: checksum("hello"), ..from(format!("{server}/a"), "/") }).unwrap();
    assert_eq!(fs::read_to_string(good.image.path().join("a")).unwrap(), "hello");
    let bad = added(&Copy { checksum: checksum("other"), ..from(format!("{server}/a"), "/") }).unwrap();
    assert!(matches!(bad.written, Err(Error::Checksum(_))));
    assert!(!bad.image.path().join("a").exists());
    let refusal = |add: Copy| plan_of(&add).unwrap_err().to_string();
    insta::assert_snapshot!([
        refusal(Copy { checksum: Some("md5:1".into()), ..gone.clone() }),
        refusal(Copy { checksum: checksum(""), ..from("a".into(), "/") }),
        refusal(Copy { checksum: checksum(""), sources: vec!["http://a/a".into(), "http://a/b".into()], ..gone }),
    ].join("\n"), @r#"
    invalid checksum: invalid digest "md5:1": expected sha256: and 64 lowercase hexadecimal digits
    checksum requires HTTP(S) or Git sources
    checksum can't be specified for multiple sources
    "#);
}

#[test]
fn an_archive_from_a_url_is_unpacked_if_that_is_wanted() {
    let packed = compressed("xz", &archive(&[("d/f", "x")]));
    let server = server(vec![("/t.tar.xz", answer(&packed))]);
    let add = |unpack| Copy { unpack, ..from(format!("{server}/t.tar.xz"), "/x/") };
    let (whole, unpacked) = (added(&add(None)).unwrap(), added(&add(Some(true))).unwrap());
    assert_eq!(fs::read(whole.image.path().join("x/t.tar.xz")).unwrap(), packed);
    assert_eq!(fs::read_to_string(unpacked.image.path().join("x/d/f")).unwrap(), "x");
    assert_ne!(whole.digest, unpacked.digest);
}

#[test]
fn a_context_may_come_from_a_url() {
    let tar = archive(&[("Dockerfile", "FROM a"), ("f", "x")]);
    let server = server(vec![
        ("/c.tar.gz", answer(compressed("gzip", &tar))),
        ("/Dockerfile", answer("FROM b")),
        ("/moved", redirect("/Dockerfile")),
    ]);
    let house = tempfile::tempdir().unwrap();
    for (path, text, files) in [("/c.tar.gz", "FROM a", 2), ("/Dockerfile", "FROM b", 1), ("/moved", "FROM b", 1)] {
        let context = Context::url(&format!("{server}{path}"), house.path(), Limits::default(), None).unwrap();
        assert_eq!(context.tree().read("Dockerfile").unwrap().unwrap(), text.as_bytes());
        assert_eq!(copy::resolve(&from(".".into(), "/"), "/", context.tree(), None).unwrap().files(), files);
        assert_eq!(left(&house), 1);
    }
    assert_eq!(left(&house), 0);
}

#[test]
fn servers_that_fail_are_told_of() {
    let server = server(vec![
        ("/short", b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\nconnection: close\r\n\r\nonly this".to_vec()),
        ("/around", redirect("/around")),
        ("/nonsense", b"I am no web server\r\n\r\n".to_vec()),
        ("/silent", Vec::new()),
    ]);
    let fail = |url: String| added(&from(url, "/")).err().unwrap().to_string();
    let texts = ["/missing", "/short", "/around", "/nonsense", "/silent"].map(|path| fail(format!("{server}{path}")));
    let more = [
        fail("http://me:secret@127.0.0.1:1/".into()),
        fail("https://host/repository.git#main".into()),
        Context::url("git@host:a/b.git", std::env::temp_dir().as_path(), Limits::default(), None)
            .unwrap_err()
            .to_string(),
        copy::resolve(&from("https://host/a".into(), "/"), "/", &empty(), None).unwrap_err().to_string(),
    ];
    let all = texts.iter().chain(&more).map(|text| text.replace(&server, "http://server"));
    insta::assert_snapshot!(all.collect::<Vec<_>>().join("\n"), @"
    failed to load http://server/missing: invalid response status 404
    failed to load http://server/short: Peer disconnected
    failed to load http://server/around: too many redirects
    failed to load http://server/nonsense: protocol: http parse fail: invalid HTTP version
    failed to load http://server/silent: io: Peer disconnected
    failed to load http://me:xxxxx@127.0.0.1:1/: io: Connection refused (os error 111)
    https://host/repository.git#main is a git repository, which cannot be fetched here: clone it, and build from its folder
    git@host:a/b.git is a git repository, which cannot be fetched here: clone it, and build from its folder
    source can't be a URL for COPY
    ");
    let cancel = Cancel::new().unwrap();
    cancel.cancel();
    let cancelled =
        Context::url(&format!("{server}/short"), std::env::temp_dir().as_path(), Limits::default(), Some(&cancel));
    assert!(matches!(cancelled, Err(Error::Cancelled)));
}
