//! What the file may say besides its services.

use crate::schema::Shape::*;
use crate::schema::{Field, ONE_OR_MORE, Shape, Shown, Unique, field, shown};
use crate::service::SERVICE;
use crate::short;
use crate::tree::Node;

/// A compose file.
pub static FILE: Shape = Fields(&[
    field("version", Free),
    field("name", Text),
    field("include", Listed(&Short(short::include, &Fields(INCLUDE)), Unique::No)),
    shown("services", Named(&SERVICE), Shown::Struct),
    field("networks", Named(&Short(short::external, &Fields(NETWORK)))),
    field("volumes", Named(&Short(short::external, &Fields(VOLUME)))),
    field("secrets", Named(&Short(short::external, &Fields(FILE_OBJECT)))),
    field("configs", Named(&Short(short::external, &Fields(CONFIG)))),
    field("models", Unsupported),
]);

const INCLUDE: &[Field] =
    &[field("path", ONE_OR_MORE), field("project_directory", Text), field("env_file", ONE_OR_MORE)];

pub(crate) const NETWORK: &[Field] = &[
    field("name", Text),
    field("driver", Text),
    field("driver_opts", Labels),
    shown("ipam", Fields(IPAM), Shown::Struct),
    field("external", Flag),
    field("internal", Flag),
    field("attachable", Flag),
    field("labels", Labels),
    crate::schema::set("enable_ipv4", Flag),
    crate::schema::set("enable_ipv6", Flag),
];

const IPAM: &[Field] = &[
    field("driver", Text),
    field("config", Listed(&Fields(POOL), Unique::MergedBy(subnet))),
    field("options", Labels),
];

const POOL: &[Field] =
    &[field("subnet", Text), field("gateway", Text), field("ip_range", Text), field("aux_addresses", Labels)];

pub(crate) const VOLUME: &[Field] = &[
    field("name", Text),
    field("driver", Text),
    field("driver_opts", Labels),
    field("external", Flag),
    field("labels", Labels),
];

const FILE_OBJECT: &[Field] = &[
    field("name", Text),
    field("file", Path),
    field("environment", Text),
    field("external", Flag),
    field("labels", Labels),
    field("driver", Text),
    field("driver_opts", Labels),
    field("template_driver", Text),
];

const CONFIG: &[Field] = &[
    field("name", Text),
    field("file", Path),
    field("environment", Text),
    field("content", Text),
    field("external", Flag),
    field("labels", Labels),
    field("template_driver", Text),
];

fn subnet(node: &Node) -> String {
    node.find(&["subnet"]).and_then(Node::scalar).unwrap_or_default()
}
