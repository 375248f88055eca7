//! Signals by name and number, as `docker kill -s` and `--stop-signal` take them.

use crate::{Error, Result};

/// The signals of signal(7), x86 and ARM. The first name of a number is the one shown.
const NAMES: [(&str, i32); 35] = [
    ("HUP", 1),
    ("INT", 2),
    ("QUIT", 3),
    ("ILL", 4),
    ("TRAP", 5),
    ("ABRT", 6),
    ("IOT", 6),
    ("BUS", 7),
    ("FPE", 8),
    ("KILL", 9),
    ("USR1", 10),
    ("SEGV", 11),
    ("USR2", 12),
    ("PIPE", 13),
    ("ALRM", 14),
    ("TERM", 15),
    ("STKFLT", 16),
    ("CHLD", 17),
    ("CLD", 17),
    ("CONT", 18),
    ("STOP", 19),
    ("TSTP", 20),
    ("TTIN", 21),
    ("TTOU", 22),
    ("URG", 23),
    ("XCPU", 24),
    ("XFSZ", 25),
    ("VTALRM", 26),
    ("PROF", 27),
    ("WINCH", 28),
    ("IO", 29),
    ("POLL", 29),
    ("PWR", 30),
    ("SYS", 31),
    ("UNUSED", 31),
];

/// The first two real-time signals (32, 33) belong to the C library's threads.
const RTMIN: i32 = 34;
const RTMAX: i32 = 64;

/// `SIGTERM`, `term`, `15`, `RTMIN+3`.
///
/// # Errors
/// [`Error::InvalidSignal`], in Docker's words.
pub fn parse(text: &str) -> Result<i32> {
    let invalid = || Error::InvalidSignal(text.to_owned());
    if let Ok(number) = text.parse::<i32>() {
        return if (1..=RTMAX).contains(&number) { Ok(number) } else { Err(invalid()) };
    }
    let name = text.to_ascii_uppercase();
    let name = name.strip_prefix("SIG").unwrap_or(&name);
    if let Some(&(_, number)) = NAMES.iter().find(|(known, _)| *known == name) {
        return Ok(number);
    }
    let number = if let Some(offset) = name.strip_prefix("RTMIN") {
        RTMIN + realtime_offset(offset, '+').ok_or_else(invalid)?
    } else if let Some(offset) = name.strip_prefix("RTMAX") {
        RTMAX - realtime_offset(offset, '-').ok_or_else(invalid)?
    } else {
        return Err(invalid());
    };
    if (RTMIN..=RTMAX).contains(&number) { Ok(number) } else { Err(invalid()) }
}

/// `""` is 0, `"+3"` is 3.
fn realtime_offset(text: &str, sign: char) -> Option<i32> {
    if text.is_empty() {
        return Some(0);
    }
    let digits = text.strip_prefix(sign)?;
    // `parse` would take a second sign.
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?.filter(|&n: &i32| n <= RTMAX - RTMIN)
}

/// `SIGTERM` for 15, `SIGRTMIN+3` for 37.
pub fn name(number: i32) -> Option<String> {
    if let Some((name, _)) = NAMES.iter().find(|&&(_, known)| known == number) {
        return Some(format!("SIG{name}"));
    }
    match number {
        RTMIN => Some("SIGRTMIN".to_owned()),
        RTMAX => Some("SIGRTMAX".to_owned()),
        n if n > RTMIN && n < RTMAX => Some(format!("SIGRTMIN+{}", n - RTMIN)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_every_spelling() {
        for text in ["SIGTERM", "sigterm", "term", "TERM", "15"] {
            assert_eq!(parse(text).unwrap(), 15, "{text}");
        }
        assert_eq!(parse("RTMIN+3").unwrap(), 37);
        assert_eq!(parse("SIGRTMAX-1").unwrap(), 63);
        assert_eq!(parse("RTMAX").unwrap(), 64);
    }

    #[test]
    fn nonsense_is_refused_in_dockers_words() {
        for text in
            ["", "0", "65", "-1", "SIG", "SIGSIGTERM", "RTMIN+31", "RTMIN-1", "RTMIN++3", "RTMAX-99999999999", "15x"]
        {
            assert_eq!(parse(text).unwrap_err().to_string(), format!("Invalid signal: {text}"));
        }
    }

    #[test]
    fn every_number_has_a_name_that_leads_back() {
        for number in (1..=31).chain(RTMIN..=RTMAX) {
            assert_eq!(parse(&name(number).unwrap()).unwrap(), number);
        }
        assert_eq!(name(0), None);
        assert_eq!(name(32), None);
        assert_eq!(name(6).as_deref(), Some("SIGABRT"));
    }
}
