//! Tiles of random numbers: the loops' bodies, to be compiled for the machine's best instruction set.
//!
//! A tile is [`BLOCKS`] blocks of Philox, laid out word by word: first the first words of all its blocks, then their second words. So
//! neighbours in memory come from neighbouring counters, and vector instructions never move numbers between lanes.

use super::box_muller::of_normal;
use super::philox::Schedule;
use gradus_tensor::Scalar;

/// How many blocks of four words make a tile.
pub(super) const BLOCKS: usize = 64;

/// A precision that streams are made of: `f32` and `f64`, as [`Scalar`].
///
/// Where only `T: Scalar` is known, [`Stream::uniform`](crate::Stream::uniform), [`Stream::normal`](crate::Stream::normal) and
/// [`Init::tensor`](crate::Init::tensor) make tensors.
pub trait Sample: Scalar {
    /// Numbers a tile: a single takes one word, a double two.
    #[doc(hidden)]
    const TILE: usize;
    /// A whole tile of uniforms on (0, 1].
    #[doc(hidden)]
    fn uniforms(source: Source, tile: u64, out: &mut [Self]);
    /// A whole tile of standard normals.
    #[doc(hidden)]
    fn normals(source: Source, tile: u64, out: &mut [Self]);
    /// Number `at` of a tile of uniforms.
    #[doc(hidden)]
    fn uniform(source: Source, tile: u64, at: usize) -> Self;
    /// Number `at` of a tile of normals.
    #[doc(hidden)]
    fn normal(source: Source, tile: u64, at: usize) -> Self;
}

/// A stream as its kernels want it.
#[derive(Debug, Clone, Copy)]
pub struct Source {
    pub(super) schedule: Schedule,
    pub(super) substream: u64,
}

impl Source {
    /// The words of block `b` of a tile: the counter is the block's number and the substream.
    #[inline(always)]
    fn block(self, tile: u64, b: usize) -> [u32; 4] {
        // A tile's first block is a multiple of 64: adding b never carries into the upper word.
        let first = tile.wrapping_mul(BLOCKS as u64);
        let ([low, high], substream) = (halves(first), halves(self.substream));
        self.schedule.words([low + b as u32, high, substream[0], substream[1]])
    }
}

/// The lower and the upper half.
#[inline(always)]
pub(super) const fn halves(x: u64) -> [u32; 2] {
    [x as u32, (x >> 32) as u32]
}

/// 24 bits of a word, plus one, over 2²⁴: on (0, 1], and exact.
#[inline(always)]
fn unit_f32(word: u32) -> f32 {
    ((word >> 8) + 1) as i32 as f32 * (1.0 / 16_777_216.0)
}

/// 53 bits of two words, plus one, over 2⁵³.
#[inline(always)]
fn unit_f64(low: u32, high: u32) -> f64 {
    let pair = u64::from(low) | (u64::from(high) << 32);
    ((pair >> 11) + 1) as f64 * (1.0 / 9_007_199_254_740_992.0)
}

/// Two normals of two words. 31 bits make the radius, so that the tails reach 6.66; the angle's zero is in the middle of its range, so that
/// the word can be read as a number with a sign, which vector instructions convert.
#[inline(always)]
fn normals_f32(radius: u32, angle: u32) -> (f32, f32) {
    const HALF_STEP: f32 = 1.0 / 4_294_967_296.0;
    let u = f32::mul_add((radius >> 1) as i32 as f32, 2.0 * HALF_STEP, HALF_STEP);
    of_normal(u, angle as i32 as f32 * HALF_STEP)
}

/// The same of four words: 53 bits for the radius and 53 for the angle.
#[inline(always)]
fn normals_f64([a, b, c, d]: [u32; 4]) -> (f64, f64) {
    of_normal(unit_f64(a, b), unit_f64(c, d))
}

/// Fills a tile of singles, four of each block.
#[inline(always)]
fn singles(source: Source, tile: u64, out: &mut [f32], each: impl Fn([u32; 4]) -> [f32; 4]) {
    if let [first, second, third, fourth] = out.as_chunks_mut::<BLOCKS>().0 {
        for b in 0..BLOCKS {
            [first[b], second[b], third[b], fourth[b]] = each(source.block(tile, b));
        }
    }
}

/// Fills a tile of doubles, two of each block.
#[inline(always)]
fn doubles(source: Source, tile: u64, out: &mut [f64], each: impl Fn([u32; 4]) -> [f64; 2]) {
    if let [first, second] = out.as_chunks_mut::<BLOCKS>().0 {
        for b in 0..BLOCKS {
            [first[b], second[b]] = each(source.block(tile, b));
        }
    }
}

#[inline(always)]
fn four_uniforms(words: [u32; 4]) -> [f32; 4] {
    words.map(unit_f32)
}

#[inline(always)]
fn four_normals([a, b, c, d]: [u32; 4]) -> [f32; 4] {
    let (pair, other) = (normals_f32(a, b), normals_f32(c, d));
    [pair.0, pair.1, other.0, other.1]
}

#[inline(always)]
fn two_uniforms([a, b, c, d]: [u32; 4]) -> [f64; 2] {
    [unit_f64(a, b), unit_f64(c, d)]
}

#[inline(always)]
fn two_normals(words: [u32; 4]) -> [f64; 2] {
    normals_f64(words).into()
}

macro_rules! sample {
    ($t:ident, $numbers:literal, $fill:ident, $uniforms:ident, $normals:ident) => {
        impl Sample for $t {
            const TILE: usize = $numbers * BLOCKS;

            #[inline(always)]
            fn uniforms(source: Source, tile: u64, out: &mut [Self]) {
                $fill(
                    source,
                    tile,
                    out,
                    #[inline(always)]
                    |words| $uniforms(words),
                );
            }

            #[inline(always)]
            fn normals(source: Source, tile: u64, out: &mut [Self]) {
                $fill(
                    source,
                    tile,
                    out,
                    #[inline(always)]
                    |words| $normals(words),
                );
            }

            fn uniform(source: Source, tile: u64, at: usize) -> Self {
                $uniforms(source.block(tile, at % BLOCKS))[at / BLOCKS]
            }

            fn normal(source: Source, tile: u64, at: usize) -> Self {
                $normals(source.block(tile, at % BLOCKS))[at / BLOCKS]
            }
        }
    };
}

sample!(f32, 4, singles, four_uniforms, four_normals);
sample!(f64, 2, doubles, two_uniforms, two_normals);
