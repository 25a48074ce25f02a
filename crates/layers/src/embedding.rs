//! The embedding: a table of vectors, one an id.

use crate::{initial, refuse};
use gradus_autograd::{Op, Var, parameters};
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_tensor::kernel::{BLOCK, for_each_block};
use gradus_tensor::{Result, Scalar, Tensor};
use rand::Rng;

pub(crate) const FORMULA: Formula = Formula {
    id: "embedding",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Embedding",
    latex: r"y_i = W_{t_i} = e_{t_i}^{\top} W",
    unicode: "yᵢ = W[tᵢ], the row tᵢ of W, which is one-hot(tᵢ)·W",
    symbols: &[
        Symbol { latex: "t_i", code: "ids", meaning: "the id of item i", shape: "[…]", unit: "id" },
        Symbol {
            latex: "W",
            code: "weight",
            meaning: "the table, a vector for each of V ids",
            shape: "[V, D]",
            unit: "any",
        },
        Symbol {
            latex: "e_t",
            code: "one_hot",
            meaning: "1 at place t, 0 elsewhere",
            shape: "[V]",
            unit: "1",
        },
    ],
    source: "Bengio, Ducharme, Vincent & Jauvin 2003, §2",
    item: item!(fn embedding),
    chapter: "layers",
    printed: None,
};

/// The rows of a table that ids choose.
///
/// **Formula** `embedding`: yᵢ is the row tᵢ of W, which is one-hot(tᵢ)·W without the product.
///
/// **Shapes**: weight `[V, D]`, ids of any shape `[…]`; the result `[…, D]`. **Units**: those of the table.
///
/// **Gradient**: each row of the table gets the sum of the gradients of the places that chose it: [`Lookup`].
///
/// **Numerics**: copies; exact.
///
/// **Errors**: a table that is no matrix, an id of V or more, with the place where it stands.
///
/// **Source**: Bengio, Ducharme, Vincent & Jauvin 2003, §2.
///
/// ```
/// use gradus_layers::embedding;
/// use gradus_tensor::Tensor;
/// let table = Tensor::from([[0.0, 0.0], [1.0, 10.0], [2.0, 20.0]]);
/// let y = embedding(&table, &Tensor::from([2u32, 1, 2]))?;
/// assert_eq!(y, Tensor::from([[2.0, 20.0], [1.0, 10.0], [2.0, 20.0]]));
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub fn embedding<T: Scalar>(weight: &Tensor<T>, ids: &Tensor<u32>) -> Result<Tensor<T>> {
    Lookup { ids: ids.clone(), padding: None }.eval([weight])
}

/// [`embedding`] as an operation on `[weight]`.
#[derive(Debug, Clone)]
pub struct Lookup {
    /// Which rows, in which order and shape.
    pub ids: Tensor<u32>,
    /// The id that stands for no item: its row is read like any other, and learns nothing.
    pub padding: Option<u32>,
}

impl Lookup {
    /// V and D, if every id is below V.
    fn sizes<T: Scalar>(&self, weight: &Tensor<T>) -> Result<(usize, usize)> {
        let &[v, d] = weight.dims() else {
            return Err(refuse::shape("embedding", "weight of the shape [V, D]", weight.shape()));
        };
        match self.ids.as_slice().iter().position(|&id| id as usize >= v) {
            Some(i) => {
                let value = format!("{} (number {i})", self.ids.as_slice()[i]);
                Err(refuse::argument("embedding", "id", value, format!("0..{v}")))
            }
            None => Ok((v, d)),
        }
    }
}

/// The places of each id, id by id and in order: those of id t are `places[starts[t]..starts[t + 1]]`.
fn places(ids: &[u32], v: usize) -> (Vec<usize>, Vec<usize>) {
    let mut starts = vec![0; v + 1];
    ids.iter().for_each(|&id| starts[id as usize + 1] += 1);
    for t in 0..v {
        starts[t + 1] += starts[t];
    }
    let mut next = starts.clone();
    let mut places = vec![0; ids.len()];
    for (i, &id) in ids.iter().enumerate() {
        places[next[id as usize]] = i;
        next[id as usize] += 1;
    }
    (starts, places)
}

impl<T: Scalar> Op<T, 1> for Lookup {
    /// Nothing: the derivative needs the ids only.
    type Saved = ();

    fn forward(&self, [weight]: [&Tensor<T>; 1]) -> Result<(Tensor<T>, ())> {
        let (_, d) = self.sizes(weight)?;
        let (ids, table) = (self.ids.as_slice(), weight.as_slice());
        let group = (BLOCK / d.max(1)).max(1);
        let y = Tensor::compute([self.ids.dims(), &[d]].concat(), |out| {
            for_each_block(out, group * d, |g, out| {
                for (row, &id) in out.chunks_exact_mut(d.max(1)).zip(&ids[g * group..]) {
                    row.copy_from_slice(&table[id as usize * d..][..d]);
                }
            });
        })?;
        Ok((y, ()))
    }

    // ∂L/∂W[t] = Σ dyᵢ over the places i that chose t, one after the other: on any number of threads the same sum.
    fn vjp(
        &self,
        [weight]: [&Tensor<T>; 1],
        (): &(),
        dy: &Tensor<T>,
        [wants_weight]: [bool; 1],
    ) -> Result<[Option<Tensor<T>>; 1]> {
        if !wants_weight {
            return Ok([None]);
        }
        let (v, d) = self.sizes(weight)?;
        if dy.len() != self.ids.len() * d {
            return Err(refuse::shape("embedding", "a gradient for each number looked up", dy.shape()));
        }
        let (starts, places) = places(self.ids.as_slice(), v);
        let dy = dy.as_slice();
        let group = (BLOCK / d.max(1)).max(1);
        let gradient = Tensor::compute(weight.shape(), |out| {
            for_each_block(out, group * d, |g, out| {
                out.fill(T::ZERO);
                for (k, row) in out.chunks_exact_mut(d.max(1)).enumerate() {
                    let t = g * group + k;
                    if self.padding.is_some_and(|padding| padding as usize == t) {
                        continue;
                    }
                    for &i in &places[starts[t]..starts[t + 1]] {
                        row.iter_mut().zip(&dy[i * d..][..d]).for_each(|(sum, &dy)| *sum += dy);
                    }
                }
            });
        })?;
        Ok([Some(gradient)])
    }
}

/// [`embedding`] as a table that is learned. Its state is `weight`.
///
/// It is no [`Layer`](gradus_autograd::Layer), for it takes ids and not numbers.
///
/// **Default**: every number from the standard normal distribution, the padding row 0.
///
/// ```
/// use gradus_layers::Embedding;
/// use gradus_tensor::Tensor;
/// use rand::{SeedableRng, rngs::ChaCha8Rng};
/// let table = Embedding::<f64>::new(5, 3, &mut ChaCha8Rng::seed_from_u64(1))?.with_padding(0)?;
/// let y = table.forward(&Tensor::from([[1u32, 4], [2, 0]]))?;
/// assert_eq!(y.shape(), [2, 2, 3]);
/// assert_eq!(y.value().select(0, 1)?.select(0, 1)?, Tensor::from([0.0; 3]));
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Embedding<T: Scalar = f32> {
    /// The table, `[V, D]`.
    pub weight: Var<T>,
    padding: Option<u32>,
}

parameters!(Embedding<T> { weight });

impl<T: Scalar> Embedding<T> {
    /// A table of `count` vectors of `size` numbers, with the default initialization.
    ///
    /// # Errors
    /// If there are no vectors, or they have no numbers.
    pub fn new(count: usize, size: usize, rng: &mut (impl Rng + ?Sized)) -> Result<Self> {
        refuse::none("embedding", "count", count)?;
        refuse::none("embedding", "size", size)?;
        Self::from_tensor(initial::normal([count, size], 1.0, rng)?)
    }

    /// A table with these vectors, one a row.
    ///
    /// # Errors
    /// If it is no matrix.
    pub fn from_tensor(weight: Tensor<T>) -> Result<Self> {
        if weight.rank() != 2 {
            return Err(refuse::shape("embedding", "weight of the shape [V, D]", weight.shape()));
        }
        Ok(Self { weight: Var::parameter(weight), padding: None })
    }

    /// With an id that stands for no item: its row is set to 0 and learns nothing.
    ///
    /// # Errors
    /// If there is no such row.
    pub fn with_padding(self, id: u32) -> Result<Self> {
        let shape = self.weight.shape();
        let (v, d) = (shape.dims()[0], shape.dims()[1]);
        if id as usize >= v {
            return Err(refuse::argument("embedding", "padding", id, format!("0..{v}")));
        }
        self.weight.update(|weight| weight.as_mut_slice()[id as usize * d..][..d].fill(T::ZERO));
        Ok(Self { padding: Some(id), ..self })
    }

    /// The vectors of these ids, `[…, D]`.
    ///
    /// # Errors
    /// If an id is not below the number of vectors.
    pub fn forward(&self, ids: &Tensor<u32>) -> Result<Var<T>> {
        Var::apply(Lookup { ids: ids.clone(), padding: self.padding }, [&self.weight])
    }
}
