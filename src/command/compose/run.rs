//! `kesako compose run`: a container of its own for one command.

use super::making::{self, Making};
use super::report::{Mode, Steps};
use super::{Context, Member, fail, images};
use crate::command::start::attached;
use crate::failure::Exit;
use crate::flags::environment;
use crate::output::say;
use crate::session;
use crate::terminal::{self, DetachKeys, Streams};
use ::compose::containers::{self, OneOff, Wanted};
use ::compose::interpolate::Variables;
use ::compose::model::{Model, Service, Volume};
use ::compose::one_off::{self, Short};
use ::compose::run::{Start, create_container};
use ::compose::steps::Report;
use ::compose::{Project, request};
use ::daemon::Client;
use anyhow::bail;
use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::Path;
use std::rc::Rc;

/// Run a one-off command on a service
#[derive(Debug, clap::Args)]
pub(super) struct Run {
    /// Build image before starting container
    #[arg(long)]
    build: bool,
    /// Add Linux capabilities
    #[arg(long)]
    cap_add: Vec<String>,
    /// Drop Linux capabilities
    #[arg(long)]
    cap_drop: Vec<String>,
    /// Run container in background and print container ID
    #[arg(short, long)]
    detach: bool,
    /// Override the entrypoint of the image
    #[arg(long)]
    entrypoint: Option<String>,
    /// Set environment variables
    #[arg(short, long, value_name = "stringArray", value_parser = environment::check_variable)]
    env: Vec<String>,
    /// Set environment variables from file
    #[arg(long, value_name = "stringArray")]
    env_from_file: Vec<String>,
    /// Keep STDIN open even if not attached
    #[arg(short, long, default_value_t = true, action = clap::ArgAction::Set)]
    interactive: bool,
    /// Add or override a label
    #[arg(short, long, alias = "labels", value_name = "stringArray")]
    label: Vec<String>,
    /// Assign a name to the container
    #[arg(long)]
    name: Option<String>,
    /// Don't start linked services
    #[arg(long)]
    no_deps: bool,
    /// Disable pseudo-TTY allocation (default: auto-detected)
    #[arg(short = 'T', long, alias = "no-TTY")]
    no_tty: bool,
    /// Publish a container's port(s) to the host
    #[arg(short, long, value_name = "stringArray")]
    publish: Vec<String>,
    /// Pull image before running ("always"|"missing"|"never")
    #[arg(long, default_value = "policy")]
    pull: String,
    /// Don't print anything to STDOUT
    #[arg(short, long)]
    quiet: bool,
    /// Suppress progress output from the build process
    #[arg(long)]
    quiet_build: bool,
    /// Pull without printing progress information
    #[arg(long)]
    quiet_pull: bool,
    /// Remove containers for services not defined in the Compose file
    #[arg(long)]
    remove_orphans: bool,
    /// Automatically remove the container when it exits
    #[arg(long)]
    rm: bool,
    /// Run command with all service's ports enabled and mapped to the host
    #[arg(short = 'P', long)]
    service_ports: bool,
    /// Allocate a pseudo-TTY, as is done anyway where there is a terminal
    #[arg(short, long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = truth)]
    tty: Option<Truth>,
    /// Use the service's network useAliases in the network(s) the container connects to
    #[arg(long)]
    use_aliases: bool,
    /// Run as specified username or uid
    #[arg(short, long)]
    user: Option<String>,
    /// Bind mount a volume
    #[arg(short, long, alias = "volumes", value_name = "stringArray")]
    volume: Vec<String>,
    /// Working directory inside the container
    #[arg(short, long)]
    workdir: Option<String>,
    /// The service, and the command in its container
    #[arg(required = true, trailing_var_arg = true, value_name = "SERVICE")]
    words: Vec<String>,
}

/// A switch of which it matters whether it was given at all.
#[derive(Clone, Copy, Debug)]
struct Truth(bool);

fn truth(text: &str) -> Result<Truth, String> {
    text.parse().map(Truth).map_err(|_| format!("strconv.ParseBool: parsing {text:?}: invalid syntax"))
}

impl Member for Run {
    async fn run(self, context: &Context) -> anyhow::Result<()> {
        let Some((name, command)) = self.words.split_first() else { return Ok(()) };
        if self.service_ports && !self.publish.is_empty() {
            bail!("--service-ports and --publish are incompatible");
        }
        let tty = self.tty()?;
        let mut project = context.project(std::slice::from_ref(name))?;
        let client = Rc::new(context.connect()?);
        let mut model = making::model(&client, &mut project, &[])?;
        let mut others = model.clone();
        let Some(mut service) = others.services.remove(name) else { bail!("no such service: {name}") };
        if self.no_deps {
            others.services.clear();
        }
        self.change(&mut service, &mut model, command)?;
        service.tty = tty;
        if !self.detach {
            terminal::check(self.interactive, tty)?;
        }
        let steps = Steps::new(if self.quiet { Mode::Quiet } else { context.progress()? }, "run");
        self.start_others(context, &client, &project, &others, &service, &steps).await?;
        model.services.insert(name.clone(), service.clone());
        let id = self.create(context, &client, &model, &service, &steps).await?;
        steps.end();
        if self.detach {
            client.post(format!("/containers/{id}/start")).send().await?;
            return say(id);
        }
        terminal::proxy(client.clone(), id.clone())?;
        let keys = DetachKeys::choose(None)?;
        let streams = Streams { stdin: self.interactive, stdout: true, stderr: true, tty, keys };
        attached(&client, &id, &streams, self.rm, |error| Exit::with(1, session::message(error))).await
    }
}

impl Run {
    /// Whether it gets a terminal: if we have one, unless that was decided.
    fn tty(&self) -> anyhow::Result<bool> {
        match self.tty {
            Some(_) if self.no_tty => bail!("--tty and --no-tty can't be used together"),
            Some(Truth(tty)) => Ok(tty),
            None => Ok(!self.no_tty && std::io::stdin().is_terminal() && std::io::stdout().is_terminal()),
        }
    }

    /// The service, as this one container has it.
    fn change(&self, service: &mut Service, model: &mut Model, command: &[String]) -> anyhow::Result<()> {
        let folder = std::env::current_dir()?;
        let ports = self.publish.as_slice();
        let (volumes, ports) = Short { volumes: &self.volume, ports }.read(&folder).map_err(fail)?;
        for mount in volumes.iter().filter(|mount| mount.r#type == "volume" && !mount.source.is_empty()) {
            // One that the files do not know is any volume of this name.
            let known = || Volume { name: mount.source.clone(), external: true, ..Volume::default() };
            model.volumes.entry(mount.source.clone()).or_insert_with(known);
        }
        service.volumes.retain(|old| volumes.iter().all(|new| new.target != old.target));
        service.volumes.extend(volumes);
        if !self.service_ports {
            service.ports = ports;
        }
        service.stdin_open = self.interactive;
        service.container_name = String::new();
        service.scale = Some(1);
        service.restart = String::new();
        if let Some(deploy) = &mut service.deploy {
            deploy.restart_policy = None;
        }
        if !command.is_empty() {
            service.command = Some(command.to_vec());
        }
        if let Some(entrypoint) = &self.entrypoint {
            service.entrypoint = Some(one_off::words(entrypoint).map_err(fail)?);
            if command.is_empty() {
                service.command = Some(Vec::new());
            }
        }
        let set = |text: &mut String, flag: &Option<String>| text.clone_from(flag.as_ref().unwrap_or(&text.clone()));
        set(&mut service.user, &self.user);
        set(&mut service.working_dir, &self.workdir);
        service.cap_drop.retain(|name| !self.cap_add.contains(name));
        service.cap_add.extend(self.cap_add.iter().cloned());
        service.cap_add.retain(|name| !self.cap_drop.contains(name));
        service.cap_drop.extend(self.cap_drop.iter().cloned());
        service.environment.extend(self.environment(&model.variables)?);
        for label in &self.label {
            let Some((key, value)) = label.split_once('=') else { bail!("label must be set as KEY=VALUE") };
            service.labels.insert(key.to_owned(), value.to_owned());
        }
        Ok(())
    }

    /// `-e`, and beneath it `--env-from-file`. A bare name has the value that the project knows for it, if it knows one.
    fn environment(&self, known: &Variables) -> anyhow::Result<BTreeMap<String, Option<String>>> {
        let mut given = Variables::new();
        for text in &self.env {
            let (name, value) = match text.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (text.as_str(), known.get(text).cloned()),
            };
            if let Some(value) = value {
                given.insert(name.to_owned(), value);
            }
        }
        for file in &self.env_from_file {
            for (name, value) in one_off::variables(Path::new(file), &given).map_err(fail)? {
                given.entry(name).or_insert(value);
            }
        }
        Ok(given.into_iter().map(|(name, value)| (name, Some(value))).collect())
    }

    /// Networks, volumes, and whom the service waits for.
    async fn start_others(
        &self,
        context: &Context,
        client: &Rc<Client>,
        project: &Project,
        others: &Model,
        service: &Service,
        steps: &Steps,
    ) -> anyhow::Result<()> {
        let making = Making {
            build: self.build,
            pull: self.pull.clone(),
            quiet_pull: self.quiet_pull,
            quiet_build: self.quiet_build,
            remove_orphans: self.remove_orphans,
            ..Making::default()
        };
        making.check()?;
        let how = making.creation(project, &[])?;
        making.run(context, client, project, others, &how, steps).await?;
        let start = Start::of_model(client, others, steps);
        start.run().await.map_err(fail)?;
        start.ready_for(service).await.map_err(fail)
    }

    async fn create(
        &self,
        context: &Context,
        client: &Rc<Client>,
        model: &Model,
        service: &Service,
        steps: &Steps,
    ) -> anyhow::Result<String> {
        let how = images::How {
            build: self.build,
            pull: Some(self.pull.clone()).filter(|pull| pull != "policy"),
            quiet_pull: self.quiet_pull,
            builds: super::build::Builds { quiet: self.quiet_build, ..Default::default() },
            ..images::How::default()
        };
        let mut alone = model.clone();
        alone.services.retain(|name, _| *name == service.name);
        let image =
            images::ensure(context, client, &alone, &how, steps).await?.remove(&service.name).unwrap_or_default();
        let wanted = Wanted { project: &model.name, services: &[], one_off: OneOff::Without, all: true };
        let mut others: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for container in containers::find(client, wanted).await.map_err(fail)? {
            others.entry(container.service).or_default().push(container.name);
        }
        let slug = one_off::slug().map_err(fail)?;
        let name = self.name.clone().unwrap_or_else(|| format!("{}-{}-run-{}", model.name, service.name, &slug[..12]));
        let run = request::Run {
            slug: &slug,
            auto_remove: self.rm,
            interactive: self.interactive,
            use_aliases: self.use_aliases,
        };
        let made = request::container(&request::Wanted {
            model,
            service,
            name: &name,
            number: None,
            run: Some(run),
            image: request::Image { id: &image, volumes: &[] },
            api: super::api(client).await?,
            others: &others,
            inherit: &[],
            replaces: false,
        });
        let made = made.map_err(fail)?;
        let object = format!("Container {name}");
        steps.working(&object, "Creating");
        let created = create_container(client, &made).await;
        match &created {
            Ok(_) => steps.done(&object, "Created"),
            Err(error) => steps.failed(&object, &error.to_string()),
        }
        created.map_err(fail)
    }
}
