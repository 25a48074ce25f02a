#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod column;
mod dataset;
mod error;
mod iris;
mod nist;
mod options;
mod read;
mod show;
mod table;

pub use column::{Column, Values};
pub use dataset::{Classification, Dataset, Regression};
pub use error::{Error, Place, Problem, Result};
pub use iris::iris;
pub use nist::{Reference, nist_linear};
pub use options::{CsvOptions, Header, Missing};
pub use show::Head;
pub use table::Table;
