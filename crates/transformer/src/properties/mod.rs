//! The properties of attention and of what is built on it.

mod attention;
mod blocks;
mod complexity;
mod derivations;
mod generation;
mod heads;
mod masks;
mod positions;
mod tiles;

use crate::Mask;
use gradus_formula::{Case, Draw, Property};
use gradus_tensor::{Result, Tensor, rng};
use rand_distr::StandardNormal;

/// The properties in parts: who wants those of one chapter, as a page of the book does, need not take along all others.
pub const PROPERTIES: &[fn() -> Vec<Property>] = &[
    attention::properties,
    tiles::properties,
    masks::properties,
    heads::properties,
    positions::properties,
    blocks::properties,
    complexity::properties,
    generation::properties,
    derivations::properties,
];

/// The properties and refutations of this crate.
pub fn properties() -> Vec<Property> {
    PROPERTIES.iter().flat_map(|part| part()).collect()
}

/// Rounding of sums of some hundred terms of size 1, and of an exponential.
const ROUNDING: f64 = 1e-12;

/// Standard normal numbers from the case's seed; `which` tells several apart.
fn normal(case: &Case<'_>, which: u64, dims: &[usize]) -> Result<Tensor<f64>> {
    Tensor::random(dims, &StandardNormal, &mut rng(case.seed("values") ^ (which << 40)))
}

/// 0, 1, …, n − 1 in an order that follows from a seed.
fn shuffled(seed: u64, n: usize) -> Vec<u32> {
    let mut order: Vec<u32> = (0..n as u32).collect();
    order.sort_by_key(|&i| (u64::from(i) + 1).wrapping_mul(seed | 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    order
}

/// T queries and S keys of d numbers, values of w numbers, of n samples.
fn sizes(id: &'static str, formulas: &'static [&'static str], statement: &'static str) -> Property {
    Property::new(id, formulas, statement)
        .draw(Draw::size("n", 1..=2).limited(1.0..=8.0))
        .draw(Draw::size("t", 1..=6).limited(1.0..=200.0))
        .draw(Draw::size("s", 1..=6).limited(1.0..=200.0))
        .draw(Draw::size("d", 1..=5).limited(1.0..=64.0))
        .draw(Draw::size("w", 1..=4).limited(1.0..=64.0))
        .draw(Draw::seed("values"))
}

/// The queries, keys and values of [`sizes`], of so many heads each.
fn operands(case: &mut Case<'_>, [heads, groups]: [usize; 2]) -> Result<[Tensor<f64>; 3]> {
    let (n, t, s) = (case.size("n"), case.size("t"), case.size("s"));
    let (d, w) = (case.size("d"), case.size("w"));
    case.classify(t == 1, "one query");
    case.classify(s == 1, "one key");
    case.classify(t != s, "other keys than queries");
    Ok([
        normal(case, 0, &[n, t, heads * d])?,
        normal(case, 1, &[n, s, groups * d])?,
        normal(case, 2, &[n, s, groups * w])?,
    ])
}

/// The restrictions that a mask can have, alone and together.
const MASKS: &[&str] = &["none", "causal", "window", "causal window", "lengths", "table", "added", "all"];

/// A mask of the drawn kind. Some queries may see nothing.
fn mask(case: &mut Case<'_>, [n, heads, t, s]: [usize; 4]) -> Result<Mask<f64>> {
    let kind = case.choice("mask");
    case.label(format!("mask: {kind}"));
    let seed = case.seed("values").rotate_left(17);
    let mut mask = Mask::default();
    let is = |name: &str| kind == name || kind == "all";
    mask.causal = is("causal") || kind == "causal window";
    if is("window") || kind == "causal window" {
        mask.window = Some((seed % 4) as usize);
    }
    if is("lengths") {
        let length = |i: usize| (seed.rotate_left(9 * i as u32) % (s as u64 + 1)) as usize;
        mask.lengths = Some((0..n).map(length).collect());
    }
    let bit = |at: &[usize], of: u64| {
        let place = at.iter().fold(0u64, |sum, &i| sum.wrapping_mul(131).wrapping_add(i as u64 + 1));
        (place ^ seed).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(23) % of
    };
    let samples = if seed.is_multiple_of(2) { 1 } else { n };
    if is("table") {
        mask.allowed = Some(Tensor::from_fn([samples, heads, t, s], |at| bit(at, 3) > 0)?);
    }
    if is("added") {
        let number = |at: &[usize]| match bit(at, 5) {
            0 => f64::NEG_INFINITY,
            more => more as f64 - 2.5,
        };
        mask.added = Some(Tensor::from_fn([1, t, s], number)?);
    }
    Ok(mask)
}
