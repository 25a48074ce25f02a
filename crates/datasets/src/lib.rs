#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod breast_cancer;
mod column;
mod dataset;
mod diabetes;
mod digits;
mod error;
mod generated;
mod idx;
mod images;
mod iris;
mod mnist;
mod nist;
mod options;
mod read;
mod show;
mod sunspots;
mod table;
mod wine;

pub use breast_cancer::breast_cancer;
pub use column::{Column, Values};
pub use dataset::{Classification, Dataset, Regression};
pub use diabetes::{diabetes, diabetes_scaled};
pub use digits::digits;
pub use error::{Error, Place, Problem, Result};
pub use generated::{blobs, circles, spiral, two_moons};
pub use idx::{Idx, IdxProblem, IdxValues};
pub use images::Images;
pub use iris::iris;
#[cfg(feature = "mnist")]
pub use mnist::mnist_subset;
pub use mnist::{Mnist, mnist};
pub use nist::{Reference, nist_linear};
pub use options::{CsvOptions, Header, Missing};
pub use show::Head;
pub use sunspots::sunspots;
pub use table::Table;
pub use wine::wine;
