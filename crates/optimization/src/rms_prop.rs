//! RMSProp: the gradient divided by the root of its mean square.

use crate::error::{below_one, not_negative};
use crate::memory::Memory;
use crate::symbols::{EPSILON, GRADIENT, RATE, THETA};
use crate::{Group, Optimizer, Result, WeightDecay};
use gradus_autograd::{Gradients, Parameters};
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_tensor::{Scalar, Tensor};
use std::collections::BTreeMap;

pub(crate) const FORMULA: Formula = Formula {
    id: "rmsprop",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "RMSProp",
    latex: r"s \leftarrow \alpha s + (1 - \alpha)\,g^2, \qquad \theta \leftarrow \theta - \eta\,\frac{g}{\sqrt{s} + \varepsilon}",
    unicode: "s ← αs + (1 − α)g², θ ← θ − η·g/(√s + ε)",
    symbols: &[
        THETA,
        GRADIENT,
        Symbol {
            latex: "s",
            code: "square_mean",
            meaning: "a running mean of the squared gradients, 0 at first",
            shape: "as θ",
            unit: "square of g's",
        },
        Symbol {
            latex: r"\alpha",
            code: "alpha",
            meaning: "how much of the mean a step keeps",
            shape: "[]",
            unit: "1",
        },
        RATE,
        EPSILON,
    ],
    source: "Tieleman & Hinton 2012, lecture 6.5; centred: Graves 2013, eq. 38–45",
    item: item!(struct RmsProp),
    chapter: "sgd",
    printed: None,
};

/// RMSProp: each gradient divided by the root of its own mean square, which is not corrected for its start at 0.
///
/// **Formula** `rmsprop`: s ← αs + (1 − α)g², θ ← θ − η·g/(√s + ε). Centred, the variance s − a² stands under the root, a ← αa +
/// (1 − α)g. With momentum, the quotient goes into a velocity, v ← μv + g/(√s + ε), θ ← θ − ηv. All as PyTorch does it.
///
/// **Shapes**: any; s, a and v as θ. **Units**: the quotient has none, so η has those of θ. **Gradient**: not differentiated.
///
/// **Numerics**: one pass, in place, on all cores; the bits are those of [`plain::rms_prop`](crate::plain::rms_prop). s − a² is at
/// least 0, but for rounding, which under the root would make a NaN of a constant gradient: it is cut at 0. NaN in, NaN out.
///
/// **Errors**: at [`step`](Optimizer::step): η, ε or λ not finite and at least 0, α or μ not in 0 ≤ α < 1, another shape.
///
/// **Source**: Tieleman & Hinton 2012; Graves 2013, eq. 38–45.
///
/// ```
/// use gradus_autograd::Var;
/// use gradus_optimization::{Optimizer, RmsProp};
/// use gradus_tensor::Tensor;
/// let w = Var::parameter(Tensor::from([3.0f64]));
/// let gradients = w.scale(16.0)?.sum()?.backward()?;
/// RmsProp::new(0.5).alpha(0.75).epsilon(0.0).step(&w, &gradients)?;
/// assert_eq!(w.item()?, 2.0); // s = ¼·16², so 3 − ½·16/8
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct RmsProp<T: Scalar = f32> {
    memory: Memory<T>,
    alpha: f64,
    epsilon: f64,
    centred: bool,
    mu: f64,
    decay: f64,
}

impl<T: Scalar> RmsProp<T> {
    /// At this rate, with α = 0.99, ε = 10⁻⁸, not centred, without momentum.
    pub fn new(rate: f64) -> Self {
        let memory = Memory::new(rate, false);
        Self { memory, alpha: 0.99, epsilon: 1e-8, centred: false, mu: 0.0, decay: 0.0 }
    }

    /// With this α.
    #[must_use]
    pub fn alpha(mut self, alpha: f64) -> Self {
        self.alpha = alpha;
        self
    }

    /// With this ε.
    #[must_use]
    pub fn epsilon(mut self, epsilon: f64) -> Self {
        self.epsilon = epsilon;
        self
    }

    /// With the variance of the gradients in place of their mean square.
    #[must_use]
    pub fn centred(mut self, yes: bool) -> Self {
        self.centred = yes;
        self
    }

    /// With momentum μ.
    #[must_use]
    pub fn momentum(mut self, mu: f64) -> Self {
        self.mu = mu;
        self
    }

    /// With coupled weight decay.
    #[must_use]
    pub fn weight_decay(mut self, lambda: f64) -> Self {
        self.decay = lambda;
        self
    }

    /// With settings of their own for some parameters.
    #[must_use]
    pub fn group(mut self, group: Group) -> Self {
        self.memory.groups.push(group);
        self
    }

    fn parts(&self) -> &'static [&'static str] {
        match (self.centred, self.mu != 0.0) {
            (false, false) => &["square_mean"],
            (false, true) => &["square_mean", "momentum"],
            (true, false) => &["square_mean", "mean"],
            (true, true) => &["square_mean", "mean", "momentum"],
        }
    }
}

/// α, 1 − α and ε in the type of the parameter.
#[derive(Clone, Copy)]
struct Scaling<T> {
    keep: T,
    take: T,
    epsilon: T,
}

impl<T: Scalar> Scaling<T> {
    /// The mean square with this gradient, and what to divide by.
    #[inline(always)]
    fn plain(self, s: T, g: T) -> (T, T) {
        let s = self.keep * s + self.take * (g * g);
        (s, s.sqrt() + self.epsilon)
    }

    /// The mean square and the mean with this gradient, and what to divide by.
    #[inline(always)]
    fn centred(self, s: T, a: T, g: T) -> (T, T, T) {
        let s = self.keep * s + self.take * (g * g);
        let a = self.keep * a + self.take * g;
        (s, a, (s - a * a).max_or_nan(T::ZERO).sqrt() + self.epsilon)
    }
}

impl<T: Scalar> Optimizer<T> for RmsProp<T> {
    fn step(&mut self, model: &dyn Parameters<T>, gradients: &Gradients<T>) -> Result<()> {
        below_one("alpha", self.alpha)?;
        below_one("momentum", self.mu)?;
        not_negative("epsilon", self.epsilon)?;
        let of =
            Scaling { keep: T::of(self.alpha), take: T::of(1.0 - self.alpha), epsilon: T::of(self.epsilon) };
        let (mu, kind, decay) = (T::of(self.mu), WeightDecay::Coupled, self.decay);
        let memory = &mut self.memory;
        // The parts of the state in the order of their names.
        match (self.centred, self.mu != 0.0) {
            (false, false) => memory.step(model, gradients, decay, |own, _, pass| {
                let rate = T::of(own.rate);
                pass.run(
                    #[inline(always)]
                    move |theta, g, [s]| {
                        let (theta, g) = kind.apply(theta, g, own.rate, own.decay);
                        let (s, root) = of.plain(s, g);
                        (theta - rate * g / root, [s])
                    },
                );
            }),
            (false, true) => memory.step(model, gradients, decay, |own, _, pass| {
                let rate = T::of(own.rate);
                pass.run(
                    #[inline(always)]
                    move |theta, g, [s, v]| {
                        let (theta, g) = kind.apply(theta, g, own.rate, own.decay);
                        let (s, root) = of.plain(s, g);
                        let v = mu * v + g / root;
                        (theta - rate * v, [s, v])
                    },
                );
            }),
            (true, false) => memory.step(model, gradients, decay, |own, _, pass| {
                let rate = T::of(own.rate);
                pass.run(
                    #[inline(always)]
                    move |theta, g, [s, a]| {
                        let (theta, g) = kind.apply(theta, g, own.rate, own.decay);
                        let (s, a, root) = of.centred(s, a, g);
                        (theta - rate * g / root, [s, a])
                    },
                );
            }),
            (true, true) => memory.step(model, gradients, decay, |own, _, pass| {
                let rate = T::of(own.rate);
                pass.run(
                    #[inline(always)]
                    move |theta, g, [s, a, v]| {
                        let (theta, g) = kind.apply(theta, g, own.rate, own.decay);
                        let (s, a, root) = of.centred(s, a, g);
                        let v = mu * v + g / root;
                        (theta - rate * v, [s, a, v])
                    },
                );
            }),
        }
    }

    fn learning_rate(&self) -> f64 {
        self.memory.rate()
    }

    fn set_learning_rate(&mut self, rate: f64) -> Result<()> {
        self.memory.set_rate(rate)
    }

    fn state(&self) -> BTreeMap<String, Tensor<T>> {
        self.memory.state(self.parts())
    }

    fn load_state(&mut self, state: &BTreeMap<String, Tensor<T>>) -> Result<()> {
        self.memory.load(self.parts(), state)
    }
}
