//! The figures as pages show them: each is drawn once, and then remembered.

use crate::kept;
use anyhow::Result;
use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex, PoisonError};

/// What has been drawn: some figures train a network, and a served book is built again at every change of a file.
static DRAWN: LazyLock<BTreeMap<&'static str, Mutex<Option<String>>>> =
    LazyLock::new(|| gradus_figures::names().map(|name| (name, Mutex::new(None))).collect());

/// A figure as HTML on one line; it is drawn once, and then remembered: by every program of the same crates, too.
///
/// # Errors
/// If there is no such figure, or it can't be drawn.
pub fn draw(name: &str) -> Result<String> {
    let Some(drawn) = DRAWN.get(name) else {
        return gradus_figures::draw(name);
    };
    // Who comes second waits for the first. A drawing that panicked left nothing behind, so it may be tried again.
    let mut drawn = drawn.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(html) = &*drawn {
        return Ok(html.clone());
    }
    let html = kept::text(&format!("{name}.html"), || gradus_figures::draw(name))?;
    Ok(drawn.insert(html).clone())
}
