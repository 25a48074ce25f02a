//! Softmax of linear scores: the probabilities of a linear classifier.

use crate::softmax;
use gradus_formula::{Formula, Kind, Printed, Symbol, Verdict, item};
use gradus_tensor::{Result, Scalar, Tensor};

pub(crate) const FORMULA: Formula = Formula {
    id: "softmax-linear-scores",
    kind: Kind::Formula,
    verdict: Verdict::Ambiguous,
    title: "Softmax of linear scores",
    latex: r"p(y_i = k \mid x_i, \theta) = \frac{e^{x_i \theta_k}}{\sum_{j=1}^{K} e^{x_i \theta_j}}",
    unicode: "p(yᵢ = k | xᵢ, θ) = exp(xᵢθₖ) / Σⱼ exp(xᵢθⱼ)",
    symbols: &[
        Symbol {
            latex: "x_i",
            code: "x",
            meaning: "sample i, a row of X",
            shape: "[N, D]",
            unit: "those of the data",
        },
        Symbol {
            latex: r"\theta_k",
            code: "theta",
            meaning: "the weights of class k, a column",
            shape: "[D, K]",
            unit: "nats a unit of x",
        },
        Symbol { latex: "y_i", code: "y", meaning: "the class of sample i", shape: "[N]", unit: "class" },
    ],
    source: "Bishop, Pattern Recognition and Machine Learning, eq. 4.104–4.105",
    item: item!(fn linear_softmax),
    chapter: "activations",
    printed: Some(Printed {
        latex: r"\frac{e^{x_i^\top \theta_{y_i}}}{\sum_{k=1}^c e^{x_i^\top \theta_k}}",
        reason: "xᵢ is a column here and a row in the chapter on least squares. We keep samples in rows throughout, so \
                 the scores of all samples are the matrix Xθ",
        counterexample: "X of 3 samples × 2 features: Xθ is [3, K]; read literally, Xᵀθ does not even multiply",
    }),
};

/// The class probabilities of a linear classifier.
///
/// **Formula** `softmax-linear-scores`: p(y = k | x, θ) = exp(xθₖ) / Σⱼ exp(xθⱼ). Adding one vector to every θₖ
/// changes nothing: the model has D parameters too many, and its Hessian is singular.
///
/// **Shapes**: x `[N, D]`, theta `[D, K]`, result `[N, K]`, rows summing to 1. **Units**: probability.
///
/// **Gradient**: through [`Var`](gradus_autograd::Var): `x.matmul(&theta)?.softmax(1)?`.
///
/// **Numerics**: those of [`softmax`].
///
/// **Errors**: shapes that do not fit.
///
/// **Source**: Bishop 2006, eq. 4.104–4.105.
///
/// ```
/// use gradus_activations::linear_softmax;
/// use gradus_tensor::Tensor;
/// let x = Tensor::from([[1.0, 2.0]]);
/// let theta = Tensor::from([[3f64.ln(), 0.0], [0.0, 0.0]]); // scores ln 3 and 0
/// assert!(linear_softmax(&x, &theta)?.all_close(&Tensor::from([[0.75, 0.25]]), 0.0, 1e-15)?);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub fn linear_softmax<T: Scalar>(x: &Tensor<T>, theta: &Tensor<T>) -> Result<Tensor<T>> {
    softmax(&x.matmul(theta)?, 1)
}
