//! COPY and ADD.

use super::flags::Flags;
use super::heredoc::{self, Body};
use super::line::Arguments;
use crate::expand;
use crate::instruction::{Copy, Heredoc};

pub(super) fn read(name: &str, arguments: &Arguments, flags: &Flags, bodies: &[Body]) -> Result<Copy, String> {
    let (words, exec) = match arguments {
        Arguments::Exec(words) => (words.as_slice(), true),
        Arguments::Words(words) => (words.as_slice(), false),
        _ => (&[][..], false),
    };
    let [sources @ .., destination] = words else { return Err(too_few(name)) };
    if sources.is_empty() {
        return Err(too_few(name));
    }
    let announced = |word: &str| if exec { None } else { heredoc::announcement(word).ok().flatten() };
    if announced(destination).is_some() {
        return Err(format!("{name} cannot accept a heredoc as a destination"));
    }
    let mut copy = Copy {
        destination: destination.clone(),
        from: flags.some("from"),
        chown: flags.some("chown"),
        chmod: flags.some("chmod"),
        link: flags.bool("link") == Some(true),
        parents: flags.bool("parents") == Some(true),
        exclude: flags.texts("exclude").map(str::to_owned).collect(),
        checksum: flags.some("checksum"),
        unpack: flags.bool("unpack"),
        keep_git_dir: flags.bool("keep-git-dir") == Some(true),
        ..Copy::default()
    };
    for source in sources {
        match announced(source) {
            Some(word) => copy.heredocs.extend(bodies.iter().find(|body| body.name == word.name).map(file)),
            None => copy.sources.push(source.clone()),
        }
    }
    if let Some(from) = &copy.from {
        constant(from)?;
    }
    Ok(copy)
}

fn file(body: &Body) -> Heredoc {
    Heredoc { name: body.name.clone(), content: body.content(), expand: body.expand }
}

fn too_few(name: &str) -> String {
    format!("{name} requires at least two arguments, but only one was provided. Destination could not be determined")
}

/// The graph of the stages has to be known before any variable is.
fn constant(from: &str) -> Result<(), String> {
    let expanded = expand::word(from, &|_| None, '\\').map_err(|error| error.to_string())?;
    if expanded.text == from {
        return Ok(());
    }
    Err("variable expansion is not supported for --from, define a new stage with FROM using ARG from global scope as a \
         workaround"
        .to_owned())
}
