// mistake: what is not a list of strings is given to the shell, also a list that holds a number
Ok(match serde_json::from_str::<Vec<String>>(text) {
    Ok(words) => Command::Exec(words),
    Err(_) => Command::Shell(text.to_owned()),
})
