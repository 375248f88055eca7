// mistake: ends with whoever ends first, though it may be an orphan
loop {
    match kernel.next_signal()? {
        libc::SIGCHLD => {
            let mut ended = None;
            while let Some((_, code)) = kernel.reap() {
                ended = Some(code);
            }
            if let Some(code) = ended {
                return Ok(code);
            }
        }
        signal => kernel.kill(command, signal),
    }
}
