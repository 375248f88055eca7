//! The specification, request by request (OCI distribution-spec 1.1).

use super::served::{Served, serve, serve_folder};
use super::site::{Home, Image};
use layers::Digest;
use layers::manifest::{Descriptor, Index, media_type};

/// Sends a blob in one piece.
pub fn put_blob(served: &Served, name: &str, bytes: &[u8]) -> Digest {
    let digest = Digest::of(bytes);
    let told = served.send("POST", &format!("/v2/{name}/blobs/uploads/?digest={digest}"), &[], bytes);
    assert_eq!((told.status, told.header("location")), (201, format!("/v2/{name}/blobs/{digest}").as_str()));
    digest
}

pub fn put_manifest(served: &Served, name: &str, which: &str, kind: &str, bytes: &[u8]) -> super::served::Told {
    served.send("PUT", &format!("/v2/{name}/manifests/{which}"), &[&format!("Content-Type: {kind}")], bytes)
}

pub fn put_image(served: &Served, name: &str, tag: &str, image: &Image) {
    image.layers.iter().chain([&image.config]).for_each(|blob| _ = put_blob(served, name, blob));
    let told = put_manifest(served, name, tag, image.media_type, &image.manifest);
    assert_eq!(told.status, 201, "{}", told.text());
    assert_eq!(told.header("docker-content-digest"), image.digest().to_string());
}

#[test]
fn an_image_goes_in_and_comes_out() {
    let (served, image) = (serve(|_| ()), Image::of(&["one", "two"]));
    assert_eq!(served.get("/v2/").status, 200);
    put_image(&served, "team/app", "v1", &image);
    for which in ["v1".to_owned(), image.digest().to_string()] {
        let told = served.get(&format!("/v2/team/app/manifests/{which}"));
        assert_eq!((told.status, told.body.as_slice()), (200, image.manifest.as_slice()));
        assert_eq!(told.header("content-type"), image.media_type);
        let head = served.send("HEAD", &format!("/v2/team/app/manifests/{which}"), &[], b"");
        assert_eq!((head.header("content-length"), head.body.len()), (image.manifest.len().to_string().as_str(), 0));
        let tag = told.header("etag").to_owned();
        let again =
            served.send("GET", &format!("/v2/team/app/manifests/{which}"), &[&format!("If-None-Match: {tag}")], b"");
        assert_eq!((again.status, again.body.len()), (304, 0), "who has it need not hear it again");
    }
    assert_eq!(served.get("/v2/team/app/manifests/v2").code(), "MANIFEST_UNKNOWN");
    assert_eq!(served.get("/v2/team/none/manifests/v1").code(), "NAME_UNKNOWN");
    let pulled = Home::new().pull(&layers::Reference::parse(&format!("{}/team/app:v1", served.host)).unwrap()).unwrap();
    assert_eq!(pulled.image.id, image.id());
}

#[test]
fn a_blob_is_read_whole_or_in_part() {
    let served = serve(|_| ());
    let digest = put_blob(&served, "a", b"0123456789");
    let path = format!("/v2/a/blobs/{digest}");
    let whole = served.get(&path);
    assert_eq!((whole.status, whole.text().as_str(), whole.header("accept-ranges")), (200, "0123456789", "bytes"));
    let head = served.send("HEAD", &path, &[], b"");
    assert_eq!((head.status, head.header("content-length")), (200, "10"));
    for (range, text, told) in
        [("5-", "56789", "bytes 5-9/10"), ("0-3", "0123", "bytes 0-3/10"), ("-2", "89", "bytes 8-9/10")]
    {
        let part = served.send("GET", &path, &[&format!("Range: bytes={range}")], b"");
        assert_eq!((part.status, part.text().as_str(), part.header("content-range")), (206, text, told));
    }
    let beyond = served.send("GET", &path, &["Range: bytes=10-"], b"");
    assert_eq!((beyond.status, beyond.header("content-range")), (416, "bytes */10"));
    assert_eq!(served.get(&format!("/v2/a/blobs/{}", Digest::of(b"other"))).code(), "BLOB_UNKNOWN");
}

#[test]
fn an_upload_in_pieces() {
    let served = serve(|_| ());
    let begun = served.send("POST", "/v2/a/blobs/uploads/", &[], b"");
    assert_eq!(begun.status, 202);
    let place = begun.header("location").to_owned();
    let first = served.send("PATCH", &place, &["Content-Range: 0-4"], b"01234");
    assert_eq!((first.status, first.header("range")), (202, "0-4"));
    for wrong in ["3-6", "6-9", "0-4", "x"] {
        let refused = served.send("PATCH", &place, &[&format!("Content-Range: {wrong}")], b"5678");
        assert_eq!(refused.status, 416, "{wrong}: it has to begin where the last ended");
    }
    let state = served.get(&place);
    assert_eq!((state.status, state.header("range")), (204, "0-4"));
    assert_eq!(served.send("PATCH", &place, &[], b"56").status, 202);
    let digest = Digest::of(b"0123456789");
    let done = served.send("PUT", &format!("{place}?digest={digest}"), &[], b"789");
    assert_eq!((done.status, done.header("docker-content-digest")), (201, digest.to_string().as_str()));
    assert_eq!(served.get(&format!("/v2/a/blobs/{digest}")).text(), "0123456789");
    assert_eq!(served.get(&place).code(), "BLOB_UPLOAD_UNKNOWN", "it is over");
}

#[test]
fn an_upload_that_is_not_what_it_should_be_leaves_nothing() {
    let served = serve(|_| ());
    let wrong = Digest::of(b"other");
    let told = served.send("POST", &format!("/v2/a/blobs/uploads/?digest={wrong}"), &[], b"bytes");
    assert_eq!((told.status, told.code().as_str()), (400, "DIGEST_INVALID"));
    assert_eq!(served.get(&format!("/v2/a/blobs/{wrong}")).status, 404);
    let begun = served.send("POST", "/v2/a/blobs/uploads/", &[], b"");
    let place = begun.header("location").to_owned();
    served.send("PATCH", &place, &[], b"bytes");
    assert_eq!(served.send("PUT", &place, &[], b"").code(), "DIGEST_INVALID", "of which digest?");
    assert_eq!(served.send("DELETE", &place, &[], b"").status, 204);
    assert_eq!(served.get(&place).status, 404);
    let left = std::fs::read_dir(served.folder.path().join("registry/uploads")).unwrap().count();
    assert_eq!(left, 0);
    for place in ["../index.json", "upload-../../x", "x"] {
        assert_eq!(served.get(&format!("/v2/a/blobs/uploads/{place}")).status, 404);
    }
}

#[test]
fn a_flood_of_uploads_is_stopped_and_runs_off() {
    let served = serve(|_| ());
    let begin = || served.send("POST", "/v2/a/blobs/uploads/", &[], b"").status;
    assert!((0..500).all(|_| begin() == 202));
    assert_eq!(begin(), 429);
    let ago = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
    for entry in std::fs::read_dir(served.folder.path().join("registry/uploads")).unwrap().take(10) {
        std::fs::File::open(entry.unwrap().path()).unwrap().set_modified(ago).unwrap();
    }
    assert!((0..10).all(|_| begin() == 202), "those that nobody goes on with make room");
    assert_eq!(begin(), 429);
}

#[test]
fn an_upload_outlives_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let name = layers::Reference::parse("r.io/a").unwrap();
    assert_eq!(name.path(), "a");
    // The first server is never told to end: its folder is copied while it serves, as a crash would leave it.
    let host = serve_folder(folder.path(), |_| ());
    let served = Served { host, folder };
    let place = served.send("POST", "/v2/a/blobs/uploads/", &[], b"").header("location").to_owned();
    served.send("PATCH", &place, &[], b"01234");
    let copy = tempfile::tempdir().unwrap();
    let from = served.folder.path().join("registry");
    assert!(std::process::Command::new("cp").arg("-r").arg(from).arg(copy.path()).status().unwrap().success());
    let host = serve_folder(copy.path(), |_| ());
    let second = Served { host, folder: copy };
    assert_eq!(second.get(&place).header("range"), "0-4");
    let digest = Digest::of(b"0123456789");
    assert_eq!(second.send("PUT", &format!("{place}?digest={digest}"), &[], b"56789").status, 201);
}

#[test]
fn a_blob_of_another_repository_is_mounted() {
    let served = serve(|_| ());
    let digest = put_blob(&served, "base", b"layer");
    let told = served.send("POST", &format!("/v2/app/blobs/uploads/?mount={digest}&from=base"), &[], b"");
    assert_eq!((told.status, told.header("location")), (201, format!("/v2/app/blobs/{digest}").as_str()));
    let other = Digest::of(b"other");
    let told = served.send("POST", &format!("/v2/app/blobs/uploads/?mount={other}&from=base"), &[], b"");
    assert_eq!(told.status, 202, "it is not there: send it");
}

#[test]
fn a_manifest_of_what_is_not_there_is_refused() {
    let (served, image) = (serve(|_| ()), Image::of(&["one"]));
    let told = put_manifest(&served, "a", "v1", image.media_type, &image.manifest);
    assert_eq!((told.status, told.code().as_str()), (404, "MANIFEST_BLOB_UNKNOWN"));
    for (bytes, kind) in [
        (&b"{"[..], media_type::OCI_MANIFEST),
        (b"{}", media_type::OCI_MANIFEST),
        (b"{\"schemaVersion\":2}", media_type::OCI_MANIFEST),
        (&image.manifest, media_type::OCI_INDEX),
        (&image.manifest, "text/html"),
    ] {
        let told = put_manifest(&served, "a", "v1", kind, bytes);
        assert_eq!((told.status, told.code().as_str()), (400, "MANIFEST_INVALID"), "{kind}");
    }
    let told = put_manifest(&served, "a", &Digest::of(b"").to_string(), image.media_type, &image.manifest);
    assert_eq!(told.code(), "DIGEST_INVALID");
    assert_eq!(put_manifest(&served, "a", "v1", media_type::OCI_MANIFEST, &vec![b' '; 5 << 20]).status, 413);
    assert_eq!(served.get("/v2/_catalog").text(), r#"{"repositories":[]}"#, "nothing of it is visible");
}

#[test]
fn lists_come_in_pages() {
    let served = serve(|_| ());
    let image = Image::of(&["one"]);
    for name in ["c", "a", "b/x"] {
        put_image(&served, name, "v1", &image);
    }
    assert_eq!(served.get("/v2/_catalog").text(), r#"{"repositories":["a","b/x","c"]}"#);
    let page = served.get("/v2/_catalog?n=2");
    assert_eq!(
        (page.text().as_str(), page.header("link")),
        (r#"{"repositories":["a","b/x"]}"#, "</v2/_catalog?n=2&last=b%2Fx>; rel=\"next\"")
    );
    let rest = served.get("/v2/_catalog?n=2&last=b%2Fx");
    assert_eq!((rest.text().as_str(), rest.header("link")), (r#"{"repositories":["c"]}"#, ""));
    for tag in ["v2", "latest", "v10"] {
        put_image(&served, "a", tag, &image);
    }
    assert_eq!(served.get("/v2/a/tags/list").text(), r#"{"name":"a","tags":["latest","v1","v10","v2"]}"#);
    assert_eq!(served.get("/v2/a/tags/list?n=2&last=v1").text(), r#"{"name":"a","tags":["v10","v2"]}"#);
    assert_eq!(served.get("/v2/a/tags/list?n=x").status, 400);
}

#[test]
fn what_is_deleted_is_gone() {
    let (served, image) = (serve(|_| ()), Image::of(&["one"]));
    put_image(&served, "a", "v1", &image);
    put_image(&served, "a", "v2", &image);
    let blob = Digest::of(&image.layers[0]);
    assert_eq!(served.send("DELETE", &format!("/v2/a/blobs/{blob}"), &[], b"").status, 405, "a manifest needs it");
    assert_eq!(served.send("DELETE", "/v2/a/manifests/v1", &[], b"").status, 202);
    assert_eq!(served.get("/v2/a/manifests/v1").status, 404);
    assert_eq!(served.get("/v2/a/manifests/v2").status, 200, "the other tag is still there");
    assert_eq!(served.send("DELETE", &format!("/v2/a/manifests/{}", image.digest()), &[], b"").status, 202);
    assert_eq!(served.get("/v2/a/manifests/v2").code(), "NAME_UNKNOWN");
    assert_eq!(served.send("DELETE", &format!("/v2/a/blobs/{blob}"), &[], b"").status, 202);
    assert_eq!(served.get(&format!("/v2/a/blobs/{blob}")).status, 404);
    assert_eq!(served.send("DELETE", &format!("/v2/a/blobs/{blob}"), &[], b"").status, 404);
}

#[test]
fn what_is_about_an_image_is_found() {
    let (served, image) = (serve(|_| ()), Image::of(&["one"]));
    put_image(&served, "a", "v1", &image);
    let empty = put_blob(&served, "a", b"{}");
    let about = |kind: &str| {
        let manifest = serde_json::json!({
            "schemaVersion": 2, "mediaType": media_type::OCI_MANIFEST, "artifactType": kind,
            "config": Descriptor::new("application/vnd.oci.empty.v1+json", empty, 2), "layers": [],
            "subject": Descriptor::new(image.media_type, image.digest(), image.manifest.len() as u64),
            "annotations": { "who": "ana" },
        });
        manifest.to_string().into_bytes()
    };
    for kind in ["application/signature", "application/sbom"] {
        let bytes = about(kind);
        let told = put_manifest(&served, "a", &Digest::of(&bytes).to_string(), media_type::OCI_MANIFEST, &bytes);
        assert_eq!((told.status, told.header("oci-subject")), (201, image.digest().to_string().as_str()));
    }
    let all: Index = serde_json::from_slice(&served.get(&format!("/v2/a/referrers/{}", image.digest())).body).unwrap();
    assert_eq!(all.manifests.len(), 2);
    let told = served.get(&format!("/v2/a/referrers/{}?artifactType=application/sbom", image.digest()));
    assert_eq!(told.header("oci-filters-applied"), "artifactType");
    let some: Index = serde_json::from_slice(&told.body).unwrap();
    assert_eq!(some.manifests.len(), 1);
    assert_eq!(some.manifests[0].artifact_type.as_deref(), Some("application/sbom"));
    assert_eq!(some.manifests[0].annotations["who"], "ana");
    let none: Index = serde_json::from_slice(&served.get(&format!("/v2/none/referrers/{empty}")).body).unwrap();
    assert!(none.manifests.is_empty());
}

#[test]
fn everything_is_there_again_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (host, image) = (serve_folder(folder.path(), |_| ()), Image::of(&["one"]));
    let served = Served { host, folder };
    put_image(&served, "team/app", "v1", &image);
    put_image(&served, "team/app", "v2", &image);
    let copy = tempfile::tempdir().unwrap();
    let from = served.folder.path().join("registry");
    assert!(std::process::Command::new("cp").arg("-r").arg(from).arg(copy.path()).status().unwrap().success());
    let second = Served { host: serve_folder(copy.path(), |_| ()), folder: copy };
    assert_eq!(second.get("/v2/team/app/tags/list").text(), r#"{"name":"team/app","tags":["v1","v2"]}"#);
    assert_eq!(second.get("/v2/team/app/manifests/v2").body, image.manifest);
}

#[test]
fn one_folder_has_one_server() {
    let served = serve(|_| ());
    let options = |root| registry::server::Options {
        address: "127.0.0.1:0".parse().unwrap(),
        root,
        htpasswd: None,
        tls: None,
        mirror: None,
        read_only: false,
    };
    let second = registry::server::Server::listen(options(served.folder.path().join("registry")));
    assert!(second.err().unwrap().to_string().contains("another registry serves this folder"));
}

#[test]
fn a_registry_to_read_only() {
    let served = serve(|options| options.read_only = true);
    for (method, path) in
        [("POST", "/v2/a/blobs/uploads/"), ("DELETE", "/v2/a/manifests/v1"), ("PUT", "/v2/a/manifests/v1")]
    {
        let told = served.send(method, path, &[], b"");
        assert_eq!((told.status, told.code().as_str()), (405, "UNSUPPORTED"), "{method}");
    }
    assert_eq!(served.get("/v2/").status, 200);
}

#[test]
fn garbage_is_swept_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let image = Image::of(&["one"]);
    let served = Served { host: serve_folder(folder.path(), |_| ()), folder };
    put_image(&served, "a", "v1", &image);
    let (old, young) = (put_blob(&served, "a", b"old"), put_blob(&served, "a", b"young"));
    let copy = tempfile::tempdir().unwrap();
    let from = served.folder.path().join("registry");
    assert!(std::process::Command::new("cp").arg("-r").arg(from).arg(copy.path()).status().unwrap().success());
    let ago = std::time::SystemTime::now() - std::time::Duration::from_secs(2 * 3600);
    for blob in [&old, &Digest::of(&image.layers[0])] {
        let path = copy.path().join("registry/blobs/sha256").join(blob.hex());
        std::fs::File::open(path).unwrap().set_modified(ago).unwrap();
    }
    // A server sweeps when it begins.
    let second = Served { host: serve_folder(copy.path(), |_| ()), folder: copy };
    let path = second.folder.path().join("registry/blobs/sha256").join(old.hex());
    let end = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while path.exists() {
        assert!(std::time::Instant::now() < end, "the old blob that nothing needs is still there");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert_eq!(second.get(&format!("/v2/a/blobs/{young}")).status, 200, "somebody may be about to push what needs it");
    assert_eq!(second.get(&format!("/v2/a/blobs/{}", Digest::of(&image.layers[0]))).status, 200, "a manifest needs it");
}
