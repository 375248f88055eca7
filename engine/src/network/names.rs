//! What the name server of a container knows: the names of all who share one of its networks, from their leases.

use super::Attachment;
use crate::Engine;
use network::Leases;
use network::dns::{self, Names, Neighbourhood};
use std::net::IpAddr;
use std::os::linux::fs::MetadataExt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The kernel's clock for files is coarse: a folder that has changed within this time may change again without looking younger.
const COARSE: Duration = Duration::from_millis(50);

/// The names on all networks of a container.
#[derive(Debug)]
pub(super) struct Directory {
    networks: Vec<Known>,
}

/// Those of one network, as they were when its folder was last read.
#[derive(Debug)]
struct Known {
    leases: Leases,
    seen: Option<(i64, i64)>,
    neighbourhood: Neighbourhood,
    /// What this container calls others, in small letters, and their names.
    links: Vec<(String, String)>,
}

impl Directory {
    pub(super) fn new(engine: &Engine, attachments: &[Attachment]) -> Self {
        let with_names = attachments.iter().filter(|attachment| !attachment.names.is_empty());
        let networks = with_names.map(|attachment| Known {
            leases: Leases::new(engine.networks_run_folder().join(attachment.network.as_str())),
            seen: None,
            neighbourhood: Neighbourhood {
                network: attachment.network_name.to_ascii_lowercase(),
                ..Neighbourhood::default()
            },
            links: attachment.links.iter().map(|(name, alias)| (alias.to_ascii_lowercase(), name.clone())).collect(),
        });
        Self { networks: networks.collect() }
    }
}

impl Names for Directory {
    fn addresses(&mut self, name: &str) -> Option<Vec<IpAddr>> {
        self.networks.iter_mut().for_each(Known::refresh);
        // Its own names for others come first.
        let asked = name.trim_end_matches('.').to_ascii_lowercase();
        let linked = self.networks.iter().find_map(|known| {
            let (_, target) = known.links.iter().find(|(alias, _)| *alias == asked)?;
            // Who is linked to on all of one's networks need not be on all of them.
            dns::find(&[&known.neighbourhood], target)
        });
        if linked.is_some() {
            return linked;
        }
        let networks: Vec<_> = self.networks.iter().map(|known| &known.neighbourhood).collect();
        dns::find(&networks, name)
    }

    fn name_of(&mut self, address: IpAddr) -> Option<String> {
        self.networks.iter_mut().find_map(|known| {
            known.refresh();
            let Neighbourhood { network, names, .. } = &known.neighbourhood;
            names.get(&address).map(|name| format!("{name}.{network}"))
        })
    }
}

impl Known {
    /// Reads the leases again if one has come or gone.
    fn refresh(&mut self) {
        let Ok(folder) = std::fs::metadata(self.leases.folder()) else { return };
        let changed = (folder.st_mtime(), folder.st_mtime_nsec());
        if self.seen == Some(changed) {
            return;
        }
        // What cannot be read now is read at the next question.
        let Ok(leases) = self.leases.all::<Attachment>() else { return };
        let Neighbourhood { addresses, names, .. } = &mut self.neighbourhood;
        addresses.clear();
        names.clear();
        for (address, attachment) in leases {
            for name in &attachment.names {
                addresses.entry(name.to_ascii_lowercase()).or_default().push(address);
            }
            names.insert(address, attachment.container_name);
        }
        self.seen = Some(changed).filter(|_| is_old(changed));
    }
}

fn is_old((seconds, nanoseconds): (i64, i64)) -> bool {
    let changed = Duration::new(seconds.unsigned_abs(), nanoseconds as u32);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    now.saturating_sub(changed) > COARSE
}
