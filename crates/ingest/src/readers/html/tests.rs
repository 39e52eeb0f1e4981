#![allow(clippy::unwrap_used)]

use std::path::Path;

use super::super::{BlockKind, Extracted, Reader};
use super::Html;

fn read(page: &str) -> Extracted {
    let read = Html.read(page.as_bytes(), Path::new("a.html")).unwrap();
    let mut end = 0;
    for block in &read.blocks {
        assert!(end <= block.span.start && block.span.end <= read.text.len());
        assert!(!read.text[block.span.start..block.span.end].trim().is_empty());
        end = block.span.end;
    }
    read
}

fn text(page: &str) -> String {
    read(page).text
}

#[test]
fn blocks_are_parted_by_blank_lines_and_white_space_collapses() {
    assert_eq!(
        text("<p>One  <b>bo</b>ld\n word<br>next line</p><div>Two&nbsp;three<p>Four</div>tail"),
        "One bold word\nnext line\n\nTwo three\n\nFour\n\ntail"
    );
    assert_eq!(text("<p>hy&shy;phen &amp; &lt;tag&gt;</p>"), "hyphen & <tag>");
}

#[test]
fn headings_and_the_title_are_known() {
    let page =
        read("<head><title> My\n page </title></head><h1>Top <a class=headerlink href=#x>¶</a></h1>x<h3>Deep</h3>y");
    assert_eq!(page.title.as_deref(), Some("My page"));
    assert_eq!(page.text, "Top\n\nx\n\nDeep\n\ny");
    assert_eq!(page.blocks[0].kind, BlockKind::Heading { level: 1, title: "Top".to_owned() });
    assert_eq!(page.blocks[2].kind, BlockKind::Heading { level: 3, title: "Deep".to_owned() });
    assert_eq!(read("<svg><title>No</title></svg><h1>Only  heading</h1>").title.as_deref(), Some("Only heading"));
}

#[test]
fn lists_and_tables_have_their_shape() {
    assert_eq!(
        text("<p>Intro<ul><li>one<li><p>two</p><p>more</p><ol><li>deep</ol><li></ul>end"),
        "Intro\n\n- one\n- two\n\nmore\n\n  - deep\n\nend"
    );
    let page = read(
        "<table><caption>Doses</caption><tr><th>Drug<th>Dose</tr><tr><td></td><td> </td></tr>\
         <tr><td><p>A</p><p>B</p><td>5<br>mg</table>",
    );
    assert_eq!(page.text, "Doses\nDrug | Dose\nA B | 5 mg");
    assert_eq!(page.blocks.len(), 1);
    assert_eq!(page.blocks[0].kind, BlockKind::Table);
    let layout = read("<table><tr><td><h2>Head</h2><p>Text</p><td>Side</table>");
    assert_eq!(layout.text, "Head\n\nText\n\nSide");
    let rows = "<tr><td><h4>Name</h4>What it is<td>a<td>b<td>c</tr>".repeat(3);
    assert_eq!(text(&format!("<table>{rows}</table>")), ["Name What it is | a | b | c"; 3].join("\n"));
}

#[test]
fn code_keeps_its_lines() {
    let page = read("<p>x</p><pre><code>if a:\n    b\n</code></pre>y");
    assert_eq!(page.text, "x\n\nif a:\n    b\n\ny");
    assert_eq!(page.blocks[1].kind, BlockKind::Code);
}

#[test]
fn only_content_is_read() {
    let page = "<header><h1>Site</h1></header><nav>Menu</nav><div role=navigation>Menu</div><script>var x</script>\
                <style>p{}</style><noscript>no</noscript><template>t</template><aside>ad</aside>\
                <form><label>Name</label><input value=v><select><option>o</select><button>Send</button></form>\
                <p hidden>h</p><p style='color: red; DISPLAY : none'>h</p><span aria-hidden=true>h</span>\
                <p>Content</p><footer>Foot</footer>";
    assert_eq!(text(page), "Name\n\nContent");
}

#[test]
fn main_content_is_preferred_when_it_has_the_text() {
    let words = "word ".repeat(50);
    let main = format!("<div>Menu</div><main><header><h1>Title</h1></header><p>{words}</main><div>More</div>");
    assert_eq!(text(&main), format!("Title\n\n{}", words.trim()));
    assert!(text(&main.replace("main>", "article>").replace(&words, "few words")).starts_with("Title\n\nfew"));
    let empty_main = format!("<main><p>Loading</main><p>{words}");
    assert!(text(&empty_main).contains("word word"));
    let teasers = format!("<article>{words}</article><article>two</article>");
    assert!(text(&teasers).ends_with("two"));
}

#[test]
fn a_page_without_words_is_refused() {
    let refused = Html.read(b"<script>x</script><img alt=pic>", Path::new("a.html")).unwrap_err();
    assert_eq!(refused.to_string(), "no text in it");
}

#[test]
fn very_deep_pages_are_read_in_time() {
    let began = std::time::Instant::now();
    for tags in
        ["<div>", "<ul><li>", "<table><tr><td>", "<span>", "<blockquote><p>", "<x></y>", "<svg><g>", "<pre>", "<b><p>"]
    {
        let page = format!("<p>start</p>{}the bottom", tags.repeat(100_000));
        assert!(page.len() < 2 << 20);
        let text = Html.read(page.as_bytes(), Path::new("a.html")).map(|page| page.text).unwrap_or_default();
        assert!(text.contains("start"), "{tags}");
        if tags != "<svg><g>" {
            assert!(text.contains("the bottom"), "{tags}");
        }
    }
    let unclosed: String = (0..50_000).map(|n| format!("<div><b id={n}>x</div>")).collect();
    assert_eq!(text(&unclosed).len(), 50_000 * "x\n\n".len() - 2);
    let drawing = format!("<div><svg>{}</svg></div><p>after", "<path d='M0'/>".repeat(1_000));
    assert_eq!(text(&drawing), "after");
    let closed = format!("{}deep{}<p>after", "<div>".repeat(100_000), "</div>".repeat(100_000));
    assert_eq!(text(&closed), "deep\n\nafter");
    assert!(began.elapsed().as_secs() < 20, "took {:?}", began.elapsed());
}
