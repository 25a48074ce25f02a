//! The number of threads changes no bit of any operation: value and gradients, of inputs that are cut into several blocks.
//!
//! A new operation is one line in [`operations`]; the second test finds those that are missing.
#![allow(clippy::unwrap_used)] // helpers of tests are tests too

use gradus_activations as activations;
use gradus_architectures as networks;
use gradus_autograd::{Op, OpMany, ops};
use gradus_cnn::{
    AdaptiveAveragePool, AdaptiveMaxPool, Algorithm, AveragePool, Convolution, MaxPool, Pad, PaddingMode,
    TransposedConvolution, Upsample, Window,
};
use gradus_diffusion::{Mix, SquaredError};
use gradus_layers as layers;
use gradus_losses::{self as losses, Elementwise, Reduction};
use gradus_lstm::Recurrence;
use gradus_tensor::{Shape, Tensor, Transpose, with_threads};
use gradus_transformer::{Attention, Mask, Rotary};
use rand::{SeedableRng, rngs::ChaCha8Rng};
use rand_distr::StandardNormal;
use std::collections::BTreeSet;
use std::path::Path;

/// More than three blocks of the elementwise functions; rows and columns that are no multiples of anything.
const ROWS: usize = 307;
const COLUMNS: usize = 401;

fn normal(dims: &[usize], seed: u64) -> Tensor<f32> {
    Tensor::random(dims, &StandardNormal, &mut ChaCha8Rng::seed_from_u64(seed)).unwrap()
}

fn matrix() -> Tensor<f32> {
    normal(&[ROWS, COLUMNS], 1)
}

/// Rows of probabilities.
fn probabilities(seed: u64) -> Tensor<f32> {
    activations::softmax(&normal(&[ROWS, COLUMNS], seed), 1).unwrap()
}

fn classes() -> Tensor<u32> {
    (0..ROWS as u32).map(|i| i * 7 % COLUMNS as u32).collect()
}

/// The bits of everything that an operation computes.
fn bits<O: Op<f32, N>, const N: usize>(op: &O, inputs: [&Tensor<f32>; N]) -> Vec<u32> {
    let (value, saved) = op.forward(inputs).unwrap();
    let cotangent = normal(value.dims(), 99);
    let gradients = op.vjp(inputs, &saved, &cotangent, [true; N]).unwrap();
    let all = [Some(value), Some(op.eval(inputs).unwrap())].into_iter().chain(gradients).flatten();
    all.flat_map(|t| t.into_vec()).map(f32::to_bits).collect()
}

fn bits_of_many<O: OpMany<f32>>(op: &O, inputs: &[&Tensor<f32>]) -> Vec<u32> {
    let (value, saved) = op.forward(inputs).unwrap();
    let cotangent = normal(value.dims(), 99);
    let gradients = op.vjp(inputs, &saved, &cotangent, &vec![true; inputs.len()]).unwrap();
    let all = std::iter::once(Some(value)).chain(gradients).flatten();
    all.flat_map(|t| t.into_vec()).map(f32::to_bits).collect()
}

/// An operation's name, and what it computes.
type Operation = (&'static str, Box<dyn Fn() -> Vec<u32> + Sync>);

fn operation<O: Op<f32, N>, const N: usize>(
    name: &'static str,
    op: O,
    inputs: [Tensor<f32>; N],
) -> Operation {
    (name, Box::new(move || bits(&op, inputs.each_ref())))
}

fn pointwise<A: activations::Activation>(name: &'static str, activation: A) -> Operation {
    operation(name, activations::Pointwise(activation), [matrix()])
}

fn componentwise<L: losses::Componentwise>(
    name: &'static str,
    loss: L,
    inputs: [Tensor<f32>; 2],
) -> Operation {
    operation(name, Elementwise { loss, reduction: Reduction::Mean }, inputs)
}

fn operations() -> Vec<Operation> {
    let (x, positive) = (matrix(), matrix().exp());
    let reduction = Reduction::Mean;
    let pairs = || [matrix(), normal(&[ROWS, COLUMNS], 2)];
    let shape = |dims: &[usize]| Shape::new(dims).unwrap();
    let scaled = || [matrix(), normal(&[COLUMNS], 5), normal(&[COLUMNS], 6)];
    let (mean, variance) = (normal(&[COLUMNS], 7), normal(&[COLUMNS], 8).exp());
    let fixed = layers::FixedNormalization { mean, variance, eps: 1e-5 };
    vec![
        operation("Add", ops::Add, pairs()),
        operation("Sub", ops::Sub, [matrix(), normal(&[COLUMNS], 2)]),
        operation("Mul", ops::Mul, [matrix(), normal(&[ROWS, 1], 2)]),
        operation("Div", ops::Div, [matrix(), positive.clone()]),
        operation("Neg", ops::Neg, [x.clone()]),
        operation("Scale", ops::Scale(0.3), [x.clone()]),
        operation("Exp", ops::Exp, [x.clone()]),
        operation("Ln", ops::Ln, [positive.clone()]),
        operation("Sqrt", ops::Sqrt, [positive.clone()]),
        operation("PowF", ops::PowF(0.7), [positive]),
        operation("PowI", ops::PowI(3), [x.clone()]),
        operation("Reshape", ops::Reshape(shape(&[COLUMNS, ROWS])), [x.clone()]),
        operation("Permute", ops::Permute(vec![1, 0]), [x.clone()]),
        operation("Slice", ops::Slice { axis: 0, range: 3..ROWS - 2 }, [x.clone()]),
        operation("Gather", ops::Gather { axis: 0, indices: classes_within(ROWS).into_vec() }, [x.clone()]),
        operation("BroadcastTo", ops::BroadcastTo(shape(&[3, ROWS, COLUMNS])), [x.clone()]),
        operation("MatMul", ops::MatMul { left: Transpose::No, right: Transpose::Yes }, pairs()),
        operation("Sum", ops::Sum, [x.clone()]),
        operation("SumAxis", ops::SumAxis(0), [x.clone()]),
        operation("Mean", ops::Mean, [x.clone()]),
        operation("MeanAxis", ops::MeanAxis(1), [x.clone()]),
        ("Concatenate", {
            let parts = pairs();
            Box::new(move || bits_of_many(&ops::Concatenate(0), &[&parts[0], &parts[1]]))
        }),
        pointwise("Elu", activations::Elu { alpha: 0.9 }),
        pointwise("Gelu", activations::Gelu),
        pointwise("GeluTanh", activations::GeluTanh),
        pointwise("HardSigmoid", activations::HardSigmoid),
        pointwise("HardSwish", activations::HardSwish),
        pointwise("HardTanh", activations::HardTanh),
        pointwise("LeakyRelu", activations::LeakyRelu { slope: 0.1 }),
        pointwise("LogSigmoid", activations::LogSigmoid),
        operation("Logit", activations::Pointwise(activations::Logit), [probabilities(3)]),
        pointwise("Mish", activations::Mish),
        pointwise("Relu", activations::Relu),
        pointwise("Selu", activations::Selu),
        pointwise("Sigmoid", activations::Sigmoid),
        pointwise("Silu", activations::Silu),
        pointwise("Softplus", activations::Softplus),
        pointwise("Tanh", activations::Tanh),
        operation("PRelu", activations::PRelu, [matrix(), normal(&[COLUMNS], 2)]),
        operation("Softmax", activations::Softmax { axis: 1, temperature: 1.3 }, [x.clone()]),
        operation("Softmax", activations::Softmax { axis: 0, temperature: 1.0 }, [x.clone()]),
        operation("LogSoftmax", activations::LogSoftmax { axis: 1, temperature: 1.0 }, [x.clone()]),
        componentwise("L1", losses::L1, pairs()),
        componentwise("Mse", losses::Mse, pairs()),
        componentwise("Huber", losses::Huber { delta: 0.7 }, pairs()),
        componentwise("Bce", losses::Bce, [probabilities(3), probabilities(4)]),
        componentwise("BceWithLogits", losses::BceWithLogits, [matrix(), probabilities(4)]),
        componentwise("Focal", losses::Focal { gamma: 2.0, alpha: 0.25 }, [matrix(), probabilities(4)]),
        operation("CrossEntropy", losses::CrossEntropy::new(&classes()).label_smoothing(0.1), [x.clone()]),
        operation("SoftCrossEntropy", losses::SoftCrossEntropy { reduction }, [x.clone(), probabilities(4)]),
        operation("Hinge", losses::Hinge::new(&classes()), [x.clone()]),
        operation("Nll", losses::Nll { classes: classes().into_vec(), reduction }, [x.clone()]),
        operation("Kl", losses::Kl { reduction }, [probabilities(3).ln(), probabilities(4)]),
        operation("Mix", Mix::new((0..ROWS).map(|n| [n as f64 / 300.0, 0.3]).collect::<Vec<_>>()), pairs()),
        operation("SquaredError", SquaredError::default(), pairs()),
        operation("Affine", layers::Affine, [matrix(), normal(&[COLUMNS, 65], 2), normal(&[65], 3)]),
        operation(
            "Convolution",
            Convolution::new([Window::new(3).padded(1); 2]),
            [normal(&[6, 9, 33, 29], 1), normal(&[17, 9, 3, 3], 2), normal(&[17], 3)],
        ),
        operation(
            "Convolution",
            Convolution::new([Window::new(3).stride(2), Window::new(2).dilation(2)]).groups(9),
            [normal(&[6, 9, 33, 29], 1), normal(&[18, 1, 3, 2], 2), normal(&[18], 3)],
        ),
        operation(
            "Convolution",
            Convolution::new([Window::new(3).padded(1); 2]),
            [normal(&[6, 40, 29, 31], 1), normal(&[96, 40, 3, 3], 2), normal(&[96], 3)],
        ),
        operation(
            "Convolution",
            Convolution::new([Window::new(3).padded(1); 2]).by(Algorithm::Winograd2),
            [normal(&[2, 33, 29, 31], 1), normal(&[128, 33, 3, 3], 2), normal(&[128], 3)],
        ),
        operation(
            "Convolution",
            Convolution::new([Window::new(3); 2]).by(Algorithm::Unfold),
            [normal(&[6, 9, 33, 29], 1), normal(&[17, 9, 3, 3], 2), normal(&[17], 3)],
        ),
        operation(
            "TransposedConvolution",
            TransposedConvolution::new([Window::new(3).stride(2).padded(1); 2]).output_padding([1, 0]),
            [normal(&[6, 17, 16, 15], 1), normal(&[17, 9, 3, 3], 2), normal(&[9], 3)],
        ),
        operation(
            "MaxPool",
            MaxPool::new([Window::new(3).stride(2).padded(1); 2]),
            [normal(&[6, 9, 65, 67], 1)],
        ),
        operation(
            "AveragePool",
            AveragePool::new([Window::new(3).stride(2); 2]),
            [normal(&[6, 9, 65, 67], 1)],
        ),
        operation("AdaptiveMaxPool", AdaptiveMaxPool::new([7, 5]), [normal(&[6, 9, 65, 67], 1)]),
        operation("AdaptiveAveragePool", AdaptiveAveragePool::new([7, 5]), [normal(&[6, 9, 65, 67], 1)]),
        operation("Pad", Pad::new([[3, 1], [0, 5]]).mode(PaddingMode::Reflect), [normal(&[6, 9, 65, 67], 1)]),
        operation("Upsample", Upsample::to([67, 130]).bilinear(), [normal(&[6, 9, 33, 29], 1)]),
        operation(
            "Recurrence",
            Recurrence { lengths: Some(vec![11, 3, 0, 11, 7, 11, 11]), reverse: true, states: true },
            [
                normal(&[7, 11, 13], 1),
                normal(&[7, 37], 2),
                normal(&[7, 37], 3),
                normal(&[13, 148], 4),
                normal(&[37, 148], 5),
                normal(&[148], 6),
            ],
        ),
        operation(
            "Attention",
            Attention { key_heads: Some(2), ..Attention::new(6, Mask::causal()) },
            [normal(&[3, 211, 90], 1), normal(&[3, 211, 30], 2), normal(&[3, 211, 26], 3)],
        ),
        operation("Rotary", Rotary::new(30, 100.0).unwrap(), [normal(&[3, 211, 90], 1)]),
        pointwise("ScaledTanh", networks::ScaledTanh),
        operation("RadialBasis", networks::RadialBasis, [x.clone(), normal(&[67, COLUMNS], 2)]),
        operation(
            "SquashedMean",
            networks::SquashedMean(networks::Squashing::Tanh),
            [normal(&[6, 9, 64, 66], 1)],
        ),
        operation(
            "Subsample",
            networks::Subsample,
            [normal(&[6, 9, 64, 66], 1), normal(&[9], 2), normal(&[9], 3)],
        ),
        operation(
            "Spread",
            networks::Spread(networks::Connections::new(6, &networks::TABLE).unwrap()),
            [normal(&[60, 5, 5], 1)],
        ),
        operation("LocalResponse", networks::LocalResponse::published(), [normal(&[6, 9, 65, 67], 1)]),
        operation("Widen", networks::Widen { channels: 13 }, [normal(&[6, 9, 65, 67], 1)]),
        operation(
            "CropConcat",
            networks::CropConcat,
            [normal(&[6, 9, 65, 67], 1), normal(&[6, 5, 60, 33], 2)],
        ),
        operation("Lookup", layers::Lookup { ids: classes_within(ROWS), padding: Some(3) }, [x.clone()]),
        operation("Mask", layers::Mask { p: 0.3, key: 5 }, [x.clone()]),
        operation("ChannelMask", layers::ChannelMask { p: 0.3, key: 5 }, [normal(&[6, 9, 65, 67], 1)]),
        operation("BatchNormalization", layers::BatchNormalization { eps: 1e-5 }, scaled()),
        operation("FixedNormalization", fixed, scaled()),
        operation("LayerNormalization", layers::LayerNormalization { eps: 1e-5 }, scaled()),
        operation(
            "RmsNormalization",
            layers::RmsNormalization { eps: 1e-5 },
            [matrix(), normal(&[COLUMNS], 5)],
        ),
        operation("GroupNormSilu", layers::GroupNormSilu { groups: 1, eps: 1e-5 }, scaled()),
        operation("GroupNormSilu", layers::GroupNormSilu { groups: 1, eps: 1e-5 }, {
            let [x, gain, bias] = scaled();
            [x, normal(&[ROWS, COLUMNS], 9), gain, bias]
        }),
        operation("GroupNormalization", layers::GroupNormalization { groups: 1, eps: 1e-5 }, scaled()),
        operation("Dice", losses::Dice { smooth: 1.0, reduction }, [probabilities(3), probabilities(4)]),
    ]
}

fn classes_within(n: usize) -> Tensor<u32> {
    (0..2 * n as u32).map(|i| i * 5 % n as u32).collect()
}

#[test]
fn the_number_of_threads_changes_no_bit_of_any_operation() {
    let changed: Vec<_> = operations()
        .iter()
        .filter(|(_, compute)| {
            let one = with_threads(1, compute);
            [2, 3].into_iter().any(|threads| with_threads(threads, compute) != one)
        })
        .map(|(name, _)| *name)
        .collect();
    assert!(changed.is_empty(), "other bits on another number of threads: {changed:?}");
}

/// The types for which the crates' sources implement an operation, an activation or a componentwise loss.
fn implemented() -> BTreeSet<String> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
    let mut found = BTreeSet::new();
    let mut folders: Vec<_> =
        std::fs::read_dir(crates).unwrap().map(|krate| krate.unwrap().path().join("src")).collect();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                found.extend(text.lines().filter_map(of_impl));
            }
        }
    }
    found
}

/// `Relu` of `impl Activation for Relu {`, `Sum` of `impl<T: Scalar> Op<T, 1> for Sum {`.
fn of_impl(line: &str) -> Option<String> {
    let (head, name) = line.strip_prefix("impl")?.split_once(" for ")?;
    let mut depth = 0;
    let end_of_generics = head.char_indices().find(|(_, c)| {
        depth += i32::from(*c == '<') - i32::from(*c == '>');
        depth == 0
    });
    let head = if head.starts_with('<') { &head[end_of_generics?.0 + 1..] } else { head };
    let name_of = |text: &str| text.trim().split(['<', ' ']).next().unwrap_or_default().to_owned();
    ["Op", "OpMany", "Activation", "Componentwise"].contains(&name_of(head).as_str()).then(|| name_of(name))
}

#[test]
fn no_operation_is_left_out() {
    let tested: BTreeSet<_> = operations().into_iter().map(|(name, _)| name.to_owned()).collect();
    // The two that turn a function of a number into an operation are tested with every such function.
    let generic = ["Pointwise", "Elementwise"];
    let found = implemented();
    assert!(found.contains("Relu") && found.contains("Sum") && found.contains("Mse"), "{found:?}");
    let missing: Vec<_> =
        found.iter().filter(|name| !tested.contains(*name) && !generic.contains(&name.as_str())).collect();
    assert!(missing.is_empty(), "add to `operations` in {}: {missing:?}", file!());
}
