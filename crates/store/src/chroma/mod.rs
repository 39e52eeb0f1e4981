//! STUB
#![allow(missing_docs)]
use qanda_core::{StoreError, ports::EmbedderIdentity};
use std::time::Duration;
#[derive(Debug, Clone)]
pub enum TokenHeader {
    Authorization,
    XChromaToken,
}
#[derive(Debug, Clone)]
pub struct ChromaSettings {
    pub host: String,
    pub port: u16,
    pub ssl: bool,
    pub tenant: String,
    pub database: String,
    pub collection: String,
    pub token: Option<String>,
    pub token_header: TokenHeader,
    pub connect_timeout: Duration,
    pub timeout: Duration,
}
pub struct ChromaStore;
impl ChromaStore {
    pub fn new(_: ChromaSettings, _: Option<EmbedderIdentity>) -> Result<crate::embedded::EmbeddedStore, StoreError> {
        Err(StoreError::failed("x", "stub"))
    }
}
