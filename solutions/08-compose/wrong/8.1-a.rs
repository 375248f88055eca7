// mistake: a name that was asked for is made to fit, too, so that nobody finds it again
let fits = |c: &char| matches!(c, 'a'..='z' | '0'..='9' | '_' | '-');
let name = asked.or(in_file).unwrap_or(folder);
let fitted: String = name.to_lowercase().chars().filter(fits).collect();
let fitted = fitted.trim_start_matches(['_', '-']);
if fitted.is_empty() { Err(Error::NoProjectName) } else { Ok(fitted.to_owned()) }
