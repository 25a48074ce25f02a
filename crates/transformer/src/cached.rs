//! A GPT that writes, a token at a time: keys and values are kept, weights are laid out for it once.

use crate::gpt::BEND;
use crate::kernel::{Heads, Memory, Panels, Rules, over_memory};
use crate::{Gpt, GptShape, default_scale};
use gradus_autograd::{Layer, Mode, Var};
use gradus_layers::{LayerNorm, Linear};
use gradus_tensor::kernel::{View, for_each_block};
use gradus_tensor::{Error, Result, Scalar, Tensor, Transpose};

/// The multiplications that are worth another core.
const WORTH: usize = 1 << 17;

/// A dense layer as the inner product reads it.
struct Dense<T: Scalar> {
    weight: Panels<T>,
    bias: Option<Tensor<T>>,
    inputs: usize,
    outputs: usize,
}

impl<T: Scalar> Dense<T> {
    fn new(layer: &Linear<T>) -> Result<Self> {
        let weight = layer.weight.value();
        let (inputs, outputs) = (weight.dims()[0], weight.dims()[1]);
        let panels = Panels::of_rows(&weight)?;
        Ok(Self { weight: panels, bias: layer.bias.as_ref().map(|bias| bias.value()), inputs, outputs })
    }

    /// x·W + b with the bits of the layer: every sum has its terms in the same order, in the same blocks.
    fn apply(&self, x: &Tensor<T>) -> Result<Tensor<T>> {
        let (rows, columns) = (x.dims()[0], self.weight.columns());
        // The columns are shared out in pieces that lie one after the other.
        let work = rows * self.inputs * columns;
        let pieces = (work / WORTH).clamp(1, 16);
        let size = columns.div_ceil(pieces).next_multiple_of(32).min(columns);
        let count = columns.div_ceil(size);
        let mut done = vec![Ok(()); count];
        let mut parts = Tensor::compute([count * rows * size], |_| ())?;
        let mut jobs: Vec<_> = parts.as_mut_slice().chunks_mut(rows * size).zip(&mut done).collect();
        let left = View::new(x.as_slice(), rows, self.inputs, Transpose::No)?;
        for_each_block(&mut jobs, 1, |job, jobs| {
            for (out, done) in jobs {
                let own = job * size..columns.min((job + 1) * size);
                **done = self.weight.product((out, size, false), left, 0..self.inputs, own);
            }
        });
        done.into_iter().collect::<Result<Vec<()>>>()?;
        let parts = parts.as_slice();
        Tensor::compute([rows, self.outputs], |out| {
            for (r, out) in out.chunks_mut(self.outputs).enumerate() {
                for (job, out) in out.chunks_mut(size).enumerate() {
                    out.copy_from_slice(&parts[(job * rows + r) * size..][..out.len()]);
                }
                if let Some(bias) = &self.bias {
                    out.iter_mut().zip(bias.as_slice()).for_each(|(y, &b)| *y += b);
                }
            }
        })
    }
}

/// A normalisation with a copy of its numbers.
struct Norm<T: Scalar>(LayerNorm<T>);

impl<T: Scalar> Norm<T> {
    fn new(layer: &LayerNorm<T>) -> Self {
        let mut own = layer.clone();
        for learned in [&mut own.weight, &mut own.bias] {
            *learned = learned.detach();
        }
        Self(own)
    }

    fn apply(&self, x: &Tensor<T>) -> Result<Tensor<T>> {
        Ok(self.0.forward(&Var::constant(x.clone()), &mut Mode::Eval)?.value())
    }
}

struct Block<T: Scalar> {
    ln_1: Norm<T>,
    c_attn: Dense<T>,
    attn_proj: Dense<T>,
    ln_2: Norm<T>,
    c_fc: Dense<T>,
    mlp_proj: Dense<T>,
    /// What has been seen, head by head.
    memories: Vec<Memory<T>>,
}

/// A [`Gpt`] with a copy of its weights and the keys and values of all tokens so far: a further token costs its own row only.
///
/// The logits are those of [`Gpt::forward`] of all tokens, to the bit where that has more than four positions (products of fewer are computed
/// another way there, and differ by rounding).
///
/// ```
/// use gradus_autograd::Mode;
/// use gradus_transformer::{Gpt, GptShape};
/// use gradus_tensor::Tensor;
/// use rand::{SeedableRng, rngs::ChaCha8Rng};
/// let shape = GptShape { tokens: 20, context: 8, layers: 2, heads: 2, width: 16, dropout: 0.0 };
/// let model = Gpt::<f32>::new(shape, &mut ChaCha8Rng::seed_from_u64(1))?;
/// let mut cached = model.cached()?;
/// cached.push(&[1, 2, 3, 4])?; // at once
/// let logits = cached.push(&[5])?; // and one after that
/// let whole = model.forward(&Tensor::from([[1u32, 2, 3, 4, 5]]), &mut Mode::Eval)?;
/// assert_eq!(logits, whole.value().select(0, 0)?.select(0, 4)?);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub struct CachedGpt<T: Scalar = f32> {
    shape: GptShape,
    wte: Tensor<T>,
    wpe: Tensor<T>,
    blocks: Vec<Block<T>>,
    ln_f: Norm<T>,
    head: Dense<T>,
    length: usize,
}

impl<T: Scalar> Gpt<T> {
    /// The model, ready to write.
    ///
    /// # Errors
    /// If there is not enough memory to address.
    pub fn cached(&self) -> Result<CachedGpt<T>> {
        let shape = self.shape();
        let size = shape.width / shape.heads;
        let memories =
            || (0..shape.heads).map(|_| Memory::new(shape.context, size, size)).collect::<Result<_>>();
        let block = |block: &crate::GptBlock<T>| -> Result<Block<T>> {
            Ok(Block {
                ln_1: Norm::new(&block.ln_1),
                c_attn: Dense::new(&block.attn.c_attn)?,
                attn_proj: Dense::new(&block.attn.c_proj)?,
                ln_2: Norm::new(&block.ln_2),
                c_fc: Dense::new(&block.mlp.c_fc)?,
                mlp_proj: Dense::new(&block.mlp.c_proj)?,
                memories: memories()?,
            })
        };
        let wte = self.wte.weight.value();
        let (tokens, width) = (shape.tokens, shape.width);
        let weight = Panels::of_columns(&wte)?;
        let head = Dense { weight, bias: None, inputs: width, outputs: tokens };
        Ok(CachedGpt {
            shape,
            wte,
            wpe: self.wpe.weight.value(),
            blocks: self.h.iter().map(block).collect::<Result<_>>()?,
            ln_f: Norm::new(&self.ln_f),
            head,
            length: 0,
        })
    }
}

impl<T: Scalar> CachedGpt<T> {
    /// What it is like.
    #[must_use]
    pub fn shape(&self) -> GptShape {
        self.shape
    }

    /// How many tokens it has seen.
    #[must_use]
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether it has seen none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Forgets all tokens.
    pub fn clear(&mut self) {
        self.length = 0;
        self.blocks.iter_mut().flat_map(|block| &mut block.memories).for_each(Memory::clear);
    }

    /// Reads on: the logits of the token after the last of these, `[V]`.
    ///
    /// # Errors
    /// If there are no tokens, one is not in the table, or there would be more than the context; then nothing has been read.
    pub fn push(&mut self, tokens: &[u32]) -> Result<Tensor<T>> {
        let GptShape { width, heads, context, tokens: count, .. } = self.shape;
        let (rows, first) = (tokens.len(), self.length);
        if rows == 0 || first + rows > context {
            let allowed = format!("1 to {} of them: the context is {context}", context - first);
            return Err(Error::argument("gpt", "tokens", format!("{rows} of them"), allowed));
        }
        if let Some(&token) = tokens.iter().find(|&&token| token as usize >= count) {
            return Err(Error::argument("gpt", "token", token, format!("0..{count}")));
        }
        let mut x = self.wte.gather(0, tokens)?.add(&self.wpe.slice(0, first..first + rows)?)?;
        let size = width / heads;
        let rules = Rules {
            causal: true,
            window: None,
            first,
            lengths: None,
            keys: first + rows,
            allowed: None,
            added: None,
        };
        for block in &mut self.blocks {
            let qkv = block.c_attn.apply(&block.ln_1.apply(&x)?)?;
            let part =
                |offset| Heads { data: qkv.as_slice(), distance: 3 * width, offset, rows, heads, size };
            let [queries, keys, values] = [0, width, 2 * width].map(part);
            for (head, memory) in block.memories.iter_mut().enumerate() {
                memory.set(first, keys.strip(0, head, 0..rows), values.strip(0, head, 0..rows))?;
            }
            let mut found = Tensor::zeros([rows, width])?;
            let scale = T::of(default_scale(size));
            over_memory(queries, size, &block.memories, rules, scale, found.as_mut_slice())?;
            x = x.add(&block.attn_proj.apply(&found)?)?;
            let hidden = BEND.apply(&block.c_fc.apply(&block.ln_2.apply(&x)?)?)?;
            x = x.add(&block.mlp_proj.apply(&hidden)?)?;
        }
        self.length += rows;
        let last = x.slice(0, rows - 1..rows)?;
        self.head.apply(&self.ln_f.apply(&last)?)?.select(0, 0)
    }
}
