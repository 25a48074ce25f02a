//! Figures of the chapters on likelihood, logistic and softmax regression.

use super::plot::{decimals, short};
use super::{Control, Figure, Inputs, Plot, Scale, Slider};
use anyhow::Result;
use gradus_datasets::iris;
use gradus_logistic_regression::{
    Error, LogisticRegression, SoftmaxRegression, gradient, likelihood, log_likelihood_of, probabilities,
};
use gradus_tensor::Tensor;

/// Of ten labels, how many are 1.
pub(super) const ONES: &[Control] = &[Control::Slider(Slider {
    name: "ones",
    label: "labels 1, of ten",
    range: (0.0, 10.0),
    step: 1.0,
    scale: Scale::Linear,
    default: 2.0,
    unit: "",
})];

/// The likelihood of one probability for ten labels, and what the notes print.
pub(super) fn likelihood_of_a_constant(inputs: &Inputs) -> Result<Figure> {
    let ones = inputs.number("ones")?;
    let y: Tensor<u32> = (0..10).map(|i| u32::from(f64::from(i) < ones)).collect();
    let (mean, printed_best) = (ones / 10.0, 1.0 / (2.0 - ones / 10.0));
    let correct = |p: f64| likelihood(&Tensor::from([p; 10]), &y).unwrap_or(f64::NAN);
    let printed = |p: f64| p.powi(10) * (1.0 - p).powi(10 - ones as i32);
    let tops = [correct(mean), printed(printed_best)];
    let status = format!(
        "{} of 10 labels are 1. The likelihood is largest at {}, the share of ones; the printed product at {} = 1/(2 − {}).",
        decimals(ones, 0),
        decimals(mean, 1),
        decimals(printed_best, 3),
        decimals(mean, 1),
    );
    let figure = Plot::new("probability of label 1", 0.0..1.0, 0.0..1.05)
        .y_name("share of its largest value")
        .line("likelihood", |p| correct(p) / tops[0])
        .line("as printed", |p| printed(p) / tops[1])
        .figure(
            &format!(
                "Two curves over the probability, each divided by its largest value: the likelihood has its top at {}, the printed \
                 product at {}.",
                decimals(mean, 1),
                decimals(printed_best, 3)
            ),
            "The likelihood of ten labels under one probability for all, and the notes’ product without the exponent. Each is \
             divided by its largest value.",
        )?;
    Ok(figure.status(status))
}

/// Petal lengths and widths of two species that overlap; virginica has label 1.
fn petals() -> Result<(Tensor<f64>, Tensor<u32>)> {
    let data = iris()?;
    let rows: Vec<u32> = (50..150).collect();
    let x = data.features.slice(1, 2..4)?.gather(0, &rows)?;
    Ok((x, data.target.gather(0, &rows)?.map(|y| y - 1)))
}

fn marks(x: &Tensor<f64>, y: &Tensor<u32>, class: u32) -> Result<Vec<(f64, f64, String)>> {
    let of = |(row, &y): (Tensor<f64>, &u32)| {
        (y == class).then(|| (row.as_slice()[0], row.as_slice()[1], String::new()))
    };
    Ok(x.rows()?.zip(y.as_slice()).filter_map(of).collect())
}

/// The weights of a boundary in the plane.
pub(super) const WEIGHTS: &[Control] = &[
    Control::Slider(Slider {
        name: "length",
        label: "weight of the petal’s length",
        range: (1.5, 10.0),
        step: 0.25,
        scale: Scale::Linear,
        default: 2.0,
        unit: "",
    }),
    Control::Slider(Slider {
        name: "width",
        label: "weight of the petal’s width",
        range: (-2.0, 15.0),
        step: 0.25,
        scale: Scale::Linear,
        default: 2.0,
        unit: "",
    }),
    Control::Slider(Slider {
        name: "intercept",
        label: "intercept",
        range: (-60.0, -6.0),
        step: 0.5,
        scale: Scale::Linear,
        default: -14.0,
        unit: "",
    }),
];

/// Two species and the line on which the model is undecided, with those of ¹⁄₁₀ and ⁹⁄₁₀.
pub(super) fn decision_boundary(inputs: &Inputs) -> Result<Figure> {
    let (a, b, c) = (inputs.number("length")?, inputs.number("width")?, inputs.number("intercept")?);
    let (x, y) = petals()?;
    let ones = Tensor::concatenate(&[&Tensor::ones([y.len(), 1])?, &x], 1)?;
    let theta = Tensor::from([c, a, b]);
    let loss = -log_likelihood_of(&ones, &theta, &y)? / y.len() as f64;
    let guess = probabilities(&ones, &theta)?;
    let right = guess.as_slice().iter().zip(y.as_slice()).filter(|(p, y)| (**p >= 0.5) == (**y == 1)).count();
    let fit = LogisticRegression::new().fit(&x, &y)?;
    let status = format!(
        "Loss {}, {right} of 100 right. The least loss is {}, with weights {} and {} and the intercept {}.",
        decimals(loss, 4),
        decimals(fit.log_loss(&x, &y)?, 4),
        decimals(fit.coefficients().as_slice()[0], 2),
        decimals(fit.coefficients().as_slice()[1], 2),
        decimals(fit.intercept(), 1),
    );
    // ax + by + c = ln(p/(1 − p)), along the axis in which the line is less steep.
    let level = |odds: f64| -> Vec<(f64, f64)> {
        let rest = odds.ln() - c;
        let along = |i: i32, (from, to): (f64, f64)| from + (to - from) * f64::from(i) / 200.0;
        if b.abs() > 1e-9 && a.abs() <= 3.0 * b.abs() {
            return (0..=200).map(|i| along(i, LENGTHS)).map(|u| (u, (rest - a * u) / b)).collect();
        }
        if a.abs() <= 1e-9 {
            return vec![];
        }
        let points = (0..=200).map(|i| along(i, WIDTHS)).map(|v| ((rest - b * v) / a, v));
        points.filter(|p| (LENGTHS.0..=LENGTHS.1).contains(&p.0)).collect()
    };
    let figure = Plot::new("petal length in cm", LENGTHS.0..LENGTHS.1, WIDTHS.0..WIDTHS.1)
        .y_name("petal width in cm")
        .points("versicolor (0)", marks(&x, &y, 0)?)
        .points("virginica (1)", marks(&x, &y, 1)?)
        .curve("probability ½", level(1.0))
        .curve("1/10", level(1.0 / 9.0))
        .curve("9/10", level(9.0))
        .figure(
            &format!(
                "Fifty flowers of each of two species by length and width of their petals, and three parallel lines where the model gives \
                 one tenth, one half and nine tenths; {right} of 100 flowers are on their species’ side of the middle line."
            ),
            "Two species of iris, and where a model with these weights is undecided. The ratio of the weights turns the lines, the \
             intercept moves them, and larger weights draw them together.",
        )?;
    Ok(figure.status(status))
}

const LENGTHS: (f64, f64) = (2.5, 7.5);
const WIDTHS: (f64, f64) = (0.8, 2.7);

/// How far the classes are moved apart.
pub(super) const GAP: &[Control] = &[Control::Slider(Slider {
    name: "gap",
    label: "move class 1 to the right by",
    range: (-1.0, 2.0),
    step: 0.1,
    scale: Scale::Linear,
    default: 0.0,
    unit: "",
})];

/// Fits of a few samples on a line, with less and less penalty, while the classes move apart.
pub(super) fn separation(inputs: &Inputs) -> Result<Figure> {
    let gap = inputs.number("gap")?;
    let values = [-2.0, -1.6, -0.7, -0.1, 0.5, -0.6, 0.2, 0.9, 1.4, 2.0];
    let y: Tensor<u32> = (0..10).map(|i| u32::from(i >= 5)).collect();
    let x: Tensor<f64> = values.iter().zip(y.as_slice()).map(|(x, &y)| x + gap * f64::from(y)).collect();
    let x = x.insert_axis(1)?;
    let mut plot = Plot::new("x", -3.0..4.5, -0.05..1.05).y_name("probability of label 1");
    let own = |class: u32| -> Vec<(f64, f64, String)> {
        let of = |(&x, &y): (&f64, &u32)| (y == class).then(|| (x, f64::from(y), String::new()));
        x.as_slice().iter().zip(y.as_slice()).filter_map(of).collect()
    };
    plot = plot.points("label 0", own(0)).points("label 1", own(1));
    let mut steep = Vec::new();
    for l2 in [1.0, 0.01, 0.0001] {
        let fit = LogisticRegression::new().l2(l2).fit(&x, &y)?;
        let (slope, constant) = (fit.coefficients().item()?, fit.intercept());
        steep.push(short(slope));
        plot =
            plot.line(&format!("l2 = {}", short(l2)), |x| gradus_activations::sigmoid(slope * x + constant));
    }
    let without = match LogisticRegression::new().fit(&x, &y) {
        Ok(fit) => {
            let (slope, constant) = (fit.coefficients().item()?, fit.intercept());
            plot = plot.line("none", |x| gradus_activations::sigmoid(slope * x + constant));
            format!("without a penalty it is {}", short(slope))
        }
        Err(Error::Separated(found)) => {
            let boundary = if found.complete { "none on it" } else { "some of them on it" };
            format!("without a penalty there is no fit: a threshold separates the classes, {boundary}")
        }
        Err(other) => return Err(other.into()),
    };
    let status =
        format!("The slope is {} with the penalties 1, 0.01 and 0.0001; {without}.", steep.join(", "));
    let figure = plot.figure(
        "Ten samples on a line and three or four S-shaped curves from 0 to 1; where the classes no longer overlap the curves with little \
         penalty are steps.",
        "Ten samples and fits of them. As long as the classes overlap, the curves with less and less penalty come to rest at one; once \
         they do not, every curve can be bettered by a steeper one.",
    )?;
    Ok(figure.status(status))
}

/// How far above its least the loss is, over the steps.
pub(super) fn newton_and_descent() -> Result<Figure> {
    let (x, y) = petals()?;
    let centred = x.sub(&x.mean_axis(0)?)?;
    let scaled = centred.div(&centred.variance_axis(0, 0)?.sqrt())?;
    let fit = LogisticRegression::new().tolerance(1e-12).fit(&scaled, &y)?;
    let n = y.len() as f64;
    let least = -fit.log_likelihood()? / n;
    let ones = Tensor::concatenate(&[&Tensor::ones([y.len(), 1])?, &scaled], 1)?;
    let gap = |loss: f64| (loss - least).max(1e-15).log10();
    let steps = fit.convergence().iterations.iter().enumerate();
    let newton: Vec<_> = steps.map(|(i, step)| (i as f64, gap(step.objective / n))).collect();
    let descent = |rate: f64| -> Result<Vec<(f64, f64)>> {
        let (mut theta, mut points) = (Tensor::zeros([3])?, Vec::new());
        for step in 0..=40 {
            points.push((f64::from(step), gap(-log_likelihood_of(&ones, &theta, &y)? / n)));
            theta.add_scaled(-rate, &gradient(&ones, &theta, &y)?)?;
        }
        Ok(points)
    };
    // The Hessian is at most a quarter of XᵀX/n.
    let bound = 8.0 * n / ones.svd()?.s.as_slice()[0].powi(2);
    Plot::new("step", 0.0..40.0, -15.5..0.5)
        .y_name("loss above its least")
        .log_y()
        .curve("Newton", newton)
        .curve("descent, η = 2/λ", descent(0.99 * bound)?)
        .curve("descent, η = 1/λ", descent(0.5 * bound)?)
        .figure(
            "Newton’s curve falls ever more steeply and is at the rounding after some eight steps; the two of gradient descent are still \
             above a hundredth after forty.",
            "Two species of iris, standardised. Newton’s method doubles the correct digits with each step near the end. Gradient \
             descent, with λ the largest curvature there can be, gains about the same share each time, and less and less.",
        )
}

/// Three species in the plane of two features, and where each is the most probable.
pub(super) fn softmax_regions() -> Result<Figure> {
    let data = iris()?;
    let x = data.features.slice(1, 2..4)?;
    let fit = SoftmaxRegression::new(3).l2(0.1).fit(&x, &data.target)?;
    let (w, b) = (fit.coefficients(), fit.intercepts());
    // Where two classes are equally probable, and the third is less so.
    let border = |one: usize, two: usize, other: usize| -> Result<Vec<(f64, f64)>> {
        let mut points = Vec::new();
        for i in 0..=600 {
            let v = 2.7 * f64::from(i) / 600.0;
            let difference = |j: usize| w.as_slice()[3 * j + one] - w.as_slice()[3 * j + two];
            let u = -(difference(1) * v + b.as_slice()[one] - b.as_slice()[two]) / difference(0);
            let p = fit.predict_proba(&Tensor::from([[u, v]]))?.into_vec();
            let inside = (0.5..=7.5).contains(&u) && p[other] <= p[one];
            points.push(if inside { (u, v) } else { (f64::NAN, f64::NAN) });
        }
        Ok(points)
    };
    let right = fit.accuracy(&x, &data.target)?;
    Plot::new("petal length in cm", 0.5..7.5, 0.0..2.7)
        .y_name("petal width in cm")
        .points("setosa", marks(&x, &data.target, 0)?)
        .points("versicolor", marks(&x, &data.target, 1)?)
        .curve("setosa | versicolor", border(0, 1, 2)?)
        .points("virginica", marks(&x, &data.target, 2)?)
        .curve("versicolor | virginica", border(1, 2, 0)?)
        .figure(
            "Three groups of flowers from lower left to upper right, and two straight borders between neighbours; a few flowers are \
             beyond the border of versicolor and virginica.",
            &format!(
                "Three species of iris, and the borders where two of them are equally probable, of a fit with a small penalty. Borders are straight: \
                 scores are linear, and so are their differences. {} of 150 flowers are on the right side.",
                decimals(150.0 * right, 0)
            ),
        )
}
