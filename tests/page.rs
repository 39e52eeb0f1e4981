//! The page, in a real browser.

use std::fs;

use qanda_tests::browser::{Browser, axe, key};
use qanda_tests::data::{folder, ingest, write};
use qanda_tests::{Mock, Server};
use serde_json::{Value, json};

const EGFR: &str = "At what eGFR must metformin be stopped?";
const FRANCE: &str = "What is the capital of France?";
/// A marker of the last answer that is a citation.
const MARKER: &str = ".turn:last-child .marker[data-marker]";

/// Opens the page with an empty profile, on a screen that has room for everything.
fn open(server: &Server) -> Option<Browser> {
    open_at(server, 1280, 800)
}

fn open_at(server: &Server, width: u32, height: u32) -> Option<Browser> {
    let browser = Browser::open(width, height)?;
    browser.go(&address(server));
    browser.wait("document.querySelector('.light.ready')");
    Some(browser)
}

fn address(server: &Server) -> String {
    format!("http://{}/", server.address())
}

/// Types a question and sends it with the Enter key.
fn send(browser: &Browser, question: &str) {
    browser.run("document.getElementById('question').focus()");
    browser.keys(&format!("{question}{}", key::ENTER));
    browser.wait(&format!("document.querySelector('.turn:last-child .question')?.innerText === {}", json!(question)));
}

/// Asks a question and waits for the end of its answer, which must be of this kind.
fn ask(browser: &Browser, question: &str, state: &str) {
    send(browser, question);
    browser.wait(&format!("document.querySelector('.turn:last-child').dataset.state === {}", json!(state)));
}

/// A server whose language model says always this.
fn saying(text: &str, more: &[&str]) -> (Mock, Server) {
    let words = text.split_whitespace().count().to_string();
    let model = Mock::start(&[&["--latency", "0", "--text", text, "--tokens", &words], more].concat());
    let server = over(&model);
    (model, server)
}

fn over(model: &Mock) -> Server {
    let url = model.base_url();
    Server::over_samples(&[
        "--llm",
        "openai",
        "--openai-base-url",
        url,
        "--openai-model",
        "mock",
        "--grounding",
        "marked",
    ])
}

/// Lets the service learn from a first answer how the endpoint answers; only then does it pass on what is half said.
fn get_to_know(model: &Server) {
    assert_eq!(model.ask(&json!({"content": "Hello?", "query_option": false})).status(), 200);
}

/// Whether the panel shows words highlighted in a longer passage.
fn assert_evidence(browser: &Browser, quoted: &str, document: &str) {
    browser.wait("document.querySelector('#evidence:not([hidden]) .quotation mark')");
    browser.wait("document.querySelector('.quotation').textContent.length > document.querySelector('.quotation mark').textContent.length");
    let marked = browser.text("#evidence mark");
    assert!(marked.contains(quoted), "{marked}");
    assert_eq!(browser.text("#evidence .address"), document);
}

fn focused(browser: &Browser) -> String {
    let told = browser.value("const now = document.activeElement; return now === document.body ? 'BODY' : now.id || now.className || now.tagName");
    told.as_str().expect("a name").to_owned()
}

#[test]
fn a_question_is_answered_with_its_evidence_beside_it() {
    let server = Server::shared();
    let Some(browser) = open(&server) else { return };
    ask(&browser, EGFR, "done");
    let answer = browser.text(".turn:last-child .answer");
    assert!(answer.contains("eGFR is below 30"), "{answer}");
    assert_evidence(&browser, "eGFR is below 30", "examples/kidney-disease.md");
    assert_eq!(browser.count(MARKER), browser.count(".turn:last-child .sources li"));
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn a_pointer_a_tap_and_the_tab_key_open_the_evidence_of_a_marker() {
    let server = Server::shared();
    let Some(browser) = open(&server) else { return };
    ask(&browser, EGFR, "done");
    let closed = || {
        browser.press("Close the evidence");
        browser.run("document.activeElement.blur()");
        browser.wait("document.getElementById('evidence').hidden");
    };
    closed();
    browser.point_at(".marker[data-marker='2']");
    assert_evidence(&browser, "Do not start metformin", "examples/type-2-diabetes.md");
    closed();
    browser.click(".marker[data-marker='1']");
    assert_evidence(&browser, "Review metformin", "examples/kidney-disease.md");
    // From one marker to the next, with nothing else between them.
    browser.keys(key::TAB);
    assert_eq!(browser.value("return document.activeElement.dataset.marker"), "2");
    assert_evidence(&browser, "Do not start metformin", "examples/type-2-diabetes.md");
}

#[test]
fn the_keyboard_alone_leads_through_question_answer_and_evidence() {
    let server = Server::shared();
    let Some(browser) = open(&server) else { return };
    browser.keys("/");
    assert_eq!(focused(&browser), "question");
    ask(&browser, EGFR, "done");
    let marker = || browser.value("return document.activeElement.dataset.marker");
    browser.keys("]");
    assert_eq!(marker(), "1");
    browser.keys("]");
    assert_eq!(marker(), "2");
    assert_evidence(&browser, "Do not start metformin", "examples/type-2-diabetes.md");
    browser.keys("[");
    assert_eq!(marker(), "1");
    browser.keys(key::ENTER);
    assert_eq!(browser.value("return document.getElementById('evidence').contains(document.activeElement)"), true);
    browser.keys(key::ESCAPE);
    assert_eq!((marker(), browser.count("#evidence[hidden]")), (json!("1"), 1));
    browser.keys(key::ESCAPE);
    assert_eq!(focused(&browser), "question");
    // A question that was begun may hold these characters.
    browser.keys("a[1]/?");
    assert_eq!(browser.value("return document.getElementById('question').value"), "a[1]/?");
}

#[test]
fn what_the_documents_do_not_say_looks_like_a_refusal_with_the_nearest_passages() {
    let server = Server::shared();
    let Some(browser) = open(&server) else { return };
    ask(&browser, FRANCE, "refused");
    assert!(browser.text(".refusal").to_lowercase().contains("not in the documents"));
    assert_eq!((browser.count(MARKER), browser.count(".refusal .near")), (0, 3));
    browser.click(".refusal .near");
    browser.wait("document.querySelector('#evidence:not([hidden]) mark')");
    let near = browser.text(".refusal .near .near-title");
    assert_eq!(browser.text("#evidence h2"), near);
}

#[test]
fn what_the_model_saw_is_a_table_with_both_ranks() {
    let server = Server::shared();
    let Some(browser) = open(&server) else { return };
    ask(&browser, EGFR, "done");
    browser.click(".turn:last-child .seen summary");
    browser.wait("document.querySelector('.seen tbody tr')");
    let hits: Value =
        server.post("/apis/search").json(&json!({"content": EGFR})).send().expect("responds").json().expect("JSON");
    let hits = hits["hits"].as_array().expect("hits");
    assert_eq!(browser.count(".seen tbody tr"), hits.len() as u64);
    let row = browser.text(".seen tbody tr");
    for shown in [&hits[0]["title"], &hits[0]["ranks"]["dense"], &hits[0]["ranks"]["lexical"]] {
        let shown = shown.as_str().map_or_else(|| shown.to_string(), ToOwned::to_owned);
        assert!(row.contains(&shown), "{shown}: {row}");
    }
}

#[test]
fn an_answer_streams_in_and_can_be_stopped_and_asked_again() {
    // Answers are sent by sentences.
    let model = Mock::start(&["--latency", "0", "--text", "One word.", "--tokens", "80", "--token-rate", "20"]);
    let server = over(&model);
    get_to_know(&server);
    let Some(browser) = open(&server) else { return };
    send(&browser, EGFR);
    let length = "document.querySelector('.turn .answer').innerText.split('word').length";
    browser.wait(&format!("{length} > 3 && document.querySelector('.turn').dataset.state === 'asking'"));
    browser.press("Stop");
    browser.wait("document.querySelector('.turn').dataset.state === 'stopped'");
    assert!(browser.text(".turn .answer").starts_with("One word."));
    assert!(browser.text(".turn").contains("Stopped"), "{}", browser.text(".turn"));
    browser.press("Ask again");
    browser.wait(&format!("document.querySelector('.turn').dataset.state === 'asking' && {length} > 3"));
    assert_eq!(browser.count(".turn"), 1);
    // The button of the field stops as well.
    browser.click("#send");
    browser.wait("document.querySelector('.turn').dataset.state === 'stopped'");
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn a_model_that_dies_in_the_middle_is_a_failure_with_what_it_had_said() {
    // The first request is answered, those behind it break off.
    let faults = ["--cut", "0.5", "--seed", "7"];
    let model =
        Mock::start(&[&["--latency", "0", "--text", "It is half said.", "--tokens", "40"], &faults[..]].concat());
    let server = over(&model);
    get_to_know(&server);
    let Some(browser) = open(&server) else { return };
    ask(&browser, EGFR, "failed");
    let shown = browser.text(".turn .problem");
    assert!(shown.contains("half said") && shown.contains("Request "), "{shown}");
    let request = browser.text(".turn .problem code");
    browser.press("Ask again");
    browser.wait(&format!(
        "![undefined, {}].includes(document.querySelector('.turn .problem code')?.innerText)",
        json!(request)
    ));
}

#[test]
fn a_service_that_is_gone_is_said_to_be_and_the_question_can_be_asked_again() {
    let mut server = Server::over_samples(&[]);
    let Some(browser) = open(&server) else { return };
    server.signal("TERM");
    server.wait();
    ask(&browser, EGFR, "failed");
    let shown = browser.text(".turn .problem");
    assert!(shown.contains("cannot be reached"), "{shown}");
}

#[test]
fn answers_are_shown_as_markdown_and_nothing_in_them_runs() {
    let attack = "**bold** <script>window.ran=1</script> <img src=x onerror=window.ran=1> \
                  [link](javascript:window.ran=1) [site](https://example.org/a) `a[0]` *soft* [1] <svg onload=window.ran=1>";
    let (_model, server) = saying(attack, &[]);
    let Some(browser) = open(&server) else { return };
    ask(&browser, EGFR, "done");
    let shown = browser.text(".turn .answer");
    for text in ["<script>window.ran=1</script>", "<img src=x", "[link](javascript:window.ran=1)", "<svg onload"] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    for (selector, count) in [("script", 0), ("img", 0), ("svg", 0), ("a", 1), ("strong", 1), ("em", 1), ("code", 1)] {
        assert_eq!(browser.count(&format!(".turn .answer {selector}")), count, "{selector}: {shown}");
    }
    assert_eq!(browser.value("return document.querySelector('.answer a').href"), "https://example.org/a");
    assert_eq!(browser.value("return window.ran ?? null"), Value::Null);
}

#[test]
fn a_passage_with_a_script_in_it_does_nothing() {
    let (data, documents) = (folder(), folder());
    let text = "# Plants\n\nThe ficus is watered every <script>window.ran=1</script><img src=x onerror=window.ran=1> ninth day.\n";
    write(documents.path(), "plants.md", text);
    ingest(data.path(), documents.path());
    let server = Server::start(data.path(), &[]);
    let Some(browser) = open(&server) else { return };
    ask(&browser, "How often is the ficus watered?", "done");
    browser.wait("document.querySelector('#evidence mark')");
    assert!(browser.text("#evidence mark").contains("<script>window.ran=1</script>"));
    assert_eq!(browser.value("return window.ran ?? null"), Value::Null);
}

#[test]
fn the_policy_forbids_what_the_page_does_not_do() {
    let server = Server::shared();
    let front = server.get("/").send().expect("responds");
    let policy = front.headers()["content-security-policy"].to_str().expect("a header").to_owned();
    assert!(policy.starts_with("default-src 'none'; script-src 'sha256-") && !policy.contains("unsafe"), "{policy}");
    let etag = front.headers()["etag"].clone();
    let again = server.get("/").header("if-none-match", etag).send().expect("responds");
    assert_eq!(again.status(), 304);
    let Some(browser) = open(&server) else { return };
    let tried = browser.value(
        "const tried = [];\
         try { document.body.innerHTML += '<b>x</b>'; } catch { tried.push('html'); }\
         try { const s = document.createElement('script'); s.textContent = 'window.ran = 1'; document.body.append(s); } catch { tried.push('script'); }\
         return [tried, window.ran ?? null]",
    );
    assert_eq!(tried, json!([["html", "script"], null]));
    let outside =
        "const [done] = arguments; fetch('https://example.org/').then(() => done('sent'), () => done('refused'))";
    assert_eq!(browser.value_later(outside), "refused");
    let asked = browser.value("return performance.getEntriesByType('resource').filter((r) => !r.name.startsWith(location.origin) && !r.name.startsWith('data:')).map((r) => r.name)");
    assert_eq!(asked, json!([]));
}

#[test]
fn an_answer_is_copied_with_its_sources_and_linked_to() {
    let server = Server::shared();
    let Some(browser) = open(&server) else { return };
    browser.run("window.copied = []; navigator.clipboard.writeText = async (text) => { window.copied.push(text) }");
    ask(&browser, EGFR, "done");
    browser.press("Copy with sources");
    browser.press("Link to this answer");
    browser.wait("window.copied.length === 2");
    let copied = browser.value("return window.copied");
    let answer = copied[0].as_str().expect("a text");
    assert!(answer.contains("eGFR is below 30") && answer.contains("[1] Chronic kidney disease"), "{answer}");
    assert!(answer.contains("(examples/kidney-disease.md)") && answer.contains("> - Review metformin"), "{answer}");
    let link = copied[1].as_str().expect("a text");
    // Here it is the answer that was given.
    browser.go(&address(&server));
    browser.go(link);
    browser.wait("document.querySelector('.turn')?.dataset.state === 'done'");
    assert_eq!(browser.count(".conversation"), 1);
    // In a browser that never asked it is asked now.
    browser.run("localStorage.clear()");
    browser.go(&address(&server));
    browser.go(link);
    browser.wait("document.querySelector('.turn')?.dataset.state === 'done'");
    assert_eq!(browser.text(".turn .question"), EGFR);
}

#[test]
fn filters_narrow_what_is_searched() {
    let server = Server::shared();
    let Some(browser) = open(&server) else { return };
    browser.click("#filters summary");
    browser.run("document.getElementById('filter-name').focus()");
    browser.keys("topic");
    browser.keys(key::TAB);
    browser.keys("diabetes");
    browser.keys(key::ENTER);
    browser.wait("document.querySelector('.chip')?.innerText === 'topic: diabetes'");
    ask(&browser, EGFR, "done");
    let cited = browser.text(".turn .sources");
    assert!(cited.contains("Type 2 diabetes") && !cited.contains("kidney"), "{cited}");
    browser.press("Remove the filter topic");
    browser.run("const source = document.getElementById('source'); source.value = 'QA'; source.dispatchEvent(new Event('change'))");
    ask(&browser, EGFR, "refused");
}

#[test]
fn conversations_are_kept_followed_up_renamed_exported_and_deleted() {
    let server = Server::shared();
    let Some(browser) = open(&server) else { return };
    ask(&browser, "How often is eGFR measured in people with type 2 diabetes?", "done");
    browser.run(
        "const send = window.fetch; window.asked = [];\
         window.fetch = (path, options) => { if (path.endsWith('/q')) window.asked.push(JSON.parse(options.body)); return send(path, options) }",
    );
    send(&browser, "And in gestational diabetes?");
    browser.wait("['done', 'refused'].includes(document.querySelector('.turn:last-child').dataset.state)");
    let history = browser.value("return window.asked[0].history.map((turn) => turn.role)");
    assert_eq!(history, json!(["user", "assistant"]));
    browser.run("location.reload()");
    browser.wait("document.querySelectorAll('.turn').length === 2");

    browser.run("document.querySelector('[aria-label^=Rename]').click()");
    browser.run("document.querySelector('.rename').value = ''");
    browser.keys(&format!("Kidneys{}", key::ENTER));
    browser.wait("document.querySelector('.conversation a').innerText === 'Kidneys'");

    browser.run(
        "window.made = []; const make = URL.createObjectURL; URL.createObjectURL = (blob) => { blob.text().then((text) => window.made.push(text)); return make(blob) }",
    );
    browser.press("Export Kidneys as Markdown");
    browser.wait("window.made.length");
    let exported = browser.value("return window.made[0]");
    let exported = exported.as_str().expect("a text");
    assert!(exported.starts_with("# Kidneys\n\n## How often is eGFR measured"), "{exported}");
    assert!(exported.contains("## And in gestational diabetes?") && exported.contains("Sources"), "{exported}");

    browser.press("New conversation");
    ask(&browser, FRANCE, "refused");
    assert_eq!((browser.count(".conversation"), browser.count(".turn")), (2, 1));
    browser.press("Delete Kidneys");
    browser.wait("document.querySelectorAll('.conversation').length === 1");
    browser.press("Undo");
    browser.wait("document.querySelectorAll('.conversation').length === 2");
    browser.press("Delete Kidneys");
    browser.run("location.reload()");
    browser.wait(
        "document.querySelectorAll('.conversation').length === 1 && document.querySelectorAll('.turn').length === 1",
    );
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn a_full_store_offers_three_questions_and_each_is_answered() {
    let server = Server::shared();
    let Some(browser) = open(&server) else { return };
    browser.wait("document.querySelectorAll('.try-card').length === 3");
    assert!(browser.text("#status").contains("138 passages"), "{}", browser.text("#status"));
    for card in 1..=3 {
        browser.press("New conversation");
        browser.click(&format!(".try li:nth-child({card}) button"));
        browser.wait("document.querySelector('.turn')?.dataset.state === 'done'");
        assert!(browser.count(MARKER) > 0);
    }
}

#[test]
fn an_empty_store_says_how_to_add_documents() {
    let data = folder();
    let server = Server::start(data.path(), &[]);
    let Some(browser) = open(&server) else { return };
    browser.wait("document.querySelector('.start .command') && document.querySelector('.start .button')");
    assert!(browser.text(".start").contains("There are no documents yet"));
    assert_eq!(browser.count(".try-card"), 0);
}

#[test]
fn the_evidence_opens_its_document_at_the_place() {
    let server = Server::shared();
    let Some(browser) = open(&server) else { return };
    ask(&browser, EGFR, "done");
    browser.click(MARKER);
    browser.wait("document.getElementById('open-document')");
    browser.press("Open the document here");
    browser.wait("document.querySelector('#document-dialog mark')");
    let marked = browser.text("#document-dialog mark");
    assert!(marked.contains("eGFR is below 30"), "{marked}");
    let whole = browser.text("#document-dialog .document-text");
    assert!(whole.contains("# Chronic kidney disease in adults"), "{whole}");
    let seen = "const mark = document.querySelector('#document-dialog mark').getBoundingClientRect(); return mark.top > 0 && mark.bottom < innerHeight";
    assert_eq!(browser.value(seen), true);
    browser.keys(key::ESCAPE);
    browser.wait("!document.querySelector('#document-dialog[open]')");
}

#[test]
fn citations_of_other_clients_lead_to_their_words_on_the_page() {
    let server = Server::shared();
    let question = json!({"model": "qanda-direct", "messages": [{"role": "user", "content": EGFR}]});
    let answer: Value =
        server.post("/v1/chat/completions").json(&question).send().expect("responds").json().expect("JSON");
    let url =
        answer["choices"][0]["message"]["annotations"][0]["url_citation"]["url"].as_str().expect("a link").to_owned();
    assert!(url.starts_with(&address(&server)), "{url}");
    let Some(browser) = open(&server) else { return };
    browser.go(&url);
    browser.wait("document.querySelector('#document-dialog mark')");
    assert!(browser.text("#document-dialog mark").contains("eGFR is below 30"));
}

#[test]
fn documents_are_added_followed_found_asked_about_and_deleted() {
    let (data, files) = (folder(), folder());
    let server = Server::start(data.path(), &[]);
    let Some(browser) = open(&server) else { return };
    browser.wait("document.querySelector('.start a[href=\"#/documents\"]')");
    browser.click("#documents-link");
    browser.wait("document.getElementById('files')");
    let plan = write(
        files.path(),
        "ward-plan.md",
        "# Ward plan\n\nThe tea kitchen on the third floor opens at half past six.\n",
    );
    browser.choose_file("#files", &plan);
    browser.wait("document.querySelector('.job')?.innerText.includes('1 document stored')");
    browser.wait("document.querySelectorAll('.documents-table tbody tr').length === 1");
    // Dropped, of which one cannot be read.
    browser.run(
        "const files = new DataTransfer();\
         files.items.add(new File(['# Bees\\n\\nBees are fed sugar water in October.\\n'], 'bees.md'));\
         files.items.add(new File(['%PDF-1.7 no'], 'broken.pdf'));\
         document.querySelector('.drop-place').dispatchEvent(new DragEvent('drop', { dataTransfer: files, bubbles: true, cancelable: true }))",
    );
    browser.wait("document.querySelector('.job .reasons')?.innerText.includes('broken.pdf')");
    browser.wait("document.querySelectorAll('.documents-table tbody tr').length === 2");
    browser.run("document.getElementById('document-search').focus()");
    browser.keys("bees");
    browser.wait("document.querySelectorAll('.documents-table tbody tr').length === 1");
    browser.click("#ask-link");
    ask(&browser, "When does the tea kitchen open?", "done");
    assert!(browser.text(".turn .answer").contains("half past six"));
    browser.click("#documents-link");
    browser.wait("document.querySelectorAll('.documents-table tbody tr').length === 2");
    browser.run("document.querySelector('[aria-label^=Delete][aria-label$=\"ward-plan.md\"]').click()");
    browser.press("Delete for good");
    browser.wait("document.querySelectorAll('.documents-table tbody tr').length === 1");
    browser.click("#ask-link");
    ask(&browser, "When does the tea kitchen open in the morning?", "refused");
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn a_narrow_screen_has_everything_in_one_column() {
    let server = Server::shared();
    let Some(browser) = open_at(&server, 360, 740) else { return };
    let fits = || {
        browser.value(
            "return document.documentElement.scrollWidth <= 360 && document.getElementById('main').scrollWidth <= 360",
        )
    };
    assert_eq!(fits(), true, "the start page");
    ask(&browser, EGFR, "done");
    assert_eq!(fits(), true, "an answer");
    // There is no room for it until it is asked for.
    assert_eq!(browser.count("#evidence[hidden]"), 1);
    browser.click(MARKER);
    assert_evidence(&browser, "eGFR is below 30", "examples/kidney-disease.md");
    let sheet = browser.value("const box = document.getElementById('evidence').getBoundingClientRect(); return [box.left >= 0, box.right <= 360, box.top > 200, box.bottom <= 740]");
    assert_eq!(sheet, json!([true, true, true, true]));
    browser.press("Close the evidence");
    browser.click("#sidebar-toggle");
    browser.wait("document.querySelector('.sidebar').getBoundingClientRect().left === 0");
    browser.keys(key::ESCAPE);
    browser.wait("document.querySelector('.sidebar').getBoundingClientRect().right <= 0");
    assert_eq!(fits(), true, "after all that");
}

#[test]
fn nothing_keeps_anybody_out_in_either_colour_scheme() {
    let server = Server::shared();
    let Some(axe) = axe() else { return };
    for (scheme, width) in [("light", 1280), ("dark", 1280), ("light", 360)] {
        let Some(browser) = open_at(&server, width, 800) else { return };
        browser.prefer(scheme);
        let ink =
            browser.value("const [red] = getComputedStyle(document.body).color.match(/\\d+/g); return Number(red)");
        assert_eq!(ink.as_u64().expect("a number") > 128, scheme == "dark", "{ink}");
        browser.run(&axe);
        let check = |view: &str| {
            let script = "const [done] = arguments; axe.run().then(({violations}) => done(violations.map((v) => [v.id, v.nodes.map((n) => n.html.slice(0, 200))])))";
            assert_eq!(browser.value_later(script), json!([]), "{view}, {scheme}, {width}");
        };
        browser.wait("document.querySelectorAll('.try-card').length === 3");
        check("start");
        ask(&browser, EGFR, "done");
        browser.click(MARKER);
        assert_evidence(&browser, "eGFR is below 30", "examples/kidney-disease.md");
        check("answer with evidence");
        browser.press("Close the evidence");
        browser.click(".turn:last-child .seen summary");
        browser.wait("document.querySelector('.seen tbody tr')");
        check("what the model saw");
        ask(&browser, FRANCE, "refused");
        check("refusal");
        browser.press("Keyboard and help");
        check("help");
        browser.press("Close");
        browser.click("#documents-link");
        browser.wait("document.querySelectorAll('.documents-table tbody tr').length === 13");
        check("documents");
        browser.run("document.querySelector('.documents-table .link-button').click()");
        browser.wait("document.querySelector('#document-dialog .document-text').innerText.length > 500");
        check("a document");
    }
}

#[test]
fn a_screen_reader_hears_the_answer_and_single_keys_can_be_turned_off() {
    let server = Server::shared();
    let Some(browser) = open(&server) else { return };
    ask(&browser, EGFR, "done");
    let heard = browser.text("#announcer");
    assert!(heard.starts_with("Answer, 2 sources: The documents say"), "{heard}");
    browser.run("document.activeElement.blur()");
    browser.keys("?");
    browser.wait("document.querySelector('#help-dialog[open]')");
    browser.run("document.querySelector('#help-dialog input').click()");
    browser.press("Close");
    browser.run("document.activeElement.blur()");
    browser.keys("?");
    browser.keys("/");
    assert_eq!((browser.count("#help-dialog[open]"), focused(&browser)), (0, "BODY".to_owned()));
}

#[test]
fn the_page_is_written_in_files_that_can_be_read() {
    for entry in fs::read_dir(qanda_tests::data::workspace().join("web")).expect("the folder is there") {
        let path = entry.expect("an entry").path();
        let text = fs::read_to_string(&path).expect("text");
        assert!(text.lines().count() < 300, "{} is long", path.display());
        assert!(!text.contains("innerHTML") && !text.contains("eval("), "{}", path.display());
    }
}
