//! `--progress rawjson`: for programs, in the shape of BuildKit's (`client.SolveStatus`), one object a line.

use super::Display;
use super::trace::{End, Step, Trace};
use engine::api::progress::{Event, Stream};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::Instant;

/// What a step is called in it, and when it began.
#[derive(Default)]
pub(super) struct RawJson {
    began: HashMap<usize, String>,
}

impl Display for RawJson {
    fn told(&mut self, trace: &Trace, event: &Event, _: Instant, out: &mut String) {
        let line = match event {
            Event::Step { id, .. } | Event::Cached { id } | Event::Done { id, .. } | Event::Failed { id, .. } => {
                trace.step(*id).map(|step| json!({ "vertexes": [self.vertex(step)] }))
            }
            Event::Output { id, stream, text } => Some(json!({ "logs": [{
                "vertex": digest(*id),
                "stream": if *stream == Stream::Stdout { 1 } else { 2 },
                "data": base64(text.as_bytes()),
                "timestamp": now(),
            }]})),
            Event::Status { id, what, current, total } => Some(json!({ "statuses": [{
                "id": what, "vertex": digest(*id), "current": current, "total": total, "timestamp": now(),
            }]})),
            Event::Warning { rule, message, url, file, line, .. } => Some(json!({ "warnings": [{
                "level": 1,
                "short": base64(format!("{rule}: {message} (line {line})").as_bytes()),
                "url": url,
                "sourceInfo": { "filename": file },
                "range": [{ "start": { "line": line }, "end": { "line": line } }],
            }]})),
            _ => None,
        };
        if let Some(line) = line {
            *out += &format!("{line}\n");
        }
    }

    fn tick(&mut self, _: &Trace, _: Instant, _: &mut String) {}

    fn end(&mut self, trace: &Trace, _: Instant, out: &mut String) {
        for step in trace.steps.iter().filter(|step| matches!(step.end, Some(End::Cancelled(_)))) {
            *out += &format!("{}\n", json!({ "vertexes": [self.vertex(step)] }));
        }
    }
}

impl RawJson {
    fn vertex(&mut self, step: &Step) -> Value {
        let began = self.began.entry(step.id).or_insert_with(now);
        let mut vertex = json!({ "digest": digest(step.id), "name": step.name, "started": began });
        match &step.end {
            None => return vertex,
            Some(End::Done(_)) => {}
            Some(End::Cached) => vertex["cached"] = true.into(),
            Some(End::Failed(_, error)) => vertex["error"] = error.as_str().into(),
            Some(End::Cancelled(_)) => vertex["error"] = "context canceled".into(),
        }
        vertex["completed"] = now().into();
        vertex
    }
}

/// Readers want a digest to tell steps apart by; ours are told apart by their numbers.
fn digest(id: usize) -> String {
    format!("sha256:{id:064x}")
}

fn now() -> String {
    jiff::Timestamp::now().to_string()
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().enumerate().fold(0u32, |bits, (i, byte)| bits | u32::from(*byte) << (16 - 8 * i));
        for place in 0..4 {
            let index = (bits >> (18 - 6 * place) & 63) as usize;
            out.push(if place <= chunk.len() { char::from(ALPHABET[index]) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn base64_of_the_rfc() {
        let pairs =
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("foobar", "Zm9vYmFy")];
        for (plain, encoded) in pairs {
            assert_eq!(super::base64(plain.as_bytes()), encoded);
        }
    }
}
