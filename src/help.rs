//! Help, in Docker's layout: usage, what it does, the other names it goes by, and the flags in two columns.

use crate::arguments::is_switch;
use crate::command::{COMMANDS, Entry, GROUPS};
use clap::{Arg, ArgAction};

/// What `--format` takes where there is a table.
pub const LIST_FORMAT: &str = include_str!("help/list-format.txt");
/// What `--format` takes where there are objects.
pub const OBJECT_FORMAT: &str = include_str!("help/object-format.txt");

/// The width of the terminal on standard input, else 80, less the last column.
fn width() -> usize {
    crate::terminal::size_of(&std::io::stdin()).map_or(80, |size| usize::from(size.width).max(20)) - 1
}

/// `kesako ps [OPTIONS]`.
pub fn usage(path: &str, command: &clap::Command) -> String {
    let what = command.get_display_name().unwrap_or_default();
    format!("{path} {what}").trim_end().to_owned()
}

/// All that is to be said of a command.
pub fn command(path: &str, command: &clap::Command) -> String {
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let mut text = format!("Usage:  {}\n\n{about}\n", usage(path, command));
    let names: Vec<_> = COMMANDS
        .iter()
        .find(|entry| entry.paths.iter().any(|p| path.strip_prefix("kesako ") == Some(p)))
        .map(|entry| entry.paths.iter().map(|p| format!("kesako {p}")).collect())
        .unwrap_or_default();
    if names.len() > 1 {
        text += &format!("\nAliases:\n  {}\n", names.join(", "));
    }
    let flags = flags(command, width());
    if !flags.is_empty() {
        text += &format!("\nOptions:\n{flags}");
    }
    if let Some(after) = command.get_after_help() {
        text += &format!("\n{after}");
    }
    text.trim_end().to_owned()
}

/// The flags, one under the other.
pub fn flags(command: &clap::Command, width: usize) -> String {
    let mut shown: Vec<&Arg> = command.get_opts().chain(command.get_arguments().filter(|a| is_help(a))).collect();
    shown.retain(|arg| !arg.is_hide_set());
    shown.dedup_by_key(|arg| arg.get_id().clone());
    shown.sort_by_key(|arg| arg.get_long().map(str::to_owned));
    let heads: Vec<_> = shown.iter().map(|arg| head(arg)).collect();
    let column = heads.iter().map(|head| head.len()).max().unwrap_or(0) + 3;
    let mut text = String::new();
    for (arg, head) in shown.iter().zip(&heads) {
        let mut what = arg.get_help().map(ToString::to_string).unwrap_or_default();
        let default = arg.get_default_values().first().and_then(|v| v.to_str()).unwrap_or_default();
        if is_switch(arg) && default == "true" {
            what += " (default true)";
        } else if !is_switch(arg) && !matches!(default, "" | "0") {
            let quoted = arg.get_value_names().is_some_and(|names| names.iter().any(|name| name.as_str() == "string"));
            what += &if quoted { format!(" (default {default:?})") } else { format!(" (default {default})") };
        }
        text += &format!("{head:column$}{}\n", wrap(column, width, &what));
    }
    text
}

fn is_help(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Help)
}

/// `  -m, --memory bytes`.
fn head(arg: &Arg) -> String {
    let long = arg.get_long().unwrap_or_default();
    let short = arg.get_short().map_or_else(|| "      ".to_owned(), |short| format!("  -{short}, "));
    let value = match arg.get_value_names() {
        Some(names) if !is_switch(arg) && !is_help(arg) => names.first().map(|n| format!(" {n}")).unwrap_or_default(),
        _ => String::new(),
    };
    format!("{short}--{long}{value}")
}

/// Text in a column that begins at `indent`, as pflag wraps it: a last word may stick out by up to five.
fn wrap(indent: usize, width: usize, text: &str) -> String {
    const SLOP: usize = 5;
    let (indent, start) = if width.saturating_sub(indent) < 24 { (16, "\n                ") } else { (indent, "") };
    let room = width.saturating_sub(indent + SLOP).max(10);
    let mut out = start.to_owned();
    let mut rest = text;
    let mut first = true;
    while !rest.is_empty() {
        let (line, after) = cut(room, SLOP, rest);
        if !first {
            out.push('\n');
            out.push_str(&" ".repeat(indent));
        }
        out.push_str(&line.replace('\n', &format!("\n{}", " ".repeat(indent))));
        rest = after;
        first = false;
    }
    out
}

fn cut(room: usize, slop: usize, text: &str) -> (&str, &str) {
    if room + slop > text.len() {
        return (text, "");
    }
    let mut end = room;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let head = &text[..end];
    let Some(at) = head.rfind([' ', '\t', '\n']).filter(|at| *at > 0) else { return (text, "") };
    let at = head.rfind('\n').filter(|newline| *newline > 0 && *newline < at).unwrap_or(at);
    (&text[..at], &text[at + 1..])
}

/// `kesako` alone.
pub fn overview(globals: &clap::Command) -> String {
    let entries: Vec<_> = COMMANDS
        .iter()
        .filter(|e| !e.hidden)
        .filter_map(|e| Some((*e.paths.iter().find(|path| !path.contains(' '))?, e)))
        .collect();
    let common = ["run", "exec", "ps", "build", "images", "version", "info"];
    let list = |names: &mut dyn Iterator<Item = (&str, &str)>| {
        names.map(|(name, about)| format!("  {name:<11} {about}\n")).collect::<String>()
    };
    let mut first =
        common.iter().filter_map(|name| entries.iter().find(|(n, _)| n == name)).map(|(n, e)| (*n, e.about));
    let mut others: Vec<_> = entries.iter().filter(|(n, _)| !common.contains(n)).map(|(n, e)| (*n, e.about)).collect();
    others.sort_unstable();
    format!(
        "Usage:  kesako [OPTIONS] COMMAND\n\nA container runtime you can use, and write yourself\n\nCommon Commands:\n{}\n\
         Management Commands:\n{}\nCommands:\n{}\nGlobal Options:\n{}\nRun 'kesako COMMAND --help' for more information \
         on a command.",
        list(&mut first),
        list(&mut GROUPS.iter().copied()),
        list(&mut others.into_iter()),
        flags(globals, width()),
    )
}

/// `kesako container` alone.
pub fn group(name: &str, about: &str) -> String {
    let prefix = format!("{name} ");
    let member = |entry: &Entry| entry.paths.iter().find_map(|path| path.strip_prefix(prefix.as_str()));
    let mut members: Vec<_> = COMMANDS.iter().filter_map(|e| Some((member(e)?, e.about))).collect();
    members.sort_unstable();
    let list: String = members.iter().map(|(name, about)| format!("  {name:<11} {about}\n")).collect();
    format!(
        "Usage:  kesako {name} COMMAND\n\n{about}\n\nCommands:\n{list}\nRun 'kesako {name} COMMAND --help' for more \
         information on a command."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_wraps_as_dockers_does() {
        let entry = COMMANDS.iter().find(|entry| entry.paths.contains(&"exec")).unwrap();
        let command = crate::arguments::tune((entry.arguments)(entry));
        insta::assert_snapshot!(flags(&command, 79), @r#"
          -d, --detach               Detached mode: run command in the background
              --detach-keys string   Override the key sequence for detaching a
                                     container
          -e, --env list             Set environment variables
              --env-file list        Read in a file of environment variables
          -i, --interactive          Keep STDIN open even if not attached
              --privileged           Give extended privileges to the command
          -t, --tty                  Allocate a pseudo-TTY
          -u, --user string          Username or UID (format:
                                     "<name|uid>[:<group|gid>]")
          -w, --workdir string       Working directory inside the container
        "#);
    }
}
