//! Dropout: in training each number is dropped with probability p, and those that stay are scaled up.

use crate::refuse;
use gradus_autograd::{Layer, Mode, Name, Op, Parameters, Slot, SlotMut, Var};
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_tensor::kernel::{BLOCK, for_each_block, vectorize};
use gradus_tensor::{Result, Scalar, Tensor};

pub(crate) const FORMULA: Formula = Formula {
    id: "dropout",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Dropout",
    latex: r"y_i = \frac{m_i}{1 - p}\, x_i, \qquad m_i \sim \operatorname{Bernoulli}(1 - p)",
    unicode: "yᵢ = mᵢ·xᵢ / (1 − p), mᵢ 0 with probability p and else 1; in evaluation y = x",
    symbols: &[
        Symbol { latex: "x", code: "x", meaning: "the input", shape: "any", unit: "any" },
        Symbol {
            latex: "p",
            code: "p",
            meaning: "the probability that a number is dropped",
            shape: "[]",
            unit: "probability",
        },
        Symbol {
            latex: "m",
            code: "mask",
            meaning: "1 for what stays, 0 for what is dropped, each drawn on its own",
            shape: "as x",
            unit: "1",
        },
    ],
    source: "Srivastava, Hinton, Krizhevsky, Sutskever & Salakhutdinov 2014, §4 and §10",
    item: item!(fn dropout),
    chapter: "layers",
    printed: None,
};

/// Dropout with the mask that `key` stands for ("inverted": the scaling is done in training).
///
/// **Formula** `dropout`: yᵢ = mᵢ·xᵢ / (1 − p), where mᵢ is 0 with probability p.
///
/// **Shapes**: any. **Units**: those of x.
///
/// **Gradient**: mᵢ·dyᵢ / (1 − p), with the same mask, drawn again rather than kept: [`Mask`].
///
/// **Numerics**: mask i is a function of the key and i alone ([`kept`]), so the number of threads changes nothing. It is a
/// product: a NaN or an infinity that is dropped becomes NaN and does not hide. p = 0 gives x to the bit, p = 1 zeros.
///
/// **Errors**: p outside 0..=1.
///
/// **Source**: Srivastava, Hinton, Krizhevsky, Sutskever & Salakhutdinov 2014, §4 and §10.
///
/// ```
/// use gradus_layers::dropout;
/// use gradus_tensor::Tensor;
/// let y = dropout(&Tensor::<f64>::ones([8])?, 0.75, 1)?;
/// assert!(y.as_slice().iter().all(|&y| y == 0.0 || y == 4.0)); // 1 / (1 − ¾)
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub fn dropout<T: Scalar>(x: &Tensor<T>, p: f64, key: u64) -> Result<Tensor<T>> {
    Mask { p, key }.eval([x])
}

/// Whether element `i` stays under this key: 32 random bits are at least p·2³² (rounded).
///
/// The bits are those of SplitMix64, two elements a number, started at a place that the key determines: element i is known
/// without its neighbours.
///
/// ```
/// use gradus_layers::kept;
/// let stays = (0..1000).filter(|&i| kept(1, 0.3, i)).count();
/// assert!((600..800).contains(&stays)); // 700 on average
/// ```
#[must_use]
pub fn kept(key: u64, p: f64, i: u64) -> bool {
    let both = bits(start(key), i / 2);
    let own = if i.is_multiple_of(2) { both & 0xFFFF_FFFF } else { both >> 32 };
    own >= threshold(p)
}

/// p·2³², rounded; 2³² drops all.
fn threshold(p: f64) -> u64 {
    (p * 4_294_967_296.0).round() as u64
}

const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// Where a key's numbers begin. Neighbouring keys begin far apart.
fn start(key: u64) -> u64 {
    bits(key, 0)
}

/// Number `i` of the generator SplitMix64 (Steele, Lea & Flood 2014) from this start.
#[inline(always)]
fn bits(start: u64, i: u64) -> u64 {
    let z = start.wrapping_add(i.wrapping_add(1).wrapping_mul(GOLDEN));
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// [`dropout`] as an operation: the mask of a key.
#[derive(Debug, Clone, Copy)]
pub struct Mask {
    /// The probability that a number is dropped.
    pub p: f64,
    /// What the mask is drawn from.
    pub key: u64,
}

impl Mask {
    /// m∘x / (1 − p).
    fn of<T: Scalar>(self, x: &Tensor<T>) -> Result<Tensor<T>> {
        valid("dropout", self.p)?;
        if self.p == 0.0 {
            return Ok(x.clone());
        }
        // At p = 1 this is ∞, and nothing stays that would get it.
        let scale = T::of(1.0 / (1.0 - self.p));
        let (start, threshold, data) = (start(self.key), threshold(self.p), x.as_slice());
        Tensor::compute(x.shape(), |out| {
            for_each_block(out, BLOCK, |b, out| {
                let (first, x) = (b * BLOCK, &data[b * BLOCK..]);
                vectorize(
                    #[inline(always)]
                    || mask(start, threshold, first as u64, scale, x, out),
                );
            });
        })
    }
}

/// A block, from an even element on. Two elements share a number of the generator.
#[inline(always)]
fn mask<T: Scalar>(start: u64, threshold: u64, first: u64, scale: T, x: &[T], out: &mut [T]) {
    let factor = |bits: u64| if bits >= threshold { scale } else { T::ZERO };
    let (pairs, tail) = out.as_chunks_mut::<2>();
    let (x_pairs, x_tail) = x[..2 * pairs.len() + tail.len()].as_chunks::<2>();
    for (k, ([y0, y1], [x0, x1])) in pairs.iter_mut().zip(x_pairs).enumerate() {
        let both = bits(start, first / 2 + k as u64);
        *y0 = *x0 * factor(both & 0xFFFF_FFFF);
        *y1 = *x1 * factor(both >> 32);
    }
    let last = bits(start, first / 2 + x_pairs.len() as u64);
    tail.iter_mut().zip(x_tail).for_each(|(y, &x)| *y = x * factor(last & 0xFFFF_FFFF));
}

pub(crate) fn valid(op: &'static str, p: f64) -> Result<()> {
    if (0.0..=1.0).contains(&p) { Ok(()) } else { Err(refuse::argument(op, "p", p, "0..=1")) }
}

impl<T: Scalar> Op<T, 1> for Mask {
    /// Nothing: the mask is drawn again.
    type Saved = ();

    fn forward(&self, [x]: [&Tensor<T>; 1]) -> Result<(Tensor<T>, ())> {
        Ok((self.of(x)?, ()))
    }

    // ∂L/∂x = m∘dy / (1 − p): the operation is linear and its own adjoint.
    fn vjp(
        &self,
        _: [&Tensor<T>; 1],
        (): &(),
        dy: &Tensor<T>,
        [wants_x]: [bool; 1],
    ) -> Result<[Option<Tensor<T>>; 1]> {
        Ok([if wants_x { Some(self.of(dy)?) } else { None }])
    }
}

/// [`dropout`] as a layer: in training with a fresh mask for each call, in evaluation nothing at all.
///
/// In training it takes one number from the mode's generator, whatever p is: to turn one layer's dropout off changes no other
/// layer's masks.
///
/// ```
/// use gradus_autograd::{Layer, Mode, Var};
/// use gradus_layers::Dropout;
/// use gradus_tensor::Tensor;
/// use rand::{SeedableRng, rngs::ChaCha8Rng};
/// let (layer, x) = (Dropout::new(0.5)?, Var::constant(Tensor::<f32>::ones([1000])?));
/// assert!(layer.forward(&x, &mut Mode::Eval)?.value().shares_buffer(&x.value()));
/// let y = layer.forward(&x, &mut Mode::Train(&mut ChaCha8Rng::seed_from_u64(1)))?.value();
/// assert!(y.as_slice().iter().all(|&y| y == 0.0 || y == 2.0) && (y.mean()? - 1.0).abs() < 0.2);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Dropout {
    p: f64,
}

impl Dropout {
    /// Drops each number with probability `p`.
    ///
    /// # Errors
    /// If `p` is not within 0..=1.
    pub fn new(p: f64) -> Result<Self> {
        valid("dropout", p)?;
        Ok(Self { p })
    }

    /// The probability that a number is dropped.
    #[must_use]
    pub fn p(&self) -> f64 {
        self.p
    }
}

impl<T: Scalar> Parameters<T> for Dropout {
    fn visit(&self, _: &mut Name, _: &mut dyn FnMut(&str, Slot<'_, T>)) {}

    fn visit_mut(&mut self, _: &mut Name, _: &mut dyn FnMut(&str, SlotMut<'_, T>)) {}
}

impl<T: Scalar> Layer<T> for Dropout {
    fn forward(&self, x: &Var<T>, mode: &mut Mode<'_>) -> Result<Var<T>> {
        match mode {
            Mode::Train(rng) => {
                let key = rng.next_u64();
                if self.p == 0.0 { Ok(x.clone()) } else { Var::apply(Mask { p: self.p, key }, [x]) }
            }
            Mode::Eval => Ok(x.clone()),
        }
    }
}
