//! llama.cpp's own words about a file that it cannot load.
//!
//! It tells its caller that loading failed, and its log why. The log is read for that one purpose.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use llama_cpp_2::llama_backend::LlamaBackend;
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::model::params::LlamaModelParams;
use llama_cpp_2::{LogOptions, send_logs_to_tracing};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// Errors that llama.cpp logs when it is asked once more to load a file that it could not load.
pub(super) fn about(backend: &LlamaBackend, file: &Path, params: &LlamaModelParams) -> Option<String> {
    send_logs_to_tracing(LogOptions::default());
    let complaints = Complaints::default();
    let subscriber = complaints.clone();
    let again = tracing::subscriber::with_default(subscriber, || LlamaModel::load_from_file(backend, file, params));
    let said = complaints.0.lock().unwrap_or_else(PoisonError::into_inner);
    // The later ones say again that it failed.
    let cause = said.first().filter(|_| again.is_err())?;
    Some(cause.trim_start_matches("error loading model: ").to_owned())
}

/// A subscriber that keeps the errors of this thread's llama.cpp.
#[derive(Debug, Clone, Default)]
struct Complaints(Arc<Mutex<Vec<String>>>);

impl Subscriber for Complaints {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && *metadata.level() == Level::ERROR
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut Message(self));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Message<'c>(&'c Complaints);

impl Visit for Message<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.0.0.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{value:?}"));
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }
}
