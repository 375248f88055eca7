//! The names of unpacked layers.

use layers::Digest;
use layers::digest::chain_ids;

const CHAIN: &str = "Read: OCI image-spec, config.md, \"Layer ChainID\"";

#[test]
fn a_layer_is_named_by_all_below_it() {
    let [base, app] = ["base", "app"].map(|layer| Digest::of(layer.as_bytes()));
    assert_eq!(chain_ids(&[]), [], "an image without layers has no chain");
    assert_eq!(
        chain_ids(&[base]),
        [base],
        "below the lowest layer there is nothing: its chain ID is its diff ID. {CHAIN}"
    );

    let text = format!("{base} {app}");
    assert_eq!(
        chain_ids(&[base, app]),
        [base, Digest::of(text.as_bytes())],
        "there is one chain ID a layer, lowest first; the second is the SHA-256 of the text {text:?}. {CHAIN}"
    );
    assert_ne!(
        chain_ids(&[base, app])[1],
        chain_ids(&[app, base])[1],
        "the same two layers in another order show other files: where both hold a file, the upper one's is seen"
    );
}

#[test]
fn stacks_that_begin_alike_share_what_is_below() {
    let layers = ["base", "tools", "app", "tools"].map(|layer| Digest::of(layer.as_bytes()));
    let chain = chain_ids(&layers);
    assert_eq!(chain.len(), 4, "one chain ID for each layer. {CHAIN}");
    for height in 1..4 {
        let shorter = chain_ids(&layers[..height]);
        assert_eq!(shorter, chain[..height], "an image of only the lowest {height} layers shares their folders");
    }
    insta::with_settings!({description => format!("(-: expected, +: yours) The chain IDs of base, tools, app, tools. The same layer over another \
        stack has another name: the hashed text begins with the chain ID of the layer below, not with its diff ID. {CHAIN}")}, {
        insta::assert_snapshot!(chain.iter().map(Digest::to_string).collect::<Vec<_>>().join("\n"));
    });
}
