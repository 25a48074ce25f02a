//! A process under limits: processor time, memory, file sizes, wall clock, output.

use anyhow::{Context, Result};
use std::ffi::OsString;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::process::Command;

/// What a process may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Time on the wall.
    pub wall: Duration,
    /// Processor time, in seconds.
    pub cpu: u64,
    /// Address space, in MiB.
    pub memory: u64,
    /// The largest file it may write, in MiB.
    pub file: u64,
    /// How much of its output is kept, in bytes; it is stopped when it prints more.
    pub output: usize,
    /// How many processes there may be, it and what it has started; counted on Linux only.
    pub processes: usize,
}

impl Limits {
    /// For the compiler, which reserves much more memory than it uses.
    pub const COMPILING: Self = Self {
        wall: Duration::from_secs(60),
        cpu: 60,
        memory: 8192,
        file: 512,
        output: 64 * 1024,
        processes: 64,
    };
    /// For the snippet.
    pub const RUNNING: Self = Self {
        wall: Duration::from_secs(10),
        cpu: 10,
        memory: 1536,
        file: 1,
        output: 64 * 1024,
        processes: 16,
    };
}

/// Why a process was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The wall clock ran out.
    Wall,
    /// It printed too much.
    Output,
    /// It started too many processes.
    Processes,
}

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Whether it ended by itself and said that all is well.
    pub success: bool,
    /// What it printed, both streams in their order.
    pub output: String,
    /// Why it was stopped, if it was.
    pub stop: Option<Stop>,
    /// The signal that ended it, if one did.
    pub signal: Option<i32>,
    /// What it said at its end, if it ended by itself.
    pub code: Option<i32>,
}

impl Ended {
    /// The output, with a line about an end that is not the program's own.
    pub fn shown(&self, limits: &Limits) -> String {
        let seconds = limits.wall.as_secs_f64();
        let note = match (self.stop, self.signal, self.code) {
            (Some(Stop::Wall), ..) => format!("stopped after {seconds} s"),
            (Some(Stop::Output), ..) => format!("stopped: more than {} KiB of output", limits.output / 1024),
            (Some(Stop::Processes), ..) => format!("stopped: more than {} processes", limits.processes),
            (None, Some(24), _) => format!("stopped: more than {} s of processor time", limits.cpu),
            (None, Some(25), _) => format!("stopped: a file of more than {} MiB", limits.file),
            (None, Some(6), _) if self.output.contains("memory allocation of") => {
                format!("stopped: more than {} MiB of memory", limits.memory)
            }
            (None, Some(11), _) => "stopped by signal 11; a stack that overflows ends like this".into(),
            (None, Some(signal), _) => format!("stopped by signal {signal}"),
            (None, None, _) => return self.output.clone(),
        };
        let newline = if self.output.is_empty() || self.output.ends_with('\n') { "" } else { "\n" };
        format!("{}{newline}[{note}]\n", self.output)
    }
}

/// The shell that sets the limits and then becomes the program. Each limit is a command of its own: dash
/// honours only the first option of a longer one. macOS can't limit the address space.
///
/// Of processor time there is a second more in the hard limit, so that the soft one can say why it ended.
#[cfg(unix)]
const SHELL: &str =
    "ulimit -c 0 && ulimit -S -t \"$1\" && ulimit -H -t $(($1 + 1)) && ulimit -f \"$3\" || exit 125
[ \"$(uname)\" = Darwin ] || ulimit -v \"$2\" || exit 125
shift 3; exec \"$@\" 2>&1";

/// How often the processes are counted: what has multiplied in between ends with the group, too.
#[cfg(unix)]
const COUNTED: Duration = Duration::from_millis(50);

/// Runs a program in `folder`, in an environment of nothing but `environment`, and waits for its end.
///
/// It has a process group of its own, which is killed as a whole when a limit is met and when the program has
/// ended, so that nothing it started stays behind (unless that left the group on purpose).
///
/// # Errors
/// If it can't be started.
#[cfg(unix)]
pub async fn limited(
    folder: &Path,
    program: &Path,
    arguments: &[OsString],
    environment: &[(&str, OsString)],
    limits: &Limits,
) -> Result<Ended> {
    use std::os::unix::process::ExitStatusExt;
    let mut child = Command::new("/bin/sh")
        .args(["-c", SHELL, "sh"])
        .args([limits.cpu.to_string(), (limits.memory * 1024).to_string(), (limits.file * 2048).to_string()])
        .arg(program)
        .args(arguments)
        .env_clear()
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .env("PATH", path(environment))
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("starting {}", program.display()))?;
    let group = Group(child.id());
    let mut pipe = child.stdout.take().context("the program's output")?;
    let mut output = Vec::new();
    let mut stop = None;
    let deadline = tokio::time::Instant::now() + limits.wall;
    let mut status = None;
    let mut chunk = vec![0; 8192];
    // A system's own limit would count all processes of the reader, and none of an administrator.
    let mut counting = tokio::time::interval(COUNTED);
    loop {
        tokio::select! {
            biased;
            read = pipe.read(&mut chunk) => {
                let n = read.context("reading the program's output")?;
                output.extend_from_slice(&chunk[..n]);
                if n == 0 {
                    break;
                }
                if output.len() > limits.output {
                    stop = Some(Stop::Output);
                    break;
                }
            }
            // What it has started may hold the pipe open: it ends with it.
            ended = child.wait(), if status.is_none() => {
                status = Some(ended.context("waiting for the program")?);
                group.kill();
            }
            () = tokio::time::sleep_until(deadline) => {
                stop = Some(Stop::Wall);
                break;
            }
            _ = counting.tick() => {
                if group.members() > limits.processes {
                    stop = Some(Stop::Processes);
                    break;
                }
            }
        }
    }
    let status = match status {
        Some(status) => status,
        None if stop.is_some() => {
            group.kill();
            child.wait().await.context("waiting for the program")?
        }
        // It closed its output, but may go on.
        None => match tokio::time::timeout_at(deadline, child.wait()).await {
            Ok(ended) => ended.context("waiting for the program")?,
            Err(_) => {
                stop = Some(Stop::Wall);
                group.kill();
                child.wait().await.context("waiting for the program")?
            }
        },
    };
    group.kill();
    output.truncate(limits.output);
    Ok(Ended {
        success: status.success() && stop.is_none(),
        output: String::from_utf8_lossy(&output).into_owned(),
        stop,
        signal: status.signal(),
        code: status.code(),
    })
}

/// Limits need a Unix-like system.
///
/// # Errors
/// Always.
#[cfg(not(unix))]
pub async fn limited(
    _: &Path,
    _: &Path,
    _: &[OsString],
    _: &[(&str, OsString)],
    _: &Limits,
) -> Result<Ended> {
    anyhow::bail!("running code from the page needs a Unix-like system")
}

/// The shell looks for `uname` somewhere even if the program gets no path of its own.
#[cfg(unix)]
fn path(environment: &[(&str, OsString)]) -> OsString {
    let own = environment.iter().find(|(name, _)| *name == "PATH").map(|(_, value)| value.clone());
    own.unwrap_or_else(|| "/usr/bin:/bin".into())
}

/// A process group, killed at the latest when it goes out of sight: a request that is broken off ends its run.
#[cfg(unix)]
struct Group(Option<u32>);

#[cfg(unix)]
impl Group {
    /// How many processes are in it; 0 where the system does not tell.
    fn members(&self) -> usize {
        let Some(id) = self.0 else { return 0 };
        let group = |stat: String| {
            // Behind the name, which may hold anything: state, parent, group.
            let (_, fields) = stat.rsplit_once(')')?;
            fields.split_whitespace().nth(2)?.parse::<u32>().ok()
        };
        let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        let stats = processes.filter_map(|p| std::fs::read_to_string(p.path().join("stat")).ok());
        stats.filter_map(group).filter(|group| *group == id).count()
    }

    fn kill(&self) {
        let id = self.0.and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
        if let Some(id) = id {
            // It may be gone already.
            let _ = rustix::process::kill_process_group(id, rustix::process::Signal::KILL);
        }
    }
}

#[cfg(unix)]
impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}
