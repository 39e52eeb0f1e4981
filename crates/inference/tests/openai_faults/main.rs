//! Models behind an endpoint that does all that endpoints do when they do not do what they should.

mod asking;
mod chat;
mod deadlines;
mod dialects;
mod embeddings;
mod scripted;
mod streams;
mod thoughts;
