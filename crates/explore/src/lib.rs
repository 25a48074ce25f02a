#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod catalogue;
mod error;
mod names;
mod observations;
mod ranges;
mod registry;
pub mod render;
mod session;

pub use catalogue::{Catalogue, Entry, Listing, catalogue};
pub use error::{Error, Result};
pub use names::near;
pub use observations::Observations;
pub use ranges::{NamedRange, check_ranges, fit, fit_ranges, parse_range};
pub use registry::{Topic, topics};
pub use session::{Event, Summary, planned_cases, replay_case, run_all};
