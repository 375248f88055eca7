//! Links, addresses and routes (rtnetlink(7)): what `ip link`, `ip addr` and `ip route` do.

use crate::netlink::{Attributes, Family, Message, Socket, flags};
use crate::veth::{End, veth};
use crate::{Error, Result, Subnet};
use rustix::io::Errno;
use std::net::IpAddr;
use std::os::fd::AsFd;

// linux/rtnetlink.h, linux/if_link.h, linux/if_addr.h
pub(crate) const RTM_NEWLINK: u16 = 16;
const RTM_DELLINK: u16 = 17;
const RTM_GETLINK: u16 = 18;
const RTM_SETLINK: u16 = 19;
const RTM_NEWADDR: u16 = 20;
const RTM_DELADDR: u16 = 21;
const RTM_NEWROUTE: u16 = 24;
const RTM_DELROUTE: u16 = 25;
const RTM_GETROUTE: u16 = 26;
pub(crate) const IFLA_ADDRESS: u16 = 1;
pub(crate) const IFLA_IFNAME: u16 = 3;
pub(crate) const IFLA_MTU: u16 = 4;
const IFLA_PROTINFO: u16 = 12;
pub(crate) const IFLA_LINKINFO: u16 = 18;
pub(crate) const IFLA_INFO_KIND: u16 = 1;
const IFLA_BRPORT_MODE: u16 = 4;
const IFLA_BRPORT_ISOLATED: u16 = 33;
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_BROADCAST: u16 = 4;
const IFA_FLAGS: u16 = 8;
/// No duplicate address detection: nobody else is there, and for a second the address could not be used.
const IFA_F_NODAD: u32 = 2;
const RTA_DST: u16 = 1;
const RTA_OIF: u16 = 4;
const RTA_GATEWAY: u16 = 5;
const IFF_UP: u32 = 1;
const AF_INET: u8 = 2;
const AF_BRIDGE: u8 = 7;
const AF_INET6: u8 = 10;
const TABLE_MAIN: u8 = 254;
const PROTOCOL_STATIC: u8 = 4;
const SCOPE_LINK: u8 = 253;
const TYPE_UNICAST: u8 = 1;
const SIZE_OF_IFINFOMSG: usize = 16;
const SIZE_OF_RTMSG: usize = 12;

/// A hardware address.
pub type Mac = [u8; 6];

/// The links of one network namespace: the one in which this was opened.
#[derive(Debug)]
pub struct Links {
    socket: Socket,
}

impl Links {
    /// Of this thread's network namespace.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn open() -> Result<Self> {
        Ok(Self { socket: Socket::open(Family::Route).map_err(Error::kernel("open a netlink socket"))? })
    }

    /// The number of a link. None when there is no such link.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn index(&mut self, name: &str) -> Result<Option<u32>> {
        let mut message = Message::new(RTM_GETLINK, 0, &ifinfo(0, 0, false));
        message.text(IFLA_IFNAME, name);
        match self.socket.ask(message) {
            Ok(answers) => Ok(answers.first().and_then(|answer| u32_at(answer.body(), 4))),
            Err(Errno::NODEV) => Ok(None),
            Err(errno) => Err(Error::kernel(format!("find the link {name}"))(errno)),
        }
    }

    fn need(&mut self, name: &str) -> Result<u32> {
        self.index(name)?.ok_or_else(|| Error::Kernel { step: format!("find the link {name}"), errno: Errno::NODEV })
    }

    /// Waits until a link whose cable has just been plugged in transmits: the kernel notices a carrier a moment later, and
    /// throws away what is sent before; but who asks for the link makes it look at once (`rtnl_getlink` in the kernel).
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn settle(&mut self, index: u32) -> Result<()> {
        let settled = self.socket.ask(Message::new(RTM_GETLINK, 0, &ifinfo(0, index, false)));
        settled.map(drop).map_err(Error::kernel("look at a link"))
    }

    /// Brings a link up; `lo` gets its addresses with it.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn up(&mut self, name: &str) -> Result<()> {
        let mut message = Message::new(RTM_NEWLINK, 0, &ifinfo(0, 0, true));
        message.text(IFLA_IFNAME, name);
        self.execute(format!("bring {name} up"), vec![message])
    }

    /// A bridge with these addresses, which is up.
    ///
    /// # Errors
    /// There is such a link already (EEXIST), or the kernel refuses.
    pub fn add_bridge(&mut self, name: &str, mac: Mac, mtu: Option<u32>, addresses: &[Subnet]) -> Result<()> {
        tracing::info!(target: "explain", man = "ip-link(8)", shell = format!("ip link add {name} type bridge"),
            "making the bridge {name}: a switch that all containers of the network are plugged into");
        let mut message = Message::new(RTM_NEWLINK, flags::CREATE | flags::EXCLUSIVE, &ifinfo(0, 0, false));
        message.text(IFLA_IFNAME, name).attribute(IFLA_ADDRESS, &mac);
        mtu.iter().for_each(|mtu| {
            message.attribute(IFLA_MTU, &mtu.to_ne_bytes());
        });
        message.nested(IFLA_LINKINFO, |info| {
            info.text(IFLA_INFO_KIND, "bridge");
        });
        self.execute(format!("make the bridge {name}"), vec![message])?;
        let index = self.need(name)?;
        let mut messages: Vec<_> =
            addresses.iter().map(|address| address_message(RTM_NEWADDR, index, *address)).collect();
        messages.push(Message::new(RTM_NEWLINK, 0, &ifinfo(0, index, true)));
        self.execute(format!("give the bridge {name} its addresses"), messages)
    }

    /// A cable: this end on the bridge and up, the other in that namespace and down. Returns the number of the near end.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn add_veth(
        &mut self,
        bridge: u32,
        near: &End<'_>,
        far: &End<'_>,
        namespace: impl AsFd,
        mtu: Option<u32>,
    ) -> Result<u32> {
        tracing::info!(target: "explain", man = "veth(4)",
            shell = format!("ip link add {} type veth peer name {} netns …", near.name, far.name),
            "plugging in a cable: {} on the bridge, {} in the container", near.name, far.name);
        let message = veth(bridge, near, far, namespace.as_fd(), mtu);
        self.execute(format!("plug {} into its bridge", near.name), vec![message])?;
        self.need(near.name)
    }

    /// Lets what comes from a port of a bridge go out by the same port: to a container that calls itself by the
    /// host's address.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn hairpin(&mut self, name: &str) -> Result<()> {
        self.set_port(name, IFLA_BRPORT_MODE, "let it answer itself")
    }

    /// Lets nothing pass between this port of a bridge and others that are isolated. (A rule alone would not do: what stays on a
    /// bridge comes to the rules only where the module br_netfilter sends it there.)
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn isolate(&mut self, name: &str) -> Result<()> {
        tracing::info!(target: "explain", man = "bridge(8)", shell = format!("bridge link set dev {name} isolated on"),
            "what comes by {name} goes to the host only, and to no other container");
        self.set_port(name, IFLA_BRPORT_ISOLATED, "isolate it")
    }

    /// Switches something on at a port of a bridge.
    fn set_port(&mut self, name: &str, switch: u16, step: &str) -> Result<()> {
        let index = self.need(name)?;
        let mut message = Message::new(RTM_SETLINK, 0, &ifinfo(AF_BRIDGE, index, false));
        message.nested(IFLA_PROTINFO, |port| {
            port.attribute(switch, &[1]);
        });
        self.execute(format!("set up {name} as a port of its bridge and {step}"), vec![message])
    }

    /// Gives a link its addresses, brings it up, and sends everything for others to its gateways. Returns its number.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn configure(&mut self, name: &str, addresses: &[Subnet], gateways: &[IpAddr]) -> Result<u32> {
        for address in addresses {
            tracing::info!(target: "explain", man = "ip-address(8)", shell = format!("ip addr add {address} dev {name}"),
                "the container is {address} on {name}");
        }
        self.set_up(name, addresses, gateways)
    }

    /// The same for a link that is no container's.
    pub(crate) fn set_up(&mut self, name: &str, addresses: &[Subnet], gateways: &[IpAddr]) -> Result<u32> {
        let index = self.need(name)?;
        let mut messages: Vec<_> =
            addresses.iter().map(|address| address_message(RTM_NEWADDR, index, *address)).collect();
        messages.push(Message::new(RTM_NEWLINK, 0, &ifinfo(0, index, true)));
        messages.extend(gateways.iter().map(|gateway| route_message(RTM_NEWROUTE, None, index, Some(*gateway))));
        self.execute(format!("give {name} its addresses"), messages)?;
        Ok(index)
    }

    /// How long a packet may be on this link.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn set_mtu(&mut self, name: &str, mtu: u32) -> Result<()> {
        let mut message = Message::new(RTM_NEWLINK, 0, &ifinfo(0, 0, false));
        message.text(IFLA_IFNAME, name).attribute(IFLA_MTU, &mtu.to_ne_bytes());
        self.execute(format!("set the MTU of {name}"), vec![message])
    }

    /// Takes an address away.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn remove_address(&mut self, name: &str, address: Subnet) -> Result<()> {
        let index = self.need(name)?;
        self.execute(format!("take {address} off {name}"), vec![address_message(RTM_DELADDR, index, address)])
    }

    /// Sends everything for others to this gateway.
    ///
    /// # Errors
    /// There is a default route already, or the kernel refuses.
    pub fn add_default_route(&mut self, name: &str, gateway: IpAddr) -> Result<()> {
        let index = self.need(name)?;
        self.execute(format!("route by {gateway}"), vec![route_message(RTM_NEWROUTE, None, index, Some(gateway))])
    }

    /// No longer sends everything for others to this gateway. None there is as well.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn remove_default_route(&mut self, name: &str, gateway: IpAddr) -> Result<()> {
        let index = self.need(name)?;
        let message = route_message(RTM_DELROUTE, None, index, Some(gateway));
        match self.socket.execute(vec![message]) {
            Ok(()) | Err((_, Errno::SRCH)) => Ok(()),
            Err((_, errno)) => Err(Error::kernel(format!("no longer route by {gateway}"))(errno)),
        }
    }

    /// Removes a link, of a cable both ends. None there is as well.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn remove(&mut self, name: &str) -> Result<()> {
        let mut message = Message::new(RTM_DELLINK, 0, &ifinfo(0, 0, false));
        message.text(IFLA_IFNAME, name);
        match self.socket.execute(vec![message]) {
            Ok(()) | Err((_, Errno::NODEV)) => Ok(()),
            Err((_, errno)) => Err(Error::kernel(format!("remove the link {name}"))(errno)),
        }
    }

    /// The names of all links.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn names(&mut self) -> Result<Vec<String>> {
        let links = self.socket.ask(Message::new(RTM_GETLINK, flags::DUMP, &ifinfo(0, 0, false)));
        let links = links.map_err(Error::kernel("list the links"))?;
        Ok(links
            .iter()
            .filter_map(|link| Some(link.attributes(SIZE_OF_IFINFOMSG).text(IFLA_IFNAME)?.to_owned()))
            .collect())
    }

    /// Where packets are routed to, but for the default.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn routes(&mut self) -> Result<Vec<Subnet>> {
        let mut found = Vec::new();
        for family in [AF_INET, AF_INET6] {
            let message = Message::new(RTM_GETROUTE, flags::DUMP, &[family, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
            let routes = self.socket.ask(message).map_err(Error::kernel("list the routes"))?;
            let destination = |route: &Message| destination(route.body(), route.attributes(SIZE_OF_RTMSG));
            found.extend(routes.iter().filter_map(destination));
        }
        Ok(found)
    }

    fn execute(&mut self, step: String, messages: Vec<Message>) -> Result<()> {
        self.socket.execute(messages).map_err(|(_, errno)| Error::Kernel { step, errno })
    }
}

/// `struct ifinfomsg`: family, kind, number, flags, and which of the flags to change.
pub(crate) fn ifinfo(family: u8, index: u32, up: bool) -> [u8; SIZE_OF_IFINFOMSG] {
    let mut bytes = [0; SIZE_OF_IFINFOMSG];
    bytes[0] = family;
    bytes[4..8].copy_from_slice(&index.to_ne_bytes());
    if up {
        bytes[8..12].copy_from_slice(&IFF_UP.to_ne_bytes());
        bytes[12..16].copy_from_slice(&IFF_UP.to_ne_bytes());
    }
    bytes
}

fn family(address: IpAddr) -> u8 {
    if address.is_ipv4() { AF_INET } else { AF_INET6 }
}

pub(crate) fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

/// `struct ifaddrmsg`: family, length of the prefix, flags, scope, number of the link.
fn address_message(kind: u16, index: u32, address: Subnet) -> Message {
    let mut structure = [family(address.address), address.length, 0, 0, 0, 0, 0, 0];
    structure[4..8].copy_from_slice(&index.to_ne_bytes());
    let creates = if kind == RTM_NEWADDR { flags::CREATE | flags::EXCLUSIVE } else { 0 };
    let mut message = Message::new(kind, creates, &structure);
    let bytes = octets(address.address);
    message.attribute(IFA_LOCAL, &bytes).attribute(IFA_ADDRESS, &bytes);
    match address.address {
        IpAddr::V4(_) if address.length < 31 => {
            message.attribute(IFA_BROADCAST, &octets(address.last()));
        }
        IpAddr::V4(_) => {}
        IpAddr::V6(_) => {
            message.attribute(IFA_FLAGS, &IFA_F_NODAD.to_ne_bytes());
        }
    }
    message
}

/// `struct rtmsg`: to everywhere, or to this subnet, by a gateway or over the link itself.
fn route_message(kind: u16, to: Option<Subnet>, index: u32, gateway: Option<IpAddr>) -> Message {
    let like = gateway.or(to.map(|to| to.address)).map_or(AF_INET, family);
    let length = to.map_or(0, |to| to.length);
    let scope = if gateway.is_some() { 0 } else { SCOPE_LINK };
    let structure = [like, length, 0, 0, TABLE_MAIN, PROTOCOL_STATIC, scope, TYPE_UNICAST, 0, 0, 0, 0];
    let creates = if kind == RTM_NEWROUTE { flags::CREATE | flags::EXCLUSIVE } else { 0 };
    let mut message = Message::new(kind, creates, &structure);
    to.iter().for_each(|to| {
        message.attribute(RTA_DST, &octets(to.at(0)));
    });
    gateway.iter().for_each(|gateway| {
        message.attribute(RTA_GATEWAY, &octets(*gateway));
    });
    message.attribute(RTA_OIF, &index.to_ne_bytes());
    message
}

/// What a route is for, if that is a network of others: no default route, no address of our own, no multicast, no
/// link-local addresses (each link has those).
fn destination(structure: &[u8], attributes: Attributes<'_>) -> Option<Subnet> {
    let (length, table, kind) = (*structure.get(1)?, *structure.get(4)?, *structure.get(7)?);
    let address = match attributes.value(RTA_DST)? {
        bytes if bytes.len() == 4 => IpAddr::from(<[u8; 4]>::try_from(bytes).ok()?),
        bytes => IpAddr::from(<[u8; 16]>::try_from(bytes).ok()?),
    };
    let link_local = matches!(address, IpAddr::V6(address) if address.is_unicast_link_local());
    (length > 0 && table == TABLE_MAIN && kind == TYPE_UNICAST && !link_local).then_some(Subnet { address, length })
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}
