//! What a network must be able to do: look at noisy data, and say something of its shape.

use crate::symbols::{T, XT};
use gradus_autograd::{Mode, Var};
use gradus_formula::{Formula, Kind, Verdict, item};
use gradus_tensor::{Error, Result, Scalar};

pub(crate) const FORMULA_DIMENSIONS: Formula = Formula {
    id: "diffusion-dims-match",
    kind: Kind::Claim,
    verdict: Verdict::Ok,
    title: "What comes out has the shape of what goes in",
    latex: r"\epsilon_\theta : \mathbb R^D \times \{1, \dots, T\} \to \mathbb R^D",
    unicode: "ε_θ: ℝᴰ × {1, …, T} → ℝᴰ",
    symbols: &[XT, T],
    source: "Ho, Jain & Abbeel 2020, §3.2",
    item: item!(trait Denoiser),
    chapter: "diffusion-training",
    printed: None,
};

pub(crate) const FORMULA_FLEXIBLE: Formula = Formula {
    id: "diffusion-flexible",
    kind: Kind::Claim,
    verdict: Verdict::Ok,
    title: "Any architecture will do",
    latex: r"\epsilon_\theta \text{ may be any function of } (x_t, t)",
    unicode: "ε_θ may be any function of (xₜ, t)",
    symbols: &[XT, T],
    source: "Ho, Jain & Abbeel 2020, §3.2; Peebles & Xie 2023 (a transformer)",
    item: item!(trait Denoiser),
    chapter: "diffusion-training",
    printed: None,
};

/// A network that looks at noisy data.
///
/// What its output means, the noise, the data or the velocity, is not its business: that is the [`Prediction`](crate::Prediction) of the [`Diffusion`](crate::Diffusion)
/// that trains it and draws with it.
///
/// **Formula** `diffusion-dims-match`: the output has the shape of the input; `diffusion-flexible`: nothing else is asked.
///
/// **Shapes**: x `[N, …]`, N steps, N labels; the result as x. **Units**: those of the prediction. **Gradient**, **Numerics**: the network's.
///
/// **Errors**: the network's. **Source**: Ho, Jain & Abbeel 2020, §3.2.
///
/// ```
/// use gradus_autograd::{Mode, Var};
/// use gradus_diffusion::{Denoiser, Diffusion, Prediction, Schedule};
/// use gradus_tensor::{Result, Tensor};
/// /// Sees no noise anywhere.
/// struct Blind;
/// impl Denoiser<f64> for Blind {
///     fn denoise(&self, x: &Var<f64>, _: &[usize], _: Option<&[u32]>, _: &mut Mode<'_>) -> Result<Var<f64>> {
///         x.scale(0.0)
///     }
/// }
/// let diffusion = Diffusion::new(Schedule::ho2020(), Prediction::Noise);
/// let x0 = Tensor::zeros([10_000, 1])?;
/// // What it misses is the noise, whose mean square is 1.
/// let loss = diffusion.loss(&Blind, &x0, None, &mut Mode::Eval)?.item()?;
/// assert!((loss - 1.0).abs() < 0.05);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub trait Denoiser<T: Scalar> {
    /// What the network says of x, each sample at its own step, and of its own class where it knows classes.
    ///
    /// # Errors
    /// If shapes, steps or labels do not fit.
    fn denoise(&self, x: &Var<T>, t: &[usize], labels: Option<&[u32]>, mode: &mut Mode<'_>)
    -> Result<Var<T>>;

    /// How many classes it knows; the label of this number says that no class is named.
    fn classes(&self) -> u32 {
        0
    }
}

/// Refuses another number of steps than of samples: one step would be stretched over all of them.
pub(crate) fn one_step_each<T: Scalar>(op: &'static str, x: &Var<T>, t: &[usize]) -> Result<()> {
    let samples = x.shape().size(0)?;
    if t.len() == samples {
        return Ok(());
    }
    Err(Error::argument(op, "steps", t.len(), format!("one a sample, {samples}")))
}

/// The labels that a network is asked with: those given, or none for everyone where it knows classes.
pub(crate) fn labels_of(
    op: &'static str,
    samples: usize,
    classes: u32,
    labels: Option<&[u32]>,
) -> Result<Option<Vec<u32>>> {
    let Some(labels) = labels else { return Ok((classes > 0).then(|| vec![classes; samples])) };
    if classes == 0 {
        return Err(Error::argument(op, "labels", "some", "none: the network knows no classes"));
    }
    if labels.len() != samples {
        return Err(Error::argument(op, "labels", labels.len(), format!("one a sample, {samples}")));
    }
    if let Some(label) = labels.iter().find(|&&label| label > classes) {
        let allowed = format!("0 to {}, or {classes} for no class", classes - 1);
        return Err(Error::argument(op, "label", label, allowed));
    }
    Ok(Some(labels.to_vec()))
}
