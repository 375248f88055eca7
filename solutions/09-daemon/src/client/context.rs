//! A build context on its way to a daemon: an archive that is made while it is sent.

use super::piped::piped;
use tokio::io::AsyncRead;

pub use build::context::Outgoing;
pub use build::ignore::{FILE, Ignore};

/// The archive, as it is made. Must be called inside a tokio runtime.
pub fn archive(outgoing: Outgoing) -> impl AsyncRead + Send + Unpin {
    piped(move |mut to| outgoing.write(&mut to).map_err(|error| error.to_string()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::piped::PIPE;
    use super::*;
    use tokio::io::AsyncReadExt;

    #[tokio::test]
    async fn an_archive_larger_than_the_pipe_comes_whole_and_a_broken_one_does_not() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("big"), vec![7; 3 * PIPE]).unwrap();
        let mut outgoing = Outgoing { folder: Some(folder.path().to_owned()), ..Outgoing::default() };
        let mut bytes = Vec::new();
        archive(outgoing.clone()).read_to_end(&mut bytes).await.unwrap();
        assert_eq!(bytes.len(), 512 + 3 * PIPE + 1024);
        outgoing.ignore = Some("[".into());
        let error = archive(outgoing).read_to_end(&mut bytes).await.unwrap_err();
        assert!(error.to_string().contains("syntax error in pattern"), "{error}");
    }
}
