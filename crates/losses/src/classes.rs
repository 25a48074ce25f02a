//! Class numbers against rows of scores: the check that every such loss makes.

use gradus_tensor::{Error, Result, Scalar, Tensor};

/// N and K of `[N, K]` scores that have one class a row, each below K.
pub(crate) fn check<T: Scalar>(
    op: &'static str,
    scores: &Tensor<T>,
    classes: &[u32],
) -> Result<(usize, usize)> {
    let (n, k) = shape(op, scores, classes)?;
    match classes.iter().position(|&y| y as usize >= k) {
        Some(i) => Err(outside(op, classes[i], i, k)),
        None => Ok((n, k)),
    }
}

/// N and K of `[N, K]` scores that have one class a row.
pub(crate) fn shape<T: Scalar>(
    op: &'static str,
    scores: &Tensor<T>,
    classes: &[u32],
) -> Result<(usize, usize)> {
    let &[n, k] = scores.dims() else {
        return Err(Error::Shape { op, expected: "scores of shape [N, K]".into(), got: scores.shape() });
    };
    if classes.len() != n {
        let expected = format!("a row of scores for each of the {} classes", classes.len());
        return Err(Error::Shape { op, expected, got: scores.shape() });
    }
    Ok((n, k))
}

pub(crate) fn outside(op: &'static str, class: u32, row: usize, k: usize) -> Error {
    Error::Argument { op, name: "class", value: format!("{class} (row {row})"), allowed: format!("0..{k}") }
}
