#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod explorer;
mod module;
mod panel;

pub use gradus_figures::{Live, Reply, live};

use explorer::Explorer;
pub use gradus_formula::Property;
use serde_json::Value;

/// What a page can ask about.
pub struct Page {
    figures: &'static [Live],
    explorer: Explorer,
}

impl Page {
    /// A page with these figures to move and properties to explore.
    pub fn new(figures: &'static [Live], properties: Vec<Property>) -> Self {
        Self { figures, explorer: Explorer::new(properties) }
    }

    /// Answers a question.
    pub fn reply(&self, question: Value) -> Reply {
        if question.get("figure").is_some() {
            gradus_figures::reply(self.figures, question)
        } else {
            self.explorer.reply(question)
        }
    }
}

/// The answer to a question in JSON, as JSON with its status: for the macro [`module!`].
#[doc(hidden)]
pub fn answer(page: &Page, question: &[u8]) -> Vec<u8> {
    let reply = match serde_json::from_slice(question) {
        Ok(question) => page.reply(question),
        Err(error) => Reply { status: 400, body: format!("this is no question: {error}") },
    };
    // Strings and a number: there is nothing in it that JSON could not say.
    serde_json::to_vec(&reply).unwrap_or_default()
}
