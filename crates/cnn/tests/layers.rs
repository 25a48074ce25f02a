//! What the layers refuse, with the numbers that came and what would do; and that their states are PyTorch's.
#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests are tests too

use gradus_autograd::{Layer, Mode, Parameters, Var};
use gradus_cnn::{
    AdaptiveAveragePool, Algorithm, Conv1d, Conv2d, ConvShape, ConvTranspose2d, PaddingMode, SeparableConv2d,
    Upsample, Window,
};
use gradus_layers::BatchNorm2d;
use gradus_tensor::{Result, Tensor};
use rand::{SeedableRng, rngs::ChaCha8Rng};

fn rng() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(1)
}

/// The message of an error, which must have all of these parts.
#[track_caller]
fn refuses<T>(result: Result<T>, parts: &[&str]) {
    let text = result.err().expect("refused").to_string();
    assert!(parts.iter().all(|part| text.contains(part)), "{text}");
}

fn of(layer: &impl Layer<f32>, dims: &[usize]) -> Result<Var<f32>> {
    layer.forward(&Var::constant(Tensor::zeros(dims)?), &mut Mode::Eval)
}

#[test]
fn impossible_layers_are_refused_when_they_are_made() {
    let windows = [Window::new(3); 2];
    let new = |shape| Conv2d::<f32>::new(shape, &mut rng());
    refuses(new(ConvShape::new(0, 4, windows)), &["conv2d", "in channels = 0"]);
    refuses(new(ConvShape::new(4, 0, windows)), &["out channels = 0"]);
    refuses(new(ConvShape::new(64, 96, windows).groups(12)), &["12 groups", "64", "96", "nearest is 8"]);
    refuses(new(ConvShape::new(4, 4, [Window::new(0), windows[1]])), &["size = 0"]);
    refuses(new(ConvShape::new(4, 4, [windows[0].stride(0), windows[1]])), &["stride = 0"]);
    let huge = ConvShape::new(usize::MAX, usize::MAX, windows);
    refuses(new(huge), &["conv2d", "too large"]);
    refuses(ConvTranspose2d::<f32>::new(huge, &mut rng()), &["conv_transpose2d", "too large"]);
    let one = ConvShape::new(3, 2, [windows[0]]).groups(2);
    refuses(Conv1d::<f32>::new(one, &mut rng()), &["conv1d", "2 groups"]);
    refuses(SeparableConv2d::<f32>::new(0, 2, windows, &mut rng()), &["channels = 0"]);
}

#[test]
fn weights_of_another_shape_and_a_bias_too_many_are_refused() {
    let shape = ConvShape::new(4, 6, [Window::new(3), Window::new(2)]).groups(2);
    let (weight, bias) = (Tensor::<f32>::zeros([6, 2, 3, 2]).unwrap(), Tensor::zeros([6]).unwrap());
    assert!(Conv2d::from_tensors(shape, weight.clone(), Some(bias.clone())).is_ok());
    let turned = Tensor::zeros([6, 2, 2, 3]).unwrap();
    refuses(Conv2d::from_tensors(shape, turned, Some(bias.clone())), &["[6, 2, 3, 2]", "[6, 2, 2, 3]"]);
    let long = Tensor::zeros([7]).unwrap();
    refuses(Conv2d::from_tensors(shape, weight.clone(), Some(long)), &["bias", "[6]", "[7]"]);
    refuses(Conv2d::from_tensors(shape, weight.clone(), None), &["bias = none", "one"]);
    refuses(Conv2d::from_tensors(shape.without_bias(), weight, Some(bias.clone())), &["bias = one", "none"]);
    // The channels of a transposed one lie the other way around.
    let transposed = Tensor::<f32>::zeros([4, 3, 3, 2]).unwrap();
    assert!(ConvTranspose2d::from_tensors(shape, transposed, Some(bias)).is_ok());
    let made = Conv2d::<f32>::with_init(shape, |_, _| Tensor::zeros([1]));
    refuses(made, &["weight", "[6, 2, 3, 2]", "[1]"]);
}

#[test]
fn images_that_do_not_fit_name_the_layer() {
    let conv = Conv2d::new(ConvShape::new(3, 8, [Window::new(5); 2]), &mut rng()).unwrap();
    refuses(of(&conv, &[1, 4, 8, 8]), &["conv2d", "[8, 4, 5, 5]", "[8, 3, 5, 5]"]);
    refuses(of(&conv, &[1, 3, 4, 8]), &["conv2d", "extent 5", "4 elements"]);
    refuses(of(&conv, &[3, 8, 8]), &["[N, C, H, W]"]);
    let mirror = Conv2d::new(ConvShape::new(1, 1, [Window::new(3).padded(4); 2]), &mut rng()).unwrap();
    let mirror = mirror.padding_mode(PaddingMode::Reflect);
    refuses(of(&mirror, &[1, 1, 4, 9]), &["pad", "4+4 around 4", "at most 3"]);
    let line = Conv1d::new(ConvShape::new(3, 8, [Window::new(5)]), &mut rng()).unwrap();
    refuses(of(&line, &[1, 3, 1, 8]), &["conv1d", "[N, C, L]"]);
    let full = conv.by(Algorithm::Depthwise);
    refuses(of(&full, &[1, 3, 8, 8]), &["Depthwise with 3 input channels"]);
    let back = ConvTranspose2d::new(ConvShape::new(2, 2, [Window::new(3).stride(2); 2]), &mut rng()).unwrap();
    refuses(of(&back.output_padding([0, 2]), &[1, 2, 4, 4]), &["output padding 2", "stride 2"]);
    refuses(of(&AdaptiveAveragePool::new([0, 1]), &[1, 2, 4, 4]), &["adaptive_average_pool", "output = 0"]);
    refuses(of(&Upsample::by([0, 2]), &[1, 2, 4, 4]), &["upsample", "factor = 0"]);
}

#[test]
fn a_normalisation_of_other_channels_is_not_folded() {
    let conv = Conv2d::<f32>::new(ConvShape::new(3, 8, [Window::new(1); 2]), &mut rng()).unwrap();
    refuses(conv.folded(&BatchNorm2d::new(9).unwrap()), &["fold_batch_norm", "[8]", "[9]"]);
    let bare = conv.without_bias();
    assert!(!bare.shape().bias);
    let folded = bare.folded(&BatchNorm2d::new(8).unwrap()).unwrap();
    assert!(folded.shape().bias && folded.bias.is_some());
}

#[test]
fn states_have_the_names_and_shapes_of_pytorch() {
    let dims = |layer: &dyn Parameters<f32>| -> Vec<(String, Vec<usize>)> {
        layer.state().into_iter().map(|(name, value)| (name, value.dims().to_vec())).collect()
    };
    let named = |name: &str, dims: &[usize]| (name.to_owned(), dims.to_vec());
    let windows = [Window::new(3), Window::new(2)];
    let shape = ConvShape::new(4, 6, windows).groups(2);
    let conv = Conv2d::new(shape, &mut rng()).unwrap();
    assert_eq!(dims(&conv), [named("bias", &[6]), named("weight", &[6, 2, 3, 2])]);
    let back = ConvTranspose2d::new(shape, &mut rng()).unwrap();
    assert_eq!(dims(&back), [named("bias", &[6]), named("weight", &[4, 3, 3, 2])]);
    let line = Conv1d::new(ConvShape::new(4, 6, [Window::new(3)]).without_bias(), &mut rng()).unwrap();
    assert_eq!(dims(&line), [named("weight", &[6, 4, 3])]);
    let separable = SeparableConv2d::new(4, 6, windows, &mut rng()).unwrap();
    let expected = [
        named("depthwise.weight", &[4, 1, 3, 2]),
        named("pointwise.bias", &[6]),
        named("pointwise.weight", &[6, 4, 1, 1]),
    ];
    assert_eq!(dims(&separable), expected);
    assert!(dims(&Upsample::by([2, 2])).is_empty());
}
