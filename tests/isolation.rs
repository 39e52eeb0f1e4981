//! Documents that harm whoever reads them: each is one failure, and the job goes on.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Stdio};

use qanda_tests::Process;
use qanda_tests::binary::command;
use qanda_tests::data::{argument, folder, shared, write};
use serde_json::{Value, json};

/// Most that the set of bad documents may take above an ingest of one line of text, in bytes.
const MEMORY: u64 = 256 << 20;

/// A process that reads documents, as a job starts it.
fn reader() -> Child {
    command(&["read-documents"]).stdin(Stdio::piped()).spawn().expect("it starts")
}

fn frame(header: &Value, body: &[u8]) -> Vec<u8> {
    let header = header.to_string().into_bytes();
    let length = |part: &[u8]| u32::try_from(part.len()).expect("short").to_le_bytes().to_vec();
    [length(&header), header.clone(), length(body), body.to_vec()].concat()
}

fn read_frame(input: &mut impl Read) -> (Value, Vec<u8>) {
    let mut part = || {
        let mut length = [0; 4];
        input.read_exact(&mut length).expect("a length");
        let mut part = vec![0; u32::from_le_bytes(length) as usize];
        input.read_exact(&mut part).expect("a part");
        part
    };
    let header = part();
    (serde_json::from_slice(&header).expect("a header in JSON"), part())
}

/// A line of a file under `/proc`.
fn line_of(process: u32, file: &str, name: &str) -> String {
    let text = fs::read_to_string(format!("/proc/{process}/{file}")).unwrap_or_default();
    text.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned()
}

#[test]
fn a_process_that_reads_has_given_up_everything_else_and_ends_with_whoever_asks() {
    let mut child = reader();
    let (mut requests, mut answers) = (child.stdin.take().expect("a pipe"), child.stdout.take().expect("a pipe"));
    let (ready, _) = read_frame(&mut answers);
    assert_eq!(ready, json!({"Ready": {"without": []}}));
    let has = |file: &str, name: &str, value: &str| {
        let line = line_of(child.id(), file, name);
        assert!(line.split_whitespace().any(|word| word == value), "{name}: {line}");
    };
    has("status", "Seccomp:", "2");
    has("status", "NoNewPrivs:", "1");
    has("limits", "Max data size", "1073741824");
    has("limits", "Max file size", "0");
    has("limits", "Max core file size", "0");
    has("limits", "Max open files", "3");
    let ask = |path: &str| json!({"Extract": {"path": path, "media_type": null}});
    for (path, bytes, key) in [
        ("a.md", b"# Title\n\nwords".as_slice(), "Extracted"),
        ("b.md", b"", "Refused"),
        ("c.txt", b"more", "Extracted"),
    ] {
        requests.write_all(&frame(&ask(path), bytes)).expect("it listens");
        let (answer, text) = read_frame(&mut answers);
        assert!(answer.get(key).is_some(), "{path}: {answer}");
        assert_eq!(text, if key == "Extracted" { bytes } else { b"" }, "{path}");
    }
    drop(requests);
    assert!(child.wait().expect("it ends").success());
}

/// Highest memory of a process and its children so far, by process, in bytes.
fn peaks(process: u32, peaks: &mut BTreeMap<u32, u64>) {
    let children = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten().flat_map(|task| {
        let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
        children.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<u32>>()
    });
    for id in children.chain([process]) {
        let peak = line_of(id, "status", "VmHWM:");
        let kilobytes: u64 = peak.split_whitespace().nth(1).and_then(|number| number.parse().ok()).unwrap_or(0);
        let highest = peaks.entry(id).or_default();
        *highest = (*highest).max(kilobytes << 10);
    }
}

/// Ingests a path in one job; returns the report and the highest memory of the job with one process that reads.
fn ingest(data: &Path, path: &Path) -> (Value, u64) {
    let arguments = ["ingest", "--json", argument(path), "--data-dir", argument(data)];
    let mut job = Process::start(command(&arguments));
    let (id, mut highest) = (job.id(), BTreeMap::new());
    job.watch(|id| peaks(id, &mut highest));
    let own = highest.remove(&id).unwrap_or(0);
    let ended = job.finish();
    assert!(matches!(ended.code, Some(0 | 3)), "{ended:?}");
    (ended.json(), own + highest.into_values().max().unwrap_or(0))
}

fn one_space(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn phrases<'a>(entry: &'a Value, key: &str) -> impl Iterator<Item = &'a str> {
    entry[key].as_array().into_iter().flatten().filter_map(Value::as_str)
}

#[test]
fn good_and_bad_documents_in_one_job() {
    let Some(formats) = shared("formats") else { return };
    let (idle, data, before) = (folder(), folder(), traces());
    let small = write(idle.path(), "small.txt", "One line of text.\n");
    let (_, at_rest) = ingest(&idle.path().join("data"), &small);
    let (report, highest) = ingest(data.path(), &formats);

    let list = fs::read_to_string(formats.join("expected.jsonl")).expect("the list");
    let entries: Vec<Value> = list.lines().map(|line| serde_json::from_str(line).expect("a JSON line")).collect();
    let of = |list: &str| report[list].as_array().expect("a list").clone();
    let failures = [of("failures"), of("empty")].concat();
    let mut wrong = Vec::new();
    for entry in &entries {
        let file = entry["file"].as_str().expect("a name");
        let failure = failures.iter().find(|failure| failure["path"].as_str().is_some_and(|path| path.ends_with(file)));
        let reason = failure.map(|failure| failure["reason"].as_str().expect("a reason"));
        match (reason, entry["expect"].as_str()) {
            (Some(reason), Some("error" | "either")) => {
                assert!(!reason.contains("please report") && reason.len() < 400, "{file}: {reason}");
            }
            (None, Some("text" | "either")) => wrong.extend(lacking(&formats.join(file), entry)),
            (reason, expected) => wrong.push(format!("{file}: {reason:?} where {expected:?} is expected")),
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(traces(), before, "something was written outside");
    let above = highest.saturating_sub(at_rest);
    assert!(above <= MEMORY, "{} MiB above one line of text", above >> 20);
    let read = report["documents"].as_u64().expect("a number");
    // And the two files that describe them.
    assert_eq!(read + failures.len() as u64, entries.len() as u64 + 2, "none is lost: {report:#}");
}

/// Files that the documents of the set would write if they could.
fn traces() -> usize {
    let of = |folder: &Path| {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.filter(|entry| entry.file_name().to_string_lossy().contains("ingest-evil")).count()
    };
    [Path::new("/tmp"), Path::new("/"), Path::new(".")].map(of).iter().sum()
}

/// What the text that a process reads from a file lacks of the phrases that it must hold, or holds of those that it must
/// not. Text is what stands in blocks: the rest is not searched.
fn lacking(file: &Path, entry: &Value) -> Vec<String> {
    let mut child = reader();
    let (mut requests, mut answers) = (child.stdin.take().expect("a pipe"), child.stdout.take().expect("a pipe"));
    read_frame(&mut answers);
    let ask = json!({"Extract": {"path": argument(file), "media_type": null}});
    requests.write_all(&frame(&ask, &fs::read(file).expect("it is there"))).expect("it listens");
    let (answer, text) = read_frame(&mut answers);
    drop(requests);
    assert!(child.wait().expect("it ends").success());
    let text = String::from_utf8(text).expect("UTF-8");
    let place = |number: &Value| usize::try_from(number.as_u64().expect("a number")).expect("a place");
    let blocks = answer["Extracted"]["blocks"].as_array().expect("a list");
    let spans = blocks.iter().map(|block| place(&block["span"][0])..place(&block["span"][1]));
    let text = one_space(&spans.map(|span| &text[span]).collect::<Vec<_>>().join("\n"));
    let lacks = phrases(entry, "must_contain").filter(|phrase| !text.contains(&one_space(phrase)));
    let has = phrases(entry, "must_not_contain").filter(|phrase| text.contains(phrase));
    let lacks = lacks.map(|phrase| format!("{} lacks {phrase:?}", file.display()));
    lacks.chain(has.map(|phrase| format!("{} has {phrase:?}", file.display()))).collect()
}
