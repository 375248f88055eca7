//! The specification's table of endpoints, one after the other; what each answers when all is well, and when not.

use super::protocol::{put_blob, put_image, put_manifest};
use super::served::{Served, Told, serve};
use super::site::Image;
use layers::Digest;
use layers::manifest::{Descriptor, Index, media_type};

/// What is nowhere.
fn absent() -> Digest {
    Digest::of(b"absent")
}

fn sha512() -> String {
    format!("sha512:{}", "0".repeat(128))
}

/// The status and the code of an answer.
fn said(told: &Told) -> (u16, String) {
    (told.status, told.code())
}

fn ask(served: &Served, method: &str, path: &str) -> (u16, String) {
    said(&served.send(method, path, &[], b""))
}

fn expect(code: u16, text: &str) -> (u16, String) {
    (code, text.to_owned())
}

#[test]
fn end_1_to_3_pull() {
    let (served, image) = (serve(|_| ()), Image::of(&["one"]));
    put_image(&served, "a", "v1", &image);
    let base = served.get("/v2/");
    assert_eq!((base.status, base.header("docker-distribution-api-version")), (200, "registry/2.0"));
    for path in ["/v2/a/manifests/v1".to_owned(), format!("/v2/a/blobs/{}", Digest::of(&image.layers[0]))] {
        let (get, head) = (served.get(&path), served.send("HEAD", &path, &[], b""));
        assert_eq!((get.status, head.status, head.body.len()), (200, 200, 0));
        for name in ["content-type", "content-length", "docker-content-digest", "etag"] {
            assert_eq!(get.header(name), head.header(name), "{name} of {path}");
        }
        assert_eq!(get.header("docker-content-digest"), Digest::of(&get.body).to_string());
        let etag = get.header("etag");
        for known in [etag.to_owned(), format!("\"x\", W/{etag}"), "*".to_owned()] {
            for method in ["GET", "HEAD"] {
                let again = served.send(method, &path, &[&format!("If-None-Match: {known}")], b"");
                assert_eq!((again.status, again.body.len(), again.header("etag")), (304, 0, etag), "{method} {known}");
            }
        }
        assert_eq!(served.send("GET", &path, &["If-None-Match: \"x\""], b"").status, 200);
    }
    for method in ["GET", "DELETE"] {
        assert_eq!(ask(&served, method, &format!("/v2/a/blobs/{}", absent())), expect(404, "BLOB_UNKNOWN"));
        assert_eq!(ask(&served, method, &format!("/v2/a/blobs/{}", sha512())), expect(404, "BLOB_UNKNOWN"));
        assert_eq!(ask(&served, method, "/v2/a/blobs/sha256:abc"), expect(400, "DIGEST_INVALID"));
        for which in [absent().to_string(), sha512(), "v2".to_owned(), ".x".to_owned(), "x".repeat(129)] {
            let told = ask(&served, method, &format!("/v2/a/manifests/{which}"));
            assert_eq!(told, expect(404, "MANIFEST_UNKNOWN"), "{method} {which}");
        }
        assert_eq!(ask(&served, method, "/v2/none/manifests/v1"), expect(404, "NAME_UNKNOWN"));
    }
    for path in [format!("/v2/a/blobs/{}", absent()), "/v2/a/manifests/v2".to_owned()] {
        let told = served.send("HEAD", &path, &[], b"");
        assert_eq!((told.status, told.body.len()), (404, 0));
    }
}

#[test]
fn a_part_of_what_may_have_changed() {
    let served = serve(|_| ());
    let path = format!("/v2/a/blobs/{}", put_blob(&served, "a", b"0123456789"));
    let etag = served.get(&path).header("etag").to_owned();
    let part = |method, more: &str| served.send(method, &path, &["Range: bytes=5-", more], b"");
    let same = part("GET", &format!("If-Range: {etag}"));
    assert_eq!((same.status, same.text().as_str()), (206, "56789"));
    for other in ["If-Range: \"x\"".to_owned(), format!("If-Range: W/{etag}"), "If-Range: Sun, 06 Nov 1994".to_owned()]
    {
        let whole = part("GET", &other);
        assert_eq!((whole.status, whole.text().as_str()), (200, "0123456789"), "{other}");
    }
    let head = part("HEAD", "Accept: */*");
    assert_eq!((head.status, head.header("content-length")), (200, "10"), "only GET has parts");
    let known = part("GET", &format!("If-None-Match: {etag}"));
    assert_eq!((known.status, known.body.len()), (304, 0));
}

#[test]
fn end_4_to_6_and_13_push() {
    let served = serve(|_| ());
    let begin = || served.send("POST", "/v2/a/blobs/uploads/", &["Content-Length: 0"], b"");
    let (one, two) = (begin(), begin());
    assert_ne!(one.header("location"), two.header("location"));
    assert_eq!((one.status, one.header("content-length")), (202, "0"));
    let place = one.header("location");
    assert!(place.ends_with(one.header("docker-upload-uuid")));
    let piece = |method, range: &str, bytes: &[u8], query: &str| {
        served.send(method, &format!("{place}{query}"), &[&format!("Content-Range: {range}")], bytes)
    };
    assert_eq!(piece("PATCH", "0-4", b"01234", "").status, 202);
    assert_eq!(said(&piece("PATCH", "5-6", b"567", "")), expect(400, "SIZE_INVALID"));
    let digest = Digest::of(b"0123456789");
    let query = format!("?digest={digest}");
    // The last piece may come with the end. Out of order, it changes nothing; and the way back is told.
    for (method, query) in [("PATCH", ""), ("PUT", query.as_str())] {
        let told = piece(method, "6-9", b"6789", query);
        assert_eq!((told.status, told.header("range"), told.header("location")), (416, "0-4", place), "{method}");
    }
    let told = piece("PUT", "5-9", b"56789", &query);
    assert_eq!((told.status, told.header("location")), (201, format!("/v2/a/blobs/{digest}").as_str()));
    assert_eq!(served.get(&format!("/v2/a/blobs/{digest}")).text(), "0123456789");
    // Given up.
    let place = two.header("location");
    assert_eq!(served.send("DELETE", place, &[], b"").status, 204);
    for (method, query) in [("GET", ""), ("PATCH", ""), ("PUT", query.as_str()), ("DELETE", "")] {
        assert_eq!(ask(&served, method, &format!("{place}{query}")), expect(404, "BLOB_UPLOAD_UNKNOWN"), "{method}");
    }
    for digest in ["sha256:abc".to_owned(), sha512()] {
        let told = ask(&served, "POST", &format!("/v2/a/blobs/uploads/?digest={digest}"));
        assert_eq!(told, expect(400, "DIGEST_INVALID"));
    }
    // A blob of no bytes is one, too.
    put_blob(&served, "a", b"");
    assert_eq!(served.get(&format!("/v2/a/blobs/{}", Digest::of(b""))).header("content-length"), "0");
}

#[test]
fn end_11_mount() {
    let served = serve(|_| ());
    let digest = put_blob(&served, "base", b"layer");
    for (query, status) in [
        (format!("mount={digest}&from=base"), 201),
        (format!("mount={digest}"), 201),
        (format!("mount={digest}&from=none"), 201),
        (format!("mount={}&from=base", absent()), 202),
        (format!("mount={}", sha512()), 202),
        ("mount=x&from=../base".to_owned(), 202),
    ] {
        let told = served.send("POST", &format!("/v2/app/blobs/uploads/?{query}"), &[], b"");
        assert_eq!(told.status, status, "{query}");
        let place = told.header("location");
        assert!(place.starts_with(if status == 201 { "/v2/app/blobs/sha256:" } else { "/v2/app/blobs/uploads/" }));
    }
}

#[test]
fn end_7_and_9_manifests() {
    let (served, image) = (serve(|_| ()), Image::of(&["one"]));
    put_image(&served, "a", "v1", &image);
    let put = |which: &str, kind: &str, bytes: &[u8]| said(&put_manifest(&served, "a", which, kind, bytes));
    assert_eq!(put(".x", image.media_type, &image.manifest), expect(400, "MANIFEST_INVALID"));
    assert_eq!(put(&sha512(), image.media_type, &image.manifest), expect(400, "DIGEST_INVALID"));
    assert_eq!(put("v2", "", &image.manifest), expect(201, ""), "it says itself what it is");
    // One that lists itself cannot be made (it would have to have its own digest in it); nor one of what is not here.
    let listed = Descriptor::new(media_type::OCI_INDEX, absent(), 100);
    let index = serde_json::to_vec(&Index { manifests: vec![listed], ..Index::default() }).unwrap();
    assert_eq!(put("v3", media_type::OCI_INDEX, &index), expect(404, "MANIFEST_BLOB_UNKNOWN"));
    // A tag can be taken away without what it names; by digest, all goes.
    assert_eq!(ask(&served, "DELETE", "/v2/a/manifests/v1"), expect(202, ""));
    assert_eq!(served.get("/v2/a/tags/list").text(), r#"{"name":"a","tags":["v2"]}"#);
    let path = format!("/v2/a/manifests/{}", image.digest());
    assert_eq!(served.get(&path).status, 200);
    assert_eq!(ask(&served, "DELETE", &path), expect(202, ""));
    assert_eq!(ask(&served, "DELETE", &path), expect(404, "NAME_UNKNOWN"));
    assert_eq!(ask(&served, "PATCH", &path), expect(405, "UNSUPPORTED"));
}

#[test]
fn end_8_tags() {
    let (served, image) = (serve(|_| ()), Image::of(&["one"]));
    for tag in ["b", "A", "C", "a"] {
        put_image(&served, "x", tag, &image);
    }
    let list = |query: &str| {
        let told = served.get(&format!("/v2/x/tags/list{query}"));
        let body: serde_json::Value = serde_json::from_slice(&told.body).unwrap();
        (body["tags"].to_string(), told.header("link").to_owned())
    };
    let next = |last: &str| format!("</v2/x/tags/list?n=2&last={last}>; rel=\"next\"");
    assert_eq!(list(""), (r#"["A","a","b","C"]"#.into(), String::new()), "whatever the case");
    assert_eq!(list("?n=2"), (r#"["A","a"]"#.into(), next("a")));
    assert_eq!(list("?n=2&last=a"), (r#"["b","C"]"#.into(), String::new()));
    assert_eq!(list("?last=aa"), (r#"["b","C"]"#.into(), String::new()), "it need not be one of them");
    assert_eq!(list("?n=0"), ("[]".into(), String::new()));
    assert_eq!(list("?n=1000"), list(""));
    assert_eq!(said(&served.get("/v2/x/tags/list?n=-1")), expect(400, "UNSUPPORTED"));
    assert_eq!(said(&served.get("/v2/none/tags/list")), expect(404, "NAME_UNKNOWN"));
}

#[test]
fn end_12_referrers_come_in_pages() {
    let (served, image) = (serve(|_| ()), Image::of(&["one"]));
    put_image(&served, "a", "v1", &image);
    let empty = put_blob(&served, "a", b"{}");
    let large = "x".repeat(900 << 10);
    let mut pushed = Vec::new();
    for number in 0..5 {
        let bytes = serde_json::json!({
            "schemaVersion": 2, "mediaType": media_type::OCI_MANIFEST, "artifactType": "",
            "config": Descriptor::new("application/note", empty, 2), "layers": [],
            "subject": Descriptor::new(image.media_type, image.digest(), image.manifest.len() as u64),
            "annotations": { "text": large, "number": number.to_string() },
        });
        let bytes = bytes.to_string().into_bytes();
        let told = put_manifest(&served, "a", &Digest::of(&bytes).to_string(), media_type::OCI_MANIFEST, &bytes);
        assert_eq!(told.status, 201, "{}", told.text());
        pushed.push(Digest::of(&bytes));
    }
    pushed.sort();
    let (mut found, mut pages) = (Vec::new(), 0);
    let mut next = format!("/v2/a/referrers/{}?artifactType=application/note", image.digest());
    while !next.is_empty() {
        let told = served.get(&next);
        assert_eq!((told.status, told.header("content-type")), (200, media_type::OCI_INDEX));
        assert_eq!(told.header("oci-filters-applied"), "artifactType");
        assert!(told.body.len() < 4 << 20, "{} bytes", told.body.len());
        let index: Index = serde_json::from_slice(&told.body).unwrap();
        assert!(index.manifests.iter().all(|one| one.artifact_type.as_deref() == Some("application/note")));
        found.extend(index.manifests.iter().map(|one| one.digest));
        pages += 1;
        let link = told.header("link");
        next = link.strip_prefix('<').and_then(|link| link.split_once('>')).map_or("", |(path, _)| path).to_owned();
    }
    assert_eq!((found, pages), (pushed, 3));
    for path in ["a/referrers/".to_owned() + &sha512(), format!("none/referrers/{}", absent())] {
        let index: Index = serde_json::from_slice(&served.get(&format!("/v2/{path}")).body).unwrap();
        assert!(index.manifests.is_empty());
    }
    assert_eq!(said(&served.get("/v2/a/referrers/x")), expect(400, "DIGEST_INVALID"));
}
