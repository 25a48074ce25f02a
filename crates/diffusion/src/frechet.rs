//! How far drawn samples are from real ones, as two Gaussians in the features of a network.

use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_tensor::{Error, Result, Tensor};

pub(crate) const FORMULA: Formula = Formula {
    id: "frechet-distance",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "The Fréchet distance of two sets of samples",
    latex: r"d^2 = \lVert \mu_1 - \mu_2 \rVert^2 + \operatorname{tr}\bigl( \Sigma_1 + \Sigma_2 - 2 (\Sigma_1 \Sigma_2)^{1/2} \bigr)",
    unicode: "d² = ‖μ₁ − μ₂‖² + tr(Σ₁ + Σ₂ − 2(Σ₁Σ₂)^½)",
    symbols: &[
        Symbol {
            latex: r"\mu_1, \mu_2",
            code: "x, y",
            meaning: "the means of the two sets' features",
            shape: "[D]",
            unit: "that of the features",
        },
        Symbol {
            latex: r"\Sigma_1, \Sigma_2",
            code: "r",
            meaning: "their covariances, divided by one less than the samples",
            shape: "[D, D]",
            unit: "that of the features, squared",
        },
    ],
    source: "Dowson & Landau 1982; Heusel et al. 2017, §1, eq. 6",
    item: item!(fn frechet_distance),
    chapter: "diffusion-sampling",
    printed: None,
};

/// The squared Fréchet distance of two sets of samples, each taken for a Gaussian.
///
/// **Formula** `frechet-distance`: ‖μ₁ − μ₂‖² + tr(Σ₁ + Σ₂ − 2(Σ₁Σ₂)^½).
///
/// **Shapes**: `[N, D]` and `[M, D]`. **Units**: those of the features, squared.
///
/// **Numerics**: no root of a matrix: with R of the QR decomposition of the centred samples, Σ = RᵀR, the trace of (Σ₁Σ₂)^½ is the sum of the singular values of R₁R₂ᵀ. Singular covariances
/// (fewer samples than features) are no trouble. Few samples make it too large: of two sets of one distribution it falls as 1/N.
///
/// **Errors**: fewer than two samples, other features, numbers that are not finite. **Source**: Dowson & Landau 1982; Heusel et al. 2017.
///
/// ```
/// use gradus_diffusion::frechet_distance;
/// use gradus_tensor::Tensor;
/// let (x, y) = (Tensor::from([[-1.0], [1.0]]), Tensor::from([[0.0], [6.0]])); // means 0 and 3, deviations √2 and 3√2
/// assert!((frechet_distance(&x, &y)? - (9.0 + 8.0)).abs() < 1e-12); // 3² + (3√2 − √2)²
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub fn frechet_distance(x: &Tensor<f64>, y: &Tensor<f64>) -> Result<f64> {
    const OP: &str = "frechet_distance";
    for set in [x, y] {
        if set.rank() != 2 || set.dims()[0] < 2 || set.dims()[1] == 0 {
            return Err(Error::shape(OP, "[N, D] with two samples or more", set.shape()));
        }
    }
    if x.dims()[1] != y.dims()[1] {
        return Err(Error::mismatch(OP, x.shape(), y.shape(), "sets of the same features"));
    }
    let factor = |x: &Tensor<f64>| -> Result<(Tensor<f64>, Tensor<f64>)> {
        let mean = x.mean_axis(0)?;
        let (_, r) = x.sub(&mean)?.qr()?;
        Ok((mean, r.scale(1.0 / ((x.dims()[0] - 1) as f64).sqrt())))
    };
    let ((mean_x, rx), (mean_y, ry)) = (factor(x)?, factor(y)?);
    let between = mean_x.sub(&mean_y)?;
    let squares = |r: &Tensor<f64>| r.mul(r).map(|squares| squares.sum());
    let shared = rx.matmul(&ry.transpose()?)?.singular_values()?.sum();
    Ok(squares(&between)? + squares(&rx)? + squares(&ry)? - 2.0 * shared)
}
