//! Where a context and a Dockerfile may come from.

use crate::place::Place;
use crate::support::Sandbox;
use std::io::Read;

#[test]
fn a_dockerfile_by_any_name_from_anywhere() {
    Sandbox::each(|sandbox| {
        let place = Place::new(sandbox);
        place.file("a", "context").file("dockerfile", "FROM workbench\nCOPY a /\nCMD cat /a; echo small\n");
        assert_eq!(place.run(&[], &[]), "contextsmall", "`dockerfile` will do");
        place.file("deep/My.Dockerfile", "FROM workbench\nCOPY a /\nCMD cat /a; echo deep\n");
        // As it is seen from where we are, which is beside the context.
        assert_eq!(place.run(&["-f", "context/deep/My.Dockerfile"], &[]), "contextdeep");
        std::fs::write(sandbox.path().join("outside"), "FROM workbench\nCOPY . /all\nCMD ls -A /all\n").unwrap();
        std::fs::write(sandbox.path().join("outside.dockerignore"), "deep\ndockerfile").unwrap();
        assert_eq!(place.run(&["-f", "outside"], &[]), "a");
        let text = "FROM workbench\nCOPY a /\nCMD cat /a; echo stdin\n";
        sandbox.kesako(&place.words(&["-q", "-t", "built", "-f", "-"])).write_stdin(text).assert().success();
        assert_eq!(sandbox.ok(&["run", "--rm", "built"]), "contextstdin");
    });
}

#[test]
fn a_dockerfile_or_an_archive_on_standard_input() {
    Sandbox::each(|sandbox| {
        let words = ["build", "-q", "-t", "built", "-"];
        sandbox.kesako(&words).write_stdin("FROM workbench\nCMD echo no files\n").assert().success();
        assert_eq!(sandbox.ok(&["run", "--rm", "built"]), "no files");
        let mut archive = tar::Builder::new(Vec::new());
        for (name, text) in [
            ("Dockerfile", "FROM workbench\nCOPY . /all\nCMD cd /all && ls -A && cat a\n"),
            ("other", "FROM workbench\nCMD echo other\n"),
            ("a", "from the archive\n"),
            ("b", "x"),
            (".dockerignore", "b\n*ther\n.*"),
        ] {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            archive.append_data(&mut header, name, text.as_bytes()).unwrap();
        }
        let archive = archive.into_inner().unwrap();
        sandbox.kesako(&words).write_stdin(archive.clone()).assert().success();
        assert_eq!(sandbox.ok(&["run", "--rm", "built"]), "Dockerfile\na\nfrom the archive");
        sandbox.kesako(&["build", "-qt", "built", "-f", "other", "-"]).write_stdin(archive).assert().success();
        assert_eq!(sandbox.ok(&["run", "--rm", "built"]), "other");
        let both = sandbox.fails(1, &["build", "-f", "-", "-"]);
        assert_eq!(both, "ERROR: invalid argument: can't use stdin for both build context and dockerfile\n");
    });
}

#[test]
fn contexts_by_name() {
    Sandbox::each(|sandbox| {
        let place = Place::new(sandbox);
        let more = sandbox.path().join("more");
        std::fs::create_dir(&more).unwrap();
        std::fs::write(more.join("file"), "from more\n").unwrap();
        place.dockerfile("FROM workbench\nRUN echo base > /base\n").build(&["-t", "mine"]);
        place.dockerfile("FROM elsewhere\nCOPY --from=more file /\nCMD cat /base /file\n");
        let more = format!("more={}", more.display());
        let flags = ["--build-context", &more, "--build-context", "elsewhere=docker-image://mine"];
        assert_eq!(place.run(&flags, &[]), "base\nfrom more");
    });
}

#[test]
fn an_archive_or_a_dockerfile_at_an_address() {
    Sandbox::each(|sandbox| {
        let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/Dockerfile", server.local_addr().unwrap());
        let text = "FROM workbench\nCMD echo from afar\n";
        let serve = std::thread::spawn(move || {
            let (mut connection, _) = server.accept().unwrap();
            let _request = connection.read(&mut [0; 4096]).unwrap();
            let length = text.len();
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
            );
            std::io::Write::write_all(&mut connection, (head + text).as_bytes()).unwrap();
        });
        sandbox.ok(&["build", "-q", "-t", "built", &address]);
        serve.join().unwrap();
        assert_eq!(sandbox.ok(&["run", "--rm", "built"]), "from afar");
        let gone = sandbox.fails(1, &["build", &address]);
        assert!(gone.starts_with("ERROR: failed to solve: "), "{gone}");
        let git = sandbox.fails(1, &["build", "https://example.org/x.git"]);
        assert!(git.contains("git repositories are not supported"), "{git}");
    });
}
