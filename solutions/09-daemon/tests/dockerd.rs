//! Our client against a real dockerd: whatever it reads and writes there is the Engine API, not our idea of it.
//!
//! A dockerd of its own is started in a temporary folder. It takes root and the program; where either is missing the
//! test says so, loudly, and passes nothing off as tested.
#![allow(clippy::unwrap_used)]

#[path = "../../../tests/support/not_run.rs"]
mod not_run;

use engine::api::{ContainerConfig, ContainerSummary, CreateRequest, CreateResponse, Event, Progress, Version};
use engine::api::{HostConfig, WaitResponse};
#[path = "../../../tests/support/dockerd.rs"]
mod dockerd;

use dockerd::Dockerd;
use solution_9::{Client, FrameReader, Output};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// An image of one file, busybox, as `docker import` takes it.
fn archive() -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    archive.append_path_with_name("/bin/busybox", "bin/busybox").unwrap();
    let mut link = tar::Header::new_gnu();
    link.set_entry_type(tar::EntryType::Symlink);
    link.set_size(0);
    archive.append_link(&mut link, "bin/sh", "busybox").unwrap();
    archive.into_inner().unwrap()
}

async fn create(client: &Client, name: &str, script: &str, stdin: bool, tty: bool) -> String {
    let cmd = ["/bin/sh", "-c", script].map(String::from).to_vec();
    let config = ContainerConfig {
        image: "box".into(),
        cmd: Some(cmd),
        open_stdin: stdin,
        stdin_once: stdin,
        tty,
        ..ContainerConfig::default()
    };
    let host_config = HostConfig { network_mode: "none".into(), ..HostConfig::default() };
    let request = CreateRequest { config, host_config, networking_config: None };
    let request = client.post("/containers/create").query("name", name).body_json(&request);
    request.json::<CreateResponse>().await.unwrap().id
}

#[tokio::test]
async fn our_client_drives_dockerd() {
    let dockerd = match Dockerd::start() {
        Ok(dockerd) => dockerd,
        Err(why) => return not_run::not_run("our_client_drives_dockerd", &why),
    };
    let client = Client::unix(dockerd.socket());

    let version: Version = client.get("/version").json().await.unwrap();
    assert_eq!(client.api_version().await.unwrap(), version.api_version, "the older of both is negotiated");

    // A tar stream up, progress down.
    let upload = client.post("/images/create").query("fromSrc", "-").query("repo", "box").query("tag", "latest");
    let mut lines = upload.body_stream(std::io::Cursor::new(archive())).lines().await.unwrap();
    let mut progress = Vec::new();
    while let Some(line) = lines.next::<Progress>().await.unwrap() {
        progress.push(line.status.unwrap());
    }
    assert!(progress.last().unwrap().starts_with("sha256:"), "{progress:?}");

    // Refusals carry the daemon's own words.
    let error = client.post("/containers/nope/start").send().await.unwrap_err();
    assert_eq!((error.status, error.message.as_str()), (404, "No such container: nope"));
    let error = client.post("/containers/nope/attach").query("stream", 1).hijack().await.unwrap_err();
    assert_eq!((error.status, error.message.as_str()), (404, "No such container: nope"));

    run_with_plain_pipes(&client).await;
    run_with_terminal(&client).await;

    let all: Vec<ContainerSummary> = client.get("/containers/json").query("all", true).json().await.unwrap();
    assert_eq!(all.len(), 2);
    assert!(client.post("/containers/pipes/stop").send().await.is_ok(), "already stopped is no error");

    // Bytes down: the container's files as a tar archive.
    let mut export = client.get("/containers/pipes/export").reader().await.unwrap();
    let mut bytes = Vec::new();
    export.read_to_end(&mut bytes).await.unwrap();
    let mut archive = tar::Archive::new(&bytes[..]);
    assert!(archive.entries().unwrap().any(|entry| entry.unwrap().path_bytes() == &b"bin/busybox"[..]));

    for name in ["pipes", "terminal"] {
        client.delete(format!("/containers/{name}")).query("force", true).send().await.unwrap();
    }
}

/// create, attach, wait, start, with stdin to its end: what `run -i` does.
async fn run_with_plain_pipes(client: &Client) {
    let id = create(client, "pipes", "cat; echo problem >&2; exit 7", true, false).await;
    let filters = std::collections::BTreeMap::from([("container", vec![id.clone()])]);
    let mut events = client.get("/events").query_json("filters", &filters).lines().await.unwrap();

    let attach = client.post(format!("/containers/{id}/attach")).query("stream", 1).query("stdin", 1);
    let mut stream = attach.query("stdout", 1).query("stderr", 1).hijack().await.unwrap();
    let wait = client.post(format!("/containers/{id}/wait")).query("condition", "next-exit").response().await.unwrap();
    client.post(format!("/containers/{id}/start")).send().await.unwrap();

    stream.write_all(b"hello").await.unwrap();
    stream.shutdown().await.unwrap();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut frames = FrameReader::new(&mut stream);
    while let Some(frame) = frames.next().await.unwrap() {
        if frame.output == Output::Stdout { &mut out } else { &mut err }.extend_from_slice(&frame.data);
    }
    assert_eq!((&out[..], &err[..]), (&b"hello"[..], &b"problem\n"[..]));
    assert_eq!(wait.json::<WaitResponse>().await.unwrap().status_code, 7);

    let mut actions = Vec::new();
    while actions.last().is_none_or(|last| last != "die") {
        actions.push(events.next::<Event>().await.unwrap().unwrap().action);
    }
    assert_eq!(actions, ["attach", "start", "die"]);
}

async fn run_with_terminal(client: &Client) {
    let id = create(client, "terminal", "read x; echo got $x", true, true).await;
    let attach = client.post(format!("/containers/{id}/attach")).query("stream", 1).query("stdin", 1);
    let mut stream = attach.query("stdout", 1).query("stderr", 1).hijack().await.unwrap();
    assert!(!stream.is_multiplexed());
    client.post(format!("/containers/{id}/start")).send().await.unwrap();
    client.post(format!("/containers/{id}/resize")).query("h", 24).query("w", 80).send().await.unwrap();
    stream.write_all(b"it\n").await.unwrap();
    let mut output = String::new();
    stream.read_to_string(&mut output).await.unwrap();
    assert_eq!(output, "it\r\ngot it\r\n");
}
