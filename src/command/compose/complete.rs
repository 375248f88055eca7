//! What a word after `kesako compose` could be: a command, a flag, a service of the file, a project that runs.

use super::{COMMANDS, Compose, describe};
use crate::arguments;
use crate::complete::{Candidate, flags, takes_value};
use crate::session::Session;
use ::compose::{How, Project, labels};
use clap::FromArgMatches;
use engine::api::ContainerSummary;
use std::collections::{BTreeMap, BTreeSet};

/// `before` are the words between `compose` and the one that is looked for, of which `last` is the beginning.
pub async fn candidates(before: &[String], last: &str, session: &Session) -> Vec<Candidate> {
    let globals = describe();
    let mut at = 0;
    while let Some(word) = before.get(at).filter(|word| word.starts_with('-')) {
        at += 1 + usize::from(takes_value(&globals, word));
    }
    let Some(command) = before.get(at) else {
        return match before.split_last().filter(|_| at > before.len()) {
            Some((flag, before)) => values(flag, &given(before), session).await,
            None if last.starts_with('-') => flags(&globals),
            None => COMMANDS.iter().map(|command| (command.name.to_owned(), command.about.to_owned())).collect(),
        };
    };
    let Some(command) = COMMANDS.iter().find(|known| known.name == command) else { return Vec::new() };
    let of_command = arguments::tune(command.describe());
    let words = &before[at + 1..];
    if words.last().is_some_and(|word| takes_value(&of_command, word)) {
        return Vec::new();
    }
    if last.starts_with('-') {
        return flags(&of_command);
    }
    // One service, and then a command in its container, a port or a file.
    let is_one = !["SERVICE...", "SERVICES", "SERVICE="].iter().any(|many| command.usage.contains(many));
    if !command.usage.contains("SERVICE") || (is_one && has_argument(&of_command, words)) {
        return Vec::new();
    }
    let after = if command.usage.contains("SERVICE=") { "=" } else { "" };
    services(&given(&before[..at])).into_iter().map(|name| (name + after, String::new())).collect()
}

fn has_argument(command: &clap::Command, words: &[String]) -> bool {
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if !word.starts_with('-') {
            return true;
        }
        if takes_value(command, word) {
            words.next();
        }
    }
    false
}

/// The flags that are there already. What makes no sense yet is as if it were not.
fn given(before: &[String]) -> Option<Compose> {
    let matches = describe().no_binary_name(true).try_get_matches_from(before).ok()?;
    Compose::from_arg_matches(&matches).ok()
}

async fn values(flag: &str, given: &Option<Compose>, session: &Session) -> Vec<Candidate> {
    let names: Vec<String> = match flag {
        "-p" | "--project-name" => projects(session).await.unwrap_or_default(),
        "--profile" => project(given).map(|project| project.profiles.into_iter().collect()).unwrap_or_default(),
        "--ansi" => ["never", "always", "auto"].map(str::to_owned).to_vec(),
        "--progress" => ["auto", "tty", "plain", "json", "quiet"].map(str::to_owned).to_vec(),
        _ => Vec::new(),
    };
    names.into_iter().map(|name| (name, String::new())).collect()
}

fn project(given: &Option<Compose>) -> Option<Project> {
    // Of every profile: who is named needs none.
    let mut request = given.as_ref()?.project.request().ok()?;
    request.profiles = vec!["*".to_owned()];
    let how = How {
        interpolate: true,
        resolve_paths: true,
        normalise: true,
        check: false,
        resolve_environment: false,
        all_resources: true,
    };
    Project::load(&request, how, &[]).ok()
}

fn services(given: &Option<Compose>) -> Vec<String> {
    project(given).map(|project| project.names("services")).unwrap_or_default()
}

async fn projects(session: &Session) -> anyhow::Result<Vec<String>> {
    let client = session.connect()?;
    let filters = BTreeMap::from([("label", [labels::PROJECT])]);
    let request = client.get("/containers/json").query("all", true).query_json("filters", &filters);
    let containers: Vec<ContainerSummary> = request.json().await?;
    let names: BTreeSet<String> =
        containers.into_iter().filter_map(|mut container| container.labels.remove(labels::PROJECT)).collect();
    Ok(names.into_iter().collect())
}
