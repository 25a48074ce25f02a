//! A newer self of this program, compiled after a change in a crate: it answers the pages from then on, or figures would move
//! by the old formula.

use anyhow::{Context, Result};
use gradus_figures::Reply;
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;

/// The program, and one process of it that is kept: what its figures have trained stays with it.
pub(super) struct Newer {
    program: PathBuf,
    kept: Mutex<Option<Drawing>>,
}

/// `gradus-book answer` at work: a question a line, and as many answers.
struct Drawing {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Newer {
    pub(super) fn new(program: PathBuf) -> Self {
        Self { program, kept: Mutex::new(None) }
    }

    /// Asks it. Who comes while the kept process is at work gets one that is not kept, and need not wait.
    pub(super) fn ask(&self, question: &Value) -> Result<Reply> {
        let Ok(mut kept) = self.kept.try_lock() else {
            return Drawing::start(&self.program)?.ask(question);
        };
        let mut drawing = kept.take().map_or_else(|| Drawing::start(&self.program), Ok)?;
        let reply = drawing.ask(question)?;
        // One that failed is not used again.
        *kept = Some(drawing);
        Ok(reply)
    }
}

impl Drawing {
    fn start(program: &Path) -> Result<Self> {
        let mut child = Command::new(program)
            .arg("answer")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("starting the newer program")?;
        let (questions, answers) = child.stdin.take().zip(child.stdout.take()).context("talking to it")?;
        Ok(Self { child, questions, answers: BufReader::new(answers) })
    }

    fn ask(&mut self, question: &Value) -> Result<Reply> {
        let mut answer = String::new();
        writeln!(self.questions, "{question}").context("asking the newer program")?;
        self.answers.read_line(&mut answer).context("waiting for the newer program")?;
        serde_json::from_str(&answer).context("the newer program drew nothing")
    }
}

impl Drop for Drawing {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
