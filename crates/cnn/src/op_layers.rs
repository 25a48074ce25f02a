//! Operations without parameters, as layers: nothing is learned, and training is as evaluation.

use crate::{AdaptiveAveragePool, AdaptiveMaxPool, AveragePool, MaxPool, Pad, Upsample};
use gradus_autograd::{Layer, Mode, Name, Parameters, Slot, SlotMut, Var};
use gradus_tensor::{Result, Scalar};

macro_rules! layers {
    ($($op:ident),*) => {$(
        impl<T: Scalar> Parameters<T> for $op {
            fn visit(&self, _: &mut Name, _: &mut dyn FnMut(&str, Slot<'_, T>)) {}

            fn visit_mut(&mut self, _: &mut Name, _: &mut dyn FnMut(&str, SlotMut<'_, T>)) {}
        }

        impl<T: Scalar> Layer<T> for $op {
            fn forward(&self, x: &Var<T>, _: &mut Mode<'_>) -> Result<Var<T>> {
                Var::apply(*self, [x])
            }
        }
    )*};
}

layers!(AdaptiveAveragePool, AdaptiveMaxPool, AveragePool, MaxPool, Pad, Upsample);
