//! The examiner of chapter 4. Each exercise has its own tests, which need no other; and nearly all of them neither a network nor a
//! kernel: what is to be sent, looked up or answered is worked out beforehand, and can be looked at. That the kernel does what is
//! meant by it, all of the chapter together, `network-whole.rs` tries with real packets.

#[path = "04-network/addresses.rs"]
mod addresses;
#[path = "04-network/answers.rs"]
mod answers;
#[path = "process/expect.rs"]
mod expect;
#[path = "04-network/names.rs"]
mod names;
#[path = "../support/not_run.rs"]
mod not_run;
#[path = "04-network/ports.rs"]
mod ports;
#[path = "retold.rs"]
mod retold;
#[path = "04-network/rules.rs"]
mod rules;
#[allow(dead_code, reason = "not all suites ask everything of it")]
#[path = "sandbox.rs"]
mod sandbox;
#[path = "04-network/subnets.rs"]
mod subnets;
#[path = "04-network/veth.rs"]
mod veth;
