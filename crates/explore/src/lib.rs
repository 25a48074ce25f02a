#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod registry;

pub use registry::{Topic, topics};
