// mistake: what the container may only read is thought to be read-only for the engine, too
match &point.source {
    Source::Volume(volume) if volume.copy && volume.subpath.is_empty() && !point.read_only => {
        volume_is_empty && image == InImage::Folder
    }
    _ => false,
}
