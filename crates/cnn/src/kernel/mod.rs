//! How a convolution is computed: as it is written, or by products of matrices, or channel by channel.

mod depthwise;
mod plain;
pub(crate) mod plane;
pub(crate) mod pooling;
mod shift;
mod unfold;
mod winograd;

use crate::{ConvShape, Geometry, Window};
use gradus_tensor::kernel::{for_each_block, vectorize};
use gradus_tensor::{Result, Scalar, Tensor};
use std::ops::Range;
use winograd::Size;

/// How a convolution is computed.
///
/// [`Automatic`](Self::Automatic) takes `Depthwise` where each group has one input channel and fewer than four filters; `Winograd4` for 3×3 windows
/// with stride 1, no groups, at least 32 channels and 32 filters, and outputs of at least 4×4, a dozen tiles of them in the batch; `Shift` where what
/// it computes for nothing, filters times the window's reach in outputs, is less than 150 rows of outputs; and `Unfold` for everything else. Results agree to rounding. But for the
/// `Winograd` ways the sums are the same in another order; with whole numbers they are equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Algorithm {
    /// What is likely to be the fastest.
    #[default]
    Automatic,
    /// Six loops, as the formula reads: what the others are held against.
    Plain,
    /// Some output rows' windows are copied side by side as the columns of a matrix, which stays in the second cache, and a product of matrices does the
    /// rest. A pointwise convolution copies nothing.
    Unfold,
    /// A product of matrices too, but nothing is unfolded: with the image padded, what a tap reads for all outputs is the image itself, from another
    /// place on. Where this cannot give the gradient of the images, as with strides, `Unfold` gives it.
    Shift,
    /// 3×3 windows with stride 1 by tiles of 2×2 outputs, with 16 products in place of 36; as exact as `Unfold`.
    Winograd2,
    /// The same by tiles of 4×4 outputs, with 36 products in place of 144; errors are some five times larger.
    Winograd4,
    /// Row by row of one channel; for groups of one input channel only.
    Depthwise,
}

/// All sizes of a convolution.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    pub(crate) shape: ConvShape<2>,
    pub(crate) batch: usize,
    /// Input channels, and output channels, of a group.
    pub(crate) group: [usize; 2],
    pub(crate) input: [usize; 2],
    pub(crate) output: [usize; 2],
}

impl Sizes {
    pub(crate) fn new(shape: ConvShape<2>, batch: usize, input: [usize; 2]) -> Result<Self, Geometry> {
        let group = [shape.group_channels()?, shape.out_channels / shape.groups];
        let output = shape.output(input)?;
        shape.counts(batch, input)?; // Every product below is checked by this one.
        Ok(Self { shape, batch, group, input, output })
    }

    /// The shape of the output.
    pub(crate) fn output_dims(&self) -> [usize; 4] {
        [self.batch, self.shape.out_channels, self.output[0], self.output[1]]
    }

    /// The elements of a plane of the input, and of one of the output.
    fn planes(&self) -> [usize; 2] {
        [self.input[0] * self.input[1], self.output[0] * self.output[1]]
    }

    /// The taps of the window over a plane.
    fn taps(&self) -> usize {
        self.shape.windows[0].size * self.shape.windows[1].size
    }

    /// Whether the gradient of the images is a convolution too, with the filters turned around: windows begin at every pixel, and none on padding alone.
    fn turns(&self) -> bool {
        let fits = |w: &Window| w.stride == 1 && w.padding.iter().all(|&p| p <= (w.size - 1) * w.dilation);
        self.shape.windows.iter().all(fits)
    }

    /// The windows of that convolution; the padding is what is missing to the windows' reach.
    fn windows_back(&self) -> [Window; 2] {
        self.shape.windows.map(|w| {
            let reach = (w.size - 1) * w.dilation;
            w.padded_by(reach - w.padding[0], reach - w.padding[1])
        })
    }

    /// The output positions along an axis whose window has this tap on an element; the first of these elements.
    fn reach(&self, axis: usize, tap: usize) -> (Range<usize>, usize) {
        plane::reach(&self.shape.windows[axis], self.input[axis], self.output[axis], tap)
    }
}

/// The numbers of an operand, row by row.
pub(crate) struct Operands<'a, T> {
    pub(crate) x: &'a [T],
    pub(crate) weight: &'a [T],
}

/// What becomes of sums on their way out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Finish<'a, T> {
    /// What is added, for each output channel.
    pub(crate) bias: Option<&'a [T]>,
    /// Whether what is negative becomes 0.
    pub(crate) rectify: bool,
}

impl<T: Scalar> Finish<'_, T> {
    pub(crate) const NOTHING: Self = Self { bias: None, rectify: false };

    fn bias(&self, channel: usize) -> T {
        self.bias.map_or(T::ZERO, |bias| bias[channel])
    }

    /// An output, the bias added. A NaN stays one.
    #[inline(always)]
    fn rectified(&self, y: T) -> T {
        if self.rectify && y <= T::ZERO { T::ZERO } else { y }
    }

    /// Sums of a channel, in place.
    fn finish(&self, channel: usize, sums: &mut [T]) {
        if self.bias.is_none() && !self.rectify {
            return;
        }
        let bias = self.bias(channel);
        vectorize(
            #[inline(always)]
            || {
                for y in sums {
                    *y = self.rectified(*y + bias);
                }
            },
        );
    }
}

/// The output.
pub(crate) fn forward<T: Scalar>(
    algorithm: Algorithm,
    sizes: &Sizes,
    Operands { x, weight }: Operands<'_, T>,
    finish: Finish<'_, T>,
) -> Result<Tensor<T>> {
    let mut result = Ok(());
    let out = Tensor::compute(sizes.output_dims(), |out| {
        if out.is_empty() {
            return;
        }
        result = match algorithm.of(sizes) {
            Algorithm::Depthwise => {
                depthwise::forward(sizes, x, weight, finish, out);
                Ok(())
            }
            Algorithm::Plain => {
                out.fill(T::ZERO);
                plain::forward(sizes, x, weight, out);
                let channels = (0..sizes.shape.out_channels).cycle();
                for (out, channel) in out.chunks_exact_mut(sizes.planes()[1]).zip(channels) {
                    finish.finish(channel, out);
                }
                Ok(())
            }
            Algorithm::Shift => shift::forward(sizes, x, weight, finish, out),
            Algorithm::Winograd2 => winograd::forward(Size::Two, sizes, x, weight, finish, out),
            Algorithm::Winograd4 => winograd::forward(Size::Four, sizes, x, weight, finish, out),
            Algorithm::Unfold | Algorithm::Automatic => unfold::forward(sizes, x, weight, finish, out),
        };
    })?;
    result.map(|()| out)
}

/// ∂L/∂x from ∂L/∂y.
pub(crate) fn by_data<T: Scalar>(
    algorithm: Algorithm,
    sizes: &Sizes,
    weight: &[T],
    dy: &[T],
) -> Result<Tensor<T>> {
    let dims = [sizes.batch, sizes.shape.in_channels, sizes.input[0], sizes.input[1]];
    let mut result = Ok(());
    let dx = Tensor::compute(dims, |dx| {
        if dx.is_empty() {
            return;
        }
        match algorithm.of(sizes) {
            Algorithm::Depthwise => depthwise::by_data(sizes, weight, dy, dx),
            Algorithm::Plain => plain::by_data(sizes, weight, dy, dx),
            Algorithm::Shift if sizes.turns() => result = shift::by_data(sizes, weight, dy, dx),
            Algorithm::Winograd2 => result = winograd::by_data(Size::Two, sizes, weight, dy, dx),
            Algorithm::Winograd4 => result = winograd::by_data(Size::Four, sizes, weight, dy, dx),
            Algorithm::Shift | Algorithm::Unfold | Algorithm::Automatic => {
                result = unfold::by_data(sizes, weight, dy, dx)
            }
        }
    })?;
    result.map(|()| dx)
}

/// ∂L/∂w from ∂L/∂y.
pub(crate) fn by_weights<T: Scalar>(
    algorithm: Algorithm,
    sizes: &Sizes,
    x: &[T],
    dy: &[T],
) -> Result<Tensor<T>> {
    let [height, width] = sizes.shape.windows.map(|w| w.size);
    let dims = [sizes.shape.out_channels, sizes.group[0], height, width];
    let size = match algorithm.of(sizes) {
        _ if sizes.batch == 0 => return Tensor::zeros(dims),
        Algorithm::Depthwise => return Tensor::compute(dims, |dw| depthwise::by_weights(sizes, x, dy, dw)),
        Algorithm::Plain => return Tensor::compute(dims, |dw| plain::by_weights(sizes, x, dy, dw)),
        Algorithm::Unfold | Algorithm::Automatic => return unfold::by_weights(sizes, x, dy)?.reshape(dims),
        Algorithm::Shift => None,
        Algorithm::Winograd2 => Some(Size::Two),
        Algorithm::Winograd4 => Some(Size::Four),
    };
    let mut result = Ok(());
    let dw = Tensor::compute(dims, |dw| {
        result = match size {
            Some(size) => winograd::by_weights(size, sizes, x, dy, dw),
            None => shift::by_weights(sizes, x, dy, dw),
        }
    })?;
    result.map(|()| dw)
}

/// Calls `f(i, block)` for every block of `size` elements on all cores; the first error, if there is one.
fn run_jobs<T: Send>(
    out: &mut [T],
    size: usize,
    f: impl Fn(usize, &mut [T]) -> Result<()> + Sync,
) -> Result<()> {
    let mut jobs: Vec<_> = out.chunks_mut(size).map(|block| (block, Ok(()))).collect();
    for_each_block(&mut jobs, 1, |i, jobs| {
        for (block, result) in jobs {
            *result = f(i, block);
        }
    });
    jobs.into_iter().try_for_each(|(_, result)| result)
}

impl Algorithm {
    /// What is taken for these sizes.
    pub(crate) fn of(self, sizes: &Sizes) -> Self {
        match self {
            Self::Automatic if sizes.group[0] == 1 && sizes.group[1] < 4 => Self::Depthwise,
            Self::Automatic if winograd::pays(sizes) => Self::Winograd4,
            Self::Automatic if shift::pays(sizes) => Self::Shift,
            Self::Automatic => Self::Unfold,
            other => other,
        }
    }

    /// What keeps it from computing these sizes: what it is asked for, and what it can.
    pub(crate) fn refuses(self, sizes: &Sizes) -> Option<(String, &'static str)> {
        let group = sizes.group[0];
        match self {
            Self::Depthwise if group != 1 => Some((format!("{group} input channels a group"), "one")),
            Self::Winograd2 | Self::Winograd4 if !winograd::can(sizes) => {
                let [a, b] = sizes.shape.windows;
                let value = format!("{} groups and the windows {a:?} and {b:?}", sizes.shape.groups);
                Some((
                    value,
                    "one group and 3×3 windows with stride and dilation 1 and a padding of at most 2",
                ))
            }
            _ => None,
        }
    }
}
