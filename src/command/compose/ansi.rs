//! `--ansi`: whether there are colours.

use super::Flags;
use std::io::IsTerminal;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ansi {
    Never,
    Always,
    Auto,
}

impl Ansi {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        match text {
            "never" => Ok(Self::Never),
            "always" => Ok(Self::Always),
            "auto" => Ok(Self::Auto),
            _ => Err("must be never, always or auto".to_owned()),
        }
    }
}

impl Flags {
    /// By the flag, else by `COMPOSE_ANSI`.
    pub(super) fn ansi(&self) -> Ansi {
        let variable = || std::env::var("COMPOSE_ANSI").ok().and_then(|text| Ansi::parse(&text).ok());
        self.ansi.or_else(variable).unwrap_or(Ansi::Auto)
    }

    /// Whether what goes there has colours. Who sets `NO_COLOR` wants none anywhere (no-color.org).
    pub(super) fn colours(&self, there: &impl IsTerminal) -> bool {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        match self.ansi() {
            _ if unwanted => false,
            Ansi::Never => false,
            Ansi::Always => true,
            Ansi::Auto => there.is_terminal(),
        }
    }
}
