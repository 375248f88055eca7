//! `kesako compose up`.

use super::build::Builds;
use super::foreground::{Foreground, OnExit};
use super::making::{self, Making};
use super::printer::Style;
use super::report::{Mode, Steps};
use super::watch::{self, Rule, Watching};
use super::{Context, Member, fail};
use crate::arguments::integer;
use crate::output;
use ::compose::Project;
use ::compose::model::Model;
use ::compose::run::{Start, Waiting};
use anyhow::bail;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

/// Create and start containers
#[derive(Debug, clap::Args)]
pub(super) struct Up {
    #[command(flatten)]
    making: Making,
    /// Detached mode: Run containers in the background
    #[arg(short, long)]
    detach: bool,
    /// Stops all containers if any container was stopped. Incompatible with -d
    #[arg(long)]
    abort_on_container_exit: bool,
    /// Stops all containers if any container exited with failure. Incompatible with -d
    #[arg(long)]
    abort_on_container_failure: bool,
    /// Recreate dependent containers. Incompatible with --no-recreate.
    #[arg(long)]
    always_recreate_deps: bool,
    /// Restrict attaching to the specified services. Incompatible with --attach-dependencies.
    #[arg(long, value_name = "stringArray")]
    attach: Vec<String>,
    /// Automatically attach to log output of dependent services
    #[arg(long)]
    attach_dependencies: bool,
    /// Return the exit code of the selected service container. Implies --abort-on-container-exit
    #[arg(long)]
    exit_code_from: Option<String>,
    /// Do not attach (stream logs) to the specified services
    #[arg(long, value_name = "stringArray")]
    no_attach: Vec<String>,
    /// Produce monochrome output
    #[arg(long)]
    no_color: bool,
    /// Don't start linked services
    #[arg(long)]
    no_deps: bool,
    /// Don't print prefix in logs
    #[arg(long)]
    no_log_prefix: bool,
    /// Don't start the services after creating them
    #[arg(long)]
    no_start: bool,
    /// Recreate anonymous volumes instead of retrieving data from the previous containers
    #[arg(short = 'V', long)]
    renew_anon_volumes: bool,
    /// Use this timeout in seconds for container shutdown when attached or when containers are already running
    #[arg(short, long, value_name = "int", value_parser = integer)]
    timeout: Option<i64>,
    /// Show timestamps
    #[arg(long)]
    timestamps: bool,
    /// Watch source code and rebuild/refresh containers when files are updated.
    #[arg(short, long)]
    watch: bool,
    /// Wait for services to be running|healthy. Implies detached mode.
    #[arg(long)]
    wait: bool,
    /// Maximum duration in seconds to wait for the project to be running|healthy
    #[arg(long, value_name = "int", value_parser = integer, default_value = "0")]
    wait_timeout: i64,
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
}

impl Member for Up {
    async fn run(mut self, context: &Context) -> anyhow::Result<()> {
        self.check()?;
        let mut project = context.project(&self.services)?;
        let client = Rc::new(context.connect()?);
        let mut model = making::model(&client, &mut project, &self.making.scale)?;
        if self.no_deps && !self.services.is_empty() {
            model.services.retain(|name, _| self.services.contains(name));
        }
        if model.services.is_empty() {
            bail!("no service selected");
        }
        if let Some(name) = self.exit_code_from.as_ref().filter(|name| !model.services.contains_key(*name)) {
            bail!("no such service: {name}");
        }
        let attached = self.attached(&model)?;
        let rules = if self.watch { watch::rules(&model, &self.services)? } else { Vec::new() };
        let steps = Steps::new(context.progress()?, "up");
        let mut how = self.making.creation(&project, &self.services)?;
        how.inherit = !self.renew_anon_volumes;
        how.timeout = self.timeout;
        if self.always_recreate_deps {
            how.recreate_dependencies = ::compose::run::Recreate::Always;
        }
        self.making.run(context, &client, &project, &model, &how, &steps).await?;
        if self.no_start {
            return Ok(());
        }
        if self.detach {
            let mut start = Start::of_model(&client, &model, &steps);
            start.waiting = self.wait.then(|| Waiting { timeout: self.wait_limit() });
            return start.run().await.map_err(fail);
        }
        steps.end();
        drop(steps);
        self.foreground(context, client, &project, model, attached, &rules).await
    }
}

impl Up {
    fn check(&mut self) -> anyhow::Result<()> {
        self.making.check()?;
        if self.wait_timeout < 0 {
            bail!("--wait-timeout must be a non-negative integer");
        }
        if self.exit_code_from.is_some() && !self.abort_on_container_failure {
            self.abort_on_container_exit = true;
        }
        if self.abort_on_container_exit && self.abort_on_container_failure {
            bail!("--abort-on-container-failure cannot be combined with --abort-on-container-exit");
        }
        if !self.attach.is_empty() && self.attach_dependencies {
            bail!("cannot combine --attach and --attach-dependencies");
        }
        let stays = self.attach_dependencies
            || self.abort_on_container_exit
            || self.abort_on_container_failure
            || !self.attach.is_empty()
            || self.watch;
        if self.wait && stays {
            bail!(
                "--wait cannot be combined with --abort-on-container-exit, --abort-on-container-failure, --attach, --attach-dependencies or --watch"
            );
        }
        if self.detach && stays {
            bail!(
                "--detach cannot be combined with --abort-on-container-exit, --abort-on-container-failure, --attach, --attach-dependencies or --watch"
            );
        }
        self.detach |= self.wait;
        if self.making.no_build && self.watch {
            bail!("--no-build and --watch are incompatible");
        }
        if self.renew_anon_volumes && self.making.no_recreate {
            bail!("--no-recreate and --renew-anon-volumes are incompatible");
        }
        if self.always_recreate_deps && self.making.no_recreate {
            bail!("--always-recreate-deps and --no-recreate are incompatible");
        }
        Ok(())
    }

    /// The services whose output is shown.
    fn attached(&self, model: &Model) -> anyhow::Result<BTreeSet<String>> {
        let named =
            |name: &String| self.services.is_empty() || self.attach_dependencies || self.services.contains(name);
        let shown: BTreeSet<String> = match self.attach.is_empty() {
            false => self.attach.iter().cloned().collect(),
            true => {
                let services = model.services.values().filter(|service| service.attach.unwrap_or(true));
                services.map(|service| service.name.clone()).filter(named).collect()
            }
        };
        let unknown: Vec<&str> =
            shown.iter().filter(|name| !model.services.contains_key(*name)).map(String::as_str).collect();
        if !unknown.is_empty() {
            bail!("cannot attach to services not included in up: {}", unknown.join(", "));
        }
        Ok(shown.into_iter().filter(|name| !self.no_attach.contains(name)).collect())
    }

    /// The services whose end is waited for.
    fn watched(&self, model: &Model, attached: &BTreeSet<String>) -> BTreeSet<String> {
        match (self.services.is_empty(), attached.is_empty()) {
            (false, _) => self.services.iter().cloned().collect(),
            (_, true) => model.services.keys().cloned().collect(),
            _ => attached.clone(),
        }
    }

    fn wait_limit(&self) -> Option<Duration> {
        (self.wait_timeout > 0).then(|| Duration::from_secs(self.wait_timeout.unsigned_abs()))
    }

    async fn foreground(
        &self,
        context: &Context,
        client: Rc<::daemon::Client>,
        project: &Project,
        model: Model,
        attached: BTreeSet<String>,
        rules: &[Rule],
    ) -> anyhow::Result<()> {
        let on_exit = match (self.abort_on_container_exit, self.abort_on_container_failure) {
            (true, _) => OnExit::Stop,
            (_, true) => OnExit::StopOnFailure,
            _ => OnExit::Nothing,
        };
        // What is started is not told: it would stand between the lines of those that run already.
        let mode = match context.progress()? {
            Mode::Tty => Mode::Quiet,
            mode => mode,
        };
        let style = Style {
            colours: context.flags.colours(&std::io::stdout()) && !self.no_color,
            prefixes: !self.no_log_prefix,
            timestamps: self.timestamps,
            apart: true,
        };
        let foreground = Foreground {
            client: client.clone(),
            project: project.name.clone(),
            model: model.clone(),
            watched: self.watched(&model, &attached),
            attached,
            on_exit,
            exit_code_from: self.exit_code_from.clone(),
            timeout: self.timeout,
            style,
            mode,
            alive: Cell::new(0),
        };
        if !self.watch {
            return foreground.run().await;
        }
        let _lock = watch::lock(context, &project.name)?;
        let widest = model.services.keys().map(|name| name.chars().count()).max().unwrap_or(0) + "-1".len();
        let log = |line: &str| output::say(format_args!("{:widest$}  ⦿ {line}", ""));
        let watching = Watching {
            context,
            client: &client,
            project,
            model: &model,
            builds: Builds { quiet: self.making.quiet_build, progress: "plain".to_owned(), ..Builds::default() },
            prune: false,
            log: &log,
        };
        tokio::select! {
            result = foreground.run() => result,
            result = watching.run(rules) => result,
        }
    }
}
