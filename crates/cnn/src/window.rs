//! A window that slides along one axis: how often it fits, what it reads, and which sizes and paddings give what is wanted.

use crate::Geometry;
use crate::symbols::{D, E, F, N, O, P, S};
use gradus_formula::{Formula, Kind, Printed, Symbol, Verdict, item};
use std::iter::FusedIterator;
use std::ops::RangeInclusive;

pub(crate) const FORMULA_VALID: Formula = Formula {
    id: "conv-valid-output",
    kind: Kind::Formula,
    verdict: Verdict::Ambiguous,
    title: "How often a window fits",
    latex: r"O = \left\lfloor \frac{N - E}{S} \right\rfloor + 1, \qquad E = D(F - 1) + 1 \le N",
    unicode: "O = ⌊(N − E)/S⌋ + 1, E = D·(F − 1) + 1 ≤ N",
    symbols: &[O, N, E, S, D, F],
    source: "Dumoulin & Visin 2016, relationships 5 and 15",
    item: item!(struct Window),
    chapter: "shapes",
    printed: Some(Printed {
        latex: r"\left(\frac{N - F}{S} + 1\right) \times \left(\frac{N - F}{S} + 1\right)",
        reason: "The quotient needs a floor as soon as the stride does not divide N − F, and the formula needs N ≥ F.",
        counterexample: "N = 6, F = 3, S = 2: the printed form gives 2.5 windows; 2 fit.",
    }),
};

pub(crate) const FORMULA_SAME: Formula = Formula {
    id: "conv-same-padding",
    kind: Kind::Formula,
    verdict: Verdict::Wrong,
    title: "Padding that keeps the size",
    latex: r"P_{\text{before}} = \left\lfloor \frac{E - 1}{2} \right\rfloor, \quad P_{\text{after}} = \left\lceil \frac{E - 1}{2} \right\rceil, \qquad S = 1",
    unicode: "P_before = ⌊(E − 1)/2⌋, P_after = ⌈(E − 1)/2⌉, for S = 1",
    symbols: &[P, E, S],
    source: "Dumoulin & Visin 2016, relationship 3; for even extents the rule of TensorFlow and PyTorch",
    item: item!(struct Window),
    chapter: "shapes",
    printed: Some(Printed {
        latex: r"P = \frac{F - 1}{2} \;\to\; \text{output} = \text{input size}",
        reason: "It holds for an odd window and stride 1 only. An even window needs one more element of padding on one side than on the other, and a stride of S leaves ⌈N/S⌉.",
        counterexample: "F = 2: P would be ½, and rounded down to 0 it leaves N − 1. F = 3, S = 2, N = 4: the output is 2, not 4.",
    }),
};

pub(crate) const FORMULA_PADDED: Formula = Formula {
    id: "conv-padded-output",
    kind: Kind::Formula,
    verdict: Verdict::Ok,
    title: "How often a window fits, with padding",
    latex: r"O = \left\lfloor \frac{N + P_{\text{before}} + P_{\text{after}} - E}{S} \right\rfloor + 1",
    unicode: "O = ⌊(N + P_before + P_after − E)/S⌋ + 1",
    symbols: &[O, N, P, E, S],
    source: "Dumoulin & Visin 2016, relationships 6 and 15",
    item: item!(struct Window),
    chapter: "shapes",
    printed: None,
};

pub(crate) const FORMULA_POOL: Formula = Formula {
    id: "pool-params",
    kind: Kind::Claim,
    verdict: Verdict::Ok,
    title: "A pooling layer's hyper-parameters",
    latex: r"F \times F, \; S; \qquad \text{neighbours share } \max(F - S, 0)",
    unicode: "F × F, S; neighbours share max(F − S, 0)",
    symbols: &[F, S],
    source: "Krizhevsky, Sutskever & Hinton 2012, §3.4",
    item: item!(struct Window),
    chapter: "shapes",
    printed: None,
};

pub(crate) const FORMULA_POOL_WIDTH: Formula = Formula {
    id: "pool-output-w",
    kind: Kind::Formula,
    verdict: Verdict::Ok,
    title: "The width behind a pooling layer",
    latex: r"W_{\text{out}} = \left\lfloor \frac{W_{\text{in}} - F}{S} \right\rfloor + 1",
    unicode: "W_out = ⌊(W_in − F)/S⌋ + 1",
    symbols: &[
        Symbol { latex: "W", code: "n", meaning: "the width, before and after", shape: "[]", unit: "count" },
        F,
        S,
    ],
    source: "Dumoulin & Visin 2016, relationship 7",
    item: item!(struct Window),
    chapter: "shapes",
    printed: Some(Printed {
        latex: r"W_{\text{out}} = \frac{W_{\text{in}} - F}{S} + 1",
        reason: "Right where the stride divides W_in − F. Elsewhere it is no whole number, and two roundings are in use: down, and up (ceil mode).",
        counterexample: "W_in = 6, F = 3, S = 2: 2.5; rounded down 2, up 3.",
    }),
};

pub(crate) const FORMULA_POOL_HEIGHT: Formula = Formula {
    id: "pool-output-h",
    kind: Kind::Alias("pool-output-w"),
    verdict: Verdict::Ambiguous,
    title: "The height behind a pooling layer",
    latex: r"H_{\text{out}} = \left\lfloor \frac{H_{\text{in}} - F}{S} \right\rfloor + 1",
    unicode: "H_out = ⌊(H_in − F)/S⌋ + 1",
    symbols: &[
        Symbol { latex: "H", code: "n", meaning: "the height, before and after", shape: "[]", unit: "count" },
        F,
        S,
    ],
    printed: Some(Printed {
        latex: r"H_{\text{out}} = \frac{H_{\text{in}} - F}{S} + 1",
        reason: "Right where the stride divides H_in − F, as for the width.",
        counterexample: "H_in = 6, F = 3, S = 2: 2.5; rounded down 2, up 3.",
    }),
    ..FORMULA_POOL_WIDTH
};

/// A window along one axis: taps, stride, dilation, padding. Its methods are the shape arithmetic of convolution and pooling.
///
/// **Formula** `conv-valid-output`, `conv-padded-output`: O = ⌊(N + P − E)/S⌋ + 1 windows, with the extent E = D·(F − 1) + 1 and the padding P
/// on both sides together; `conv-same-padding`: ⌊(E − 1)/2⌋ before and ⌈(E − 1)/2⌉ after keep the size with stride 1.
///
/// **Shapes**: one axis; an image has a window for its height and one for its width. **Units**: elements.
///
/// **Numerics**: whole numbers, every sum and product checked, and N + P held against E before anything is subtracted: nothing wraps.
///
/// **Errors**: [`Geometry`], with the numbers and the nearest legal one.
///
/// **Source**: Dumoulin & Visin 2016.
///
/// ```
/// use gradus_cnn::{Geometry, Window};
/// const STEM: Window = Window::new(7).stride(2).padded(3);
/// assert_eq!(STEM.output(224)?, 112); // (224 + 6 − 7)/2 = 111.5, rounded down, and 1
/// assert_eq!(STEM.inputs_for(112)?, 223..=224);
/// assert!(matches!(Window::new(5).output(4), Err(Geometry::TooShort { .. })));
/// # Ok::<(), Geometry>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Window {
    /// F, its taps: how many elements it reads.
    pub size: usize,
    /// S, how far it moves from one output to the next.
    pub stride: usize,
    /// D, how far apart two neighbouring taps are; 1 for a window without holes.
    pub dilation: usize,
    /// P, the elements that are added before and after.
    pub padding: [usize; 2],
}

/// `?` for constant functions, which may not call the trait behind it.
macro_rules! tri {
    ($result:expr) => {
        match $result {
            Ok(value) => value,
            Err(error) => return Err(error),
        }
    };
}

const fn at_least_one(name: &'static str, value: usize) -> Result<(), Geometry> {
    if value == 0 { Err(Geometry::Zero { name }) } else { Ok(()) }
}

impl Window {
    /// A window of `size` taps, with stride 1, dilation 1 and no padding.
    #[must_use]
    pub const fn new(size: usize) -> Self {
        Self { size, stride: 1, dilation: 1, padding: [0, 0] }
    }

    /// The same with this stride.
    #[must_use]
    pub const fn stride(self, stride: usize) -> Self {
        Self { stride, ..self }
    }

    /// The same with its taps this far apart.
    #[must_use]
    pub const fn dilation(self, dilation: usize) -> Self {
        Self { dilation, ..self }
    }

    /// The same with this padding on either side.
    #[must_use]
    pub const fn padded(self, padding: usize) -> Self {
        self.padded_by(padding, padding)
    }

    /// The same with this padding before and after the elements.
    #[must_use]
    pub const fn padded_by(self, before: usize, after: usize) -> Self {
        Self { padding: [before, after], ..self }
    }

    /// E = D·(F − 1) + 1: from the first tap to the last, both counted.
    ///
    /// # Errors
    /// If size, stride or dilation are 0, or E is too large.
    ///
    /// ```
    /// use gradus_cnn::Window;
    /// assert_eq!(Window::new(3).dilation(2).extent()?, 5); // × · × · ×
    /// # Ok::<(), gradus_cnn::Geometry>(())
    /// ```
    pub const fn extent(&self) -> Result<usize, Geometry> {
        tri!(at_least_one("size", self.size));
        tri!(at_least_one("stride", self.stride));
        tri!(at_least_one("dilation", self.dilation));
        let gaps = self.size - 1;
        match self.dilation.checked_mul(gaps) {
            Some(reach) if reach < usize::MAX => Ok(reach + 1),
            _ => {
                // There are gaps, or the product would be 0.
                let most = (usize::MAX - 1) / gaps;
                Err(Geometry::TooLarge { name: "dilation", value: self.dilation, most })
            }
        }
    }

    /// The padding in all.
    const fn total_padding(&self) -> Result<usize, Geometry> {
        let [before, after] = self.padding;
        match before.checked_add(after) {
            Some(total) => Ok(total),
            None => {
                Err(Geometry::TooLarge { name: "padding after", value: after, most: usize::MAX - before })
            }
        }
    }

    /// N + P, for at least one element.
    const fn padded_length(&self, n: usize) -> Result<usize, Geometry> {
        tri!(at_least_one("elements", n));
        let padding = tri!(self.total_padding());
        match n.checked_add(padding) {
            Some(length) => Ok(length),
            None => Err(Geometry::TooLarge { name: "elements", value: n, most: usize::MAX - padding }),
        }
    }

    const fn too_short(&self, n: usize, extent: usize, least: usize) -> Geometry {
        Geometry::TooShort { extent, elements: n, padding: self.padding, least }
    }

    /// ⌊(N + P − E)/S⌋ + 1: how many windows lie within `n` padded elements.
    ///
    /// # Errors
    /// If none does, `n` is 0, or a number is 0 or too large.
    ///
    /// ```
    /// use gradus_cnn::Window;
    /// // AlexNet's first convolution: (227 − 11)/4 + 1.
    /// assert_eq!(Window::new(11).stride(4).output(227)?, 55);
    /// # Ok::<(), gradus_cnn::Geometry>(())
    /// ```
    pub const fn output(&self, n: usize) -> Result<usize, Geometry> {
        let (extent, length) = (tri!(self.extent()), tri!(self.padded_length(n)));
        if length < extent {
            return Err(self.too_short(n, extent, extent));
        }
        // The sum is not too large, since E is at least 1.
        Ok((length - extent) / self.stride + 1)
    }

    /// The same, rounded up: a last window may stick out behind the padded elements, if it starts before the padding after them.
    ///
    /// This is PyTorch's `ceil_mode`. Rounding up alone would count windows that read nothing but padding.
    ///
    /// # Errors
    /// If there is no window even so, `n` is 0, or a number is 0 or too large.
    ///
    /// ```
    /// use gradus_cnn::Window;
    /// assert_eq!((Window::new(3).stride(2).output(6)?, Window::new(3).stride(2).output_ceil(6)?), (2, 3));
    /// // (6 − 1)/2 + 1 = 3.5, but a fourth window would start behind the last element.
    /// assert_eq!(Window::new(1).stride(2).output_ceil(6)?, 3);
    /// # Ok::<(), gradus_cnn::Geometry>(())
    /// ```
    pub const fn output_ceil(&self, n: usize) -> Result<usize, Geometry> {
        let (extent, length) = (tri!(self.extent()), tri!(self.padded_length(n)));
        if length < extent {
            // The first window, sticking out by less than a stride.
            let missing = extent - length;
            if missing < self.stride {
                return Ok(1);
            }
            return Err(self.too_short(n, extent, extent - (self.stride - 1)));
        }
        let (steps, rest) = ((length - extent) / self.stride, (length - extent) % self.stride);
        // One more window would start here; where that can't be counted, it is far behind the elements.
        let Some(start) = (steps + 1).checked_mul(self.stride) else { return Ok(steps + 1) };
        // N and the padding before are at most the padded length.
        let extra = rest > 0 && start < n + self.padding[0];
        Ok(steps + 1 + extra as usize)
    }

    /// (N − 1)·S + E + P' − P: the size that a transposed convolution makes of `n`, with P' the output padding.
    ///
    /// It is the question backwards: [`output`](Self::output) of the result is `n`, if P' is below the stride. Each P' below the stride gives
    /// one of the sizes that `output` makes `n` of.
    ///
    /// # Errors
    /// If P' is not below the larger of stride and dilation, the padding cuts everything off, or a number is 0 or too large.
    ///
    /// ```
    /// use gradus_cnn::Window;
    /// let window = Window::new(3).stride(2).padded(1);
    /// assert_eq!((window.transposed_output(4, 0)?, window.transposed_output(4, 1)?), (7, 8));
    /// assert_eq!((window.output(7)?, window.output(8)?), (4, 4));
    /// # Ok::<(), gradus_cnn::Geometry>(())
    /// ```
    pub const fn transposed_output(&self, n: usize, output_padding: usize) -> Result<usize, Geometry> {
        let extent = tri!(self.extent());
        tri!(at_least_one("elements", n));
        let padding = tri!(self.total_padding());
        let Self { stride, dilation, .. } = *self;
        if output_padding >= stride && output_padding >= dilation {
            return Err(Geometry::OutputPadding { output_padding, stride, dilation });
        }
        let Some(last) = extent.checked_add(output_padding) else {
            let most = usize::MAX - extent;
            return Err(Geometry::TooLarge { name: "output padding", value: output_padding, most });
        };
        let most = (usize::MAX - last) / stride + 1;
        if n > most {
            return Err(Geometry::TooLarge { name: "elements", value: n, most });
        }
        let whole = (n - 1) * stride + last;
        if padding >= whole {
            return Err(Geometry::Cropped { whole, padding: self.padding });
        }
        Ok(whole - padding)
    }

    /// With the padding that keeps the size: E − 1 in all, and where that is odd, the one more after the elements.
    ///
    /// # Errors
    /// If the stride is not 1, or size or dilation are 0 or too large.
    ///
    /// ```
    /// use gradus_cnn::Window;
    /// assert_eq!(Window::new(5).same()?.padding, [2, 2]);
    /// assert_eq!(Window::new(4).same()?.padding, [1, 2]);
    /// assert_eq!(Window::new(4).same()?.output(10)?, 10);
    /// # Ok::<(), gradus_cnn::Geometry>(())
    /// ```
    pub const fn same(self) -> Result<Self, Geometry> {
        let extent = tri!(self.extent());
        if self.stride != 1 {
            return Err(Geometry::SameStride { stride: self.stride });
        }
        let before = (extent - 1) / 2;
        Ok(self.padded_by(before, extent - 1 - before))
    }

    /// With the padding that makes ⌈N/S⌉ of `n`, as little as does it, and where that is odd, the one more after the elements.
    ///
    /// This is TensorFlow's `SAME`. With stride 1 it is [`same`](Self::same). With a larger stride it depends on `n`: networks that were trained
    /// with it see their inputs shifted by an element if the padding is made symmetric.
    ///
    /// # Errors
    /// If `n` is 0, or a number is 0 or too large.
    ///
    /// ```
    /// use gradus_cnn::Window;
    /// let window = Window::new(3).stride(2);
    /// assert_eq!(window.same_aligned(4)?.padding, [0, 1]);
    /// assert_eq!(window.same_aligned(5)?.padding, [1, 1]);
    /// # Ok::<(), gradus_cnn::Geometry>(())
    /// ```
    pub const fn same_aligned(self, n: usize) -> Result<Self, Geometry> {
        let extent = tri!(self.extent());
        tri!(at_least_one("elements", n));
        // Where the last window starts without padding: below N.
        let start = (n.div_ceil(self.stride) - 1) * self.stride;
        let total = extent.saturating_sub(n - start);
        let before = total / 2;
        let window = self.padded_by(before, total - before);
        tri!(window.padded_length(n));
        Ok(window)
    }

    /// The least and the largest padded length with so many windows: E + (O − 1)·S and S − 1 more.
    const fn lengths_for(&self, output: usize) -> Result<(usize, usize), Geometry> {
        let extent = tri!(self.extent());
        tri!(at_least_one("output", output));
        let most = (usize::MAX - extent) / self.stride + 1;
        if output > most {
            return Err(Geometry::TooLarge { name: "output", value: output, most });
        }
        let least = extent + (output - 1) * self.stride;
        // Longer ones than the machine can count are none.
        Ok((least, least.saturating_add(self.stride - 1)))
    }

    /// Which numbers of elements give `output` windows: the inverse of [`output`](Self::output), all of it.
    ///
    /// # Errors
    /// If none does, since the padding alone has room for more; or `output` or another number is 0 or too large.
    ///
    /// ```
    /// use gradus_cnn::Window;
    /// assert_eq!(Window::new(3).stride(2).padded(1).inputs_for(4)?, 7..=8);
    /// # Ok::<(), gradus_cnn::Geometry>(())
    /// ```
    pub const fn inputs_for(&self, output: usize) -> Result<RangeInclusive<usize>, Geometry> {
        let (least, most) = tri!(self.lengths_for(output));
        let padding = tri!(self.total_padding());
        if padding >= most {
            let there = tri!(self.output(1));
            return Err(Geometry::TooMany { elements: 1, padding, asked: output, least: there });
        }
        let least = if least > padding { least - padding } else { 1 };
        Ok(RangeInclusive::new(least, most - padding))
    }

    /// Which paddings, both sides together, give `output` windows over `n` elements. The window's own padding plays no part.
    ///
    /// # Errors
    /// If none does, since there are more windows without any; or a number is 0 or too large.
    ///
    /// ```
    /// use gradus_cnn::Window;
    /// // A 7×7 window with stride 2 halves 224 with a padding of 5 or 6.
    /// assert_eq!(Window::new(7).stride(2).paddings_for(224, 112)?, 5..=6);
    /// # Ok::<(), gradus_cnn::Geometry>(())
    /// ```
    pub const fn paddings_for(&self, n: usize, output: usize) -> Result<RangeInclusive<usize>, Geometry> {
        tri!(at_least_one("elements", n));
        let (least, most) = tri!(self.lengths_for(output));
        if n > most {
            let there = tri!(self.padded(0).output(n));
            return Err(Geometry::TooMany { elements: n, padding: 0, asked: output, least: there });
        }
        Ok(RangeInclusive::new(least.saturating_sub(n), most - n))
    }

    /// Which elements window number `position` reads, and by which taps; taps over padding are left out.
    ///
    /// # Errors
    /// If there is no such window, or no window at all.
    ///
    /// ```
    /// use gradus_cnn::{Tap, Window};
    /// let window = Window::new(3).dilation(2).padded(1);
    /// // Tap 0 lies on the padding.
    /// let first: Vec<_> = window.taps(7, 0)?.collect();
    /// assert_eq!(first, [Tap { tap: 1, element: 1 }, Tap { tap: 2, element: 3 }]);
    /// # Ok::<(), gradus_cnn::Geometry>(())
    /// ```
    pub const fn taps(&self, n: usize, position: usize) -> Result<Taps, Geometry> {
        let windows = tri!(self.output(n));
        self.reads(n, position, windows)
    }

    /// The same for the windows that [`output_ceil`](Self::output_ceil) counts; what sticks out is left out.
    ///
    /// # Errors
    /// As [`taps`](Self::taps).
    pub const fn taps_ceil(&self, n: usize, position: usize) -> Result<Taps, Geometry> {
        let windows = tri!(self.output_ceil(n));
        self.reads(n, position, windows)
    }

    const fn reads(&self, n: usize, position: usize, windows: usize) -> Result<Taps, Geometry> {
        if position >= windows {
            return Err(Geometry::Position { position, windows });
        }
        // Counted from the first element of the padding: at most N + P, which the number of windows was made of.
        let start = position * self.stride;
        let (before, end) = (self.padding[0], n + self.padding[0]);
        let first = before.saturating_sub(start).div_ceil(self.dilation);
        let after = if end > start { (end - 1 - start) / self.dilation + 1 } else { 0 };
        let after = if after < self.size { after } else { self.size };
        let left = after.saturating_sub(first);
        let element = if left > 0 { start + first * self.dilation - before } else { 0 };
        Ok(Taps { next: Tap { tap: first, element }, left, dilation: self.dilation })
    }

    /// Every window over `n` elements, with what it reads.
    ///
    /// # Errors
    /// As [`output`](Self::output).
    ///
    /// ```
    /// use gradus_cnn::Window;
    /// let starts: Vec<_> = Window::new(2).stride(3).windows(8)?.map(|taps| taps.elements().next()).collect();
    /// assert_eq!(starts, [Some(0), Some(3), Some(6)]);
    /// # Ok::<(), gradus_cnn::Geometry>(())
    /// ```
    pub fn windows(self, n: usize) -> Result<impl Iterator<Item = Taps>, Geometry> {
        let windows = self.output(n)?;
        // Each position is below the number of windows: none is refused.
        Ok((0..windows).filter_map(move |position| self.reads(n, position, windows).ok()))
    }
}

/// One reading of a window: which tap lies on which element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tap {
    /// The tap, from 0 to the window's size: which of the weights it is.
    pub tap: usize,
    /// The element that it reads, counted without padding.
    pub element: usize,
}

/// What one window reads, in order; see [`Window::taps`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taps {
    next: Tap,
    left: usize,
    dilation: usize,
}

impl Taps {
    /// The elements alone.
    pub fn elements(self) -> impl Iterator<Item = usize> {
        self.map(|tap| tap.element)
    }
}

impl Iterator for Taps {
    type Item = Tap;

    fn next(&mut self) -> Option<Tap> {
        let tap = self.next;
        self.left = self.left.checked_sub(1)?;
        if self.left > 0 {
            self.next = Tap { tap: tap.tap + 1, element: tap.element + self.dilation };
        }
        Some(tap)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Taps {}
impl FusedIterator for Taps {}
