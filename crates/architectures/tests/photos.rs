//! Photographs, from a file to the names of what is in them. golden/photos.csv, written by golden/photos.py, has what torchvision makes of the same pictures.
#![allow(clippy::unwrap_used)] // helpers of tests are tests too

use gradus_architectures::{Filter, Photo, PhotoError, Preprocessing, labels, top};
use gradus_tensor::{Error, Tensor};
use image::{ExtendedColorType, ImageFormat};
use std::path::PathBuf;

/// The script's `picture`.
fn picture(height: usize, width: usize) -> Photo {
    let byte = |y: usize, x: usize, c: usize| {
        let ramp = (x * 5 + y * 3 + c * 40) % 256;
        let noise = (x * x * 7 + y * y * 13 + x * y * 3 + c * 101) % 251;
        let edge = if (x / 8 + y / 5).is_multiple_of(2) { 255 } else { 0 };
        u8::try_from(if x.is_multiple_of(3) {
            ramp
        } else if y.is_multiple_of(4) {
            edge
        } else {
            noise
        })
        .unwrap()
    };
    let places = (0..height).flat_map(|y| (0..width).flat_map(move |x| (0..3).map(move |c| (y, x, c))));
    Photo::from_bytes([height, width], places.map(|(y, x, c)| byte(y, x, c)).collect()).unwrap()
}

/// The bytes that were normalised: row by row, pixel by pixel.
fn bytes(preset: &Preprocessing, x: &Tensor<f32>) -> Vec<u8> {
    let plane = x.len() / 3;
    let byte = |i: usize| {
        let (pixel, colour) = (i / 3, i % 3);
        let value = x.as_slice()[colour * plane + pixel] * preset.std[colour] + preset.mean[colour];
        (value * 255.0).round() as u8
    };
    (0..x.len()).map(byte).collect()
}

#[test]
fn numbers_are_those_of_torchvision_to_the_bit() {
    let mut cases = 0;
    for line in include_str!("golden/photos.csv").lines() {
        let cells: Vec<&str> = line.split(',').collect();
        let preset = match cells[0] {
            "imagenet" => Preprocessing::imagenet(),
            _ => Preprocessing::xception(),
        };
        let [height, width] = [1, 2].map(|i| cells[i].parse().unwrap());
        let x = preset.apply(&picture(height, width)).unwrap();
        assert_eq!(x.dims(), [1, 3, preset.crop, preset.crop]);
        let total: u64 = (1..).zip(bytes(&preset, &x)).map(|(i, byte)| i * u64::from(byte)).sum();
        assert_eq!(total, cells[3].parse::<u64>().unwrap(), "{line}");
        let expected: Vec<f32> = cells[4..].iter().map(|cell| cell.parse().unwrap()).collect();
        let ours: Vec<f32> = x.as_slice().iter().step_by(x.len() / 30).copied().collect();
        assert_eq!(ours, expected, "{line}");
        cases += 1;
    }
    assert_eq!(cases, 22);
}

#[test]
fn one_colour_stays_that_colour() {
    for filter in [Filter::Triangle, Filter::Cubic] {
        for size in [[1, 1], [1, 300], [7, 5], [64, 64], [333, 90], [1000, 3], [2, 10_000]] {
            let preset = Preprocessing { resize: 40, crop: 37, filter, ..Preprocessing::imagenet() };
            let colour = [3, 128, 255];
            let photo = Photo::from_bytes(size, colour.repeat(size[0] * size[1])).unwrap();
            let found = bytes(&preset, &preset.apply(&photo).unwrap());
            assert!(found.chunks_exact(3).all(|pixel| pixel == colour), "{size:?} {filter:?}");
        }
    }
}

#[test]
fn what_has_the_size_already_is_cut_out_only() {
    let photo = picture(50, 61);
    for filter in [Filter::Triangle, Filter::Cubic] {
        let preset = Preprocessing { resize: 50, crop: 50, filter, ..Preprocessing::default() };
        let found = bytes(&preset, &preset.apply(&photo).unwrap());
        // Of 11 columns too many 6 are on the left: of 5 and 6 the even one.
        let rows = photo.bytes().chunks_exact(3 * 61);
        let expected: Vec<u8> = rows.flat_map(|row| &row[3 * 6..3 * 56]).copied().collect();
        assert_eq!(found, expected, "{filter:?}");
    }
}

#[test]
fn a_triangle_stays_between_its_pixels_and_a_cubic_is_sharper() {
    // Black on the left, white on the right.
    let half = |_| (0..20).flat_map(|x| [if x < 10 { 50u8 } else { 200 }; 3]);
    let photo = Photo::from_bytes([20, 20], (0..20).flat_map(half).collect()).unwrap();
    let of = |filter| {
        let preset = Preprocessing { resize: 70, crop: 70, filter, ..Preprocessing::imagenet() };
        let all = bytes(&preset, &preset.apply(&photo).unwrap());
        let row: Vec<u8> = all[..3 * 70].iter().step_by(3).copied().collect();
        (*row.iter().min().unwrap(), *row.iter().max().unwrap(), row)
    };
    let (least, most, row) = of(Filter::Triangle);
    assert_eq!((least, most), (50, 200));
    assert!(row.is_sorted());
    let (least, most, _) = of(Filter::Cubic);
    assert!(least < 50 && most > 200, "{least} {most}");
}

#[test]
fn impossible_sizes_are_refused() {
    let photo = picture(9, 9);
    for (resize, crop) in [(10, 0), (10, 11), (0, 0), (0, 1)] {
        let preset = Preprocessing { resize, crop, ..Preprocessing::imagenet() };
        assert_eq!(preset.apply(&photo), Err(PhotoError::TooSmall { resize, crop }));
    }
    let huge = Preprocessing { resize: usize::MAX, crop: usize::MAX, ..Preprocessing::imagenet() };
    assert!(matches!(huge.apply(&photo), Err(PhotoError::TooLarge(_))));
    for (size, count) in [([0, 0], 0), ([0, 5], 0), ([2, 2], 11), ([2, 2], 13), ([usize::MAX, 2], 6)] {
        let error = Photo::from_bytes(size, vec![0; count]).unwrap_err();
        assert_eq!(error, PhotoError::Pixels { size, got: count });
    }
    let side = Preprocessing::imagenet().side(227);
    assert_eq!((side.resize, side.crop), (259, 227));
}

/// A file of a folder that goes away.
fn saved(
    folder: &tempfile::TempDir,
    name: &str,
    format: ImageFormat,
    kind: ExtendedColorType,
    bytes: &[u8],
) -> PathBuf {
    let file = folder.path().join(name);
    image::save_buffer_with_format(&file, bytes, 5, 4, kind, format).unwrap();
    file
}

#[test]
fn files_are_read_whatever_their_names_and_colours() {
    let folder = tempfile::tempdir().unwrap();
    let photo = picture(4, 5);
    let colours = saved(&folder, "colours.jpg", ImageFormat::Png, ExtendedColorType::Rgb8, photo.bytes());
    assert_eq!(Photo::open(colours).unwrap(), photo);
    let grey: Vec<u8> = (0..20).map(|i| 12 * i).collect();
    let thrice = grey.iter().flat_map(|&v| [v; 3]).collect();
    let file = saved(&folder, "grey.png", ImageFormat::Png, ExtendedColorType::L8, &grey);
    assert_eq!(Photo::open(file).unwrap(), Photo::from_bytes([4, 5], thrice).unwrap());
    // What can be seen through is there all the same.
    let clear: Vec<u8> = photo.bytes().chunks_exact(3).flat_map(|p| [p[0], p[1], p[2], 0]).collect();
    let file = saved(&folder, "clear.png", ImageFormat::Png, ExtendedColorType::Rgba8, &clear);
    assert_eq!(Photo::open(file).unwrap(), photo);
    let even = [90, 120, 200].repeat(20);
    let file = saved(&folder, "even.jpeg", ImageFormat::Jpeg, ExtendedColorType::Rgb8, &even);
    let read = Photo::open(file).unwrap();
    assert_eq!(read.size(), [4, 5]);
    assert!(read.bytes().iter().zip(&even).all(|(a, b)| a.abs_diff(*b) <= 3), "{:?}", read.bytes());
}

#[test]
fn what_is_no_photograph_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    assert!(matches!(Photo::open(path("none.png")), Err(PhotoError::File { .. })));
    std::fs::write(path("text.png"), "no picture at all").unwrap();
    let error = Photo::open(path("text.png")).unwrap_err();
    assert!(matches!(error, PhotoError::Unsupported { .. }));
    assert!(error.to_string().ends_with("(allowed: JPEG and PNG)"), "{error}");
    std::fs::write(path("moving.png"), b"GIF89a\x05\0\x04\0\0\0\0;").unwrap();
    assert!(matches!(Photo::open(path("moving.png")), Err(PhotoError::Unsupported { .. })));
    let whole = saved(&folder, "whole.png", ImageFormat::Png, ExtendedColorType::Rgb8, picture(4, 5).bytes());
    let bytes = std::fs::read(whole).unwrap();
    for (name, cut) in [("half.png", bytes.len() / 2), ("few.png", 20)] {
        std::fs::write(path(name), &bytes[..cut]).unwrap();
        let error = Photo::open(path(name)).unwrap_err();
        assert!(matches!(error, PhotoError::Malformed { .. }), "{error:?}");
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[test]
fn the_likeliest_come_first_and_equal_ones_in_order() {
    let classes = |scores: &[f64], k| -> Vec<usize> {
        top(&Tensor::from_vec(scores.to_vec(), [1, scores.len()]).unwrap(), k)
            .unwrap()
            .iter()
            .map(|x| x.0)
            .collect()
    };
    assert_eq!(classes(&[1.0, 3.0, 3.0, 2.0, 3.0], 4), [1, 2, 4, 3]);
    assert_eq!(classes(&[1.0, 2.0], 9), [1, 0]);
    assert_eq!(classes(&[1.0, 2.0], 0), [0usize; 0]);
    // Their probabilities are all 0, their order is not lost.
    assert_eq!(classes(&[0.0, -5000.0, -4000.0, f64::NEG_INFINITY], 4), [0, 2, 1, 3]);
    for bad in [f64::NAN, f64::INFINITY] {
        let best = top(&Tensor::from([1.0, bad, 2.0, 0.5]), 3).unwrap();
        assert!(best.iter().enumerate().all(|(i, (class, p))| *class == i && p.is_nan()), "{best:?}");
    }
    let sum: f32 = top(&Tensor::from([0.5f32, -1.0, 2.0]), 3).unwrap().iter().map(|x| x.1).sum();
    assert!((sum - 1.0).abs() < 1e-6);
    for dims in [&[2, 3][..], &[0, 3], &[0], &[1, 0], &[1, 1, 3]] {
        assert!(top(&Tensor::<f64>::zeros(dims).unwrap(), 1).is_err(), "{dims:?}");
    }
    let Error::File { why, .. } = labels("nowhere.txt", 3).unwrap_err() else {
        panic!("it is a file's error")
    };
    assert!(!why.is_empty());
}
