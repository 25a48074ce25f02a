//! What padding and upsampling have in common: along each axis an output is a weighted sum of a few elements, whatever the other axis does.

use crate::Geometry;
use crate::conv::expect;
use gradus_tensor::kernel::for_each_block;
use gradus_tensor::{Error, Result, Scalar, Shape, Tensor};

/// Along one axis, for each output the elements that it reads, each with its weight. As a matrix it would be mostly zeros.
pub(crate) struct Axis<T> {
    ends: Vec<usize>,
    taps: Vec<(usize, T)>,
}

impl<T: Scalar> Axis<T> {
    /// Of what each output reads. A weight of 0 reads nothing: 0·NaN would be NaN.
    pub(crate) fn new<I: IntoIterator<Item = (usize, T)>>(
        outputs: usize,
        reads: impl Fn(usize) -> I,
    ) -> Self {
        let (mut ends, mut taps) = (Vec::with_capacity(outputs), Vec::with_capacity(outputs));
        for output in 0..outputs {
            taps.extend(reads(output).into_iter().filter(|(_, weight)| *weight != T::ZERO));
            ends.push(taps.len());
        }
        Self { ends, taps }
    }

    /// What output number `i` reads.
    fn of(&self, i: usize) -> &[(usize, T)] {
        let start = if i == 0 { 0 } else { self.ends[i - 1] };
        &self.taps[start..self.ends[i]]
    }

    fn each(&self) -> impl Iterator<Item = &[(usize, T)]> {
        (0..self.ends.len()).map(|i| self.of(i))
    }
}

/// The samples times channels, and the sizes, of images with at least a pixel.
pub(crate) fn images(op: &'static str, x: Shape) -> Result<[usize; 4]> {
    let &[n, c, h, w] = x.dims() else {
        return Err(Error::Shape { op, expected: "x of the shape [N, C, H, W]".into(), got: x });
    };
    if h == 0 || w == 0 {
        return Err(Geometry::Zero { name: "elements" }.during(op));
    }
    Ok([n, c, h, w])
}

/// Images sampled along both axes; where an output reads nothing, `fill`. The axes are made for real images only: a batch of none may ask for any size.
pub(crate) fn sampled<T: Scalar>(
    x: &Tensor<T>,
    [n, c, h, w]: [usize; 4],
    [rows_out, columns_out]: [usize; 2],
    axes: impl FnOnce() -> [Axis<T>; 2],
    fill: T,
) -> Result<Tensor<T>> {
    Tensor::compute([n, c, rows_out, columns_out], |y| {
        if y.is_empty() {
            return;
        }
        let [rows, columns] = axes();
        for_each_block(y, rows_out * columns_out, |p, y| {
            let x = &x.as_slice()[p * h * w..][..h * w];
            let mut mixed = vec![T::ZERO; w];
            for (y, taps) in y.chunks_exact_mut(columns_out).zip(rows.each()) {
                match taps {
                    [] => y.fill(fill),
                    // A row that is copied need not be mixed first.
                    [(row, weight)] if *weight == T::ONE => along(&x[row * w..][..w], &columns, fill, y),
                    [(row, weight), rest @ ..] => {
                        let own = &x[row * w..][..w];
                        mixed.iter_mut().zip(own).for_each(|(m, &x)| *m = *weight * x);
                        for (row, weight) in rest {
                            let own = &x[row * w..][..w];
                            mixed.iter_mut().zip(own).for_each(|(m, &x)| *m += *weight * x);
                        }
                        along(&mixed, &columns, fill, y);
                    }
                }
            }
        });
    })
}

/// One row of outputs.
fn along<T: Scalar>(x: &[T], columns: &Axis<T>, fill: T, y: &mut [T]) {
    for (y, taps) in y.iter_mut().zip(columns.each()) {
        *y = match taps {
            [] => fill,
            [(first, weight), rest @ ..] => {
                rest.iter().fold(*weight * x[*first], |sum, &(at, weight)| sum + weight * x[at])
            }
        };
    }
}

/// The adjoint: each output's gradient goes back to what was read, with the same weights.
pub(crate) fn sampled_back<T: Scalar>(
    op: &'static str,
    dy: &Tensor<T>,
    [n, c, h, w]: [usize; 4],
    [rows_out, columns_out]: [usize; 2],
    axes: impl FnOnce() -> [Axis<T>; 2],
) -> Result<Tensor<T>> {
    expect(op, "dy", &[n, c, rows_out, columns_out], dy.shape())?;
    Tensor::compute([n, c, h, w], |dx| {
        if dx.is_empty() {
            return;
        }
        let [rows, columns] = axes();
        let plane = rows_out * columns_out;
        for_each_block(dx, h * w, |p, dx| {
            let dy = &dy.as_slice()[p * plane..][..plane];
            let mut mixed = vec![T::ZERO; w];
            dx.fill(T::ZERO);
            for (dy, taps) in dy.chunks_exact(columns_out).zip(rows.each()) {
                if taps.is_empty() {
                    continue;
                }
                mixed.fill(T::ZERO);
                for (&dy, taps) in dy.iter().zip(columns.each()) {
                    taps.iter().for_each(|&(at, weight)| mixed[at] += weight * dy);
                }
                for &(row, weight) in taps {
                    let own = &mut dx[row * w..][..w];
                    own.iter_mut().zip(&mixed).for_each(|(dx, &m)| *dx += weight * m);
                }
            }
        });
    })
}
