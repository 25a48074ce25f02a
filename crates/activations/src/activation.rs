//! What the activations of one number have in common: a value, a derivative, and facts that can be checked.

use gradus_autograd::{Layer, Mode, Name, Op, Parameters, Slot, SlotMut, Var};
use gradus_formula::Symbol;
use gradus_tensor::{Result, Scalar, Tensor};

/// An activation that maps each number on its own. Implementations carry `#[inline(always)]`, so that a loop over them is compiled
/// for the machine's instruction set as one piece.
pub trait Activation: Copy + Send + Sync + 'static {
    /// The value at x.
    fn value<T: Scalar>(self, x: T) -> T;

    /// The derivative at x; at a kink, the convention that the function's documentation names.
    fn derivative<T: Scalar>(self, x: T) -> T;

    /// Range, steepness and course: what the properties check.
    fn facts(self) -> Facts;
}

/// What is known of an activation, as data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Facts {
    /// The infimum of its values.
    pub low: f64,
    /// The supremum of its values.
    pub high: f64,
    /// The smallest L with |f(x) − f(y)| ≤ L·|x − y|.
    pub lipschitz: f64,
    /// A point where |f′| comes within a ten-thousandth of L: the constant is not merely an upper bound. Where the
    /// steepest slope is only approached (at infinity, at a kink) or taken along a whole side, one point of many.
    pub steepest: f64,
    /// Where it rises and falls.
    pub course: Course,
    /// Where it may have no derivative.
    pub kinks: &'static [f64],
}

/// Where a function rises and falls.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Course {
    /// Nowhere falling.
    Rising,
    /// Falling (or flat) up to here, rising from here on.
    Turns(f64),
}

/// An [`Activation`] as a differentiable operation and as a layer without parameters.
///
/// ```
/// use gradus_activations::{Pointwise, Relu};
/// use gradus_autograd::Op;
/// use gradus_tensor::Tensor;
/// let x = Tensor::from([-1.0, 2.0]);
/// assert_eq!(Pointwise(Relu).eval([&x])?, Tensor::from([0.0, 2.0]));
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Pointwise<A>(pub A);

impl<T: Scalar, A: Activation> Op<T, 1> for Pointwise<A> {
    /// Nothing: the derivative is computed from the input, which the graph holds anyway.
    type Saved = ();

    fn forward(&self, [x]: [&Tensor<T>; 1]) -> Result<(Tensor<T>, ())> {
        Ok((
            x.map(
                #[inline(always)]
                |v| self.0.value(v),
            ),
            (),
        ))
    }

    // ∂L/∂x = f′(x) · ∂L/∂y
    fn vjp(
        &self,
        [x]: [&Tensor<T>; 1],
        (): &(),
        dy: &Tensor<T>,
        [wants_x]: [bool; 1],
    ) -> Result<[Option<Tensor<T>>; 1]> {
        Ok([if wants_x {
            Some(x.zip(
                dy,
                #[inline(always)]
                |v, d| self.0.derivative(v) * d,
            )?)
        } else {
            None
        }])
    }
}

impl<T: Scalar, A: Activation> Parameters<T> for Pointwise<A> {
    fn visit(&self, _: &mut Name, _: &mut dyn FnMut(&str, Slot<'_, T>)) {}

    fn visit_mut(&mut self, _: &mut Name, _: &mut dyn FnMut(&str, SlotMut<'_, T>)) {}
}

impl<T: Scalar, A: Activation> Layer<T> for Pointwise<A> {
    fn forward(&self, x: &Var<T>, _: &mut Mode<'_>) -> Result<Var<T>> {
        Var::apply(*self, [x])
    }
}

/// The argument of every activation.
pub(crate) const X: Symbol =
    Symbol { latex: "x", code: "x", meaning: "the pre-activation, a real number", shape: "any", unit: "1" };
