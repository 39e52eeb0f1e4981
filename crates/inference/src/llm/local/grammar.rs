//! Grammars that hold a model to JSON of a shape, in llama.cpp's notation (GBNF).

use qanda_core::ports::Shape;

/// Rules that every grammar needs. White space is bounded, or a small model would write nothing else. Of the `\u` escapes
/// the halves of surrogate pairs are left out: one alone is no JSON string, and characters beyond `\uffff` may
/// stand for themselves.
const COMMON: &str = r#"
ws ::= | " " | "\n" " "{0,8}
string ::= "\"" char* "\""
char ::= [^"\\\x00-\x1F] | "\\" (["\\/bfnrt] | "u" code)
code ::= [0-9a-cA-CefEF] hex hex hex | [dD] [0-7] hex hex
hex ::= [0-9a-fA-F]
"#;

/// Longest list. llama.cpp refuses or forgets bounds beyond some 2000.
const LONGEST_LIST: usize = 1000;

/// The grammar of a shape; its start is the rule `root`. None when a list's bounds exclude each other or are too
/// large.
pub(super) fn grammar(shape: &Shape) -> Option<String> {
    Some(format!("root ::= {}\n{}", expression(shape)?, COMMON.trim_start()))
}

fn expression(shape: &Shape) -> Option<String> {
    match shape {
        Shape::Text => Some("string".to_owned()),
        Shape::Object(fields) => {
            let field = |(name, shape): &(&'static str, Shape)| {
                Some(format!("{} ws \":\" ws {}", literal(name)?, expression(shape)?))
            };
            let fields = fields.iter().map(field).collect::<Option<Vec<_>>>()?;
            Some(format!("\"{{\" ws {} ws \"}}\"", fields.join(" ws \",\" ws ")))
        }
        Shape::List { most: 0, least: 0, .. } => Some(r#""[" ws "]""#.to_owned()),
        Shape::List { of, least, most } => {
            if least > most || *most > LONGEST_LIST {
                return None;
            }
            let more = most - 1;
            let item = expression(of)?;
            let items = format!("{item} (ws \",\" ws {item}){{{},{more}}} ws", least.saturating_sub(1));
            let optional = if *least == 0 { "?" } else { "" };
            Some(format!("\"[\" ws ({items}){optional} \"]\""))
        }
    }
}

/// A JSON string as a literal of the grammar. Both escape quotes and backslashes, one after the other.
fn literal(name: &str) -> Option<String> {
    let json = serde_json::to_string(name).ok()?;
    Some(format!("\"{}\"", json.replace('\\', "\\\\").replace('"', "\\\"")))
}

#[cfg(test)]
mod tests {
    use qanda_core::ports::Shape;

    use super::{COMMON, grammar, literal};

    fn root(shape: &Shape) -> String {
        let grammar = grammar(shape).expect("a grammar");
        let (root, common) = grammar.split_once('\n').expect("two parts");
        assert_eq!(common, COMMON.trim_start());
        root.trim_start_matches("root ::= ").to_owned()
    }

    fn list(least: usize, most: usize) -> Shape {
        Shape::List { of: Box::new(Shape::Text), least, most }
    }

    #[test]
    fn an_object_has_its_fields_in_order() {
        let shape = Shape::Object(vec![("b", Shape::Text), ("a", Shape::Object(vec![("x", Shape::Text)]))]);
        let expected = r#""{" ws "\"b\"" ws ":" ws string ws "," ws "\"a\"" ws ":" ws "{" ws "\"x\"" ws ":" ws string ws "}" ws "}""#;
        assert_eq!(root(&shape), expected);
        assert_eq!(root(&Shape::Object(vec![])), r#""{" ws  ws "}""#);
    }

    #[test]
    fn a_list_keeps_its_bounds() {
        assert_eq!(root(&list(2, 5)), r#""[" ws (string (ws "," ws string){1,4} ws) "]""#);
        assert_eq!(root(&list(0, 1)), r#""[" ws (string (ws "," ws string){0,0} ws)? "]""#);
        assert_eq!(root(&list(0, 0)), r#""[" ws "]""#);
        for (least, most) in [(3, 2), (1, 0), (0, 1001)] {
            assert_eq!(grammar(&list(least, most)), None);
        }
    }

    #[test]
    fn names_are_escaped_twice() {
        assert_eq!(literal(r#"a"b\"#).expect("a literal"), r#""\"a\\\"b\\\\\"""#);
    }
}
