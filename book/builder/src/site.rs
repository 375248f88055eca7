//! The site: mdBook, and the one thing it does not know.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use mdbook_driver::MDBook;
use mdbook_preprocessor::book::{Book, BookItem};
use mdbook_preprocessor::{Preprocessor, PreprocessorContext};

use crate::exercises;

/// Builds it; the folder it is in.
pub(crate) fn build() -> Result<PathBuf> {
    let mut book = MDBook::load(crate::book().canonicalize()?)?;
    book.with_preprocessor(Tasks);
    book.build()?;
    let site = book.build_dir_for("html");
    println!("{}", site.canonicalize().context("mdBook has built nothing")?.join("index.html").display());
    Ok(site)
}

/// `{{#tasks 02-layers}}` stands for the tasks of that chapter, from the metadata that `cargo workshop` uses.
struct Tasks;

impl Preprocessor for Tasks {
    fn name(&self) -> &str {
        "tasks"
    }

    fn run(&self, context: &PreprocessorContext, mut book: Book) -> Result<Book> {
        let mut result = Ok(());
        book.for_each_mut(|item| {
            if let (BookItem::Chapter(page), Ok(())) = (item, &result) {
                match exercises::fill(&page.content, &context.root.join("..")) {
                    Ok(content) => page.content = exercises::hide_answers(&content),
                    Err(error) => result = Err(error.context(page.name.clone())),
                }
            }
        });
        result.map(|()| book)
    }
}
