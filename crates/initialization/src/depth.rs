//! The signal through many layers, forward and back: measured, not estimated.

use crate::{Fans, Init, Stream};
use gradus_tensor::{Error, Result, Tensor};
use rand::Rng;

/// Second moments of a signal in a network without biases, as it begins.
#[derive(Debug, Clone, PartialEq)]
pub struct Signal {
    /// E\[x²\] of the input and behind each layer's activation.
    pub forward: Vec<f64>,
    /// E\[(∂L/∂x)²\] in the same places, for a loss whose gradient at the output is standard normal.
    pub backward: Vec<f64>,
}

/// Sends standard normal inputs through freshly initialised dense layers, and a standard normal gradient back.
///
/// **Shapes**: `widths` has the width of the input and of each layer; there are `samples` rows.
///
/// **Numerics**: in `f64`, so that fifty layers that each lose three digits can be told from zero.
///
/// **Errors**: as [`Init::tensor`]; no widths, or no samples.
///
/// ```
/// use gradus_initialization::{Init, signal};
/// use rand::{SeedableRng, rngs::ChaCha8Rng};
/// let relu = |z: f64| (z.max(0.0), f64::from(z > 0.0));
/// let mut rng = ChaCha8Rng::seed_from_u64(1);
/// let kept = signal(Init::he_normal(), &[128; 21], 64, relu, &mut rng)?;
/// let lost = signal(Init::lecun_normal(), &[128; 21], 64, relu, &mut rng)?;
/// assert!(kept.forward[20] > 0.1 && lost.forward[20] < 1e-5); // 2⁻²⁰ is 9.5·10⁻⁷
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub fn signal(
    init: Init,
    widths: &[usize],
    samples: usize,
    activation: impl Fn(f64) -> (f64, f64),
    rng: &mut (impl Rng + ?Sized),
) -> Result<Signal> {
    let [first, .., last] = *widths else {
        let (value, allowed) = (format!("{widths:?}"), "at least two".into());
        return Err(Error::Argument { op: "signal", name: "widths", value, allowed });
    };
    let mut x = Stream::new(rng.next_u64()).normal::<f64>([samples, first])?;
    let moment = |x: &Tensor<f64>| x.powi(2).mean();
    let (mut forward, mut layers) = (vec![moment(&x)?], Vec::new());
    for pair in widths.windows(2) {
        let w = init.tensor::<f64>(pair, Fans::dense(pair[0], pair[1]), rng)?;
        let z = x.matmul(&w)?;
        let both: Vec<(f64, f64)> = z.as_slice().iter().map(|&z| activation(z)).collect();
        x = Tensor::from_vec(both.iter().map(|b| b.0).collect(), z.shape())?;
        layers.push((w, Tensor::from_vec(both.iter().map(|b| b.1).collect(), z.shape())?));
        forward.push(moment(&x)?);
    }
    let mut dx = Stream::new(rng.next_u64()).normal::<f64>([samples, last])?;
    let mut backward = vec![moment(&dx)?];
    for (w, slopes) in layers.iter().rev() {
        dx = dx.mul(slopes)?.matmul(&w.transpose()?)?;
        backward.push(moment(&dx)?);
    }
    backward.reverse();
    Ok(Signal { forward, backward })
}
