//! A build by a real dockerd, with what its classic builder can do. Its words are passed on as they come.

use super::flags::Flags;
use super::{Context, Job};
use crate::command::load;
use crate::failure::Exit;
use crate::output::put;
use daemon::client::Request;
use daemon::client::context::{self, Outgoing};
use engine::api::{Aux, Progress};
use tokio::io::AsyncRead;

/// Builds, and returns the image's ID. `rm` removes the containers between the steps; `quiet` is only heard of where it fails.
pub(in crate::command) async fn build(mut job: Job, rm: bool, quiet: bool) -> anyhow::Result<String> {
    let (body, dockerfile) = body(&mut job);
    let options = &job.options;
    let mut request = job
        .client
        .post("/build")
        .query("dockerfile", dockerfile)
        .query_json("buildargs", &options.build_args)
        .query_json("labels", &options.labels)
        .query("rm", u8::from(rm))
        .query("networkmode", &options.network)
        .query("target", &options.target)
        .query_opt(
            "remote",
            match &job.context {
                Context::Url(url) => Some(url),
                _ => None,
            },
        )
        .query_opt("platform", Some(&options.platform).filter(|platform| !platform.is_empty()));
    for (name, given) in [("nocache", options.no_cache), ("pull", options.pull), ("q", quiet)] {
        if given {
            request = request.query(name, 1);
        }
    }
    if !options.registries.is_empty() {
        request = request.header_opt("x-registry-config", Some(registry::credentials::encode(&options.registries)));
    }
    for tag in &options.tags {
        request = request.query("t", tag);
    }
    for host in &options.add_hosts {
        request = request.query("extrahosts", host);
    }
    for (name, value) in std::mem::take(&mut job.classic) {
        request = request.query(name, value);
    }
    follow(request.body_stream(body), quiet).await
}

/// Passes on what the builder says. Returns the image's ID.
async fn follow(request: Request<'_>, quiet: bool) -> anyhow::Result<String> {
    let mut lines = request.lines().await?;
    let mut id = String::new();
    let mut heard = String::new();
    while let Some(line) = lines.next::<Progress>().await? {
        if let Some(detail) = line.error_detail {
            if quiet {
                put(heard)?;
            }
            // A command's own code is the build's.
            return Err(Exit::with(detail.code.filter(|code| *code != 0).unwrap_or(1), detail.message));
        }
        match line {
            Progress { aux: Some(Aux::Built(built)), .. } => id = built.id,
            Progress { stream: Some(text), .. } if quiet => heard += &text,
            line => load::show(line)?,
        }
    }
    if quiet {
        id = heard.trim().to_owned();
    }
    Ok(id)
}

/// What the classic builder has not.
pub(super) fn refuse_flags(flags: &Flags) -> anyhow::Result<()> {
    let has_a_place = |output: &String| super::output::parse(output).is_ok_and(|output| output.dest.is_some());
    let given = [
        ("--build-context", !flags.build_context.is_empty()),
        ("--check", flags.is_check()?),
        ("--debug-shell", flags.debug_shell),
        ("--explain", flags.explain),
        ("--no-cache-filter", !flags.no_cache_filter.is_empty()),
        ("--output", flags.output.iter().any(has_a_place)),
        ("--progress", !matches!(flags.progress.as_str(), "auto" | "plain" | "quiet")),
        ("--secret", !flags.secret.is_empty()),
        ("--ssh", !flags.ssh.is_empty()),
        ("--verify", flags.verify),
    ];
    match given.iter().find(|(_, is_given)| *is_given) {
        Some((flag, _)) => anyhow::bail!("{flag}: not supported by the classic builder of dockerd"),
        None => Ok(()),
    }
}

/// The context as it travels, and where in it the Dockerfile is.
fn body(job: &mut Job) -> (Box<dyn AsyncRead + Send + Unpin>, String) {
    let mut dockerfile = job.options.dockerfile.clone();
    let folder = match &mut job.context {
        Context::Url(_) => return (Box::new(tokio::io::empty()), dockerfile),
        Context::Archive(archive) => return (std::mem::replace(archive, Box::new(tokio::io::empty())), dockerfile),
        Context::Nothing => None,
        Context::Folder(folder) => Some(folder.clone()),
    };
    let mut outgoing = Outgoing { folder, ignore: job.ignore.take(), ..Outgoing::default() };
    if let Some((_, text)) = job.options.dockerfile_text.take() {
        // By a name that nobody else has.
        dockerfile = format!(".dockerfile.{:x}", std::process::id());
        outgoing.texts.push((dockerfile.clone(), text));
    }
    outgoing.dockerfile.clone_from(&dockerfile);
    (Box::new(context::archive(outgoing)), dockerfile)
}
