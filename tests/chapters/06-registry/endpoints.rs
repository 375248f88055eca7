//! 6.1: where a registry is.

use super::expect::expect;
use registry::Settings;

const READ: &str = "Read: docs.docker.com/reference/cli/dockerd, \"Insecure registries\" and \"Registry mirrors\".";

fn settings(mirrors: &[&str], insecure: &[&str]) -> Settings {
    let all = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    Settings { mirrors: all(mirrors), insecure: all(insecure), ..Settings::default() }
}

/// The addresses, with what else is known of each.
fn told(settings: &Settings, domain: &str) -> String {
    let endpoint = |endpoint: registry::Endpoint| {
        let verify = if endpoint.verify { "" } else { " (may be insecure)" };
        let mirror = if endpoint.mirror { " (a mirror)" } else { "" };
        format!("{}{verify}{mirror}", endpoint.base)
    };
    settings.endpoints(domain).into_iter().map(endpoint).collect::<Vec<_>>().join(", then ")
}

#[test]
fn a_registry_is_where_its_name_says() {
    for domain in ["ghcr.io", "registry.example.org:8443"] {
        let why = format!("of {domain}: nobody said that it may be insecure, so nothing but HTTPS is tried. {READ}");
        expect(told(&settings(&[], &[]), domain), format!("https://{domain}"), &why);
    }
}

#[test]
fn docker_hub_is_elsewhere_and_its_mirrors_come_first() {
    let why = format!("references say docker.io, and that host has no API of a registry. {READ}");
    expect(told(&settings(&[], &[]), "docker.io"), "https://registry-1.docker.io".to_owned(), &why);
    let two = settings(&["https://mirror.example.org/", "http://127.0.0.1:5000"], &[]);
    let expected = "https://mirror.example.org (a mirror), then http://127.0.0.1:5000 (may be insecure) (a mirror), then \
                    https://registry-1.docker.io";
    let why = format!(
        "mirrors come in the order of daemon.json, and the Hub itself is the last resort. A failure of a mirror is no failure of the \
         pull, so it has to be known that it is one; and `self.endpoint` knows whether its certificate has to be good. {READ}"
    );
    expect(told(&two, "docker.io"), expected.to_owned(), &why);
}

#[test]
fn mirrors_are_docker_hubs_alone() {
    let why = format!(
        "what quay.io has, a mirror of Docker Hub has not: or worse, it has another image of that name. {READ}"
    );
    expect(told(&settings(&["https://mirror.example.org"], &[]), "quay.io"), "https://quay.io".to_owned(), &why);
}

#[test]
fn what_is_insecure_is_asked_by_https_first() {
    let settings = settings(&[], &["registry.lan:5000", "10.1.0.0/16"]);
    for domain in ["localhost:5000", "127.0.0.1:5000", "registry.lan:5000", "10.1.2.3:80"] {
        let expected = format!("https://{domain} (may be insecure), then http://{domain} (may be insecure)");
        let why = format!(
            "of {domain}, which may be insecure. It may also have HTTPS, with a certificate of its own making: so that is tried first, \
             and not verified. {READ}"
        );
        expect(told(&settings, domain), expected, &why);
    }
}

#[test]
fn where_names_lead() {
    let settings = settings(&["http://10.0.0.5:5000"], &["10.0.0.0/24"]);
    let names = ["docker.io", "ghcr.io", "localhost:5000", "10.0.0.7:5000", "10.0.1.7:5000"];
    let lines = names.map(|name| format!("{name:<15} {}", told(&settings, name)));
    insta::with_settings!({description => format!(
        "(-: expected, +: yours) Where names lead, with the mirror http://10.0.0.5:5000 and 10.0.0.0/24 as insecure. {READ}"
    )}, {
        insta::assert_snapshot!(lines.join("\n"));
    });
}
