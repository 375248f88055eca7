//! The server as any client sees it, over the transport in memory and byte by byte.
#![allow(clippy::unwrap_used)]

use engine::{Engine, Roots};
use serde_json::{Value, json};
use solution_9::{Client, Server};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// An engine with nothing in it.
fn engine() -> (tempfile::TempDir, Arc<Engine>) {
    let folder = tempfile::tempdir().unwrap();
    let roots = Roots { data: folder.path().join("data"), run: folder.path().join("run") };
    (folder, Arc::new(Engine::open(roots).unwrap()))
}

/// What comes back for these bytes, up to the end of the connection.
async fn answer(engine: &Arc<Engine>, request: &str) -> String {
    let (mut ours, theirs) = tokio::io::duplex(4096);
    let server = Server::new(Arc::clone(engine));
    tokio::spawn(async move { server.serve_connection(theirs).await });
    ours.write_all(request.replace('\n', "\r\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    ours.read_to_string(&mut answer).await.unwrap();
    answer.replace("\r\n", "\n")
}

#[tokio::test]
async fn a_ping_tells_what_a_client_must_know() {
    let (_folder, engine) = engine();
    for method in ["GET", "HEAD"] {
        let answer = answer(&engine, &format!("{method} /_ping HTTP/1.1\nHost: x\nConnection: close\n\n")).await;
        for line in ["HTTP/1.1 200 OK", "api-version: 1.44", "builder-version: 1", "ostype: linux"] {
            assert!(answer.lines().any(|found| found == line), "{line} in {answer}");
        }
        assert_eq!(answer.ends_with("\n\nOK"), method == "GET", "{answer}");
    }
}

#[tokio::test]
async fn unknown_paths_and_methods_are_not_found_in_dockers_words() {
    let (_folder, engine) = engine();
    for request in ["GET /v1.44/nope", "PATCH /v1.44/info", "GET /v1.44/images/a/b", "POST /v1.44/images/a/nope"] {
        let answer = answer(&engine, &format!("{request} HTTP/1.1\nHost: x\nConnection: close\n\n")).await;
        assert!(answer.starts_with("HTTP/1.1 404 "), "{request}: {answer}");
        assert!(answer.ends_with("\n\n{\"message\":\"page not found\"}\n"), "{request}: {answer}");
    }
}

#[tokio::test]
async fn versions_outside_ours_are_refused_and_the_limits_are_not() {
    let (_folder, engine) = engine();
    for (version, expected) in [("1.23", 400), ("1.24", 200), ("1.44", 200), ("1.45", 400)] {
        let answer =
            answer(&engine, &format!("GET /v{version}/networks HTTP/1.1\nHost: x\nConnection: close\n\n")).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {expected} ")), "{version}: {answer}");
    }
}

#[tokio::test]
async fn what_kesako_does_not_have_is_said() {
    let (_folder, engine) = engine();
    let client = Client::in_process(engine);
    let error = client.get("/swarm").send().await.unwrap_err();
    assert_eq!((error.status, error.message.as_str()), (501, "swarm mode: not supported yet"));
    let error = client.get("/images/search").query("term", "alpine").send().await.unwrap_err();
    assert_eq!(error.status, 501);
}

#[tokio::test]
async fn a_registry_that_is_not_there_is_told() {
    let (_folder, engine) = engine();
    let client = Client::in_process(engine);
    let pull = client.post("/images/create").query("fromImage", "127.0.0.1:1/a/b").query("tag", "3.20");
    let error = pull.send().await.unwrap_err();
    let expected = "Get \"http://127.0.0.1:1/v2/\": dial tcp 127.0.0.1:1: connect: connection refused";
    assert_eq!((error.status, error.message.as_str()), (500, expected));
}

#[tokio::test]
async fn a_request_is_refused_before_it_reaches_the_engine() {
    let (_folder, engine) = engine();
    let client = Client::in_process(engine);
    let create = |body: Value| client.post("/containers/create").body_json(&body).send();
    let error = create(json!({"Image": "x", "HostConfig": {"BlkioWeight": 10}})).await.unwrap_err();
    assert_eq!((error.status, error.message.as_str()), (501, "HostConfig.BlkioWeight is not supported"));
    assert_eq!(create(json!({"Image": 7})).await.unwrap_err().status, 400);
    let error = client.post("/containers/create").send().await.unwrap_err();
    assert_eq!(error.message, "Content-Type specified () must be 'application/json'");
    let error = client.get("/containers/x/logs").send().await.unwrap_err();
    assert_eq!(error.message, "Bad parameters: you must choose at least one stream");
    assert_eq!(client.post("/containers/x/stop").query("t", "soon").send().await.unwrap_err().status, 400);
    assert_eq!(client.post("/containers/x/resize").query("h", 1).send().await.unwrap_err().status, 400);
}

#[tokio::test]
async fn the_networks_that_are_there_are_listed() {
    let (_folder, engine) = engine();
    let networks: Vec<Value> = Client::in_process(engine).get("/networks").json().await.unwrap();
    let names: Vec<_> = networks.iter().map(|network| network["Name"].as_str().unwrap()).collect();
    // The default bridge is there for root alone, and where the kernel has what it takes.
    let without_bridge = names.strip_prefix(&["bridge"]).unwrap_or(&names);
    assert_eq!(without_bridge, ["host", "none"]);
}
