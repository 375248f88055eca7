//! What cannot be had of networks and ports: refused in Docker's words where it has them, before anything is made.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "support/house.rs"]
mod house;
mod support;

use house::House;

/// A command, and what it is told. `taken` is a network with a subnet, `stopped` a container.
const MISTAKES: [(&str, &str); 40] = [
    ("network create --subnet 10.55.0.0/25 new", "Pool overlaps with other one on this address space"),
    ("network create --subnet 10.55.0.0/16 new", "Pool overlaps with other one on this address space"),
    ("network create --subnet 10.56.0.1/24 new", "it should be 10.56.0.0/24"),
    ("network create --subnet 10.56.0.0/33 new", "invalid CIDR address: 10.56.0.0/33"),
    ("network create --subnet nonsense new", "invalid CIDR address: nonsense"),
    ("network create --subnet 10.56.0.0/24 --gateway 10.57.0.1 new", "no matching subnet for gateway 10.57.0.1"),
    ("network create --subnet 10.56.0.0/24 --ip-range 10.57.0.0/24 new", "no matching subnet for range 10.57.0.0/24"),
    ("network create --ip-range 10.57.0.0/24 new", "every ip-range or gateway must have a corresponding subnet"),
    (
        "network create --subnet 10.56.0.0/24 --aux-address x=10.99.0.1 new",
        "no matching subnet for aux-address 10.99.0.1",
    ),
    ("network create -d nonsense new", "could not find plugin nonsense in v1 plugin registry: plugin not found"),
    ("network create -d host new", "only one instance of \"host\" network is allowed"),
    ("network create --ipam-driver nonsense new", "invalid ipam driver: nonsense"),
    ("network create -o com.docker.network.driver.mtu=x new", "com.docker.network.driver.mtu: x"),
    ("network create taken", "network with name taken already exists"),
    ("network create bridge", "operation is not permitted on predefined bridge network"),
    ("network create -- -x", "invalid network name \"-x\""),
    ("network create a/b", "invalid network name \"a/b\""),
    ("network create ..", "invalid network name \"..\""),
    ("network create \u{e9}", "invalid network name \"\u{e9}\""),
    ("network rm nonsense", "network nonsense not found"),
    ("network rm bridge", "bridge is a pre-defined network and cannot be removed"),
    ("network connect taken nobody", "No such container: nobody"),
    ("network connect host stopped", "container cannot be disconnected from host network or connected to host network"),
    (
        "network connect none stopped",
        "container cannot be connected to multiple networks with one of the networks in private (none) mode",
    ),
    ("run --network nonsense workbench true", "network nonsense not found"),
    ("run --network taken --ip 10.99.0.1 workbench true", "no configured subnet contains IP address 10.99.0.1"),
    ("run --network taken --ip nonsense workbench true", "invalid IP address: nonsense"),
    ("run --network taken --ip 10.55.0.1 workbench true", "Address already in use"),
    ("run --network-alias a workbench true", "network-scoped aliases are only supported for user-defined networks"),
    ("run -p 99999:80 workbench true", "invalid hostPort: 99999"),
    ("run -p x:80 workbench true", "invalid hostPort: x"),
    ("run -p 80:80/icmp workbench true", "invalid proto: icmp"),
    ("run -p 1.2.3.4.5:80:80 workbench true", "invalid IP address: 1.2.3.4.5"),
    ("run -p 203.0.113.9:80:80 workbench true", "failed to bind host port 203.0.113.9:80/tcp"),
    (
        "run -p 8000-8001:80-82 workbench true",
        "invalid ranges specified for container and host Ports: 80-82 and 8000-8001",
    ),
    ("run -p 9-8:9-8 workbench true", "invalid containerPort: 9-8"),
    ("run -p : workbench true", "no port specified: :<empty>"),
    ("run --mac-address nonsense workbench true", "invalid MAC address: nonsense"),
    ("run --network container:nobody workbench true", "No such container: nobody"),
    ("run --network container:stopped workbench true", "cannot join network of a non running container"),
];

#[test]
fn mistakes_are_told_and_leave_nothing() {
    let Some(house) = House::new("mistakes_are_told_and_leave_nothing") else { return };
    house.ok(&["network", "create", "--subnet", "10.55.0.0/24", "taken"]);
    house.ok(&["create", "--name", "stopped", "workbench", "true"]);
    let links = house.links();
    for (line, words) in MISTAKES {
        let output = house.output(&line.split(' ').collect::<Vec<_>>());
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && told.contains(words), "{line}: no {words:?} in {told}");
    }
    assert_eq!(house.ok(&["network", "ls", "--format", "{{.Name}}"]), "bridge\nhost\nnone\ntaken");
    let leases = house.shell(&format!("find {}/run/networks -type f -name '*.*'", house.sandbox.root().display()));
    assert_eq!(leases, "");
    // What the default bridge was needed for is over.
    support::eventually("no link more than before", || house.links() == links);
    house.ok(&["rm", "stopped"]);
    for id in house.ok(&["ps", "-aq"]).lines() {
        house.ok(&["rm", id]);
    }
    house.ok(&["network", "rm", "taken"]);
    house.is_tidy();
}
