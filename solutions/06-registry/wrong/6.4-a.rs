// mistake: a 206 is believed to be the part that was asked for
match status {
    200 => Resume::Restart,
    206 => Resume::Append,
    416 if have == size => Resume::Complete,
    _ => Resume::Refused,
}
