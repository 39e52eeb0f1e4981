//! The process that reads for others: requests on its standard input, answers on its standard output.

use std::io::{self, Read, Write};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use super::wire::{self, Request, Response};
use super::{Extractor, InProcess, Raw};
use crate::ReadError;
use crate::readers::Extracted;
use crate::unpacking::Member;

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
    match request {
        Request::Extract { path, media_type } => {
            match InProcess.extract(Raw { path, media_type: media_type.as_deref(), bytes }) {
                Ok(mut extracted) => {
                    let text = std::mem::take(&mut extracted.text);
                    write_extracted(output, extracted, &text)
                }
                Err(error) => write_refused(output, &error),
            }
        }
        Request::Members { path } => answer_members(path, bytes, output),
    }
}

fn answer_members(path: &str, bytes: &[u8], output: &mut impl Write) -> io::Result<()> {
    let mut written = Ok(());
    let mut take = |Member { name, bytes }: Member| {
        let refused = bytes.as_ref().err().map(ToString::to_string);
        written = wire::write(output, &Response::Member { name, refused }, &bytes.unwrap_or_default());
        written.is_ok()
    };
    let done = InProcess.members(Raw { path, media_type: None, bytes }, &mut take);
    written?;
    match done {
        Ok(()) => wire::write(output, &Response::Done, &[]),
        Err(error) => write_refused(output, &error),
    }
}

fn write_refused(output: &mut impl Write, error: &ReadError) -> io::Result<()> {
    wire::write(output, &Response::Refused { reason: error.to_string(), empty: error.is_empty() }, &[])
}

fn write_extracted(output: &mut impl Write, extracted: Extracted, text: &str) -> io::Result<()> {
    match wire::write(output, &Response::Extracted(extracted), text.as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => wire::write(output, &Response::TooMuch, &[]),
        done => done,
    }
}
