//! Whole projects, from files to what they mean: what takes several parts of the chapter together.
#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
extern crate solution_8 as compose;

#[path = "whole/create.rs"]
mod create;
#[path = "whole/files.rs"]
mod files;
#[path = "whole/folder.rs"]
mod folder;
#[path = "whole/forms.rs"]
mod forms;
#[path = "whole/hostile.rs"]
mod hostile;
#[path = "whole/impossible.rs"]
mod impossible;
#[path = "whole/mistakes.rs"]
mod mistakes;
#[path = "whole/several.rs"]
mod several;
