//! A convolution whose maps read some of the maps before: a table says which.

use crate::{Own, Plain, expect, refused};
use gradus_autograd::{Layer, Mode, Op, Var, parameters};
use gradus_cnn::{Conv2d, ConvShape, Convolution, Window};
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_tensor::{Error, Result, Scalar, Tensor};
use std::sync::Arc;

pub(crate) const FORMULA: Formula = Formula {
    id: "lenet-connections",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "A convolution with a table of connections",
    latex: r"y_{nkij} = b_k + \sum_{c \in \mathcal{T}_k} \sum_{u} \sum_{v} w_{e(k, c)\,uv}\; x_{nc,\,i+u,\,j+v}",
    unicode: "y[n, k, i, j] = b[k] + Σ over c of table[k], u, v: w[e(k, c), u, v]·x[n, c, i + u, j + v]",
    symbols: &[
        Symbol { latex: "x", code: "x", meaning: "the maps before", shape: "[N, C, H, W]", unit: "any" },
        Symbol {
            latex: r"\mathcal{T}_k",
            code: "connections",
            meaning: "the maps that map k reads",
            shape: "[]",
            unit: "index",
        },
        Symbol {
            latex: "e",
            code: "e",
            meaning: "the number of the connection from c to k, counted through the table",
            shape: "[]",
            unit: "index",
        },
        Symbol {
            latex: "w",
            code: "weight",
            meaning: "a window of weights for each connection",
            shape: "[E, F, F]",
            unit: "any",
        },
        Symbol { latex: "b", code: "bias", meaning: "a bias a map", shape: "[K]", unit: "any" },
    ],
    source: "LeCun, Bottou, Bengio & Haffner 1998, §II.B, layer C3 and table I",
    item: item!(struct SparseConv2d),
    chapter: "lenet",
    printed: None,
};

/// Which of the six maps of S2 each of the sixteen maps of C3 reads: table I of the paper. Six maps read three neighbours, six read four, three read two pairs, the last
/// reads all: 60 connections where there could be 96.
pub const TABLE: [&[usize]; 16] = [
    &[0, 1, 2],
    &[1, 2, 3],
    &[2, 3, 4],
    &[3, 4, 5],
    &[0, 4, 5],
    &[0, 1, 5],
    &[0, 1, 2, 3],
    &[1, 2, 3, 4],
    &[2, 3, 4, 5],
    &[0, 3, 4, 5],
    &[0, 1, 4, 5],
    &[0, 1, 2, 5],
    &[0, 1, 3, 4],
    &[1, 2, 4, 5],
    &[0, 2, 3, 5],
    &[0, 1, 2, 3, 4, 5],
];

/// For each map the maps that it reads, in rising order.
///
/// ```
/// use gradus_architectures::Connections;
/// let table = Connections::published();
/// assert_eq!((table.inputs(), table.outputs(), table.count()), (6, 16, 60));
/// assert!(Connections::new(6, &[&[0, 6]]).is_err()); // there is no map 6
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connections {
    inputs: usize,
    /// Shared, because every pass takes one along.
    table: Arc<[Vec<usize>]>,
}

impl Connections {
    /// From the maps before, and for each map those that it reads.
    ///
    /// # Errors
    /// If there is no map, one reads nothing, or what one reads is not in rising order or not there.
    pub fn new(inputs: usize, table: &[&[usize]]) -> Result<Self> {
        let op = "Connections::new";
        if table.is_empty() {
            return Err(refused(op, "table", "[]", "at least one map"));
        }
        for row in table {
            let rising = row.windows(2).all(|pair| pair[0] < pair[1]);
            if !rising || row.last().is_none_or(|&last| last >= inputs) {
                let allowed = format!("at least one of the maps 0..{inputs}, in rising order, each once");
                return Err(refused(op, "a map's row", format!("{row:?}"), allowed));
            }
        }
        Ok(Self { inputs, table: table.iter().map(|row| row.to_vec()).collect() })
    }

    /// Table I of the paper, [`TABLE`].
    #[must_use]
    pub fn published() -> Self {
        Self { inputs: 6, table: TABLE.iter().map(|row| row.to_vec()).collect() }
    }

    /// C, the maps before.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// K, the maps.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.table.len()
    }

    /// E, the connections in all.
    #[must_use]
    pub fn count(&self) -> usize {
        self.table.iter().map(Vec::len).sum()
    }

    /// What each map reads.
    pub fn rows(&self) -> impl Iterator<Item = &[usize]> {
        self.table.iter().map(Vec::as_slice)
    }

    /// For each connection its place among all K·C, counted map by map.
    fn places(&self) -> impl Iterator<Item = usize> {
        let inputs = self.inputs;
        self.table.iter().enumerate().flat_map(move |(k, row)| row.iter().map(move |c| k * inputs + c))
    }
}

/// The weights of the connections laid out as those of a dense convolution, with 0 where there is no connection: an operation on `[weight]`.
///
/// **Shapes**: weight `[E, F, F']`; the result `[K, C, F, F']`.
///
/// **Gradient**: what came for a connection; what came for the zeros is nobody's.
#[derive(Debug, Clone)]
pub struct Spread(pub Connections);

const OP: &str = "sparse_conv2d";

impl<T: Scalar> Op<T, 1> for Spread {
    /// Nothing: the places follow from the table.
    type Saved = ();

    fn forward(&self, [weight]: [&Tensor<T>; 1]) -> Result<(Tensor<T>, ())> {
        let (count, [f, g]) = (self.0.count(), window(weight)?);
        expect(OP, "weight", &[count, f, g], weight.shape())?;
        let mut dense = Tensor::zeros([self.0.outputs(), self.0.inputs, f, g])?;
        let taps = (f * g).max(1);
        for (from, place) in weight.as_slice().chunks_exact(taps).zip(self.0.places()) {
            dense.as_mut_slice()[place * taps..][..taps].copy_from_slice(from);
        }
        Ok((dense, ()))
    }

    fn vjp(
        &self,
        [weight]: [&Tensor<T>; 1],
        (): &(),
        dy: &Tensor<T>,
        [wanted]: [bool; 1],
    ) -> Result<[Option<Tensor<T>>; 1]> {
        let [f, g] = window(weight)?;
        expect(OP, "dy", &[self.0.outputs(), self.0.inputs, f, g], dy.shape())?;
        if !wanted {
            return Ok([None]);
        }
        let taps = (f * g).max(1);
        let dw = Tensor::compute(weight.dims(), |dw| {
            for (to, place) in dw.chunks_exact_mut(taps).zip(self.0.places()) {
                to.copy_from_slice(&dy.as_slice()[place * taps..][..taps]);
            }
        })?;
        Ok([Some(dw)])
    }
}

/// The window of the weights of some connections.
fn window<T: Scalar>(weight: &Tensor<T>) -> Result<[usize; 2]> {
    match *weight.dims() {
        [_, f, g] => Ok([f, g]),
        _ => {
            let expected = "weight of the shape [E, F, F']".into();
            Err(Error::Shape { op: OP, expected, got: weight.shape() })
        }
    }
}

/// A convolution in which each map reads some of the maps before: C3 of [`LeNet1998`](crate::LeNet1998). Its state is `weight` and `bias`.
///
/// **Formula** `lenet-connections`: y\[n, k, i, j\] = b\[k\] + Σ over c of table\[k\], u, v: w\[e(k, c), u, v\]·x\[n, c, i + u, j + v\].
///
/// **Shapes**: x `[N, C, H, W]`, weight `[E, F, F]` with a window for each of the E connections, bias `[K]`; the result `[N, K, O, O']`.
///
/// **Gradient**: that of the dense convolution with zeros between, at the connections.
///
/// **Numerics**: computed by the dense convolution. What is saved is parameters, not time: 60 of 96 connections in windows of their own would be
/// slower than 96 in one product.
///
/// **Errors**: sizes that do not fit.
///
/// **Source**: LeCun, Bottou, Bengio & Haffner 1998, §II.B, layer C3 and table I.
///
/// ```
/// use gradus_architectures::{Connections, SparseConv2d};
/// use gradus_autograd::{Layer, Mode, Parameters, Var};
/// use gradus_tensor::Tensor;
/// // Map 0 reads map 1, map 1 reads both.
/// let weight = Tensor::from([[[1.0_f64]], [[10.0]], [[100.0]]]);
/// let layer = SparseConv2d::from_tensors(Connections::new(2, &[&[1], &[0, 1]])?, weight, Tensor::from([0.0, 0.5]))?;
/// let x = Tensor::from([3.0, 4.0]).reshape([1, 2, 1, 1])?;
/// assert_eq!(layer.forward(&Var::constant(x), &mut Mode::Eval)?.value().as_slice(), [4.0, 430.5]);
/// assert_eq!(layer.parameter_count(), 5);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct SparseConv2d<T: Scalar = f32> {
    /// w, `[E, F, F]`.
    pub weight: Var<T>,
    /// b, `[K]`.
    pub bias: Var<T>,
    connections: Connections,
}

parameters!(SparseConv2d<T> { weight, bias });

impl<T: Scalar> SparseConv2d<T> {
    /// A layer with these weights, `[E, F, F]`, and this bias, `[K]`.
    ///
    /// # Errors
    /// If they do not fit the table, or the window is empty.
    pub fn from_tensors(connections: Connections, weight: Tensor<T>, bias: Tensor<T>) -> Result<Self> {
        let [f, g] = window(&weight)?;
        if f * g == 0 {
            return Err(refused(OP, "window", format!("{f}×{g}"), "at least 1×1"));
        }
        expect(OP, "weight", &[connections.count(), f, g], weight.shape())?;
        expect(OP, "bias", &[connections.outputs()], bias.shape())?;
        Ok(Self { weight: Var::parameter(weight), bias: Var::parameter(bias), connections })
    }

    /// Who reads what.
    #[must_use]
    pub fn connections(&self) -> &Connections {
        &self.connections
    }
}

impl<T: Scalar> Layer<T> for SparseConv2d<T> {
    fn forward(&self, x: &Var<T>, _: &mut Mode<'_>) -> Result<Var<T>> {
        let [f, g] = window(&self.weight.value())?;
        let dense = Var::apply(Spread(self.connections.clone()), [&self.weight])?;
        Var::apply(Convolution::new([Window::new(f), Window::new(g)]), [x, &dense, &self.bias])
    }
}

/// The dense convolution with zeros between.
impl<T: Scalar> Own<T> for SparseConv2d<T> {
    fn plain(&self) -> Result<Option<Plain<T>>> {
        let dense = Spread(self.connections.clone()).eval([&self.weight.value()])?;
        let windows = window(&self.weight.value())?.map(Window::new);
        let shape = ConvShape::new(self.connections.inputs(), self.connections.outputs(), windows);
        Ok(Some(Plain::Conv(Box::new(Conv2d::from_tensors(shape, dense, Some(self.bias.value()))?))))
    }
}
