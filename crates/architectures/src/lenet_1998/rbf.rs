//! The output of 1998: how far a sample is from the code of each class.

use crate::{Own, Plain, expect, refused};
use gradus_autograd::{Buffer, Layer, Mode, Name, Op, Parameters, Slot, SlotMut, Var};
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_tensor::kernel::{for_each_block, vectorize};
use gradus_tensor::{Error, Result, Scalar, Shape, Tensor};
use rand::Rng;

pub(crate) const FORMULA: Formula = Formula {
    id: "rbf-output",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Radial basis functions as scores",
    latex: r"s_{nk} = -\sum_{d=1}^{D} (x_{nd} - c_{kd})^2",
    unicode: "s[n, k] = −Σ_d (x[n, d] − c[k, d])²",
    symbols: &[
        Symbol {
            latex: "x",
            code: "x",
            meaning: "what the last hidden layer says of a sample",
            shape: "[N, D]",
            unit: "any",
        },
        Symbol {
            latex: "c",
            code: "codes",
            meaning: "the code of each class: numbers ±1 that are not learned",
            shape: "[K, D]",
            unit: "that of x",
        },
        Symbol {
            latex: "s",
            code: "scores",
            meaning: "the scores; the paper's outputs are −s, so that the smallest wins",
            shape: "[N, K]",
            unit: "that of x, squared",
        },
    ],
    source: "LeCun, Bottou, Bengio & Haffner 1998, eq. (7)",
    item: item!(fn radial_basis),
    chapter: "lenet",
    printed: None,
};

/// Minus the squared distance between each sample and each class' code.
///
/// **Formula** `rbf-output`: s\[n, k\] = −Σ_d (x\[n, d\] − c\[k, d\])².
///
/// **Shapes**: x `[N, D]`, codes `[K, D]`; the result `[N, K]`. **Units**: those of x, squared. Up to a constant it is the logarithm of a normal density around
/// the code.
///
/// **Gradient**: dx\[n\] = −2 Σₖ dy\[n, k\]·(x\[n\] − c\[k\]), dc\[k\] = 2 Σₙ dy\[n, k\]·(x\[n\] − c\[k\]).
///
/// **Numerics**: differences first, then squares: near a code nothing cancels, as it would in ‖x‖² − 2x·c + ‖c‖².
///
/// **Errors**: other ranks, or rows of different lengths.
///
/// **Source**: LeCun, Bottou, Bengio & Haffner 1998, eq. (7).
///
/// ```
/// use gradus_architectures::radial_basis;
/// use gradus_tensor::Tensor;
/// let s = radial_basis(&Tensor::from([[1.0, 0.0]]), &Tensor::from([[1.0, 1.0], [-1.0, -1.0]]))?;
/// assert_eq!(s, Tensor::from([[-1.0, -5.0]]));
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub fn radial_basis<T: Scalar>(x: &Tensor<T>, codes: &Tensor<T>) -> Result<Tensor<T>> {
    RadialBasis.eval([x, codes])
}

const OP: &str = "radial_basis";

/// [`radial_basis`] as an operation on `[x, codes]`.
#[derive(Debug, Clone, Copy)]
pub struct RadialBasis;

fn sizes(x: Shape, codes: Shape) -> Result<[usize; 3]> {
    match (x.dims(), codes.dims()) {
        (&[n, d], &[k, e]) if d == e && d > 0 && k > 0 => Ok([n, k, d]),
        (&[_, d], _) => {
            Err(Error::Shape { op: OP, expected: format!("codes of the shape [K, {d}], none 0"), got: codes })
        }
        _ => Err(Error::Shape { op: OP, expected: "x of the shape [N, D]".into(), got: x }),
    }
}

/// Adds `factor`·(a − b) to `out`.
#[inline(always)]
fn add_difference<T: Scalar>(out: &mut [T], factor: T, a: &[T], b: &[T]) {
    for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
        *out += factor * (a - b);
    }
}

impl<T: Scalar> Op<T, 2> for RadialBasis {
    /// Nothing: the derivatives need the inputs only.
    type Saved = ();

    fn forward(&self, [x, codes]: [&Tensor<T>; 2]) -> Result<(Tensor<T>, ())> {
        let [n, k, d] = sizes(x.shape(), codes.shape())?;
        let y = Tensor::compute([n, k], |y| {
            for_each_block(y, k, |i, y| {
                let x = &x.as_slice()[i * d..][..d];
                for (y, code) in y.iter_mut().zip(codes.as_slice().chunks_exact(d)) {
                    let mut sum = T::ZERO;
                    x.iter().zip(code).for_each(|(&x, &c)| sum += (x - c) * (x - c));
                    *y = -sum;
                }
            });
        })?;
        Ok((y, ()))
    }

    fn vjp(
        &self,
        [x, codes]: [&Tensor<T>; 2],
        (): &(),
        dy: &Tensor<T>,
        [wants_x, wants_codes]: [bool; 2],
    ) -> Result<[Option<Tensor<T>>; 2]> {
        let [n, k, d] = sizes(x.shape(), codes.shape())?;
        expect(OP, "dy", &[n, k], dy.shape())?;
        let two = T::of(2.0);
        let (xs, cs, dys) = (x.as_slice(), codes.as_slice(), dy.as_slice());
        let dx = || {
            Tensor::compute([n, d], |dx| {
                for_each_block(dx, d, |i, dx| {
                    let x = &xs[i * d..][..d];
                    vectorize(
                        #[inline(always)]
                        || {
                            dx.fill(T::ZERO);
                            for (&dy, code) in dys[i * k..].iter().zip(cs.chunks_exact(d)) {
                                add_difference(dx, two * dy, code, x);
                            }
                        },
                    );
                });
            })
        };
        let dc = || {
            Tensor::compute([k, d], |dc| {
                for_each_block(dc, d, |j, dc| {
                    dc.fill(T::ZERO);
                    for (x, dy) in xs.chunks_exact(d).zip(dys.chunks_exact(k)) {
                        add_difference(dc, two * dy[j], x, &cs[j * d..][..d]);
                    }
                });
            })
        };
        Ok([wants_x.then(dx).transpose()?, wants_codes.then(dc).transpose()?])
    }
}

/// Codes of +1 and −1, each with the same chance, no two of them the same.
///
/// The paper's codes are drawings of the characters in 7 × 12 pixels, so that what looks alike has similar codes; it names random ones as
/// the other choice. Its bitmaps are not reproduced here.
///
/// **Shapes**: `[K, D]`.
///
/// ```
/// use gradus_architectures::codes;
/// use rand::{SeedableRng, rngs::ChaCha8Rng};
/// let codes = codes::<f32>(10, 84, &mut ChaCha8Rng::seed_from_u64(1))?;
/// assert!(codes.dims() == [10, 84] && codes.as_slice().iter().all(|c| c.abs() == 1.0));
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
///
/// # Errors
/// If there are no classes, or more than half of the codes that there are of this length.
pub fn codes<T: Scalar>(classes: usize, length: usize, rng: &mut (impl Rng + ?Sized)) -> Result<Tensor<T>> {
    let enough = classes > 0 && (length >= 64 || classes as u64 <= 1 << length.max(1) >> 1);
    if !enough || length == 0 {
        let allowed = format!("at least 1, and at most half of the 2^{length} codes of length {length}");
        return Err(refused("codes", "classes", classes, allowed));
    }
    let mut rows: Vec<Vec<bool>> = Vec::new();
    while rows.len() < classes {
        let row: Vec<bool> = (0..length).map(|_| rng.next_u64() >> 63 == 1).collect();
        if !rows.contains(&row) {
            rows.push(row);
        }
    }
    let sign = |yes: bool| if yes { T::ONE } else { -T::ONE };
    Tensor::from_vec(rows.into_iter().flatten().map(sign).collect(), [classes, length])
}

/// The codes, `[K, D]`, as the last layer of [`LeNet1998`](crate::LeNet1998): what comes in is held against them. They are not learned.
#[derive(Debug, Clone)]
pub struct Codes<T: Scalar = f32>(pub Buffer<T>);

impl<T: Scalar> Parameters<T> for Codes<T> {
    fn visit(&self, name: &mut Name, see: &mut dyn FnMut(&str, Slot<'_, T>)) {
        self.0.visit(name, see);
    }

    fn visit_mut(&mut self, name: &mut Name, see: &mut dyn FnMut(&str, SlotMut<'_, T>)) {
        self.0.visit_mut(name, see);
    }
}

impl<T: Scalar> Layer<T> for Codes<T> {
    fn forward(&self, features: &Var<T>, _: &mut Mode<'_>) -> Result<Var<T>> {
        Var::apply(RadialBasis, [features, &Var::constant(self.0.value())])
    }
}

impl<T: Scalar> Own<T> for Codes<T> {
    fn plain(&self) -> Result<Option<Plain<T>>> {
        Ok(Some(Plain::Distances(self.0.value())))
    }
}
