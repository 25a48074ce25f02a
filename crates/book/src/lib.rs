#![doc = include_str!("../README.md")]
//!
//! ## The modules in reading order
//!
//! * [`catalog`] gathers formulas and properties of all topic crates, and runs the properties once, of which [`evidence`] is what a page says;
//! * [`items`] finds where an item is declared; [`math`] typesets, and [`symbols`] marks what a page can explain; [`figures`] draws;
//! * [`markdown`] finds math and directives in a chapter; [`pages`] writes what takes their place;
//! * [`recorded`] is what listings print, for who can't run them;
//! * [`exercises`] are read from files of their own; so are [`slips`], mistakes in a formula's [`code`];
//! * [`preprocess`] puts these together as an mdBook preprocessor, and [`build`] drives mdBook with it;
//! * [`answers`] are what a page gets that asks for a figure or a property while it is read;
//! * [`check`] reads the built pages again, as a reader's browser would;
//! * [`modules`] compiles what makes a page alive without a server;
//! * [`run`] compiles and runs a snippet under limits, and [`serve`] offers it to the page, on loopback only.

#![forbid(unsafe_code)]
// A program: what it prints is for its terminal.
#![allow(clippy::print_stdout)]

pub mod answers;
pub mod build;
pub mod catalog;
pub mod check;
pub mod cli;
pub mod code;
pub mod evidence;
pub mod exercises;
pub mod figures;
pub mod items;
mod kept;
pub mod markdown;
pub mod math;
pub mod modules;
pub mod pages;
pub mod preprocess;
pub mod project;
pub mod recorded;
pub mod run;
pub mod serve;
pub mod slips;
pub mod sources;
pub mod symbols;
pub mod text;
