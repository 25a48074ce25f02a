//! The properties of a folded normalisation: one convolution does what two steps did.

use super::layers::{holds, of, shape, weights};
use super::{framed, normal, whole};
use crate::{Algorithm, Conv2d, Convolution, Pad, PaddingMode, fold_batch_norm};
use gradus_autograd::{Layer, Mode, Op, Var};
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_layers::{BatchNorm2d, FixedNormalization};
use gradus_tensor::{Error, Result, Tensor};

const FOLDING: &[&str] = &["batch-norm-folding"];

/// Two products and a quotient more for each term, and a sum of at most 49 terms in another order: relative to the sum of the terms' sizes.
const ROUNDING: f64 = 64.0 * f64::EPSILON;

fn folded(id: &'static str, statement: &'static str) -> Property {
    let property = Property::new(id, FOLDING, statement)
        .draw(Draw::size("n", 0..=2))
        .draw(Draw::size("groups", 1..=3))
        .draw(Draw::size("in", 1..=3))
        .draw(Draw::size("out", 1..=3))
        .draw(Draw::choice("bias", &["yes", "no"]))
        .draw(Draw::log("eps", 1e-8..=1.0).limited(1e-12..=1e3))
        .draw(Draw::log("spread", 1e-3..=1e3).limited(1e-6..=1e6));
    framed(property).draw(Draw::seed("values"))
}

struct Drawn {
    layer: Conv2d<f64>,
    x: Tensor<f64>,
    fixed: FixedNormalization<f64>,
    gain: Tensor<f64>,
    shift: Tensor<f64>,
}

fn drawn(case: &mut Case<'_>) -> Result<Drawn, Failure> {
    let (n, eps, spread) = (case.size("n"), case.real("eps"), case.real("spread"));
    let (shape, [h, w]) = shape(case)?;
    let k = [shape.out_channels];
    let (weight, bias) = weights(case, &shape, normal)?;
    Ok(Drawn {
        layer: Conv2d::from_tensors(shape, weight, bias)?,
        x: normal(case, 0, &[n, shape.in_channels, h, w])?,
        fixed: FixedNormalization {
            mean: normal(case, 3, &k)?.map(|v| spread * v),
            variance: normal(case, 4, &k)?.map(|v| spread * v * v),
            eps,
        },
        gain: normal(case, 5, &k)?,
        shift: normal(case, 6, &k)?,
    })
}

impl Drawn {
    /// The two steps, one after the other.
    fn steps(&self) -> Result<Tensor<f64>> {
        self.fixed.eval([&of(&self.layer, &self.x)?, &self.gain, &self.shift])
    }

    /// The folded convolution.
    fn one(&self) -> Result<Conv2d<f64>> {
        let bias = self.layer.bias.as_ref().map(|bias| bias.value());
        let weight = self.layer.weight.value();
        let (weight, bias) = fold_batch_norm(&weight, bias.as_ref(), &self.fixed, &self.gain, &self.shift)?;
        self.layer.with_tensors(weight, bias)
    }

    /// The sum of the sizes of all terms of each output.
    fn sizes(&self) -> Result<Tensor<f64>> {
        let fixed = FixedNormalization {
            mean: self.fixed.mean.abs().map(|mean| -mean),
            variance: self.fixed.variance.clone(),
            eps: self.fixed.eps,
        };
        let bias = self.layer.bias.as_ref().map(|bias| bias.value().abs());
        let shape = self.layer.shape();
        let layer = Conv2d::from_tensors(shape, self.layer.weight.value().abs(), bias)?;
        fixed.eval([&of(&layer, &self.x.abs())?, &self.gain.abs(), &self.shift.abs()])
    }
}

fn doubled(v: &Var<f64>) -> Var<f64> {
    Var::parameter(v.value().map(|v| 2.0 * v))
}

pub(super) fn properties() -> Vec<Property> {
    vec![
        folded("batch-norm-folding.equal", "the folded convolution does what convolution and normalisation do, groups, no bias and all")
            .within("rounding, relative to the sum of the sizes of an output's terms", ROUNDING)
            .check(|case| {
                let drawn = drawn(case)?;
                let apart = of(&drawn.one()?, &drawn.x)?.sub(&drawn.steps()?)?.abs();
                let relative = apart.div(&drawn.sizes()?)?;
                // A NaN would be swallowed by a maximum.
                Ok(relative.as_slice().iter().fold(0.0, |off: f64, &v| if v <= off { off } else { v }))
            }),
        folded("batch-norm-folding.exact", "with whole numbers and roots that are powers of 2 both are equal, to the bit").check(|case| {
            let mut drawn = drawn(case)?;
            let k = [drawn.gain.len()];
            // σ² + ε = 1, 4, 16, 64: the factor is a whole number over 8 at most.
            let powers = whole(case, 4, &k)?.map(|v| [1.0, 4.0, 16.0, 64.0][v.abs() as usize % 4]);
            drawn.fixed.eps = 0.5;
            drawn.fixed.variance = powers.map(|v| v - 0.5);
            drawn.fixed.mean = whole(case, 3, &k)?;
            (drawn.gain, drawn.shift) = (whole(case, 5, &k)?, whole(case, 6, &k)?);
            let (weight, bias) = weights(case, &drawn.layer.shape(), whole)?;
            drawn.layer = Conv2d::from_tensors(drawn.layer.shape(), weight, bias)?;
            drawn.x = whole(case, 0, drawn.x.dims())?;
            Ok(of(&drawn.one()?, &drawn.x)?.max_difference(&drawn.steps()?)?)
        }),
        folded("batch-norm-folding.zero-gain", "with γ = 0 the weights are 0 and every output is β").check(|case| {
            let mut drawn = drawn(case)?;
            drawn.gain = drawn.gain.zeros_like();
            let one = drawn.one()?;
            let none = one.weight.value().as_slice().iter().all(|&w| w == 0.0);
            let y = of(&one, &drawn.x)?;
            let shift = drawn.shift.reshape([drawn.shift.len(), 1, 1])?.broadcast_to(y.shape())?;
            Ok(y.max_difference(&shift)?.max(holds(none)))
        }),
        folded("batch-norm-folding.layer", "a layer folds its normalisation's running statistics, and keeps its windows, its way and its padding mode")
            .check(|case| {
                let drawn = drawn(case)?;
                let eps = case.real("eps");
                let mut norm = BatchNorm2d::new(drawn.gain.len())?.eps(eps)?;
                norm.weight = Var::parameter(drawn.gain.clone());
                norm.bias = Var::parameter(drawn.shift.clone());
                norm.running_mean.update(|mean| *mean = drawn.fixed.mean.clone());
                norm.running_var.update(|variance| *variance = drawn.fixed.variance.clone());
                let way = drawn.layer.clone().by(Algorithm::Plain).padding_mode(PaddingMode::Replicate);
                let (one, own) = (drawn.one()?, way.folded(&norm)?);
                // The layer with one more step: its images padded first, by the loops.
                let bare = Convolution::new(one.shape().windows.map(|w| w.padded(0)));
                let bare = bare.groups(one.shape().groups).by(Algorithm::Plain);
                let padded = Pad::of(one.shape().windows).mode(PaddingMode::Replicate).eval([&drawn.x])?;
                let bias = one.bias.as_ref().map(|bias| bias.value());
                let expected = bare.value(&padded, &one.weight.value(), bias.as_ref())?;
                Ok(holds(of(&own, &drawn.x)?.same_bits(&expected)))
            }),
        folded("batch-norm-folding.linear", "twice γ and twice β give twice the outputs; the statistics' scale goes out again")
            .within("rounding, relative to the sum of the sizes of an output's terms", ROUNDING)
            .check(|case| {
                let mut drawn = drawn(case)?;
                let (once, sizes) = (of(&drawn.one()?, &drawn.x)?, drawn.sizes()?);
                (drawn.gain, drawn.shift) = (drawn.gain.map(|v| 2.0 * v), drawn.shift.map(|v| 2.0 * v));
                let twice = of(&drawn.one()?, &drawn.x)?;
                let exact = holds(twice.same_bits(&once.map(|v| 2.0 * v)));
                // Outputs before the normalisation twice as large, with their statistics: 2μ, 4σ², 4ε.
                drawn.layer.weight = doubled(&drawn.layer.weight);
                drawn.layer.bias = drawn.layer.bias.as_ref().map(doubled);
                drawn.fixed.mean = drawn.fixed.mean.map(|v| 2.0 * v);
                drawn.fixed.variance = drawn.fixed.variance.map(|v| 4.0 * v);
                drawn.fixed.eps *= 4.0;
                let apart = of(&drawn.one()?, &drawn.x)?.sub(&twice)?.abs().div(&sizes)?;
                Ok(apart.as_slice().iter().fold(exact, |off, &v| if v <= off { off } else { v }))
            }),
        Property::new("batch-norm-folding.refused", FOLDING, "statistics of other channels, an ε of 0 and weights without axes are refused")
            .check(|_| {
                let fixed = |channels: usize, eps: f64| -> Result<FixedNormalization<f64>> {
                    Ok(FixedNormalization { mean: Tensor::zeros([channels])?, variance: Tensor::ones([channels])?, eps })
                };
                let (weight, two, three) = (Tensor::<f64>::ones([2, 1, 1, 1])?, Tensor::ones([2])?, Tensor::ones([3])?);
                let shape = |result: Result<(Tensor<f64>, Tensor<f64>)>| matches!(result, Err(Error::Shape { .. }));
                let mut all = shape(fold_batch_norm(&weight, None, &fixed(3, 1.0)?, &two, &two))
                    && shape(fold_batch_norm(&weight, None, &fixed(2, 1.0)?, &three, &two))
                    && shape(fold_batch_norm(&weight, None, &fixed(2, 1.0)?, &two, &three))
                    && shape(fold_batch_norm(&weight, Some(&three), &fixed(2, 1.0)?, &two, &two))
                    && shape(fold_batch_norm(&Tensor::scalar(1.0), None, &fixed(2, 1.0)?, &two, &two));
                for eps in [0.0, -1.0, f64::NAN, f64::INFINITY] {
                    let result = fold_batch_norm(&weight, None, &fixed(2, eps)?, &two, &two);
                    all &= matches!(result, Err(Error::Argument { name: "eps", .. }));
                }
                Ok(holds(all))
            }),
        folded("batch-norm-folding.after-training", "after steps of training, evaluation in two steps and folded agree")
            .within("rounding of numbers of size 1", 1e-10)
            .check(|case| {
                let drawn = drawn(case)?;
                let norm = BatchNorm2d::new(drawn.gain.len())?;
                let outputs = of(&drawn.layer, &drawn.x)?;
                let enough = outputs.len() / drawn.gain.len() > 1;
                if enough {
                    let mut rng = gradus_tensor::rng(case.seed("values"));
                    for _ in 0..3 {
                        norm.forward(&Var::constant(outputs.clone()), &mut Mode::Train(&mut rng))?;
                    }
                }
                case.classify(!enough, "nothing to train on");
                let steps = of(&norm, &outputs)?;
                Ok(of(&drawn.layer.folded(&norm)?, &drawn.x)?.max_difference(&steps)?)
            }),
    ]
}
