//! PAX extended headers: records `"%d %s=%s\n"` (length, key, value) before the entry they speak of. pax(1), POSIX.1.

use crate::error::Refusal;

/// The records of an extended header, in order. Values may hold any byte.
pub(crate) fn records(mut bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, Refusal> {
    let bad = || Refusal::BadExtension("not a list of records".to_string());
    let mut records = Vec::new();
    // Some writers fill the rest of the block with NULs and count them in.
    while !bytes.is_empty() && bytes[0] != 0 {
        let space = bytes.iter().take(20).position(|byte| *byte == b' ').ok_or_else(bad)?;
        let length = std::str::from_utf8(&bytes[..space]).ok().and_then(|text| text.parse().ok()).ok_or_else(bad)?;
        let record = bytes.get(space + 1..length).ok_or_else(bad)?;
        let record = record.strip_suffix(b"\n").ok_or_else(bad)?;
        let equals = record.iter().position(|byte| *byte == b'=').ok_or_else(bad)?;
        let key = std::str::from_utf8(&record[..equals]).map_err(|_| bad())?;
        records.push((key.to_string(), record[equals + 1..].to_vec()));
        bytes = &bytes[length..];
    }
    Ok(records)
}

/// Appends a record. Its length counts itself, so it is found by trying.
pub(crate) fn push(to: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length != rest + digits(length) {
        length = rest + digits(length);
    }
    to.extend_from_slice(format!("{length} ").as_bytes());
    to.extend_from_slice(key);
    to.push(b'=');
    to.extend_from_slice(value);
    to.push(b'\n');
}

fn digits(number: usize) -> usize {
    number.checked_ilog10().map_or(1, |log| log as usize + 1)
}

/// A number in a record.
pub(crate) fn number(value: &[u8]) -> Result<u64, Refusal> {
    std::str::from_utf8(value)
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| Refusal::BadExtension(format!("{:?} is no number", String::from_utf8_lossy(value))))
}

/// A time: seconds, maybe negative, maybe with a fraction. Returns seconds and nanoseconds (0 to 999,999,999).
pub(crate) fn time(value: &[u8]) -> Result<(i64, u32), Refusal> {
    let bad = || Refusal::BadExtension(format!("{:?} is no time", String::from_utf8_lossy(value)));
    let text = std::str::from_utf8(value).map_err(|_| bad())?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let seconds: i64 = whole.parse().map_err(|_| bad())?;
    if !fraction.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(bad());
    }
    let nanoseconds = fraction.bytes().chain(std::iter::repeat(b'0')).take(9);
    let nanoseconds = nanoseconds.fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'));
    // -1.25 is a quarter before -1, and the nanoseconds count forward.
    match (whole.starts_with('-'), nanoseconds) {
        (true, 1..) => Ok((seconds.checked_sub(1).ok_or_else(bad)?, 1_000_000_000 - nanoseconds)),
        _ => Ok((seconds, nanoseconds)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_as_they_are_written() {
        let mut bytes = Vec::new();
        // 98 bytes and more: the length of the length changes.
        for length in [0, 1, 80, 90, 91, 92, 93, 980, 990, 991] {
            push(&mut bytes, b"path", &vec![b'x'; length]);
        }
        push(&mut bytes, b"SCHILY.xattr.user.x", b"a\n=\0b");
        let records = records(&bytes).unwrap();
        assert_eq!(records.len(), 11);
        assert_eq!(records[9].1.len(), 991);
        assert_eq!(records[10], ("SCHILY.xattr.user.x".to_string(), b"a\n=\0b".to_vec()));
    }

    #[test]
    fn malformed_records_are_refused() {
        for bytes in
            [&b"path=x\n"[..], b"99 path=x\n", b"3 path=x\n", b"9 path=x", b"7 path\n", b"-1 p=x\n", b"0 p=x\n"]
        {
            assert!(records(bytes).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn times_have_fractions_and_may_be_negative() {
        assert_eq!(time(b"1700000000.25").unwrap(), (1_700_000_000, 250_000_000));
        assert_eq!(time(b"-1.25").unwrap(), (-2, 750_000_000));
        assert_eq!(time(b"-0.5").unwrap(), (-1, 500_000_000));
        assert_eq!(time(b"7.1234567891").unwrap(), (7, 123_456_789));
        assert!(time(b"1e9").is_err());
    }
}
