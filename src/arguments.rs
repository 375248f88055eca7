//! Command lines, read as Docker reads them. clap does the reading; what is put right here is where Docker's flags
//! differ from clap's habits (`--rm=false`, a flag given twice, `-h` for a host name) and how errors are worded.

use crate::failure::Exit;
use clap::builder::{Str, ValueParser};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, ArgMatches};
use std::any::TypeId;

/// Reads the words after a command's name. `path` is the command as the user knows it, `kesako image ls`.
pub fn parse(command: clap::Command, path: &str, words: &[String]) -> anyhow::Result<ArgMatches> {
    let command = tune(command);
    let result = command.clone().no_binary_name(true).try_get_matches_from(words);
    result.map_err(|error| match error.kind() {
        ErrorKind::DisplayHelp => Exit::with(0, crate::help::command(path, &command)),
        _ => explain(&error, &command, path, words),
    })
}

/// Docker's habits: a switch may be told `=true` or `=false`, the last of equal flags holds, and `--help` is there.
pub fn tune(command: clap::Command) -> clap::Command {
    let has_short_h = command.get_arguments().any(|arg| arg.get_short() == Some('h'));
    let help = Arg::new("help").long("help").action(ArgAction::Help).help("Print usage").hide(true);
    let help = if has_short_h { help } else { help.short('h') };
    command.disable_help_flag(true).disable_version_flag(true).args_override_self(true).arg(help).mut_args(|arg| {
        if arg.is_positional() || matches!(arg.get_action(), ArgAction::Help) {
            return arg;
        }
        if is_switch(&arg) {
            let arg = if arg.get_default_values().is_empty() { arg.default_value("false") } else { arg };
            return arg
                .action(ArgAction::Set)
                .value_parser(ValueParser::new(switch))
                .num_args(0..=1)
                .require_equals(true)
                .default_missing_value("true");
        }
        // A value may begin with a dash, as in `--stop-timeout -1`.
        let kind = type_name(&arg);
        arg.value_name(kind).allow_hyphen_values(true)
    })
}

/// Whether a flag takes no value of its own.
pub fn is_switch(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::SetTrue) || arg.get_value_parser().type_id() == TypeId::of::<bool>()
}

/// The kind of value, as Docker's help names it.
fn type_name(arg: &Arg) -> Str {
    let given = arg.get_value_names().and_then(|names| names.first()).cloned();
    match given {
        // clap's derive makes one of the field's name, in capitals.
        Some(name) if name.chars().any(|c| c.is_ascii_lowercase()) => name,
        _ if matches!(arg.get_action(), ArgAction::Append) => "list".into(),
        _ => "string".into(),
    }
}

/// Go's idea of a truth value.
fn switch(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false),
        _ => Err(format!("strconv.ParseBool: parsing {text:?}: invalid syntax")),
    }
}

/// A whole number, with Go's complaint if it is none.
pub fn integer(text: &str) -> Result<i64, String> {
    let trimmed = text.strip_prefix('+').unwrap_or(text);
    trimmed.parse().map_err(|error: std::num::ParseIntError| {
        let why = match error.kind() {
            std::num::IntErrorKind::PosOverflow | std::num::IntErrorKind::NegOverflow => "value out of range",
            _ => "invalid syntax",
        };
        format!("strconv.ParseInt: parsing {text:?}: {why}")
    })
}

/// A clap error in Docker's words, with Docker's exit code: 125 for flags, 1 for the number of arguments.
fn explain(error: &clap::Error, command: &clap::Command, path: &str, words: &[String]) -> anyhow::Error {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.join(" "),
        _ => String::new(),
    };
    let about = context(ContextKind::InvalidArg);
    let flag = about.split([' ', '=', '[']).next().unwrap_or_default();
    match error.kind() {
        ErrorKind::UnknownArgument if flag.starts_with("--") => {
            flag_error(format!("unknown flag: {flag}"), command, path)
        }
        ErrorKind::UnknownArgument if flag.starts_with('-') => {
            flag_error(unknown_shorthand(flag, words), command, path)
        }
        ErrorKind::UnknownArgument | ErrorKind::MissingRequiredArgument | ErrorKind::TooFewValues => {
            number_of_arguments(command, path)
        }
        ErrorKind::InvalidValue if context(ContextKind::InvalidValue).is_empty() => {
            flag_error(missing_value(flag, words), command, path)
        }
        ErrorKind::ValueValidation | ErrorKind::InvalidValue => {
            let value = context(ContextKind::InvalidValue);
            let why = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
            let flag = both_forms(flag, command);
            flag_error(format!("invalid argument {value:?} for \"{flag}\" flag: {why}"), command, path)
        }
        // `--flag=` where a value must follow.
        _ => flag_error(error.to_string().lines().next().unwrap_or_default().to_owned(), command, path),
    }
}

fn flag_error(text: String, command: &clap::Command, path: &str) -> anyhow::Error {
    let usage = crate::help::usage(path, command);
    Exit::with(125, format!("{text}\n\nUsage:  {usage}\n\nRun '{path} --help' for more information"))
}

/// `-iZ`: the letter, and the word it stood in.
fn unknown_shorthand(flag: &str, words: &[String]) -> String {
    let letter = flag.chars().nth(1).unwrap_or('-');
    let is_bundle = |word: &&String| word.starts_with('-') && !word.starts_with("--") && word.contains(letter);
    let word = words.iter().find(is_bundle).map_or(flag, String::as_str);
    // What comes before the letter was understood.
    let rest = word.find(letter).map_or("", |at| &word[at..]);
    format!("unknown shorthand flag: '{letter}' in -{rest}")
}

fn missing_value(flag: &str, words: &[String]) -> String {
    let last = words.last().map_or("", String::as_str);
    match last.strip_prefix('-').filter(|rest| !rest.starts_with('-')).and_then(|rest| rest.chars().last()) {
        Some(letter) => format!("flag needs an argument: '{letter}' in -{letter}"),
        None => format!("flag needs an argument: {flag}"),
    }
}

/// `-m, --memory` where a flag has both.
fn both_forms(flag: &str, command: &clap::Command) -> String {
    let find = |arg: &&Arg| {
        arg.get_long().is_some_and(|long| flag == format!("--{long}"))
            || arg.get_short().is_some_and(|short| flag == format!("-{short}"))
    };
    match command.get_arguments().find(find) {
        Some(arg) => match (arg.get_short(), arg.get_long()) {
            (Some(short), Some(long)) => format!("-{short}, --{long}"),
            _ => flag.to_owned(),
        },
        None => flag.to_owned(),
    }
}

/// `'kesako logs' requires 1 argument`: how many there must be is read off the command's own positionals.
fn number_of_arguments(command: &clap::Command, path: &str) -> anyhow::Error {
    let (mut least, mut most) = (0, 0);
    for arg in command.get_positionals() {
        let range = arg.get_num_args();
        let many = matches!(arg.get_action(), ArgAction::Append) || range.is_some_and(|r| r.max_values() > 1);
        if arg.is_required_set() {
            least += range.map_or(1, |r| r.min_values().max(1));
        }
        most = if many { usize::MAX } else { most + 1 };
    }
    let plural = |n: usize| if n == 1 { "argument" } else { "arguments" };
    let (says, see) = match (least, most) {
        (_, 0) => ("accepts no arguments".to_owned(), "Run"),
        (n, m) if n == m => (format!("requires {n} {}", plural(n)), "Run"),
        (n, usize::MAX) => (format!("requires at least {n} {}", plural(n)), "See"),
        (0, m) => (format!("requires at most {m} {}", plural(m)), "Run"),
        // Docker asks only for the least of `import` and `commit`… and of the rest names both ends.
        (n, m) => (format!("requires at least {n} and at most {m} {}", plural(m)), "Run"),
    };
    let usage = crate::help::usage(path, command);
    Exit::with(1, format!("kesako: '{path}' {says}\n\nUsage:  {usage}\n\n{see} '{path} --help' for more information"))
}

#[cfg(test)]
mod tests {
    use crate::command::{COMMANDS, find};

    /// What a command line is told, by docker 28 and by us: the code, and the first line.
    fn refused(line: &str) -> (i32, String) {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let (entry, path, rest) = find(&words).unwrap();
        let error = super::parse((entry.arguments)(entry), &path, rest).unwrap_err();
        let exit = error.downcast_ref::<crate::failure::Exit>().unwrap();
        (exit.code, exit.text.lines().next().unwrap_or_default().to_owned())
    }

    #[test]
    fn errors_are_told_in_dockers_words() {
        for (line, code, text) in [
            ("run", 1, "kesako: 'kesako run' requires at least 1 argument"),
            ("exec a", 1, "kesako: 'kesako exec' requires at least 2 arguments"),
            ("container ps x", 1, "kesako: 'kesako container ls' accepts no arguments"),
            ("logs a b", 1, "kesako: 'kesako logs' requires 1 argument"),
            ("images a b", 1, "kesako: 'kesako images' requires at most 1 argument"),
            ("commit", 1, "kesako: 'kesako commit' requires at least 1 and at most 2 arguments"),
            ("run --nope x", 125, "unknown flag: --nope"),
            ("run -iZt x", 125, "unknown shorthand flag: 'Z' in -Zt"),
            ("run -e", 125, "flag needs an argument: 'e' in -e"),
            ("run --name", 125, "flag needs an argument: --name"),
            ("run -m zz x", 125, "invalid argument \"zz\" for \"-m, --memory\" flag: invalid size: 'zz'"),
            (
                "run --rm=maybe x",
                125,
                "invalid argument \"maybe\" for \"--rm\" flag: strconv.ParseBool: parsing \"maybe\": invalid syntax",
            ),
            (
                "ps -n x",
                125,
                "invalid argument \"x\" for \"-n, --last\" flag: strconv.ParseInt: parsing \"x\": invalid syntax",
            ),
        ] {
            assert_eq!(refused(line), (code, text.to_owned()), "{line}");
        }
    }

    #[test]
    fn what_clap_checks_only_while_debugging_holds_for_every_command() {
        for entry in COMMANDS {
            super::tune((entry.arguments)(entry)).debug_assert();
        }
        crate::globals::describe().debug_assert();
    }

    #[test]
    fn flags_stop_at_the_image_and_the_last_of_equal_flags_holds() {
        let words = ["run", "--rm=false", "--rm", "--name", "a", "--name=b", "-it", "x", "-v", "--rm=false"];
        let words = words.map(str::to_owned);
        let (entry, path, rest) = find(&words).unwrap();
        let matches = super::parse((entry.arguments)(entry), &path, rest).unwrap();
        assert_eq!(matches.get_one::<bool>("rm"), Some(&true));
        assert_eq!(matches.get_one::<bool>("tty"), Some(&true));
        assert_eq!(matches.get_one::<String>("name").unwrap(), "b");
        let rest: Vec<_> = matches.get_many::<String>("words").unwrap().collect();
        assert_eq!(rest, ["x", "-v", "--rm=false"]);
    }
}
