//! `contain ROOTFS COMMAND…`: a container in thirty lines.
//!
//! ```text
//! cargo run -p chapter-1 --example contain -- /path/to/rootfs sh
//! ```

extern crate chapter_1 as process;

use std::error::Error;
use std::io::{IsTerminal, stderr, stdin, stdout};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::ExitCode;

use process::{Options, Rootfs, Streams, defaults, launch, userns};

fn main() -> ExitCode {
    match contain() {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("contain: {error}");
            let code = error.downcast_ref::<process::Error>().map_or(125, process::Error::exit_code);
            ExitCode::from(if code == 128 { 125 } else { code as u8 })
        }
    }
}

fn contain() -> Result<u8, Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let rootfs = PathBuf::from(arguments.next().ok_or("usage: contain ROOTFS COMMAND…")?);
    let mut spec = defaults::spec();
    let mut process = spec.process().clone().unwrap_or_default();
    process.set_args(Some(arguments.collect()));
    spec.set_process(Some(process)).set_hostname(Some("contained".to_owned()));

    // An ordinary user becomes root of a user namespace first.
    if !rustix::process::geteuid().is_root() {
        userns::enter()?;
    }
    if stdin().is_terminal() {
        eprintln!("contain: sharing this terminal; `kesako run -it` gives a container one of its own");
    }
    let streams = Streams::Fds {
        stdin: stdin().as_fd().try_clone_to_owned()?,
        stdout: stdout().as_fd().try_clone_to_owned()?,
        stderr: stderr().as_fd().try_clone_to_owned()?,
    };
    let running = launch(&spec, Rootfs::Path(rootfs), streams, &Options::default())?;
    Ok(running.wait()?.code() as u8)
}
