//! The daemon: the server, on sockets.
//!
//! There is little to it, because it owns nothing: containers belong to their shims, and all that is known of them is on
//! disk. A daemon can be killed at any moment and another started, and no container will have noticed.

use crate::Server;
use crate::socket::{Address, ListenError, Socket};
use engine::Engine;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UnixListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How long requests that are being answered may take to end, once the daemon was told to.
const LAST_ANSWERS: Duration = Duration::from_secs(2);
/// How long to wait when the system has no file descriptor left for a new connection.
const SHORT_OF_FILES: Duration = Duration::from_millis(100);

/// A daemon whose sockets are there: connections wait until [`run`](Self::run).
#[derive(Debug)]
pub struct Daemon {
    server: Server,
    sockets: Vec<Socket>,
}

impl Daemon {
    /// Takes these addresses, all or none.
    ///
    /// # Errors
    /// One of them is taken, or cannot be made.
    pub fn listen(engine: Arc<Engine>, addresses: &[Address]) -> Result<Self, ListenError> {
        let sockets = addresses.iter().map(Socket::listen).collect::<Result<_, _>>()?;
        Ok(Self { server: Server::new(engine), sockets })
    }

    /// Serves until SIGTERM or SIGINT, then removes the sockets. Makes its own runtime: not to be called from within
    /// one.
    ///
    /// # Errors
    /// The runtime cannot be made, or signals not be caught.
    pub fn run(self) -> io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let served = runtime.block_on(self.serve());
        // A thread that waits for a container's end is not worth waiting for: nothing is lost with it.
        runtime.shutdown_background();
        served
    }

    async fn serve(self) -> io::Result<()> {
        let (mut terminated, mut interrupted) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let (ending, ended) = watch::channel(());
        let mut listeners = JoinSet::new();
        for socket in &self.sockets {
            let listener = UnixListener::from_std(socket.listener.try_clone()?)?;
            listeners.spawn(accept(listener, self.server.clone(), ended.clone()));
        }
        drop(ended);
        tokio::select! {
            _ = terminated.recv() => {}
            _ = interrupted.recv() => {}
        }
        listeners.shutdown().await;
        drop(self.sockets);
        ending.send_replace(());
        // Each connection holds a receiver; when the last is dropped, all are done.
        tokio::time::timeout(LAST_ANSWERS, ending.closed()).await.ok();
        Ok(())
    }
}

/// One task for each connection.
async fn accept(listener: UnixListener, server: Server, ended: watch::Receiver<()>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let (server, mut ended) = (server.clone(), ended.clone());
                tokio::spawn(async move {
                    let told = async { ended.changed().await.unwrap_or(()) };
                    server.serve_until(stream, told).await;
                });
            }
            // A connection that broke before it was accepted is nothing; too many open files (accept(2), EMFILE) would
            // come again at once, so others are given the time to close theirs.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(_) => tokio::time::sleep(SHORT_OF_FILES).await,
        }
    }
}

/// The group of this name in `/etc/group`, to whom a socket may be opened (group(5)).
pub fn group_id(name: &str) -> Option<u32> {
    group_in(&std::fs::read_to_string(Path::new("/etc/group")).ok()?, name)
}

fn group_in(groups: &str, name: &str) -> Option<u32> {
    groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next()? == name).then(|| fields.nth(1)?.parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups() {
        let groups = "root:x:0:\ndocker:x:998:ana,bob\n";
        assert_eq!(group_in(groups, "docker"), Some(998));
        assert_eq!(group_in(groups, "dock"), None);
    }
}
