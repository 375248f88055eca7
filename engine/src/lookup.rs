//! From what a user types to a container: a whole ID, a name, or an unambiguous beginning of an ID, in Docker's order.

use crate::id::ContainerId;
use crate::record::{Container, no_such_container};
use crate::{Engine, Error, Kind, Result, names};

impl Engine {
    /// Finds a container by ID, name or prefix.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when there is none; [`Kind::Invalid`] when a prefix fits several, as Docker has it.
    pub(crate) fn find(&self, given: &str) -> Result<Container> {
        if given.is_empty() {
            return Err(Error::new(Kind::Invalid, "invalid name or ID supplied: \"\""));
        }
        let exact = ContainerId::parse(given).or_else(|| self.named(names::check(given).ok()?));
        if let Some(container) = exact.map(|id| self.container(&id))
            && container.config_path().exists()
        {
            return Ok(container);
        }
        self.find_by_prefix(given)
    }

    fn find_by_prefix(&self, prefix: &str) -> Result<Container> {
        let fits = |c: &Container| c.id.as_str().starts_with(prefix) && c.config_path().exists();
        let mut found = self.containers()?.into_iter().filter(fits);
        match (found.next(), found.next()) {
            (Some(only), None) => Ok(only),
            (None, _) => Err(no_such_container(prefix)),
            (Some(_), Some(_)) => {
                Err(Error::new(Kind::Invalid, format!("multiple IDs found with provided prefix: {prefix}")))
            }
        }
    }
}
