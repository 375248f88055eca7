//! Go's `fmt.Sprint` and `fmt.Sprintf`, as far as a template can reach them: flags `-+# 0`, width, precision, and the
//! verbs `v s q d x X o b c U e f g t T %`. A wrong verb prints Go's own complaint, `%!d(string=x)`.

use super::value::Value;

/// A space between two neighbours when neither is a string.
pub(super) fn print(args: &[Value]) -> String {
    let mut out = String::new();
    for (i, value) in args.iter().enumerate() {
        let both_plain = i > 0 && !matches!(value, Value::String(_)) && !matches!(args[i - 1], Value::String(_));
        if both_plain {
            out.push(' ');
        }
        out.push_str(&value.to_string());
    }
    out
}

#[derive(Default)]
struct Spec {
    left: bool,
    plus: bool,
    alternate: bool,
    space: bool,
    zero: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

/// Widths and precisions beyond this are Go's `%!(BADWIDTH)`; none is needed.
const WIDEST: usize = 1_000_000;

pub(super) fn printf(format: &str, args: &[Value]) -> String {
    let mut out = String::new();
    let mut args = args.iter();
    let mut chars = format.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut spec = Spec::default();
        while let Some(flag) = chars.peek() {
            match flag {
                '-' => spec.left = true,
                '+' => spec.plus = true,
                '#' => spec.alternate = true,
                ' ' => spec.space = true,
                '0' => spec.zero = true,
                _ => break,
            }
            chars.next();
        }
        spec.width = number(&mut chars);
        if chars.peek() == Some(&'.') {
            chars.next();
            spec.precision = Some(number(&mut chars).unwrap_or(0));
        }
        match (chars.next(), &mut args) {
            (None, _) => out.push_str("%!(NOVERB)"),
            (Some('%'), _) => out.push('%'),
            (Some(verb), args) => match args.next() {
                Some(value) => out.push_str(&spec.pad(spec.verb(verb, value), value)),
                None => out.push_str(&format!("%!{verb}(MISSING)")),
            },
        }
    }
    let extra: Vec<_> = args.map(|v| format!("{}={v}", v.type_name())).collect();
    if !extra.is_empty() {
        out.push_str(&format!("%!(EXTRA {})", extra.join(", ")));
    }
    out
}

fn number(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<usize> {
    let mut n = None;
    while let Some(digit) = chars.peek().and_then(|c| c.to_digit(10)) {
        n = Some((n.unwrap_or(0) * 10 + digit as usize).min(WIDEST));
        chars.next();
    }
    n
}

impl Spec {
    fn verb(&self, verb: char, value: &Value) -> String {
        match (verb, value) {
            ('v' | 's', Value::String(s)) if !(self.alternate && verb == 'v') => self.cut(s),
            ('v', Value::String(s)) | ('q', Value::String(s)) => crate::format::quote(&self.cut(s)),
            ('v', Value::Int(_)) | ('d', Value::Int(_)) => self.integer(value),
            ('v', _) => value.to_string(),
            ('s', Value::List(_) | Value::Object(_)) => value.to_string(),
            ('t', Value::Bool(b)) => b.to_string(),
            ('x', Value::Int(i)) => self.radix(*i, format!("{:x}", i.unsigned_abs()), "0x"),
            ('X', Value::Int(i)) => self.radix(*i, format!("{:X}", i.unsigned_abs()), "0X"),
            ('o', Value::Int(i)) => self.radix(*i, format!("{:o}", i.unsigned_abs()), "0"),
            ('b', Value::Int(i)) => self.radix(*i, format!("{:b}", i.unsigned_abs()), "0b"),
            ('c', Value::Int(i)) => u32::try_from(*i).ok().and_then(char::from_u32).unwrap_or('\u{fffd}').to_string(),
            ('U', Value::Int(i)) => format!("U+{i:04X}"),
            ('x', Value::String(s)) => s.bytes().map(|b| format!("{b:02x}")).collect(),
            ('X', Value::String(s)) => s.bytes().map(|b| format!("{b:02X}")).collect(),
            ('f' | 'F', Value::Float(x)) => {
                self.signed(format!("{:.*}", self.precision.unwrap_or(6), x.abs()), *x < 0.0)
            }
            ('e', Value::Float(x)) => format!("{:.*e}", self.precision.unwrap_or(6), x),
            ('g', Value::Float(_)) => value.to_string(),
            ('T', _) => value.type_name().to_owned(),
            (_, Value::Nil) => format!("%!{verb}(<nil>)"),
            _ => format!("%!{verb}({}={value})", value.type_name()),
        }
    }

    fn cut(&self, s: &str) -> String {
        s.chars().take(self.precision.unwrap_or(usize::MAX)).collect()
    }

    fn integer(&self, value: &Value) -> String {
        let Value::Int(i) = value else { return value.to_string() };
        let digits = i.unsigned_abs().to_string();
        self.signed(format!("{digits:0>width$}", width = self.precision.unwrap_or(0)), *i < 0)
    }

    fn radix(&self, i: i64, digits: String, prefix: &str) -> String {
        let prefix = if self.alternate { prefix } else { "" };
        self.signed(format!("{prefix}{digits}"), i < 0)
    }

    fn signed(&self, digits: String, negative: bool) -> String {
        let sign = match (negative, self.plus, self.space) {
            (true, _, _) => "-",
            (_, true, _) => "+",
            (_, _, true) => " ",
            _ => "",
        };
        format!("{sign}{digits}")
    }

    fn pad(&self, text: String, value: &Value) -> String {
        let missing = self.width.unwrap_or(0).saturating_sub(text.chars().count());
        let is_number = matches!(value, Value::Int(_) | Value::Float(_));
        match (self.left, self.zero && is_number) {
            (true, _) => format!("{text}{}", " ".repeat(missing)),
            (false, true) => {
                let digits = text.trim_start_matches(['-', '+', ' ']);
                let sign = &text[..text.len() - digits.len()];
                format!("{sign}{}{digits}", "0".repeat(missing))
            }
            (false, false) => format!("{}{text}", " ".repeat(missing)),
        }
    }
}
