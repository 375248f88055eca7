// mistake: what it begins with is looked at before anything is left out, and letters of all languages are let through
let name = asked.or(in_file).unwrap_or(folder);
let name = name.trim_start_matches(['_', '-']).to_lowercase();
let fitted: String = name.chars().filter(|c| c.is_alphanumeric() || "_-".contains(*c)).collect();
match asked {
    Some(asked) if asked != fitted => Err(Error::ProjectName(asked.to_owned())),
    _ if fitted.is_empty() => Err(Error::NoProjectName),
    _ => Ok(fitted),
}
