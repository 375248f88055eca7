//! Tells of a project who starts when, and each service's hash: `cargo run -p chapter-8 --example order -- FILE…`.

extern crate chapter_8 as compose;

use compose::order::start_order;
use compose::{How, Project, Request};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let files: Vec<String> = std::env::args().skip(1).collect();
    if files.is_empty() {
        println!("usage: order FILE…, each over the one before it");
        return Ok(());
    }
    let request = Request {
        files,
        environment: std::env::vars().collect(),
        folder: std::env::current_dir()?,
        ..Request::default()
    };
    let project = Project::load(&request, How::default(), &[])?;
    println!("The project is called {}.", project.name);
    // Loading has refused a cycle.
    for (number, group) in start_order(&project.dependencies()).unwrap_or_default().iter().enumerate() {
        println!("\n{}", if number == 0 { "At once, at the same time:" } else { "Then:" });
        for name in group {
            println!("  {name:<20} {:.12}", project.hash(name)?);
        }
    }
    Ok(())
}
