//! The embedded sets against what is known of them, and the order of samples.
#![allow(clippy::unwrap_used)]

use gradus_datasets::{Classification, iris};

/// The means of scikit-learn's file, to the digits given.
const MEANS: [f64; 4] = [5.843333, 3.057333, 3.758, 1.199333];
const MEANS_DIGITS: f64 = 1e-6;

#[test]
fn iris_is_fishers() {
    let iris = iris().unwrap();
    assert_eq!((iris.features.dims(), iris.target.dims()), ([150, 4].as_slice(), [150].as_slice()));
    assert_eq!(
        iris.feature_names,
        ["sepal_length_cm", "sepal_width_cm", "petal_length_cm", "petal_width_cm"]
    );
    assert_eq!(iris.target_names, ["setosa", "versicolor", "virginica"]);
    let expected: Vec<u32> = (0..150).map(|i| i / 50).collect();
    assert_eq!(iris.target.as_slice(), expected);
    let means = iris.features.mean_axis(0).unwrap();
    assert!(means.all_close(&MEANS.into(), 0.0, MEANS_DIGITS).unwrap(), "{means}");
    // The two samples that UCI's file has wrong, as Fisher printed them.
    assert_eq!(iris.features.select(0, 34).unwrap(), [4.9, 3.1, 1.5, 0.2].into());
    assert_eq!(iris.features.select(0, 37).unwrap(), [4.9, 3.6, 1.4, 0.1].into());
    assert_eq!(iris.features.select(0, 149).unwrap(), [5.9, 3.0, 5.1, 1.8].into());
    assert!(iris.source.contains("Fisher") && iris.source.contains("UCI"));
    assert_eq!(iris.licence, "CC BY 4.0");
}

/// The samples' own numbers, in a set whose one feature and whose class is the number.
fn order_of(data: &Classification) -> Vec<u32> {
    let by_feature: Vec<u32> = data.features.as_slice().iter().map(|&x| x as u32).collect();
    let by_target: Vec<u32> =
        data.target.as_slice().iter().map(|&c| data.target_names[c as usize].parse().unwrap()).collect();
    assert_eq!(by_feature, by_target, "a sample was torn apart");
    by_feature
}

fn numbered(n: usize) -> Classification {
    let rows: String = (0..n).map(|i| format!("{i},{i}\n")).collect();
    let table = gradus_datasets::Table::parse(&format!("x,y\n{rows}")).unwrap();
    Classification::from_table(&table, &["x"], "y").unwrap()
}

#[test]
fn the_order_of_a_seed_never_changes() {
    // From ChaCha8 written anew in Python after RFC 8439 (8 rounds, 64-bit counter), as `shuffle` documents it.
    for (n, seed, start) in [
        (10, 0, vec![6, 5, 3, 2, 4, 7, 8, 1, 9, 0]),
        (10, 7, vec![2, 7, 3, 5, 6, 4, 1, 8, 0, 9]),
        (150, 2026, vec![139, 148, 126, 104, 81, 98, 134, 136, 43, 97, 140, 112]),
    ] {
        assert_eq!(
            order_of(&numbered(n).shuffle(seed).unwrap())[..start.len()],
            start,
            "{n} samples, seed {seed}"
        );
    }
}

#[test]
fn a_split_is_the_shuffle_cut_in_two() {
    let data = numbered(23);
    for (fraction, size) in [(0.05, 1), (0.5, 12), (0.8, 18), (0.95, 22)] {
        for seed in [0, 1, u64::MAX] {
            let (train, test) = data.split(fraction, seed).unwrap();
            assert_eq!((train.len(), test.len()), (size, 23 - size));
            let mut both = [order_of(&train), order_of(&test)].concat();
            assert_eq!(both, order_of(&data.shuffle(seed).unwrap()));
            both.sort();
            assert_eq!(both, (0..23).collect::<Vec<_>>());
            assert_eq!(train.target_names, data.target_names);
        }
    }
    assert!(!data.is_empty());
    assert!(data.samples(&[]).unwrap().is_empty());
}
