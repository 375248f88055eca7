//! Asks any Docker Engine, ours or another, and prints what it answers, as it comes.
//!
//! ```text
//! cargo run -p solution-9 --example ask -- unix:///var/run/docker.sock /version
//! cargo run -p solution-9 --example ask -- unix:///var/run/docker.sock /events
//! ```

use solution_9::Client;
use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [host, path] = words.as_slice() else {
        eprintln!("usage: ask unix:///SOCKET /PATH");
        return ExitCode::from(2);
    };
    match ask(host, path).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn ask(host: &str, path: &str) -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::connect(host)?;
    let mut answer = client.get(path).reader().await?;
    tokio::io::copy(&mut answer, &mut tokio::io::stdout()).await?;
    Ok(())
}
