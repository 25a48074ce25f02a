//! Many heads: several attentions side by side, each on a projection of its own.

use crate::symbols::{D, K, Q, V};
use crate::{Attention, Mask, Rotary, attention_weights};
use gradus_autograd::{Mode, Var, parameters};
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_initialization::{Fans, Init};
use gradus_layers::Linear;
use gradus_tensor::{Error, Result, Scalar, Tensor};
use rand::Rng;

pub(crate) const FORMULA: Formula = Formula {
    id: "multi-head",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Multi-head attention",
    latex: r"\operatorname{MHA}(Q, K, V) = \operatorname{Concat}(\mathrm{head}_1, \dots, \mathrm{head}_h)\, W^O, \qquad
        \mathrm{head}_i = \operatorname{Attention}(Q W_i^Q, K W_i^K, V W_i^V)",
    unicode: "MHA(Q, K, V) = Concat(head₁, …, headₕ)·Wᴼ, headᵢ = Attention(Q·Wᵢ^Q, K·Wᵢ^K, V·Wᵢ^V)",
    symbols: &[
        Q,
        K,
        V,
        D,
        Symbol {
            latex: "h",
            code: "heads",
            meaning: "the number of heads, each d/h wide",
            shape: "[]",
            unit: "count",
        },
        Symbol {
            latex: "W",
            code: "input, output",
            meaning: "the projections: 4d² weights (and 4d biases), whatever h is",
            shape: "[d, 3d], [d, d]",
            unit: "1",
        },
    ],
    source: "Vaswani et al. 2017, §3.2.2",
    item: item!(struct MultiHead),
    chapter: "multi-head",
    printed: None,
};

pub(crate) const FORMULA_TITLE: Formula = Formula {
    id: "mha-title",
    kind: Kind::Alias("multi-head"),
    verdict: Verdict::Ambiguous,
    title: "Multi-Head Attention (a title without a formula)",
    ..FORMULA
};

/// Multi-head attention: projections of queries, keys and values, attention of each head on its own columns, and a projection of what they
/// found.
///
/// **Formula** `multi-head`: Concat(head₁, …, headₕ)·Wᴼ, headᵢ = Attention(Q·Wᵢ^Q, K·Wᵢ^K, V·Wᵢ^V).
///
/// **Shapes**: x `[N, T, D]`; the weights of all heads side by side, `[D, 3D]`: queries, keys, values; output `[D, D]`. 4D² weights and 4D biases,
/// whatever the number of heads. **Units**: any.
///
/// **Gradient**, **Numerics**: [`Attention`]'s. The heads lie side by side and are never moved apart.
///
/// **Errors**: a width that is no multiple of the heads.
///
/// **Source**: Vaswani et al. 2017, §3.2.2.
///
/// ```
/// use gradus_autograd::{Mode, Parameters, Var};
/// use gradus_transformer::{Mask, MultiHead};
/// use gradus_tensor::Tensor;
/// use rand::{SeedableRng, rngs::ChaCha8Rng};
/// let layer = MultiHead::<f32>::new(64, 8, &mut ChaCha8Rng::seed_from_u64(1))?;
/// assert_eq!(layer.parameter_count(), 4 * 64 * 64 + 4 * 64);
/// let x = Var::constant(Tensor::ones([2, 10, 64])?);
/// let y = layer.attend(&x, Mask::causal(), &mut Mode::Eval)?;
/// assert_eq!(y.shape(), [2, 10, 64]);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct MultiHead<T: Scalar = f32> {
    /// W^Q, W^K and W^V side by side, `[D, (H + 2G)·d]`.
    pub input: Linear<T>,
    /// Wᴼ, `[D, D]`.
    pub output: Linear<T>,
    heads: usize,
    key_heads: usize,
    dropout: f64,
    rotary: Option<f64>,
}

parameters!(MultiHead<T> { input as "in_proj", output as "out_proj" });

impl<T: Scalar> MultiHead<T> {
    /// So many heads on vectors of so many numbers. Glorot's weights, each projection for itself; biases 0.
    ///
    /// # Errors
    /// If the width is no multiple of the heads.
    pub fn new(width: usize, heads: usize, rng: &mut (impl Rng + ?Sized)) -> Result<Self> {
        Self::grouped(width, heads, heads, rng)
    }

    /// As [`new`](Self::new), with fewer heads of keys and values, each of which several heads of queries share (grouped-query attention).
    ///
    /// # Errors
    /// If the width is no multiple of the heads, or they are no multiple of the keys' heads.
    pub fn grouped(
        width: usize,
        heads: usize,
        key_heads: usize,
        rng: &mut (impl Rng + ?Sized),
    ) -> Result<Self> {
        Self::check(width, heads, key_heads)?;
        let size = width / heads;
        let glorot = |outputs: usize, rng: &mut _| {
            Init::xavier_uniform().tensor([width, outputs], Fans::dense(width, outputs), rng)
        };
        let parts = [
            glorot(width, &mut *rng)?,
            glorot(key_heads * size, &mut *rng)?,
            glorot(key_heads * size, &mut *rng)?,
        ];
        let input = Tensor::concatenate(&parts.each_ref(), 1)?;
        let bias = Tensor::zeros([input.dims()[1]])?;
        let input = Linear::from_tensors(input, Some(bias))?;
        let output = Linear::from_tensors(glorot(width, rng)?, Some(Tensor::zeros([width])?))?;
        Self::from_layers(input, output, heads, key_heads)
    }

    /// These projections.
    ///
    /// # Errors
    /// If their sizes do not fit.
    pub fn from_layers(input: Linear<T>, output: Linear<T>, heads: usize, key_heads: usize) -> Result<Self> {
        let shape = input.weight.shape();
        let width = shape.size(0)?;
        Self::check(width, heads, key_heads)?;
        let columns = (heads + 2 * key_heads) * (width / heads);
        if shape.dims() != [width, columns] {
            let expected = format!("a projection of the shape [{width}, {columns}]");
            return Err(Error::shape("multi_head", expected, shape));
        }
        if output.weight.shape().dims() != [width, width] {
            let expected = format!("an output projection of the shape [{width}, {width}]");
            return Err(Error::shape("multi_head", expected, output.weight.shape()));
        }
        Ok(Self { input, output, heads, key_heads, dropout: 0.0, rotary: None })
    }

    fn check(width: usize, heads: usize, key_heads: usize) -> Result<()> {
        if heads == 0 || width == 0 || !width.is_multiple_of(heads) {
            return Err(Error::argument(
                "multi_head",
                "heads",
                heads,
                format!("a divisor of the width {width}"),
            ));
        }
        if key_heads == 0 || !heads.is_multiple_of(key_heads) {
            let allowed = format!("a divisor of the {heads} heads");
            return Err(Error::argument("multi_head", "heads of the keys", key_heads, allowed));
        }
        Ok(())
    }

    /// With weights dropped in training.
    ///
    /// # Errors
    /// If `p` is not within 0..=1.
    pub fn dropout(self, p: f64) -> Result<Self> {
        gradus_layers::Dropout::new(p)?;
        Ok(Self { dropout: p, ..self })
    }

    /// With queries and keys turned by their places ([`Rotary`]).
    ///
    /// # Errors
    /// If a head has an odd number of numbers, or the base is not above 1.
    pub fn rotary(self, base: f64) -> Result<Self> {
        Rotary::new(self.width() / self.heads, base)?;
        Ok(Self { rotary: Some(base), ..self })
    }

    /// D.
    #[must_use]
    pub fn width(&self) -> usize {
        self.output.weight.shape().dims()[0]
    }

    /// H.
    #[must_use]
    pub fn heads(&self) -> usize {
        self.heads
    }

    /// G.
    #[must_use]
    pub fn key_heads(&self) -> usize {
        self.key_heads
    }

    fn operation(&self, mask: Mask<T>, mode: &mut Mode<'_>) -> Attention<T> {
        let dropout = match mode {
            Mode::Train(rng) if self.dropout > 0.0 => Some((self.dropout, rng.next_u64())),
            _ => None,
        };
        Attention { key_heads: Some(self.key_heads), dropout, ..Attention::new(self.heads, mask) }
    }

    fn turned(&self, x: Var<T>, columns: usize, first: usize) -> Result<Var<T>> {
        match self.rotary {
            None => Ok(x),
            Some(base) => {
                let op = Rotary::new(self.width() / self.heads, base)?.columns(columns).first(first);
                Var::apply(op, [&x])
            }
        }
    }

    /// Self-attention: every position of x looks at the positions of x.
    ///
    /// # Errors
    /// If shapes do not fit.
    pub fn attend(&self, x: &Var<T>, mask: Mask<T>, mode: &mut Mode<'_>) -> Result<Var<T>> {
        let projected = affine(x, &self.input.weight, self.input.bias.as_ref())?;
        let columns = (self.heads + self.key_heads) * (self.width() / self.heads);
        let projected = self.turned(projected, columns, 0)?;
        let heads = Var::apply(self.operation(mask, mode), [&projected])?;
        affine(&heads, &self.output.weight, self.output.bias.as_ref())
    }

    /// Cross-attention: every position of x looks at the positions of `memory`.
    ///
    /// # Errors
    /// If shapes do not fit.
    pub fn look(&self, x: &Var<T>, memory: &Var<T>, mask: Mask<T>, mode: &mut Mode<'_>) -> Result<Var<T>> {
        let [q, k, v] = self.projected(x, memory)?;
        let heads = Var::apply(self.operation(mask, mode), [&q, &k, &v])?;
        affine(&heads, &self.output.weight, self.output.bias.as_ref())
    }

    /// The queries of x, and the keys and values of `memory`.
    fn projected(&self, x: &Var<T>, memory: &Var<T>) -> Result<[Var<T>; 3]> {
        let (size, width) = (self.width() / self.heads, self.width());
        let keys = self.key_heads * size;
        let project = |x: &Var<T>, columns: std::ops::Range<usize>| {
            let bias = match &self.input.bias {
                Some(bias) => Some(bias.slice(0, columns.clone())?),
                None => None,
            };
            affine(x, &self.input.weight.slice(1, columns)?, bias.as_ref())
        };
        let q = self.turned(project(x, 0..width)?, width, 0)?;
        let k = self.turned(project(memory, width..width + keys)?, keys, 0)?;
        Ok([q, k, project(memory, width + keys..width + 2 * keys)?])
    }

    /// How much each position of x attends to each of `memory` (x itself for self-attention), head by head: `[N, H, T, S]`, for the eye.
    ///
    /// # Errors
    /// If shapes do not fit.
    pub fn weights(&self, x: &Var<T>, memory: &Var<T>, mask: &Mask<T>) -> Result<Tensor<T>> {
        let [q, k, _] = self.projected(x, memory)?;
        let (q, k) = (q.value(), k.value());
        let (&[samples, queries, _], &[_, keys, _]) = (q.dims(), k.dims()) else {
            return Err(Error::shape("multi_head", "x of the shape [N, T, D]", x.shape()));
        };
        let size = self.width() / self.heads;
        // Each head as a sample of its own, for the plain formula.
        let apart = |x: Tensor<T>, heads: usize, rows: usize| {
            x.reshape([samples, rows, heads, size])?.permute(&[0, 2, 1, 3])
        };
        let (q, k) = (apart(q, self.heads, queries)?, apart(k, self.key_heads, keys)?);
        let group = self.heads / self.key_heads;
        let shared: Vec<u32> = (0..self.heads as u32).map(|head| head / group as u32).collect();
        let k = k.gather(1, &shared)?;
        let rules = mask.rules([samples, self.heads, queries, keys])?;
        let hidden = Tensor::from_fn([samples, self.heads, queries, keys], |i| {
            if rules.hides([i[0], i[1], i[2]], i[3]) {
                T::NEG_INFINITY
            } else {
                rules.added([i[0], i[1], i[2]], i[3])
            }
        })?;
        let flat =
            |x: Tensor<T>, rows: usize, columns: usize| x.reshape([samples * self.heads, rows, columns]);
        let (q, k) = (flat(q, queries, size)?, flat(k, keys, size)?);
        let mask = Mask::default().added(flat(hidden, queries, keys)?);
        attention_weights(&q, &k, &mask)?.reshape([samples, self.heads, queries, keys])
    }
}

/// x·W + b, where there is a bias.
pub(crate) fn affine<T: Scalar>(x: &Var<T>, weight: &Var<T>, bias: Option<&Var<T>>) -> Result<Var<T>> {
    match bias {
        Some(bias) => Var::apply(gradus_layers::Affine, [x, weight, bias]),
        None => Var::apply(gradus_layers::Affine, [x, weight]),
    }
}
