//! Completion: the shell's script hands over the words typed so far, and [`candidates`] answers what the last of them
//! could be: a command, a flag, a container that runs, an image.

use crate::arguments::{self, is_switch};
use crate::command::{COMMANDS, Entry, GROUPS, Words, compose_candidates};
use crate::format::short_id;
use crate::globals;
use crate::session::Session;
use engine::api::{ContainerSummary, ImageSummary, Network, VolumeList};

/// The script of a shell.
pub fn script(shell: &str) -> Option<&'static str> {
    match shell {
        "bash" => Some(include_str!("complete/kesako.bash")),
        "zsh" => Some(include_str!("complete/kesako.zsh")),
        "fish" => Some(include_str!("complete/kesako.fish")),
        _ => None,
    }
}

/// A word, and what it means.
pub type Candidate = (String, String);

/// What the last word could be. When the engine cannot be asked there are just none of its names.
pub async fn candidates(words: &[String]) -> Vec<Candidate> {
    let (last, before) = words.split_last().map_or(("", words), |(last, before)| (last.as_str(), before));
    // The engine to ask is the one that the command would talk to.
    let session = Session::new(globals::parse(before).map(|(globals, _)| globals).unwrap_or_default());
    let mut found = match place(before) {
        Place::Argument(entry) if entry.paths == ["compose"] => {
            let compose = before.iter().position(|word| word == "compose").map_or(0, |at| at + 1);
            compose_candidates(&before[compose..], last, &session).await
        }
        Place::Command => commands(),
        Place::Member(group) => members(group),
        Place::Nowhere => Vec::new(),
        Place::Argument(entry) if last.starts_with('-') => flags(&arguments::tune((entry.arguments)(entry))),
        Place::Argument(entry) => names(entry.words, &session).await.unwrap_or_default(),
    };
    found.retain(|(word, _)| word.starts_with(last));
    found
}

/// Where on the command line we are.
enum Place {
    Command,
    Member(&'static str),
    Argument(&'static Entry),
    /// After a flag that takes a value, or in a command that does not exist.
    Nowhere,
}

fn place(before: &[String]) -> Place {
    let globals = globals::describe();
    let mut words = before.iter();
    let command = loop {
        match words.next() {
            None => return Place::Command,
            Some(flag) if takes_value(&globals, flag) => {
                if words.next().is_none() {
                    return Place::Nowhere;
                }
            }
            Some(flag) if flag.starts_with('-') => {}
            Some(command) => break command,
        }
    };
    let group = GROUPS.iter().find(|(name, _)| name == command).map(|(name, _)| *name);
    let path = match (group, group.and_then(|_| words.next())) {
        (Some(group), None) => return Place::Member(group),
        (Some(group), Some(member)) => format!("{group} {member}"),
        (None, _) => command.clone(),
    };
    let Some(entry) = COMMANDS.iter().find(|entry| entry.paths.contains(&path.as_str())) else { return Place::Nowhere };
    // It has commands of its own, and its flags before them.
    if entry.paths == ["compose"] {
        return Place::Argument(entry);
    }
    let flags = arguments::tune((entry.arguments)(entry));
    match before.last() {
        Some(last) if takes_value(&flags, last) => Place::Nowhere,
        _ => Place::Argument(entry),
    }
}

/// Whether this word is a flag whose value is the next word.
pub fn takes_value(command: &clap::Command, word: &str) -> bool {
    if word.contains('=') {
        return false;
    }
    let is_it = |arg: &&clap::Arg| match word.strip_prefix("--") {
        Some(long) => arg.get_long() == Some(long),
        None => word
            .strip_prefix('-')
            .is_some_and(|letters| arg.get_short() == letters.chars().last() && !letters.is_empty()),
    };
    command.get_opts().filter(|arg| !is_switch(arg)).any(|arg| is_it(&arg))
}

fn commands() -> Vec<Candidate> {
    let top = COMMANDS.iter().filter(|e| !e.hidden).flat_map(|entry| {
        entry.paths.iter().filter(|path| !path.contains(' ')).map(|path| ((*path).to_owned(), entry.about.to_owned()))
    });
    let groups = GROUPS.iter().map(|(name, about)| ((*name).to_owned(), (*about).to_owned()));
    top.chain(groups).collect()
}

fn members(group: &str) -> Vec<Candidate> {
    let prefix = format!("{group} ");
    let member = |entry: &Entry| entry.paths.iter().find_map(|path| path.strip_prefix(prefix.as_str()));
    COMMANDS.iter().filter_map(|entry| Some((member(entry)?.to_owned(), entry.about.to_owned()))).collect()
}

pub fn flags(command: &clap::Command) -> Vec<Candidate> {
    let about =
        |arg: &clap::Arg| arg.get_help().map(|help| help.to_string().lines().next().unwrap_or_default().to_owned());
    command
        .get_arguments()
        .filter_map(|arg| Some((format!("--{}", arg.get_long()?), about(arg).unwrap_or_default())))
        .collect()
}

async fn names(words: Words, session: &Session) -> anyhow::Result<Vec<Candidate>> {
    Ok(match words {
        Words::Nothing | Words::Files => Vec::new(),
        Words::Shells => ["bash", "fish", "zsh"].map(|shell| (shell.to_owned(), String::new())).to_vec(),
        Words::Containers(states) => containers(states, session).await?,
        Words::Images => images(session).await?,
        Words::Networks => networks(session).await?,
        Words::Volumes => volumes(session).await?,
        Words::Objects => {
            let mut all = containers(&[], session).await?;
            all.extend(images(session).await?);
            all.extend(networks(session).await?);
            all.extend(volumes(session).await?);
            all
        }
    })
}

async fn containers(states: &[&str], session: &Session) -> anyhow::Result<Vec<Candidate>> {
    let containers: Vec<ContainerSummary> = session.connect()?.get("/containers/json").query("all", 1).json().await?;
    let fits = |container: &ContainerSummary| states.is_empty() || states.contains(&container.state.as_str());
    let named = containers.into_iter().filter(fits).filter_map(|container| {
        let name = container.names.first()?.trim_start_matches('/').to_owned();
        Some((name, format!("{} {}", short_id(&container.id), container.image)))
    });
    Ok(named.collect())
}

async fn networks(session: &Session) -> anyhow::Result<Vec<Candidate>> {
    let networks: Vec<Network> = session.connect()?.get("/networks").json().await?;
    Ok(networks.into_iter().map(|network| (network.name, network.driver)).collect())
}

async fn images(session: &Session) -> anyhow::Result<Vec<Candidate>> {
    let images: Vec<ImageSummary> = session.connect()?.get("/images/json").json().await?;
    let tagged = images.into_iter().flat_map(|image| {
        let id = short_id(&image.id).to_owned();
        image.repo_tags.into_iter().map(move |tag| (tag, id.clone()))
    });
    Ok(tagged.collect())
}

async fn volumes(session: &Session) -> anyhow::Result<Vec<Candidate>> {
    let list: VolumeList = session.connect()?.get("/volumes").json().await?;
    Ok(list.volumes.into_iter().map(|volume| (volume.name, volume.driver)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete(line: &str) -> Vec<String> {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let found = runtime.block_on(candidates(&words));
        found.into_iter().map(|(word, _)| word).collect()
    }

    #[test]
    fn commands_flags_and_nothing_where_a_value_belongs() {
        assert_eq!(complete("ren"), ["rename"]);
        assert_eq!(complete("container un"), ["unpause"]);
        assert_eq!(complete("-H unix:///nowhere ren"), ["rename"]);
        assert_eq!(complete("run --memory-r"), ["--memory-reservation"]);
        assert!(complete("run --name web").is_empty() && complete("run -e A").is_empty());
        assert!(complete("nonsense ").is_empty());
        assert_eq!(complete("completion f"), ["fish"]);
        assert_eq!(complete("compose unp"), ["unpause"]);
        assert_eq!(complete("compose -f x logs --no-l"), ["--no-log-prefix"]);
        assert_eq!(complete("compose --project-d"), ["--project-directory"]);
        assert_eq!(complete("compose --progress p"), ["plain"]);
        assert!(complete("compose -f nowhere.yaml logs ").is_empty() && complete("compose logs --tail 1").is_empty());
    }

    #[test]
    fn a_daemon_that_is_not_there_is_no_error() {
        assert!(complete("-H unix:///nowhere rm ").is_empty());
    }

    #[test]
    fn every_command_is_found_by_each_of_its_names() {
        for entry in COMMANDS {
            for path in entry.paths {
                let words: Vec<String> = path.split(' ').map(str::to_owned).collect();
                let (found, ..) = crate::command::find(&words).unwrap();
                assert_eq!(found.paths, entry.paths);
            }
        }
    }
}
