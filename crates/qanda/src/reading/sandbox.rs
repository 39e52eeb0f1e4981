//! What a process that reads documents gives up before it sees the first one.

use std::collections::BTreeMap;
use std::fs;

use rustix::process::{Resource, Rlimit, setrlimit};
use seccompiler::SeccompCmpArgLen::{Dword, Qword};
use seccompiler::SeccompCmpOp::{Eq, MaskedEq};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch, apply_filter_all_threads,
};

/// Memory that it may have, in bytes, whether it uses it or not: a text of 64 MiB with its structure, several times.
const MEMORY: u64 = 1 << 30;

/// Calls that may be made with any arguments: memory, time, randomness, threads, waiting and ending.
const ALLOWED: &[i64] = &[
    libc::SYS_brk,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_futex,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_gettimeofday,
    libc::SYS_getrandom,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_getcpu,
    libc::SYS_sigaltstack,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_restart_syscall,
    libc::SYS_set_robust_list,
    libc::SYS_rseq,
    libc::SYS_membarrier,
    libc::SYS_exit,
    libc::SYS_exit_group,
    // Refused by the second filter.
    libc::SYS_clone3,
];

/// Gives up what reading does not need. Returns what could not be given up, each with the reason.
pub(super) fn enter() -> Vec<String> {
    // When memory runs out, this process is the one to end.
    let _ = fs::write("/proc/self/oom_score_adj", "1000");
    let mut without = Vec::new();
    let limits = [
        ("the limit of memory", Resource::Data, MEMORY),
        ("the limit of written files", Resource::Fsize, 0),
        ("the limit of opened files", Resource::Nofile, 3),
        // Its memory is a document's.
        ("the limit of memory dumps", Resource::Core, 0),
    ];
    for (name, resource, most) in limits {
        if let Err(error) = setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) }) {
            without.push(format!("{name}: {error}"));
        }
    }
    if let Err(error) = forbid_calls() {
        without.push(format!("the filter of system calls: {error}"));
    }
    without
}

/// No file, no connection, no other process can be had any more: calls that are not listed fail with "not permitted".
fn forbid_calls() -> anyhow::Result<()> {
    let arch = TargetArch::try_from(std::env::consts::ARCH)?;
    let refused = |error: i32| SeccompAction::Errno(error.unsigned_abs());
    let main = SeccompFilter::new(rules()?, refused(libc::EPERM), SeccompAction::Allow, arch)?;
    // The arguments of `clone3` are out of a filter's sight. Where there is none, `clone` is called instead.
    let clone3 = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
    let clone3 = SeccompFilter::new(clone3, SeccompAction::Allow, refused(libc::ENOSYS), arch)?;
    let programs: [BpfProgram; 2] = [clone3.try_into()?, main.try_into()?];
    // The second must not forbid to install a filter before it is there itself, so it is the last.
    for program in &programs {
        apply_filter_all_threads(program)?;
    }
    Ok(())
}

fn rules() -> anyhow::Result<BTreeMap<i64, Vec<SeccompRule>>> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = ALLOWED.iter().map(|call| (*call, Vec::new())).collect();
    let no_code = || when(2, Dword, MaskedEq(flags(libc::PROT_EXEC)), 0);
    let nothing_inherited = |most: u64| -> anyhow::Result<Vec<SeccompRule>> {
        (0..=most).map(|file| Ok(SeccompRule::new(vec![when(0, Dword, Eq, file)?])?)).collect()
    };
    // Standard input is read, standard output and error are written: what else was inherited is out of reach.
    rules.insert(libc::SYS_read, nothing_inherited(0)?);
    for call in [libc::SYS_write, libc::SYS_writev] {
        rules.insert(call, nothing_inherited(2)?.split_off(1));
    }
    // Memory is of no file, and never run as code.
    let of_no_file = when(4, Dword, Eq, u64::from(u32::MAX))?;
    rules.insert(libc::SYS_mmap, vec![SeccompRule::new(vec![no_code()?, of_no_file])?]);
    rules.insert(libc::SYS_mprotect, vec![SeccompRule::new(vec![no_code()?])?]);
    let thread = flags(libc::CLONE_THREAD | libc::CLONE_VM);
    rules.insert(libc::SYS_clone, vec![SeccompRule::new(vec![when(0, Qword, MaskedEq(thread), thread)?])?]);
    // A thread's name.
    rules.insert(libc::SYS_prctl, vec![SeccompRule::new(vec![when(0, Dword, Eq, flags(libc::PR_SET_NAME))?])?]);
    // To abort is to signal oneself.
    let itself = u64::from(std::process::id());
    rules.insert(libc::SYS_tgkill, vec![SeccompRule::new(vec![when(0, Dword, Eq, itself)?])?]);
    Ok(rules)
}

fn when(argument: u8, length: SeccompCmpArgLen, op: SeccompCmpOp, value: u64) -> anyhow::Result<SeccompCondition> {
    Ok(SeccompCondition::new(argument, length, op, value)?)
}

/// Constants of the C library as the filter compares them: none is negative.
fn flags(constant: i32) -> u64 {
    u64::from(constant.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::ErrorKind::PermissionDenied;
    use std::net::{TcpListener, TcpStream};
    use std::process::Command;
    use std::thread;

    use super::*;

    /// What is given up is given up by a whole process, so this is a process of its own.
    #[test]
    fn a_reader_can_compute_and_nothing_else() {
        let this = std::env::current_exe().expect("this program");
        let inside = "reading::sandbox::tests::inside_of_it";
        let ended = Command::new(this).args(["--exact", inside, "--ignored", "--nocapture"]).output();
        let ended = ended.expect("it is run");
        assert_eq!(ended.status.code(), Some(42), "{}", String::from_utf8_lossy(&ended.stderr));
    }

    #[test]
    #[ignore = "gives up what other tests need; run by the one above"]
    #[allow(clippy::exit)]
    fn inside_of_it() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
        let address = listener.local_addr().expect("an address");
        let without = enter();
        assert!(without.is_empty(), "{without:?}");
        let kinds = [
            File::open("/etc/passwd").map(drop),
            File::create("/tmp/qanda-was-here").map(drop),
            fs::create_dir("/tmp/qanda-was-here"),
            fs::remove_file("/tmp/qanda-was-never-here"),
            fs::rename("/tmp/qanda-a", "/tmp/qanda-b"),
            fs::metadata("/etc/passwd").map(drop),
            TcpStream::connect(address).map(drop),
            TcpListener::bind("127.0.0.1:0").map(drop),
            listener.accept().map(drop),
            Command::new("true").spawn().map(drop),
        ];
        for (number, outcome) in kinds.into_iter().enumerate() {
            let kind = outcome.expect_err("is refused").kind();
            assert_eq!(kind, PermissionDenied, "number {number}");
        }
        let sum = thread::spawn(|| (0..100_000_u64).collect::<Vec<_>>().iter().sum::<u64>());
        assert_eq!(sum.join().expect("threads work"), 4_999_950_000);
        let mut much: Vec<u8> = Vec::new();
        assert!(much.try_reserve_exact(2 << 30).is_err(), "2 GiB are to be had");
        assert!(much.try_reserve_exact(64 << 20).is_ok(), "64 MiB are not to be had");
        std::process::exit(42);
    }
}
