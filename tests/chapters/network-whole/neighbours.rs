//! Beside Docker, ufw and the like: their rules drop what is forwarded, and ours must get through all the same.

use super::house::{HOST, House, TABLE, WORLD, bridge, call, container, serve};
use super::sandbox::sandboxed;
use network::{Bridge, Namespace, Protocol, Publication};
use std::process::Command;

/// Runs iptables or nft of this machine; None where there is none.
fn tool(words: &str) -> Option<String> {
    let mut words = words.split(' ');
    let output = Command::new(words.next()?).args(words).output().ok()?;
    assert!(output.status.success(), "{output:?}");
    Some(String::from_utf8(output.stdout).unwrap())
}

fn scene(before: &[&str], list: &str, test: &str) {
    let house = House::new();
    for command in before {
        if tool(command).is_none() {
            return super::not_run::not_run(
                test,
                &format!("there is no {}", command.split(' ').next().unwrap_or_default()),
            );
        }
    }
    let untouched = tool(list).unwrap();
    let mut web = house.network(&bridge("kes-web", "10.1.0.1/24"));
    let one = container(&mut web, "10.1.0.2/24", "10.1.0.1");
    serve(one.namespace(), "one", 80);
    serve(house.world.namespace(), "world", 80);
    web.table
        .publish(&[Publication {
            protocol: Protocol::Tcp,
            host: "0.0.0.0".parse().unwrap(),
            host_port: 8080,
            container: "10.1.0.2".parse().unwrap(),
            container_port: 80,
        }])
        .unwrap();
    // Asked for twice, room is made once.
    house.network(&bridge("kes-web", "10.1.0.1/24"));
    let room = tool(list).unwrap();
    assert_eq!(room.lines().count(), untouched.lines().count() + 2, "{room}");
    assert_eq!(call(one.namespace(), &format!("{WORLD}:80")), format!("world hears {HOST}"));
    assert_eq!(call(house.world.namespace(), &format!("{HOST}:8080")), format!("one hears {WORLD}"));
    assert_eq!(call(&Namespace::current().unwrap(), "127.0.0.1:8080"), "one hears 10.1.0.1");
    Bridge::remove("kes-web", TABLE, house.notes(), true).unwrap();
    assert_eq!(tool(list).unwrap(), untouched);
}

sandboxed! {
    fn docker_lets_us_through_where_it_says_so() {
        scene(
            &["iptables -P FORWARD DROP", "iptables -N DOCKER-USER", "iptables -A DOCKER-USER -j RETURN", "iptables -A FORWARD -j DOCKER-USER"],
            "iptables -S",
            "neighbours::docker_lets_us_through_where_it_says_so",
        );
    }

    fn so_does_a_plain_policy() {
        scene(&["iptables -P FORWARD DROP"], "iptables -S", "neighbours::so_does_a_plain_policy");
    }

    fn so_does_a_table_of_somebody_else() {
        scene(
            &["nft add table inet wall", "nft add chain inet wall f { type filter hook forward priority 10 ; policy drop ; }"],
            "nft list table inet wall",
            "neighbours::so_does_a_table_of_somebody_else",
        );
    }
}
