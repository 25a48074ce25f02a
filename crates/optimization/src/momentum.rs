//! Momentum: a step goes on in the direction of the steps before it. Two textbook forms, and Nesterov's.

use crate::symbols::{GRADIENT, MU, RATE, THETA, VELOCITY};
use gradus_formula::{Formula, Kind, Verdict, item};
use gradus_tensor::Scalar;

pub(crate) const FORMULA: Formula = Formula {
    id: "momentum-update",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Momentum",
    latex: r"v \leftarrow \mu v + g, \qquad \theta \leftarrow \theta - \eta v",
    unicode: "v ← μv + g, θ ← θ − ηv",
    symbols: &[THETA, GRADIENT, VELOCITY, MU, RATE],
    source: "Polyak 1964; Sutskever, Martens, Dahl & Hinton 2013, eq. 1–2 (the classical form)",
    item: item!(enum Momentum),
    chapter: "sgd",
    printed: None,
};

pub(crate) const FORMULA_NESTEROV: Formula = Formula {
    id: "nesterov",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Nesterov's momentum",
    latex: r"v \leftarrow \mu v + g, \qquad \theta \leftarrow \theta - \eta\,(g + \mu v)",
    unicode: "v ← μv + g, θ ← θ − η(g + μv)",
    symbols: &[THETA, GRADIENT, VELOCITY, MU, RATE],
    source: "Nesterov 1983; Sutskever, Martens, Dahl & Hinton 2013, eq. 3–4; in this variable: Bengio, Boulanger-Lewandowski & Pascanu 2013, eq. 7",
    item: item!(fn nesterov),
    chapter: "sgd",
    printed: None,
};

/// The two textbook forms of momentum. They are one as long as the learning rate stays.
///
/// **Formula** `momentum-update`: [`Velocity`](Self::Velocity) and [`Classical`](Self::Classical). For constant η the classical
/// velocity is −η times the other, and θ is the same. When η changes, the rate that an old gradient is multiplied by is today's in the
/// first form, and that of its own day in the second: after a drop the first slows down at once, the second coasts.
///
/// **Shapes**: θ, g and v of one shape. **Units**: v has those of g, or of θ. **Gradient**: not differentiated.
///
/// **Numerics**: two roundings more than a step without momentum. NaN in, NaN out, and it stays in the velocity.
///
/// **Errors**: none; [`Sgd`](crate::Sgd) checks 0 ≤ μ < 1. **Source**: Polyak 1964; Sutskever et al. 2013, eq. 1–2.
///
/// A *dampening* τ, v ← μv + (1 − τ)g, is the first form at the rate (1 − τ)η, and is therefore not a setting of its own.
///
/// ```
/// use gradus_optimization::Momentum;
/// // θ = 1, v = 2, g = 4, η = ½, μ = ¾
/// assert_eq!(Momentum::Velocity.update(1.0, 2.0, 4.0, 0.5, 0.75), (-1.75, 5.5)); // v = 1.5 + 4, θ = 1 − 2.75
/// assert_eq!(Momentum::Classical.update(1.0, 2.0, 4.0, 0.5, 0.75), (0.5, -0.5)); // v = 1.5 − 2, θ = 1 − 0.5
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Momentum {
    /// v ← μv + g, θ ← θ − ηv: the rate stands outside of the velocity. PyTorch's form, and the default.
    #[default]
    Velocity,
    /// v ← μv − ηg, θ ← θ + v: the rate is in the velocity. That of Polyak and of Sutskever et al.
    Classical,
}

impl Momentum {
    /// One number and its velocity after a step.
    #[inline(always)]
    pub fn update<T: Scalar>(self, theta: T, velocity: T, gradient: T, rate: T, mu: T) -> (T, T) {
        match self {
            Momentum::Velocity => {
                let velocity = mu * velocity + gradient;
                (theta - rate * velocity, velocity)
            }
            Momentum::Classical => {
                let velocity = mu * velocity - rate * gradient;
                (theta + velocity, velocity)
            }
        }
    }
}

/// One number and its velocity after a step of Nesterov's momentum.
///
/// **Formula** `nesterov`: v ← μv + g, θ ← θ − η(g + μv); in the classical form v ← μv − ηg, θ ← θ + μv − ηg. Nesterov
/// takes the gradient where the velocity is about to lead, θ + μv; θ here *is* that point, so that a gradient at θ is what is needed.
///
/// **Shapes**: numbers. **Units**: as [`Momentum`]. **Gradient**: not differentiated. **Numerics**: as [`Momentum`].
///
/// **Errors**: none. **Source**: Sutskever et al. 2013, eq. 3–4; Bengio et al. 2013, eq. 7. This is PyTorch's `nesterov=True`.
///
/// ```
/// use gradus_optimization::{Momentum, nesterov};
/// // θ = 1, v = 2, g = 4, η = ½, μ = ¾: v = 5.5, and θ = 1 − ½·(4 + ¾·5.5)
/// assert_eq!(nesterov(Momentum::Velocity, 1.0, 2.0, 4.0, 0.5, 0.75), (-3.0625, 5.5));
/// ```
#[inline(always)]
pub fn nesterov<T: Scalar>(form: Momentum, theta: T, velocity: T, gradient: T, rate: T, mu: T) -> (T, T) {
    match form {
        Momentum::Velocity => {
            let velocity = mu * velocity + gradient;
            (theta - rate * (gradient + mu * velocity), velocity)
        }
        Momentum::Classical => {
            let push = rate * gradient;
            let velocity = mu * velocity - push;
            (theta + (mu * velocity - push), velocity)
        }
    }
}
