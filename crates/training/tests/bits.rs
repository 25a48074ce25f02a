//! The bits of trained weights, held against those of the last version: for one thread and for two, for debug and for release builds.
//!
//! A change of a kernel, an order of summation or a draw changes a row, and is to be seen in a review. The new table:
//! `cargo test -p gradus-training --test bits -- --ignored --nocapture`
#![allow(clippy::unwrap_used)] // helpers of the tests
#![allow(clippy::print_stdout)] // the new table

mod common;

use common::{Toy, data, fingerprint, loss, run_toy};
use gradus_autograd::Parameters;
use gradus_datasets::mnist_subset;
use gradus_layers::Linear;
use gradus_optimization::{Adam, OneCycle, Sgd};
use gradus_tensor::with_threads;
use gradus_training::{Batches, Trainer};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

#[rustfmt::skip] // a row a line
const TABLE: [(&str, &str); 3] = [
    ("digits, SGD with everything, 54 steps", "69f7854a6f15c727ab25ee9b272b6d75806e7b3dda3fae82619a161f793aecc9"),
    ("digits, Adam, 36 steps", "2c305e0b4a5e61e0afa7404efda820381be2510445b6a8f32839146d20524f7c"),
    ("mnist_mlp, 100 steps", "6e4d8fe35d07990ef8c98aeb7bb8690e83c4e9545539d8ab078d65a1a67eecf6"),
];

/// The weights after the steps of each row.
fn fingerprints() -> Vec<String> {
    let toy = run_toy(&data(), None, u64::MAX).unwrap().0;

    let (images, net) = (data(), Toy::new(5));
    let mut adam = Adam::new(0.01);
    let batches = Batches::new(images.len(), 100).unwrap().shuffled();
    let trainer = Trainer::new(&net, &mut adam, batches).epochs(2).seed(3);
    trainer.run(|numbers, mode| loss(&net, &images, numbers, mode)).unwrap();

    // The example's network, data, optimiser and seed.
    let train = mnist_subset().unwrap().train;
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let [fc1, fc2] = [(784, 128), (128, 10)].map(|(d, k)| Linear::new(d, k, &mut rng).unwrap());
    let mlp = Toy::of(fc1, fc2);
    let mut sgd = Sgd::new(0.12).momentum(0.9).nesterov(true);
    let batches = Batches::new(6400, 64).unwrap().shuffled();
    let schedule = OneCycle::new(0.12, 625).unwrap();
    let trainer = Trainer::new(&mlp, &mut sgd, batches).seed(1).schedule(schedule);
    trainer.run(|numbers, mode| loss(&mlp, &train, numbers, mode)).unwrap();

    vec![fingerprint(&toy), fingerprint(&net.state()), fingerprint(&mlp.state())]
}

#[test]
fn the_weights_have_the_bits_of_the_last_version() {
    let (one, two) = (with_threads(1, fingerprints), with_threads(2, fingerprints));
    assert_eq!(one, two, "one thread and two");
    for ((name, expected), found) in TABLE.iter().zip(&one) {
        assert_eq!(expected, found, "{name}");
    }
}

#[test]
#[ignore = "prints the table"]
fn table() {
    for ((name, _), found) in TABLE.iter().zip(fingerprints()) {
        println!("    (\"{name}\", \"{found}\"),");
    }
}
