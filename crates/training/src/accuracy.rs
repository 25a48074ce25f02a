//! How often the class with the largest score is the right one, and which classes are taken for which.

use crate::error::allow;
use crate::symbols::SAMPLES;
use crate::{Error, Result};
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_tensor::{Scalar, Tensor};

pub(crate) const FORMULA: Formula = Formula {
    id: "accuracy",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Accuracy",
    latex: r"A = \frac{1}{n} \sum_{i=1}^{n} \left[\,y_i = \operatorname*{arg\,max}_k s_{ik}\right]",
    unicode: "A = (1/n) Σᵢ [yᵢ = argmaxₖ sᵢₖ]",
    symbols: &[
        Symbol {
            latex: "s",
            code: "scores",
            meaning: "the scores, one a class",
            shape: "[N, K]",
            unit: "any",
        },
        Symbol { latex: "y", code: "classes", meaning: "the true classes", shape: "[N]", unit: "class" },
        SAMPLES,
    ],
    source: "Goodfellow, Bengio & Courville 2016, §5.1.2",
    item: item!(fn accuracy),
    chapter: "first-network",
    printed: None,
};

/// The share of samples whose true class has the largest score.
///
/// **Formula** `accuracy`: A = (1/n) Σᵢ [yᵢ = argmaxₖ sᵢₖ].
///
/// **Shapes**: scores `[N, K]`, classes `[N]`. **Units**: a share, 0 to 1.
///
/// **Gradient**: none: it is flat almost everywhere, which is why networks learn by cross entropy.
///
/// **Numerics**: a count, exact, divided once. Of equal scores the first is taken. A row with a NaN has no largest score and is wrong,
/// whatever its class.
///
/// **Errors**: scores that are no matrix, another number of classes than rows, no rows.
///
/// **Source**: Goodfellow, Bengio & Courville 2016, §5.1.2.
///
/// ```
/// use gradus_tensor::Tensor;
/// use gradus_training::accuracy;
/// let scores = Tensor::from([[2.0, 1.0], [0.0, 3.0], [1.0, 1.0], [5.0, 4.0]]);
/// let classes = Tensor::from([0u32, 1, 0, 1]);
/// assert_eq!(accuracy(&scores, &classes)?, 0.75); // a tie goes to class 0
/// # Ok::<(), gradus_training::Error>(())
/// ```
pub fn accuracy<T: Scalar>(scores: &Tensor<T>, classes: &Tensor<u32>) -> Result<f64> {
    let right = correct(scores, classes)?;
    allow(!classes.is_empty(), "accuracy", "samples", 0, "at least 1")?;
    Ok(right as f64 / classes.len() as f64)
}

/// How many samples' true class has the largest score: n times [`accuracy`].
///
/// # Errors
/// If the scores are no matrix with a row a class.
pub fn correct<T: Scalar>(scores: &Tensor<T>, classes: &Tensor<u32>) -> Result<usize> {
    Ok(taken_for("correct", scores, classes)?.filter(|&(taken, class)| taken == Some(class)).count())
}

/// How often each class was taken for which: row y, column k counts the samples of class y whose largest score is that of k. Rows
/// with a NaN are counted nowhere.
///
/// **Shapes**: scores `[N, K]`, classes `[N]`, the result `[K, K]`; its diagonal is what was right.
///
/// ```
/// use gradus_tensor::Tensor;
/// use gradus_training::confusion;
/// let scores = Tensor::from([[2.0, 1.0], [0.0, 3.0], [0.0, 1.0]]);
/// assert_eq!(confusion(&scores, &[0u32, 1, 0].into())?, [[1, 1], [0, 1]].into());
/// # Ok::<(), gradus_training::Error>(())
/// ```
///
/// # Errors
/// If the scores are no matrix with a row a class, or a class is not below K.
pub fn confusion<T: Scalar>(scores: &Tensor<T>, classes: &Tensor<u32>) -> Result<Tensor<u32>> {
    let op = "confusion";
    let pairs = taken_for(op, scores, classes)?;
    let k = scores.dims()[1];
    let mut counts = Tensor::zeros([k, k])?;
    for (taken, class) in pairs {
        allow((class as usize) < k, op, "class", class, format!("below {k}"))?;
        if let Some(taken) = taken {
            let at = class as usize * k + taken as usize;
            counts.as_mut_slice()[at] += 1;
        }
    }
    Ok(counts)
}

/// For each sample the class with the largest score, if there is one, and the true class.
fn taken_for<'a, T: Scalar>(
    op: &'static str,
    scores: &'a Tensor<T>,
    classes: &'a Tensor<u32>,
) -> Result<impl Iterator<Item = (Option<u32>, u32)> + 'a> {
    let (n, k) = match *scores.dims() {
        [n, k] => (n, k),
        _ => {
            let value = scores.shape().to_string();
            return Err(Error::Argument { op, name: "scores", value, allowed: "[N, K]".into() });
        }
    };
    allow(
        classes.dims() == [n],
        op,
        "classes",
        classes.shape(),
        format!("[{n}], as there are rows of scores"),
    )?;
    allow(k > 0, op, "scores", scores.shape(), "at least one class")?;
    Ok(scores.as_slice().chunks_exact(k).map(largest).zip(classes.as_slice().iter().copied()))
}

/// The place of the largest score, the first of equals; none where there is a NaN.
fn largest<T: Scalar>(scores: &[T]) -> Option<u32> {
    let mut best = 0;
    for (k, s) in scores.iter().enumerate() {
        if Scalar::is_nan(*s) {
            return None;
        }
        if *s > scores[best] {
            best = k;
        }
    }
    Some(best as u32)
}
