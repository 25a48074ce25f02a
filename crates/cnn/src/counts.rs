//! What a convolution layer costs: parameters, multiplications, memory.

use crate::{Geometry, Window};

/// The shape of a convolution layer over `A` axes: what follows from it without a single weight.
///
/// **Shapes**: input `[N, C, H, W]` for two axes; weights `[K, C/groups, F, F]`, bias `[K]`, output `[N, K, H', W']`.
///
/// ```
/// use gradus_cnn::{ConvShape, Window};
/// // AlexNet's first layer.
/// let layer = ConvShape::new(3, 96, [Window::new(11).stride(4); 2]);
/// let counts = layer.counts(1, [227, 227])?;
/// assert_eq!(counts.parameters, 96 * 3 * 11 * 11 + 96);
/// assert_eq!(counts.outputs, 96 * 55 * 55);
/// assert_eq!(counts.multiplications, 105_415_200);
/// # Ok::<(), gradus_cnn::Geometry>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConvShape<const A: usize> {
    /// C, the channels of the input.
    pub in_channels: usize,
    /// K, the channels of the output.
    pub out_channels: usize,
    /// In how many groups of channels, each with outputs of its own, the layer falls apart; 1 for none.
    pub groups: usize,
    /// Whether it has a bias.
    pub bias: bool,
    /// A window for each axis.
    pub windows: [Window; A],
}

/// What a layer costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Counts {
    /// The numbers that are learned.
    pub parameters: usize,
    /// The products of the forward pass, each with an addition; those with padding count, as everybody counts them. The backward pass
    /// takes twice as many, one half for the input's gradient and one for the weights'.
    pub multiplications: u64,
    /// The numbers of the input.
    pub inputs: usize,
    /// The numbers of the output.
    pub outputs: usize,
    /// The numbers of the input once each window has a copy of what it reads (im2col).
    pub unfolded: usize,
}

/// A product whose factors have names, for the error.
fn product(factors: impl IntoIterator<Item = (&'static str, usize)>) -> Result<usize, Geometry> {
    let product = product_up_to(usize::MAX as u64, factors)?;
    Ok(product as usize)
}

/// The same where more than a machine's memory is counted: on one of 32 bits, a photo's multiplications are too many for a `usize`.
fn product_up_to(
    most: u64,
    factors: impl IntoIterator<Item = (&'static str, usize)>,
) -> Result<u64, Geometry> {
    factors.into_iter().try_fold(1u64, |product, (name, value)| {
        // Only a product above 0 can become too large.
        let too_large = || {
            let most = usize::try_from(most / product.max(1)).unwrap_or(usize::MAX);
            Geometry::TooLarge { name, value, most }
        };
        product.checked_mul(value as u64).filter(|product| *product <= most).ok_or_else(too_large)
    })
}

/// The largest number that divides both.
const fn common(a: usize, b: usize) -> usize {
    if b == 0 { a } else { common(b, a % b) }
}

impl<const A: usize> ConvShape<A> {
    /// A layer from `in_channels` to `out_channels`, with a bias and without groups.
    #[must_use]
    pub const fn new(in_channels: usize, out_channels: usize, windows: [Window; A]) -> Self {
        Self { in_channels, out_channels, groups: 1, bias: true, windows }
    }

    /// Each channel convolved by itself: as many groups as channels, with a bias.
    ///
    /// ```
    /// use gradus_cnn::{ConvShape, Window};
    /// let depthwise = ConvShape::depthwise(64, [Window::new(3).padded(1); 2]).without_bias();
    /// assert_eq!(depthwise.parameters()?, 64 * 9); // all channels with all: 64 times as many
    /// # Ok::<(), gradus_cnn::Geometry>(())
    /// ```
    #[must_use]
    pub const fn depthwise(channels: usize, windows: [Window; A]) -> Self {
        Self::new(channels, channels, windows).groups(channels)
    }

    /// The channels mixed at each position, which sees nothing of its neighbours: windows of one tap, with a bias.
    ///
    /// ```
    /// use gradus_cnn::ConvShape;
    /// let pointwise = ConvShape::<2>::pointwise(64, 128);
    /// assert_eq!((pointwise.parameters()?, pointwise.output([7, 5])?), (64 * 128 + 128, [7, 5]));
    /// # Ok::<(), gradus_cnn::Geometry>(())
    /// ```
    #[must_use]
    pub const fn pointwise(in_channels: usize, out_channels: usize) -> Self {
        Self::new(in_channels, out_channels, [Window::new(1); A])
    }

    /// The same in groups; as many as there are channels make a depthwise convolution.
    #[must_use]
    pub const fn groups(self, groups: usize) -> Self {
        Self { groups, ..self }
    }

    /// The same without a bias.
    #[must_use]
    pub const fn without_bias(self) -> Self {
        Self { bias: false, ..self }
    }

    /// The channels that an output channel reads.
    ///
    /// # Errors
    /// If there are no channels, or the groups do not divide those of input and output.
    pub fn group_channels(&self) -> Result<usize, Geometry> {
        let Self { in_channels, out_channels, groups, .. } = *self;
        for (name, value) in
            [("in channels", in_channels), ("out channels", out_channels), ("groups", groups)]
        {
            if value == 0 {
                return Err(Geometry::Zero { name });
            }
        }
        let most = common(in_channels, out_channels);
        if most.is_multiple_of(groups) {
            return Ok(in_channels / groups);
        }
        // Divisors come in pairs; of huge channels some are not looked at, so that an error stays cheap.
        let pairs = (1..=most.isqrt().min(1 << 16)).filter(|d| most.is_multiple_of(*d));
        let divisors = pairs.flat_map(|d| [d, most / d]);
        let nearest = divisors.min_by_key(|d| (d.abs_diff(groups), *d)).unwrap_or(1);
        Err(Geometry::Groups { groups, channels: [in_channels, out_channels], nearest })
    }

    /// The taps of all axes, with names.
    fn taps(&self) -> impl Iterator<Item = (&'static str, usize)> {
        self.windows.iter().map(|window| ("size", window.size))
    }

    /// The numbers that are learned: K·C/groups·F·F weights, and K biases.
    ///
    /// # Errors
    /// If the groups do not divide the channels, or a number is 0 or too large.
    pub fn parameters(&self) -> Result<usize, Geometry> {
        let channels = [("in channels", self.group_channels()?), ("out channels", self.out_channels)];
        for window in &self.windows {
            window.extent()?;
        }
        let weights = product(channels.into_iter().chain(self.taps()))?;
        if !self.bias {
            return Ok(weights);
        }
        let most = usize::MAX - weights;
        let too_large = Geometry::TooLarge { name: "biases", value: self.out_channels, most };
        weights.checked_add(self.out_channels).ok_or(too_large)
    }

    /// The sizes of the output along the axes.
    ///
    /// # Errors
    /// If a window does not fit, or a number is 0 or too large.
    pub fn output(&self, sizes: [usize; A]) -> Result<[usize; A], Geometry> {
        let mut output = sizes;
        for (size, window) in output.iter_mut().zip(&self.windows) {
            *size = window.output(*size)?;
        }
        Ok(output)
    }

    /// All counts, for a batch of inputs of these sizes.
    ///
    /// # Errors
    /// If a window does not fit, the groups do not divide the channels, or a number is 0 (but for the batch) or too large.
    pub fn counts(&self, batch: usize, sizes: [usize; A]) -> Result<Counts, Geometry> {
        let parameters = self.parameters()?;
        let group = self.group_channels()?;
        let output = self.output(sizes)?;
        let named = |sizes: [usize; A]| sizes.map(|size| ("elements", size));
        let of_batch = ("batch", batch);
        let (into, out) = (("in channels", self.in_channels), ("out channels", self.out_channels));
        let outputs = product([of_batch, out].into_iter().chain(named(output)))?;
        Ok(Counts {
            parameters,
            multiplications: product_up_to(
                u64::MAX,
                [("outputs", outputs), ("in channels", group)].into_iter().chain(self.taps()),
            )?,
            inputs: product([of_batch, into].into_iter().chain(named(sizes)))?,
            outputs,
            unfolded: product([of_batch, into].into_iter().chain(named(output)).chain(self.taps()))?,
        })
    }
}

impl Counts {
    /// The memory of parameters, input and output together, in bytes, if a number takes `bytes`.
    ///
    /// # Errors
    /// If it is too large to count.
    ///
    /// ```
    /// use gradus_cnn::{ConvShape, Window};
    /// let pointwise = ConvShape::new(2, 3, [Window::new(1)]).without_bias();
    /// // 6 weights, 2·10 numbers in, 3·10 out, four bytes each.
    /// assert_eq!(pointwise.counts(1, [10])?.memory(4)?, 224);
    /// # Ok::<(), gradus_cnn::Geometry>(())
    /// ```
    pub fn memory(&self, bytes: usize) -> Result<usize, Geometry> {
        let parts = [("parameters", self.parameters), ("inputs", self.inputs), ("outputs", self.outputs)];
        let numbers = parts.into_iter().try_fold(0usize, |sum, (name, value)| {
            let too_large = Geometry::TooLarge { name, value, most: usize::MAX - sum };
            sum.checked_add(value).ok_or(too_large)
        })?;
        product([("numbers", numbers), ("bytes", bytes)])
    }
}
