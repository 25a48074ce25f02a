//! IDX files, MNIST from a folder, and the embedded part of it, good and bad.
#![allow(clippy::unwrap_used)] // helpers of the tests

use gradus_datasets::{Error, Idx, IdxProblem, IdxValues, Images, Mnist, mnist, mnist_subset};
use proptest::prelude::*;
use sha2::{Digest, Sha256};
use std::io::Write;
use std::path::Path;

const NAMES: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

/// The bytes of an IDX file.
fn idx(code: u8, dims: &[u32], data: &[u8]) -> Vec<u8> {
    let rank = dims.len() as u8;
    let dims = dims.iter().flat_map(|d| d.to_be_bytes());
    [0, 0, code, rank].into_iter().chain(dims).chain(data.iter().copied()).collect()
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn problem(bytes: &[u8]) -> IdxProblem {
    match Idx::parse(bytes, "f").unwrap_err() {
        Error::Idx { problem, .. } => problem,
        other => panic!("{other}"),
    }
}

/// Three training images of 2 × 3 pixels and one test image, as the four files of a folder.
fn files() -> [Vec<u8>; 4] {
    let pixels: Vec<u8> = (0..18).collect();
    [
        idx(8, &[3, 2, 3], &pixels),
        idx(8, &[3], &[9, 0, 4]),
        idx(8, &[1, 2, 3], &pixels[..6]),
        idx(8, &[1], &[7]),
    ]
}

fn folder(files: &[(&str, Vec<u8>)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    folder
}

fn good() -> Vec<(&'static str, Vec<u8>)> {
    NAMES.into_iter().zip(files()).collect()
}

/// The good files with one of them replaced.
fn with(number: usize, bytes: Vec<u8>) -> Error {
    let mut files = good();
    files[number].1 = bytes;
    let folder = folder(&files);
    mnist(folder.path()).unwrap_err()
}

#[test]
fn each_type_is_read_with_its_most_significant_byte_first() {
    let values = |code, data: &[u8]| Idx::parse(&idx(code, &[2], data), "f").unwrap().values;
    assert_eq!(values(0x08, &[1, 255]), IdxValues::U8(vec![1, 255]));
    assert_eq!(values(0x09, &[1, 255]), IdxValues::I8(vec![1, -1]));
    assert_eq!(values(0x0B, &[1, 2, 255, 254]), IdxValues::I16(vec![258, -2]));
    assert_eq!(values(0x0C, &[0, 1, 0, 2, 255, 255, 255, 255]), IdxValues::I32(vec![65538, -1]));
    assert_eq!(values(0x0D, &[0x3F, 0x80, 0, 0, 0xC0, 0, 0, 0]), IdxValues::F32(vec![1.0, -2.0]));
    let two = [1.5f64, -0.1].map(f64::to_be_bytes).concat();
    assert_eq!(values(0x0E, &two), IdxValues::F64(vec![1.5, -0.1]));
    // An array without dimensions is one element; one with a dimension of 0 has none.
    assert_eq!(Idx::parse(&idx(8, &[], &[5]), "f").unwrap().tensor::<f32>().unwrap().item().unwrap(), 5.0);
    assert_eq!(Idx::parse(&idx(8, &[0, 7], &[]), "f").unwrap().values, IdxValues::U8(vec![]));
}

#[test]
fn a_file_that_is_not_whole_or_not_one_is_refused() {
    let whole = idx(0x0B, &[2, 1], &[1, 2, 3, 4]);
    for cut in 0..whole.len() {
        let expected = match cut {
            0..4 => IdxProblem::NotIdx { start: whole[..cut].to_vec() },
            4..12 => IdxProblem::Truncated { got: cut as u64, expected: 12 },
            _ => IdxProblem::Truncated { got: cut as u64, expected: 16 },
        };
        assert_eq!(problem(&whole[..cut]), expected, "{cut}");
        assert_eq!(problem(&packed(&whole[..cut])), expected, "{cut}, packed");
    }
    let long = [whole.as_slice(), &[0]].concat();
    assert_eq!(problem(&long), IdxProblem::TooLong { expected: 16 });
    assert_eq!(problem(&packed(&long)), IdxProblem::TooLong { expected: 16 });
    assert_eq!(problem(b"\x89PNG\r\n"), IdxProblem::NotIdx { start: b"\x89PNG".to_vec() });
    assert_eq!(problem(&idx(0x0A, &[1], &[1])), IdxProblem::UnknownType { code: 0x0A });
    // A header of two thousand million by two thousand million doubles asks for no memory.
    let huge = idx(0x0E, &[u32::MAX, u32::MAX], &[0; 8]);
    assert_eq!(problem(&huge), IdxProblem::TooLarge { dims: vec![u32::MAX as usize; 2] });
    assert_eq!(problem(&idx(8, &[1; 7], &[1])), IdxProblem::TooLarge { dims: vec![1; 7] });
    let large = idx(8, &[u32::MAX, 1 << 20], &[1, 2]);
    assert!(matches!(problem(&large), IdxProblem::Truncated { got: 14, .. }));
}

#[test]
fn a_packed_file_that_is_damaged_is_refused() {
    let whole = packed(&idx(8, &[100], &[7; 100]));
    assert!(Idx::parse(&whole, "f").is_ok());
    // Cut anywhere, and with another check sum.
    for cut in 2..whole.len() {
        assert!(Idx::parse(&whole[..cut], "f").is_err(), "{cut}");
    }
    let mut other = whole.clone();
    let sum = other.len() - 8;
    other[sum] ^= 1;
    assert!(matches!(problem(&other), IdxProblem::Gzip { .. }));
}

proptest! {
    #[test]
    fn foreign_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..60), rank in 0u8..9, code in 0u8..16) {
        let _ = Idx::parse(&bytes, "f");
        let _ = Idx::parse(&[&[0x1F, 0x8B], bytes.as_slice()].concat(), "f");
        let _ = Idx::parse(&[&[0, 0, code, rank], bytes.as_slice()].concat(), "f");
    }

    #[test]
    fn what_is_written_is_read(dims in prop::collection::vec(0u32..5, 0..4), seed in any::<u8>(), pack in any::<bool>()) {
        let count = dims.iter().product::<u32>();
        let data: Vec<u8> = (0..count).map(|i| (i as u8).wrapping_mul(31).wrapping_add(seed)).collect();
        let bytes = idx(8, &dims, &data);
        let array = Idx::parse(&if pack { packed(&bytes) } else { bytes }, "f").unwrap();
        prop_assert_eq!(array.dims, dims.iter().map(|&d| d as usize).collect::<Vec<_>>());
        prop_assert_eq!(array.values, IdxValues::U8(data));
    }
}

#[test]
fn the_four_files_are_read_in_any_spelling() {
    let plain = folder(&good());
    let Mnist { train, test, .. } = mnist(plain.path()).unwrap();
    assert_eq!((train.len(), train.height(), train.width(), test.len()), (3, 2, 3, 1));
    assert_eq!(train.classes(), &[9, 0, 4].into());
    assert_eq!(train.image(1), Some([6, 7, 8, 9, 10, 11].as_slice()));
    assert_eq!(train.image(3), None);
    assert_eq!(train.tensor::<f64>().unwrap().get([2, 1, 2]).unwrap(), 17.0 / 255.0);

    // Packed under either name, and with a dot in it.
    let spellings =
        ["train-images-idx3-ubyte.gz", "train-labels.idx1-ubyte", "t10k-images.idx3-ubyte.gz", NAMES[3]];
    let mut files: Vec<_> = spellings.into_iter().zip(files().map(|bytes| packed(&bytes))).collect();
    files[1].1 = good()[1].1.clone();
    let mixed = folder(&files);
    let again = mnist(mixed.path()).unwrap();
    assert_eq!((&again.train, &again.test), (&train, &test));
}

#[test]
fn each_refusal_names_the_file_and_what_is_allowed() {
    let some = folder(&good()[..2]);
    let error = mnist(some.path()).unwrap_err();
    assert!(
        matches!(&error, Error::MissingFiles { missing, wanted, .. } if missing.len() == 2 && wanted.len() == 4)
    );
    let message = error.to_string();
    assert!(
        NAMES.iter().all(|name| message.contains(name)) && message.contains("no file `t10k-images"),
        "{message}"
    );
    let nowhere = Path::new("/no such folder");
    assert!(matches!(mnist(nowhere).unwrap_err(), Error::MissingFiles { missing, .. } if missing.len() == 4));

    let swapped = with(0, files()[1].clone()).to_string();
    assert!(
        swapped.contains("train-images")
            && swapped.contains("[3]")
            && swapped.contains("images: bytes of three")
    );
    let floats = with(1, idx(0x0D, &[3], &[0; 12])).to_string();
    assert!(floats.contains("train-labels") && floats.contains("labels: bytes of one dimension"), "{floats}");
    let none = with(2, idx(8, &[1, 0, 3], &[])).to_string();
    assert!(none.contains("t10k-images") && none.contains("[1, 0, 3]"), "{none}");
    let fewer = with(1, idx(8, &[2], &[1, 2])).to_string();
    assert!(fewer.contains("has 3 images") && fewer.contains("2 labels"), "{fewer}");
    let ten = with(3, idx(8, &[1], &[10])).to_string();
    assert!(ten.contains("t10k-labels") && ten.contains("label 0: 10 (allowed: 0 to 9)"), "{ten}");
    let cut = with(0, files()[0][..30].to_vec()).to_string();
    assert!(cut.contains("train-images") && cut.contains("ends after 30 bytes (allowed: 34"), "{cut}");
}

#[test]
fn the_embedded_part_is_what_the_script_wrote() {
    let sums = [
        ("train-images-idx3-ubyte", "5044cfd200506345b056065b1ec48ceefc4aea7afb29339028412f2681a2ee6f"),
        ("train-labels-idx1-ubyte", "4d96d3a98710f493d73689c75a33df66be4208c3221af55114e1816fa47bd9da"),
        ("t10k-images-idx3-ubyte", "0a2a978ac97c9ffe5524643f23f15c688c7c4b82e1ce271f4060492e4a74cae4"),
        ("t10k-labels-idx1-ubyte", "601a3cc86da79e5dcf5265d52b4dd14eb2e0ee0c69c9792c036ed8b98dcb05fa"),
    ];
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/mnist");
    for (name, sum) in sums {
        let file = std::fs::File::open(data.join(format!("{name}.gz"))).unwrap();
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(file), &mut bytes).unwrap();
        let hex: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, sum, "{name}");
    }
    let subset = mnist_subset().unwrap();
    assert_eq!(subset, mnist(&data).unwrap());
    for (part, each) in [(&subset.train, 800), (&subset.test, 200)] {
        assert_eq!((part.len(), part.height(), part.width(), part.white()), (10 * each, 28, 28, 255));
        for digit in 0..10 {
            assert_eq!(part.classes().as_slice().iter().filter(|&&c| c == digit).count(), each, "{digit}");
        }
        // MNIST's digits are centred by their mass in 28 × 28 pixels.
        let mean = part.tensor::<f64>().unwrap().mean().unwrap();
        assert!((mean - 0.13).abs() < 0.005, "{mean}"); // 0.1307 in the whole set
    }
    assert!(subset.licence.contains("CC BY-SA 3.0") && subset.source.contains("LeCun"));
}

#[test]
fn every_byte_becomes_its_quotient_rounded_once() {
    for white in [1, 2, 16, 100, 255u8] {
        let pixels: Vec<u8> = (0..=white).collect();
        let images = Images::new(pixels.clone(), [1, 1, pixels.len()], vec![0], white).unwrap();
        let singles: Vec<f32> = pixels.iter().map(|&p| f32::from(p) / f32::from(white)).collect();
        let doubles: Vec<f64> = pixels.iter().map(|&p| f64::from(p) / f64::from(white)).collect();
        assert_eq!(images.tensor::<f32>().unwrap().as_slice(), singles);
        assert_eq!(images.batch::<f64>(&[0]).unwrap().0.as_slice(), doubles);
    }
}

#[test]
fn a_batch_is_the_images_of_these_numbers() {
    let images = Images::new((0..24).collect(), [4, 2, 3], vec![3, 1, 2, 0], 255).unwrap();
    let (pixels, classes) = images.batch::<f64>(&[3, 0, 3]).unwrap();
    assert_eq!((pixels.dims(), classes.as_slice()), ([3, 2, 3].as_slice(), [0, 3, 0].as_slice()));
    assert_eq!(pixels.slice(0, 1..2).unwrap(), images.tensor().unwrap().slice(0, 0..1).unwrap());
    let some = images.samples(&[3, 0, 3]).unwrap();
    assert_eq!((some.tensor::<f64>().unwrap(), some.classes()), (pixels, &classes));
    assert!(images.batch::<f32>(&[0, 4]).unwrap_err().to_string().contains("number = 4 (allowed: below 4)"));
    assert!(images.samples(&[4]).is_err());
    for (pixels, shape, classes, white) in [
        (vec![0; 6], [1, 2, 3], vec![0, 1], 255),
        (vec![0; 5], [1, 2, 3], vec![0], 255),
        (vec![], [0, 0, 3], vec![], 255),
        (vec![0; 6], [1, 2, 3], vec![0], 0),
        (vec![17; 6], [1, 2, 3], vec![0], 16),
        (vec![], [usize::MAX, 2, 2], vec![], 1),
    ] {
        assert!(
            matches!(Images::new(pixels, shape, classes, white), Err(Error::Argument { .. })),
            "{shape:?}"
        );
    }
}
