//! Attention as one differentiable operation, by tiles.

use crate::kernel::{Heads, Kept, Piece, Rules, back, forward, interleave};
use crate::{Mask, default_scale};
use gradus_autograd::Op;
use gradus_tensor::{Error, Result, Scalar, Tensor};

/// [`attention`](crate::attention()) of some heads as one operation on `[q, k, v]`, or on one tensor with all three side by side.
///
/// **Formula** `attention`, for every head on its own columns.
///
/// **Shapes**: q `[…, T, H·d]`, k `[…, S, G·d]`, v `[…, S, G·dᵥ]`; the result `[…, T, H·dᵥ]`. H heads of queries look into G heads of keys and values,
/// H a multiple of G: G = H is multi-head attention, G = 1 multi-query, in between grouped-query attention. On one input,
/// `[…, T, (H + 2G)·d]`: queries, keys and values side by side, as one dense layer computes them.
///
/// **Gradient**: with the weights P and dP = dy·Vᵀ, Pᵀ·dy in V, and of dS = P∘(dP − ⟨dy, y⟩) the products dS·K/√d and dSᵀ·Q/√d in Q and K.
///
/// **Numerics**: 96 queries and 256 keys at a time: no more than that of the T·S scores ever exists, and what is kept for the gradient
/// is the result and one number a query. A running maximum and a running sum make softmax of it ("online softmax"); its bits do not depend on the other
/// queries, on keys behind the last that is seen, nor on the number of threads. Tiles that a mask hides are not computed. What is hidden is not multiplied
/// with 0 but left out, so that a NaN there reaches nobody, neither forward nor backward.
///
/// **Errors**: shapes and masks that do not fit; heads that do not divide; a probability outside 0..=1.
///
/// **Source**: Vaswani et al. 2017, §3.2; Milakov & Gimelshein 2018 (online softmax); Dao et al. 2022, algorithms 1 and 4; Ainslie et al. 2023
/// (grouped queries).
///
/// ```
/// use gradus_autograd::Op;
/// use gradus_transformer::{Attention, Mask, attention};
/// use gradus_tensor::Tensor;
/// let numbers = |rows: usize| Tensor::from_fn([rows, 4], |i| ((7 * i[0] + 3 * i[1]) % 5) as f64);
/// let (q, k, v) = (numbers(600)?, numbers(500)?, numbers(500)?);
/// let tiled = Attention::default().eval([&q, &k, &v])?;
/// assert!(tiled.all_close(&attention(&q, &k, &v, &Mask::default())?, 1e-12, 0.0)?);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Attention<T: Scalar = f32> {
    /// H, the heads of the queries.
    pub heads: usize,
    /// G, the heads of keys and values; `None`: as many as of the queries.
    pub key_heads: Option<usize>,
    /// What the scores are multiplied with; `None`: 1/√d.
    pub scale: Option<f64>,
    /// Which keys a query may attend to.
    pub mask: Mask<T>,
    /// With which probability a weight is dropped, and the key of what is drawn. Those that stay are scaled up.
    pub dropout: Option<(f64, u64)>,
}

impl<T: Scalar> Default for Attention<T> {
    fn default() -> Self {
        Self::new(1, Mask::default())
    }
}

/// What the way back needs: the result, and for each query the logarithm of the sum of its exponentials.
pub struct Attended<T: Scalar = f32>(Kept<T>);

/// The operands as they lie, the number of samples, and the mask.
type Operands<'a, T> = ([Heads<'a, T>; 3], usize, Rules<'a, T>);

impl<T: Scalar> Attention<T> {
    /// So many heads, of queries as of keys, with this mask.
    #[must_use]
    pub fn new(heads: usize, mask: Mask<T>) -> Self {
        Self { heads, key_heads: None, scale: None, mask, dropout: None }
    }

    fn groups(&self) -> Result<usize> {
        let groups = self.key_heads.unwrap_or(self.heads);
        if self.heads == 0 {
            return Err(Error::argument("attention", "heads", 0, "at least 1"));
        }
        if groups == 0 || !self.heads.is_multiple_of(groups) {
            let allowed = format!("a divisor of the {} heads of the queries", self.heads);
            return Err(Error::argument("attention", "heads of the keys", groups, allowed));
        }
        if let Some((p, _)) = self.dropout
            && !(0.0..=1.0).contains(&p)
        {
            return Err(Error::argument("attention", "p", p, "0..=1"));
        }
        Ok(groups)
    }

    /// The heads of one operand, `[…, rows, heads·size]`.
    fn part<'a>(name: &str, x: &'a Tensor<T>, heads: usize) -> Result<Heads<'a, T>> {
        let &[.., rows, distance] = x.dims() else {
            let expected = format!("{name} of at least two dimensions");
            return Err(Error::shape("attention", expected, x.shape()));
        };
        if distance == 0 || !distance.is_multiple_of(heads) {
            let expected = format!("{name} whose last size is a multiple of {heads} heads");
            return Err(Error::shape("attention", expected, x.shape()));
        }
        Ok(Heads { data: x.as_slice(), distance, offset: 0, rows, heads, size: distance / heads })
    }

    fn three<'a>(&'a self, [q, k, v]: [&'a Tensor<T>; 3]) -> Result<Operands<'a, T>> {
        let groups = self.groups()?;
        let parts =
            [Self::part("q", q, self.heads)?, Self::part("k", k, groups)?, Self::part("v", v, groups)?];
        let batch = |x: &Tensor<T>| x.dims()[..x.rank() - 2].to_vec();
        if parts[0].size != parts[1].size || batch(q) != batch(k) {
            let why = "a head's queries and keys must have as many numbers, and the same samples";
            return Err(Error::mismatch("attention", q.shape(), k.shape(), why));
        }
        if parts[1].rows != parts[2].rows || batch(k) != batch(v) {
            let why = "there must be as many values as keys";
            return Err(Error::mismatch("attention", k.shape(), v.shape(), why));
        }
        let samples = batch(q).iter().product();
        let rules = self.mask.rules([samples, self.heads, parts[0].rows, parts[1].rows])?;
        Ok((parts, samples, rules))
    }

    fn packed<'a>(&'a self, x: &'a Tensor<T>) -> Result<Operands<'a, T>> {
        let groups = self.groups()?;
        let all = Self::part("q, k and v side by side", x, self.heads + 2 * groups)?;
        let heads = |heads, before: usize| Heads { heads, offset: before * all.size, ..all };
        let parts = [heads(self.heads, 0), heads(groups, self.heads), heads(groups, self.heads + groups)];
        let samples = x.dims()[..x.rank() - 2].iter().product();
        Ok((parts, samples, self.mask.rules([samples, self.heads, all.rows, all.rows])?))
    }

    fn scale_for(&self, size: usize) -> T {
        T::of(self.scale.unwrap_or_else(|| default_scale(size)))
    }

    fn run(
        &self,
        x: &Tensor<T>,
        (parts, samples, rules): Operands<'_, T>,
        keep: bool,
    ) -> Result<(Tensor<T>, Attended<T>)> {
        let kept = forward(parts, samples, rules, self.scale_for(parts[0].size), self.dropout, keep)?;
        let [queries, _, values] = parts;
        let row = queries.heads * values.size;
        let shape = [&x.dims()[..x.rank() - 1], &[row]].concat();
        let piece = Piece {
            from: kept.values(),
            heads: queries.heads,
            rows: queries.rows,
            size: values.size,
            offset: 0,
        };
        Ok((interleave(shape, row, &[piece])?, Attended(kept)))
    }

    fn back(
        &self,
        (parts, samples, rules): Operands<'_, T>,
        saved: &Attended<T>,
        dy: &Tensor<T>,
        wants: [bool; 3],
    ) -> Result<[Tensor<T>; 3]> {
        let [queries, _, values] = parts;
        let dy = Self::part("the gradient", dy, self.heads)?;
        if dy.rows != queries.rows
            || dy.size != values.size
            || dy.data.len() != samples * dy.rows * dy.distance
        {
            let got = format!("{} numbers", dy.data.len());
            return Err(Error::argument("attention", "gradient", got, "the shape of the result"));
        }
        let [q, k, v] = parts;
        let settings = (rules, self.scale_for(q.size), self.dropout);
        let all = back([q, k, v, dy], samples, settings, &saved.0, wants)?;
        Ok([all.queries, all.keys, all.values])
    }
}

impl<T: Scalar> Op<T, 3> for Attention<T> {
    /// The result, and one number a query.
    type Saved = Attended<T>;

    fn forward(&self, inputs: [&Tensor<T>; 3]) -> Result<(Tensor<T>, Attended<T>)> {
        self.run(inputs[0], self.three(inputs)?, true)
    }

    fn vjp(
        &self,
        inputs: [&Tensor<T>; 3],
        saved: &Attended<T>,
        dy: &Tensor<T>,
        wants: [bool; 3],
    ) -> Result<[Option<Tensor<T>>; 3]> {
        let operands = self.three(inputs)?;
        let parts = operands.0;
        let gradients = self.back(operands, saved, dy, wants)?;
        let mut out = [None, None, None];
        for i in (0..3).filter(|&i| wants[i]) {
            let Heads { heads, rows, size, .. } = parts[i];
            let piece = Piece { from: &gradients[i], heads, rows, size, offset: 0 };
            out[i] = Some(interleave(inputs[i].shape(), heads * size, &[piece])?);
        }
        Ok(out)
    }

    fn eval(&self, inputs: [&Tensor<T>; 3]) -> Result<Tensor<T>> {
        Ok(self.run(inputs[0], self.three(inputs)?, false)?.0)
    }
}

impl<T: Scalar> Op<T, 1> for Attention<T> {
    /// As of three inputs.
    type Saved = Attended<T>;

    fn forward(&self, [x]: [&Tensor<T>; 1]) -> Result<(Tensor<T>, Attended<T>)> {
        self.run(x, self.packed(x)?, true)
    }

    fn vjp(
        &self,
        [x]: [&Tensor<T>; 1],
        saved: &Attended<T>,
        dy: &Tensor<T>,
        [wants]: [bool; 1],
    ) -> Result<[Option<Tensor<T>>; 1]> {
        if !wants {
            return Ok([None]);
        }
        let operands = self.packed(x)?;
        let parts = operands.0;
        let gradients = self.back(operands, saved, dy, [true; 3])?;
        let pieces: Vec<_> = parts
            .iter()
            .zip(&gradients)
            .map(|(&Heads { heads, rows, size, offset, .. }, from)| Piece { from, heads, rows, size, offset })
            .collect();
        Ok([Some(interleave(x.shape(), parts[0].distance, &pieces)?)])
    }

    fn eval(&self, [x]: [&Tensor<T>; 1]) -> Result<Tensor<T>> {
        Ok(self.run(x, self.packed(x)?, false)?.0)
    }
}
