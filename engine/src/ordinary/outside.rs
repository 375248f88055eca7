//! The process that speaks with the world for all containers of an ordinary user (`network::outside`). It is our own program, executed
//! again. One of its threads stays in the host's network, where the sockets are; the other is in the containers', so that it can
//! be found, and waits until nobody needs it any more.

use super::network::in_thread;
use super::roles::{Role, Roles};
use crate::{Error, Kind, Result, Roots, reexec, shim, sys};
use network::outside::{Stack, open_link};
use network::{Links, Namespace};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

/// Its `argv[0]`, by which `main` knows what it is.
pub(crate) const NAME: &str = "kesako-net";

/// A container seldom comes alone: who comes so soon finds everything in its place.
const LINGER: Duration = Duration::from_millis(1000);

/// What it is told.
#[derive(Debug, Serialize, Deserialize)]
struct Letter {
    run: PathBuf,
    namespace: RawFd,
    link: RawFd,
    /// Where it reports that it is there.
    report: RawFd,
}

impl reexec::Letter for Letter {
    fn descriptors(&self) -> Vec<RawFd> {
        vec![self.namespace, self.link, self.report]
    }
}

/// Starts it, for a network that is there, or for a new one. The caller has the turn.
pub(super) fn start(roots: &Roots, there: Option<File>) -> Result<()> {
    let trouble = |e: std::io::Error| Error::system("connect your containers to the world", e);
    let (namespace, link) = in_thread(|| make(there))?;
    let (mut report, theirs) = UnixStream::pair().map_err(trouble)?;
    let letter = Letter {
        run: roots.run.clone(),
        namespace: namespace.as_raw_fd(),
        link: link.as_raw_fd(),
        report: theirs.as_raw_fd(),
    };
    let pid = reexec::spawn(NAME, &roots.run.to_string_lossy(), &letter, false).map_err(trouble)?;
    shim::reap(pid);
    drop((theirs, link));
    let mut answer = [0];
    report.read_exact(&mut answer).map_err(trouble)
}

/// The network and the link out of it. (This thread does not come back from there.)
fn make(there: Option<File>) -> Result<(OwnedFd, OwnedFd)> {
    match there {
        Some(there) => Namespace::from(there).remain()?,
        None => {
            Namespace::leave_for_a_new_one()?;
            Links::open()?.up("lo")?;
        }
    }
    // Looked up here, where rules may be made: outside, an ordinary user is not even told.
    if !network::is_in_kernel() {
        return Err(Error::new(Kind::NotImplemented, "there is no nf_tables"));
    }
    let link = open_link()?;
    let here = File::open("/proc/thread-self/ns/net").map_err(|e| Error::system("hold the network", e))?;
    Ok((here.into(), link))
}

/// The whole of its life. Never returns.
pub(crate) fn main() -> ! {
    std::process::exit(match run() {
        Ok(()) => 0,
        // Nobody is there to read a reason. Who waits for the report sees it end; later, the containers see the link go.
        Err(_) => 1,
    })
}

fn run() -> Result<()> {
    let trouble = |e: std::io::Error| Error::system("connect containers to the world", e);
    reexec::detach(c"kesako-net").map_err(|e| trouble(e.into()))?;
    let letter: Letter = reexec::receive().map_err(trouble)?;
    let inherited = |number| sys::inherited(number).map_err(trouble);
    let (namespace, link) = (inherited(letter.namespace)?, inherited(letter.link)?);
    let mut report = UnixStream::from(inherited(letter.report)?);
    let stack = Stack::new(link)?;
    let serving = thread::Builder::new().name("sockets".to_owned()).spawn(move || {
        // If it cannot go on, neither shall the link be there.
        let _end = stack.serve();
        std::process::exit(1)
    });
    serving.map_err(trouble)?;
    Namespace::from(File::from(namespace)).remain()?;
    let roles = Roles::open(&letter.run)?;
    roles.take(Role::Outside)?;
    report.write_all(&[0]).map_err(trouble)?;
    drop(report);
    loop {
        roles.wait_for_nobody(Role::Member)?;
        thread::sleep(LINGER);
        let _turn = roles.turn()?;
        if roles.holder(Role::Member)?.is_none() {
            // With the turn in hand: whoever comes next finds nobody, and makes everything anew.
            std::process::exit(0);
        }
    }
}
