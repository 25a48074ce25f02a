//! The multi-class hinge loss: a margin, and nothing beyond it.

use crate::Reduction;
use crate::classes;
use crate::symbols::{CLASS, SCORES};
use gradus_activations::{relu, relu_derivative};
use gradus_autograd::Op;
use gradus_formula::{Formula, Kind, Verdict, item};
use gradus_tensor::{Result, Scalar, Tensor};

pub(crate) const FORMULA: Formula = Formula {
    id: "hinge",
    kind: Kind::Formula,
    verdict: Verdict::Ok,
    title: "Hinge loss (Weston–Watkins)",
    latex: r"L_i = \sum_{k \ne y_i} \max(0, s_k - s_{y_i} + 1)",
    unicode: "L = Σ_{k≠y} max(0, sₖ − s_y + 1)",
    symbols: &[SCORES, CLASS],
    source: "Weston & Watkins 1999; Crammer & Singer 2001 for the other form",
    item: item!(fn hinge),
    chapter: "losses",
    printed: None,
};

pub(crate) const FORMULA_SATURATES: Formula = Formula {
    id: "hinge-saturates",
    kind: Kind::Claim,
    title: "The hinge loss saturates",
    latex: r"s_y \ge s_k + 1 \text{ for all } k \ne y \;\Rightarrow\; L_i = 0",
    unicode: "s_y ≥ sₖ + 1 for all k ≠ y ⇒ L = 0",
    ..FORMULA
};

/// Which multi-class hinge loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HingeForm {
    /// The sum over all other classes, as the notes print it. (PyTorch's multi-margin loss divides it by K.)
    WestonWatkins,
    /// The largest over all other classes. (scikit-learn's `hinge_loss`.)
    CrammerSinger,
}

/// The hinge loss of Weston and Watkins with margin 1: the mean over samples.
///
/// **Formula** `hinge`: Σ_{k≠y} max(0, sₖ − s_y + 1).
///
/// **Shapes**: scores `[N, K]`, classes `[N]`; the result has no dimensions. **Units**: those of the scores.
///
/// **Gradient**: for each class within the margin 1/n, and the negative of their number at y; by convention 0 at the kink.
/// [`Hinge`] has the other form, the square, the margin and other reductions.
///
/// **Numerics**: exact but for the sums. A NaN score makes the sample's loss NaN.
///
/// **Errors**: scores that are no matrix, another number of classes than rows, a class of K or more.
///
/// **Source**: Weston & Watkins 1999.
///
/// ```
/// use gradus_losses::hinge;
/// use gradus_tensor::Tensor;
/// let scores = Tensor::from([[3.0, 2.5, -1.0], [5.0, 1.0, 2.0]]);
/// assert_eq!(hinge(&scores, &Tensor::from([0u32, 0]))?, Tensor::scalar(0.25)); // (½ + 0) / 2
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub fn hinge<T: Scalar>(scores: &Tensor<T>, classes: &Tensor<u32>) -> Result<Tensor<T>> {
    Hinge::new(classes).eval([scores])
}

/// The hinge loss with everything that can vary, as an operation on `[scores]`.
#[derive(Debug, Clone)]
pub struct Hinge {
    /// The true class of each sample.
    pub classes: Vec<u32>,
    /// Which hinge loss.
    pub form: HingeForm,
    /// Whether each term is squared.
    pub squared: bool,
    /// By how much the true class must lead.
    pub margin: f64,
    /// What becomes of the samples' losses.
    pub reduction: Reduction,
}

impl Hinge {
    /// Weston–Watkins, not squared, margin 1, mean.
    pub fn new(classes: &Tensor<u32>) -> Self {
        Self {
            classes: classes.as_slice().to_vec(),
            form: HingeForm::WestonWatkins,
            squared: false,
            margin: 1.0,
            reduction: Reduction::Mean,
        }
    }

    /// Adds ∂(loss of a row)/∂scores to `slope`, if given; gives the loss.
    fn row<T: Scalar>(&self, scores: &[T], y: usize, mut slope: Option<(&mut [T], T)>) -> T {
        let excess = |k: usize| scores[k] - scores[y] + T::of(self.margin);
        let mut loss = T::ZERO;
        let mut term = |k: usize| {
            let e = excess(k);
            let active = relu(e);
            loss += if self.squared { active * active } else { active };
            if let Some((slope, factor)) = &mut slope {
                let d = *factor * if self.squared { active + active } else { relu_derivative(e) };
                slope[k] += d;
                slope[y] -= d;
            }
        };
        let others = (0..scores.len()).filter(|&k| k != y);
        match self.form {
            HingeForm::WestonWatkins => others.for_each(term),
            HingeForm::CrammerSinger => {
                // The first of equals; a NaN wins, so that it shows.
                let larger = |a: usize, b: usize| {
                    let (x, y) = (scores[a], scores[b]);
                    if Scalar::is_nan(x) || x >= y { a } else { b }
                };
                if let Some(k) = others.reduce(larger) {
                    term(k);
                }
            }
        }
        loss
    }
}

impl<T: Scalar> Op<T, 1> for Hinge {
    /// Nothing: the gradient is computed from the scores.
    type Saved = ();

    fn forward(&self, [scores]: [&Tensor<T>; 1]) -> Result<(Tensor<T>, ())> {
        let (_, k) = classes::check("hinge", scores, &self.classes)?;
        let rows = scores.as_slice().chunks_exact(k.max(1)).zip(&self.classes);
        let losses = rows.map(|(row, &y)| self.row(row, y as usize, None)).collect();
        Ok((self.reduction.apply(losses, None).0, ()))
    }

    fn vjp(
        &self,
        [scores]: [&Tensor<T>; 1],
        (): &(),
        dy: &Tensor<T>,
        [wants]: [bool; 1],
    ) -> Result<[Option<Tensor<T>>; 1]> {
        if !wants {
            return Ok([None]);
        }
        let (n, k) = classes::check("hinge", scores, &self.classes)?;
        let mut out = scores.zeros_like();
        let rows =
            out.as_mut_slice().chunks_exact_mut(k.max(1)).zip(scores.as_slice().chunks_exact(k.max(1)));
        for (i, ((slope, row), &y)) in rows.zip(&self.classes).enumerate() {
            let factor = self.reduction.spread(i, dy, T::ONE, T::of(n as f64));
            self.row(row, y as usize, Some((slope, factor)));
        }
        Ok([Some(out)])
    }
}
