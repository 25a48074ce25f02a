//! Adding noise: one step, or all of them at once.

use crate::symbols::{ALPHA_BAR, BETA, EPS, T, X0, XT};
use crate::{Mix, Schedule};
use gradus_autograd::Op;
use gradus_formula::{Formula, Kind, Printed, Verdict, item};
use gradus_tensor::{Result, Scalar, Tensor};

pub(crate) const FORMULA_STEP: Formula = Formula {
    id: "diffusion-forward-step",
    kind: Kind::Formula,
    verdict: Verdict::Ok,
    title: "One step of noise",
    latex: r"x_t = \sqrt{1 - \beta_t}\, x_{t-1} + \sqrt{\beta_t}\, \epsilon_{t-1}",
    unicode: "xₜ = √(1 − βₜ)·xₜ₋₁ + √βₜ·εₜ₋₁",
    symbols: &[XT, BETA, EPS, T],
    source: "Ho, Jain & Abbeel 2020, §2, eq. 2",
    item: item!(fn forward_step),
    chapter: "adding-noise",
    printed: None,
};

pub(crate) const FORMULA_NOISE: Formula = Formula {
    id: "diffusion-adds-noise",
    kind: Kind::Claim,
    verdict: Verdict::Ok,
    title: "Noise is added to data from the real distribution",
    latex: r"x_0 \sim q(x_0), \qquad x_T \to \mathcal N(0, I)",
    unicode: "x₀ ~ q(x₀); x_T tends to N(0, I)",
    symbols: &[X0, XT],
    source: "Sohl-Dickstein et al. 2015, §2.1",
    item: item!(fn forward_step),
    chapter: "adding-noise",
    printed: None,
};

pub(crate) const FORMULA_EPS: Formula = Formula {
    id: "diffusion-eps",
    kind: Kind::Claim,
    verdict: Verdict::Ok,
    title: "The noises are independent",
    latex: r"\epsilon_0, \dots, \epsilon_{t-1} \sim \mathcal N(\mathbf 0, \mathbf I) \text{ independent}",
    unicode: "ε₀, …, εₜ₋₁ ~ N(0, I), independent",
    symbols: &[EPS],
    source: "Ho, Jain & Abbeel 2020, §2",
    item: item!(fn forward_step),
    chapter: "adding-noise",
    printed: None,
};

pub(crate) const FORMULA_EFFICIENT: Formula = Formula {
    id: "diffusion-not-efficient",
    kind: Kind::Claim,
    verdict: Verdict::Ok,
    title: "Step by step is not efficient",
    latex: r"t \text{ draws for one } x_t, \text{ or one draw}",
    unicode: "t draws for one xₜ step by step, one by the closed form: the same distribution",
    symbols: &[XT, EPS],
    source: "Ho, Jain & Abbeel 2020, §2, eq. 4",
    item: item!(fn closed_form),
    chapter: "closed-form",
    printed: None,
};

pub(crate) const FORMULA_CLOSED: Formula = Formula {
    id: "diffusion-closed-form",
    kind: Kind::Formula,
    verdict: Verdict::Wrong,
    title: "All steps at once",
    latex: r"x_t \overset{d}{=} \sqrt{\bar\alpha_t}\, x_0 + \sqrt{1 - \bar\alpha_t}\, \bar\epsilon, \qquad
        \bar\epsilon = \frac{1}{\sqrt{1 - \bar\alpha_t}} \sum_{s=1}^{t} \sqrt{\frac{\bar\alpha_t}{\bar\alpha_s} \beta_s}\, \epsilon_{s-1}",
    unicode: "xₜ = √ᾱₜ·x₀ + √(1 − ᾱₜ)·ε̄ in distribution; ε̄ = Σₛ √(ᾱₜ/ᾱₛ·βₛ)·εₛ₋₁ / √(1 − ᾱₜ)",
    symbols: &[XT, X0, ALPHA_BAR, BETA, EPS],
    source: "Ho, Jain & Abbeel 2020, §2, eq. 4",
    item: item!(fn closed_form),
    chapter: "closed-form",
    printed: Some(Printed {
        latex: r"\sqrt{\bar\alpha_t}\, x_0 + \sqrt{1 - \bar\alpha_t}\, \epsilon_0",
        reason: "the noise of all steps has become one variable, which is none of them: the two sides are equal in distribution only",
        counterexample: "β = (0.3, 0.5): the merged noise has a correlation of 0.48 with ε₀, not 1",
    }),
};

pub(crate) const FORMULA_MARGINAL: Formula = Formula {
    id: "diffusion-marginal",
    kind: Kind::Formula,
    verdict: Verdict::Ok,
    title: "The distribution after t steps",
    latex: r"q(x_t \mid x_0) = \mathcal N\bigl(x_t;\; \sqrt{\bar\alpha_t}\, x_0,\; (1 - \bar\alpha_t) I\bigr)",
    unicode: "q(xₜ | x₀) = N(xₜ; √ᾱₜ·x₀, (1 − ᾱₜ)·I)",
    symbols: &[XT, X0, ALPHA_BAR, T],
    source: "Ho, Jain & Abbeel 2020, §2, eq. 4",
    item: item!(struct Schedule),
    chapter: "closed-form",
    printed: None,
};

/// One step of noise on a number.
///
/// **Formula** `diffusion-forward-step`: √(1 − β)·x + √β·ε.
///
/// **Shapes**: numbers. **Units**: those of the data; ε is standard normal.
///
/// **Gradient**: √(1 − β) in x: a variance of 1 stays 1.
///
/// **Numerics**: two roots. **Errors**: none; a β outside of 0..=1 gives NaN. **Source**: Ho, Jain & Abbeel 2020, §2, eq. 2.
///
/// ```
/// use gradus_diffusion::forward_step;
/// assert_eq!(forward_step(10.0, -1.0, 0.36), 7.4); // 0.8·10 − 0.6
/// ```
#[inline(always)]
pub fn forward_step<T: Scalar>(x: T, noise: T, beta: T) -> T {
    (T::ONE - beta).sqrt() * x + beta.sqrt() * noise
}

/// All steps up to t at once on a number, with one noise in place of t.
///
/// **Formula** `diffusion-closed-form`: √ᾱₜ·x₀ + √(1 − ᾱₜ)·ε̄; the distribution is that of t steps, `diffusion-marginal`.
///
/// **Shapes**: numbers; [`Schedule::diffuse`] takes tensors. **Units**: those of the data.
///
/// **Gradient**: √ᾱₜ in x₀.
///
/// **Numerics**: from ln ᾱₜ: 1 − ᾱₜ is −expm1 of it. **Errors**: none; a logarithm above 0 gives NaN. **Source**: Ho, Jain & Abbeel 2020, §2, eq. 4.
///
/// ```
/// use gradus_diffusion::closed_form;
/// assert!((closed_form(10.0, -1.0, 0.64f64.ln()) - 7.4).abs() < 1e-14);
/// assert_eq!(closed_form(10.0, -1.0, 0.0), 10.0); // t = 0: the data
/// ```
#[inline(always)]
pub fn closed_form<T: Scalar>(x0: T, noise: T, log_alpha_bar: T) -> T {
    (T::of(0.5) * log_alpha_bar).exp() * x0 + (-log_alpha_bar.exp_m1()).sqrt() * noise
}

impl Schedule {
    /// [`closed_form`] of tensors: each sample at its own step.
    ///
    /// ```
    /// use gradus_diffusion::Schedule;
    /// use gradus_tensor::Tensor;
    /// let schedule = Schedule::given(&[0.36])?;
    /// let (x0, noise) = (Tensor::from([[10.0f64], [10.0]]), Tensor::from([[-1.0], [-1.0]]));
    /// assert!(schedule.diffuse(&x0, &[0, 1], &noise)?.all_close(&Tensor::from([[10.0], [7.4]]), 0.0, 1e-14)?);
    /// # Ok::<(), gradus_tensor::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the noise has another shape than the data, there are not as many steps as samples, or one is greater than T.
    pub fn diffuse<T: Scalar>(&self, x0: &Tensor<T>, t: &[usize], noise: &Tensor<T>) -> Result<Tensor<T>> {
        self.mix(t, |t| self.scales(t))?.eval([x0, noise])
    }

    /// A mixture whose weights follow from each sample's step.
    pub(crate) fn mix(&self, t: &[usize], weights: impl Fn(usize) -> Result<[f64; 2]>) -> Result<Mix> {
        Ok(Mix::new(t.iter().map(|&t| weights(t)).collect::<Result<Vec<_>>>()?))
    }
}
