//! A batch normalisation behind a convolution, folded into it: in evaluation both together are one convolution.

use crate::Conv2d;
use crate::conv::expect;
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_layers::{BatchNorm2d, FixedNormalization};
use gradus_tensor::{Error, Result, Scalar, Tensor};

pub(crate) const FORMULA: Formula = Formula {
    id: "batch-norm-folding",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "A normalisation folded into the convolution before it",
    latex: r"w'_k = \frac{\gamma_k}{\sqrt{\sigma_k^2 + \varepsilon}}\, w_k, \qquad b'_k = \beta_k + \frac{\gamma_k}{\sqrt{\sigma_k^2 + \varepsilon}}\, (b_k - \mu_k)",
    unicode: "w'ₖ = γₖ/√(σₖ² + ε)·wₖ, b'ₖ = βₖ + γₖ/√(σₖ² + ε)·(bₖ − μₖ)",
    symbols: &[
        Symbol {
            latex: "w, b",
            code: "weight, bias",
            meaning: "filter and bias of output channel k; without a bias b = 0",
            shape: "[K, C/G, F, F'], [K]",
            unit: "that of the outputs",
        },
        Symbol {
            latex: r"\mu, \sigma^2",
            code: "mean, variance",
            meaning: "the fixed statistics of the normalisation: its running mean and variance",
            shape: "[K]",
            unit: "that of the outputs, and its square",
        },
        Symbol { latex: r"\gamma", code: "gain", meaning: "the learned scale", shape: "[K]", unit: "any" },
        Symbol { latex: r"\beta", code: "shift", meaning: "the learned shift", shape: "[K]", unit: "any" },
        Symbol {
            latex: r"\varepsilon",
            code: "eps",
            meaning: "what is added to the variance",
            shape: "[]",
            unit: "that of the variance",
        },
    ],
    source: "Ioffe & Szegedy 2015, §3.1, algorithm 2; Jacob et al. 2018, eq. 14",
    item: item!(fn fold_batch_norm),
    chapter: "convolution-layers",
    printed: None,
};

/// The weights and the bias of the convolution that does what one with these, followed by a normalisation with fixed statistics, does.
///
/// **Formula** `batch-norm-folding`: w'ₖ = γₖ/√(σₖ² + ε)·wₖ, b'ₖ = βₖ + γₖ/√(σₖ² + ε)·(bₖ − μₖ).
///
/// **Shapes**: weight `[K, …]` with the output channels first, bias, gain, shift, mean and variance `[K]`; the result has a bias, whether there was one or not.
/// **Units**: the outputs' after the normalisation.
///
/// **Gradient**: none; it is for networks that are trained.
///
/// **Numerics**: a product more for each weight, so that the outputs agree to rounding, not to the bit. Where the bias is far from the running mean, their difference
/// is taken first.
///
/// **Errors**: a tensor of another shape; an ε that is not finite and above 0 in this type.
///
/// **Source**: Ioffe & Szegedy 2015, algorithm 2; Jacob et al. 2018, eq. 14.
///
/// ```
/// use gradus_cnn::fold_batch_norm;
/// use gradus_layers::FixedNormalization;
/// use gradus_tensor::Tensor;
/// let fixed = FixedNormalization { mean: Tensor::from([5.0]), variance: Tensor::from([3.0]), eps: 1.0 };
/// let weight = Tensor::from([4.0]).reshape([1, 1, 1, 1])?;
/// let (weight, bias) = fold_batch_norm(&weight, None, &fixed, &Tensor::from([10.0]), &Tensor::from([1.0]))?;
/// // 10·(4x − 5)/√(3 + 1) + 1 = 20x − 24
/// assert_eq!((weight.as_slice(), bias.as_slice()), (&[20.0][..], &[-24.0][..]));
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub fn fold_batch_norm<T: Scalar>(
    weight: &Tensor<T>,
    bias: Option<&Tensor<T>>,
    fixed: &FixedNormalization<T>,
    gain: &Tensor<T>,
    shift: &Tensor<T>,
) -> Result<(Tensor<T>, Tensor<T>)> {
    let &[channels, ..] = weight.dims() else {
        let expected = "weight of the shape [K, …]".into();
        return Err(Error::Shape { op: OP, expected, got: weight.shape() });
    };
    let named = [("gain", gain), ("shift", shift), ("mean", &fixed.mean), ("variance", &fixed.variance)];
    for (name, tensor) in named.into_iter().chain(bias.map(|bias| ("bias", bias))) {
        expect(OP, name, &[channels], tensor.shape())?;
    }
    let eps = T::of(fixed.eps);
    if !(eps > T::ZERO && eps.is_finite()) {
        let (value, allowed) = (format!("{:e}", fixed.eps), "finite and above 0 in the tensor's type".into());
        return Err(Error::Argument { op: OP, name: "eps", value, allowed });
    }
    let scale = gain.zip(&fixed.variance, |gain, variance| gain / (variance + eps).sqrt())?;
    let centred = match bias {
        Some(bias) => bias.sub(&fixed.mean)?,
        None => fixed.mean.map(|mean| -mean),
    };
    let mut along = vec![1; weight.rank()];
    along[0] = channels;
    Ok((weight.mul(&scale.reshape(along)?)?, scale.mul(&centred)?.add(shift)?))
}

const OP: &str = "fold_batch_norm";

impl<T: Scalar> Conv2d<T> {
    /// The convolution that does what this one followed by `norm` does in evaluation; see [`fold_batch_norm`]. It has parameters of its own, and a bias.
    ///
    /// ```
    /// use gradus_autograd::{Layer, Mode, Var};
    /// use gradus_cnn::{Conv2d, ConvShape, Window};
    /// use gradus_layers::BatchNorm2d;
    /// use gradus_tensor::Tensor;
    /// use rand::{SeedableRng, rngs::ChaCha8Rng};
    /// let rng = &mut ChaCha8Rng::seed_from_u64(1);
    /// let conv = Conv2d::<f64>::new(ConvShape::new(3, 8, [Window::new(3); 2]).without_bias(), rng)?;
    /// let norm = BatchNorm2d::new(8)?;
    /// let x = Var::constant(Tensor::from_fn([2, 3, 6, 6], |i| (i[2] * i[3] + i[1]) as f64)?);
    /// norm.forward(&conv.forward(&x, &mut Mode::Eval)?, &mut Mode::Train(rng))?; // statistics to fold
    /// let both = norm.forward(&conv.forward(&x, &mut Mode::Eval)?, &mut Mode::Eval)?;
    /// let one = conv.folded(&norm)?.forward(&x, &mut Mode::Eval)?;
    /// assert!(one.value().max_difference(&both.value())? < 1e-12);
    /// # Ok::<(), gradus_tensor::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the normalisation has another number of channels.
    pub fn folded(&self, norm: &BatchNorm2d<T>) -> Result<Self> {
        let bias = self.bias.as_ref().map(|bias| bias.value());
        let (gain, shift) = (norm.weight.value(), norm.bias.value());
        let (weight, bias) =
            fold_batch_norm(&self.weight.value(), bias.as_ref(), &norm.fixed(), &gain, &shift)?;
        self.with_tensors(weight, bias)
    }
}
