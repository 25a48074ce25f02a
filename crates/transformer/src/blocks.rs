//! The blocks of encoder and decoder, and the two stacks of them.

use crate::symbols::D;
use crate::{Bend, FeedForward, Mask, MultiHead};
use gradus_autograd::{Layer, Mode, Var, parameters};
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_layers::{Dropout, LayerNorm};
use gradus_tensor::{Error, Result, Scalar};
use rand::Rng;

const X: Symbol = Symbol {
    latex: "x",
    code: "x",
    meaning: "the vectors of all positions",
    shape: "[N, T, d]",
    unit: "any",
};

pub(crate) const FORMULA_ENCODER: Formula = Formula {
    id: "encoder-block",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "The encoder's block",
    latex: r"x' = \operatorname{LN}(x + \operatorname{MHA}(x, x, x)), \qquad y = \operatorname{LN}(x' + \operatorname{FFN}(x'))",
    unicode: "x′ = LN(x + MHA(x, x, x)), y = LN(x′ + FFN(x′)); pre-norm: x′ = x + MHA(LN(x)), y = x′ + FFN(LN(x′))",
    symbols: &[X, D],
    source: "Vaswani et al. 2017, §3.1; Xiong et al. 2020 (pre-norm)",
    item: item!(struct EncoderBlock),
    chapter: "transformer",
    printed: None,
};

pub(crate) const FORMULA_DECODER: Formula = Formula {
    id: "decoder-block",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "The decoder's block",
    latex: r"\begin{gathered} x' = \operatorname{LN}(x + \operatorname{MHA}_{j \le i}(x, x, x)), \qquad
        x'' = \operatorname{LN}(x' + \operatorname{MHA}(x', m, m)), \\
        y = \operatorname{LN}(x'' + \operatorname{FFN}(x'')) \end{gathered}",
    unicode: "x′ = LN(x + MHA(x, x, x)), causal; x″ = LN(x′ + MHA(x′, m, m)); y = LN(x″ + FFN(x″))",
    symbols: &[
        X,
        Symbol {
            latex: "m",
            code: "memory",
            meaning: "what the encoder has made of the source",
            shape: "[N, S, d]",
            unit: "any",
        },
        D,
    ],
    source: "Vaswani et al. 2017, §3.1",
    item: item!(struct DecoderBlock),
    chapter: "transformer",
    printed: None,
};

pub(crate) const FORMULA_FIGURES: Formula = Formula {
    id: "transformer-figures",
    kind: Kind::Figure,
    verdict: Verdict::Ambiguous,
    title: "The two stacks (a figure that the notes only credit)",
    latex: r"\text{encoder: } L \times [\operatorname{MHA}, \operatorname{FFN}], \qquad
        \text{decoder: } L \times [\text{causal } \operatorname{MHA}, \text{cross } \operatorname{MHA}, \operatorname{FFN}]",
    unicode: "encoder: L × [MHA, FFN]; decoder: L × [causal MHA, cross MHA, FFN]",
    symbols: &[],
    source: "Vaswani et al. 2017, Figure 1",
    item: item!(struct Transformer),
    chapter: "transformer",
    printed: None,
};

/// Where the normalisations of a block stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NormPlace {
    /// After each sum, as in the paper: needs a warm-up.
    Post,
    /// Before each part; the sums themselves are never normalised, and a stack ends in one more normalisation.
    #[default]
    Pre,
}

/// What a block is like.
///
/// ```
/// use gradus_transformer::BlockShape;
/// let shape = BlockShape::new(64, 4);
/// assert_eq!(shape.hidden, 256);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BlockShape {
    /// D.
    pub width: usize,
    /// H.
    pub heads: usize,
    /// The width of the feed-forward network's hidden layer.
    pub hidden: usize,
    /// Its activation.
    pub bend: Bend,
    /// Where the normalisations stand.
    pub norm: NormPlace,
    /// With which probability a number that is added, a weight and a hidden number is dropped in training.
    pub dropout: f64,
    /// The base of rotary positions of self-attention, if there are to be any.
    pub rotary: Option<f64>,
}

impl BlockShape {
    /// A hidden layer of four times the width, ReLU, normalised before each part, no dropout, no rotary positions.
    #[must_use]
    pub const fn new(width: usize, heads: usize) -> Self {
        let (bend, norm) = (Bend::Relu, NormPlace::Pre);
        Self { width, heads, hidden: 4 * width, bend, norm, dropout: 0.0, rotary: None }
    }

    fn attention<T: Scalar>(&self, rng: &mut (impl Rng + ?Sized)) -> Result<MultiHead<T>> {
        MultiHead::new(self.width, self.heads, rng)?.dropout(self.dropout)
    }

    fn self_attention<T: Scalar>(&self, rng: &mut (impl Rng + ?Sized)) -> Result<MultiHead<T>> {
        let attention = self.attention(rng)?;
        if let Some(base) = self.rotary { attention.rotary(base) } else { Ok(attention) }
    }

    fn feed_forward<T: Scalar>(&self, rng: &mut (impl Rng + ?Sized)) -> Result<FeedForward<T>> {
        FeedForward::new(self.width, self.hidden, self.bend, rng)?.dropout(self.dropout)
    }

    /// x and what a part makes of it, added, with the normalisation in its place.
    pub(crate) fn residual<T: Scalar>(
        &self,
        x: &Var<T>,
        norm: &LayerNorm<T>,
        mode: &mut Mode<'_>,
        part: impl FnOnce(&Var<T>, &mut Mode<'_>) -> Result<Var<T>>,
    ) -> Result<Var<T>> {
        let dropout = Dropout::new(self.dropout)?;
        match self.norm {
            NormPlace::Post => {
                let part = part(x, mode)?;
                norm.forward(&x.add(&dropout.forward(&part, mode)?)?, mode)
            }
            NormPlace::Pre => {
                let part = part(&norm.forward(x, mode)?, mode)?;
                x.add(&dropout.forward(&part, mode)?)
            }
        }
    }
}

/// A block of an encoder: every position looks at all, then thinks for itself; both are added to what was there.
///
/// **Formula** `encoder-block`: x′ = LN(x + MHA(x, x, x)), y = LN(x′ + FFN(x′)); pre-norm, x′ = x + MHA(LN(x)), y = x′ + FFN(LN(x′)).
///
/// **Shapes**: `[N, T, D]` to `[N, T, D]`. **Units**: any.
///
/// **Gradient**, **Numerics**: those of its parts. **Errors**: sizes that do not fit.
///
/// **Source**: Vaswani et al. 2017, §3.1; Xiong et al. 2020 (pre-norm).
///
/// ```
/// use gradus_autograd::{Mode, Parameters, Var};
/// use gradus_transformer::{BlockShape, EncoderBlock, Mask};
/// use gradus_tensor::Tensor;
/// use rand::{SeedableRng, rngs::ChaCha8Rng};
/// let block = EncoderBlock::<f32>::new(BlockShape::new(512, 8), &mut ChaCha8Rng::seed_from_u64(1))?;
/// assert_eq!(block.parameter_count(), 3_152_384); // 12d² + 13d
/// let y = block.forward(&Var::constant(Tensor::ones([2, 5, 512])?), &Mask::default(), &mut Mode::Eval)?;
/// assert_eq!(y.shape(), [2, 5, 512]);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct EncoderBlock<T: Scalar = f32> {
    /// Attention of the positions to each other.
    pub self_attn: MultiHead<T>,
    /// The normalisation that belongs to it.
    pub norm1: LayerNorm<T>,
    /// The feed-forward network.
    pub feed_forward: FeedForward<T>,
    /// The normalisation that belongs to it.
    pub norm2: LayerNorm<T>,
    shape: BlockShape,
}

parameters!(EncoderBlock<T> { self_attn, norm1, feed_forward, norm2 });

impl<T: Scalar> EncoderBlock<T> {
    /// Fresh weights.
    ///
    /// # Errors
    /// If the sizes do not fit.
    pub fn new(shape: BlockShape, rng: &mut (impl Rng + ?Sized)) -> Result<Self> {
        let norm = || LayerNorm::new([shape.width]);
        let self_attn = shape.self_attention(&mut *rng)?;
        Ok(Self { self_attn, norm1: norm()?, feed_forward: shape.feed_forward(rng)?, norm2: norm()?, shape })
    }

    /// These parts, each with the normalisation that belongs to it.
    pub(crate) fn from_parts(
        shape: BlockShape,
        (self_attn, norm1): (MultiHead<T>, LayerNorm<T>),
        (feed_forward, norm2): (FeedForward<T>, LayerNorm<T>),
    ) -> Self {
        Self { self_attn, norm1, feed_forward, norm2, shape }
    }

    /// The block's value, with a mask for its attention.
    ///
    /// # Errors
    /// If shapes do not fit.
    pub fn forward(&self, x: &Var<T>, mask: &Mask<T>, mode: &mut Mode<'_>) -> Result<Var<T>> {
        let attend = |x: &Var<T>, mode: &mut Mode<'_>| self.self_attn.attend(x, mask.clone(), mode);
        let x = self.shape.residual(x, &self.norm1, mode, attend)?;
        self.shape.residual(&x, &self.norm2, mode, |x, mode| self.feed_forward.forward(x, mode))
    }

    /// What its attention sees of x.
    pub(crate) fn seen(&self, x: &Var<T>) -> Result<Var<T>> {
        match self.shape.norm {
            NormPlace::Post => Ok(x.clone()),
            NormPlace::Pre => self.norm1.forward(x, &mut Mode::Eval),
        }
    }
}

/// A block of a decoder: as the encoder's, but no position looks ahead, and between the two parts each looks at what the encoder has made of the source.
///
/// **Formula** `decoder-block`: x′ = LN(x + MHA(x, x, x)), causal; x″ = LN(x′ + MHA(x′, m, m)); y = LN(x″ + FFN(x″)).
///
/// **Shapes**: x `[N, T, D]`, memory `[N, S, D]`; the result `[N, T, D]`. **Units**: any.
///
/// **Gradient**, **Numerics**: those of its parts. **Errors**: sizes that do not fit.
///
/// **Source**: Vaswani et al. 2017, §3.1.
///
/// ```
/// use gradus_autograd::{Mode, Parameters, Var};
/// use gradus_transformer::{BlockShape, DecoderBlock, Mask};
/// use gradus_tensor::Tensor;
/// use rand::{SeedableRng, rngs::ChaCha8Rng};
/// let block = DecoderBlock::<f32>::new(BlockShape::new(8, 2), &mut ChaCha8Rng::seed_from_u64(1))?;
/// let (x, memory) = (Var::constant(Tensor::ones([2, 3, 8])?), Var::constant(Tensor::ones([2, 7, 8])?));
/// let y = block.forward(&x, &memory, &Mask::causal(), &Mask::default(), &mut Mode::Eval)?;
/// assert_eq!(y.shape(), [2, 3, 8]);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct DecoderBlock<T: Scalar = f32> {
    /// Attention of the positions to those before them.
    pub self_attn: MultiHead<T>,
    /// The normalisation that belongs to it.
    pub norm1: LayerNorm<T>,
    /// Attention to the encoder's result.
    pub multihead_attn: MultiHead<T>,
    /// The normalisation that belongs to it.
    pub norm2: LayerNorm<T>,
    /// The feed-forward network.
    pub feed_forward: FeedForward<T>,
    /// The normalisation that belongs to it.
    pub norm3: LayerNorm<T>,
    shape: BlockShape,
}

parameters!(DecoderBlock<T> { self_attn, norm1, multihead_attn, norm2, feed_forward, norm3 });

impl<T: Scalar> DecoderBlock<T> {
    /// Fresh weights.
    ///
    /// # Errors
    /// If the sizes do not fit.
    pub fn new(shape: BlockShape, rng: &mut (impl Rng + ?Sized)) -> Result<Self> {
        let norm = || LayerNorm::new([shape.width]);
        let (self_attn, multihead_attn) = (shape.self_attention(&mut *rng)?, shape.attention(&mut *rng)?);
        let feed_forward = shape.feed_forward(rng)?;
        let [norm1, norm2, norm3] = [norm()?, norm()?, norm()?];
        Ok(Self { self_attn, norm1, multihead_attn, norm2, feed_forward, norm3, shape })
    }

    /// The block's value, with a mask for the positions among each other (causal, as a rule), and one for what they see of the memory.
    ///
    /// # Errors
    /// If shapes do not fit.
    pub fn forward(
        &self,
        x: &Var<T>,
        memory: &Var<T>,
        mask: &Mask<T>,
        memory_mask: &Mask<T>,
        mode: &mut Mode<'_>,
    ) -> Result<Var<T>> {
        let attend = |x: &Var<T>, mode: &mut Mode<'_>| self.self_attn.attend(x, mask.clone(), mode);
        let x = self.shape.residual(x, &self.norm1, mode, attend)?;
        let look =
            |x: &Var<T>, mode: &mut Mode<'_>| self.multihead_attn.look(x, memory, memory_mask.clone(), mode);
        let x = self.shape.residual(&x, &self.norm2, mode, look)?;
        self.shape.residual(&x, &self.norm3, mode, |x, mode| self.feed_forward.forward(x, mode))
    }
}

/// A stack of encoder blocks, with one more normalisation at the end where blocks are normalised before their parts.
#[derive(Debug, Clone)]
pub struct Encoder<T: Scalar = f32> {
    /// The blocks.
    pub layers: Vec<EncoderBlock<T>>,
    /// The last normalisation.
    pub norm: Option<LayerNorm<T>>,
}

parameters!(Encoder<T> { layers, norm });

impl<T: Scalar> Encoder<T> {
    /// So many blocks, with fresh weights.
    ///
    /// # Errors
    /// If the sizes do not fit.
    pub fn new(shape: BlockShape, layers: usize, rng: &mut (impl Rng + ?Sized)) -> Result<Self> {
        let layers = (0..layers).map(|_| EncoderBlock::new(shape, &mut *rng)).collect::<Result<_>>()?;
        Ok(Self { layers, norm: last_norm(shape)? })
    }

    /// The value of all blocks.
    ///
    /// # Errors
    /// If shapes do not fit.
    pub fn forward(&self, x: &Var<T>, mask: &Mask<T>, mode: &mut Mode<'_>) -> Result<Var<T>> {
        let x = self.layers.iter().try_fold(x.clone(), |x, block| block.forward(&x, mask, mode))?;
        if let Some(norm) = &self.norm { norm.forward(&x, mode) } else { Ok(x) }
    }

    /// How much each position attends to each other, block by block: `[N, H, T, T]` each.
    ///
    /// # Errors
    /// If shapes do not fit.
    pub fn weights(&self, x: &Var<T>, mask: &Mask<T>) -> Result<Vec<gradus_tensor::Tensor<T>>> {
        let mut x = x.detach();
        let mut all = Vec::new();
        for block in &self.layers {
            let seen = block.seen(&x)?;
            all.push(block.self_attn.weights(&seen, &seen, mask)?);
            x = block.forward(&x, mask, &mut Mode::Eval)?;
        }
        Ok(all)
    }
}

/// A stack of decoder blocks, with one more normalisation at the end where blocks are normalised before their parts.
#[derive(Debug, Clone)]
pub struct Decoder<T: Scalar = f32> {
    /// The blocks.
    pub layers: Vec<DecoderBlock<T>>,
    /// The last normalisation.
    pub norm: Option<LayerNorm<T>>,
}

parameters!(Decoder<T> { layers, norm });

impl<T: Scalar> Decoder<T> {
    /// So many blocks, with fresh weights.
    ///
    /// # Errors
    /// If the sizes do not fit.
    pub fn new(shape: BlockShape, layers: usize, rng: &mut (impl Rng + ?Sized)) -> Result<Self> {
        let layers = (0..layers).map(|_| DecoderBlock::new(shape, &mut *rng)).collect::<Result<_>>()?;
        Ok(Self { layers, norm: last_norm(shape)? })
    }

    /// The value of all blocks.
    ///
    /// # Errors
    /// If shapes do not fit.
    pub fn forward(
        &self,
        x: &Var<T>,
        memory: &Var<T>,
        mask: &Mask<T>,
        memory_mask: &Mask<T>,
        mode: &mut Mode<'_>,
    ) -> Result<Var<T>> {
        let mut x = x.clone();
        for block in &self.layers {
            x = block.forward(&x, memory, mask, memory_mask, mode)?;
        }
        if let Some(norm) = &self.norm { norm.forward(&x, mode) } else { Ok(x) }
    }
}

fn last_norm<T: Scalar>(shape: BlockShape) -> Result<Option<LayerNorm<T>>> {
    if shape.width == 0 {
        return Err(Error::argument("transformer", "width", 0, "at least 1"));
    }
    match shape.norm {
        NormPlace::Pre => Ok(Some(LayerNorm::new([shape.width])?)),
        NormPlace::Post => Ok(None),
    }
}
