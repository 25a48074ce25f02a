//! The properties of the architectures, a file for each: here is what they share.

mod alexnet;
mod derivations;
mod graph;
mod lenet;
mod lenet1998;
mod recipe;
mod resnet;
mod unet;
mod vgg;
mod xception;

use crate::{Action, Graph, Step};
use gradus_autograd::{Layer, Mode, Name, Op, Parameters, Slot, SlotMut, Var, composite_gradient_property};
use gradus_cnn::{Convolution, MaxPool, Window};
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_tensor::{Result, Tensor, rng};
use rand_distr::StandardNormal;
use std::collections::BTreeMap;

/// Rounding of sums of some hundreds of terms of size 1, in another order, through five layers.
const ROUNDING: f64 = 1e-11;

/// The properties in parts: who wants those of one chapter, as a page of the book does, need not take along all others.
pub const PROPERTIES: &[fn() -> Vec<Property>] = &[
    lenet::properties,
    lenet1998::properties,
    graph::walked,
    graph::counted,
    alexnet::properties,
    vgg::properties,
    resnet::block,
    resnet::claims,
    recipe::properties,
    xception::separable,
    xception::network,
    unet::sizes,
    unet::levels,
    unet::skips,
    derivations::properties,
];

/// The properties and refutations of this crate.
pub fn properties() -> Vec<Property> {
    PROPERTIES.iter().flat_map(|part| part()).collect()
}

/// Standard normal numbers from a seed; `which` tells several of one seed apart.
fn normal(case: &Case<'_>, which: u64, dims: &[usize]) -> Result<Tensor<f64>> {
    Tensor::random(dims, &StandardNormal, &mut rng(case.seed("values") ^ (which << 40)))
}

/// Small whole numbers, with which sums of products are exact.
fn whole(case: &Case<'_>, which: u64, dims: &[usize]) -> Result<Tensor<f64>> {
    Ok(normal(case, which, dims)?.map(|v| (3.0 * v).round()))
}

/// 0 where `yes`, else ∞: a residual for what is true or false.
fn holds(yes: bool) -> f64 {
    if yes { 0.0 } else { f64::INFINITY }
}

fn apart<N: TryInto<i128>>(a: N, b: N) -> f64 {
    // Whole numbers of 64 bits are far below the limits of one of 128.
    match (a.try_into(), b.try_into()) {
        (Ok(a), Ok(b)) => a.abs_diff(b) as f64,
        _ => f64::NAN,
    }
}

fn of(layer: &impl Layer<f64>, x: &Tensor<f64>) -> Result<Tensor<f64>> {
    Ok(layer.forward(&Var::constant(x.clone()), &mut Mode::Eval)?.value())
}

/// Puts a variable in the place of parameter number `which`.
fn replace(net: &mut dyn Parameters<f64>, which: usize, by: &Var<f64>) {
    let mut at = 0;
    net.visit_mut(&mut Name::default(), &mut |_, slot| {
        if let SlotMut::Parameter(var) = slot {
            if at == which {
                *var = by.clone();
            }
            at += 1;
        }
    });
}

/// A state by its names.
fn part<'a>(state: &'a BTreeMap<String, Tensor<f64>>, name: &str) -> Result<&'a Tensor<f64>, Failure> {
    state.get(name).ok_or_else(|| Failure::Error(format!("no `{name}` in the state")))
}

/// New numbers for what begins as 0 or 1, so that it shows: biases, gains, shifts, running statistics. Biases and shifts lie between 1 and 2 on either side of 0, and gains are small, so that few
/// ReLUs are near their kink.
fn stirred(net: &impl Parameters<f64>, case: &Case<'_>) -> Result<(), Failure> {
    changed(net, case, |kind, draws| match kind {
        Kind::Shift => draws.map(|v| v.signum() * (1.0 + v.abs().min(1.0))),
        Kind::Gain => draws.map(|v| 0.03 * v),
    })
}

/// The same with gains around 1 and shifts so large that every ReLU is open: what a batch's statistics do is smooth then.
fn opened(net: &impl Parameters<f64>, case: &Case<'_>) -> Result<(), Failure> {
    changed(net, case, |kind, draws| match kind {
        Kind::Shift => draws.map(|v| 9.0 + v),
        Kind::Gain => draws.map(|v| 1.0 + 0.2 * v.sin()),
    })
}

/// What is added, and what is multiplied.
enum Kind {
    Shift,
    Gain,
}

fn changed(
    net: &impl Parameters<f64>,
    case: &Case<'_>,
    new: impl Fn(Kind, Tensor<f64>) -> Tensor<f64>,
) -> Result<(), Failure> {
    let mut state = net.state();
    for (which, (name, value)) in (100..).zip(&mut state) {
        let draws = normal(case, which, value.dims())?;
        *value = match name.rsplit('.').next() {
            Some("bias") => new(Kind::Shift, draws),
            Some("running_mean") => draws.map(|v| 0.1 * v),
            Some("running_var") => draws.map(|v| 1.0 + v.abs()),
            Some("weight") if value.rank() == 1 => new(Kind::Gain, draws),
            _ => continue,
        };
    }
    net.load_state(&state).map_err(|e| Failure::Error(e.to_string()))
}

/// Gives all weights and the bias of a filter one sign, which alternates from filter to filter: of maps that are not negative, every ReLU is then clearly open or clearly closed. `alternating` says whether
/// every second one is.
fn one_signed(net: &impl Parameters<f64>, alternating: bool) -> Result<(), Failure> {
    let mut state = net.state();
    for value in state.values_mut().filter(|value| value.rank() == 4 || value.rank() == 1) {
        let size = value.len() / value.dims()[0].max(1);
        for (k, filter) in value.as_mut_slice().chunks_exact_mut(size.max(1)).enumerate() {
            let sign = if alternating && k % 2 == 1 { -1.0 } else { 1.0 };
            filter.iter_mut().for_each(|w| *w = sign * w.abs());
        }
    }
    net.load_state(&state).map_err(|e| Failure::Error(e.to_string()))
}

/// The generator of a network's first weights.
fn start(case: &Case<'_>) -> rand::rngs::ChaCha8Rng {
    rng(case.seed("values"))
}

/// A convolution of a state, as a function on tensors.
fn conv(
    x: &Tensor<f64>,
    state: &BTreeMap<String, Tensor<f64>>,
    name: &str,
    window: Window,
    groups: usize,
) -> Result<Tensor<f64>, Failure> {
    let bias = state.get(&format!("{name}.bias"));
    let op = Convolution::new([window; 2]).groups(groups);
    Ok(op.value(x, part(state, &format!("{name}.weight"))?, bias)?)
}

/// A normalisation of a state with its running statistics, number by number.
fn norm(x: &Tensor<f64>, state: &BTreeMap<String, Tensor<f64>>, name: &str) -> Result<Tensor<f64>, Failure> {
    let of = |what: &str| part(state, &format!("{name}.{what}"));
    let (mean, variance) = (of("running_mean")?, of("running_var")?);
    let (gain, shift) = (of("weight")?, of("bias")?);
    let y = Tensor::from_fn(x.dims(), |at| {
        let c = at[1];
        let x = x.get(at).unwrap_or(f64::NAN);
        let centred = (x - mean.as_slice()[c]) / (variance.as_slice()[c] + 1e-5).sqrt();
        gain.as_slice()[c] * centred + shift.as_slice()[c]
    })?;
    Ok(y)
}

/// The largest of windows.
fn pooled(x: &Tensor<f64>, size: usize, stride: usize) -> Result<Tensor<f64>> {
    MaxPool::new([Window::new(size).stride(stride); 2]).eval([x])
}

/// A dense layer of a state.
fn dense(x: &Tensor<f64>, state: &BTreeMap<String, Tensor<f64>>, name: &str) -> Result<Tensor<f64>, Failure> {
    let (weight, bias) = (part(state, &format!("{name}.weight"))?, part(state, &format!("{name}.bias"))?);
    Ok(x.matmul(weight)?.add(bias)?)
}

/// The gradients of a network's image and of one of its parameters, which a draw chooses, against differences. `make` gives the network and the image.
fn network_gradient<N: Layer<f64> + Clone + 'static>(
    property: Property,
    training: bool,
    make: impl Fn(&mut Case<'_>) -> Result<(N, Tensor<f64>), Failure> + Send + Sync + 'static,
) -> Property {
    composite_gradient_property(property.draw(Draw::size("parameter", 0..=40)).costly(4), move |case| {
        let (net, x) = make(case)?;
        let parameters = net.named_parameters();
        let which = case.size("parameter") % parameters.len();
        let own = parameters[which].1.value();
        let f = move |vars: &[Var<f64>]| {
            let mut own = net.clone();
            replace(&mut own, which, &vars[1]);
            let mut rng = rng(1);
            let mut mode = if training { Mode::Train(&mut rng) } else { Mode::Eval };
            own.forward(&vars[0], &mut mode)
        };
        Ok((f, vec![x, own]))
    })
}

/// The kinds of the nodes that read a node.
fn readers<'g, T: gradus_tensor::Scalar>(graph: &'g Graph<'_, T>, node: usize) -> Vec<&'g str> {
    graph.nodes().iter().filter(|n| n.inputs.contains(&node)).map(|n| n.action.kind()).collect()
}

/// Whether a node is a convolution of windows of this size.
fn convolves<T: gradus_tensor::Scalar>(action: &Action<'_, T>, size: usize) -> bool {
    matches!(action, Action::Step(Step::Conv(layer)) if layer.shape().windows[0].size == size)
}

/// How many numbers a network learns.
fn count(net: &impl Parameters<f32>) -> usize {
    net.parameter_count()
}

/// Every parameter of a layer, whatever it is for.
fn learned(net: &impl Parameters<f64>) -> usize {
    let mut count = 0;
    net.visit(&mut Name::default(), &mut |_, slot| {
        if let Slot::Parameter(var) = slot {
            count += var.shape().elements();
        }
    });
    count
}
