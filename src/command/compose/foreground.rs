//! `up` in the foreground: the output of all, until all have ended or somebody presses Ctrl-C.

use super::fail;
use super::printer::{Printer, Style};
use super::report::{Mode, Steps};
use crate::failure::Exit;
use crate::output::warn;
use crate::terminal::Claim;
use ::compose::containers::{self, Container, OneOff, Wanted};
use ::compose::model::Model;
use ::compose::monitor::{self, Monitor, Span};
use ::compose::run::{self, Start};
use ::daemon::Client;
use ::daemon::client::{Hijacked, Response};
use engine::api::{ContainerInspect, WaitResponse};
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

/// How long until one that is about to be started again is looked at again.
const A_MOMENT: Duration = Duration::from_millis(50);

/// How long the last words of those that were stopped are waited for.
const A_WHILE: Duration = Duration::from_secs(2);

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
    /// The services whose end is waited for.
    pub watched: BTreeSet<String>,
    pub on_exit: OnExit,
    pub exit_code_from: Option<String>,
    pub timeout: Option<i64>,
    pub style: Style,
    pub mode: Mode,
    /// How many are watched at the moment.
    pub alive: Cell<usize>,
}

/// What happens to the containers that are watched.
enum News {
    /// There is one more.
    Came,
    /// One has ended, for good.
    Ended { service: String, code: i64 },
    /// One was removed that had never run.
    Went,
}

impl Foreground {
    pub async fn run(self) -> anyhow::Result<()> {
        let _claim = Claim::new();
        // Before anything runs: who presses Ctrl-C now must not leave it behind.
        let (mut interrupts, mut terminations) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let mut news = self.follow().await?;
        let exit: RefCell<Option<i64>> = RefCell::new(None);
        let interrupted = {
            let work = async {
                let steps = Steps::new(self.mode, "start");
                Start::of_model(&self.client, &self.model, &steps).run().await.map_err(fail)?;
                drop(steps);
                self.until_all_have_ended(&mut news, &exit).await
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
        let stopping = async {
            self.stop().await?;
            // Their last words are on their way.
            let farewell = self.until_all_have_ended(&mut news, &exit);
            tokio::time::timeout(A_WHILE, farewell).await.unwrap_or(Ok(()))
        };
        tokio::pin!(stopping);
        tokio::select! {
            result = &mut stopping => result?,
            _ = interrupts.recv() => self.kill().await?,
            _ = terminations.recv() => self.kill().await?,
        }
        Err(Exit::with(130, ""))
    }

    /// From now on all are heard that are to be heard. Hands back who tells of their ends.
    async fn follow(&self) -> anyhow::Result<UnboundedReceiver<News>> {
        let printer = Rc::new(Printer::new(self.style));
        let watched: Vec<String> = self.watched.iter().cloned().collect();
        // Before the containers are looked for: none that comes meanwhile is missed.
        let monitor = Monitor::begin(&self.client, &self.project, &watched, Span::default()).await.map_err(fail)?;
        let (sender, news) = mpsc::unbounded_channel();
        let mut containers = self.containers().await?;
        containers.retain(|container| self.watched.contains(&container.service));
        let is_shown = |container: &Container| self.attached.contains(&container.service);
        for container in containers.iter().filter(|container| is_shown(container)) {
            printer.expect(container.mark());
        }
        printer.announce().await?;
        let mut newcomers = Newcomers {
            client: self.client.clone(),
            printer,
            attached: self.attached.clone(),
            known: BTreeSet::new(),
            made: BTreeSet::new(),
            news: sender,
        };
        for container in containers {
            newcomers.news.send(News::Came)?;
            // Attached before the start, no output is missed; who is not heard has time until the start.
            if is_shown(&container) {
                let attached = Attached::to(&self.client, &container).await?;
                newcomers.follow(&container.id, &container.service, container.mark(), attached);
            } else if container.is_up() {
                newcomers.follow(&container.id, &container.service, container.mark(), None);
            } else {
                newcomers.made.insert(container.id);
            }
        }
        tokio::task::spawn_local(newcomers.run(monitor));
        Ok(news)
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
        news: &mut UnboundedReceiver<News>,
        exit: &RefCell<Option<i64>>,
    ) -> anyhow::Result<()> {
        let mut stopping = false;
        while let Some(news) = news.recv().await {
            let (service, code) = match news {
                News::Came => {
                    self.alive.set(self.alive.get() + 1);
                    continue;
                }
                News::Ended { service, code } => (service, code),
                News::Went => (String::new(), 0),
            };
            self.alive.set(self.alive.get().saturating_sub(1));
            if service.is_empty() {
                // It has neither ended nor failed.
            } else if self.exit_code_from.as_ref() == Some(&service) {
                exit.borrow_mut().get_or_insert(code);
            }
            let stops = match self.on_exit {
                _ if service.is_empty() || stopping => false,
                OnExit::Nothing => false,
                OnExit::Stop => true,
                OnExit::StopOnFailure => code != 0,
            };
            if stops {
                stopping = true;
                if self.exit_code_from.is_none() {
                    exit.borrow_mut().get_or_insert(code);
                }
                warn("Aborting on container exit...");
                self.stop().await?;
            }
            if self.alive.get() == 0 {
                return Ok(());
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

/// What a container says from now on, and how it ends.
struct Attached {
    output: Hijacked,
    end: Response,
}

impl Attached {
    /// Before it is started, so that nothing is missed. One that runs is met in the middle of its life; one that is between two
    /// lives has no output, but its log.
    async fn to(client: &Client, container: &Container) -> anyhow::Result<Option<Self>> {
        let condition = if container.is_up() { "not-running" } else { "next-exit" };
        let end = end(client, &container.id, condition).await?;
        let request = client.post(format!("/containers/{}/attach", container.id));
        match request.query("stream", 1).query("stdout", 1).query("stderr", 1).hijack().await {
            Err(error) if error.status == 409 => Ok(None),
            output => Ok(Some(Self { output: output?, end })),
        }
    }
}

/// The answer comes when the container has ended: also when it is removed in that very moment.
async fn end(client: &Client, id: &str, condition: &str) -> daemon::client::Result<Response> {
    client.post(format!("/containers/{id}/wait")).query("condition", condition).response().await
}

/// Who meets the containers, also those that come later: that `up` elsewhere, or a watch, puts in the place of the first ones.
struct Newcomers {
    client: Rc<Client>,
    printer: Rc<Printer>,
    attached: BTreeSet<String>,
    /// Those that are followed.
    known: BTreeSet<String>,
    /// Those that are yet to be started.
    made: BTreeSet<String>,
    news: UnboundedSender<News>,
}

impl Newcomers {
    async fn run(mut self, mut monitor: Monitor) {
        loop {
            let happening = match monitor.next().await {
                Ok(Some(happening)) => happening,
                Ok(None) => return,
                Err(error) => return warn(format!("who is started from now on is not heard: {error}")),
            };
            let id = &happening.id;
            let is_new = !self.known.contains(id);
            let told = match happening.action.as_str() {
                // Counted from here on, so that there is never nobody while one takes the place of another.
                "create" if is_new && self.made.insert(id.clone()) => self.news.send(News::Came),
                "start" if is_new => {
                    let told = if self.made.remove(id) { Ok(()) } else { self.news.send(News::Came) };
                    self.follow(id, &happening.service, happening.mark(), None);
                    told
                }
                "destroy" if self.made.remove(id) => self.news.send(News::Went),
                _ => Ok(()),
            };
            // Once nobody listens any more, all is over.
            if told.is_err() {
                return;
            }
        }
    }

    fn follow(&mut self, id: &str, service: &str, mark: &str, attached: Option<Attached>) {
        self.known.insert(id.to_owned());
        let follower = Follower {
            client: self.client.clone(),
            printer: self.printer.clone(),
            id: id.to_owned(),
            service: service.to_owned(),
            mark: mark.to_owned(),
            is_shown: self.attached.contains(service),
        };
        tokio::task::spawn_local(follower.run(attached, self.news.clone()));
    }
}

/// Who shows what a container says.
struct Follower {
    client: Rc<Client>,
    printer: Rc<Printer>,
    id: String,
    service: String,
    mark: String,
    is_shown: bool,
}

impl Follower {
    /// Until it has ended and is not started again. Of one that is not attached, and runs already, the log is shown.
    async fn run(self, attached: Option<Attached>, news: UnboundedSender<News>) {
        let code = self.follow(attached).await.unwrap_or_else(|error| {
            warn(format!("{}: {error:#}", self.mark));
            1
        });
        // Nobody listens any more if all is over.
        let _unheard = news.send(News::Ended { service: self.service, code });
    }

    async fn follow(&self, attached: Option<Attached>) -> anyhow::Result<i64> {
        let Self { id, mark, printer, .. } = self;
        let inspect = || self.client.get(format!("/containers/{id}/json")).json::<ContainerInspect>();
        let seen = inspect().await?;
        let mut code = match attached {
            Some(Attached { output, end }) => {
                let (copied, code) = tokio::join!(printer.copy(mark, output, seen.config.tty), code_of(Ok(end)));
                copied?;
                code?
            }
            None => self.life(&seen).await?,
        };
        loop {
            let seen = match inspect().await {
                Err(error) if error.is_not_found() => None,
                seen => Some(seen?).filter(|seen| seen.state.restarting || seen.state.running),
            };
            let Some(mut seen) = seen else {
                printer.status(mark, &format!("exited with code {code}")).await?;
                return Ok(code);
            };
            printer.status(mark, &format!("exited with code {code} (restarting)")).await?;
            while seen.state.restarting && !seen.state.running {
                tokio::time::sleep(A_MOMENT).await;
                seen = inspect().await?;
            }
            code = self.life(&seen).await?;
        }
    }

    /// Until it has ended, which it may have already.
    async fn life(&self, seen: &ContainerInspect) -> anyhow::Result<i64> {
        let end = async { code_of(end(&self.client, &self.id, "not-running").await).await };
        let (shown, code) = tokio::join!(self.log(seen), end);
        shown?;
        code
    }

    /// What it says in this life of its.
    async fn log(&self, seen: &ContainerInspect) -> anyhow::Result<()> {
        if !self.is_shown {
            return Ok(());
        }
        let since = monitor::started(seen).map(monitor::moment);
        let request = self.client.get(format!("/containers/{}/logs", self.id)).query("follow", 1).query("stdout", 1);
        let log = request.query("stderr", 1).query_opt("since", since).reader().await?;
        self.printer.copy(&self.mark, log, seen.config.tty).await
    }
}

/// (Of one that was gone before anybody asked there is no code left to tell.)
async fn code_of(end: daemon::client::Result<Response>) -> anyhow::Result<i64> {
    match end {
        Err(error) if error.is_not_found() => Ok(0),
        end => Ok(end?.json::<WaitResponse>().await?.status_code),
    }
}
