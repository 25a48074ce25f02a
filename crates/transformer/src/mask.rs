//! Which keys a query may attend to.

use crate::kernel::{Rules, Table};
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_tensor::{Error, Result, Scalar, Tensor};

pub(crate) const FORMULA: Formula = Formula {
    id: "causal-mask",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "The causal mask",
    latex: r"S_{ij} = \begin{cases} q_i \cdot k_j / \sqrt{d_k} & \text{if query } i \text{ may see key } j \\
        -\infty & \text{otherwise} \end{cases} \qquad \text{causal: } j \le i",
    unicode: "Sᵢⱼ = qᵢ·kⱼ/√dₖ where query i may see key j, −∞ elsewhere; causal: j ≤ i",
    symbols: &[
        Symbol {
            latex: "S",
            code: "scores",
            meaning: "the scores, of which softmax makes weights: e to the power −∞ is 0",
            shape: "[…, T, S]",
            unit: "1",
        },
        Symbol { latex: "i", code: "query", meaning: "the place of a query", shape: "[]", unit: "steps" },
        Symbol { latex: "j", code: "key", meaning: "the place of a key", shape: "[]", unit: "steps" },
    ],
    source: "Vaswani et al. 2017, §3.2.3",
    item: item!(struct Mask),
    chapter: "masks",
    printed: None,
};

/// Which keys a query may attend to: all restrictions hold at once. By default there are none.
///
/// **Formula** `causal-mask`: the score of a hidden key is −∞, so that its weight is 0.
///
/// **Shapes**: tables are `[T, S]`, `[N, T, S]` or `[N, H, T, S]` (N samples, H heads, T queries, S keys); sizes of 1 are stretched.
///
/// **Units**: what is added, in nats: it is a factor of e to that power. **Gradient**: none flows to what is hidden, nor to what is added.
///
/// **Numerics**: a hidden key is not multiplied with 0, it is left out: a NaN in it reaches nobody, and a query without any key gets zeros, and
/// passes no gradient on. Tiles without a visible key are not computed.
///
/// **Errors**: [`Attention`](crate::Attention) refuses tables and lengths that do not fit.
///
/// **Source**: Vaswani et al. 2017, §3.2.3 (causal) and §4 (restricted).
///
/// ```
/// use gradus_transformer::{Mask, attention};
/// use gradus_tensor::Tensor;
/// let (zero, v) = (Tensor::<f64>::zeros([3, 2])?, Tensor::from([[2.0], [4.0], [9.0]]));
/// // All scores are equal: each query gets the mean of what it may see.
/// assert_eq!(attention(&zero, &zero, &v, &Mask::causal())?, Tensor::from([[2.0], [3.0], [5.0]]));
/// assert_eq!(attention(&zero, &zero, &v, &Mask::causal().window(1))?, Tensor::from([[2.0], [3.0], [6.5]]));
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Mask<T: Scalar = f32> {
    /// Whether query i sees the keys up to its own place only: j ≤ first + i.
    pub causal: bool,
    /// How far a query sees: |first + i − j| ≤ window ("restricted" or "sliding window" attention).
    pub window: Option<usize>,
    /// The place of the first query among the keys: how many keys lie before it, in a cache.
    pub first: usize,
    /// How many keys of each sample are no padding.
    pub lengths: Option<Vec<usize>>,
    /// Which keys may be seen: `true` may.
    pub allowed: Option<Tensor<bool>>,
    /// What is added to the scores after they have been scaled; −∞ hides.
    pub added: Option<Tensor<T>>,
}

impl<T: Scalar> Default for Mask<T> {
    fn default() -> Self {
        Self { causal: false, window: None, first: 0, lengths: None, allowed: None, added: None }
    }
}

impl<T: Scalar> Mask<T> {
    /// Each query sees itself and what came before.
    #[must_use]
    pub fn causal() -> Self {
        Self { causal: true, ..Self::default() }
    }

    /// And nothing further away than this.
    #[must_use]
    pub fn window(self, window: usize) -> Self {
        Self { window: Some(window), ..self }
    }

    /// And only so many keys of each sample.
    #[must_use]
    pub fn lengths(self, lengths: &[usize]) -> Self {
        Self { lengths: Some(lengths.to_vec()), ..self }
    }

    /// And only where `table` is `true`.
    #[must_use]
    pub fn allowed(self, table: Tensor<bool>) -> Self {
        Self { allowed: Some(table), ..self }
    }

    /// With `table` added to the scores.
    #[must_use]
    pub fn added(self, table: Tensor<T>) -> Self {
        Self { added: Some(table), ..self }
    }

    /// The mask as the kernels ask it.
    pub(crate) fn rules(&self, sizes @ [samples, _, _, keys]: [usize; 4]) -> Result<Rules<'_, T>> {
        if let Some(lengths) = &self.lengths {
            if lengths.len() != samples {
                let (value, allowed) =
                    (format!("{} of them", lengths.len()), format!("one for each of {samples} samples"));
                return Err(Error::argument("attention", "lengths", value, allowed));
            }
            if let Some(&long) = lengths.iter().find(|&&length| length > keys) {
                let allowed = format!("at most the {keys} keys of the batch");
                return Err(Error::argument("attention", "length", long, allowed));
            }
        }
        Ok(Rules {
            causal: self.causal,
            window: self.window,
            first: self.first,
            lengths: self.lengths.as_deref(),
            keys,
            allowed: self.allowed.as_ref().map(|table| stretched(table, sizes)).transpose()?,
            added: self.added.as_ref().map(|table| stretched(table, sizes)).transpose()?,
        })
    }
}

/// A table whose sizes of 1 are stretched to these.
fn stretched<U: gradus_tensor::Element>(
    table: &Tensor<U>,
    [samples, heads, queries, keys]: [usize; 4],
) -> Result<Table<'_, U>> {
    let (wanted, own) = ([samples, heads, queries, keys], table.dims());
    let full = match *own {
        [t, s] => [1, 1, t, s],
        [n, t, s] => [n, 1, t, s],
        [n, h, t, s] => [n, h, t, s],
        _ => [0; 4],
    };
    if !(2..=4).contains(&own.len()) || full.iter().zip(wanted).any(|(&own, size)| own != 1 && own != size) {
        let expected = format!("a mask that stretches to [{samples}, {heads}, {queries}, {keys}]");
        return Err(Error::shape("attention", expected, table.shape()));
    }
    let mut strides = [0; 4];
    let mut stride = 1;
    for axis in (0..4).rev() {
        strides[axis] = if full[axis] == 1 { 0 } else { stride };
        stride *= full[axis];
    }
    Ok(Table { data: table.as_slice(), strides })
}
