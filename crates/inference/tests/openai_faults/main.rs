//! Models behind an endpoint that does all that endpoints do when they do not do what they should.

mod chat;
mod embeddings;
mod scripted;
