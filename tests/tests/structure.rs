//! The structure of the workspace, held against the rules that the crates agree on: which crate may use which, what a
//! manifest must say, and what evidence a formula owes.
//!
//! Each rule is a function from plain data to a list of offenders, each named with what to do about it; beside it
//! stands a made-up offender, so that the rule itself is seen to fail.
#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests are tests too

#[path = "structure/book.rs"]
mod book;
#[path = "structure/book_offenders.rs"]
mod book_offenders;
#[path = "structure/workspace.rs"]
mod workspace;
#[path = "structure/workspace_offenders.rs"]
mod workspace_offenders;

use book::Book;
use std::collections::BTreeSet;
use workspace::Member;

fn nobody(offenders: Vec<String>) {
    assert!(offenders.is_empty(), "\n  {}\n", offenders.join("\n  "));
}

fn registered() -> BTreeSet<&'static str> {
    gradus_explore::topics().iter().map(|t| t.package).collect()
}

#[test]
fn arrows_point_down() {
    nobody(workspace::arrows(&Member::all()));
}

#[test]
fn versions_stand_in_the_workspace_only() {
    nobody(workspace::versions(&Member::all()));
}

#[test]
fn only_the_tensor_crate_has_unsafe_code() {
    nobody(workspace::unsafe_code(&Member::all()));
}

#[test]
fn only_the_tensor_crate_names_kernels_and_threads() {
    nobody(workspace::kernels(&Member::all()));
}

#[test]
fn published_crates_are_light() {
    nobody(workspace::light(&Member::all()));
}

#[test]
fn trees_are_small() {
    assert!(workspace::tree("gradus-tensor").iter().any(|package| package.starts_with("nalgebra ")));
    nobody(workspace::trees(&Member::all(), workspace::tree));
}

#[test]
fn libraries_and_programs_leave_benches_to_criterion() {
    nobody(workspace::bench_false(&Member::all()));
}

#[test]
fn every_crate_has_a_readme() {
    nobody(workspace::readmes(&Member::all()));
}

#[test]
fn every_crate_with_properties_is_registered_and_tests_them() {
    let members = Member::all();
    nobody(workspace::registered(&members, &registered()));
    nobody(workspace::property_tests(&members, &registered()));
}

#[test]
fn every_topic_has_properties() {
    nobody(book::empty_topics(&Book::real()));
}

#[test]
fn every_formula_has_the_evidence_it_owes() {
    nobody(book::evidence(&Book::real()));
}

#[test]
fn every_misprint_is_shown_and_refuted() {
    nobody(book::misprints(&Book::real()));
}

#[test]
fn every_alias_leads_to_a_formula() {
    nobody(book::aliases(&Book::real()));
}

#[test]
fn every_id_is_given_once() {
    nobody(book::duplicates(&Book::real()));
}

#[test]
fn every_property_bears_the_name_of_a_known_formula() {
    nobody(book::property_names(&Book::real()));
}

#[test]
fn every_formula_is_filled_in() {
    nobody(book::fields(&Book::real()));
}

#[test]
fn every_formula_stands_in_its_chapter() {
    nobody(book::chapters(&Book::real()));
}

#[test]
fn every_derivation_stands_in_its_chapter() {
    nobody(book::derivations(&Book::real()));
}
