//! `32m`, `1.5g`, `0.5` CPUs.

/// Bytes, by powers of 1024: `b`, `k`, `m`, `g`, `t`, `p`, in either case, with or without `b` or `ib` after.
pub fn bytes(text: &str) -> Result<i64, String> {
    const UNITS: &str = "kmgtp";
    let invalid = || format!("invalid size: '{text}'");
    let digits = text.rfind(|c: char| c.is_ascii_digit() || matches!(c, '.' | ' ')).ok_or_else(invalid)?;
    let (number, suffix) = (&text[..=digits], text[digits + 1..].to_ascii_lowercase());
    let number = number.strip_suffix(' ').unwrap_or(number);
    let size: f64 = number.parse().map_err(|_| format!("strconv.ParseFloat: parsing {number:?}: invalid syntax"))?;
    if size.is_sign_negative() || !size.is_finite() {
        return Err(invalid());
    }
    let unit = suffix.chars().next().map_or("", |first| &suffix[..first.len_utf8()]);
    let power = match (UNITS.find(unit), &suffix[unit.len()..]) {
        _ if matches!(suffix.as_str(), "" | "b") => 0,
        (Some(i), "" | "b" | "ib") => i as i32 + 1,
        _ => return Err(format!("invalid suffix: '{suffix}'")),
    };
    Ok((size * 1024_f64.powi(power)) as i64)
}

/// As [`bytes`], and `-1` for no limit.
pub fn bytes_or_unlimited(text: &str) -> Result<i64, String> {
    if text == "-1" { Ok(-1) } else { bytes(text) }
}

/// CPUs to billionths of one: a decimal or a fraction, `1.5` or `3/2`.
pub fn cpus(text: &str) -> Result<i64, String> {
    let invalid = || format!("failed to parse {text} as a rational number");
    let number = |part: &str| -> Option<(i128, u32)> {
        let (sign, digits) = match part.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, part.strip_prefix('+').unwrap_or(part)),
        };
        let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
        let all = format!("{whole}{decimals}");
        (!all.is_empty() && all.len() <= 27 && all.bytes().all(|b| b.is_ascii_digit())).then_some(())?;
        Some((sign * all.parse::<i128>().ok()?, u32::try_from(decimals.len()).ok()?))
    };
    let (numerator, denominator) = match text.split_once('/') {
        Some((a, b)) => {
            (number(a).ok_or_else(invalid)?, number(b).filter(|b| b.0 > 0 && b.1 == 0).ok_or_else(invalid)?)
        }
        None => (number(text).ok_or_else(invalid)?, (1, 0)),
    };
    let below = 10_i128.pow(numerator.1).checked_mul(denominator.0).ok_or_else(invalid)?;
    let above = numerator.0.checked_mul(1_000_000_000).ok_or_else(invalid)?;
    if above % below != 0 {
        return Err("value is too precise".to_owned());
    }
    i64::try_from(above / below).map_err(|_| invalid())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, expected) in [
            ("32", 32),
            ("32b", 32),
            ("32k", 32 << 10),
            ("32m", 32 << 20),
            ("32MB", 32 << 20),
            ("32MiB", 32 << 20),
            ("1.5g", 3 << 29),
            ("32 kb", 32 << 10),
            ("1t", 1 << 40),
        ] {
            assert_eq!(bytes(text), Ok(expected), "{text}");
        }
        assert_eq!(bytes("zz"), Err("invalid size: 'zz'".to_owned()));
        assert_eq!(bytes("1x"), Err("invalid suffix: 'x'".to_owned()));
        assert_eq!(bytes("1bb"), Err("invalid suffix: 'bb'".to_owned()));
        assert_eq!(bytes("-1"), Err("invalid size: '-1'".to_owned()));
        assert_eq!(bytes_or_unlimited("-1"), Ok(-1));
        assert!(bytes("").is_err() && bytes("1µ").is_err());
    }

    #[test]
    fn cpus_are_exact() {
        assert_eq!(cpus("1.5"), Ok(1_500_000_000));
        assert_eq!(cpus("1/2"), Ok(500_000_000));
        assert_eq!(cpus("0.0000000001"), Err("value is too precise".to_owned()));
        assert_eq!(cpus("x"), Err("failed to parse x as a rational number".to_owned()));
        assert!(cpus("1/0").is_err() && cpus("").is_err());
    }
}
