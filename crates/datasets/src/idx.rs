//! IDX files, the format of MNIST: two zero bytes, the type, the number of dimensions, the dimensions (32 bits each, the most
//! significant byte first), the elements in row-major order. Files packed by gzip are recognised by their first two bytes.

use crate::{Error, Result};
use flate2::read::MultiGzDecoder;
use gradus_tensor::{Scalar, Tensor};
use std::io::Read;
use std::path::Path;

/// The elements of an IDX file, in one of the six types that the format has.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum IdxValues {
    /// Type 0x08: bytes.
    U8(Vec<u8>),
    /// Type 0x09: signed bytes.
    I8(Vec<i8>),
    /// Type 0x0B: integers of 16 bits.
    I16(Vec<i16>),
    /// Type 0x0C: integers of 32 bits.
    I32(Vec<i32>),
    /// Type 0x0D: single precision.
    F32(Vec<f32>),
    /// Type 0x0E: double precision.
    F64(Vec<f64>),
}

/// What is wrong with an IDX file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdxProblem {
    /// The first bytes are not those of an IDX file.
    #[error("starts with {start:02X?} (allowed: 00 00, a type, a number of dimensions; or gzip, 1F 8B)")]
    NotIdx {
        /// The first bytes, at most four.
        start: Vec<u8>,
    },
    /// A type that the format does not have.
    #[error("has elements of the type 0x{code:02X} (allowed: 0x08, 0x09, 0x0B, 0x0C, 0x0D, 0x0E)")]
    UnknownType {
        /// The type's code.
        code: u8,
    },
    /// More dimensions, or more elements, than can be held.
    #[error("claims the dimensions {dims:?} (allowed: at most six, of a product that can be addressed)")]
    TooLarge {
        /// The dimensions, as far as they were read.
        dims: Vec<usize>,
    },
    /// Fewer bytes than the header promises.
    #[error("ends after {got} bytes (allowed: {expected}, as its header promises)")]
    Truncated {
        /// How many bytes there are, unpacked.
        got: u64,
        /// How many there should be.
        expected: u64,
    },
    /// More bytes than the header promises.
    #[error("goes on after {expected} bytes (allowed: no more than its header promises)")]
    TooLong {
        /// How many bytes there should be, unpacked.
        expected: u64,
    },
    /// Packed bytes that can't be unpacked, or whose check sum is another.
    #[error("can't be unpacked: {why}")]
    Gzip {
        /// The unpacker's words.
        why: String,
    },
}

/// An array from an IDX file.
///
/// ```
/// use gradus_datasets::{Idx, IdxValues};
/// let bytes = [0, 0, 0x08, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 255];
/// let array = Idx::parse(&bytes, "six bytes")?;
/// assert_eq!(array.dims, [2, 3]);
/// assert_eq!(array.values, IdxValues::U8(vec![1, 2, 3, 4, 5, 255]));
/// assert_eq!(array.tensor::<f64>()?, [[1.0, 2.0, 3.0], [4.0, 5.0, 255.0]].into());
///
/// let error = Idx::parse(&bytes[..17], "five bytes").unwrap_err().to_string();
/// assert_eq!(error, "five bytes: ends after 17 bytes (allowed: 18, as its header promises)");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Idx {
    /// The dimensions, the last one fastest; an array without dimensions has one element.
    pub dims: Vec<usize>,
    /// The elements.
    pub values: IdxValues,
}

/// As many dimensions as a tensor may have.
const MAX_RANK: usize = gradus_tensor::MAX_RANK;

impl Idx {
    /// Reads a file, packed by gzip or not.
    ///
    /// # Errors
    /// If the file can't be read, is no IDX file, or has fewer or more bytes than its header promises.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let file = path.display().to_string();
        let bytes = std::fs::read(path).map_err(|e| crate::options::failed(&file, &e))?;
        Self::parse(&bytes, &file)
    }

    /// Reads the bytes of a file, packed by gzip or not. Messages call it `name`.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn parse(bytes: &[u8], name: &str) -> Result<Self> {
        let array = match bytes {
            [0x1F, 0x8B, ..] => parse(MultiGzDecoder::new(bytes)),
            _ => parse(bytes),
        };
        array.map_err(|problem| Error::Idx { file: name.to_string(), problem })
    }

    /// The elements as numbers. **Shapes**: those of the file.
    ///
    /// # Errors
    /// None in practice: the number of elements was checked when the file was read.
    pub fn tensor<T: Scalar>(&self) -> Result<Tensor<T>> {
        fn all<T: Scalar, U: Copy + Into<f64>>(values: &[U]) -> Vec<T> {
            values.iter().map(|&v| T::of(v.into())).collect()
        }
        let values = match &self.values {
            IdxValues::U8(v) => all(v),
            IdxValues::I8(v) => all(v),
            IdxValues::I16(v) => all(v),
            IdxValues::I32(v) => all(v),
            IdxValues::F32(v) => all(v),
            IdxValues::F64(v) => all(v),
        };
        Ok(Tensor::from_vec(values, &self.dims)?)
    }
}

/// Reads a header, then as many bytes as it promises and not one more: a file that lies about its size is not unpacked whole.
fn parse(mut reader: impl Read) -> Result<Idx, IdxProblem> {
    let start = up_to(&mut reader, 4)?;
    let &[0, 0, code, rank] = start.as_slice() else { return Err(IdxProblem::NotIdx { start }) };
    let width = match code {
        0x08 | 0x09 => 1,
        0x0B => 2,
        0x0C | 0x0D => 4,
        0x0E => 8,
        _ => return Err(IdxProblem::UnknownType { code }),
    };
    let rank = usize::from(rank);
    let header = 4 + 4 * rank as u64;
    let bytes = up_to(&mut reader, 4 * rank as u64)?;
    if bytes.len() < 4 * rank {
        return Err(IdxProblem::Truncated { got: 4 + bytes.len() as u64, expected: header });
    }
    let dims: Vec<usize> = big_endian(&bytes, u32::from_be_bytes).map(|d| d as usize).collect();
    let size = dims.iter().try_fold(width as u64, |size, &d| size.checked_mul(d as u64));
    let expected = size.and_then(|size| size.checked_add(header)).filter(|&n| n <= isize::MAX as u64);
    let Some(expected) = expected.filter(|_| rank <= MAX_RANK) else {
        return Err(IdxProblem::TooLarge { dims });
    };
    let data = up_to(&mut reader, expected - header + 1)?;
    let got = header + data.len() as u64;
    if got < expected {
        return Err(IdxProblem::Truncated { got, expected });
    }
    if got > expected {
        return Err(IdxProblem::TooLong { expected });
    }
    let values = match code {
        0x08 => IdxValues::U8(data),
        0x09 => IdxValues::I8(big_endian(&data, i8::from_be_bytes).collect()),
        0x0B => IdxValues::I16(big_endian(&data, i16::from_be_bytes).collect()),
        0x0C => IdxValues::I32(big_endian(&data, i32::from_be_bytes).collect()),
        0x0D => IdxValues::F32(big_endian(&data, f32::from_be_bytes).collect()),
        _ => IdxValues::F64(big_endian(&data, f64::from_be_bytes).collect()),
    };
    Ok(Idx { dims, values })
}

/// The next `limit` bytes, or fewer at the end.
fn up_to(reader: &mut impl Read, limit: u64) -> Result<Vec<u8>, IdxProblem> {
    let mut bytes = Vec::new();
    match reader.take(limit).read_to_end(&mut bytes) {
        Ok(_) => Ok(bytes),
        Err(e) => Err(IdxProblem::Gzip { why: e.to_string() }),
    }
}

fn big_endian<U, const B: usize>(bytes: &[u8], value: impl Fn([u8; B]) -> U) -> impl Iterator<Item = U> {
    bytes.as_chunks::<B>().0.iter().map(move |&b| value(b))
}
