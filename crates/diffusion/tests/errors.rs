//! What does not fit is refused, with the value and what was allowed; what is no number stays none.
#![allow(clippy::unwrap_used)] // helpers of tests are tests too

use gradus_autograd::{Mode, Op, Var};
use gradus_diffusion::{
    Decoder, Denoiser, DenoisingMlp, DenoisingUNet, Diffusion, GaussianMixture, LinearReverse, Mix, MlpShape,
    Prediction, ReverseVariance, Sampler, Schedule, SquaredError, UNetShape, closed_form, forward_step,
    frechet_distance, log_joint, time_embedding,
};
use gradus_tensor::{Result, Tensor};
use rand::{SeedableRng, rngs::ChaCha8Rng};

fn refused<T>(result: Result<T>, parts: &[&str]) {
    let text = result.err().map(|error| error.to_string()).unwrap_or_default();
    assert!(!text.is_empty(), "nothing was refused: {parts:?}");
    for part in parts {
        assert!(text.contains(part), "`{part}` is missing in: {text}");
    }
}

fn diffusion() -> Diffusion {
    Diffusion::new(Schedule::given(&[0.3, 0.5]).unwrap(), Prediction::Noise)
}

fn mlp(classes: u32) -> DenoisingMlp<f64> {
    let shape = MlpShape { width: 4, layers: 1, told: 4, classes, numbers: 2 };
    DenoisingMlp::new(shape, &mut ChaCha8Rng::seed_from_u64(1)).unwrap()
}

#[test]
fn schedules() {
    refused(Schedule::given(&[]), &["0", "at least 1"]);
    refused(Schedule::given(&[0.1, 1.0]), &["1", "strictly between 0 and 1", "step 2"]);
    refused(Schedule::given(&[f64::NAN]), &["NaN", "step 1"]);
    refused(Schedule::linear(0, 0.1, 0.2), &["steps"]);
    refused(Schedule::linear(3, 0.1, 1.2), &["1.2", "step 3"]);
    refused(Schedule::cosine(0), &["at least 1"]);
    refused(Schedule::sigmoid(5, 3.0, -3.0, 1.0), &["-3", "above the start, 3"]);
    refused(Schedule::sigmoid(5, -3.0, 3.0, 0.0), &["tau", "above 0"]);
    let schedule = diffusion().schedule;
    refused(schedule.beta(0), &["0", "1 to 2"]);
    refused(schedule.beta(3), &["3", "1 to 2"]);
    refused(schedule.alpha_bar(3), &["3", "0 to 2"]);
    refused(schedule.between(2, 1), &["2", "at most the last, 1"]);
    refused(schedule.posterior(0), &["0"]);
    refused(schedule.jump(1, 1, 0.0), &["1", "before 1"]);
    refused(schedule.jump(0, 1, -0.1), &["-0.1", "0 to 1"]);
    refused(schedule.spaced(3), &["3", "1 to 2"]);
    refused(log_joint(&schedule, &[0.0; 4]), &["3", "1 to 2"]);
    refused(Prediction::Data.weights(Prediction::Noise, &schedule, 0), &["0", "1 to 2"]);
}

#[test]
fn shapes() {
    let (two, three) = (Tensor::<f64>::zeros([2, 3]).unwrap(), Tensor::<f64>::zeros([3, 3]).unwrap());
    let mix = Mix::new([[1.0, 1.0]; 2]);
    refused(mix.eval([&two, &three]), &["[2, 3]", "[3, 3]"]);
    refused(mix.eval([&three, &three]), &["2 samples", "[3, 3]"]);
    refused(mix.eval([&Tensor::scalar(1.0), &Tensor::scalar(1.0)]), &["2 samples"]);
    refused(SquaredError::default().eval([&two, &three]), &["[2, 3]", "[3, 3]"]);
    refused(
        SquaredError { weights: Some(vec![1.0]) }.eval([&two, &two]),
        &["weights", "1", "one a sample, 2"],
    );
    let empty = Tensor::<f64>::zeros([0, 3]).unwrap();
    refused(SquaredError::default().eval([&empty, &empty]), &["at least one element"]);
    refused(diffusion().schedule.diffuse(&two, &[1], &two), &["1 samples"]);
    refused(time_embedding::<f64>(&[1], 3), &["3", "even"]);
    refused(time_embedding::<f64>(&[1], 0), &["0", "even"]);
    refused(frechet_distance(&two, &Tensor::zeros([2, 4]).unwrap()), &["[2, 3]", "[2, 4]"]);
    refused(frechet_distance(&two, &Tensor::zeros([1, 3]).unwrap()), &["two samples", "[1, 3]"]);
    let nan = Tensor::full([2, 3], f64::NAN).unwrap();
    assert!(frechet_distance(&two, &nan).is_err());
}

#[test]
fn networks() {
    let rng = &mut ChaCha8Rng::seed_from_u64(1);
    refused(
        DenoisingUNet::<f64>::new(UNetShape { levels: 0, ..UNetShape::default() }, rng),
        &["levels", "0"],
    );
    refused(
        DenoisingUNet::<f64>::new(UNetShape { levels: 99, ..UNetShape::default() }, rng),
        &["99", "fewer"],
    );
    refused(
        DenoisingUNet::<f64>::new(UNetShape { groups: 3, ..UNetShape::default() }, rng),
        &["3", "divisor"],
    );
    refused(DenoisingUNet::<f64>::new(UNetShape { told: 7, ..UNetShape::default() }, rng), &["7", "even"]);
    refused(DenoisingUNet::<f64>::new(UNetShape { dropout: 2.0, ..UNetShape::default() }, rng), &["2"]);
    let x = Var::constant(Tensor::zeros([2, 2]).unwrap());
    let say = |net: &DenoisingMlp<f64>, t: &[usize], labels: Option<&[u32]>| {
        net.denoise(&x, t, labels, &mut Mode::Eval)
    };
    refused(say(&mlp(0), &[1, 1], Some(&[0, 0])), &["knows no classes"]);
    refused(say(&mlp(3), &[1, 1], Some(&[0])), &["1", "one a sample, 2"]);
    refused(say(&mlp(3), &[1, 1], Some(&[0, 4])), &["4", "0 to 2, or 3 for no class"]);
    refused(say(&mlp(0), &[1], None), &["1", "one a sample, 2"]);
}

#[test]
fn training_judging_and_drawing() {
    let (diffusion, net) = (diffusion(), mlp(0));
    let none = Tensor::<f64>::zeros([0, 2]).unwrap();
    assert!(diffusion.loss(&net, &none, None, &mut Mode::Eval).is_err());
    let given = (Decoder::Continuous, ReverseVariance::Posterior);
    refused(diffusion.bound(&net, (&none, None), given, 1, |_| ()), &["at least one number"]);
    let sampler = Sampler::ddpm(diffusion.clone(), ReverseVariance::Step);
    refused(sampler.draw(&net, [3, 2], Some(&[0, 0, 0]), 1), &["knows no classes"]);
    assert!(sampler.draw(&net, [3, 5], None, 1).is_err(), "points of another size");
    let mean = Tensor::from([[0.0]]);
    refused(GaussianMixture::new(&[0.0], mean.clone(), &[1.0]), &["weight", "above 0"]);
    refused(GaussianMixture::new(&[1.0], mean.clone(), &[-1.0]), &["variance", "-1", "at least 0"]);
    refused(GaussianMixture::new(&[1.0], mean.clone(), &[]), &["variances", "one a mean, 1"]);
    refused(GaussianMixture::new(&[1.0, 1.0], mean, &[1.0, 1.0]), &["[2, D]", "[1, 1]"]);
    refused(LinearReverse::exact(&diffusion.schedule, [0.0, -1.0]), &["-1", "at least 0"]);
    let short = LinearReverse { steps: Vec::new() };
    refused(short.bound(&diffusion.schedule, [0.0, 1.0]), &["0", "2"]);
    refused(short.log_joint(&[]), &["0", "1 numbers"]);
}

#[test]
fn what_is_no_number_stays_none() {
    let nan = f64::NAN;
    assert!(forward_step(nan, 0.0, 0.5).is_nan() && forward_step(0.0, nan, 0.5).is_nan());
    assert!(closed_form(nan, 0.0, -0.5).is_nan() && closed_form(1.0, nan, 0.0).is_nan());
    assert!(
        Decoder::Discretised(256).cost(0.0, nan, 1.0).is_nan()
            && Decoder::Continuous.cost(nan, 0.0, 1.0).is_nan()
    );
    let x0 = Tensor::from([[1.0, nan], [0.0, 0.0]]);
    let noisy = diffusion().schedule.diffuse(&x0, &[0, 1], &Tensor::zeros([2, 2]).unwrap()).unwrap();
    let is: Vec<bool> = noisy.as_slice().iter().map(|x| x.is_nan()).collect();
    assert_eq!(is, [false, true, false, false], "in its place only");
    /// Says nothing that is a number.
    struct Lost;
    impl Denoiser<f64> for Lost {
        fn denoise(
            &self,
            x: &Var<f64>,
            _: &[usize],
            _: Option<&[u32]>,
            _: &mut Mode<'_>,
        ) -> Result<Var<f64>> {
            x.scale(f64::NAN)
        }
    }
    let sampler = Sampler::ddim(diffusion(), 2, 0.0).unwrap().clip(-1.0, 1.0).unwrap();
    let drawn = sampler.draw::<f64>(&Lost, [2, 1], None, 1).unwrap();
    assert!(drawn.as_slice().iter().all(|x| x.is_nan()), "bounds make no number of it");
    assert!(diffusion().loss(&Lost, &x0, None, &mut Mode::Eval).unwrap().item().unwrap().is_nan());
}
