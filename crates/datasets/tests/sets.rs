//! The embedded sets and the generators against scikit-learn, whose word `scripts/make.py` writes down.
#![allow(clippy::unwrap_used)] // helpers of the tests

use gradus_datasets::{
    Classification, Error, Table, Values, blobs, breast_cancer, circles, diabetes, diabetes_scaled, digits,
    iris, spiral, two_moons, wine,
};
use gradus_tensor::Tensor;
use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// Of a mean or deviation: two ways to sum 1797 numbers.
const SUMMED: f64 = 1e-13;
/// A value that was centred and divided, in two orders.
const SCALED: f64 = 1e-14;

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// scikit-learn's mean, deviation, first and last value of each column of a set, the target's last.
fn golden(set: &str) -> Vec<[f64; 4]> {
    let table = Table::read(file("tests/golden.csv")).unwrap();
    let Values::Text { codes, categories, .. } = table.columns()[0].values() else { panic!("no names") };
    let code = categories.iter().position(|name| name == set).unwrap() as u32;
    let numbers = table.tensor(&["mean", "deviation", "first", "last"]).unwrap();
    let rows = numbers.as_slice().chunks(4).zip(codes);
    rows.filter(|(_, c)| **c == Some(code)).map(|(row, _)| row.try_into().unwrap()).collect()
}

fn compare(set: &str, features: &Tensor<f64>, target: &[f64], tolerance: f64) {
    let golden = golden(set);
    let d = features.dims()[1];
    assert_eq!(golden.len(), d + 1, "{set}: columns");
    for (j, [mean, deviation, first, last]) in golden.into_iter().enumerate() {
        let column = if j < d { features.select(1, j).unwrap().into_vec() } else { target.to_vec() };
        let n = column.len() as f64;
        let close = |what: &str, a: f64, b: f64, size: f64| {
            assert!((a - b).abs() <= tolerance * size.max(b.abs()), "{set}, column {j}: {what} {a}, not {b}");
        };
        let size = column.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
        let m = column.iter().sum::<f64>() / n;
        close("mean", m, mean, size);
        close("deviation", (column.iter().map(|v| (v - m).powi(2)).sum::<f64>() / n).sqrt(), deviation, size);
        if tolerance == SUMMED {
            assert_eq!((column[0], column[column.len() - 1]), (first, last), "{set}, column {j}");
        } else {
            close("first", column[0], first, size);
            close("last", column[column.len() - 1], last, size);
        }
    }
}

fn classes(data: &Classification) -> Vec<f64> {
    data.target.as_slice().iter().map(|&c| f64::from(c)).collect()
}

fn counts(data: &Classification) -> Vec<usize> {
    let count = |k: usize| data.target.as_slice().iter().filter(|&&c| c as usize == k).count();
    (0..data.target_names.len()).map(count).collect()
}

#[test]
fn the_embedded_sets_are_those_of_scikit_learn() {
    let sets = [
        ("iris", iris().unwrap(), [150, 4], vec![50; 3], "C56C76"),
        ("breast_cancer", breast_cancer().unwrap(), [569, 30], vec![212, 357], "C5DW2B"),
        ("wine", wine().unwrap(), [178, 13], vec![59, 71, 48], "C5PC7J"),
        (
            "digits",
            digits().unwrap(),
            [1797, 64],
            vec![178, 182, 177, 183, 181, 182, 181, 179, 174, 180],
            "C50P49",
        ),
    ];
    for (name, data, shape, per_class, doi) in sets {
        assert_eq!(data.features.dims(), shape, "{name}");
        assert_eq!(counts(&data), per_class, "{name}");
        assert!(data.source.contains(doi) && data.licence == "CC BY 4.0", "{name}");
        compare(name, &data.features, &classes(&data), SUMMED);
    }
    for (name, data, tolerance) in
        [("diabetes", diabetes().unwrap(), SUMMED), ("diabetes_scaled", diabetes_scaled().unwrap(), SCALED)]
    {
        assert_eq!(data.features.dims(), [442, 10], "{name}");
        assert!(data.source.contains("Efron") && data.licence.contains("none stated"), "{name}");
        compare(name, &data.features, data.target.as_slice(), tolerance);
    }
}

#[test]
fn names_stand_where_the_documentation_puts_them() {
    let cancer = breast_cancer().unwrap();
    for (i, name) in [(0, "mean_radius"), (10, "radius_error"), (20, "worst_radius")] {
        assert_eq!(cancer.feature_names[i], name);
    }
    assert_eq!(cancer.feature_names[29], "worst_fractal_dimension");
    assert_eq!(diabetes().unwrap().feature_names, diabetes_scaled().unwrap().feature_names);
    let digits = digits().unwrap();
    assert_eq!(
        (digits.feature_names[0].as_str(), digits.feature_names[63].as_str()),
        ("pixel_0_0", "pixel_7_7")
    );
    assert_eq!(digits.feature_names[8 * 2 + 5], "pixel_2_5");
    assert!(digits.features.as_slice().iter().all(|&v| (0.0..=16.0).contains(&v) && v.fract() == 0.0));
}

/// The sums that `scripts/make.py` and `scripts/sunspots.py` print as they write.
#[test]
fn no_byte_of_the_files_has_changed() {
    for (name, sum) in [
        ("data/iris.csv", "b6b8efc86732bc48c9fbddba53e2c191fd4f263c0ee98e2b1b7d3543e8d2121d"),
        ("data/breast_cancer.csv", "518936fa92ca3d8a78c420aee22030c4e519ffcba3be15dd23e83f2fc22e20e5"),
        ("data/wine.csv", "bafc97afa2272002ba7475929632cf1425754f8055d1be1b3b11bd63d110d866"),
        ("data/diabetes.csv", "6f6e0b748f6f8e121a248fe45a04528c618b96544ca6d06ab66c8bc2cc1970ad"),
        ("data/sunspots.csv", "74b8e3acb9886b68abe9c56f6081257d522e2cb2470f17dbf597b396f4ea1706"),
        ("data/digits.txt", "1d2604cdfaf01861bfd9252571060d7e4890617294aaba1c914e1c78fa4669ec"),
        ("tests/golden.csv", "b377e3eefb897c2093edd6c2dd55a9ed00baf2a593d372658b4b8524406a5d76"),
    ] {
        let digest = Sha256::digest(std::fs::read(file(name)).unwrap());
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, sum, "{name}");
    }
}

#[test]
fn the_digits_are_written_as_they_are_read() {
    let digits = digits().unwrap();
    let mut text = String::new();
    for (image, class) in digits.features.as_slice().chunks(64).zip(digits.target.as_slice()) {
        text.extend(image.iter().map(|&v| char::from_digit(v as u32, 17).unwrap()));
        text += &format!("{class}\n");
    }
    assert_eq!(text, std::fs::read_to_string(file("data/digits.txt")).unwrap());
}

#[test]
fn without_noise_the_generators_draw_scikit_learns_curves() {
    for (name, data) in [
        ("two_moons", two_moons([7, 5], 0.0, &mut rng(1)).unwrap()),
        ("circles", circles([7, 5], 0.4, 0.0, &mut rng(1)).unwrap()),
    ] {
        compare(name, &data.features, &classes(&data), SCALED);
        assert_eq!(counts(&data), [7, 5]);
    }
}

#[test]
fn points_lie_on_their_curves() {
    let radius = |p: &[f64], x: f64, y: f64| (p[0] - x).hypot(p[1] - y);
    let moons = two_moons([30, 31], 0.0, &mut rng(1)).unwrap();
    for (p, class) in moons.features.as_slice().chunks(2).zip(moons.target.as_slice()) {
        let (x, y) = if *class == 0 { (0.0, 0.0) } else { (1.0, 0.5) };
        assert!((radius(p, x, y) - 1.0).abs() < 1e-15, "{p:?}");
        assert!(if *class == 0 { p[1] >= 0.0 } else { p[1] <= 0.5 }, "{p:?}");
    }
    let arms = spiral(&[40; 3], 1.25, 0.0, &mut rng(1)).unwrap();
    for (n, p) in arms.features.as_slice().chunks(2).enumerate() {
        let (class, i) = (n / 40, n % 40);
        let r = (i + 1) as f64 / 40.0;
        assert!((radius(p, 0.0, 0.0) - r).abs() < 1e-15);
        // The angle in turns is the arm's own and 1.25 for each unit of the radius.
        let turned = p[1].atan2(p[0]) / std::f64::consts::TAU - class as f64 / 3.0 - 1.25 * r;
        assert!((turned - turned.round()).abs() < 1e-14, "{class}, {i}: {turned}");
    }
}

#[test]
fn noise_has_the_deviation_asked_for_and_the_seed_decides() {
    // 40000 draws: the relative error of a deviation is about 1/√(2·40000) = 0.0035, of a mean 0.005 deviations.
    let n = 10_000;
    let pure = two_moons([n, n], 0.0, &mut rng(3)).unwrap();
    let noisy = two_moons([n, n], 0.25, &mut rng(3)).unwrap();
    let errors = noisy.features.sub(&pure.features).unwrap();
    let deviation = (errors.map(|e| e * e).sum() / errors.len() as f64).sqrt();
    assert!((deviation / 0.25 - 1.0).abs() < 0.02, "{deviation}");
    assert!((errors.sum() / errors.len() as f64).abs() < 0.25 * 0.02);
    // The two coordinates have errors of their own.
    let (x, y) = (errors.select(1, 0).unwrap(), errors.select(1, 1).unwrap());
    assert!((x.dot(&y).unwrap() / (2.0 * n as f64 * 0.0625)).abs() < 0.03);

    let cloud = blobs(&[[1.0, -2.0], [30.0, 4.0]], &[n, 5], 0.5, &mut rng(4)).unwrap();
    let first = cloud.features.slice(0, 0..n).unwrap().mean_axis(0).unwrap();
    assert!(first.all_close(&[1.0, -2.0].into(), 0.0, 0.02).unwrap(), "{first}");
    assert_eq!(counts(&cloud), [n, 5]);
    let centres = blobs(&[[1.0, -2.0], [30.0, 4.0]], &[1, 2], 0.0, &mut rng(4)).unwrap();
    assert_eq!(centres.features, [[1.0, -2.0], [30.0, 4.0], [30.0, 4.0]].into());

    let draw = |seed| spiral(&[5, 6], 1.0, 0.1, &mut rng(seed)).unwrap();
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1).features, draw(2).features);
    // All draws are used, none more: what follows in the stream does not depend on the shape.
    let (mut a, mut b) = (rng(5), rng(5));
    circles([3, 4], 0.5, 0.0, &mut a).unwrap();
    two_moons([4, 3], 9.0, &mut b).unwrap();
    assert_eq!(a.next_u64(), b.next_u64());
}

#[test]
fn what_cannot_be_drawn_is_refused() {
    let r = &mut rng(1);
    let table: Vec<(Error, &str)> = vec![
        (two_moons([0, 3], 0.1, r).unwrap_err(), "two_moons: counts = [0, 3] (allowed: at least one class"),
        (two_moons([3, 3], -0.1, r).unwrap_err(), "two_moons: noise = -0.1 (allowed: finite and at least 0)"),
        (two_moons([3, 3], f64::NAN, r).unwrap_err(), "noise = NaN"),
        (circles([3, 3], 0.5, f64::INFINITY, r).unwrap_err(), "circles: noise = inf"),
        (
            circles([3, 3], 1.0, 0.0, r).unwrap_err(),
            "circles: factor = 1 (allowed: strictly between 0 and 1)",
        ),
        (circles([3, 3], 0.0, 0.0, r).unwrap_err(), "factor = 0"),
        (circles([3, 3], f64::NAN, 0.0, r).unwrap_err(), "factor = NaN"),
        (circles([3, 0], 0.5, 0.0, r).unwrap_err(), "circles: counts = [3, 0]"),
        (spiral(&[], 1.0, 0.0, r).unwrap_err(), "spiral: counts = []"),
        (spiral(&[1, 0], 1.0, 0.0, r).unwrap_err(), "spiral: counts = [1, 0]"),
        (spiral(&[1], f64::NAN, 0.0, r).unwrap_err(), "spiral: turns = NaN (allowed: a finite number)"),
        (
            blobs(&[[0.0; 2]], &[1, 2], 0.0, r).unwrap_err(),
            "blobs: counts = 2 of them (allowed: one for each of 1",
        ),
        (blobs(&[[0.0, f64::NAN]], &[1], 0.0, r).unwrap_err(), "blobs: centre = (0, NaN)"),
        (blobs(&[], &[], 0.0, r).unwrap_err(), "blobs: counts = []"),
    ];
    for (error, part) in table {
        assert!(error.to_string().contains(part), "`{error}` lacks `{part}`");
    }
}
