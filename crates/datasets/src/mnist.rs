//! MNIST, from a folder of its four files or from the part of it that is embedded.

use crate::{Error, Idx, IdxValues, Images, Result};
use std::path::Path;

/// MNIST's two parts.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Mnist {
    /// To learn from; 60,000 images in the whole set.
    pub train: Images,
    /// To judge by, from other writers; 10,000 images in the whole set.
    pub test: Images,
    /// Who made it, and where it can be found.
    pub source: String,
    /// On what terms it may be used.
    pub licence: String,
}

/// Images, labels.
const TRAIN: [&str; 2] = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"];
const TEST: [&str; 2] = ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];
const SOURCE: &str = "Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, Gradient-based learning applied to document recognition, \
                      Proceedings of the IEEE 86(11):2278–2324, 1998; from NIST's Special Databases 1 and 3";
const LICENCE: &str = "CC BY-SA 3.0, by Yann LeCun and Corinna Cortes";
const WHITE: u8 = 255;

/// MNIST from a folder with its four files.
///
/// They are `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and `t10k-labels-idx1-ubyte`, as they
/// are or packed by gzip, with or without `.gz` behind the name; a name may have `.idx` for `-idx`. Sets in the same files, such as
/// Fashion-MNIST and KMNIST, are read too, with any size of image and any number of images.
///
/// ```no_run
/// let mnist = gradus_datasets::mnist("data/mnist")?;
/// assert_eq!((mnist.train.len(), mnist.test.len()), (60_000, 10_000));
/// let images = mnist.train.tensor::<f32>()?;
/// assert_eq!(images.shape(), [60_000, 28, 28]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Shapes**: N images `[N, 28, 28]`, classes `[N]`. **Units**: ink, 0 to 1.
///
/// **Source**: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, Proceedings of the IEEE 86(11):2278–2324, 1998; CC BY-SA 3.0.
///
/// # Errors
/// If a file is missing (the message names the four), can't be read, is no IDX file or is cut short, holds something else than images
/// or labels, if there are more labels than images or fewer, or a label is greater than 9.
pub fn mnist(folder: impl AsRef<Path>) -> Result<Mnist> {
    let folder = folder.as_ref();
    let names = TRAIN.iter().chain(&TEST);
    let missing: Vec<&str> = names.copied().filter(|name| find(folder, name).is_none()).collect();
    if !missing.is_empty() {
        return Err(Error::MissingFiles {
            folder: folder.display().to_string(),
            missing: missing.into_iter().map(String::from).collect(),
            wanted: TRAIN.iter().chain(&TEST).map(|name| name.to_string()).collect(),
        });
    }
    let part = |names: [&str; 2]| {
        let [images, labels] = names.map(|name| find(folder, name).unwrap_or_else(|| folder.join(name)));
        let name = |path: &Path| path.display().to_string();
        pair((Idx::read(&images)?, &name(&images)), (Idx::read(&labels)?, &name(&labels)))
    };
    Ok(Mnist { train: part(TRAIN)?, test: part(TEST)?, source: SOURCE.into(), licence: LICENCE.into() })
}

/// A part of MNIST that is in the crate: 8000 training images, 800 of each digit, and 2000 test images, 200 of each.
///
/// The training images are from MNIST's training files and the test images from its test files, so that no writer is in both. Within
/// a digit they are evenly spread over the file, and they keep its order.
///
/// ```
/// let mnist = gradus_datasets::mnist_subset()?;
/// assert_eq!((mnist.train.len(), mnist.test.len()), (8000, 2000));
/// assert_eq!(mnist.train.classes().as_slice()[..4], [5, 0, 4, 1]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Shapes**, **Units**, **Source**: as [`mnist`]. The packed files carry check sums, which are verified as they are read.
///
/// # Errors
/// None in practice: the files are part of the crate, and the tests read them.
#[cfg(feature = "mnist")]
pub fn mnist_subset() -> Result<Mnist> {
    macro_rules! part {
        ($images:literal, $labels:literal) => {{
            let images = include_bytes!(concat!("../data/mnist/", $images, ".gz"));
            let labels = include_bytes!(concat!("../data/mnist/", $labels, ".gz"));
            pair((Idx::parse(images, $images)?, $images), (Idx::parse(labels, $labels)?, $labels))?
        }};
    }
    Ok(Mnist {
        train: part!("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
        test: part!("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
        source: SOURCE.into(),
        licence: LICENCE.into(),
    })
}

/// The file of this name in one of the spellings that are around.
fn find(folder: &Path, name: &str) -> Option<std::path::PathBuf> {
    let dotted = name.replace("-idx", ".idx");
    let spellings = [name, &dotted].into_iter().flat_map(|name| [name.to_string(), format!("{name}.gz")]);
    spellings.map(|name| folder.join(name)).find(|path| path.is_file())
}

/// Images with their labels, from two arrays and the names of their files.
fn pair((images, images_file): (Idx, &str), (labels, labels_file): (Idx, &str)) -> Result<Images> {
    let other = |file: &str, array: &Idx, expected: &str| Error::NotThisKind {
        file: file.to_string(),
        dims: array.dims.clone(),
        expected: expected.to_string(),
    };
    let (shape, pixels) = match images {
        Idx { ref dims, values: IdxValues::U8(pixels) } if dims.len() == 3 && !dims.contains(&0) => {
            ([dims[0], dims[1], dims[2]], pixels)
        }
        _ => return Err(other(images_file, &images, "images: bytes of three dimensions")),
    };
    let labels = match labels {
        Idx { ref dims, values: IdxValues::U8(labels) } if dims.len() == 1 => labels,
        _ => return Err(other(labels_file, &labels, "labels: bytes of one dimension")),
    };
    if labels.len() != shape[0] {
        return Err(Error::Unpaired {
            images_file: images_file.to_string(),
            images: shape[0],
            labels_file: labels_file.to_string(),
            labels: labels.len(),
        });
    }
    if let Some((index, &label)) = labels.iter().enumerate().find(|(_, label)| **label > 9) {
        return Err(Error::Label { file: labels_file.to_string(), index, label });
    }
    Images::new(pixels, shape, labels.into_iter().map(u32::from).collect(), WHITE)
}
