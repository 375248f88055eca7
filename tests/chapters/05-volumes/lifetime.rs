//! 5.6: which volumes go with their container.

use super::expect::expect;
use super::points::{bind, nameless, tmpfs, volume};
use volumes::{MountPoint, goes_with};

const READ: &str =
    "Read: docs.docker.com/reference/cli/docker/container/rm, \"Remove a container and its volumes (-v, --volumes)\".";

fn goes(of: &[MountPoint], others: &[MountPoint]) -> String {
    goes_with(of, others).join(" ")
}

#[test]
fn a_volume_without_a_name_goes_with_its_container() {
    let mounts = [nameless("0123", "/data"), nameless("4567", "/cache")];
    expect(
        goes(&mounts, &[]),
        "0123 4567".to_owned(),
        &format!("nobody gave them a name, so nobody will ask for them again. {READ}"),
    );
}

#[test]
fn a_volume_with_a_name_stays() {
    let mounts = [volume("my-volume", "/data"), nameless("0123", "/cache")];
    expect(
        goes(&mounts, &[]),
        "0123".to_owned(),
        &format!("my-volume was named by somebody, who may ask for it again. {READ}"),
    );
}

#[test]
fn what_another_container_uses_stays() {
    let mounts = [nameless("0123", "/data"), nameless("4567", "/cache")];
    let lent = [nameless("0123", "/elsewhere")];
    let why =
        format!("another container has 0123 as well, by --volumes-from; what it has there must not vanish. {READ}");
    expect(goes(&mounts, &lent), "4567".to_owned(), &why);
    let asked_for = [volume("4567", "/x")];
    let why = format!("another container was given 4567 by name: a name that somebody copied from `volume ls`. {READ}");
    expect(goes(&mounts, &asked_for), "0123".to_owned(), &why);
    let same_place = [nameless("89ab", "/data")];
    let why = format!("another container has a volume of its own in the same place: that is not this one. {READ}");
    expect(goes(&mounts, &same_place), "0123 4567".to_owned(), &why);
}

#[test]
fn what_is_no_volume_is_not_ours_to_remove() {
    let mounts = [bind("/home/ana", "/data"), tmpfs("/memory")];
    expect(goes(&mounts, &[]), String::new(), "a folder of the host is the user's, and memory is gone by itself");
}
