//! The bits of streams and initializations, held against those of the last version: the same on every machine, in debug and in release builds,
//! on one thread and on two. The new table: `cargo test -p gradus-initialization --test bits -- --ignored --nocapture`
#![allow(clippy::unwrap_used)] // helpers of tests are tests too
#![allow(clippy::print_stdout)] // the new table

use gradus_initialization::{Fans, Init, Stream};
use gradus_tensor::{Scalar, Tensor, with_threads};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

/// Each with the hashes of its bits in single and in double precision.
#[rustfmt::skip] // a row a line
const TABLE: [(&str, u64, u64); 6] = [
    ("uniform", 0xd30d8d93610fa169, 0xdfb43ccd9006c890),
    ("normal", 0x3fe24c5bdff2bba8, 0x2ba29155b0123e97),
    ("he_normal", 0xc88c64efdc5a0eac, 0x5d8adfb1e204533c),
    ("xavier_uniform", 0xc141c10b4c377132, 0xa4daa5f8f9b648aa),
    ("lecun truncated", 0x2ec59e46233efc2b, 0x7d4d716df872717f),
    ("fan_in_uniform", 0xfcc457e0c4b6c40f, 0x58fcc8d6c035fd45),
];

/// FNV-1a over the bytes of the elements; widened to double precision first, which loses nothing.
fn hash<T: Scalar>(x: &Tensor<T>) -> u64 {
    let bytes = x.as_slice().iter().flat_map(|x| x.as_f64().to_bits().to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// More than two blocks of work, and not a whole number of tiles.
const SHAPE: [usize; 2] = [301, 257];

fn made<T: Scalar>(name: &str) -> u64 {
    let stream = Stream::new(0x0123_4567_89ab_cdef).substream(42);
    let of = |init: Init| {
        init.tensor::<T>(SHAPE, Fans::dense(SHAPE[0], SHAPE[1]), &mut ChaCha8Rng::seed_from_u64(1)).unwrap()
    };
    hash(&match name {
        "uniform" => stream.uniform(SHAPE).unwrap(),
        "normal" => stream.normal(SHAPE).unwrap(),
        "he_normal" => of(Init::he_normal()),
        "xavier_uniform" => of(Init::xavier_uniform()),
        "lecun truncated" => of(Init::lecun_normal().truncated()),
        _ => of(Init::fan_in_uniform()),
    })
}

fn row(name: &'static str) -> (&'static str, u64, u64) {
    let on = |threads| with_threads(threads, || (made::<f32>(name), made::<f64>(name)));
    let (one, two) = (on(1), on(2));
    assert_eq!(one, two, "{name}: the number of threads changes bits");
    (name, one.0, one.1)
}

#[test]
fn the_bits_are_those_of_the_last_version() {
    for expected in TABLE {
        assert_eq!(row(expected.0), expected, "{}", expected.0);
    }
}

#[test]
#[ignore = "prints a new table"]
fn the_table() {
    for (name, ..) in TABLE {
        let (name, single, double) = row(name);
        println!("    (\"{name}\", {single:#018x}, {double:#018x}),");
    }
}
