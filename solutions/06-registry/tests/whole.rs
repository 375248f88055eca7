//! Client and registry as a whole, on the reference crate: pulls and pushes over HTTP, with a registry that misbehaves as it is
//! told to; and the registry itself, as a client meets it. What each exercise needs by itself is in `suite`.

#![allow(unreachable_pub, dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
extern crate solution_6 as registry;

#[path = "whole/auth.rs"]
mod auth;
#[path = "whole/endpoints.rs"]
mod endpoints;
#[path = "whole/hostile.rs"]
mod hostile;
#[path = "whole/http.rs"]
mod http;
#[path = "whole/mirror.rs"]
mod mirror;
#[path = "whole/pipeline.rs"]
mod pipeline;
#[path = "whole/protocol.rs"]
mod protocol;
#[path = "whole/pull.rs"]
mod pull;
#[path = "whole/push.rs"]
mod push;
#[path = "whole/served.rs"]
mod served;
#[path = "whole/site.rs"]
mod site;
#[path = "whole/users.rs"]
mod users;
#[path = "whole/wire.rs"]
mod wire;
