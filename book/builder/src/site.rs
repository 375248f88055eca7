//! The site: mdBook, and the one thing it does not know.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use mdbook_driver::MDBook;
use mdbook_preprocessor::book::{Book, BookItem};
use mdbook_preprocessor::{Preprocessor, PreprocessorContext};

use crate::exercises;
use crate::shell::PROMPT;

/// Builds it; the folder it is in.
pub(crate) fn build() -> Result<PathBuf> {
    let mut book = MDBook::load(crate::book().canonicalize()?)?;
    book.with_preprocessor(Tasks);
    book.build()?;
    let site = book.build_dir_for("html");
    println!("{}", site.canonicalize().context("mdBook has built nothing")?.join("index.html").display());
    Ok(site)
}

/// `{{#tasks 02-layers}}` stands for the tasks of that chapter, from the metadata that `cargo workshop` uses; and a session shows
/// what is typed and what is answered.
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
                    Ok(content) => page.content = sessions(&exercises::hide_answers(&content)),
                    Err(error) => result = Err(error.context(page.name.clone())),
                }
            }
        });
        result.map(|()| book)
    }
}

/// Console blocks as HTML: what is typed stands out, and the prompt cannot be selected.
fn sessions(page: &str) -> String {
    let mut shown = String::new();
    let mut inside = false;
    let mut typing = false;
    for line in page.lines() {
        if !inside && line.starts_with("```console") {
            inside = true;
            shown += "<pre><code class=\"nohighlight session\">";
        } else if inside && line.starts_with("```") {
            inside = false;
            shown += "</code></pre>\n";
        } else if inside {
            let escaped = line.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            let prompt = ["$ ", PROMPT, "&gt; "].into_iter().find(|prompt| escaped.starts_with(prompt));
            let prompt = prompt.filter(|prompt| typing || *prompt != "&gt; ");
            typing = prompt.is_some();
            shown += &match prompt {
                Some(prompt) => {
                    format!("<span class=\"prompt\">{prompt}</span><b>{}</b>\n", &escaped[prompt.len()..])
                }
                None => escaped + "\n",
            };
        } else {
            shown += line;
            shown.push('\n');
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_stands_out() {
        let page = "```console\n$ a <b \\\n> c\n\n> d\n```\n\n```rust\n$ x\n```\n";
        assert_eq!(
            sessions(page),
            "<pre><code class=\"nohighlight session\"><span class=\"prompt\">$ </span><b>a &lt;b \\</b>\n\
             <span class=\"prompt\">&gt; </span><b>c</b>\n\n&gt; d\n</code></pre>\n\n```rust\n$ x\n```\n"
        );
    }
}
