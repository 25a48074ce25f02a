//! Images as bytes with their classes, and batches of them as numbers.

use crate::{Classification, Error, Result};
use gradus_tensor::{Scalar, Tensor};

/// Images of one size, a byte a pixel, each with its class. They stay bytes until a batch of them is asked for: a quarter of
/// the memory of single precision.
///
/// **Shapes**: N images of H × W pixels, B of them a batch. **Units**: a pixel is 0 (background) to 1 (full ink); in memory 0 to
/// [`white`](Self::white).
///
/// ```
/// use gradus_datasets::Images;
/// let images = Images::new(vec![0, 255, 51, 0, 0, 0], [3, 1, 2], vec![7, 0, 1], 255)?;
/// let (pixels, classes) = images.batch::<f64>(&[1, 0])?;
/// assert_eq!(pixels, [[[0.2, 0.0]], [[0.0, 1.0]]].into()); // 51/255 = 1/5
/// assert_eq!(classes, [0, 7].into());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Images {
    pixels: Vec<u8>,
    height: usize,
    width: usize,
    classes: Tensor<u32>,
    white: u8,
}

impl Images {
    /// Images from their pixels, `[N, H, W]` in row-major order, and their classes. The pixel value `white` becomes 1.
    ///
    /// # Errors
    /// If there are other than N·H·W pixels or N classes, H or W is 0, `white` is 0, or a pixel is greater than it.
    pub fn new(pixels: Vec<u8>, shape: [usize; 3], classes: Vec<u32>, white: u8) -> Result<Self> {
        let [count, height, width] = shape;
        let refused = |name, value: String, allowed: String| {
            Err(Error::Argument { op: "Images::new", name, value, allowed })
        };
        if height == 0 || width == 0 {
            return refused("shape", format!("{shape:?}"), "a height and a width of at least 1".into());
        }
        if height.checked_mul(width).and_then(|size| size.checked_mul(count)) != Some(pixels.len()) {
            return refused(
                "pixels",
                format!("{} of them", pixels.len()),
                format!("the product of {shape:?}"),
            );
        }
        if classes.len() != count {
            return refused(
                "classes",
                format!("{} of them", classes.len()),
                format!("{count}, one an image"),
            );
        }
        if let Some(pixel) = pixels.iter().find(|&&pixel| pixel > white || white == 0) {
            return refused("a pixel", pixel.to_string(), format!("up to white = {white}, which is not 0"));
        }
        Ok(Self { pixels, height, width, classes: classes.into(), white })
    }

    /// N, the number of images.
    pub fn len(&self) -> usize {
        self.classes.len()
    }

    /// Whether there is no image.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// H, the rows of an image.
    pub fn height(&self) -> usize {
        self.height
    }

    /// W, the columns of an image.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The byte that becomes 1: 255 for MNIST, 16 for the digits of 8 × 8.
    pub fn white(&self) -> u8 {
        self.white
    }

    /// The classes. **Shapes**: `[N]`.
    pub fn classes(&self) -> &Tensor<u32> {
        &self.classes
    }

    /// The pixels of one image, row by row; none if there are not that many images.
    pub fn image(&self, number: usize) -> Option<&[u8]> {
        self.pixels.chunks_exact(self.height * self.width).nth(number)
    }

    /// All images as numbers. **Shapes**: `[N, H, W]`.
    ///
    /// # Errors
    /// If there is no image.
    pub fn tensor<T: Scalar>(&self) -> Result<Tensor<T>> {
        let shades = self.shades();
        Ok(Tensor::compute([self.len(), self.height, self.width], |out| shade(&shades, &self.pixels, out))?)
    }

    /// Some images as numbers, in this order, and their classes. **Shapes**: `[B, H, W]` and `[B]`. For a dense layer reshape
    /// to `[B, H·W]`, for a convolution to `[B, 1, H, W]`; both cost nothing.
    ///
    /// **Numerics**: a pixel p becomes p/white, rounded once.
    ///
    /// # Errors
    /// If a number is not below N.
    pub fn batch<T: Scalar>(&self, numbers: &[u32]) -> Result<(Tensor<T>, Tensor<u32>)> {
        self.check(numbers)?;
        let size = self.height * self.width;
        let shades = self.shades();
        let images = Tensor::compute([numbers.len(), self.height, self.width], |out| {
            for (&number, out) in numbers.iter().zip(out.chunks_exact_mut(size)) {
                let start = number as usize * size;
                shade(&shades, &self.pixels[start..start + size], out);
            }
        })?;
        let classes: Vec<u32> =
            numbers.iter().map(|&number| self.classes.as_slice()[number as usize]).collect();
        Ok((images, classes.into()))
    }

    /// Some images, in this order; a number may stand several times.
    ///
    /// # Errors
    /// If a number is not below N.
    pub fn samples(&self, numbers: &[u32]) -> Result<Self> {
        self.check(numbers)?;
        let size = self.height * self.width;
        let image = |&number: &u32| &self.pixels[number as usize * size..][..size];
        let pixels = numbers.iter().flat_map(image).copied().collect();
        Ok(Self { pixels, classes: self.classes.gather(0, numbers)?, ..*self })
    }

    /// The digits of 8 × 8 pixels, [`digits`](crate::digits), as images: small enough to train on within a second.
    ///
    /// ```
    /// let images = gradus_datasets::Images::digits()?;
    /// assert_eq!((images.len(), images.height(), images.width()), (1797, 8, 8));
    /// assert_eq!(images.batch::<f64>(&[0])?.0.get([0, 1, 2])?, 13.0 / 16.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// None in practice: the file is part of the crate, and the tests read it.
    pub fn digits() -> Result<Self> {
        let Classification { features, target, .. } = crate::digits()?;
        let pixels = features.as_slice().iter().map(|&p| p as u8).collect();
        Self::new(pixels, [target.len(), 8, 8], target.into_vec(), 16)
    }

    fn check(&self, numbers: &[u32]) -> Result<()> {
        match numbers.iter().find(|&&number| number as usize >= self.len()) {
            None => Ok(()),
            Some(number) => Err(Error::Argument {
                op: "Images",
                name: "an image's number",
                value: number.to_string(),
                allowed: format!("below {}", self.len()),
            }),
        }
    }

    /// What each byte becomes. A table is as quick as a division of many pixels at a time, and exact.
    fn shades<T: Scalar>(&self) -> [T; 256] {
        std::array::from_fn(|p| T::of(p as f64) / T::of(f64::from(self.white)))
    }
}

fn shade<T: Scalar>(shades: &[T; 256], pixels: &[u8], out: &mut [T]) {
    for (out, &pixel) in out.iter_mut().zip(pixels) {
        *out = shades[usize::from(pixel)];
    }
}
