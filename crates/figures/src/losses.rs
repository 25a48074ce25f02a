//! Figures of the chapter on losses.

use super::plot::short;
use super::{Control, Figure, Inputs, Plot, Scale, Slider};
use anyhow::Result;
use gradus_activations::sigmoid;
use gradus_losses::{
    BceWithLogits, Componentwise, Focal, Hinge, Huber, L1, Mse, cross_entropy, log_likelihood,
};
use gradus_tensor::Tensor;

/// From where on Huber's loss is straight.
pub(super) const DELTA: &[Control] = &[Control::Slider(Slider {
    name: "delta",
    label: "Huber’s δ",
    range: (0.1, 3.0),
    step: 0.05,
    scale: Scale::Linear,
    default: 1.0,
    unit: "",
})];

/// L1, MSE and Huber against the difference.
pub(super) fn regression_losses(inputs: &Inputs) -> Result<Figure> {
    let huber = Huber { delta: inputs.number("delta")? };
    let status = format!(
        "δ = {}: a difference of 3 costs {} under Huber’s loss, {} under L1 and {} under MSE; one of 0.1 costs {}, {} and {}.",
        short(huber.delta),
        short(huber.loss(3.0, 0.0)),
        short(L1.loss(3.0, 0.0)),
        short(Mse.loss(3.0, 0.0)),
        short(huber.loss(0.1, 0.0)),
        short(L1.loss(0.1, 0.0)),
        short(Mse.loss(0.1, 0.0)),
    );
    let figure = Plot::new("difference ŷ − y", -3.0..3.0, 0.0..5.0)
        .y_name("loss")
        .break_at(0.0)
        .line("L1", |d| L1.loss(d, 0.0))
        .line("MSE", |d| Mse.loss(d, 0.0))
        .line(&format!("Huber, δ = {}", short(huber.delta)), |d| huber.loss(d, 0.0))
        .figure(
            &format!(
                "L1 is a V, the squared error a parabola that overtakes it at differences of 1, Huber a parabola half as \
                 high that becomes straight at {}.",
                short(huber.delta)
            ),
            "Three prices of a difference. Up to 1 the square is cheaper than L1, beyond it is dearer without limit. \
             Huber's loss is half the square as far as δ and then goes on straight.",
        )?;
    Ok(figure.status(status))
}

/// Their derivatives.
pub(super) fn regression_slopes(inputs: &Inputs) -> Result<Figure> {
    let huber = Huber { delta: inputs.number("delta")? };
    let status = format!(
        "δ = {}: a sample at a distance of 3 pulls with {} under Huber’s loss, with {} under L1 and {} under MSE; one at 0.1 with \
         {}, {} and {}.",
        short(huber.delta),
        short(huber.slopes(3.0, 0.0).0),
        short(L1.slopes(3.0, 0.0).0),
        short(Mse.slopes(3.0, 0.0).0),
        short(huber.slopes(0.1, 0.0).0),
        short(L1.slopes(0.1, 0.0).0),
        short(Mse.slopes(0.1, 0.0).0),
    );
    let figure = Plot::new("difference ŷ − y", -3.0..3.0, -4.0..4.0)
        .y_name("slope")
        .break_at(0.0)
        .line("L1", |d| L1.slopes(d, 0.0).0)
        .line("MSE", |d| Mse.slopes(d, 0.0).0)
        .line(&format!("Huber, δ = {}", short(huber.delta)), |d| huber.slopes(d, 0.0).0)
        .figure(
            &format!(
                "The slope of L1 jumps from -1 to 1 at 0; that of the squared error is a line through 0 with slope 2; that \
                 of Huber rises from -{0} at -{0} to {0} at {0} and is level outside.",
                short(huber.delta)
            ),
            "Their slopes: how hard a sample pulls. Under L1 every sample pulls alike, under MSE in proportion to its \
             distance, under Huber in proportion as far as δ and no harder from there.",
        )?;
    Ok(figure.status(status))
}

/// Binary cross entropy over the logit, for three labels.
pub(super) fn bce_curves() -> Result<Figure> {
    let of = |y: f64| move |z: f64| BceWithLogits.loss(z, y);
    let slope = |y: f64| move |z: f64| BceWithLogits.slopes(z, y).0;
    Plot::new("logit z", -6.0..6.0, -1.0..6.0)
        .line("y = 1", of(1.0))
        .derivative("slope for y = 1", slope(1.0))
        .line("y = 0", of(0.0))
        .derivative("slope for y = 0", slope(0.0))
        .line("y = ½", of(0.5))
        .derivative("slope for y = ½", slope(0.5))
        .figure(
            "For label 1 the loss falls from 6 to almost 0, for label 0 it rises as its mirror image, for label ½ it is \
             a valley with its floor at ln 2; the slopes are sigmoids shifted down by the label.",
            "Binary cross entropy over the logit and, dashed, its slope σ(z) − y. All three curves meet at z = 0 with \
             ln 2. On the wrong side a curve is almost straight: a confident mistake is pulled back with slope 1, and \
             no harder.",
        )
}

/// How many digits three forms of the binary cross entropy lose for a confident correct prediction.
pub(super) fn bce_naive() -> Result<Figure> {
    const SOFT: f64 = 1.0 - 1e-12;
    let tail = |z: f64| (-z.abs()).exp().ln_1p();
    // The error is ragged: the largest of twenty neighbours.
    let worst = |label: f64, form: &dyn Fn(f64) -> f64| -> Vec<(f64, f64)> {
        let error = |z: f64| (form(z) / BceWithLogits.loss(z, label) - 1.0).abs();
        (0..100)
            .map(|i| {
                let z = 0.5 * f64::from(i);
                let largest = (0..20).map(|k| error(z + 0.025 * f64::from(k))).fold(1e-17, f64::max);
                (z + 0.25, largest.log10())
            })
            .collect()
    };
    Plot::new("logit z", 0.0..50.0, -17.0..0.5)
        .y_name("relative error")
        .log_y()
        .curve("t before zy, y = 1", worst(1.0, &|z| z.max(0.0) + tail(z) - z))
        .curve("−ln σ(z), y = 1", worst(1.0, &|z| -log_likelihood(sigmoid(z), 1.0)))
        .curve("short, y = 1 − 10⁻¹²", worst(SOFT, &|z| z.max(0.0) - z * SOFT + tail(z)))
        .figure(
            "For label 1 both errors grow as e to the z from ten to the -16 and reach 1 at 34 and 37; for the label just \
             below 1 the error grows likewise up to ten to the -4 and stays there.",
            "How wrong three forms are for a confident correct prediction, against the form of the library. With label 1 \
             nothing is left of the loss from 37 on, and from 34 if t is added first. With a label just below 1 the short form loses twelve of its \
             sixteen digits.",
        )
}

/// Two-class losses over the margin.
pub(super) fn hinge_vs_ce() -> Result<Figure> {
    let scores = |m: f64| Tensor::from([[m, 0.0]]);
    let right = Tensor::from([0u32]);
    // A row of two finite scores is one that these losses take; a NaN would show as a gap.
    let number = |loss: gradus_tensor::Result<Tensor<f64>>| loss.and_then(|l| l.item()).unwrap_or(f64::NAN);
    let hinge = |squared: bool, m: f64| {
        use gradus_autograd::Op;
        number(Hinge { squared, ..Hinge::new(&right) }.eval([&scores(m)]))
    };
    Plot::new("margin: the right score less the other", -3.0..5.0, 0.0..5.0)
        .y_name("loss")
        .break_at(0.0)
        .line("hinge", |m| hinge(false, m))
        .line("squared hinge", |m| hinge(true, m))
        .line("cross entropy", |m| number(cross_entropy(&scores(m), &right)))
        .line("zero–one", |m| if m > 0.0 { 0.0 } else { 1.0 })
        .figure(
            "The hinge falls straight to 0 at margin 1 and stays there, its square does so as a parabola; cross entropy \
             falls ever more slowly and stays above 0; the zero-one loss steps from 1 to 0 at margin 0.",
            "Four prices of a margin, for two classes. Both hinges are exactly 0 from 1 on; cross entropy never is. Only \
             the mistakes themselves count in the zero–one loss, which has no slope to follow.",
        )
}

/// The focal loss for several γ.
pub(super) fn focal() -> Result<Figure> {
    // With α = ½ both labels have half weight: twice that is the loss without weights.
    let of = |gamma: f64| move |z: f64| 2.0 * Focal { gamma, alpha: 0.5 }.loss(z, 1.0);
    Plot::new("logit z, label 1", -4.0..4.0, 0.0..4.0)
        .y_name("loss")
        .line("γ = 0", of(0.0))
        .line("γ = 1", of(1.0))
        .line("γ = 2", of(2.0))
        .line("γ = 5", of(5.0))
        .figure(
            "With larger gamma the curve falls to 0 earlier; on the far left all four are nearly the same.",
            "The focal loss of label 1 without the weight α. γ = 0 is cross entropy; the larger γ, the sooner a sample \
             that is already right stops counting.",
        )
}
