//! A decoder alone: GPT-2's form, with its names.

use crate::{Bend, BlockShape, Encoder, EncoderBlock, FeedForward, Mask, MultiHead, NormPlace};
use gradus_autograd::{Layer, Mode, Name, Parameters, Slot, SlotMut, Var, no_grad, parameters};
use gradus_initialization::{Fans, Init};
use gradus_layers::{Dropout, Embedding, LayerNorm, Linear};
use gradus_tensor::{Error, Result, Scalar, Tensor, Transpose};
use rand::Rng;
use std::collections::BTreeMap;

/// GPT-2's activation.
pub(crate) const BEND: Bend = Bend::GeluTanh;

/// What a [`Gpt`] is like.
///
/// ```
/// assert_eq!(gradus_transformer::GptShape::GPT2.parameters(), 124_439_808);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GptShape {
    /// V, the tokens.
    pub tokens: usize,
    /// The longest sequence: the positions that have a vector.
    pub context: usize,
    /// The blocks.
    pub layers: usize,
    /// The heads of each.
    pub heads: usize,
    /// D.
    pub width: usize,
    /// With which probability a number is dropped in training.
    pub dropout: f64,
}

impl GptShape {
    /// The smallest GPT-2.
    pub const GPT2: Self =
        Self { tokens: 50_257, context: 1024, layers: 12, heads: 12, width: 768, dropout: 0.0 };

    /// How many numbers are learned: (V + context + 2)·D + layers·(12D² + 13D).
    #[must_use]
    pub const fn parameters(&self) -> usize {
        let d = self.width;
        (self.tokens + self.context + 2) * d + self.layers * (12 * d * d + 13 * d)
    }
}

/// The attention of a GPT block. The fields have GPT-2's names.
#[derive(Debug, Clone)]
pub struct GptAttention<T: Scalar = f32> {
    /// Queries, keys and values side by side, `[D, 3D]`.
    pub c_attn: Linear<T>,
    /// What the heads have found, `[D, D]`.
    pub c_proj: Linear<T>,
}

parameters!(GptAttention<T> { c_attn, c_proj });

/// The feed-forward network of a GPT block.
#[derive(Debug, Clone)]
pub struct GptMlp<T: Scalar = f32> {
    /// `[D, 4D]`.
    pub c_fc: Linear<T>,
    /// `[4D, D]`.
    pub c_proj: Linear<T>,
}

parameters!(GptMlp<T> { c_fc, c_proj });

/// A block of a GPT: normalised before each part.
#[derive(Debug, Clone)]
pub struct GptBlock<T: Scalar = f32> {
    /// Before the attention.
    pub ln_1: LayerNorm<T>,
    /// The attention.
    pub attn: GptAttention<T>,
    /// Before the feed-forward network.
    pub ln_2: LayerNorm<T>,
    /// The feed-forward network.
    pub mlp: GptMlp<T>,
}

parameters!(GptBlock<T> { ln_1, attn, ln_2, mlp });

/// A decoder alone, in GPT-2's form: learned positions, blocks that are normalised before their parts, GELU (by tanh), and the embedding as the
/// output's matrix. Its names are GPT-2's (`transformer.h.0.attn.c_attn.weight`), and its matrices lie as in GPT-2's files.
///
/// **Default**: normal weights of 0.02, those that are added to the sum 1/√(2·layers) of it, biases 0.
///
/// **Shapes**: tokens `[N, T]`, T at most the context; logits `[N, T, V]`.
///
/// **Source**: Radford et al. 2019, §2.3; the form is nanoGPT's.
///
/// ```
/// use gradus_autograd::{Mode, Parameters};
/// use gradus_transformer::{Gpt, GptShape};
/// use gradus_tensor::Tensor;
/// use rand::{SeedableRng, rngs::ChaCha8Rng};
/// let shape = GptShape { tokens: 20, context: 8, layers: 2, heads: 2, width: 16, dropout: 0.0 };
/// let model = Gpt::<f32>::new(shape, &mut ChaCha8Rng::seed_from_u64(1))?;
/// assert_eq!(model.parameter_count(), shape.parameters());
/// assert!(model.state().contains_key("transformer.h.1.mlp.c_proj.bias"));
/// let logits = model.forward(&Tensor::from([[1u32, 2, 3]]), &mut Mode::Eval)?;
/// assert_eq!(logits.shape(), [1, 3, 20]);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Gpt<T: Scalar = f32> {
    /// The vectors of the tokens, `[V, D]`; and the matrix of the output.
    pub wte: Embedding<T>,
    /// The vectors of the places, `[context, D]`.
    pub wpe: Embedding<T>,
    /// The blocks.
    pub h: Vec<GptBlock<T>>,
    /// The last normalisation.
    pub ln_f: LayerNorm<T>,
    shape: GptShape,
}

impl<T: Scalar> Parameters<T> for Gpt<T> {
    fn visit(&self, name: &mut Name, see: &mut dyn FnMut(&str, Slot<'_, T>)) {
        name.scope("transformer", |name| {
            name.scope("wte", |name| self.wte.visit(name, see));
            name.scope("wpe", |name| self.wpe.visit(name, see));
            name.scope("h", |name| self.h.visit(name, see));
            name.scope("ln_f", |name| self.ln_f.visit(name, see));
        });
    }

    fn visit_mut(&mut self, name: &mut Name, see: &mut dyn FnMut(&str, SlotMut<'_, T>)) {
        name.scope("transformer", |name| {
            name.scope("wte", |name| self.wte.visit_mut(name, see));
            name.scope("wpe", |name| self.wpe.visit_mut(name, see));
            name.scope("h", |name| self.h.visit_mut(name, see));
            name.scope("ln_f", |name| self.ln_f.visit_mut(name, see));
        });
    }
}

impl<T: Scalar> Gpt<T> {
    /// Fresh weights.
    ///
    /// # Errors
    /// If a size is 0, the width no multiple of the heads, or the probability none.
    pub fn new(shape: GptShape, rng: &mut (impl Rng + ?Sized)) -> Result<Self> {
        let GptShape { tokens, context, layers, heads, width, dropout } = shape;
        for (name, size) in [("tokens", tokens), ("context", context), ("heads", heads), ("width", width)] {
            if size == 0 {
                return Err(Error::argument("gpt", name, 0, "at least 1"));
            }
        }
        if !width.is_multiple_of(heads) {
            return Err(Error::argument("gpt", "heads", heads, format!("a divisor of the width {width}")));
        }
        Dropout::new(dropout)?;
        let normal = |rows: usize, columns: usize, std: f64, rng: &mut _| -> Result<Tensor<T>> {
            Init::normal(std).tensor([rows, columns], Fans::dense(rows, columns), rng)
        };
        let dense = |rows: usize, columns: usize, std: f64, rng: &mut _| {
            Linear::from_tensors(normal(rows, columns, std, rng)?, Some(Tensor::zeros([columns])?))
        };
        let added = 0.02 / (2.0 * layers as f64).sqrt();
        let block = |rng: &mut _| -> Result<GptBlock<T>> {
            Ok(GptBlock {
                ln_1: LayerNorm::new([width])?,
                attn: GptAttention {
                    c_attn: dense(width, 3 * width, 0.02, &mut *rng)?,
                    c_proj: dense(width, width, added, &mut *rng)?,
                },
                ln_2: LayerNorm::new([width])?,
                mlp: GptMlp {
                    c_fc: dense(width, 4 * width, 0.02, &mut *rng)?,
                    c_proj: dense(4 * width, width, added, rng)?,
                },
            })
        };
        let wte = Embedding::from_tensor(normal(tokens, width, 0.02, &mut *rng)?)?;
        let wpe = Embedding::from_tensor(normal(context, width, 0.02, &mut *rng)?)?;
        let h = (0..layers).map(|_| block(&mut *rng)).collect::<Result<_>>()?;
        Ok(Self { wte, wpe, h, ln_f: LayerNorm::new([width])?, shape })
    }

    /// What it is like.
    #[must_use]
    pub fn shape(&self) -> GptShape {
        self.shape
    }

    /// The vectors of the tokens in their places, `[N, T, D]`.
    fn embedded(&self, ids: &Tensor<u32>, mode: &mut Mode<'_>) -> Result<Var<T>> {
        let &[_, length] = ids.dims() else {
            return Err(Error::shape("gpt", "tokens of the shape [N, T]", ids.shape()));
        };
        if length > self.shape.context {
            let allowed = format!("at most the context of {}", self.shape.context);
            return Err(Error::argument("gpt", "tokens", format!("{length} of them"), allowed));
        }
        let x = self.wte.forward(ids)?.add(&self.wpe.weight.slice(0, 0..length)?)?;
        Dropout::new(self.shape.dropout)?.forward(&x, mode)
    }

    /// The blocks and the last normalisation as a stack: an encoder's, of which every position looks back only. It shares the weights.
    fn stack(&self) -> Result<Encoder<T>> {
        let GptShape { heads, width, dropout, .. } = self.shape;
        let shape = BlockShape { bend: BEND, norm: NormPlace::Pre, dropout, ..BlockShape::new(width, heads) };
        let block = |block: &GptBlock<T>| {
            let (input, output) = (block.attn.c_attn.clone(), block.attn.c_proj.clone());
            let attention = MultiHead::from_layers(input, output, heads, heads)?.dropout(dropout)?;
            let feed_forward =
                FeedForward::from_layers(block.mlp.c_fc.clone(), block.mlp.c_proj.clone(), BEND);
            Ok(EncoderBlock::from_parts(
                shape,
                (attention, block.ln_1.clone()),
                (feed_forward, block.ln_2.clone()),
            ))
        };
        let layers = self.h.iter().map(block).collect::<Result<_>>()?;
        Ok(Encoder { layers, norm: Some(self.ln_f.clone()) })
    }

    /// The logits of the token after each, `[N, T, V]`.
    ///
    /// # Errors
    /// If there are more tokens than the context, or one is not in the table.
    pub fn forward(&self, ids: &Tensor<u32>, mode: &mut Mode<'_>) -> Result<Var<T>> {
        let x = self.embedded(ids, mode)?;
        let y = self.stack()?.forward(&x, &Mask::causal(), mode)?;
        y.product(Transpose::No, &self.wte.weight, Transpose::Yes)
    }

    /// How much each position attends to those before it, block by block: `[N, H, T, T]` each.
    ///
    /// # Errors
    /// As [`forward`](Self::forward).
    pub fn weights(&self, ids: &Tensor<u32>) -> Result<Vec<Tensor<T>>> {
        no_grad(|| self.stack()?.weights(&self.embedded(ids, &mut Mode::Eval)?, &Mask::causal()))
    }

    /// The model that a file of GPT-2 or of nanoGPT holds: names with or without `transformer.` before them, matrices as `[inputs, outputs]` (GPT-2's) or as their
    /// transposes (nanoGPT's), with or without causal masks and a copy of the embedding as `lm_head.weight`. Sizes follow from the tensors, but for the number of heads.
    ///
    /// # Errors
    /// If a tensor is missing, of another shape, or unknown; if the output's matrix is not the embedding.
    ///
    /// ```
    /// use gradus_autograd::Parameters;
    /// use gradus_transformer::{Gpt, GptShape};
    /// use rand::{SeedableRng, rngs::ChaCha8Rng};
    /// let shape = GptShape { tokens: 20, context: 8, layers: 2, heads: 2, width: 16, dropout: 0.0 };
    /// let model = Gpt::<f32>::new(shape, &mut ChaCha8Rng::seed_from_u64(1))?;
    /// let same = Gpt::from_gpt2(&model.state(), 2)?;
    /// assert_eq!(same.state(), model.state());
    /// # Ok::<(), gradus_autograd::Error>(())
    /// ```
    pub fn from_gpt2(state: &BTreeMap<String, Tensor<T>>, heads: usize) -> gradus_autograd::Result<Self> {
        let mut own: BTreeMap<String, Tensor<T>> = BTreeMap::new();
        let mut output = None;
        for (name, tensor) in state {
            let name = name.strip_prefix("transformer.").unwrap_or(name);
            if name == "lm_head.weight" {
                output = Some(tensor);
            } else if !name.ends_with(".attn.bias") && !name.ends_with(".attn.masked_bias") {
                own.insert(format!("transformer.{name}"), tensor.clone());
            }
        }
        let sizes = |name: &str| -> Result<[usize; 2]> {
            match own.get(name).map(Tensor::dims) {
                Some(&[rows, columns]) => Ok([rows, columns]),
                Some(_) => Err(Error::shape("from_gpt2", format!("a matrix {name}"), own[name].shape())),
                None => {
                    let known = own.keys().cloned().collect::<Vec<_>>().join(", ");
                    Err(Error::argument("from_gpt2", "tensor", "none", format!("{name}; there are {known}")))
                }
            }
        };
        let ([tokens, width], [context, _]) =
            (sizes("transformer.wte.weight")?, sizes("transformer.wpe.weight")?);
        let layers =
            (0..).take_while(|l| own.contains_key(&format!("transformer.h.{l}.ln_1.weight"))).count();
        if let Some(output) = output
            && output != &own["transformer.wte.weight"]
        {
            let allowed = "the embedding: the two are one matrix";
            return Err(Error::argument("from_gpt2", "lm_head.weight", "another matrix", allowed).into());
        }
        // A matrix of another number of columns than rows says which way all of them lie.
        let turned = layers > 0 && sizes("transformer.h.0.attn.c_attn.weight")? == [3 * width, width];
        if turned {
            for (name, tensor) in &mut own {
                if name.contains(".c_") && name.ends_with(".weight") {
                    *tensor = tensor.transpose()?;
                }
            }
        }
        let shape = GptShape { tokens, context, layers, heads, width, dropout: 0.0 };
        let model = Self::new(shape, &mut Zeros)?;
        model.load_state(&own)?;
        Ok(model)
    }
}

/// Weights that are about to be replaced need no random numbers.
struct Zeros;

impl rand::TryRng for Zeros {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> std::result::Result<u32, Self::Error> {
        Ok(0)
    }

    fn try_next_u64(&mut self) -> std::result::Result<u64, Self::Error> {
        Ok(0)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> std::result::Result<(), Self::Error> {
        bytes.fill(0);
        Ok(())
    }
}
