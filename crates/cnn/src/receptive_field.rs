//! A stack of windows is a window: of which elements an output behind several layers can know.

use crate::{Geometry, Window};
use std::ops::Range;

/// A stack of windows, each over the outputs of the one before.
///
/// In shape a stack *is* a window. With the layers' extents E, strides S and paddings P, it has one tap after another,
///
/// - a stride of J = S₁·S₂·…, the *effective stride* or jump;
/// - an extent of R = E₁ + (E₂ − 1)·S₁ + (E₃ − 1)·S₁·S₂ + …, the *receptive field*;
/// - a padding of P₁ + P₂·S₁ + P₃·S₁·S₂ + … on each side.
///
/// Its number of outputs is exact, floors and all. What it reads is a bound: behind dilated windows some elements in between have no part, and
/// the padding of an inner layer hides some at the border.
///
/// ```
/// use gradus_cnn::{ReceptiveField, Window};
/// // Two 3×3 convolutions see what a 5×5 one sees, three what a 7×7 one does: the argument for VGG.
/// let conv = Window::new(3).padded(1);
/// assert_eq!(ReceptiveField::of(&[conv; 2])?.size(), 5);
/// assert_eq!(ReceptiveField::of(&[conv; 3])?.size(), 7);
///
/// let stem = ReceptiveField::of(&[Window::new(7).stride(2).padded(3), Window::new(3).stride(2).padded(1)])?;
/// assert_eq!((stem.size(), stem.jump(), stem.output(224)?), (11, 4, 56));
/// assert_eq!(stem.reach(224, 1)?, 0..10); // from −1 to 9
/// # Ok::<(), gradus_cnn::Geometry>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ReceptiveField {
    window: Window,
    least: usize,
}

/// A product and a sum, which name the layer's argument if they are too large.
const fn plus_times(sum: usize, name: &'static str, value: usize, jump: usize) -> Result<usize, Geometry> {
    let most = (usize::MAX - sum) / jump;
    if value > most {
        return Err(Geometry::TooLarge { name, value, most });
    }
    Ok(sum + value * jump)
}

impl ReceptiveField {
    /// No window at all: each output is an element.
    #[must_use]
    pub const fn new() -> Self {
        Self { window: Window::new(1), least: 1 }
    }

    /// The stack of these windows, the first over the elements.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn of(windows: &[Window]) -> Result<Self, Geometry> {
        windows.iter().try_fold(Self::new(), |stack, window| stack.push(*window))
    }

    /// The stack with one window more, over its outputs.
    ///
    /// # Errors
    /// If one of the window's numbers is 0, or a result is too large.
    pub const fn push(self, window: Window) -> Result<Self, Geometry> {
        let (extent, own) = match (window.extent(), self.window) {
            (Ok(extent), own) => (extent, own),
            (Err(error), _) => return Err(error),
        };
        let jump = own.stride;
        let size = match plus_times(own.size, "extent", extent - 1, jump) {
            Ok(size) => size,
            Err(error) => return Err(error),
        };
        let before = match plus_times(own.padding[0], "padding before", window.padding[0], jump) {
            Ok(before) => before,
            Err(error) => return Err(error),
        };
        let after = match plus_times(own.padding[1], "padding after", window.padding[1], jump) {
            Ok(after) => after,
            Err(error) => return Err(error),
        };
        let stride = match plus_times(0, "stride", window.stride, jump) {
            Ok(stride) => stride,
            Err(error) => return Err(error),
        };
        // The new window fits if it has so many outputs of the stack below it.
        let wanted = extent.saturating_sub(window.padding[0].saturating_add(window.padding[1]));
        let mut least = self.least;
        if wanted > 1 {
            let inputs = match own.inputs_for(wanted) {
                Ok(inputs) => *inputs.start(),
                // The padding below makes more than are wanted, of any number of elements.
                Err(Geometry::TooMany { .. }) => 1,
                Err(error) => return Err(error),
            };
            if inputs > least {
                least = inputs;
            }
        }
        Ok(Self { window: Window { size, stride, dilation: 1, padding: [before, after] }, least })
    }

    /// R, the receptive field: from the first to the last element that an output can know of.
    pub const fn size(&self) -> usize {
        self.window.size
    }

    /// J, the effective stride: how far apart in the elements two neighbouring outputs are.
    pub const fn jump(&self) -> usize {
        self.window.stride
    }

    /// How far before element 0 the receptive field of output 0 begins.
    pub const fn before(&self) -> usize {
        self.window.padding[0]
    }

    /// The fewest elements for which every window of the stack fits.
    pub const fn least(&self) -> usize {
        self.least
    }

    /// The stack as one window: the same number of outputs, from the same elements at most.
    pub const fn window(&self) -> Window {
        self.window
    }

    const fn fits(&self, n: usize) -> Result<(), Geometry> {
        if n < self.least {
            return Err(Geometry::TooFew { elements: n, least: self.least });
        }
        Ok(())
    }

    /// How many outputs the stack makes of `n` elements.
    ///
    /// # Errors
    /// If there are too few for one of its windows, or too many to count.
    pub const fn output(&self, n: usize) -> Result<usize, Geometry> {
        match self.fits(n) {
            Ok(()) => self.window.output(n),
            Err(error) => Err(error),
        }
    }

    /// The elements that an output can know of, without padding; none, if it lies in the padding altogether.
    ///
    /// # Errors
    /// If there is no such output, or as [`output`](Self::output).
    pub const fn reach(&self, n: usize, position: usize) -> Result<Range<usize>, Geometry> {
        let outputs = match self.output(n) {
            Ok(outputs) => outputs,
            Err(error) => return Err(error),
        };
        if position >= outputs {
            return Err(Geometry::Position { position, windows: outputs });
        }
        // Counted from the padding's first: the end is at most the padded length.
        let (start, end) = (position * self.jump(), position * self.jump() + self.size());
        let (start, end) = (start.saturating_sub(self.before()), end.saturating_sub(self.before()));
        Ok(if start < n { start..if end < n { end } else { n } } else { n..n })
    }
}

impl Default for ReceptiveField {
    fn default() -> Self {
        Self::new()
    }
}
