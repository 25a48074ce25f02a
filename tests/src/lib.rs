//! The book's chapters as doctests: every Rust block that a reader sees is compiled and run.
//!
//! The modules are made by `build.rs` from the book's summary. Tests that cross crates are in `tests/`.

// The blocks carry mdBook's attributes beside rustdoc's: ```` ```rust,editable ````.
#![allow(rustdoc::invalid_codeblock_attributes)]

/// The chapters, one module each.
#[cfg(doctest)]
pub mod chapters {
    include!(concat!(env!("OUT_DIR"), "/chapters.rs"));
}
