//! What a layer costs: multiplications, steps that wait for each other, and how far a signal travels.

use crate::symbols::{D, N};
use gradus_autograd::Var;
use gradus_formula::{Formula, Kind, Printed, Symbol, Verdict, item};
use gradus_tensor::{Error, Result, Scalar, Tensor};

const KERNEL: Symbol =
    Symbol { latex: "k", code: "kernel", meaning: "the taps of a kernel", shape: "[]", unit: "steps" };
const NEIGHBOURS: Symbol = Symbol {
    latex: "r",
    code: "window",
    meaning: "the keys that a query sees: r = 2·window + 1, those to both sides and itself",
    shape: "[]",
    unit: "steps",
};
const TABLE: &str = "Vaswani et al. 2017, §4, Table 1";

pub(crate) const FORMULA_SELF_ATTENTION: Formula = Formula {
    id: "complexity-self-attention",
    kind: Kind::Formula,
    verdict: Verdict::Ok,
    title: "What self-attention costs",
    latex: r"2 n^2 d \in O(n^2 d), \qquad \text{sequential } O(1), \qquad \text{path } O(1)",
    unicode: "2n²d multiplications (and 4nd² of the projections), 1 step, path 1",
    symbols: &[N, D],
    source: TABLE,
    item: item!(fn self_attention_cost),
    chapter: "complexity",
    printed: None,
};

pub(crate) const FORMULA_RECURRENT: Formula = Formula {
    id: "complexity-recurrent",
    kind: Kind::Formula,
    verdict: Verdict::Ok,
    title: "What a recurrence costs",
    latex: r"2 n d^2 \in O(n d^2), \qquad \text{sequential } O(n), \qquad \text{path } O(n)",
    unicode: "2nd² multiplications (an LSTM 8nd²), n steps, path n − 1",
    symbols: &[N, D],
    source: TABLE,
    item: item!(fn recurrent_cost),
    chapter: "complexity",
    printed: None,
};

pub(crate) const FORMULA_CONVOLUTIONAL: Formula = Formula {
    id: "complexity-convolutional",
    kind: Kind::Formula,
    verdict: Verdict::Ambiguous,
    title: "What a convolution costs",
    latex: r"k n d^2 \in O(k n d^2), \qquad \text{sequential } O(1), \qquad \text{path }
        \begin{cases} \lceil \log_k n \rceil & \text{dilated by } 1, k, k^2, \dots \\
        \lceil (n - 1)/(k - 1) \rceil & \text{contiguous} \end{cases}",
    unicode: "knd² multiplications, 1 step; path ⌈log_k n⌉ dilated, ⌈(n − 1)/(k − 1)⌉ contiguous",
    symbols: &[N, D, KERNEL],
    source: "Vaswani et al. 2017, §4 (both cases stand in its text, one in its table)",
    item: item!(fn convolutional_cost),
    chapter: "complexity",
    printed: Some(Printed {
        latex: r"\text{path } O(\log_k n)",
        reason: "that is the path of dilated kernels; contiguous ones need O(n/k) layers",
        counterexample: "k = 3, n = 1024: 7 dilated layers, but 512 contiguous ones",
    }),
};

pub(crate) const FORMULA_RESTRICTED: Formula = Formula {
    id: "complexity-restricted",
    kind: Kind::Formula,
    verdict: Verdict::Ok,
    title: "What restricted self-attention costs",
    latex: r"2 r n d \in O(r n d), \qquad \text{sequential } O(1), \qquad \text{path } O(n/r)",
    unicode: "2rnd multiplications (less at the ends), 1 step, path ⌈(n − 1)/window⌉, r = 2·window + 1",
    symbols: &[N, D, NEIGHBOURS],
    source: TABLE,
    item: item!(fn restricted_cost),
    chapter: "complexity",
    printed: None,
};

pub(crate) const FORMULA_SYMBOLS: Formula = Formula {
    id: "complexity-symbols",
    kind: Kind::Figure,
    verdict: Verdict::Ok,
    title: "The table's letters",
    latex: r"n \text{ length}, \quad d \text{ width}, \quad k \text{ kernel}, \quad r \text{ neighbours}",
    unicode: "n the length of the sequence, d the width, k the kernel, r the neighbours that are seen",
    symbols: &[N, D, KERNEL, NEIGHBOURS],
    source: TABLE,
    item: item!(struct Cost),
    chapter: "complexity",
    printed: None,
};

pub(crate) const FORMULA_N_LT_D: Formula = Formula {
    id: "complexity-n-lt-d",
    kind: Kind::Claim,
    verdict: Verdict::Wrong,
    title: "When self-attention is cheaper",
    latex: r"2 n^2 d + 4 n d^2 < 8 n d^2 \iff n < 2d",
    unicode: "2n²d + 4nd² < 8nd² ⇔ n < 2d: self-attention with its projections against an LSTM",
    symbols: &[N, D],
    source: "Vaswani et al. 2017, §4: “when the sequence length n is smaller than the representation dimensionality d”",
    item: item!(fn self_attention_cost),
    chapter: "complexity",
    printed: Some(Printed {
        latex: r"\text{most sentences have a smaller dimension than the representation dimension}",
        reason: "it is their length that is smaller, not their dimension; and with all products counted the bound is 2d, not d",
        counterexample: "n = 768, d = 512: n > d, and 1.41·10⁹ multiplications against the LSTM's 1.61·10⁹",
    }),
};

pub(crate) const FORMULA_CONVOLUTION: Formula = Formula {
    id: "missing-convolution",
    kind: Kind::Claim,
    verdict: Verdict::Ok,
    title: "What a convolution has and attention has not",
    latex: r"\operatorname{Attention}(P X) = P \operatorname{Attention}(X), \qquad \operatorname{Conv}(P X) \ne P \operatorname{Conv}(X)",
    unicode: "Attention(P·X) = P·Attention(X) for every permutation P; a convolution has another map for each relative place",
    symbols: &[],
    source: "Vaswani et al. 2017, §3.5",
    item: item!(fn dependence),
    chapter: "positions",
    printed: None,
};

/// What one layer costs, on a sequence of n positions of d numbers.
///
/// ```
/// use gradus_transformer::{self_attention_cost, recurrent_cost};
/// let (attention, recurrent) = (self_attention_cost(10, 512), recurrent_cost(10, 512));
/// assert_eq!((attention.multiplications, recurrent.multiplications), (102_400, 5_242_880));
/// assert_eq!((attention.steps, recurrent.steps), (1, 10));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// The products of two numbers (each with a sum), without projections, activations and softmax.
    pub multiplications: u64,
    /// The steps of which each waits for the one before.
    pub steps: usize,
    /// How many layers, or steps of a recurrence, it takes from the first position to the last.
    pub path: usize,
}

/// Self-attention: every query with every key, every weight with every value. Projections are 4nd² more.
///
/// **Formula** `complexity-self-attention`: 2n²d, one step, path 1. **Units**: multiplications, steps, layers.
///
/// **Source**: Vaswani et al. 2017, §4, Table 1.
///
/// ```
/// assert_eq!(gradus_transformer::self_attention_cost(3, 2).multiplications, 36); // 9 scores and 9 weights, of 2 numbers
/// ```
#[must_use]
pub fn self_attention_cost(n: usize, d: usize) -> Cost {
    let multiplications = 2 * n as u64 * n as u64 * d as u64;
    Cost { multiplications, steps: 1, path: 1.min(n.saturating_sub(1)) }
}

/// A plain recurrence of width d, tanh(x·W + h·U): two products of d² a step. An LSTM has four times as many.
///
/// **Formula** `complexity-recurrent`: 2nd², n steps, path n − 1. **Units**: multiplications, steps, steps.
///
/// **Source**: Vaswani et al. 2017, §4, Table 1.
///
/// ```
/// assert_eq!(gradus_transformer::recurrent_cost(3, 2).multiplications, 24); // 3 steps, W and U of 4 numbers each
/// ```
#[must_use]
pub fn recurrent_cost(n: usize, d: usize) -> Cost {
    let multiplications = 2 * n as u64 * d as u64 * d as u64;
    Cost { multiplications, steps: n, path: n.saturating_sub(1) }
}

/// Which positions a stack of convolutions reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The k positions up to its own, in every layer.
    Causal,
    /// k positions around its own, in every layer; k is odd.
    Centred,
    /// k positions up to its own, kˡ apart in layer l = 0, 1, 2, …
    Dilated,
}

/// A convolution from d to d channels with kernels of k taps; taps in the padding are counted.
///
/// **Formula** `complexity-convolutional`: knd² a layer, one step; path ⌈log_k n⌉ dilated, ⌈(n − 1)/(k − 1)⌉ causal and contiguous,
/// ⌈2(n − 1)/(k − 1)⌉ centred. **Units**: multiplications, steps, layers.
///
/// **Errors**: a kernel that never reaches further: k below 2, or an even one centred.
///
/// **Source**: Vaswani et al. 2017, §4; van den Oord et al. 2016 (dilated).
///
/// ```
/// use gradus_transformer::{Reach, convolutional_cost};
/// let path = |reach| convolutional_cost(1024, 64, 3, reach).map(|cost| cost.path);
/// assert_eq!([path(Reach::Dilated)?, path(Reach::Causal)?, path(Reach::Centred)?], [7, 512, 1023]);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub fn convolutional_cost(n: usize, d: usize, kernel: usize, reach: Reach) -> Result<Cost> {
    if kernel < 2 || (reach == Reach::Centred && kernel.is_multiple_of(2)) {
        let allowed = if reach == Reach::Centred { "odd, at least 3" } else { "at least 2" };
        return Err(Error::argument("convolutional_cost", "kernel", kernel, allowed));
    }
    let last = n.saturating_sub(1);
    let path = match reach {
        Reach::Causal => last.div_ceil(kernel - 1),
        Reach::Centred => last.div_ceil((kernel - 1) / 2),
        // The layers whose kernels together span n positions: kᴸ ≥ n.
        Reach::Dilated => (0..)
            .scan(1usize, |span, _| {
                let before = *span;
                *span = span.saturating_mul(kernel);
                Some(before)
            })
            .take_while(|&span| span < n)
            .count(),
    };
    let multiplications = kernel as u64 * n as u64 * d as u64 * d as u64;
    Ok(Cost { multiplications, steps: 1, path })
}

/// Self-attention of each position to those at most `window` away: r = 2·window + 1 of them, fewer at the ends, where nothing is counted.
///
/// **Formula** `complexity-restricted`: 2rnd less what the ends lack, one step, path ⌈(n − 1)/window⌉. **Units**: multiplications, steps, layers.
///
/// **Errors**: a window of 0, which sees nothing but itself.
///
/// **Source**: Vaswani et al. 2017, §4, Table 1.
///
/// ```
/// use gradus_transformer::restricted_cost;
/// let cost = restricted_cost(4, 1, 1)?; // positions see 2, 3, 3 and 2 keys
/// assert_eq!((cost.multiplications, cost.path), (20, 3));
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub fn restricted_cost(n: usize, d: usize, window: usize) -> Result<Cost> {
    if window == 0 {
        return Err(Error::argument("restricted_cost", "window", 0, "at least 1"));
    }
    // Of the w·(w + 1) pairs beyond both ends; all pairs if the window is wider than the sequence.
    let (n64, w) = (n as u64, window.min(n.saturating_sub(1)) as u64);
    let pairs = n64 * (2 * w + 1) - w * (w + 1);
    let last = n.saturating_sub(1);
    Ok(Cost { multiplications: 2 * pairs * d as u64, steps: 1, path: last.div_ceil(window) })
}

/// Which positions of the output depend on which of the input, `[n, n]`: where the Jacobian is not 0, found by running `f` backward once for each
/// position with random cotangents.
///
/// **Shapes**: x `[n, d]`, as f's result.
///
/// **Errors**: those of `f`; a result of another shape.
///
/// ```
/// use gradus_autograd::Var;
/// use gradus_transformer::{Attention, Mask, dependence};
/// use gradus_tensor::Tensor;
/// let x = Tensor::from([[1.0, 2.0], [0.0, 1.0], [3.0, -1.0]]);
/// let seen = dependence(&x, |x| Var::apply(Attention::new(1, Mask::causal()), [x, x, x]))?;
/// assert_eq!(seen, Tensor::from([[true, false, false], [true, true, false], [true, true, true]]));
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub fn dependence<T: Scalar>(x: &Tensor<T>, f: impl Fn(&Var<T>) -> Result<Var<T>>) -> Result<Tensor<bool>> {
    let &[n, d] = x.dims() else {
        return Err(Error::shape("dependence", "x of the shape [n, d]", x.shape()));
    };
    let mut seen = Vec::with_capacity(n * n);
    for i in 0..n {
        let x = Var::parameter(x.clone());
        let y = f(&x)?;
        if y.shape() != x.shape() {
            return Err(Error::mismatch("dependence", x.shape(), y.shape(), "f must keep the shape"));
        }
        // Cotangents without a pattern, so that no two terms cancel.
        let row = Tensor::from_fn([n, d], |at| {
            let wave = (1.0 + at[1] as f64 * std::f64::consts::SQRT_2).sin();
            if at[0] == i { T::of(1.5 + wave) } else { T::ZERO }
        })?;
        let gradients = y.backward_with(&row).map_err(|error| {
            Error::argument("dependence", "f", error.to_string(), "something that can be differentiated")
        })?;
        match gradients.get(&x) {
            Some(dx) => seen.extend(dx.as_slice().chunks(d).map(|row| row.iter().any(|&g| g != T::ZERO))),
            None => seen.extend(std::iter::repeat_n(false, n)),
        }
    }
    Tensor::from_vec(seen, [n, n])
}

/// How many layers with these dependences, one after the other, take the first position to the last; nothing if no number does.
///
/// ```
/// use gradus_transformer::path_length;
/// use gradus_tensor::Tensor;
/// // Each position sees itself and the one before.
/// let seen = Tensor::from_fn([5, 5], |i| i[0] == i[1] || i[0] == i[1] + 1)?;
/// assert_eq!(path_length(&mut std::iter::repeat_n(seen, 100))?, Some(4));
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
///
/// # Errors
/// If the dependences are no squares of one size.
pub fn path_length(layers: &mut dyn Iterator<Item = Tensor<bool>>) -> Result<Option<usize>> {
    // Which positions know of the first one.
    let mut knows: Vec<bool> = Vec::new();
    for (count, layer) in layers.enumerate() {
        let n = layer.shape().size(0)?;
        if knows.is_empty() {
            knows = (0..n).map(|i| i == 0).collect();
        }
        if layer.dims() != [n, n] || knows.len() != n || n == 0 {
            return Err(Error::shape("path_length", "squares of one size", layer.shape()));
        }
        if knows[n - 1] {
            return Ok(Some(count));
        }
        let sees = |row: &[bool]| row.iter().zip(&knows).any(|(&sees, &knows)| sees && knows);
        knows = layer.as_slice().chunks(n).map(sees).collect();
        if knows[n - 1] {
            return Ok(Some(count + 1));
        }
    }
    Ok(None)
}
