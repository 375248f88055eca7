// mistake: comments and empty lines are lines like others, and as they have no backslash, they end it
let mut text = first.to_owned();
for line in physical {
    let (part, goes_on) = continued(line, escape);
    text.push_str(part);
    if !goes_on {
        break;
    }
}
(text, false)
