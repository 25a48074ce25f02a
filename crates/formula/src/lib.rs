#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

#[cfg(feature = "properties")]
mod derivation;
#[cfg(feature = "properties")]
mod differences;
#[cfg(feature = "properties")]
mod draw;
mod formula;
#[cfg(feature = "harness")]
mod harness;
#[cfg(feature = "json")]
mod json;
#[cfg(feature = "properties")]
mod property;
#[cfg(feature = "properties")]
mod report;
#[cfg(feature = "properties")]
mod runner;
#[cfg(feature = "properties")]
mod slip;
#[cfg(feature = "properties")]
mod verdict;

pub use formula::{Formula, Item, ItemKind, Kind, Printed, Symbol, Verdict};

#[cfg(feature = "properties")]
pub use {
    derivation::{Derivation, Line, LineValue},
    differences::{slope, slopes},
    draw::{Array, Draw, Inputs, Range, RangeError, Ranges, Scale, Value},
    property::{Case, Check, Failure, Property, Tolerance},
    report::{Counterexample, DrawReport, Histogram, Outcome, Report, Step},
    runner::{CaseRecord, Config, Origin, Run, Status, replay, run},
    slip::{slip, slipped},
    verdict::{Verdicts, number, verify, verify_within},
};

#[cfg(feature = "harness")]
pub use harness::test_main;

#[cfg(all(feature = "json", feature = "properties"))]
pub use json::{observation, report_line};
