//! The LSTM as a layer: several on top of each other, in both directions, with a state to carry.

use crate::gate::refuse_size;
use crate::{Gate, GateOrder, LstmCell, Recurrence};
use gradus_autograd::{Layer, Mode, Name, Parameters, Slot, SlotMut, Var, parameters};
use gradus_initialization::{Fans, Init};
use gradus_layers::Dropout;
use gradus_tensor::{Error, Result, Scalar, Tensor};
use rand::Rng;

/// What an [`Lstm`] is like.
///
/// ```
/// use gradus_lstm::LstmShape;
/// let shape = LstmShape { layers: 2, bidirectional: true, ..LstmShape::new(28, 64) };
/// assert_eq!(shape.outputs(), 128);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LstmShape {
    /// D, the numbers of a step's input.
    pub inputs: usize,
    /// H, the units of a layer and direction.
    pub hidden: usize,
    /// How many layers lie on top of each other.
    pub layers: usize,
    /// Whether each layer has a second half that reads the sequence from its end.
    pub bidirectional: bool,
    /// Whether the gates see the cell.
    pub peepholes: bool,
    /// With which probability a number is dropped between two layers, in training.
    pub dropout: f64,
}

impl LstmShape {
    /// One layer, one direction.
    #[must_use]
    pub const fn new(inputs: usize, hidden: usize) -> Self {
        Self { inputs, hidden, layers: 1, bidirectional: false, peepholes: false, dropout: 0.0 }
    }

    /// The numbers of a step's output: H, or 2H.
    #[must_use]
    pub const fn outputs(&self) -> usize {
        self.hidden * self.directions()
    }

    const fn directions(&self) -> usize {
        if self.bidirectional { 2 } else { 1 }
    }
}

/// The weights of one layer and direction, packed: i, f, g, o.
#[derive(Debug, Clone)]
pub struct LstmWeights<T: Scalar = f32> {
    /// W, `[D, 4H]`.
    pub input: Var<T>,
    /// U, `[H, 4H]`.
    pub recurrent: Var<T>,
    /// b, `[4H]`.
    pub bias: Var<T>,
    /// Those of i, f and o, `[3, H]`.
    pub peepholes: Option<Var<T>>,
}

parameters!(LstmWeights<T> { input, recurrent, bias, peepholes });

impl<T: Scalar> LstmWeights<T> {
    /// These weights, to be learned.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn new(
        input: Tensor<T>,
        recurrent: Tensor<T>,
        bias: Tensor<T>,
        peepholes: Option<Tensor<T>>,
    ) -> Result<Self> {
        let hidden = recurrent.shape().size(0)?;
        let wanted: [(&str, &Tensor<T>, &[usize]); 2] =
            [("U", &recurrent, &[hidden, 4 * hidden]), ("b", &bias, &[4 * hidden])];
        for (name, tensor, dims) in wanted {
            if tensor.dims() != dims {
                return Err(Error::shape("lstm", format!("{name} of the shape {dims:?}"), tensor.shape()));
            }
        }
        if input.rank() != 2 || input.dims()[1] != 4 * hidden {
            return Err(Error::shape("lstm", format!("W of the shape [D, {}]", 4 * hidden), input.shape()));
        }
        if let Some(p) = &peepholes
            && p.dims() != [3, hidden]
        {
            return Err(Error::shape("lstm", format!("p of the shape [3, {hidden}]"), p.shape()));
        }
        refuse_size("inputs", input.dims()[0])?;
        refuse_size("hidden units", hidden)?;
        let [input, recurrent, bias] = [input, recurrent, bias].map(Var::parameter);
        Ok(Self { input, recurrent, bias, peepholes: peepholes.map(Var::parameter) })
    }

    /// Fresh weights: Glorot's for the inputs, orthogonal ones for the recurrence, each gate for itself; biases 0, but 1 for the forget gate, so
    /// that a fresh network remembers (Jozefowicz, Zaremba & Sutskever 2015, §2.2); peepholes 0.
    fn fresh(inputs: usize, hidden: usize, peepholes: bool, rng: &mut (impl Rng + ?Sized)) -> Result<Self> {
        let four = |init: Init, rows: usize, rng: &mut _| -> Result<Tensor<T>> {
            let gate = |_| init.tensor([rows, hidden], Fans::dense(rows, hidden), &mut *rng);
            let gates = (0..4).map(gate).collect::<Result<Vec<_>>>()?;
            Tensor::concatenate(&gates.iter().collect::<Vec<_>>(), 1)
        };
        let input = four(Init::xavier_uniform(), inputs, &mut *rng)?;
        let recurrent = four(Init::orthogonal(), hidden, &mut *rng)?;
        let forget = GateOrder::PYTORCH.place(Gate::Forget);
        let bias = Tensor::from_fn([4 * hidden], |i| if i[0] / hidden == forget { T::ONE } else { T::ZERO })?;
        let peepholes = if peepholes { Some(Tensor::zeros([3, hidden])?) } else { None };
        Self::new(input, recurrent, bias, peepholes)
    }

    /// H.
    #[must_use]
    pub fn hidden(&self) -> usize {
        self.bias.shape().elements() / 4
    }

    /// The six equations with (a copy of) these weights.
    ///
    /// # Errors
    /// If there are peepholes, which they have not.
    pub fn cell(&self) -> Result<LstmCell<T>> {
        if self.peepholes.is_some() {
            return Err(Error::argument("lstm cell", "peepholes", "some", "none"));
        }
        LstmCell::from_packed(&self.input.value(), &self.recurrent.value(), &self.bias.value())
    }

    fn apply(&self, op: Recurrence, x: &Var<T>, h: &Var<T>, c: &Var<T>) -> Result<Var<T>> {
        let (w, u, b) = (&self.input, &self.recurrent, &self.bias);
        match &self.peepholes {
            None => Var::apply(op, [x, h, c, w, u, b]),
            Some(p) => Var::apply(op, [x, h, c, w, u, b, p]),
        }
    }
}

/// What an [`Lstm`] knows between two calls: h and C of every layer and direction.
#[derive(Debug, Clone)]
pub struct LstmState<T: Scalar = f32> {
    /// `[L·directions, N, H]`: a layer's forward half, its backward half, the next layer's.
    pub h: Var<T>,
    /// The same for C.
    pub c: Var<T>,
}

impl<T: Scalar> LstmState<T> {
    /// The same state, through which no gradient flows: where back-propagation through time is cut.
    #[must_use]
    pub fn detach(&self) -> Self {
        Self { h: self.h.detach(), c: self.c.detach() }
    }
}

/// The LSTM as a layer: `[N, T, D]` to `[N, T, H]`, or `[N, T, 2H]` in both directions.
///
/// Each layer and direction is one [`Recurrence`]. Its state has the names `weight_ih_l0`, `weight_hh_l0`, `bias_l0` and so on, `_reverse` for the
/// backward half, as PyTorch's; its matrices lie as `[inputs, outputs]`, and there is one bias: [`to_pytorch`](Self::to_pytorch) and
/// [`from_pytorch`](Self::from_pytorch) convert.
///
/// ```
/// use gradus_autograd::{Layer, Mode, Parameters, Var};
/// use gradus_lstm::{Lstm, LstmShape};
/// use gradus_tensor::Tensor;
/// use rand::{SeedableRng, rngs::ChaCha8Rng};
/// let lstm = Lstm::<f32>::new(LstmShape::new(3, 4), &mut ChaCha8Rng::seed_from_u64(1))?;
/// assert_eq!(lstm.parameter_count(), 4 * ((3 + 4) * 4 + 4)); // PyTorch's second bias would be 16 more
///
/// // A sequence in two pieces, with the state carried over, is the sequence.
/// let x = Tensor::from_fn([2, 7, 3], |i| (i[0] + i[1] * i[2]) as f32 / 9.0)?;
/// let whole = lstm.forward(&Var::constant(x.clone()), &mut Mode::Eval)?;
/// let (first, state) = lstm.run(&Var::constant(x.slice(1, 0..4)?), None, None, &mut Mode::Eval)?;
/// let (second, _) = lstm.run(&Var::constant(x.slice(1, 4..7)?), None, Some(&state), &mut Mode::Eval)?;
/// assert_eq!(Var::concatenate(&[&first, &second], 1)?.value(), whole.value());
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Lstm<T: Scalar = f32> {
    shape: LstmShape,
    dropout: Dropout,
    /// The weights, a layer after the other, of each the forward and then the backward half.
    layers: Vec<LstmWeights<T>>,
}

impl<T: Scalar> Lstm<T> {
    /// Fresh weights, as described at [`LstmWeights`]: Glorot, orthogonal, and a forget bias of 1.
    ///
    /// # Errors
    /// If a size is 0, or the probability of dropout none.
    pub fn new(shape: LstmShape, rng: &mut (impl Rng + ?Sized)) -> Result<Self> {
        refuse_size("inputs", shape.inputs)?;
        refuse_size("hidden units", shape.hidden)?;
        refuse_size("layers", shape.layers)?;
        let mut layers = Vec::new();
        for layer in 0..shape.layers {
            for _ in 0..shape.directions() {
                let inputs = if layer == 0 { shape.inputs } else { shape.outputs() };
                layers.push(LstmWeights::fresh(inputs, shape.hidden, shape.peepholes, rng)?);
            }
        }
        Self::from_weights(shape, layers)
    }

    /// These weights, a layer after the other, of each the forward and then the backward half.
    ///
    /// # Errors
    /// If there are not as many as the shape says, or they have other sizes.
    pub fn from_weights(shape: LstmShape, layers: Vec<LstmWeights<T>>) -> Result<Self> {
        let directions = shape.directions();
        refuse_size("inputs", shape.inputs)?;
        refuse_size("hidden units", shape.hidden)?;
        refuse_size("layers", shape.layers)?;
        if layers.len() != shape.layers * directions {
            let allowed = format!("{} for {} layers", shape.layers * directions, shape.layers);
            return Err(Error::argument("lstm", "weights", format!("{} of them", layers.len()), allowed));
        }
        for (k, weights) in layers.iter().enumerate() {
            let inputs = if k < directions { shape.inputs } else { shape.outputs() };
            let wanted = [inputs, 4 * shape.hidden];
            if weights.input.shape().dims() != wanted {
                let expected = format!("weights of the shape {wanted:?} in layer {}", k / directions);
                return Err(Error::shape("lstm", expected, weights.input.shape()));
            }
            if weights.peepholes.is_some() != shape.peepholes {
                let got = if shape.peepholes { "none" } else { "some" };
                return Err(Error::argument("lstm", "peepholes", got, "as the shape says"));
            }
        }
        Ok(Self { shape, dropout: Dropout::new(shape.dropout)?, layers })
    }

    /// Begins with memories of every length up to `longest` steps ("chrono" initialization): each unit's forget gate has the bias ln u, u drawn
    /// uniformly from 1 to longest − 1, so that without input it forgets within 1/(1 − f) = 1 + u steps; the input gate has −ln u.
    ///
    /// Where something has to be kept over hundreds of steps, a forget bias of 1 is too small: σ(1)¹⁰⁰ is 10⁻¹⁴. (Tallec & Ollivier 2018, §2.1.)
    ///
    /// # Errors
    /// If `longest` is below 2.
    ///
    /// ```
    /// use gradus_lstm::{Gate, GateOrder, Lstm, LstmShape};
    /// use rand::{SeedableRng, rngs::ChaCha8Rng};
    /// let rng = &mut ChaCha8Rng::seed_from_u64(1);
    /// let lstm = Lstm::<f64>::new(LstmShape::new(3, 64), rng)?.remembering(200, rng)?;
    /// let bias = lstm.layers()[0].bias.value();
    /// let forget = GateOrder::PYTORCH.part(&bias, 0, Gate::Forget)?;
    /// let steps = forget.map(|b| 1.0 + b.exp()); // 1/(1 − σ(b))
    /// assert!(steps.min()? >= 2.0 && steps.max()? <= 200.0 && steps.mean()? > 50.0);
    /// # Ok::<(), gradus_tensor::Error>(())
    /// ```
    pub fn remembering(self, longest: usize, rng: &mut (impl Rng + ?Sized)) -> Result<Self> {
        if longest < 2 {
            return Err(Error::argument("lstm", "longest memory", longest, "at least 2 steps"));
        }
        let hidden = self.shape.hidden;
        let [input, forget] = [Gate::Input, Gate::Forget].map(|gate| GateOrder::PYTORCH.place(gate) * hidden);
        for weights in &self.layers {
            let drawn = Init::uniform(1.0, longest as f64 - 1.0).tensor::<f64>(
                [hidden],
                Fans::dense(hidden, hidden),
                &mut *rng,
            )?;
            weights.bias.update(|bias| {
                let bias = bias.as_mut_slice();
                for (unit, u) in drawn.as_slice().iter().enumerate() {
                    (bias[forget + unit], bias[input + unit]) = (T::of(u.ln()), T::of(-u.ln()));
                }
            });
        }
        Ok(self)
    }

    /// What it is like.
    #[must_use]
    pub fn shape(&self) -> LstmShape {
        self.shape
    }

    /// The weights, a layer after the other, of each the forward and then the backward half.
    #[must_use]
    pub fn layers(&self) -> &[LstmWeights<T>] {
        &self.layers
    }

    /// h = 0 and C = 0 for so many samples.
    ///
    /// # Errors
    /// If that is more than memory can address.
    pub fn zero_state(&self, samples: usize) -> Result<LstmState<T>> {
        let zero = Var::constant(Tensor::zeros([self.layers.len(), samples, self.shape.hidden])?);
        Ok(LstmState { h: zero.clone(), c: zero })
    }

    /// The outputs of all steps and the last state, from a state (zero without one), for sequences of several lengths.
    ///
    /// Behind a sample's length the outputs are 0, and its state is that after its last step; the backward half begins there. What stands in
    /// the padding, a NaN even, changes no bit of outputs and gradients. Gradients flow through the state: [`LstmState::detach`] cuts them,
    /// for truncated back-propagation through time.
    ///
    /// # Errors
    /// If shapes do not fit, or there is not one length of at most T a sample.
    pub fn run(
        &self,
        x: &Var<T>,
        lengths: Option<&[usize]>,
        state: Option<&LstmState<T>>,
        mode: &mut Mode<'_>,
    ) -> Result<(Var<T>, LstmState<T>)> {
        let (mut hs, mut cs) = (Vec::new(), Vec::new());
        let time = steps(x)?;
        let y = self.walk(x, state, mode, |weights, reverse, x, [h, c]| {
            let op = Recurrence { lengths: lengths.map(<[usize]>::to_vec), reverse, states: true };
            let all = weights.apply(op, x, h, c)?;
            hs.push(all.select(1, time)?);
            cs.push(all.select(1, time + 1)?);
            all.slice(1, 0..time)
        })?;
        let stack = |parts: Vec<Var<T>>| Var::stack(&parts.iter().collect::<Vec<_>>(), 0);
        Ok((y, LstmState { h: stack(hs)?, c: stack(cs)? }))
    }

    /// Every layer and direction in turn, by `one`; dropout between the layers.
    fn walk(
        &self,
        x: &Var<T>,
        state: Option<&LstmState<T>>,
        mode: &mut Mode<'_>,
        mut one: impl FnMut(&LstmWeights<T>, bool, &Var<T>, [&Var<T>; 2]) -> Result<Var<T>>,
    ) -> Result<Var<T>> {
        let samples = x.shape().size(0)?;
        let state = match state {
            Some(state) => state.clone(),
            None => self.zero_state(samples)?,
        };
        let wanted = [self.layers.len(), samples, self.shape.hidden];
        for (name, part) in [("h", &state.h), ("C", &state.c)] {
            if part.shape().dims() != wanted {
                let expected = format!("a state {name} of the shape {wanted:?}");
                return Err(Error::shape("lstm", expected, part.shape()));
            }
        }
        let directions = self.shape.directions();
        let mut x = x.clone();
        for (layer, weights) in self.layers.chunks(directions).enumerate() {
            if layer > 0 {
                x = self.dropout.forward(&x, mode)?;
            }
            let mut halves = Vec::new();
            for (direction, weights) in weights.iter().enumerate() {
                let k = layer * directions + direction;
                let (h, c) = (state.h.select(0, k)?, state.c.select(0, k)?);
                halves.push(one(weights, direction == 1, &x, [&h, &c])?);
            }
            x = match &halves[..] {
                [forward] => forward.clone(),
                _ => Var::concatenate(&halves.iter().collect::<Vec<_>>(), 2)?,
            };
        }
        Ok(x)
    }
}

/// T of `[N, T, D]`.
fn steps<T: Scalar>(x: &Var<T>) -> Result<usize> {
    match *x.shape().dims() {
        [_, time, _] => Ok(time),
        _ => Err(Error::shape("lstm", "x of the shape [N, T, D]", x.shape())),
    }
}

impl<T: Scalar> Layer<T> for Lstm<T> {
    fn forward(&self, x: &Var<T>, mode: &mut Mode<'_>) -> Result<Var<T>> {
        steps(x)?;
        self.walk(x, None, mode, |weights, reverse, x, [h, c]| {
            weights.apply(Recurrence { reverse, ..Recurrence::default() }, x, h, c)
        })
    }
}

impl<T: Scalar> Lstm<T> {
    /// The ending of the names of a layer's and direction's weights.
    pub(crate) fn suffix(&self, k: usize) -> String {
        let directions = self.shape.directions();
        format!("_l{}{}", k / directions, if k % directions == 1 { "_reverse" } else { "" })
    }
}

impl<T: Scalar> Parameters<T> for Lstm<T> {
    fn visit(&self, name: &mut Name, see: &mut dyn FnMut(&str, Slot<'_, T>)) {
        for (k, weights) in self.layers.iter().enumerate() {
            let end = self.suffix(k);
            name.scope(&format!("weight_ih{end}"), |name| weights.input.visit(name, see));
            name.scope(&format!("weight_hh{end}"), |name| weights.recurrent.visit(name, see));
            name.scope(&format!("bias{end}"), |name| weights.bias.visit(name, see));
            name.scope(&format!("peephole{end}"), |name| weights.peepholes.visit(name, see));
        }
    }

    fn visit_mut(&mut self, name: &mut Name, see: &mut dyn FnMut(&str, SlotMut<'_, T>)) {
        for k in 0..self.layers.len() {
            let end = self.suffix(k);
            let weights = &mut self.layers[k];
            name.scope(&format!("weight_ih{end}"), |name| weights.input.visit_mut(name, see));
            name.scope(&format!("weight_hh{end}"), |name| weights.recurrent.visit_mut(name, see));
            name.scope(&format!("bias{end}"), |name| weights.bias.visit_mut(name, see));
            name.scope(&format!("peephole{end}"), |name| weights.peepholes.visit_mut(name, see));
        }
    }
}
