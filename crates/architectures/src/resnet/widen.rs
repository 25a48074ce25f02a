//! The shortcut without parameters: channels of zeros for those that are missing.

use crate::{expect, refused};
use gradus_autograd::Op;
use gradus_tensor::{Error, Result, Scalar, Shape, Tensor};

/// The channels of x and, after them, channels of zeros, as many as it takes: ResNet's option A, where a block has more channels than the one before.
///
/// **Shapes**: x `[N, C, H, W]`; the result `[N, channels, H, W]`.
///
/// **Gradient**: that of the channels that were there.
///
/// **Errors**: fewer channels than there are; another rank.
///
/// ```
/// use gradus_architectures::Widen;
/// use gradus_autograd::Op;
/// use gradus_tensor::Tensor;
/// let x = Tensor::from([[[[7.0]]], [[[8.0]]]]); // two images of one pixel
/// assert_eq!(Widen { channels: 3 }.eval([&x])?.as_slice(), [7.0, 0.0, 0.0, 8.0, 0.0, 0.0]);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Widen {
    /// How many channels come out.
    pub channels: usize,
}

const OP: &str = "widen";

impl Widen {
    fn dims(&self, x: Shape) -> Result<[usize; 4]> {
        let &[n, c, h, w] = x.dims() else {
            return Err(Error::Shape { op: OP, expected: "x of the shape [N, C, H, W]".into(), got: x });
        };
        if c > self.channels {
            return Err(refused(OP, "channels", self.channels, format!("at least the {c} of x")));
        }
        Ok([n, c, h, w])
    }
}

impl<T: Scalar> Op<T, 1> for Widen {
    /// Nothing.
    type Saved = ();

    fn forward(&self, [x]: [&Tensor<T>; 1]) -> Result<(Tensor<T>, ())> {
        let [n, c, h, w] = self.dims(x.shape())?;
        let (there, all) = (c * h * w, self.channels * h * w);
        let mut y = Tensor::zeros([n, self.channels, h, w])?;
        if there > 0 {
            let rows = y.as_mut_slice().chunks_exact_mut(all).zip(x.as_slice().chunks_exact(there));
            rows.for_each(|(y, x)| y[..there].copy_from_slice(x));
        }
        Ok((y, ()))
    }

    fn vjp(
        &self,
        [x]: [&Tensor<T>; 1],
        (): &(),
        dy: &Tensor<T>,
        [wanted]: [bool; 1],
    ) -> Result<[Option<Tensor<T>>; 1]> {
        let [n, c, h, w] = self.dims(x.shape())?;
        expect(OP, "dy", &[n, self.channels, h, w], dy.shape())?;
        Ok([wanted.then(|| dy.slice(1, 0..c)).transpose()?])
    }
}
