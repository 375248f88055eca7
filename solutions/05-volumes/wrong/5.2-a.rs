// mistake: a folder of the host that is empty is filled as well
let wanted = match &point.source {
    Source::Volume(volume) => volume.copy && volume.subpath.is_empty(),
    Source::Bind(_) => true,
    Source::Tmpfs(_) => false,
};
wanted && volume_is_empty && image == InImage::Folder
