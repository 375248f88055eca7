//! `kesako compose logs`.

use super::printer::{Printer, Style};
use super::{Context, Member, fail};
use crate::arguments::integer;
use crate::flags::time;
use ::compose::containers::{self, Container, OneOff, Wanted};
use ::compose::monitor::{self, Happening, Monitor, Span};
use ::daemon::Client;
use engine::api::ContainerInspect;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;
use tokio::task::JoinSet;

/// View output from containers
#[derive(Debug, clap::Args)]
pub(super) struct Logs {
    /// Follow log output
    #[arg(short, long)]
    follow: bool,
    /// index of the container if service has multiple replicas
    #[arg(long, value_name = "int", value_parser = integer, default_value = "0")]
    index: i64,
    /// Produce monochrome output
    #[arg(long)]
    no_color: bool,
    /// Don't print prefix in logs
    #[arg(long)]
    no_log_prefix: bool,
    /// Show logs since timestamp (e.g. 2013-01-02T13:23:37Z) or relative (e.g. 42m for 42 minutes)
    #[arg(long)]
    since: Option<String>,
    /// Number of lines to show from the end of the logs for each container
    #[arg(short = 'n', long, default_value = "all")]
    tail: String,
    /// Show timestamps
    #[arg(short, long)]
    timestamps: bool,
    /// Show logs before a timestamp (e.g. 2013-01-02T13:23:37Z) or relative (e.g. 42m for 42 minutes)
    #[arg(long)]
    until: Option<String>,
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
}

impl Member for Logs {
    async fn run(self, context: &Context) -> anyhow::Result<()> {
        if self.index > 0 && self.services.len() != 1 {
            anyhow::bail!("--index requires one service to be selected");
        }
        let since = time::flag("since", self.since.as_deref())?;
        let until = time::flag("until", self.until.as_deref())?;
        let client = Rc::new(context.connect()?);
        let (project, name) = context.project_or_name(&self.services)?;
        // What the file does not know is no part of it, as long as there is a file, nor what it wants to be silent.
        let services = match project.filter(|_| self.services.is_empty()) {
            Some(project) => {
                let services = project.model().map_err(fail)?.services.into_values();
                let heard = services.filter(|service| service.attach.unwrap_or(true)).map(|service| service.name);
                match heard.collect::<Vec<_>>() {
                    // No name would stand for all.
                    heard if heard.is_empty() => return Ok(()),
                    heard => heard,
                }
            }
            None => self.services.clone(),
        };
        // Before the containers are looked for, so that none that starts meanwhile is missed.
        // What is past is no news, though an engine tells of it to who names an end.
        let since_now = until.as_ref().map(|_| time::moment("0s")).transpose()?;
        let span = Span { since: since_now, until: until.clone() };
        let monitor = match self.follow {
            true => Some(Monitor::begin(&client, &name, &services, span).await.map_err(fail)?),
            false => None,
        };
        let wanted = Wanted { project: &name, services: &services, one_off: OneOff::Without, all: true };
        let mut containers = containers::find(&client, wanted).await.map_err(fail)?;
        if self.index > 0 {
            containers.retain(|container| i64::from(container.number) == self.index);
            if containers.is_empty() {
                anyhow::bail!("service {:?} is not running container #{}", self.services[0], self.index);
            }
        }
        let style = Style {
            colours: !self.no_color && context.flags.colours(&std::io::stdout()),
            prefixes: !self.no_log_prefix,
            timestamps: false,
            apart: false,
        };
        let log = Rc::new(Log {
            client,
            printer: Printer::new(style),
            follow: self.follow,
            timestamps: self.timestamps,
            tail: self.tail,
            until,
        });
        log.show(containers, since, monitor, self.index).await
    }
}

/// What is to be seen of each log.
struct Log {
    client: Rc<Client>,
    printer: Printer,
    follow: bool,
    timestamps: bool,
    tail: String,
    until: Option<String>,
}

/// The logs that are being copied; each tells at its end whose it was.
type Copies = JoinSet<anyhow::Result<String>>;

/// How long an end that is known waits for what was said before it.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The lives of the containers that are followed.
#[derive(Default)]
struct Lives {
    /// Who runs, or will: by its restart policy, or because it has just been made.
    up: BTreeSet<String>,
    /// Whose log is being followed to the end of this life.
    followed: BTreeSet<String>,
    /// Whose log is being copied.
    copied: BTreeSet<String>,
    /// Since when what happens to a container is news.
    known: BTreeMap<String, i64>,
    /// When it ended: what it says in its next life comes after that.
    ended: BTreeMap<String, i64>,
}

impl Log {
    async fn show(
        self: Rc<Self>,
        containers: Vec<Container>,
        since: Option<String>,
        monitor: Option<Monitor>,
        index: i64,
    ) -> anyhow::Result<()> {
        let mut copies = Copies::new();
        let mut lives = Lives::default();
        containers.iter().for_each(|container| self.printer.expect(container.mark()));
        for container in containers {
            let path = format!("/containers/{}/json", container.id);
            let inspect: ContainerInspect = match self.client.get(path).json().await {
                // It has gone since it was listed.
                Err(error) if error.status == 404 => continue,
                answer => answer?,
            };
            lives.meet(&inspect);
            let (log, tail) = (self.clone(), self.tail.clone());
            let span = Span { since: since.clone(), until: self.until.clone() };
            lives.copied.insert(container.id.clone());
            copies.spawn_local(async move { log.copy(container.mark(), inspect, span, tail).await });
        }
        if let Some(monitor) = monitor {
            self.watch(monitor, &mut lives, &mut copies, index).await?;
        }
        while let Some(copied) = copies.join_next().await {
            copied??;
        }
        Ok(())
    }

    /// Until none of the containers runs any more.
    async fn watch(
        self: &Rc<Self>,
        mut monitor: Monitor,
        lives: &mut Lives,
        copies: &mut Copies,
        index: i64,
    ) -> anyhow::Result<()> {
        while !lives.up.is_empty() {
            let happening = tokio::select! {
                happening = monitor.next() => happening.map_err(fail)?,
                Some(copied) = copies.join_next() => {
                    lives.copied.remove(&copied??);
                    continue;
                }
            };
            let Some(happening) = happening else { break };
            let is_other = index > 0 && happening.attribute(::compose::labels::NUMBER) != index.to_string();
            if is_other || lives.known.get(&happening.id).is_some_and(|since| happening.at <= *since) {
                continue;
            }
            match happening.action.as_str() {
                // It is made to take the place of another, perhaps, which ends before it starts.
                "create" => drop(lives.up.insert(happening.id)),
                "destroy" => drop(lives.up.remove(&happening.id)),
                "start" if lives.begin(&happening) => {
                    let since = lives.ended.get(&happening.id).copied();
                    lives.copied.insert(happening.id.clone());
                    copies.spawn_local(self.clone().follow(happening, since));
                }
                "die" if lives.end(&happening) => {
                    let comes_back = happening.comes_back(&self.client).await.map_err(fail)?;
                    if !comes_back {
                        lives.up.remove(&happening.id);
                    }
                    lives.wait_for_last_words(&happening.id, copies).await?;
                    let restarting = if comes_back { " (restarting)" } else { "" };
                    let text = format!("exited with code {}{restarting}", happening.exit_code());
                    self.printer.status(happening.mark(), &text).await?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// A container has begun its first life, or another.
    async fn follow(self: Rc<Self>, happening: Happening, since: Option<i64>) -> anyhow::Result<String> {
        let path = format!("/containers/{}/json", happening.id);
        let container: ContainerInspect = match self.client.get(path).json().await {
            Err(error) if error.status == 404 => return Ok(happening.id),
            answer => answer?,
        };
        // Has that life ended already, and the next begun? Then that will be told, too.
        let began = monitor::started(&container);
        let next = began.filter(|began| *began > happening.at).map(monitor::moment);
        // A dockerd dates lines by when it reads them, a little after the end and, the first of a life, before its beginning: what
        // lies halfway between the two lives divides them.
        let begun = began.unwrap_or(happening.at).min(happening.at);
        let since = since.map(|ended| monitor::moment(ended + (begun - ended).max(0) / 2));
        let span = Span { since, until: next.or_else(|| self.until.clone()) };
        self.copy(happening.mark(), container, span, "all".to_owned()).await
    }

    async fn copy(&self, name: &str, container: ContainerInspect, span: Span, tail: String) -> anyhow::Result<String> {
        let request = self
            .client
            .get(format!("/containers/{}/logs", container.id))
            .query("stdout", 1)
            .query("stderr", 1)
            .query("follow", i32::from(self.follow))
            .query("timestamps", i32::from(self.timestamps))
            .query("tail", tail)
            .query_opt("since", span.since)
            .query_opt("until", span.until);
        match request.reader().await {
            // It has gone.
            Err(error) if error.status == 404 => {}
            log => self.printer.copy(name, log?, container.config.tty).await?,
        }
        Ok(container.id)
    }
}

impl Lives {
    /// A container as it was found.
    fn meet(&mut self, container: &ContainerInspect) {
        let (state, id) = (&container.state, &container.id);
        if state.running || state.restarting {
            self.up.insert(id.clone());
        }
        if state.running && !state.restarting {
            self.followed.insert(id.clone());
        } else {
            self.ended.extend(monitor::finished(container).map(|at| (id.clone(), at)));
        }
        self.known.extend(monitor::started(container).map(|at| (id.clone(), at)));
    }

    /// Whether that is news. The beginning of the life in which a container was found is told after it was written down.
    fn begin(&mut self, happening: &Happening) -> bool {
        self.up.insert(happening.id.clone());
        self.followed.insert(happening.id.clone())
    }

    /// So that nothing comes after its end that was said before.
    async fn wait_for_last_words(&mut self, id: &str, copies: &mut Copies) -> anyhow::Result<()> {
        let wait = async {
            while self.copied.contains(id)
                && let Some(copied) = copies.join_next().await
            {
                self.copied.remove(&copied??);
            }
            Ok(())
        };
        // Something else may still hold its output open.
        tokio::time::timeout(LAST_WORDS, wait).await.unwrap_or(Ok(()))
    }

    /// Whether that life was followed.
    fn end(&mut self, happening: &Happening) -> bool {
        self.ended.insert(happening.id.clone(), happening.at);
        self.followed.remove(&happening.id)
    }
}
