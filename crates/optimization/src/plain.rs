//! The updates line by line, on whole tensors: the formulas as the book prints them.
//!
//! They are slow, for each line makes a tensor, and are there to be read, and to be what the fused passes of the optimisers must
//! equal to the bit (the properties `*.plain`).

use crate::{Momentum, WeightDecay};
use gradus_tensor::{Result, Scalar, Tensor};

/// How far a decay of λ changes θ and g before a step of rate η: see [`WeightDecay`].
///
/// # Errors
/// If the shapes differ.
pub fn decay<T: Scalar>(
    kind: WeightDecay,
    lambda: f64,
    rate: f64,
    theta: &Tensor<T>,
    g: &Tensor<T>,
) -> Result<(Tensor<T>, Tensor<T>)> {
    if lambda == 0.0 {
        return Ok((theta.clone(), g.clone()));
    }
    Ok(match kind {
        WeightDecay::Coupled => (theta.clone(), g.add(&theta.scale(T::of(lambda)))?),
        WeightDecay::Decoupled => (theta.scale(T::of(1.0 - rate * lambda)), g.clone()),
    })
}

/// A step of plain gradient descent: θ − ηg.
///
/// ```
/// use gradus_optimization::plain;
/// use gradus_tensor::Tensor;
/// let (theta, g) = (Tensor::from([1.0f64]), Tensor::from([2.0]));
/// assert_eq!(plain::descent(0.25, &theta, &g)?, Tensor::from([0.5]));
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
///
/// # Errors
/// If the shapes differ.
pub fn descent<T: Scalar>(rate: f64, theta: &Tensor<T>, g: &Tensor<T>) -> Result<Tensor<T>> {
    theta.sub(&g.scale(T::of(rate)))
}

/// A step with momentum, in either form; θ and the velocity after it.
///
/// # Errors
/// If the shapes differ.
pub fn momentum<T: Scalar>(
    form: Momentum,
    nesterov: bool,
    [rate, mu]: [f64; 2],
    theta: &Tensor<T>,
    v: &Tensor<T>,
    g: &Tensor<T>,
) -> Result<(Tensor<T>, Tensor<T>)> {
    let (eta, mu) = (T::of(rate), T::of(mu));
    match form {
        Momentum::Velocity => {
            let v = v.scale(mu).add(g)?;
            let direction = if nesterov { g.add(&v.scale(mu))? } else { v.clone() };
            Ok((theta.sub(&direction.scale(eta))?, v))
        }
        Momentum::Classical => {
            let push = g.scale(eta);
            let v = v.scale(mu).sub(&push)?;
            let way = if nesterov { v.scale(mu).sub(&push)? } else { v.clone() };
            Ok((theta.add(&way)?, v))
        }
    }
}

/// Step number `step` (from 1) of Adam; θ, m and v after it.
///
/// # Errors
/// If the shapes differ.
pub fn adam<T: Scalar>(
    [rate, beta1, beta2, epsilon]: [f64; 4],
    step: u64,
    theta: &Tensor<T>,
    [m, v]: [&Tensor<T>; 2],
    g: &Tensor<T>,
) -> Result<(Tensor<T>, [Tensor<T>; 2])> {
    let m = m.scale(T::of(beta1)).add(&g.scale(T::of(1.0 - beta1)))?;
    let v = v.scale(T::of(beta2)).add(&g.mul(g)?.scale(T::of(1.0 - beta2)))?;
    let [first, second] = [beta1, beta2].map(|beta| crate::adam::correction(beta, step));
    let root = v.sqrt().scale(T::of(1.0 / second.sqrt()));
    let way = m.scale(T::of(rate / first)).div(&root.map(|x| x + T::of(epsilon)))?;
    Ok((theta.sub(&way)?, [m, v]))
}

/// A step of RMSProp without momentum; θ and the mean square after it.
///
/// # Errors
/// If the shapes differ.
pub fn rms_prop<T: Scalar>(
    [rate, alpha, epsilon]: [f64; 3],
    theta: &Tensor<T>,
    s: &Tensor<T>,
    g: &Tensor<T>,
) -> Result<(Tensor<T>, Tensor<T>)> {
    let s = s.scale(T::of(alpha)).add(&g.mul(g)?.scale(T::of(1.0 - alpha)))?;
    let way = g.scale(T::of(rate)).div(&s.sqrt().map(|x| x + T::of(epsilon)))?;
    Ok((theta.sub(&way)?, s))
}
