//! Dropout of whole channels: in a convolutional network neighbouring pixels know too much of each other for single ones to be missed.

use crate::dropout::{kept, valid};
use crate::kernel::Channels;
use crate::refuse;
use gradus_autograd::{Layer, Mode, Name, Op, Parameters, Slot, SlotMut, Var};
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_tensor::kernel::for_each_block;
use gradus_tensor::{Result, Scalar, Tensor};

pub(crate) const FORMULA: Formula = Formula {
    id: "channel-dropout",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Dropout of channels",
    latex: r"y_{ncij} = \frac{m_{nc}}{1 - p}\, x_{ncij}, \qquad m_{nc} \sim \operatorname{Bernoulli}(1 - p)",
    unicode: "y[n, c, i, j] = m[n, c]·x[n, c, i, j] / (1 − p), m[n, c] 0 with probability p and else 1; in evaluation y = x",
    symbols: &[
        Symbol { latex: "x", code: "x", meaning: "the images", shape: "[N, C, …]", unit: "any" },
        Symbol {
            latex: "p",
            code: "p",
            meaning: "the probability that a channel of a sample is dropped",
            shape: "[]",
            unit: "probability",
        },
        Symbol {
            latex: "m",
            code: "mask",
            meaning: "1 for a channel that stays, 0 for one that is dropped, each drawn on its own",
            shape: "[N, C]",
            unit: "1",
        },
    ],
    source: "Tompson, Goroshin, Jain, LeCun & Bregler 2015, §3.2 (SpatialDropout)",
    item: item!(fn dropout2d),
    chapter: "convolution-layers",
    printed: None,
};

/// [`dropout`](crate::dropout()) of whole channels, each sample's by themselves, with the mask that `key` stands for.
///
/// **Formula** `channel-dropout`: y\[n, c, i, j\] = m\[n, c\]·x\[n, c, i, j\] / (1 − p), where m\[n, c\] is 0 with probability p.
///
/// **Shapes**: `[N, C, …]`, whatever comes after the channels. **Units**: those of x.
///
/// **Gradient**: m·dy / (1 − p), with the same mask, drawn again rather than kept: [`ChannelMask`].
///
/// **Numerics**: channel c of sample n stays if [`kept`] keeps element n·C + c. A product, as in `dropout`: a NaN that is dropped does not hide. p = 0 gives x to the
/// bit, p = 1 zeros.
///
/// **Errors**: fewer than two dimensions, p outside 0..=1.
///
/// **Source**: Tompson, Goroshin, Jain, LeCun & Bregler 2015, §3.2.
///
/// ```
/// use gradus_layers::dropout2d;
/// use gradus_tensor::Tensor;
/// let y = dropout2d(&Tensor::<f64>::ones([2, 3, 4, 4])?, 0.5, 1)?;
/// assert!(y.as_slice().chunks(16).all(|channel| channel == [0.0; 16] || channel == [2.0; 16]));
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub fn dropout2d<T: Scalar>(x: &Tensor<T>, p: f64, key: u64) -> Result<Tensor<T>> {
    ChannelMask { p, key }.eval([x])
}

/// [`dropout2d`] as an operation: the mask of a key.
#[derive(Debug, Clone, Copy)]
pub struct ChannelMask {
    /// The probability that a channel is dropped.
    pub p: f64,
    /// What the mask is drawn from.
    pub key: u64,
}

impl ChannelMask {
    /// m∘x / (1 − p).
    fn of<T: Scalar>(self, x: &Tensor<T>) -> Result<Tensor<T>> {
        const OP: &str = "dropout2d";
        valid(OP, self.p)?;
        let Some(Channels { s, .. }) = Channels::of(x) else {
            return Err(refuse::shape(OP, "[N, C, …]", x.shape()));
        };
        if self.p == 0.0 {
            return Ok(x.clone());
        }
        // At p = 1 this is ∞, and nothing stays that would get it.
        let scale = T::of(1.0 / (1.0 - self.p));
        Tensor::compute(x.shape(), |out| {
            for_each_block(out, s, |channel, out| {
                let factor = if kept(self.key, self.p, channel as u64) { scale } else { T::ZERO };
                let x = &x.as_slice()[channel * s..];
                out.iter_mut().zip(x).for_each(|(y, &x)| *y = x * factor);
            });
        })
    }
}

impl<T: Scalar> Op<T, 1> for ChannelMask {
    /// Nothing: the mask is drawn again.
    type Saved = ();

    fn forward(&self, [x]: [&Tensor<T>; 1]) -> Result<(Tensor<T>, ())> {
        Ok((self.of(x)?, ()))
    }

    // ∂L/∂x = m∘dy / (1 − p): the operation is linear and its own adjoint.
    fn vjp(
        &self,
        [x]: [&Tensor<T>; 1],
        (): &(),
        dy: &Tensor<T>,
        [wants_x]: [bool; 1],
    ) -> Result<[Option<Tensor<T>>; 1]> {
        // Of another shape, dy would have other channels.
        refuse::parameter("dropout2d", "gradient", x.dims(), dy.shape())?;
        Ok([if wants_x { Some(self.of(dy)?) } else { None }])
    }
}

/// [`dropout2d`] as a layer: in training with a fresh mask for each call, in evaluation nothing at all.
///
/// As [`Dropout`](crate::Dropout), in training it takes one number from the mode's generator, whatever p is.
///
/// ```
/// use gradus_autograd::{Layer, Mode, Var};
/// use gradus_layers::Dropout2d;
/// use gradus_tensor::Tensor;
/// use rand::{SeedableRng, rngs::ChaCha8Rng};
/// let (layer, x) = (Dropout2d::new(0.25)?, Var::constant(Tensor::<f32>::ones([100, 10, 2, 2])?));
/// assert!(layer.forward(&x, &mut Mode::Eval)?.value().shares_buffer(&x.value()));
/// let y = layer.forward(&x, &mut Mode::Train(&mut ChaCha8Rng::seed_from_u64(1)))?.value();
/// let dropped = y.as_slice().chunks(4).filter(|channel| *channel == [0.0; 4]).count();
/// assert!((200..300).contains(&dropped)); // 250 of 1000 on average
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Dropout2d {
    p: f64,
}

impl Dropout2d {
    /// Drops each channel of each sample with probability `p`.
    ///
    /// # Errors
    /// If `p` is not within 0..=1.
    pub fn new(p: f64) -> Result<Self> {
        valid("dropout2d", p)?;
        Ok(Self { p })
    }

    /// The probability that a channel is dropped.
    #[must_use]
    pub fn p(&self) -> f64 {
        self.p
    }
}

impl<T: Scalar> Parameters<T> for Dropout2d {
    fn visit(&self, _: &mut Name, _: &mut dyn FnMut(&str, Slot<'_, T>)) {}

    fn visit_mut(&mut self, _: &mut Name, _: &mut dyn FnMut(&str, SlotMut<'_, T>)) {}
}

impl<T: Scalar> Layer<T> for Dropout2d {
    fn forward(&self, x: &Var<T>, mode: &mut Mode<'_>) -> Result<Var<T>> {
        match mode {
            Mode::Train(rng) => {
                let key = rng.next_u64();
                Var::apply(ChannelMask { p: self.p, key }, [x])
            }
            Mode::Eval => Ok(x.clone()),
        }
    }
}
