//! Which devices a container may open.
