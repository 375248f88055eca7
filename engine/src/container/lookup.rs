//! From what a user types to a container: a whole ID, a name, or an unambiguous beginning of an ID, in Docker's order.

use crate::container::id::ContainerId;
use crate::container::names;
use crate::container::record::{Container, no_such_container};
use crate::{Engine, Error, Kind, Result};

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

#[cfg(test)]
mod tests {
    use crate::container::record::tests::{add, engine};

    #[test]
    fn a_container_is_found_by_name_id_and_prefix() {
        let (_folder, engine) = engine();
        let web = add(&engine, "web");
        for given in ["web", "/web", web.id.as_str(), web.id.short(), &web.id.as_str()[..1]] {
            assert_eq!(engine.find(given).unwrap().id, web.id, "{given}");
        }
    }

    #[test]
    fn what_is_not_found_is_told_in_dockers_words() {
        let (_folder, engine) = engine();
        let text = |given: &str| engine.find(given).unwrap_err().message;
        assert_eq!(text("nope"), "No such container: nope");
        assert_eq!(text(""), "invalid name or ID supplied: \"\"");
        assert_eq!(text("../../etc"), "No such container: ../../etc");
        // Among seventeen IDs, two begin with the same of sixteen digits.
        let ids: Vec<_> = (0..17).map(|n| add(&engine, &format!("c{n}x")).id.as_str()[..1].to_owned()).collect();
        let twice = ids.iter().find(|digit| ids.iter().filter(|other| other == digit).count() > 1).unwrap();
        assert_eq!(text(twice), format!("multiple IDs found with provided prefix: {twice}"));
    }

    #[test]
    fn a_name_wins_over_the_beginning_of_an_id() {
        let (_folder, engine) = engine();
        let first = add(&engine, "web");
        let second = add(&engine, first.id.short());
        assert_eq!(engine.find(first.id.short()).unwrap().id, second.id);
    }
}
