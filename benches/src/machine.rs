//! What the machine can do: multiplications a second, bytes a second, and what a page costs that is touched for the first time.
//! And what of this some work reaches.

use crate::ladder::Rung;
use gradus_tensor::kernel::{
    BLOCK, View, for_each_block, map_blocks, product, sum_by, sum_by_two, threads, vectorize,
};
use gradus_tensor::{Result, Scalar, Tensor, Transpose, buffers, with_threads};
use serde::{Deserialize, Serialize};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// One run of some work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// What was run.
    pub name: String,
    /// How many threads worked.
    pub threads: usize,
    /// Multiplications and additions (of a maximum: comparisons).
    pub flop: f64,
    /// The bytes that must be moved at the least: each operand read once, the result written once.
    pub bytes: f64,
    /// How long it took, at best.
    pub seconds: f64,
}

impl Sample {
    /// Billions of operations a second.
    pub fn gflops(&self) -> f64 {
        self.flop / self.seconds * 1e-9
    }

    /// Billions of bytes a second.
    pub fn gbytes(&self) -> f64 {
        self.bytes / self.seconds * 1e-9
    }

    /// Operations for each byte.
    pub fn intensity(&self) -> f64 {
        self.flop / self.bytes
    }
}

/// What a number of threads can do at most.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// How many threads.
    pub threads: usize,
    /// Fused multiplications and additions of `f32`, in billions of operations a second.
    pub peak_f32: f64,
    /// The same of `f64`.
    pub peak_f64: f64,
    /// The fastest stream, in billions of bytes a second.
    pub bandwidth: f64,
}

impl Limits {
    /// The roof over work of this intensity, in billions of operations a second: peak or bandwidth, whichever binds.
    pub fn roof(&self, intensity: f64) -> f64 {
        self.peak_f32.min(self.bandwidth * intensity)
    }
}

/// Everything that was measured on a machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// The processor, as the system calls it.
    pub processor: String,
    /// The compiler.
    pub compiler: String,
    /// The day.
    pub date: String,
    /// One thread, then as many as there are cores.
    pub limits: [Limits; 2],
    /// Streams through memory.
    pub streams: Vec<Sample>,
    /// Work under the roof.
    pub works: Vec<Sample>,
    /// The rungs of the ladder, from the bottom; the last once more with all threads.
    pub ladder: Vec<Sample>,
    /// A buffer of 64 MiB filled: fresh, fresh in large pages, used again.
    pub pages: Vec<Sample>,
}

/// How much time a measurement takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// A second or two, for somebody who waits.
    Quick,
    /// A quarter of a minute, for the record.
    Thorough,
}

/// The measurement that the book shows, of the machine it was written on.
///
/// # Errors
/// If the file does not hold one.
pub fn committed() -> serde_json::Result<Measurement> {
    serde_json::from_str(include_str!("../measured/machine.json"))
}

/// The rows of the ladder's matrices.
pub const LADDER: usize = 768;

impl Measurement {
    /// Measures this machine. What the system and the compiler are called is left for the caller to say.
    ///
    /// # Errors
    /// If memory's size can't be had.
    pub fn take(effort: Effort) -> Result<Self> {
        let clock = Clock(effort);
        let cores = threads();
        let mut streams = Streams::new(STREAM)?;
        let mut found = Self {
            processor: processor(),
            compiler: String::new(),
            date: String::new(),
            limits: [1, cores].map(|threads| Limits {
                threads,
                peak_f32: 0.0,
                peak_f64: 0.0,
                bandwidth: 0.0,
            }),
            streams: Vec::new(),
            works: Vec::new(),
            ladder: Vec::new(),
            pages: Vec::new(),
        };
        for i in 0..2 {
            let count = found.limits[i].threads;
            let (limits, samples) = with_threads(count, || limits(clock, &mut streams));
            found.limits[i] = limits;
            found.streams.extend(samples);
        }
        streams.works(clock, &mut found.works)?;
        drop(streams);
        for n in [64, 128, 256, 512, 1024] {
            found.works.push(square(clock, Rung::Packed, n, format!("product {n}"))?);
        }
        for rung in Rung::ALL {
            let name = rung.name().to_owned();
            found.ladder.push(with_threads(1, || square(clock, rung, LADDER, name))?);
        }
        found.ladder.push(square(
            clock,
            Rung::Packed,
            LADDER,
            format!("{}, all cores", Rung::Packed.name()),
        )?);
        if effort == Effort::Thorough {
            found.pages = pages(clock)?;
        }
        Ok(found)
    }
}

impl Measurement {
    /// The best of both: what else the machine did meanwhile can only have made a time longer.
    #[must_use]
    pub fn or_better(mut self, other: &Self) -> Self {
        for (limits, other) in self.limits.iter_mut().zip(&other.limits) {
            limits.peak_f32 = limits.peak_f32.max(other.peak_f32);
            limits.peak_f64 = limits.peak_f64.max(other.peak_f64);
            limits.bandwidth = limits.bandwidth.max(other.bandwidth);
        }
        let all = [
            (&mut self.streams, &other.streams),
            (&mut self.works, &other.works),
            (&mut self.ladder, &other.ladder),
            (&mut self.pages, &other.pages),
        ];
        for (own, other) in all {
            own.iter_mut().zip(other).for_each(|(own, other)| own.seconds = own.seconds.min(other.seconds));
        }
        self
    }
}

/// The elements of a stream's arrays: 64 MiB of `f32`, more than most caches hold.
pub const STREAM: usize = 16 << 20;

/// How often something is run.
#[derive(Debug, Clone, Copy)]
struct Clock(Effort);

impl Clock {
    /// Runs work until its best time is likely found, and gives that.
    fn best(self, mut work: impl FnMut()) -> f64 {
        let (budget, least) = match self.0 {
            Effort::Quick => (Duration::from_millis(40), 2),
            Effort::Thorough => (Duration::from_millis(400), 5),
        };
        let start = Instant::now();
        let (mut best, mut runs) = (f64::INFINITY, 0);
        // What takes long is run once: its noise is small beside it.
        while start.elapsed() < budget || (runs < least && start.elapsed() < 4 * budget) {
            let before = Instant::now();
            work();
            best = best.min(before.elapsed().as_secs_f64());
            runs += 1;
        }
        best
    }
}

/// Lets the compiler believe that a result is needed.
fn keep<R>(result: R) {
    drop(black_box(result));
}

/// Peak and bandwidth with the threads that there are.
fn limits(clock: Clock, streams: &mut Streams) -> (Limits, Vec<Sample>) {
    let rate = |flop: usize, seconds: f64| flop as f64 / seconds * 1e-9;
    let (len, mut samples) = (streams.a.len(), Vec::new());
    let mut sample = |name: &str, arrays: usize, seconds: f64| {
        samples.push(Sample {
            name: name.into(),
            threads: threads(),
            flop: 0.0,
            bytes: (arrays * 4 * len) as f64,
            seconds,
        });
    };
    sample("triad", 3, clock.best(|| triad(&mut streams.a, &streams.b, &streams.c)));
    sample("copy", 2, clock.best(|| copy(&mut streams.a, &streams.b)));
    sample("read", 1, clock.best(|| keep(read(&streams.b))));
    sample("fill", 1, clock.best(|| fill(&mut streams.a)));
    let limits = Limits {
        threads: threads(),
        peak_f32: rate(fma_flop::<f32>(), clock.best(|| keep(fma::<f32>()))),
        peak_f64: rate(fma_flop::<f64>(), clock.best(|| keep(fma::<f64>()))),
        bandwidth: samples.iter().map(Sample::gbytes).fold(0.0, f64::max),
    };
    (limits, samples)
}

/// How often the sums of [`fma`] are added to.
const ROUNDS: usize = 100_000;

/// The bytes that a thread adds to at a time: twelve registers of 256 bits or six of 512, so that none has to wait for its
/// last result; and registers are left for the factors.
const SUMS: usize = 384;

/// The operations of one call of `fma::<T>` with all threads.
pub fn fma_flop<T>() -> usize {
    2 * SUMS / size_of::<T>() * ROUNDS * threads()
}

/// Fused multiplications and additions in registers, nothing else, on all threads: the sum of each thread's sums, which is their
/// number, but for rounding.
pub fn fma<T: Scalar>() -> Vec<f64> {
    map_blocks(threads(), |_| match size_of::<T>() {
        4 => chain::<T, { SUMS / 4 }>(),
        _ => chain::<T, { SUMS / 8 }>(),
    })
}

fn chain<T: Scalar, const N: usize>() -> f64 {
    let (x, y) = black_box((T::of(0.999), T::of(1e-3)));
    let sums = vectorize(
        #[inline(always)]
        || {
            let mut sums = [T::ONE; N]; // outside of the closure it would live in memory, not in registers
            for _ in 0..ROUNDS {
                for sum in &mut sums {
                    *sum = Scalar::mul_add(*sum, x, y);
                }
            }
            sums
        },
    );
    sums.iter().map(|s| s.as_f64()).sum()
}

/// a = b + s·c
pub fn triad(a: &mut [f32], b: &[f32], c: &[f32]) {
    let scale = black_box(3.0);
    for_each_block(a, BLOCK, |i, a| {
        let (b, c) = (&b[i * BLOCK..], &c[i * BLOCK..]);
        vectorize(
            #[inline(always)]
            || a.iter_mut().zip(b).zip(c).for_each(|((a, &b), &c)| *a = c.mul_add(scale, b)),
        );
    });
}

/// a = b
pub fn copy(a: &mut [f32], b: &[f32]) {
    for_each_block(a, BLOCK, |i, a| {
        let b = &b[i * BLOCK..];
        vectorize(
            #[inline(always)]
            || a.iter_mut().zip(b).for_each(|(a, &b)| *a = b),
        );
    });
}

/// The sum of b.
pub fn read(b: &[f32]) -> f32 {
    sum_by(b, |b| b)
}

/// a = 1
pub fn fill(a: &mut [f32]) {
    let value = black_box(1.0);
    for_each_block(a, BLOCK, |_, a| a.fill(value));
}

/// Three arrays to stream through.
#[derive(Debug)]
pub struct Streams {
    /// Written to.
    pub a: Vec<f32>,
    /// Read from.
    pub b: Vec<f32>,
    /// Read from.
    pub c: Vec<f32>,
}

impl Streams {
    /// Three arrays of so many elements, touched already.
    ///
    /// # Errors
    /// If there is no such tensor.
    pub fn new(len: usize) -> Result<Self> {
        // From tensors: their pages are large.
        let array = |value| Ok(Tensor::full([len], value)?.into_vec());
        Ok(Self { a: array(0.5)?, b: array(-1.0)?, c: array(2.0)? })
    }

    /// Work that memory bounds.
    fn works(&mut self, clock: Clock, found: &mut Vec<Sample>) -> Result<()> {
        let (a, b, c) = (&mut self.a, &self.b, &self.c);
        let side = b.len().isqrt();
        let matrix = &b[..side * side];
        let mut work = |name: &str, flop: usize, numbers: usize, seconds: f64| {
            found.push(Sample {
                name: name.into(),
                threads: threads(),
                flop: flop as f64,
                bytes: (4 * numbers) as f64,
                seconds,
            });
        };
        work("ReLU", b.len(), 2 * b.len(), clock.best(|| relu(a, b)));
        work("dot", 2 * b.len(), 2 * b.len(), clock.best(|| keep(sum_by_two(b, c, |b, c| b * c))));
        let (x, y) = (View::new(c, 1, side, Transpose::No)?, View::new(matrix, side, side, Transpose::Yes)?);
        let mut fits = Ok(());
        let seconds = clock.best(|| fits = product(&mut a[..side], x, y, None));
        work("matrix times vector", 2 * side * side, side * side + 2 * side, seconds);
        fits
    }
}

/// a = max(b, 0), with NaN kept.
pub fn relu(a: &mut [f32], b: &[f32]) {
    for_each_block(a, BLOCK, |i, a| {
        let b = &b[i * BLOCK..];
        vectorize(
            #[inline(always)]
            || a.iter_mut().zip(b).for_each(|(a, &b)| *a = if b < 0.0 { 0.0 } else { b }),
        );
    });
}

/// A product of square matrices.
fn square(clock: Clock, rung: Rung, n: usize, name: String) -> Result<Sample> {
    let a: Vec<f32> = crate::normal([n, n])?.into_vec();
    let (b, mut out) = (a.clone(), vec![0.0; n * n]);
    let mut fits = Ok(());
    let seconds = clock.best(|| fits = rung.multiply(&mut out, &a, &b, [n, n, n]));
    fits?;
    Ok(Sample {
        name,
        threads: threads(),
        flop: 2.0 * (n as f64).powi(3),
        bytes: 12.0 * (n as f64).powi(2),
        seconds,
    })
}

/// Fills 64 MiB that the system has just given, the same in large pages, and the same used again.
fn pages(clock: Clock) -> Result<Vec<Sample>> {
    let sample = |name: &str, seconds| Sample {
        name: name.into(),
        threads: 1,
        flop: 0.0,
        bytes: (4 * STREAM) as f64,
        seconds,
    };
    with_threads(1, || {
        let mut again = vec![1.0f32; STREAM];
        Ok(vec![
            sample("fresh", clock.best(|| keep(fresh()))),
            sample("fresh, large pages", clock.best(|| keep(large_pages()))),
            sample("used again", clock.best(|| fill(&mut again))),
        ])
    })
}

/// 64 MiB of ones in memory that the allocator has just got from the system.
pub fn fresh() -> Vec<f32> {
    vec![black_box(1.0); STREAM]
}

/// The same in memory for which the tensor crate has asked for large pages.
///
/// # Errors
/// If there is no such tensor.
pub fn large_pages() -> Result<Tensor<f32>> {
    buffers::release();
    Tensor::full([STREAM], black_box(1.0))
}

/// What the system calls the processor.
fn processor() -> String {
    let known = std::fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("model name"))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    });
    known.unwrap_or_else(|| std::env::consts::ARCH.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_do_what_they_say() {
        let len = 3 * BLOCK + 5;
        let b: Vec<f32> = (0..len).map(|i| (i % 7) as f32 - 3.0).collect();
        let c: Vec<f32> = (0..len).map(|i| (i % 5) as f32).collect();
        let mut a = vec![f32::NAN; len];
        triad(&mut a, &b, &c);
        assert!((0..len).all(|i| a[i] == b[i] + 3.0 * c[i]));
        relu(&mut a, &b);
        assert!((0..len).all(|i| a[i] == b[i].max(0.0)));
        copy(&mut a, &b);
        assert_eq!(a, b);
        fill(&mut a);
        assert!(a.iter().all(|a| *a == 1.0));
        assert_eq!(read(&c), c.iter().sum::<f32>());
    }

    #[test]
    fn the_chains_are_computed() {
        // sum ← 0.999·sum + 0.001 stays at 1, but for rounding.
        let one = |value: f64, size: usize| value * size as f64 / SUMS as f64;
        assert!(fma::<f64>().into_iter().all(|sum| (one(sum, 8) - 1.0).abs() < 1e-9));
        assert!(fma::<f32>().into_iter().all(|sum| (one(sum, 4) - 1.0).abs() < 1e-3));
        assert_eq!(fma_flop::<f32>(), 2 * fma_flop::<f64>());
    }

    #[test]
    fn the_roof_has_its_ridge_where_both_limits_meet() {
        let limits = Limits { threads: 1, peak_f32: 100.0, peak_f64: 50.0, bandwidth: 20.0 };
        assert_eq!([0.1, 5.0, 50.0].map(|x| limits.roof(x)), [2.0, 100.0, 100.0]);
    }

    #[test]
    fn the_better_of_two_is_taken_one_by_one() {
        let one = committed().unwrap();
        let mut other = one.clone();
        other.limits[0].peak_f32 *= 2.0;
        other.limits[1].bandwidth /= 2.0;
        other.ladder[3].seconds /= 2.0;
        other.works[1].seconds *= 2.0;
        let best = one.clone().or_better(&other);
        assert_eq!(best, other.clone().or_better(&one));
        assert_eq!(best.limits[0].peak_f32, other.limits[0].peak_f32);
        assert_eq!((best.limits[1], best.works.clone()), (one.limits[1], one.works));
        assert_eq!(best.ladder[3], other.ladder[3]);
    }

    #[test]
    fn what_was_committed_is_whole_and_possible() {
        let m = committed().unwrap();
        assert!(!m.processor.is_empty() && !m.compiler.is_empty() && !m.date.is_empty());
        assert_eq!((m.streams.len(), m.works.len(), m.ladder.len(), m.pages.len()), (8, 8, 7, 3));
        let [one, all] = &m.limits;
        assert!(one.threads == 1 && all.threads >= 1);
        for sample in m.works.iter().chain(&m.ladder) {
            let limits = if sample.threads == 1 { one } else { all };
            // Nothing is faster than the machine; streams vary, so a tenth more is allowed.
            assert!(sample.gflops() < 1.1 * limits.roof(sample.intensity()), "{sample:?}");
        }
        // Blocks gain little or much, as the caches are; the others are steps up.
        for (lower, upper) in [(0, 1), (1, 4), (2, 4), (3, 4), (4, 5), (5, 6)] {
            assert!(m.ladder[lower].gflops() < m.ladder[upper].gflops(), "{lower} and {upper}");
        }
        let names: Vec<_> = Rung::ALL.iter().map(|r| r.name()).collect();
        assert!(m.ladder.iter().map(|s| &s.name).take(6).eq(&names));
    }
}
