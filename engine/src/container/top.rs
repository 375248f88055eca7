//! `top`: the host's own `ps`, and of what it prints the lines about the container's processes.

use crate::{Error, Kind, Result, api};
use std::process::{Command, Stdio};

/// The processes with these numbers, as `ps ARGS` shows them.
///
/// # Errors
/// [`Kind::System`] with what ps says, or when there is none on this host.
pub(crate) fn top(pids: &[i32], ps_args: &str) -> Result<api::TopResponse> {
    check(ps_args)?;
    let list: Vec<_> = pids.iter().map(ToString::to_string).collect();
    let arguments: Vec<_> = ps_args.split(' ').filter(|argument| !argument.is_empty()).collect();
    let selected = ps(&arguments, Some(&format!("-q{}", list.join(","))));
    // Some options (such as f) do not go together with -q: then all are listed, and picked from.
    let output = selected.or_else(|_| ps(&arguments, None))?;
    pick(&output, pids)
}

/// A column of another kind may not be called PID, by which the lines are picked.
fn check(ps_args: &str) -> Result<()> {
    for argument in ps_args.split([' ', ',']) {
        if let Some((column, title)) = argument.split_once('=')
            && title.trim_start().starts_with("PID")
            && column != "pid"
        {
            return Err(Error::new(Kind::System, format!("specifying \"{argument}\" is not allowed")));
        }
    }
    Ok(())
}

fn ps(arguments: &[&str], pids: Option<&str>) -> Result<String> {
    let output = Command::new("ps").args(arguments).args(pids).stdin(Stdio::null()).output();
    let output = output.map_err(|e| Error::system("run ps (of the package procps)", e))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let words = String::from_utf8_lossy(&output.stderr);
    let first = words.lines().find(|line| !line.trim().is_empty()).unwrap_or("failed");
    Err(Error::new(Kind::System, format!("ps: {first}")))
}

fn pick(output: &str, pids: &[i32]) -> Result<api::TopResponse> {
    let mut lines = output.lines();
    let titles: Vec<String> = lines.next().unwrap_or_default().split_ascii_whitespace().map(Into::into).collect();
    let Some(column) = titles.iter().position(|title| title == "PID") else {
        return Err(Error::new(Kind::System, "Couldn't find PID field in ps output"));
    };
    let mut processes = Vec::new();
    let mut ours = false;
    for line in lines {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        // A line with "-" for a number is a thread of the process above it.
        match fields.get(column) {
            Some(&"-") => {}
            Some(pid) => ours = pid.parse().is_ok_and(|pid| pids.contains(&pid)),
            None => continue,
        }
        if ours {
            processes.push(row(&fields, titles.len()));
        }
    }
    Ok(api::TopResponse { titles, processes })
}

/// As many fields as there are titles; what is left of the line belongs to the last one, the command.
fn row(fields: &[&str], titles: usize) -> Vec<String> {
    let (own, rest) = fields.split_at(fields.len().min(titles.saturating_sub(1)));
    own.iter().map(ToString::to_string).chain([rest.join(" ")]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_the_container_are_picked_and_commands_keep_their_blanks() {
        let output = "UID   PID CMD\nroot    1 init\nroot   42 sh -c  sleep 9\nroot    - -\nroot   43 other\n";
        let top = pick(output, &[42]).unwrap();
        assert_eq!(top.titles, ["UID", "PID", "CMD"]);
        assert_eq!(top.processes, [["root", "42", "sh -c sleep 9"], ["root", "-", "-"]]);
    }

    #[test]
    fn without_the_number_of_a_process_nothing_can_be_picked() {
        assert_eq!(pick("USER CMD\nroot sh\n", &[1]).unwrap_err().message, "Couldn't find PID field in ps output");
        assert!(check("-o user=PID").is_err() && check("-o pid=PID -ef").is_ok());
    }

    #[test]
    fn this_process_is_found() {
        let me = std::process::id() as i32;
        let top = top(&[me], "-ef").unwrap();
        assert_eq!(top.processes.len(), 1, "{top:?}");
    }
}
