//! The whole sequence as one differentiable operation.

use crate::gate::refuse_size;
use crate::kernel::{Cotangent, Kept, Operands, Steps, back, run};
use gradus_autograd::Op;
use gradus_tensor::{Error, Result, Scalar, Shape, Tensor};

/// The LSTM's six equations over a whole sequence as one operation on `[x, h₀, C₀, W, U, b]`, or on `[x, h₀, C₀, W, U, b, p]` with
/// peepholes.
///
/// **Formula** `lstm-equations`, step by step; with peepholes (Gers & Schmidhuber 2000) pᵢ∘Cₜ₋₁ and p_f∘Cₜ₋₁ are added to the sums of the input and
/// forget gates, pₒ∘Cₜ to that of the output gate.
///
/// **Shapes**: x `[N, T, D]`, h₀ and C₀ `[N, H]`, W `[D, 4H]`, U `[H, 4H]`, b `[4H]`, p `[3, H]` (of i, f, o); the result `[N, T, H]`, with
/// [`states`](Self::states) `[N, T + 2, H]`. Columns of W, U and b: i, f, g, o, H each, as PyTorch's.
///
/// **Gradient**: back-propagation through time, [`bptt_step`](crate::bptt_step): the gates' pass step by step, and
/// then one product for all weights, [x, h₋₁, 1]ᵀ·dz. [`LstmCell`](crate::LstmCell) is the plain version; a property ties the two.
///
/// **Numerics**: the inputs' products of eight steps at once; W, U and Uᵀ are laid out once a call as the inner product reads them. Each core
/// has samples of its own and takes all steps with them. A sample's bits depend on no other sample, on no padding, on no number of
/// threads, and not on where a sequence is cut in two if the state is carried.
///
/// **Errors**: shapes that do not fit; a length of more than T.
///
/// **Source**: Hochreiter & Schmidhuber 1997; Gers, Schmidhuber & Cummins 2000; Greff et al. 2017, eqs. 1–6.
///
/// ```
/// use gradus_autograd::Op;
/// use gradus_lstm::Recurrence;
/// use gradus_tensor::Tensor;
/// // All weights 0: every gate is σ(0) = ½, the candidate tanh 0 = 0, so that C halves with every step, and h = ½ tanh C.
/// let (x, h0, c0) = (Tensor::zeros([1, 3, 2])?, Tensor::zeros([1, 1])?, Tensor::full([1, 1], 8.0)?);
/// let (w, u, b) = (Tensor::zeros([2, 4])?, Tensor::zeros([1, 4])?, Tensor::zeros([4])?);
/// let y = Recurrence::default().eval([&x, &h0, &c0, &w, &u, &b])?;
/// let expected = Tensor::from([[[0.5 * 4f64.tanh()], [0.5 * 2f64.tanh()], [0.5 * 1f64.tanh()]]]);
/// assert!(y.all_close(&expected, 1e-15, 0.0)?);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Recurrence {
    /// How many steps each sample has; behind them the outputs are 0 and the state stays. `None`: all T.
    pub lengths: Option<Vec<usize>>,
    /// Whether the steps are taken from the last to the first: each sample's own last one.
    pub reverse: bool,
    /// Whether the last h and C of every sample stand behind its outputs, as two more rows.
    pub states: bool,
}

/// What back-propagation through time needs.
pub struct Trace<T: Scalar = f32> {
    kept: Kept<T>,
    /// The result: its rows are the states before the next steps.
    out: Tensor<T>,
    steps: Steps,
    hidden: usize,
}

impl<T: Scalar> Trace<T> {
    /// The gates of a step that sample `sample` takes as its `step`-th, i, f, g, o, `[4, H]`.
    ///
    /// # Errors
    /// If the sample has no such step.
    pub fn gates(&self, sample: usize, step: usize) -> Result<Tensor<T>> {
        let row = self.row(sample, step)?;
        self.kept.gates.select(0, row)?.slice(0, 0..4 * self.hidden)?.reshape([4, self.hidden])
    }

    /// C after that step, `[H]`.
    ///
    /// # Errors
    /// As [`gates`](Self::gates).
    pub fn cell(&self, sample: usize, step: usize) -> Result<Tensor<T>> {
        self.kept.cells.select(0, self.row(sample, step)?)
    }

    fn row(&self, sample: usize, step: usize) -> Result<usize> {
        let samples = self.steps.samples();
        if sample >= samples {
            return Err(Error::Index { op: "trace", index: sample, axis: 0, size: samples });
        }
        let length = self.steps.length(sample);
        if step >= length {
            return Err(Error::Index { op: "trace", index: step, axis: 1, size: length });
        }
        Ok(self.steps.start(sample) + step)
    }
}

/// A shape is the one that the sizes ask for.
fn expect<T: Scalar>(name: &str, tensor: &Tensor<T>, dims: &[usize]) -> Result<()> {
    if tensor.dims() == dims {
        return Ok(());
    }
    Err(Error::shape("lstm", format!("{name} of the shape {}", Shape::new(dims)?), tensor.shape()))
}

impl Recurrence {
    /// The sizes are right, and the operands as they lie.
    fn operands<'a, T: Scalar>(
        &self,
        [x, h0, c0, w, u, b]: [&'a Tensor<T>; 6],
        peepholes: Option<&'a Tensor<T>>,
    ) -> Result<(Operands<'a, T>, Steps)> {
        let &[samples, time, inputs] = x.dims() else {
            return Err(Error::shape("lstm", "x of the shape [N, T, D]", x.shape()));
        };
        let &[_, hidden] = h0.dims() else {
            return Err(Error::shape("lstm", "h₀ of the shape [N, H]", h0.shape()));
        };
        refuse_size("inputs", inputs)?;
        refuse_size("hidden units", hidden)?;
        expect("h₀", h0, &[samples, hidden])?;
        expect("C₀", c0, &[samples, hidden])?;
        expect("W", w, &[inputs, 4 * hidden])?;
        expect("U", u, &[hidden, 4 * hidden])?;
        expect("b", b, &[4 * hidden])?;
        if let Some(p) = peepholes {
            expect("p", p, &[3, hidden])?;
        }
        let steps = Steps::new(samples, time, self.lengths.as_deref(), self.reverse)?;
        let operands = Operands {
            x: x.as_slice(),
            h0: h0.as_slice(),
            c0: c0.as_slice(),
            input: w.as_slice(),
            recurrent: u.as_slice(),
            bias: b.as_slice(),
            peepholes: peepholes.map_or(&[], Tensor::as_slice),
            inputs,
            hidden,
        };
        Ok((operands, steps))
    }

    fn rows(&self, steps: &Steps) -> usize {
        steps.time + if self.states { 2 } else { 0 }
    }

    fn saving<T: Scalar>(
        &self,
        inputs: [&Tensor<T>; 6],
        peepholes: Option<&Tensor<T>>,
    ) -> Result<(Tensor<T>, Trace<T>)> {
        let (operands, steps) = self.operands(inputs, peepholes)?;
        let (out, kept) = run(operands, &steps, self.rows(&steps), true)?;
        let trace = Trace { kept, out: out.clone(), hidden: operands.hidden, steps };
        Ok((out, trace))
    }

    fn value<T: Scalar>(&self, inputs: [&Tensor<T>; 6], peepholes: Option<&Tensor<T>>) -> Result<Tensor<T>> {
        let (operands, steps) = self.operands(inputs, peepholes)?;
        Ok(run(operands, &steps, self.rows(&steps), false)?.0)
    }

    fn back<T: Scalar>(
        &self,
        inputs: [&Tensor<T>; 6],
        peepholes: Option<&Tensor<T>>,
        saved: &Trace<T>,
        dy: &Tensor<T>,
        wants: [bool; 7],
    ) -> Result<[Option<Tensor<T>>; 7]> {
        let (operands, steps) = self.operands(inputs, peepholes)?;
        expect("the cotangent", dy, saved.out.dims())?;
        let from = Cotangent { out: saved.out.as_slice(), dy: dy.as_slice(), rows: self.rows(&steps) };
        back(operands, &steps, &saved.kept, &from, wants)
    }
}

impl<T: Scalar> Op<T, 6> for Recurrence {
    /// The gates and cells of every step, `5·H` numbers each, and the result, which is shared.
    type Saved = Trace<T>;

    fn forward(&self, inputs: [&Tensor<T>; 6]) -> Result<(Tensor<T>, Trace<T>)> {
        self.saving(inputs, None)
    }

    fn vjp(
        &self,
        inputs: [&Tensor<T>; 6],
        saved: &Trace<T>,
        dy: &Tensor<T>,
        [x, h, c, w, u, b]: [bool; 6],
    ) -> Result<[Option<Tensor<T>>; 6]> {
        let [dx, dh, dc, dw, du, db, _] = self.back(inputs, None, saved, dy, [x, h, c, w, u, b, false])?;
        Ok([dx, dh, dc, dw, du, db])
    }

    fn eval(&self, inputs: [&Tensor<T>; 6]) -> Result<Tensor<T>> {
        self.value(inputs, None)
    }
}

impl<T: Scalar> Op<T, 7> for Recurrence {
    /// As without peepholes.
    type Saved = Trace<T>;

    fn forward(&self, [x, h, c, w, u, b, p]: [&Tensor<T>; 7]) -> Result<(Tensor<T>, Trace<T>)> {
        self.saving([x, h, c, w, u, b], Some(p))
    }

    fn vjp(
        &self,
        [x, h, c, w, u, b, p]: [&Tensor<T>; 7],
        saved: &Trace<T>,
        dy: &Tensor<T>,
        wants: [bool; 7],
    ) -> Result<[Option<Tensor<T>>; 7]> {
        self.back([x, h, c, w, u, b], Some(p), saved, dy, wants)
    }

    fn eval(&self, [x, h, c, w, u, b, p]: [&Tensor<T>; 7]) -> Result<Tensor<T>> {
        self.value([x, h, c, w, u, b], Some(p))
    }
}
