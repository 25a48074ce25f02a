//! Weights to and from other libraries, by name: the gates' order, the second bias, and which way the matrices lie.

use crate::{GateOrder, Lstm, LstmShape, LstmWeights};
use gradus_tensor::{Error, Result, Scalar, Tensor};
use std::collections::BTreeMap;

/// One layer as ONNX' operator `LSTM` has it: gates i, o, f, c; a direction after the other along the first axis. (Its inputs lie as `[T, N, D]`.)
#[derive(Debug, Clone, PartialEq)]
pub struct OnnxLstm<T: Scalar = f32> {
    /// `W`, `[directions, 4H, D]`.
    pub w: Tensor<T>,
    /// `R`, `[directions, 4H, H]`.
    pub r: Tensor<T>,
    /// `B`, `[directions, 8H]`: the bias of the inputs and that of the recurrence.
    pub b: Tensor<T>,
    /// `P`, `[directions, 3H]`: the peepholes of i, o, f.
    pub p: Option<Tensor<T>>,
}

impl<T: Scalar> Lstm<T> {
    /// The state of PyTorch's `nn.LSTM` of the same sizes: transposed matrices, and a second bias, which is 0.
    ///
    /// # Errors
    /// If there are peepholes, which PyTorch has not.
    pub fn to_pytorch(&self) -> Result<BTreeMap<String, Tensor<T>>> {
        let mut state = BTreeMap::new();
        for (k, weights) in self.layers().iter().enumerate() {
            if weights.peepholes.is_some() {
                return Err(Error::argument(
                    "to_pytorch",
                    "peepholes",
                    "some",
                    "none: nn.LSTM has not got any",
                ));
            }
            let end = self.suffix(k);
            let bias = weights.bias.value();
            state.insert(format!("weight_ih{end}"), weights.input.value().transpose()?);
            state.insert(format!("weight_hh{end}"), weights.recurrent.value().transpose()?);
            state.insert(format!("bias_hh{end}"), bias.zeros_like());
            state.insert(format!("bias_ih{end}"), bias);
        }
        Ok(state)
    }

    /// The LSTM that PyTorch's `nn.LSTM` with this state is; its two biases are added. Dropout, which the state does not know, is none.
    ///
    /// # Errors
    /// If a tensor is missing, of another shape, or unknown, as those of a projection are.
    ///
    /// ```
    /// use gradus_lstm::{Lstm, LstmShape};
    /// use rand::{SeedableRng, rngs::ChaCha8Rng};
    /// let shape = LstmShape { layers: 2, bidirectional: true, ..LstmShape::new(3, 4) };
    /// let lstm = Lstm::<f32>::new(shape, &mut ChaCha8Rng::seed_from_u64(1))?;
    /// let theirs = lstm.to_pytorch()?;
    /// assert_eq!(theirs["weight_ih_l1_reverse"].shape(), [16, 8]);
    /// assert_eq!(Lstm::from_pytorch(&theirs)?.to_pytorch()?, theirs);
    /// # Ok::<(), gradus_tensor::Error>(())
    /// ```
    pub fn from_pytorch(state: &BTreeMap<String, Tensor<T>>) -> Result<Self> {
        let op = "from_pytorch";
        let get = |name: &str| {
            let known = || state.keys().cloned().collect::<Vec<_>>().join(", ");
            state.get(name).ok_or_else(|| {
                Error::argument(op, "tensor", "none", format!("{name}; there are {}", known()))
            })
        };
        let bidirectional = state.contains_key("weight_ih_l0_reverse");
        let layers = (0..).take_while(|l| state.contains_key(&format!("weight_ih_l{l}"))).count().max(1);
        let ends: Vec<String> = (0..layers)
            .flat_map(|l| [Some(format!("_l{l}")), bidirectional.then(|| format!("_l{l}_reverse"))])
            .flatten()
            .collect();
        let (mut weights, mut seen) = (Vec::new(), Vec::new());
        for end in &ends {
            let names = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"].map(|name| format!("{name}{end}"));
            let [w, u] = [get(&names[0])?.transpose()?, get(&names[1])?.transpose()?];
            let bias = match (state.get(&names[2]), state.get(&names[3])) {
                (None, None) => Tensor::zeros([u.shape().size(1)?])?, // bias=False
                _ => get(&names[2])?.add(get(&names[3])?)?,
            };
            weights.push(LstmWeights::new(w, u, bias, None)?);
            seen.extend(names);
        }
        if let Some(name) = state.keys().find(|name| !seen.contains(name)) {
            return Err(Error::argument(op, "tensor", name, format!("only {}", seen.join(", "))));
        }
        let (inputs, hidden) = (weights[0].input.shape().dims()[0], weights[0].hidden());
        Self::from_weights(LstmShape { layers, bidirectional, ..LstmShape::new(inputs, hidden) }, weights)
    }

    /// The weights of each layer as ONNX' operator `LSTM` takes them.
    ///
    /// # Errors
    /// None that the sizes have not had.
    pub fn to_onnx(&self) -> Result<Vec<OnnxLstm<T>>> {
        let directions = if self.shape().bidirectional { 2 } else { 1 };
        let ours = GateOrder::PYTORCH;
        let layer = |weights: &[LstmWeights<T>]| {
            let each = |f: &dyn Fn(&LstmWeights<T>) -> Result<Tensor<T>>| {
                let parts = weights.iter().map(f).collect::<Result<Vec<_>>>()?;
                Tensor::stack(&parts.iter().collect::<Vec<_>>(), 0)
            };
            let turned = |matrix: Tensor<T>| ours.convert(&matrix, 1, GateOrder::ONNX)?.transpose();
            let peepholes = |weights: &LstmWeights<T>| match &weights.peepholes {
                // i, f, o to i, o, f
                Some(p) => Ok(p.value().gather(0, &[0, 2, 1])?.flatten()),
                None => Tensor::zeros([0]),
            };
            Ok(OnnxLstm {
                w: each(&|weights| turned(weights.input.value()))?,
                r: each(&|weights| turned(weights.recurrent.value()))?,
                b: each(&|weights| {
                    let bias = ours.convert(&weights.bias.value(), 0, GateOrder::ONNX)?;
                    Tensor::concatenate(&[&bias, &bias.zeros_like()], 0)
                })?,
                p: if self.shape().peepholes { Some(each(&peepholes)?) } else { None },
            })
        };
        self.layers().chunks(directions).map(layer).collect()
    }

    /// The LSTM of these layers of ONNX' operator; their two biases are added.
    ///
    /// # Errors
    /// If there is no layer, or shapes do not fit.
    pub fn from_onnx(layers: &[OnnxLstm<T>]) -> Result<Self> {
        let Some(first) = layers.first() else {
            return Err(Error::argument("from_onnx", "layers", 0, "at least 1"));
        };
        let &[directions @ 1..=2, _, inputs] = first.w.dims() else {
            return Err(Error::shape("from_onnx", "W of the shape [1 or 2, 4H, D]", first.w.shape()));
        };
        let mut weights = Vec::new();
        for layer in layers {
            for k in 0..directions {
                let turned = |matrix: &Tensor<T>| {
                    GateOrder::ONNX.convert(&matrix.select(0, k)?.transpose()?, 1, GateOrder::PYTORCH)
                };
                let (w, u) = (turned(&layer.w)?, turned(&layer.r)?);
                let (both, four) = (layer.b.select(0, k)?, u.shape().size(1)?);
                let bias = both.slice(0, 0..four)?.add(&both.slice(0, four..2 * four)?)?;
                let bias = GateOrder::ONNX.convert(&bias, 0, GateOrder::PYTORCH)?;
                let peepholes = match &layer.p {
                    Some(p) => Some(p.select(0, k)?.reshape([3, four / 4])?.gather(0, &[0, 2, 1])?),
                    None => None,
                };
                weights.push(LstmWeights::new(w, u, bias, peepholes)?);
            }
        }
        let shape = LstmShape {
            layers: layers.len(),
            bidirectional: directions == 2,
            peepholes: first.p.is_some(),
            ..LstmShape::new(inputs, weights[0].hidden())
        };
        Self::from_weights(shape, weights)
    }
}
