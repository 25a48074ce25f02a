//! What the server answers.

use super::guard::{TOKEN, guard, token};
use super::newer::Newer;
use crate::answers;
use crate::catalog::Catalog;
use crate::code::Code;
use crate::exercises;
use crate::project::Project;
use crate::run::{Answer, Refusal, Runner, Stage};
use anyhow::{Context, Result};
use axum::Router;
use axum::body::Body;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{DefaultBodyLimit, Json, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use tempfile::TempDir;
use tokio::sync::{Semaphore, broadcast};
use tower::ServiceExt;
use tower_http::services::{ServeDir, ServeFile};

/// The largest request that is read.
pub(super) const BODY_LIMIT: usize = 64 * 1024;

/// A book being served.
pub struct Site {
    project: Project,
    catalog: Catalog,
    pub(super) hosts: Vec<String>,
    token: String,
    folder: RwLock<Arc<TempDir>>,
    api: Option<PathBuf>,
    runner: Arc<Runner>,
    reload: broadcast::Sender<()>,
    newer: RwLock<Option<Arc<Newer>>>,
    /// Held while a page's question is answered that takes a while: two measurements at once would measure each other.
    working: Arc<Semaphore>,
}

impl Site {
    /// A site on `port`, of the pages in `folder`, built from `project`.
    ///
    /// # Errors
    /// If the system has no random numbers, or the formulas do not fit together.
    pub fn new(
        project: Project,
        port: u16,
        folder: TempDir,
        api: Option<PathBuf>,
        runner: Arc<Runner>,
    ) -> Result<Self> {
        Ok(Self {
            project,
            catalog: Catalog::new()?,
            hosts: vec![format!("127.0.0.1:{port}"), format!("localhost:{port}")],
            token: token()?,
            folder: RwLock::new(Arc::new(folder)),
            api,
            runner,
            reload: broadcast::channel(8).0,
            newer: RwLock::new(None),
            working: Arc::new(Semaphore::new(1)),
        })
    }

    /// The folder of rustdoc pages that it answers for.
    pub fn api(&self) -> Option<PathBuf> {
        self.api.clone()
    }

    /// The runner.
    pub fn runner(&self) -> &Arc<Runner> {
        &self.runner
    }

    /// Serves another folder from now on, and tells the pages to reload. The old folder goes when the last
    /// request that reads from it is done: mdBook empties its folder first, so each build has one of its own.
    pub fn swap(&self, folder: TempDir) {
        *self.folder.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(folder);
        // Nobody may be listening.
        let _ = self.reload.send(());
    }

    /// Lets a newer self of this program draw the figures that are moved.
    pub fn draw_with(&self, newer: PathBuf) {
        *self.newer.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(Newer::new(newer)));
    }

    fn newer(&self) -> Option<Arc<Newer>> {
        self.newer.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Removes the pages, at the end: threads that still know the site would keep them.
    pub fn clear(&self) {
        // What can't be removed stays in the system's folder for temporary files.
        let _ = std::fs::remove_dir_all(self.folder().path());
    }

    /// Runs a program of the reader's, if the request has the token.
    async fn run(&self, headers: &HeaderMap, code: &str) -> Response {
        match self.refuses(headers) {
            Some(refused) => refused,
            None => answered(self.runner.run(code).await),
        }
    }

    /// The answer to a request without the token.
    fn refuses(&self, headers: &HeaderMap) -> Option<Response> {
        let missing = headers.get(TOKEN).is_none_or(|t| t.as_bytes() != self.token.as_bytes());
        missing
            .then(|| (StatusCode::FORBIDDEN, "the token is missing or old: reload the page").into_response())
    }

    fn folder(&self) -> Arc<TempDir> {
        self.folder.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn answered(answer: Result<Result<Answer, Refusal>>) -> Response {
    match answer {
        Ok(Ok(answer)) => Json(answer).into_response(),
        Ok(Err(Refusal::Busy)) => {
            (StatusCode::TOO_MANY_REQUESTS, "two snippets are running already").into_response()
        }
        Ok(Err(Refusal::NotReady(why))) => (StatusCode::SERVICE_UNAVAILABLE, why).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}")).into_response(),
    }
}

/// The routes, behind the guard.
pub fn router(site: Arc<Site>) -> Router {
    Router::new()
        .route("/__gradus/session", get(session))
        .route("/__gradus/evaluate.json", post(evaluate))
        .route("/__gradus/exercise.json", post(exercise))
        .route("/__gradus/change.json", post(change))
        .route("/__gradus/ask.json", post(ask))
        .route("/__livereload", get(livereload))
        .fallback(page)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(middleware::from_fn_with_state(site.clone(), guard))
        .with_state(site)
}

/// The token and the state of the run button. JSON, never a script: another site could load a script.
async fn session(State(site): State<Arc<Site>>) -> Response {
    let (state, why, crates) = match site.runner.stage() {
        Stage::Off(why) => ("off", why, Vec::new()),
        Stage::Preparing => ("preparing", "the crates are being compiled".into(), Vec::new()),
        Stage::Failed(why) => ("failed", why, Vec::new()),
        Stage::Ready(t) => ("ready", String::new(), t.crates.keys().cloned().collect()),
    };
    Json(serde_json::json!({ "token": site.token, "run": state, "why": why, "crates": crates }))
        .into_response()
}

/// What the page sends; the playground's other fields are not needed.
#[derive(Deserialize)]
struct Snippet {
    code: String,
}

async fn evaluate(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    Json(snippet): Json<Snippet>,
) -> Response {
    site.run(&headers, &snippet.code).await
}

/// An attempt at an exercise.
#[derive(Deserialize)]
struct Attempt {
    exercise: String,
    code: String,
}

async fn exercise(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    Json(attempt): Json<Attempt>,
) -> Response {
    match exercises::read(&site.project, &attempt.exercise) {
        Ok(exercise) => site.run(&headers, &exercise.program(&attempt.code)).await,
        Err(error) => (StatusCode::NOT_FOUND, format!("{error:#}")).into_response(),
    }
}

/// Other code in the place of a formula's.
#[derive(Deserialize)]
struct Change {
    formula: String,
    code: String,
}

async fn change(State(site): State<Arc<Site>>, headers: HeaderMap, Json(change): Json<Change>) -> Response {
    if let Some(refused) = site.refuses(&headers) {
        return refused;
    }
    let edited = site.catalog.formula(&change.formula).and_then(|formula| {
        let code = Code::read(&site.project, &formula.item)?;
        Ok((
            formula.item.krate,
            formula.canonical(),
            BTreeMap::from([(code.file.clone(), code.file_with(&change.code))]),
        ))
    });
    match edited {
        Ok((krate, formula, files)) => answered(site.runner.edited(krate, &files, formula).await),
        Err(error) => (StatusCode::NOT_FOUND, format!("{error:#}")).into_response(),
    }
}

/// A figure with something moved, or a property explored. It wants no token: nothing runs but the book's own functions, on numbers in their
/// ranges, and nothing is changed. The guard has seen that a page of the book asks, and JSON is what no other could send.
async fn ask(State(site): State<Arc<Site>>, Json(question): Json<Value>) -> Response {
    let newer = site.newer();
    let permit = if gradus_figures::takes_a_while(&question) {
        let Ok(permit) = site.working.clone().try_acquire_owned() else {
            let why = "the machine is at work for another page: try again when it is done";
            return (StatusCode::TOO_MANY_REQUESTS, why).into_response();
        };
        Some(permit)
    } else {
        None
    };
    let answer = tokio::task::spawn_blocking(move || {
        // It goes when the work is done, even if the page has gone before.
        let _permit = permit;
        match newer {
            None => Ok(answers::reply(question)),
            Some(newer) => newer.ask(&question),
        }
    });
    match answer.await.context("answering").flatten() {
        Ok(reply) => {
            let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let kind =
                if status == StatusCode::OK { "application/json" } else { "text/plain; charset=utf-8" };
            (status, [(header::CONTENT_TYPE, kind)], reply.body).into_response()
        }
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}")).into_response(),
    }
}

async fn livereload(State(site): State<Arc<Site>>, upgrade: WebSocketUpgrade) -> Response {
    let mut reload = site.reload.subscribe();
    upgrade.on_upgrade(move |mut socket: WebSocket| async move {
        tokio::select! {
            told = reload.recv() => {
                // That some reloads were missed is as good a reason to reload.
                if !matches!(told, Err(broadcast::error::RecvError::Closed)) {
                    let _ = socket.send(Message::text("reload")).await;
                }
            }
            // The page was closed.
            _ = socket.recv() => {}
        }
    })
}

/// A page or file of the book, or one of the API documentation.
async fn page(State(site): State<Arc<Site>>, mut request: Request<Body>) -> Response {
    if let (Some(api), Some(rest)) = (&site.api, request.uri().path().strip_prefix("/api/")) {
        let Ok(uri) = format!("/{rest}").parse() else { return StatusCode::BAD_REQUEST.into_response() };
        *request.uri_mut() = uri;
        return ServeDir::new(api).oneshot(request).await.into_response();
    }
    let folder = site.folder();
    let missing = ServeFile::new(folder.path().join("404.html"));
    ServeDir::new(folder.path()).not_found_service(missing).oneshot(request).await.into_response()
}
