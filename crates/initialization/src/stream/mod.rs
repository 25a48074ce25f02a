//! A stream of random numbers in which each has its place: number i is a function of the key and of i, and of nothing else.

mod box_muller;
mod kernel;
mod philox;

pub(crate) use box_muller::FORMULA as FORMULA_BOX_MULLER;
pub use box_muller::box_muller;
pub use kernel::Sample;
use kernel::{BLOCKS, Source, halves};
pub(crate) use philox::FORMULA as FORMULA_PHILOX;
use philox::Schedule;
pub use philox::philox;

use gradus_tensor::kernel::{for_each_block, vectorize};
use gradus_tensor::{Dtype, Result, Scalar, Tensor};
use std::any::Any;

/// How many tiles a core fills at a time: 32768 singles, 16384 doubles.
const TILES: usize = 128;

/// The random numbers of a key: uniform and normal ones, each by its place.
///
/// A stream has no state. Number i is what [`philox`] makes of the key and of a counter that follows from i, so that it can be asked for alone, in any order, and by any
/// thread. [`substream`](Self::substream) gives 2⁶⁴ streams a key, for steps, layers, workers.
///
/// **Numerics**: a single takes one word of 32 bits, a double two; a uniform has 24 (53) random bits. A stream lasts for 2⁶⁶ singles. The same place gives the same
/// random bits to [`uniform_at`](Self::uniform_at) and [`normal_at`](Self::normal_at): where both are needed, take two substreams.
///
/// ```
/// use gradus_initialization::Stream;
/// let stream = Stream::new(2026);
/// let all = stream.normal::<f32>([1000, 1000])?;
/// assert_eq!(all.get([123, 456])?, stream.normal_at::<f32>(123_456));
/// assert_ne!(stream.normal_at::<f32>(0), stream.substream(1).normal_at::<f32>(0));
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stream {
    key: [u32; 2],
    substream: u64,
}

impl Stream {
    /// The stream of a key: its substream 0.
    pub const fn new(key: u64) -> Self {
        Self { key: halves(key), substream: 0 }
    }

    /// Another stream of the same key.
    #[must_use]
    pub const fn substream(self, number: u64) -> Self {
        Self { substream: number, ..self }
    }

    /// The uniform number at place i, on (0, 1]: never 0, so that it has a logarithm.
    pub fn uniform_at<T: Scalar>(self, i: u64) -> T {
        self.at(i, f32::uniform, f64::uniform)
    }

    /// The standard normal number at place i.
    pub fn normal_at<T: Scalar>(self, i: u64) -> T {
        self.at(i, f32::normal, f64::normal)
    }

    /// Uniform numbers on (0, 1] from place 0 on, on all cores; the bits are those of [`uniform_at`](Self::uniform_at).
    pub fn fill_uniform<T: Sample>(self, out: &mut [T]) {
        self.fill(
            out,
            #[inline(always)]
            |source, tile, out| T::uniforms(source, tile, out),
            #[inline(always)]
            |u| u,
        );
    }

    /// Standard normal numbers from place 0 on, on all cores; the bits are those of [`normal_at`](Self::normal_at).
    pub fn fill_normal<T: Sample>(self, out: &mut [T]) {
        self.fill(
            out,
            #[inline(always)]
            |source, tile, out| T::normals(source, tile, out),
            #[inline(always)]
            |z| z,
        );
    }

    /// [`fill_uniform`](Self::fill_uniform) as a tensor.
    ///
    /// # Errors
    /// If the shape is no shape.
    pub fn uniform<T: Scalar>(self, shape: impl AsRef<[usize]>) -> Result<Tensor<T>> {
        self.tensor(shape, |out| self.fill_uniform(out), |out| self.fill_uniform(out))
    }

    /// [`fill_normal`](Self::fill_normal) as a tensor.
    ///
    /// # Errors
    /// If the shape is no shape.
    pub fn normal<T: Scalar>(self, shape: impl AsRef<[usize]>) -> Result<Tensor<T>> {
        self.tensor(shape, |out| self.fill_normal(out), |out| self.fill_normal(out))
    }

    /// Fills a slice with `each` of the numbers of a source. Both are closures that are inlined: a function's name would be called, as compiled for the
    /// oldest processor.
    pub(crate) fn fill<T: Sample>(
        self,
        out: &mut [T],
        draw: impl Fn(Source, u64, &mut [T]) + Sync,
        each: impl Fn(T) -> T + Sync,
    ) {
        let source = self.source();
        for_each_block(out, TILES * T::TILE, |i, block| {
            vectorize(
                #[inline(always)]
                || {
                    let first = (i * TILES) as u64;
                    let (tiles, rest) = block.split_at_mut(block.len() / T::TILE * T::TILE);
                    let whole = (tiles.len() / T::TILE) as u64;
                    for (k, tile) in (first..).zip(tiles.chunks_exact_mut(T::TILE)) {
                        draw(source, k, tile);
                        tile.iter_mut().for_each(|x| *x = each(*x));
                    }
                    if !rest.is_empty() {
                        // The last tile is filled whole: places do not move with the length.
                        let mut tile = [T::ZERO; 4 * BLOCKS];
                        draw(source, first + whole, &mut tile[..T::TILE]);
                        rest.iter_mut().zip(&tile).for_each(|(x, &drawn)| *x = each(drawn));
                    }
                },
            );
        });
    }

    fn source(self) -> Source {
        Source { schedule: Schedule::new(self.key), substream: self.substream }
    }

    fn at<T: Scalar>(
        self,
        i: u64,
        single: impl Fn(Source, u64, usize) -> f32,
        double: impl Fn(Source, u64, usize) -> f64,
    ) -> T {
        let place = |size: usize| (i / size as u64, (i % size as u64) as usize);
        match T::DTYPE {
            Dtype::F32 => {
                let (tile, at) = place(f32::TILE);
                T::of(single(self.source(), tile, at).into()) // exact both ways
            }
            _ => {
                let (tile, at) = place(f64::TILE);
                T::of(double(self.source(), tile, at))
            }
        }
    }

    /// A tensor of the one or the other precision: the kernels are compiled once, in this crate, not for each `T: Scalar` of a caller.
    pub(crate) fn tensor<T: Scalar>(
        self,
        shape: impl AsRef<[usize]>,
        single: impl FnOnce(&mut [f32]),
        double: impl FnOnce(&mut [f64]),
    ) -> Result<Tensor<T>> {
        let mut out = Tensor::compute(shape, |_| ())?;
        let any: &mut dyn Any = &mut out;
        if let Some(out) = any.downcast_mut::<Tensor<f32>>() {
            single(out.as_mut_slice());
        } else if let Some(out) = any.downcast_mut::<Tensor<f64>>() {
            double(out.as_mut_slice());
        }
        Ok(out)
    }
}
