//! Weights from elsewhere: under the names of PyTorch's libraries, in their layouts.

use gradus_autograd::Parameters;
use gradus_tensor::{Scalar, Shape, Tensor};
use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

/// All that keeps weights from fitting a network.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Misfit {
    /// What the network has, and the weights have not.
    pub missing: Vec<String>,
    /// What the weights have, and the network has not.
    pub extra: Vec<String>,
    /// What both have, in different shapes: the network's first, in PyTorch's layout.
    pub misshapen: Vec<(String, Shape, Shape)>,
}

impl Misfit {
    fn is_none(&self) -> bool {
        self.missing.is_empty() && self.extra.is_empty() && self.misshapen.is_empty()
    }
}

impl Display for Misfit {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut lists = Vec::new();
        if !self.missing.is_empty() {
            lists.push(format!("{} missing: {}", self.missing.len(), self.missing.join(", ")));
        }
        if !self.extra.is_empty() {
            lists.push(format!(
                "{} that the network does not have: {}",
                self.extra.len(),
                self.extra.join(", ")
            ));
        }
        if !self.misshapen.is_empty() {
            let one = |(name, expected, got): &(String, Shape, Shape)| {
                format!("{name} {:?} instead of {:?}", got.dims(), expected.dims())
            };
            let all: Vec<_> = self.misshapen.iter().map(one).collect();
            lists.push(format!("{} of another shape: {}", all.len(), all.join(", ")));
        }
        write!(f, "the weights do not fit the network; {}", lists.join("; "))
    }
}

impl std::error::Error for Misfit {}

/// Whether a tensor lies as `[inputs, outputs]` here, and as `[outputs, inputs]` there.
fn dense<T: Scalar>(name: &str, tensor: &Tensor<T>) -> bool {
    tensor.rank() == 2 && name.rsplit('.').next() == Some("weight")
}

/// A matrix with rows and columns exchanged.
fn exchanged<T: Scalar>(matrix: &Tensor<T>) -> Tensor<T> {
    // Of a matrix nothing can fail.
    matrix.transpose().unwrap_or_else(|_| matrix.clone())
}

/// A network's state under PyTorch's names and in its layouts: dense weights as `[outputs, inputs]`, everything else as it is here.
///
/// ```
/// use gradus_architectures::{ResNet, ResNetShape, Start, torch_state};
/// let net = ResNet::<f32>::new(&ResNetShape::resnet18(), &mut Start::Blank)?;
/// assert_eq!(torch_state(&net)["fc.weight"].dims(), [1000, 512]);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub fn torch_state<T: Scalar>(network: &(impl Parameters<T> + ?Sized)) -> BTreeMap<String, Tensor<T>> {
    let mut state = network.state();
    for (name, tensor) in &mut state {
        if dense(name, tensor) {
            *tensor = exchanged(tensor);
        }
    }
    state
}

/// Sets all parameters and running statistics from a state with PyTorch's names and layouts; the counts of batches that PyTorch's normalisations keep are passed over. If anything does not fit, nothing changes.
///
/// ```
/// use gradus_architectures::{LeNet, LeNetShape, Squashing, load_torch_state, torch_state};
/// use rand::{SeedableRng, rngs::ChaCha8Rng};
/// let net = |seed| LeNet::<f32>::new(LeNetShape::mnist(), Squashing::Tanh, &mut ChaCha8Rng::seed_from_u64(seed));
/// let mut state = torch_state(&net(1)?);
/// load_torch_state(&net(2)?, &state)?;
/// // All that is wrong is said at once.
/// let conv = state.remove("conv1.weight").ok_or("there is one")?;
/// state.insert("conv1.wieght".into(), conv);
/// let error = load_torch_state(&net(2)?, &state).unwrap_err().to_string();
/// assert!(error.contains("1 missing: conv1.weight") && error.contains("conv1.wieght"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Everything that is missing, that is not known, or that has another shape.
pub fn load_torch_state<T: Scalar>(
    network: &(impl Parameters<T> + ?Sized),
    state: &BTreeMap<String, Tensor<T>>,
) -> Result<(), Misfit> {
    let own = network.state();
    let mut misfit = Misfit::default();
    for (name, tensor) in &own {
        // The shape there: nothing is moved for it.
        let shape = match *tensor.dims() {
            [inputs, outputs] if dense(name, tensor) => {
                Shape::new([outputs, inputs]).unwrap_or(tensor.shape())
            }
            _ => tensor.shape(),
        };
        match state.get(name) {
            None => misfit.missing.push(name.clone()),
            Some(given) if given.shape() != shape => {
                misfit.misshapen.push((name.clone(), shape, given.shape()));
            }
            Some(_) => {}
        }
    }
    let known = |name: &&String| own.contains_key(*name) || counts_batches(name);
    misfit.extra.extend(state.keys().filter(|name| !known(name)).cloned());
    if !misfit.is_none() {
        return Err(misfit);
    }
    let kept = state.iter().filter(|(name, _)| own.contains_key(*name));
    let turned = kept.map(|(name, tensor)| {
        (name.clone(), if dense(name, tensor) { exchanged(tensor) } else { tensor.clone() })
    });
    // Names and shapes have been seen to fit.
    network
        .load_state(&turned.collect())
        .map_err(|error| Misfit { missing: vec![error.to_string()], ..Misfit::default() })
}

/// The count of batches that PyTorch's normalisations keep: whole numbers that nothing depends on.
fn counts_batches(name: &str) -> bool {
    name.rsplit('.').next() == Some("num_batches_tracked")
}

#[cfg(feature = "safetensors")]
mod file {
    use super::{Misfit, counts_batches, load_torch_state, torch_state};
    use gradus_autograd::Parameters;
    use gradus_tensor::{AnyTensor, Error, Scalar, Tensor, load_safetensors_where, save_safetensors};
    use std::fmt::{self, Display, Formatter};
    use std::path::Path;

    /// Why weights could not be read from a file.
    #[derive(Debug, Clone, PartialEq)]
    pub enum WeightsError {
        /// The file can't be read.
        File(Error),
        /// What is in it does not fit the network.
        Misfit {
            /// The file.
            file: String,
            /// All that does not fit.
            misfit: Misfit,
        },
    }

    impl Display for WeightsError {
        fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
            match self {
                Self::File(error) => error.fmt(f),
                Self::Misfit { file, misfit } => write!(f, "{file}: {misfit}"),
            }
        }
    }

    impl std::error::Error for WeightsError {}

    /// Writes a network's weights into a safetensors file, under PyTorch's names and in its layouts, in single precision. The file is written whole or not at all.
    ///
    /// ```
    /// use gradus_architectures::{Start, Vgg, VggShape, load_weights, save_weights};
    /// use rand::{SeedableRng, rngs::ChaCha8Rng};
    /// let folder = tempfile::tempdir()?;
    /// let file = folder.path().join("vgg.safetensors");
    /// let net = Vgg::<f32>::new(&VggShape::tiny(), &mut Start::Random(&mut ChaCha8Rng::seed_from_u64(1)))?;
    /// save_weights(&net, &file)?;
    /// let other = Vgg::<f32>::new(&VggShape::tiny(), &mut Start::Blank)?;
    /// load_weights(&other, &file)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If the file can't be written.
    pub fn save_weights<T: Scalar>(
        network: &(impl Parameters<T> + ?Sized),
        path: impl AsRef<Path>,
    ) -> gradus_tensor::Result<()> {
        let single = |t: Tensor<T>| AnyTensor::from(t.map(|x| x.as_f64() as f32));
        save_safetensors(path, &torch_state(network).into_iter().map(|(name, t)| (name, single(t))).collect())
    }

    /// Sets a network's weights from a safetensors file with PyTorch's names and layouts, in single or double precision. If anything does not fit, nothing changes.
    ///
    /// # Errors
    /// If the file can't be read, or holds other tensors: all of them are named.
    pub fn load_weights<T: Scalar>(
        network: &(impl Parameters<T> + ?Sized),
        path: impl AsRef<Path>,
    ) -> Result<(), WeightsError> {
        let path = path.as_ref();
        let tensors =
            load_safetensors_where(path, |name| !counts_batches(name)).map_err(WeightsError::File)?;
        let number = |(name, tensor): (String, AnyTensor)| {
            let tensor = match tensor {
                AnyTensor::F32(t) => t.map(|x| T::of(x.into())),
                AnyTensor::F64(t) => t.map(T::of),
                other => {
                    let why = format!("tensor `{name}` has the type {:?} (allowed: F32, F64)", other.dtype());
                    return Err(WeightsError::File(Error::File { file: path.display().to_string(), why }));
                }
            };
            Ok((name, tensor))
        };
        let state = tensors.into_iter().map(number).collect::<Result<_, _>>()?;
        let file = path.display().to_string();
        load_torch_state(network, &state).map_err(|misfit| WeightsError::Misfit { file, misfit })
    }
}
#[cfg(feature = "safetensors")]
pub use file::{WeightsError, load_weights, save_weights};
