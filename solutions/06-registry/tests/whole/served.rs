//! A registry that serves, and requests as a client writes them.

use registry::server::{Options, Server};
use std::path::Path;
use ureq::http::Response;
use ureq::{Agent, Body};

pub struct Served {
    /// `127.0.0.1:PORT`.
    pub host: String,
    pub folder: tempfile::TempDir,
}

/// Serves a folder of its own until the process ends.
pub fn serve(change: impl FnOnce(&mut Options)) -> Served {
    let folder = tempfile::tempdir().unwrap();
    let host = serve_folder(folder.path(), change);
    Served { host, folder }
}

pub fn serve_folder(folder: &Path, change: impl FnOnce(&mut Options)) -> String {
    let mut options = Options {
        address: "127.0.0.1:0".parse().unwrap(),
        root: folder.join("registry"),
        htpasswd: None,
        tls: None,
        mirror: None,
        read_only: false,
    };
    change(&mut options);
    let server = Server::listen(options).unwrap();
    let host = server.address().unwrap().to_string();
    std::thread::spawn(move || server.run());
    host
}

impl Served {
    /// Sends a request; headers as `Name: value`.
    pub fn send(&self, method: &str, path: &str, headers: &[&str], body: &[u8]) -> Told {
        send(&self.host, method, path, headers, body)
    }

    pub fn get(&self, path: &str) -> Told {
        self.send("GET", path, &[], b"")
    }
}

/// An answer, whole.
#[derive(Debug)]
pub struct Told {
    pub status: u16,
    pub headers: ureq::http::HeaderMap,
    pub body: Vec<u8>,
}

impl Told {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The code of the error that it is.
    pub fn code(&self) -> String {
        let body: serde_json::Value = serde_json::from_slice(&self.body).unwrap_or_default();
        body["errors"][0]["code"].as_str().unwrap_or_default().to_owned()
    }
}

pub fn send(host: &str, method: &str, path: &str, headers: &[&str], body: &[u8]) -> Told {
    let agent: Agent = Agent::config_builder().http_status_as_error(false).max_redirects(0).build().into();
    let mut request = ureq::http::Request::builder().method(method).uri(format!("http://{host}{path}"));
    for header in headers {
        let (name, value) = header.split_once(": ").unwrap();
        request = request.header(name, value);
    }
    let bodiless = matches!(method, "GET" | "HEAD" | "DELETE");
    let answer: Response<Body> = match bodiless {
        true => agent.run(request.body(()).unwrap()).unwrap(),
        false => agent.run(request.body(body).unwrap()).unwrap(),
    };
    let (head, mut body) = answer.into_parts();
    Told { status: head.status.as_u16(), headers: head.headers, body: body.read_to_vec().unwrap() }
}
