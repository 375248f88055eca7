//! Signals that come to us and are meant for the container.

use super::size_of;
use crate::failure::Exit;
use daemon::Client;
use nix::sys::signal::Signal;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Notify, mpsc};

/// All that can be passed on, but for those that tell of our own children, pipes and window, and those by which a shell
/// stops what reads or writes in its background.
const PROXIED: &[Signal] = &[
    Signal::SIGHUP,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGTRAP,
    Signal::SIGABRT,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
    Signal::SIGALRM,
    Signal::SIGTERM,
    Signal::SIGCONT,
    Signal::SIGTSTP,
    Signal::SIGXCPU,
    Signal::SIGXFSZ,
    Signal::SIGVTALRM,
    Signal::SIGPROF,
    Signal::SIGIO,
    Signal::SIGPWR,
    Signal::SIGSYS,
];

/// So often one presses Ctrl-C before one means it.
const PATIENCE: u32 = 3;

static OUT_OF_PATIENCE: Notify = Notify::const_new();

/// Comes back when signals were passed on to a container that would not hear: the process must end all the same.
pub async fn out_of_patience() -> anyhow::Error {
    OUT_OF_PATIENCE.notified().await;
    Exit::with(1, format!("\ngot {PATIENCE} SIGTERM/SIGINTs, forcefully exiting"))
}

/// From now on, signals go to the container and no longer end this process.
pub fn proxy(client: Rc<Client>, id: String) -> anyhow::Result<()> {
    // For good: the container's end is ours.
    std::mem::forget(Claim::new());
    let (sender, mut receiver) = mpsc::unbounded_channel();
    for &kind in PROXIED {
        let mut signals = signal(SignalKind::from_raw(kind as i32))?;
        let sender = sender.clone();
        tokio::task::spawn_local(async move { while signals.recv().await.is_some() && sender.send(kind).is_ok() {} });
    }
    // One after the other, so that they arrive in their order.
    tokio::task::spawn_local(async move {
        let mut endings = 0;
        while let Some(kind) = receiver.recv().await {
            endings += u32::from(matches!(kind, Signal::SIGINT | Signal::SIGTERM));
            if endings == PATIENCE {
                return OUT_OF_PATIENCE.notify_one();
            }
            let kill = client.post(format!("/containers/{id}/kill")).query("signal", kind.as_str());
            // A container that has just ended, or not yet begun, cannot be signalled; Docker says nothing either.
            let _ = kill.send().await;
        }
    });
    Ok(())
}

/// Whoever holds one decides what becomes of Ctrl-C.
#[derive(Debug)]
pub struct Claim(());

static CLAIMS: AtomicUsize = AtomicUsize::new(0);

impl Claim {
    pub fn new() -> Self {
        CLAIMS.fetch_add(1, Relaxed);
        Self(())
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        CLAIMS.fetch_sub(1, Relaxed);
    }
}

/// A signal that was listened to once no longer ends this process by itself. Where nobody claims it, it does again.
pub fn end_unless_claimed() -> anyhow::Result<()> {
    for kind in [SignalKind::interrupt(), SignalKind::terminate()] {
        let mut signals = signal(kind)?;
        tokio::task::spawn_local(async move {
            while signals.recv().await.is_some() {
                if CLAIMS.load(Relaxed) == 0 {
                    std::process::exit(128 + kind.as_raw_value());
                }
            }
        });
    }
    Ok(())
}

/// Gives the container's terminal the size of ours, now and whenever it changes. `path` is the container's or the
/// exec's, `/containers/ID` or `/exec/ID`.
pub fn follow_size(client: Rc<Client>, path: String) -> anyhow::Result<()> {
    let mut changes = signal(SignalKind::window_change())?;
    tokio::task::spawn_local(async move {
        let mut set = resize(&client, &path).await;
        // The process may need a moment until it has its terminal.
        for attempt in 1..=10 {
            if set {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10 * attempt)).await;
            set = resize(&client, &path).await;
        }
        while changes.recv().await.is_some() {
            resize(&client, &path).await;
        }
    });
    Ok(())
}

/// Whether the server took it.
pub async fn resize(client: &Client, path: &str) -> bool {
    match size_of(&std::io::stdout()) {
        Some(size) if size.height > 0 && size.width > 0 => {
            let request = client.post(format!("{path}/resize")).query("h", size.height).query("w", size.width);
            request.send().await.is_ok()
        }
        _ => true,
    }
}
