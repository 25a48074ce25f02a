//! Attention as the formula says it: all scores, their softmax, and the means of the values.

use crate::Mask;
use crate::symbols::{D_K, K, Q, V};
use gradus_activations::Activations;
use gradus_formula::{Formula, Kind, Printed, Verdict, item};
use gradus_tensor::{Error, Result, Scalar, Tensor, Transpose};

pub(crate) const FORMULA: Formula = Formula {
    id: "attention",
    kind: Kind::Formula,
    verdict: Verdict::Ok,
    title: "Scaled dot-product attention",
    latex: r"\operatorname{Attention}(Q, K, V) = \operatorname{softmax}\!\left(\frac{QK^\top}{\sqrt{d_k}}\right) V",
    unicode: "Attention(Q, K, V) = softmax(QKᵀ/√dₖ)·V, softmax row by row",
    symbols: &[Q, K, V, D_K],
    source: "Vaswani et al. 2017, §3.2.1, eq. 1",
    item: item!(fn attention),
    chapter: "attention",
    printed: None,
};

pub(crate) const FORMULA_SCALE: Formula = Formula {
    id: "attention-scale",
    kind: Kind::Formula,
    verdict: Verdict::Ok,
    title: "Why the scores are divided by √dₖ",
    latex: r"\operatorname{Var}(q \cdot k) = d_k, \qquad \operatorname{Var}\!\left(\frac{q \cdot k}{\sqrt{d_k}}\right) = 1",
    unicode: "Var(q·k) = dₖ for independent components of mean 0 and variance 1; Var(q·k/√dₖ) = 1",
    symbols: &[Q, K, D_K],
    source: "Vaswani et al. 2017, §3.2.1, footnote 4",
    item: item!(fn default_scale),
    chapter: "attention",
    printed: None,
};

pub(crate) const FORMULA_INTUITION: Formula = Formula {
    id: "attention-qkv-intuition",
    kind: Kind::Claim,
    verdict: Verdict::Ambiguous,
    title: "The most similar key, and its value",
    latex: r"\lim_{\beta \to \infty} \operatorname{softmax}(\beta\, K q)^\top V = v_{\arg\max_j q \cdot k_j}",
    unicode: "softmax(β·K·q)ᵀ·V → the value of the most similar key as β → ∞; the mean of all values at β = 0",
    symbols: &[Q, K, V],
    source: "Vaswani et al. 2017, §3.2",
    item: item!(fn attention),
    chapter: "attention",
    printed: Some(Printed {
        latex: r"\text{find the most similar key and then the value}",
        reason: "that is the limit of infinitely sharp weights; attention returns a weighted mean of all values",
        counterexample: "scores 0 and ln 3 of values 8 and 4: attention is 5, the value of the most similar key 4",
    }),
};

pub(crate) const FORMULA_NTM: Formula = Formula {
    id: "attention-ntm",
    kind: Kind::Claim,
    verdict: Verdict::Ok,
    title: "Addressing by content",
    latex: r"w_j = \frac{\exp(\beta\, \cos(k, M_j))}{\sum_l \exp(\beta\, \cos(k, M_l))}",
    unicode: "wⱼ = softmaxⱼ(β·cos(k, Mⱼ)): attention whose queries and keys have length 1",
    symbols: &[Q, K],
    source: "Graves, Wayne & Danihelka 2014, §3.3.1, eqs. 5–6",
    item: item!(fn attention_weights),
    chapter: "attention",
    printed: None,
};

pub(crate) const FORMULA_MANY: Formula = Formula {
    id: "attention-multi-query",
    kind: Kind::Claim,
    verdict: Verdict::Ok,
    title: "Many queries at once",
    latex: r"\operatorname{Attention}\!\left(\begin{bmatrix} q_1 \\ q_2 \end{bmatrix}, K, V\right)
        = \begin{bmatrix} \operatorname{Attention}(q_1, K, V) \\ \operatorname{Attention}(q_2, K, V) \end{bmatrix}",
    unicode: "Attention([q₁; q₂], K, V) = [Attention(q₁, K, V); Attention(q₂, K, V)]",
    symbols: &[Q, K, V],
    source: "Vaswani et al. 2017, §3.2.1",
    item: item!(fn attention),
    chapter: "attention",
    printed: None,
};

pub(crate) const FORMULA_AVERAGE: Formula = Formula {
    id: "missing-attention-average",
    kind: Kind::Claim,
    verdict: Verdict::Ok,
    title: "Attention is a weighted average",
    latex: r"y_i = \sum_j w_{ij} v_j, \qquad w_{ij} \ge 0, \quad \sum_j w_{ij} = 1",
    unicode: "yᵢ = Σⱼ wᵢⱼ·vⱼ with wᵢⱼ ≥ 0 and Σⱼ wᵢⱼ = 1: within the convex hull of the values",
    symbols: &[V],
    source: "Vaswani et al. 2017, §3.2.2 (“averaging inhibits this”)",
    item: item!(fn attention_weights),
    chapter: "attention",
    printed: None,
};

/// 1/√dₖ: with it, the scores of independent components of variance 1 have variance 1 too, whatever dₖ is.
///
/// **Formula** `attention-scale`: Var(q·k) = dₖ, so that q·k/√dₖ has variance 1.
///
/// **Shapes**: numbers. **Units**: 1. **Numerics**: a root and a division.
///
/// **Source**: Vaswani et al. 2017, §3.2.1, footnote 4.
///
/// ```
/// assert_eq!(gradus_transformer::default_scale(64), 0.125);
/// ```
#[must_use]
pub fn default_scale(d: usize) -> f64 {
    1.0 / (d as f64).sqrt()
}

/// How much each query attends to each key: softmax(QKᵀ/√dₖ), row by row.
///
/// **Formula** `attention`, without the product with V; `attention-ntm` if queries and keys have length 1.
///
/// **Shapes**: q `[…, T, d]`, k `[…, S, d]`; the result `[…, T, S]`. **Units**: probabilities; a row's sum is 1, or 0 if it may attend to
/// nothing.
///
/// **Errors**: shapes that do not fit.
///
/// **Source**: Vaswani et al. 2017, §3.2.1, eq. 1.
///
/// ```
/// use gradus_transformer::{Mask, attention_weights};
/// use gradus_tensor::Tensor;
/// let (q, k) = (Tensor::from([[2.0]]), Tensor::from([[0.0], [3f64.ln() / 2.0]]));
/// let weights = attention_weights(&q, &k, &Mask::default())?; // e⁰ : e^ln 3
/// assert!(weights.all_close(&Tensor::from([[0.25, 0.75]]), 1e-15, 0.0)?);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub fn attention_weights<T: Scalar>(q: &Tensor<T>, k: &Tensor<T>, mask: &Mask<T>) -> Result<Tensor<T>> {
    let sizes = one_head(q, k)?;
    let rules = mask.rules(sizes)?;
    let scores =
        q.product(Transpose::No, k, Transpose::Yes)?.scale(T::of(default_scale(q.dims()[q.rank() - 1])));
    let mut weights = Vec::with_capacity(scores.len());
    for (i, row) in scores.as_slice().chunks(sizes[3].max(1)).enumerate() {
        let at = [i / sizes[2], 0, i % sizes[2]];
        let score = |(key, &s): (usize, &T)| match rules.hides(at, key) {
            true => T::NEG_INFINITY,
            false => s + rules.added(at, key),
        };
        let row: Vec<T> = row.iter().enumerate().map(score).collect();
        let nothing = row.iter().all(|&s| s == T::NEG_INFINITY);
        let row = Tensor::from_vec(row, [sizes[3]])?;
        let row = if nothing { row.zeros_like() } else { row.softmax(0)? };
        weights.extend_from_slice(row.as_slice());
    }
    Tensor::from_vec(weights, scores.shape())
}

/// Scaled dot-product attention as it is written: every query's weighted mean of the values.
///
/// **Formula** `attention`: softmax(QKᵀ/√dₖ)·V.
///
/// **Shapes**: q `[…, T, d]`, k `[…, S, d]`, v `[…, S, dᵥ]`; the result `[…, T, dᵥ]`. **Units**: those of V.
///
/// **Gradient**: [`Attention`](crate::Attention), which computes the same by tiles; this is its oracle.
///
/// **Numerics**: all T·S scores are there at once. Softmax takes each row's largest score off. A hidden key adds nothing, not even a NaN.
///
/// **Errors**: shapes that do not fit.
///
/// **Source**: Vaswani et al. 2017, §3.2.1, eq. 1.
///
/// ```
/// use gradus_transformer::{Mask, attention};
/// use gradus_tensor::Tensor;
/// let (q, k) = (Tensor::from([[2.0]]), Tensor::from([[0.0], [3f64.ln() / 2.0]]));
/// let y = attention(&q, &k, &Tensor::from([[8.0], [4.0]]), &Mask::default())?;
/// assert!(y.all_close(&Tensor::from([[5.0]]), 1e-15, 0.0)?); // ¼·8 + ¾·4
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub fn attention<T: Scalar>(
    q: &Tensor<T>,
    k: &Tensor<T>,
    v: &Tensor<T>,
    mask: &Mask<T>,
) -> Result<Tensor<T>> {
    let weights = attention_weights(q, k, mask)?;
    let [_, _, queries, keys] = one_head(q, k)?;
    let (&[ref v_batch @ .., v_rows, size], &[ref batch @ .., _, _]) = (v.dims(), k.dims()) else {
        return Err(Error::shape("attention", "v of the shape […, S, dᵥ]", v.shape()));
    };
    if v_rows != keys || v_batch != batch {
        let why = "there must be as many values as keys";
        return Err(Error::mismatch("attention", k.shape(), v.shape(), why));
    }
    let rules = mask.rules(one_head(q, k)?)?;
    let mut out = Tensor::zeros([batch, &[queries, size]].concat())?;
    let values = v.as_slice();
    for (i, y) in out.as_mut_slice().chunks_mut(size.max(1)).enumerate() {
        let (sample, query) = (i / queries, i % queries);
        for key in (0..keys).filter(|&key| !rules.hides([sample, 0, query], key)) {
            let w = weights.as_slice()[i * keys + key];
            let v = &values[(sample * keys + key) * size..][..size];
            y.iter_mut().zip(v).for_each(|(y, &v)| *y += w * v);
        }
    }
    Ok(out)
}

/// Samples, 1, T and S of queries and keys with one head.
fn one_head<T: Scalar>(q: &Tensor<T>, k: &Tensor<T>) -> Result<[usize; 4]> {
    let (&[ref batch @ .., queries, size], &[ref k_batch @ .., keys, k_size]) = (q.dims(), k.dims()) else {
        let thin = if q.rank() < 2 { q.shape() } else { k.shape() };
        return Err(Error::shape("attention", "queries and keys of at least two dimensions", thin));
    };
    if size != k_size || batch != k_batch || size == 0 {
        let why = "queries and keys must have as many numbers, and the same samples";
        return Err(Error::mismatch("attention", q.shape(), k.shape(), why));
    }
    Ok([batch.iter().product(), 1, queries, keys])
}
