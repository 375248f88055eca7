//! What a container sees where, out of all that was said: by its image, by the user, by other containers.

use crate::mode::Mode;
use crate::mount_point::{MountPoint, NewVolume, Source, VolumeUse, clean};
use crate::request::MountRequest;
use crate::{Error, Result, in_order, short};

/// All that was said of a container's mounts.
#[derive(Clone, Debug, Default)]
pub struct Wishes<'a> {
    /// The mounts of other containers, as [`lent`] gives them: `--volumes-from`.
    pub from: Vec<MountPoint>,
    /// `-v source:target`, of which the engine reads the text.
    pub binds: &'a [String],
    /// `--mount`.
    pub mounts: &'a [MountRequest],
    /// Where there is a `--tmpfs`, which has a form of its own.
    pub tmpfs: Vec<&'a str>,
    /// `VOLUME` of the image, and `-v target`: where there shall be a volume without a name.
    pub declared: Vec<&'a str>,
    /// `--volume-driver`, for volumes that are yet to be made.
    pub driver: &'a str,
}

/// The mounts that are to be, in the order in which they are to be made.
///
/// # Errors
/// One of them cannot be, or two are on one place.
pub fn mounts(wishes: Wishes<'_>) -> Result<Vec<MountPoint>> {
    let mut own = Vec::new();
    for bind in wishes.binds {
        own.push(short::parse(bind, wishes.driver)?);
    }
    for request in wishes.mounts {
        let point = request.point()?;
        point.check_source()?;
        own.push(point);
    }
    let taken: Vec<String> = wishes.tmpfs.iter().map(|target| clean(target)).collect();
    let declared = wishes.declared.iter().map(|target| nameless(target, wishes.driver)).collect();
    Ok(in_order(settle(wishes.from, own, declared, &taken)?, |point| &point.destination))
}

/// Settles who gets a place that several want.
///
/// * `own` is what the user asked for, with `-v` and `--mount`. It wins over all others. But two of them on one place cannot both be
///   meant: that is [`Error::Duplicate`] with the place, and so is one on a place of `tmpfs`, which are the user's, too.
/// * `from` is what other containers lend. It has every place that the user did not ask for; where two lend one, the later.
///   Nothing of it is an error.
/// * `declared` is what the image asks for. It is the most modest: it has the places that nobody else has.
///
/// The order of the result does not matter.
///
/// # Errors
/// As said.
pub fn settle(
    from: Vec<MountPoint>,
    own: Vec<MountPoint>,
    declared: Vec<MountPoint>,
    tmpfs: &[String],
) -> Result<Vec<MountPoint>> {
    // exercise: 5.4 settle: the user first, then other containers, and the image last
    todo!("exercise 5.4, settle: the user first, then other containers, and the image last")
    // end exercise
}

/// A volume that nobody gave a name.
fn nameless(target: &str, driver: &str) -> MountPoint {
    let new = NewVolume { driver: driver.to_owned(), ..NewVolume::default() };
    let volume = VolumeUse { anonymous: true, copy: true, new, ..VolumeUse::default() };
    MountPoint { destination: clean(target), source: Source::Volume(volume), read_only: false, mode: String::new() }
}

/// Takes `--volumes-from CONTAINER[:MODE]` apart: the container, and whether it lends for reading only.
///
/// # Errors
/// [`Error::VolumesFrom`], or [`Error::Mode`]: how things are mounted is settled, only writing can be given up.
pub fn volumes_from(text: &str) -> Result<(&str, bool)> {
    if text.is_empty() {
        return Err(Error::VolumesFrom);
    }
    let (container, mode) = text.split_once(':').unwrap_or((text, ""));
    match Mode::parse(mode) {
        Some(Mode { read_only, propagation: None, no_copy: false }) => Ok((container, read_only)),
        _ => Err(Error::Mode(mode.to_owned())),
    }
}

/// What a container lends another: the same, and nothing new is made or filled for it.
pub fn lent(points: &[MountPoint], read_only: bool) -> Vec<MountPoint> {
    let lend = |point: &MountPoint| {
        let mut lent = MountPoint { mode: String::new(), read_only: point.read_only || read_only, ..point.clone() };
        if let Source::Volume(volume) = &mut lent.source {
            volume.copy = false;
        }
        lent
    };
    points.iter().map(lend).collect()
}
