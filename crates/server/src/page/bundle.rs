//! Makes one document of the files in `web/`, without any tool but this.
//!
//! Each module becomes a block, which has names of its own, and leaves what it exports in an object for those behind
//! it. That takes three rules: an import is one line of names, an export stands before a function or a constant, and
//! modules are listed after those that they import.

use std::fmt::Write as _;

/// A module of the page's script.
struct Module {
    name: &'static str,
    source: &'static str,
}

macro_rules! modules {
    ($($name:literal),* $(,)?) => {
        &[$(Module { name: $name, source: include_str!(concat!("../../../../web/", $name)) }),*]
    };
}

const PAGE: &str = include_str!("../../../../web/index.html");
const STYLES: [&str; 2] = [include_str!("../../../../web/base.css"), include_str!("../../../../web/style.css")];
const MODULES: &[Module] = modules![
    "dom.js",
    "text.js",
    "inline.js",
    "markdown.js",
    "api.js",
    "conversations.js",
    "export.js",
    "evidence.js",
    "seen.js",
    "answer.js",
    "thread.js",
    "filters.js",
    "composer.js",
    "sidebar.js",
    "status.js",
    "start.js",
    "keyboard.js",
    "documents-api.js",
    "documents.js",
    "document-dialog.js",
    "main.js",
];

/// How the page names its styles and its script as long as they are files.
const STYLE_LINKS: &str = "<link rel=\"stylesheet\" href=\"base.css\">\n<link rel=\"stylesheet\" href=\"style.css\">";
const SCRIPT_LINK: &str = "<script type=\"module\" src=\"main.js\"></script>";

/// The page as one document.
pub(super) struct Bundle {
    pub(super) html: String,
    /// The script in it, as a browser hashes it.
    pub(super) script: String,
    /// The style in it.
    pub(super) style: String,
}

impl Bundle {
    /// The files that this program was built with.
    pub(super) fn of_the_page() -> Self {
        let (script, style) = (script(MODULES), STYLES.concat());
        let html = PAGE
            .replace(STYLE_LINKS, &format!("<style>{style}</style>"))
            .replace(SCRIPT_LINK, &format!("<script type=\"module\">{script}</script>"));
        Self { html, script, style }
    }
}

fn script(modules: &[Module]) -> String {
    let mut script = String::from("const modules = {};\n");
    for Module { name, source } in modules {
        script.push_str("{\n");
        let mut exported = Vec::new();
        for line in source.lines() {
            if let Some((names, from)) = import(line) {
                let _ = writeln!(script, "const {{{names}}} = modules[\"{from}\"];");
            } else if let Some(declaration) = line.strip_prefix("export ") {
                exported.extend(declared(declaration));
                let _ = writeln!(script, "{declaration}");
            } else {
                let _ = writeln!(script, "{line}");
            }
        }
        let _ = writeln!(script, "modules[\"{name}\"] = {{ {} }};\n}}", exported.join(", "));
    }
    script
}

/// The names of an import and the module that they come from.
fn import(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix("import {")?.strip_suffix("\";")?.split_once("} from \"./")
}

/// The name that a function, a class or a constant gets.
fn declared(declaration: &str) -> Option<&str> {
    let kinds = ["async function ", "function ", "class ", "const "];
    let name = kinds.iter().find_map(|kind| declaration.strip_prefix(kind))?;
    name.split(|c: char| !c.is_alphanumeric() && c != '_').next()
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::Path;

    use super::*;

    #[test]
    fn a_module_becomes_a_block_that_leaves_what_it_exports() {
        let modules = [
            Module {
                name: "a.js",
                source: "const own = 1;\nexport function f() {\n  return own;\n}\nexport const C = 2;\n",
            },
            Module { name: "b.js", source: "import { f, C } from \"./a.js\";\nf(C);\n" },
        ];
        let expected = "const modules = {};\n\
            {\nconst own = 1;\nfunction f() {\n  return own;\n}\nconst C = 2;\nmodules[\"a.js\"] = { f, C };\n}\n\
            {\nconst { f, C } = modules[\"a.js\"];\nf(C);\nmodules[\"b.js\"] = {  };\n}\n";
        assert_eq!(script(&modules), expected);
    }

    #[test]
    fn every_module_is_listed_behind_those_that_it_imports_names_of() {
        let mut exported = BTreeMap::new();
        for Module { name, source } in MODULES {
            for line in source.lines().filter(|line| line.starts_with("import")) {
                let (names, from) = import(line).unwrap_or_else(|| panic!("{name}: not one line of names: {line}"));
                let there: &BTreeSet<&str> = exported.get(from).unwrap_or_else(|| panic!("{name} is before {from}"));
                for wanted in names.split(',').map(str::trim) {
                    assert!(there.contains(wanted), "{name}: {from} exports no {wanted}");
                }
            }
            let names = source.lines().filter_map(|line| line.strip_prefix("export "));
            let names = names.map(|line| declared(line).unwrap_or_else(|| panic!("{name}: cannot export {line}")));
            exported.insert(*name, names.collect());
        }
    }

    #[test]
    fn every_file_of_the_folder_is_in_the_page() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web");
        let files =
            std::fs::read_dir(folder).expect("the folder is there").map(|entry| entry.expect("an entry").file_name());
        let scripts: BTreeSet<String> =
            files.filter_map(|name| name.into_string().ok()).filter(|name| name.ends_with(".js")).collect();
        assert_eq!(scripts, MODULES.iter().map(|module| module.name.to_owned()).collect());
    }

    #[test]
    fn style_and_script_are_in_the_document_once_and_end_where_they_should() {
        let Bundle { html, script, style } = Bundle::of_the_page();
        assert!(html.contains(&script) && html.contains(&style));
        assert_eq!((html.matches("</script>").count(), html.matches("</style>").count()), (1, 1));
        assert!(!html.contains(STYLE_LINKS) && !html.contains(SCRIPT_LINK));
    }
}
