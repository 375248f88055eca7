//! What builds remember, and what of it goes: `builder prune`.

use crate::{Engine, Error, Filters, Kind, Result, api, filters};
use build::cache::Record;
use layers::{Digest, Pin};
use multi_stage::cache_mount::CacheMounts;
use std::collections::HashSet;
use std::time::{Duration, SystemTime};

const KNOWN: [&str; 11] =
    ["until", "unused-for", "id", "parent", "type", "description", "inuse", "shared", "private", "label", "label!"];

/// Something that is kept for later builds.
#[derive(Debug)]
struct Kept {
    /// As BuildKit's, 25 digits.
    id: String,
    what: What,
    parent: String,
    description: String,
    bytes: u64,
    /// An image has it, too.
    shared: bool,
    used: SystemTime,
}

#[derive(Debug)]
enum What {
    /// The layer of a step, under this key.
    Step(Digest),
    /// The folder of a `RUN --mount=type=cache`.
    Mount(Digest),
}

impl What {
    /// BuildKit's word.
    fn kind(&self) -> &'static str {
        match self {
            Self::Step(_) => "regular",
            Self::Mount(_) => "exec.cachemount",
        }
    }
}

impl Engine {
    /// Removes what builds remember: without `all` only what no image has, too; of the rest, the oldest, until no more
    /// than `keep` bytes are left.
    ///
    /// # Errors
    /// [`Kind::Invalid`] for a filter that makes no sense.
    pub fn prune_builds(&self, all: bool, keep: u64, filters: &Filters) -> Result<api::BuildsPruned> {
        let choice = Choice::new(filters)?;
        let mut kept = self.kept()?;
        kept.sort_by_key(|kept| kept.used);
        let mut left: u64 = kept.iter().map(|kept| kept.bytes).sum();
        let mut going = Vec::new();
        for kept in kept {
            if keep > 0 && left <= keep {
                break;
            }
            if (all || !kept.shared) && choice.takes(&kept) {
                left -= kept.bytes;
                going.push(kept);
            }
        }
        let store = self.store()?;
        let mut reclaimed = 0;
        let (mut steps, mut ids) = (Vec::new(), Vec::new());
        for kept in going {
            let gone = match kept.what {
                What::Step(key) => {
                    steps.push(key);
                    true
                }
                What::Mount(id) => {
                    let (bytes, gone) = self.cache_mounts()?.remove(&id)?;
                    reclaimed += bytes;
                    gone
                }
            };
            ids.extend(gone.then_some(kept.id));
        }
        if !steps.is_empty() {
            reclaimed += store.unpin(&steps, &|| self.uses())?;
        }
        self.tell("builder", "prune", "", &[("reclaimed", &reclaimed.to_string())]);
        Ok(api::BuildsPruned { caches_deleted: Some(ids).filter(|ids| !ids.is_empty()), space_reclaimed: reclaimed })
    }

    /// What builds remember, for people to see.
    pub(crate) fn builds_kept(&self) -> Result<Vec<api::BuildCacheRecord>> {
        let shown = |kept: Kept| {
            let used = jiff::Timestamp::try_from(kept.used).unwrap_or_default().to_string();
            api::BuildCacheRecord {
                id: kept.id,
                parent: kept.parent,
                r#type: kept.what.kind().to_owned(),
                description: kept.description,
                shared: kept.shared,
                size: i64::try_from(kept.bytes).unwrap_or(i64::MAX),
                // When it was made is not written down: its last use is the nearest that is known.
                created_at: used.clone(),
                last_used_at: Some(used),
                ..api::BuildCacheRecord::default()
            }
        };
        Ok(self.kept()?.into_iter().map(shown).collect())
    }

    fn cache_mounts(&self) -> Result<CacheMounts> {
        Ok(CacheMounts::new(self.store()?.pins().folder()))
    }

    fn kept(&self) -> Result<Vec<Kept>> {
        let store = self.store()?;
        let images = store.images()?;
        let of_images: HashSet<Digest> = images.iter().flat_map(|image| image.chain_ids()).collect();
        let mut all = Vec::new();
        for (key, used) in store.pins().list()? {
            let pin: Option<Pin<Record>> = store.pins().read(&key);
            let layer = pin.as_ref().and_then(|pin| pin.layer.as_ref());
            // One that is not here any more takes no room.
            let bytes =
                layer.map_or(0, |layer| layer.blob.size + store.layer_size(&layer.chain_id).unwrap_or_default());
            all.push(Kept {
                id: short(&key),
                parent: pin.as_ref().map(|pin| short(&pin.about.parent)).unwrap_or_default(),
                description: pin.as_ref().map(|pin| pin.about.step.clone()).unwrap_or_default(),
                bytes,
                shared: layer.is_some_and(|layer| of_images.contains(&layer.chain_id)),
                used,
                what: What::Step(key),
            });
        }
        for mount in self.cache_mounts()?.list()? {
            all.push(Kept {
                id: short(&mount.id),
                parent: String::new(),
                description: format!("cached mount {}", mount.key.lines().next().unwrap_or_default()),
                bytes: mount.bytes,
                shared: false,
                used: mount.used,
                what: What::Mount(mount.id),
            });
        }
        Ok(all)
    }
}

fn short(digest: &Digest) -> String {
    digest.hex()[..25].to_owned()
}

/// What the filters let through.
#[derive(Debug)]
struct Choice<'a> {
    /// Only what was not used since.
    before: Option<SystemTime>,
    filters: &'a Filters,
}

impl<'a> Choice<'a> {
    fn new(filters: &'a Filters) -> Result<Self> {
        filters::only(filters, &KNOWN)?;
        let invalid = |why: String| Error::new(Kind::Invalid, why);
        for key in ["label", "label!"] {
            if filters.contains_key(key) {
                return Err(invalid(format!("filter '{key}': what builds remember has no labels")));
            }
        }
        if let Some((_, values)) = filters.iter().find(|(_, values)| values.len() > 1) {
            return Err(invalid(format!("filters expect only one value, not [{}]", values.join(" "))));
        }
        let times: Vec<_> =
            ["until", "unused-for"].iter().filter_map(|key| Some((*key, filters.get(*key)?.first()?))).collect();
        let before = match times.as_slice() {
            [] => None,
            [(key, text)] => {
                let bad =
                    || invalid(format!("{key:?} filter expects a duration (e.g., '24h') or a timestamp: {text:?}"));
                let seconds = filters::time(text).ok_or_else(bad)?.as_second();
                Some(SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap_or_default()))
            }
            _ => return Err(invalid("conflicting filters: \"until\" and \"unused-for\"".to_owned())),
        };
        Ok(Self { before, filters })
    }

    fn takes(&self, kept: &Kept) -> bool {
        let value = |key: &str| self.filters.get(key).map(|values| values.first().map_or("", String::as_str));
        let is = |key: &str, found: &str| value(key).is_none_or(|wanted| wanted == found);
        // Named without a value, it is to be so.
        let flag = |key: &str, found: bool| value(key).is_none_or(|wanted| found == !matches!(wanted, "false" | "0"));
        let kind = kept.what.kind();
        self.before.is_none_or(|before| kept.used < before)
            && value("id").is_none_or(|wanted| kept.id.contains(wanted))
            && is("parent", &kept.parent)
            && is("type", kind)
            && is("description", &kept.description)
            && flag("shared", kept.shared)
            && flag("private", !kept.shared)
            // What is in use is not even looked at.
            && flag("inuse", false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::record::tests::engine;
    use layers::Made;

    fn filters(pairs: &[(&str, &[&str])]) -> Filters {
        let list = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
        pairs.iter().map(|(key, values)| ((*key).to_owned(), list(values))).collect()
    }

    fn record(engine: &Engine, step: &str) -> String {
        let about = Record {
            step: step.to_owned(),
            kind: "RUN".to_owned(),
            parent: Digest::of(b"base"),
            below: None,
            place: Default::default(),
            parts: Vec::new(),
            told: Vec::new(),
        };
        let key = Digest::of(step.as_bytes());
        engine.store().unwrap().pins().write(&key, &Pin::<Record> { layer: None::<Made>, about }).unwrap();
        short(&key)
    }

    #[test]
    fn what_the_filters_let_through_goes() {
        let (_folder, engine) = engine();
        let (make, test) = (record(&engine, "RUN make"), record(&engine, "RUN make test"));
        let pruned = |pairs: &[(&str, &[&str])]| {
            engine.prune_builds(false, 0, &filters(pairs)).unwrap().caches_deleted.unwrap_or_default()
        };
        assert!(pruned(&[("until", &["24h"])]).is_empty());
        assert!(pruned(&[("type", &["exec.cachemount"])]).is_empty());
        assert!(pruned(&[("inuse", &[])]).is_empty() && pruned(&[("shared", &["true"])]).is_empty());
        assert_eq!(pruned(&[("description", &["RUN make"])]), [make]);
        assert_eq!(pruned(&[("id", &[&test[..8]]), ("private", &[])]), [test]);
        assert!(pruned(&[]).is_empty());
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let (_folder, engine) = engine();
        for (pairs, why) in [
            (&[("colour", &["red"][..])][..], "invalid filter 'colour'"),
            (&[("until", &["soon"])], "\"until\" filter expects a duration"),
            (&[("until", &["1h"]), ("unused-for", &["1h"])], "conflicting filters"),
            (&[("type", &["a", "b"])], "only one value"),
            (&[("label", &["a"])], "no labels"),
        ] {
            let error = engine.prune_builds(false, 0, &filters(pairs)).unwrap_err();
            assert!(error.kind == Kind::Invalid && error.message.contains(why), "{error}");
        }
    }
}
