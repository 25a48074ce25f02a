//! A gate's weights, and the order in which the four lie when they are packed.

use gradus_autograd::{Var, parameters};
use gradus_layers::Affine;
use gradus_tensor::{Element, Error, Result, Scalar, Tensor};

/// What stands in a packed row, H numbers each. (Three gates and the candidate, whose weights are as theirs.)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Gate {
    /// i: how much of the candidate comes in.
    Input,
    /// f: how much of the cell stays.
    Forget,
    /// g: what could come in.
    Candidate,
    /// o: how much of the cell is shown.
    Output,
}

/// In which order the four lie one after the other. The mathematics does not say; every library does, differently.
///
/// A wrong order is no error of shape, and the numbers that come out look like any others: convert by name.
///
/// ```
/// use gradus_lstm::{Gate, GateOrder};
/// use gradus_tensor::Tensor;
/// let theirs = Tensor::from([1, 2, 3, 4]); // ONNX: i, o, f, c
/// let ours = GateOrder::ONNX.convert(&theirs, 0, GateOrder::PYTORCH)?; // i, f, g, o
/// assert_eq!(ours, Tensor::from([1, 3, 4, 2]));
/// assert_eq!(GateOrder::ONNX.place(Gate::Output), 1);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct GateOrder([Gate; 4]);

impl GateOrder {
    /// i, f, g, o: PyTorch's, Keras', and this crate's.
    pub const PYTORCH: Self = Self([Gate::Input, Gate::Forget, Gate::Candidate, Gate::Output]);
    /// i, o, f, c: ONNX'.
    pub const ONNX: Self = Self([Gate::Input, Gate::Output, Gate::Forget, Gate::Candidate]);

    /// Any order.
    ///
    /// # Errors
    /// If a gate occurs twice.
    pub fn new(gates: [Gate; 4]) -> Result<Self> {
        for (i, gate) in gates.iter().enumerate() {
            if gates[..i].contains(gate) {
                return Err(Error::argument("gate order", "gates", format!("{gates:?}"), "each gate once"));
            }
        }
        Ok(Self(gates))
    }

    /// The gates in this order.
    #[must_use]
    pub fn gates(self) -> [Gate; 4] {
        self.0
    }

    /// Which of the four quarters is this gate's.
    #[must_use]
    pub fn place(self, gate: Gate) -> usize {
        self.0.iter().position(|&g| g == gate).unwrap_or_default()
    }

    /// The quarter of `packed` along `axis` that belongs to a gate.
    ///
    /// # Errors
    /// If there is no such axis, or its size is no multiple of four.
    pub fn part<T: Element>(self, packed: &Tensor<T>, axis: usize, gate: Gate) -> Result<Tensor<T>> {
        let size = packed.shape().size(axis)?;
        if !size.is_multiple_of(4) {
            return Err(Error::argument("gate order", "packed size", size, "a multiple of 4"));
        }
        let first = self.place(gate) * (size / 4);
        packed.slice(axis, first..first + size / 4)
    }

    /// The same numbers in another order, along `axis`.
    ///
    /// # Errors
    /// As [`part`](Self::part).
    pub fn convert<T: Element>(self, packed: &Tensor<T>, axis: usize, to: Self) -> Result<Tensor<T>> {
        let parts = to.0.iter().map(|&gate| self.part(packed, axis, gate)).collect::<Result<Vec<_>>>()?;
        Tensor::concatenate(&parts.iter().collect::<Vec<_>>(), axis)
    }
}

/// The weights of one gate: of the inputs, of the outputs before, and a bias.
#[derive(Debug, Clone)]
pub struct GateWeights<T: Scalar = f32> {
    /// θₓ, `[D, H]`.
    pub x: Var<T>,
    /// θₕ, `[H, H]`.
    pub h: Var<T>,
    /// b, `[H]`.
    pub b: Var<T>,
}

parameters!(GateWeights<T> { x, h, b });

impl<T: Scalar> GateWeights<T> {
    /// These weights, to be learned.
    ///
    /// # Errors
    /// If the shapes are not `[D, H]`, `[H, H]` and `[H]`.
    pub fn new(x: Tensor<T>, h: Tensor<T>, b: Tensor<T>) -> Result<Self> {
        let &[_, hidden] = x.dims() else {
            return Err(Error::shape("gate", "weights of the shape [D, H]", x.shape()));
        };
        if h.dims() != [hidden, hidden] {
            return Err(Error::shape(
                "gate",
                format!("weights of the shape [{hidden}, {hidden}]"),
                h.shape(),
            ));
        }
        if b.dims() != [hidden] {
            return Err(Error::shape("gate", format!("a bias of the shape [{hidden}]"), b.shape()));
        }
        Ok(Self { x: Var::parameter(x), h: Var::parameter(h), b: Var::parameter(b) })
    }

    /// θₓ·x + θₕ·h + b: what a gate squashes.
    ///
    /// # Errors
    /// If the sizes do not fit.
    pub fn sum(&self, x: &Var<T>, h: &Var<T>) -> Result<Var<T>> {
        Var::apply(Affine, [x, &self.x, &self.b])?.add(&h.matmul(&self.h)?)
    }
}

/// A number of inputs or of units is at least 1.
pub(crate) fn refuse_size(name: &'static str, size: usize) -> Result<()> {
    if size == 0 { Err(Error::argument("lstm", name, 0, "at least 1")) } else { Ok(()) }
}
