//! How a network is told the step: as sines and cosines of many wavelengths.

use crate::symbols::T;
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_tensor::{Error, Result, Scalar, Tensor};

pub(crate) const FORMULA: Formula = Formula {
    id: "time-embedding",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "The embedding of the step",
    latex: r"e(t) = \bigl[ \sin \omega_0 t, \dots, \sin \omega_{d/2 - 1} t,\; \cos \omega_0 t, \dots, \cos \omega_{d/2 - 1} t \bigr], \qquad
        \omega_i = 10000^{-i / (d/2)}",
    unicode: "e(t) = [sin ω₀t, …, sin ω_{d/2−1}t, cos ω₀t, …, cos ω_{d/2−1}t], ωᵢ = 10000^(−i/(d/2))",
    symbols: &[
        T,
        Symbol {
            latex: "d",
            code: "width",
            meaning: "the numbers of the embedding, an even number",
            shape: "[]",
            unit: "count",
        },
        Symbol {
            latex: r"\omega_i",
            code: "frequency",
            meaning: "the frequencies, from 1 down to nearly 1/10000",
            shape: "[d/2]",
            unit: "radians a step",
        },
    ],
    source: "Vaswani et al. 2017, §3.5; Ho, Jain & Abbeel 2020, appendix B",
    item: item!(fn time_embedding),
    chapter: "diffusion-training",
    printed: None,
};

/// Steps as vectors: sines and cosines of wavelengths from 2π to nearly 20000π.
///
/// **Formula** `time-embedding`: [sin ωᵢt …, cos ωᵢt …], ωᵢ = 10000^(−i/(d/2)), i = 0 … d/2 − 1.
///
/// **Shapes**: N steps; the result `[N, d]`. **Units**: 1.
///
/// **Gradient**: none: steps are whole numbers.
///
/// **Numerics**: in `f64`, rounded once. The product of two embeddings depends on the difference of the steps only.
///
/// **Errors**: a width that is odd or 0. **Source**: Vaswani et al. 2017, §3.5; Ho, Jain & Abbeel 2020, appendix B.
///
/// ```
/// use gradus_diffusion::time_embedding;
/// let e = time_embedding::<f64>(&[0, 100], 4)?; // frequencies 1 and 1/100
/// assert_eq!(e.select(0, 0)?.as_slice(), [0.0, 0.0, 1.0, 1.0]);
/// let expected = [100f64.sin(), 1f64.sin(), 100f64.cos(), 1f64.cos()];
/// assert!(e.select(0, 1)?.all_close(&expected.into(), 0.0, 1e-13)?);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub fn time_embedding<T: Scalar>(t: &[usize], width: usize) -> Result<Tensor<T>> {
    if width == 0 || !width.is_multiple_of(2) {
        return Err(Error::argument("time_embedding", "width", width, "an even number above 0"));
    }
    let half = width / 2;
    let frequency = |i: usize| (-(10_000f64.ln()) * i as f64 / half as f64).exp();
    Tensor::from_fn([t.len(), width], |at| {
        let angle = t[at[0]] as f64 * frequency(at[1] % half);
        T::of(if at[1] < half { angle.sin() } else { angle.cos() })
    })
}
