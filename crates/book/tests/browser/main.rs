//! The pages in a real browser, used by a probe page that the same server serves.
//!
//! Needs chromium or chrome; where there is none, the tests are reported as ignored, and a line says so.
#![cfg(unix)]
// A helper that panics fails the test that called it, which is what a test is for.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use axum::Router;
use axum::routing::get;
use gradus_book::build::{Options, build};
use gradus_book::catalog::Catalog;
use gradus_book::project::Project;
use gradus_book::run::{Runner, Stage, Toolchain};
use gradus_book::serve::{Site, router};
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;

const PAGES: [&str; 22] = [
    "reading.html",
    "notation.html",
    "activations.html",
    "least-squares.html",
    "losses.html",
    "likelihood.html",
    "logistic-regression.html",
    "softmax-regression.html",
    "backpropagation.html",
    "initialization.html",
    "sgd.html",
    "bias-variance.html",
    "first-network.html",
    "layers.html",
    "shapes.html",
    "convolution.html",
    "convolution-layers.html",
    "pooling.html",
    "lenet.html",
    "speed.html",
    "formulas.html",
    "errata.html",
];

/// What moves in a figure, and what must not.
const LIVE: [(&str, bool); 13] = [
    ("the controls are seen", true),
    ("the hint is seen", false),
    ("a point dragged moves the line", true),
    ("the status tells its leverage", true),
    ("a point stays in its limits", true),
    ("an arrow key moves it further", true),
    ("the focus stays", true),
    ("the page is turned", false),
    ("a slider moves the curve", true),
    ("its value is told", true),
    ("a screen reader hears of it", true),
    ("the button brings the page’s figure back", true),
    ("a refusal is told", true),
];

/// What a brush and a grid of weights do, and what they must not.
const PAINTING: [(&str, bool); 15] = [
    ("a cell for each pixel", true),
    ("cleared", true),
    ("an empty image is said to be empty", true),
    ("a stroke fills what lies between, softly", true),
    ("a pointer that is up paints nothing", true),
    ("a stroke changes the picture", true),
    ("shift rubs out", true),
    ("the keys paint", true),
    ("the cell is told", true),
    ("a cell is emptied", true),
    ("the page is turned", false),
    ("the button brings the page’s digit back", true),
    ("a click is a step, and behind the most comes the least", true),
    ("painting chooses the grid", true),
    ("the filter is the reader’s", true),
];

fn main() -> ExitCode {
    let browser = browser();
    if browser.is_none() {
        eprintln!(
            "SKIPPED: the page tests need a browser: chromium, google-chrome, or one named by GRADUS_BROWSER"
        );
    }
    let skip = browser.is_none();
    let probe = Trial::test("the_book_works_in_a_browser", move || probe(&browser.unwrap_or_default()));
    libtest_mimic::run(&Arguments::from_args(), vec![probe.with_ignored_flag(skip)]).exit_code()
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

/// The page's DOM after its scripts have run, and what the console said.
fn dump(browser: &Path, address: &str) -> (String, String) {
    let profile = tempfile::tempdir().unwrap();
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        // The browser's own curiosity stays here too.
        .arg("--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1")
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(["--virtual-time-budget=120000", "--enable-logging=stderr", "--dump-dom", address])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let console =
        text(&output.stderr).lines().filter(|l| l.contains(":CONSOLE")).map(|l| format!("{l}\n")).collect();
    (text(&output.stdout), console)
}

/// Serves the book with the probe among its pages; the crates become ready when the probe asks for it.
async fn serve() -> u16 {
    let project = Project::here();
    let folder = tempfile::tempdir().unwrap();
    let catalog = Arc::new(Catalog::new().unwrap());
    let out = folder.path().to_path_buf();
    build(&project, &catalog, &Options { out: out.clone(), live: true, api: None, modules: false }).unwrap();
    std::fs::write(out.join("probe.html"), include_str!("probe.html")).unwrap();
    std::fs::write(out.join("pages.json"), json!({ "pages": PAGES }).to_string()).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let runner = Arc::new(Runner::new(Stage::Preparing));
    let site = Arc::new(Site::new(project.clone(), port, folder, None, runner.clone()).unwrap());
    let toolchain = Arc::new(Toolchain::prepare(&project).unwrap());
    let ready = get(move || async move { runner.set(Stage::Ready(toolchain)) });
    let app = Router::new().route("/ready", ready).merge(router(site));
    tokio::spawn(axum::serve(listener, app).into_future());
    port
}

fn probe(browser: &Path) -> Result<(), Failed> {
    let runtime = tokio::runtime::Runtime::new()?;
    let port = runtime.block_on(serve());
    let (dom, console) = dump(browser, &format!("http://127.0.0.1:{port}/probe.html"));
    let text =
        dom.split("<pre id=\"found\">").nth(1).and_then(|s| s.split("</pre>").next()).unwrap_or_default();
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    let found: Value =
        serde_json::from_str(&text).map_err(|e| format!("{e}: the probe did not end: {text}\n{console}"))?;
    let mut faults = Vec::new();
    let mut expect = |what: &str, seen: &Value, expected: Value| {
        if *seen != expected {
            faults.push(format!("{what}: expected {expected}, found {seen}"));
        }
    };
    expect("an error in the probe", &found["error"], Value::Null);
    for page in PAGES {
        expect(&format!("{page}: by how much it is wider than a phone"), &found["wide"][page], json!(0));
        expect(
            &format!("{page}: buttons and drawings without a name"),
            &found["unlabelled"][page],
            json!([]),
        );
    }
    expect("what the keyboard reaches first", &found["skip"], json!("skip-link #content-start"));
    expect("where the skip link leads", &found["skipped"], json!("MAIN"));
    for theme in ["light", "rust", "coal", "navy", "ayu"] {
        expect(&format!("{theme}: text that is too faint"), &found["faint"][theme], json!([]));
    }
    expect("the keyboard reaches the contents, and opens them", &found["contents"], json!([true, true]));
    expect("the state at first", &found["atFirst"], json!("preparing"));
    expect("the button at first", &found["sayingAtFirst"], json!("Preparing: the crates are being compiled"));
    expect("the button is seen", &found["visible"], json!(true));
    expect("the state later", &found["later"], json!("ready"));
    expect("the button later", &found["sayingLater"], json!("Run this code"));
    let values = "sigmoid(-4) = 0.0180\nsigmoid(-1) = 0.2689\nsigmoid(0) = 0.5000\nsigmoid(1) = 0.7311\nsigmoid(4) = 0.9820";
    expect("the first listing's output", &found["ran"], json!([values, "status"]));
    expect("the second's", &found["fallible"], json!(["the sigmoid of 1.0986 is 0.7500", "status"]));
    expect("an edit's output", &found["edited"], json!(["42", "status"]));
    expect("the edit after a reload", &found["kept"], json!("println!(\"{}\", 6 * 7);"));
    for what in ["resetShown", "reset", "resetHidden"] {
        expect(what, &found[what], json!(true));
    }
    for (what, value) in LIVE {
        expect(&format!("a live figure: {what}"), &found["live"][what], json!(value));
    }
    for (what, value) in PAINTING {
        expect(&format!("painting: {what}"), &found["painting"][what], json!(value));
    }
    let hits = found["search"].as_array().map(Vec::as_slice).unwrap_or_default();
    let hit = hits.iter().any(|h| h.as_str().is_some_and(|h| h.contains("activations.html")));
    expect("the search finds the chapter", &json!(hit), json!(true));
    expect("the console", &json!(console), json!(""));
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n").into()) }
}
