//! `up` in the foreground: the output of all, until all have ended or somebody presses Ctrl-C.

use super::fail;
use super::printer::{Printer, Style};
use super::report::{Mode, Steps};
use crate::failure::Exit;
use crate::output::warn;
use crate::terminal::Claim;
use ::compose::containers::{self, Container, OneOff, Wanted};
use ::compose::model::Model;
use ::compose::run::{self, Start};
use ::daemon::Client;
use engine::api::{ContainerInspect, WaitResponse};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

/// How long until one that is about to be started again is looked at again.
const A_MOMENT: Duration = Duration::from_millis(50);

/// What happens when a container has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnExit {
    Nothing,
    /// All others are stopped.
    Stop,
    /// They are, if it has failed.
    StopOnFailure,
}

pub(super) struct Foreground {
    pub client: Rc<Client>,
    pub project: String,
    pub model: Model,
    /// The services whose output is shown.
    pub attached: BTreeSet<String>,
    pub on_exit: OnExit,
    pub exit_code_from: Option<String>,
    pub timeout: Option<i64>,
    pub style: Style,
    pub mode: Mode,
}

/// A container has ended, for good.
struct Ended {
    service: String,
    code: i64,
}

impl Foreground {
    pub async fn run(self) -> anyhow::Result<()> {
        let _claim = Claim::new();
        // Before anything runs: who presses Ctrl-C now must not leave it behind.
        let (mut interrupts, mut terminations) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let printer = Rc::new(Printer::new(self.style));
        let followed: Vec<Container> =
            self.containers().await?.into_iter().filter(|c| self.attached.contains(&c.service)).collect();
        followed.iter().for_each(|container| printer.expect(container.mark()));
        let (sender, mut ends) = mpsc::unbounded_channel();
        for container in followed {
            // Attached before the start, no output is missed.
            let attached = attach(&self.client, &container.id).await?;
            let follower = Follower { client: self.client.clone(), printer: printer.clone(), container };
            tokio::task::spawn_local(follower.run(attached, sender.clone()));
        }
        drop(sender);
        let exit: RefCell<Option<i64>> = RefCell::new(None);
        let interrupted = {
            let work = async {
                let steps = Steps::new(self.mode, "start");
                Start::of_model(&self.client, &self.model, &steps).run().await.map_err(fail)?;
                drop(steps);
                self.until_all_have_ended(&mut ends, &exit).await
            };
            tokio::select! {
                result = work => { result?; false }
                _ = interrupts.recv() => true,
                _ = terminations.recv() => true,
            }
        };
        if !interrupted {
            return match exit.take() {
                Some(code) => Exit::container(code),
                None => Ok(()),
            };
        }
        // The terminal has shown `^C`.
        warn("\nGracefully Stopping... press Ctrl+C again to force");
        let stopping = async { tokio::join!(self.stop(), async { while ends.recv().await.is_some() {} }).0 };
        tokio::pin!(stopping);
        tokio::select! {
            result = &mut stopping => result?,
            _ = interrupts.recv() => self.kill().await?,
            _ = terminations.recv() => self.kill().await?,
        }
        Err(Exit::with(130, ""))
    }

    /// All containers of the services that were started.
    async fn containers(&self) -> anyhow::Result<Vec<Container>> {
        let services: Vec<String> = self.model.services.keys().cloned().collect();
        let wanted = Wanted { project: &self.project, services: &services, one_off: OneOff::Without, all: true };
        containers::find(&self.client, wanted).await.map_err(fail)
    }

    /// Stops the others when one has ended, if that is wanted, and finds the code to end with.
    async fn until_all_have_ended(
        &self,
        ends: &mut UnboundedReceiver<Ended>,
        exit: &RefCell<Option<i64>>,
    ) -> anyhow::Result<()> {
        let mut stopping = false;
        while let Some(Ended { service, code }) = ends.recv().await {
            match &self.exit_code_from {
                Some(from) if *from == service => _ = exit.borrow_mut().get_or_insert(code),
                _ => {}
            }
            let stops = match self.on_exit {
                OnExit::Nothing => false,
                OnExit::Stop => true,
                OnExit::StopOnFailure => code != 0,
            };
            if stops && !stopping {
                stopping = true;
                if self.exit_code_from.is_none() {
                    exit.borrow_mut().get_or_insert(code);
                }
                warn("Aborting on container exit...");
                self.stop().await?;
            }
        }
        Ok(())
    }

    async fn stop(&self) -> anyhow::Result<()> {
        let steps = Steps::new(self.mode, "stop");
        run::stop(&self.client, &self.containers().await?, self.timeout, &steps).await.map_err(fail)
    }

    async fn kill(&self) -> anyhow::Result<()> {
        let steps = Steps::new(self.mode, "kill");
        run::kill(&self.client, &self.containers().await?, "SIGKILL", &steps).await.map_err(fail)
    }
}

/// The output of a container, from now on.
async fn attach(client: &Client, id: &str) -> anyhow::Result<daemon::client::Hijacked> {
    let request = client.post(format!("/containers/{id}/attach"));
    Ok(request.query("stream", 1).query("stdout", 1).query("stderr", 1).hijack().await?)
}

/// Who shows what a container says.
struct Follower {
    client: Rc<Client>,
    printer: Rc<Printer>,
    container: Container,
}

impl Follower {
    /// Until it has ended and is not started again.
    async fn run(self, attached: daemon::client::Hijacked, ended: UnboundedSender<Ended>) {
        match self.follow(attached).await {
            Ok(code) => drop(ended.send(Ended { service: self.container.service.clone(), code })),
            Err(error) => warn(format!("{}: {error:#}", self.container.mark())),
        }
    }

    async fn follow(&self, attached: daemon::client::Hijacked) -> anyhow::Result<i64> {
        let id = &self.container.id;
        let inspect = || self.client.get(format!("/containers/{id}/json")).json::<ContainerInspect>();
        let tty = inspect().await?.config.tty;
        let mark = self.container.mark();
        self.printer.copy(mark, attached, tty).await?;
        loop {
            // (Of one that was removed there is no code left to tell.)
            let waited = self.client.post(format!("/containers/{id}/wait")).json::<WaitResponse>().await;
            let Ok(mut seen) = inspect().await else { return Ok(waited.map_or(0, |answer| answer.status_code)) };
            let code = seen.state.exit_code;
            if seen.state.restarting {
                self.printer.status(mark, &format!("exited with code {code} (restarting)")).await?;
            }
            while seen.state.restarting && !seen.state.running {
                tokio::time::sleep(A_MOMENT).await;
                seen = inspect().await?;
            }
            if !seen.state.running {
                self.printer.status(mark, &format!("exited with code {code}")).await?;
                return Ok(code.into());
            }
            // What it has said since it began anew.
            let since: jiff::Timestamp = seen.state.started_at.parse()?;
            let since = format!("{}.{:09}", since.as_second(), since.subsec_nanosecond());
            let request = self.client.get(format!("/containers/{id}/logs")).query("follow", 1).query("stdout", 1);
            let log = request.query("stderr", 1).query("since", since).reader().await?;
            self.printer.copy(mark, log, tty).await?;
        }
    }
}
