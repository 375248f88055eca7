//! Unpacked layers: from blobs to folders that are shared, whole, and as the layers below make them.

use std::io::Write as _;
use std::path::Path;

use layers::digest::chain_ids;
use layers::layers::Layer;
use layers::unpack::Limits;
use layers::{Blobs, Digest, Error, Layers, Malformed, Refusal};

use super::archive::{Entry, listing, tar};
use super::sandbox::sandboxed;

struct House {
    folder: tempfile::TempDir,
    blobs: Blobs,
    layers: Layers,
}

fn house() -> House {
    let folder = tempfile::tempdir().unwrap();
    let blobs = Blobs::open(&folder.path().join("content")).unwrap();
    let layers = Layers::open(&folder.path().join("layers")).unwrap();
    House { folder, blobs, layers }
}

impl House {
    fn unpacked(&self) -> Vec<String> {
        listing(&self.folder.path().join("layers"))
    }

    /// A layer of this archive, which may be compressed.
    fn layer(&self, blob: &[u8], plain: &[u8]) -> Layer {
        let digest = self.blobs.put(blob).unwrap();
        Layer { digest, media_type: String::new(), diff_id: Digest::of(plain) }
    }

    fn plain_layer(&self, entries: impl IntoIterator<Item = Entry>) -> Layer {
        let archive = tar(entries);
        self.layer(&archive, &archive)
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

sandboxed! {
    fn layers_are_unpacked_once_whatever_their_compression() {
        let house = house();
        let plain = tar([Entry::file("name", "content")]);
        let blobs = [plain.clone(), gzip(&plain), zstd::encode_all(&plain[..], 1).unwrap()];
        for blob in &blobs {
            let layer = house.layer(blob, &plain);
            let folders = house.layers.ensure(&house.blobs, &[layer]).unwrap();
            assert_eq!(folders, [house.layers.path(&Digest::of(&plain))]);
            assert_eq!(std::fs::read_to_string(folders[0].join("name")).unwrap(), "content");
        }
        assert_eq!(house.layers.list().unwrap(), [Digest::of(&plain)], "the same files are the same layer");
        house.layers.remove(&Digest::of(&plain)).unwrap();
        assert_eq!(house.unpacked(), [] as [&str; 0]);
    }

    fn a_layer_is_named_by_all_below_it() {
        let house = house();
        let (one, two) = (house.plain_layer([Entry::file("1", "")]), house.plain_layer([Entry::file("2", "")]));
        let folders = house.layers.ensure(&house.blobs, &[one.clone(), two.clone(), one.clone()]).unwrap();
        let chain = chain_ids(&[one.diff_id, two.diff_id, one.diff_id]);
        assert_eq!(folders, chain.iter().map(|chain_id| house.layers.path(chain_id)).collect::<Vec<_>>());
        assert_eq!(house.layers.list().unwrap().len(), 3);
    }

    fn of_a_layer_that_is_refused_nothing_is_left() {
        let house = house();
        let good = house.plain_layer([Entry::file("good", "")]);
        let ensure = |layer: &Layer| {
            let error = house.layers.ensure(&house.blobs, &[good.clone(), layer.clone()]).unwrap_err();
            assert_eq!(house.layers.list().unwrap(), [good.diff_id], "only the layer below it is unpacked");
            error
        };
        let hostile = house.plain_layer([Entry::file("fine", "x"), Entry::file("../evil", "x")]);
        assert!(
            matches!(ensure(&hostile), Error::Refused { layer, entry, why: Refusal::Climbs } if entry == "../evil" && layer == hostile.digest.to_string())
        );

        let plain = tar([Entry::file("x", "1")]);
        let wrong = Layer { diff_id: Digest::of(b"other"), ..house.layer(&plain, &plain) };
        assert!(
            matches!(ensure(&wrong), Error::WrongDiffId { expected, found, .. } if expected == wrong.diff_id && found == Digest::of(&plain))
        );

        let gzipped = gzip(&plain);
        let truncated = house.layer(&gzipped[..gzipped.len() - 9], &plain);
        assert!(matches!(ensure(&truncated), Error::Archive { problem: Malformed::Truncated, .. }));
        let trailing = house.layer(&[&gzipped[..], b"more"].concat(), &plain);
        assert!(matches!(ensure(&trailing), Error::Archive { problem: Malformed::Trailing, .. }));
        let mut flipped = gzipped.clone();
        let middle = flipped.len() / 2;
        flipped[middle] ^= 0x55;
        assert!(matches!(
            ensure(&house.layer(&flipped, &plain)),
            Error::Archive { .. } | Error::Refused { .. } | Error::WrongDiffId { .. }
        ));
        let absent = Layer { digest: Digest::of(b"absent"), ..wrong };
        assert!(matches!(ensure(&absent), Error::NoSuchBlob(_)));
    }

    fn a_bomb_is_stopped_at_the_limit() {
        let house = house();
        let layers = house.layers.clone().with_limits(Limits { bytes: 1 << 20, entries: 10 });
        // 64 megabytes in some kilobytes.
        let plain = tar([Entry::file("x", vec![0; 64 << 20])]);
        let bomb = house.layer(&zstd::encode_all(&plain[..], 1).unwrap(), &plain);
        let error = layers.ensure(&house.blobs, &[bomb]).unwrap_err();
        assert!(matches!(error, Error::Refused { why: Refusal::TooManyBytes(_), .. }), "{error}");
        assert_eq!(house.unpacked(), [] as [&str; 0]);
    }

    fn two_who_want_a_layer_share_the_work() {
        let house = house();
        let entries = || (0..300).map(|index| Entry::file(&format!("folder/{index}"), vec![1; 2000]));
        let layers: Vec<_> = (0..4).map(|n| house.plain_layer(entries().chain([Entry::file("n", [n])]))).collect();
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..6)
                .map(|n| {
                    let (house, layers) = (&house, &layers[..1 + n % 4]);
                    scope.spawn(move || house.layers.ensure(&house.blobs, layers).unwrap())
                })
                .collect();
            for thread in threads {
                for folder in thread.join().unwrap() {
                    assert_eq!(listing(&folder).len(), 302);
                }
            }
        });
    }

    fn leftovers_of_one_who_died_are_in_nobodys_way() {
        let house = house();
        let layer = house.plain_layer([Entry::file("x", "")]);
        let partial = house.layers.path(&layer.diff_id).with_file_name("fs.partial");
        std::fs::create_dir_all(partial.join("half")).unwrap();
        let folders = house.layers.ensure(&house.blobs, &[layer]).unwrap();
        assert_eq!(listing(&folders[0]), ["x"]);
        assert!(!partial.exists());
    }

    fn a_layer_that_a_power_cut_halved_is_unpacked_again() {
        let house = house();
        let layer = house.plain_layer([Entry::file("x", "content"), Entry::file("y", "")]);
        let folder = house.layers.ensure(&house.blobs, std::slice::from_ref(&layer)).unwrap().remove(0);
        std::fs::write(folder.join("x"), "").unwrap();
        let note = folder.with_file_name("unsynced");
        let noted = std::fs::read_to_string(&note).expect("a note beside the layer until the machine is started anew");
        std::fs::write(&note, format!("an earlier boot\n{}", noted.split_once('\n').unwrap().1)).unwrap();
        house.layers.ensure(&house.blobs, &[layer]).unwrap();
        assert_eq!(std::fs::read_to_string(folder.join("x")).unwrap(), "content");
    }

    fn a_folder_without_an_entry_takes_after_the_one_below() {
        let house = house();
        let below = house.plain_layer([Entry::folder("tmp/").mode(0o1777).mtime(5_000), Entry::folder("etc/").mode(0o700)]);
        let above =
            house.plain_layer([Entry::file("tmp/x", ""), Entry::file("etc/deep/y", ""), Entry::folder("etc/").mode(0o711)]);
        let folders = house.layers.ensure(&house.blobs, &[below, above]).unwrap();
        let mode =
            |path: &str| std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(folders[1].join(path)).unwrap()) & 0o7777;
        assert_eq!(mode("tmp"), 0o1777);
        assert_eq!(mode("etc"), 0o711, "it has an entry, if a late one");
        assert_eq!(mode("etc/deep"), 0o755);
        let modified = |path: &Path| std::os::unix::fs::MetadataExt::mtime(&std::fs::metadata(path).unwrap());
        assert_eq!(modified(&folders[1].join("tmp")), 5_000);
    }
}
