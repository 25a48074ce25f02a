//! Bad input, and that each refusal names what was wrong.
#![allow(clippy::unwrap_used)] // helpers of tests are tests too

use gradus_initialization::{
    FanMode, Fans, Gain, Init, Law, Normal, Stream, TruncatedNormal, Uniform, gain_of, orthogonal, signal,
};
use gradus_tensor::{Error, Result, Tensor};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

const BAD: [f64; 3] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];

fn refused<T: std::fmt::Debug>(result: Result<T>, name: &str) {
    let error = result.unwrap_err();
    assert!(error.to_string().contains(name), "`{error}` does not name {name}");
}

fn drawn(init: Init, fans: Fans) -> Result<Tensor<f32>> {
    init.tensor([2, 2], fans, &mut ChaCha8Rng::seed_from_u64(1))
}

#[test]
fn numbers_that_are_none_or_out_of_range() {
    for x in BAD {
        refused(Normal::new(x, 1.0), "mean");
        refused(Normal::new(0.0, x), "std");
        refused(Normal::of_variance(x), "variance");
        refused(Uniform::new(x, 1.0), "low");
        refused(Uniform::of_variance(x), "variance");
        refused(TruncatedNormal::new(x, 1.0, -1.0, 1.0), "mean");
        refused(TruncatedNormal::new(0.0, x, -1.0, 1.0), "std");
        refused(TruncatedNormal::of_variance(x), "variance");
        refused(orthogonal::<f64>([2, 2], x, Stream::new(1)), "gain");
        refused(drawn(Init::constant(x), Fans::dense(2, 2)), "constant");
        refused(drawn(Init::lecun_normal().gain(Gain::Of(x)), Fans::dense(2, 2)), "gain");
    }
    refused(Normal::new(0.0, -1.0), "std");
    refused(Normal::of_variance(-1e-300), "variance");
    refused(Uniform::of_variance(-1.0), "variance");
    refused(TruncatedNormal::new(0.0, 0.0, -1.0, 1.0), "std");
    refused(gain_of(|_| 0.0), "second moment");
    refused(gain_of(|_| f64::NAN), "second moment");
}

#[test]
fn bounds_reversed_or_where_nothing_is() {
    refused(Uniform::new(1.0, -1.0), "low");
    refused(Uniform::new(-f64::MAX, f64::MAX), "high - low");
    assert!(Uniform::new(1.0, 1.0).is_ok());
    refused(TruncatedNormal::new(0.0, 1.0, 1.0, -1.0), "low");
    refused(TruncatedNormal::new(0.0, 1.0, 1.0, 1.0), "low");
    refused(TruncatedNormal::new(0.0, 1.0, f64::NAN, 1.0), "low");
    refused(TruncatedNormal::new(0.0, 1.0, 40.0, 50.0), "mass");
    let tail = TruncatedNormal::new(0.0, 1.0, 30.0, f64::INFINITY).unwrap();
    // Mills' ratio: 30 and a little less than 1/30.
    assert!((tail.mean() - 30.0 - 0.033_26).abs() < 1e-4);
}

#[test]
fn fans_of_nothing() {
    for init in [Init::he_normal(), Init::xavier_uniform().fan(FanMode::In), Init::lecun_normal().truncated()]
    {
        refused(drawn(init, Fans::dense(0, 5)), "fans");
    }
    refused(drawn(Init::he_normal().fan(FanMode::Out), Fans::dense(5, 0)), "fans");
    refused(drawn(Init::xavier_normal(), Fans::dense(0, 0)), "fans");
    assert!(drawn(Init::xavier_normal(), Fans::dense(0, 5)).is_ok());
    assert!(drawn(Init::zeros(), Fans::dense(0, 0)).is_ok());
    refused(Fans::conv(4, 6, 0, &[3]), "groups");
    refused(Fans::conv(4, 6, 4, &[3]), "groups");
    assert!(matches!(Fans::conv(4, 4, 1, &[usize::MAX, 2]), Err(Error::TooLarge { .. })));
}

#[test]
fn more_than_the_precision_holds() {
    refused(drawn(Init::normal(1e38), Fans::dense(2, 2)), "std");
    refused(drawn(Init::uniform(-3e38, 3e38), Fans::dense(2, 2)), "high - low");
    refused(drawn(Init::constant(1e39), Fans::dense(2, 2)), "constant");
    let wide = Init::normal(1e38).tensor::<f64>([2, 2], Fans::dense(2, 2), &mut ChaCha8Rng::seed_from_u64(1));
    assert!(wide.unwrap().is_finite());
    // A deviation below the smallest number: zeros, no NaN.
    assert_eq!(drawn(Init::normal(1e-60), Fans::dense(2, 2)).unwrap(), Tensor::zeros([2, 2]).unwrap());
}

#[test]
fn shapes() {
    for shape in [&[][..], &[3], &[0, 3], &[3, 0]] {
        assert!(matches!(orthogonal::<f32>(shape, 1.0, Stream::new(1)), Err(Error::Shape { .. })));
    }
    refused(Init::orthogonal().law(Fans::dense(2, 2)), "independent");
    refused(signal(Init::zeros(), &[3], 1, |x| (x, 1.0), &mut ChaCha8Rng::seed_from_u64(1)), "widths");
    let empty = Law::Constant(1.0).tensor::<f32>([0, 3], Stream::new(1)).unwrap();
    assert!(empty.is_empty());
    assert!(Stream::new(1).normal::<f32>([usize::MAX, 2]).is_err());
}

#[test]
fn one_key_a_tensor_whatever_its_shape() {
    let next = |shape: [usize; 2], init: Init| -> f32 {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        init.tensor::<f32>(shape, Fans::dense(shape[0], shape[1]), &mut rng).unwrap();
        Init::normal(1.0).tensor::<f32>([1], Fans::dense(1, 1), &mut rng).unwrap().item().unwrap()
    };
    let first = next([2, 3], Init::he_normal());
    assert_eq!(first, next([50, 70], Init::orthogonal()));
    assert_eq!(first, next([1, 1], Init::zeros()));
    assert_eq!(first, next([5, 5], Init::xavier_uniform().truncated()));
}
