//! The reader that comes with the program (`reader/`, trained by `training/`).

use qanda_core::ModelError;

use super::package::Package;

const DESCRIPTION: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../reader/reader.json"));
const WEIGHTS: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../reader/reader.safetensors"));

pub(super) fn package() -> Result<Package<'static>, ModelError> {
    Package::new("built-in", DESCRIPTION, WEIGHTS.into())
}
