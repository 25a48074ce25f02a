//! Tensors in safetensors files, by name. A file is written whole or not at all.

use crate::{Dtype, Element, Error, Result, Shape, Tensor, write_whole};
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype as FileDtype, TensorView};
use std::collections::BTreeMap;
use std::path::Path;

/// A tensor of any element type, as a file may hold it.
#[derive(Debug, Clone, PartialEq)]
pub enum AnyTensor {
    /// 32-bit floating point.
    F32(Tensor<f32>),
    /// 64-bit floating point.
    F64(Tensor<f64>),
    /// Unsigned 32-bit integers.
    U32(Tensor<u32>),
    /// Truth values.
    Bool(Tensor<bool>),
}

impl AnyTensor {
    /// The type of its elements.
    pub fn dtype(&self) -> Dtype {
        match self {
            AnyTensor::F32(_) => Dtype::F32,
            AnyTensor::F64(_) => Dtype::F64,
            AnyTensor::U32(_) => Dtype::U32,
            AnyTensor::Bool(_) => Dtype::Bool,
        }
    }

    fn bytes(&self) -> (FileDtype, Shape, Vec<u8>) {
        fn all<T: Element, const B: usize>(t: &Tensor<T>, bytes: impl Fn(T) -> [u8; B]) -> (Shape, Vec<u8>) {
            (t.shape(), t.as_slice().iter().flat_map(|&x| bytes(x)).collect())
        }
        let (dtype, (shape, bytes)) = match self {
            AnyTensor::F32(t) => (FileDtype::F32, all(t, f32::to_le_bytes)),
            AnyTensor::F64(t) => (FileDtype::F64, all(t, f64::to_le_bytes)),
            AnyTensor::U32(t) => (FileDtype::U32, all(t, u32::to_le_bytes)),
            AnyTensor::Bool(t) => (FileDtype::BOOL, all(t, |b| [u8::from(b)])),
        };
        (dtype, shape, bytes)
    }
}

macro_rules! any_tensor {
    ($($t:ty => $v:ident),*) => {$(
        impl From<Tensor<$t>> for AnyTensor {
            fn from(t: Tensor<$t>) -> Self {
                AnyTensor::$v(t)
            }
        }
    )*};
}

any_tensor!(f32 => F32, f64 => F64, u32 => U32, bool => Bool);

/// Writes tensors by name: into a new file beside, which then takes the old one's place.
///
/// ```
/// use gradus_tensor::{Tensor, load_safetensors, save_safetensors};
/// let folder = tempfile::tempdir()?;
/// let file = folder.path().join("weights.safetensors");
/// let weights = [("fc.weight".to_string(), Tensor::from([[1.0f32, 2.0]]).into())].into();
/// save_safetensors(&file, &weights)?;
/// assert_eq!(load_safetensors(&file)?, weights);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If the file can't be written; what stood there before stays.
pub fn save_safetensors(path: impl AsRef<Path>, tensors: &BTreeMap<String, AnyTensor>) -> Result<()> {
    let path = path.as_ref();
    let failed = |why: &dyn ToString| Error::File { file: path.display().to_string(), why: why.to_string() };
    let parts: Vec<_> = tensors.iter().map(|(name, t)| (name, t.bytes())).collect();
    let mut views = Vec::new();
    for (name, (dtype, shape, bytes)) in &parts {
        let view = TensorView::new(*dtype, shape.dims().to_vec(), bytes).map_err(|e| failed(&e))?;
        views.push((name.as_str(), view));
    }
    let bytes = safetensors::serialize(views, None).map_err(|e| failed(&e))?;
    write_whole(path, &bytes)
}

/// Reads all tensors of a file, by name.
///
/// # Errors
/// If the file can't be read, is cut short or otherwise malformed, or holds a type other than `f32`, `f64`,
/// `u32` and `bool`, or a tensor of more than six dimensions: the message names the file and the tensor.
pub fn load_safetensors(path: impl AsRef<Path>) -> Result<BTreeMap<String, AnyTensor>> {
    load_safetensors_where(path, |_| true)
}

/// Reads the tensors of a file whose names are wanted; the others may be of any type.
///
/// # Errors
/// As [`load_safetensors`], for those that are wanted.
pub fn load_safetensors_where(
    path: impl AsRef<Path>,
    wanted: impl Fn(&str) -> bool,
) -> Result<BTreeMap<String, AnyTensor>> {
    let path = path.as_ref();
    let failed = |why: String| Error::File { file: path.display().to_string(), why };
    let bytes = std::fs::read(path).map_err(|e| failed(e.to_string()))?;
    let file = SafeTensors::deserialize(&bytes).map_err(|e| failed(e.to_string()))?;
    let mut out = BTreeMap::new();
    for (name, view) in file.tensors() {
        if !wanted(&name) {
            continue;
        }
        let (shape, data) = (view.shape(), view.data());
        let misfit = |e: Error| failed(format!("tensor `{name}`: {e}"));
        let tensor = match view.dtype() {
            FileDtype::F32 => tensor(words(data, f32::from_le_bytes), shape).map_err(misfit)?,
            FileDtype::F64 => tensor(words(data, f64::from_le_bytes), shape).map_err(misfit)?,
            FileDtype::U32 => tensor(words(data, u32::from_le_bytes), shape).map_err(misfit)?,
            FileDtype::BOOL => {
                if let Some(byte) = data.iter().find(|&&b| b > 1) {
                    return Err(failed(format!(
                        "tensor `{name}`: {byte} is no truth value (allowed: 0 and 1)"
                    )));
                }
                tensor(data.iter().map(|&b| b == 1).collect(), shape).map_err(misfit)?
            }
            other => {
                let why = format!("tensor `{name}` has the type {other:?} (allowed: F32, F64, U32, BOOL)");
                return Err(failed(why));
            }
        };
        out.insert(name, tensor);
    }
    Ok(out)
}

fn tensor<T: Element>(data: Vec<T>, shape: &[usize]) -> Result<AnyTensor>
where
    AnyTensor: From<Tensor<T>>,
{
    Tensor::from_vec(data, shape).map(AnyTensor::from)
}

fn words<T, const B: usize>(data: &[u8], word: impl Fn([u8; B]) -> T) -> Vec<T> {
    data.as_chunks::<B>().0.iter().map(|&b| word(b)).collect()
}
