//! Any operation against five-point differences, with random cotangents, in `f64`.

use crate::{Op, OpMany, Var};
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_tensor::{Result, Tensor, rng};
use rand::Rng;
use rand_distr::StandardNormal;

/// How far the two sides of a gradient check may be apart, relative to 1 + |∂φ| + Σ|terms of φ|.
///
/// Five points at a distance of 10⁻³ err by h⁴/30 times the fifth derivative, about 10⁻¹² of it, and by u/h,
/// about 10⁻¹³ of φ, from rounding: the rest of the room is for fifth derivatives in the hundreds.
const TOLERANCE: f64 = 1e-9;
/// The distance between the points. It grows with the coordinate from 100 on only: functions bend on a scale of
/// their own, and until then the rounding of the coordinate, u·|x| / h, stays below 10⁻¹¹.
const STEP: f64 = 1e-3;
const FAR: f64 = 100.0;
/// Up to this many coordinates are all checked; of more, as many drawn ones.
const COORDINATES: usize = 64;

/// Makes `property` the gradient check of an operation: `make` builds the operation and its inputs from a case.
///
/// For a random cotangent v and φ(x) = ⟨v, op(x)⟩ it compares every ∂φ/∂x of `vjp` with a five-point difference.
/// It checks as well that `eval` equals `forward` to the bit, that each input's gradient asked for alone is the
/// same to the bit, and that nothing is computed that was not asked for.
///
/// ```
/// use gradus_autograd::{gradient_property, ops::Mul};
/// use gradus_formula::{Config, Draw, Property, run};
/// use gradus_tensor::tensor_of;
/// let property = gradient_property(
///     Property::new("mul.gradient", &[], "the gradient of x·y")
///         .draw(Draw::size("n", 1..=4))
///         .draw(Draw::array("x", -3.0..=3.0, &["n"]))
///         .draw(Draw::array("y", -3.0..=3.0, &["n"])),
///     |case| Ok((Mul, [tensor_of(case.array("x"))?, tensor_of(case.array("y"))?])),
/// );
/// assert!(run(&property, &Config::default(), &mut |_| {})?.passed());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn gradient_property<O: Op<f64, N>, const N: usize>(
    property: Property,
    make: impl Fn(&mut Case<'_>) -> Result<(O, [Tensor<f64>; N]), Failure> + Send + Sync + 'static,
) -> Property {
    checked(property, move |case| {
        let (op, inputs) = make(case)?;
        let (value, saved) = op.forward(inputs.each_ref())?;
        let dy = cotangent(case, &value)?;
        let all = op.vjp(inputs.each_ref(), &saved, &dy, [true; N])?;
        let mut given = Vec::new();
        for (i, gradient) in all.into_iter().enumerate() {
            let mut wants = [false; N];
            wants[i] = true;
            let alone = op.vjp(inputs.each_ref(), &saved, &dy, wants)?;
            given.push(agreed(i, gradient, alone.into_iter().collect())?);
        }
        let eval =
            |inputs: &[Tensor<f64>]| -> Result<Tensor<f64>> { op.eval(std::array::from_fn(|i| &inputs[i])) };
        same_value(&value, &eval(&inputs)?)?;
        compare(case, &inputs, &given, &dy, &eval)
    })
}

/// [`gradient_property`] for an operation on a number of inputs known at run time only.
#[must_use]
pub fn gradient_property_many<O: OpMany<f64>>(
    property: Property,
    make: impl Fn(&mut Case<'_>) -> Result<(O, Vec<Tensor<f64>>), Failure> + Send + Sync + 'static,
) -> Property {
    checked(property, move |case| {
        let (op, inputs) = make(case)?;
        let views: Vec<&Tensor<f64>> = inputs.iter().collect();
        let (value, saved) = op.forward(&views)?;
        let dy = cotangent(case, &value)?;
        let all = op.vjp(&views, &saved, &dy, &vec![true; inputs.len()])?;
        let mut given = Vec::new();
        for (i, gradient) in all.into_iter().enumerate() {
            let mut wants = vec![false; inputs.len()];
            wants[i] = true;
            given.push(agreed(i, gradient, op.vjp(&views, &saved, &dy, &wants)?)?);
        }
        let eval = |inputs: &[Tensor<f64>]| op.eval(&inputs.iter().collect::<Vec<_>>());
        same_value(&value, &eval(&inputs)?)?;
        compare(case, &inputs, &given, &dy, &eval)
    })
}

/// The same check for a function composed of operations: a layer, a loss, a model. `make` gives the function and
/// the tensors whose gradients are checked; the function gets them as parameters, in order.
#[must_use]
pub fn composite_gradient_property<F>(
    property: Property,
    make: impl Fn(&mut Case<'_>) -> Result<(F, Vec<Tensor<f64>>), Failure> + Send + Sync + 'static,
) -> Property
where
    F: Fn(&[Var<f64>]) -> Result<Var<f64>>,
{
    checked(property, move |case| {
        let (f, inputs) = make(case)?;
        let parameters: Vec<Var<f64>> = inputs.iter().cloned().map(Var::parameter).collect();
        let value = f(&parameters)?;
        let dy = cotangent(case, &value.value())?;
        let gradients = value.backward_with(&dy)?;
        let zero = |p: &Var<f64>| p.value().zeros_like();
        let given: Vec<_> =
            parameters.iter().map(|p| gradients.get(p).cloned().unwrap_or_else(|| zero(p))).collect();
        let eval = |inputs: &[Tensor<f64>]| {
            Ok(f(&inputs.iter().cloned().map(Var::constant).collect::<Vec<_>>())?.value())
        };
        same_value(&value.value(), &eval(&inputs)?)?;
        compare(case, &inputs, &given, &dy, &eval)
    })
}

fn checked(
    property: Property,
    check: impl Fn(&mut Case<'_>) -> Result<f64, Failure> + Send + Sync + 'static,
) -> Property {
    property.draw(Draw::seed("cotangent")).within("five-point differences", TOLERANCE).check(check)
}

fn cotangent(case: &Case<'_>, value: &Tensor<f64>) -> Result<Tensor<f64>> {
    Tensor::random(value.shape(), &StandardNormal, &mut rng(case.seed("cotangent")))
}

fn same_value(forward: &Tensor<f64>, eval: &Tensor<f64>) -> Result<(), Failure> {
    if forward.same_bits(eval) { Ok(()) } else { Err(Failure::Error("eval differs from forward".into())) }
}

/// The gradient of input `i`, if asking for it alone gives the same bits and nothing else.
fn agreed(
    i: usize,
    gradient: Option<Tensor<f64>>,
    alone: Vec<Option<Tensor<f64>>>,
) -> Result<Tensor<f64>, Failure> {
    let wrong = |why: &str| Err(Failure::Error(format!("vjp of input {i}: {why}")));
    let Some(gradient) = gradient else { return wrong("no gradient though it was wanted") };
    for (j, other) in alone.iter().enumerate() {
        match other {
            Some(g) if j == i && g.same_bits(&gradient) => {}
            None if j != i => {}
            _ if j == i => return wrong("asked for alone, it differs"),
            _ => return wrong("another input's gradient came unasked"),
        }
    }
    Ok(gradient)
}

/// A function of several tensors.
type Function<'a> = dyn Fn(&[Tensor<f64>]) -> Result<Tensor<f64>> + 'a;

/// The largest distance between the given gradients and five-point differences of φ(x) = ⟨dy, f(x)⟩.
fn compare(
    case: &Case<'_>,
    inputs: &[Tensor<f64>],
    given: &[Tensor<f64>],
    dy: &Tensor<f64>,
    f: &Function<'_>,
) -> Result<f64, Failure> {
    let terms = f(inputs)?.mul(dy)?.abs().sum();
    let mut worst: f64 = 0.0;
    for (i, (x, gradient)) in inputs.iter().zip(given).enumerate() {
        if gradient.shape() != x.shape() {
            let (got, expected) = (gradient.shape(), x.shape());
            return Err(Failure::Error(format!(
                "the gradient of input {i} has the shape {got}, not {expected}"
            )));
        }
        for at in coordinates(case, x.len()) {
            let origin = x.as_slice()[at];
            let h = STEP * (origin.abs() / FAR).max(1.0);
            let phi = |k: f64| -> Result<f64> {
                let mut moved = inputs.to_vec();
                moved[i].as_mut_slice()[at] = origin + k * h;
                Ok(f(&moved)?.mul(dy)?.sum())
            };
            let difference = (phi(-2.0)? - 8.0 * phi(-1.0)? + 8.0 * phi(1.0)? - phi(2.0)?) / (12.0 * h);
            let analytic = gradient.as_slice()[at];
            let apart = (analytic - difference).abs() / (1.0 + analytic.abs() + terms);
            // A NaN must not be swallowed by a maximum.
            if apart.is_nan() || apart > worst {
                worst = apart;
            }
            if worst.is_nan() {
                return Ok(worst);
            }
        }
    }
    Ok(worst)
}

/// All coordinates of a small tensor, a drawn selection of a large one.
fn coordinates(case: &Case<'_>, len: usize) -> Vec<usize> {
    if len <= COORDINATES {
        return (0..len).collect();
    }
    let mut rng = rng(case.seed("cotangent") ^ 0x5eed);
    (0..COORDINATES).map(|_| (rng.next_u64() % len as u64) as usize).collect()
}
