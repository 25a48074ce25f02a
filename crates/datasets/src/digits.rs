//! Alpaydin and Kaynak's handwritten digits.

use crate::{Classification, Error, Result};
use gradus_tensor::Tensor;

const SIDE: usize = 8;
/// One more than the greatest value of a pixel.
const LEVELS: u32 = 17;

/// Handwritten digits: 1797 images of 8 × 8 pixels, ten classes of 174 to 183 samples.
///
/// A pixel is a whole number from 0 to 16: how many of the 4 × 4 points of a finer black-and-white image are on. Feature
/// 8·row + column is the pixel `pixel_row_column`; class k is the digit k. Thirteen people wrote them: this is the test part of
/// UCI's set, whose training part is by thirty others. For a convolution, reshape the features to `[N, 1, 8, 8]`.
///
/// ```
/// let digits = gradus_datasets::digits()?;
/// assert_eq!(digits.features.shape(), [1797, 64]);
/// let images = digits.features.reshape([1797, 1, 8, 8])?;
/// assert_eq!(images.get([0, 0, 1, 2])?, 13.0);
/// assert_eq!(digits.target.as_slice()[..3], [0, 1, 2]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Units**: points that are on, of 16.
///
/// **Source**: E. Alpaydin, C. Kaynak, Cascading classifiers, Kybernetika 34(4):369–374, 1998; UCI Machine Learning
/// Repository, data set 80, CC BY 4.0. The numbers are those of scikit-learn 1.9.1.
///
/// # Errors
/// None in practice: the file is part of the crate, and the tests read it.
pub fn digits() -> Result<Classification> {
    let (pixels, classes) = read(include_str!("../data/digits.txt"))?;
    let names: Vec<String> = (0..SIDE * SIDE).map(|i| format!("pixel_{}_{}", i / SIDE, i % SIDE)).collect();
    let features = Tensor::from_vec(pixels, [classes.len(), SIDE * SIDE])?;
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let digits = (0..10).map(|digit: u32| digit.to_string()).collect();
    Ok(Classification::new(features, &names, classes.into(), digits)?.with_source(
        "E. Alpaydin, C. Kaynak, Kybernetika 34(4):369–374, 1998; UCI Machine Learning Repository, \
         https://doi.org/10.24432/C50P49",
        "CC BY 4.0",
    ))
}

/// Pixels and classes. A line is an image: 64 digits in base 17, row by row, then the class.
fn read(text: &str) -> Result<(Vec<f64>, Vec<u32>)> {
    let (mut pixels, mut classes) = (Vec::new(), Vec::new());
    for (i, line) in text.lines().enumerate() {
        let malformed = || Error::Malformed {
            file: "digits.txt".to_string(),
            line: i as u64 + 1,
            expected: "64 pixels from 0 to g, then a digit".to_string(),
        };
        let values: Option<Vec<u32>> = line.chars().map(|c| c.to_digit(LEVELS)).collect();
        match values.as_deref() {
            Some([image @ .., class @ 0..=9]) if image.len() == SIDE * SIDE => {
                pixels.extend(image.iter().map(|&v| f64::from(v)));
                classes.push(*class);
            }
            _ => return Err(malformed()),
        }
    }
    Ok((pixels, classes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_file_names_its_line() {
        let blank = "0".repeat(64);
        assert_eq!(read(&format!("{blank}7\n")).unwrap(), (vec![0.0; 64], vec![7]));
        let eight = "g".repeat(64);
        assert_eq!(read(&format!("{eight}8\r\n")).unwrap(), (vec![16.0; 64], vec![8]));
        for line in [
            blank.clone(),
            format!("{blank}a"),
            format!("{blank}00"),
            format!("h{}3", &blank[1..]),
            String::new(),
        ] {
            let message = read(&format!("{blank}1\n{line}\n{blank}2\n")).unwrap_err().to_string();
            assert_eq!(message, "digits.txt, line 2: expected 64 pixels from 0 to g, then a digit", "{line}");
        }
    }
}
