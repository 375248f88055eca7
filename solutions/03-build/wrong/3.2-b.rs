// mistake: the blanks before a line are taken off, so that two words become one
let mut text = first.to_owned();
let mut empty = false;
for line in physical {
    let line = line.trim_start();
    empty |= line.is_empty();
    if line.is_empty() || line.starts_with('#') {
        continue;
    }
    let (part, goes_on) = continued(line, escape);
    text.push_str(part);
    if !goes_on {
        break;
    }
}
(text, empty)
