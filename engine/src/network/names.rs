//! What the name server of a container knows: the names of all who share one of its networks, from their leases.

use super::Attachment;
use crate::Engine;
use network::Leases;
use network::dns::Names;
use std::collections::HashMap;
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
    network: String,
    leases: Leases,
    seen: Option<(i64, i64)>,
    addresses: HashMap<String, Vec<IpAddr>>,
    names: HashMap<IpAddr, String>,
}

impl Directory {
    pub(super) fn new(engine: &Engine, attachments: &[Attachment]) -> Self {
        let with_names = attachments.iter().filter(|attachment| !attachment.names.is_empty());
        let networks = with_names.map(|attachment| Known {
            network: attachment.network_name.to_ascii_lowercase(),
            leases: Leases::new(engine.networks_run_folder().join(attachment.network.as_str())),
            seen: None,
            addresses: HashMap::new(),
            names: HashMap::new(),
        });
        Self { networks: networks.collect() }
    }
}

impl Names for Directory {
    /// `web`, or `web.NETWORK`. Who is known on several networks is reached on each of them.
    fn addresses(&mut self, name: &str) -> Option<Vec<IpAddr>> {
        let mut found: Option<Vec<IpAddr>> = None;
        for known in &mut self.networks {
            known.refresh();
            let bare = name.strip_suffix(known.network.as_str()).and_then(|rest| rest.strip_suffix('.'));
            let addresses = known.addresses.get(name).or_else(|| known.addresses.get(bare?));
            if let Some(addresses) = addresses {
                found.get_or_insert_default().extend(addresses);
            }
        }
        found
    }

    fn name_of(&mut self, address: IpAddr) -> Option<String> {
        self.networks.iter_mut().find_map(|known| {
            known.refresh();
            known.names.get(&address).map(|name| format!("{name}.{}", known.network))
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
        (self.addresses, self.names) = Default::default();
        for (address, attachment) in leases {
            for name in &attachment.names {
                self.addresses.entry(name.to_ascii_lowercase()).or_default().push(address);
            }
            self.names.insert(address, attachment.container_name);
        }
        self.seen = Some(changed).filter(|_| is_old(changed));
    }
}

fn is_old((seconds, nanoseconds): (i64, i64)) -> bool {
    let changed = Duration::new(seconds.unsigned_abs(), nanoseconds as u32);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    now.saturating_sub(changed) > COARSE
}
