// mistake: whatever begins with a bracket has to be a list, so that shell commands with `[` or single quotes are refused
if !text.starts_with('[') {
    return Ok(Command::Shell(text.to_owned()));
}
serde_json::from_str(text).map(Command::Exec).map_err(|_| NOT_STRINGS.to_owned())
