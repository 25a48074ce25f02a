//! Pooling to a given size: the window follows from the image.

use crate::Geometry;
use crate::conv::expect;
use crate::sampling::images;
use gradus_autograd::{Layer, Mode, Name, Op, Parameters, Slot, SlotMut, Var};
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_tensor::kernel::{for_each_block, for_each_block_of_two};
use gradus_tensor::{Error, Result, Scalar, Shape, Tensor};
use std::ops::Range;

pub(crate) const FORMULA: Formula = Formula {
    id: "adaptive-pool",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Pooling to a given size",
    latex: r"\mathcal{B}_i = \left\{ \left\lfloor \frac{iN}{O} \right\rfloor, \dots, \left\lceil \frac{(i + 1)N}{O} \right\rceil - 1 \right\}, \qquad i = 0, \dots, O - 1",
    unicode: "bin i = the elements from ⌊i·N/O⌋ to ⌈(i + 1)·N/O⌉ − 1, i = 0 … O − 1",
    symbols: &[
        Symbol {
            latex: r"\mathcal{B}_i",
            code: "bin",
            meaning: "the elements whose mean (or maximum) is output i, along one axis",
            shape: "[]",
            unit: "index",
        },
        Symbol {
            latex: "O",
            code: "output",
            meaning: "the outputs along the axis",
            shape: "[]",
            unit: "count",
        },
        crate::symbols::N,
    ],
    source: "He, Zhang, Ren & Sun 2014, §3 (spatial pyramid pooling); the edges are PyTorch's",
    item: item!(fn adaptive_bin),
    chapter: "convolution-layers",
    printed: None,
};

/// The elements of bin number `i` when `n` elements are put into `outputs` bins.
///
/// **Formula** `adaptive-pool`: from ⌊i·N/O⌋ to ⌈(i + 1)·N/O⌉ − 1. The bins' sizes differ by 1 at most, none is empty, and where O does not divide N neighbours share
/// an element.
///
/// **Shapes**: one axis; an image has bins for its rows and for its columns. **Units**: elements.
///
/// **Numerics**: whole numbers with twice the digits: nothing wraps.
///
/// **Errors**: no elements, no outputs, a bin that does not exist.
///
/// **Source**: the edges are PyTorch's.
///
/// ```
/// use gradus_cnn::adaptive_bin;
/// assert_eq!([adaptive_bin(5, 3, 0)?, adaptive_bin(5, 3, 1)?, adaptive_bin(5, 3, 2)?], [0..2, 1..4, 3..5]);
/// assert_eq!(adaptive_bin(2, 4, 3)?, 1..2); // more outputs than elements: each is used twice
/// # Ok::<(), gradus_cnn::Geometry>(())
/// ```
pub const fn adaptive_bin(n: usize, outputs: usize, i: usize) -> Result<Range<usize>, Geometry> {
    if n == 0 {
        return Err(Geometry::Zero { name: "elements" });
    }
    if outputs == 0 {
        return Err(Geometry::Zero { name: "output" });
    }
    if i >= outputs {
        return Err(Geometry::Position { position: i, windows: outputs });
    }
    let (n, outputs, i) = (n as u128, outputs as u128, i as u128);
    // Both are at most N.
    Ok((i * n / outputs) as usize..((i + 1) * n).div_ceil(outputs) as usize)
}

/// The geometry of an adaptive pooling.
struct Bins {
    planes: usize,
    width: usize,
    plane: usize,
    output: [usize; 4],
    rows: Vec<Range<usize>>,
    columns: Vec<Range<usize>>,
}

impl Bins {
    fn new(op: &'static str, size: [usize; 2], x: Shape) -> Result<Self> {
        let [n, c, h, w] = images(op, x)?;
        let output = [n, c, size[0], size[1]];
        // The product is checked before anything of that size is made; of no images there are no bins.
        let none = Shape::new(output)?.elements() == 0;
        let bins = |n: usize, outputs: usize| -> Result<Vec<Range<usize>>> {
            let count = if none { outputs.min(1) } else { outputs };
            if count == 0 {
                return Err(Geometry::Zero { name: "output" }.during(op));
            }
            (0..count).map(|i| adaptive_bin(n, outputs, i).map_err(|error| error.during(op))).collect()
        };
        let (rows, columns) = (bins(h, size[0])?, bins(w, size[1])?);
        Ok(Self { planes: n * c, width: w, plane: h * w, output, rows, columns })
    }

    /// The outputs of a plane; only of no planes at all can they be too many to count.
    fn outputs(&self) -> usize {
        self.output[2].saturating_mul(self.output[3])
    }

    /// Calls `f(output, rows, columns)` for every bin of a plane.
    #[inline(always)]
    fn each(&self, mut f: impl FnMut(usize, Range<usize>, Range<usize>)) {
        for (i, rows) in self.rows.iter().enumerate() {
            for (j, columns) in self.columns.iter().enumerate() {
                f(i * self.columns.len() + j, rows.clone(), columns.clone());
            }
        }
    }

    /// The gradient of x, plane by plane: `add(plane, dx)` adds to zeros.
    fn gradient<T: Scalar>(&self, x: Shape, add: impl Fn(usize, &mut [T]) + Sync) -> Result<Tensor<T>> {
        Tensor::compute(x, |dx| {
            for_each_block(dx, self.plane, |p, dx| {
                dx.fill(T::ZERO);
                add(p, dx);
            });
        })
    }
}

/// Average pooling to a given size, as an operation on `[x]`.
///
/// **Formula** `adaptive-pool`: y\[n, c, i, j\] is the mean of x over the rows of bin i and the columns of bin j.
///
/// **Shapes**: x `[N, C, H, W]`; the result `[N, C, O, O']`, whatever H and W are. **Units**: those of the data.
///
/// **Gradient**: each pixel of a bin gets the same share of its dy; one that two bins share gets both.
///
/// **Numerics**: the sum of the rows' sums, then one quotient. To the image's own size it is the identity, to the bit.
///
/// **Errors**: another rank, an axis of no elements, an output of 0.
///
/// **Source**: He, Zhang, Ren & Sun 2014, §3; the bins are PyTorch's.
///
/// ```
/// use gradus_autograd::Op;
/// use gradus_cnn::AdaptiveAveragePool;
/// use gradus_tensor::Tensor;
/// let x = Tensor::from([[[[1.0, 3.0, 5.0]]]; 1]);
/// assert_eq!(AdaptiveAveragePool::new([1, 2]).eval([&x])?.as_slice(), [2.0, 4.0]);
/// assert_eq!(AdaptiveAveragePool::new([1, 1]).eval([&x])?.as_slice(), [3.0]);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AdaptiveAveragePool {
    size: [usize; 2],
}

impl AdaptiveAveragePool {
    /// To this many rows and columns.
    #[must_use]
    pub const fn new(size: [usize; 2]) -> Self {
        Self { size }
    }

    /// The rows and columns of the result.
    #[must_use]
    pub const fn size(&self) -> [usize; 2] {
        self.size
    }
}

const AVERAGE: &str = "adaptive_average_pool";

impl<T: Scalar> Op<T, 1> for AdaptiveAveragePool {
    /// Nothing: the shares follow from the shape.
    type Saved = ();

    fn forward(&self, [x]: [&Tensor<T>; 1]) -> Result<(Tensor<T>, ())> {
        let bins = Bins::new(AVERAGE, self.size, x.shape())?;
        let y = Tensor::compute(bins.output, |y| {
            for_each_block(y, bins.outputs(), |p, y| {
                let x = &x.as_slice()[p * bins.plane..][..bins.plane];
                bins.each(|o, rows, columns| {
                    let count = T::of((rows.len() * columns.len()) as f64);
                    let sum_of = |row: usize| {
                        let row = &x[row * bins.width..][columns.clone()];
                        row[1..].iter().fold(row[0], |sum, &x| sum + x)
                    };
                    let first = sum_of(rows.start);
                    y[o] = (rows.start + 1..rows.end).fold(first, |sum, row| sum + sum_of(row)) / count;
                });
            });
        })?;
        Ok((y, ()))
    }

    fn vjp(
        &self,
        [x]: [&Tensor<T>; 1],
        (): &(),
        dy: &Tensor<T>,
        [wanted]: [bool; 1],
    ) -> Result<[Option<Tensor<T>>; 1]> {
        let bins = Bins::new(AVERAGE, self.size, x.shape())?;
        expect(AVERAGE, "dy", &bins.output, dy.shape())?;
        if !wanted {
            return Ok([None]);
        }
        let dx = bins.gradient(x.shape(), |p, dx| {
            let dy = &dy.as_slice()[p * bins.outputs()..][..bins.outputs()];
            bins.each(|o, rows, columns| {
                let share = dy[o] / T::of((rows.len() * columns.len()) as f64);
                for row in rows {
                    dx[row * bins.width..][columns.clone()].iter_mut().for_each(|dx| *dx += share);
                }
            });
        })?;
        Ok([Some(dx)])
    }
}

/// Max pooling to a given size, as an operation on `[x]`.
///
/// **Formula** `adaptive-pool`: y\[n, c, i, j\] is the largest x of the rows of bin i and the columns of bin j.
///
/// **Shapes**: x `[N, C, H, W]`; the result `[N, C, O, O']`, whatever H and W are. **Units**: those of the data.
///
/// **Gradient**: each dy goes to the pixel that was the largest, whole; of equal ones to the first, row by row, as in [`MaxPool`](crate::MaxPool).
///
/// **Numerics**: exact. A NaN in a bin is its result.
///
/// **Errors**: as [`AdaptiveAveragePool`].
///
/// **Source**: He, Zhang, Ren & Sun 2014, §3; the bins are PyTorch's.
///
/// ```
/// use gradus_autograd::Op;
/// use gradus_cnn::AdaptiveMaxPool;
/// use gradus_tensor::Tensor;
/// let x = Tensor::from([[[[1.0, 7.0, 5.0]]]; 1]);
/// let pool = AdaptiveMaxPool::new([1, 2]);
/// let (y, places) = pool.forward([&x])?;
/// assert_eq!(y.as_slice(), [7.0, 7.0]); // the bins share the middle
/// let [dx] = pool.vjp([&x], &places, &Tensor::from([[[[10.0, 1.0]]]; 1]), [true])?;
/// assert_eq!(dx.map(|dx| dx.into_vec()), Some(vec![0.0, 11.0, 0.0]));
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AdaptiveMaxPool {
    size: [usize; 2],
}

impl AdaptiveMaxPool {
    /// To this many rows and columns.
    #[must_use]
    pub const fn new(size: [usize; 2]) -> Self {
        Self { size }
    }
}

const MAX: &str = "adaptive_max_pool";

/// The bins, if a plane's pixels can be counted in 32 bits.
fn max_bins(size: [usize; 2], x: Shape) -> Result<Bins> {
    let bins = Bins::new(MAX, size, x)?;
    if u32::try_from(bins.plane).is_err() {
        let (value, allowed) = (format!("{} pixels", bins.plane), "at most 2³² pixels".into());
        return Err(Error::Argument { op: MAX, name: "image", value, allowed });
    }
    Ok(bins)
}

impl<T: Scalar> Op<T, 1> for AdaptiveMaxPool {
    /// For each output the pixel that was the largest, as its number within its plane: four bytes an output.
    type Saved = Vec<u32>;

    fn forward(&self, [x]: [&Tensor<T>; 1]) -> Result<(Tensor<T>, Vec<u32>)> {
        let bins = max_bins(self.size, x.shape())?;
        let outputs = bins.outputs();
        let mut places = vec![0; if bins.planes == 0 { 0 } else { bins.planes * outputs }];
        let y = Tensor::compute(bins.output, |y| {
            for_each_block_of_two((y, outputs), (&mut places, outputs), |p, y, places| {
                let x = &x.as_slice()[p * bins.plane..][..bins.plane];
                bins.each(|o, rows, columns| {
                    let mut best = rows.start * bins.width + columns.start;
                    for row in rows {
                        for at in row * bins.width + columns.start..row * bins.width + columns.end {
                            let (new, now) = (x[at], x[best]);
                            if new > now || (Scalar::is_nan(new) && !Scalar::is_nan(now)) {
                                best = at;
                            }
                        }
                    }
                    (y[o], places[o]) = (x[best], best as u32);
                });
            });
        })?;
        Ok((y, places))
    }

    fn vjp(
        &self,
        [x]: [&Tensor<T>; 1],
        places: &Vec<u32>,
        dy: &Tensor<T>,
        [wanted]: [bool; 1],
    ) -> Result<[Option<Tensor<T>>; 1]> {
        let bins = max_bins(self.size, x.shape())?;
        expect(MAX, "dy", &bins.output, dy.shape())?;
        if !wanted {
            return Ok([None]);
        }
        let outputs = bins.outputs();
        let dx = bins.gradient(x.shape(), |p, dx| {
            let of_plane = p * outputs..(p + 1) * outputs;
            for (&at, &dy) in places[of_plane.clone()].iter().zip(&dy.as_slice()[of_plane]) {
                dx[at as usize] += dy;
            }
        })?;
        Ok([Some(dx)])
    }
}

/// The mean of each channel as a layer: [`AdaptiveAveragePool`] to one row and one column, `[N, C, 1, 1]`. It takes images of any size, and in front of the last dense
/// layer it replaces the weights that depend on it.
///
/// ```
/// use gradus_autograd::{Layer, Mode, Var};
/// use gradus_cnn::GlobalAveragePool;
/// use gradus_tensor::Tensor;
/// let x = Var::constant(Tensor::from([[[[1.0, 2.0], [3.0, 6.0]]]; 1]));
/// assert_eq!(GlobalAveragePool.forward(&x, &mut Mode::Eval)?.value(), Tensor::from([[[[3.0]]]; 1]));
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct GlobalAveragePool;

impl<T: Scalar> Parameters<T> for GlobalAveragePool {
    fn visit(&self, _: &mut Name, _: &mut dyn FnMut(&str, Slot<'_, T>)) {}

    fn visit_mut(&mut self, _: &mut Name, _: &mut dyn FnMut(&str, SlotMut<'_, T>)) {}
}

impl<T: Scalar> Layer<T> for GlobalAveragePool {
    fn forward(&self, x: &Var<T>, _: &mut Mode<'_>) -> Result<Var<T>> {
        Var::apply(AdaptiveAveragePool::new([1, 1]), [x])
    }
}
