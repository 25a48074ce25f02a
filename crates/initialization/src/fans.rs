//! Fans: how many numbers each output sums over, and how many outputs each input has a part in.

use gradus_tensor::{Error, Result};

/// The fans of a layer's weights.
///
/// ```
/// use gradus_initialization::Fans;
/// // Each output of a 3×3 convolution from 16 to 32 channels sums over 16·9 numbers, each input has a part in 32·9.
/// assert_eq!(Fans::conv(16, 32, 1, &[3, 3])?, Fans { fan_in: 144, fan_out: 288 });
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fans {
    /// Numbers that each output sums over.
    pub fan_in: usize,
    /// Outputs that each input has a part in.
    pub fan_out: usize,
}

/// Which of the fans an initialization divides by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum FanMode {
    /// Fan-in: the signal keeps its size on the way forward.
    #[default]
    In,
    /// Fan-out: the gradient keeps its size on the way back.
    Out,
    /// The mean of both: Glorot's compromise.
    Average,
}

impl Fans {
    /// The fans of a dense layer: its weights lie as `[inputs, outputs]`.
    pub const fn dense(inputs: usize, outputs: usize) -> Self {
        Self { fan_in: inputs, fan_out: outputs }
    }

    /// The fans of a convolution: in a group, channels times the kernel's area.
    ///
    /// **Shapes**: `kernel` has the kernel's sizes, `[k]`, `[kH, kW]` or more.
    ///
    /// **Numerics**: the stride is not asked for. With a stride s each input has a part in about fan_out/sᵈ outputs; like PyTorch
    /// we leave that out.
    ///
    /// # Errors
    /// If the groups do not divide both channels, or are 0, or the product is beyond the machine's numbers.
    pub fn conv(in_channels: usize, out_channels: usize, groups: usize, kernel: &[usize]) -> Result<Self> {
        let op = "Fans::conv";
        if groups == 0 || !in_channels.is_multiple_of(groups) || !out_channels.is_multiple_of(groups) {
            let allowed = format!("a divisor of {in_channels} and {out_channels}");
            return Err(Error::Argument { op, name: "groups", value: groups.to_string(), allowed });
        }
        let times = |channels: usize| {
            let dims = || std::iter::once(channels / groups).chain(kernel.iter().copied());
            let product = dims().try_fold(1usize, usize::checked_mul);
            product.ok_or_else(|| Error::TooLarge { op, dims: dims().collect() })
        };
        Ok(Self { fan_in: times(in_channels)?, fan_out: times(out_channels)? })
    }

    /// The fan that an initialization divides by.
    ///
    /// # Errors
    /// If it is 0: there is nothing to divide by.
    pub fn of(self, mode: FanMode) -> Result<f64> {
        let (fan_in, fan_out) = (self.fan_in as f64, self.fan_out as f64);
        let fan = match mode {
            FanMode::In => fan_in,
            FanMode::Out => fan_out,
            FanMode::Average => 0.5 * (fan_in + fan_out),
        };
        if fan > 0.0 {
            return Ok(fan);
        }
        let (value, allowed) = (format!("{self:?}"), format!("above 0 for {mode:?}"));
        Err(Error::Argument { op: "Fans::of", name: "fans", value, allowed })
    }
}
