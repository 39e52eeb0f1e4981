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
        "Intro\n\n- one\n- two\n\nmore\n\n  1. deep\n\nend"
    );
    let page = read(
        "<table><caption>Doses</caption><tr><th>Drug<th>Dose</tr><tr><td></td><td> </td></tr>\
         <tr><td><p>A</p><p>B</p><td>5<br>mg</table>",
    );
    assert_eq!(page.text, "Doses\n\n| Drug | Dose |\n|---|---|\n| A B | 5 mg |");
    assert_eq!(page.blocks.len(), 2);
    assert_eq!(page.blocks[1].kind, BlockKind::Table);
    let layout = read("<table><tr><td><h2>Head</h2><p>Text</p><td>Side</table>");
    assert_eq!(layout.text, "Head\n\nText\n\nSide");
    let rows = "<tr><td><h4>Name</h4>What it is<td>a<td>b<td>c</tr>".repeat(3);
    assert_eq!(text(&format!("<table>{rows}</table>")), ["| Name What it is | a | b | c |"; 3].join("\n"));
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
    let refused = Html.read(b"<script>x</script><img src=x.png>", Path::new("a.html")).unwrap_err();
    assert_eq!(refused.to_string(), "no text in it");
}

#[test]
fn numbered_lists_keep_their_numbers() {
    assert_eq!(
        text("<ol start=4><li>a<li value=9>b<ol type=a><li>c<li>d</ol><li>e</ol>"),
        "4. a\n9. b\n  a. c\n  b. d\n10. e"
    );
    assert_eq!(text("<ol reversed><li>a<li>b</ol><ol type=I start=4><li>c</ol>"), "2. a\n1. b\nIV. c");
}

#[test]
fn struck_out_text_is_left_out_and_reported() {
    let page = read(
        "<p>Every <del>90</del><ins>30</ins> days, <s>ethanol</s> soap<span style='text-decoration: line-through'>!</span>.</p>",
    );
    assert_eq!(page.text, "Every 30 days, soap .");
    assert_eq!(page.notes, ["3 struck-out passages were left out"]);
}

#[test]
fn boxes_inside_the_content_are_content() {
    let caution = "<aside><p>Never open it.</p></aside>";
    assert_eq!(
        text(&format!("<main><p>Load it.</p>{caution}<p>Start.</p></main>{caution}")),
        "Load it.\n\nNever open it.\n\nStart."
    );
    assert_eq!(text("<p>Load it.</p><aside class='note caution'>Hot.</aside><aside>Ad</aside>"), "Load it.\n\nHot.");
    assert_eq!(text("<details><summary>More</summary><p>Folded.</p></details>"), "More\n\nFolded.");
    assert_eq!(
        text(
            "<div role=tablist><button id=t role=tab>Linux</button></div><div role=tabpanel aria-labelledby=t hidden>Run it.</div>"
        ),
        "Linux:\n\nRun it."
    );
}

#[test]
fn exponents_indices_and_footnotes_are_readable() {
    assert_eq!(
        text("<p>10<sup>9</sup>/L of H<sub>2</sub>O, x<sub>i+1</sub>, the 1<sup>st</sup>, 2<sup>n-1</sup>.</p>"),
        "10^9/L of H2O, x_(i+1), the 1st, 2^(n-1)."
    );
    assert_eq!(
        text(
            "<p>5 mg<sup><a href='#f1'>1</a></sup> a day</p><section class=footnotes><ol><li id=f1>At night. \
             <a href='#r1' class=footnote-back>↩</a></ol></section>"
        ),
        "5 mg[^1] a day\n\n1. At night."
    );
    assert_eq!(text("<p>E = m<math><msup><mi>c</mi><mn>2</mn></msup></math></p>"), "E = mc^2");
}

#[test]
fn definitions_pictures_and_code_say_what_they_are() {
    assert_eq!(text("<dl><dt>PPE</dt><dd>Gloves</dd><dd>Mask</dd></dl>"), "PPE:\n\n- Gloves\n- Mask");
    assert_eq!(
        text("<figure><img alt='A pump, seen from above'><figcaption>Fig. 1</figcaption></figure><img alt=a.png>"),
        "A pump, seen from above\n\nFig. 1"
    );
    assert_eq!(text("<pre><code class=language-sh>ls\n</code></pre>"), "```sh\nls\n```");
    let picture = format!("<p>see data:image/png;base64,{} there</p>", "QUJD".repeat(100));
    assert_eq!(text(&picture), "see there");
}

#[test]
fn merged_cells_are_repeated() {
    assert_eq!(
        text(
            "<table><thead><tr><th>Ward<th colspan=2>Tests</tr></thead><tr><td rowspan=2>N<td>a<td>b</tr>\
             <tr><td>c<td>d</table>"
        ),
        "| Ward | Tests | Tests |\n|---|---|---|\n| N | a | b |\n| N | c | d |"
    );
}

#[test]
fn lists_in_cells_keep_their_items_and_numbers() {
    assert_eq!(
        text(
            "<table><tr><th>Step<th>Do<tr><td>1<td>First: <ul><li>open it<li>close it.<li>wait</ul>\
             <tr><td>2<td><ol start=3><li>turn<li>press</ol></table>"
        ),
        "| Step | Do |\n|---|---|\n| 1 | First: open it; close it. wait |\n| 2 | 3. turn; 4. press |"
    );
}

#[test]
fn marks_in_a_line_that_say_something_are_kept() {
    for (page, expected) in [
        ("<p><ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp>字<rt>じ</rt></ruby>を読む", "漢字(かんじ)を読む"),
        (
            "<p><abbr title='World Health Organization'>WHO</abbr> and <abbr title='World Health Organization'>WHO</abbr>",
            "WHO (World Health Organization) and WHO",
        ),
        ("<p>He said <q>close it</q>.", "He said “close it”."),
        ("<ul><li><input type=checkbox checked> done<li><input type=checkbox> open</ul>", "- [x] done\n- [ ] open"),
        ("<p>One</p><input type=checkbox> <input value=x>", "One"),
        (
            "<blockquote><p>Keep cold.</p><footer>— The pharmacist</footer></blockquote>",
            "Keep cold.\n\n— The pharmacist",
        ),
        ("<p>Text</p><footer>Imprint</footer>", "Text"),
        (
            "<p>See <img src=a.png title='a pump'> and <img src=b.png alt='' title='a frame'> that.",
            "See a pump and that.",
        ),
    ] {
        assert_eq!(text(page), expected, "{page}");
    }
}

#[test]
fn very_deep_pages_are_read() {
    for tags in
        ["<div>", "<ul><li>", "<table><tr><td>", "<span>", "<blockquote><p>", "<x></y>", "<svg><g>", "<pre>", "<b><p>"]
    {
        let page = format!("<p>start</p>{}the bottom", tags.repeat(20_000));
        let text = Html.read(page.as_bytes(), Path::new("a.html")).map(|page| page.text).unwrap_or_default();
        assert!(text.contains("start"), "{tags}");
        if tags != "<svg><g>" {
            assert!(text.contains("the bottom"), "{tags}");
        }
    }
    let unclosed: String = (0..10_000).map(|n| format!("<div><b id={n}>x</div>")).collect();
    assert_eq!(text(&unclosed).len(), 10_000 * "x\n\n".len() - 2);
    let drawing = format!("<div><svg>{}</svg></div><p>after", "<path d='M0'/>".repeat(1_000));
    assert_eq!(text(&drawing), "after");
    let closed = format!("{}deep{}<p>after", "<div>".repeat(20_000), "</div>".repeat(20_000));
    assert_eq!(text(&closed), "deep\n\nafter");
}
