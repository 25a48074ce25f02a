//! What can be wrong with a geometry: the numbers, and the nearest that would be right.

use std::fmt;

/// An impossible geometry. Its message has the numbers that came and what would be allowed.
///
/// It becomes a tensor's error by `?`; [`Geometry::during`] names the operation as well.
///
/// ```
/// use gradus_cnn::{Geometry, Window};
/// let error = Window::new(7).padded_by(0, 1).output(4).unwrap_err();
/// assert!(matches!(error, Geometry::TooShort { extent: 7, elements: 4, padding: [0, 1], .. }));
/// assert_eq!(
///     error.to_string(),
///     "a window of extent 7 over 4 elements with padding 0+1 (allowed: at least 7 in all; the nearest legal \
///      padding is 3 in all)",
/// );
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Geometry {
    /// A 0 where there must be at least 1.
    Zero {
        /// Of what: "stride".
        name: &'static str,
    },
    /// The window is longer than the padded elements.
    TooShort {
        /// From the window's first tap to its last, both counted.
        extent: usize,
        /// How many elements there are.
        elements: usize,
        /// The padding, before and after.
        padding: [usize; 2],
        /// How many, padding included, would do.
        least: usize,
    },
    /// Too few elements for a whole stack of windows.
    TooFew {
        /// How many came.
        elements: usize,
        /// How many it takes.
        least: usize,
    },
    /// A result beyond the numbers that the machine counts with.
    TooLarge {
        /// Which argument made it so: "dilation".
        name: &'static str,
        /// Its value.
        value: usize,
        /// The largest that would do beside the others.
        most: usize,
    },
    /// More windows than were asked for, even with nothing to spare.
    TooMany {
        /// The number of elements.
        elements: usize,
        /// The padding in all.
        padding: usize,
        /// How many windows were asked for.
        asked: usize,
        /// How many there are at least.
        least: usize,
    },
    /// A window that does not exist.
    Position {
        /// Which was asked for, counted from 0.
        position: usize,
        /// How many there are.
        windows: usize,
    },
    /// An output padding that no size needs.
    OutputPadding {
        /// The output padding.
        output_padding: usize,
        /// The window's stride.
        stride: usize,
        /// The window's dilation.
        dilation: usize,
    },
    /// The padding of a transposed window cuts all of its output off.
    Cropped {
        /// The size before the padding is cut off.
        whole: usize,
        /// The padding, before and after.
        padding: [usize; 2],
    },
    /// Equal sizes of input and output, wanted with a stride.
    SameStride {
        /// The stride.
        stride: usize,
    },
    /// Groups that do not divide the channels.
    Groups {
        /// The number of groups.
        groups: usize,
        /// The channels in and out.
        channels: [usize; 2],
        /// The common divisor of the channels that is nearest, the smaller of two.
        nearest: usize,
    },
}

/// A number of things, in words.
fn counted(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

impl Geometry {
    /// What came, in words.
    fn came(&self) -> String {
        match *self {
            Self::Zero { name } => format!("{name} = 0"),
            Self::TooShort { extent, elements, padding: [before, after], .. } => {
                let elements = counted(elements, "element");
                format!("a window of extent {extent} over {elements} with padding {before}+{after}")
            }
            Self::TooFew { elements, .. } => {
                format!("{} for a stack of windows", counted(elements, "element"))
            }
            Self::TooLarge { name, value, .. } => format!("{name} = {value}"),
            Self::TooMany { elements, padding, asked, .. } => {
                let (asked, elements) = (counted(asked, "window"), counted(elements, "element"));
                format!("{asked} over {elements} with padding {padding} in all")
            }
            Self::Position { position, .. } => format!("window {position}"),
            Self::OutputPadding { output_padding, stride, dilation } => {
                format!("output padding {output_padding} with stride {stride} and dilation {dilation}")
            }
            Self::Cropped { whole, padding: [before, after] } => {
                format!("padding {before}+{after} cut off from {}", counted(whole, "element"))
            }
            Self::SameStride { stride } => format!("an output as long as the input with stride {stride}"),
            Self::Groups { groups, channels: [of_input, of_output], .. } => {
                format!("{groups} groups of {} in and {of_output} out", counted(of_input, "channel"))
            }
        }
    }

    /// What would be allowed, in words.
    fn allowed(&self) -> String {
        match *self {
            Self::Zero { .. } => "at least 1".into(),
            Self::TooShort { elements, least, .. } => {
                let padding = least.saturating_sub(elements);
                format!("at least {least} in all; the nearest legal padding is {padding} in all")
            }
            Self::TooFew { least, .. } => format!("at least {least}"),
            Self::TooLarge { most, .. } => format!("at most {most}, or a result is too large to count"),
            Self::TooMany { least, .. } => format!("at least {}", counted(least, "window")),
            Self::Position { windows, .. } => format!("0..{windows}"),
            Self::OutputPadding { stride, dilation, .. } => {
                format!("below {}, the larger of the two", stride.max(dilation))
            }
            Self::Cropped { whole, .. } => format!("at most {} in all", whole.saturating_sub(1)),
            Self::SameStride { .. } => "stride 1; with a stride, ask for the input's size over it".into(),
            Self::Groups { nearest, .. } => format!("a divisor of both; the nearest is {nearest}"),
        }
    }

    /// The tensor's error, with the operation that met the geometry.
    ///
    /// ```
    /// use gradus_cnn::Geometry;
    /// let error = Geometry::Zero { name: "stride" }.during("conv2d");
    /// assert_eq!(error.to_string(), "conv2d: geometry = stride = 0, allowed: at least 1");
    /// ```
    pub fn during(self, op: &'static str) -> gradus_tensor::Error {
        let (value, allowed) = (self.came(), self.allowed());
        gradus_tensor::Error::Argument { op, name: "geometry", value, allowed }
    }
}

impl fmt::Display for Geometry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (allowed: {})", self.came(), self.allowed())
    }
}

impl std::error::Error for Geometry {}

impl From<Geometry> for gradus_tensor::Error {
    fn from(geometry: Geometry) -> Self {
        geometry.during("window")
    }
}
