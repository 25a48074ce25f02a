//! What the numbers of a new network are.

use gradus_cnn::{Conv2d, ConvShape, ConvTranspose2d};
use gradus_initialization::{FanMode, Fans, Init};
use gradus_layers::Linear;
use gradus_tensor::{Result, Scalar, Tensor};
use rand::Rng;

/// What a new network begins with.
pub enum Start<'r> {
    /// With random weights of the law that suits it, to be trained.
    Random(&'r mut dyn Rng),
    /// With zeros that nobody has touched: they cost neither time nor memory until weights are loaded over them. For counts, too.
    Blank,
}

impl Start<'_> {
    /// A tensor of a law.
    fn tensor<T: Scalar>(&mut self, init: Init, dims: &[usize], fans: Fans) -> Result<Tensor<T>> {
        match self {
            Self::Random(rng) => init.tensor(dims, fans, &mut **rng),
            Self::Blank => Tensor::zeros(dims),
        }
    }

    /// A convolution with He's law over what goes out of it, so that gradients keep their size.
    pub(crate) fn conv<T: Scalar>(&mut self, shape: ConvShape<2>) -> Result<Conv2d<T>> {
        self.conv_of(shape, Init::he_normal().fan(FanMode::Out))
    }

    /// A convolution with this law; its bias is 0.
    pub(crate) fn conv_of<T: Scalar>(&mut self, shape: ConvShape<2>, init: Init) -> Result<Conv2d<T>> {
        Conv2d::with_init(shape, |dims, fans| self.tensor(init, &dims, fans))
    }

    /// A transposed convolution with He's law.
    pub(crate) fn conv_transpose<T: Scalar>(&mut self, shape: ConvShape<2>) -> Result<ConvTranspose2d<T>> {
        ConvTranspose2d::with_init(shape, |dims, fans| self.tensor(Init::he_normal(), &dims, fans))
    }

    /// A dense layer with this law; its bias is 0.
    pub(crate) fn linear<T: Scalar>(
        &mut self,
        [inputs, outputs]: [usize; 2],
        init: Init,
    ) -> Result<Linear<T>> {
        let fans = Fans::dense(inputs, outputs);
        Linear::with_init(inputs, outputs, |dims| self.tensor(init, &dims, fans))
    }
}
