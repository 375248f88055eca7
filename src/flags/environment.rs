//! `-e NAME=value`, `-e NAME` (from our own environment), `--env-file`; and labels, which are written alike.

use std::path::Path;

/// The variables of the files, then those of the flags. A bare name takes our own value, and if we have none is sent
/// bare, which removes it from the image's environment.
pub fn variables(files: &[String], flags: &[String]) -> anyhow::Result<Vec<String>> {
    let mut all = Vec::new();
    for file in files {
        for line in lines(Path::new(file))? {
            // In a file, a bare name that we do not have either is left out.
            match (line.contains('='), std::env::var(&line)) {
                (true, _) => all.push(line),
                (false, Ok(value)) => all.push(format!("{line}={value}")),
                (false, Err(_)) => {}
            }
        }
    }
    for flag in flags {
        all.push(match std::env::var(flag) {
            Ok(value) if !flag.contains('=') => format!("{flag}={value}"),
            _ => flag.clone(),
        });
    }
    Ok(all)
}

/// Labels: a bare name has an empty value.
pub fn labels(files: &[String], flags: &[String]) -> anyhow::Result<Vec<(String, String)>> {
    let mut all = Vec::new();
    for file in files {
        all.extend(lines(Path::new(file))?);
    }
    all.extend(flags.iter().cloned());
    Ok(all.iter().map(|line| pair(line)).collect())
}

/// `key=value`; the value is empty without `=`.
pub fn pair(text: &str) -> (String, String) {
    let (key, value) = text.split_once('=').unwrap_or((text, ""));
    (key.to_owned(), value.to_owned())
}

/// `-e =x` has no name to set.
pub fn check_variable(text: &str) -> Result<String, String> {
    if text.is_empty() || text.starts_with('=') {
        return Err(format!("invalid environment variable: {text}"));
    }
    Ok(text.to_owned())
}

/// A label without a name could not be found again.
pub fn check_label(text: &str) -> Result<String, String> {
    if text.is_empty() || text.starts_with('=') {
        return Err(format!("invalid label '{text}': empty name"));
    }
    Ok(text.to_owned())
}

/// The lines that say something: no comments, no empty ones, no space before.
fn lines(path: &Path) -> anyhow::Result<Vec<String>> {
    let text = std::fs::read(path).map_err(|error| anyhow::anyhow!("open {}: {}", path.display(), go_text(&error)))?;
    let text = String::from_utf8(text).map_err(|_| anyhow::anyhow!("invalid utf8 bytes in file {}", path.display()))?;
    let mut found = Vec::new();
    for line in text.strip_prefix('\u{feff}').unwrap_or(&text).lines() {
        let line = line.trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let name = line.split('=').next().unwrap_or_default();
        if name.is_empty() {
            anyhow::bail!("invalid env file ({}): no variable name on line '{line}'", path.display());
        }
        if name.contains(char::is_whitespace) {
            anyhow::bail!("invalid env file ({}): variable '{name}' contains whitespaces", path.display());
        }
        found.push(line.to_owned());
    }
    Ok(found)
}

/// An error of the system as Go spells it: lower case, and no number after it.
pub fn go_text(error: &std::io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut chars = text.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_come_first_and_bare_names_are_looked_up() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("env");
        std::fs::write(&file, "# no\n\nA=1\n  B=2 3\nPATH\nNOT_SET_ANYWHERE\n").unwrap();
        let path = format!("PATH={}", std::env::var("PATH").unwrap());
        let found = variables(&[file.display().to_string()], &["C=4".into(), "NOT_SET_ANYWHERE".into()]).unwrap();
        assert_eq!(found, ["A=1", "B=2 3", &path, "C=4", "NOT_SET_ANYWHERE"]);
    }

    #[test]
    fn a_label_needs_a_name() {
        assert_eq!(check_label("").unwrap_err(), "invalid label '': empty name");
        assert_eq!(check_label("=x").unwrap_err(), "invalid label '=x': empty name");
        assert_eq!(check_label("x").unwrap(), "x");
    }

    #[test]
    fn errors_are_dockers() {
        let error = variables(&["/nope".into()], &[]).unwrap_err().to_string();
        assert_eq!(error, "open /nope: no such file or directory");
    }
}
