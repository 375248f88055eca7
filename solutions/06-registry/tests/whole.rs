//! The registry itself, as a client meets it; and our client with it. (What a learner writes of both, the suite tries.)

#![allow(unreachable_pub, dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
extern crate solution_6 as registry;

#[path = "whole/endpoints.rs"]
mod endpoints;
#[path = "../../../tests/chapters/06-registry/http.rs"]
mod http;
#[path = "whole/mirror.rs"]
mod mirror;
#[path = "whole/protocol.rs"]
mod protocol;
#[path = "whole/served.rs"]
mod served;
#[path = "../../../tests/chapters/06-registry/site.rs"]
mod site;
#[path = "whole/users.rs"]
mod users;
