//! Who may ask: this machine's browser, from the book's own pages.

use super::Site;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// The header that carries the token.
pub(super) const TOKEN: &str = "x-gradus-token";

/// What the browser is told to keep to, so that no page of the book can ask another machine for anything.
/// mdBook's pages have inline scripts and styles; the editor starts a worker from a blob.
const POLICY: &str = "default-src 'self'; script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'; \
                      style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; \
                      worker-src 'self' blob:; frame-ancestors 'self'; base-uri 'self'; form-action 'none'";

/// Refuses what does not come from the book's own pages, before anything is done.
pub(super) async fn guard(State(site): State<Arc<Site>>, request: Request<Body>, next: Next) -> Response {
    let own = request.uri().path().starts_with("/__");
    if let Err((status, why)) = admit(&site.hosts, request.headers(), own) {
        return (status, why).into_response();
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        ("content-security-policy", POLICY),
        ("cross-origin-resource-policy", "same-origin"),
        ("x-frame-options", "SAMEORIGIN"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-cache"),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}

/// The rules; `own` says that the address is one of the server's functions, not a page.
fn admit(hosts: &[String], headers: &HeaderMap, own: bool) -> Result<(), (StatusCode, &'static str)> {
    let text = |name: &str| headers.get(name).map(|v| v.to_str().unwrap_or("(unreadable)"));
    // A foreign name that was made to point at this machine still shows in the Host header.
    if !hosts.iter().any(|host| text(header::HOST.as_str()) == Some(host)) {
        return Err((StatusCode::MISDIRECTED_REQUEST, "this server answers as localhost only"));
    }
    if let Some(origin) = text(header::ORIGIN.as_str()) {
        let host = origin.strip_prefix("http://");
        if !hosts.iter().any(|known| host == Some(known)) {
            return Err((StatusCode::FORBIDDEN, "foreign Origin"));
        }
    }
    if own && text("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none") {
        return Err((StatusCode::FORBIDDEN, "cross-site request"));
    }
    Ok(())
}

/// A random token, new at each start.
pub(super) fn token() -> anyhow::Result<String> {
    let mut bytes = [0u8; 16];
    getrandom::fill(&mut bytes).map_err(|e| anyhow::anyhow!("no random token: {e}"))?;
    Ok(bytes.iter().map(|b| format!("{b:02x}")).collect())
}
