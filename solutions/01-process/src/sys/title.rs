//! What `ps` shows of an init: not the command line of the engine that it was copied from.
#![allow(unsafe_code)]

/// The memory of this program's command line, and what is to be written there.
#[derive(Debug)]
pub(crate) struct Title {
    start: usize,
    /// As long as the memory.
    text: Vec<u8>,
}

impl Title {
    /// Finds the memory (`arg_start` and `arg_end` of /proc/self/stat, proc(5)). None if /proc does not tell.
    pub(crate) fn new(text: &[u8]) -> Option<Self> {
        let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
        // After the name, which may hold anything, come the fields from the third on.
        let (_, fields) = stat.rsplit_once(')')?;
        let field = |number: usize| fields.split_whitespace().nth(number - 3)?.parse::<usize>().ok();
        let (start, end) = (field(48)?, field(49)?);
        let length = end.checked_sub(start).filter(|&length| start != 0 && length > 0)?;
        // The kernel shows the text up to its first zero, given that the very last byte is none (fs/proc/base.c,
        // get_mm_cmdline): a zero there says that the arguments are as they were.
        let mut text = text.get(..length.checked_sub(2)?.min(text.len()))?.to_vec();
        text.push(0);
        text.resize(length, b'.');
        Some(Self { start, text })
    }

    /// Writes it. Only for an init: a process with one thread, which never reads its arguments again.
    pub(crate) fn apply(&self) {
        // SAFETY: the kernel put the arguments there, on the stack of the first thread, as `text.len()` writable bytes;
        // this process is a copy of that program (fork copies all memory) and has one thread, so nobody reads them at
        // the same time.
        unsafe { std::ptr::copy_nonoverlapping(self.text.as_ptr(), self.start as *mut u8, self.text.len()) };
    }
}
