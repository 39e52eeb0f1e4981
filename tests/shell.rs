//! The shell's side: conversations, completions, manual pages, installing, the unit for systemd.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use qanda_tests::binary::{Process, command, path};
use qanda_tests::data::{argument, folder, samples, workspace};
use qanda_tests::{Finished, qanda, skip};

/// Runs `qanda ask` without a question and writes these lines to it.
fn converse(lines: &str, more: &[&str]) -> Finished {
    let data = samples();
    let mut asked = command(&[&["ask", "--data-dir", argument(data.path())], more].concat());
    let (input, mut typed) = std::io::pipe().expect("a pipe");
    asked.stdin(Stdio::from(input));
    let process = Process::start(asked);
    typed.write_all(lines.as_bytes()).expect("is read");
    drop(typed);
    process.finish()
}

#[test]
fn lines_of_a_pipe_are_questions_that_may_refer_to_those_before_them() {
    let first = "At what eGFR must metformin be stopped?\n";
    let follow_up = "And what is its usual full dose a day?\n";
    let spoken = converse(&format!("{first}\n{follow_up}"), &[]).ok();
    assert_eq!(spoken.stdout.matches("\nSources\n").count(), 2, "{spoken:?}");
    assert!(spoken.stdout.contains("30") && spoken.stdout.contains("2,000 mg"), "{spoken:?}");
    assert!(
        !spoken.stdout.lines().any(|line| line.starts_with("> ")) && !spoken.stdout.contains('\u{1b}'),
        "{spoken:?}"
    );
    // What begins another conversation is no question.
    let anew = converse(&format!("{first}/new\n{follow_up}"), &[]).ok();
    assert_eq!(anew.stdout.matches("\nSources\n").count(), 2, "{anew:?}");
    assert!(!anew.stdout.contains("Nearest passages"), "{anew:?}");
}

#[test]
fn a_question_that_fails_does_not_end_the_conversation_but_is_told() {
    let too_long = "why ".repeat(5_000);
    let spoken = converse(&format!("{too_long}\nAt what eGFR must metformin be stopped?\n/quit\nIgnored?\n"), &[]);
    assert_eq!(spoken.code, Some(1), "{spoken:?}");
    assert!(
        spoken.stderr.contains("content: has 19999 characters") || spoken.stderr.contains("at most 16000"),
        "{spoken:?}"
    );
    assert_eq!(spoken.stdout.matches("\nSources\n").count(), 1, "{spoken:?}");
    let silent = converse("", &[]);
    assert_eq!(silent.code, Some(1));
    assert!(silent.stderr.contains("there is no question"), "{silent:?}");
}

#[test]
fn completions_are_what_the_shell_can_read() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = qanda(&["completions", shell]).ok().stdout;
        assert!(script.contains("min-confidence") && script.contains("mock-llm"), "{shell}");
    }
    let folder = folder();
    let script = folder.path().join("qanda.bash");
    fs::write(&script, qanda(&["completions", "bash"]).ok().stdout).expect("is written");
    let completed = "COMP_WORDS=(qanda ser); COMP_CWORD=1; _qanda qanda ser qanda; echo \"${COMPREPLY[@]}\"";
    let shell = Command::new("bash").args(["-c", &format!("source {}; {completed}", argument(&script))]).output();
    let shell = shell.expect("there is a bash");
    assert_eq!(String::from_utf8_lossy(&shell.stdout), "serve\n", "{}", String::from_utf8_lossy(&shell.stderr));
}

/// What `make install` puts below a folder.
fn installed() -> tempfile::TempDir {
    let folder = folder();
    let script = workspace().join("scripts/install.sh");
    let mut install = Command::new(script);
    let target = path().parent().and_then(Path::parent).expect("a target directory").to_owned();
    install.env("DESTDIR", folder.path()).env("PREFIX", "/opt/qanda").env("CARGO_TARGET_DIR", target);
    let done = install.output().expect("the script runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    folder
}

#[test]
fn what_is_installed_runs_and_is_described() {
    let folder = installed();
    let below = |name: &str| folder.path().join("opt/qanda").join(name);
    let version = Command::new(below("bin/qanda")).arg("--version").output().expect("runs");
    assert!(String::from_utf8_lossy(&version.stdout).starts_with("qanda "));
    for (page, says) in [("qanda.1", "qanda\\-serve"), ("qanda-serve.1", "QANDA_LISTEN"), ("qanda-ask.1", "QUESTION")] {
        let text = fs::read_to_string(below("share/man/man1").join(page)).expect("a page");
        assert!(text.contains(says), "{page}: {text}");
        // Neither the user's settings nor this machine's are in it.
        assert!(!text.contains(argument(&workspace())), "{page}");
    }
    for completions in
        ["bash-completion/completions/qanda", "zsh/site-functions/_qanda", "fish/vendor_completions.d/qanda.fish"]
    {
        assert!(fs::metadata(below("share").join(completions)).is_ok_and(|file| file.len() > 1_000), "{completions}");
    }
}

#[test]
fn the_unit_is_one_that_systemd_takes() {
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        return skip("there is no systemd-analyze");
    }
    let folder = installed();
    let unit = folder.path().join("opt/qanda/lib/systemd/system/qanda.service");
    let text = fs::read_to_string(&unit).expect("the unit");
    assert!(text.contains("ExecStart=/opt/qanda/bin/qanda serve\n"), "{text}");
    // The program and its manual are below the folder; everything else must be right.
    let text = text.replace("/opt/qanda/bin/qanda", "/bin/true").replace("Documentation=", "#");
    fs::write(&unit, text).expect("is written");
    let verified = Command::new("systemd-analyze").args(["verify", argument(&unit)]).output().expect("runs");
    let said = String::from_utf8_lossy(&verified.stderr);
    assert!(verified.status.success() && said.is_empty(), "{said}");
}
