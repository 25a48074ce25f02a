//! A trained network, made ready to be used: normalisations folded into the convolutions before them, ReLUs done on the way out of these, sums in place, values dropped when nobody reads them any more.

use crate::{Action, Forward, Graph, Join, Step, Walk};
use gradus_activations::relu;
use gradus_autograd::{Mode, Op, Var, no_grad};
use gradus_cnn::Conv2d;
use gradus_layers::FixedNormalization;
use gradus_tensor::kernel::{BLOCK, for_each_block, vectorize};
use gradus_tensor::{Result, Scalar, Tensor};

/// What is done for one value.
enum Make<'a, T: Scalar> {
    /// Nothing: the image.
    Input,
    /// A convolution, with the normalisation that followed it.
    Conv(Box<Conv2d<T>>),
    /// A normalisation that follows something else: statistics, gain, shift.
    Norm(Box<(FixedNormalization<T>, Tensor<T>, Tensor<T>)>),
    /// A ReLU of what others read too, as it was.
    Relu,
    /// A step as it is.
    Step(Step<'a, T>),
    Join(Join),
}

/// A value: how it is made, of which others, whether it is rectified, and which are not needed any more then.
struct Planned<'a, T: Scalar> {
    make: Make<'a, T>,
    inputs: Vec<usize>,
    rectified: bool,
    done_with: Vec<usize>,
}

/// A network in evaluation, planned once and run as often as wished.
///
/// It gives what the network's forward pass gives, to rounding: a folded normalisation multiplies the weights instead of the sums. It is of the network as it is now: folded weights are its own, and others are shared, so
/// make a new one after more training.
///
/// ```
/// use gradus_architectures::{Architecture, Inference, ResNet, ResNetShape, Start};
/// use gradus_autograd::{Layer, Mode, Var};
/// use gradus_tensor::Tensor;
/// use rand::{SeedableRng, rngs::ChaCha8Rng};
/// let shape = ResNetShape { width: 4, ..ResNetShape::cifar(1)? };
/// let net = ResNet::<f64>::new(&shape, &mut Start::Random(&mut ChaCha8Rng::seed_from_u64(1)))?;
/// let x = Tensor::from_fn([2, 3, 32, 32], |i| ((i[1] + 2 * i[2] + 3 * i[3]) % 7) as f64)?;
/// let scores = Inference::of(&net.graph([3, 32, 32])?)?.run(&x)?;
/// let plain = net.forward(&Var::constant(x), &mut Mode::Eval)?.value();
/// assert!(scores.max_difference(&plain)? < 1e-12);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub struct Inference<'a, T: Scalar> {
    planned: Vec<Planned<'a, T>>,
    result: usize,
}

impl<'a, T: Scalar> Inference<'a, T> {
    /// A plan of a network.
    ///
    /// # Errors
    /// If a normalisation has another number of channels than what it normalises.
    pub fn of(graph: &Graph<'a, T>) -> Result<Self> {
        let nodes = graph.nodes();
        let mut readers = vec![0usize; nodes.len()];
        for input in nodes.iter().flat_map(|node| &node.inputs) {
            readers[*input] += 1;
        }
        // Whoever asked reads the result.
        readers[graph.result()] += 1;
        // For each node, which planned value is its own: that of the node before, where it is done in place; and whether a single node reads it.
        let mut value = vec![0; nodes.len()];
        let mut alone: Vec<bool> = readers.iter().map(|&readers| readers == 1).collect();
        let mut planned: Vec<Planned<'a, T>> = Vec::new();
        for (i, node) in nodes.iter().enumerate() {
            let inputs: Vec<usize> = node.inputs.iter().map(|&input| value[input]).collect();
            // Whether what comes in is read here only, and may be changed.
            let own = node.inputs.first().is_some_and(|&input| input > 0 && alone[input]);
            let before = inputs.first().and_then(|&input| planned.get_mut(input)).filter(|_| own);
            let make = match (&node.action, before) {
                (Action::Input, _) => Make::Input,
                (
                    Action::Step(Step::Norm(norm)),
                    Some(Planned { make: Make::Conv(conv), rectified: false, .. }),
                ) => {
                    **conv = conv.folded(norm)?;
                    value[i] = inputs[0];
                    continue;
                }
                (Action::Step(Step::Relu), Some(before)) => {
                    before.rectified = true;
                    value[i] = inputs[0];
                    continue;
                }
                (Action::Step(Step::Relu), None) => Make::Relu,
                (Action::Step(Step::Conv(conv)), _) => Make::Conv(Box::new((*conv).clone())),
                (Action::Step(Step::Norm(norm)), _) => {
                    Make::Norm(Box::new((norm.fixed(), norm.weight.value(), norm.bias.value())))
                }
                (Action::Step(Step::Dropout(_)), _) => {
                    value[i] = inputs[0];
                    alone[i] &= own;
                    continue;
                }
                (Action::Step(step), _) => Make::Step(*step),
                (Action::Join(join), _) => Make::Join(*join),
            };
            value[i] = planned.len();
            planned.push(Planned { make, inputs, rectified: false, done_with: Vec::new() });
        }
        // The last reader of a value drops it, but for the result.
        let result = value[graph.result()];
        for input in (0..planned.len()).filter(|&input| input != result) {
            let reader = planned.iter().rposition(|value| value.inputs.contains(&input));
            if let Some(reader) = reader {
                planned[reader].done_with.push(input);
            }
        }
        Ok(Self { planned, result })
    }

    /// The result for a batch of images.
    ///
    /// # Errors
    /// If the images have another shape than those that the network takes.
    pub fn run(&self, x: &Tensor<T>) -> Result<Tensor<T>> {
        let mut values: Vec<Option<Var<T>>> = vec![None; self.planned.len()];
        no_grad(|| {
            for (i, planned) in self.planned.iter().enumerate() {
                // An input is there as long as somebody will read it.
                let input = |which: usize| {
                    let value = planned.inputs.get(which).and_then(|&input| values[input].clone());
                    value.unwrap_or_else(|| Var::constant(x.clone()))
                };
                let mode = &mut Mode::Eval;
                let made = match &planned.make {
                    Make::Conv(conv) => Var::constant(conv.value(&input(0).value(), planned.rectified)?),
                    Make::Norm(norm) => {
                        let (fixed, gain, shift) = &**norm;
                        Var::constant(fixed.eval([&input(0).value(), gain, shift])?)
                    }
                    Make::Input => Var::constant(x.clone()),
                    Make::Relu => rectified(input(0)),
                    Make::Step(step) => Forward(mode).step("", *step, input(0))?,
                    Make::Join(Join::Add) => {
                        let [a, b] = [0, 1].map(|which| input(which).value());
                        drop_values(&mut values, &planned.done_with);
                        Var::constant(sum(a, b, planned.rectified)?)
                    }
                    Make::Join(join) => Walk::<T>::join(&mut Forward(mode), "", *join, input(0), input(1))?,
                };
                drop_values(&mut values, &planned.done_with);
                // Convolutions and sums have done it on the way.
                let fused = matches!(planned.make, Make::Conv(_) | Make::Join(Join::Add));
                values[i] = Some(if planned.rectified && !fused { rectified(made) } else { made });
            }
            Ok::<_, gradus_tensor::Error>(())
        })?;
        let result = values.swap_remove(self.result);
        Ok(result.map_or_else(|| x.clone(), |result| result.value()))
    }
}

fn drop_values<T: Scalar>(values: &mut [Option<Var<T>>], which: &[usize]) {
    for &done in which {
        values[done] = None;
    }
}

/// a + b, or max(0, a + b), in the place of one that nobody else has.
fn sum<T: Scalar>(mut a: Tensor<T>, b: Tensor<T>, rectify: bool) -> Result<Tensor<T>> {
    if a.shape() != b.shape() {
        return Ok(a.add(&b)?.map(if rectify { relu } else { |x| x }));
    }
    let other = b.as_slice();
    for_each_block(a.as_mut_slice(), BLOCK, |i, block| {
        vectorize(
            #[inline(always)]
            || {
                for (x, &y) in block.iter_mut().zip(&other[i * BLOCK..]) {
                    *x = if rectify { relu(*x + y) } else { *x + y };
                }
            },
        );
    });
    Ok(a)
}

/// max(0, x), in place if nobody else has the numbers.
fn rectified<T: Scalar>(x: Var<T>) -> Var<T> {
    let mut value = x.value();
    drop(x);
    for_each_block(value.as_mut_slice(), BLOCK, |_, block| {
        vectorize(
            #[inline(always)]
            || block.iter_mut().for_each(|x| *x = relu(*x)),
        );
    });
    Var::constant(value)
}
