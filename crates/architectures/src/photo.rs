//! From a photograph in a file to what a network takes: made smaller, cut out of the middle, normalised.

mod resample;

pub use resample::Filter;

use gradus_tensor::Tensor;
use image::{ImageError, ImageReader};
use resample::Resampling;
use std::fmt::{self, Display, Formatter};
use std::io::Cursor;
use std::path::Path;

/// Why a photograph can't be shown to a network.
#[derive(Debug, Clone, PartialEq)]
pub enum PhotoError {
    /// There is no such file, or it can't be read.
    File {
        /// The file.
        file: String,
        /// What the system says.
        why: String,
    },
    /// The file is of a kind that is not known here.
    Unsupported {
        /// The file.
        file: String,
        /// What is not known.
        why: String,
    },
    /// The file is cut short, or otherwise malformed.
    Malformed {
        /// The file.
        file: String,
        /// What is wrong with it.
        why: String,
    },
    /// So many numbers are no picture of this size.
    Pixels {
        /// Height and width.
        size: [usize; 2],
        /// How many numbers came.
        got: usize,
    },
    /// The picture is made smaller than what shall be cut out of it, or that is nothing.
    TooSmall {
        /// The side that it is brought to.
        resize: usize,
        /// The side of what is cut out.
        crop: usize,
    },
    /// What is cut out has too many numbers.
    TooLarge(gradus_tensor::Error),
}

impl Display for PhotoError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { file, why } => write!(f, "{file} can't be read: {why}"),
            Self::Unsupported { file, why } => write!(f, "{file}: {why} (allowed: JPEG and PNG)"),
            Self::Malformed { file, why } => write!(f, "{file} is malformed: {why}"),
            Self::Pixels { size: [height, width], got } => {
                write!(
                    f,
                    "{got} numbers are no picture of {height} × {width} pixels in three colours, none 0"
                )
            }
            Self::TooSmall { resize, crop } => {
                write!(
                    f,
                    "{crop} × {crop} pixels can't be cut out of a picture whose shorter side is {resize} (allowed: 1 to {resize})"
                )
            }
            Self::TooLarge(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for PhotoError {}

/// A picture in red, green and blue, a byte each.
///
/// ```
/// use gradus_architectures::Photo;
/// let photo = Photo::from_bytes([1, 2], vec![255, 0, 0, 0, 0, 255])?; // a red pixel, and a blue one
/// assert_eq!(photo.size(), [1, 2]);
/// # Ok::<(), gradus_architectures::PhotoError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Photo {
    size: [usize; 2],
    bytes: Vec<u8>,
}

impl Photo {
    /// A picture of this height and width: row by row, pixel by pixel, red, green, blue.
    ///
    /// # Errors
    /// If there are another number of bytes, or no pixels.
    pub fn from_bytes(size: [usize; 2], bytes: Vec<u8>) -> Result<Self, PhotoError> {
        let expected = size[0].checked_mul(size[1]).and_then(|pixels| pixels.checked_mul(3));
        if bytes.is_empty() || expected != Some(bytes.len()) {
            return Err(PhotoError::Pixels { size, got: bytes.len() });
        }
        Ok(Self { size, bytes })
    }

    /// A picture in a file, JPEG or PNG; what is in it decides, not the name. Greys become colours, and transparency is left out. The picture is not turned: what a camera notes about how it was held is not read, as in torchvision.
    ///
    /// # Errors
    /// If the file can't be read, is of another kind, or is malformed.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, PhotoError> {
        let path = path.as_ref();
        let file = path.display().to_string();
        let unread = |e: std::io::Error| PhotoError::File { file: file.clone(), why: e.to_string() };
        let bytes = std::fs::read(path).map_err(unread)?;
        let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(unread)?;
        let picture = reader.decode().map_err(|error| match error {
            ImageError::Unsupported(error) => {
                PhotoError::Unsupported { file: file.clone(), why: error.to_string() }
            }
            error => PhotoError::Malformed { file: file.clone(), why: error.to_string() },
        })?;
        let picture = picture.into_rgb8();
        // Both are below 2³².
        Self::from_bytes([picture.height() as usize, picture.width() as usize], picture.into_raw())
    }

    /// Height and width.
    #[must_use]
    pub fn size(&self) -> [usize; 2] {
        self.size
    }

    /// Row by row, pixel by pixel, red, green, blue.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// What is done to a photograph before a network sees it.
///
/// The shorter side is brought to `resize` and a square of `crop` cut out of the middle; bytes become numbers between 0 and 1, of which the mean of the colour is taken off, and which are divided by its standard deviation.
///
/// **Shapes**: the result is `[1, 3, crop, crop]`. **Units**: standard deviations of a colour.
///
/// **Numerics**: to the bit what torchvision makes with Pillow: a triangle (or a cubic) as wide as the step from one new pixel to the next in the old ones, so that every old pixel has a part; whole numbers of 22 bits as
/// weights, first along the rows, rounded to bytes, then along the columns. Only what is cut out is computed. (JPEG is decoded by another program, whose bytes may differ by one or two.)
///
/// **Errors**: a crop of 0, or larger than what it is cut out of.
///
/// **Source**: torchvision's `ImageClassification`; Pillow's `Resample.c`.
///
/// ```
/// use gradus_architectures::{Photo, Preprocessing};
/// let grey = Photo::from_bytes([300, 500], vec![128; 3 * 300 * 500])?;
/// let x = Preprocessing::imagenet().apply(&grey)?;
/// assert_eq!(x.dims(), [1, 3, 224, 224]);
/// assert_eq!(x.as_slice()[0], (128.0 / 255.0 - 0.485) / 0.229); // red; the same everywhere
/// # Ok::<(), gradus_architectures::PhotoError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Preprocessing {
    /// What the shorter side is brought to.
    pub resize: usize,
    /// The side of the square that is cut out.
    pub crop: usize,
    /// How pixels are brought together.
    pub filter: Filter,
    /// The means of red, green and blue.
    pub mean: [f32; 3],
    /// Their standard deviations.
    pub std: [f32; 3],
}

impl Default for Preprocessing {
    fn default() -> Self {
        Self::imagenet()
    }
}

impl Preprocessing {
    /// That of torchvision's classifiers: 224 of 256, the colours' means and deviations over ImageNet.
    #[must_use]
    pub const fn imagenet() -> Self {
        Self {
            resize: 256,
            crop: 224,
            filter: Filter::Triangle,
            mean: [0.485, 0.456, 0.406],
            std: [0.229, 0.224, 0.225],
        }
    }

    /// That of timm's Xception: 299 of 333 by cubics, numbers between −1 and 1.
    #[must_use]
    pub const fn xception() -> Self {
        Self { resize: 333, crop: 299, filter: Filter::Cubic, mean: [0.5; 3], std: [0.5; 3] }
    }

    /// The same with a crop of this side, out of as much more as before: for networks of other customary sizes.
    #[must_use]
    pub const fn side(self, crop: usize) -> Self {
        match crop.saturating_mul(self.resize).checked_div(self.crop) {
            Some(resize) => Self { resize, crop, ..self },
            None => Self { resize: crop, crop, ..self },
        }
    }

    /// A photograph as a batch of one, `[1, 3, crop, crop]`.
    ///
    /// # Errors
    /// If the crop is 0, or larger than what it is cut out of.
    pub fn apply(&self, photo: &Photo) -> Result<Tensor<f32>, PhotoError> {
        let bytes = self.cropped(photo)?;
        let side = self.crop;
        let plane = side * side;
        let mut values = Vec::with_capacity(bytes.len());
        for (colour, (mean, std)) in self.mean.into_iter().zip(self.std).enumerate() {
            let of = |pixel: usize| (f32::from(bytes[3 * pixel + colour]) / 255.0 - mean) / std;
            values.extend((0..plane).map(of));
        }
        Tensor::from_vec(values, [1, 3, side, side]).map_err(PhotoError::TooLarge)
    }

    /// The bytes of the square, before they are normalised: row by row, pixel by pixel.
    fn cropped(&self, photo: &Photo) -> Result<Vec<u8>, PhotoError> {
        let &Self { resize, crop, filter, .. } = self;
        if crop == 0 || crop > resize {
            return Err(PhotoError::TooSmall { resize, crop });
        }
        if let Err(error) = gradus_tensor::Shape::new([1, 3, crop, crop]) {
            return Err(PhotoError::TooLarge(error));
        }
        let shorter = photo.size[0].min(photo.size[1]);
        let [down, across] = photo.size.map(|from| {
            // Rounded down, as there. Twice the digits: nothing wraps.
            let to = (resize as u128 * from as u128 / shorter as u128) as usize;
            Resampling { from, to, first: middle(to - crop), count: crop }.taps(filter)
        });
        Ok(resample::both(photo, &down, &across))
    }
}

/// Where the middle begins if so many pixels are left over: half of them, and of the two nearest halves the even one.
fn middle(over: usize) -> usize {
    let half = over / 2;
    half + usize::from(over % 2 == 1 && half % 2 == 1)
}
