//! `--verify`: a second build of the same, and in what it differs.

use super::Site;
use crate::{Error, Kind, Result};
use build::stage::State;
use layers::compare::first_difference;
use layers::digest::chain_ids;

impl Site<'_> {
    /// Compares two results, layer by layer.
    ///
    /// # Errors
    /// The first difference: the step, the path and the attribute. Or the layers cannot be read.
    pub(super) fn compare(&self, first: &State, second: &State) -> Result<()> {
        let (one, other) = (&first.image, &second.image);
        let steps: Vec<&str> =
            one.history.iter().filter(|step| !step.empty_layer).map(|step| step.created_by.as_str()).collect();
        let chains = [chain_ids(&one.rootfs.diff_ids), chain_ids(&other.rootfs.diff_ids)];
        for (number, (a, b)) in chains[0].iter().zip(&chains[1]).enumerate() {
            if a == b {
                continue;
            }
            let layers = self.store.unpacked();
            let found = first_difference(&layers.path(a), &layers.path(b))?;
            let what = found.map_or_else(|| "how its files are linked".to_owned(), |found| found.to_string());
            return Err(differs(steps.get(number).copied().unwrap_or("a layer of the base"), &what));
        }
        if chains[0].len() != chains[1].len() {
            return Err(differs("the whole", "one has more layers than the other"));
        }
        if one != other {
            return Err(differs("the recipe", "it is not the same, though all layers are"));
        }
        Ok(())
    }
}

fn differs(step: &str, what: &str) -> Error {
    let text = format!("the build is not reproducible: two builds differ in {step}\n  {what}");
    Error::new(Kind::Invalid, text)
}
