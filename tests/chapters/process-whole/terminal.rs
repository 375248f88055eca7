//! A terminal.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;

use super::sandbox::{Bundle, kill, sandboxed};
use process::{Options, Rootfs, Running, Streams, join, launch};

fn start(bundle: &Bundle, init: bool) -> (Running, File) {
    let streams = Streams::Terminal { height: 33, width: 77 };
    let options = Options { init, ..Options::default() };
    let mut running = launch(&bundle.spec, Rootfs::Path(bundle.folder.path().to_owned()), streams, &options).unwrap();
    let master = running.terminal.take().expect("a container with a terminal hands out its master");
    (running, File::from(master))
}

/// All that is written until the last slave is closed (EIO).
fn read_all(mut master: &File) -> String {
    let mut text = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = master.read(&mut buffer) {
        text.extend_from_slice(&buffer[..count]);
    }
    String::from_utf8_lossy(&text).replace('\r', "")
}

#[test]
fn it_is_the_containers_own() {
    sandboxed("terminal::it_is_the_containers_own", || {
        let bundle = Bundle::new(
            "tty; stty size; test -c /dev/console && echo console; echo to the terminal > /dev/tty; ls /dev/pts",
        );
        let (running, master) = start(&bundle, false);
        let text = read_all(&master);
        assert_eq!(text, "/dev/pts/0\n33 77\nconsole\nto the terminal\n0  ptmx\n");
        assert_eq!(running.wait().unwrap().code(), 0);
    });
}

#[test]
fn what_is_typed_interrupts_the_command() {
    sandboxed("terminal::what_is_typed_interrupts_the_command", || {
        for init in [false, true] {
            let bundle = Bundle::new("trap 'echo interrupted; exit 5' INT; echo ready; while :; do sleep 0.02; done");
            let (running, mut master) = start(&bundle, init);
            let mut seen = String::new();
            let mut buffer = [0; 100];
            while !seen.contains("ready") {
                let count = master.read(&mut buffer).unwrap();
                seen.push_str(&String::from_utf8_lossy(&buffer[..count]));
            }
            master.write_all(b"\x03").unwrap();
            assert!(read_all(&master).contains("interrupted"), "^C must reach the foreground process (init: {init})");
            assert_eq!(running.wait().unwrap().code(), 5);
        }
    });
}

#[test]
fn exec_gets_one_of_its_own() {
    sandboxed("terminal::exec_gets_one_of_its_own", || {
        let bundle = Bundle::new("exec sleep 1000");
        let (running, _output) = bundle.start().unwrap();
        let mut process = bundle.spec.process().clone().unwrap();
        process.set_args(Some(["/bin/sh", "-c", "tty; stty size"].map(str::to_owned).into()));
        let streams = Streams::Terminal { height: 10, width: 20 };
        let mut joined = join(running.pid, &bundle.spec, &process, streams, &Options::default()).unwrap();
        let master: OwnedFd = joined.terminal.take().unwrap();
        assert_eq!(read_all(&File::from(master)), "/dev/pts/0\n10 20\n");
        joined.wait().unwrap();
        kill(&running);
    });
}

#[test]
fn a_false_ptmx_is_refused() {
    sandboxed("terminal::a_false_ptmx_is_refused", || {
        // A container may mount what it likes over its own /dev/pts; the engine must not take a file of the container
        // for a terminal.
        let mut bundle = Bundle::new("true");
        let mounts = bundle.spec.mounts_mut().as_mut().unwrap();
        mounts.retain(|mount| mount.destination() != std::path::Path::new("/dev/pts"));
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ptmx"), "").unwrap();
        bundle.mount(folder.path(), std::path::Path::new("/dev/pts"), "bind");
        let streams = Streams::Terminal { height: 1, width: 1 };
        let error = launch(&bundle.spec, Rootfs::Path(bundle.folder.path().to_owned()), streams, &Options::default())
            .unwrap_err();
        assert!(error.to_string().contains("cannot open a terminal"), "{error}");
    });
}
