//! The errors that several layers share.

use gradus_tensor::{Error, Result, Scalar, Shape};

/// An argument outside its domain.
pub(crate) fn argument(
    op: &'static str,
    name: &'static str,
    value: impl ToString,
    allowed: impl ToString,
) -> Error {
    Error::Argument { op, name, value: value.to_string(), allowed: allowed.to_string() }
}

/// A shape that does not fit.
pub(crate) fn shape(op: &'static str, expected: impl ToString, got: Shape) -> Error {
    Error::Shape { op, expected: expected.to_string(), got }
}

/// A number of units, channels or groups is at least 1.
pub(crate) fn none(op: &'static str, name: &'static str, count: usize) -> Result<()> {
    if count == 0 { Err(argument(op, name, 0, "at least 1")) } else { Ok(()) }
}

/// ε in this type: finite and above 0 there too, so that a constant has no 0/0.
pub(crate) fn epsilon<T: Scalar>(op: &'static str, eps: f64) -> Result<T> {
    let own = T::of(eps);
    if own > T::ZERO && own.is_finite() {
        return Ok(own);
    }
    Err(argument(op, "eps", format!("{eps:e}"), "finite and above 0 in the tensor's type"))
}

/// A parameter has exactly this shape.
pub(crate) fn parameter(op: &'static str, name: &'static str, expected: &[usize], got: Shape) -> Result<()> {
    if got.dims() == expected {
        Ok(())
    } else {
        Err(shape(op, format!("{name} of the shape {expected:?}"), got))
    }
}
