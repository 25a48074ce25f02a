//! The bits of results, held against those of the last version: on one thread and on three, and for elementary functions
//! at every instruction set of the machine. Sums, products, quotients, roots and fused products are exact to the last bit by
//! IEEE 754, so the table holds on every machine.
//!
//! A change of a formula or of an order of summation changes a row, and is to be seen in a review. The new table:
//! `cargo test -p gradus-tensor --test bits -- --ignored --nocapture`
#![allow(clippy::unwrap_used)] // helpers of tests are tests too
#![allow(clippy::print_stdout)] // the new table

use gradus_tensor::math::{self, Level};
use gradus_tensor::{Scalar, Tensor, Transpose, with_threads};

/// Each result with the hashes of its bits in single and in double precision.
#[rustfmt::skip] // a row a line
const TABLE: [(&str, u64, u64); 24] = [
    ("exp", 0x5aad9bc1d13ba8c8, 0x45a8fe4d6c58818e),
    ("ln", 0xef03b81a241db51f, 0x35e5f3453998dd28),
    ("tanh", 0xd387a874e34b84aa, 0x2f4a94401a3b71bb),
    ("sigmoid", 0x295532635e4cfa49, 0x88e10d9d162718d4),
    ("erf", 0x9883ca702a447345, 0x1c0166c55b569ce8),
    ("normal_cdf", 0xde1bb5a57f11deea, 0xb93e58f27a4ef9a6),
    ("gelu", 0x482a413f06ff8538, 0x3c5fbc92f40769a1),
    ("sum", 0xdf4472f6ee2cbd16, 0x80bba5d636215a82),
    ("sum_axis(0)", 0x89f82ef3f1478d3e, 0x5a9197f23d86a50e),
    ("sum_axis(1)", 0x19f5012ab7403a45, 0x5fd734497b510dfa),
    ("log_sum_exp_axis(0)", 0x08029b52c299c18e, 0x547f94f2ffeaa6f5),
    ("log_sum_exp_axis(1)", 0x303e2ccabcb61289, 0x7c68f8a87efb9944),
    ("dot", 0xc724c132f88604f6, 0x963bd2d6d96e43b9),
    ("gram_of", 0xf84523b882a788a9, 0x2759380c04849f06),
    ("triangular_factor", 0x536a427aa19891bd, 0x7c2f9c529b7ae54f),
    ("matrix · matrix", 0xfcddbaa2d11509ff, 0x906b3dce0d134b45),
    ("matrixᵀ · matrixᵀ", 0x73bbe3f49d409ba3, 0x9b0c490996eb905d),
    ("matrix · wide matrix", 0x546909153b428196, 0x6bae973b42134487),
    ("matrix · few columns", 0x83a611ea5a81a3b2, 0xa5aa8ee3a2ec2691),
    ("matrix · matrix, small", 0xc0a4b417eb130064, 0xe4468f5f2de05ceb),
    ("matrix · matrix, long sums", 0x6dac76f83ad597c5, 0x179404c9955be6fa),
    ("row · matrix", 0xe0860509a9c86e86, 0xd7f895700ce74101),
    ("row · matrix, long sums", 0x5e271a2440417d81, 0xf48b4756f4a830e8),
    ("row · matrixᵀ", 0x7b989a58d532aa85, 0x2393e955f3b4364d),
];

/// FNV-1a over the bytes of the elements; widened to double precision first, which loses nothing.
fn hash<T: Scalar>(x: &[T]) -> u64 {
    let bytes = x.iter().flat_map(|x| x.as_f64().to_bits().to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Numbers between −9 and 9 by Knuth's recurrence, divided so that they fill their last digits: sums are rounded in both
/// precisions, and another order of theirs shows.
fn input<T: Scalar>(dims: &[usize], seed: u64) -> Tensor<T> {
    let mut state = seed;
    Tensor::from_fn(dims, |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        T::of(((state >> 40) as f64 / f64::from(1 << 20) - 8.0) / 0.9)
    })
    .unwrap()
}

/// An elementary function of many numbers, with the same bits at every level; `scale` takes them to its tails.
fn map<T: Scalar>(scale: f64, f: impl Fn(T) -> T) -> Vec<T> {
    let x = input::<T>(&[10_007], 1).map(|x| x * T::of(scale));
    let at = |level| {
        let mut y = vec![T::NAN; x.len()];
        math::map_into_at(level, x.as_slice(), &mut y, &f);
        y
    };
    let best = at(Level::best());
    for level in Level::ALL {
        assert_eq!(hash(&at(level)), hash(&best), "{level:?} and {:?} differ", Level::best());
    }
    best
}

/// The results, in the order of the table. Their sizes make several blocks, so that threads could matter.
fn results<T: Scalar>() -> Vec<(&'static str, Vec<T>)> {
    let of = |x: Tensor<T>| x.as_slice().to_vec();
    let (long, other) = (input::<T>(&[200_003], 2), input(&[200_003], 3));
    let (matrix, tall) = (input::<T>(&[301, 401], 4), input::<T>(&[40_001, 5], 5));
    let (left, right) = (input::<T>(&[131, 801], 8), input::<T>(&[801, 203], 9));
    let block = input::<T>(&[9, 9], 10);
    let product = |k: usize, n: usize, transpose| {
        let dims = if transpose == Transpose::No { [k, n] } else { [n, k] };
        of(input::<T>(&[1, k], 6).product(Transpose::No, &input(&dims, 7), transpose).unwrap())
    };
    vec![
        ("exp", map(12.0, |x| math::exp(x))),
        ("ln", map(1.0, |x| math::ln(x * x))),
        ("tanh", map(1.0, |x| math::tanh(x))),
        ("sigmoid", map(4.0, |x| math::sigmoid(x))),
        ("erf", map(0.5, |x| math::erf(x))),
        ("normal_cdf", map(1.0, |x| math::normal_cdf(x))),
        ("gelu", map(1.0, |x| math::gelu(x))),
        ("sum", vec![long.sum()]),
        ("sum_axis(0)", of(matrix.sum_axis(0).unwrap())),
        ("sum_axis(1)", of(matrix.sum_axis(1).unwrap())),
        ("log_sum_exp_axis(0)", of(matrix.log_sum_exp_axis(0).unwrap())),
        ("log_sum_exp_axis(1)", of(matrix.log_sum_exp_axis(1).unwrap())),
        ("dot", vec![long.dot(&other).unwrap()]),
        (
            "gram_of",
            of(Tensor::gram_of(&[&tall, &tall.select(1, 2).unwrap().insert_axis(1).unwrap()]).unwrap()),
        ),
        ("triangular_factor", of(tall.triangular_factor().unwrap())),
        ("matrix · matrix", of(left.matmul(&right).unwrap())),
        ("matrixᵀ · matrixᵀ", of(right.product(Transpose::Yes, &left, Transpose::Yes).unwrap())),
        ("matrix · wide matrix", of(left.slice(0, 0..31).unwrap().matmul(&right).unwrap())),
        ("matrix · few columns", of(left.matmul(&right.slice(1, 0..10).unwrap()).unwrap())),
        ("matrix · matrix, small", of(block.matmul(&block).unwrap())),
        ("matrix · matrix, long sums", of(tall.product(Transpose::Yes, &tall, Transpose::No).unwrap())),
        ("row · matrix", product(2101, 2003, Transpose::No)),
        ("row · matrix, long sums", product(9001, 480, Transpose::No)),
        ("row · matrixᵀ", product(2101, 2003, Transpose::Yes)),
    ]
}

fn computed() -> Vec<(&'static str, u64, u64)> {
    let hashes = results::<f32>().into_iter().zip(results::<f64>());
    hashes.map(|((name, single), (_, double))| (name, hash(&single), hash(&double))).collect()
}

#[test]
fn results_have_the_bits_of_the_table_on_one_thread_and_on_three() {
    for threads in [1, 3] {
        let found = with_threads(threads, computed);
        assert_eq!(found.len(), TABLE.len());
        let changed: Vec<_> = found.iter().zip(&TABLE).filter(|(found, row)| found != row).collect();
        assert!(
            changed.is_empty(),
            "on {threads} thread(s) other bits than in the table: {changed:x?}\nIf that is meant, print the new table with \
             `cargo test -p gradus-tensor --test bits -- --ignored --nocapture` and say why in the change log"
        );
    }
}

#[test]
#[ignore = "prints the table, after a change that is meant to change bits"]
fn the_new_table() {
    for (name, single, double) in computed() {
        println!("    ({name:?}, 0x{single:016x}, 0x{double:016x}),");
    }
}
