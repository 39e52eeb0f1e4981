//! Source code, settings and logs: the file's text verbatim, cut at its lines.

use std::path::Path;

use super::plain::paragraphs;
use super::{BlockKind, Extracted, Reader, data_addresses};
use crate::{ReadError, decode::decode};

pub(super) struct SourceCode;

impl Reader for SourceCode {
    fn endings(&self) -> &'static [&'static str] {
        &[
            "bash",
            "bat",
            "c",
            "cc",
            "cfg",
            "clj",
            "cmake",
            "conf",
            "cpp",
            "cs",
            "css",
            "cu",
            "dart",
            "el",
            "ex",
            "exs",
            "f90",
            "go",
            "gradle",
            "graphql",
            "h",
            "hcl",
            "hpp",
            "hs",
            "ini",
            "java",
            "jl",
            "js",
            "jsx",
            "kt",
            "lisp",
            "log",
            "lua",
            "m",
            "ml",
            "mm",
            "nix",
            "php",
            "pl",
            "pm",
            "properties",
            "proto",
            "ps1",
            "py",
            "r",
            "rb",
            "rs",
            "scala",
            "scss",
            "sh",
            "sql",
            "svelte",
            "swift",
            "tex",
            "tf",
            "toml",
            "ts",
            "tsx",
            "vb",
            "vue",
            "xml",
            "yaml",
            "yml",
            "zig",
        ]
    }

    fn media_types(&self) -> &'static [&'static str] {
        &[
            "text/x-source",
            "text/css",
            "text/javascript",
            "application/javascript",
            "application/xml",
            "text/xml",
            "application/yaml",
            "application/toml",
        ]
    }

    fn read(&self, bytes: &[u8], _: &Path) -> Result<Extracted, ReadError> {
        let text = decode(bytes)?;
        let blocks = data_addresses::cut_out(&text, paragraphs(&text, &BlockKind::Code));
        Ok(Extracted { text, blocks, ..Extracted::default() })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn code_is_the_file_in_blocks_of_lines() {
        let file = "fn a() {\n    one();\n}\n\nfn b() {}\n";
        let read = SourceCode.read(file.as_bytes(), Path::new("a.rs")).unwrap();
        assert_eq!((read.text.as_str(), read.blocks.len()), (file, 2));
        assert_eq!(read.blocks[0].kind, BlockKind::Code);
    }
}
