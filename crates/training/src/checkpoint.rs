//! All that a run needs to go on, in one safetensors file.
//!
//! The file has the model under `model.`, the optimiser under `optimizer.`, the best model so far under `best.`, and under `run.` where
//! the run stands. Any program that reads safetensors can take the model out. It is written beside and then renamed, so that a kill at
//! any moment leaves the older file whole.

use crate::{EpochMean, EpochRecord, Error, History, Result};
use gradus_tensor::{AnyTensor, Scalar, Tensor, load_safetensors, save_safetensors};
use std::any::Any;
use std::collections::BTreeMap;
use std::path::Path;

/// Tensors by name.
pub type State<T> = BTreeMap<String, Tensor<T>>;

/// The layout of the file; another number is refused.
const VERSION: u64 = 1;
const WORDS: &str = "run.words";
const NUMBERS: &str = "run.numbers";
const HISTORY: &str = "run.history";
const PRESENT: &str = "run.history.present";
/// How many whole numbers `run.words` has: version, seed, epoch, step, four of the batches, three of the epoch so far.
const COUNT: usize = 11;

/// Where a run stands: all that its next step depends on, besides the settings that made it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Checkpoint<T: Scalar = f32> {
    /// The model's parameters and buffers.
    pub model: State<T>,
    /// The optimiser's state.
    pub optimizer: State<T>,
    /// The parameters and buffers of the best epoch so far, where a run keeps them.
    pub best: Option<State<T>>,
    /// The run's seed: what was random in a step, and will be, follows from it, the epoch and the step.
    pub seed: u64,
    /// The epoch of the next step, from 0.
    pub epoch: u64,
    /// The next step within its epoch, from 0.
    pub step: u64,
    /// The learning rate of the last step.
    pub learning_rate: f64,
    /// What the epochs before came to.
    pub history: History,
    pub(crate) batches: [u64; 4],
    pub(crate) mean: EpochMean,
    pub(crate) seconds: f64,
}

impl<T: Scalar> Checkpoint<T> {
    /// Writes the file: beside the old one, which it then replaces, on the disk before this returns.
    ///
    /// # Errors
    /// If the file can't be written; what stood there before stays.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        sweep(path);
        let mut tensors = BTreeMap::new();
        let mut put = |prefix: &str, state: &State<T>| {
            for (name, tensor) in state {
                tensors.insert(format!("{prefix}.{name}"), any(tensor));
            }
        };
        put("model", &self.model);
        put("optimizer", &self.optimizer);
        if let Some(best) = &self.best {
            put("best", best);
        }
        let EpochMean { sum, samples, judged, correct } = self.mean;
        let [a, b, c, d] = self.batches;
        let words: [u64; COUNT] =
            [VERSION, self.seed, self.epoch, self.step, a, b, c, d, samples, judged, correct];
        let halves = words.iter().flat_map(|w| [*w as u32, (*w >> 32) as u32]).collect();
        tensors.insert(WORDS.into(), Tensor::from_vec(halves, [COUNT, 2])?.into());
        tensors.insert(NUMBERS.into(), Tensor::from([self.learning_rate, sum, self.seconds]).into());
        let rows: Vec<_> = self.history.epochs.iter().flat_map(|record| record.to_row()).collect();
        let shape = [self.history.epochs.len(), rows.len() / self.history.epochs.len().max(1)];
        let values = rows.iter().map(|cell| cell.unwrap_or(0.0)).collect();
        tensors.insert(HISTORY.into(), Tensor::<f64>::from_vec(values, shape)?.into());
        let present = rows.iter().map(Option::is_some).collect();
        tensors.insert(PRESENT.into(), Tensor::<bool>::from_vec(present, shape)?.into());
        Ok(save_safetensors(path, &tensors)?)
    }

    /// Reads the file.
    ///
    /// # Errors
    /// If it can't be read, is cut short or otherwise no safetensors file, or no checkpoint of this layout and element type.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let refused = |why: &str| Error::File { file: path.display().to_string(), why: why.to_string() };
        let mut tensors = load_safetensors(path)?;
        let foreign =
            || refused("no checkpoint: `run.words`, `run.numbers` or `run.history` is missing or misshapen");
        let words: Tensor<u32> = tensors.remove(WORDS).and_then(typed).ok_or_else(foreign)?;
        let words: Vec<u64> = words
            .as_slice()
            .as_chunks::<2>()
            .0
            .iter()
            .map(|&[low, high]| u64::from(low) | u64::from(high) << 32)
            .collect();
        if words.first().is_some_and(|&version| version != VERSION) {
            return Err(refused(&format!("a checkpoint of layout {} (allowed: {VERSION})", words[0])));
        }
        let Ok([_, seed, epoch, step, a, b, c, d, samples, judged, correct]) =
            <[u64; COUNT]>::try_from(words)
        else {
            return Err(foreign());
        };
        let numbers: Tensor<f64> = tensors.remove(NUMBERS).and_then(typed).ok_or_else(foreign)?;
        let &[learning_rate, sum, seconds] = numbers.as_slice() else { return Err(foreign()) };
        let rows: Tensor<f64> = tensors.remove(HISTORY).and_then(typed).ok_or_else(foreign)?;
        let present: Tensor<bool> = tensors.remove(PRESENT).and_then(typed).ok_or_else(foreign)?;
        if rows.shape() != present.shape() || !rows.len().is_multiple_of(EpochRecord::CELLS) {
            return Err(foreign());
        }
        let cells: Vec<_> =
            rows.as_slice().iter().zip(present.as_slice()).map(|(&x, &there)| there.then_some(x)).collect();
        let epochs = cells.as_chunks().0.iter().map(|&row| EpochRecord::from_row(row)).collect::<Option<_>>();
        let history = History { epochs: epochs.ok_or_else(foreign)? };

        let (mut model, mut optimizer, mut best) = (State::new(), State::new(), State::new());
        for (name, tensor) in tensors {
            let (part, rest) = name.split_once('.').unwrap_or((&name, ""));
            let state = match part {
                "model" => &mut model,
                "optimizer" => &mut optimizer,
                "best" => &mut best,
                _ => return Err(refused(&format!("`{name}` is nothing that a checkpoint has"))),
            };
            let dtype = tensor.dtype();
            let tensor = typed(tensor).ok_or_else(|| {
                refused(&format!("`{name}` has the type {dtype:?} (allowed: {:?})", T::DTYPE))
            })?;
            state.insert(rest.to_string(), tensor);
        }
        Ok(Self {
            model,
            optimizer,
            best: (!best.is_empty()).then_some(best),
            seed,
            epoch,
            step,
            learning_rate,
            history,
            batches: [a, b, c, d],
            mean: EpochMean { sum, samples, judged, correct },
            seconds,
        })
    }
}

/// Removes what a killed process left of its attempt to write this file.
fn sweep(path: &Path) {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return };
    let start = format!(".{name}.");
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        if name.to_str().is_some_and(|name| name.starts_with(&start) && name.ends_with(".partial")) {
            // That it can't be removed is no reason not to write the new file.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// A tensor of a type that a file can hold: `Scalar` is one of two of them.
fn any<T: Scalar>(tensor: &Tensor<T>) -> AnyTensor {
    let erased: &dyn Any = tensor;
    if let Some(single) = erased.downcast_ref::<Tensor<f32>>() {
        return single.clone().into();
    }
    // `Scalar` is sealed: it is `f64`.
    erased.downcast_ref::<Tensor<f64>>().cloned().unwrap_or_else(|| tensor.cast()).into()
}

/// The tensor, if it has this type of elements.
fn typed<U: gradus_tensor::Element>(tensor: AnyTensor) -> Option<Tensor<U>> {
    let tensor: Box<dyn Any> = match tensor {
        AnyTensor::F32(t) => Box::new(t),
        AnyTensor::F64(t) => Box::new(t),
        AnyTensor::U32(t) => Box::new(t),
        AnyTensor::Bool(t) => Box::new(t),
    };
    tensor.downcast().ok().map(|t| *t)
}
