//! Whom a name means: that depends on who asks.

use std::collections::HashMap;
use std::net::IpAddr;

/// The names on one network. Each is in lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Neighbourhood {
    /// The network's own name.
    pub network: String,
    /// The containers' names and their aliases; several containers may have the same alias.
    pub addresses: HashMap<String, Vec<IpAddr>>,
    /// The container's name for each address.
    pub names: HashMap<IpAddr, String>,
}

/// The addresses that a name means to a container on these networks. It is in lower case, without a dot at the end.
///
/// A name is known on the networks that the asking container is on itself, and nowhere else: so the same alias may mean one
/// server to this container and another one to its neighbour on another network. Who is on several networks knows the names of all
/// of them; what is called so on two is reached on both, and all its addresses are given, in the order of the networks.
///
/// `web` may also be asked for as `web.back`, where `back` is the network's name: then only on that network. (If somebody on a
/// network is called just as was asked, `web.back` with its dot, that goes first on that network.)
///
/// None if nobody is called so: then the question is passed on to the world's name servers, as it might be theirs. An empty list would be
/// another answer: "it is one of ours, and has no address".
pub fn find(networks: &[&Neighbourhood], name: &str) -> Option<Vec<IpAddr>> {
    // exercise: 4.6 find: whom a name means, to whom
    let mut found: Option<Vec<IpAddr>> = None;
    for known in networks {
        let short = || name.strip_suffix(&known.network)?.strip_suffix('.');
        let addresses = known.addresses.get(name).or_else(|| known.addresses.get(short()?));
        if let Some(addresses) = addresses {
            found.get_or_insert_default().extend(addresses);
        }
    }
    found
    // end exercise
}
