//! Values that the project writes as texts, read as what they are.

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// Bytes, or -1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub i64);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        crate::scalar::size(&text).map(Self).ok_or_else(|| D::Error::custom(format_args!("invalid size: {text:?}")))
    }
}

/// A span of time.
pub(super) fn duration<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
    let Some(text) = Option::<String>::deserialize(from)? else { return Ok(None) };
    let nanos = crate::scalar::span(&text).and_then(|nanos| u64::try_from(nanos).ok());
    let nanos = nanos.ok_or_else(|| D::Error::custom(format_args!("invalid duration: {text:?}")))?;
    Ok(Some(Duration::from_nanos(nanos)))
}

/// The mode of a file, in octal.
pub(super) fn mode<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u32>, D::Error> {
    let Some(text) = Option::<String>::deserialize(from)? else { return Ok(None) };
    let mode = u32::from_str_radix(&text, 8);
    mode.map(Some).map_err(|_| D::Error::custom(format_args!("invalid file mode: {text:?}")))
}

/// A mapping by names whose values may be left empty, as `networks: {default: }` is.
pub(super) fn named<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    from: D,
) -> Result<BTreeMap<String, T>, D::Error> {
    let map = BTreeMap::<String, Option<T>>::deserialize(from)?;
    Ok(map.into_iter().map(|(name, value)| (name, value.unwrap_or_default())).collect())
}

/// The two limits of a resource; one number stands for both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ulimit {
    pub soft: i64,
    pub hard: i64,
}

impl<'de> Deserialize<'de> for Ulimit {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct OneOrTwo;
        impl<'de> Visitor<'de> for OneOrTwo {
            type Value = Ulimit;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, or soft and hard")
            }

            fn visit_i64<E>(self, both: i64) -> Result<Ulimit, E> {
                Ok(Ulimit { soft: both, hard: both })
            }

            fn visit_u64<E: Error>(self, both: u64) -> Result<Ulimit, E> {
                let both = i64::try_from(both).map_err(E::custom)?;
                Ok(Ulimit { soft: both, hard: both })
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Ulimit, A::Error> {
                let mut limit = Ulimit::default();
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "soft" => limit.soft = map.next_value()?,
                        "hard" => limit.hard = map.next_value()?,
                        _ => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                Ok(limit)
            }
        }
        from.deserialize_any(OneOrTwo)
    }
}
