//! What the networks refuse, what they leave alone, and their states.
#![allow(clippy::unwrap_used)] // helpers of tests are tests too

use gradus_architectures::{
    Connections, Forward, Graph, Inference, Join, LeNet, LeNet1998, LeNet1998Shape, LeNetShape, Network,
    RadialBasis, SparseConv2d, SquashedMean, Squashing, Step, Subsample, Walk, codes, radial_basis,
    subsample,
};
use gradus_autograd::{Layer, Mode, Op, Parameters, Var, parameters};
use gradus_cnn::{Conv2d, ConvShape};
use gradus_layers::{BatchNorm2d, Dropout};
use gradus_losses::CrossEntropy;
use gradus_tensor::{Result, Scalar, Tensor};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

fn rng() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(1)
}

fn modern(shape: LeNetShape) -> Result<LeNet<f64>> {
    LeNet::new(shape, Squashing::Tanh, &mut rng())
}

fn published() -> LeNet1998<f64> {
    LeNet1998::new(LeNet1998Shape::published(), &mut rng()).unwrap()
}

fn of(net: &dyn Layer<f64>, dims: &[usize]) -> Result<Tensor<f64>> {
    let x = Var::constant(Tensor::full(dims, 0.5)?);
    Ok(net.forward(&x, &mut Mode::Eval)?.value())
}

#[test]
fn states_have_the_names_and_shapes_of_the_layers() {
    let shapes = |net: &dyn Parameters<f64>| -> Vec<(String, Vec<usize>)> {
        net.state().into_iter().map(|(name, value)| (name, value.dims().to_vec())).collect()
    };
    let expected: [(&str, &[usize]); 10] = [
        ("conv1.bias", &[6]),
        ("conv1.weight", &[6, 1, 5, 5]),
        ("conv2.bias", &[16]),
        ("conv2.weight", &[16, 6, 5, 5]),
        ("fc1.bias", &[120]),
        ("fc1.weight", &[400, 120]),
        ("fc2.bias", &[84]),
        ("fc2.weight", &[120, 84]),
        ("fc3.bias", &[10]),
        ("fc3.weight", &[84, 10]),
    ];
    let same = |found: Vec<(String, Vec<usize>)>, expected: &[(&str, &[usize])]| {
        let found: Vec<_> = found.iter().map(|(name, dims)| (name.as_str(), dims.as_slice())).collect();
        assert_eq!(found, expected);
    };
    same(shapes(&modern(LeNetShape::mnist()).unwrap()), &expected);
    let expected: [(&str, &[usize]); 13] = [
        ("c1.bias", &[6]),
        ("c1.weight", &[6, 1, 5, 5]),
        ("c3.bias", &[16]),
        ("c3.weight", &[60, 5, 5]),
        ("c5.bias", &[120]),
        ("c5.weight", &[120, 16, 5, 5]),
        ("codes", &[10, 84]),
        ("f6.bias", &[84]),
        ("f6.weight", &[120, 84]),
        ("s2.bias", &[6]),
        ("s2.weight", &[6]),
        ("s4.bias", &[16]),
        ("s4.weight", &[16]),
    ];
    same(shapes(&published()), &expected);
}

#[test]
fn a_state_makes_the_same_network() {
    let (first, x) = (published(), [2, 1, 32, 32]);
    let other =
        LeNet1998::<f64>::new(LeNet1998Shape::published(), &mut ChaCha8Rng::seed_from_u64(2)).unwrap();
    assert!(!of(&first, &x).unwrap().same_bits(&of(&other, &x).unwrap()));
    other.load_state(&first.state()).unwrap(); // the codes too
    assert!(of(&first, &x).unwrap().same_bits(&of(&other, &x).unwrap()));
}

#[test]
fn every_parameter_learns_and_nothing_else() {
    let nets: [(Box<dyn Layer<f64>>, usize); 2] =
        [(Box::new(modern(LeNetShape::default()).unwrap()), 10), (Box::new(published()), 12)];
    for (net, count) in nets {
        let x = Var::constant(Tensor::full([3, 1, 32, 32], 0.3).unwrap());
        let scores = net.forward(&x, &mut Mode::Eval).unwrap();
        let loss = Var::apply(CrossEntropy::new(&Tensor::from([0u32, 1, 2])), [&scores]).unwrap();
        let gradients = loss.backward().unwrap();
        assert!(gradients.get(&x).is_none(), "nobody wants the image's gradient");
        assert_eq!(gradients.len(), count);
        for (name, var) in net.named_parameters() {
            let gradient = gradients.get(&var).unwrap();
            assert!(gradient.abs().max().unwrap() > 0.0, "{name} gets nothing");
        }
    }
}

#[test]
fn a_nan_in_an_image_is_a_nan_in_its_scores_and_in_no_others() {
    for squashing in [Squashing::Tanh, Squashing::Sigmoid, Squashing::Relu] {
        let net = LeNet::<f64>::new(LeNetShape::mnist(), squashing, &mut rng()).unwrap();
        let mut x = Tensor::full([2, 1, 28, 28], 0.5).unwrap();
        x.set([0, 0, 13, 13], f64::NAN).unwrap();
        let y = net.forward(&Var::constant(x), &mut Mode::Eval).unwrap().value();
        let (first, second) = y.as_slice().split_at(10);
        assert!(first.iter().all(|s| s.is_nan()) && second.iter().all(|s| s.is_finite()), "{squashing:?}");
    }
    // On the way back, too.
    for squashing in [Squashing::Tanh, Squashing::Sigmoid, Squashing::Relu] {
        let a = Tensor::from([[f64::NAN, 1.0], [1.0, 1.0]]).reshape([1, 1, 2, 2]).unwrap();
        let op = SquashedMean(squashing);
        let (_, values) = op.forward([&a]).unwrap();
        let [da] = op.vjp([&a], &values, &Tensor::ones([1, 1, 1, 1]).unwrap(), [true]).unwrap();
        assert!(da.unwrap().as_slice()[0].is_nan(), "{squashing:?}");
    }
}

#[test]
fn other_shapes_are_refused() {
    let net = modern(LeNetShape::mnist()).unwrap();
    for dims in [&[1, 1, 32, 32][..], &[1, 3, 28, 28], &[1, 28, 28], &[784], &[]] {
        let error = of(&net, dims).unwrap_err().to_string();
        assert!(error.starts_with("lenet: expected x of the shape [N, 1, 28, 28], got"), "{error}");
        let error = of(&published(), dims);
        assert_eq!(error.is_ok(), dims == [1, 1, 32, 32]);
    }
    assert_eq!(of(&net, &[0, 1, 28, 28]).unwrap().dims(), [0, 10]);
    let even = Tensor::<f64>::ones([1, 2, 4, 4]).unwrap();
    let two = Tensor::ones([2]).unwrap();
    let op = |dims: &[usize]| subsample(&Tensor::ones(dims).unwrap(), &two, &two);
    for dims in [&[1, 2, 3, 4][..], &[1, 2, 4, 5], &[1, 3, 4, 4], &[1, 2, 0, 4], &[2, 4, 4]] {
        assert!(op(dims).is_err(), "{dims:?}");
    }
    assert!(op(&[1, 2, 4, 4]).is_ok());
    let sums = Subsample.forward([&even, &two, &two]).unwrap().1;
    assert!(Subsample.vjp([&even, &two, &two], &sums, &even, [true; 3]).is_err());
    assert!(SquashedMean(Squashing::Tanh).eval([&Tensor::<f64>::ones([1, 1, 1, 4]).unwrap()]).is_err());
    let (x, c) = (Tensor::<f64>::ones([2, 3]).unwrap(), Tensor::ones([4, 5]).unwrap());
    assert!(
        radial_basis(&x, &c).is_err() && radial_basis(&x, &two).is_err() && radial_basis(&two, &x).is_err()
    );
    assert!(RadialBasis.vjp([&x, &x], &(), &x, [true; 2]).is_err());
}

#[test]
fn impossible_networks_are_refused() {
    let base = LeNetShape::default();
    let wrong = [
        LeNetShape { image: [15, 32], ..base },
        LeNetShape { image: [32, 0], ..base },
        LeNetShape { channels: 0, ..base },
        LeNetShape { maps: [6, 0], ..base },
        LeNetShape { units: [0, 84], ..base },
        LeNetShape { maps: [6, usize::MAX], ..base },
        LeNetShape { padding: usize::MAX, ..base },
        base.classes(0),
    ];
    for shape in wrong {
        assert!(modern(shape).is_err(), "{shape:?}");
    }
    assert!(modern(LeNetShape { image: [16, 33], ..base }).is_ok());
    let base = LeNet1998Shape::published();
    let wrong = [
        LeNet1998Shape { image: [34, 32], ..base.clone() }, // 30, 15: an odd one
        LeNet1998Shape { image: [8, 8], ..base.clone() },
        LeNet1998Shape { channels: 0, ..base.clone() },
        LeNet1998Shape { units: [0, 84], ..base.clone() },
        LeNet1998Shape { units: [120, 3], ..base.clone() }, // 10 classes of 8 codes
        LeNet1998Shape { classes: 0, ..base.clone() },
    ];
    for shape in wrong {
        assert!(LeNet1998::<f64>::new(shape.clone(), &mut rng()).is_err(), "{shape:?}");
    }
}

#[test]
fn tables_codes_and_classes_are_checked() {
    let table: [&[&[usize]]; 5] = [&[], &[&[]], &[&[2]], &[&[0, 0]], &[&[1, 0]]];
    for rows in table {
        assert!(Connections::new(2, rows).is_err(), "{rows:?}");
    }
    let one = Connections::new(2, &[&[0, 1]]).unwrap();
    let layer = |w: &[usize], b: &[usize]| {
        SparseConv2d::<f64>::from_tensors(one.clone(), Tensor::ones(w).unwrap(), Tensor::ones(b).unwrap())
    };
    assert!(layer(&[2, 3, 3], &[1]).is_ok());
    for (w, b) in [(&[3, 3, 3][..], &[1][..]), (&[2, 3, 3], &[2]), (&[2, 0, 3], &[1]), (&[2, 3], &[1])] {
        assert!(layer(w, b).is_err(), "{w:?} {b:?}");
    }
    assert!(codes::<f64>(4, 3, &mut rng()).is_ok() && codes::<f64>(5, 3, &mut rng()).is_err());
    assert!(codes::<f64>(1, 0, &mut rng()).is_err() && codes::<f64>(0, 8, &mut rng()).is_err());
    let scores = Var::constant(Tensor::<f64>::ones([1, 3]).unwrap());
    // Class 3 would be the rubbish.
    assert!(LeNet1998::criterion(&scores, &Tensor::from([3u32]), 1.0).is_err());
    assert!(LeNet1998::criterion(&scores, &Tensor::from([2u32]), 1.0).is_ok());
}

/// A value with two readers, one of them behind a dropout. With `aside` the ReLU is not the result, and nobody reads it.
struct Fork<T: Scalar> {
    conv: Conv2d<T>,
    dropout: Dropout,
    aside: bool,
}

parameters!(Fork<T> { conv });

impl<T: Scalar> Network<T> for Fork<T> {
    fn walk<'a, W: Walk<'a, T>>(&'a self, w: &mut W, x: W::Value) -> Result<W::Value> {
        let h = w.step("conv", Step::Conv(&self.conv), x)?;
        let a = w.step("dropout", Step::Dropout(&self.dropout), h.clone())?;
        let a = w.step("relu", Step::Relu, a)?;
        if self.aside { Ok(h) } else { w.join("add", Join::Add, a, h) }
    }
}

#[test]
fn what_is_done_in_place_changes_nothing_that_others_read() {
    let x = Tensor::from_fn([1, 2, 3, 3], |i| (i[1] + i[2]) as f64 - i[3] as f64).unwrap();
    for aside in [false, true] {
        let conv = Conv2d::new(ConvShape::pointwise(2, 2), &mut rng()).unwrap();
        let net = Fork::<f64> { conv, dropout: Dropout::new(0.5).unwrap(), aside };
        let eager = net.walk(&mut Forward(&mut Mode::Eval), Var::constant(x.clone())).unwrap().value();
        assert!(eager.as_slice().iter().any(|v| *v < 0.0), "the ReLU must have something to do");
        let graph = Graph::of(&net, [2, 3, 3]).unwrap();
        let plan = Inference::of(&graph).unwrap();
        assert!(plan.run(&x).unwrap().same_bits(&eager));
        // The image is the caller's, and a plan may be used again.
        assert!(plan.run(&x).unwrap().same_bits(&eager));
        assert!(plan.run(&Tensor::zeros([1, 3, 3, 3]).unwrap()).is_err());
    }
}

/// A normalisation behind a ReLU, where it must not be folded, and one behind a convolution, where it may.
struct Late<T: Scalar> {
    conv: Conv2d<T>,
    first: BatchNorm2d<T>,
    second: BatchNorm2d<T>,
}

parameters!(Late<T> { conv, first, second });

impl<T: Scalar> Network<T> for Late<T> {
    fn walk<'a, W: Walk<'a, T>>(&'a self, w: &mut W, x: W::Value) -> Result<W::Value> {
        let x = w.step("conv", Step::Conv(&self.conv), x)?;
        let x = w.step("first", Step::Norm(&self.first), x)?;
        let x = w.step("relu", Step::Relu, x)?;
        let x = w.step("second", Step::Norm(&self.second), x)?;
        w.step("relu2", Step::Relu, x)
    }
}

#[test]
fn a_normalisation_is_folded_where_nothing_stands_before_it() {
    let norm = |shift: f64| {
        let norm = BatchNorm2d::<f64>::new(2).unwrap();
        norm.running_var.update(|v| *v = Tensor::from([0.5, 2.0]));
        norm.weight.update(|w| *w = Tensor::from([3.0, -2.0]));
        norm.bias.update(|b| *b = Tensor::from([shift, -shift]));
        norm
    };
    let conv = Conv2d::new(ConvShape::pointwise(2, 2).without_bias(), &mut rng()).unwrap();
    let net = Late { conv, first: norm(0.5), second: norm(0.25) };
    let x = Tensor::from_fn([1, 2, 3, 3], |i| (i[1] + i[2]) as f64 - i[3] as f64).unwrap();
    let eager = net.walk(&mut Forward(&mut Mode::Eval), Var::constant(x.clone())).unwrap().value();
    let planned = Inference::of(&Graph::of(&net, [2, 3, 3]).unwrap()).unwrap().run(&x).unwrap();
    let off = planned.max_difference(&eager).unwrap();
    assert!(off < 1e-12, "{off:e}");
}
