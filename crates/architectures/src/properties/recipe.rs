//! ResNet's recipe: each step as the formulas have it, and what the notes print.

use super::{apart, holds, normal};
use crate::TrainingRecipe;
use gradus_autograd::{Layer, Mode, Parameters, Var};
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_layers::Linear;
use gradus_losses::CrossEntropy;
use gradus_optimization::Optimizer;
use gradus_tensor::{Tensor, rng};

const MOMENTUM: &[&str] = &["resnet-sgd-momentum"];
const PLATEAU: &[&str] = &["resnet-lr-plateau"];
const DECAY: &[&str] = &["resnet-weight-decay"];

pub(super) fn properties() -> Vec<Property> {
    let mut all = momentum();
    all.extend(plateau());
    all.extend(decay());
    all.push(batch());
    all
}

/// What becomes of weights after some steps with these gradients.
fn trained(
    recipe: &TrainingRecipe,
    theta: &Tensor<f64>,
    gradients: &[Tensor<f64>],
) -> Result<Tensor<f64>, Failure> {
    let error = |e: &dyn std::fmt::Display| Failure::Error(e.to_string());
    let weights = Var::parameter(theta.clone());
    let mut optimizer = recipe.optimizer::<f64>();
    for g in gradients {
        // The gradient of ⟨g, θ⟩ is g.
        let loss = weights.mul(&Var::constant(g.clone()))?.sum()?;
        let gradients = loss.backward().map_err(|e| error(&e))?;
        optimizer.step(&weights, &gradients).map_err(|e| error(&e))?;
    }
    Ok(weights.value())
}

fn drawn(case: &mut Case<'_>) -> Result<(TrainingRecipe, Tensor<f64>, Vec<Tensor<f64>>), Failure> {
    let recipe = TrainingRecipe {
        rate: case.real("rate"),
        momentum: case.real("momentum"),
        weight_decay: case.real("decay"),
        ..TrainingRecipe::RESNET
    };
    let size = case.size("weights");
    let gradients = (0..case.size("steps")).map(|step| normal(case, 10 + step as u64, &[size]));
    let gradients = gradients.collect::<gradus_tensor::Result<Vec<_>>>()?;
    Ok((recipe, normal(case, 0, &[size])?, gradients))
}

fn steps(id: &'static str, formulas: &'static [&'static str], statement: &'static str) -> Property {
    Property::new(id, formulas, statement)
        .draw(Draw::size("weights", 1..=5))
        .draw(Draw::size("steps", 1..=12))
        .draw(Draw::real("rate", 0.001..=0.5))
        .draw(Draw::real("momentum", 0.0..=0.95).limited(0.0..=0.99))
        .draw(Draw::real("decay", 0.0..=0.1).limited(0.0..=1.0))
        .draw(Draw::seed("values"))
}

fn momentum() -> Vec<Property> {
    vec![
        steps("resnet-sgd-momentum.steps", MOMENTUM, "v ← μv + g + λθ, θ ← θ − ηv, step by step")
            .within("rounding of a dozen steps", 1e-12)
            .check(|case| {
                let (recipe, theta, gradients) = drawn(case)?;
                let (mut expected, mut v) = (theta.clone(), theta.zeros_like());
                for g in &gradients {
                    v = v.map(|v| recipe.momentum * v).add(g)?.add(&expected.map(|t| recipe.weight_decay * t))?;
                    expected = expected.sub(&v.map(|v| recipe.rate * v))?;
                }
                Ok(trained(&recipe, &theta, &gradients)?.max_difference(&expected)?)
            }),
        steps("resnet-sgd-momentum.plain", MOMENTUM, "without momentum it is plain descent: only the sum of the gradients counts")
            .within("rounding of a dozen steps", 1e-12)
            .check(|case| {
                let (recipe, theta, gradients) = drawn(case)?;
                let recipe = TrainingRecipe { momentum: 0.0, weight_decay: 0.0, ..recipe };
                let sum = gradients.iter().try_fold(theta.zeros_like(), |sum, g| sum.add(g))?;
                let expected = theta.sub(&sum.map(|g| recipe.rate * g))?;
                Ok(trained(&recipe, &theta, &gradients)?.max_difference(&expected)?)
            }),
        steps(
            "resnet-sgd-momentum.steady",
            MOMENTUM,
            "under a constant gradient k steps go ηg·Σ(1 − μⁱ)/(1 − μ), which a step of ηg/(1 − μ) is the limit of",
        )
        .within("rounding of a dozen steps", 1e-11)
        .check(|case| {
            let (recipe, theta, gradients) = drawn(case)?;
            let recipe = TrainingRecipe { weight_decay: 0.0, ..recipe };
            let g = &gradients[0];
            let constant = vec![g.clone(); gradients.len()];
            let mu = recipe.momentum;
            let ways: f64 = (1..=gradients.len()).map(|i| (1.0 - mu.powi(i as i32)) / (1.0 - mu)).sum();
            let expected = theta.sub(&g.map(|g| recipe.rate * ways * g))?;
            Ok(trained(&recipe, &theta, &constant)?.max_difference(&expected)?)
        }),
        Property::new("resnet-sgd-momentum.published", MOMENTUM, "the paper's numbers: 0.9, 0.1, 10, 10⁻⁴, 256").check(
            |_| {
                let TrainingRecipe { batch, rate, divide_by, momentum, weight_decay } = TrainingRecipe::RESNET;
                Ok(holds(
                    (batch, rate, divide_by, momentum, weight_decay) == (256, 0.1, 10.0, 0.9, 0.0001),
                ))
            },
        ),
    ]
}

/// The validation errors of some epochs: `good` of them improving, then `bad` that do not, over and over.
fn errors(good: usize, bad: usize, rounds: usize) -> Vec<f64> {
    let mut error = 1.0;
    let mut all = Vec::new();
    for _ in 0..rounds {
        for _ in 0..good {
            error *= 0.9;
            all.push(error);
        }
        all.extend(std::iter::repeat_n(1.5 * error, bad));
    }
    all
}

fn plateau() -> Vec<Property> {
    let epochs = |id, statement| {
        Property::new(id, PLATEAU, statement)
            .draw(Draw::size("good", 1..=6))
            .draw(Draw::size("bad", 0..=30))
            .draw(Draw::size("rounds", 1..=4))
            .draw(Draw::size("patience", 0..=12))
    };
    fn rates(case: &Case<'_>, errors: &[f64]) -> Result<Vec<f64>, Failure> {
        let schedule = TrainingRecipe::RESNET.schedule().map_err(|e| Failure::Error(e.to_string()))?;
        let mut schedule = schedule.patience(case.size("patience") as u64);
        Ok(errors.iter().map(|&error| schedule.observe(error)).collect())
    }
    vec![
        epochs("resnet-lr-plateau.values", "the rate never rises, and is always exactly 0.1, 0.01, 0.001, …")
            .check(|case| {
                let errors = errors(case.size("good"), case.size("bad"), case.size("rounds"));
                let rates = rates(case, &errors)?;
                let falling = rates.windows(2).all(|pair| pair[1] <= pair[0]);
                let exact = |rate: f64| (0..130).any(|k| 0.1 / 10f64.powi(k) == rate);
                Ok(holds(falling && rates.into_iter().all(exact)))
            }),
        epochs(
            "resnet-lr-plateau.patience",
            "it falls at the epoch that is one bad one too many, and then again",
        )
        .check(|case| {
            let errors = errors(case.size("good"), case.size("bad"), case.size("rounds"));
            let rates = rates(case, &errors)?;
            let (mut bad, mut drops, mut best) = (0, 0, f64::INFINITY);
            let mut off = 0.0;
            for (error, rate) in errors.iter().zip(rates) {
                if *error < best {
                    (best, bad) = (*error, 0);
                } else {
                    bad += 1;
                }
                if bad > case.size("patience") {
                    (bad, drops) = (0, drops + 1);
                }
                off += holds(rate == 0.1 / 10f64.powi(drops));
            }
            Ok(off)
        }),
        epochs(
            "resnet-lr-plateau.improving",
            "while the error falls, so long as it may take, the rate stays",
        )
        .check(|case| {
            let errors = errors(20 * case.size("good"), 0, case.size("rounds"));
            Ok(holds(rates(case, &errors)?.into_iter().all(|rate| rate == 0.1)))
        }),
    ]
}

fn decay() -> Vec<Property> {
    vec![
        steps("resnet-weight-decay.shrinks", DECAY, "without a gradient a first step leaves (1 − ηλ)θ")
            .within("rounding", 1e-14)
            .check(|case| {
                let (recipe, theta, gradients) = drawn(case)?;
                let nothing = gradients[0].zeros_like();
                let expected = theta.map(|t| (1.0 - recipe.rate * recipe.weight_decay) * t);
                Ok(trained(&recipe, &theta, &[nothing])?.max_difference(&expected)?)
            }),
        steps("resnet-weight-decay.penalty", DECAY, "it is the gradient of ½λ‖θ‖², added to the loss's")
            .within("rounding of a dozen steps", 1e-12)
            .check(|case| {
                let (recipe, theta, gradients) = drawn(case)?;
                let error = |e: &dyn std::fmt::Display| Failure::Error(e.to_string());
                let bare = TrainingRecipe { weight_decay: 0.0, ..recipe };
                let weights = Var::parameter(theta.clone());
                let mut optimizer = bare.optimizer::<f64>();
                for g in &gradients {
                    let loss = weights.mul(&Var::constant(g.clone()))?.sum()?;
                    let penalty = weights
                        .mul(&weights)?
                        .sum()?
                        .mul(&Var::constant(Tensor::full([1], 0.5 * recipe.weight_decay)?))?;
                    let loss = loss.add(&penalty.sum()?)?;
                    optimizer
                        .step(&weights, &loss.backward().map_err(|e| error(&e))?)
                        .map_err(|e| error(&e))?;
                }
                Ok(trained(&recipe, &theta, &gradients)?.max_difference(&weights.value())?)
            }),
        steps("resnet-weight-decay.none", DECAY, "a λ of 0 changes no bit, not even of what is not finite")
            .check(|case| {
                let (recipe, theta, gradients) = drawn(case)?;
                let recipe = TrainingRecipe { weight_decay: 0.0, ..recipe };
                let mut infinite = theta.clone();
                infinite.as_mut_slice()[0] = f64::INFINITY;
                let y = trained(&recipe, &infinite, &gradients)?;
                Ok(holds(y.as_slice()[0] == f64::INFINITY && y.as_slice()[1..].iter().all(|t| t.is_finite())))
            }),
        Property::refutation(
            "resnet-weight-decay.printed",
            DECAY,
            "the weight decay is 1·e⁻⁵: a weight of 1 is 0.99999 after a step",
        )
        .check(|_| {
            let printed = TrainingRecipe { weight_decay: (-5.0f64).exp(), ..TrainingRecipe::RESNET };
            let theta = Tensor::from([1.0]);
            let after = trained(&printed, &theta, &[theta.zeros_like()])?.as_slice()[0];
            Ok((after - 0.99999).abs())
        }),
        Property::refutation(
            "resnet-weight-decay.meant",
            DECAY,
            "the weight decay is 10⁻⁵: a weight of 1 is 0.99999 after a step",
        )
        .check(|_| {
            let meant = TrainingRecipe { weight_decay: 1e-5, ..TrainingRecipe::RESNET };
            let theta = Tensor::from([1.0]);
            let after = trained(&meant, &theta, &[theta.zeros_like()])?.as_slice()[0];
            Ok((after - 0.99999).abs())
        }),
    ]
}

fn batch() -> Property {
    Property::new(
        "resnet-batch-256.mean",
        &["resnet-batch-256"],
        "the gradient of a batch of 256 is the mean of those of its parts, however it is cut",
    )
    .draw(Draw::size("parts", 1..=8))
    .draw(Draw::seed("values"))
    .within("rounding of a mean of 256", 1e-13)
    .check(|case| {
        let batch = TrainingRecipe::RESNET.batch;
        let parts = 1 << (case.size("parts") - 1);
        let (x, layer) =
            (normal(case, 0, &[batch, 5])?, Linear::<f64>::new(5, 3, &mut rng(case.seed("values")))?);
        let classes = Tensor::from_fn([batch], |at| ((at[0] * 7 + at[0] / 5) % 3) as u32)?;
        let gradient = |from: usize, to: usize| -> Result<Tensor<f64>, Failure> {
            let scores = layer.forward(&Var::constant(x.slice(0, from..to)?), &mut Mode::Eval)?;
            let loss = Var::apply(CrossEntropy::new(&classes.slice(0, from..to)?), [&scores])?;
            let gradients = loss.backward().map_err(|e| Failure::Error(e.to_string()))?;
            gradients.get(&layer.weight).cloned().ok_or_else(|| Failure::Error("no gradient".into()))
        };
        let size = batch / parts;
        let mut mean = gradient(0, size)?;
        for part in 1..parts {
            mean = mean.add(&gradient(part * size, (part + 1) * size)?)?;
        }
        let whole = gradient(0, batch)?;
        Ok(apart(batch, 256)
            + whole.max_difference(&mean.map(|g| g / parts as f64))?
            + holds(layer.parameter_count() == 18))
    })
}
