//! From scores to names: the classes that a network holds to be the likeliest.

use gradus_activations::softmax;
use gradus_tensor::{Error, Result, Scalar, Tensor};
use std::path::Path;

/// The `k` likeliest classes, each with its probability, the likeliest first; all of them, if there are not more.
///
/// **Shapes**: scores `[K]`, or `[1, K]` as they come for one image. **Units**: the scores are any, the probabilities their softmax.
///
/// **Numerics**: of equal scores the lower class comes first. The order is that of the scores: two that are far below the largest keep it where both probabilities are 0. A NaN or a +∞ among the scores makes every probability a NaN;
/// the classes come in their own order then.
///
/// ```
/// use gradus_architectures::top;
/// use gradus_tensor::Tensor;
/// let scores = Tensor::from([0.0, 3f64.ln(), 2f64.ln(), 0.0]); // odds of 1 : 3 : 2 : 1
/// let best = top(&scores, 3)?;
/// let classes: Vec<usize> = best.iter().map(|(class, _)| *class).collect();
/// assert_eq!(classes, [1, 2, 0]);
/// assert!((best[0].1 - 3.0 / 7.0).abs() < 1e-15);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
///
/// # Errors
/// If the scores are those of several images, or of none.
pub fn top<T: Scalar>(scores: &Tensor<T>, k: usize) -> Result<Vec<(usize, T)>> {
    let classes = match *scores.dims() {
        [classes] | [1, classes] if classes > 0 => classes,
        _ => {
            let expected = "scores of one image, [K] or [1, K]".into();
            return Err(Error::Shape { op: "top", expected, got: scores.shape() });
        }
    };
    let probabilities = softmax(scores, scores.rank() - 1)?;
    let (scores, probabilities) = (scores.as_slice(), probabilities.as_slice());
    let mut order: Vec<usize> = (0..classes).collect();
    if probabilities.iter().all(|p| !p.is_nan()) {
        // Equal ones stay as they are.
        order.sort_by(|&a, &b| scores[b].partial_cmp(&scores[a]).unwrap_or(std::cmp::Ordering::Equal));
    }
    Ok(order.into_iter().take(k).map(|class| (class, probabilities[class])).collect())
}

/// The names of so many classes from a file with one on each line.
///
/// ```
/// use gradus_architectures::labels;
/// let folder = tempfile::tempdir()?;
/// let file = folder.path().join("pets.txt");
/// std::fs::write(&file, "cat\ndog\n")?;
/// assert_eq!(labels(&file, 2)?, ["cat", "dog"]);
/// let error = labels(&file, 10).unwrap_err().to_string();
/// assert!(error.ends_with("pets.txt: 2 lines for 10 classes (allowed: one a class)"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If the file can't be read, or has more lines or fewer.
pub fn labels(path: impl AsRef<Path>, classes: usize) -> Result<Vec<String>> {
    let path = path.as_ref();
    let failed = |why: String| Error::File { file: path.display().to_string(), why };
    let text = std::fs::read_to_string(path).map_err(|e| failed(e.to_string()))?;
    let names: Vec<String> = text.lines().map(|line| line.trim().to_owned()).collect();
    if names.len() != classes {
        return Err(failed(format!("{} lines for {classes} classes (allowed: one a class)", names.len())));
    }
    Ok(names)
}
