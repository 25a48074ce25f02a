//! How the ResNets of the paper were trained: a recipe that ten years of papers began with.

use gradus_formula::{Formula, Kind, Printed, Symbol, Verdict, item};
use gradus_optimization::{Plateau, Sgd};
use gradus_tensor::Scalar;

const THETA: Symbol =
    Symbol { latex: r"\theta", code: "theta", meaning: "a weight", shape: "any", unit: "any" };
const G: Symbol = Symbol {
    latex: "g",
    code: "gradient",
    meaning: "the loss's gradient in it",
    shape: "that of θ",
    unit: "unit of the loss/unit of θ",
};
const V: Symbol =
    Symbol { latex: "v", code: "velocity", meaning: "the velocity", shape: "that of θ", unit: "that of g" };
const ETA: Symbol = Symbol {
    latex: r"\eta",
    code: "rate",
    meaning: "the learning rate",
    shape: "[]",
    unit: "unit of θ/unit of g",
};
const LAMBDA: Symbol = Symbol {
    latex: r"\lambda",
    code: "weight_decay",
    meaning: "the weight decay: 10⁻⁴",
    shape: "[]",
    unit: "1/unit of η",
};

pub(crate) const FORMULA_INIT: Formula = Formula {
    id: "resnet-init",
    kind: Kind::Claim,
    verdict: Verdict::Ambiguous,
    title: "“Xavier/2”",
    latex: r"\operatorname{Var}(w) = \frac{1}{n/2} = \frac2n, \qquad n = F \cdot F \cdot K",
    unicode: "Var(w) = 1/(n/2) = 2/n, n = F·F·K",
    symbols: &[
        Symbol { latex: "w", code: "weight", meaning: "a weight", shape: "[K, C, F, F]", unit: "any" },
        Symbol {
            latex: "n",
            code: "fan_out",
            meaning: "how many sums of an image a number of the input takes part in",
            shape: "[]",
            unit: "1",
        },
    ],
    source: "He, Zhang, Ren & Sun 2015, §2.2; He, Zhang, Ren & Sun 2016, §3.4",
    item: item!(struct ResNet),
    chapter: "resnet",
    printed: None,
};

pub(crate) const FORMULA_MOMENTUM: Formula = Formula {
    id: "resnet-sgd-momentum",
    kind: Kind::Formula,
    verdict: Verdict::Ok,
    title: "The recipe: momentum",
    latex: r"v \leftarrow 0.9\, v + g, \qquad \theta \leftarrow \theta - \eta v",
    unicode: "v ← 0.9·v + g, θ ← θ − ηv",
    symbols: &[V, G, THETA, ETA],
    source: "He, Zhang, Ren & Sun 2016, §3.4",
    item: item!(struct TrainingRecipe),
    chapter: "resnet",
    printed: None,
};

pub(crate) const FORMULA_PLATEAU: Formula = Formula {
    id: "resnet-lr-plateau",
    kind: Kind::Formula,
    verdict: Verdict::Ok,
    title: "The recipe: the rate",
    latex: r"\eta = 0.1 \cdot 10^{-k}, \qquad k = \text{the number of plateaus of the validation error so far}",
    unicode: "η = 0.1·10⁻ᵏ, k: the number of plateaus of the validation error so far",
    symbols: &[
        ETA,
        Symbol { latex: "k", code: "drops", meaning: "the plateaus", shape: "[]", unit: "count" },
    ],
    source: "He, Zhang, Ren & Sun 2016, §3.4",
    item: item!(struct TrainingRecipe),
    chapter: "resnet",
    printed: None,
};

pub(crate) const FORMULA_BATCH: Formula = Formula {
    id: "resnet-batch-256",
    kind: Kind::Claim,
    verdict: Verdict::Ok,
    title: "The recipe: the batch",
    latex: r"g = \frac{1}{256} \sum_{i=1}^{256} g_i",
    unicode: "g = 1/256·Σ gᵢ, i = 1 … 256",
    symbols: &[G],
    source: "He, Zhang, Ren & Sun 2016, §3.4",
    item: item!(struct TrainingRecipe),
    chapter: "resnet",
    printed: None,
};

pub(crate) const FORMULA_DECAY: Formula = Formula {
    id: "resnet-weight-decay",
    kind: Kind::Formula,
    verdict: Verdict::Wrong,
    title: "The recipe: weight decay",
    latex: r"\theta \leftarrow (1 - \eta\lambda)\,\theta - \eta g, \qquad \lambda = 10^{-4}",
    unicode: "θ ← (1 − ηλ)θ − ηg, λ = 10⁻⁴",
    symbols: &[THETA, G, ETA, LAMBDA],
    source: "He, Zhang, Ren & Sun 2016, §3.4: “a weight decay of 0.0001”",
    item: item!(struct TrainingRecipe),
    chapter: "resnet",
    printed: Some(Printed {
        latex: r"\text{Weight decay } 1e^{-5}",
        reason: "As it is typeset it is 1·e⁻⁵ = 0.0067. What was meant, 10⁻⁵, is still a tenth of what the paper has.",
        counterexample: "A weight of 1 without gradient, η = 0.1: after a step 0.99999; with e⁻⁵ it is 0.99933, with 10⁻⁵ 0.999999.",
    }),
};

pub(crate) const FORMULA_NO_DROPOUT: Formula = Formula {
    id: "resnet-no-dropout",
    kind: Kind::Claim,
    verdict: Verdict::Ambiguous,
    title: "No dropout, but batch normalisation",
    latex: r"h = f(\operatorname{norm}(w * x)) \text{ after each convolution}",
    unicode: "h = f(norm(w∗x)) after each convolution",
    symbols: &[],
    source: "He, Zhang, Ren & Sun 2016, §3.4; Ioffe & Szegedy 2015",
    item: item!(struct ResNet),
    chapter: "resnet",
    printed: None,
};

/// How a network is trained: what its paper says of batch, rate, momentum and decay, ready to be used.
///
/// **Formula** `resnet-sgd-momentum`, `resnet-lr-plateau`, `resnet-weight-decay`: v ← μv + g + λθ, θ ← θ − ηv, η divided by 10 on each plateau.
///
/// **Shapes**: numbers. **Units**: those of the loss and the weights. **Gradient**: not differentiated.
///
/// **Numerics**: as [`Sgd`] and [`Plateau`].
///
/// **Errors**: none of its own; [`schedule`](Self::schedule) as [`Plateau::new`].
///
/// **Source**: He, Zhang, Ren & Sun 2016, §3.4. The paper does not say how long a plateau is; ten epochs are PyTorch's default. It trains for up to 60 · 10⁴ iterations.
///
/// ```
/// use gradus_architectures::TrainingRecipe;
/// let recipe = TrainingRecipe::RESNET;
/// assert_eq!((recipe.batch, recipe.rate, recipe.momentum, recipe.weight_decay), (256, 0.1, 0.9, 1e-4));
/// let mut schedule = recipe.schedule()?;
/// assert_eq!(schedule.observe(0.5), 0.1);
/// # Ok::<(), gradus_optimization::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrainingRecipe {
    /// Images a step.
    pub batch: usize,
    /// The first rate.
    pub rate: f64,
    /// What a plateau divides the rate by.
    pub divide_by: f64,
    /// μ, in the form with the rate outside of the velocity.
    pub momentum: f64,
    /// λ, as an L2 penalty of all parameters.
    pub weight_decay: f64,
}

impl TrainingRecipe {
    /// That of ResNet for ImageNet.
    pub const RESNET: Self =
        Self { batch: 256, rate: 0.1, divide_by: 10.0, momentum: 0.9, weight_decay: 1e-4 };

    /// The optimiser.
    #[must_use]
    pub fn optimizer<T: Scalar>(&self) -> Sgd<T> {
        Sgd::new(self.rate).momentum(self.momentum).weight_decay(self.weight_decay)
    }

    /// The schedule, to be shown the validation error after each epoch.
    ///
    /// # Errors
    /// If the rate is below 0, or the divisor below 1.
    pub fn schedule(&self) -> gradus_optimization::Result<Plateau> {
        Plateau::new(self.rate)?.divide_by(self.divide_by)
    }
}
