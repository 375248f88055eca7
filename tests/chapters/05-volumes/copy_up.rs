//! 5.2: when a volume gets what the image has in its place.

use super::points::{bind, nameless, tmpfs, volume, with};
use volumes::InImage::{File, Folder, Nothing};
use volumes::{InImage, MountPoint, takes_copy};

const READ: &str = "Read: docs.docker.com/engine/storage/volumes, \"Populate a volume using a container\".";

#[track_caller]
fn expect(expected: bool, point: &MountPoint, empty: bool, image: InImage, why: &str) {
    let found = takes_copy(point, empty, image);
    let say = |copied| if copied { "it is copied" } else { "it is not copied" };
    assert!(found == expected, "\nexpected: {}\nfound:    {}\n{why}. {READ}\n", say(expected), say(found));
}

#[test]
fn a_new_volume_gets_what_the_image_has_in_its_place() {
    let why = "an empty volume, and the image has a folder in its place: a mount would hide that";
    expect(true, &volume("my-volume", "/data"), true, Folder, why);
    expect(true, &nameless("0123", "/data"), true, Folder, "a volume without a name is a volume as any other");
    let read_only = MountPoint { read_only: true, ..volume("my-volume", "/data") };
    expect(true, &read_only, true, Folder, "it is the container that may only read, not the engine");
}

#[test]
fn what_is_in_a_volume_is_never_touched() {
    let why = "the volume is not empty: what is in it is somebody's data, newer than the image's";
    expect(false, &volume("my-volume", "/data"), false, Folder, why);
    expect(false, &nameless("0123", "/data"), false, Folder, why);
}

#[test]
fn only_a_folder_is_copied() {
    expect(false, &volume("my-volume", "/data"), true, Nothing, "the image has nothing there");
    expect(false, &volume("my-volume", "/data"), true, File, "the image has a file there; a volume is a folder");
}

#[test]
fn the_user_may_not_want_it() {
    let nocopy = with(volume("my-volume", "/data"), |volume| volume.copy = false);
    expect(false, &nocopy, true, Folder, "the user has said nocopy");
    let part = with(volume("my-volume", "/data"), |volume| volume.subpath = "part".to_owned());
    expect(
        false,
        &part,
        true,
        Folder,
        "a part of the volume was asked for, so it is not empty, whatever was looked at",
    );
}

#[test]
fn files_of_the_host_and_memory_are_no_volumes() {
    expect(false, &bind("/srv", "/data"), true, Folder, "a folder of the host is the user's: nobody copies into it");
    expect(false, &tmpfs("/data"), true, Folder, "a tmpfs is memory, and begins empty");
}
