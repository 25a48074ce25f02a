//! Answers to what pages ask: figures that are moved, properties that are explored.

use gradus_explore::{Topic, topics};
use gradus_page::{Page, Reply};
use serde_json::Value;
use std::sync::LazyLock;

static PAGE: LazyLock<Page> =
    LazyLock::new(|| Page::new(gradus_figures::LIVE, topics().iter().flat_map(Topic::properties).collect()));

/// Answers a question of any page.
pub fn reply(question: Value) -> Reply {
    PAGE.reply(question)
}
