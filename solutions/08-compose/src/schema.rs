//! The compose specification as a table: which keys there are, and what each may hold. The same table says how a value is put
//! into its one long form ([`crate::canonical`]), how two of them are merged ([`crate::merge`]), and in which order and with
//! which omissions it is written ([`crate::render`]). The tables are in [`crate::service`] and [`crate::resources`].

use crate::error::Result;
use crate::tree::Node;

/// What a key may hold, and what becomes of it.
#[derive(Clone, Copy)]
pub enum Shape {
    Text,
    /// Text, or a number that is taken for text.
    Loose,
    Choice(&'static [&'static str]),
    /// A truth value, or such a word.
    Flag,
    Whole,
    Real,
    /// Bytes: `1.5g`. Written as a number in a text.
    Size,
    /// Time: `1m30s`.
    Span,
    /// The mode of a file, in octal.
    Mode,
    /// A path, from the folder of the project.
    Path,
    /// A build context: a path, a URL, or another service.
    Context,
    /// The specification has it, and the engine has not: told as such, and not as a slip of the pen.
    Unsupported,
    /// Whatever it is.
    Free,
    /// A command: words, or a text that is split as a shell does. An empty one is another thing than none, and a later one
    /// stands in place of an earlier.
    Argv,
    /// The test of a health check: words, or a text for the shell.
    Test,
    /// `KEY=value` lines or a mapping; without a value it is empty.
    Labels,
    /// The same; without a value it is taken from the environment.
    Variables,
    /// `host=address` lines or a mapping.
    Hosts,
    /// A list.
    Listed(&'static Shape, Unique),
    /// The same names to be chosen by the author, each with a value of this shape.
    Named(&'static Shape),
    /// A mapping with these keys, and `x-…`.
    Fields(&'static [Field]),
    /// The same, of which two are merged only if they have this key in common.
    SameOnly(&'static str, &'static [Field]),
    /// A short form, and how it is written out.
    Short(Rewrite, &'static Shape),
}

/// Writes a short form out; what is in the long form already it hands back.
pub type Rewrite = fn(Node, &Scope) -> Result<Node>;

/// Which elements of a list are the same one, of which the later stays.
#[derive(Clone, Copy)]
pub enum Unique {
    No,
    By(fn(&Node) -> String),
    /// The two are merged.
    MergedBy(fn(&Node) -> String),
}

/// A key.
#[derive(Clone, Copy)]
pub struct Field {
    pub key: &'static str,
    pub shape: Shape,
    pub shown: Shown,
}

/// When a key is written. docker compose leaves out what has the zero value of its Go type, and so the hash of a service
/// depends on it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Unless it is empty, zero or false.
    Filled,
    /// If it is there.
    Set,
    /// If it is there; and in JSON always, as null.
    Null,
    /// Unless it is empty; but in JSON always.
    Struct,
    /// Only if it is false.
    False,
}

/// What a rewriting has to know.
#[derive(Clone, Debug)]
pub struct Scope {
    /// The dotted path of the key, for errors.
    pub key: String,
    /// Variables stay as they are (`--no-interpolate`): a text that has one may be of any shape.
    pub raw: bool,
    /// What paths are relative to; None leaves them.
    pub base: Option<std::path::PathBuf>,
}

impl Scope {
    pub(crate) fn below(&self, key: &str) -> Self {
        let key = if self.key.is_empty() { key.to_owned() } else { format!("{}.{key}", self.key) };
        Self { key, ..self.clone() }
    }
}

/// A key that is left out when empty.
pub(crate) const fn field(key: &'static str, shape: Shape) -> Field {
    Field { key, shape, shown: Shown::Filled }
}

/// A key that is written whenever it is there.
pub(crate) const fn set(key: &'static str, shape: Shape) -> Field {
    Field { key, shape, shown: Shown::Set }
}

/// A key with another rule.
pub(crate) const fn shown(key: &'static str, shape: Shape, shown: Shown) -> Field {
    Field { key, shape, shown }
}

/// A list of texts, as it is.
pub(crate) const TEXTS: Shape = Shape::Listed(&Shape::Loose, Unique::No);
/// A list of texts, each there once.
pub(crate) const SET: Shape = Shape::Listed(&Shape::Loose, Unique::By(whole));
/// The same, where a single text may stand for the list.
pub(crate) const ONE_OR_MORE: Shape = Shape::Short(crate::short::one, &SET);

/// The element itself.
pub(crate) fn whole(node: &Node) -> String {
    node.scalar().unwrap_or_default()
}

/// What stands before the `=`.
pub(crate) fn before_equals(node: &Node) -> String {
    whole(node).split('=').next().unwrap_or_default().to_owned()
}

/// Its `target`.
pub(crate) fn target(node: &Node) -> String {
    node.map().and_then(|map| map.text("target")).unwrap_or_default().to_owned()
}
