//! `kesako compose config`.

use super::{Context, Flags, Member, fail};
use crate::output::{put, say};
use ::compose::{How, Project};
use anyhow::Context as _;

/// Parse, resolve and render compose file in canonical format
#[derive(Debug, clap::Args)]
pub(super) struct Config {
    /// Print environment used for interpolation.
    #[arg(long)]
    environment: bool,
    /// Format the output. Values: [yaml | json]
    #[arg(long)]
    format: Option<String>,
    /// Print the service config hash, one per line.
    #[arg(long)]
    hash: Option<String>,
    /// Print the image names, one per line.
    #[arg(long)]
    images: bool,
    /// Print the network names, one per line.
    #[arg(long)]
    networks: bool,
    /// Don't check model consistency - warning: may produce invalid Compose output
    #[arg(long)]
    no_consistency: bool,
    /// Don't resolve service env files
    #[arg(long)]
    no_env_resolution: bool,
    /// Don't interpolate environment variables
    #[arg(long)]
    no_interpolate: bool,
    /// Don't normalize compose model
    #[arg(long)]
    no_normalize: bool,
    /// Don't resolve file paths
    #[arg(long)]
    no_path_resolution: bool,
    /// Save to file (default to stdout)
    #[arg(short, long)]
    output: Option<String>,
    /// Print the profile names, one per line.
    #[arg(long)]
    profiles: bool,
    /// Only validate the configuration, don't print anything
    #[arg(short, long)]
    quiet: bool,
    /// Print the service names, one per line.
    #[arg(long)]
    services: bool,
    /// Print the volume names, one per line.
    #[arg(long)]
    volumes: bool,
    #[arg(value_name = "SERVICE")]
    names: Vec<String>,
}

impl Member for Config {
    async fn run(self, context: &Context) -> anyhow::Result<()> {
        let project = self.load(&context.flags)?;
        let list = |lines: Vec<String>| if self.quiet || lines.is_empty() { Ok(()) } else { say(lines.join("\n")) };
        if self.services {
            return list(project.in_order());
        }
        if self.volumes {
            return list(project.names("volumes"));
        }
        if self.networks {
            return list(project.names("networks"));
        }
        if let Some(wanted) = &self.hash {
            let line = |name: String| Ok(format!("{name} {}", project.hash(&name).map_err(fail)?));
            let mut names = project.names("services");
            names.retain(|name| wanted == "*" || wanted.split(',').any(|wanted| wanted == name));
            return list(names.into_iter().map(line).collect::<anyhow::Result<_>>()?);
        }
        if self.profiles {
            return list(project.profiles.into_iter().collect());
        }
        if self.images {
            return list(project.images());
        }
        if self.environment {
            return list(project.variables.iter().map(|(name, value)| format!("{name}={value}")).collect());
        }
        let text = match self.format.as_deref() {
            None | Some("yaml") => project.yaml(),
            Some("json") => project.json(),
            Some(other) => anyhow::bail!("unsupported format {other:?}"),
        };
        match &self.output {
            _ if self.quiet => Ok(()),
            Some(file) => std::fs::write(file, text).with_context(|| format!("cannot write {file}")),
            None => put(text),
        }
    }
}

impl Config {
    /// The project, as far as what is asked for needs it. Lists of the project's parts are of all of it, whoever is named.
    fn load(&self, flags: &Flags) -> anyhow::Result<Project> {
        let lists = self.services || self.volumes || self.networks;
        let how = How {
            interpolate: !self.no_interpolate,
            resolve_paths: !self.no_path_resolution,
            normalise: !self.no_normalize,
            check: !self.no_consistency,
            resolve_environment: !self.no_env_resolution && !lists,
            all_resources: flags.all_resources,
        };
        // `--hash web,db`: an env file that another service lacks is none of theirs.
        let names = match self.hash.as_deref() {
            Some("*") => Vec::new(),
            Some(names) => names.split(',').map(str::to_owned).collect(),
            None if lists => Vec::new(),
            None => self.names.clone(),
        };
        Project::load(&flags.request()?, how, &names).map_err(fail)
    }
}
