use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::{Args, ValueEnum};
use qanda_server::{Class, HttpSettings, PublicHost};
use socket2::{Domain, Socket, Type};

use crate::config::{AnswerArgs, EnvFile, PassageArgs, Time, at_least};
use crate::hints::{self, WithHint};
use crate::logging::{self, LogFormat};
use crate::serving::{self, DocumentSettings, Loading, ServingSettings};
use crate::signals::{self, Caught};
use crate::supervisor::{self, Link};
use crate::terminal::{self, BOLD, Text, sentence};

/// Answer questions over HTTP
#[derive(Debug, Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    http: HttpArgs,
    /// Serve other machines although nobody has to show a key
    #[arg(long)]
    insecure_no_auth: bool,
    #[command(flatten)]
    answers: AnswerArgs,
    #[command(flatten)]
    passages: PassageArgs,
    #[command(flatten)]
    watch: WatchArgs,
}

/// Folders that the store is kept in step with.
#[derive(Debug, Args)]
#[command(next_help_heading = "Documents")]
pub(super) struct WatchArgs {
    /// Folder whose files are stored as they come, change and go; can be given several times
    #[arg(long = "watch", value_name = "DIR", env = "QANDA_WATCH", value_delimiter = ',')]
    folders: Vec<PathBuf>,
}

/// Address, time limits and processes of the server.
#[derive(Debug, Args)]
#[command(next_help_heading = "HTTP")]
pub(super) struct HttpArgs {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR", env = "QANDA_LISTEN", default_value = "127.0.0.1:8000")]
    listen: SocketAddr,
    /// Time that running answers have to finish after a TERM or INT signal
    #[arg(long, value_name = "TIME", env = "QANDA_GRACEFUL_TIMEOUT", default_value = "30s")]
    graceful_timeout: Time,
    /// Time for which a caller may take nothing of its answer before its connection is closed
    #[arg(long, value_name = "TIME", env = "QANDA_WRITE_TIMEOUT", default_value = "30s")]
    write_timeout: Time,
    /// Processes that serve, each with models of its own; one async process uses all cores
    #[arg(long, value_name = "N", env = "QANDA_WORKERS", default_value_t = 1)]
    workers: usize,
    /// How many requests a process takes: all (async), one (sync), or --threads (gthread)
    #[arg(long, value_enum, env = "QANDA_WORKER_CLASS", default_value = "async")]
    worker_class: WorkerClass,
    /// Requests that a gthread worker takes at a time
    #[arg(long, value_name = "M", env = "QANDA_THREADS", default_value_t = 1)]
    threads: usize,
    /// Time without a sign of life after which a worker is killed and replaced; a slow answer is no reason
    #[arg(long, value_name = "TIME", env = "QANDA_TIMEOUT", default_value = "30s")]
    timeout: Time,
    /// Time that a request may take, from its arrival to the end of its answer
    #[arg(long, value_name = "TIME", env = "QANDA_REQUEST_TIMEOUT", default_value = "2m")]
    request_timeout: Time,
    /// Name by which browsers reach the service, like qa.example.org, beside its address; can be given several times
    #[arg(long, value_name = "HOST", env = "QANDA_PUBLIC_HOST", value_delimiter = ',')]
    public_host: Vec<PublicHost>,
    /// Form of the log
    #[arg(long, value_enum, env = "QANDA_LOG_FORMAT", default_value = "text")]
    log_format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum WorkerClass {
    Async,
    Sync,
    Gthread,
}

/// More callers than this do not wait to be accepted; the system may allow fewer.
const BACKLOG: i32 = 4096;

/// Less would kill workers that are well, as they give a sign of life every second.
const SHORTEST_TIMEOUT: Duration = Duration::from_secs(2);

impl Serve {
    /// Serves until told to stop. `env_file` tells which variables a worker has to read anew.
    pub(crate) fn run(self, env_file: &EnvFile) -> anyhow::Result<ExitCode> {
        logging::start_in(self.http.log_format, "info");
        let signals = signals::catch().context("cannot wait for signals")?;
        if let Some((listener, link)) = Link::take()? {
            return Ok(self.work(listener, signals, &link));
        }
        let serving = self.http.serving()?;
        let documents = self.documents()?;
        let supervised = self.http.supervised()?;
        self.check_exposure(self.http.listen)?;
        let answers = self.answers.resolve()?;
        let listener = bind(self.http.listen)?;
        let address = listener.local_addr()?;
        terminal::line(Text::styled(BOLD, format!("listening on http://{address}")));
        if serving.class != Class::Async || supervised.workers > 1 {
            return supervisor::run(listener, signals, supervised, env_file.names());
        }
        serving::alone(super::runtime()?, listener, signals, Loading { answers, documents }, serving)?;
        Ok(ExitCode::SUCCESS)
    }

    /// Serves as a worker. What goes wrong is told to the supervisor, which tells it once.
    fn work(self, listener: TcpListener, signals: Caught, link: &Link) -> ExitCode {
        let work = || {
            let serving = self.http.serving()?;
            let loading = Loading { answers: self.answers.resolve()?, documents: self.documents()? };
            serving::worker(super::runtime()?, listener, signals, link, loading, serving)
        };
        match work() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                let hint = hints::of(&error).map(|hint| format!("; {hint}")).unwrap_or_default();
                link.failed(&(sentence(&error) + &hint));
                ExitCode::FAILURE
            }
        }
    }

    fn documents(&self) -> anyhow::Result<DocumentSettings> {
        let data_dir = self.answers.search.storage.data_dir.clone();
        Ok(DocumentSettings { passages: self.passages.resolve()?, data_dir, watch: self.watch.folders.clone() })
    }

    /// Anyone who reaches the address can ask; that must be meant.
    fn check_exposure(&self, listen: SocketAddr) -> anyhow::Result<()> {
        if listen.ip().is_loopback() {
            return Ok(());
        }
        if !self.insecure_no_auth {
            let open = "can be reached from other machines, and nobody would have to show a key";
            return Err(anyhow::anyhow!("{listen} {open}"))
                .hint("listen on 127.0.0.1, or add --insecure-no-auth if that is meant");
        }
        tracing::warn!(%listen, "ANYONE WHO REACHES THIS ADDRESS CAN ASK QUESTIONS (--insecure-no-auth)");
        Ok(())
    }
}

impl HttpArgs {
    /// Tells whether the values can be used.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        self.serving()?;
        self.supervised()?;
        Ok(())
    }

    fn serving(&self) -> anyhow::Result<ServingSettings> {
        Ok(ServingSettings {
            class: self.class()?,
            grace: self.graceful_timeout.at_most_a_day("graceful-timeout")?,
            write_timeout: self.write_timeout.to_wait("write-timeout")?,
            http: HttpSettings {
                request_timeout: self.request_timeout.to_wait("request-timeout")?,
                is_loopback: self.listen.ip().is_loopback(),
                public_hosts: self.public_host.clone().into(),
            },
        })
    }

    fn class(&self) -> anyhow::Result<Class> {
        let threads = NonZeroUsize::new(at_least("threads", self.threads, 1)?).unwrap_or(NonZeroUsize::MIN);
        anyhow::ensure!(
            self.worker_class == WorkerClass::Gthread || threads == NonZeroUsize::MIN,
            "--threads {threads} needs --worker-class gthread"
        );
        Ok(match self.worker_class {
            WorkerClass::Async => Class::Async,
            WorkerClass::Sync => Class::Sync,
            WorkerClass::Gthread => Class::Gthread(threads),
        })
    }

    fn supervised(&self) -> anyhow::Result<supervisor::Settings> {
        let timeout = self.timeout.to_wait("timeout")?;
        anyhow::ensure!(
            timeout >= SHORTEST_TIMEOUT,
            "--timeout is {}; it must be at least {}: workers give a sign of life every second",
            self.timeout,
            Time::from(SHORTEST_TIMEOUT)
        );
        Ok(supervisor::Settings {
            workers: at_least("workers", self.workers, 1)?,
            timeout,
            grace: self.graceful_timeout.at_most_a_day("graceful-timeout")?,
        })
    }
}

fn bind(listen: SocketAddr) -> anyhow::Result<TcpListener> {
    let bound = || {
        let socket = Socket::new(Domain::for_address(listen), Type::STREAM, None)?;
        socket.set_reuse_address(true)?;
        socket.bind(&listen.into())?;
        socket.listen(BACKLOG)?;
        std::io::Result::Ok(TcpListener::from(socket))
    };
    bound().or_else(|cause| match cause.kind() {
        ErrorKind::AddrInUse => {
            let free = SocketAddr::new(listen.ip(), listen.port().saturating_add(1));
            Err(anyhow::anyhow!("{listen} is in use by another program"))
                .hint(format!("stop it, or take another port with --listen {free}"))
        }
        ErrorKind::PermissionDenied => Err(anyhow::anyhow!("{listen} needs more rights than this user has"))
            .hint("take a port above 1023 with --listen"),
        _ => Err(anyhow::Error::new(cause).context(format!("cannot listen on {listen}"))),
    })
}
