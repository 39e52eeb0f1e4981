use std::io::{IsTerminal, Stdout, Write};

use super::visible;

/// Standard output for data that programs read: exactly what is written, except on a terminal, where control characters
/// are made visible.
pub(crate) fn export() -> Box<dyn Write> {
    let out = std::io::stdout();
    if out.is_terminal() { Box::new(Visible { out, rest: Vec::new() }) } else { Box::new(out) }
}

struct Visible {
    out: Stdout,
    /// The start of a line that is not complete. No line is so long that it could not wait.
    rest: Vec<u8>,
}

impl Write for Visible {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.rest.extend_from_slice(bytes);
        if let Some(end) = self.rest.iter().rposition(|byte| *byte == b'\n') {
            let complete: Vec<u8> = self.rest.drain(..=end).collect();
            self.out.write_all(visible::text(&String::from_utf8_lossy(&complete)).as_bytes())?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        let rest = std::mem::take(&mut self.rest);
        self.out.write_all(visible::text(&String::from_utf8_lossy(&rest)).as_bytes())?;
        self.out.flush()
    }
}

impl Drop for Visible {
    fn drop(&mut self) {
        // Whoever reads it may have gone.
        let _ = self.flush();
    }
}
