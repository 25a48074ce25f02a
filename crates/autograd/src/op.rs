//! A formula with its derivative: the one differentiable contract.

use gradus_tensor::{Result, Scalar, Tensor};

/// A differentiable operation on `N` tensors: the value, and the product of a cotangent with its Jacobian.
///
/// It needs no graph: it can be called, tested and measured alone. The array pattern names the inputs, and
/// `vjp` has no default, so that a fast path without a gradient does not compile.
///
/// ```
/// use gradus_autograd::Op;
/// use gradus_tensor::{Result, Scalar, Tensor};
///
/// /// y = x²
/// struct Square;
///
/// impl<T: Scalar> Op<T, 1> for Square {
///     type Saved = ();
///
///     fn forward(&self, [x]: [&Tensor<T>; 1]) -> Result<(Tensor<T>, ())> {
///         Ok((x.map(|v| v * v), ()))
///     }
///
///     // ∂L/∂x = 2x · ∂L/∂y
///     fn vjp(&self, [x]: [&Tensor<T>; 1], _: &(), dy: &Tensor<T>, [wants_x]: [bool; 1]) -> Result<[Option<Tensor<T>>; 1]> {
///         Ok([if wants_x { Some(x.zip(dy, |v, d| (v + v) * d)?) } else { None }])
///     }
/// }
///
/// let x = Tensor::from([3.0]);
/// assert_eq!(Square.eval([&x])?, Tensor::from([9.0]));
/// assert_eq!(Square.vjp([&x], &(), &Tensor::from([1.0]), [true])?, [Some(Tensor::from([6.0]))]);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub trait Op<T: Scalar, const N: usize>: Send + Sync + 'static {
    /// What the derivative needs from the forward pass: named, documented, its size stated.
    type Saved: Send + Sync + 'static;

    /// The value, and what its derivative will need.
    ///
    /// # Errors
    /// If the inputs do not fit the operation.
    fn forward(&self, inputs: [&Tensor<T>; N]) -> Result<(Tensor<T>, Self::Saved)>;

    /// Vector–Jacobian product: from ∂L/∂output to ∂L/∂input, for each input that wants it (`None` for the others).
    ///
    /// # Errors
    /// If the inputs do not fit the operation.
    fn vjp(
        &self,
        inputs: [&Tensor<T>; N],
        saved: &Self::Saved,
        dy: &Tensor<T>,
        wants: [bool; N],
    ) -> Result<[Option<Tensor<T>>; N]>;

    /// The value alone, where nothing has to be saved. Must equal `forward(..)?.0`.
    ///
    /// # Errors
    /// As [`forward`](Self::forward).
    fn eval(&self, inputs: [&Tensor<T>; N]) -> Result<Tensor<T>> {
        Ok(self.forward(inputs)?.0)
    }
}

/// The same for a number of inputs that is known at run time only: concatenation, a sum of many.
pub trait OpMany<T: Scalar>: Send + Sync + 'static {
    /// What the derivative needs from the forward pass.
    type Saved: Send + Sync + 'static;

    /// The value, and what its derivative will need.
    ///
    /// # Errors
    /// If the inputs do not fit the operation.
    fn forward(&self, inputs: &[&Tensor<T>]) -> Result<(Tensor<T>, Self::Saved)>;

    /// Vector–Jacobian product, one result an input, `None` where it is not wanted.
    ///
    /// # Errors
    /// If the inputs do not fit the operation.
    fn vjp(
        &self,
        inputs: &[&Tensor<T>],
        saved: &Self::Saved,
        dy: &Tensor<T>,
        wants: &[bool],
    ) -> Result<Vec<Option<Tensor<T>>>>;

    /// The value alone. Must equal `forward(..)?.0`.
    ///
    /// # Errors
    /// As [`forward`](Self::forward).
    fn eval(&self, inputs: &[&Tensor<T>]) -> Result<Tensor<T>> {
        Ok(self.forward(inputs)?.0)
    }
}
