//! The process that reads for others: requests on its standard input, answers on its standard output.

use std::io::{self, Read, Write};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use super::wire::{self, Request, Response};
use super::{Extractor, InProcess, Raw};
use crate::readers::Extracted;

/// Stack of the thread that reads, in bytes: documents are nested, and so are the calls that read them.
const STACK: usize = 32 << 20;

/// Answers requests until the input ends, then returns, whatever is being read: whoever asked is gone. The caller
/// must then end the process. `without` are protections that this process does not have, for the other side's log.
///
/// # Errors
/// When a pipe fails, or a thread cannot be started.
pub fn serve(mut input: impl Read, mut output: impl Write + Send + 'static, without: Vec<String>) -> io::Result<()> {
    wire::write(&mut output, &Response::Ready { without }, &[])?;
    let (sender, requests) = sync_channel(0);
    let read = move || answer_all(&requests, output);
    thread::Builder::new().name("reader".to_owned()).stack_size(STACK).spawn(read)?;
    // This thread is always at the input, so that it sees the end of it even while a document is read without end.
    while let Some(request) = wire::read(&mut input)? {
        if sender.send(request).is_err() {
            break;
        }
    }
    Ok(())
}

/// Ends when nobody asks or listens any more.
fn answer_all(requests: &Receiver<(Request, Vec<u8>)>, mut output: impl Write) {
    for (request, bytes) in requests {
        if answer(&request, &bytes, &mut output).is_err() {
            return;
        }
    }
}

fn answer(request: &Request, bytes: &[u8], output: &mut impl Write) -> io::Result<()> {
    let Request::Extract { path, media_type } = request;
    match InProcess.extract(Raw { path, media_type: media_type.as_deref(), bytes }) {
        Ok(mut extracted) => {
            let text = std::mem::take(&mut extracted.text);
            write_extracted(output, extracted, &text)
        }
        Err(error) => {
            let refused = Response::Refused { reason: error.to_string(), empty: error.is_empty() };
            wire::write(output, &refused, &[])
        }
    }
}

fn write_extracted(output: &mut impl Write, extracted: Extracted, text: &str) -> io::Result<()> {
    match wire::write(output, &Response::Extracted(extracted), text.as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => wire::write(output, &Response::TooMuch, &[]),
        done => done,
    }
}
