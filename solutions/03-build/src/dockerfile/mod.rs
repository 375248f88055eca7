//! From the text of a Dockerfile to its instructions.
//!
//! The text goes through these, one after the other: [`directives`] reads the special comments at its head; [`lines`] makes
//! one line of what was continued over several, and takes the [`heredoc`]s that belong to it; [`words`] splits off the name
//! of the instruction and its [`flags`]; [`arguments`] makes an instruction of the rest; [`stages`] gathers what stands
//! between one FROM and the next. Nothing is expanded here: see [`crate::expand`].
//!
//! What is accepted, and with which words it is refused, is BuildKit's: people's Dockerfiles rely on its corners.

mod arguments;
mod copy;
pub mod directives;
mod flags;
mod form;
mod healthcheck;
mod heredoc;
mod keyword;
mod line;
mod lines;
pub(crate) mod mount;
mod run;
mod source;
mod stages;
