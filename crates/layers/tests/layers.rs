//! What the layers refuse, what their states are called, and that no result depends on the number of threads.
#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests are tests too

use gradus_activations::{Pointwise, Relu};
use gradus_autograd::{Layer, Mode, Op, Parameters, Var, no_grad};
use gradus_layers::{
    Affine, BatchNorm, BatchNorm1d, BatchNorm2d, BatchNormalization, Dropout, EPS, Embedding,
    FixedNormalization, Flatten, GroupNorm, GroupNormalization, LayerNorm, LayerNormalization, Linear,
    Lookup, Mask, RmsNorm, RmsNormalization, Sequential, dropout, embedding, kept, linear,
};
use gradus_tensor::{Tensor, rng, with_threads};

/// The message of an error, which must name all of these.
#[track_caller]
fn refuses<T>(result: gradus_tensor::Result<T>, names: &[&str]) {
    let Err(error) = result else { panic!("nothing was refused; expected {names:?}") };
    let text = error.to_string();
    assert!(names.iter().all(|name| text.contains(name)), "{text:?} lacks one of {names:?}");
}

fn zeros(shape: &[usize]) -> Tensor<f64> {
    Tensor::zeros(shape).unwrap()
}

fn run(layer: &dyn Layer<f64>, shape: &[usize]) -> gradus_tensor::Result<Var<f64>> {
    layer.forward(&Var::constant(zeros(shape)), &mut Mode::Eval)
}

#[test]
fn dense_layers_refuse_sizes_that_do_not_fit() {
    let random = &mut rng(0);
    refuses(Linear::<f64>::new(0, 3, random), &["linear", "inputs = 0", "at least 1"]);
    refuses(Linear::<f64>::new(3, 0, random), &["linear", "outputs = 0"]);
    refuses(Linear::<f64>::from_tensors(zeros([3].as_slice()), None), &["[inputs, outputs]", "[3]"]);
    refuses(Linear::from_tensors(zeros(&[3, 2]), Some(zeros(&[3]))), &["bias", "[2]", "[3]"]);
    refuses(Linear::with_init(3, 2, |_| Tensor::<f64>::zeros([2, 3])), &["weight", "[3, 2]", "[2, 3]"]);
    let layer = Linear::<f64>::new(3, 2, random).unwrap();
    refuses(run(&layer, &[5, 4]), &["affine", "[5, 4]", "[3, 2]"]);
    refuses(run(&layer, &[]), &["[]"]);
    refuses(run(&layer.without_bias(), &[]), &["linear", "at least one dimension"]);
    refuses(linear(&zeros(&[2, 3]), &zeros(&[3, 2]), &zeros(&[3])), &["affine", "[3]"]);
    let (x, w) = (zeros(&[4, 3]), zeros(&[3, 2]));
    assert!(Affine.vjp([&x, &w], &(), &zeros(&[4, 3]), [true, true]).is_err());
    assert!(Affine.vjp([&x, &w], &(), &zeros(&[]), [true, true]).is_err());
    // No samples is not nothing: the shape and zero gradients remain.
    let y = Affine.eval([&zeros(&[0, 3]), &w]).unwrap();
    assert_eq!(y.shape(), [0, 2]);
    let [dx, dw] = Affine.vjp([&zeros(&[0, 3]), &w], &(), &y, [true, true]).unwrap();
    assert_eq!((dx.unwrap().shape(), dw.unwrap()), (zeros(&[0, 3]).shape(), zeros(&[3, 2])));
}

#[test]
fn an_embedding_names_the_id_that_it_does_not_have() {
    let random = &mut rng(0);
    let table = Embedding::<f64>::new(5, 2, random).unwrap();
    refuses(table.forward(&Tensor::from([[0u32, 4], [5, 1]])), &["embedding", "id = 5 (number 2)", "0..5"]);
    refuses(embedding(&zeros(&[5]), &Tensor::from([0u32])), &["[V, D]", "[5]"]);
    refuses(Embedding::<f64>::new(0, 2, random), &["count = 0"]);
    refuses(Embedding::<f64>::new(2, 0, random), &["size = 0"]);
    refuses(Embedding::from_tensor(zeros(&[2])), &["[V, D]"]);
    refuses(table.clone().with_padding(5), &["padding = 5", "0..5"]);
    let none = Tensor::<u32>::zeros([0, 3]).unwrap();
    let y = table.forward(&none).unwrap();
    assert_eq!(y.shape(), [0, 3, 2]);
    let lookup = Lookup { ids: Tensor::from([1u32]), padding: None };
    assert!(lookup.vjp([&zeros(&[5, 2])], &(), &zeros(&[2, 2]), [true]).is_err());
    assert_eq!(table.named_parameters().len(), 1);
    let padded = table.with_padding(3).unwrap();
    assert_eq!(padded.weight.value().select(0, 3).unwrap(), zeros(&[2]));
}

#[test]
fn dropout_refuses_what_is_no_probability_and_hides_no_nan() {
    for p in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
        refuses(Dropout::new(p), &["dropout", "p = ", "0..=1"]);
        refuses(dropout(&zeros(&[2]), p, 0), &["dropout", "0..=1"]);
    }
    let x = Tensor::<f64>::full([64], f64::NAN).unwrap();
    assert!(dropout(&x, 0.5, 1).unwrap().as_slice().iter().all(|y| y.is_nan()));
    assert!(dropout(&x, 1.0, 1).unwrap().as_slice().iter().all(|y| y.is_nan()));
    assert_eq!(dropout(&zeros(&[0, 3]), 0.5, 1).unwrap().shape(), [0, 3]);
    assert_eq!(Dropout::new(0.25).unwrap().p(), 0.25);
    assert_eq!(Parameters::<f64>::parameter_count(&Dropout::new(0.5).unwrap()), 0);
}

#[test]
fn dropout_draws_a_fresh_mask_for_each_call_and_the_same_for_the_same_seed() {
    let (layer, x) = (Dropout::new(0.5).unwrap(), Var::constant(Tensor::<f32>::ones([256]).unwrap()));
    let twice = |seed: u64| {
        let random = &mut rng(seed);
        let mut call = || layer.forward(&x, &mut Mode::Train(random)).unwrap().value();
        [call(), call()]
    };
    let [first, second] = twice(1);
    assert_ne!(first, second);
    assert_eq!(twice(1), [first.clone(), second]);
    assert_ne!(twice(2)[0], first);
}

#[test]
fn the_mask_of_an_element_is_the_same_alone_and_in_bulk_beyond_the_first_block() {
    for n in [1, 2, 3, 32_767, 32_768, 32_769, 70_001] {
        let y = dropout(&Tensor::<f32>::ones([n]).unwrap(), 0.3, 9).unwrap();
        let alone = (0..n as u64).map(|i| kept(9, 0.3, i));
        assert!(y.as_slice().iter().zip(alone).all(|(&y, kept)| (y != 0.0) == kept), "{n}");
    }
}

#[test]
fn normalisations_refuse_what_does_not_fit() {
    for eps in [0.0, -1e-5, f64::NAN, f64::INFINITY] {
        refuses(LayerNorm::<f64>::new([3]).unwrap().eps(eps), &["layer_norm", "eps", "above 0"]);
        refuses(RmsNorm::<f64>::new([3]).unwrap().eps(eps), &["rms_norm", "eps"]);
        refuses(GroupNorm::<f64>::new(1, 3).unwrap().eps(eps), &["group_norm", "eps"]);
        refuses(BatchNorm1d::<f64>::new(3).unwrap().eps(eps), &["batch_norm", "eps"]);
    }
    // 10⁻⁵⁰ is 0 in f32.
    refuses(LayerNorm::<f32>::new([3]).unwrap().eps(1e-50), &["eps = 1e-50", "in the tensor's type"]);
    assert!(LayerNorm::<f64>::new([3]).unwrap().eps(1e-50).is_ok());
    for momentum in [-0.1, 1.1, f64::NAN] {
        refuses(BatchNorm2d::<f64>::new(3).unwrap().momentum(momentum), &["momentum", "0..=1"]);
    }
    refuses(LayerNorm::<f64>::new([]), &["layer_norm", "at least one dimension"]);
    refuses(LayerNorm::<f64>::new([2, 0]), &["layer_norm", "one element"]);
    refuses(BatchNorm1d::<f64>::new(0), &["channels = 0"]);
    refuses(GroupNorm::<f64>::new(1, 0), &["channels = 0"]);
    refuses(GroupNorm::<f64>::new(3, 4), &["groups = 3", "4 channels"]);
    refuses(GroupNorm::<f64>::new(0, 4), &["groups = 0", "4 channels"]);

    refuses(run(&LayerNorm::<f64>::new([3]).unwrap(), &[2, 4]), &["layer_norm", "[3]", "[2, 4]"]);
    refuses(run(&RmsNorm::<f64>::new([3]).unwrap(), &[4]), &["rms_norm", "[3]", "[4]"]);
    refuses(run(&GroupNorm::<f64>::new(2, 4).unwrap(), &[2, 3]), &["group_norm", "3"]);
    refuses(run(&GroupNorm::<f64>::new(2, 4).unwrap(), &[4]), &["group_norm", "[N, C, …]"]);
    refuses(
        run(&BatchNorm1d::<f64>::new(3).unwrap(), &[2, 3, 4, 5]),
        &["[N, C] or [N, C, L]", "[2, 3, 4, 5]"],
    );
    refuses(run(&BatchNorm2d::<f64>::new(3).unwrap(), &[2, 3]), &["[N, C, H, W]", "[2, 3]"]);
    refuses(run(&BatchNorm::<f64, 3>::new(3).unwrap(), &[2, 3]), &["5 dimensions"]);
    refuses(run(&BatchNorm2d::<f64>::new(3).unwrap(), &[2, 4, 5, 5]), &["gain", "[4]", "[3]"]);
    let fixed = FixedNormalization { mean: zeros(&[2]), variance: zeros(&[3]), eps: EPS };
    refuses(fixed.eval([&zeros(&[1, 3]), &zeros(&[3]), &zeros(&[3])]), &["mean", "[3]", "[2]"]);
}

#[test]
fn one_number_a_channel_has_no_variance_to_train_by() {
    let (layer, random) = (BatchNorm1d::<f64>::new(3).unwrap(), &mut rng(0));
    let x = Var::constant(Tensor::from([[1.0, 2.0, 3.0]]));
    refuses(layer.forward(&x, &mut Mode::Train(random)), &["batch_norm", "each channel = 1", "at least 2"]);
    assert_eq!(layer.running_mean.value(), zeros(&[3]), "nothing moved");
    // In evaluation it is a sample like any other, and one pixel more is enough.
    assert!(layer.forward(&x, &mut Mode::Eval).is_ok());
    let pixels = Var::constant(zeros(&[1, 3, 2]));
    assert!(layer.forward(&pixels, &mut Mode::Train(random)).is_ok());
    assert!(layer.forward(&Var::constant(zeros(&[0, 3])), &mut Mode::Train(random)).is_err());
}

#[test]
fn a_gradient_of_another_shape_is_refused() {
    let (x, gain, bias, dy) = (zeros(&[2, 4]), zeros(&[4]), zeros(&[4]), zeros(&[2, 3]));
    let all = [true; 3];
    let op = LayerNormalization { eps: EPS };
    let saved = op.forward([&x, &gain, &bias]).unwrap().1;
    refuses(op.vjp([&x, &gain, &bias], &saved, &dy, all), &["gradient", "[2, 4]", "[2, 3]"]);
    let op = RmsNormalization { eps: EPS };
    let saved = op.forward([&x, &gain]).unwrap().1;
    refuses(op.vjp([&x, &gain], &saved, &dy, [true; 2]), &["gradient", "[2, 3]"]);
    let op = GroupNormalization { groups: 2, eps: EPS };
    let saved = op.forward([&x, &gain, &bias]).unwrap().1;
    refuses(op.vjp([&x, &gain, &bias], &saved, &dy, all), &["gradient", "[2, 3]"]);
    let op = BatchNormalization { eps: EPS };
    let saved = op.forward([&x, &gain, &bias]).unwrap().1;
    refuses(op.vjp([&x, &gain, &bias], &saved, &dy, all), &["gradient", "[2, 3]"]);
    let op = FixedNormalization { mean: gain.clone(), variance: gain.clone(), eps: EPS };
    refuses(op.vjp([&x, &gain, &bias], &(), &dy, all), &["gradient", "[2, 3]"]);
}

#[test]
fn states_have_pytorchs_names() {
    let random = &mut rng(0);
    let net = Sequential::<f64>::new()
        .with(Linear::new(4, 6, random).unwrap().without_bias())
        .with(BatchNorm1d::new(6).unwrap())
        .with(Pointwise(Relu))
        .with(LayerNorm::new([6]).unwrap())
        .with(Sequential::new().with(RmsNorm::new([6]).unwrap()).with(Flatten))
        .with(GroupNorm::new(2, 6).unwrap())
        .with(Linear::new(6, 2, random).unwrap());
    let names: Vec<String> = net.state().into_keys().collect();
    let expected = [
        "0.weight",
        "1.bias",
        "1.running_mean",
        "1.running_var",
        "1.weight",
        "3.bias",
        "3.weight",
        "4.0.weight",
        "5.bias",
        "5.weight",
        "6.bias",
        "6.weight",
    ];
    assert_eq!(names, expected);
    assert_eq!(net.parameter_count(), 24 + 12 + 12 + 6 + 12 + 14);
    let y = net.forward(&Var::constant(zeros(&[3, 4])), &mut Mode::Train(random)).unwrap();
    assert_eq!(y.shape(), [3, 2]);
    let state = net.state();
    net.load_state(&state).unwrap();
    // The mode reaches every layer.
    let (silent, ones) =
        (Sequential::new().with(Dropout::new(1.0).unwrap()), Tensor::<f64>::ones([4]).unwrap());
    let x = Var::constant(ones.clone());
    assert_eq!(silent.forward(&x, &mut Mode::Train(random)).unwrap().value(), zeros(&[4]));
    assert_eq!(silent.forward(&x, &mut Mode::Eval).unwrap().value(), ones);
    let mut empty = Sequential::<f64>::new();
    assert_eq!(run(&empty, &[2, 3]).unwrap().shape(), [2, 3]);
    empty.layers.push(Box::new(Flatten));
    assert_eq!(run(&empty, &[2, 3, 4]).unwrap().shape(), [2, 12]);
    refuses(run(&Flatten, &[]), &["flatten"]);
}

#[test]
fn a_layer_learns_nothing_that_nobody_wants() {
    let random = &mut rng(3);
    let net = Sequential::<f64>::new()
        .with(Linear::new(3, 4, random).unwrap())
        .with(BatchNorm1d::new(4).unwrap())
        .with(Dropout::new(0.2).unwrap());
    let x = Var::constant(Tensor::random([5, 3], &rand_distr::StandardNormal, random).unwrap());
    let y = no_grad(|| net.forward(&x, &mut Mode::Train(random))).unwrap();
    assert!(!y.is_tracked());
    assert_ne!(net.state()["1.running_mean"], zeros(&[4]), "training is training, recorded or not");
    let gradients =
        net.forward(&x, &mut Mode::Train(random)).unwrap().powi(2).unwrap().sum().unwrap().backward();
    assert_eq!(gradients.unwrap().len(), 4);
}

/// Sizes of more than one block, and of less than one.
#[test]
fn the_number_of_threads_changes_no_bit() {
    fn same(f: impl Fn() -> Vec<Tensor<f32>> + Send + Sync) {
        let (one, many) = (with_threads(1, &f), with_threads(3, &f));
        assert!(one.iter().zip(&many).all(|(a, b)| a.same_bits(b)));
        assert!(one.iter().all(|t| t.is_finite()) && !one.is_empty());
    }
    fn all<O: Op<f32, N>, const N: usize>(op: &O, inputs: [&Tensor<f32>; N]) -> Vec<Tensor<f32>> {
        let (y, saved) = op.forward(inputs).unwrap();
        let dy = y.map(|y| y * y - 0.5);
        let gradients = op.vjp(inputs, &saved, &dy, [true; N]).unwrap();
        std::iter::once(y).chain(gradients.into_iter().flatten()).collect()
    }
    let random = |shape: &[usize], seed| {
        Tensor::<f32>::random(shape, &rand_distr::StandardNormal, &mut rng(seed)).unwrap()
    };
    for shape in [&[3, 8][..], &[1000, 72], &[9, 12_000], &[5, 8, 37, 41], &[200, 4, 100]] {
        let c = shape[1];
        let (x, gain, bias) = (random(shape, 1), random(&[c], 2), random(&[c], 3));
        let [x, gain, bias] = [&x, &gain, &bias];
        same(|| all(&BatchNormalization { eps: EPS }, [x, gain, bias]));
        same(|| {
            all(&FixedNormalization { mean: bias.clone(), variance: bias.abs(), eps: EPS }, [x, gain, bias])
        });
        same(|| all(&GroupNormalization { groups: 4, eps: EPS }, [x, gain, bias]));
        same(|| all(&Mask { p: 0.4, key: 5 }, [x]));
        if let &[_, c] = shape {
            same(|| all(&LayerNormalization { eps: EPS }, [x, gain, bias]));
            same(|| all(&RmsNormalization { eps: EPS }, [x, gain]));
            let w = random(&[c, 5], 4);
            same(|| all(&Affine, [x, &w, &random(&[5], 5)]));
        }
    }
    let ids: Tensor<u32> = (0..20_000u32).map(|i| i.wrapping_mul(2_654_435_761) % 3000).collect();
    let (table, lookup) = (random(&[3000, 24], 6), Lookup { ids, padding: Some(7) });
    same(|| all(&lookup, [&table]));
}
