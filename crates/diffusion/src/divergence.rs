//! How far one Gaussian is from another.

use gradus_formula::{Formula, Kind, Symbol, Verdict, item};

pub(crate) const FORMULA: Formula = Formula {
    id: "gaussian-kl",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "The divergence of two Gaussians",
    latex: r"D_{\mathrm{KL}}\bigl(\mathcal N(\mu_1, \sigma_1^2) \,\|\, \mathcal N(\mu_2, \sigma_2^2)\bigr) =
        \frac12 \left( \ln\frac{\sigma_2^2}{\sigma_1^2} + \frac{\sigma_1^2 + (\mu_1 - \mu_2)^2}{\sigma_2^2} - 1 \right)",
    unicode: "D(N(μ₁, σ₁²) ‖ N(μ₂, σ₂²)) = ½(ln(σ₂²/σ₁²) + (σ₁² + (μ₁ − μ₂)²)/σ₂² − 1)",
    symbols: &[
        Symbol {
            latex: r"\mu_1, \sigma_1^2",
            code: "p",
            meaning: "mean and variance of the true distribution",
            shape: "[]",
            unit: "those of the data",
        },
        Symbol {
            latex: r"\mu_2, \sigma_2^2",
            code: "q",
            meaning: "mean and variance of the other",
            shape: "[]",
            unit: "those of the data",
        },
    ],
    source: "Kullback & Leibler 1951; Kingma & Welling 2014, appendix B",
    item: item!(fn gaussian_kl),
    chapter: "bound",
    printed: None,
};

/// The Kullback–Leibler divergence of N(μ₂, σ₂²) from N(μ₁, σ₁²), each given as [mean, variance].
///
/// **Formula** `gaussian-kl`: ½(ln(σ₂²/σ₁²) + (σ₁² + (μ₁ − μ₂)²)/σ₂² − 1).
///
/// **Shapes**: numbers; of independent numbers the divergences add up. **Units**: nats, at least 0; 0 only for equal ones.
///
/// **Numerics**: the ratio r of the variances enters as r − 1 and `ln_1p(r − 1)`, whose difference is exact to 10⁻¹⁶·|r − 1|.
///
/// **Errors**: none; a σ₁² of 0 is infinitely far from anything else. **Source**: Kullback & Leibler 1951.
///
/// ```
/// use gradus_diffusion::gaussian_kl;
/// assert_eq!(gaussian_kl([3.0, 1.0], [1.0, 1.0]), 2.0); // ½·2²
/// assert_eq!(gaussian_kl([1.0, 2.0], [1.0, 2.0]), 0.0);
/// ```
#[must_use]
pub fn gaussian_kl([mean, variance]: [f64; 2], [other, other_variance]: [f64; 2]) -> f64 {
    let excess = (variance - other_variance) / other_variance;
    0.5 * (excess - excess.ln_1p() + (mean - other).powi(2) / other_variance)
}
