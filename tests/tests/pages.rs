//! The book as the reader starts it: the real program, its pages in a browser, and the requests they make.
//!
//! Needs chromium or chrome; where there is none, the tests are reported as ignored, and a line says so.

use gradus_explore::topics;
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::{Arc, Mutex};

type Outcome = Result<(), Failed>;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let browser = browser();
    if browser.is_none() {
        eprintln!(
            "SKIPPED: the page tests need a browser: chromium, google-chrome, or one named by GRADUS_BROWSER"
        );
    }
    let skip = browser.is_none();
    let served = Arc::new(Mutex::new(None));
    let mut trials = Vec::new();
    let mut trial = |name: &str, test: fn(&Opened) -> Outcome, page: &'static str| {
        let (browser, served) = (browser.clone(), served.clone());
        let run = move || -> Outcome {
            // The program is started once, by the test that comes first.
            let mut served = served.lock().map_err(|_| "an earlier test has panicked")?;
            if served.is_none() {
                *served = Some(Served::start()?);
            }
            let address = served.as_ref().map(|s: &Served| s.address.clone()).unwrap_or_default();
            let browser = browser.unwrap_or_default();
            test(&open(&browser, &format!("{address}{page}"), &address)?)
        };
        trials.push(Trial::test(name, run).with_ignored_flag(skip));
    };
    trial("how_to_read", reading, "reading.html");
    trial("the_first_chapter", every_formula, "activations.html");
    trial("the_notation", quiet, "notation.html");
    trial("all_formulas", list_of_formulas, "formulas.html");
    trial("the_misprints", misprints, "errata.html");
    trial("the_whole_book_for_printing", print, "print.html");
    trial("a_page_that_is_not_there", missing, "no-such-page.html");
    let unserved = browser.unwrap_or_default();
    trials.push(
        Trial::test("from_a_folder_without_a_server", move || folder(&unserved)).with_ignored_flag(skip),
    );
    let conclusion = libtest_mimic::run(&arguments, trials);
    // Statics and exit codes run no destructors: the server ends here.
    drop(served.lock().map(|mut s| s.take()));
    conclusion.exit_code()
}

/// A browser that can be told to print a page.
fn browser() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("GRADUS_BROWSER") {
        return Some(named.into());
    }
    let path = std::env::var_os("PATH")?;
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    names.iter().flat_map(|n| std::env::split_paths(&path).map(move |p| p.join(n))).find(|p| p.is_file())
}

/// The book's program, as cargo builds it for the reader.
fn program() -> Result<PathBuf, Failed> {
    let output = Command::new(env!("CARGO"))
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .args(["build", "--bin", "gradus-book"])
        .arg("--message-format=json-render-diagnostics")
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err("gradus-book does not compile".into());
    }
    let text = String::from_utf8(output.stdout)?;
    let messages = text.lines().filter_map(|l| serde_json::from_str::<Value>(l).ok());
    let program = messages.filter_map(|m| m["executable"].as_str().map(PathBuf::from)).next_back();
    program.ok_or_else(|| "cargo did not say where gradus-book is".into())
}

/// The program, serving.
struct Served {
    child: Child,
    address: String,
}

impl Served {
    /// Starts it, and waits until the page and the run button are ready.
    fn start() -> Result<Self, Failed> {
        let mut child = Command::new(program()?)
            .args(["serve", "--no-open", "--port", "0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut lines = BufReader::new(child.stdout.take().ok_or("no output")?);
        let mut served = Self { child, address: String::new() };
        let mut line = String::new();
        while !line.contains("The run button is ready") {
            line.clear();
            if lines.read_line(&mut line)? == 0 {
                return Err("the program ended before it was ready".into());
            }
            if let Some((_, rest)) = line.split_once("The book is at ") {
                served.address = rest.split_whitespace().next().unwrap_or_default().into();
            }
        }
        // What it still says must have somewhere to go.
        std::thread::spawn(move || drop(lines.read_to_end(&mut Vec::new())));
        Ok(served)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // Asked to end, it removes its pages; killed, it could not.
        let asked = Command::new("kill").arg(self.child.id().to_string()).status();
        if !asked.is_ok_and(|s| s.success()) {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

/// A page after its scripts have run.
struct Opened {
    dom: String,
    /// What the console said.
    console: Vec<String>,
    /// The addresses that the page itself asked for.
    requests: Vec<String>,
    /// Where it should have asked.
    origin: String,
}

fn open(browser: &Path, address: &str, origin: &str) -> Result<Opened, Failed> {
    let profile = tempfile::tempdir()?;
    let log = profile.path().join("net.json");
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        // The browser's own curiosity stays here too; a page's shows in the log all the same.
        .arg("--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1")
        .arg(format!("--user-data-dir={}", profile.path().join("profile").display()))
        .arg(format!("--log-net-log={}", log.display()))
        .args(["--virtual-time-budget=10000", "--enable-logging=stderr", "--dump-dom", address])
        .stdin(Stdio::null())
        .output()?;
    let messages = String::from_utf8_lossy(&output.stderr).into_owned();
    let log: Value = serde_json::from_str(&std::fs::read_to_string(log)?)?;
    let events = log["events"].as_array().ok_or("the browser logged no events")?;
    // The browser's own requests have no page as their initiator.
    let of_page = |e: &&Value| e["params"]["initiator"].as_str().is_some_and(|i| i != "not an origin");
    let url = |e: &Value| e["params"]["url"].as_str().map(str::to_owned);
    Ok(Opened {
        dom: String::from_utf8_lossy(&output.stdout).into_owned(),
        console: messages.lines().filter(|l| l.contains(":CONSOLE")).map(str::to_owned).collect(),
        requests: events.iter().filter(of_page).filter_map(url).collect(),
        origin: origin.trim_end_matches('/').into(),
    })
}

impl Opened {
    fn must(&self, holds: bool, what: &str) -> Outcome {
        if holds { Ok(()) } else { Err(format!("{what}\n{} bytes of DOM", self.dom.len()).into()) }
    }

    fn has(&self, text: &str) -> Outcome {
        self.must(self.dom.contains(text), &format!("`{text}` is not in the page"))
    }
}

/// Nothing on the console, and no request but to the server that the page came from.
fn quiet(page: &Opened) -> Outcome {
    page.must(page.console.is_empty(), &format!("the console says: {}", page.console.join("\n")))?;
    page.must(page.requests.len() > 5, "the log of requests is empty: it can't show anything")?;
    let own = |url: &String| {
        let host = page.origin.trim_start_matches("http://");
        let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("ws://"));
        rest.is_some_and(|r| r.strip_prefix(host).is_some_and(|r| r.starts_with('/')))
    };
    let foreign: Vec<_> = page.requests.iter().filter(|url| !own(url)).collect();
    page.must(foreign.is_empty(), &format!("requests to elsewhere: {foreign:?}"))
}

fn reading(page: &Opened) -> Outcome {
    quiet(page)?;
    page.has("data-run=\"ready\"")?;
    let buttons = page.dom.matches("class=\"play-button\"").count();
    page.must(buttons >= 3, &format!("{buttons} run buttons"))?;
    page.has("aria-label=\"Run this code\"")?;
    page.has("class=\"skip-link\"")
}

/// Every formula has its block on the page of its chapter, typeset, with its evidence.
fn every_formula(page: &Opened) -> Outcome {
    quiet(page)?;
    let formulas = topics().iter().flat_map(|t| t.formulas).filter(|f| f.chapter == "activations");
    let mut count = 0;
    for formula in formulas {
        page.has(&format!("id=\"eq-{}\"", formula.id))?;
        count += 1;
    }
    page.must(count > 0, "no formula belongs to the chapter")?;
    page.has("<math")?;
    page.has("class=\"badge pass\"")?;
    page.must(!page.dom.contains("class=\"badge fail\""), "a property fails")?;
    page.has("<figcaption>")
}

fn list_of_formulas(page: &Opened) -> Outcome {
    quiet(page)?;
    for formula in topics().iter().flat_map(|t| t.formulas) {
        page.has(&format!(">{}</code>", formula.id))?;
    }
    Ok(())
}

fn misprints(page: &Opened) -> Outcome {
    quiet(page)?;
    for formula in topics().iter().flat_map(|t| t.formulas).filter(|f| f.printed.is_some()) {
        page.has(&format!("id=\"erratum-{}\"", formula.id))?;
    }
    page.has("refuted, as it should be, ")
}

fn print(page: &Opened) -> Outcome {
    quiet(page)?;
    for formula in topics().iter().flat_map(|t| t.formulas) {
        let id = format!("id=\"eq-{}\"", formula.id);
        let count = page.dom.matches(&id).count();
        page.must(count == 1, &format!("{id} is there {count} times"))?;
    }
    Ok(())
}

fn missing(page: &Opened) -> Outcome {
    page.has("Document not found")
}

/// From a folder, everything can be read, nothing is asked for, and no button promises what can't be.
fn folder(browser: &Path) -> Outcome {
    let out = tempfile::tempdir()?;
    let status =
        Command::new(program()?).args(["build", "--out"]).arg(out.path()).stdout(Stdio::null()).status()?;
    if !status.success() {
        return Err("the book was not built".into());
    }
    let page = open(browser, &format!("file://{}", out.path().join("reading.html").display()), "")?;
    page.must(page.console.is_empty(), &format!("the console says: {}", page.console.join("\n")))?;
    page.has("data-run=\"off\"")?;
    let foreign: Vec<_> = page.requests.iter().filter(|url| !url.starts_with("file:")).collect();
    page.must(foreign.is_empty(), &format!("requests to elsewhere: {foreign:?}"))
}
