//! The server's guards, each asked over HTTP as an attacker or a slip would.
#![cfg(unix)]
// A helper that panics fails the test that called it, which is what a test is for.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use gradus_book::project::Project;
use gradus_book::run::{Limits, Runner, Stage, Toolchain};
use gradus_book::serve::{Site, router};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Limits that a test can reach in a moment.
const RUNNING: Limits =
    Limits { wall: Duration::from_secs(3), cpu: 1, memory: 512, file: 1, output: 16 * 1024, processes: 16 };

struct Server {
    port: u16,
    site: Arc<Site>,
}

struct Reply {
    status: u16,
    head: String,
    body: String,
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }
}

fn pages() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("index.html"), "<p>first</p>").unwrap();
    std::fs::write(folder.path().join("404.html"), "<p>nothing here</p>").unwrap();
    folder
}

async fn server(stage: Stage) -> Server {
    server_with(stage, RUNNING).await
}

async fn server_with(stage: Stage, running: Limits) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let runner = Arc::new(Runner::with_limits(stage, Limits::COMPILING, running));
    let site = Arc::new(Site::new(Project::here(), port, pages(), None, runner).unwrap());
    tokio::spawn(axum::serve(listener, router(site.clone())).into_future());
    Server { port, site }
}

fn ready() -> Stage {
    Stage::Ready(Arc::new(Toolchain::bare(&Project::here()).unwrap()))
}

impl Server {
    /// Sends a request as it is written.
    async fn raw(&self, request: &str) -> Reply {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        // A refused body may end in a reset after the answer.
        let _ = stream.read_to_end(&mut bytes).await;
        let text = String::from_utf8_lossy(&bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0);
        Reply { status, head: head.to_lowercase(), body: body.into() }
    }

    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        let host = format!("127.0.0.1:{}", self.port);
        let mut all = vec![("Host", host.as_str()), ("Connection", "close")];
        all.retain(|(name, _)| !headers.iter().any(|(own, _)| own == name));
        all.extend(headers);
        let lines: String = all.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        self.raw(&format!("GET {path} HTTP/1.1\r\n{lines}\r\n")).await
    }

    async fn token(&self) -> String {
        self.get("/__gradus/session", &[]).await.json()["token"].as_str().unwrap().into()
    }

    async fn post(&self, body: &str, headers: &[(&str, &str)]) -> Reply {
        self.post_to("/__gradus/evaluate.json", body, headers).await
    }

    async fn post_to(&self, path: &str, body: &str, headers: &[(&str, &str)]) -> Reply {
        let host = format!("localhost:{}", self.port);
        let mut all = vec![("Host", host.as_str()), ("Connection", "close")];
        all.retain(|(name, _)| !headers.iter().any(|(own, _)| own == name));
        all.extend(headers);
        let lines: String = all.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let length = body.len();
        self.raw(&format!("POST {path} HTTP/1.1\r\n{lines}Content-Length: {length}\r\n\r\n{body}")).await
    }

    /// Asks for a figure as the page does, and with further headers.
    async fn figure(&self, question: &Value, headers: &[(&str, &str)]) -> Reply {
        let headers = [&[("Content-Type", "application/json")], headers].concat();
        self.post_to("/__gradus/ask.json", &question.to_string(), &headers).await
    }

    /// Runs a snippet as the page does.
    async fn run(&self, code: &str) -> Value {
        let token = self.token().await;
        let headers = [("Content-Type", "application/json"), ("X-Gradus-Token", token.as_str())];
        let reply = self.post(&json!({ "code": code }).to_string(), &headers).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        reply.json()
    }

    async fn output(&self, code: &str) -> String {
        self.run(code).await["result"].as_str().unwrap().into()
    }
}

#[tokio::test]
async fn pages_are_served_with_headers_that_keep_them_here() {
    let server = server(Stage::Preparing).await;
    let page = server.get("/", &[]).await;
    assert_eq!((page.status, page.body.as_str()), (200, "<p>first</p>"));
    for header in [
        "content-security-policy: default-src 'self'",
        "cross-origin-resource-policy: same-origin",
        "x-frame-options: sameorigin",
        "x-content-type-options: nosniff",
    ] {
        assert!(page.head.contains(header), "{header}: {}", page.head);
    }
    assert!(!page.head.contains("access-control-allow"), "{}", page.head);
    let missing = server.get("/no/such/page.html", &[]).await;
    assert_eq!((missing.status, missing.body.as_str()), (404, "<p>nothing here</p>"));
    for way_out in ["/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc/passwd"] {
        let reply = server.get(way_out, &[]).await;
        assert!(reply.status == 404 || reply.status == 400, "{way_out}: {}", reply.status);
        assert!(!reply.body.contains("root:"), "{way_out}");
    }
}

#[tokio::test]
async fn a_new_build_takes_the_place_of_the_old_one() {
    let server = server(Stage::Preparing).await;
    let folder = pages();
    std::fs::write(folder.path().join("index.html"), "<p>second</p>").unwrap();
    server.site.swap(folder);
    assert_eq!(server.get("/", &[]).await.body, "<p>second</p>");
}

#[tokio::test]
async fn open_pages_are_told_to_reload() {
    let server = server(Stage::Preparing).await;
    let mut socket = TcpStream::connect(("127.0.0.1", server.port)).await.unwrap();
    let port = server.port;
    let hello = format!(
        "GET /__livereload HTTP/1.1\r\nHost: localhost:{port}\r\nOrigin: http://localhost:{port}\r\nUpgrade: websocket\r\n\
         Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    socket.write_all(hello.as_bytes()).await.unwrap();
    let mut bytes = vec![0; 4096];
    let n = socket.read(&mut bytes).await.unwrap();
    assert!(bytes.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&bytes[..n]));
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.site.swap(pages());
    let n = tokio::time::timeout(Duration::from_secs(5), socket.read(&mut bytes)).await.unwrap().unwrap();
    // A text frame of six bytes, as mdBook's page expects it.
    assert_eq!(&bytes[..n], b"\x81\x06reload");
}

#[tokio::test]
async fn foreign_hosts_origins_and_sites_are_refused() {
    let server = server(ready()).await;
    let (own, other) =
        (format!("http://127.0.0.1:{}", server.port), format!("127.0.0.1:{}", server.port ^ 1));
    let cases: [(&[(&str, &str)], u16); 9] = [
        (&[("Host", "evil.example")], 421),
        (&[("Host", "127.0.0.1")], 421),
        (&[("Host", &other)], 421),
        (&[("Origin", "http://evil.example")], 403),
        (&[("Origin", "null")], 403),
        (&[("Origin", &format!("https://127.0.0.1:{}", server.port))], 403),
        (&[("Sec-Fetch-Site", "cross-site")], 403),
        (&[("Sec-Fetch-Site", "same-site")], 403),
        (&[("Origin", &own), ("Sec-Fetch-Site", "same-origin")], 200),
    ];
    for (headers, status) in cases {
        let reply = server.get("/__gradus/session", headers).await;
        assert_eq!(reply.status, status, "{headers:?}: {}", reply.body);
        assert_eq!(reply.body.contains("token"), status == 200, "{headers:?}");
    }
    // A request without a Host at all is refused too.
    assert_ne!(server.raw("GET /__gradus/session HTTP/1.1\r\nConnection: close\r\n\r\n").await.status, 200);
    // The socket for reloads is behind the same guard.
    assert_eq!(server.get("/__livereload", &[("Origin", "http://evil.example")]).await.status, 403);
}

#[tokio::test]
async fn only_this_machine_can_connect() {
    let server = server(ready()).await;
    let outside = std::net::UdpSocket::bind("0.0.0.0:0").unwrap();
    // No packet is sent: this only asks the system which address it would send from.
    if outside.connect("192.0.2.1:9").is_ok() {
        let own = outside.local_addr().unwrap().ip();
        if !own.is_loopback() {
            assert!(TcpStream::connect((own, server.port)).await.is_err(), "{own} answers");
        }
    }
}

#[tokio::test]
async fn nothing_runs_without_the_token_the_type_and_a_small_body() {
    let server = server(ready()).await;
    let token = server.token().await;
    assert_eq!(token.len(), 32);
    let (kind, with) = (("Content-Type", "application/json"), ("X-Gradus-Token", token.as_str()));
    let body = json!({ "code": "println!(\"ran\");" }).to_string();
    assert_eq!(server.post(&body, &[kind]).await.status, 403);
    assert_eq!(
        server.post(&body, &[kind, ("X-Gradus-Token", "00000000000000000000000000000000")]).await.status,
        403
    );
    // What a form of another site could send without asking first.
    assert_eq!(server.post(&body, &[("Content-Type", "text/plain"), with]).await.status, 415);
    assert_eq!(server.post("{", &[kind, with]).await.status, 400);
    let huge = json!({ "code": "/".repeat(70 * 1024) }).to_string();
    assert_eq!(server.post(&huge, &[kind, with]).await.status, 413);
    assert_eq!(server.get("/__gradus/evaluate.json", &[with]).await.status, 405);
    let ran = server.post(&body, &[kind, with]).await;
    assert_eq!((ran.status, ran.json()["result"].as_str()), (200, Some("ran\n")));
    // The next start has another token.
    assert_ne!(token_of_another_start().await, token);
}

async fn token_of_another_start() -> String {
    server(ready()).await.token().await
}

#[tokio::test]
async fn a_figure_is_drawn_with_what_was_moved() {
    // Without the run button too: nothing of a reader's is run.
    let server = server(Stage::Off("turned off".into())).await;
    let mut looks = Vec::new();
    // δ·(3 − ½δ), by hand.
    for (delta, price) in [(0.5, 1.38), (2.0, 4.0)] {
        let question = json!({ "figure": "regression-losses", "inputs": { "delta": delta } });
        let reply = server.figure(&question, &[]).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        assert!(reply.head.contains("content-type: application/json"), "{}", reply.head);
        let drawn = reply.json();
        let status = drawn["status"].as_str().unwrap();
        assert!(status.contains(&format!("a difference of 3 costs {price} under Huber")), "{status}");
        assert!(drawn["svg"].as_str().unwrap().starts_with("<svg role=\"img\" aria-label=\"L1 is a V"));
        looks.push(drawn["svg"].clone());
    }
    assert_ne!(looks[0], looks[1]);
}

#[tokio::test]
async fn only_one_measurement_runs_at_a_time_and_the_next_one_may_follow() {
    let server = server(Stage::Preparing).await;
    let measure = json!({ "figure": "roofline", "inputs": { "measure": true } });
    let look = json!({ "figure": "roofline", "inputs": { "measure": false } });
    let [one, other] = [server.figure(&measure, &[]), server.figure(&measure, &[])];
    let (one, other, look) = tokio::join!(one, other, server.figure(&look, &[]));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!((statuses, look.status), ([200, 429], 200), "who only looks is not kept waiting");
    let (done, refused) = if one.status == 200 { (one, other) } else { (other, one) };
    assert!(refused.body.contains("at work for another page"), "{}", refused.body);
    let caption = |reply: &Reply| reply.json()["caption"].as_str().unwrap().to_owned();
    assert!(caption(&done).contains("your machine") && !caption(&look).contains("your machine"));
    assert_eq!(server.figure(&measure, &[]).await.status, 200, "the permit has come back");
}

#[tokio::test]
async fn the_line_through_moved_points_is_that_of_least_squares() {
    let server = server(Stage::Preparing).await;
    // By hand: x̄ = 2 and ȳ = 2.4, so the slope is 8/10 and the intercept 0.8.
    let at = json!([[0, 1], [1, 2], [2, 2], [3, 2], [4, 5]]);
    let question = json!({ "figure": "projection-line", "inputs": { "samples": { "at": at, "chosen": 3 } } });
    let drawn = server.figure(&question, &[]).await.json();
    let status = drawn["status"].as_str().unwrap();
    assert!(status.starts_with("The line is 0.800 + 0.800·x."), "{status}");
    // 1/5 + 1²/10.
    assert!(status.contains("Sample 4 has the leverage 0.300"), "{status}");
    // A column of equal numbers is no line of its own: it is said, not refused.
    let at = json!([[2, 1], [2, 2], [2, 2], [2, 2], [2, 5]]);
    let question = json!({ "figure": "projection-line", "inputs": { "samples": { "at": at } } });
    let status = server.figure(&question, &[]).await.json()["status"].to_string();
    assert!(status.contains("2.400 + 0.000·x") && status.contains("the columns are dependent"), "{status}");
}

#[tokio::test]
async fn figures_are_refused_to_others_and_outside_their_ranges() {
    let server = server(Stage::Preparing).await;
    let sound = json!({ "figure": "regression-losses", "inputs": { "delta": 0.5 } });
    let own = format!("http://127.0.0.1:{}", server.port);
    let cases: [(&[(&str, &str)], u16); 6] = [
        (&[("Host", "evil.example")], 421),
        (&[("Origin", "http://evil.example")], 403),
        (&[("Origin", "null")], 403),
        (&[("Sec-Fetch-Site", "cross-site")], 403),
        (&[("Sec-Fetch-Site", "same-site")], 403),
        (&[("Origin", &own), ("Sec-Fetch-Site", "same-origin")], 200),
    ];
    for (headers, status) in cases {
        let reply = server.figure(&sound, headers).await;
        assert_eq!(reply.status, status, "{headers:?}: {}", reply.body);
        assert_eq!(reply.body.contains("<svg"), status == 200, "{headers:?}");
    }
    let with = |inputs: Value| json!({ "figure": "regression-losses", "inputs": inputs });
    let cases = [
        (with(json!({ "delta": 3.01 })), 422, "`delta` is 3.01; allowed is 0.1 to 3"),
        (with(json!({ "delta": -1 })), 422, "`delta` is -1.0; allowed is 0.1 to 3"),
        (with(json!({ "delta": "NaN" })), 422, "`delta` is \"NaN\"; wanted is a finite number"),
        (with(json!({ "gamma": 1 })), 422, "no control is called `gamma`; there are: delta"),
        (
            json!({ "figure": "no-such" }),
            404,
            "no live figure is called `no-such`; there are: projection-line",
        ),
        (json!({ "inputs": {} }), 400, "this is no question"),
    ];
    for (question, status, expected) in cases {
        let reply = server.figure(&question, &[]).await;
        assert_eq!(
            (reply.status, reply.body.contains(expected)),
            (status, true),
            "{question}: {}",
            reply.body
        );
    }
    // No number that JSON can write, no JSON, a form's type, too much, another method.
    let path = "/__gradus/ask.json";
    let json = [("Content-Type", "application/json")];
    let infinite = "{\"figure\":\"regression-losses\",\"inputs\":{\"delta\":1e999}}";
    assert_eq!(server.post_to(path, infinite, &json).await.status, 400);
    assert_eq!(server.post_to(path, "{", &json).await.status, 400);
    let form = [("Content-Type", "text/plain")];
    assert_eq!(server.post_to(path, &sound.to_string(), &form).await.status, 415);
    assert_eq!(server.post_to(path, &" ".repeat(70 * 1024), &json).await.status, 413);
    assert_eq!(server.get(path, &[]).await.status, 405);
}

#[tokio::test]
async fn a_property_is_explored_and_asked_for_what_is_asked() {
    let server = server(Stage::Off("off".into())).await;
    let form = server.figure(&json!({ "describe": "sigmoid.symmetry" }), &[]).await;
    assert!(
        form.status == 200 && form.json()["html"].as_str().unwrap().contains("data-end"),
        "{}",
        form.body
    );
    let question =
        json!({ "explore": "sigmoid.symmetry", "cases": 70, "seed": 4, "ranges": { "x": [-3, 3] } });
    let answer = server.figure(&question, &[]).await.json();
    assert_eq!(
        (&answer["done"], &answer["drawn"], &answer["outcome"]),
        (&json!(true), &json!(70), &json!("pass"))
    );
    let printed = server.figure(&json!({ "explore": "prelu.printed" }), &[]).await.json();
    assert!(printed["html"].as_str().unwrap().contains("The way there"), "{printed}");
    let unknown = server.figure(&json!({ "explore": "sigmoid.symetry" }), &[]).await;
    assert_eq!((unknown.status, unknown.body.as_str()), (404, "no property is called `sigmoid.symetry`"));
}

#[tokio::test]
async fn an_attempt_wants_the_token_and_an_exercise_of_the_book() {
    let server = server(ready()).await;
    let token = server.token().await;
    let path = "/__gradus/exercise.json";
    let json = ("Content-Type", "application/json");
    let attempt = |id: &str| json!({ "exercise": id, "code": "" }).to_string();
    assert_eq!(server.post_to(path, &attempt("stable-softmax"), &[json]).await.status, 403);
    let with_token = [json, ("X-Gradus-Token", token.as_str())];
    for id in ["no-such-exercise", "../src/reading", "stable-softmax.md", "", "/etc/passwd"] {
        let reply = server.post_to(path, &attempt(id), &with_token).await;
        assert_eq!(reply.status, 404, "{id}: {}", reply.body);
    }
    // Without the crates the check does not compile, which is said as it is of any other program.
    let reply = server.post_to(path, &attempt("stable-softmax"), &with_token).await;
    assert_eq!((reply.status, &reply.json()["error"]), (200, &json!("compile")), "{}", reply.body);
}

#[tokio::test]
async fn after_a_change_the_newer_program_draws() {
    let server = server(Stage::Preparing).await;
    let question = json!({ "figure": "saturation", "inputs": { "weight": 2.5 } });
    let before = server.figure(&question, &[]).await;
    // The same program stands in for its newer self: it must answer to the byte, and refuse as well.
    server.site.draw_with(env!("CARGO_BIN_EXE_gradus-book").into());
    let after = server.figure(&question, &[]).await;
    assert_eq!((after.status, &after.body), (200, &before.body));
    let refused = server.figure(&json!({ "figure": "saturation", "inputs": { "weight": 9 } }), &[]).await;
    assert_eq!((refused.status, refused.body.as_str()), (422, "`weight` is 9.0; allowed is 0.25 to 8"));
    // Two at once, of which one finds the process that is kept at work.
    let (one, other) = tokio::join!(server.figure(&question, &[]), server.figure(&question, &[]));
    assert_eq!((&one.body, &other.body), (&before.body, &before.body));
    server.site.draw_with("/no/such/program".into());
    let missing = server.figure(&question, &[]).await;
    assert_eq!((missing.status, missing.body.starts_with("starting the newer program")), (500, true));
}

#[tokio::test]
async fn the_session_says_when_the_button_works() {
    let server = server(Stage::Preparing).await;
    let token = server.token().await;
    let headers = [("Content-Type", "application/json"), ("X-Gradus-Token", token.as_str())];
    assert_eq!(server.get("/__gradus/session", &[]).await.json()["run"], "preparing");
    assert_eq!(server.post("{\"code\":\"\"}", &headers).await.status, 503);
    server.site.runner().set(Stage::Off("turned off".into()));
    let session = server.get("/__gradus/session", &[]).await.json();
    assert_eq!((session["run"].as_str(), session["why"].as_str()), (Some("off"), Some("turned off")));
    let refused = server.post("{\"code\":\"\"}", &headers).await;
    assert_eq!((refused.status, refused.body.as_str()), (503, "turned off"));
    server.site.runner().set(ready());
    assert_eq!(server.get("/__gradus/session", &[]).await.json()["run"], "ready");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_two_snippets_run_at_once() {
    let server = Arc::new(server(ready()).await);
    let token = server.token().await;
    let ask = |code: &'static str| {
        let (server, token) = (server.clone(), token.clone());
        tokio::spawn(async move {
            let headers = [("Content-Type", "application/json"), ("X-Gradus-Token", token.as_str())];
            server.post(&json!({ "code": code }).to_string(), &headers).await.status
        })
    };
    const SLEEP: &str = "std::thread::sleep(std::time::Duration::from_secs(2));";
    let slow = [ask(SLEEP), ask(SLEEP)];
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(ask("").await.unwrap(), 429);
    for one in slow {
        assert_eq!(one.await.unwrap(), 200);
    }
    assert_eq!(ask("").await.unwrap(), 200);
}

#[tokio::test]
async fn snippets_get_a_main_in_which_errors_can_be_returned() {
    let server = server(ready()).await;
    let cases = [
        ("let x: i32 = \"4\".parse()?;\nprintln!(\"{x}\")", Value::Null, "4\n"),
        (
            "let x: i32 = \"4\".parse()?;\nprintln!(\"{x}\");\nOk::<(), std::num::ParseIntError>(())",
            Value::Null,
            "4\n",
        ),
        ("let x: i32 = \"four\".parse()?;", "run".into(), "Error: ParseIntError { kind: InvalidDigit }\n"),
        ("println!(\"out\"); eprintln!(\"err\");", Value::Null, "out\nerr\n"),
    ];
    for (code, error, result) in cases {
        let answer = server.run(code).await;
        assert_eq!((&answer["error"], answer["result"].as_str()), (&error, Some(result)), "{code}");
    }
    let wrong = server.run("let a = 1;\n\nlet b: u32 = \"2\";").await;
    assert_eq!(wrong["error"], "compile");
    assert!(wrong["result"].as_str().unwrap().contains("snippet.rs:3:14"), "{wrong}");
    let silent = server.run("assert_eq!(1 + 1, 2);").await;
    assert_eq!(silent["error"], Value::Null);
    assert!(silent["result"].as_str().unwrap().contains("every assertion holds"), "{silent}");
    let tested = server.run("#[test]\nfn fails() { assert_eq!(1 + 1, 3); }").await;
    assert_eq!(tested["error"], "run");
    assert!(tested["result"].as_str().unwrap().contains("test fails ... FAILED"), "{tested}");
}

#[tokio::test]
async fn processor_time_is_limited() {
    // On a busy machine a second of processor time takes several on the wall.
    let server = server_with(ready(), Limits { wall: Duration::from_secs(60), ..RUNNING }).await;
    let output = server.output("let mut x = 0u64; loop { x = std::hint::black_box(x + 1); }").await;
    assert!(output.ends_with("[stopped: more than 1 s of processor time]\n"), "{output}");
}

#[tokio::test]
async fn time_on_the_wall_is_limited_and_children_end_with_their_parent() {
    let server = server(ready()).await;
    let started = Instant::now();
    // The child would write its mark after the limit, if it lived.
    let mark = tempfile::tempdir().unwrap();
    let file = mark.path().join("alive");
    let code = format!(
        "std::process::Command::new(\"sh\").args([\"-c\", \"sleep 5; echo > {}\"]).spawn()?;\n\
         println!(\"started\"); std::thread::sleep(std::time::Duration::from_secs(60));",
        file.display()
    );
    let output = server.output(&code).await;
    assert_eq!(output, "started\n[stopped after 3 s]\n");
    assert!(started.elapsed() < Duration::from_secs(30));
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(!file.exists(), "the child lived on");
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn processes_are_limited() {
    let server = server(ready()).await;
    let output = server
        .output("for _ in 0..40 { std::process::Command::new(\"sleep\").arg(\"9\").spawn()?; }\nstd::thread::sleep(std::time::Duration::from_secs(9));")
        .await;
    assert!(output.contains("[stopped: more than 16 processes]"), "{output}");
}

#[tokio::test]
async fn memory_files_and_output_are_limited() {
    let server = server(ready()).await;
    let memory = server.output("let v = vec![1u8; 1 << 30]; println!(\"{}\", v[77]);").await;
    assert!(memory.ends_with("[stopped: more than 512 MiB of memory]\n"), "{memory}");
    let file = server.output("std::fs::write(\"big\", vec![0; 3 << 20])?;").await;
    assert!(file.ends_with("[stopped: a file of more than 1 MiB]\n"), "{file}");
    let printed = server.output("loop { println!(\"again\"); }").await;
    assert!(printed.ends_with("[stopped: more than 16 KiB of output]\n"), "{}", printed.len());
    assert!(printed.len() < 17 * 1024, "{}", printed.len());
}

#[tokio::test]
async fn the_environment_is_scrubbed_and_each_run_has_a_new_folder() {
    // Cargo has set this for every test.
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
    let server = server(ready()).await;
    let code = "let mut names: Vec<_> = std::env::vars().map(|v| v.0).collect(); names.sort();\n\
                println!(\"{names:?} {:?}\", option_env!(\"CARGO_MANIFEST_DIR\"));";
    let seen = server.output(code).await;
    assert!(!seen.contains("CARGO") && seen.contains("HOME") && seen.ends_with("None\n"), "{seen}");
    let write = "println!(\"{}\", std::env::current_dir()?.display()); std::fs::write(\"left\", \"\")?;";
    let folder = server.output(write).await;
    assert!(!std::path::Path::new(folder.trim()).exists(), "{folder} is still there");
    assert_eq!(server.output("println!(\"{}\", std::path::Path::new(\"left\").exists());").await, "false\n");
}
