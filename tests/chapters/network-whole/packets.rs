//! Who reaches whom.

use super::house::{HOST, House, TABLE, WORLD, bridge, call, container, serve, within};
use super::sandbox::sandboxed;
use network::{Bridge, Links, Namespace, Protocol, Publication, Table};
use std::net::{IpAddr, Ipv4Addr, UdpSocket};

fn publication(host: &str, host_port: u16, container: &str, container_port: u16) -> Publication {
    let (host, container) = (host.parse().unwrap(), container.parse().unwrap());
    Publication { protocol: Protocol::Tcp, host, host_port, container, container_port }
}

sandboxed! {
    fn containers_of_a_network_reach_each_other_and_the_world() {
        let house = House::new();
        let mut web = house.network(&bridge("kes-web", "10.1.0.1/24"));
        let (one, two) = (container(&mut web, "10.1.0.2/24", "10.1.0.1"), container(&mut web, "10.1.0.3/24", "10.1.0.1"));
        serve(two.namespace(), "two", 80);
        serve(house.world.namespace(), "world", 80);
        assert_eq!(call(one.namespace(), "10.1.0.3:80"), "two hears 10.1.0.2");
        // The world knows the host, and nobody behind it.
        assert_eq!(call(one.namespace(), &format!("{WORLD}:80")), format!("world hears {HOST}"));
        assert_eq!(call(&Namespace::current().unwrap(), "10.1.0.3:80"), "two hears 10.1.0.1");
        // Why localhost is not the other container.
        assert_eq!(call(one.namespace(), "127.0.0.1:80"), "connection refused");
        assert_eq!(call(two.namespace(), "127.0.0.1:80"), "two hears 127.0.0.1");
    }

    fn networks_do_not_reach_each_other() {
        let house = House::new();
        let mut red = house.network(&bridge("kes-red", "10.1.0.1/24"));
        let mut blue = house.network(&bridge("kes-blue", "10.2.0.1/24"));
        let in_red = container(&mut red, "10.1.0.2/24", "10.1.0.1");
        let in_blue = container(&mut blue, "10.2.0.2/24", "10.2.0.1");
        serve(in_blue.namespace(), "blue", 80);
        let host = Namespace::current().unwrap();
        serve(&host, "host", 7000);
        assert_eq!(call(in_red.namespace(), "10.2.0.2:80"), "silence");
        // The host's own services: by the container's own gateway, not by another's, and never its loopback.
        assert_eq!(call(in_red.namespace(), "10.1.0.1:7000"), "host hears 10.1.0.2");
        assert_eq!(call(in_red.namespace(), "10.2.0.1:7000"), "silence");
        let mut inside = Links::open().unwrap();
        within(in_red.namespace(), || inside = Links::open().unwrap());
        // Even with a route for it, 127.0.0.1 behind the gateway is out of reach.
        within(in_red.namespace(), || {
            std::fs::write("/proc/sys/net/ipv4/conf/eth0/route_localnet", "1").unwrap();
            std::fs::write("/proc/sys/net/ipv4/conf/all/route_localnet", "1").unwrap();
        });
        assert!(inside.names().unwrap().contains(&"eth0".to_owned()));
        // Nor does the world reach what is not published, if it knows the way.
        let mut world = None;
        within(house.world.namespace(), || world = Some(Links::open().unwrap()));
        world.unwrap().add_default_route("eth0", HOST.parse().unwrap()).unwrap();
        assert_eq!(call(house.world.namespace(), "10.2.0.2:80"), "silence");
    }

    fn a_published_port_is_reached_from_everywhere() {
        let house = House::new();
        let mut web = house.network(&bridge("kes-web", "10.1.0.1/24"));
        let mut other = house.network(&bridge("kes-other", "10.2.0.1/24"));
        let server = container(&mut web, "10.1.0.2/24", "10.1.0.1");
        let neighbour = container(&mut web, "10.1.0.3/24", "10.1.0.1");
        let stranger = container(&mut other, "10.2.0.2/24", "10.2.0.1");
        serve(server.namespace(), "web", 80);
        let ports = [publication("0.0.0.0", 8080, "10.1.0.2", 80), publication(HOST, 8081, "10.1.0.2", 80)];
        web.table.publish(&ports).unwrap();
        let host = Namespace::current().unwrap();
        assert_eq!(call(&host, "127.0.0.1:8080"), "web hears 10.1.0.1");
        assert_eq!(call(&host, &format!("{HOST}:8080")), format!("web hears {HOST}"));
        assert_eq!(call(house.world.namespace(), &format!("{HOST}:8080")), format!("web hears {WORLD}"));
        assert_eq!(call(neighbour.namespace(), &format!("{HOST}:8080")), "web hears 10.1.0.1");
        assert_eq!(call(server.namespace(), &format!("{HOST}:8080")), "web hears 10.1.0.1");
        assert_eq!(call(stranger.namespace(), &format!("{HOST}:8080")), "web hears 10.1.0.1");
        // What is published at one address is not at the others.
        assert_eq!(call(&host, &format!("{HOST}:8081")), format!("web hears {HOST}"));
        assert_eq!(call(&host, "127.0.0.1:8081"), "connection refused");
        web.table.withdraw(&ports).unwrap();
        web.table.withdraw(&ports).unwrap();
        assert_eq!(call(&host, "127.0.0.1:8080"), "connection refused");
        assert_eq!(call(house.world.namespace(), &format!("{HOST}:8080")), "connection refused");
    }

    fn what_is_published_on_loopback_is_nobody_elses() {
        let house = House::new();
        let mut web = house.network(&bridge("kes-web", "10.1.0.1/24"));
        let server = container(&mut web, "10.1.0.2/24", "10.1.0.1");
        serve(server.namespace(), "web", 80);
        web.table.publish(&[publication("127.0.0.1", 8080, "10.1.0.2", 80)]).unwrap();
        assert_eq!(call(&Namespace::current().unwrap(), "127.0.0.1:8080"), "web hears 10.1.0.1");
        assert_eq!(call(house.world.namespace(), &format!("{HOST}:8080")), "connection refused");
        // A neighbour of the host who sends what is for 127.0.0.1 to it.
        within(house.world.namespace(), || {
            for link in ["eth0", "all"] {
                std::fs::write(format!("/proc/sys/net/ipv4/conf/{link}/route_localnet"), "1").unwrap();
            }
            let mut links = Links::open().unwrap();
            links.remove_address("lo", "127.0.0.1/8".parse().unwrap()).unwrap();
            links.add_default_route("eth0", HOST.parse().unwrap()).unwrap();
        });
        assert_eq!(call(house.world.namespace(), "127.0.0.1:8080"), "silence");
    }

    fn datagrams_are_published_too() {
        let house = House::new();
        let mut web = house.network(&bridge("kes-web", "10.1.0.1/24"));
        let server = container(&mut web, "10.1.0.2/24", "10.1.0.1");
        let socket = within(server.namespace(), || UdpSocket::bind("0.0.0.0:53").unwrap());
        std::thread::spawn(move || {
            let mut buffer = [0; 64];
            while let Ok((length, from)) = socket.recv_from(&mut buffer) {
                socket.send_to(&buffer[..length], from).unwrap();
            }
        });
        let udp = Publication { protocol: Protocol::Udp, ..publication("0.0.0.0", 5353, "10.1.0.2", 53) };
        web.table.publish(&[udp]).unwrap();
        let echo = |to: &str| {
            let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
            socket.set_read_timeout(Some(super::house::PATIENCE)).unwrap();
            socket.send_to(b"hello", to).unwrap();
            let mut buffer = [0; 64];
            socket.recv_from(&mut buffer).map(|(length, _)| buffer[..length].to_vec()).ok()
        };
        assert_eq!(echo("127.0.0.1:5353").as_deref(), Some(&b"hello"[..]));
        assert_eq!(within(house.world.namespace(), || echo(&format!("{HOST}:5353"))).as_deref(), Some(&b"hello"[..]));
    }

    fn containers_that_are_kept_apart_do_not_reach_each_other() {
        // Without br_netfilter, what stays on a bridge comes to no rule.
        let _not_loaded = std::fs::write("/proc/sys/net/bridge/bridge-nf-call-iptables", "0");
        let house = House::new();
        let mut shy = house.network(&Bridge { among_themselves: false, ..bridge("kes-shy", "10.1.0.1/24") });
        let one = container(&mut shy, "10.1.0.2/24", "10.1.0.1");
        let two = container(&mut shy, "10.1.0.3/24", "10.1.0.1");
        serve(two.namespace(), "two", 80);
        serve(house.world.namespace(), "world", 80);
        for near in [Ipv4Addr::new(10, 1, 0, 2), Ipv4Addr::new(10, 1, 0, 3)] {
            shy.links.isolate(&format!("v{}", near.to_bits())).unwrap();
        }
        assert_ne!(call(one.namespace(), "10.1.0.3:80"), "two hears 10.1.0.2");
        assert_eq!(call(one.namespace(), &format!("{WORLD}:80")), format!("world hears {HOST}"));
        assert_eq!(call(&Namespace::current().unwrap(), "10.1.0.3:80"), "two hears 10.1.0.1");
        shy.table.publish(&[publication("0.0.0.0", 8080, "10.1.0.3", 80)]).unwrap();
        assert_eq!(call(house.world.namespace(), &format!("{HOST}:8080")), format!("two hears {WORLD}"));
    }

    fn an_internal_network_ends_at_its_bridge() {
        let house = House::new();
        let mut inner = house.network(&Bridge { internal: true, ..bridge("kes-inner", "10.1.0.1/24") });
        let one = container(&mut inner, "10.1.0.2/24", "10.1.0.1");
        let two = container(&mut inner, "10.1.0.3/24", "10.1.0.1");
        serve(two.namespace(), "two", 80);
        serve(house.world.namespace(), "world", 80);
        assert_eq!(call(one.namespace(), "10.1.0.3:80"), "two hears 10.1.0.2");
        assert_eq!(call(one.namespace(), &format!("{WORLD}:80")), "silence");
    }

    fn ipv6_is_routed_masqueraded_and_published() {
        let house = House::new();
        let mut links = Links::open().unwrap();
        if !std::path::Path::new("/proc/net/if_inet6").exists() {
            return super::not_run::not_run("ipv6_is_routed_masqueraded_and_published", "the kernel has no IPv6");
        }
        links.configure("eth0", &["2001:db8::1/64".parse().unwrap()], &[]).unwrap();
        within(house.world.namespace(), || {
            std::fs::write("/proc/sys/net/ipv6/conf/eth0/disable_ipv6", "0").unwrap();
            Links::open().unwrap().configure("eth0", &["2001:db8::2/64".parse().unwrap()], &[]).unwrap();
        });
        let both = Bridge {
            addresses: vec!["10.1.0.1/24".parse().unwrap(), "fd00:1::1/64".parse().unwrap()],
            ..bridge("kes-six", "10.1.0.1/24")
        };
        let mut six = house.network(&both);
        let mut server = network::Sandbox::make().unwrap();
        let addresses = ["10.1.0.2/24".parse().unwrap(), "fd00:1::2/64".parse().unwrap()];
        let gateways = ["10.1.0.1".parse().unwrap(), "fd00:1::1".parse().unwrap()];
        let cable = network::Cable {
            near: "v6",
            far: "eth0",
            mac: [2, 0x42, 10, 1, 0, 2],
            mtu: None,
            addresses: &addresses,
            gateways: &gateways,
        };
        server.plug(&mut six.links, six.index, &cable).unwrap();
        let hear = |namespace: &Namespace, name: &'static str| {
            let listener = within(namespace, || std::net::TcpListener::bind("[::]:80").unwrap());
            std::thread::spawn(move || {
                for stream in listener.incoming() {
                    let mut stream = stream.unwrap();
                    let caller = stream.peer_addr().unwrap().ip();
                    let _gone = std::io::Write::write_all(&mut stream, format!("{name} hears {caller}").as_bytes());
                }
            });
        };
        hear(server.namespace(), "six");
        hear(house.world.namespace(), "world");
        assert_eq!(call(server.namespace(), "[2001:db8::2]:80"), "world hears 2001:db8::1");
        six.table.publish(&[publication("::", 8080, "fd00:1::2", 80)]).unwrap();
        assert_eq!(call(house.world.namespace(), "[2001:db8::1]:8080"), "six hears 2001:db8::2");
    }

    fn with_the_last_network_everything_of_ours_is_gone() {
        let house = House::new();
        std::fs::write("/proc/sys/net/ipv4/ip_forward", "0").unwrap();
        let before = Links::open().unwrap().names().unwrap();
        let mut red = house.network(&bridge("kes-red", "10.1.0.1/24"));
        house.network(&bridge("kes-blue", "10.2.0.1/24"));
        let forwarding = || std::fs::read_to_string("/proc/sys/net/ipv4/ip_forward").unwrap();
        assert_eq!(forwarding(), "1\n");
        drop(container(&mut red, "10.1.0.2/24", "10.1.0.1"));
        Bridge::remove("kes-red", TABLE, house.notes(), false).unwrap();
        // Ensured once more, it is there once more.
        assert!(Table::open(TABLE).unwrap().exists().unwrap());
        let mut red = house.network(&bridge("kes-red", "10.1.0.1/24"));
        let one = container(&mut red, "10.1.0.3/24", "10.1.0.1");
        assert_eq!(call(&Namespace::current().unwrap(), "10.1.0.3:80"), "connection refused");
        drop(one);
        for (name, last) in [("kes-red", false), ("kes-blue", true), ("kes-blue", true)] {
            Bridge::remove(name, TABLE, house.notes(), last).unwrap();
        }
        assert!(!Table::open(TABLE).unwrap().exists().unwrap());
        assert_eq!(forwarding(), "0\n");
        // The kernel takes the cables of a namespace that has ended a moment later.
        for _ in 0..200 {
            if Links::open().unwrap().names().unwrap() == before {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        assert_eq!(Links::open().unwrap().names().unwrap(), before);
    }

    fn a_flushed_table_is_made_again_with_all_that_is_published() {
        let house = House::new();
        let red = bridge("kes-red", "10.1.0.1/24");
        let mut ensured = house.network(&red);
        let one = container(&mut ensured, "10.1.0.2/24", "10.1.0.1");
        serve(one.namespace(), "one", 80);
        ensured.table.remove().unwrap();
        let blue = bridge("kes-blue", "10.2.0.1/24");
        let published = publication("0.0.0.0", 8080, "10.1.0.2", 80);
        blue.ensure(TABLE, house.notes(), || (vec![red.clone()], vec![published])).unwrap();
        assert_eq!(call(&Namespace::current().unwrap(), "127.0.0.1:8080"), "one hears 10.1.0.1");
        assert_eq!(call(house.world.namespace(), &format!("{HOST}:8080")), format!("one hears {WORLD}"));
    }

    fn the_hosts_routes_are_known() {
        let _house = House::new();
        let routes = Links::open().unwrap().routes().unwrap();
        assert!(routes.contains(&"192.0.2.0/24".parse().unwrap()), "{routes:?}");
        assert!(!routes.iter().any(|route| route.contains(IpAddr::V4(Ipv4Addr::new(8, 8, 8, 8)))), "{routes:?}");
    }
}
