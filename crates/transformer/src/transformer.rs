//! Whole models: the encoder–decoder of the paper, and an encoder alone.

use crate::{BlockShape, Decoder, Encoder, Mask, positional_encoding};
use gradus_autograd::{Layer, Mode, Var, no_grad, parameters};
use gradus_initialization::Init;
use gradus_layers::{Dropout, Embedding, Linear};
use gradus_tensor::{Error, Result, Scalar, Tensor, Transpose};
use rand::Rng;

/// What a [`Transformer`] or a [`Tagger`] is like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ModelShape {
    /// Every block.
    pub block: BlockShape,
    /// The blocks of each stack.
    pub layers: usize,
    /// The tokens of the source.
    pub source: usize,
    /// The tokens of the target, or the labels.
    pub target: usize,
}

/// Tokens as vectors: embedded, times √D, with the sines and cosines of their places.
///
/// The rows are drawn with variance 1/D, so that they come out with variance 1 beside positions of ½.
fn embedded<T: Scalar>(
    table: &Embedding<T>,
    ids: &Tensor<u32>,
    dropout: f64,
    mode: &mut Mode<'_>,
) -> Result<Var<T>> {
    let &[_, length] = ids.dims() else {
        return Err(Error::shape("transformer", "tokens of the shape [N, T]", ids.shape()));
    };
    let width = table.weight.shape().dims()[1];
    let x = table.forward(ids)?.scale(T::of((width as f64).sqrt()))?;
    let x = x.add(&Var::constant(positional_encoding(length, width)?))?;
    Dropout::new(dropout)?.forward(&x, mode)
}

fn table<T: Scalar>(count: usize, width: usize, rng: &mut (impl Rng + ?Sized)) -> Result<Embedding<T>> {
    for (name, size) in [("tokens", count), ("width", width)] {
        if size == 0 {
            return Err(Error::argument("transformer", name, 0, "at least 1"));
        }
    }
    let init = Init::normal(1.0 / (width as f64).sqrt());
    let fans = gradus_initialization::Fans::dense(count, width);
    Embedding::from_tensor(init.tensor([count, width], fans, rng)?)
}

/// The encoder–decoder of the paper: the encoder reads the source, the decoder writes the target, looking at what it has written and at the
/// source.
///
/// **Formula** `transformer-figures`: encoder L × [MHA, FFN], decoder L × [causal MHA, cross MHA, FFN].
///
/// **Shapes**: tokens `[N, S]` and `[N, T]`; logits `[N, T, V]`. **Units**: the logits are unnormalised log-probabilities, in nats.
///
/// Positions are sines and cosines. The target's embedding is the output's matrix too (tied), transposed, as in §3.4 of the paper.
///
/// **Source**: Vaswani et al. 2017, §3 and Figure 1.
///
/// ```
/// use gradus_autograd::{Mode, Parameters};
/// use gradus_transformer::{BlockShape, ModelShape, Transformer};
/// use gradus_tensor::Tensor;
/// use rand::{SeedableRng, rngs::ChaCha8Rng};
/// let shape = ModelShape { block: BlockShape::new(16, 2), layers: 2, source: 11, target: 7 };
/// let model = Transformer::<f32>::new(shape, &mut ChaCha8Rng::seed_from_u64(1))?;
/// let (source, target) = (Tensor::from([[1u32, 2, 3, 4]]), Tensor::from([[0u32, 5]]));
/// let logits = model.forward(&source, None, &target, &mut Mode::Eval)?;
/// assert_eq!(logits.shape(), [1, 2, 7]);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Transformer<T: Scalar = f32> {
    /// The vectors of the source's tokens, `[V, D]`.
    pub source: Embedding<T>,
    /// Those of the target's, and the matrix of the output.
    pub target: Embedding<T>,
    /// The stack that reads.
    pub encoder: Encoder<T>,
    /// The stack that writes.
    pub decoder: Decoder<T>,
    shape: ModelShape,
}

parameters!(Transformer<T> { source, target, encoder, decoder });

impl<T: Scalar> Transformer<T> {
    /// Fresh weights.
    ///
    /// # Errors
    /// If the sizes do not fit.
    pub fn new(shape: ModelShape, rng: &mut (impl Rng + ?Sized)) -> Result<Self> {
        let width = shape.block.width;
        let source = table(shape.source, width, &mut *rng)?;
        let target = table(shape.target, width, &mut *rng)?;
        let encoder = Encoder::new(shape.block, shape.layers, &mut *rng)?;
        Ok(Self { source, target, encoder, decoder: Decoder::new(shape.block, shape.layers, rng)?, shape })
    }

    /// What it is like.
    #[must_use]
    pub fn shape(&self) -> ModelShape {
        self.shape
    }

    /// What the encoder makes of the source, `[N, S, D]`; `lengths`: how many tokens of each are no padding.
    ///
    /// # Errors
    /// If shapes do not fit, or a token is not in the table.
    pub fn encode(
        &self,
        source: &Tensor<u32>,
        lengths: Option<&[usize]>,
        mode: &mut Mode<'_>,
    ) -> Result<Var<T>> {
        let x = embedded(&self.source, source, self.shape.block.dropout, mode)?;
        self.encoder.forward(&x, &padding(lengths), mode)
    }

    /// The logits of the token after each of the target's, `[N, T, V]`.
    ///
    /// # Errors
    /// If shapes do not fit, or a token is not in the table.
    pub fn decode(
        &self,
        target: &Tensor<u32>,
        memory: &Var<T>,
        lengths: Option<&[usize]>,
        mode: &mut Mode<'_>,
    ) -> Result<Var<T>> {
        let x = embedded(&self.target, target, self.shape.block.dropout, mode)?;
        let y = self.decoder.forward(&x, memory, &Mask::causal(), &padding(lengths), mode)?;
        y.product(Transpose::No, &self.target.weight, Transpose::Yes)
    }

    /// Both.
    ///
    /// # Errors
    /// As theirs.
    pub fn forward(
        &self,
        source: &Tensor<u32>,
        lengths: Option<&[usize]>,
        target: &Tensor<u32>,
        mode: &mut Mode<'_>,
    ) -> Result<Var<T>> {
        let memory = self.encode(source, lengths, mode)?;
        self.decode(target, &memory, lengths, mode)
    }

    /// The most probable token after the other, of all samples at once, from `first` on, until each has written `stop` or there are `longest` of them. Behind a
    /// sample's `stop` stands `stop`.
    ///
    /// # Errors
    /// As [`forward`](Self::forward).
    pub fn translate(
        &self,
        source: &Tensor<u32>,
        lengths: Option<&[usize]>,
        [first, stop]: [u32; 2],
        longest: usize,
    ) -> Result<Tensor<u32>> {
        no_grad(|| {
            let memory = self.encode(source, lengths, &mut Mode::Eval)?;
            let samples = source.dims()[0];
            let mut written = Tensor::full([samples, 1], first)?;
            for length in 1..=longest {
                let logits = self.decode(&written, &memory, lengths, &mut Mode::Eval)?.value();
                let last = logits.select(1, length - 1)?;
                let mut next = last.argmax_axis(1)?;
                for (n, token) in next.as_mut_slice().iter_mut().enumerate() {
                    if length > 1 && written.get([n, length - 1])? == stop {
                        *token = stop;
                    }
                }
                let ended = next.as_slice().iter().all(|&token| token == stop);
                written = Tensor::concatenate(&[&written, &next.reshape([samples, 1])?], 1)?;
                if ended {
                    break;
                }
            }
            written.slice(1, 1..written.dims()[1])
        })
    }
}

fn padding<T: Scalar>(lengths: Option<&[usize]>) -> Mask<T> {
    Mask { lengths: lengths.map(<[usize]>::to_vec), ..Mask::default() }
}

/// An encoder alone, with a dense layer that gives every position the scores of some labels.
///
/// ```
/// use gradus_autograd::Mode;
/// use gradus_transformer::{BlockShape, ModelShape, Tagger};
/// use gradus_tensor::Tensor;
/// use rand::{SeedableRng, rngs::ChaCha8Rng};
/// let shape = ModelShape { block: BlockShape::new(16, 2), layers: 1, source: 10, target: 10 };
/// let model = Tagger::<f32>::new(shape, &mut ChaCha8Rng::seed_from_u64(1))?;
/// let logits = model.forward(&Tensor::from([[3u32, 1, 2]]), None, &mut Mode::Eval)?;
/// assert_eq!(logits.shape(), [1, 3, 10]);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Tagger<T: Scalar = f32> {
    /// The vectors of the tokens.
    pub source: Embedding<T>,
    /// The stack.
    pub encoder: Encoder<T>,
    /// The scores.
    pub head: Linear<T>,
    shape: ModelShape,
}

parameters!(Tagger<T> { source, encoder, head });

impl<T: Scalar> Tagger<T> {
    /// Fresh weights.
    ///
    /// # Errors
    /// If the sizes do not fit.
    pub fn new(shape: ModelShape, rng: &mut (impl Rng + ?Sized)) -> Result<Self> {
        let width = shape.block.width;
        let source = table(shape.source, width, &mut *rng)?;
        let encoder = Encoder::new(shape.block, shape.layers, &mut *rng)?;
        Ok(Self { source, encoder, head: Linear::new(width, shape.target, rng)?, shape })
    }

    /// What it is like.
    #[must_use]
    pub fn shape(&self) -> ModelShape {
        self.shape
    }

    /// The scores of every position, `[N, T, K]`; `lengths`: how many tokens of each sample are no padding.
    ///
    /// # Errors
    /// If shapes do not fit, or a token is not in the table.
    pub fn forward(
        &self,
        ids: &Tensor<u32>,
        lengths: Option<&[usize]>,
        mode: &mut Mode<'_>,
    ) -> Result<Var<T>> {
        let x = embedded(&self.source, ids, self.shape.block.dropout, mode)?;
        self.head.forward(&self.encoder.forward(&x, &padding(lengths), mode)?, mode)
    }

    /// How much each position attends to each other, block by block: `[N, H, T, T]` each.
    ///
    /// # Errors
    /// As [`forward`](Self::forward).
    pub fn weights(&self, ids: &Tensor<u32>, lengths: Option<&[usize]>) -> Result<Vec<Tensor<T>>> {
        no_grad(|| {
            let x = embedded(&self.source, ids, 0.0, &mut Mode::Eval)?;
            self.encoder.weights(&x, &padding(lengths))
        })
    }
}
